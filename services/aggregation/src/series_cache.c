#include "series_cache.h"

#include "alm/alloc.h"

#include <pthread.h>
#include <utlist.h>
#include <xxhash.h>

enum { BUCKET_COUNT = 1 << 14 };

typedef enum entry_state {
    ENTRY_ASKED,   // once, and not kept
    ENTRY_FILLING, // somebody reads it
    ENTRY_KEPT,
    ENTRY_REFUSED, // it could not be kept
} entry_state;

// All series of a key stand in the bucket of their indicator and chunk, where a commit finds them.
typedef struct entry {
    struct entry *next_in_bucket;
    struct entry *prev, *next; // in the order of use, the newest first
    uint64_t hash;             // of indicator and chunk
    uint32_t chunk;
    uint32_t measures;
    alm_accumulation accumulation;
    alm_freq freq;
    alm_str indicator, breakdown; // behind the entry
    entry_state state;
    alm_date today;    // of the questions it answers: another day may have other values
    int64_t asked_us;  // the last time it was asked for
    uint64_t sequence; // KEPT: it holds from this state on; FILLING: since it began
    uint64_t touched;  // FILLING: the newest commit that touched it meanwhile
    uint64_t ticket;   // FILLING: whose
    alm_series_pack *pack;
    size_t bytes;
} entry;

struct alm_series_cache {
    alm_clock clock;
    uint64_t bytes_max;
    pthread_mutex_t mutex; // guards all below
    uint64_t sequence;     // the state it stands at; 0: none
    uint64_t touching;     // the newest commit that was told of, perhaps not to its end yet
    uint64_t catalog_sequence;
    int64_t heard_us;
    uint64_t tickets;
    entry *used; // all, the last used first
    alm_series_cache_stats stats;
    entry *buckets[BUCKET_COUNT];
};

alm_code alm_series_cache_create(const alm_series_cache_opts *opts, alm_series_cache **ret,
                                 alm_status *st)
{
    alm_series_cache *cache = alm_calloc(1, sizeof *cache);
    if (cache == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for a cache");
    }
    cache->clock = opts->clock;
    cache->bytes_max = opts->bytes_max;
    cache->stats.bytes = sizeof *cache;
    pthread_mutex_init(&cache->mutex, NULL);
    *ret = cache;
    return ALM_OK;
}

// --- entries -------------------------------------------------------------------------------------

static uint64_t hash_of(alm_str indicator, uint32_t chunk)
{
    return XXH3_64bits_withSeed(indicator.data, indicator.len, chunk);
}

static entry **bucket_of(alm_series_cache *cache, uint64_t hash)
{
    return &cache->buckets[hash % BUCKET_COUNT];
}

static bool is_of(const entry *it, uint64_t hash, alm_str indicator, uint32_t chunk)
{
    return it->hash == hash && it->chunk == chunk && alm_str_eq(it->indicator, indicator);
}

static entry *find(alm_series_cache *cache, const alm_fetch *fetch, uint32_t chunk)
{
    uint64_t hash = hash_of(fetch->indicators[0], chunk);
    for (entry *it = *bucket_of(cache, hash); it != NULL; it = it->next_in_bucket) {
        if (is_of(it, hash, fetch->indicators[0], chunk) && it->measures == fetch->measures &&
            it->accumulation == fetch->accumulation && it->freq == fetch->freq &&
            alm_str_eq(it->breakdown, fetch->breakdown)) {
            return it;
        }
    }
    return NULL;
}

static void drop_pack(alm_series_cache *cache, entry *it)
{
    if (it->pack != NULL) {
        cache->stats.bytes -= alm_series_pack_bytes(it->pack);
        alm_series_pack_release(&it->pack);
    }
}

static void remove_entry(alm_series_cache *cache, entry *it)
{
    entry **at = bucket_of(cache, it->hash);
    while (*at != it) {
        at = &(*at)->next_in_bucket;
    }
    *at = it->next_in_bucket;
    DL_DELETE(cache->used, it);
    drop_pack(cache, it);
    cache->stats.bytes -= it->bytes;
    cache->stats.entries--;
    alm_free(it);
}

