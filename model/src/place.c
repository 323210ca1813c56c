#include "alm/place.h"

#include "alm/limits.h"

#include "check.h"

typedef struct level_row {
    const char *code;
    const char *zh;
} level_row;

static const level_row level_rows[] = {
#define ROW(name, number, code, zh) [number] = {code, zh},
    ALM_LEVEL_MAP(ROW)
#undef ROW
};

const char *alm_level_code(alm_level level)
{
    bool known = level > ALM_LEVEL_NONE && (size_t)level < ALM_ARRAY_LEN(level_rows);
    return known ? level_rows[level].code : "?";
}

bool alm_level_parse(alm_str code, alm_level *ret)
{
    for (size_t i = ALM_LEVEL_NONE + 1; i < ALM_ARRAY_LEN(level_rows); i++) {
        if (alm_str_eq(code, alm_str_from(level_rows[i].code)) ||
            alm_str_eq(code, alm_str_from(level_rows[i].zh))) {
            *ret = (alm_level)i;
            return true;
        }
    }
    return false;
}

bool alm_place_valid_on(const alm_place *place, alm_date day)
{
    return day == ALM_DATE_NONE || (place->valid_from <= day && day <= place->valid_to);
}

static alm_code check_parent(const alm_place *place, alm_status *st)
{
    if (place->parent.len == 0) {
        return ALM_OK;
    }
    ALM_TRY(alm_check_code(place->parent, "parent", st));
    if (alm_str_eq(place->parent, place->code)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "parent",
                                    "place %.*s is its own parent", SHOWN_ARGS(place->code));
    }
    return ALM_OK;
}

static alm_code check_validity(const alm_place *place, alm_status *st)
{
    if (place->valid_from == ALM_DATE_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "valid_from",
                                    "place %.*s: valid_from is not a day", SHOWN_ARGS(place->code));
    }
    if (place->valid_to == ALM_DATE_NONE) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "valid_to",
                                    "place %.*s: valid_to is not set", SHOWN_ARGS(place->code));
    }
    if (place->valid_to < place->valid_from) {
        char from[ALM_PERIOD_TEXT_MAX];
        char to[ALM_PERIOD_TEXT_MAX];
        alm_date_format(place->valid_from, from);
        alm_date_format(place->valid_to, to);
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "valid_to",
                                    "place %.*s: valid_to %s is before valid_from %s",
                                    SHOWN_ARGS(place->code), to, from);
    }
    return ALM_OK;
}

static alm_code check_successors(const alm_place *place, alm_status *st)
{
    if (place->successor_count == 0) {
        return ALM_OK;
    }
    if (place->valid_to == ALM_DATE_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "successors",
                                    "place %.*s has successors but no valid_to",
                                    SHOWN_ARGS(place->code));
    }
    if (place->successor_count > ALM_PLACE_SUCCESSOR_COUNT_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "successors",
                                    "place %.*s has %zu successors, at most %d are allowed",
                                    SHOWN_ARGS(place->code), place->successor_count,
                                    ALM_PLACE_SUCCESSOR_COUNT_MAX);
    }
    for (size_t i = 0; i < place->successor_count; i++) {
        ALM_TRY(alm_check_code(place->successors[i], "successors", st));
        for (size_t j = 0; j < i; j++) {
            if (alm_str_eq(place->successors[i], place->successors[j])) {
                return alm_status_set_field(
                    st, ALM_INVALID_ARGUMENT, "successors", "place %.*s names successor %.*s twice",
                    SHOWN_ARGS(place->code), SHOWN_ARGS(place->successors[i]));
            }
        }
    }
    return ALM_OK;
}

alm_code alm_place_check(const alm_place *place, alm_status *st)
{
    ALM_TRY(alm_check_code(place->code, "code", st));
    ALM_TRY(alm_check_name(place->name_zh, "name_zh", st));
    ALM_TRY(alm_check_text(place->name_en, "name_en", ALM_NAME_BYTES_MAX, false, st));
    if (place->level <= ALM_LEVEL_NONE || (size_t)place->level >= ALM_ARRAY_LEN(level_rows)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "level", "place %.*s has no level",
                                    SHOWN_ARGS(place->code));
    }
    ALM_TRY(check_parent(place, st));
    ALM_TRY(check_validity(place, st));
    ALM_TRY(check_successors(place, st));
    return alm_check_aliases(place->aliases, place->alias_count, st);
}
