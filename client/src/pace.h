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

// ALM_INTERNAL  a pace of no row, rows out of order, a number outside its kind; names the row
ALM_MUST_USE alm_code alm_paces_check(const Almanac__V1__ResultBlock *block, alm_status *st);

// NULL: the row has none.
const almanac_pace *alm_pace_of_row(const Almanac__V1__ResultBlock *block,
                                    const almanac_pace *paces, size_t row);

// As a row of its own, for the functions that write values.
almanac_row alm_figure_row(const almanac_figure *figure);

#endif
