#include "alm/catalog.h"

#include "alm/formula.h"
#include "check.h"

// The title of an entry in a message.
#define ENTRY_ARGS(entry) SHOWN_ARGS((entry)->code)

static bool is_known(alm_aggregation a)
{
    return a == ALM_AGGREGATION_NONE || alm_aggregation_code(a)[0] != '?';
}

static alm_code check_aggregation(const alm_indicator *indicator, alm_aggregation a,
                                  const char *field, alm_status *st)
{
    if (!is_known(a)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field,
                                    "indicator %.*s: %s: no aggregation has the number %d",
                                    ENTRY_ARGS(indicator), field, a);
    }
    bool never_adds = indicator->value_type == ALM_VALUE_TYPE_RATE ||
                      indicator->value_type == ALM_VALUE_TYPE_INDEX;
    if (a == ALM_AGGREGATION_SUM && never_adds) {
        return alm_status_set_field(
            st, ALM_INVALID_ARGUMENT, field,
            "indicator %.*s: %s cannot be sum, since value_type %s never adds up",
            ENTRY_ARGS(indicator), field, alm_value_type_code(indicator->value_type));
    }
    bool is_recomputed = indicator->formula.len > 0 || indicator->value_type == ALM_VALUE_TYPE_RATE;
    if (a == ALM_AGGREGATION_RECOMPUTE && !is_recomputed) {
        return alm_status_set_field(
            st, ALM_INVALID_ARGUMENT, field,
            "indicator %.*s: %s can be recompute for rates only, and value_type "
            "is %s",
            ENTRY_ARGS(indicator), field, alm_value_type_code(indicator->value_type));
    }
    return ALM_OK;
}

static alm_code check_aggregations(const alm_indicator *indicator, alm_status *st)
{
    ALM_TRY(check_aggregation(indicator, indicator->over_places, "over_places", st));
    ALM_TRY(check_aggregation(indicator, indicator->over_time, "over_time", st));
    if (indicator->over_time == ALM_AGGREGATION_SUM &&
        indicator->value_type == ALM_VALUE_TYPE_STOCK) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "over_time",
                                    "indicator %.*s: over_time cannot be sum for a stock; leave it "
                                    "empty for the end of the period",
                                    ENTRY_ARGS(indicator));
    }
    return ALM_OK;
}

static alm_code check_part(const alm_indicator *indicator, alm_str part, const char *field,
                           alm_status *st)
{
    if (part.len == 0) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field,
                                    "indicator %.*s has no %s: a recomputed rate needs numerator "
                                    "and denominator",
                                    ENTRY_ARGS(indicator), field);
    }
    ALM_TRY(alm_check_code(part, field, st));
    if (alm_str_eq(part, indicator->code)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field, "indicator %.*s is its own %s",
                                    ENTRY_ARGS(indicator), field);
    }
    return ALM_OK;
}

// What its operands are is looked at when the catalogue is whole.
static alm_code check_formula(const alm_indicator *indicator, alm_status *st)
{
    alm_formula formula;
    alm_status why = ALM_STATUS_INIT;
    if (alm_formula_parse(indicator->formula, &formula, &why) != ALM_OK) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "formula", "indicator %.*s: %s",
                                    ENTRY_ARGS(indicator), why.message);
    }
    for (uint32_t i = 0; i < formula.operand_count; i++) {
        alm_str name = formula.operands[i].name;
        if (!alm_code_valid(name)) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "formula",
                                        "indicator %.*s: '%.*s' is no code; names change, so that "
                                        "formulas of the catalogue are written with codes",
                                        ENTRY_ARGS(indicator), SHOWN_ARGS(name));
        }
    }
    if (indicator->numerator.len > 0 || indicator->denominator.len > 0) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "formula",
                                    "indicator %.*s has a formula, and needs no numerator and "
                                    "denominator",
                                    ENTRY_ARGS(indicator));
    }
    bool is_recomputed = indicator->over_places == ALM_AGGREGATION_RECOMPUTE ||
                         indicator->over_places == ALM_AGGREGATION_REFUSE;
    return is_recomputed ? ALM_OK
                         : alm_status_set_field(st, ALM_INVALID_ARGUMENT, "over_places",
                                                "indicator %.*s has a formula: over places it is "
                                                "recompute, or none",
                                                ENTRY_ARGS(indicator));
}

static alm_code check_fraction(const alm_indicator *indicator, alm_status *st)
{
    if (indicator->formula.len > 0) {
        return check_formula(indicator, st);
    }
    bool recomputed = indicator->over_places == ALM_AGGREGATION_RECOMPUTE ||
                      indicator->over_time == ALM_AGGREGATION_RECOMPUTE;
    if (!recomputed && indicator->numerator.len == 0 && indicator->denominator.len == 0) {
        return ALM_OK;
    }
    ALM_TRY(check_part(indicator, indicator->numerator, "numerator", st));
    ALM_TRY(check_part(indicator, indicator->denominator, "denominator", st));
    if (alm_str_eq(indicator->numerator, indicator->denominator)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "denominator",
                                    "indicator %.*s: numerator and denominator are both %.*s",
                                    ENTRY_ARGS(indicator), SHOWN_ARGS(indicator->denominator));
    }
    return ALM_OK;
}

alm_code alm_indicator_check(const alm_indicator *indicator, alm_status *st)
{
    ALM_TRY(alm_check_code(indicator->code, "code", st));
    ALM_TRY(alm_check_name(indicator->name_zh, "name_zh", st));
    ALM_TRY(alm_check_text(indicator->name_en, "name_en", ALM_NAME_BYTES_MAX, false, st));
    if (!alm_unit_valid(indicator->unit)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "unit", "indicator %.*s has no unit",
                                    ENTRY_ARGS(indicator));
    }
    if (alm_value_type_code(indicator->value_type)[0] == '?') {
        return alm_status_set_field(
            st, ALM_INVALID_ARGUMENT, "value_type",
            "indicator %.*s has no value_type: flow, stock, rate, index or count",
            ENTRY_ARGS(indicator));
    }
    if (alm_direction_code(indicator->direction)[0] == '?') {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "direction",
                                    "indicator %.*s: no direction has the number %d",
                                    ENTRY_ARGS(indicator), indicator->direction);
    }
    ALM_TRY(check_aggregations(indicator, st));
    ALM_TRY(check_fraction(indicator, st));
    ALM_TRY(alm_check_text(indicator->theme, "theme", ALM_NAME_BYTES_MAX, false, st));
    ALM_TRY(alm_check_text(indicator->definition, "definition", ALM_TEXT_BYTES_MAX, true, st));
    return alm_check_aliases(indicator->aliases, indicator->alias_count, st);
}

alm_code alm_source_check(const alm_source *source, alm_status *st)
{
    ALM_TRY(alm_check_code(source->code, "code", st));
    ALM_TRY(alm_check_name(source->title, "title", st));
    ALM_TRY(alm_check_text(source->publisher, "publisher", ALM_NAME_BYTES_MAX, false, st));
    if (source->published == ALM_DATE_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "published",
                                    "source %.*s: published is not a day", ENTRY_ARGS(source));
    }
    ALM_TRY(alm_check_text(source->address, "address", ALM_TEXT_BYTES_MAX, false, st));
    return alm_check_text(source->note, "note", ALM_TEXT_BYTES_MAX, true, st);
}