static void remove_all(alm_series_cache *cache)
{
    while (cache->used != NULL) {
        remove_entry(cache, cache->used);
    }
}

static void evict(alm_series_cache *cache)
{
    while (cache->stats.bytes > cache->bytes_max && cache->used != NULL) {
        remove_entry(cache, cache->used->prev); // the last of the list
        cache->stats.evictions++;
    }
}

static void use(alm_series_cache *cache, entry *it)
{
    DL_DELETE(cache->used, it);
    DL_PREPEND(cache->used, it);
}

// NULL: no memory, and nothing is remembered of the fetch.
static entry *add(alm_series_cache *cache, const alm_fetch *fetch, uint32_t chunk)
{
    alm_str indicator = fetch->indicators[0];
    size_t bytes = sizeof(entry) + indicator.len + fetch->breakdown.len;
    entry *it = alm_alloc(bytes);
    if (it == NULL) {
        return NULL;
    }
    char *texts = (char *)(it + 1);
    memcpy(texts, indicator.data, indicator.len);
    if (fetch->breakdown.len > 0) {
        memcpy(texts + indicator.len, fetch->breakdown.data, fetch->breakdown.len);
    }
    *it = (entry){.hash = hash_of(indicator, chunk),
                  .chunk = chunk,
                  .measures = fetch->measures,
                  .accumulation = fetch->accumulation,
                  .freq = fetch->freq,
                  .indicator = {texts, indicator.len},
                  .breakdown = {texts + indicator.len, fetch->breakdown.len},
                  .bytes = bytes};
    entry **bucket = bucket_of(cache, it->hash);
    it->next_in_bucket = *bucket;
    *bucket = it;
    DL_PREPEND(cache->used, it);
    cache->stats.bytes += bytes;
    cache->stats.entries++;
    return it;
}

void alm_series_cache_destroy(alm_series_cache **cache)
{
    if (*cache == NULL) {
        return;
    }
    remove_all(*cache);
    pthread_mutex_destroy(&(*cache)->mutex);
    alm_free(*cache);
    *cache = NULL;
}

// --- asking --------------------------------------------------------------------------------------

static int64_t now_us(const alm_series_cache *cache)
{
    return cache->clock.mono_us(cache->clock.self);
}

static bool is_plain(const alm_fetch *fetch)
{
    return fetch->indicator_count == 1 && !fetch->all_places && fetch->place_count > 0 &&
           fetch->place_count <= ALM_CACHE_PLACE_COUNT_MAX && fetch->as_of == ALM_DATE_MAX &&
           fetch->source_count == 0 && !fetch->all_vintages && fetch->top == 0;
}

// Does the cache know the state that is asked for?
static bool knows(const alm_series_cache *cache, uint64_t at, uint64_t min)
{
    int64_t silent_us = now_us(cache) - cache->heard_us;
    return cache->sequence != 0 && silent_us <= INT64_C(4000) * ALM_CACHE_ALIVE_MS &&
           min <= cache->sequence && at <= cache->sequence;
}

static void list_chunks(const alm_fetch *fetch, alm_cache_answer *ret)
{
    for (size_t i = 0; i < fetch->place_count; i++) {
        alm_place_id first = fetch->places[i] >> ALM_PACK_PLACE_BITS << ALM_PACK_PLACE_BITS;
        if (ret->chunk_count == 0 || ret->chunks[ret->chunk_count - 1].first_place != first) {
            ret->chunks[ret->chunk_count++] = (alm_cache_chunk){.first_place = first};
        }
    }
}

static bool is_usable(const entry *it, const alm_fetch *fetch, uint64_t state)
{
    return it->state == ENTRY_KEPT && it->today == fetch->today && it->sequence <= state;
}

