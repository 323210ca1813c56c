#include "alm/storage_module.h"

#include "alm/alloc.h"

#include "storage_series.h"

typedef struct storage {
    storage_service service;
    alm_server *server;
} storage;

static const alm_option options[] = {
    {.name = "data",
     .type = ALM_OPTION_TEXT,
     .placeholder = "DIR",
     .help = "folder of the store, on a local disk; made if it is not there (required)"},
    {.name = "max-bytes",
     .type = ALM_OPTION_BYTES,
     .placeholder = "SIZE",
     .help = "the most the store may grow to; address space, not disk (default: 1T, or as much as "
             "the process may have)",
     .min = 1 << 20,
     .max = INT64_C(1) << 45},
    {.name = "feed-commits",
     .type = ALM_OPTION_INT,
     .fallback = "1000",
     .placeholder = "N",
     .help = "the change feed tells the rows of the newest N commits at least",
     .min = 1,
     .max = INT64_MAX},
    {.name = "feed-bytes",
     .type = ALM_OPTION_BYTES,
     .fallback = "64M",
     .placeholder = "SIZE",
     .help = "and those of older ones as long as all its rows take no more than SIZE",
     .min = 1,
     .max = INT64_C(1) << 45},
};

static void destroy(storage *self)
{
    alm_server_destroy(&self->server);
    search_catalog_destroy(&self->service.search);
    alm_catalog_cache_destroy(&self->service.catalogs);
    alm_store_close(&self->service.store);
    alm_free(self);
}

static alm_code open_store(const alm_module_ctx *ctx, storage *self, alm_status *st)
{
    const char *dir = alm_config_text(ctx->config, "data");
    if (dir == NULL || dir[0] == '\0') {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "data",
                                    "--data DIR is required: the folder of the store");
    }
    alm_store_opts opts = {.bytes_max = (size_t)alm_config_int(ctx->config, "max-bytes"),
                           .clock = ctx->clock,
                           .log = ctx->log,
                           .feed_commits = (uint64_t)alm_config_int(ctx->config, "feed-commits"),
                           .feed_bytes = (uint64_t)alm_config_int(ctx->config, "feed-bytes")};
    alm_store_stats stats;
    ALM_TRY(alm_store_open(dir, &opts, &self->service.store, st));
    self->service.search = search_catalog_create(self->service.store);
    if (self->service.search == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for storage");
    }
    ALM_TRY(alm_catalog_cache_create_with(storage_load_entries, self->service.store,
                                          &self->service.catalogs, st));
    ALM_TRY(alm_store_stats_get(self->service.store, &stats, st));
    alm_log_info(ctx->log, "storage.open", ALM_KV_CSTR("data", dir),
                 ALM_KV_U64("sequence", stats.sequence), ALM_KV_U64("cells", stats.cells),
                 ALM_KV_U64("places", stats.places));
    return ALM_OK;
}

static alm_code start(const alm_module_ctx *ctx, void **ret_self, alm_status *st)
{
    static const alm_handler handlers[] = {storage_commit,  storage_read,   storage_load_catalog,
                                           storage_catalog, storage_watch,  storage_head,
                                           storage_verify,  storage_backup, storage_sums};
    storage *self = alm_calloc(1, sizeof *self);
    if (self == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for storage");
    }
    self->service.log = ctx->log;
    alm_code code = open_store(ctx, self, st);
    if (code == ALM_OK) {
        const alm_look_opts look = {.method = "Read", .look = storage_look_at_read};
        const alm_module_service service = {.name = "storage",
                                            .def = &alm_service_storage,
                                            .handlers = handlers,
                                            .self = &self->service,
                                            .looks = &look,
                                            .look_count = 1};
        code = alm_module_serve(ctx, &service, &self->server, st);
    }
    if (code != ALM_OK) {
        destroy(self);
        return code;
    }
    *ret_self = self;
    return ALM_OK;
}

static void stop(void *self, int64_t timeout_ms)
{
    alm_server_drain(((storage *)self)->server, timeout_ms);
    destroy(self);
}

static alm_server *server(void *self)
{
    return ((storage *)self)->server;
}

const alm_module alm_module_storage = {.name = "storage",
                                       .bind = "tcp://127.0.0.1:7102",
                                       .options = options,
                                       .option_count = ALM_ARRAY_LEN(options),
                                       .start = start,
                                       .stop = stop,
                                       .server = server};
