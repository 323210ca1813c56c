// Goal: figures of the store are told when storage answers, and said to be unknown when it does
// not.
// Method: the gateway's Status over loop, before a storage that answers, fails, or is not there.
#include "gateway_service.h"

#include "alm/limits.h"
#include "almanac/internal/storage.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static alm_code head(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    (void)request;
    if (*(const bool *)self) {
        return alm_status_set(st, ALM_DATA_LOSS, "the head is damaged");
    }
    Almanac__Internal__HeadResponse response = ALMANAC__INTERNAL__HEAD_RESPONSE__INIT;
    response.sequence = 7;
    return alm_call_send(call, &response.base, st);
}

// Commit, Read, LoadCatalog, Catalog, Watch, Head, Verify, Backup, Sums.
static const alm_handler storage_handlers[] = {NULL, NULL, NULL, NULL, NULL,
                                               head, NULL, NULL, NULL};

static void serve(alm_rpc *rpc, const alm_service_def *service, const alm_handler *handlers,
                  void *self, const char *address, alm_server **ret)
{
    assert_int_equal(alm_server_create(rpc, NULL, ret, NULL), ALM_OK);
    assert_int_equal(alm_server_add(*ret, service, handlers, self, NULL), ALM_OK);
    assert_int_equal(alm_server_bind(*ret, address, NULL), ALM_OK);
    assert_int_equal(alm_server_start(*ret, NULL), ALM_OK);
}

typedef struct status_row {
    const char *name;
    bool is_there, fails;
    bool want_store;
    uint64_t want_sequence;
} status_row;

static uint64_t limit_of(const Almanac__V1__StatusResponse *status, const char *name)
{
    for (size_t i = 0; i < status->n_limits; i++) {
        if (strcmp(status->limits[i]->name, name) == 0) {
            return status->limits[i]->value;
        }
    }
    fail_msg("%s is not told", name);
    return 0;
}

// Lesson 8: limits are read by machines, in one call.
static void check_limits(const Almanac__V1__StatusResponse *status)
{
    assert_int_equal(limit_of(status, "query_indicators"), ALM_QUERY_INDICATOR_COUNT_MAX);
    assert_int_equal(limit_of(status, "query_cells"), ALM_QUERY_CELL_COUNT_MAX);
    assert_int_equal(limit_of(status, "computed_cells"), ALM_SERIES_CELL_COUNT_MAX);
    assert_int_equal(limit_of(status, "import_columns"), ALM_IMPORT_COLUMN_COUNT_MAX);
    for (size_t i = 0; i < status->n_limits; i++) {
        assert_true(status->limits[i]->value > 0);
    }
}

static void tells_what_it_knows(void **state)
{
    const status_row *row = *state;
    bool fails = row->fails;
    alm_module_ctx ctx = {.clock = alm_clock_system()};
    gateway g = {.ctx = &ctx};
    alm_server *storage = NULL;
    alm_channel *client;
    ProtobufCMessage *reply;
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    assert_int_equal(alm_rpc_create(&(alm_rpc_opts){0}, &ctx.rpc, NULL), ALM_OK);
    if (row->is_there) {
        serve(ctx.rpc, &alm_service_storage, storage_handlers, &fails, "loop://storage", &storage);
    }
    assert_int_equal(alm_channel_open(ctx.rpc, "loop://storage", NULL, &g.storage, NULL), ALM_OK);
    assert_int_equal(alm_channel_open(ctx.rpc, "loop://none", NULL, &g.ingestion, NULL), ALM_OK);
    assert_int_equal(alm_channel_open(ctx.rpc, "loop://none", NULL, &g.aggregation, NULL), ALM_OK);
    if (row->is_there) {
        assert_int_equal(alm_channel_wait_ready(g.storage, 10000, NULL), ALM_OK);
    }
    serve(ctx.rpc, &alm_service_gateway, gateway_handlers, &g, "loop://door", &g.server);
    assert_int_equal(alm_channel_open(ctx.rpc, "loop://door", NULL, &client, NULL), ALM_OK);

    Almanac__V1__StatusRequest request = ALMANAC__V1__STATUS_REQUEST__INIT;
    assert_int_equal(alm_channel_call(client, &alm_service_gateway, "Status", NULL, &request.base,
                                      arena, &reply, NULL),
                     ALM_OK);
    const Almanac__V1__StatusResponse *status = (const Almanac__V1__StatusResponse *)reply;
    assert_int_equal(status->has_store, row->want_store);
    assert_int_equal(status->sequence, row->want_sequence);
    assert_int_equal(status->n_services, 3);
    check_limits(status);

    alm_channel_close(&client);
    alm_server_destroy(&g.server);
    alm_channel_close(&g.storage);
    alm_channel_close(&g.ingestion);
    alm_channel_close(&g.aggregation);
    alm_server_destroy(&storage);
    alm_rpc_destroy(&ctx.rpc);
    alm_arena_destroy(&arena);
}

static const status_row status_rows[] = {
    {"storage answers", true, false, true, 7},
    {"storage fails", true, true, false, 0},
    {"lesson 8: limits are told, storage or not", false, false, false, 0},
};

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(status_rows)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(status_rows); i++) {
        tests[i] = (struct CMUnitTest){.name = status_rows[i].name,
                                       .test_func = tells_what_it_knows,
                                       .initial_state = (void *)(uintptr_t)&status_rows[i]};
    }
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
