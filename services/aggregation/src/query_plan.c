#include "query_plan.h"

#include "alm/id_order.h"

#include "alm/limits.h"
#include "alm/series_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for planning the question");
}

// The words of a request are the caller's: what a lookup does not know is an invalid argument.
static alm_code invalid_field(alm_code code, const char *field, alm_status *st)
{
    if (code == ALM_NOT_FOUND) {
        code = ALM_INVALID_ARGUMENT;
        if (st != NULL) {
            st->code = code;
        }
    }
    return alm_status_in_field(code, field, st);
}

static alm_code unknown(const char *field, const char *value, const char *expected, alm_status *st)
{
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field, "unknown %s \"%s\"; expected %s",
                                field, value, expected);
}

// --- indicators ---------------------------------------------------------------------------------

static bool has_prices(const alm_query_plan *plan)
{
    return plan->transforms.of[ALM_STAGE_PRICES].op != ALM_TRANSFORM_NONE;
}

// What stands for an indicator of the catalogue: itself, its formula, itself at other prices.
static alm_code find_derived(const alm_query_plan *plan, const alm_indicator *indicator,
                             alm_arena *arena, alm_query_item *item, alm_status *st)
{
    item->indicator = indicator;
    if (!has_prices(plan)) {
        return alm_derived_of(plan->catalog, indicator, plan->measure, arena, &item->derived, st);
    }
    ALM_TRY(alm_derived_prices(plan->catalog, indicator, &plan->transforms.of[ALM_STAGE_PRICES],
                               arena, &item->derived, st));
    item->priced = indicator;
    item->indicator = &item->derived->indicator;
    return ALM_OK;
}

static alm_code take_every_indicator(alm_query_plan *plan, alm_arena *arena, alm_status *st)
{
    size_t count = alm_catalog_indicator_count(plan->catalog);
    if (count > ALM_QUERY_INDICATOR_COUNT_MAX) {
        return alm_status_set_field(st, ALM_RESOURCE_EXHAUSTED, "indicators",
                                    "\"*\" stands for %zu indicators; the limit of one question "
                                    "is %d",
                                    count, ALM_QUERY_INDICATOR_COUNT_MAX);
    }
    plan->every = true;
    plan->items = alm_arena_calloc(arena, count, sizeof *plan->items);
    if (plan->items == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        const alm_indicator *indicator = alm_catalog_indicator(plan->catalog, (uint32_t)i);
        alm_query_item *item = &plan->items[plan->item_count];
        alm_code code = find_derived(plan, indicator, arena, item, st);
        if (code == ALM_FAILED_PRECONDITION && has_prices(plan)) {
            *item = (alm_query_item){0}; // of everything, what has such prices
            continue;
        }
        ALM_TRY(code);
        item->asked = indicator->code;
        plan->item_count++;
    }
    return ALM_OK;
}

static bool has_item(const alm_query_plan *plan, const alm_query_item *item)
{
    for (size_t i = 0; i < plan->item_count; i++) {
        const alm_query_item *there = &plan->items[i];
        bool is_same = item->priced == NULL ? there->indicator == item->indicator
                                            : there->priced == item->priced;
        if (is_same) {
            return true;
        }
    }
    return false;
}

// A name of the catalogue, or a formula of such.
static alm_code find_item(const alm_query_plan *plan, alm_arena *arena, alm_query_item *item)
{
    uint32_t id;
    alm_code code = alm_catalog_resolve_indicator(plan->catalog, item->asked, &id, &item->fault);
    if (code == ALM_OK) {
        return find_derived(plan, alm_catalog_indicator(plan->catalog, id), arena, item,
                            &item->fault);
    }
    if (code != ALM_NOT_FOUND || !alm_formula_is_meant(item->asked)) {
        return code;
    }
    item->fault = ALM_STATUS_INIT;
    if (plan->measure != ALM_MEASURE_LEVEL) {
        return alm_status_set(&item->fault, ALM_INVALID_ARGUMENT,
                              "a formula names its measures itself, as in gdp.growth_yoy; measure "
                              "does not go with it");
    }
    if (has_prices(plan)) {
        return alm_status_set(
            &item->fault, ALM_FAILED_PRECONDITION,
            "%s is of an indicator, whose growth is published; in a formula write "
            "constant(gdp, 2020) or deflator(gdp, 2020)",
            plan->transforms_text.data);
    }
    code = alm_derived_make(plan->catalog, item->asked, NULL, arena, &item->derived, &item->fault);
    if (code == ALM_OK) {
        item->indicator = &item->derived->indicator;
    }
    return code;
}

