#include "trace_grid.h"

#include "derived_grid.h"
#include "rollup.h"

static bool is_copy(const alm_step *step)
{
    return step->transform.op == ALM_TRANSFORM_LIN;
}

static size_t cell_at(const alm_grid *grid, size_t series, uint32_t t)
{
    return series * grid->axis.count + t;
}

// --- what was published --------------------------------------------------------------------------

static alm_code trace_rollup(const alm_source_grid *it, const alm_candidate *candidate,
                             const alm_trace_cell *cell, size_t series, uint32_t t, alm_status *st)
{
    alm_trace *trace = it->run->trace;
    const alm_grid *grid = &candidate->published;
    ALM_TRY(alm_trace_computed(trace, cell, alm_trace_rollup_words(it->indicator), grid,
                               cell_at(grid, series, t), it->quantity.unit, st));
    trace->depth++;
    ALM_TRY(alm_rollup_trace(it->rollup, candidate->variant, cell->period, it->set->groups[series],
                             st));
    trace->depth--;
    return ALM_OK;
}

static alm_code trace_published(const alm_source_grid *it, const alm_candidate *candidate,
                                size_t series, uint32_t t, alm_status *st)
{
    alm_query_run *run = it->run;
    alm_obs row;
    alm_trace_cell cell =
        alm_trace_cell_of(alm_variant_table_get(&run->variants, candidate->variant),
                          it->set->places[series], alm_axis_at(candidate->published.axis, t));
    if (it->rollup != NULL) {
        return trace_rollup(it, candidate, &cell, series, t, st);
    }
    return alm_cells_get(&run->cells, candidate->variant, cell.place, cell.period, &row)
               ? alm_trace_observation(run->trace, &cell, &row, it->quantity.unit, st)
               : alm_trace_missing(run->trace, &cell, st);
}

// --- conversions ---------------------------------------------------------------------------------

// Of the variant that is read, told for the output's period and accumulation.
static alm_code note_conversion(const alm_source_grid *it, const alm_candidate *candidate,
                                const alm_step *step, const alm_grid *grid, size_t series,
                                uint32_t t, alm_status *st)
{
    alm_query_run *run = it->run;
    alm_trace_words words;
    alm_trace_cell cell =
        alm_trace_cell_of(alm_variant_table_get(&run->variants, candidate->variant),
                          it->set->places[series], alm_axis_at(grid->axis, t));
    cell.accumulation = step->out.accumulation;
    ALM_TRY(alm_trace_step_words(run, step, &words, st));
    return alm_trace_computed(run->trace, &cell, words, grid, cell_at(grid, series, t),
                              it->quantity.unit, st);
}

// level 0: as published; 1: at the frequency; 2: of the accumulation, too.
static alm_code trace_candidate(const alm_source_grid *it, const alm_candidate *candidate,
                                int level, size_t series, uint32_t t, alm_status *st)
{
    if (level == 0) {
        return trace_published(it, candidate, series, t, st);
    }
    alm_trace *trace = it->run->trace;
    const alm_step *step = level == 1 ? &candidate->frequency : &candidate->accumulation;
    const alm_grid *in = level == 1 ? &candidate->published : &candidate->at_frequency;
    const alm_grid *out = level == 1 ? &candidate->at_frequency : &candidate->converted;
    alm_taps taps = alm_step_taps(step, in->axis, alm_axis_at(out->axis, t));
    if (is_copy(step)) {
        return trace_candidate(it, candidate, level - 1, series, taps.first, st);
    }
    ALM_TRY(note_conversion(it, candidate, step, out, series, t, st));
    trace->depth++;
    alm_trace_list list = {0};
    for (uint32_t i = 0; i < alm_taps_count(&taps); i++) {
        if (alm_trace_list_takes(trace, &list)) {
            ALM_TRY(trace_candidate(it, candidate, level - 1, series, alm_taps_at(&taps, i), st));
        }
    }
    ALM_TRY(alm_trace_list_end(trace, &list, st));
    trace->depth--;
    return ALM_OK;
}

// Nothing was read that might be it.
static alm_code trace_unread(const alm_source_grid *it, size_t series, uint32_t t, alm_status *st)
{
    alm_trace_cell cell = {
        .indicator = it->indicator->code,
        .measure = it->quantity.measure,
        .place = it->set->places[series],
        .period = alm_axis_at(it->grid.axis, t),
    };
    return alm_trace_missing(it->run->trace, &cell, st);
}

alm_code alm_source_grid_trace(const alm_source_grid *it, size_t series, uint32_t t, alm_status *st)
{
    size_t at = alm_source_grid_candidate(it, series, t);
    if (at == it->count && it->derived != NULL) {
        return alm_derived_grid_trace(it->derived, it, series, t, st);
    }
    if (it->count == 0) {
        return trace_unread(it, series, t, st);
    }
    return trace_candidate(it, &it->candidates[at < it->count ? at : 0], 2, series, t, st);
}
