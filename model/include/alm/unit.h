// Units of measure: what is counted (a measure of some dimension) with a power of ten in front of
// it, perhaps per something else that is counted.
//
// 亿元 is {CNY, 8}, 万平方米 is {M2, 4}, 套 is {TAO, 0}, 元/人 is {CNY, 0, PERSONS, 0}, 吨标准煤/万元
// is {TCE, 0, CNY, 4}. A value is kept in the unit it was published in and converted when somebody
// asks; only units of one dimension convert, and quotients whose both parts do.
#ifndef ALM_UNIT_H
#define ALM_UNIT_H

#include "alm/decimal.h"
#include "alm/status.h"
#include "alm/str.h"

// Numbers are stored on disk and sent on the wire: never reuse one. X(NAME, number, name)
#define ALM_DIMENSION_MAP(X)                                                                       \
    X(CNY, 1, "yuan") /* money of one currency: currencies do not convert into each other */       \
    X(USD, 2, "US dollars")                                                                        \
    X(AREA, 3, "area")                                                                             \
    X(LENGTH, 4, "length")                                                                         \
    X(PERSONS, 5, "persons")                                                                       \
    X(VISITS, 6, "visits")            /* 人次 */                                                 \
    X(COUNT, 7, "count")              /* things counted, whatever the measure word */              \
    X(RATIO, 8, "ratio")              /* %, ‰, times */                                          \
    X(POINTS, 9, "percentage points") /* a difference of ratios, not a ratio */                    \
    X(INDEX, 10, "index")             /* base = 100 */                                             \
    X(RANK, 11, "rank")                                                                            \
    X(ORDINAL, 12, "ordinal") /* firsts and the like */                                            \
    X(MASS, 13, "mass")                                                                            \
    X(VOLUME, 14, "volume")                                                                        \
    X(ENERGY, 15, "energy")                                                                        \
    X(COAL, 16, "standard coal") /* energy as mass of standard coal */                             \
    X(POWER, 17, "power")                                                                          \
    X(APPARENT_POWER, 18, "apparent power")                                                        \
    X(AGE, 19, "age")           /* years lived */                                                  \
    X(QUOTIENT, 20, "quotient") /* one quantity per another; convertible tells two apart */

typedef enum alm_dimension {
    ALM_DIMENSION_NONE = 0,
#define ALM_DIMENSION_ENUM(name, number, text) ALM_DIMENSION_##name = number,
    ALM_DIMENSION_MAP(ALM_DIMENSION_ENUM)
#undef ALM_DIMENSION_ENUM
} alm_dimension;