static alm_code take_indicators(const Almanac__V1__QueryRequest *request, alm_query_plan *plan,
                                alm_arena *arena, alm_status *st)
{
    size_t count = request->n_indicators;
    if (count == 0) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "indicators",
                                    "no indicator is named; \"*\" asks for every one");
    }
    if (count > ALM_QUERY_INDICATOR_COUNT_MAX) {
        return alm_status_set_field(st, ALM_RESOURCE_EXHAUSTED, "indicators",
                                    "%zu indicators are asked; the limit of one question is %d",
                                    count, ALM_QUERY_INDICATOR_COUNT_MAX);
    }
    if (count == 1 && strcmp(request->indicators[0], "*") == 0) {
        return take_every_indicator(plan, arena, st);
    }
    plan->items = alm_arena_calloc(arena, count, sizeof *plan->items);
    if (plan->items == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        alm_query_item item = {.asked = alm_str_from(request->indicators[i]),
                               .fault = ALM_STATUS_INIT};
        if (alm_str_eq(item.asked, ALM_STR("*"))) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "indicators",
                                        "\"*\" asks for every indicator and stands alone");
        }
        alm_code code = find_item(plan, arena, &item);
        if (code == ALM_RESOURCE_EXHAUSTED) {
            return alm_status_copy(st, &item.fault);
        }
        if (code != ALM_OK) {
            item.indicator = NULL;
            (void)alm_status_in_field(code, "indicators", &item.fault);
        } else if (has_item(plan, &item)) {
            continue;
        }
        plan->items[plan->item_count++] = item;
    }
    return ALM_OK;
}

// --- places and periods -------------------------------------------------------------------------

static alm_code check_expr_length(const char *text, const char *field, alm_status *st)
{
    if (strlen(text) <= ALM_EXPR_BYTES_MAX) {
        return ALM_OK;
    }
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field,
                                "the expression has %zu bytes; the limit is %d", strlen(text),
                                ALM_EXPR_BYTES_MAX);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

#define PLACES_PER_ASKED 16 // of the tree: with fewer a table of all is the faster way

// The places of an expression, found from either side.
typedef struct place_set {
    alm_place_list places;   // in answering order
    alm_place_id *ascending; // the same
    uint32_t *order;         // of ascending[i]: its index in places; NULL: see index
    uint32_t *index;         // by place id: 1 + its index in places; NULL: see order
    uint64_t digest;         // of places
} place_set;

static alm_code tabulate_places(place_set *set, size_t tree_count, alm_arena *arena, alm_status *st)
{
    size_t found = 0;
    set->index = alm_arena_calloc(arena, tree_count, sizeof *set->index);
    if (set->index == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < set->places.count; i++) {
        set->index[set->places.ids[i]] = (uint32_t)i + 1;
    }
    for (size_t id = 0; id < tree_count; id++) {
        if (set->index[id] != 0) {
            set->ascending[found++] = (alm_place_id)id;
        }
    }
    ALM_ASSERT(found == set->places.count);
    return ALM_OK;
}

