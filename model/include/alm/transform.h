// Transforms: what a question may ask to be computed of a series, in words.
//
//   rollup  target      over the place tree; progress towards stored targets
//   to:Q  to:A/avg      another frequency; without a method as the indicator adds up over time
//   to:P  to:C          of the period alone, or from the year's start
//   constant:2020  deflator:2020        at prices of a year, by growth at constant prices; what
//                       prices did since, the year being 100
//   share  share:tax_revenue  share:@310000    of the parent place, or of what is named, percent
//   chg ch1 pch pc1 pca cch cca log lin      change and growth, FRED's nine
//   chy pcy cagr:2      against the end of last year; average growth over years
//   contribution_pp contribution_share    to the growth of the parent place, or of what is named
//   index:2015          the base period is 100
//   ma:3                moving average of the newest three periods
//   rank  rank:310000/**@district  percentile    among the places of the same parent and level,
//                       or those that are named
//
// Each belongs to a stage, and stages are applied in the order of alm_stage, whichever order the
// words come in: a question has one of each stage at most. docs/TRANSFORMS.md defines them.
#ifndef ALM_TRANSFORM_H
#define ALM_TRANSFORM_H

#include "alm/buf.h"
#include "alm/value.h"

typedef enum alm_stage {
    ALM_STAGE_PLACES,
    ALM_STAGE_FREQUENCY,
    ALM_STAGE_ACCUMULATION,
    ALM_STAGE_PRICES,
    ALM_STAGE_RATIO,
    ALM_STAGE_CHANGE,
    ALM_STAGE_INDEX,
    ALM_STAGE_AVERAGE,
    ALM_STAGE_RANK,
    ALM_STAGE_COUNT
} alm_stage;

// What follows the word behind a colon.
typedef enum alm_transform_argument {
    ALM_ARGUMENT_NONE,
    ALM_ARGUMENT_COUNT,        // a whole number
    ALM_ARGUMENT_PERIOD,       // a label
    ALM_ARGUMENT_YEAR,         // the label of a year
    ALM_ARGUMENT_FREQUENCY,    // a letter, perhaps with "/method"
    ALM_ARGUMENT_ACCUMULATION, // P or C
    ALM_ARGUMENT_PLACES,       // a place expression, or nothing
    ALM_ARGUMENT_WHOLE,        // INDICATOR, @PLACE or INDICATOR@PLACE, or nothing
} alm_transform_argument;

// X(NAME, word, stage, argument, formula in zh, in en)
#define ALM_TRANSFORM_MAP(X)                                                                       \
    X(ROLLUP, "rollup", PLACES, NONE, "由下级地区得出", "made of the places below")                \
    X(TARGET, "target", PLACES, NONE, "完成值 / 目标值 x 100", "reached / planned x 100")          \
    X(TO_FREQUENCY, "to", FREQUENCY, FREQUENCY, "由期内各期得出",                                  \
      "made of the parts of the period")                                                           \
    X(TO_ACCUMULATION, "to", ACCUMULATION, ACCUMULATION, "由年初累计值得出",                       \
      "made of the values from the year's start")                                                  \
    X(CONSTANT, "constant", PRICES, YEAR, "基年值 x 此后按可比价的增长",                           \
      "value of the base year x growth at constant prices since")                                  \
    X(DEFLATOR, "deflator", PRICES, YEAR, "现价值 / 可比价值 x 100",                               \
      "value / value at constant prices x 100")                                                    \
    X(SHARE, "share", RATIO, WHOLE, "本值 / 总体值 x 100", "value / value of the whole x 100")     \
    X(LIN, "lin", CHANGE, NONE, "本值", "value")                                                   \
    X(CHG, "chg", CHANGE, NONE, "本期 - 上期", "value - value one period earlier")                 \
    X(CH1, "ch1", CHANGE, NONE, "本期 - 上年同期", "value - value one year earlier")               \
    X(PCH, "pch", CHANGE, NONE, "(本期 / 上期 - 1) x 100",                                         \
      "(value / value one period earlier - 1) x 100")                                              \
    X(PC1, "pc1", CHANGE, NONE, "(本期 / 上年同期 - 1) x 100",                                     \
      "(value / value one year earlier - 1) x 100")                                                \
    X(PCA, "pca", CHANGE, NONE, "((本期 / 上期)^(年内期数) - 1) x 100",                            \
      "((value / value one period earlier)^(periods a year) - 1) x 100")                           \
    X(CCH, "cch", CHANGE, NONE, "(ln 本期 - ln 上期) x 100",                                       \
      "(ln value - ln value one period earlier) x 100")                                            \
    X(CCA, "cca", CHANGE, NONE, "(ln 本期 - ln 上期) x 100 x 年内期数",                            \
      "(ln value - ln value one period earlier) x 100 x periods a year")                           \
    X(LOG, "log", CHANGE, NONE, "ln 本期", "ln value")                                             \
    X(CHY, "chy", CHANGE, NONE, "本期 - 上年末", "value - value at the end of last year")          \
    X(PCY, "pcy", CHANGE, NONE, "(本期 / 上年末 - 1) x 100",                                       \
      "(value / value at the end of last year - 1) x 100")                                         \
    X(CAGR, "cagr", CHANGE, COUNT, "((本期 / 若干年前)^(1 / 年数) - 1) x 100",                     \
      "((value / value so many years earlier)^(1 / years) - 1) x 100")                             \
    X(CONTRIBUTION_PP, "contribution_pp", CHANGE, WHOLE, "(本期 - 上年同期) / 总体上年同期 x 100", \
      "(value - value one year earlier) / the whole's value one year earlier x 100")               \
    X(CONTRIBUTION_SHARE, "contribution_share", CHANGE, WHOLE,                                     \
      "(本期 - 上年同期) / (总体本期 - 总体上年同期) x 100",                                       \
      "(value - value one year earlier) / (the whole's - the whole's one year earlier) x 100")     \
    X(INDEX, "index", INDEX, PERIOD, "本期 / 基期平均 x 100",                                      \
      "value / average of the base period x 100")                                                  \
    X(MA, "ma", AVERAGE, COUNT, "最近各期的平均", "average of the newest periods")                 \
    X(RANK, "rank", RANK, PLACES, "在同类地区中的位次", "rank among the peers")                    \
    X(PERCENTILE, "percentile", RANK, PLACES, "差于本地区者 / 其他地区 x 100",                     \
      "peers that are worse / other peers x 100")