// Is it to be read with its neighbours? It was asked for a while ago, or is of a day that is over.
static bool is_due(const alm_series_cache *cache, const entry *it, const alm_fetch *fetch)
{
    bool is_again = it->state == ENTRY_ASKED &&
                    now_us(cache) - it->asked_us <= INT64_C(1000) * ALM_CACHE_AGAIN_MS;
    return is_again || (it->state == ENTRY_KEPT && it->today < fetch->today);
}

// Looks each chunk up, and remembers that it was asked for. Answers whether all that is missing is
// due.
static bool ask_all(alm_series_cache *cache, const alm_fetch *fetch, alm_cache_answer *ret,
                    size_t *ret_missing)
{
    bool are_due = true;
    *ret_missing = 0;
    for (size_t i = 0; i < ret->chunk_count; i++) {
        alm_cache_chunk *chunk = &ret->chunks[i];
        entry *it = find(cache, fetch, chunk->first_place >> ALM_PACK_PLACE_BITS);
        if (it != NULL && is_usable(it, fetch, ret->sequence)) {
            chunk->pack = alm_series_pack_retain(it->pack);
            use(cache, it);
            continue;
        }
        ++*ret_missing;
        are_due &= it != NULL && is_due(cache, it, fetch);
        it = it != NULL ? it : add(cache, fetch, chunk->first_place >> ALM_PACK_PLACE_BITS);
        if (it != NULL) {
            it->asked_us = now_us(cache);
            use(cache, it);
        }
    }
    return are_due;
}

static void begin_fills(alm_series_cache *cache, const alm_fetch *fetch, alm_cache_answer *ret)
{
    for (size_t i = 0; i < ret->chunk_count; i++) {
        alm_cache_chunk *chunk = &ret->chunks[i];
        if (chunk->pack != NULL) {
            continue;
        }
        entry *it = find(cache, fetch, chunk->first_place >> ALM_PACK_PLACE_BITS);
        ALM_ASSERT(it != NULL); // it was due
        drop_pack(cache, it);
        it->state = ENTRY_FILLING;
        it->today = fetch->today;
        it->sequence = ALM_MAX(cache->sequence, cache->touching);
        it->touched = 0;
        it->ticket = chunk->ticket = ++cache->tickets;
    }
}

// Without remembering. False: something is missing.
static bool find_all(alm_series_cache *cache, const alm_fetch *fetch, alm_cache_answer *ret)
{
    for (size_t i = 0; i < ret->chunk_count; i++) {
        entry *it = find(cache, fetch, ret->chunks[i].first_place >> ALM_PACK_PLACE_BITS);
        if (it == NULL || !is_usable(it, fetch, ret->sequence)) {
            return false;
        }
        ret->chunks[i].pack = alm_series_pack_retain(it->pack);
        use(cache, it);
    }
    return true;
}

void alm_series_cache_peek(alm_series_cache *cache, const alm_fetch *fetch, uint64_t at,
                           uint64_t min, alm_cache_answer *ret)
{
    *ret = (alm_cache_answer){.found = ALM_CACHE_MISS};
    if (!is_plain(fetch)) {
        return;
    }
    list_chunks(fetch, ret);
    pthread_mutex_lock(&cache->mutex);
    if (knows(cache, at, min)) {
        ret->sequence = at != 0 ? at : cache->sequence;
        ret->catalog_sequence = cache->catalog_sequence;
        ret->found = find_all(cache, fetch, ret) ? ALM_CACHE_HIT : ALM_CACHE_MISS;
        cache->stats.hits += ret->found == ALM_CACHE_HIT;
    }
    pthread_mutex_unlock(&cache->mutex);
    if (ret->found == ALM_CACHE_MISS) {
        alm_cache_answer_release(ret);
    }
}