static alm_code sort_places(place_set *set, size_t tree_count, alm_arena *arena, alm_status *st)
{
    size_t count = set->places.count;
    set->ascending = alm_arena_calloc(arena, count, sizeof *set->ascending);
    if (set->ascending == NULL) {
        return no_memory(st);
    }
    if (count > tree_count / PLACES_PER_ASKED) {
        return tabulate_places(set, tree_count, arena, st);
    }
    uint64_t *pairs = alm_arena_calloc(arena, count, sizeof *pairs);
    set->order = alm_arena_calloc(arena, count, sizeof *set->order);
    if (pairs == NULL || set->order == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        pairs[i] = (uint64_t)set->places.ids[i] << 32 | i;
    }
    qsort(pairs, count, sizeof *pairs, by_number);
    for (size_t i = 0; i < count; i++) {
        set->ascending[i] = (alm_place_id)(pairs[i] >> 32);
        set->order[i] = (uint32_t)pairs[i];
    }
    return ALM_OK;
}

// Places of any day: a question about 2015 is about the places of 2015. Each transform asks for
// those valid in its period.
static alm_code make_set(const void *arg, const alm_catalog *catalog, alm_arena *arena, void **ret,
                         alm_status *st)
{
    const alm_place_tree *tree = alm_catalog_places(catalog);
    place_set *set = alm_arena_calloc(arena, 1, sizeof *set);
    if (set == NULL) {
        return no_memory(st);
    }
    ALM_TRY(
        alm_place_expr_eval(tree, *(const alm_str *)arg, ALM_DATE_NONE, arena, &set->places, st));
    ALM_TRY(sort_places(set, alm_place_tree_count(tree), arena, st));
    set->digest = XXH3_64bits(set->places.ids, set->places.count * sizeof *set->places.ids);
    *ret = set;
    return ALM_OK;
}

typedef struct slice_of {
    const place_set *whole;
    const Almanac__V1__PlaceSlice *slice;
} slice_of;

static alm_code make_slice(const void *arg, const alm_catalog *catalog, alm_arena *arena,
                           void **ret, alm_status *st)
{
    const slice_of *it = arg;
    place_set *set = alm_arena_calloc(arena, 1, sizeof *set);
    if (set == NULL) {
        return no_memory(st);
    }
    set->places = (alm_place_list){it->whole->places.ids + it->slice->from, it->slice->count};
    *ret = set;
    return sort_places(set, alm_place_tree_count(alm_catalog_places(catalog)), arena, st);
}

alm_code alm_query_plan_work(const alm_query_plan *plan, const char *what, alm_str of,
                             alm_catalog_work work, const void *arg, alm_arena *arena,
                             const void **ret, alm_status *st)
{
    void *made = NULL;
    bool is_few = alm_str_find_char(of, '*') == SIZE_MAX && alm_str_find_char(of, '~') == SIZE_MAX;
    if (plan->kept == NULL || is_few) {
        ALM_TRY(work(arg, plan->catalog, arena, &made, st));
        *ret = made;
        return ALM_OK;
    }
    char *key = alm_arena_printf(arena, "%s %.*s", what, ALM_STR_ARGS(of));
    if (key == NULL) {
        return no_memory(st);
    }
    return alm_catalog_ref_kept(plan->kept, alm_str_from(key), work, arg, arena, ret, st);
}

static alm_code find_set(const alm_query_plan *plan, alm_str expr, alm_arena *arena,
                         const place_set **ret, alm_status *st)
{
    const void *set;
    ALM_TRY(alm_query_plan_work(plan, "places", expr, make_set, &expr, arena, &set, st));
    *ret = set;
    return ALM_OK;
}

static alm_code make_codes(const void *arg, const alm_catalog *catalog, alm_arena *arena,
                           void **ret, alm_status *st)
{
    const place_set *set = arg;
    const alm_place_tree *tree = alm_catalog_places(catalog);
    alm_str *codes = alm_arena_calloc(arena, set->places.count, sizeof *codes);
    alm_text_list *list = alm_arena_alloc(arena, sizeof *list);
    if (codes == NULL || list == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < set->places.count; i++) {
        codes[i] = alm_place_tree_get(tree, set->places.ids[i])->code;
    }
    *ret = list;
    return alm_text_list_make(codes, set->places.count, arena, list, st);
}

