// Paces of rows of target progress, from the wire.
#ifndef ALM_CLIENT_PACE_H
#define ALM_CLIENT_PACE_H

#include "rows.h"

// The figures of a pace, by their names in the public struct and in messages.
#define ALM_PACE_FIGURES(X)                                                                        \
    X(actual)                                                                                      \
    X(left)                                                                                        \
    X(time)                                                                                        \
    X(pace)                                                                                        \
    X(pace_seasonal)                                                                               \
    X(run_rate)                                                                                    \
    X(growth_required)                                                                             \
    X(expected)

// Checks the paces of a message and sets those of its block, in the arena; their text lives as long
// as the message.
//
// ALM_INTERNAL  a pace of no row, rows out of order, a number outside its kind; names the row
// ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code alm_block_paces(const Almanac__V1__ResultBlock *message, alm_arena *arena,
                                      almanac_block *block, alm_status *st);

// NULL: the row has none.
const almanac_pace *alm_pace_of_row(const almanac_block *block, size_t row);

// As a row of its own, for the functions that write values.
almanac_row alm_figure_row(const almanac_figure *figure);

#endif
