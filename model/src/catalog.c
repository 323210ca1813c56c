#include "catalog_impl.h"

#include "alm/alloc.h"

#include "check.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the catalogue");
}

alm_code alm_catalog_create(alm_catalog **ret, alm_status *st)
{
    alm_catalog *c = alm_calloc(1, sizeof *c);
    if (c == NULL) {
        return no_memory(st);
    }
    c->texts = alm_arena_create(ALM_CATALOG_BYTES_MAX);
    if (c->texts == NULL) {
        alm_catalog_destroy(&c);
        return no_memory(st);
    }
    alm_code code = alm_place_tree_create(&c->places, st);
    if (code != ALM_OK) {
        alm_catalog_destroy(&c);
        return code;
    }
    *ret = c;
    return ALM_OK;
}

void alm_catalog_destroy(alm_catalog **c)
{
    if (*c == NULL) {
        return;
    }
    name_index_deinit(&(*c)->indicator_codes);
    name_index_deinit(&(*c)->indicator_names);
    name_index_deinit(&(*c)->source_codes);
    name_index_deinit(&(*c)->source_titles);
    alm_free((*c)->indicators);
    alm_free((*c)->sources);
    alm_place_tree_destroy(&(*c)->places);
    alm_arena_destroy(&(*c)->texts);
    alm_free(*c);
    *c = NULL;
}

static bool reserve(void **array, size_t count, size_t *cap, size_t elem_size)
{
    if (count < *cap) {
        return true;
    }
    size_t grown_cap = ALM_MAX(*cap * 2, (size_t)64);
    void *grown = alm_realloc(*array, grown_cap * elem_size);
    if (grown == NULL) {
        return false;
    }
    *array = grown;
    *cap = grown_cap;
    return true;
}

// Replaces the view by one of a copy. False: out of memory.
static bool keep(alm_arena *texts, alm_str *view)
{
    const char *copy = alm_arena_strdup(texts, *view);
    if (copy == NULL) {
        return false;
    }
    view->data = copy;
    return true;
}

static bool keep_all(alm_arena *texts, const alm_str **views, size_t count)
{
    alm_str *copies = alm_arena_calloc(texts, count, sizeof *copies);
    bool ok = copies != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        copies[i] = (*views)[i];
        ok = keep(texts, &copies[i]);
    }
    *views = copies;
    return ok;
}

static bool copy_indicator(alm_catalog *c, const alm_indicator *from, alm_indicator *to)
{
    *to = *from;
    return keep(c->texts, &to->code) && keep(c->texts, &to->name_zh) &&
           keep(c->texts, &to->name_en) && keep(c->texts, &to->theme) &&
           keep(c->texts, &to->numerator) && keep(c->texts, &to->denominator) &&
           keep(c->texts, &to->definition) && keep_all(c->texts, &to->aliases, to->alias_count);
}

static bool index_names(alm_catalog *c, const alm_indicator *indicator, uint32_t id)
{
    for (size_t i = 0; i < indicator_name_count(indicator); i++) {
        alm_str name = indicator_name(indicator, i);
        if (name.len > 0 && !name_index_add(&c->indicator_names, name, id)) {
            return false;
        }
    }
    return true;
}

// What a failed add has put into the names is taken out again; the arena keeps the text until the
// end, which is of no consequence.
alm_code alm_catalog_add_indicator(alm_catalog *c, const alm_indicator *indicator, uint32_t *ret_id,
                                   alm_status *st)
{
    ALM_ASSERT(!c->finished);
    ALM_TRY(alm_indicator_check(indicator, st));
    if (alm_catalog_find_indicator(c, indicator->code) != ALM_CATALOG_NONE) {
        return alm_status_set_field(st, ALM_ALREADY_EXISTS, "code",
                                    "indicator %.*s is there already", SHOWN_ARGS(indicator->code));
    }
    void *array = c->indicators;
    bool ok = reserve(&array, c->indicator_count, &c->indicator_cap, sizeof *c->indicators);
    c->indicators = array;
    uint32_t id = (uint32_t)c->indicator_count;
    size_t name_count = c->indicator_names.entry_count;
    ok = ok && copy_indicator(c, indicator, &c->indicators[id]) &&
         index_names(c, &c->indicators[id], id) &&
         name_index_add(&c->indicator_codes, c->indicators[id].code, id);
    if (!ok) {
        while (c->indicator_names.entry_count > name_count) {
            name_index_pop(&c->indicator_names);
        }
        return no_memory(st);
    }
    c->indicator_count++;
    if (ret_id != NULL) {
        *ret_id = id;
    }
    return ALM_OK;
}

static bool copy_source(alm_catalog *c, const alm_source *from, alm_source *to)
{
    *to = *from;
    return keep(c->texts, &to->code) && keep(c->texts, &to->title) &&
           keep(c->texts, &to->publisher) && keep(c->texts, &to->address) &&
           keep(c->texts, &to->note);
}