typedef enum alm_transform_op {
    ALM_TRANSFORM_NONE = 0,
#define ALM_TRANSFORM_ENUM(name, word, stage, argument, zh, en) ALM_TRANSFORM_##name,
    ALM_TRANSFORM_MAP(ALM_TRANSFORM_ENUM)
#undef ALM_TRANSFORM_ENUM
} alm_transform_op;

// How the values of a period's parts make its own: their sum, their average, the value at the
// period's end, the lowest, the highest. X(NAME, word)
#define ALM_METHOD_MAP(X)                                                                          \
    X(SUM, "sum")                                                                                  \
    X(AVG, "avg")                                                                                  \
    X(EOP, "eop")                                                                                  \
    X(MIN, "min")                                                                                  \
    X(MAX, "max")
typedef enum alm_method {
    ALM_METHOD_NONE = 0, // not said
#define ALM_METHOD_ENUM(name, word) ALM_METHOD_##name,
    ALM_METHOD_MAP(ALM_METHOD_ENUM)
#undef ALM_METHOD_ENUM
} alm_method;
const char *alm_method_word(alm_method method);

// A value; zero-initialised it is none.
typedef struct alm_transform {
    alm_transform_op op;
    uint32_t count;                // CAGR: years; MA: periods
    alm_period base;               // INDEX; CONSTANT and DEFLATOR: a year
    alm_freq freq;                 // TO_FREQUENCY
    alm_method method;             // TO_FREQUENCY
    alm_accumulation accumulation; // TO_ACCUMULATION
    // Words; views into what was parsed.
    alm_str whole;       // SHARE and contributions: an indicator; empty: the same
    alm_str whole_place; // likewise: a place. Both empty: the same indicator at the parent place
    alm_str places;      // RANK, PERCENTILE: an expression; empty: siblings
} alm_transform;

#define ALM_TRANSFORM_COUNT_MAX 1000 // the largest N of ma:N and cagr:N

// One of each stage; op NONE where it is not asked.
typedef struct alm_transforms {
    alm_transform of[ALM_STAGE_COUNT];
} alm_transforms;

// One word with its argument. Also taken: growth and yoy for pc1, pop for pch.
//
// ALM_INVALID_ARGUMENT  an unknown word, suggesting the nearest; an argument that is missing,
//                       malformed or too much
// ALM_OUT_OF_RANGE      a count outside 1..ALM_TRANSFORM_COUNT_MAX; a base that does not exist
ALM_MUST_USE alm_code alm_transform_parse(alm_str text, alm_transform *ret, alm_status *st);

// Appends the one text that parses to it: "to:A/avg", "pc1".
void alm_transform_format(const alm_transform *transform, alm_buf *buf);

// Takes one more into a list.
//
// ALM_INVALID_ARGUMENT  the stage is taken; names both
ALM_MUST_USE alm_code alm_transforms_add(alm_transforms *list, const alm_transform *transform,
                                         alm_status *st);
// Is what comes out in the unit of what goes in?
bool alm_transforms_keep_unit(const alm_transforms *list);
bool alm_transforms_empty(const alm_transforms *list);
// Appends them in the order of stages with a blank between; nothing for none.
void alm_transforms_format(const alm_transforms *list, alm_buf *buf);

alm_stage alm_transform_stage(alm_transform_op op);
bool alm_transform_has_whole(alm_transform_op op);                     // shares and contributions
const char *alm_transform_formula(alm_transform_op op, alm_lang lang); // of one value

#endif
