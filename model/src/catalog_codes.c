#include "alm/catalog.h"

// Names of the catalogue's small tables. A number that is none of ours reads "?".

static const char *const value_type_codes[] = {
#define ROW(name, number, code) [number] = code,
    ALM_VALUE_TYPE_MAP(ROW)
#undef ROW
};

static const char *const aggregation_codes[] = {
#define ROW(name, number, code) [number] = code,
    ALM_AGGREGATION_MAP(ROW)
#undef ROW
};

static const char *const direction_codes[] = {
    [ALM_DIRECTION_NEUTRAL] = "neutral",
    [ALM_DIRECTION_UP] = "up",
    [ALM_DIRECTION_DOWN] = "down",
};

static const char *code_at(const char *const *codes, size_t count, size_t number)
{
    return number < count && codes[number] != NULL ? codes[number] : "?";
}

static bool find_code(const char *const *codes, size_t count, alm_str code, size_t *ret)
{
    for (size_t i = 0; i < count; i++) {
        if (codes[i] != NULL && alm_str_eq(code, alm_str_from(codes[i]))) {
            *ret = i;
            return true;
        }
    }
    return false;
}

const char *alm_value_type_code(alm_value_type t)
{
    return code_at(value_type_codes, ALM_ARRAY_LEN(value_type_codes), t);
}

bool alm_value_type_parse(alm_str code, alm_value_type *ret)
{
    size_t number;
    bool known = find_code(value_type_codes, ALM_ARRAY_LEN(value_type_codes), code, &number);
    if (known) {
        *ret = (alm_value_type)number;
    }
    return known;
}

const char *alm_aggregation_code(alm_aggregation a)
{
    return code_at(aggregation_codes, ALM_ARRAY_LEN(aggregation_codes), a);
}

bool alm_aggregation_parse(alm_str code, alm_aggregation *ret)
{
    size_t number;
    bool known = find_code(aggregation_codes, ALM_ARRAY_LEN(aggregation_codes), code, &number);
    if (known) {
        *ret = (alm_aggregation)number;
    }
    return known;
}

const char *alm_direction_code(alm_direction d)
{
    return code_at(direction_codes, ALM_ARRAY_LEN(direction_codes), d);
}

bool alm_direction_parse(alm_str code, alm_direction *ret)
{
    size_t number;
    bool known = find_code(direction_codes, ALM_ARRAY_LEN(direction_codes), code, &number);
    if (known) {
        *ret = (alm_direction)number;
    }
    return known;
}
