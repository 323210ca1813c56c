// The steps behind a source grid, one behind the other: share, change, index, average, rank.
#ifndef ALM_CHAIN_H
#define ALM_CHAIN_H

#include "query_run.h"

#include "alm/step.h"

#define ALM_CHAIN_STEP_COUNT_MAX ALM_STAGE_COUNT

typedef struct alm_chain {
    alm_step steps[ALM_CHAIN_STEP_COUNT_MAX];
    size_t count;
    alm_quantity out;
    alm_measure of; // what the last step with a measure of its own was computed of
} alm_chain;

// ALM_FAILED_PRECONDITION  a transform does not apply
ALM_MUST_USE alm_code alm_chain_make(const alm_query_plan *plan, const alm_quantity *source,
                                     alm_chain *ret, alm_status *st);
// Before it is known what there is: of the accumulation that is asked, else of the one that goes.
ALM_MUST_USE alm_code alm_chain_guess(const alm_query_run *run, alm_freq freq, alm_chain *ret,
                                      alm_quantity *ret_source, alm_status *st);

// The axes of the grids before, between and behind the steps for outputs on an axis: count + 1.
ALM_MUST_USE alm_code alm_chain_axes(const alm_chain *chain, alm_axis out, alm_axis *ret,
                                     alm_status *st);

// The variant of what comes out. Its relation names the indicator and the place (a code; may be
// empty) it relates to.
ALM_MUST_USE alm_code alm_chain_variant(alm_query_run *run, const alm_chain *chain,
                                        uint32_t variant, alm_str place, uint32_t *ret,
                                        alm_status *st);

#endif
