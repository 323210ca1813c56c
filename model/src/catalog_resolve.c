// From what a person wrote to the entry that is meant.
#include "catalog_impl.h"

#include "check.h"
#include "nearest.h"
#include "place_tree.h"

// Code and name of an entry, for messages.
typedef struct label {
    alm_str code;
    alm_str name;
} label;

static label indicator_label(const alm_catalog *c, uint32_t id)
{
    return (label){c->indicators[id].code, c->indicators[id].name_zh};
}

static label source_label(const alm_catalog *c, uint32_t id)
{
    return (label){c->sources[id].code, c->sources[id].title};
}

static label place_label(const alm_catalog *c, uint32_t id)
{
    const alm_place *place = alm_place_tree_get(c->places, id);
    return (label){place->code, place->name_zh};
}

static alm_code ambiguous(const char *field, alm_str word, label a, label b, alm_status *st)
{
    return alm_status_set_field(st, ALM_FAILED_PRECONDITION, field,
                                "%s '%.*s' could be %.*s (%.*s) or %.*s (%.*s): use the code",
                                field, SHOWN_ARGS(word), SHOWN_ARGS(a.code), SHOWN_ARGS(a.name),
                                SHOWN_ARGS(b.code), SHOWN_ARGS(b.name));
}

static alm_code unknown(const char *field, alm_str word, const label *near, alm_status *st)
{
    if (word.len == 0) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field, "%s is empty", field);
    }
    if (near == NULL) {
        return alm_status_set_field(st, ALM_NOT_FOUND, field, "unknown %s '%.*s'", field,
                                    SHOWN_ARGS(word));
    }
    return alm_status_set_field(st, ALM_NOT_FOUND, field,
                                "unknown %s '%.*s'; did you mean %.*s (%.*s)?", field,
                                SHOWN_ARGS(word), SHOWN_ARGS(near->code), SHOWN_ARGS(near->name));
}

// The numbers that carry a name, each once; at most the first two.
static size_t two_by_name(const name_index *names, alm_str name, uint32_t ret[2])
{
    size_t count = 0;
    uint32_t id;
    for (uint32_t at = NAME_INDEX_END; count < 2 && name_index_next(names, name, true, &at, &id);) {
        if (count == 0 || ret[0] != id) {
            ret[count++] = id;
        }
    }
    return count;
}

alm_code alm_catalog_resolve_indicator(const alm_catalog *c, alm_str code_or_name, uint32_t *ret,
                                       alm_status *st)
{
    uint32_t found[2] = {alm_catalog_find_indicator(c, code_or_name)};
    size_t count =
        found[0] != ALM_CATALOG_NONE ? 1 : two_by_name(&c->indicator_names, code_or_name, found);
    if (count == 1) {
        *ret = found[0];
        return ALM_OK;
    }
    if (count == 2) {
        return ambiguous("indicator", code_or_name, indicator_label(c, found[1]),
                         indicator_label(c, found[0]), st);
    }
    if (st == NULL) {
        return unknown("indicator", code_or_name, NULL, NULL);
    }
    nearest n = nearest_of(code_or_name);
    for (size_t i = 0; i < c->indicator_count; i++) {
        const alm_indicator *indicator = &c->indicators[i];
        nearest_offer(&n, indicator->code, (uint32_t)i);
        for (size_t k = 0; k < indicator_name_count(indicator); k++) {
            nearest_offer(&n, indicator_name(indicator, k), (uint32_t)i);
        }
    }
    label near = n.best.len > 0 ? indicator_label(c, n.tag) : (label){0};
    return unknown("indicator", code_or_name, n.best.len > 0 ? &near : NULL, st);
}

alm_code alm_catalog_resolve_source(const alm_catalog *c, alm_str code_or_title, uint32_t *ret,
                                    alm_status *st)
{
    uint32_t found[2] = {alm_catalog_find_source(c, code_or_title)};
    size_t count =
        found[0] != ALM_CATALOG_NONE ? 1 : two_by_name(&c->source_titles, code_or_title, found);
    if (count == 1) {
        *ret = found[0];
        return ALM_OK;
    }
    if (count == 2) {
        return ambiguous("source", code_or_title, source_label(c, found[1]),
                         source_label(c, found[0]), st);
    }
    if (st == NULL) {
        return unknown("source", code_or_title, NULL, NULL);
    }
    nearest n = nearest_of(code_or_title);
    for (size_t i = 0; i < c->source_count; i++) {
        nearest_offer(&n, c->sources[i].code, (uint32_t)i);
        nearest_offer(&n, c->sources[i].title, (uint32_t)i);
    }
    label near = n.best.len > 0 ? source_label(c, n.tag) : (label){0};
    return unknown("source", code_or_title, n.best.len > 0 ? &near : NULL, st);
}

// A place that has ended often leaves its name to the one that came after it; that one is meant.
static size_t prefer_existing(const alm_place_tree *places, alm_str name, uint32_t found[2],
                              size_t count)
{
    size_t existing = 0;
    uint32_t kept[2];
    uint32_t id;
    for (uint32_t at = NAME_INDEX_END;
         existing < 2 && name_index_next(&places->by_name, name, true, &at, &id);) {
        if (places->places[id].valid_to == ALM_DATE_MAX) {
            kept[existing++] = id;
        }
    }
    if (existing == 0) {
        return count;
    }
    memcpy(found, kept, existing * sizeof *kept);
    return existing;
}

alm_code alm_catalog_resolve_place(const alm_catalog *c, alm_str code_or_name, alm_place_id *ret,
                                   alm_status *st)
{
    ALM_ASSERT(c->finished);
    uint32_t found[2] = {alm_place_tree_find(c->places, code_or_name)};
    size_t count = 1;
    if (found[0] == ALM_PLACE_NONE) {
        count = two_by_name(&c->places->by_name, code_or_name, found);
        count = count == 2 ? prefer_existing(c->places, code_or_name, found, count) : count;
    }
    if (count == 1) {
        *ret = found[0];
        return ALM_OK;
    }
    if (count == 2) {
        return ambiguous("place", code_or_name, place_label(c, found[0]), place_label(c, found[1]),
                         st);
    }
    if (st == NULL) {
        return unknown("place", code_or_name, NULL, NULL);
    }
    alm_str word;
    alm_place_id id = place_tree_nearest(c->places, code_or_name, true, &word);
    label near = id != ALM_PLACE_NONE ? place_label(c, id) : (label){0};
    return unknown("place", code_or_name, id != ALM_PLACE_NONE ? &near : NULL, st);
}
