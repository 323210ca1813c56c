// Units of measure: what is counted (a measure of some dimension) and a power of ten in front of
// it.
//
// 亿元 is {CNY, 8}, 万平方米 is {M2, 4}, 套 is {TAO, 0}. A value is kept in the unit it was
// published in and converted when somebody asks; only units of one dimension convert.
#ifndef ALM_UNIT_H
#define ALM_UNIT_H

#include "alm/decimal.h"
#include "alm/status.h"
#include "alm/str.h"

// Numbers are stored on disk and sent on the wire: never reuse one.
typedef enum alm_dimension {
    ALM_DIMENSION_NONE = 0,
    ALM_DIMENSION_CNY, // money of one currency: currencies do not convert into each other
    ALM_DIMENSION_USD,
    ALM_DIMENSION_AREA,
    ALM_DIMENSION_LENGTH,
    ALM_DIMENSION_PERSONS,
    ALM_DIMENSION_VISITS, // 人次
    ALM_DIMENSION_COUNT,  // things counted, whatever the measure word
    ALM_DIMENSION_RATIO,  // %, ‰, times
    ALM_DIMENSION_POINTS, // percentage points: a difference of ratios, not a ratio
    ALM_DIMENSION_INDEX,  // base = 100
    ALM_DIMENSION_RANK,
    ALM_DIMENSION_ORDINAL, // firsts and the like
} alm_dimension;

// X(NAME, number, code, dimension, numerator, denominator, power of ten, zh, en)
// One of it is numerator/denominator x 10^power of the dimension's base. 亩 is 2000/3 m².
#define ALM_MEASURE_UNIT_MAP(X)                                                                    \
    X(CNY, 1, "CNY", CNY, 1, 1, 0, "元", "yuan")                                                   \
    X(USD, 2, "USD", USD, 1, 1, 0, "美元", "US dollars")                                           \
    X(M2, 3, "m2", AREA, 1, 1, 0, "平方米", "m²")                                                  \
    X(HA, 4, "ha", AREA, 1, 1, 4, "公顷", "ha")                                                    \
    X(KM2, 5, "km2", AREA, 1, 1, 6, "平方公里", "km²")                                             \
    X(MU, 6, "mu", AREA, 2, 3, 3, "亩", "mu")                                                      \
    X(M, 7, "m", LENGTH, 1, 1, 0, "米", "m")                                                       \
    X(KM, 8, "km", LENGTH, 1, 1, 3, "公里", "km")                                                  \
    X(PERSONS, 9, "persons", PERSONS, 1, 1, 0, "人", "persons")                                    \
    X(VISITS, 10, "visits", VISITS, 1, 1, 0, "人次", "visits")                                     \
    X(COUNT, 11, "count", COUNT, 1, 1, 0, "个", "")                                                \
    X(JIA, 12, "count_jia", COUNT, 1, 1, 0, "家", "")                                              \
    X(TAO, 13, "count_tao", COUNT, 1, 1, 0, "套", "")                                              \
    X(ZHUANG, 14, "count_zhuang", COUNT, 1, 1, 0, "幢", "")                                        \
    X(XIANG, 15, "count_xiang", COUNT, 1, 1, 0, "项", "")                                          \
    X(CHU, 16, "count_chu", COUNT, 1, 1, 0, "处", "")                                              \
    X(ZUO, 17, "count_zuo", COUNT, 1, 1, 0, "座", "")                                              \
    X(ZHANG, 18, "count_zhang", COUNT, 1, 1, 0, "张", "")                                          \
    X(HU, 19, "count_hu", COUNT, 1, 1, 0, "户", "")                                                \
    X(JIAN, 20, "count_jian", COUNT, 1, 1, 0, "件", "")                                            \
    X(PERCENT, 21, "percent", RATIO, 1, 1, -2, "%", "%")                                           \
    X(PERMILLE, 22, "permille", RATIO, 1, 1, -3, "‰", "‰")                                         \
    X(TIMES, 23, "times", RATIO, 1, 1, 0, "倍", "times")                                           \
    X(PP, 24, "pp", POINTS, 1, 1, 0, "百分点", "pp")                                               \
    X(INDEX, 25, "index", INDEX, 1, 1, 0, "", "")                                                  \
    X(RANK, 26, "rank", RANK, 1, 1, 0, "位", "")                                                   \
    X(ORDINAL, 27, "ordinal", ORDINAL, 1, 1, 0, "", "")                                            \
    X(RATIO, 28, "ratio", RATIO, 1, 1, 0, "", "")