alm_code alm_catalog_add_source(alm_catalog *c, const alm_source *source, uint32_t *ret_id,
                                alm_status *st)
{
    ALM_ASSERT(!c->finished);
    ALM_TRY(alm_source_check(source, st));
    if (alm_catalog_find_source(c, source->code) != ALM_CATALOG_NONE) {
        return alm_status_set_field(st, ALM_ALREADY_EXISTS, "code", "source %.*s is there already",
                                    SHOWN_ARGS(source->code));
    }
    void *array = c->sources;
    bool ok = reserve(&array, c->source_count, &c->source_cap, sizeof *c->sources);
    c->sources = array;
    uint32_t id = (uint32_t)c->source_count;
    size_t title_count = c->source_titles.entry_count;
    ok = ok && copy_source(c, source, &c->sources[id]) &&
         name_index_add(&c->source_titles, c->sources[id].title, id) &&
         name_index_add(&c->source_codes, c->sources[id].code, id);
    if (!ok) {
        while (c->source_titles.entry_count > title_count) {
            name_index_pop(&c->source_titles);
        }
        return no_memory(st);
    }
    c->source_count++;
    if (ret_id != NULL) {
        *ret_id = id;
    }
    return ALM_OK;
}

alm_code alm_catalog_add_place(alm_catalog *c, const alm_place *place, alm_place_id *ret_id,
                               alm_status *st)
{
    ALM_ASSERT(!c->finished);
    return alm_place_tree_add(c->places, place, ret_id, st);
}

static alm_code check_part(const alm_catalog *c, const alm_indicator *indicator, alm_str part,
                           const char *field, alm_status *st)
{
    if (part.len == 0 || alm_catalog_find_indicator(c, part) != ALM_CATALOG_NONE) {
        return ALM_OK;
    }
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field,
                                "indicator %.*s: unknown %s '%.*s'", SHOWN_ARGS(indicator->code),
                                field, SHOWN_ARGS(part));
}

static bool is_settled(const alm_catalog *c, const bool *settled, alm_str part)
{
    return part.len == 0 || settled[alm_catalog_find_indicator(c, part)];
}

// Whoever computes a rate asks for its parts, and theirs: that must come to an end. An indicator is
// settled when its parts are; what never settles is on a cycle or rests on one.
static alm_code check_cycles(const alm_catalog *c, alm_status *st)
{
    bool *settled = alm_calloc(c->indicator_count + 1, sizeof *settled);
    if (settled == NULL) {
        return no_memory(st);
    }
    size_t count = 0;
    for (size_t before = SIZE_MAX; count != before;) {
        before = count;
        for (size_t i = 0; i < c->indicator_count; i++) {
            const alm_indicator *indicator = &c->indicators[i];
            if (!settled[i] && is_settled(c, settled, indicator->numerator) &&
                is_settled(c, settled, indicator->denominator)) {
                settled[i] = true;
                count++;
            }
        }
    }
    alm_code code = ALM_OK;
    for (size_t i = 0; i < c->indicator_count && code == ALM_OK; i++) {
        if (!settled[i]) {
            code = alm_status_set_field(st, ALM_INVALID_ARGUMENT, "numerator",
                                        "indicator %.*s is computed from itself through numerators "
                                        "and denominators",
                                        SHOWN_ARGS(c->indicators[i].code));
        }
    }
    alm_free(settled);
    return code;
}

alm_code alm_catalog_finish(alm_catalog *c, alm_status *st)
{
    ALM_ASSERT(!c->finished);
    for (size_t i = 0; i < c->indicator_count; i++) {
        const alm_indicator *indicator = &c->indicators[i];
        ALM_TRY(check_part(c, indicator, indicator->numerator, "numerator", st));
        ALM_TRY(check_part(c, indicator, indicator->denominator, "denominator", st));
    }
    ALM_TRY(check_cycles(c, st));
    ALM_TRY(alm_place_tree_finish(c->places, st));
    c->finished = true;
    return ALM_OK;
}

const alm_place_tree *alm_catalog_places(const alm_catalog *c)
{
    ALM_ASSERT(c->finished);
    return c->places;
}

size_t alm_catalog_indicator_count(const alm_catalog *c)
{
    return c->indicator_count;
}

const alm_indicator *alm_catalog_indicator(const alm_catalog *c, uint32_t id)
{
    ALM_ASSERT(id < c->indicator_count);
    return &c->indicators[id];
}

size_t alm_catalog_source_count(const alm_catalog *c)
{
    return c->source_count;
}

const alm_source *alm_catalog_source(const alm_catalog *c, uint32_t id)
{
    ALM_ASSERT(id < c->source_count);
    return &c->sources[id];
}

uint32_t alm_catalog_find_indicator(const alm_catalog *c, alm_str code)
{
    uint32_t id;
    return name_index_find(&c->indicator_codes, code, &id) ? id : ALM_CATALOG_NONE;
}

uint32_t alm_catalog_find_source(const alm_catalog *c, alm_str code)
{
    uint32_t id;
    return name_index_find(&c->source_codes, code, &id) ? id : ALM_CATALOG_NONE;
}
