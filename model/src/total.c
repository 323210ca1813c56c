#include "alm/total.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TENTHS 10 // of a unit: reaches are told in them

// What one value, or several alike, add to a total.
typedef struct part {
    __int128 number, below, above; // x 10^scale
    int scale;
    int exponent;
    bool is_open_below, is_open_above;
    bool is_too_large;
} part;

// --- powers of ten -------------------------------------------------------------------------------

#define POWER_STEP  18
#define TEN_TO_STEP ((__int128)1000000000000000000)

// False: more than 128 bits.
static bool scale_up(__int128 *v, int power)
{
    bool fits = true;
    if (*v == 0) {
        return true;
    }
    for (; power >= POWER_STEP && fits; power -= POWER_STEP) {
        fits = !__builtin_mul_overflow(*v, TEN_TO_STEP, v);
    }
    __int128 rest = 1;
    for (int i = 0; i < power && fits; i++) {
        rest *= 10;
    }
    return fits && !__builtin_mul_overflow(*v, rest, v);
}

// The nearest double of v x 10^power.
static double nearest(__int128 v, int power)
{
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const int top = (int)ALM_ARRAY_LEN(exact) - 1;
    const __int128 whole = (__int128)1 << 53;
    while ((v > whole || v < -whole) && v % 10 == 0) {
        v /= 10;
        power++;
    }
    if (v <= whole && v >= -whole && power >= -top && power <= top) {
        // Both operands are exact doubles, so the one operation rounds once.
        return power < 0 ? (double)v / exact[-power] : (double)v * exact[power];
    }
    char text[64];
    const __int128 low = TEN_TO_STEP;
    uint64_t parts[3];
    unsigned __int128 left = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;
    for (int i = 0; i < 3; i++) {
        parts[i] = (uint64_t)(left % (unsigned __int128)low);
        left /= (unsigned __int128)low;
    }
    (void)snprintf(text, sizeof text, "%s%" PRIu64 "%018" PRIu64 "%018" PRIu64 "e%d",
                   v < 0 ? "-" : "", parts[2], parts[1], parts[0], power);
    return strtod(text, NULL);
}

// --- what a value adds ---------------------------------------------------------------------------

// The power of ten that one `from` is in `to`. False: it is none, or far out.
static bool power_between(alm_unit from, alm_unit to, int *ret)
{
    alm_decimal one;
    *ret = 0;
    if (alm_unit_eq(from, to)) {
        return true;
    }
    if (!alm_unit_convertible(from, to) ||
        alm_unit_convert((alm_decimal){1, 0}, from, to, &one, NULL) != ALM_OK) {
        return false;
    }
    *ret = one.exponent;
    return one.mantissa == 1;
}

static void set_reach(part *p, alm_reach reach, int power)
{
    int tenth = reach.exponent - 1 + power;
    int scale = ALM_MIN(p->scale, tenth);
    p->below = reach.below;
    p->above = reach.above;
    p->is_too_large = !scale_up(&p->number, p->scale - scale) ||
                      !scale_up(&p->below, tenth - scale) || !scale_up(&p->above, tenth - scale);
    p->scale = scale;
}

// How far the end of a value, so many tenths from its number, lies from the number in the unit.
static bool end_beside(const alm_value *value, int tenths, int exponent, alm_unit unit,
                       alm_decimal number, alm_decimal *ret)
{
    alm_value end = *value;
    alm_decimal by = {tenths, (int8_t)(exponent - 1)};
    end.qualifier = ALM_QUALIFIER_EXPECTED;
    return exponent > ALM_DECIMAL_EXPONENT_MIN &&
           alm_decimal_add(value->number, by, &end.number, NULL) == ALM_OK &&
           alm_number_in_unit(&end, unit, &end.number, NULL) == ALM_OK &&
           alm_decimal_sub(end.number, number, ret, NULL) == ALM_OK;
}

// Where units are no power of ten apart, 亩 and 平方米 say, the ends are rounded as numbers are.
static void set_rounded_reach(part *p, const alm_value *value, alm_reach reach, alm_unit unit,
                              alm_decimal number)
{
    alm_decimal below = {0, number.exponent};
    alm_decimal above = {0, number.exponent};
    bool fits =
        (reach.below == 0 ||
         end_beside(value, -reach.below, reach.exponent, unit, number, &below)) &&
        (reach.above == 0 || end_beside(value, reach.above, reach.exponent, unit, number, &above));
    int scale = ALM_MIN(p->scale, ALM_MIN(below.exponent, above.exponent));
    p->below = -(__int128)below.mantissa;
    p->above = above.mantissa;
    p->is_too_large = !fits || !scale_up(&p->number, p->scale - scale) ||
                      !scale_up(&p->below, below.exponent - scale) ||
                      !scale_up(&p->above, above.exponent - scale);
    p->scale = scale;
}

static bool part_of(const alm_value *value, alm_unit unit, part *ret)
{
    int power;
    alm_decimal number;
    if (!value->has_number) {
        return false;
    }
    bool is_power = power_between(value->unit, unit, &power);
    if (alm_unit_eq(value->unit, unit)) {
        number = value->number;
    } else if (alm_number_in_unit(value, unit, &number, NULL) != ALM_OK) {
        return false;
    }
    alm_reach reach = alm_value_reach(value);
    *ret = (part){.number = number.mantissa,
                  .scale = number.exponent,
                  .exponent = number.exponent,
                  .is_open_below = reach.is_open_below,
                  .is_open_above = reach.is_open_above};
    if (is_power) {
        set_reach(ret, reach, power);
    } else {
        set_rounded_reach(ret, value, reach, unit, number);
    }
    return true;
}