// X(NAME, number, code, dimension, numerator, denominator, power of ten, zh, en)
// One of it is numerator/denominator x 10^power of the dimension's base. 亩 is 2000/3 m². Numbers
// are stored on disk and sent on the wire: never reuse one.
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
    X(HU, 19, "count_hu", COUNT, 1, 1, 0, "户", "households")                                      \
    X(JIAN, 20, "count_jian", COUNT, 1, 1, 0, "件", "")                                            \
    X(PERCENT, 21, "percent", RATIO, 1, 1, -2, "%", "%")                                           \
    X(PERMILLE, 22, "permille", RATIO, 1, 1, -3, "‰", "‰")                                         \
    X(TIMES, 23, "times", RATIO, 1, 1, 0, "倍", "times")                                           \
    X(PP, 24, "pp", POINTS, 1, 1, 0, "个百分点", "pp")                                             \
    X(INDEX, 25, "index", INDEX, 1, 1, 0, "", "")                                                  \
    X(RANK, 26, "rank", RANK, 1, 1, 0, "位", "")                                                   \
    X(ORDINAL, 27, "ordinal", ORDINAL, 1, 1, 0, "", "")                                            \
    X(RATIO, 28, "ratio", RATIO, 1, 1, 0, "", "")                                                  \
    X(KG, 29, "kg", MASS, 1, 1, 0, "千克", "kg")                                                   \
    X(TONNE, 30, "t", MASS, 1, 1, 3, "吨", "tonnes")                                               \
    X(M3, 31, "m3", VOLUME, 1, 1, 0, "立方米", "m³")                                               \
    X(KWH, 32, "kWh", ENERGY, 1, 1, 0, "千瓦时", "kWh")                                            \
    X(TCE, 33, "tce", COAL, 1, 1, 0, "吨标准煤", "tce")                                            \
    X(KW, 34, "kW", POWER, 1, 1, 0, "千瓦", "kW")                                                  \
    X(KVA, 35, "kVA", APPARENT_POWER, 1, 1, 0, "千伏安", "kVA")                                    \
    X(YEARS, 36, "years", AGE, 1, 1, 0, "岁", "years")                                             \
    X(CI, 37, "count_ci", COUNT, 1, 1, 0, "次", "")                                                \
    X(CHANG, 38, "count_chang", COUNT, 1, 1, 0, "场", "")                                          \
    X(SUO, 39, "count_suo", COUNT, 1, 1, 0, "所", "")                                              \
    X(TOU, 40, "count_tou", COUNT, 1, 1, 0, "头", "")                                              \
    X(ZHI, 41, "count_zhi", COUNT, 1, 1, 0, "只", "")                                              \
    X(YU, 42, "count_yu", COUNT, 1, 1, 0, "羽", "")                                                \
    X(TAI, 43, "count_tai", COUNT, 1, 1, 0, "台", "")                                              \
    X(LIANG, 44, "count_liang", COUNT, 1, 1, 0, "辆", "")                                          \
    X(TIAO, 45, "count_tiao", COUNT, 1, 1, 0, "条", "")                                            \
    X(FEN, 46, "count_fen", COUNT, 1, 1, 0, "份", "")                                              \
    X(DONG, 47, "count_dong", COUNT, 1, 1, 0, "栋", "")                                            \
    X(ROOM, 48, "count_room", COUNT, 1, 1, 0, "间", "")                                            \
    X(PI, 49, "count_pi", COUNT, 1, 1, 0, "批", "")                                                \
    X(CE, 50, "count_ce", COUNT, 1, 1, 0, "册", "")                                                \
    X(DUI, 51, "count_dui", COUNT, 1, 1, 0, "对", "")                                              \
    X(QI, 52, "count_qi", COUNT, 1, 1, 0, "起", "")                                                \
    X(ZHU, 53, "count_zhu", COUNT, 1, 1, 0, "株", "")

typedef enum alm_measure_unit {
    ALM_MEASURE_UNIT_NONE = 0,
#define ALM_MEASURE_UNIT_ENUM(name, number, code, dim, num, den, power, zh, en)                    \
    ALM_MEASURE_UNIT_##name = number,
    ALM_MEASURE_UNIT_MAP(ALM_MEASURE_UNIT_ENUM)
#undef ALM_MEASURE_UNIT_ENUM
} alm_measure_unit;

// A value. Zero-initialised it is "no unit". Ratios, points, indices, ranks and ordinals take no
// multiplier and stand in no quotient.
typedef struct alm_unit {
    uint8_t measure; // alm_measure_unit
    int8_t mult;     // SDMX UNIT_MULT: -9 .. 12
    uint8_t per;     // alm_measure_unit of what it is per, of another dimension unless both are
                     // things counted; NONE: no quotient
    int8_t per_mult; // 0 .. 12: 张/千人
} alm_unit;

#define ALM_UNIT_PERCENT  ((alm_unit){.measure = ALM_MEASURE_UNIT_PERCENT})

#define ALM_UNIT_MULT_MIN (-9)
#define ALM_UNIT_MULT_MAX 12
#define ALM_UNIT_TEXT_MAX 96

