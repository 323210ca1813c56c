#include "asked.h"

#include "alm/limits.h"

#include <stdlib.h>

static alm_code add(alm_query_run *run, alm_asked *asked, alm_cell_index *index,
                    alm_asked_cell cell, alm_status *st)
{
    void *cells = asked->cells;
    if (!alm_arena_grow(run->arena, &cells, &asked->cap, asked->count + 1, sizeof cell)) {
        return alm_query_run_no_memory(st);
    }
    asked->cells = cells;
    uint32_t fresh = (uint32_t)asked->count;
    uint32_t at;
    ALM_TRY(alm_cell_index_add(index, (uint64_t)cell.variant << 32 | cell.place,
                               alm_period_pack(cell.period), fresh, &at, st));
    if (at == fresh) {
        asked->cells[asked->count++] = cell;
    } else if (cell.published != NULL && asked->cells[at].published == NULL) {
        asked->cells[at].published = cell.published;
    }
    return ALM_OK;
}

// A published growth, rank or share is of the measure its relation names, of the level if it names
// none.
static bool is_of_measure(const alm_variant *variant, alm_measure measure)
{
    alm_measure of = variant->relation.measure;
    return of == measure || (of == ALM_MEASURE_NONE && measure == ALM_MEASURE_LEVEL);
}

static alm_code take_row(alm_query_run *run, alm_measure published, const alm_obs *row,
                         alm_asked *asked, alm_cell_index *index, alm_status *st)
{
    alm_measure measure = run->plan->measure;
    const alm_variant *variant = &alm_variant_table_get(&run->variants, row->variant)->variant;
    alm_asked_cell cell = {row->variant, row->place, row->period, NULL};
    if (variant->measure != measure) {
        ALM_ASSERT(variant->measure == published);
        if (!is_of_measure(variant, measure)) {
            return ALM_OK;
        }
        ALM_TRY(alm_answers_add_published(&run->answers, row, st));
        cell.published = row;
        ALM_TRY(alm_variant_table_sibling(&run->variants, row->variant, measure, NULL,
                                          &cell.variant, st));
    }
    return add(run, asked, index, cell, st);
}

// The listed cells that no row speaks of.
static alm_code take_missing(alm_query_run *run, alm_asked *asked, alm_cell_index *index,
                             alm_status *st)
{
    const alm_query_plan *plan = run->plan;
    alm_cell_index *seen = alm_arena_alloc(run->arena, sizeof *seen);
    if (seen == NULL) {
        return alm_query_run_no_memory(st);
    }
    ALM_TRY(alm_cell_index_init(seen, run->arena, st));
    uint32_t ignored;
    for (size_t i = 0; i < asked->count; i++) {
        ALM_TRY(alm_cell_index_add(seen, asked->cells[i].place,
                                   alm_period_pack(asked->cells[i].period), 0, &ignored, st));
    }
    for (size_t p = 0; p < plan->places.count; p++) {
        alm_place_id place = plan->places.ids[p];
        for (size_t t = 0; t < plan->listed_count; t++) {
            alm_period period = plan->listed[t];
            bool wants_freq = plan->freq == ALM_FREQ_NONE || plan->freq == period.freq;
            bool was_there = alm_place_valid_on(alm_place_tree_get(plan->tree, place),
                                                alm_period_last_day(period));
            if (!wants_freq || !was_there ||
                alm_cell_index_find(seen, place, alm_period_pack(period)) != ALM_CELL_NONE) {
                continue;
            }
            alm_asked_cell cell = {0, place, period, NULL};
            ALM_TRY(alm_query_run_missing_variant(run, plan->measure, (alm_freq)period.freq,
                                                  &cell.variant, st));
            ALM_TRY(add(run, asked, index, cell, st));
        }
    }
    return ALM_OK;
}

static int by_variant(const void *a, const void *b)
{
    const alm_asked_cell *x = a;
    const alm_asked_cell *y = b;
    if (x->variant != y->variant) {
        return x->variant < y->variant ? -1 : 1;
    }
    int order = alm_period_cmp(x->period, y->period);
    if (order != 0) {
        return order;
    }
    return x->place < y->place ? -1 : x->place > y->place;
}

