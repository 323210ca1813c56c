// A value computed from observations: its number, the interval it stands for, and what it inherits
// from its inputs.
#ifndef ALM_COMPUTED_H
#define ALM_COMPUTED_H

#include "answer.h"

typedef struct alm_computed {
    alm_value value; // status: the inputs' worst; has_number false until there is one
    alm_interval interval;
    bool has_input;
    bool all_exact;
    uint32_t source; // of the newest input
    alm_date published;
} alm_computed;

alm_computed alm_computed_begin(alm_unit unit);

// The status, exactness and newest source of one more input.
void alm_computed_input(alm_computed *computed, const alm_obs *input);

// Sets the number; the qualifier follows from the interval and the inputs.
void alm_computed_number(alm_computed *computed, alm_decimal number, alm_interval interval);

// The side to which part / whole was rounded: 1: above the quotient, -1: below it, 0: equal, to one
// part in 10^12.
int alm_rounded_side(alm_decimal rounded, alm_decimal part, alm_decimal whole);
// As alm_computed_number, of a rounded quotient; "over" goes to the step below and "under" to the
// one above where rounding went past the quotient, so that what it says is true.
void alm_computed_quotient(alm_computed *computed, alm_decimal number, int rounded,
                           alm_interval interval);

// As alm_computed_quotient, where it is known which ends the number is: of both "exact", of neither
// "about".
void alm_computed_claim(alm_computed *computed, alm_decimal number, int rounded,
                        alm_interval interval, bool is_over, bool is_under);

// No number. The status is `missing` unless an input says itself that it is missing.
void alm_computed_missing(alm_computed *computed, alm_obs_status missing);

// As a row of an answer. extra: reason, counts and pace; the rest is the value's.
ALM_MUST_USE alm_code alm_computed_answer(const alm_computed *computed, uint32_t variant,
                                          alm_place_id place, alm_period period,
                                          const alm_answer_extra *extra, alm_answers *answers,
                                          alm_status *st);

typedef enum alm_ratio_result {
    ALM_RATIO_OK,
    ALM_RATIO_ZERO,     // the whole is zero
    ALM_RATIO_NEGATIVE, // the whole is less than zero
    ALM_RATIO_UNITS,    // the units do not convert into each other
    ALM_RATIO_TOO_LARGE,
} alm_ratio_result;

typedef struct alm_percent {
    alm_decimal number;    // two decimals, rounded once, half to even
    int rounded;           // 1: the number is above the quotient, -1: below, 0: equal
    alm_interval interval; // of what was divided
    bool may_bound;        // the number may be the end of the interval: one side at least is exact
} alm_percent;

// part / whole in percent; both have numbers (asserted).
alm_ratio_result alm_percent_of(const alm_value *part, const alm_value *whole, alm_percent *ret);
// As alm_computed_quotient; of two that are not exact "about": over 300 of over 200 may be
// anything.
void alm_computed_percent(alm_computed *computed, const alm_percent *percent);

#endif
