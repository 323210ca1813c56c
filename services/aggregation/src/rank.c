// Rank of a place among its siblings: the places of the same parent and level that were valid at
// the period's end.
#include "asked.h"
#include "computed.h"
#include "convert.h"
#include "ranking.h"
#include "alm/id_order.h"

#include <stdlib.h>

#define NAMED_MISSING_MAX 5

typedef struct peer_group {
    uint32_t first; // its peers, of any day, are peers[first] .. peers[first + count - 1]
    uint32_t count;
    alm_str scope; // code of the parent; empty for roots
} peer_group;

typedef struct ranker {
    alm_query_run *run;
    alm_cell_index peer_of; // (place id, 0) to index into peers
    alm_place_id *peers;
    size_t peer_total, peer_cap;
    uint32_t *group_of; // by peer
    size_t group_of_cap;
    peer_group *groups;
    size_t group_count, group_cap;
    alm_place_id *missing; // scratch for the largest group
    double *scratch;
    // Of the slice (variant, period, group) that was ranked last:
    uint32_t slice_variant;
    alm_period slice_period;
    uint32_t slice_group; // ALM_CELL_NONE: none yet
    alm_ranked *ranked;
    size_t ranked_count;
    size_t peer_count;
    bool all_exact;
    const char *lacking; // which peers have no value; ""
    uint32_t *entry_of;  // by peer: index into ranked, when entry_slice says so
    uint32_t *entry_slice;
    uint32_t slice_number;
} ranker;

static alm_code add_peer(ranker *it, alm_place_id place, alm_status *st)
{
    alm_arena *arena = it->run->arena;
    void *peers = it->peers;
    void *groups = it->group_of;
    if (!alm_arena_grow(arena, &peers, &it->peer_cap, it->peer_total + 1, sizeof(alm_place_id)) ||
        !alm_arena_grow(arena, &groups, &it->group_of_cap, it->peer_total + 1, sizeof(uint32_t))) {
        return alm_query_run_no_memory(st);
    }
    it->peers = peers;
    it->group_of = groups;
    uint32_t peer = (uint32_t)it->peer_total++;
    it->peers[peer] = place;
    it->group_of[peer] = (uint32_t)it->group_count;
    return alm_cell_index_add(&it->peer_of, place, 0, peer, &peer, st);
}

// Makes the group of a place unless it is there. Groups have no place in common.
static alm_code make_group(ranker *it, alm_place_id place, alm_status *st)
{
    alm_query_run *run = it->run;
    if (alm_cell_index_find(&it->peer_of, place, 0) != ALM_CELL_NONE) {
        return ALM_OK;
    }
    alm_place_list siblings;
    ALM_TRY(
        alm_place_tree_siblings(run->plan->tree, place, ALM_DATE_NONE, run->arena, &siblings, st));
    void *groups = it->groups;
    if (!alm_arena_grow(run->arena, &groups, &it->group_cap, it->group_count + 1,
                        sizeof(it->groups[0]))) {
        return alm_query_run_no_memory(st);
    }
    it->groups = groups;
    alm_place_id parent = alm_place_tree_parent(run->plan->tree, place);
    it->groups[it->group_count] = (peer_group){
        (uint32_t)it->peer_total,
        (uint32_t)siblings.count,
        parent == ALM_PLACE_NONE ? (alm_str){0} : alm_place_tree_get(run->plan->tree, parent)->code,
    };
    for (size_t i = 0; i < siblings.count; i++) {
        ALM_TRY(add_peer(it, siblings.ids[i], st));
    }
    it->group_count++;
    return ALM_OK;
}

static uint32_t peer_of(const ranker *it, alm_place_id place)
{
    uint32_t peer = alm_cell_index_find(&it->peer_of, place, 0);
    ALM_ASSERT(peer < it->peer_total);
    return peer;
}

// The peers of all asked places.
static alm_code fetch_peers(ranker *it, const alm_asked *asked, alm_status *st)
{
    alm_query_run *run = it->run;
    size_t largest = 0;
    for (size_t i = 0; i < asked->count; i++) {
        ALM_TRY(make_group(it, asked->cells[i].place, st));
    }
    for (size_t i = 0; i < it->group_count; i++) {
        largest = ALM_MAX(largest, it->groups[i].count);
    }
    size_t count = it->peer_total;
    alm_place_id *ids = alm_arena_calloc(run->arena, count, sizeof *ids);
    it->entry_of = alm_arena_calloc(run->arena, count, sizeof *it->entry_of);
    it->entry_slice = alm_arena_calloc(run->arena, count, sizeof *it->entry_slice);
    it->ranked = alm_arena_calloc(run->arena, largest, sizeof *it->ranked);
    it->missing = alm_arena_calloc(run->arena, largest, sizeof *it->missing);
    it->scratch = alm_arena_calloc(run->arena, largest * 2, sizeof *it->scratch);
    if (ids == NULL || it->entry_of == NULL || it->entry_slice == NULL || it->ranked == NULL ||
        it->missing == NULL || it->scratch == NULL) {
        return alm_query_run_no_memory(st);
    }
    memcpy(ids, it->peers, count * sizeof *ids);
    qsort(ids, count, sizeof *ids, alm_id_order);
    alm_period_expr periods;
    ALM_TRY(alm_asked_periods(asked, 0, run->arena, &periods, st));
    return alm_query_run_fetch(run, ALM_MEASURE_BIT(run->plan->measure), ids, count, &periods, st);
}

