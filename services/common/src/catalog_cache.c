#include "alm/catalog_cache.h"

#include "alm/alloc.h"
#include "alm/wire.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct kept {
    alm_str key;
    const void *value;
    alm_arena *arena; // of both
} kept;

struct alm_catalog_ref {
    alm_catalog *catalog;
    uint64_t sequence;
    atomic_uint holders;
    pthread_mutex_t kept_mutex; // guards what follows; one thing is worked out at a time
    kept kept[ALM_CATALOG_KEPT_COUNT_MAX];
    size_t kept_count;
    uint64_t kept_bytes;
};

struct alm_catalog_cache {
    alm_catalog_load load;
    void *arg;
    pthread_mutex_t current_mutex; // guards current
    alm_catalog_ref *current;      // NULL until the first load
    pthread_mutex_t load_mutex;    // one load at a time; the others wait and take its result
};

alm_code alm_catalog_cache_create_with(alm_catalog_load load, void *arg, alm_catalog_cache **ret,
                                       alm_status *st)
{
    alm_catalog_cache *cache = alm_calloc(1, sizeof *cache);
    if (cache == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "catalogue cache: out of memory");
    }
    cache->load = load;
    cache->arg = arg;
    pthread_mutex_init(&cache->current_mutex, NULL);
    pthread_mutex_init(&cache->load_mutex, NULL);
    *ret = cache;
    return ALM_OK;
}

void alm_catalog_cache_destroy(alm_catalog_cache **cache)
{
    if (*cache == NULL) {
        return;
    }
    alm_catalog_ref_release(&(*cache)->current);
    pthread_mutex_destroy(&(*cache)->current_mutex);
    pthread_mutex_destroy(&(*cache)->load_mutex);
    alm_free(*cache);
    *cache = NULL;
}

const alm_catalog *alm_catalog_ref_catalog(const alm_catalog_ref *ref)
{
    return ref->catalog;
}

uint64_t alm_catalog_ref_sequence(const alm_catalog_ref *ref)
{
    return ref->sequence;
}

static void destroy(alm_catalog_ref *ref)
{
    for (size_t i = 0; i < ref->kept_count; i++) {
        alm_arena_destroy(&ref->kept[i].arena);
    }
    pthread_mutex_destroy(&ref->kept_mutex);
    alm_catalog_destroy(&ref->catalog);
    alm_free(ref);
}

void alm_catalog_ref_release(alm_catalog_ref **ref)
{
    if (*ref != NULL && atomic_fetch_sub(&(*ref)->holders, 1) == 1) {
        destroy(*ref);
    }
    *ref = NULL;
}

// --- what is kept with it ------------------------------------------------------------------------

static const kept *find_kept(const alm_catalog_ref *ref, alm_str key)
{
    for (size_t i = 0; i < ref->kept_count; i++) {
        if (alm_str_eq(ref->kept[i].key, key)) {
            return &ref->kept[i];
        }
    }
    return NULL;
}

// Worked out in an arena of its own, which is kept if there is room. False: there is none.
static bool work_out(alm_catalog_ref *ref, alm_str key, alm_catalog_work work, const void *arg,
                     void **ret, alm_code *ret_code, alm_status *st)
{
    kept *fresh = &ref->kept[ref->kept_count];
    bool has_room =
        ref->kept_count < ALM_CATALOG_KEPT_COUNT_MAX && ref->kept_bytes < ALM_CATALOG_KEPT_BYTES;
    alm_arena *arena = has_room ? alm_arena_create(0) : NULL;
    char *copy = arena == NULL ? NULL : alm_arena_strdup(arena, key);
    *ret_code = copy == NULL ? ALM_RESOURCE_EXHAUSTED : work(arg, ref->catalog, arena, ret, st);
    if (*ret_code != ALM_OK) {
        alm_arena_destroy(&arena);
        return copy != NULL;
    }
    *fresh = (kept){{copy, key.len}, *ret, arena};
    ref->kept_count++;
    ref->kept_bytes += alm_arena_used(arena);
    return true;
}

alm_code alm_catalog_ref_kept(alm_catalog_ref *ref, alm_str key, alm_catalog_work work,
                              const void *arg, alm_arena *arena, const void **ret, alm_status *st)
{
    void *value = NULL;
    alm_code code = ALM_OK;
    pthread_mutex_lock(&ref->kept_mutex);
    const kept *known = find_kept(ref, key);
    bool is_done = known != NULL || work_out(ref, key, work, arg, &value, &code, st);
    *ret = known != NULL ? known->value : value;
    pthread_mutex_unlock(&ref->kept_mutex);
    if (is_done) {
        return code;
    }
    ALM_TRY(work(arg, ref->catalog, arena, &value, st));
    *ret = value;
    return ALM_OK;
}

// The catalogue at hand with one more holder; NULL if there is none that new.
static alm_catalog_ref *current_retain(alm_catalog_cache *cache, uint64_t at_least)
{
    alm_catalog_ref *ref = NULL;
    pthread_mutex_lock(&cache->current_mutex);
    if (cache->current != NULL && cache->current->sequence >= at_least) {
        ref = cache->current;
        atomic_fetch_add(&ref->holders, 1);
    }
    pthread_mutex_unlock(&cache->current_mutex);
    return ref;
}

alm_catalog_ref *alm_catalog_cache_at_hand(alm_catalog_cache *cache)
{
    return current_retain(cache, 0);
}

// --- loading -------------------------------------------------------------------------------------

