#include "header.h"

#include "alm/catalog.h"

#include <stdio.h>

static bool is_named(const column_def *def, alm_str name)
{
    alm_str aliases = alm_str_from(def->aliases);
    alm_str alias = alm_str_from(def->name);
    do {
        if (alm_str_eq_nocase(alias, name)) {
            return true;
        }
    } while (alm_str_split(&aliases, '|', &alias));
    return false;
}

static int find_field(const column_set *set, alm_str name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (is_named(&set->defs[i], name)) {
            return (int)i;
        }
    }
    return -1;
}

static alm_code unknown_column(const column_set *set, alm_str name, size_t column, alm_status *st)
{
    alm_str known[COLUMN_COUNT_MAX];
    char list[256];
    size_t len = 0;
    for (size_t i = 0; i < set->count; i++) {
        known[i] = alm_str_from(set->defs[i].name);
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", i > 0 ? ", " : "",
                                set->defs[i].name);
        ALM_ASSERT(len < sizeof list);
    }
    alm_str shown = alm_str_slice(name, 0, ALM_MIN(name.len, (size_t)100));
    alm_str nearest = alm_nearest(name, known, set->count);
    char hint[64] = "";
    if (nearest.len > 0) {
        snprintf(hint, sizeof hint, " Did you mean '%.*s'?", ALM_STR_ARGS(nearest));
    }
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "header",
                                "unknown column '%.*s' (column %zu).%s Columns of %s: %s",
                                ALM_STR_ARGS(shown), column, hint, set->what, list);
}

static alm_code map_column(const column_set *set, size_t index, header *h, alm_status *st)
{
    alm_str name = h->names[index];
    if (name.len == 0) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "header", "column %zu has no name",
                                    index + 1);
    }
    int field = find_field(set, name);
    if (field < 0) {
        return unknown_column(set, name, index + 1, st);
    }
    if (h->column_of[field] >= 0) {
        return alm_status_set_field(
            st, ALM_INVALID_ARGUMENT, "header",
            "columns %d and %zu are both '%s' ('%.*s' and '%.*s'); keep one",
            h->column_of[field] + 1, index + 1, set->defs[field].name,
            ALM_STR_ARGS(h->names[h->column_of[field]]), ALM_STR_ARGS(name));
    }
    h->column_of[field] = (int)index;
    return ALM_OK;
}

static alm_code missing_column(const column_def *def, alm_status *st)
{
    if (def->option == NULL) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "header", "column '%s' is missing",
                                    def->name);
    }
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "header",
                                "column '%s' is missing; give it or %s", def->name, def->option);
}

alm_code header_map(const column_set *set, const alm_str *names, size_t name_count, uint32_t given,
                    alm_arena *arena, header *ret, alm_status *st)
{
    ALM_ASSERT(set->count <= COLUMN_COUNT_MAX);
    alm_str *trimmed = alm_arena_calloc(arena, name_count, sizeof *trimmed);
    if (trimmed == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the header");
    }
    header h = {.column_count = name_count, .names = trimmed};
    for (size_t i = 0; i < set->count; i++) {
        h.column_of[i] = -1;
    }
    for (size_t i = 0; i < name_count; i++) {
        trimmed[i] = alm_str_trim(names[i]);
    }
    for (size_t i = 0; i < name_count; i++) {
        ALM_TRY(map_column(set, i, &h, st));
    }
    for (size_t i = 0; i < set->count; i++) {
        bool is_there = h.column_of[i] >= 0 || (given & (1u << i)) != 0;
        if (set->defs[i].required && !is_there) {
            return missing_column(&set->defs[i], st);
        }
    }
    *ret = h;
    return ALM_OK;
}