typedef enum alm_measure_unit {
    ALM_MEASURE_UNIT_NONE = 0,
#define ALM_MEASURE_UNIT_ENUM(name, number, code, dim, num, den, power, zh, en)                    \
    ALM_MEASURE_UNIT_##name = number,
    ALM_MEASURE_UNIT_MAP(ALM_MEASURE_UNIT_ENUM)
#undef ALM_MEASURE_UNIT_ENUM
} alm_measure_unit;

// A value; 2 bytes on the wire. Zero-initialised it is "no unit".
typedef struct alm_unit {
    uint8_t measure; // alm_measure_unit
    int8_t mult;     // SDMX UNIT_MULT: -9 .. 12
} alm_unit;

#define ALM_UNIT_MULT_MIN (-9)
#define ALM_UNIT_MULT_MAX 12
#define ALM_UNIT_TEXT_MAX 48

// Accepts the code with an optional multiplier ("CNY", "CNY_E8", "m2_E4"), the Chinese form with
// its multiplier (亿元, 万亿元, 万平方米, 万套, 万人次, 个百分点), common English forms ("100
// million CNY", "10k m2", "%", "percentage points") and well-known aliases (㎡, 平方千米, 人民币,
// RMB, hectare). ASCII letters in any case for the English forms; codes as they are spelled.
//
// ALM_NOT_FOUND  unknown; the message names it and, where one is near, the nearest known one
ALM_MUST_USE alm_code alm_unit_parse(alm_str text, alm_unit *ret, alm_status *st);

// The one code form: "CNY_E8"; "CNY" when mult is 0. parse(code(u)) == u.
// out holds ALM_UNIT_TEXT_MAX bytes, NUL-terminated. Returns the length.
size_t alm_unit_code(alm_unit unit, char *out);

// For people: zh "亿元", "万套"; en "100 million yuan" ("" for a plain count). Multipliers that
// have no word are written x10^n.
typedef enum alm_lang { ALM_LANG_ZH, ALM_LANG_EN } alm_lang;
size_t alm_unit_label(alm_unit unit, alm_lang lang, char *out);

bool alm_unit_valid(alm_unit unit); // for units that came from a wire or a disk
bool alm_unit_eq(alm_unit a, alm_unit b);
alm_dimension alm_unit_dimension(alm_unit unit);
const char *alm_dimension_name(alm_dimension dimension); // "area"
bool alm_unit_convertible(alm_unit a, alm_unit b);

// The value in another unit, exact. *ret keeps all digits (exponents add up).
//
// ALM_INVALID_ARGUMENT  different dimensions; the message names both units and dimensions
// ALM_OUT_OF_RANGE      the result has no exact decimal of 18 digits (亩 into m² of 1/3): use
//                       alm_unit_convert_round
ALM_MUST_USE alm_code alm_unit_convert(alm_decimal value, alm_unit from, alm_unit to,
                                       alm_decimal *ret, alm_status *st);

// As above, rounded half to even to the given exponent where it is not exact; *ret_exact tells.
ALM_MUST_USE alm_code alm_unit_convert_round(alm_decimal value, alm_unit from, alm_unit to,
                                             int exponent, alm_decimal *ret, bool *ret_exact,
                                             alm_status *st);

#endif
