// A published value: number, unit, exactness and status; and the interval it stands for.
#ifndef ALM_VALUE_H
#define ALM_VALUE_H

#include "alm/decimal.h"
#include "alm/period.h"
#include "alm/status.h"
#include "alm/unit.h"

// All numbers below are stored on disk and sent on the wire: never reuse one.

// X(NAME, number, code, zh, en)
#define ALM_QUALIFIER_MAP(X)                                                                       \
    X(EXACT, 0, "exact", "", "")                                                                   \
    X(ABOUT, 1, "about", "约", "about")                                                            \
    X(MORE_THAN, 2, "more_than", "超", "over")                                                     \
    X(AT_LEAST, 3, "at_least", "不低于", "at least")                                               \
    X(LESS_THAN, 4, "less_than", "不足", "under")                                                  \
    X(AT_MOST, 5, "at_most", "不超过", "at most")                                                  \
    X(NEARLY, 6, "nearly", "近", "nearly")                                                         \
    X(PASSED_THRESHOLD, 7, "passed_threshold", "突破", "past")                                     \
    X(EXPECTED, 8, "expected", "预计", "expected")                                                 \
    X(LEADING, 9, "leading", "领先", "leading")                                                    \
    X(TOP_GROUP, 10, "top_group", "前列", "in the top group")
// LEADING and TOP_GROUP say something of a rank without a number.

typedef enum alm_qualifier {
#define ALM_QUALIFIER_ENUM(name, number, code, zh, en) ALM_QUALIFIER_##name = number,
    ALM_QUALIFIER_MAP(ALM_QUALIFIER_ENUM)
#undef ALM_QUALIFIER_ENUM
        ALM_QUALIFIER_COUNT
} alm_qualifier;

// SDMX CL_OBS_STATUS. X(NAME, number, letter, rank, English, zh, missing)
// rank: the status of a result is its inputs' highest rank. missing: the observation has no value.
#define ALM_OBS_STATUS_MAP(X)                                                                      \
    X(NORMAL, 0, 'A', 0, "normal", "", false)                                                      \
    X(PROVISIONAL, 1, 'P', 3, "provisional", "初步", false)                                        \
    X(ESTIMATED, 2, 'E', 4, "estimated", "估计", false)                                            \
    X(FORECAST, 3, 'F', 6, "forecast", "预测", false)                                              \
    X(BREAK, 4, 'B', 1, "break in series", "口径变动", false)                                      \
    X(IMPUTED, 5, 'I', 5, "imputed", "插补", false)                                                \
    X(DEFINITION, 6, 'D', 1, "definition differs", "定义不同", false)                              \
    X(UNRELIABLE, 7, 'U', 2, "low reliability", "可靠性低", false)                                 \
    X(MISSING, 8, 'M', 9, "missing, cannot exist", "不存在", true)                                 \
    X(MISSING_SUPPRESSED, 9, 'Q', 9, "missing, suppressed", "保密", true)                          \
    X(MISSING_UNSPECIFIED, 10, 'O', 9, "missing", "缺", true)                                      \
    X(MISSING_NOT_COLLECTED, 11, 'L', 9, "missing, not collected", "未收集", true)                 \
    X(WITHDRAWN, 12, 'W', 9, "withdrawn", "撤回", true)
// WITHDRAWN is ours: a vintage that takes back what its own source said.

typedef enum alm_obs_status {
#define ALM_OBS_STATUS_ENUM(name, number, letter, rank, en, zh, missing)                           \
    ALM_OBS_STATUS_##name = number,
    ALM_OBS_STATUS_MAP(ALM_OBS_STATUS_ENUM)
#undef ALM_OBS_STATUS_ENUM
        ALM_OBS_STATUS_COUNT
} alm_obs_status;

