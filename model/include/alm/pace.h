// How far a target is reached, and whether that is on time: pace, what is still required, and a
// verdict. Pure arithmetic; docs/TRANSFORMS.md has the definitions.
#ifndef ALM_PACE_H
#define ALM_PACE_H

#include "alm/value.h"

typedef enum alm_pace_kind {
    ALM_PACE_AMOUNT, // adds up over the horizon: revenue, homes that were raised
    ALM_PACE_STATE,  // what stands at the horizon's end counts: a stock, an area, a share
    ALM_PACE_RATE,   // is of the horizon itself and does not build up: growth, a rank
} alm_pace_kind;

// A number, what it is claimed to be, and what it may be.
typedef struct alm_pace_number {
    double number;
    alm_interval claim;    // published to the digit: the number itself; "over": from it on
    alm_interval interval; // with half a unit of the last published digit
    bool has;
} alm_pace_number;

alm_pace_number alm_pace_number_of(const alm_value *value);
// Is the number the lower end of what is claimed, or the upper one? Of exact numbers both.
static inline bool alm_pace_is_over(const alm_pace_number *it)
{
    return it->claim.lower == it->number;
}
static inline bool alm_pace_is_under(const alm_pace_number *it)
{
    return it->claim.upper == it->number;
}

// Target and values are in one unit.
typedef struct alm_pace_input {
    alm_pace_kind kind;
    bool is_ceiling;   // the target is not to be passed, less is better; else it is to be reached
    bool is_ratio;     // percent: it differs by points and does not grow
    bool is_of_a_year; // the horizon lies within one calendar year
    alm_pace_number target;       // a bound ("at least 5") is the number itself
    alm_pace_number actual;       // up to `elapsed`
    alm_pace_number base;         // STATE: what stood when the horizon began
    alm_pace_number part_before;  // AMOUNT of a year: a year earlier, up to the same period,
    alm_pace_number whole_before; // and the whole of that year
    uint32_t elapsed, periods;    // of the horizon, in periods of one frequency; 0 of 0: no actual
    uint32_t per_year;            // such periods in a year
} alm_pace_input;

// X(NAME, name): the name in messages, CSV and JSON.
//   ACTUAL    what was reached
//   LEFT      target - actual
//   TIME      elapsed / periods, percent
//   LINEAR    share of the target reached / share of the time gone; of a STATE of its way from base
//   SEASONAL  share of the target reached / share of the year before reached by then
//   RUN_RATE  what is left for each period that is left
//   GROWTH    AMOUNT: of the rest of the year on that of the year before; STATE: yearly; percent
//   EXPECTED  at the horizon's end, if it goes on as so far
#define ALM_PACE_FIGURE_MAP(X)                                                                     \
    X(ACTUAL, actual)                                                                              \
    X(LEFT, left)                                                                                  \
    X(TIME, time)                                                                                  \
    X(LINEAR, pace)                                                                                \
    X(SEASONAL, pace_seasonal)                                                                     \
    X(RUN_RATE, run_rate)                                                                          \
    X(GROWTH, growth_required)                                                                     \
    X(EXPECTED, expected)

typedef enum alm_pace_figure {
#define ALM_PACE_FIGURE_ENUM(name, member) ALM_PACE_##name,
    ALM_PACE_FIGURE_MAP(ALM_PACE_FIGURE_ENUM)
#undef ALM_PACE_FIGURE_ENUM
        ALM_PACE_FIGURE_COUNT
} alm_pace_figure;

// Why a figure has no number. X(NAME, text)
#define ALM_PACE_GAP_MAP(X)                                                                        \
    X(NONE, "")                                                                                    \
    X(TARGET, "the target has no number")                                                          \
    X(ACTUAL, "what was reached is not known")                                                     \
    X(POSITIVE, "the target is not positive")                                                      \
    X(FALLEN, "the value is not positive")                                                         \
    X(OVER, "the horizon is over")                                                                 \
    X(LEFT, "nothing is left")                                                                     \
    X(PASSED, "the limit is passed")                                                               \
    X(BASE, "the value before the horizon is not known")                                           \
    X(MET, "the value before the horizon met the target")                                          \
    X(BEFORE, "the year before is not known to the same period and in whole")                      \
    X(NOTHING, "nothing came of the year before to compare with")                                  \
    X(YEARS, "the horizon is not within a year")                                                   \
    X(AMOUNT, "it does not add up over time")                                                      \
    X(RATE, "it does not build up over time")                                                      \
    X(POINTS, "a ratio changes by points")                                                         \
    X(RANGE, "the number does not fit")

typedef enum alm_pace_gap {
#define ALM_PACE_GAP_ENUM(name, text) ALM_PACE_GAP_##name,
    ALM_PACE_GAP_MAP(ALM_PACE_GAP_ENUM)
#undef ALM_PACE_GAP_ENUM
        ALM_PACE_GAP_COUNT
} alm_pace_gap;
const char *alm_pace_gap_text(alm_pace_gap gap);

// Numbers are sent on the wire: never reuse one. X(NAME, number, code, zh, en)
#define ALM_PACE_VERDICT_MAP(X)                                                                    \
    X(NOT_KNOWN, 0, "not_known", "未知", "not known")                                              \
    X(REACHED, 1, "reached", "已达到", "reached")                                                  \
    X(ON_TRACK, 2, "on_track", "符合进度", "on track")                                             \
    X(BEHIND, 3, "behind", "滞后", "behind")                                                       \
    X(MISSED, 4, "missed", "未达到", "missed")

typedef enum alm_pace_verdict {
#define ALM_PACE_VERDICT_ENUM(name, number, code, zh, en) ALM_PACE_VERDICT_##name = number,
    ALM_PACE_VERDICT_MAP(ALM_PACE_VERDICT_ENUM)
#undef ALM_PACE_VERDICT_ENUM
} alm_pace_verdict;
const char *
alm_pace_verdict_code(alm_pace_verdict verdict); // "?" for a number that is none of ours
const char *alm_pace_verdict_label(alm_pace_verdict verdict, alm_lang lang);

// A pace within so much of 1 is on track.
#define ALM_PACE_TOLERANCE 0.05

typedef struct alm_pace {
    alm_pace_number figures[ALM_PACE_FIGURE_COUNT];
    alm_pace_gap gaps[ALM_PACE_FIGURE_COUNT]; // of those without a number
    alm_pace_verdict verdict;
    alm_pace_figure by; // LEFT: target and actual decided; LINEAR, SEASONAL: that pace did
} alm_pace;

alm_pace alm_pace_compute(const alm_pace_input *in);

#endif
