#include "computed.h"

#include "convert.h"

#include <math.h>

#define PERCENT_EXPONENT (-2)
#define RATIO_EXPONENT   (PERCENT_EXPONENT - 2)

alm_computed alm_computed_begin(alm_unit unit)
{
    alm_computed computed = {
        .value = {.unit = unit, .status = ALM_OBS_STATUS_NORMAL},
        .all_exact = true,
        .source = ALM_SOURCE_NONE,
        .published = ALM_DATE_NONE,
    };
    computed.interval = alm_value_interval(&computed.value);
    return computed;
}

void alm_computed_input(alm_computed *computed, const alm_obs *input)
{
    computed->value.status = alm_obs_status_worst(computed->value.status, input->value.status);
    computed->all_exact &= input->value.qualifier == ALM_QUALIFIER_EXACT;
    if (!computed->has_input || input->published > computed->published) {
        computed->published = input->published;
        computed->source = input->source;
    }
    computed->has_input = true;
}

void alm_computed_number(alm_computed *computed, alm_decimal number, alm_interval interval)
{
    computed->value.number = number;
    computed->value.has_number = true;
    computed->value.qualifier = alm_interval_qualifier(interval, computed->all_exact);
    computed->interval = interval;
}

void alm_computed_missing(alm_computed *computed, alm_obs_status missing)
{
    if (!alm_obs_status_missing(computed->value.status)) {
        computed->value.status = missing;
    }
    computed->value.has_number = false;
    computed->value.number = (alm_decimal){0};
    computed->value.qualifier = ALM_QUALIFIER_EXACT;
    computed->interval = alm_value_interval(&computed->value);
}

alm_code alm_computed_answer(const alm_computed *computed, uint32_t variant, alm_place_id place,
                             alm_period period, const alm_answer_extra *extra, alm_answers *answers,
                             alm_status *st)
{
    // A number without a reason and no number with one: anything else would be a silent gap.
    ALM_ASSERT(computed->value.has_number || extra->reason[0] != '\0');
    alm_obs obs = {
        .variant = variant,
        .place = place,
        .period = period,
        .value = computed->value,
        .source = computed->source,
        .published = computed->published,
    };
    alm_answer_extra told = *extra;
    told.interval = computed->interval;
    told.computed = true;
    return alm_answers_add(answers, &obs, &told, st);
}

int alm_rounded_side(alm_decimal rounded, alm_decimal part, alm_decimal whole)
{
    double quotient = alm_decimal_to_double(part) / alm_decimal_to_double(whole);
    double error = alm_decimal_to_double(rounded) - quotient;
    if (fabs(error) <= fabs(quotient) * 1e-12) {
        return 0;
    }
    return error > 0 ? 1 : -1;
}

static alm_ratio_result ratio(const alm_value *part, const alm_value *whole, alm_decimal *ret,
                              int *ret_rounded)
{
    ALM_ASSERT(part->has_number);
    ALM_ASSERT(whole->has_number);
    if (!alm_unit_convertible(part->unit, whole->unit)) {
        return ALM_RATIO_UNITS;
    }
    if (whole->number.mantissa <= 0) {
        return whole->number.mantissa == 0 ? ALM_RATIO_ZERO : ALM_RATIO_NEGATIVE;
    }
    alm_decimal number;
    bool is_good = alm_number_in_unit(part, whole->unit, &number, NULL) == ALM_OK &&
                   alm_decimal_div(number, whole->number, RATIO_EXPONENT, ret, NULL) == ALM_OK;
    if (!is_good) {
        return ALM_RATIO_TOO_LARGE;
    }
    *ret_rounded = alm_rounded_side(*ret, number, whole->number);
    return ALM_RATIO_OK;
}

static bool may_bound(const alm_value *part, const alm_value *whole)
{
    return part->qualifier == ALM_QUALIFIER_EXACT || whole->qualifier == ALM_QUALIFIER_EXACT;
}

static alm_interval ratio_interval(const alm_value *part, const alm_value *whole)
{
    alm_interval over = alm_interval_in_unit(part, whole->unit);
    return alm_interval_scale(alm_interval_div(over, alm_value_interval(whole)), 100);
}

alm_ratio_result alm_percent_of(const alm_value *part, const alm_value *whole, alm_percent *ret)
{
    alm_decimal quotient;
    alm_ratio_result result = ratio(part, whole, &quotient, &ret->rounded);
    if (result != ALM_RATIO_OK) {
        return result;
    }
    if (alm_decimal_shift(quotient, 2, &ret->number, NULL) != ALM_OK) {
        return ALM_RATIO_TOO_LARGE;
    }
    ret->interval = ratio_interval(part, whole);
    ret->may_bound = may_bound(part, whole);
    return ALM_RATIO_OK;
}

// "Over" goes to the step below and "under" to the one above where rounding went past the quotient.
static void give_way(alm_computed *computed, int rounded)
{
    alm_qualifier qualifier = computed->value.qualifier;
    alm_decimal number = computed->value.number;
    bool claims_too_much = (qualifier == ALM_QUALIFIER_MORE_THAN && rounded > 0) ||
                           (qualifier == ALM_QUALIFIER_LESS_THAN && rounded < 0);
    if (!claims_too_much) {
        return;
    }
    alm_decimal step = {-rounded, number.exponent};
    if (alm_decimal_add(number, step, &computed->value.number, NULL) != ALM_OK) {
        computed->value.number = number;
        computed->value.qualifier = ALM_QUALIFIER_ABOUT;
    }
}

void alm_computed_quotient(alm_computed *computed, alm_decimal number, int rounded,
                           alm_interval interval)
{
    alm_computed_number(computed, number, interval);
    give_way(computed, rounded);
}

void alm_computed_claim(alm_computed *computed, alm_decimal number, int rounded,
                        alm_interval interval, bool is_over, bool is_under)
{
    alm_computed_number(computed, number, interval);
    computed->value.qualifier = is_over && is_under ? ALM_QUALIFIER_EXACT
                                : is_over           ? ALM_QUALIFIER_MORE_THAN
                                : is_under          ? ALM_QUALIFIER_LESS_THAN
                                                    : ALM_QUALIFIER_ABOUT;
    give_way(computed, rounded);
}

void alm_computed_percent(alm_computed *computed, const alm_percent *percent)
{
    if (percent->may_bound) {
        alm_computed_quotient(computed, percent->number, percent->rounded, percent->interval);
        return;
    }
    alm_computed_number(computed, percent->number, percent->interval);
    computed->value.qualifier = ALM_QUALIFIER_ABOUT;
}