// Which statement about the indicator a series holds (the glossary's "measure").
// X(NAME, number, code, zh, en)
#define ALM_MEASURE_MAP(X)                                                                         \
    X(LEVEL, 1, "level", "水平", "level")                                                          \
    X(GROWTH_YOY, 2, "growth_yoy", "同比增长", "growth, year on year")                             \
    X(GROWTH_POP, 3, "growth_pop", "环比增长", "growth, period on period")                         \
    X(GROWTH_AVG, 4, "growth_avg", "年均增长", "average annual growth")                            \
    X(PP_CHANGE, 5, "pp_change", "百分点变化", "change in percentage points")                      \
    X(SHARE_OF, 6, "share_of", "占比", "share")                                                    \
    X(RANK, 7, "rank", "排名", "rank")                                                             \
    X(TARGET, 8, "target", "目标", "target")                                                       \
    X(COVERAGE, 9, "coverage", "覆盖率", "coverage")                                               \
    X(COUNT_OF_CHANGE, 10, "count_of_change", "新增", "new in the period")                         \
    X(CUMULATIVE_LEVEL, 11, "cumulative_level", "累计", "cumulative level")                        \
    X(CONTRIBUTION_PP, 12, "contribution_pp", "拉动", "contribution, points")                      \
    X(CONTRIBUTION_SHARE, 13, "contribution_share", "贡献率", "contribution, share")               \
    X(MILESTONE, 14, "milestone", "首创", "milestone")                                             \
    X(GROWTH_CUMULATIVE, 15, "growth_cumulative", "累计增长", "cumulative growth")                 \
    X(RATIO, 16, "ratio", "比值", "ratio")

typedef enum alm_measure {
    ALM_MEASURE_NONE = 0,
#define ALM_MEASURE_ENUM(name, number, code, zh, en) ALM_MEASURE_##name = number,
    ALM_MEASURE_MAP(ALM_MEASURE_ENUM)
#undef ALM_MEASURE_ENUM
} alm_measure;
#define ALM_MEASURE_NUMBER_MAX 16

// P: the period alone. C: from 1 January to the period's end.
typedef enum alm_accumulation {
    ALM_ACCUMULATION_NONE = 0,
    ALM_ACCUMULATION_PERIOD = 1,    // "P"
    ALM_ACCUMULATION_CUMULATIVE = 2 // "C"
} alm_accumulation;

// Codes and back. *_code, *_letter and *_label give "?" for a number that is none of ours; *_parse
// answers false for an unknown code. Statuses are one letter. ALM_OBS_STATUS_NORMAL is labelled
// "normal" in English and "" in Chinese, where nobody prints it.
const char *alm_qualifier_code(alm_qualifier q);
const char *alm_qualifier_label(alm_qualifier q, alm_lang lang); // 约 / about; "" for exact
ALM_MUST_USE bool alm_qualifier_parse(alm_str code, alm_qualifier *ret);
char alm_obs_status_letter(alm_obs_status s);
const char *alm_obs_status_label(alm_obs_status s, alm_lang lang);
ALM_MUST_USE bool alm_obs_status_parse(alm_str letter, alm_obs_status *ret);
bool alm_obs_status_missing(alm_obs_status s); // true also for a number that is none of ours
alm_obs_status alm_obs_status_worst(alm_obs_status a, alm_obs_status b); // a where ranks are equal
const char *alm_measure_code(alm_measure m);
const char *alm_measure_label(alm_measure m, alm_lang lang);
ALM_MUST_USE bool alm_measure_parse(alm_str code, alm_measure *ret);
const char *alm_accumulation_code(alm_accumulation a);
ALM_MUST_USE bool alm_accumulation_parse(alm_str code, alm_accumulation *ret);

// The dimension a measure's values must have, given the indicator's: growth, shares, coverage and
// ratios are ratios, pp_change and contribution_pp are points, rank is rank; a level, a cumulative
// level and what is new in the period are the indicator's own. NONE: any (targets, milestones).
alm_dimension alm_measure_dimension(alm_measure m, alm_dimension indicator);
// May the measure of an indicator kept in one unit be told in another?
bool alm_measure_takes_unit(alm_measure m, alm_unit indicator, alm_unit unit);

