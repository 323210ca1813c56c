#include "convert.h"

#define EXTRA_DIGITS 6

// Rounding may not make a bound say more than it did: one step to the side left open is always
// true.
static alm_code give_way(alm_qualifier qualifier, int exponent, alm_decimal *number, alm_status *st)
{
    bool is_lower = qualifier == ALM_QUALIFIER_MORE_THAN || qualifier == ALM_QUALIFIER_AT_LEAST ||
                    qualifier == ALM_QUALIFIER_PASSED_THRESHOLD;
    bool is_upper = qualifier == ALM_QUALIFIER_LESS_THAN || qualifier == ALM_QUALIFIER_AT_MOST ||
                    qualifier == ALM_QUALIFIER_NEARLY;
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

alm_interval alm_interval_in_unit(const alm_value *value, alm_unit to)
{
    alm_interval interval = alm_value_interval(value);
    if (alm_unit_eq(value->unit, to)) {
        return interval;
    }
    return alm_interval_scale(interval, alm_unit_factor(value->unit, to));
}

bool alm_measure_common_unit(alm_measure measure, alm_unit indicator, alm_unit *ret)
{
    alm_dimension own = alm_unit_dimension(indicator);
    alm_dimension dimension = alm_measure_dimension(measure, own);
    if (dimension == own) {
        *ret = indicator;
        return true;
    }
    switch (dimension) {
    case ALM_DIMENSION_RATIO:
        *ret = ALM_UNIT_PERCENT;
        return true;
    case ALM_DIMENSION_POINTS:
        *ret = (alm_unit){.measure = ALM_MEASURE_UNIT_PP};
        return true;
    case ALM_DIMENSION_RANK:
        *ret = (alm_unit){.measure = ALM_MEASURE_UNIT_RANK};
        return true;
    default:
        return false;
    }
}
