// The handlers of the Aggregation service.
#ifndef ALM_AGGREGATION_SERVICE_H
#define ALM_AGGREGATION_SERVICE_H

#include "alm/catalog_cache.h"
#include "alm/clock.h"
#include "alm/log.h"
#include "alm/server.h"
#include "cache_feed.h"
#include "query_plan.h"

typedef struct alm_aggregator {
    alm_channel *storage;
    alm_catalog_cache *catalogs;
    alm_series_cache *series; // NULL: nothing is kept
    alm_cache_feed *feed;     // of that; else NULL
    const alm_log *log;
    alm_clock clock; // of the day on which a question is asked that does not say it
} alm_aggregator;

// Execute, Explain, Watch, Plan, Reconcile: in the order of the service's descriptor. self:
// alm_aggregator.
#define ALM_AGGREGATION_METHOD_COUNT 5
extern const alm_handler alm_aggregation_handlers[ALM_AGGREGATION_METHOD_COUNT];

// A first look at Execute: what is small, and of series that are kept, is answered at once. As an
// alm_look; self: alm_aggregator.
ALM_MUST_USE alm_code alm_aggregation_look(void *self, alm_call *call,
                                           const ProtobufCMessage *request, alm_look_verdict *ret,
                                           alm_status *st);

// The store's newest state as storage tells it; waits (within the deadline) for min_sequence.
ALM_MUST_USE alm_code alm_aggregation_head(alm_aggregator *self, alm_call *call, alm_arena *arena,
                                           uint64_t min_sequence, uint64_t *ret_sequence,
                                           uint64_t *ret_catalog_sequence, alm_status *st);

// Watch, see watch.c.
ALM_MUST_USE alm_code alm_aggregation_watch(void *self, alm_call *call,
                                            const ProtobufCMessage *request, alm_status *st);

#endif
