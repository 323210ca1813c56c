#include "alm/unit.h"

#include "unit_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const alm_unit_row alm_unit_rows[] = {
#define UNIT_ROW(name, number, c, dim, n, d, p, z, e)                                              \
    [ALM_MEASURE_UNIT_##name] = {.code = c,                                                        \
                                 .zh = z,                                                          \
                                 .en = e,                                                          \
                                 .dimension = ALM_DIMENSION_##dim,                                 \
                                 .num = n,                                                         \
                                 .den = d,                                                         \
                                 .power = p},
    ALM_MEASURE_UNIT_MAP(UNIT_ROW)
#undef UNIT_ROW
};
const size_t alm_unit_row_count = ALM_ARRAY_LEN(alm_unit_rows);

const alm_multiplier_row alm_multiplier_rows[ALM_UNIT_MULT_MAX + 1] = {
    {"", "", true},
    {"十", "ten", false},
    {"百", "hundred", false},
    {"千", "thousand", true},
    {"万", "10 thousand", false},
    {"十万", "100 thousand", false},
    {"百万", "million", true},
    {"千万", "10 million", false},
    {"亿", "100 million", false},
    {"十亿", "billion", true},
    {"百亿", "10 billion", false},
    {"千亿", "100 billion", false},
    {"万亿", "trillion", true},
};

const alm_unit_row *alm_unit_row_of(uint8_t measure)
{
    if (measure >= alm_unit_row_count || alm_unit_rows[measure].code == NULL) {
        return NULL;
    }
    return &alm_unit_rows[measure];
}

bool alm_dimension_takes_multiplier(alm_dimension dimension)
{
    switch (dimension) {
    case ALM_DIMENSION_RATIO:
    case ALM_DIMENSION_POINTS:
    case ALM_DIMENSION_INDEX:
    case ALM_DIMENSION_RANK:
    case ALM_DIMENSION_ORDINAL:
        return false;
    default:
        return true;
    }
}

static bool is_part_valid(uint8_t measure, int mult, int mult_min, bool must_count)
{
    const alm_unit_row *row = alm_unit_row_of(measure);
    if (row == NULL || mult < mult_min || mult > ALM_UNIT_MULT_MAX) {
        return false;
    }
    return (mult == 0 && !must_count) || alm_dimension_takes_multiplier(row->dimension);
}

static bool is_quotient(alm_unit unit)
{
    return unit.per != ALM_MEASURE_UNIT_NONE;
}

static alm_dimension dimension_of(uint8_t measure)
{
    return alm_unit_row_of(measure)->dimension;
}

// Quantities of one dimension make a ratio; things counted are of many kinds: 辆/百户.
static bool may_be_per(uint8_t measure, uint8_t per)
{
    alm_dimension dimension = dimension_of(measure);
    return dimension != dimension_of(per) || (dimension == ALM_DIMENSION_COUNT && measure != per);
}

bool alm_unit_valid(alm_unit unit)
{
    if (!is_part_valid(unit.measure, unit.mult, ALM_UNIT_MULT_MIN, is_quotient(unit))) {
        return false;
    }
    if (!is_quotient(unit)) {
        return unit.per_mult == 0;
    }
    return is_part_valid(unit.per, unit.per_mult, 0, true) && may_be_per(unit.measure, unit.per);
}

bool alm_unit_eq(alm_unit a, alm_unit b)
{
    return alm_unit_pack(a) == alm_unit_pack(b);
}

static bool is_none(alm_unit unit)
{
    return unit.measure == ALM_MEASURE_UNIT_NONE;
}

alm_dimension alm_unit_dimension(alm_unit unit)
{
    ALM_ASSERT(is_none(unit) || alm_unit_valid(unit));
    return is_none(unit)       ? ALM_DIMENSION_NONE
           : is_quotient(unit) ? ALM_DIMENSION_QUOTIENT
                               : dimension_of(unit.measure);
}