// Accepts the code with an optional multiplier ("CNY", "CNY_E8", "m2_E4"), the Chinese form with
// its multiplier (亿元, 万亿元, 万平方米, 万套, 万人次, 个百分点), common English forms ("100
// million CNY", "10k m2", "%", "percentage points", "million" of a plain count), what
// alm_unit_label writes, and well-known aliases (㎡, 平方千米, 人民币, RMB, hectare, ％). White
// space around it is ignored; ASCII letters in any case, but codes with a multiplier as they are
// spelled. A Chinese multiplier with nothing behind it (万) is no unit. Two of these with "/" or
// " per " between are a quotient: 元/人, 张/千人, "yuan per person", CNY/persons_E4.
//
// ALM_NOT_FOUND  unknown, a multiplier it cannot have, or no quotient that makes sense; the message
//                names it and, where one is near, the nearest known one
ALM_MUST_USE alm_code alm_unit_parse(alm_str text, alm_unit *ret, alm_status *st);

// The one code form: "CNY_E8"; "CNY" when mult is 0; "CNY/persons_E4"; "" for no unit.
// parse(code(u)) == u. out holds ALM_UNIT_TEXT_MAX bytes, NUL-terminated. Returns the length.
size_t alm_unit_code(alm_unit unit, char *out);

// For people: zh "亿元", "万套", "元/人"; en "100 million yuan", "yuan/persons" (measure words have
// no English: 家 is "", 万家 "10 thousand"; behind "/" they stand in Chinese). Multipliers below 1
// have no word: "×10^-3 元". Read back, a label is a unit of the same size: 千米 is 公里.
typedef enum alm_lang { ALM_LANG_ZH, ALM_LANG_EN } alm_lang;
size_t alm_unit_label(alm_unit unit, alm_lang lang, char *out);

bool alm_unit_valid(alm_unit unit); // for units that came from a wire or a disk
                                    // functions other than _eq assert it, or no unit
bool alm_unit_eq(alm_unit a, alm_unit b);
alm_dimension alm_unit_dimension(alm_unit unit);         // NONE for no unit
const char *alm_dimension_name(alm_dimension dimension); // "area"; "none"; "?" for a stranger
bool alm_unit_convertible(alm_unit a, alm_unit b);       // units of one dimension

// The power of ten of one of it, of those in its name: 8 for 亿元, -3 for 张/千人.
static inline int alm_unit_power(alm_unit unit)
{
    return unit.mult - unit.per_mult;
}

// A number of 32 bits, on disk and on the wire: measure, mult, per, per_mult, the lowest first.
static inline uint32_t alm_unit_pack(alm_unit unit)
{
    return unit.measure | (uint32_t)(uint8_t)unit.mult << 8 | (uint32_t)unit.per << 16 |
           (uint32_t)(uint8_t)unit.per_mult << 24;
}
// Of any number; the unit may be none or not valid.
static inline alm_unit alm_unit_unpack(uint32_t packed)
{
    return (alm_unit){.measure = (uint8_t)packed,
                      .mult = (int8_t)(uint8_t)(packed >> 8),
                      .per = (uint8_t)(packed >> 16),
                      .per_mult = (int8_t)(uint8_t)(packed >> 24)};
}

// The value in another unit, exact. Powers of ten move the exponent and keep every digit: 168.53
// 亿元 is {16853, 2} 万元.
//
// ALM_INVALID_ARGUMENT  different dimensions; the message names both units and dimensions
// ALM_OUT_OF_RANGE      the result has no exact decimal of 18 digits (1 m² in 亩 has, 1 亩 in m²
// has
//                       not): use alm_unit_convert_round
ALM_MUST_USE alm_code alm_unit_convert(alm_decimal value, alm_unit from, alm_unit to,
                                       alm_decimal *ret, alm_status *st);

// As above where that is exact (the result may be finer than exponent); otherwise rounded half to
// even to the given exponent. *ret_exact tells which. ALM_OUT_OF_RANGE: does not fit even so.
ALM_MUST_USE alm_code alm_unit_convert_round(alm_decimal value, alm_unit from, alm_unit to,
                                             int exponent, alm_decimal *ret, bool *ret_exact,
                                             alm_status *st);

// One `from` in `to`, as the nearest double; the units convert into each other (asserted).
double alm_unit_factor(alm_unit from, alm_unit to);

#endif
