// Grids walked backwards, for an explanation: from a cell to those it was computed of.
#ifndef ALM_TRACE_GRID_H
#define ALM_TRACE_GRID_H

#include "source_grid.h"
#include "trace.h"

// Notes a cell of the grid and all below it. The run has a trace (asserted).
ALM_MUST_USE alm_code alm_source_grid_trace(const alm_source_grid *it, size_t series, uint32_t t,
                                            alm_status *st);

// "pc1: (value / value one year earlier - 1) x 100". In the run's arena.
ALM_MUST_USE alm_code alm_trace_step_words(alm_query_run *run, const alm_step *step,
                                           alm_trace_words *ret, alm_status *st);
alm_trace_words alm_trace_rollup_words(const alm_indicator *indicator);

// The inputs of one output, in the order of periods: index i into the input's axis.
static inline uint32_t alm_taps_count(const alm_taps *taps)
{
    return taps->count + taps->base_count;
}
static inline uint32_t alm_taps_at(const alm_taps *taps, uint32_t i)
{
    ALM_ASSERT(i < alm_taps_count(taps));
    return i < taps->base_count ? taps->base + i
                                : taps->first + (i - taps->base_count) * taps->stride;
}

#endif
