// Values in another unit than the one they were published in.
#include "alm/value.h"

#define EXTRA_DIGITS 6

// Rounding may not make a bound say more than it did: one step to the side left open is always
// true.
static alm_code give_way(alm_qualifier qualifier, int exponent, alm_decimal *number, alm_status *st)
{
    bool is_exact = qualifier == ALM_QUALIFIER_EXACT;
    bool is_lower = !is_exact && alm_qualifier_is_over(qualifier);
    bool is_upper =
        !is_exact && (alm_qualifier_is_under(qualifier) || qualifier == ALM_QUALIFIER_NEARLY);
    alm_decimal step = {is_upper - is_lower, (int8_t)exponent};
    return alm_decimal_add(*number, step, number, st);
}

alm_code alm_number_in_unit(const alm_value *value, alm_unit to, alm_decimal *ret, alm_status *st)
{
    if (alm_unit_eq(value->unit, to)) {
        *ret = value->number;
        return ALM_OK;
    }
    if (!alm_unit_convertible(value->unit, to)) {
        return alm_unit_convert(value->number, value->unit, to, ret, st);
    }
    if (alm_unit_convert(value->number, value->unit, to, ret, NULL) == ALM_OK) {
        return ALM_OK;
    }
    // Digits move with the multiplier: 亩 to 万平方米 needs four more to say as much.
    int finest =
        value->number.exponent + alm_unit_power(value->unit) - alm_unit_power(to) - EXTRA_DIGITS;
    int exponent = ALM_MAX(finest, ALM_DECIMAL_EXPONENT_MIN);
    bool is_exact;
    while (alm_unit_convert_round(value->number, value->unit, to, exponent, ret, &is_exact, st) !=
           ALM_OK) {
        if (exponent >= finest + EXTRA_DIGITS) {
            return ALM_OUT_OF_RANGE;
        }
        exponent++;
    }
    return is_exact ? ALM_OK : give_way(value->qualifier, exponent, ret, st);
}