alm_code alm_query_plan_codes(const alm_query_plan *plan, alm_arena *arena,
                              const alm_text_list **ret, alm_status *st)
{
    const place_set *set;
    const void *list;
    ALM_TRY(find_set(plan, plan->places_text, arena, &set, st));
    ALM_TRY(
        alm_query_plan_work(plan, "codes", plan->places_text, make_codes, set, arena, &list, st));
    *ret = list;
    return ALM_OK;
}

uint32_t alm_query_plan_place_index(const alm_query_plan *plan, alm_place_id place)
{
    if (plan->place_index != NULL) {
        ALM_ASSERT(place < alm_place_tree_count(plan->tree));
        uint32_t index = plan->place_index[place];
        return index == 0 ? ALM_PLACE_NONE : index - 1;
    }
    const alm_place_id *found =
        bsearch(&place, plan->place_ids, plan->places.count, sizeof place, alm_id_order);
    return found == NULL ? ALM_PLACE_NONE : plan->place_order[found - plan->place_ids];
}

// The peers of a rank, as they are named.
static alm_code take_peers(alm_query_plan *plan, alm_arena *arena, alm_status *st)
{
    alm_str expr = plan->transforms.of[ALM_STAGE_RANK].places;
    if (expr.len == 0) {
        return ALM_OK;
    }
    if (expr.len > ALM_EXPR_BYTES_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "transforms",
                                    "the peers have %zu bytes; the limit is %d", expr.len,
                                    ALM_EXPR_BYTES_MAX);
    }
    const place_set *set = NULL;
    ALM_TRY(alm_status_in_field(find_set(plan, expr, arena, &set, st), "transforms", st));
    ALM_ASSERT(set != NULL);
    plan->peers = set->places;
    if (plan->peers.count == 0) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "transforms",
                                    "%.*s are no places: there is nothing to be ranked among",
                                    ALM_STR_ARGS(expr));
    }
    return ALM_OK;
}

// What a share or a contribution is of.
static alm_code take_whole(alm_query_plan *plan, alm_status *st)
{
    bool is_share = alm_query_plan_has(plan, ALM_TRANSFORM_SHARE);
    const alm_transform *share =
        &plan->transforms.of[is_share ? ALM_STAGE_RATIO : ALM_STAGE_CHANGE];
    plan->whole_place = ALM_PLACE_NONE;
    plan->has_whole = share->op != ALM_TRANSFORM_NONE && alm_transform_has_whole(share->op);
    if (share->whole.len > 0 && has_prices(plan)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "transforms",
                                    "\"%s\": the whole would be at current prices; write a formula "
                                    "such as constant(a, 2020) / constant(b, 2020)",
                                    plan->transforms_text.data);
    }
    if (share->whole.len > 0) {
        uint32_t id;
        ALM_TRY(invalid_field(alm_catalog_resolve_indicator(plan->catalog, share->whole, &id, st),
                              "transforms", st));
        plan->whole = alm_catalog_indicator(plan->catalog, id);
    }
    if (share->whole_place.len > 0) {
        return invalid_field(
            alm_catalog_resolve_place(plan->catalog, share->whole_place, &plan->whole_place, st),
            "transforms", st);
    }
    return ALM_OK;
}

// Fragments are of one list of places, or they would double or lose some.
static alm_code find_slice(const alm_query_plan *plan, alm_str expr,
                           const Almanac__V1__PlaceSlice *slice, alm_arena *arena,
                           const place_set **set, alm_status *st)
{
    slice_of of = {*set, slice};
    const void *made;
    if (slice->of != of.whole->places.count || slice->digest != of.whole->digest) {
        return alm_status_set(st, ALM_ABORTED,
                              "the places of \"%.*s\" have changed while the question was "
                              "answered; ask again",
                              ALM_STR_ARGS(expr));
    }
    if (slice->count > slice->of || slice->from > slice->of - slice->count) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "slice",
                                    "%u places from %u on are no slice of %u", slice->count,
                                    slice->from, slice->of);
    }
    const char *what = alm_arena_printf(arena, "slice %u+%u", slice->from, slice->count);
    if (what == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_query_plan_work(plan, what, expr, make_slice, &of, arena, &made, st));
    *set = made;
    return ALM_OK;
}

