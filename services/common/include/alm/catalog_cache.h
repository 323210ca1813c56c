// A service's copy of the catalogue, loaded from storage and renewed when it has changed.
//
// Threading: a cache may be shared; a reference keeps its catalogue alive while others renew it.
#ifndef ALM_CATALOG_CACHE_H
#define ALM_CATALOG_CACHE_H

#include "alm/catalog.h"
#include "alm/channel.h"

typedef struct alm_catalog_cache alm_catalog_cache;
typedef struct alm_catalog_ref alm_catalog_ref;

// storage is borrowed for the cache's life.
ALM_MUST_USE alm_code alm_catalog_cache_create(alm_channel *storage, alm_catalog_cache **ret,
                                               alm_status *st);
void alm_catalog_cache_destroy(alm_catalog_cache **cache);

// A catalogue that is at least as new as catalog_sequence (from HeadResponse or ReadResponse);
// loads it when the one at hand is older. Release it when done.
//
// Any code of calling storage; ALM_DATA_LOSS: storage's catalogue does not build
ALM_MUST_USE alm_code alm_catalog_cache_get(alm_catalog_cache *cache, const alm_call *parent,
                                            uint64_t catalog_sequence, alm_catalog_ref **ret,
                                            alm_status *st);
const alm_catalog *alm_catalog_ref_catalog(const alm_catalog_ref *ref);
uint64_t alm_catalog_ref_sequence(const alm_catalog_ref *ref);
void alm_catalog_ref_release(alm_catalog_ref **ref);

#endif
