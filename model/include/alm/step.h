// A transform made ready for what it is applied to: what comes out, which periods it looks at, and
// the computing itself. Definitions stand in docs/TRANSFORMS.md.
#ifndef ALM_STEP_H
#define ALM_STEP_H

#include "alm/catalog.h"
#include "alm/grid.h"
#include "alm/transform.h"

typedef enum alm_quantity_kind {
    ALM_QUANTITY_AMOUNT, // in a unit of its own: yuan, persons
    ALM_QUANTITY_INDEX,
    ALM_QUANTITY_RATIO,     // percent and the like; it changes by points
    ALM_QUANTITY_POINTS,    // a difference of ratios or indices
    ALM_QUANTITY_LOGARITHM, // of an amount or an index
    ALM_QUANTITY_OTHER,     // ranks, ordinals: nothing is computed of them
} alm_quantity_kind;

// What the numbers of a grid are.
typedef struct alm_quantity {
    alm_quantity_kind kind;
    alm_measure measure; // as published; of what is computed, where the glossary has a word for it
    alm_unit unit;
    alm_freq freq;
    alm_accumulation accumulation;
    alm_value_type type;       // of the indicator
    alm_aggregation over_time; // likewise
} alm_quantity;

// The quantity a stored variant holds. Ratios are computed on in percent: unit is the one values
// must be brought to before.
alm_quantity alm_quantity_of(const alm_indicator *indicator, alm_measure measure, alm_freq freq,
                             alm_accumulation accumulation);

// A value.
typedef struct alm_step {
    alm_transform transform;
    alm_quantity in, out;
    alm_method method; // of a frequency
} alm_step;

// ALM_FAILED_PRECONDITION  the transform has no meaning for this quantity; the message says why,
//                          and what to ask instead
ALM_MUST_USE alm_code alm_step_make(const alm_transform *transform, const alm_quantity *in,
                                    alm_step *ret, alm_status *st);

// The periods of the input that the outputs on an axis are computed from, those of the axis itself
// included; of prices also those between an output and the base. Periods outside the calendar are
// left out.
//
// ALM_RESOURCE_EXHAUSTED   they are more than ALM_GRID_CELL_COUNT_MAX
// ALM_FAILED_PRECONDITION  an index whose base is no whole number of the series' periods
ALM_MUST_USE alm_code alm_step_reach(const alm_step *step, alm_axis out, alm_axis *ret,
                                     alm_status *st);

// Marks (with 1) the inputs of every output that is marked: a byte a period of either axis. `in`
// must hold what alm_step_reach says of the marked ones (asserted).
void alm_step_mark(const alm_step *step, alm_axis out, const uint8_t *marked, alm_axis in,
                   uint8_t *ret_marked);

// The inputs of one output, by index into the input's axis: those that make the value itself, and
// those it is compared with.
typedef struct alm_taps {
    uint32_t first, count; // 0: the calendar has no such periods
    uint32_t stride;       // first, first + stride ...; 1 unless years are passed over
    uint32_t base, base_count;
} alm_taps;

// `in` must hold what alm_step_reach says of an axis with this period (asserted).
alm_taps alm_step_taps(const alm_step *step, alm_axis in, alm_period out);
// Of every output period: out.count, in the arena.
ALM_MUST_USE alm_code alm_step_taps_of(const alm_step *step, alm_axis in, alm_axis out,
                                       alm_arena *arena, alm_taps **ret, alm_status *st);

// Computes the outputs on an axis. The grid's axis must hold what alm_step_reach says. Steps over
// several series (shares, contributions, ranks) are not for it. Where nothing is to be done, *ret
// has the columns of `in`.
//
// ALM_RESOURCE_EXHAUSTED  the arena is full, too many cells
ALM_MUST_USE alm_code alm_step_run(const alm_step *step, const alm_grid *in, alm_axis out,
                                   alm_arena *arena, alm_grid *ret, alm_status *st);

// Contributions, cell by cell: of series s of the parts to series whole_of[s] of the wholes;
// UINT32_MAX: it has none. Axes of both are the same (asserted).
ALM_MUST_USE alm_code alm_step_contribute(const alm_step *step, const alm_grid *parts,
                                          const alm_grid *wholes, const uint32_t *whole_of,
                                          alm_axis out, alm_arena *arena, alm_grid *ret,
                                          alm_status *st);

// Constant prices and deflators, cell by cell: of levels, and of their growth on a year before at
// constant prices, in percent. Axes of both are the same (asserted) and hold what alm_step_reach
// says.
//
// ALM_RESOURCE_EXHAUSTED  as above
ALM_MUST_USE alm_code alm_step_prices(const alm_step *step, const alm_grid *levels,
                                      const alm_grid *growth, alm_axis out, alm_arena *arena,
                                      alm_grid *ret, alm_status *st);
// The growth that leads from the base to an output, by index into the axis of the inputs: first,
// count and stride. The calendar has the base (asserted).
alm_taps alm_step_prices_links(const alm_step *step, alm_axis in, alm_period out);
// The first input that an output of them misses, by index into the axis of the inputs. False: it
// has all of them.
bool alm_step_prices_gap(const alm_step *step, const alm_grid *levels, const alm_grid *growth,
                         size_t series, alm_period out, bool *ret_is_growth, uint32_t *ret_t);

#endif