static alm_code take_places(const char *expr, const Almanac__V1__PlaceSlice *slice,
                            alm_query_plan *plan, alm_arena *arena, alm_status *st)
{
    const place_set *set = NULL;
    ALM_TRY(check_expr_length(expr, "places", st));
    ALM_TRY(alm_status_in_field(find_set(plan, alm_str_from(expr), arena, &set, st), "places", st));
    ALM_ASSERT(set != NULL);
    plan->places_text = alm_str_from(expr);
    plan->whole_count = set->places.count;
    plan->whole_digest = set->digest;
    plan->is_first = slice == NULL || slice->from == 0;
    if (slice != NULL) {
        ALM_TRY(find_slice(plan, plan->places_text, slice, arena, &set, st));
    }
    plan->places = set->places;
    plan->place_ids = set->ascending;
    plan->place_order = set->order;
    plan->place_index = set->index;
    return ALM_OK;
}

// Periods of a range with two ends.
static uint64_t range_count(alm_period_range range)
{
    int64_t units = (int64_t)range.to.ordinal - range.from.ordinal;
    return units < 0 ? 0 : (uint64_t)units / range.from.length + 1;
}

static int by_period(const void *a, const void *b)
{
    return alm_period_cmp(*(const alm_period *)a, *(const alm_period *)b);
}

static alm_code list_periods(alm_query_plan *plan, alm_arena *arena, alm_status *st)
{
    plan->listed = alm_arena_calloc(arena, plan->period_estimate, sizeof *plan->listed);
    if (plan->listed == NULL) {
        return no_memory(st);
    }
    size_t count = 0;
    for (size_t i = 0; i < plan->periods.range_count; i++) {
        alm_period_range range = plan->periods.ranges[i];
        uint64_t steps = range_count(range);
        for (uint64_t k = 0; k < steps; k++) {
            ALM_TRY(alm_period_add(range.from, (int64_t)k, &plan->listed[count++], st));
        }
    }
    qsort(plan->listed, count, sizeof *plan->listed, by_period);
    for (size_t i = 0; i < count; i++) {
        bool is_twice = i > 0 && alm_period_eq(plan->listed[i], plan->listed[i - 1]);
        if (!is_twice) {
            plan->listed[plan->listed_count++] = plan->listed[i];
        }
    }
    return ALM_OK;
}

static alm_code take_periods(const char *expr, alm_query_plan *plan, alm_arena *arena,
                             alm_status *st)
{
    ALM_TRY(check_expr_length(expr, "periods", st));
    ALM_TRY(alm_status_in_field(
        alm_period_expr_parse(alm_str_from(expr), arena, &plan->periods, st), "periods", st));
    if (plan->periods.kind != ALM_PERIOD_EXPR_RANGES) {
        return ALM_OK;
    }
    uint64_t estimate = 0;
    for (size_t i = 0; i < plan->periods.range_count; i++) {
        alm_period_range range = plan->periods.ranges[i];
        if (range.from.freq == ALM_FREQ_NONE || range.to.freq == ALM_FREQ_NONE) {
            return ALM_OK;
        }
        estimate += range_count(range);
    }
    plan->period_estimate = estimate;
    if (estimate * plan->whole_count > ALM_QUERY_MISSING_COUNT_MAX) {
        return ALM_OK;
    }
    return list_periods(plan, arena, st);
}

// --- the other words ----------------------------------------------------------------------------

// No measure is the level, no breakdown the totals.
static alm_code take_series_words(const Almanac__V1__QueryRequest *request, alm_query_plan *plan,
                                  alm_arena *arena, alm_status *st)
{
    alm_series_words words;
    const char *measure = request->measure[0] != '\0' ? request->measure : "level";
    ALM_TRY(alm_series_words_parse(measure, request->breakdown, request->accumulation,
                                   request->frequency, arena, &words, st));
    plan->measure = words.measure;
    plan->breakdown = words.breakdown;
    plan->accumulation = words.accumulation;
    plan->freq = words.freq;
    return ALM_OK;
}

