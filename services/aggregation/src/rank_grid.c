#include "rank_grid.h"

#include "ranking.h"

#define PERCENTILE_DIGITS (-2)

typedef struct ranker {
    const alm_query_run *run;
    const alm_grid *in;
    const alm_series_set *set;
    alm_grid *out;
    alm_rank_counts *counts;
    bool is_percentile;
    alm_ranked *entries; // of the largest group
    alm_ranking_room room;
} ranker;

static bool is_peer(const alm_query_run *run, const alm_series_set *set, size_t series,
                    alm_date day)
{
    return alm_place_valid_on(alm_place_tree_get(run->plan->tree, set->places[series]), day);
}

static void inherit(ranker *it, size_t cell)
{
    it->out->newest[cell] = it->in->newest[cell];
    it->out->flags[cell] =
        (uint8_t)((it->in->flags[cell] & ~((1 << ALM_CELL_STATUS_SHIFT) - 1)) | ALM_CELL_COMPUTED);
    it->out->gaps[cell] = ALM_GAP_INPUT;
}

// How many of the others are worse, percent; of one alone there is no saying.
static void put_percentile(ranker *it, const alm_ranked *entry, size_t cell, size_t count,
                           size_t unknown)
{
    double others = (double)(count - 1);
    if (count < 2) {
        it->out->gaps[cell] = ALM_GAP_ZERO;
        it->out->flags[cell] =
            (uint8_t)(ALM_OBS_STATUS_MISSING << ALM_CELL_STATUS_SHIFT | ALM_CELL_COMPUTED);
        return;
    }
    double all = others + (double)unknown;
    it->out->numbers[cell] = (double)entry->worse / others * 100;
    it->out->lower[cell] = (double)(count - entry->rank_high) / all * 100;
    it->out->upper[cell] = (double)(count - entry->rank_low + unknown) / all * 100;
    it->out->digits[cell] = PERCENTILE_DIGITS;
}

// unknown: each peer without a value may be better.
static void put_rank(ranker *it, const alm_ranked *entry, size_t cell, bool all_exact, size_t count,
                     size_t unknown)
{
    it->out->gaps[cell] = ALM_GAP_NONE;
    if (it->is_percentile) {
        put_percentile(it, entry, cell, count, unknown);
    } else {
        it->out->mantissas[cell] = entry->rank;
        it->out->lower[cell] = entry->rank_low;
        it->out->upper[cell] = entry->rank_high + (double)unknown;
        it->out->flags[cell] |= ALM_CELL_EXACT;
    }
    if (all_exact && unknown == 0 && alm_grid_has(it->out, cell)) {
        it->out->flags[cell] |= ALM_CELL_OVER | ALM_CELL_UNDER;
    }
}

static void rank_period(ranker *it, const alm_peer_group *peers, uint32_t t)
{
    const alm_grid *in = it->in;
    uint32_t periods = in->axis.count;
    alm_date day = alm_period_last_day(alm_axis_at(in->axis, t));
    size_t count = 0;
    uint32_t peer_count = 0;
    bool all_exact = true;
    bool is_decimal = in->kind == ALM_GRID_DECIMALS;
    for (uint32_t i = 0; i < peers->count; i++) {
        size_t cell = (size_t)(peers->first + i) * periods + t;
        bool is_in = !peers->is_outside && is_peer(it->run, it->set, peers->first + i, day);
        inherit(it, cell);
        peer_count += is_in;
        if (!is_in || !alm_grid_has(in, cell)) {
            continue;
        }
        bool is_exact = (in->flags[cell] & ALM_CELL_OVER) && (in->flags[cell] & ALM_CELL_UNDER);
        all_exact &= is_exact;
        it->entries[count++] = (alm_ranked){
            .mantissa = is_decimal ? in->mantissas[cell] : 0,
            .number = is_decimal ? 0 : alm_number_snap(in->numbers[cell]),
            .interval = {in->lower[cell], in->upper[cell]},
            .key = i,
        };
    }
    bool ascending = it->run->indicator->direction == ALM_DIRECTION_DOWN;
    alm_ranking_set(it->entries, count, is_decimal, ascending, &it->room);
    for (size_t i = 0; i < count; i++) {
        size_t cell = (size_t)(peers->first + it->entries[i].key) * periods + t;
        put_rank(it, &it->entries[i], cell, all_exact, count, peer_count - count);
    }
    for (uint32_t i = 0; i < peers->count; i++) {
        size_t cell = (size_t)(peers->first + i) * periods + t;
        // A number that is not ranked: of no peer, or of a place that was none then.
        if (!alm_grid_has(it->out, cell) && alm_grid_has(in, cell)) {
            it->out->flags[cell] =
                (uint8_t)(ALM_OBS_STATUS_MISSING << ALM_CELL_STATUS_SHIFT | ALM_CELL_COMPUTED);
        }
        it->counts->ranked[cell] = (uint32_t)count;
        it->counts->peers[cell] = peer_count;
    }
}

