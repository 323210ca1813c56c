#include "gateway_service.h"

#include "fanout.h"

#include "almanac/internal/storage.pb-c.h"
#include "almanac/v1/gateway.pb-c.h"

#include <string.h>

static alm_code query(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    return fanout_query(self, call, (const Almanac__V1__QueryRequest *)request, st);
}

// --- status --------------------------------------------------------------------------------------

typedef struct status_rows {
    alm_arena *arena;
    const char *service;
    Almanac__V1__ServiceStatus **rows;
    size_t count, cap;
    bool exhausted;
} status_rows;

static void status_row_add(void *arg, const alm_connection_info *info)
{
    status_rows *rows = arg;
    Almanac__V1__ServiceStatus *row = alm_arena_alloc(rows->arena, sizeof *row);
    char *endpoint = alm_arena_strdup(rows->arena, alm_str_from(info->address));
    char *name = alm_arena_strdup(rows->arena, alm_str_from(rows->service));
    char *state =
        alm_arena_strdup(rows->arena, info->healthy ? ALM_STR("serving") : ALM_STR("unreachable"));
    if (row == NULL || endpoint == NULL || name == NULL || state == NULL ||
        !alm_arena_grow(rows->arena, (void **)&rows->rows, &rows->cap, rows->count + 1,
                        sizeof *rows->rows)) {
        rows->exhausted = true;
        return;
    }
    almanac__v1__service_status__init(row);
    row->name = name;
    row->endpoint = endpoint;
    row->state = state;
    row->outstanding = info->outstanding;
    row->calls = info->calls;
    row->failures = info->failures;
    rows->rows[rows->count++] = row;
}

static void head_copy(Almanac__V1__StatusResponse *response,
                      const Almanac__Internal__HeadResponse *head)
{
    response->has_store = true;
    response->sequence = head->sequence;
    response->observations = head->observations;
    response->cells = head->cells;
    response->indicators = head->indicators;
    response->places = head->places;
    response->sources = head->sources;
    response->series_variants = head->series_variants;
    response->quarantined = head->quarantined;
    response->bytes_used = head->bytes_used;
    response->bytes_max = head->bytes_max;
    response->store_parts = head->parts;
    response->n_store_parts = head->n_parts;
    response->parts_waiting = head->parts_waiting;
    response->queued = head->queued;
    response->oldest_snapshot_ms = head->oldest_snapshot_us / 1000;
}

static alm_code status(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    gateway *g = self;
    gateway_backend backends[GATEWAY_BACKEND_COUNT];
    status_rows rows = {.arena = alm_call_arena(call)};
    Almanac__V1__StatusResponse response;
    Almanac__Internal__HeadRequest head = ALMANAC__INTERNAL__HEAD_REQUEST__INIT;
    // A status that waits for what is down is no status.
    alm_call_opts opts = {.parent = call, .timeout_ms = 2000, .fail_fast = true};
    ProtobufCMessage *reply;
    (void)request;
    almanac__v1__status_response__init(&response);
    head.with_parts = true;
    gateway_backends(g, backends);
    for (size_t i = 0; i < GATEWAY_BACKEND_COUNT; i++) {
        rows.service = backends[i].name;
        alm_channel_visit(backends[i].channel, status_row_add, &rows);
    }
    response.version = alm_arena_strdup(rows.arena, ALM_STR(ALM_VERSION));
    if (rows.exhausted || response.version == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "status: out of memory");
    }
    if (alm_channel_call(g->storage, &alm_service_storage, "Head", &opts, &head.base, rows.arena,
                         &reply, NULL) == ALM_OK) {
        head_copy(&response, (const Almanac__Internal__HeadResponse *)reply);
    }
    response.services = rows.rows;
    response.n_services = rows.count;
    return alm_call_send(call, &response.base, st);
}

// Explain, Import, Catalog, Watch, Verify, Backup, Reconcile are passed on: see gateway_module.c.
const alm_handler gateway_handlers[] = {query, NULL, NULL, NULL, NULL, status, NULL, NULL, NULL};