// --- adding --------------------------------------------------------------------------------------

static bool add(__int128 *total, __int128 addend, int power)
{
    return (power == 0 || scale_up(&addend, power)) &&
           !__builtin_add_overflow(*total, addend, total);
}

static void add_numbers(alm_total *total, const part *p)
{
    int scale = total->present == 0 ? p->scale : ALM_MIN(total->scale, p->scale);
    int up = total->present == 0 ? 0 : total->scale - scale;
    bool fits = (up == 0 || (scale_up(&total->number, up) && scale_up(&total->below, up) &&
                             scale_up(&total->above, up))) &&
                add(&total->number, p->number, p->scale - scale) &&
                add(&total->below, p->below, p->scale - scale) &&
                add(&total->above, p->above, p->scale - scale);
    total->exponent =
        (int8_t)(total->present == 0 ? p->exponent : ALM_MIN(total->exponent, p->exponent));
    total->scale = (int8_t)scale;
    total->is_open_below |= p->is_open_below;
    total->is_open_above |= p->is_open_above;
    total->is_too_large |= !fits || p->is_too_large;
}

static void add_told(alm_total *total, uint32_t count, alm_told told)
{
    if (total->present == 0 || told.published > total->published) {
        total->published = told.published;
        total->source = told.source;
    }
    total->present += count;
}

static void add_status(alm_total *total, uint8_t status)
{
    uint8_t low = ALM_MIN(total->status, status);
    uint8_t high = ALM_MAX(total->status, status);
    total->status = (uint8_t)alm_obs_status_worst((alm_obs_status)low, (alm_obs_status)high);
}

static void add_claims(alm_total *total, alm_qualifier qualifier, uint8_t status)
{
    total->is_inexact |= qualifier != ALM_QUALIFIER_EXACT;
    total->is_not_over |= !alm_qualifier_is_over(qualifier);
    total->is_not_under |= !alm_qualifier_is_under(qualifier);
    add_status(total, status);
}

bool alm_total_add(alm_total *total, const alm_value *value, alm_unit unit, alm_told told)
{
    part p;
    if (!part_of(value, unit, &p)) {
        return false;
    }
    add_numbers(total, &p);
    add_claims(total, value->qualifier, (uint8_t)value->status);
    add_told(total, 1, told);
    return true;
}

bool alm_total_like_of(const alm_value *value, alm_unit unit, alm_total_like *ret)
{
    int power;
    bool is_plain =
        value->qualifier == ALM_QUALIFIER_EXACT || value->qualifier == ALM_QUALIFIER_EXPECTED;
    if (!value->has_number || !is_plain || !power_between(value->unit, unit, &power)) {
        return false;
    }
    int exponent = value->number.exponent + power;
    uint8_t reach = alm_value_reach(value).below;
    *ret = (alm_total_like){.exponent = (int8_t)exponent,
                            .reach = reach,
                            .status = (uint8_t)value->status,
                            .qualifier = value->qualifier};
    return exponent >= ALM_DECIMAL_EXPONENT_MIN && exponent <= ALM_DECIMAL_EXPONENT_MAX;
}

void alm_total_add_like(alm_total *total, const alm_total_like *like, __int128 sum, uint32_t count,
                        alm_told told)
{
    if (count == 0) {
        return;
    }
    __int128 reach = (__int128)like->reach * count;
    add_numbers(total, &(part){.number = sum * TENTHS,
                               .below = reach,
                               .above = reach,
                               .scale = like->exponent - 1,
                               .exponent = like->exponent});
    add_claims(total, like->qualifier, like->status);
    add_told(total, count, told);
}

void alm_total_merge(alm_total *total, const alm_total *other)
{
    if (other->present == 0) {
        return;
    }
    part p = {.number = other->number,
              .below = other->below,
              .above = other->above,
              .scale = other->scale,
              .exponent = other->exponent,
              .is_open_below = other->is_open_below,
              .is_open_above = other->is_open_above,
              .is_too_large = other->is_too_large};
    add_numbers(total, &p);
    total->is_inexact |= other->is_inexact;
    total->is_not_over |= other->is_not_over;
    total->is_not_under |= other->is_not_under;
    add_status(total, other->status);
    add_told(total, other->present, (alm_told){other->source, other->published});
}

// --- answers -------------------------------------------------------------------------------------

alm_code alm_total_number(const alm_total *total, alm_decimal *ret, alm_status *st)
{
    __int128 unit = 1;
    bool fits = !total->is_too_large;
    if (fits && scale_up(&unit, total->exponent - total->scale)) {
        __int128 mantissa = total->number / unit; // without a rest
        fits = mantissa <= ALM_DECIMAL_MANTISSA_MAX && mantissa >= -ALM_DECIMAL_MANTISSA_MAX;
        *ret = (alm_decimal){fits ? (int64_t)mantissa : 0, total->exponent};
    } else {
        *ret = (alm_decimal){0, total->exponent};
    }
    return fits ? ALM_OK : alm_status_set(st, ALM_OUT_OF_RANGE, "the sum has more than 18 digits");
}

alm_interval alm_total_interval(const alm_total *total)
{
    __int128 lower = 0;
    __int128 upper = 0;
    bool has_ends = total->present > 0 && !total->is_too_large;
    bool has_lower = has_ends && !total->is_open_below &&
                     !__builtin_sub_overflow(total->number, total->below, &lower);
    bool has_upper = has_ends && !total->is_open_above &&
                     !__builtin_add_overflow(total->number, total->above, &upper);
    return (alm_interval){.lower = has_lower ? nearest(lower, total->scale) : -INFINITY,
                          .upper = has_upper ? nearest(upper, total->scale) : INFINITY};
}
