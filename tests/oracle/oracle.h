// Questions with transforms, answered slowly and obviously: every cell by itself, from the list of
// rows, as docs/TRANSFORMS.md says it. Numbers are long doubles; nothing is shared with what it is
// held against but periods, units and the interval of one published value.
#ifndef ALM_TESTS_ORACLE_H
#define ALM_TESTS_ORACLE_H

#include "test_world.h"

// What is asked of one indicator.
typedef struct oracle_question {
    alm_str indicator;
    alm_measure measure;
    alm_freq freq;                 // filter; NONE: all
    alm_accumulation accumulation; // likewise
    alm_str breakdown;             // "": totals; "*": all
    alm_date as_of;
    alm_transforms transforms;
    alm_level group_by;
    bool incomplete;
} oracle_question;

typedef struct oracle {
    const world *w;
    const alm_place_tree *tree;
    const oracle_question *asked;
    const alm_indicator *indicator;
    const alm_place_id *places; // of the question
    size_t place_count;
    const alm_place_id *peers; // that are named; none: siblings
    size_t peer_count;
    const alm_indicator *whole; // of a share; NULL: its own
    alm_place_id whole_place;   // NONE: not named
    const char *formula;        // of what is asked; NULL: an indicator
} oracle;

typedef struct oracle_number {
    bool has;
    long double x, lower, upper;
    bool is_over, is_under; // the number is an end of what it may be
    bool is_exact;          // to every digit: nothing was divided
    int digits;             // the finest exponent worth to tell
    int status;             // alm_obs_status; -1: nothing was published
    alm_date published;     // the newest; ALM_DATE_NONE: none
    uint32_t of_count, of_expected;
} oracle_number;

// A series that is answered: of one breakdown, frequency and accumulation.
typedef struct oracle_series {
    alm_str breakdown; // as in a variant: "_T" for totals
    alm_freq freq;
    alm_accumulation accumulation;
} oracle_series;

oracle_number oracle_cell(const oracle *o, const oracle_series *series, alm_place_id place,
                          alm_period period);

// What was published of the cell itself, whatever is computed.
oracle_number oracle_own(const oracle *o, const oracle_series *series, alm_place_id place,
                         alm_period period);

// Before the stages from the ratio on: what was published, and what converts to it.
oracle_number oracle_base(const oracle *o, const oracle_series *series, alm_place_id place,
                          alm_period period);
// Likewise of a formula, see oracle_formula.c.
oracle_number oracle_formula(const oracle *o, const oracle_series *series, alm_place_id place,
                             alm_period period);
bool oracle_formula_told(const oracle *o, const oracle_series *series, alm_place_id place,
                         alm_period period);

// Pieces of arithmetic. A number of nothing: status and publication are those of both.
oracle_number oracle_of_both(const oracle_number *a, const oracle_number *b);
oracle_number oracle_undefined(oracle_number it);
oracle_number oracle_average(const oracle_number *parts, size_t count);
oracle_number oracle_growth(alm_freq freq, const oracle_number *now, const oracle_number *then);
bool oracle_year_before(alm_period period, alm_period *ret);

// A published value in the unit that is computed in; status and publication are not its.
oracle_number oracle_published(const oracle *o, const alm_value *value);

// Was anything published for the cell itself, or for a part of its period?
bool oracle_told(const oracle *o, const oracle_series *series, alm_place_id place,
                 alm_period period);

#endif
