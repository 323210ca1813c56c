// The steps behind a computed cell, backwards, for an explanation.
#include "series_run.h"
#include "trace_grid.h"

typedef struct walk {
    alm_series_run *it;
    const alm_series_target *of;
} walk;

static alm_code trace_level(const walk *w, size_t level, size_t series, uint32_t t, alm_status *st);

static alm_code trace_taps(const walk *w, size_t level, size_t series, const alm_taps *taps,
                           alm_status *st)
{
    alm_trace *trace = w->it->run->trace;
    alm_trace_list list = {0};
    for (uint32_t i = 0; i < alm_taps_count(taps); i++) {
        if (alm_trace_list_takes(trace, &list)) {
            ALM_TRY(trace_level(w, level, series, alm_taps_at(taps, i), st));
        }
    }
    return alm_trace_list_end(trace, &list, st);
}

// The cells of a whole: of the same indicator, or of another.
static alm_code trace_whole(const walk *w, size_t level, size_t series, const alm_taps *taps,
                            alm_status *st)
{
    uint32_t whole = w->it->set.whole_of[series];
    if (whole == UINT32_MAX) {
        return ALM_OK;
    }
    if (w->it->run->plan->whole == NULL) {
        return trace_taps(w, level, whole, taps, st);
    }
    for (uint32_t i = 0; i < alm_taps_count(taps); i++) {
        ALM_TRY(alm_source_grid_trace(&w->of->whole, whole, alm_taps_at(taps, i), st));
    }
    return ALM_OK;
}

// The place itself before its peers.
static alm_code trace_peers(const walk *w, size_t level, size_t series, uint32_t t, alm_status *st)
{
    const alm_series_run *it = w->it;
    const alm_peer_group *peers = alm_rank_peers(&it->set, series);
    alm_date day = alm_period_last_day(alm_axis_at(w->of->axes[level], t));
    alm_trace_list list = {0};
    ALM_TRY(trace_level(w, level, series, t, st));
    for (size_t i = peers->first; i < (size_t)peers->first + peers->count; i++) {
        bool is_peer =
            i != series && !peers->is_outside &&
            alm_place_valid_on(alm_place_tree_get(it->run->plan->tree, it->set.places[i]), day);
        if (is_peer && alm_trace_list_takes(it->run->trace, &list)) {
            ALM_TRY(trace_level(w, level, i, t, st));
        }
    }
    return alm_trace_list_end(it->run->trace, &list, st);
}

static alm_code trace_inputs(const walk *w, size_t level, size_t series, uint32_t t, alm_status *st)
{
    const alm_step *step = &w->of->chain.steps[level - 1];
    alm_taps here = {.first = t, .count = 1, .stride = 1};
    if (alm_transform_stage(step->transform.op) == ALM_STAGE_RANK) {
        return trace_peers(w, level - 1, series, t, st);
    }
    alm_taps taps = here;
    if (step->transform.op != ALM_TRANSFORM_SHARE) {
        taps = alm_step_taps(step, w->of->axes[level - 1], alm_axis_at(w->of->axes[level], t));
    }
    ALM_TRY(trace_taps(w, level - 1, series, &taps, st));
    if (!alm_transform_has_whole(step->transform.op)) {
        return ALM_OK;
    }
    if (step->transform.op == ALM_TRANSFORM_CONTRIBUTION_PP) {
        taps.count = 0; // only what the whole was
    }
    return trace_whole(w, level - 1, series, &taps, st);
}

// A cell before step `level`.
static alm_code trace_level(const walk *w, size_t level, size_t series, uint32_t t, alm_status *st)
{
    alm_query_run *run = w->it->run;
    alm_trace_words words;
    if (level == 0) {
        return alm_source_grid_trace(&w->of->source, series, t, st);
    }
    const alm_step *step = &w->of->chain.steps[level - 1];
    const alm_grid *grid = &w->of->grids[level];
    if (step->transform.op == ALM_TRANSFORM_LIN) {
        alm_taps taps =
            alm_step_taps(step, w->of->axes[level - 1], alm_axis_at(w->of->axes[level], t));
        return trace_level(w, level - 1, series, taps.first, st);
    }
    alm_trace_cell cell = alm_trace_cell_of(alm_variant_table_get(&run->variants, w->of->variant),
                                            w->it->set.places[series], alm_axis_at(grid->axis, t));
    cell.indicator = run->label;
    cell.measure = step->out.measure;
    ALM_TRY(alm_trace_step_words(run, step, &words, st));
    ALM_TRY(alm_trace_computed(run->trace, &cell, words, grid, series * grid->axis.count + t,
                               step->out.unit, st));
    run->trace->depth++;
    ALM_TRY(trace_inputs(w, level, series, t, st));
    run->trace->depth--;
    return ALM_OK;
}

alm_code alm_series_trace(alm_series_run *it, const alm_series_target *of, size_t series,
                          uint32_t t, const alm_obs *answered, alm_status *st)
{
    alm_query_run *run = it->run;
    walk w = {it, of};
    size_t root = run->trace->count;
    alm_trace_cell cell =
        alm_trace_cell_of(alm_variant_table_get(&run->variants, answered->variant), answered->place,
                          answered->period);
    cell.indicator = run->label;
    ALM_TRY(trace_level(&w, of->chain.count, series, t, st));
    return alm_trace_rename(run->trace, root, &cell, st);
}

alm_code alm_series_trace_absent(alm_query_run *run, const alm_indicator *read,
                                 const alm_obs *answered, alm_status *st)
{
    alm_trace *trace = run->trace;
    alm_trace_cell cell =
        alm_trace_cell_of(alm_variant_table_get(&run->variants, answered->variant), answered->place,
                          answered->period);
    alm_trace_node node = {.kind = ALM_TRACE_COMPUTED, .cell = cell};
    node.cell.indicator = run->label;
    ALM_TRY(alm_trace_add(trace, &node, st));
    cell.indicator = read->code;
    cell.measure = run->plan->measure;
    cell.relation = (alm_str){0};
    cell.accumulation = ALM_ACCUMULATION_NONE;
    trace->depth++;
    ALM_TRY(alm_trace_missing(trace, &cell, st));
    trace->depth--;
    return ALM_OK;
}