const char *alm_dimension_name(alm_dimension dimension)
{
    switch (dimension) {
#define NAME_CASE(name, number, text)                                                              \
    case ALM_DIMENSION_##name:                                                                     \
        return text;
        ALM_DIMENSION_MAP(NAME_CASE)
#undef NAME_CASE
    case ALM_DIMENSION_NONE:
        return "none";
    }
    return "?";
}

bool alm_unit_convertible(alm_unit a, alm_unit b)
{
    if (is_none(a) || alm_unit_dimension(a) != alm_unit_dimension(b)) {
        return false;
    }
    return !is_quotient(a) || (dimension_of(a.measure) == dimension_of(b.measure) &&
                               dimension_of(a.per) == dimension_of(b.per));
}

// ----- Text --------------------------------------------------------------------------------------

static void put_text(char *out, const char *text)
{
    size_t len = strlen(out);
    size_t more = strlen(text);
    ALM_ASSERT(len + more < ALM_UNIT_TEXT_MAX);
    memcpy(out + len, text, more + 1);
}

static void put_code(char *out, uint8_t measure, int mult)
{
    put_text(out, alm_unit_row_of(measure)->code);
    if (mult != 0) {
        char power[16];
        (void)snprintf(power, sizeof power, "_E%d", mult);
        put_text(out, power);
    }
}

size_t alm_unit_code(alm_unit unit, char *out)
{
    ALM_ASSERT(is_none(unit) || alm_unit_valid(unit));
    out[0] = '\0';
    if (!is_none(unit)) {
        put_code(out, unit.measure, unit.mult);
    }
    if (is_quotient(unit)) {
        put_text(out, "/");
        put_code(out, unit.per, unit.per_mult);
    }
    return strlen(out);
}

static void put_label(char *out, const char *name, int mult, alm_lang lang)
{
    bool has_gap = name[0] != '\0' && (mult < 0 || (mult > 0 && lang == ALM_LANG_EN));
    if (mult < 0) {
        char power[16];
        (void)snprintf(power, sizeof power, "×10^%d", mult);
        put_text(out, power);
    } else {
        const alm_multiplier_row *row = &alm_multiplier_rows[mult];
        put_text(out, lang == ALM_LANG_ZH ? row->zh : row->en);
    }
    put_text(out, has_gap ? " " : "");
    put_text(out, name);
}

size_t alm_unit_label(alm_unit unit, alm_lang lang, char *out)
{
    ALM_ASSERT(is_none(unit) || alm_unit_valid(unit));
    out[0] = '\0';
    if (!is_none(unit)) {
        const alm_unit_row *row = alm_unit_row_of(unit.measure);
        put_label(out, lang == ALM_LANG_ZH ? row->zh : row->en, unit.mult, lang);
    }
    if (is_quotient(unit)) {
        const alm_unit_row *per = alm_unit_row_of(unit.per);
        bool is_zh = lang == ALM_LANG_ZH || per->en[0] == '\0';
        put_text(out, "/");
        put_label(out, is_zh ? per->zh : per->en, unit.per_mult, lang);
    }
    return strlen(out);
}

// ----- Conversion --------------------------------------------------------------------------------

// One `from` is num/den x 10^power `to`.
typedef struct factor {
    int num;
    int den;
    int power;
} factor;