void alm_series_cache_ask(alm_series_cache *cache, const alm_fetch *fetch, uint64_t at,
                          uint64_t min, alm_cache_answer *ret)
{
    size_t missing;
    *ret = (alm_cache_answer){.found = ALM_CACHE_MISS};
    if (!is_plain(fetch)) {
        return;
    }
    list_chunks(fetch, ret);
    pthread_mutex_lock(&cache->mutex);
    if (knows(cache, at, min)) {
        ret->sequence = at != 0 ? at : cache->sequence;
        ret->catalog_sequence = cache->catalog_sequence;
        bool are_due = ask_all(cache, fetch, ret, &missing);
        bool may_fill = are_due && ret->sequence >= ALM_MAX(cache->sequence, cache->touching);
        ret->found = missing == 0 ? ALM_CACHE_HIT : may_fill ? ALM_CACHE_FILL : ALM_CACHE_MISS;
        if (ret->found == ALM_CACHE_FILL) {
            begin_fills(cache, fetch, ret);
        }
    }
    cache->stats.hits += ret->found == ALM_CACHE_HIT;
    cache->stats.misses += ret->found != ALM_CACHE_HIT;
    evict(cache);
    pthread_mutex_unlock(&cache->mutex);
    if (ret->found == ALM_CACHE_MISS) {
        alm_cache_answer_release(ret);
    }
}

void alm_cache_answer_release(alm_cache_answer *answer)
{
    for (size_t i = 0; i < answer->chunk_count; i++) {
        alm_series_pack_release(&answer->chunks[i].pack);
    }
}

// A state from before the fill began may lack a commit that was told by then.
static bool is_valid_fill(const entry *it, uint64_t sequence)
{
    return sequence >= it->sequence && sequence >= it->touched;
}

// The entry that is being filled by whom the ticket was given to; NULL: it is gone meanwhile.
static entry *find_filling(alm_series_cache *cache, const alm_fetch *fetch,
                           const alm_cache_chunk *chunk)
{
    entry *it = find(cache, fetch, chunk->first_place >> ALM_PACK_PLACE_BITS);
    bool is_it = it != NULL && it->state == ENTRY_FILLING && it->ticket == chunk->ticket;
    return is_it ? it : NULL;
}

static void keep(alm_series_cache *cache, entry *it, alm_series_pack *pack, uint64_t sequence)
{
    it->state = ENTRY_KEPT;
    it->sequence = sequence;
    it->pack = alm_series_pack_retain(pack);
    cache->stats.bytes += alm_series_pack_bytes(pack);
    cache->stats.fills++;
    use(cache, it);
    evict(cache);
}

void alm_series_cache_fill(alm_series_cache *cache, const alm_fetch *fetch,
                           const alm_cache_chunk *chunk, alm_series_pack *pack, uint64_t sequence)
{
    pthread_mutex_lock(&cache->mutex);
    entry *it = find_filling(cache, fetch, chunk);
    if (it != NULL && !is_valid_fill(it, sequence)) {
        remove_entry(cache, it);
    } else if (it != NULL && alm_series_pack_bytes(pack) > cache->bytes_max / 8) {
        it->state = ENTRY_REFUSED;
    } else if (it != NULL) {
        keep(cache, it, pack, sequence);
    }
    pthread_mutex_unlock(&cache->mutex);
}

void alm_series_cache_give_up(alm_series_cache *cache, const alm_fetch *fetch,
                              const alm_cache_chunk *chunk, bool for_good)
{
    pthread_mutex_lock(&cache->mutex);
    entry *it = find_filling(cache, fetch, chunk);
    if (it != NULL && for_good) {
        it->state = ENTRY_REFUSED;
    } else if (it != NULL) {
        remove_entry(cache, it);
    }
    pthread_mutex_unlock(&cache->mutex);
}

// --- following -----------------------------------------------------------------------------------

static void touch_entry(alm_series_cache *cache, entry *it, uint64_t sequence)
{
    if (it->state == ENTRY_FILLING) {
        it->touched = ALM_MAX(it->touched, sequence);
    } else if (it->state != ENTRY_KEPT || it->sequence < sequence) { // else it was read with it
        cache->stats.invalidations += it->state == ENTRY_KEPT;
        remove_entry(cache, it);
    }
}

