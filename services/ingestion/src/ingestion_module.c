#include "alm/ingestion_module.h"

#include "alm/alloc.h"

#include "ingestion_service.h"

typedef struct ingestion {
    ingestion_service service;
    alm_server *server;
} ingestion;

static void destroy(ingestion *self)
{
    alm_server_destroy(&self->server);
    ingestion_service_deinit(&self->service);
    alm_free(self);
}

static alm_code start(const alm_module_ctx *ctx, void **ret_self, alm_status *st)
{
    static const alm_handler handlers[] = {ingestion_import};
    ingestion *self = alm_calloc(1, sizeof *self);
    if (self == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for ingestion");
    }
    alm_code code = ingestion_service_init(&self->service, ctx->rpc, ctx->endpoints.storage,
                                           ctx->clock, ctx->log, st);
    if (code == ALM_OK) {
        const alm_module_service service = {.name = "ingestion",
                                            .def = &alm_service_ingestion,
                                            .handlers = handlers,
                                            .self = &self->service};
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
    alm_server_drain(((ingestion *)self)->server, timeout_ms);
    destroy(self);
}

static alm_server *server(void *self)
{
    return ((ingestion *)self)->server;
}

static const char *const needs[] = {"storage", NULL};

const alm_module alm_module_ingestion = {.name = "ingestion",
                                         .bind = "tcp://127.0.0.1:7101",
                                         .needs = needs,
                                         .start = start,
                                         .stop = stop,
                                         .server = server};
