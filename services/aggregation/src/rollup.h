// Roll-up over the place tree: members' values make their group's, by the indicator's aggregation.
#ifndef ALM_ROLLUP_H
#define ALM_ROLLUP_H

#include "computed.h"
#include "query_run.h"

typedef struct alm_rollup alm_rollup;

// Reads the members of run->groups into run->rollups, unless they are there. Lives in the run's
// arena.
//
// ALM_FAILED_PRECONDITION  values of places do not make their parent's; units that do not go
//                          together
ALM_MUST_USE alm_code alm_rollup_read(alm_query_run *run, const alm_indicator *indicator,
                                      alm_str breakdown, const alm_period_expr *periods,
                                      alm_status *st);
// ALM_FAILED_PRECONDITION, always: its values are not rolled up.
alm_code alm_rollup_refuse(const alm_indicator *indicator, alm_status *st);

// NULL: none was read that has the breakdown.
alm_rollup *alm_rollup_find(const alm_query_run *run, alm_str indicator, alm_str breakdown);
const alm_indicator *alm_rollup_indicator(const alm_rollup *it);

// The variants of the indicator and their periods that some member has a row of.
size_t alm_rollup_slice_count(const alm_rollup *it);
ALM_MUST_USE alm_code alm_rollup_slice_at(alm_rollup *it, size_t i, uint32_t *ret_variant,
                                          alm_period *ret_period, alm_status *st);
// Makes one that no member has a row of.
ALM_MUST_USE alm_code alm_rollup_expect(alm_rollup *it, uint32_t variant, alm_period period,
                                        alm_status *st);

typedef struct alm_rollup_cell {
    alm_computed computed;
    const char *reason; // why there is no number, or what to mind; "" otherwise
    uint32_t present, expected;
} alm_rollup_cell;

// *ret_is_told: false: no slice, or the group had no members then. tells: the reason is wanted in
// words.
ALM_MUST_USE alm_code alm_rollup_cell_get(alm_rollup *it, uint32_t variant, alm_period period,
                                          uint32_t group, bool tells, alm_rollup_cell *ret,
                                          bool *ret_is_told, alm_status *st);

// Notes the members of a cell, of a rate those of its numerator and of its denominator, for an
// explanation.
ALM_MUST_USE alm_code alm_rollup_trace(alm_rollup *it, uint32_t variant, alm_period period,
                                       uint32_t group, alm_status *st);

#endif