// "3 of 16 peers have no value: 310104 徐汇区, ..."
static alm_code name_missing(ranker *it, size_t count, alm_status *st)
{
    const char *list = "";
    for (size_t i = 0; i < count && i < NAMED_MISSING_MAX; i++) {
        const alm_place *place = alm_place_tree_get(it->run->plan->tree, it->missing[i]);
        ALM_TRY(alm_query_run_text(it->run, &list, st, "%s%s%.*s %.*s", list, i > 0 ? ", " : "",
                                   ALM_STR_ARGS(place->code), ALM_STR_ARGS(place->name_zh)));
    }
    return alm_query_run_text(it->run, &it->lacking, st, "%zu of %zu peers have no value: %s%s",
                              count, it->peer_count, list,
                              count > NAMED_MISSING_MAX ? ", ..." : "");
}

// False: the row has no number that can be compared.
static bool comparable(const alm_query_run *run, const alm_obs *row, alm_ranked *ret)
{
    alm_unit unit;
    if (row == NULL || !row->value.has_number) {
        return false;
    }
    if (!alm_measure_common_unit(run->plan->measure, run->indicator->unit, &unit)) {
        unit = row->value.unit;
    }
    if (!alm_unit_convertible(row->value.unit, unit) ||
        alm_number_in_unit(&row->value, unit, &ret->number, NULL) != ALM_OK) {
        return false;
    }
    ret->interval = alm_interval_in_unit(&row->value, unit);
    return true;
}

static alm_code rank_slice(ranker *it, const alm_asked_cell *cell, uint32_t group, alm_status *st)
{
    alm_query_run *run = it->run;
    const peer_group *peers = &it->groups[group];
    alm_date day = alm_period_last_day(cell->period);
    size_t missing_count = 0;
    it->ranked_count = it->peer_count = 0;
    it->all_exact = true;
    for (uint32_t i = 0; i < peers->count; i++) {
        alm_place_id peer = it->peers[peers->first + i];
        if (!alm_place_valid_on(alm_place_tree_get(run->plan->tree, peer), day)) {
            continue;
        }
        it->peer_count++;
        const alm_obs *row = alm_cells_find(&run->cells, cell->variant, peer, cell->period);
        alm_ranked *entry = &it->ranked[it->ranked_count];
        if (comparable(run, row, entry)) {
            entry->key = peers->first + i;
            it->all_exact &= row->value.qualifier == ALM_QUALIFIER_EXACT;
            it->ranked_count++;
        } else {
            it->missing[missing_count++] = peer;
        }
    }
    alm_ranking_sort(it->ranked, it->ranked_count, run->indicator->direction == ALM_DIRECTION_DOWN,
                     it->scratch);
    it->slice_number++;
    for (size_t i = 0; i < it->ranked_count; i++) {
        it->entry_of[it->ranked[i].key] = (uint32_t)i;
        it->entry_slice[it->ranked[i].key] = it->slice_number;
    }
    it->slice_variant = cell->variant;
    it->slice_period = cell->period;
    it->slice_group = group;
    it->lacking = "";
    return missing_count == 0 ? ALM_OK : name_missing(it, missing_count, st);
}

static bool is_ranked_slice(const ranker *it, const alm_asked_cell *cell, uint32_t group)
{
    return it->slice_group == group && it->slice_variant == cell->variant &&
           alm_period_eq(it->slice_period, cell->period);
}

// What to mind of a rank that there is.
static alm_code remark(ranker *it, const alm_place *place, const char **ret, alm_status *st)
{
    const char *remarks[] = {
        it->lacking,
        place->level == ALM_LEVEL_LOCAL ? "a local place has no siblings but itself" : "",
        it->run->indicator->direction == ALM_DIRECTION_NEUTRAL
            ? "ranked from the highest; neither more nor less is better"
            : "",
    };
    *ret = "";
    for (size_t i = 0; i < ALM_ARRAY_LEN(remarks); i++) {
        if (remarks[i][0] != '\0' && **ret != '\0') {
            ALM_TRY(alm_query_run_text(it->run, ret, st, "%s; %s", *ret, remarks[i]));
        } else if (remarks[i][0] != '\0') {
            *ret = remarks[i];
        }
    }
    return ALM_OK;
}

