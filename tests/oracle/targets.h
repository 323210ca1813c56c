// Targets answered slowly and obviously, from the list of rows, as docs/TRANSFORMS.md says it. Ends
// of intervals are found by trying all ends of what goes in; numbers are long doubles.
#ifndef ALM_TESTS_ORACLE_TARGETS_H
#define ALM_TESTS_ORACLE_TARGETS_H

#include "test_world.h"

#include "alm/pace.h"

// Stands for no end: what it leads to is far past any number of these worlds.
#define FAR  1e2000L
#define PAST 1e1000L

typedef struct target_kind {
    const char *indicator, *relation, *measure, *unit;
    alm_pace_kind kind;
    bool is_stock; // months tell it
} target_kind;

// One target at one place: rows of other targets there must not be.
typedef struct target_case {
    const world *w;
    const target_kind *kind;
    alm_period horizon;
} target_case;

typedef struct target_number {
    bool has;
    long double x;
    long double claim[2], interval[2]; // lower, upper
    alm_date end;                      // of the last period that went in
    alm_period last;
} target_number;

typedef struct target_inputs {
    target_number target, actual, base, part, whole;
    long double time, left, years; // periods that are left, and the years they make
} target_inputs;

typedef struct target_pace {
    target_number figures[ALM_PACE_FIGURE_COUNT];
    alm_pace_verdict verdict;
    bool is_close; // to a limit: either verdict is right
} target_pace;

// What goes in: of the case's rows, which count. planned: the target's value.
target_inputs oracle_target_inputs(const target_case *it, const alm_value *planned);
// What comes out; the share of time has no figure.
target_pace oracle_target_pace(const target_case *it, const target_inputs *in,
                               const alm_value *planned);

#endif