static alm_code entries_add(const Almanac__Internal__LoadCatalogResponse *part,
                            alm_catalog *catalog, alm_arena *arena, alm_status *st)
{
    uint32_t id;
    for (size_t i = 0; i < part->n_indicators; i++) {
        alm_indicator entry;
        ALM_TRY(alm_indicator_from_proto(part->indicators[i], arena, &entry, st));
        ALM_TRY(alm_catalog_add_indicator(catalog, &entry, &id, st));
    }
    for (size_t i = 0; i < part->n_places; i++) {
        alm_place entry;
        ALM_TRY(alm_place_from_proto(part->places[i], arena, &entry, st));
        ALM_TRY(alm_catalog_add_place(catalog, &entry, &id, st));
    }
    for (size_t i = 0; i < part->n_sources; i++) {
        alm_source entry;
        ALM_TRY(alm_source_from_proto(part->sources[i], arena, &entry, st));
        ALM_TRY(alm_catalog_add_source(catalog, &entry, &id, st));
    }
    return ALM_OK;
}

alm_code alm_catalog_damaged(const alm_status *why, alm_status *st)
{
    alm_code code = why->code == ALM_RESOURCE_EXHAUSTED ? why->code : ALM_DATA_LOSS;
    return alm_status_set(st, code, "storage's catalogue: %s", why->message);
}

static alm_code parts_read(alm_stream *stream, alm_catalog *catalog, alm_arena *arena,
                           uint64_t *ret_sequence, alm_status *st)
{
    alm_status why = ALM_STATUS_INIT;
    *ret_sequence = 0;
    for (;;) {
        ProtobufCMessage *message;
        ALM_TRY(alm_stream_next(stream, arena, &message, st));
        if (message == NULL) {
            break;
        }
        const Almanac__Internal__LoadCatalogResponse *part =
            (const Almanac__Internal__LoadCatalogResponse *)message;
        *ret_sequence = part->catalog_sequence;
        if (entries_add(part, catalog, arena, &why) != ALM_OK) {
            return alm_catalog_damaged(&why, st);
        }
        alm_arena_reset(arena);
    }
    return ALM_OK;
}

static alm_code load_parts(alm_channel *storage, alm_call *call, alm_catalog *catalog,
                           alm_arena *arena, uint64_t *ret_sequence, alm_status *st)
{
    Almanac__Internal__LoadCatalogRequest request = ALMANAC__INTERNAL__LOAD_CATALOG_REQUEST__INIT;
    alm_call_opts opts = {.parent = call};
    alm_stream *stream = NULL;
    ALM_TRY(alm_stream_open(storage, &alm_service_storage, "LoadCatalog", &opts, &request.base,
                            &stream, st));
    alm_code code = parts_read(stream, catalog, arena, ret_sequence, st);
    alm_stream_close(&stream);
    return code;
}

static alm_code load_by_calls(void *arg, alm_call *call, alm_catalog *catalog,
                              uint64_t *ret_sequence, alm_status *st)
{
    alm_arena *arena = alm_arena_create(0);
    if (arena == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "catalogue cache: out of memory");
    }
    alm_code code = load_parts(arg, call, catalog, arena, ret_sequence, st);
    alm_arena_destroy(&arena);
    return code;
}

alm_code alm_catalog_cache_create(alm_channel *storage, alm_catalog_cache **ret, alm_status *st)
{
    return alm_catalog_cache_create_with(load_by_calls, storage, ret, st);
}

static alm_code load_into(alm_catalog_cache *cache, alm_call *call, alm_catalog_ref *ref,
                          alm_status *st)
{
    alm_status why = ALM_STATUS_INIT;
    ALM_TRY(alm_catalog_create(&ref->catalog, st));
    ALM_TRY(cache->load(cache->arg, call, ref->catalog, &ref->sequence, st));
    return alm_catalog_finish(ref->catalog, &why) == ALM_OK ? ALM_OK
                                                            : alm_catalog_damaged(&why, st);
}

static alm_code load(alm_catalog_cache *cache, alm_call *call, alm_catalog_ref **ret,
                     alm_status *st)
{
    alm_catalog_ref *ref = alm_calloc(1, sizeof *ref);
    if (ref == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "catalogue cache: out of memory");
    }
    pthread_mutex_init(&ref->kept_mutex, NULL);
    alm_code code = load_into(cache, call, ref, st);
    if (code == ALM_OK) {
        atomic_init(&ref->holders, 1);
        *ret = ref;
    } else {
        destroy(ref);
    }
    return code;
}

static void current_replace(alm_catalog_cache *cache, alm_catalog_ref *fresh)
{
    pthread_mutex_lock(&cache->current_mutex);
    alm_catalog_ref *old = cache->current;
    cache->current = fresh;
    atomic_fetch_add(&fresh->holders, 1);
    pthread_mutex_unlock(&cache->current_mutex);
    alm_catalog_ref_release(&old);
}

alm_code alm_catalog_cache_get(alm_catalog_cache *cache, alm_call *call, uint64_t catalog_sequence,
                               alm_catalog_ref **ret, alm_status *st)
{
    if ((*ret = current_retain(cache, catalog_sequence)) != NULL) {
        return ALM_OK;
    }
    alm_code code = ALM_OK;
    pthread_mutex_lock(&cache->load_mutex);
    if ((*ret = current_retain(cache, catalog_sequence)) == NULL) {
        code = load(cache, call, ret, st);
        if (code == ALM_OK) {
            current_replace(cache, *ret);
        }
    }
    pthread_mutex_unlock(&cache->load_mutex);
    return code;
}