static void touch_chunk(alm_series_cache *cache, alm_str indicator, uint32_t chunk,
                        uint64_t sequence)
{
    uint64_t hash = hash_of(indicator, chunk);
    for (entry *it = *bucket_of(cache, hash), *next; it != NULL; it = next) {
        next = it->next_in_bucket;
        if (is_of(it, hash, indicator, chunk)) {
            touch_entry(cache, it, sequence);
        }
    }
}

static void touch_everywhere(alm_series_cache *cache, alm_str indicator, uint64_t sequence)
{
    for (entry *it = cache->used, *next; it != NULL; it = next) {
        next = it->next;
        if (alm_str_eq(it->indicator, indicator)) {
            touch_entry(cache, it, sequence);
        }
    }
}

static void touch_places(alm_series_cache *cache, alm_str indicator, const alm_place_id *places,
                         size_t place_count, uint64_t sequence)
{
    for (size_t i = 0; i < place_count; i++) {
        uint32_t chunk = places[i] >> ALM_PACK_PLACE_BITS;
        if (i == 0 || chunk != places[i - 1] >> ALM_PACK_PLACE_BITS) {
            touch_chunk(cache, indicator, chunk, sequence);
        }
    }
}

void alm_series_cache_touch(alm_series_cache *cache, alm_str variant, const alm_place_id *places,
                            size_t place_count, uint64_t sequence)
{
    alm_variant parts;
    bool is_variant = alm_variant_decode(variant, &parts, NULL) == ALM_OK;
    pthread_mutex_lock(&cache->mutex);
    cache->touching = ALM_MAX(cache->touching, sequence);
    if (!is_variant) { // whatever it is, it may be anything
        remove_all(cache);
    } else if (places == NULL) {
        touch_everywhere(cache, parts.indicator, sequence);
    } else {
        touch_places(cache, parts.indicator, places, place_count, sequence);
    }
    pthread_mutex_unlock(&cache->mutex);
}

// Also what is being read: its ticket finds nothing.
static void empty(alm_series_cache *cache)
{
    cache->stats.invalidations += cache->stats.entries;
    remove_all(cache);
}

static void lose(alm_series_cache *cache)
{
    empty(cache);
    cache->sequence = cache->touching = 0;
}

void alm_series_cache_advance(alm_series_cache *cache, uint64_t sequence, bool is_new_catalog)
{
    pthread_mutex_lock(&cache->mutex);
    if (is_new_catalog) {
        empty(cache);
        cache->catalog_sequence = sequence;
    }
    if (cache->sequence != 0) { // else nobody knows which catalogue
        cache->sequence = sequence;
        cache->heard_us = now_us(cache);
    }
    pthread_mutex_unlock(&cache->mutex);
}

bool alm_series_cache_alive(alm_series_cache *cache, uint64_t sequence, uint64_t catalog_sequence)
{
    pthread_mutex_lock(&cache->mutex);
    bool is_first = cache->sequence == 0;
    bool is_same =
        is_first || (cache->sequence == sequence && cache->catalog_sequence == catalog_sequence);
    if (is_same) {
        cache->sequence = sequence;
        cache->catalog_sequence = catalog_sequence;
        cache->heard_us = now_us(cache);
    } else {
        lose(cache);
    }
    pthread_mutex_unlock(&cache->mutex);
    return is_same;
}

void alm_series_cache_lose(alm_series_cache *cache)
{
    pthread_mutex_lock(&cache->mutex);
    lose(cache);
    pthread_mutex_unlock(&cache->mutex);
}

void alm_series_cache_stats_get(alm_series_cache *cache, alm_series_cache_stats *ret)
{
    pthread_mutex_lock(&cache->mutex);
    *ret = cache->stats;
    pthread_mutex_unlock(&cache->mutex);
}
