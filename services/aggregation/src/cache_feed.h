// Storage's change feed, told to the cache of series.
#ifndef ALM_CACHE_FEED_H
#define ALM_CACHE_FEED_H

#include "series_cache.h"

#include "alm/channel.h"

typedef struct alm_cache_feed alm_cache_feed;

// Borrows channel and cache, which must outlive it.
ALM_MUST_USE alm_code alm_cache_feed_create(alm_channel *storage, alm_series_cache *cache,
                                            alm_clock clock, alm_cache_feed **ret, alm_status *st);
void alm_cache_feed_destroy(alm_cache_feed **feed); // accepts NULL

// Begins the feed if it has ended, though not more often than every quarter of a second. For
// everybody who is about to ask the cache: does not wait, and costs next to nothing while all is
// well.
void alm_cache_feed_keep_up(alm_cache_feed *feed);

#endif
