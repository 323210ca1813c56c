// Which published figures make up a value of a target's measure, and that value.
#ifndef ALM_TARGET_ROWS_H
#define ALM_TARGET_ROWS_H

#include "alm/pace.h"
#include "query_run.h"

// The variants of a target's measure, by frequency and accumulation.
typedef struct alm_target_variants {
    uint32_t of[ALM_FREQ_DAY + 1][ALM_ACCUMULATION_CUMULATIVE + 1];
} alm_target_variants;

typedef struct alm_target {
    alm_query_run *run;
    const alm_obs *obs;
    const alm_variant *variant;
    alm_period horizon;   // of a cumulative target from 1 January
    alm_unit unit;        // of the target; values are brought to it
    alm_value planned;    // "at least 5" is 5
    alm_pace_number goal; // the same: it was set and not measured, and has no half digit
    bool is_ceiling;
    // Of the actual values:
    alm_measure measure;
    alm_pace_kind kind;
    alm_target_variants variants;
} alm_target;

// Figures that make up a value: consecutive periods of one variant.
typedef struct alm_target_rows {
    uint32_t variant;
    alm_period first;
    uint32_t count; // 0: nothing is known
} alm_target_rows;

// A value of some figures, in the target's unit.
typedef struct alm_target_value {
    alm_decimal number;
    alm_pace_number pace; // has: there is a value
    bool is_bad;          // a figure does not convert, or the sum does not fit
} alm_target_value;

// The figure of a period. False: none with a number.
bool alm_target_row(const alm_target *it, uint32_t variant, alm_period period, alm_obs *ret);
static inline bool alm_target_has_row(const alm_target *it, uint32_t variant, alm_period period)
{
    alm_obs ignored;
    return alm_target_row(it, variant, period, &ignored);
}

// `whole` in periods of a frequency that may make it up. False: none does.
bool alm_target_periods(alm_period whole, alm_freq freq, alm_period *ret);
// May a figure of this frequency and accumulation tell a level or a rate of `whole`?
bool alm_target_may_tell(const alm_target *it, alm_period whole, alm_freq freq,
                         alm_accumulation accumulation);

// What goes furthest: of an amount from the beginning of `whole` on, not past a day; of all else
// the newest in it.
alm_target_rows alm_target_find_amount(const alm_target *it, alm_period whole, alm_date until);
alm_target_rows alm_target_find_newest(const alm_target *it, alm_period whole);
alm_period alm_target_rows_last(const alm_target_rows *rows); // of at least one (asserted)
alm_date alm_target_rows_end(const alm_target_rows *rows);    // ALM_DATE_NONE: of none

// Adds figures to a value that began as {0}; `sum` is that of all before.
void alm_target_add(const alm_target *it, const alm_target_rows *rows, alm_decimal_sum *sum,
                    alm_target_value *to);
alm_target_value alm_target_value_of(const alm_target *it, const alm_target_rows *rows);

#endif