static alm_code why_unranked(ranker *it, const alm_asked_cell *cell, const alm_obs *row,
                             const char **ret, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_place *place = alm_place_tree_get(run->plan->tree, cell->place);
    if (!alm_place_valid_on(place, alm_period_last_day(cell->period))) {
        return alm_query_run_text(run, ret, st, "%.*s was not a place at the period's end",
                                  ALM_STR_ARGS(place->code));
    }
    if (row != NULL && row->value.has_number) {
        return alm_query_run_text(run, ret, st, "%s has a unit that does not convert",
                                  alm_measure_code(run->plan->measure));
    }
    return alm_query_run_why_missing(run, row, run->plan->measure, ALM_PLACE_NONE, cell->period,
                                     ret, st);
}

static alm_code answer(ranker *it, const alm_asked_cell *cell, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_place *place = alm_place_tree_get(run->plan->tree, cell->place);
    uint32_t peer = peer_of(it, cell->place);
    uint32_t group = it->group_of[peer];
    if (!is_ranked_slice(it, cell, group)) {
        ALM_TRY(rank_slice(it, cell, group, st));
    }
    alm_computed computed = alm_computed_begin((alm_unit){.measure = ALM_MEASURE_UNIT_RANK});
    const alm_obs *row = alm_cells_find(&run->cells, cell->variant, cell->place, cell->period);
    if (row != NULL) {
        alm_computed_input(&computed, row);
    }
    const char *reason = "";
    if (it->entry_slice[peer] == it->slice_number) {
        const alm_ranked *entry = &it->ranked[it->entry_of[peer]];
        // Each peer without a value may be better.
        size_t unknown = it->peer_count - it->ranked_count;
        computed.all_exact = it->all_exact && unknown == 0;
        alm_computed_number(&computed, (alm_decimal){entry->rank, 0},
                            (alm_interval){entry->rank_low, entry->rank_high + (double)unknown});
        ALM_TRY(remark(it, place, &reason, st));
    } else {
        alm_computed_missing(&computed, ALM_OBS_STATUS_MISSING_UNSPECIFIED);
        ALM_TRY(why_unranked(it, cell, row, &reason, st));
        ALM_TRY(alm_asked_mention_published(run, cell, "rank", &reason, st));
    }
    uint32_t variant;
    ALM_TRY(alm_asked_answer_variant(run, cell->variant, ALM_MEASURE_RANK, it->groups[group].scope,
                                     &variant, st));
    return alm_computed_answer(&computed, variant, cell->place, cell->period, reason,
                               (uint32_t)it->ranked_count, (uint32_t)it->peer_count, &run->answers,
                               st);
}

// Slice by slice, so that each is ranked once.
static int by_slice(const void *a, const void *b, void *arg)
{
    const ranker *it = arg;
    const alm_asked_cell *x = a;
    const alm_asked_cell *y = b;
    uint32_t x_group = it->group_of[peer_of(it, x->place)];
    uint32_t y_group = it->group_of[peer_of(it, y->place)];
    if (x->variant != y->variant) {
        return x->variant < y->variant ? -1 : 1;
    }
    if (x_group != y_group) {
        return x_group < y_group ? -1 : 1;
    }
    int order = alm_period_cmp(x->period, y->period);
    if (order != 0) {
        return order;
    }
    return x->place < y->place ? -1 : x->place > y->place;
}

alm_code alm_rank_run(alm_query_run *run, alm_status *st)
{
    // In the arena: its index is released with it.
    ranker *it = alm_arena_calloc(run->arena, 1, sizeof *it);
    if (it == NULL) {
        return alm_query_run_no_memory(st);
    }
    it->run = run;
    it->slice_group = ALM_CELL_NONE;
    ALM_TRY(alm_cell_index_init(&it->peer_of, run->arena, st));
    alm_asked asked;
    ALM_TRY(alm_asked_collect(run, ALM_MEASURE_RANK, &asked, st));
    if (asked.count == 0) {
        return ALM_OK;
    }
    ALM_TRY(fetch_peers(it, &asked, st));
    qsort_r(asked.cells, asked.count, sizeof asked.cells[0], by_slice, it);
    for (size_t i = 0; i < asked.count; i++) {
        ALM_TRY(answer(it, &asked.cells[i], st));
    }
    return ALM_OK;
}