static alm_code take_sources(const Almanac__V1__QueryRequest *request, alm_query_plan *plan,
                             alm_arena *arena, alm_status *st)
{
    size_t count = request->n_sources;
    if (count > alm_catalog_source_count(plan->catalog)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "sources",
                                    "%zu sources are named; there are %zu", count,
                                    alm_catalog_source_count(plan->catalog));
    }
    plan->sources = alm_arena_calloc(arena, count, sizeof *plan->sources);
    if (plan->sources == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        ALM_TRY(alm_status_in_field(alm_catalog_resolve_source(plan->catalog,
                                                               alm_str_from(request->sources[i]),
                                                               &plan->sources[i], st),
                                    "sources", st));
    }
    plan->source_count = count;
    qsort(plan->sources, count, sizeof *plan->sources, alm_id_order);
    return ALM_OK;
}

static alm_code take_vintage(const Almanac__V1__QueryRequest *request, alm_query_plan *plan,
                             alm_arena *arena, alm_status *st)
{
    plan->as_of = ALM_DATE_MAX;
    if (request->as_of[0] != '\0') {
        ALM_TRY(invalid_field(alm_date_parse(alm_str_from(request->as_of), &plan->as_of, st),
                              "as_of", st));
    }
    if (request->today != 0 && !alm_date_valid(request->today)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "today", "%d is no day",
                                    (int)request->today);
    }
    plan->today = request->today;
    plan->min_sequence = request->min_sequence;
    plan->at_sequence = request->at_sequence;
    if (plan->at_sequence != 0 && plan->at_sequence < plan->min_sequence) {
        return alm_status_set_field(
            st, ALM_INVALID_ARGUMENT, "at_sequence", "at_sequence %llu is before min_sequence %llu",
            (unsigned long long)plan->at_sequence, (unsigned long long)plan->min_sequence);
    }
    return take_sources(request, plan, arena, st);
}

// Progress towards targets is of what was published alone.
static alm_code check_target(const alm_query_plan *plan, alm_status *st)
{
    bool is_target = alm_query_plan_has(plan, ALM_TRANSFORM_TARGET);
    if (is_target && plan->transforms_text.len > strlen("target")) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "transforms",
                                    "target stands alone; \"%s\" do not go together",
                                    plan->transforms_text.data);
    }
    return ALM_OK;
}

// Which measures transforms can be computed of; more is said of each indicator.
static alm_code check_measure(const alm_query_plan *plan, const char *asked, alm_status *st)
{
    bool is_amount = plan->measure == ALM_MEASURE_LEVEL ||
                     plan->measure == ALM_MEASURE_COUNT_OF_CHANGE ||
                     plan->measure == ALM_MEASURE_CUMULATIVE_LEVEL;
    if (alm_transforms_empty(&plan->transforms)) {
        return ALM_OK;
    }
    if (alm_query_plan_has(plan, ALM_TRANSFORM_TARGET)) {
        if (asked[0] == '\0' || plan->measure == ALM_MEASURE_TARGET) {
            return ALM_OK;
        }
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "measure",
                                    "progress is against targets; measure \"%s\" does not apply",
                                    asked);
    }
    if (plan->measure == ALM_MEASURE_NONE || plan->measure == ALM_MEASURE_TARGET) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "measure",
                                    "%s is computed of one measure such as level, not of \"%s\"",
                                    plan->transforms_text.data, asked);
    }
    if (has_prices(plan) && plan->measure != ALM_MEASURE_LEVEL) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "measure",
                                    "%s is computed of level, not of \"%s\"",
                                    plan->transforms_text.data, asked);
    }
    bool wants_amount = alm_query_plan_has(plan, ALM_TRANSFORM_ROLLUP) ||
                        alm_query_plan_has(plan, ALM_TRANSFORM_SHARE) ||
                        alm_query_plan_has(plan, ALM_TRANSFORM_CONTRIBUTION_PP) ||
                        alm_query_plan_has(plan, ALM_TRANSFORM_CONTRIBUTION_SHARE);
    if (wants_amount && !is_amount) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "measure",
                                    "%s is computed of level, count_of_change or "
                                    "cumulative_level, not of \"%s\"",
                                    plan->transforms_text.data, asked);
    }
    return ALM_OK;
}

