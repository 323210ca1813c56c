#include "search.h"

#include "alm/alloc.h"

#include <pthread.h>

struct search_catalog {
    alm_store *store;
    pthread_mutex_t mutex; // guards everything below
    search_index *indexes[SEARCH_KIND_COUNT];
    uint64_t sequence; // of the catalogue that they hold
    alm_str *texts;    // of one entry; in work
    size_t text_cap;
    alm_arena *work; // as long as they are brought up to date
};

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to search");
}

search_catalog *search_catalog_create(alm_store *store)
{
    search_catalog *search = alm_calloc(1, sizeof *search);
    if (search == NULL || pthread_mutex_init(&search->mutex, NULL) != 0) {
        alm_free(search);
        return NULL;
    }
    search->store = store;
    search->work = alm_arena_create(0);
    bool ok = search->work != NULL;
    for (size_t i = 0; ok && i < SEARCH_KIND_COUNT; i++) {
        search->indexes[i] = search_index_create();
        ok = search->indexes[i] != NULL;
    }
    if (!ok) {
        search_catalog_destroy(&search);
    }
    return search;
}

void search_catalog_destroy(search_catalog **search)
{
    if (*search == NULL) {
        return;
    }
    for (size_t i = 0; i < SEARCH_KIND_COUNT; i++) {
        search_index_destroy(&(*search)->indexes[i]);
    }
    alm_arena_destroy(&(*search)->work);
    pthread_mutex_destroy(&(*search)->mutex);
    alm_free(*search);
    *search = NULL;
}

// --- taking in what changed ----------------------------------------------------------------------

static alm_code put(search_catalog *search, search_kind kind, uint32_t id, const alm_str *fields,
                    size_t field_count, const alm_str *aliases, size_t alias_count, alm_status *st)
{
    size_t count = field_count + alias_count;
    if (!alm_arena_grow(search->work, (void **)&search->texts, &search->text_cap, count,
                        sizeof *search->texts)) {
        return no_memory(st);
    }
    memcpy(search->texts, fields, field_count * sizeof *fields);
    if (alias_count > 0) {
        memcpy(search->texts + field_count, aliases, alias_count * sizeof *aliases);
    }
    return search_index_put(search->indexes[kind], id, search->texts, count, st);
}

static alm_code put_indicator(void *arg, uint32_t id, const alm_indicator *entry, alm_status *st)
{
    alm_str fields[] = {entry->code, entry->name_zh, entry->name_en, entry->theme};
    return put(arg, SEARCH_INDICATORS, id, fields, ALM_ARRAY_LEN(fields), entry->aliases,
               entry->alias_count, st);
}

static alm_code put_place(void *arg, alm_place_id id, const alm_place *entry, alm_status *st)
{
    alm_str fields[] = {entry->code, entry->name_zh, entry->name_en};
    return put(arg, SEARCH_PLACES, id, fields, ALM_ARRAY_LEN(fields), entry->aliases,
               entry->alias_count, st);
}

static alm_code put_source(void *arg, uint32_t id, const alm_source *entry, alm_status *st)
{
    alm_str fields[] = {entry->code, entry->title, entry->publisher};
    return put(arg, SEARCH_SOURCES, id, fields, ALM_ARRAY_LEN(fields), NULL, 0, st);
}

static alm_code renew(search_catalog *search, alm_status *st)
{
    uint64_t sequence;
    alm_store_stats stats;
    alm_catalog_visitor visitor = {
        .arg = search, .indicator = put_indicator, .place = put_place, .source = put_source};
    ALM_TRY(alm_store_stats_get(search->store, &stats, st));
    if (stats.catalog_sequence == search->sequence) {
        return ALM_OK;
    }
    alm_code code = alm_store_visit_catalog(search->store, &visitor, &sequence, st);
    alm_arena_reset(search->work);
    search->texts = NULL;
    search->text_cap = 0;
    if (code == ALM_OK) {
        search->sequence = sequence;
    }
    return code;
}

// --- finding -------------------------------------------------------------------------------------

static alm_code find(search_catalog *search, search_kind kind, alm_str words, alm_arena *arena,
                     uint32_t **ret, size_t *ret_count, alm_status *st)
{
    search_hit *hits;
    size_t count;
    ALM_TRY(renew(search, st));
    ALM_TRY(search_index_find(search->indexes[kind], words, arena, &hits, &count, st));
    uint32_t *ids = alm_arena_alloc(arena, count * sizeof *ids);
    if (ids == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        ids[i] = hits[i].id;
    }
    *ret = ids;
    *ret_count = count;
    return ALM_OK;
}

alm_code search_catalog_find(search_catalog *search, search_kind kind, alm_str words,
                             alm_arena *arena, uint32_t **ret, size_t *ret_count, alm_status *st)
{
    pthread_mutex_lock(&search->mutex);
    alm_code code = find(search, kind, words, arena, ret, ret_count, st);
    pthread_mutex_unlock(&search->mutex);
    return code;
}
