#include "gateway_service.h"

#include "fanout.h"

#include "alm/formula.h"
#include "alm/limits.h"
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

// X(NAME, most): what a caller may run into, by the names of docs/OPERATING.md.
#define LIMIT_MAP(X)                                                                               \
    X(query_indicators, ALM_QUERY_INDICATOR_COUNT_MAX)                                             \
    X(query_cells, ALM_QUERY_CELL_COUNT_MAX)                                                       \
    X(computed_cells, ALM_SERIES_CELL_COUNT_MAX)                                                   \
    X(grid_cells, ALM_GRID_CELL_COUNT_MAX)                                                         \
    X(expression_bytes, ALM_EXPR_BYTES_MAX)                                                        \
    X(expression_terms, ALM_EXPR_TERM_COUNT_MAX)                                                   \
    X(formula_bytes, ALM_FORMULA_BYTES_MAX)                                                        \
    X(formula_parts, ALM_FORMULA_NODE_COUNT_MAX)                                                   \
    X(block_rows, ALM_RESULT_BLOCK_ROW_COUNT)                                                      \
    X(import_record_bytes, ALM_IMPORT_RECORD_BYTES_MAX)                                            \
    X(import_columns, ALM_IMPORT_COLUMN_COUNT_MAX)                                                 \
    X(import_defects, ALM_IMPORT_DEFECT_COUNT_MAX)

static bool put_limits(Almanac__V1__StatusResponse *response, alm_arena *arena)
{
    static const struct {
        const char *name;
        uint64_t value;
    } limits[] = {
#define LIMIT(name, most) {#name, most},
        LIMIT_MAP(LIMIT)
#undef LIMIT
    };
    Almanac__V1__Limit *told = alm_arena_calloc(arena, ALM_ARRAY_LEN(limits), sizeof *told);
    response->limits = alm_arena_calloc(arena, ALM_ARRAY_LEN(limits), sizeof(void *));
    if (told == NULL || response->limits == NULL) {
        return false;
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(limits); i++) {
        almanac__v1__limit__init(&told[i]);
        told[i].name = (char *)(uintptr_t)limits[i].name; // read only
        told[i].value = limits[i].value;
        response->limits[i] = &told[i];
    }
    response->n_limits = ALM_ARRAY_LEN(limits);
    return true;
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
    if (rows.exhausted || response.version == NULL || !put_limits(&response, rows.arena)) {
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