// A published number.
typedef struct alm_value {
    alm_decimal number; // in `unit`, with the digits that were published
    alm_unit unit;
    alm_qualifier qualifier;
    alm_obs_status status;
    bool has_number; // false: missing (see status), or a rank without a number (see qualifier)
} alm_value;

// The interval a value stands for, in the value's own unit. An open end is +-INFINITY.
//   exact             v -+ half a unit of the last published digit; v alone where things are
//   counted
//                     one by one: persons, visits, counts, ranks, ordinals, with neither decimals
//                     nor a multiplier (6100 家, but not 0.61 万家)
//   about             v -+ one unit of the last significant digit (trailing zeros of an integer are
//                     not significant: about 6,100 is [6000, 6200])
//   more_than, at_least, passed_threshold   [v, +inf)
//   less_than, at_most                      (-inf, v]
//   nearly            from one unit of the last significant digit nearer to zero up to v
//   expected          as exact
//   leading, top_group                      (-inf, +inf): the number is not what is claimed
// No number: (-inf, +inf).
typedef struct alm_interval {
    double lower, upper; // lower <= upper
} alm_interval;
alm_interval alm_value_interval(const alm_value *value);

// The same as it is, without rounding: how far the ends lie from the number, in tenths of
// 10^exponent.
typedef struct alm_reach {
    uint8_t below, above;
    int8_t exponent; // of the number, or of its last significant digit
    bool is_open_below, is_open_above;
} alm_reach;
alm_reach alm_value_reach(const alm_value *value);

// Is the number as exact as it is written, or a lower (an upper) bound?
bool alm_qualifier_is_over(alm_qualifier qualifier);
bool alm_qualifier_is_under(alm_qualifier qualifier);

// The number of a value in another unit: exact where a decimal can hold it, else rounded six digits
// past the last published one. A bound ("over") then gives way by one in the last of them, so that
// it stays true.
//
// ALM_INVALID_ARGUMENT  the units do not convert
// ALM_OUT_OF_RANGE      the number does not fit
ALM_MUST_USE alm_code alm_number_in_unit(const alm_value *value, alm_unit to, alm_decimal *ret,
                                         alm_status *st);

// Monotone interval arithmetic, ends rounded to the nearest double; division by an interval that
// holds 0 gives (-inf, +inf).
alm_interval alm_interval_add(alm_interval a, alm_interval b);
alm_interval alm_interval_sub(alm_interval a, alm_interval b);
alm_interval alm_interval_mul(alm_interval a, alm_interval b);
alm_interval alm_interval_div(alm_interval a, alm_interval b);
alm_interval alm_interval_scale(alm_interval a, double factor);

// What may be said of a computed value with this interval, computed from inputs of these
// qualifiers: exact if all were exact, more_than if only the upper end is open, less_than if only
// the lower end is, about otherwise.
alm_qualifier alm_interval_qualifier(alm_interval interval, bool all_exact);

// A value for people. The digits are those that were published: nothing is rescaled. The integer
// part is grouped by three.
//
//   zh  168.53 亿元   超 6,100 家   约 13%   1.2 个百分点   第 3 位   领先
//   en  168.53 (100 million yuan)   over 6,100   about 13%   1.2 pp   no. 3   leading
//
// In English a multiplier that is one word reads on (2.5 billion yuan); others stand in brackets
// behind the number, as in the heads of statistical tables, since 168.53 x 100 million has no
// English word and 16.853 billion is not what was published. A missing value is "—". out holds
// ALM_VALUE_TEXT_MAX bytes, NUL-terminated. Returns the length.
#define ALM_VALUE_TEXT_MAX 128
size_t alm_value_format(const alm_value *value, alm_lang lang, char *out);

#endif
