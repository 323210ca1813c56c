#include "cli_names.h"

#include <stdlib.h>

#define PLACE_LOOKUP_MAX 32 // for more places than this one listing of all is cheaper

static int by_code(const void *a, const void *b)
{
    return strcmp(((const cli_name *)a)->code, ((const cli_name *)b)->code);
}

// Sorts and leaves each code once. Returns how many there are.
static size_t sort_unique(cli_name *names, size_t count)
{
    if (count == 0) {
        return 0;
    }
    qsort(names, count, sizeof *names, by_code);
    size_t kept = 1;
    for (size_t i = 1; i < count; i++) {
        if (strcmp(names[i].code, names[kept - 1].code) != 0) {
            names[kept++] = names[i];
        }
    }
    return kept;
}

static cli_name *find(cli_name *names, size_t count, const char *code)
{
    cli_name key = {.code = code};
    return count > 0 ? bsearch(&key, names, count, sizeof key, by_code) : NULL;
}

static const char *keep(cli *self, const char *zh, const char *en)
{
    const char *first = self->lang == ALMANAC_ZH ? zh : en;
    const char *second = self->lang == ALMANAC_ZH ? en : zh;
    const char *name = first[0] != '\0' ? first : second;
    return name[0] != '\0' ? alm_arena_strdup(self->arena, alm_str_from(name)) : NULL;
}

static void take_entry(cli *self, cli_names *names, const almanac_entry *entry)
{
    if (entry->kind == ALMANAC_CATALOG_INDICATORS) {
        const almanac_indicator *indicator = &entry->as.indicator;
        cli_name *name = find(names->indicators, names->indicator_count, indicator->code);
        if (name != NULL) {
            name->name = keep(self, indicator->name_zh, indicator->name_en);
            name->theme = alm_arena_strdup(self->arena, alm_str_from(indicator->theme));
        }
    } else if (entry->kind == ALMANAC_CATALOG_PLACES) {
        const almanac_place *place = &entry->as.place;
        cli_name *name = find(names->places, names->place_count, place->code);
        if (name != NULL) {
            name->name = keep(self, place->name_zh, place->name_en);
        }
    }
}

// words "": every entry of the kind.
static void look_up(cli *self, cli_names *names, almanac_catalog_kind kind, const char *words)
{
    almanac_catalog_query query = {.kind = kind, .words = words};
    almanac_catalog *catalog = NULL;
    if (almanac_catalog_open(self->client, &query, &catalog, NULL) != ALMANAC_OK) {
        return;
    }
    const almanac_entry *entry = NULL;
    while (almanac_catalog_next(catalog, &entry, NULL) == ALMANAC_OK && entry != NULL) {
        take_entry(self, names, entry);
    }
    almanac_catalog_close(&catalog);
}

static void look_up_places(cli *self, cli_names *names)
{
    if (names->place_count > PLACE_LOOKUP_MAX) {
        look_up(self, names, ALMANAC_CATALOG_PLACES, "");
        return;
    }
    for (size_t i = 0; i < names->place_count; i++) {
        look_up(self, names, ALMANAC_CATALOG_PLACES, names->places[i].code);
    }
}

// The parts of "[indicator][@place][/measure]"; views.
typedef struct relation_parts {
    alm_str indicator, place, measure;
} relation_parts;

static relation_parts split_relation(const char *relation)
{
    alm_str rest = alm_str_from(relation);
    relation_parts parts = {0};
    size_t slash = alm_str_find_char(rest, '/');
    if (slash != SIZE_MAX) {
        parts.measure = alm_str_slice(rest, slash + 1, rest.len);
        rest = alm_str_slice(rest, 0, slash);
    }
    size_t at = alm_str_find_char(rest, '@');
    if (at != SIZE_MAX) {
        parts.place = alm_str_slice(rest, at + 1, rest.len);
        rest = alm_str_slice(rest, 0, at);
    }
    parts.indicator = rest;
    return parts;
}

static void add_code(cli_name *names, size_t *count, const char *code)
{
    bool is_last = *count > 0 && strcmp(names[*count - 1].code, code) == 0;
    if (code != NULL && !is_last) {
        names[(*count)++] = (cli_name){.code = code};
    }
}

static void add_relation(cli *self, const char *relation, cli_names *names)
{
    relation_parts parts = split_relation(relation);
    if (parts.indicator.len > 0) {
        add_code(names->indicators, &names->indicator_count,
                 alm_arena_strdup(self->arena, parts.indicator));
    }
    if (parts.place.len > 0) {
        add_code(names->places, &names->place_count, alm_arena_strdup(self->arena, parts.place));
    }
}

// Neighbouring rows mostly share their codes; only changes are gathered.
static void gather(cli *self, const almanac_row *rows, size_t count, cli_names *names)
{
    // One of the row and one of its relation.
    names->indicators = alm_arena_calloc(self->arena, 2 * count, sizeof *names->indicators);
    names->places = alm_arena_calloc(self->arena, 2 * count, sizeof *names->places);
    if (names->indicators == NULL || names->places == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        add_code(names->indicators, &names->indicator_count, rows[i].indicator);
        add_code(names->places, &names->place_count, rows[i].place);
        if (i == 0 || strcmp(rows[i].relation, rows[i - 1].relation) != 0) {
            add_relation(self, rows[i].relation, names);
        }
    }
    names->indicator_count = sort_unique(names->indicators, names->indicator_count);
    names->place_count = sort_unique(names->places, names->place_count);
}

cli_names cli_names_of(cli *self, const almanac_row *rows, size_t count)
{
    cli_names names = {0};
    gather(self, rows, count, &names);
    if (names.indicator_count > 0) {
        look_up(self, &names, ALMANAC_CATALOG_INDICATORS, "");
        look_up_places(self, &names);
    }
    return names;
}

const char *cli_indicator_name(const cli_names *names, const char *code)
{
    const cli_name *name = find(names->indicators, names->indicator_count, code);
    return name != NULL && name->name != NULL ? name->name : code;
}

const char *cli_indicator_theme(const cli_names *names, const char *code)
{
    const cli_name *name = find(names->indicators, names->indicator_count, code);
    return name != NULL && name->theme != NULL ? name->theme : "";
}

const char *cli_place_name(const cli_names *names, const char *code)
{
    const cli_name *name = find(names->places, names->place_count, code);
    return name != NULL && name->name != NULL ? name->name : code;
}

static const char *terminated(cli *self, alm_str text)
{
    const char *copy = alm_arena_strdup(self->arena, text);
    return copy != NULL ? copy : "";
}

const char *cli_relation_text(cli *self, const cli_names *names, const char *relation)
{
    relation_parts parts = split_relation(relation);
    bool has_indicator = parts.indicator.len > 0;
    bool has_place = parts.place.len > 0;
    // Levels are what is ranked unless something else is said.
    bool has_measure = parts.measure.len > 0 && !alm_str_eq(parts.measure, ALM_STR("level"));
    const char *place = has_place ? cli_place_name(names, terminated(self, parts.place)) : "";
    const char *indicator =
        has_indicator ? cli_indicator_name(names, terminated(self, parts.indicator)) : "";
    const char *measure =
        has_measure ? almanac_measure_label(terminated(self, parts.measure), self->lang) : "";
    return alm_arena_printf(self->arena, "%s%s%s%s%s", place, has_place && has_indicator ? " " : "",
                            indicator, has_measure && (has_place || has_indicator) ? " " : "",
                            measure);
}