static alm_code take_unit(const char *unit, alm_query_plan *plan, alm_status *st)
{
    if (unit[0] == '\0') {
        return ALM_OK;
    }
    if (!alm_transforms_keep_unit(&plan->transforms)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "unit",
                                    "%s has a unit of its own; unit \"%s\" does not apply",
                                    plan->transforms_text.data, unit);
    }
    if (strcmp(unit, "indicator") == 0) {
        plan->unit_choice = ALM_UNIT_OF_INDICATOR;
        return ALM_OK;
    }
    plan->unit_choice = ALM_UNIT_GIVEN;
    return invalid_field(alm_unit_parse(alm_str_from(unit), &plan->unit, st), "unit", st);
}

static alm_code add_word(alm_query_plan *plan, const char *word, alm_status *st)
{
    alm_transform transform;
    ALM_TRY(alm_status_in_field(alm_transform_parse(alm_str_from(word), &transform, st),
                                "transforms", st));
    return alm_status_in_field(alm_transforms_add(&plan->transforms, &transform, st), "transforms",
                               st);
}

static alm_code take_words(const Almanac__V1__QueryRequest *request, alm_query_plan *plan,
                           alm_arena *arena, alm_status *st)
{
    for (size_t i = 0; i < request->n_transforms; i++) {
        ALM_TRY(add_word(plan, request->transforms[i], st));
    }
    alm_buf text;
    alm_buf_init(&text, 0);
    alm_transforms_format(&plan->transforms, &text);
    char *copy = text.failed ? NULL : alm_arena_strdup(arena, alm_buf_view(&text));
    plan->transforms_text = (alm_str){copy, text.len};
    alm_buf_deinit(&text);
    return copy == NULL ? no_memory(st) : ALM_OK;
}

static alm_code take_transform(const Almanac__V1__QueryRequest *request, alm_query_plan *plan,
                               alm_arena *arena, alm_status *st)
{
    ALM_TRY(take_words(request, plan, arena, st));
    ALM_TRY(check_target(plan, st));
    ALM_TRY(check_measure(plan, request->measure, st));
    if (request->group_by[0] != '\0') {
        if (!alm_query_plan_has(plan, ALM_TRANSFORM_ROLLUP)) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "group_by",
                                        "group_by \"%s\" goes with a roll-up only",
                                        request->group_by);
        }
        if (!alm_level_parse(alm_str_from(request->group_by), &plan->group_by)) {
            return unknown("group_by", request->group_by,
                           "a level such as province, city or district", st);
        }
    }
    return take_unit(request->unit, plan, st);
}

static alm_code take_order(const Almanac__V1__QueryRequest *request, alm_query_plan *plan,
                           alm_status *st)
{
    plan->order = request->order;
    plan->limit = request->limit;
    plan->incomplete = request->incomplete != 0;
    switch (plan->order) {
    case ALMANAC__V1__ORDER__ORDER_KEY:
    case ALMANAC__V1__ORDER__ORDER_VALUE_DESC:
    case ALMANAC__V1__ORDER__ORDER_VALUE_ASC:
        return ALM_OK;
    default:
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "order",
                                    "unknown order %d; expected 0 to 2", (int)request->order);
    }
}

