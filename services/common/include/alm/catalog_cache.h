// A service's copy of the catalogue, loaded from the store and renewed when it has changed.
//
// Threading: a cache may be shared; a reference keeps its catalogue alive while others renew it.
#ifndef ALM_CATALOG_CACHE_H
#define ALM_CATALOG_CACHE_H

#include "alm/catalog.h"
#include "alm/channel.h"

typedef struct alm_catalog_cache alm_catalog_cache;
typedef struct alm_catalog_ref alm_catalog_ref;

// Adds every entry in the order of storage's ids and says which catalogue that is; ends when the
// call that waits for it does. An entry that does not build is
// ALM_DATA_LOSS (alm_catalog_damaged): storage checked it when it was stored.
typedef alm_code (*alm_catalog_load)(void *arg, alm_call *call, alm_catalog *catalog,
                                     uint64_t *ret_sequence, alm_status *st);

// What a load function answers when an entry does not build; why: the reason.
ALM_MUST_USE alm_code alm_catalog_damaged(const alm_status *why, alm_status *st);

// Loaded by calls to storage; the channel is borrowed for the cache's life.
ALM_MUST_USE alm_code alm_catalog_cache_create(alm_channel *storage, alm_catalog_cache **ret,
                                               alm_status *st);
// Loaded by a function, called by one thread at a time.
ALM_MUST_USE alm_code alm_catalog_cache_create_with(alm_catalog_load load, void *arg,
                                                    alm_catalog_cache **ret, alm_status *st);
void alm_catalog_cache_destroy(alm_catalog_cache **cache);

// A catalogue that is at least as new as catalog_sequence (from HeadResponse or ReadResponse);
// loads it when the one at hand is older. Release it when done.
//
// Any code of loading it; ALM_DATA_LOSS: storage's catalogue does not build
ALM_MUST_USE alm_code alm_catalog_cache_get(alm_catalog_cache *cache, alm_call *call,
                                            uint64_t catalog_sequence, alm_catalog_ref **ret,
                                            alm_status *st);
// The one at hand, to be released likewise, without waiting for another; NULL: none was loaded yet.
alm_catalog_ref *alm_catalog_cache_at_hand(alm_catalog_cache *cache);
const alm_catalog *alm_catalog_ref_catalog(const alm_catalog_ref *ref);
uint64_t alm_catalog_ref_sequence(const alm_catalog_ref *ref);
void alm_catalog_ref_release(alm_catalog_ref **ref);

// Works something out of a catalogue; what it answers lives in the arena.
typedef alm_code (*alm_catalog_work)(const void *arg, const alm_catalog *catalog, alm_arena *arena,
                                     void **ret, alm_status *st);

// What was worked out under a key, which says all that it depends on besides the catalogue. It is
// worked out once, kept as long as the catalogue, and never changed: any thread may read it. Once
// as much is kept as may be, what is asked for the first time lives in the caller's arena.
//
// Any code of the work, of which nothing is kept
ALM_MUST_USE alm_code alm_catalog_ref_kept(alm_catalog_ref *ref, alm_str key, alm_catalog_work work,
                                           const void *arg, alm_arena *arena, const void **ret,
                                           alm_status *st);
#define ALM_CATALOG_KEPT_COUNT_MAX 256
#define ALM_CATALOG_KEPT_BYTES     (UINT64_C(64) << 20)

#endif
