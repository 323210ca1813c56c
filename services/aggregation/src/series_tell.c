// Answers told series by series while they are computed: in columns where all of a series are of
// one kind.
#include "series_run.h"

// Are answers wanted in the order in which series are computed?
static bool is_in_order(const alm_query_run *run, const alm_series_set *set)
{
    const alm_query_plan *plan = run->plan;
    return run->sink != NULL && run->sink->writer != NULL && run->groups == NULL &&
           set->peers == NULL && plan->order == ALMANAC__V1__ORDER__ORDER_KEY && plan->limit == 0;
}

alm_code alm_series_tell_begin(alm_series_run *it, alm_status *st)
{
    it->teller = NULL;
    return is_in_order(it->run, &it->all)
               ? alm_teller_make(it->run->plan, it->run->sink, it->run->arena, &it->teller, st)
               : ALM_OK;
}

static bool is_of_one_kind(const alm_series_run *it)
{
    const alm_query_plan *plan = it->run->plan;
    const alm_series_target *of = &it->targets[0];
    return it->target_count == 1 && !of->is_refused && it->published.count == 0 &&
           !plan->has_whole && !it->windows.is_listed && plan->periods.kind != ALM_PERIOD_EXPR_LAST;
}

alm_code alm_series_tell_part(alm_series_run *it, alm_arena *arena, alm_status *st)
{
    alm_series_target *of = it->targets;
    it->asked = NULL;
    if (it->teller == NULL || !is_of_one_kind(it)) {
        return ALM_OK;
    }
    alm_query_run *run = it->run;
    alm_axis axis = alm_series_last_grid(of)->axis;
    uint32_t variant;
    ALM_TRY(alm_chain_variant(run, &of->chain, of->variant, (alm_str){0}, &variant, st));
    alm_obs row = {.variant = variant, .value = {.unit = of->chain.out.unit}};
    alm_told_common common;
    if (!alm_answers_common(&run->answers, run->plan, run->indicator, &row, true, &common)) {
        return ALM_OK;
    }
    common.indicator = run->label;
    it->asked = alm_arena_alloc(arena, axis.count);
    if (it->asked == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (uint32_t t = 0; t < axis.count; t++) {
        it->asked[t] = alm_windows_asked(run, &it->windows, alm_axis_at(axis, t));
    }
    return alm_teller_begin(it->teller, &common, st);
}

// Is every number of the series computed?
static bool is_computed(const alm_series_target *of, size_t series)
{
    const alm_grid *grid = alm_series_last_grid(of);
    size_t row = series * grid->axis.count;
    bool is_all = true;
    for (size_t i = row; i < row + grid->axis.count; i++) {
        is_all &= !alm_grid_has(grid, i) || (grid->flags[i] & ALM_CELL_COMPUTED) != 0;
    }
    return is_all;
}

static alm_code tell_cell(alm_series_run *it, alm_series_target *of, size_t series, uint32_t t,
                          alm_status *st)
{
    const alm_grid *grid = alm_series_last_grid(of);
    size_t cell = series * grid->axis.count + t;
    alm_value value;
    alm_told_row row = {
        .place = it->set.places[series],
        .period = alm_axis_at(grid->axis, t),
        .source = alm_newest_source(grid->newest[cell]),
        .published = alm_newest_published(grid->newest[cell]),
    };
    alm_grid_value(grid, cell, of->chain.out.unit, &value, &row.interval);
    row.number = value.number;
    row.has_number = value.has_number;
    row.qualifier = value.qualifier;
    row.status = value.status;
    row.bounds =
        value.has_number ? ALMANAC__V1__BOUNDS__BOUNDS_TOLD : ALMANAC__V1__BOUNDS__BOUNDS_DIGITS;
    if (!value.has_number) {
        const char *why;
        ALM_TRY(alm_series_why(it, of, series, t, &why, st));
        row.reason = alm_str_from(why);
    }
    it->is_answered[series] = 1;
    return alm_teller_add(it->teller, &row, st);
}

alm_code alm_series_tell_ranges(alm_series_run *it, alm_series_target *of, size_t series,
                                bool *ret_is_told, alm_status *st)
{
    *ret_is_told = it->asked != NULL && is_computed(of, series);
    uint32_t count = *ret_is_told ? alm_series_last_grid(of)->axis.count : 0;
    for (uint32_t t = 0; t < count; t++) {
        if (it->asked[t] && alm_series_is_told(it, of, series, t)) {
            ALM_TRY(tell_cell(it, of, series, t, st));
            it->run->told++;
        }
    }
    return ALM_OK;
}

alm_code alm_series_tell_answers(alm_series_run *it, alm_status *st)
{
    alm_query_run *run = it->run;
    if (it->teller == NULL || run->answers.count == 0) {
        return ALM_OK;
    }
    ALM_TRY(alm_teller_flush(it->teller, st));
    run->told += run->answers.count;
    ALM_TRY(alm_answers_tell(&run->answers, run->plan, run->indicator, run->label, run->sink, st));
    alm_answers_reset(&run->answers);
    return ALM_OK;
}

alm_code alm_series_tell_end(alm_series_run *it, alm_status *st)
{
    return it->teller == NULL ? ALM_OK : alm_teller_flush(it->teller, st);
}
