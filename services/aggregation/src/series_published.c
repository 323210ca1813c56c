// What was published of what a question computes: growth beside the levels it is computed of.
#include "series_run.h"

static alm_code note_variant(alm_series_run *it, uint32_t variant, alm_status *st)
{
    alm_series_published *index = &it->published;
    for (size_t i = 0; i < index->count; i++) {
        if (index->variants[i] == variant) {
            return ALM_OK;
        }
    }
    void *variants = index->variants;
    if (!alm_arena_grow(it->run->arena, &variants, &index->cap, index->count + 1, sizeof variant)) {
        return alm_query_run_no_memory(st);
    }
    index->variants = variants;
    index->variants[index->count++] = variant;
    return ALM_OK;
}

// A published growth, rank or share is of the measure its relation names, of the level if it names
// none.
static bool is_of_measure(const alm_variant *variant, alm_measure measure)
{
    alm_measure of = variant->relation.measure;
    return of == measure || (of == ALM_MEASURE_NONE && measure == ALM_MEASURE_LEVEL);
}

// A published share of what is asked; without a name it may be of anything.
static bool is_of_whole(const alm_series_run *it, const alm_variant *variant, alm_place_id place)
{
    const alm_query_plan *plan = it->run->plan;
    if (plan->whole == NULL && plan->whole_place == ALM_PLACE_NONE) {
        return true;
    }
    alm_str own = it->run->indicator->code;
    alm_str indicator = plan->whole == NULL ? own : plan->whole->code;
    alm_str here = alm_place_tree_get(plan->tree, place)->code;
    alm_str at = plan->whole_place == ALM_PLACE_NONE
                     ? here
                     : alm_place_tree_get(plan->tree, plan->whole_place)->code;
    const alm_relation *told = &variant->relation;
    return alm_str_eq(told->indicator.len > 0 ? told->indicator : own, indicator) &&
           alm_str_eq(told->place.len > 0 ? told->place : here, at);
}

static alm_code index_published(alm_series_run *it, size_t row_number, alm_measure of,
                                alm_status *st)
{
    alm_query_run *run = it->run;
    alm_obs row = alm_cells_row(&run->cells, row_number);
    const alm_variant *variant = &alm_variant_table_get(&run->variants, row.variant)->variant;
    uint32_t asked;
    if (row.period.length != 1 || !is_of_measure(variant, of) ||
        !is_of_whole(it, variant, row.place)) {
        return ALM_OK;
    }
    ALM_TRY(alm_variant_table_sibling(&run->variants, row.variant, run->plan->measure, NULL, &asked,
                                      st));
    ALM_TRY(note_variant(it, asked, st));
    uint32_t fresh = (uint32_t)row_number;
    uint32_t at;
    ALM_TRY(alm_cell_index_add(&it->published.of, (uint64_t)asked << 32 | row.place,
                               alm_period_pack(row.period), fresh, &at, st));
    if (at != fresh) {
        uint32_t *next = &it->published.next[at - it->published.first];
        it->published.next[row_number - it->published.first] = *next;
        *next = fresh;
    }
    return ALM_OK;
}

alm_code alm_series_published_read(alm_series_run *it, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_query_plan *plan = run->plan;
    alm_measure of;
    alm_measure measure = alm_query_plan_published(plan, &of);
    ALM_TRY(alm_cell_index_init(&it->published.of, run->arena, st));
    if (measure == ALM_MEASURE_NONE || !alm_query_run_is_stored(run)) {
        return ALM_OK;
    }
    size_t first = run->cells.count;
    alm_period_expr periods = plan->periods;
    if (periods.kind == ALM_PERIOD_EXPR_LAST) {
        periods = (alm_period_expr){.kind = ALM_PERIOD_EXPR_ALL};
    }
    ALM_TRY(alm_query_run_fetch(run, ALM_MEASURE_BIT(measure), plan->place_ids, plan->places.count,
                                &periods, st));
    it->published.first = first;
    it->published.next =
        alm_arena_calloc(run->arena, run->cells.count - first, sizeof *it->published.next);
    if (it->published.next == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (size_t i = first; i < run->cells.count; i++) {
        it->published.next[i - first] = ALM_CELL_NONE;
        ALM_TRY(index_published(it, i, of, st));
    }
    return ALM_OK;
}

uint32_t alm_series_published_at(const alm_series_run *it, uint32_t variant, alm_place_id place,
                                 alm_period period)
{
    return it->published.count == 0
               ? ALM_CELL_NONE
               : alm_cell_index_find(&it->published.of, (uint64_t)variant << 32 | place,
                                     alm_period_pack(period));
}

alm_obs alm_series_published_row(const alm_series_run *it, uint32_t row)
{
    return alm_cells_row(&it->run->cells, row);
}

uint32_t alm_series_published_next(const alm_series_run *it, uint32_t row)
{
    return it->published.next[row - it->published.first];
}

alm_code alm_series_mention(alm_series_run *it, uint32_t row, const char **reason, alm_status *st)
{
    while (row != ALM_CELL_NONE && !alm_series_published_row(it, row).value.has_number) {
        row = alm_series_published_next(it, row);
    }
    if (row == ALM_CELL_NONE) {
        return ALM_OK;
    }
    alm_obs published = alm_series_published_row(it, row);
    alm_measure measure =
        alm_variant_table_get(&it->run->variants, published.variant)->variant.measure;
    const char *word =
        measure == ALM_MEASURE_RANK       ? "rank"
        : measure == ALM_MEASURE_SHARE_OF ? "share"
        : measure == ALM_MEASURE_CONTRIBUTION_PP || measure == ALM_MEASURE_CONTRIBUTION_SHARE
            ? "contribution"
            : "growth";
    char value[ALM_VALUE_TEXT_MAX];
    (void)alm_value_format(&published.value, ALM_LANG_EN, value);
    return alm_query_run_text(it->run, reason, st, "%s; published %s is %s", *reason, word, value);
}
