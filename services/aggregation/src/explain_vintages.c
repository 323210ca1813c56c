#include "explain_vintages.h"

#include "alm/id_order.h"
#include "explain.h"

#include <stdlib.h>

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for an explanation");
}

// What is missing may have either accumulation.
bool alm_trace_cell_eq(const alm_trace_cell *a, const alm_trace_cell *b)
{
    bool is_accumulation = a->accumulation == b->accumulation ||
                           a->accumulation == ALM_ACCUMULATION_NONE ||
                           b->accumulation == ALM_ACCUMULATION_NONE;
    return a->place == b->place && alm_period_eq(a->period, b->period) &&
           a->measure == b->measure && is_accumulation && alm_str_eq(a->indicator, b->indicator) &&
           alm_str_eq(a->breakdown, b->breakdown) && alm_str_eq(a->relation, b->relation);
}

// --- reading ------------------------------------------------------------------------------------

typedef struct wanted {
    alm_vintages *it;
    const alm_trace_cell *cells;
    size_t count;
    alm_cell_index index; // place, period: there is such a cell
    alm_variant_table variants;
} wanted;

static bool is_wanted(const wanted *w, const alm_trace_cell *cell)
{
    if (alm_cell_index_find(&w->index, cell->place, alm_period_pack(cell->period)) ==
        ALM_CELL_NONE) {
        return false;
    }
    for (size_t i = 0; i < w->count; i++) {
        if (alm_trace_cell_eq(&w->cells[i], cell)) {
            return true;
        }
    }
    return false;
}

static alm_code take_row(wanted *w, const alm_obs *row, uint32_t variant, alm_status *st)
{
    alm_vintages *it = w->it;
    alm_vintage vintage = {
        alm_trace_cell_of(alm_variant_table_get(&w->variants, variant), row->place, row->period),
        *row};
    if (!is_wanted(w, &vintage.cell)) {
        return ALM_OK;
    }
    if (it->count == ALM_EXPLAIN_VINTAGE_MAX) {
        it->has_more = true;
        return ALM_OK;
    }
    void *of = it->of;
    const char *note = alm_arena_strdup(it->arena, row->note);
    if (note == NULL || !alm_arena_grow(it->arena, &of, &it->cap, it->count + 1, sizeof vintage)) {
        return no_memory(st);
    }
    vintage.obs.note.data = note;
    it->of = of;
    it->of[it->count++] = vintage;
    return ALM_OK;
}

static alm_code take_rows(void *arg, const alm_str *variants, size_t variant_count,
                          const alm_obs_columns *rows, alm_status *st)
{
    wanted *w = arg;
    uint32_t *map;
    ALM_TRY(alm_variant_table_map(&w->variants, variants, variant_count, &map, st));
    for (size_t i = 0; i < rows->count; i++) {
        alm_obs row = alm_obs_at(rows, i);
        ALM_TRY(take_row(w, &row, map[row.variant], st));
    }
    return ALM_OK;
}