alm_code alm_asked_collect(alm_query_run *run, alm_measure published, alm_asked *ret,
                           alm_status *st)
{
    *ret = (alm_asked){0};
    alm_cell_index *index = alm_arena_alloc(run->arena, sizeof *index);
    if (index == NULL) {
        return alm_query_run_no_memory(st);
    }
    ALM_TRY(alm_cell_index_init(index, run->arena, st));
    ALM_TRY(alm_query_run_fetch_asked(
        run, ALM_MEASURE_BIT(run->plan->measure) | ALM_MEASURE_BIT(published), st));
    for (size_t i = 0; i < run->cells.count; i++) {
        ALM_TRY(take_row(run, published, alm_cells_row(&run->cells, i), ret, index, st));
    }
    if (run->is_named) {
        ALM_TRY(take_missing(run, ret, index, st));
    }
    if (ret->count > 0) {
        qsort(ret->cells, ret->count, sizeof ret->cells[0], by_variant);
    }
    return ALM_OK;
}

static int by_period(const void *a, const void *b)
{
    return alm_period_cmp(*(const alm_period *)a, *(const alm_period *)b);
}

static bool follows(alm_period last, alm_period next)
{
    alm_period after;
    return alm_period_add(last, 1, &after, NULL) == ALM_OK && alm_period_eq(after, next);
}

static alm_code merge(const alm_period *periods, size_t count, alm_arena *arena,
                      alm_period_expr *ret, alm_status *st)
{
    *ret = (alm_period_expr){.kind = ALM_PERIOD_EXPR_RANGES};
    ret->ranges = alm_arena_calloc(arena, count, sizeof *ret->ranges);
    if (ret->ranges == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        alm_period_range *last = ret->range_count > 0 ? &ret->ranges[ret->range_count - 1] : NULL;
        if (last != NULL && alm_period_eq(last->to, periods[i])) {
            continue;
        }
        if (last != NULL && follows(last->to, periods[i])) {
            last->to = periods[i];
        } else {
            ret->ranges[ret->range_count++] = (alm_period_range){periods[i], periods[i]};
        }
    }
    return ALM_OK;
}

alm_code alm_asked_periods(const alm_asked *asked, int64_t years, alm_arena *arena,
                           alm_period_expr *ret, alm_status *st)
{
    alm_period *periods = alm_arena_calloc(arena, asked->count, sizeof *periods);
    if (periods == NULL) {
        return alm_query_run_no_memory(st);
    }
    size_t count = 0;
    for (size_t i = 0; i < asked->count; i++) {
        const alm_asked_cell *cell = &asked->cells[i];
        // Cells come by period: one of each run is enough.
        bool is_same = i > 0 && alm_period_eq(cell->period, asked->cells[i - 1].period);
        if (!is_same &&
            alm_period_add_years(cell->period, years, &periods[count], NULL) == ALM_OK) {
            count++;
        }
    }
    qsort(periods, count, sizeof *periods, by_period);
    return merge(periods, count, arena, ret, st);
}

alm_code alm_asked_answer_variant(alm_query_run *run, uint32_t variant, alm_measure measure,
                                  alm_str place, uint32_t *ret, alm_status *st)
{
    alm_measure of = alm_variant_table_get(&run->variants, variant)->variant.measure;
    alm_relation relation = {
        .place = place,
        .measure = of == ALM_MEASURE_LEVEL ? ALM_MEASURE_NONE : of,
    };
    return alm_variant_table_sibling(&run->variants, variant, measure, &relation, ret, st);
}

alm_code alm_asked_mention_published(alm_query_run *run, const alm_asked_cell *cell,
                                     const char *word, const char **reason, alm_status *st)
{
    if (cell->published == NULL || !cell->published->value.has_number) {
        return ALM_OK;
    }
    char value[ALM_VALUE_TEXT_MAX];
    (void)alm_value_format(&cell->published->value, ALM_LANG_EN, value);
    return alm_query_run_text(run, reason, st, "%s; published %s is %s", *reason, word, value);
}
