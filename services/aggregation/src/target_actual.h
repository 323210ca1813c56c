// What was reached of a target, and up to when.
#ifndef ALM_TARGET_ACTUAL_H
#define ALM_TARGET_ACTUAL_H

#include "computed.h"
#include "target_rows.h"

typedef struct alm_actual {
    alm_target_value value;
    alm_period until;          // the last period that went in; freq NONE: none
    uint32_t elapsed, periods; // of the horizon, in periods of that frequency
    uint32_t present, units;   // units of the horizon with a value, up to the newest
    const char *missing;       // of an amount: "2021, 2022"
} alm_actual;

// Sets measure, kind and variants: what the relation names, else levels, else what was new where no
// level is.
ALM_MUST_USE alm_code alm_target_choose_measure(alm_target *it, alm_status *st);
// The measures that may be chosen of: bits.
uint32_t alm_target_measures(const alm_variant *variant);

// Adds the figures that went in to `computed`.
ALM_MUST_USE alm_code alm_target_reach(const alm_target *it, alm_computed *computed,
                                       alm_actual *ret, alm_status *st);

// What stood when the horizon began.
alm_target_value alm_target_base(const alm_target *it);
// A year earlier, up to the period a year before `until`, and in whole. Without a number: not
// known to the day, or the horizon is not within a year.
void alm_target_year_before(const alm_target *it, alm_period until, alm_target_value *ret_part,
                            alm_target_value *ret_whole);
bool alm_target_is_of_a_year(const alm_target *it);

#endif
