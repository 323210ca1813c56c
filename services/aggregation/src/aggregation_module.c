#include "alm/aggregation_module.h"

#include "aggregation_service.h"

#include "alm/alloc.h"

typedef struct module_self {
    alm_aggregator service;
    alm_server *server;
} module_self;

static const alm_option options[] = {
    {.name = "cache-bytes",
     .type = ALM_OPTION_BYTES,
     .fallback = "256M",
     .placeholder = "SIZE",
     .help = "series that were read are kept, as long as they take no more than SIZE; 0: none are",
     .min = 0,
     .max = INT64_C(1) << 45},
};

static void tell_kept(const alm_aggregator *service)
{
    alm_series_cache_stats stats;
    alm_series_cache_stats_get(service->series, &stats);
    alm_log_info(service->log, "series.kept", ALM_KV_U64("hits", stats.hits),
                 ALM_KV_U64("misses", stats.misses), ALM_KV_U64("fills", stats.fills),
                 ALM_KV_U64("evictions", stats.evictions),
                 ALM_KV_U64("invalidations", stats.invalidations), ALM_KV_U64("bytes", stats.bytes),
                 ALM_KV_U64("entries", stats.entries));
}

static void stop(void *arg, int64_t timeout_ms)
{
    module_self *self = arg;
    if (self->server != NULL) {
        (void)alm_server_drain(self->server, timeout_ms);
    }
    alm_server_destroy(&self->server);
    if (self->service.series != NULL) {
        tell_kept(&self->service);
    }
    alm_cache_feed_destroy(&self->service.feed);
    alm_series_cache_destroy(&self->service.series);
    alm_catalog_cache_destroy(&self->service.catalogs);
    alm_channel_close(&self->service.storage);
    alm_free(self);
}

static alm_code keep_series(module_self *self, const alm_module_ctx *ctx, alm_status *st)
{
    alm_series_cache_opts opts = {.bytes_max = (uint64_t)alm_config_int(ctx->config, "cache-bytes"),
                                  .clock = ctx->clock};
    if (opts.bytes_max == 0) {
        return ALM_OK;
    }
    ALM_TRY(alm_series_cache_create(&opts, &self->service.series, st));
    return alm_cache_feed_create(self->service.storage, self->service.series, ctx->clock,
                                 &self->service.feed, st);
}

static alm_code begin(module_self *self, const alm_module_ctx *ctx, alm_status *st)
{
    if (ctx->endpoints.storage == NULL) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "storage",
                                    "aggregation needs to know where storage is: set --storage");
    }
    self->service.log = ctx->log;
    self->service.clock = ctx->clock;
    ALM_TRY(alm_channel_open(ctx->rpc, ctx->endpoints.storage, NULL, &self->service.storage, st));
    ALM_TRY(alm_catalog_cache_create(self->service.storage, &self->service.catalogs, st));
    ALM_TRY(keep_series(self, ctx, st));
    const alm_look_opts look = {.method = "Execute", .look = alm_aggregation_look};
    const alm_module_service service = {.name = "aggregation",
                                        .def = &alm_service_aggregation,
                                        .handlers = alm_aggregation_handlers,
                                        .self = &self->service,
                                        .looks = &look,
                                        .look_count = self->service.series != NULL};
    return alm_module_serve(ctx, &service, &self->server, st);
}

static alm_code start(const alm_module_ctx *ctx, void **ret_self, alm_status *st)
{
    module_self *self = alm_calloc(1, sizeof *self);
    if (self == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "aggregation: out of memory");
    }
    alm_code code = begin(self, ctx, st);
    if (code != ALM_OK) {
        stop(self, 0);
        return code;
    }
    *ret_self = self;
    return ALM_OK;
}

static alm_server *server(void *self)
{
    return ((module_self *)self)->server;
}

static const char *const needs[] = {"storage", NULL};

const alm_module alm_module_aggregation = {
    .name = "aggregation",
    .bind = "tcp://127.0.0.1:7103",
    .needs = needs,
    .options = options,
    .option_count = ALM_ARRAY_LEN(options),
    .start = start,
    .stop = stop,
    .server = server,
};
