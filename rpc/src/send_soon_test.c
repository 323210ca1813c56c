// Goal: a message that may leave later leaves before its handler waits for anything of rpc, when it
// asks whether to go on and when it sends more; and not before, if the handler returns.
// Method: a handler that sends one and then does one of these, and goes on only when the client has
// the message; over the transports that wake in different ways.
#include "alm/channel.h"
#include "alm/server.h"

#include "almanac/internal/storage.pb-c.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

typedef enum then_what {
    THEN_RETURN,
    THEN_CHECK,
    THEN_SEND,
    THEN_SEND_SOON,
    THEN_CALL,
} then_what;

typedef struct soon_row {
    const char *name;
    const char *address;
    then_what then;
    unsigned want; // messages altogether
} soon_row;

typedef struct teller {
    const soon_row *row;
    alm_channel *back; // to the same server
    sem_t is_read;     // the client has the first message
} teller;

static alm_code tell(alm_call *call, bool is_soon, uint64_t number, alm_status *st)
{
    Almanac__Internal__LoadCatalogResponse response;
    almanac__internal__load_catalog_response__init(&response);
    response.catalog_sequence = number;
    return is_soon ? alm_call_send_soon(call, &response.base, st)
                   : alm_call_send(call, &response.base, st);
}

static alm_code wait_for_client(teller *t, alm_status *st)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    return sem_timedwait(&t->is_read, &until) == 0
               ? ALM_OK
               : alm_status_set(st, ALM_INTERNAL, "the client did not get the message");
}

// Asked by the handler below: what it has sent must be there while it waits for this.
static alm_code head(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    Almanac__Internal__HeadResponse response;
    (void)request;
    almanac__internal__head_response__init(&response);
    ALM_TRY(wait_for_client(self, st));
    return alm_call_send(call, &response.base, st);
}

static alm_code load_catalog(void *self, alm_call *call, const ProtobufCMessage *request,
                             alm_status *st)
{
    teller *t = self;
    Almanac__Internal__HeadRequest ask;
    ProtobufCMessage *reply;
    alm_call_opts opts = {.parent = call};
    (void)request;
    almanac__internal__head_request__init(&ask);
    ALM_TRY(tell(call, true, 1, st));
    switch (t->row->then) {
    case THEN_RETURN:
        return ALM_OK;
    case THEN_CHECK:
        ALM_TRY(alm_call_check(call, st));
        break;
    case THEN_SEND:
    case THEN_SEND_SOON:
        ALM_TRY(tell(call, t->row->then == THEN_SEND_SOON, 2, st));
        break;
    case THEN_CALL:
        return alm_channel_call(t->back, &alm_service_storage, "Head", &opts, &ask.base,
                                alm_call_arena(call), &reply, st);
    }
    return wait_for_client(t, st);
}

// Commit, Read, LoadCatalog, Catalog, Watch, Head, Verify, Backup.
static const alm_handler handlers[] = {NULL, NULL, load_catalog, NULL, NULL,
                                       head, NULL, NULL,         NULL};

static void it_leaves_in_time(void **state)
{
    teller t = {.row = *state};
    alm_rpc *rpc;
    alm_server *server;
    alm_channel *client;
    alm_stream *stream;
    ProtobufCMessage *message;
    alm_status st = ALM_STATUS_INIT;
    Almanac__Internal__LoadCatalogRequest request;
    almanac__internal__load_catalog_request__init(&request);
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    assert_int_equal(sem_init(&t.is_read, 0, 0), 0);
    assert_int_equal(alm_rpc_create(&(alm_rpc_opts){0}, &rpc, NULL), ALM_OK);
    assert_int_equal(alm_server_create(rpc, NULL, &server, NULL), ALM_OK);
    assert_int_equal(alm_server_add(server, &alm_service_storage, handlers, &t, NULL), ALM_OK);
    assert_int_equal(alm_server_bind(server, t.row->address, NULL), ALM_OK);
    assert_int_equal(alm_server_start(server, NULL), ALM_OK);
    const char *address = alm_server_endpoint(server, 0);
    assert_int_equal(alm_channel_open(rpc, address, NULL, &t.back, NULL), ALM_OK);
    assert_int_equal(alm_channel_open(rpc, address, NULL, &client, NULL), ALM_OK);
    assert_int_equal(alm_stream_open(client, &alm_service_storage, "LoadCatalog", NULL,
                                     &request.base, &stream, NULL),
                     ALM_OK);
    unsigned count = 0;
    while (alm_stream_next(stream, arena, &message, &st) == ALM_OK && message != NULL) {
        count++;
        assert_int_equal(((Almanac__Internal__LoadCatalogResponse *)message)->catalog_sequence,
                         count);
        if (count == 1) {
            sem_post(&t.is_read);
        }
    }
    assert_int_equal(st.code, ALM_OK);
    assert_int_equal(count, t.row->want);
    alm_stream_close(&stream);
    alm_channel_close(&client);
    alm_server_destroy(&server);
    alm_channel_close(&t.back);
    alm_rpc_destroy(&rpc);
    alm_arena_destroy(&arena);
    sem_destroy(&t.is_read);
}

static const soon_row rows[] = {
    {"it returns", "loop://soon", THEN_RETURN, 1},
    {"it returns, tcp", "tcp://127.0.0.1:*", THEN_RETURN, 1},
    {"it asks whether to go on", "loop://soon", THEN_CHECK, 1},
    {"it asks whether to go on, tcp", "tcp://127.0.0.1:*", THEN_CHECK, 1},
    {"it sends more", "loop://soon", THEN_SEND, 2},
    {"it sends more, tcp", "tcp://127.0.0.1:*", THEN_SEND, 2},
    {"it sends more soon", "loop://soon", THEN_SEND_SOON, 2},
    {"it sends more soon, tcp", "tcp://127.0.0.1:*", THEN_SEND_SOON, 2},
    {"it waits for a call", "loop://soon", THEN_CALL, 1},
    {"it waits for a call, tcp", "tcp://127.0.0.1:*", THEN_CALL, 1},
};

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(rows)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        tests[i] = (struct CMUnitTest){.name = rows[i].name,
                                       .test_func = it_leaves_in_time,
                                       .initial_state = (void *)(uintptr_t)&rows[i]};
    }
    return cmocka_run_group_tests_name("send_soon", tests, NULL, NULL);
}
