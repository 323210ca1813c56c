// What is read for a reconciliation: the claims, then in one read all they are to be held against.
#include "reconcile_run.h"

#include "cells.h"

#include "alm/id_order.h"

#include <stdlib.h>

// --- the claims ---------------------------------------------------------------------------------

// Of "latest" the vintages of what is the newest; of other questions all.
typedef struct claim_reader {
    alm_reconciliation *it;
    const alm_cells *newest; // NULL: all
} claim_reader;

static alm_code visit_claims(void *arg, const alm_str *variants, size_t variant_count,
                             const alm_obs_columns *rows, alm_status *st)
{
    claim_reader *reader = arg;
    alm_reconciliation *it = reader->it;
    for (size_t i = 0; i < rows->count; i++) {
        uint32_t id;
        alm_obs row = alm_obs_at(rows, i);
        ALM_TRY(alm_variant_table_intern(&it->variants, variants[row.variant], &id, st));
        if (reader->newest == NULL ||
            alm_cells_find(reader->newest, id, row.place, row.period) != ALM_CELL_NONE) {
            alm_obs_columns alone = alm_obs_columns_cut(rows, i, 1);
            ALM_TRY(alm_publications_visit(&it->claims, variants, variant_count, &alone, st));
        }
    }
    return ALM_OK;
}

static alm_code asked_codes(const alm_reconciliation *it, alm_fetch *fetch, alm_status *st)
{
    const alm_query_plan *plan = it->plan;
    alm_str *codes = alm_arena_calloc(it->arena, plan->item_count, sizeof *codes);
    if (codes == NULL) {
        return alm_reconcile_no_memory(st);
    }
    for (size_t i = 0; i < plan->item_count; i++) {
        if (plan->items[i].indicator != NULL) {
            codes[fetch->indicator_count++] = plan->items[i].indicator->code;
        }
    }
    fetch->indicators = codes;
    return ALM_OK;
}

static int by_packed(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

// Periods, each once, neighbours as one range.
typedef struct period_set {
    alm_arena *arena;
    uint64_t *packed;
    size_t count, cap;
} period_set;

static alm_code add_period(period_set *set, alm_period period, alm_status *st)
{
    void *packed = set->packed;
    bool is_there = set->count > 0 && set->packed[set->count - 1] == alm_period_pack(period);
    if (period.freq == ALM_FREQ_NONE || is_there) {
        return ALM_OK;
    }
    if (!alm_arena_grow(set->arena, &packed, &set->cap, set->count + 1, sizeof *set->packed)) {
        return alm_reconcile_no_memory(st);
    }
    set->packed = packed;
    set->packed[set->count++] = alm_period_pack(period);
    return ALM_OK;
}

static bool follows(alm_period last, alm_period next)
{
    return last.freq == next.freq && last.length == 1 && next.length == 1 &&
           (next.ordinal == last.ordinal || next.ordinal == last.ordinal + 1);
}

static alm_code ranges_of(const period_set *set, alm_period_expr *ret, alm_status *st)
{
    alm_period_range *ranges = alm_arena_calloc(set->arena, set->count, sizeof *ranges);
    size_t count = 0;
    if (ranges == NULL) {
        return alm_reconcile_no_memory(st);
    }
    if (set->count > 0) {
        qsort(set->packed, set->count, sizeof *set->packed, by_packed);
    }
    for (size_t i = 0; i < set->count; i++) {
        alm_period period;
        bool is_period = alm_period_unpack(set->packed[i], &period);
        ALM_ASSERT(is_period);
        bool is_next = count > 0 && (follows(ranges[count - 1].to, period) ||
                                     alm_period_eq(ranges[count - 1].to, period));
        if (is_next) {
            ranges[count - 1].to = period;
        } else {
            ranges[count++] = (alm_period_range){period, period};
        }
    }
    *ret =
        (alm_period_expr){.kind = ALM_PERIOD_EXPR_RANGES, .ranges = ranges, .range_count = count};
    return ALM_OK;
}

static alm_code read_newest(alm_reconciliation *it, alm_fetch *fetch, alm_cells *newest,
                            alm_status *st)
{
    period_set periods = {.arena = it->arena};
    ALM_TRY(alm_cells_init(newest, it->arena, &it->variants, st));
    ALM_TRY(it->reader->read(it->reader->self, fetch, alm_cells_visit, newest, st));
    for (size_t i = 0; i < newest->count; i++) {
        ALM_TRY(add_period(&periods, alm_cells_row(newest, i).period, st));
    }
    return ranges_of(&periods, &fetch->periods, st);
}

static alm_code read_claims(alm_reconciliation *it, alm_status *st)
{
    const alm_query_plan *plan = it->plan;
    alm_fetch fetch = alm_query_plan_fetch(plan);
    alm_cells *newest = NULL;
    ALM_TRY(asked_codes(it, &fetch, st));
    if (fetch.indicator_count == 0) {
        return ALM_OK;
    }
    fetch.measures = plan->measure == ALM_MEASURE_NONE ? 0 : ALM_MEASURE_BIT(plan->measure);
    fetch.places = plan->place_ids;
    fetch.place_count = plan->places.count;
    fetch.periods = plan->periods;
    if (plan->periods.kind == ALM_PERIOD_EXPR_LAST) {
        newest = alm_arena_calloc(it->arena, 1, sizeof *newest);
        if (newest == NULL) {
            return alm_reconcile_no_memory(st);
        }
        ALM_TRY(read_newest(it, &fetch, newest, st));
    }
    fetch.all_vintages = true;
    claim_reader reader = {it, newest};
    ALM_TRY(it->reader->read(it->reader->self, &fetch, visit_claims, &reader, st));
    alm_publications_sort(&it->claims);
    return ALM_OK;
}

// --- what they are held against -----------------------------------------------------------------

typedef struct wanted {
    uint32_t measures;
    bool has_totals; // levels, which have parts
    period_set periods;
    alm_place_id *places;
    size_t place_count, place_cap;
    uint32_t *indicators;
    size_t indicator_count, indicator_cap;
} wanted;

static alm_code add_id(const alm_reconciliation *it, uint32_t id, uint32_t **ids, size_t *count,
                       size_t *cap, alm_status *st)
{
    void *array = *ids;
    if (id == UINT32_MAX) {
        return ALM_OK;
    }
    if (!alm_arena_grow(it->arena, &array, cap, *count + 1, sizeof id)) {
        return alm_reconcile_no_memory(st);
    }
    *ids = array;
    (*ids)[(*count)++] = id;
    return ALM_OK;
}

static alm_code add_place(const alm_reconciliation *it, alm_place_id place, wanted *w,
                          alm_status *st)
{
    return add_id(it, place, &w->places, &w->place_count, &w->place_cap, st);
}

static alm_code add_places(const alm_reconciliation *it, const alm_place_list *list, wanted *w,
                           alm_status *st)
{
    for (size_t i = 0; i < list->count; i++) {
        ALM_TRY(add_place(it, list->ids[i], w, st));
    }
    return ALM_OK;
}

static size_t unique(uint32_t *ids, size_t count)
{
    size_t kept = 0;
    if (count > 0) {
        qsort(ids, count, sizeof *ids, alm_id_order);
    }
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || ids[i] != ids[kept - 1]) {
            ids[kept++] = ids[i];
        }
    }
    return kept;
}

