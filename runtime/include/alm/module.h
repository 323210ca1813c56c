// A module: one service as a value that app/ and the services' mains start and stop.
//
// Modules meet only through channels and the endpoint table; no module knows whether the others
// live in its process.
#ifndef ALM_MODULE_H
#define ALM_MODULE_H

#include "alm/channel.h"
#include "alm/config.h"
#include "alm/rpc.h"
#include "alm/server.h"

// Where services are found. Filled from the options --storage, --ingestion, --aggregation,
// --gateway (addresses to call) by the runner.
typedef struct alm_endpoints {
    const char *storage;
    const char *ingestion;
    const char *aggregation;
    const char *gateway;
} alm_endpoints;

typedef struct alm_module_ctx {
    alm_rpc *rpc;
    const alm_log *log;
    alm_clock clock;
    const alm_config *config;
    alm_endpoints endpoints;
    const char *bind; // the address(es) this module's server binds, comma-separated
    bool allow_plaintext;
    const alm_keypair *keypair; // of its server; NULL: plaintext
    alm_policy *policy;         // NULL: anyone may do anything
} alm_module_ctx;

typedef struct alm_module {
    const char *name;          // "storage"
    const char *bind;          // its server's address as a process: "tcp://127.0.0.1:7102"
    const char *const *needs;  // names of modules it calls; NULL-terminated, or NULL: none
    const alm_option *options; // its own, beside the runner's
    size_t option_count;
    // ctx is borrowed for the module's life. On failure nothing is left behind.
    alm_code (*start)(const alm_module_ctx *ctx, void **ret_self, alm_status *st);
    // Graceful within the time, then final. self is gone afterwards. ctx is still valid.
    void (*stop)(void *self, int64_t timeout_ms);
    // Its own server; the runner reads metrics and readiness from it.
    alm_server *(*server)(void *self);
} alm_module;

// The one service of a module's server.
typedef struct alm_module_service {
    const char *name; // of the server
    const alm_service_def *def;
    const alm_handler *handlers;
    void *self;
    const alm_forward_opts *forwards; // see alm_server_forward
    size_t forward_count;
    const alm_look_opts *looks; // see alm_server_look_first
    size_t look_count;
} alm_module_service;

// What every module's start does: makes a server with the service, binds ctx->bind and starts it.
// On failure *ret is NULL. Any code of alm_server_create, _add, _bind and _start.
ALM_MUST_USE alm_code alm_module_serve(const alm_module_ctx *ctx, const alm_module_service *service,
                                       alm_server **ret, alm_status *st);

#endif
