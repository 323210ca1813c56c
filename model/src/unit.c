#include "alm/unit.h"

#include "unit_table.h"

#include <stdio.h>

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

const alm_unit_row *alm_unit_row_of(alm_unit unit)
{
    if (unit.measure >= alm_unit_row_count || alm_unit_rows[unit.measure].code == NULL) {
        return NULL;
    }
    return &alm_unit_rows[unit.measure];
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

bool alm_unit_valid(alm_unit unit)
{
    const alm_unit_row *row = alm_unit_row_of(unit);
    if (row == NULL || unit.mult < ALM_UNIT_MULT_MIN || unit.mult > ALM_UNIT_MULT_MAX) {
        return false;
    }
    return unit.mult == 0 || alm_dimension_takes_multiplier(row->dimension);
}

bool alm_unit_eq(alm_unit a, alm_unit b)
{
    return a.measure == b.measure && a.mult == b.mult;
}

static bool is_none(alm_unit unit)
{
    return unit.measure == ALM_MEASURE_UNIT_NONE;
}

alm_dimension alm_unit_dimension(alm_unit unit)
{
    ALM_ASSERT(is_none(unit) || alm_unit_valid(unit));
    return is_none(unit) ? ALM_DIMENSION_NONE : alm_unit_row_of(unit)->dimension;
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
    return !is_none(a) && alm_unit_dimension(a) == alm_unit_dimension(b);
}

// ----- Text --------------------------------------------------------------------------------------

static size_t written(int len)
{
    ALM_ASSERT(len >= 0 && len < ALM_UNIT_TEXT_MAX);
    return (size_t)len;
}

size_t alm_unit_code(alm_unit unit, char *out)
{
    ALM_ASSERT(is_none(unit) || alm_unit_valid(unit));
    if (is_none(unit)) {
        out[0] = '\0';
        return 0;
    }
    const char *code = alm_unit_row_of(unit)->code;
    if (unit.mult == 0) {
        return written(snprintf(out, ALM_UNIT_TEXT_MAX, "%s", code));
    }
    return written(snprintf(out, ALM_UNIT_TEXT_MAX, "%s_E%d", code, unit.mult));
}

size_t alm_unit_label(alm_unit unit, alm_lang lang, char *out)
{
    ALM_ASSERT(is_none(unit) || alm_unit_valid(unit));
    if (is_none(unit)) {
        out[0] = '\0';
        return 0;
    }
    const alm_unit_row *row = alm_unit_row_of(unit);
    const char *name = lang == ALM_LANG_ZH ? row->zh : row->en;
    if (unit.mult < 0) {
        return written(snprintf(out, ALM_UNIT_TEXT_MAX, "×10^%d%s%s", unit.mult,
                                name[0] != '\0' ? " " : "", name));
    }
    if (lang == ALM_LANG_ZH) {
        return written(
            snprintf(out, ALM_UNIT_TEXT_MAX, "%s%s", alm_multiplier_rows[unit.mult].zh, name));
    }
    const char *gap = unit.mult != 0 && name[0] != '\0' ? " " : "";
    return written(
        snprintf(out, ALM_UNIT_TEXT_MAX, "%s%s%s", alm_multiplier_rows[unit.mult].en, gap, name));
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
    const alm_unit_row *a = alm_unit_row_of(from);
    const alm_unit_row *b = alm_unit_row_of(to);
    int num = a->num * b->den;
    int den = a->den * b->num;
    int common = greatest_common_divisor(num, den);
    *ret = (factor){.num = num / common,
                    .den = den / common,
                    .power = a->power + from.mult - b->power - to.mult};
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