static uint32_t own_id(const alm_reconciliation *it, const alm_variant *variant)
{
    return alm_catalog_find_indicator(it->plan->catalog, variant->indicator);
}

static alm_measure underlying(const alm_variant *variant)
{
    return variant->relation.measure == ALM_MEASURE_NONE ? ALM_MEASURE_LEVEL
                                                         : variant->relation.measure;
}

static uint32_t measures_for(const alm_variant *variant)
{
    switch (variant->measure) {
    case ALM_MEASURE_GROWTH_YOY:
    case ALM_MEASURE_GROWTH_POP:
        return ALM_MEASURE_BIT(underlying(variant)) | ALM_MEASURE_BIT(ALM_MEASURE_COUNT_OF_CHANGE) |
               ALM_MEASURE_BIT(ALM_MEASURE_CUMULATIVE_LEVEL);
    case ALM_MEASURE_RANK:
        return ALM_MEASURE_BIT(underlying(variant));
    case ALM_MEASURE_PP_CHANGE:
        return ALM_MEASURE_BIT(underlying(variant)) | ALM_MEASURE_BIT(ALM_MEASURE_SHARE_OF);
    case ALM_MEASURE_LEVEL:
    case ALM_MEASURE_SHARE_OF:
    case ALM_MEASURE_CONTRIBUTION_PP:
    case ALM_MEASURE_CONTRIBUTION_SHARE:
        return ALM_MEASURE_BIT(ALM_MEASURE_LEVEL);
    default:
        return 0;
    }
}

static alm_code want_periods(const alm_obs *claim, const alm_variant *variant, wanted *w,
                             alm_status *st)
{
    bool looks_back = variant->measure != ALM_MEASURE_LEVEL &&
                      variant->measure != ALM_MEASURE_RANK &&
                      variant->measure != ALM_MEASURE_SHARE_OF;
    ALM_TRY(add_period(&w->periods, claim->period, st));
    if (!looks_back) {
        return ALM_OK;
    }
    alm_lags lags = alm_lags_of(claim->period);
    ALM_TRY(add_period(&w->periods, lags.year, st));
    ALM_TRY(add_period(&w->periods, lags.before, st));
    return add_period(&w->periods, lags.year_end, st);
}

