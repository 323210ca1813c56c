// The grid a question's transforms start from: published cells of one frequency and accumulation,
// and what others can be converted to them.
#ifndef ALM_SOURCE_GRID_H
#define ALM_SOURCE_GRID_H

#include "series_set.h"

#include "alm/step.h"

// Variants that differ in frequency and accumulation only, whatever was read of them.
typedef struct alm_family {
    uint32_t key;       // a variant of the run's table that stands for it
    uint32_t *variants; // of the run's table
    size_t count, cap;
} alm_family;

typedef struct alm_families {
    alm_family *of;
    size_t count, cap;
} alm_families;

ALM_MUST_USE alm_code alm_family_key(alm_query_run *run, uint32_t variant, uint32_t *ret,
                                     alm_status *st);

// Visits the variants and the periods that rows were read of; of a roll-up of every slice.
typedef alm_code (*alm_read_visit)(void *arg, uint32_t variant, alm_period period, alm_status *st);
ALM_MUST_USE alm_code alm_visit_read(alm_query_run *run, alm_read_visit visit, void *arg,
                                     alm_status *st);

// The families of the indicator's variants that rows were read of.
ALM_MUST_USE alm_code alm_families_find(alm_query_run *run, alm_str indicator, alm_measure measure,
                                        alm_families *ret, alm_status *st);

// The one of a key; without variants if nothing was read of it.
static inline alm_family alm_families_get(const alm_families *families, uint32_t key)
{
    for (size_t i = 0; i < families->count; i++) {
        if (families->of[i].key == key) {
            return families->of[i];
        }
    }
    return (alm_family){.key = key};
}

// One variant and the conversions that bring it to the target.
typedef struct alm_candidate {
    uint32_t variant;
    alm_step frequency, accumulation; // LIN where there is nothing to convert
    alm_grid published;               // as read
    alm_grid at_frequency;            // after the first conversion
    alm_grid converted;               // after both
} alm_candidate;

// Candidates in order of preference: what was published for the target itself, then of the coarser
// frequency before the finer, of the same accumulation before the other.
typedef struct alm_source_grid {
    alm_query_run *run;
    const alm_indicator *indicator;
    const alm_series_set *set;
    alm_arena *arena;      // of the grids; the plan itself is in the run's
    alm_quantity quantity; // of the grid
    alm_candidate *candidates;
    size_t count;
    struct alm_rollup *rollup;        // of a roll-up; NULL: nothing was read
    struct alm_derived_grid *derived; // for what none of them has; NULL: it is made of no others
    alm_grid grid;
} alm_source_grid;

// Which of the family's variants, and whether what the indicator is made of, make frequency and
// accumulation of the target. Without one the grid is empty; the fault says what is in the way, if
// something is. derived: NULL for none.
ALM_MUST_USE alm_code alm_source_grid_plan(alm_query_run *run, const alm_indicator *indicator,
                                           const alm_derived *derived, const alm_family *family,
                                           alm_freq freq, alm_accumulation accumulation,
                                           alm_source_grid *ret, alm_status *fault, alm_status *st);
// Of what is beside the target: if it does not add up from the year's start, it is taken as it is.
ALM_MUST_USE alm_code alm_source_grid_plan_beside(
    alm_query_run *run, const alm_indicator *indicator, const alm_derived *derived,
    const alm_family *family, alm_freq freq, alm_accumulation accumulation, alm_source_grid *ret,
    alm_status *fault, alm_status *st);

// Takes the cells of the set's series up on an axis, the wholes with them. The grids live in the
// arena.
ALM_MUST_USE alm_code alm_source_grid_load(alm_source_grid *it, const alm_series_set *set,
                                           alm_axis axis, alm_arena *arena, alm_status *st);

// How many periods the largest of the grids will have that are made for this axis.
ALM_MUST_USE alm_code alm_source_grid_periods(const alm_source_grid *it, alm_axis axis,
                                              uint32_t *ret, alm_status *st);

// Was anything published for the cell itself, or for a part of it?
bool alm_source_grid_told(const alm_source_grid *it, size_t series, uint32_t t);

// The candidate a cell has its number from, or without one the first that something was published
// of; count: none, what it is made of if it is made of others.
size_t alm_source_grid_candidate(const alm_source_grid *it, size_t series, uint32_t t);

// Why a cell of the grid has no number. names_place: the place is said.
ALM_MUST_USE alm_code alm_source_grid_why(const alm_source_grid *it, size_t series, uint32_t t,
                                          bool names_place, const char **ret, alm_status *st);

// Of a roll-up: how many members the cell, or the least complete of those it was made of, has of
// how many; and what to mind. `answered` is the period it is told for.
typedef struct alm_members {
    uint32_t present, expected;
    const char *remark; // "" for nothing
    bool is_partial;    // a member is missing from a cell that has a number
} alm_members;
ALM_MUST_USE alm_code alm_source_grid_members(const alm_source_grid *it, size_t series, uint32_t t,
                                              alm_period answered, alm_members *ret,
                                              alm_status *st);

// Why a cell that a step made has none: the first of its inputs that lacks one is found by
// *ret_input (index into the input's axis; ALM_AXIS_NONE if the step itself is the reason, which
// *ret then tells).
ALM_MUST_USE alm_code alm_step_why(alm_query_run *run, const alm_step *step, const alm_grid *in,
                                   const alm_grid *out, size_t series, uint32_t t,
                                   uint32_t *ret_input, const char **ret, alm_status *st);

#endif
