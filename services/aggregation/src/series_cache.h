// Series that were read from storage, kept as long as no commit touches them (decision 0025).
//
// An entry is what one kind of fetch (indicator, measures, accumulation, frequency, breakdown)
// reads of neighbouring places, packed. The cache follows storage's change feed: it stands at the
// state of the last commit that it was told, and answers of that state. While the feed is not heard
// it answers nothing.
//
// Threading: may be shared; nothing in it waits for anything but its own mutex.
#ifndef ALM_SERIES_CACHE_H
#define ALM_SERIES_CACHE_H

#include "series_pack.h"

#include "alm/clock.h"

typedef struct alm_series_cache alm_series_cache;

// With more named places, a read passes the cache by.
#define ALM_CACHE_PLACE_COUNT_MAX 16

typedef struct alm_series_cache_opts {
    uint64_t bytes_max; // of all that is kept; what was used longest ago goes first
    alm_clock clock;
} alm_series_cache_opts;

// The feed says at least so often that it is there; a cache that has not heard of it for four times
// as long answers nothing.
#define ALM_CACHE_ALIVE_MS 1000

// What is asked for again within this time is read with its neighbours, and kept.
#define ALM_CACHE_AGAIN_MS 600000

ALM_MUST_USE alm_code alm_series_cache_create(const alm_series_cache_opts *opts,
                                              alm_series_cache **ret, alm_status *st);
void alm_series_cache_destroy(alm_series_cache **cache); // accepts NULL

// --- asking --------------------------------------------------------------------------------------

typedef enum alm_cache_found {
    ALM_CACHE_HIT,  // all of it
    ALM_CACHE_MISS, // read what is asked for
    ALM_CACHE_FILL, // read what is missing with its neighbours
} alm_cache_found;

typedef struct alm_cache_chunk {
    alm_place_id first_place; // of ALM_PACK_PLACE_COUNT
    alm_series_pack *pack;    // held by the asker; NULL: to be read
    uint64_t ticket;          // of what is to be read
} alm_cache_chunk;

typedef struct alm_cache_answer {
    alm_cache_found found;
    uint64_t sequence, catalog_sequence; // the state that is answered, its newest catalogue
    alm_cache_chunk chunks[ALM_CACHE_PLACE_COUNT_MAX]; // that the places are in, ascending
    size_t chunk_count;
} alm_cache_answer;

// What the cache has of a fetch.
//
//   at   the state that the question sees; 0: the newest
//   min  which has at least this commit
//
// After ALM_CACHE_FILL, each chunk without a pack is to be filled or given up.
void alm_series_cache_ask(alm_series_cache *cache, const alm_fetch *fetch, uint64_t at,
                          uint64_t min, alm_cache_answer *ret);

// The same for who cannot read: ALM_CACHE_HIT or ALM_CACHE_MISS, of which nothing is remembered.
void alm_series_cache_peek(alm_series_cache *cache, const alm_fetch *fetch, uint64_t at,
                           uint64_t min, alm_cache_answer *ret);

// What was read of a chunk of the answer, at a state; it is kept unless a commit has touched it
// since, or it takes more than an eighth of what may be kept. pack: borrowed.
void alm_series_cache_fill(alm_series_cache *cache, const alm_fetch *fetch,
                           const alm_cache_chunk *chunk, alm_series_pack *pack, uint64_t sequence);
// It was not read. for_good: and is not to be tried again before a commit touches it.
void alm_series_cache_give_up(alm_series_cache *cache, const alm_fetch *fetch,
                              const alm_cache_chunk *chunk, bool for_good);

void alm_cache_answer_release(alm_cache_answer *answer); // its packs

// --- following -----------------------------------------------------------------------------------

// A commit touches the indicator's series of these places (variant: canonical text); NULL: any.
// Before alm_series_cache_advance with its sequence.
void alm_series_cache_touch(alm_series_cache *cache, alm_str variant, const alm_place_id *places,
                            size_t place_count, uint64_t sequence);
// The commit was told to its end. A new catalogue may have changed which source goes before which:
// it empties the cache.
void alm_series_cache_advance(alm_series_cache *cache, uint64_t sequence, bool is_new_catalog);
// There is nothing newer than this state. False: the cache stands at another one, has been emptied,
// and the feed is to be begun anew.
ALM_MUST_USE bool alm_series_cache_alive(alm_series_cache *cache, uint64_t sequence,
                                         uint64_t catalog_sequence);
// The feed was lost: the cache is emptied, and answers nothing until it is alive again.
void alm_series_cache_lose(alm_series_cache *cache);

// --- figures -------------------------------------------------------------------------------------

// Of fetches that may be kept; invalidations and evictions of entries.
typedef struct alm_series_cache_stats {
    uint64_t hits, misses, fills, evictions, invalidations;
    uint64_t bytes, entries; // now
} alm_series_cache_stats;

void alm_series_cache_stats_get(alm_series_cache *cache, alm_series_cache_stats *ret);

#endif
