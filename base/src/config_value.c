#include "config_value.h"

#include <inttypes.h>

typedef struct unit {
    const char *name;
    int64_t factor;
} unit;

static const unit byte_units[] = {
    {"", 1},
    {"k", INT64_C(1) << 10},
    {"M", INT64_C(1) << 20},
    {"G", INT64_C(1) << 30},
    {"T", INT64_C(1) << 40},
};

static const unit duration_units[] = {
    {"ms", 1},
    {"s", 1000},
    {"m", 60 * 1000},
    {"h", 60 * 60 * 1000},
};

// Digits with one of the units behind; a bare 0 needs none. Letters of either case.
static bool read_with_unit(alm_str text, const unit *units, size_t unit_count, int64_t *ret)
{
    size_t digits = 0;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9') {
        digits++;
    }
    int64_t number;
    if (!alm_str_to_i64(alm_str_slice(text, 0, digits), &number)) {
        return false;
    }
    alm_str suffix = alm_str_slice(text, digits, text.len);
    if (number == 0 && suffix.len == 0) {
        *ret = 0;
        return true;
    }
    for (size_t i = 0; i < unit_count; i++) {
        if (alm_str_eq_nocase(suffix, alm_str_from(units[i].name))) {
            return !__builtin_mul_overflow(number, units[i].factor, ret);
        }
    }
    return false;
}

static bool read_bool(alm_str text, int64_t *ret)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(words); i++) {
        if (alm_str_eq_nocase(text, alm_str_from(words[i]))) {
            *ret = (int64_t)(i % 2);
            return true;
        }
    }
    return false;
}

static bool read_number(alm_option_type type, alm_str text, int64_t *ret)
{
    switch (type) {
    case ALM_OPTION_TEXT:
        *ret = 0;
        return true;
    case ALM_OPTION_BOOL:
        return read_bool(text, ret);
    case ALM_OPTION_INT:
        return alm_str_to_i64(text, ret);
    case ALM_OPTION_BYTES:
        return read_with_unit(text, byte_units, ALM_ARRAY_LEN(byte_units), ret);
    case ALM_OPTION_DURATION_MS:
        return read_with_unit(text, duration_units, ALM_ARRAY_LEN(duration_units), ret);
    }
    return false;
}

static const char *wanted(alm_option_type type)
{
    switch (type) {
    case ALM_OPTION_TEXT:
        return "a text";
    case ALM_OPTION_BOOL:
        return "true or false";
    case ALM_OPTION_INT:
        return "a whole number";
    case ALM_OPTION_BYTES:
        return "a size such as 64, 4k, 16M, 1G or 1T";
    case ALM_OPTION_DURATION_MS:
        return "a duration such as 250ms, 5s, 2m or 1h";
    }
    return "known";
}

alm_code alm_option_read(const alm_option *option, alm_str text, const char *label,
                         int64_t *ret_number, alm_status *st)
{
    int64_t number;
    if (!read_number(option->type, text, &number)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, option->name,
                                    "%s: \"%.*s\" is not %s", label, ALM_STR_ARGS(text),
                                    wanted(option->type));
    }
    bool is_number = option->type != ALM_OPTION_TEXT && option->type != ALM_OPTION_BOOL;
    bool is_bounded = is_number && (option->min != 0 || option->max != 0);
    if (is_bounded && (number < option->min || number > option->max)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, option->name,
                                    "%s: %.*s is not within %" PRId64 "..%" PRId64 "%s", label,
                                    ALM_STR_ARGS(text), option->min, option->max,
                                    option->type == ALM_OPTION_BYTES         ? " bytes"
                                    : option->type == ALM_OPTION_DURATION_MS ? " ms"
                                                                             : "");
    }
    *ret_number = number;
    return ALM_OK;
}