static alm_code want_for(alm_reconciliation *it, const alm_obs *claim, wanted *w, alm_status *st)
{
    const alm_variant *variant = &alm_reconcile_entry(it, claim)->variant;
    uint32_t measures = measures_for(variant);
    alm_place_list peers = {0};
    if (measures == 0) {
        return ALM_OK;
    }
    w->measures |= measures;
    w->has_totals |= variant->measure == ALM_MEASURE_LEVEL;
    ALM_TRY(want_periods(claim, variant, w, st));
    if (variant->measure == ALM_MEASURE_RANK) {
        ALM_TRY(alm_reconcile_peers(it, claim, &peers, st));
        return add_places(it, &peers, w, st);
    }
    alm_cell_name whole = alm_reconcile_whole(it, claim);
    ALM_TRY(add_place(it, whole.place, w, st));
    return whole.indicator == NULL
               ? ALM_OK
               : add_id(it, alm_catalog_find_indicator(it->plan->catalog, whole.indicator->code),
                        &w->indicators, &w->indicator_count, &w->indicator_cap, st);
}

static alm_code want_all(alm_reconciliation *it, wanted *w, alm_status *st)
{
    for (size_t i = 0; i < it->claims.count; i++) {
        const alm_obs *claim = &it->claims.rows[i];
        bool is_same = i > 0 && claim->variant == claim[-1].variant &&
                       claim->place == claim[-1].place &&
                       alm_period_eq(claim->period, claim[-1].period);
        bool is_new_variant = i == 0 || claim->variant != claim[-1].variant;
        if (is_new_variant) {
            uint32_t id = own_id(it, &alm_reconcile_entry(it, claim)->variant);
            ALM_TRY(add_id(it, id, &w->indicators, &w->indicator_count, &w->indicator_cap, st));
        }
        if (!is_same) {
            ALM_TRY(want_for(it, claim, w, st));
        }
    }
    for (size_t i = 0; i < it->plan->places.count; i++) {
        alm_place_list children = {0};
        ALM_TRY(add_place(it, it->plan->place_ids[i], w, st));
        if (w->has_totals) {
            ALM_TRY(
                alm_reconcile_children(it, it->plan->place_ids[i], ALM_DATE_NONE, &children, st));
            ALM_TRY(add_places(it, &children, w, st));
        }
    }
    return ALM_OK;
}

static alm_code read_stored(alm_reconciliation *it, wanted *w, alm_status *st)
{
    size_t count = unique(w->indicators, w->indicator_count);
    alm_str *codes = alm_arena_calloc(it->arena, count, sizeof *codes);
    if (codes == NULL) {
        return alm_reconcile_no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        codes[i] = alm_catalog_indicator(it->plan->catalog, w->indicators[i])->code;
    }
    alm_fetch fetch = {
        .indicators = codes,
        .indicator_count = count,
        .measures = w->measures,
        .breakdown = ALM_STR("*"),
        .places = w->places,
        .place_count = unique(w->places, w->place_count),
        .as_of = it->plan->as_of,
        .today = it->plan->today,
        .all_vintages = true,
    };
    ALM_TRY(ranges_of(&w->periods, &fetch.periods, st));
    ALM_TRY(it->reader->read(it->reader->self, &fetch, alm_publications_visit, &it->stored, st));
    alm_publications_sort(&it->stored);
    return ALM_OK;
}

// Of one total by dimension.
static int by_total(const void *a, const void *b)
{
    const alm_variant *x = ((const alm_member *)a)->variant;
    const alm_variant *y = ((const alm_member *)b)->variant;
    int order = alm_member_order(x, y);
    return order != 0 ? order : alm_str_cmp(x->breakdowns[0].dimension, y->breakdowns[0].dimension);
}

static alm_code list_members(alm_reconciliation *it, alm_status *st)
{
    it->members = alm_arena_calloc(it->arena, it->variants.count, sizeof *it->members);
    if (it->members == NULL) {
        return alm_reconcile_no_memory(st);
    }
    for (uint32_t i = 0; i < it->variants.count; i++) {
        const alm_variant *variant = &alm_variant_table_get(&it->variants, i)->variant;
        if (variant->measure == ALM_MEASURE_LEVEL && variant->breakdown_count == 1) {
            it->members[it->member_count++] = (alm_member){variant, i};
        }
    }
    if (it->member_count > 0) {
        qsort(it->members, it->member_count, sizeof *it->members, by_total);
    }
    return ALM_OK;
}

alm_code alm_reconcile_read(alm_reconciliation *it, alm_status *st)
{
    wanted w = {.periods = {.arena = it->arena}};
    ALM_TRY(read_claims(it, st));
    ALM_TRY(want_all(it, &w, st));
    if (w.measures != 0) {
        ALM_TRY(read_stored(it, &w, st));
    }
    return list_members(it, st);
}