static int greatest_common_divisor(int a, int b)
{
    while (b != 0) {
        int rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static alm_code factor_between(alm_unit from, alm_unit to, factor *ret, alm_status *st)
{
    ALM_ASSERT(alm_unit_valid(from));
    ALM_ASSERT(alm_unit_valid(to));
    if (!alm_unit_convertible(from, to)) {
        char from_code[ALM_UNIT_TEXT_MAX];
        char to_code[ALM_UNIT_TEXT_MAX];
        alm_unit_code(from, from_code);
        alm_unit_code(to, to_code);
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%s (%s) does not convert into %s (%s)",
                              from_code, alm_dimension_name(alm_unit_dimension(from)), to_code,
                              alm_dimension_name(alm_unit_dimension(to)));
    }
    const alm_unit_row *a = alm_unit_row_of(from.measure);
    const alm_unit_row *b = alm_unit_row_of(to.measure);
    factor by = {.num = a->num * b->den,
                 .den = a->den * b->num,
                 .power = a->power - b->power + alm_unit_power(from) - alm_unit_power(to)};
    if (is_quotient(from)) {
        const alm_unit_row *per_a = alm_unit_row_of(from.per);
        const alm_unit_row *per_b = alm_unit_row_of(to.per);
        by.num *= per_a->den * per_b->num;
        by.den *= per_a->num * per_b->den;
        by.power += per_b->power - per_a->power;
    }
    int common = greatest_common_divisor(by.num, by.den);
    *ret = (factor){by.num / common, by.den / common, by.power};
    return ALM_OK;
}

// The exact product with as few digits as it has. False: it has no decimal of 18 digits.
static bool apply_exactly(alm_decimal value, factor by, alm_decimal *ret)
{
    ALM_ASSERT(by.den != 0);
    __int128 digits = (__int128)value.mantissa * by.num;
    while (digits % by.den != 0 && by.den % 2 == 0) {
        digits *= 5; // one half is five tenths
        by.den /= 2;
        by.power--;
    }
    if (digits % by.den != 0) {
        return false;
    }
    digits /= by.den;
    while ((digits > ALM_DECIMAL_MANTISSA_MAX || digits < -ALM_DECIMAL_MANTISSA_MAX) &&
           digits % 10 == 0) {
        digits /= 10;
        by.power++;
    }
    if (digits > ALM_DECIMAL_MANTISSA_MAX || digits < -ALM_DECIMAL_MANTISSA_MAX) {
        return false;
    }
    value.mantissa = (int64_t)digits;
    return alm_decimal_shift(value, by.power, ret, NULL) == ALM_OK;
}

alm_code alm_unit_convert(alm_decimal value, alm_unit from, alm_unit to, alm_decimal *ret,
                          alm_status *st)
{
    factor by;
    ALM_TRY(factor_between(from, to, &by, st));
    if (!apply_exactly(value, by, ret)) {
        char number[ALM_DECIMAL_TEXT_MAX];
        char from_code[ALM_UNIT_TEXT_MAX];
        char to_code[ALM_UNIT_TEXT_MAX];
        alm_decimal_format(value, 0, number);
        alm_unit_code(from, from_code);
        alm_unit_code(to, to_code);
        return alm_status_set(st, ALM_OUT_OF_RANGE, "%s %s in %s has no exact decimal of 18 digits",
                              number, from_code, to_code);
    }
    return ALM_OK;
}

alm_code alm_unit_convert_round(alm_decimal value, alm_unit from, alm_unit to, int exponent,
                                alm_decimal *ret, bool *ret_exact, alm_status *st)
{
    factor by;
    ALM_TRY(factor_between(from, to, &by, st));
    bool exact = apply_exactly(value, by, ret);
    if (!exact) {
        ALM_TRY(alm_decimal_scale_shift(value, by.num, by.den, by.power, exponent, ret, st));
    }
    *ret_exact = exact;
    return ALM_OK;
}

double alm_unit_factor(alm_unit from, alm_unit to)
{
    ALM_ASSERT(alm_unit_convertible(from, to));
    alm_unit one_from = {.measure = from.measure, .per = from.per};
    alm_unit one_to = {.measure = to.measure, .per = to.per};
    alm_decimal one = {1, 0};
    alm_decimal scaled;
    double ratio;
    // Of 亩 and m² only one direction is an exact decimal.
    if (alm_unit_convert(one, one_from, one_to, &scaled, NULL) == ALM_OK) {
        ratio = alm_decimal_to_double(scaled);
    } else {
        alm_code code = alm_unit_convert(one, one_to, one_from, &scaled, NULL);
        ALM_ASSERT(code == ALM_OK);
        ratio = 1 / alm_decimal_to_double(scaled);
    }
    int power = alm_unit_power(from) - alm_unit_power(to);
    return power >= 0 ? ratio * pow(10, power) : ratio / pow(10, -power);
}
