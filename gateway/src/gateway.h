// What the gateway's files share: the channels to the services behind it.
#ifndef ALM_GATEWAY_GATEWAY_H
#define ALM_GATEWAY_GATEWAY_H

#include "alm/module.h"
#include "alm/seen.h"

#include <stdatomic.h>

typedef struct alm_http alm_http;

#define GATEWAY_KNOWN_COUNT 4096

typedef struct gateway {
    const alm_module_ctx *ctx; // borrowed for the module's life
    alm_channel *storage;
    alm_channel *ingestion;
    alm_channel *aggregation;
    alm_server *server;
    alm_http *http;               // NULL: --http off
    int64_t started_us;           // wall clock
    _Atomic int64_t first_us;     // about how long the first rows of a slice take; 0: not known
    _Atomic uint64_t hedge_count; // fragments that were asked of a second worker
    alm_seen imported;            // what was imported through here is in each answer
    // Questions that are not cut by places, as digests, each where its low bits say; see fanout.c.
    _Atomic uint64_t known_whole[GATEWAY_KNOWN_COUNT];
} gateway;

// The commit that a question has to see at least, since it was told through here; 0: none of late.
uint64_t gateway_imported(gateway *g);

// The channels with their names, for status, readiness and metrics.
#define GATEWAY_BACKEND_COUNT 3
typedef struct gateway_backend {
    const char *name;
    alm_channel *channel;
} gateway_backend;
void gateway_backends(const gateway *g, gateway_backend ret[GATEWAY_BACKEND_COUNT]);

// A channel's addresses, counted.
typedef struct gateway_backend_count {
    uint32_t healthy, unhealthy, outstanding;
    uint64_t calls, failures;
} gateway_backend_count;
gateway_backend_count gateway_backend_state(alm_channel *channel);

#endif