alm_code alm_query_plan_make(const Almanac__V1__QueryRequest *request, const alm_catalog *catalog,
                             alm_catalog_ref *kept, alm_arena *arena, alm_query_plan *ret,
                             alm_status *st)
{
    *ret = (alm_query_plan){.catalog = catalog, .tree = alm_catalog_places(catalog), .kept = kept};
    ALM_TRY(take_series_words(request, ret, arena, st));
    ALM_TRY(take_transform(request, ret, arena, st));
    ALM_TRY(take_order(request, ret, st));
    ALM_TRY(take_vintage(request, ret, arena, st));
    ALM_TRY(take_places(request->places, request->slice, ret, arena, st));
    ALM_TRY(take_peers(ret, arena, st));
    ALM_TRY(take_whole(ret, st));
    ALM_TRY(take_periods(request->periods, ret, arena, st));
    return take_indicators(request, ret, arena, st);
}

// Which stages are asked, as bits.
static uint32_t stages_of(const alm_query_plan *plan)
{
    uint32_t stages = 0;
    for (uint32_t i = 0; i < ALM_STAGE_COUNT; i++) {
        stages |= plan->transforms.of[i].op != ALM_TRANSFORM_NONE ? UINT32_C(1) << i : 0;
    }
    return stages;
}

// Sources rank among siblings.
static bool is_published_rank(const alm_query_plan *plan)
{
    const alm_transform *rank = &plan->transforms.of[ALM_STAGE_RANK];
    return rank->op == ALM_TRANSFORM_RANK && rank->places.len == 0;
}

static alm_measure published_change(alm_transform_op op)
{
    switch (op) {
    case ALM_TRANSFORM_PC1:
        return ALM_MEASURE_GROWTH_YOY;
    case ALM_TRANSFORM_PCH:
        return ALM_MEASURE_GROWTH_POP;
    case ALM_TRANSFORM_CONTRIBUTION_PP:
        return ALM_MEASURE_CONTRIBUTION_PP;
    case ALM_TRANSFORM_CONTRIBUTION_SHARE:
        return ALM_MEASURE_CONTRIBUTION_SHARE;
    default:
        return ALM_MEASURE_NONE;
    }
}

#define STAGE_BIT(stage) (UINT32_C(1) << ALM_STAGE_##stage)

alm_measure alm_query_plan_published(const alm_query_plan *plan, alm_measure *ret_of)
{
    alm_transform_op change = plan->transforms.of[ALM_STAGE_CHANGE].op;
    *ret_of = plan->measure;
    switch (stages_of(plan)) {
    case STAGE_BIT(CHANGE):
        return published_change(change);
    case STAGE_BIT(RATIO):
        return ALM_MEASURE_SHARE_OF;
    case STAGE_BIT(RANK):
        return is_published_rank(plan) ? ALM_MEASURE_RANK : ALM_MEASURE_NONE;
    case STAGE_BIT(RANK) | STAGE_BIT(CHANGE): {
        bool is_of_growth = change == ALM_TRANSFORM_PC1 && plan->measure == ALM_MEASURE_LEVEL;
        *ret_of = ALM_MEASURE_GROWTH_YOY;
        return is_of_growth && is_published_rank(plan) ? ALM_MEASURE_RANK : ALM_MEASURE_NONE;
    }
    default:
        return ALM_MEASURE_NONE;
    }
}

const char *alm_query_plan_estimate(const alm_query_plan *plan, alm_arena *arena)
{
    size_t places = plan->whole_count;
    char *text;
    if (plan->period_estimate == 0) {
        text = alm_arena_printf(arena, "%zu places x every period", places);
    } else {
        text = alm_arena_printf(arena, "%zu places x %llu periods = %llu cells", places,
                                (unsigned long long)plan->period_estimate,
                                (unsigned long long)(plan->period_estimate * places));
    }
    return text == NULL ? "many cells" : text;
}

alm_fetch alm_query_plan_fetch(const alm_query_plan *plan)
{
    return (alm_fetch){
        .accumulation = plan->accumulation,
        .freq = plan->freq,
        .breakdown = plan->breakdown,
        .as_of = plan->as_of,
        .today = plan->today,
        .sources = plan->sources,
        .source_count = plan->source_count,
    };
}
