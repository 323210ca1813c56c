// Questions with transforms: what is asked is turned into what has to be read, backwards through
// the steps; then computed forwards, a part of the series at a time.
#include "series_run.h"

#define PART_CELLS 16384 // of one grid: two of them are half a megabyte each, near the processor

static alm_code read_all(alm_series_run *it, alm_status *st)
{
    alm_query_run *run = it->run;
    alm_period_expr needed = {.kind = ALM_PERIOD_EXPR_ALL};
    if (it->windows.is_bounded) {
        ALM_TRY(alm_windows_needed(run, &it->windows, &needed, &it->fault, st));
    }
    alm_place_list places;
    uint32_t measures = ALM_MEASURE_BIT(run->plan->measure);
    if (run->groups != NULL && run->derived == NULL) {
        return alm_rollup_read(run, run->indicator, run->plan->breakdown, &needed, st);
    }
    ALM_TRY(alm_series_set_places(run, &it->all, &places, st));
    if (run->derived != NULL) {
        ALM_TRY(alm_derived_read(run, run->derived, &places, &needed, st));
    }
    if (run->groups == NULL && alm_query_run_is_stored(run)) {
        ALM_TRY(alm_query_run_fetch(run, measures, places.ids, places.count, &needed, st));
    }
    if (run->plan->whole == NULL) {
        return ALM_OK;
    }
    return alm_query_run_fetch_of(run, run->plan->whole, measures, (alm_str){0}, run->plan->freq,
                                  &places, &needed, st);
}

static alm_code run_step(alm_series_run *it, alm_series_target *of, size_t i, alm_arena *arena,
                         alm_status *st)
{
    const alm_step *step = &of->chain.steps[i];
    const alm_grid *wholes = it->run->plan->whole == NULL ? &of->grids[i] : &of->whole.grid;
    alm_grid parts = of->grids[i];
    parts.series_count = it->set.count; // the first of the sources
    switch (step->transform.op) {
    case ALM_TRANSFORM_SHARE:
        return alm_grid_share(&parts, wholes, it->set.whole_of, arena, &of->grids[i + 1], st);
    case ALM_TRANSFORM_CONTRIBUTION_PP:
    case ALM_TRANSFORM_CONTRIBUTION_SHARE:
        return alm_step_contribute(step, &parts, wholes, it->set.whole_of, of->axes[i + 1], arena,
                                   &of->grids[i + 1], st);
    case ALM_TRANSFORM_RANK:
    case ALM_TRANSFORM_PERCENTILE:
        return alm_rank_grid(it->run, &of->grids[i], &it->set, arena, &of->grids[i + 1], &of->ranks,
                             st);
    default:
        return alm_step_run(step, &of->grids[i], of->axes[i + 1], arena, &of->grids[i + 1], st);
    }
}

static alm_code compute(alm_series_run *it, alm_series_target *of, alm_arena *arena, alm_status *st)
{
    ALM_TRY(alm_source_grid_load(&of->source, &it->set, of->axes[0], arena, st));
    if (it->run->plan->whole != NULL && !of->is_refused) {
        ALM_TRY(alm_source_grid_load(&of->whole, &it->set, of->axes[0], arena, st));
    }
    of->grids[0] = of->source.grid;
    for (size_t i = 0; i < of->chain.count; i++) {
        ALM_TRY(run_step(it, of, i, arena, st));
    }
    return ALM_OK;
}

static alm_code answer_series(alm_series_run *it, size_t series, alm_status *st)
{
    bool is_last = it->run->plan->periods.kind == ALM_PERIOD_EXPR_LAST;
    bool is_told = false;
    for (size_t i = 0; i < it->target_count; i++) {
        alm_series_target *of = &it->targets[i];
        ALM_TRY(alm_series_tell_ranges(it, of, series, &is_told, st));
        if (!is_told) {
            ALM_TRY(is_last ? alm_series_answer_last(it, of, series, st)
                            : alm_series_answer_ranges(it, of, series, st));
        }
    }
    if (!is_told || !it->windows.is_listed) {
        ALM_TRY(alm_series_answer_missing(it, series, st));
    }
    return alm_series_tell_answers(it, st);
}

static alm_code answer_part(alm_series_run *it, alm_arena *arena, alm_status *st)
{
    // In the arena: its index is released with it.
    it->seen = alm_arena_alloc(arena, sizeof *it->seen);
    it->is_answered = alm_arena_calloc(arena, it->set.count, 1);
    if (it->seen == NULL || it->is_answered == NULL) {
        return alm_query_run_no_memory(st);
    }
    ALM_TRY(alm_cell_index_init(it->seen, arena, st));
    for (size_t i = 0; i < it->target_count; i++) {
        ALM_TRY(compute(it, &it->targets[i], arena, st));
    }
    ALM_TRY(alm_series_tell_part(it, arena, st));
    for (size_t s = 0; s < it->set.count; s++) {
        if (it->set.is_asked[s]) {
            ALM_TRY(answer_series(it, s, st));
        }
    }
    return ALM_OK;
}

static alm_code answer_all(alm_series_run *it, alm_arena *arena, alm_status *st)
{
    size_t periods = 1;
    ALM_TRY(alm_series_targets_place(it, &periods, st));
    ALM_TRY(alm_series_tell_begin(it, periods, st));
    for (size_t at = 0; at < it->all.count;) {
        ALM_TRY(alm_row_reader_check(it->run->reader, st));
        ALM_TRY(alm_series_set_part(it->run, &it->all, at, PART_CELLS / periods, arena, &it->set,
                                    &at, st));
        ALM_TRY(answer_part(it, arena, st));
        alm_arena_reset(arena);
    }
    return alm_series_tell_end(it, st);
}

alm_code alm_series_answer(alm_query_run *run, alm_status *st)
{
    // In the arena: its index is released with it.
    alm_series_run *it = alm_arena_calloc(run->arena, 1, sizeof *it);
    alm_arena *arena = alm_arena_create(0);
    alm_code code;
    if (it == NULL || arena == NULL) {
        code = alm_query_run_no_memory(st);
        goto done;
    }
    it->run = run;
    it->fault = ALM_STATUS_INIT;
    code = alm_windows_make(run, &it->windows, st);
    if (code == ALM_OK) {
        code = alm_series_set_make(run, &it->all, st);
    }
    if (code == ALM_OK) {
        code = alm_series_check_windows(it, st);
    }
    if (code == ALM_OK) {
        code = alm_series_totals_ask(it, st);
    }
    if (code == ALM_OK) {
        code = read_all(it, st);
    }
    if (code == ALM_OK) {
        code = alm_series_published_read(it, st);
    }
    if (code == ALM_OK) {
        code = alm_series_totals_read(it, st);
    }
    if (code == ALM_OK && run->groups != NULL) {
        code = alm_series_expect_slices(it, st);
    }
    if (code == ALM_OK) {
        code = alm_series_targets_find(it, st);
    }
    if (code == ALM_OK) {
        code = answer_all(it, arena, st);
    }
    bool is_refused = run->is_named && !it->any && it->fault.code != ALM_OK;
    if (code == ALM_OK && is_refused && run->answers.count + run->told == 0) {
        code = alm_status_copy(st, &it->fault);
    }
done:
    alm_arena_destroy(&arena);
    return code;
}