static int by_published(const void *a, const void *b)
{
    const alm_obs *x = &((const alm_vintage *)a)->obs;
    const alm_obs *y = &((const alm_vintage *)b)->obs;
    if (x->published != y->published) {
        return x->published < y->published ? -1 : 1;
    }
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static void add_code(alm_str *codes, size_t *count, alm_str code)
{
    for (size_t i = 0; i < *count; i++) {
        if (alm_str_eq(codes[i], code)) {
            return;
        }
    }
    codes[(*count)++] = code;
}

static void add_period(alm_period_range *ranges, size_t *count, alm_period period)
{
    for (size_t i = 0; i < *count; i++) {
        if (alm_period_eq(ranges[i].from, period)) {
            return;
        }
    }
    ranges[(*count)++] = (alm_period_range){period, period};
}

// Of whatever day, source and breakdown.
static alm_code make_fetch(const wanted *w, alm_fetch *ret, alm_status *st)
{
    alm_arena *arena = w->it->arena;
    alm_place_id *places = alm_arena_calloc(arena, w->count, sizeof *places);
    alm_period_range *ranges = alm_arena_calloc(arena, w->count, sizeof *ranges);
    alm_str *indicators = alm_arena_calloc(arena, w->count, sizeof *indicators);
    if (places == NULL || ranges == NULL || indicators == NULL) {
        return no_memory(st);
    }
    *ret = (alm_fetch){
        .indicators = indicators,
        .breakdown = w->cells[0].breakdown,
        .places = places,
        .periods = {.kind = ALM_PERIOD_EXPR_RANGES, .ranges = ranges},
        .as_of = ALM_DATE_MAX,
        .all_vintages = true,
    };
    for (size_t i = 0; i < w->count; i++) {
        const alm_trace_cell *cell = &w->cells[i];
        add_code(indicators, &ret->indicator_count, cell->indicator);
        add_period(ranges, &ret->periods.range_count, cell->period);
        places[i] = cell->place;
        ret->measures |= ALM_MEASURE_BIT(cell->measure);
        ret->breakdown =
            alm_str_eq(ret->breakdown, cell->breakdown) ? ret->breakdown : ALM_STR("*");
    }
    ret->place_count = alm_ids_unique(places, w->count);
    return ALM_OK;
}

alm_code alm_vintages_read(alm_vintages *it, const alm_trace_cell *cells, size_t count,
                           const alm_row_reader *reader, const alm_row_reader *newest,
                           alm_status *st)
{
    // In the arena: indexes are released with it.
    wanted *w = alm_arena_calloc(it->arena, 1, sizeof *w);
    alm_fetch fetch;
    if (w == NULL) {
        return no_memory(st);
    }
    *w = (wanted){.it = it, .cells = cells, .count = count};
    ALM_TRY(alm_variant_table_init(&w->variants, it->arena, st));
    ALM_TRY(alm_cell_index_init(&w->index, it->arena, st));
    for (size_t i = 0; i < count; i++) {
        uint32_t ignored;
        ALM_TRY(alm_cell_index_add(&w->index, cells[i].place, alm_period_pack(cells[i].period), 0,
                                   &ignored, st));
    }
    if (count == 0) {
        return ALM_OK;
    }
    ALM_TRY(make_fetch(w, &fetch, st));
    alm_code code = ALM_ABORTED;
    if (newest != NULL) {
        code = newest->read(newest->self, &fetch, take_rows, w, st);
    }
    if (code == ALM_ABORTED) { // the catalogue at hand is older than the newest state
        it->count = 0;
        code = reader->read(reader->self, &fetch, take_rows, w, st);
    }
    if (code == ALM_OK && it->count > 0) {
        qsort(it->of, it->count, sizeof it->of[0], by_published);
    }
    return code;
}

// --- why they lost ------------------------------------------------------------------------------

static bool is_asked_source(const alm_query_plan *plan, uint32_t source)
{
    bool is_asked = plan->source_count == 0;
    for (size_t i = 0; i < plan->source_count; i++) {
        is_asked |= plan->sources[i] == source;
    }
    return is_asked;
}

// Why it is not even looked at; NONE: it is.
static Almanac__V1__ExplainLoss exclusion(const alm_query_plan *plan, const alm_obs *obs)
{
    if (plan->at_sequence != 0 && obs->sequence > plan->at_sequence) {
        return ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_LATER_COMMIT;
    }
    if (plan->as_of != ALM_DATE_MAX && obs->published > plan->as_of) {
        return ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_AFTER_AS_OF;
    }
    if (plan->as_of == ALM_DATE_MAX && plan->today != 0 && obs->published > plan->today) {
        return ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_NOT_YET;
    }
    return is_asked_source(plan, obs->source) ? ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_NONE
                                              : ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_SOURCE;
}

// What its source said of the cell last.
static const alm_vintage *last_word(const alm_vintages *it, const alm_vintage *vintage)
{
    const alm_vintage *last = vintage;
    for (size_t i = 0; i < it->count; i++) { // in order of publication
        const alm_vintage *other = &it->of[i];
        bool counts =
            other->obs.source == vintage->obs.source &&
            alm_trace_cell_eq(&other->cell, &vintage->cell) &&
            exclusion(it->plan, &other->obs) == ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_NONE;
        last = counts ? other : last;
    }
    return last;
}

static int precedence_of(const alm_catalog *catalog, uint32_t source)
{
    return source < alm_catalog_source_count(catalog)
               ? alm_catalog_source(catalog, source)->precedence
               : 0;
}

static bool is_withdrawal(const alm_obs *obs)
{
    return obs->value.status == ALM_OBS_STATUS_WITHDRAWN;
}

Almanac__V1__ExplainLoss alm_vintage_loss(const alm_vintages *it, const alm_vintage *vintage,
                                          const alm_obs *winner)
{
    const alm_query_plan *plan = it->plan;
    Almanac__V1__ExplainLoss loss = exclusion(plan, &vintage->obs);
    if (loss != ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_NONE) {
        return loss;
    }
    if (is_withdrawal(&vintage->obs)) {
        return ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_WITHDRAWAL;
    }
    const alm_vintage *last = last_word(it, vintage);
    if (is_withdrawal(&last->obs)) {
        return ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_WITHDRAWN;
    }
    if (last != vintage) {
        return ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_OLDER;
    }
    if (it->has_more || winner == NULL) { // perhaps not its last
        return ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_NONE;
    }
    return precedence_of(plan->catalog, vintage->obs.source) <
                   precedence_of(plan->catalog, winner->source)
               ? ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_PRECEDENCE
               : ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_EARLIER;
}

alm_trace_words alm_vintage_loss_words(Almanac__V1__ExplainLoss loss)
{
    switch (loss) {
    case ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_OLDER:
        return (alm_trace_words){"同一来源较早的发布", "older publication of the same source"};
    case ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_PRECEDENCE:
        return (alm_trace_words){"来源优先级较低", "source of lower precedence"};
    case ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_EARLIER:
        return (alm_trace_words){"其他来源较早的发布", "earlier publication of another source"};
    case ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_WITHDRAWN:
        return (alm_trace_words){"已由来源撤回", "withdrawn by its source"};
    case ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_WITHDRAWAL:
        return (alm_trace_words){"撤回", "withdrawal"};
    case ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_AFTER_AS_OF:
        return (alm_trace_words){"所问日期之后发布", "published after the day that is asked"};
    case ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_NOT_YET:
        return (alm_trace_words){"今天之后发布", "published after today"};
    case ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_SOURCE:
        return (alm_trace_words){"非所问来源", "source that is not asked"};
    case ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_LATER_COMMIT:
        return (alm_trace_words){"所问状态之后入库", "committed after the state that is asked"};
    default:
        return (alm_trace_words){"另一发布版本", "another vintage"};
    }
}
