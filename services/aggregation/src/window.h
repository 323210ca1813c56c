// Which periods are asked, and which have to be read for them.
#ifndef ALM_WINDOW_H
#define ALM_WINDOW_H

#include "chain.h"

// Marked periods of one frequency.
typedef struct alm_window {
    alm_axis axis;
    uint8_t *marked; // by period of the axis
} alm_window;

typedef struct alm_windows {
    bool is_bounded;             // every asked period is known; else there are none below
    bool is_listed;              // and their cells are few enough to be answered one by one
    alm_window of[ALM_FREQ_DAY]; // one a frequency
    size_t count;
} alm_windows;

// ALM_INVALID_ARGUMENT    a period that is asked is no whole number of those of the frequency that
//                         is answered
// ALM_RESOURCE_EXHAUSTED  too many periods
ALM_MUST_USE alm_code alm_windows_make(alm_query_run *run, alm_windows *ret, alm_status *st);

// NULL: none.
const alm_window *alm_windows_find(const alm_windows *windows, alm_freq freq);

// Is a period of what is answered asked?
bool alm_windows_asked(const alm_query_run *run, const alm_windows *windows, alm_period period);

// The periods to be read of the indicator for the bounded windows. Of a frequency that the
// transforms do not apply to nothing is read, and *ret_fault says why.
ALM_MUST_USE alm_code alm_windows_needed(alm_query_run *run, const alm_windows *windows,
                                         alm_period_expr *ret, alm_status *ret_fault,
                                         alm_status *st);

#endif