alm_code alm_rank_grid(const alm_query_run *run, const alm_grid *in, const alm_series_set *set,
                       alm_arena *arena, alm_grid *ret, alm_rank_counts *ret_counts, alm_status *st)
{
    uint32_t largest = 0;
    size_t cells = set->count * in->axis.count;
    for (size_t i = 0; i < set->peer_group_count; i++) {
        largest = ALM_MAX(largest, set->peers[i].count);
    }
    ranker it = {
        .run = run,
        .in = in,
        .set = set,
        .out = ret,
        .counts = ret_counts,
        .is_percentile = alm_query_plan_has(run->plan, ALM_TRANSFORM_PERCENTILE),
        .entries = alm_arena_alloc(arena, largest * sizeof *it.entries),
    };
    ret_counts->ranked = alm_arena_calloc(arena, cells, sizeof(uint32_t));
    ret_counts->peers = alm_arena_calloc(arena, cells, sizeof(uint32_t));
    ret_counts->remarks = alm_arena_calloc(arena, set->peer_group_count * in->axis.count,
                                           sizeof *ret_counts->remarks);
    if (it.entries == NULL || ret_counts->remarks == NULL || ret_counts->ranked == NULL ||
        ret_counts->peers == NULL) {
        return alm_query_run_no_memory(st);
    }
    ALM_TRY(alm_ranking_room_make(largest, arena, &it.room, st));
    ALM_TRY(alm_grid_make(in->axis, set->count,
                          it.is_percentile ? ALM_GRID_DOUBLES : ALM_GRID_DECIMALS, 0, arena, ret,
                          st));
    for (size_t i = 0; i < set->peer_group_count; i++) {
        for (uint32_t t = 0; t < in->axis.count; t++) {
            rank_period(&it, &set->peers[i], t);
        }
    }
    return ALM_OK;
}

// --- remarks ------------------------------------------------------------------------------------

static size_t group_of(const alm_series_set *set, size_t series)
{
    size_t low = 0;
    size_t high = set->peer_group_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (set->peers[middle].first <= series) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

const alm_peer_group *alm_rank_peers(const alm_series_set *set, size_t series)
{
    return &set->peers[group_of(set, series)];
}

// "3 of 16 peers have no value: 310104 徐汇区, ..."
static alm_code name_missing(alm_query_run *run, const alm_grid *in, const alm_series_set *set,
                             const alm_peer_group *peers, uint32_t t, const char **ret,
                             alm_status *st)
{
    alm_date day = alm_period_last_day(alm_axis_at(in->axis, t));
    alm_named missing = ALM_NAMED_INIT;
    size_t peer_count = 0;
    for (uint32_t i = 0; i < peers->count; i++) {
        size_t series = peers->first + i;
        bool is_in = is_peer(run, set, series, day);
        peer_count += is_in;
        if (is_in && !alm_grid_has(in, series * in->axis.count + t)) {
            ALM_TRY(alm_query_run_name_place(run, set->places[series], &missing, st));
        }
    }
    *ret = "";
    if (missing.count == 0) {
        return ALM_OK;
    }
    return alm_query_run_text(run, ret, st, "%zu of %zu peers have no value: %s", missing.count,
                              peer_count, missing.text);
}

alm_code alm_rank_why(alm_query_run *run, const alm_series_set *set, const alm_grid *out,
                      size_t series, uint32_t t, const char **ret, alm_status *st)
{
    const alm_place *place = alm_place_tree_get(run->plan->tree, set->places[series]);
    alm_date day = alm_period_last_day(alm_axis_at(out->axis, t));
    *ret = "";
    if (set->peers[group_of(set, series)].is_outside) {
        return alm_query_run_text(run, ret, st, "%.*s is not among the peers",
                                  ALM_STR_ARGS(place->code));
    }
    if (!alm_place_valid_on(place, day)) {
        return alm_query_run_text(run, ret, st, "%.*s was not a place at the period's end",
                                  ALM_STR_ARGS(place->code));
    }
    if (out->gaps[series * out->axis.count + t] == ALM_GAP_ZERO) {
        *ret = "no other peer has a value";
    }
    return ALM_OK;
}

static alm_code make_remark(alm_query_run *run, const alm_grid *in, const alm_series_set *set,
                            const alm_peer_group *peers, uint32_t t, const char **ret,
                            alm_status *st)
{
    const alm_place *place = alm_place_tree_get(run->plan->tree, set->places[peers->first]);
    const char *lacking;
    ALM_TRY(name_missing(run, in, set, peers, t, &lacking, st));
    const char *remarks[] = {
        lacking,
        place->level == ALM_LEVEL_LOCAL && run->plan->peers.count == 0
            ? "a local place has no siblings but itself"
            : "",
        run->indicator->direction == ALM_DIRECTION_NEUTRAL
            ? "ranked from the highest; neither more nor less is better"
            : "",
    };
    *ret = "";
    for (size_t i = 0; i < ALM_ARRAY_LEN(remarks); i++) {
        if (remarks[i][0] != '\0' && **ret != '\0') {
            ALM_TRY(alm_query_run_text(run, ret, st, "%s; %s", *ret, remarks[i]));
        } else if (remarks[i][0] != '\0') {
            *ret = remarks[i];
        }
    }
    return ALM_OK;
}

alm_code alm_rank_remark(alm_query_run *run, const alm_grid *in, const alm_series_set *set,
                         alm_rank_counts *counts, size_t series, uint32_t t, const char **ret,
                         alm_status *st)
{
    size_t group = group_of(set, series);
    const char **remark = &counts->remarks[group * in->axis.count + t];
    if (*remark == NULL) {
        ALM_TRY(make_remark(run, in, set, &set->peers[group], t, remark, st));
    }
    *ret = *remark;
    return ALM_OK;
}
