// The grid of a formula: its operands' grids, computed on.
#ifndef ALM_DERIVED_GRID_H
#define ALM_DERIVED_GRID_H

#include "source_grid.h"

typedef struct alm_derived_grid {
    const alm_derived *derived;
    alm_formula_rule *rules;   // by node
    alm_source_grid *operands; // by operand
    // Of the part at hand:
    alm_series_set *sets; // by operand: at which place each series of it is
    alm_axis *axes;       // by node
    alm_grid *parts;      // by node
    alm_grid grid;        // of the whole, in the unit of what it is for
} alm_derived_grid;

// key: the family that is answered; operands are of the same breakdown unless they have their own.
// The fault says why the formula does not apply at this frequency and accumulation; *ret is NULL
// then.
ALM_MUST_USE alm_code alm_derived_grid_plan(alm_query_run *run, const alm_derived *derived,
                                            uint32_t key, const alm_quantity *out,
                                            alm_derived_grid **ret, alm_status *fault,
                                            alm_status *st);

ALM_MUST_USE alm_code alm_derived_grid_load(alm_derived_grid *it, alm_query_run *run,
                                            const alm_series_set *set, const alm_quantity *out,
                                            alm_axis axis, alm_arena *arena, alm_status *st);

// How many periods the largest of the grids will have.
ALM_MUST_USE alm_code alm_derived_grid_periods(const alm_derived_grid *it, alm_axis axis,
                                               uint32_t *ret, alm_status *st);

// As of source grids.
bool alm_derived_grid_told(const alm_derived_grid *it, size_t series, uint32_t t);
ALM_MUST_USE alm_code alm_derived_grid_why(const alm_derived_grid *it, alm_query_run *run,
                                           size_t series, uint32_t t, bool names_place,
                                           const char **ret, alm_status *st);
ALM_MUST_USE alm_code alm_derived_grid_members(const alm_derived_grid *it, size_t series,
                                               uint32_t t, alm_period answered, alm_members *ret,
                                               alm_status *st);

// The period of an operand of this frequency that goes into one of the formula's.
alm_period alm_derived_operand_period(const alm_derived_operand *operand, alm_freq freq,
                                      alm_period period);
// Notes how a cell was computed, down to the operands, for an explanation: trace_derived.c. whole:
// the grid it is of.
ALM_MUST_USE alm_code alm_derived_grid_trace(const alm_derived_grid *it,
                                             const alm_source_grid *whole, size_t series,
                                             uint32_t t, alm_status *st);

// Reads what the operands need at the places and in the periods that are asked of the whole.
ALM_MUST_USE alm_code alm_derived_read(alm_query_run *run, const alm_derived *derived,
                                       const alm_place_list *places, const alm_period_expr *periods,
                                       alm_status *st);

// The families of the operand whose frequencies are answered.
ALM_MUST_USE alm_code alm_derived_lead(alm_query_run *run, const alm_derived *derived,
                                       alm_families *ret, alm_status *st);
// Adds to such a family the variants of its growth, by which prices go on where levels end.
ALM_MUST_USE alm_code alm_derived_take_growth(alm_query_run *run, const alm_derived *derived,
                                              alm_family *lead, alm_status *st);

#endif
