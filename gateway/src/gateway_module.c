#include "alm/gateway_module.h"

#include "fanout.h"
#include "gateway_service.h"
#include "http.h"

#include "alm/alloc.h"
#include "alm/limits.h"
#include "alm/message.h"

#include "almanac/v1/gateway.pb-c.h"

#include <string.h>

void gateway_backends(const gateway *g, gateway_backend ret[GATEWAY_BACKEND_COUNT])
{
    ret[0] = (gateway_backend){"storage", g->storage};
    ret[1] = (gateway_backend){"ingestion", g->ingestion};
    ret[2] = (gateway_backend){"aggregation", g->aggregation};
}

uint64_t gateway_imported(gateway *g)
{
    const alm_clock *clock = &g->ctx->clock;
    return alm_seen_sequence(&g->imported, clock->mono_us(clock->self));
}

// What cannot be unpacked here cannot be by the client, who then knows of no commit.
static void note_imported(void *arg, alm_str answer)
{
    gateway *g = arg;
    const alm_clock *clock = &g->ctx->clock;
    ProtobufCMessage *message;
    alm_arena *arena = alm_arena_create(0);
    if (arena != NULL &&
        alm_message_unpack(&almanac__v1__import_response__descriptor, answer,
                           ALM_RPC_ELEMENT_COUNT_MAX, arena, &message, NULL) == ALM_OK) {
        alm_seen_note(&g->imported, ((const Almanac__V1__ImportResponse *)message)->sequence,
                      clock->mono_us(clock->self));
    }
    alm_arena_destroy(&arena);
}

static void backend_count(void *arg, const alm_connection_info *info)
{
    gateway_backend_count *count = arg;
    count->healthy += info->healthy;
    count->unhealthy += !info->healthy;
    count->outstanding += info->outstanding;
    count->calls += info->calls;
    count->failures += info->failures;
}

gateway_backend_count gateway_backend_state(alm_channel *channel)
{
    gateway_backend_count count = {0};
    alm_channel_visit(channel, backend_count, &count);
    return count;
}

static void gateway_destroy(gateway *g)
{
    alm_http_stop(&g->http);
    alm_server_destroy(&g->server);
    alm_channel_close(&g->storage);
    alm_channel_close(&g->ingestion);
    alm_channel_close(&g->aggregation);
    alm_free(g);
}

static alm_code channels_open(gateway *g, alm_status *st)
{
    const alm_module_ctx *ctx = g->ctx;
    ALM_TRY(alm_channel_open(ctx->rpc, ctx->endpoints.storage, NULL, &g->storage, st));
    ALM_TRY(alm_channel_open(ctx->rpc, ctx->endpoints.ingestion, NULL, &g->ingestion, st));
    return alm_channel_open(ctx->rpc, ctx->endpoints.aggregation, NULL, &g->aggregation, st);
}

static alm_code serve(gateway *g, alm_status *st)
{
    const alm_forward_opts forwards[] = {
        {"Explain", g->aggregation, &alm_service_aggregation, "Explain", .is_endless = false},
        {"Import", g->ingestion, &alm_service_ingestion, "Import", .on_answer = note_imported,
         .arg = g},
        {"Catalog", g->storage, &alm_service_storage, "Catalog", .is_endless = false},
        {"Watch", g->aggregation, &alm_service_aggregation, "Watch", .is_endless = true},
        {"Verify", g->storage, &alm_service_storage, "Verify", .is_endless = false},
        {"Backup", g->storage, &alm_service_storage, "Backup", .is_endless = false},
        {"Reconcile", g->aggregation, &alm_service_aggregation, "Reconcile", .is_endless = false},
    };
    const alm_look_opts look = {"Query", fanout_look, g->aggregation, &alm_service_aggregation,
                                "Execute"};
    const alm_module_service service = {.name = "gateway",
                                        .def = &alm_service_gateway,
                                        .handlers = gateway_handlers,
                                        .self = g,
                                        .forwards = forwards,
                                        .forward_count = ALM_ARRAY_LEN(forwards),
                                        .looks = &look,
                                        .look_count = 1};
    return alm_module_serve(g->ctx, &service, &g->server, st);
}

static alm_code gateway_open(gateway *g, alm_status *st)
{
    const alm_module_ctx *ctx = g->ctx;
    const char *http = alm_config_text(ctx->config, "http");
    ALM_TRY(channels_open(g, st));
    ALM_TRY(serve(g, st));
    if (strcmp(http, "off") == 0) {
        return ALM_OK;
    }
    ALM_TRY(alm_http_start(g, http, &g->http, st));
    alm_log_info(ctx->log, "http.ready", ALM_KV_U64("port", alm_http_port(g->http)));
    return ALM_OK;
}

static alm_code start(const alm_module_ctx *ctx, void **ret_self, alm_status *st)
{
    gateway *g = alm_calloc(1, sizeof *g);
    if (g == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory");
    }
    g->ctx = ctx;
    g->started_us = ctx->clock.wall_us(ctx->clock.self);
    alm_code code = gateway_open(g, st);
    if (code != ALM_OK) {
        gateway_destroy(g);
        return code;
    }
    *ret_self = g;
    return ALM_OK;
}

static void stop(void *self, int64_t timeout_ms)
{
    gateway *g = self;
    if (g->http != NULL) {
        alm_http_set_draining(g->http);
    }
    size_t cancelled = alm_server_drain(g->server, timeout_ms);
    if (cancelled > 0) {
        alm_log_warn(g->ctx->log, "drain.cancelled", ALM_KV_U64("calls", cancelled));
    }
    gateway_destroy(g);
}

static alm_server *server(void *self)
{
    return ((gateway *)self)->server;
}

static const char *const needs[] = {"storage", "ingestion", "aggregation", NULL};
static const alm_option options[] = {
    {.name = "http",
     .type = ALM_OPTION_TEXT,
     .fallback = "127.0.0.1:7180",
     .placeholder = "ADDRESS",
     .help = "where /healthz, /readyz and /metrics are; off: nowhere"},
};

const alm_module alm_module_gateway = {
    .name = "gateway",
    .bind = "tcp://127.0.0.1:7100",
    .needs = needs,
    .options = options,
    .option_count = ALM_ARRAY_LEN(options),
    .start = start,
    .stop = stop,
    .server = server,
};
