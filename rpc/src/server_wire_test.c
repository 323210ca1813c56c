// A server against a peer that speaks bytes: what docs/WIRE.md promises, and what a peer that does
// not keep to it can do to others, which is nothing.
#include "alm/alloc.h"
#include "alm/server.h"
#include "wire_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHECK 0 // Health is the first service of every server, Check its first method
#define WATCH 1
#define ABORT 6 // what follows Health, Reflection and Stats

typedef struct served {
    alm_rpc *rpc;
    alm_server *server;
    const char *address;
    wire_peer peer;
} served;

static const alm_hello client_hello = {.message_bytes_max = 1u << 20,
                                       .heartbeat_ms = 500,
                                       .window_bytes = 1u << 20,
                                       .window_messages = 1000};

static void start_server(served *s, const char *address)
{
    alm_status st;
    ok(alm_server_create(s->rpc, NULL, &s->server, &st), &st);
    ok(alm_server_bind(s->server, address, &st), &st);
    ok(alm_server_start(s->server, &st), &st);
    s->address = alm_server_endpoint(s->server, 0);
    peer_dial(&s->peer, s->rpc, s->address);
}

static void serve(served *s, const char *address, const alm_clock *clock)
{
    alm_status st;
    alm_rpc_opts opts = {0};
    if (clock != NULL) {
        opts.clock = *clock;
    }
    ok(alm_rpc_create(&opts, &s->rpc, &st), &st);
    start_server(s, address);
}

static void unserve(served *s)
{
    peer_close(&s->peer);
    alm_server_destroy(&s->server);
    alm_rpc_destroy(&s->rpc);
}

static void greet(wire_peer *peer)
{
    say_hello(peer, &client_hello, NULL, 0);
    alm_record answer = peer_expect(peer, ALM_RECORD_HELLO);
    alm_hello hello;
    alm_status st;
    alm_arena *arena = alm_arena_create(0);
    ok(alm_hello_decode(answer.payload, arena, &hello, &st), &st);
    assert_true(alm_str_eq(hello.services[0].name, ALM_STR("almanac.internal.Health")));
    alm_arena_destroy(&arena);
}

static alm_record request(uint64_t id, uint32_t method)
{
    return (alm_record){
        .type = ALM_RECORD_REQUEST, .call_id = id, .arg = method, .time_ms = ALM_RECORD_TIME_NONE};
}

// A Check that must be answered with SERVING.
static void expect_served(wire_peer *peer, uint64_t id)
{
    peer_send(peer, request(id, CHECK));
    alm_record end = peer_expect(peer, ALM_RECORD_END);
    assert_int_equal(end.call_id, id);
    assert_int_equal(end.arg, ALM_OK);
    assert_int_equal(end.flags, ALM_RECORD_LAST);
    assert_int_equal(end.time_ms, 1);
    assert_true(alm_str_eq(end.payload, ALM_STR("\x08\x01"))); // status: SERVING
}

static void expect_end(wire_peer *peer, uint64_t id, alm_code code)
{
    alm_record end = peer_expect(peer, ALM_RECORD_END);
    assert_int_equal(end.call_id, id);
    if (end.arg != (uint32_t)code) {
        fail_msg("code %u, want %d: %.*s", end.arg, (int)code, ALM_STR_ARGS(end.payload));
    }
    assert_true(end.payload.len > 0 || code == ALM_OK);
}

// Everything that may be said to a server that was not greeted, and the answer RESET.
static void strangers_are_reset(void **state)
{
    served s;
    serve(&s, *state, NULL);
    static const uint8_t junk[100] = {0xde, 0xad, 0xbe, 0xef};
    peer_send_bytes(&s.peer, junk, sizeof junk);
    peer_expect(&s.peer, ALM_RECORD_RESET);
    peer_send_bytes(&s.peer, junk, 1);
    peer_expect(&s.peer, ALM_RECORD_RESET);
    peer_send(&s.peer, request(1, CHECK));
    peer_expect(&s.peer, ALM_RECORD_RESET);
    peer_send(&s.peer, (alm_record){.type = ALM_RECORD_PING});
    peer_expect(&s.peer, ALM_RECORD_RESET);
    peer_send(&s.peer, (alm_record){.type = ALM_RECORD_HELLO, .payload = ALM_STR("no")});
    peer_expect(&s.peer, ALM_RECORD_RESET);
    greet(&s.peer);
    expect_served(&s.peer, 7);
    unserve(&s);
}

// Who is reset stands in the log with the reason, once a second at most.
static void a_reset_is_told_with_its_reason(void **state)
{
    served s;
    alm_status st;
    alm_log log;
    char text[4096];
    static uint8_t hello[100] = {'A', 'L', 'M', '1', 99}; // of a version to come
    alm_log_init(&log, "test");
    log.fd = memfd_create("log", MFD_CLOEXEC);
    assert_true(log.fd >= 0);
    const alm_rpc_opts opts = {.log = &log};
    ok(alm_rpc_create(&opts, &s.rpc, &st), &st);
    start_server(&s, *state);
    for (int i = 0; i < 3; i++) {
        const alm_str payload = {.data = (const char *)hello, .len = sizeof hello};
        peer_send(&s.peer, (alm_record){.type = ALM_RECORD_HELLO, .payload = payload});
        peer_expect(&s.peer, ALM_RECORD_RESET);
    }
    unserve(&s);
    ssize_t len = pread(log.fd, text, sizeof text - 1, 0);
    assert_true(len > 0);
    text[len] = '\0';
    const char *line = strstr(text, "rpc.peer_reset");
    if (line == NULL || strstr(line, "version 99") == NULL) {
        fail_msg("the reset is not in the log: %s", text);
    }
    assert_null(strstr(line + 1, "rpc.peer_reset"));
    close(log.fd);
}

static void a_peer_that_breaks_the_protocol_is_alone_with_it(void **state)
{
    served s;
    wire_peer good;
    serve(&s, *state, NULL);
    peer_dial(&good, s.rpc, s.address);
    greet(&good);
    peer_send(&good, request(1, WATCH));
    peer_expect(&good, ALM_RECORD_MESSAGE);
    const alm_record bad[] = {
        {.type = ALM_RECORD_MESSAGE, .call_id = 9}, // Watch takes one request
        {.type = ALM_RECORD_FINISH, .call_id = 9},
        {.type = ALM_RECORD_SERVING},
        {.type = ALM_RECORD_END, .call_id = 5},
        {.type = ALM_RECORD_RESET},
        {.type = ALM_RECORD_REQUEST, .call_id = 9, .arg = WATCH, .time_ms = ALM_RECORD_TIME_NONE},
    };
    for (size_t i = 0; i < ALM_ARRAY_LEN(bad); i++) {
        greet(&s.peer);
        peer_send(&s.peer, request(9, WATCH)); // the last row uses its id again
        peer_expect(&s.peer, ALM_RECORD_MESSAGE);
        peer_send(&s.peer, bad[i]);
        peer_expect(&s.peer, ALM_RECORD_RESET);
    }
    greet(&s.peer);
    peer_send_bytes(&s.peer, "a frame that is none", 20);
    peer_expect(&s.peer, ALM_RECORD_RESET);
    alm_server_set_serving(s.server, NULL, false);
    alm_record change = peer_expect(&good, ALM_RECORD_MESSAGE); // the other's Watch goes on
    assert_true(alm_str_eq(change.payload, ALM_STR("\x08\x02")));
    peer_close(&good);
    unserve(&s);
}

static void calls_that_cannot_start_end_with_their_reason(void **state)
{
    served s;
    serve(&s, *state, NULL);
    greet(&s.peer);
    alm_record record = request(1, CHECK);
    record.payload = ALM_STR("\x0a\xff"); // a text longer than the message
    peer_send(&s.peer, record);
    expect_end(&s.peer, 1, ALM_INVALID_ARGUMENT);
    record.payload = ALM_STR("\x0a\x01\xff"); // not UTF-8
    peer_send(&s.peer, record);
    expect_end(&s.peer, 1, ALM_INVALID_ARGUMENT);
    peer_send(&s.peer, request(2, 10000));
    expect_end(&s.peer, 2, ALM_UNIMPLEMENTED);
    record = request(3, CHECK);
    record.time_ms = 0;
    peer_send(&s.peer, record);
    expect_end(&s.peer, 3, ALM_DEADLINE_EXCEEDED);
    char *large = alm_calloc(1, ALM_RPC_MESSAGE_BYTES_MAX + 1);
    record = request(4, CHECK);
    record.payload = (alm_str){.data = large, .len = ALM_RPC_MESSAGE_BYTES_MAX + 1};
    peer_send(&s.peer, record);
    expect_end(&s.peer, 4, ALM_RESOURCE_EXHAUSTED);
    alm_free(large);
    record = request(5, CHECK);
    record.metadata = ALM_STR("\x01k\x05\x00four"); // a value longer than the metadata
    peer_send(&s.peer, record);
    expect_end(&s.peer, 5, ALM_INVALID_ARGUMENT);
    expect_served(&s.peer, 6);
    unserve(&s);
}

static void records_of_no_call_are_passed_over(void **state)
{
    served s;
    serve(&s, *state, NULL);
    greet(&s.peer);
    peer_send(&s.peer, (alm_record){.type = ALM_RECORD_CANCEL, .call_id = 77});
    peer_send(&s.peer, (alm_record){.type = ALM_RECORD_CREDIT, .call_id = 77, .arg = UINT32_MAX});
    peer_send(&s.peer, (alm_record){.type = ALM_RECORD_PONG, .call_id = 77});
    peer_send(&s.peer, (alm_record){.type = ALM_RECORD_PING, .call_id = 0x1234567890});
    alm_record pong = peer_expect(&s.peer, ALM_RECORD_PONG);
    assert_int_equal(pong.call_id, 0x1234567890);
    assert_int_equal(pong.arg, 1); // HELLO
    expect_served(&s.peer, 1);
    unserve(&s);
}

// The bytes docs/WIRE.md shows.
static void the_documented_example_holds(void **state)
{
    static const uint8_t asked[] = {0x18, 0, 0, 0, 2, 0, 0, 0, 0,    0, 0, 0,
                                    7,    0, 0, 0, 0, 0, 0, 0, 0xe8, 3, 0, 0};
    static const uint8_t answered[] = {0x1a, 0, 0, 0, 4, 2, 0, 0, 0, 0, 0, 0, 7,
                                       0,    0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 8, 1};
    served s;
    serve(&s, *state, NULL);
    greet(&s.peer);
    peer_send_bytes(&s.peer, asked, sizeof asked);
    alm_buf got;
    alm_buf_init(&got, 0);
    alm_record ended = peer_expect(&s.peer, ALM_RECORD_END);
    assert_true(alm_record_append(&got, &ended));
    assert_int_equal(got.len, sizeof answered);
    assert_memory_equal(got.data, answered, sizeof answered);
    alm_buf_deinit(&got);
    unserve(&s);
}

static void a_cancelled_call_ends(void **state)
{
    served s;
    serve(&s, *state, NULL);
    greet(&s.peer);
    peer_send(&s.peer, request(3, WATCH));
    peer_expect(&s.peer, ALM_RECORD_MESSAGE);
    peer_send(&s.peer, (alm_record){.type = ALM_RECORD_CANCEL, .call_id = 3});
    expect_end(&s.peer, 3, ALM_CANCELLED);
    peer_send(&s.peer, request(3, CHECK)); // the id is free again
    expect_end(&s.peer, 3, ALM_OK);
    unserve(&s);
}

static void count_cancelled(void *arg, const alm_method_stats *stats)
{
    *(uint64_t *)arg += stats->finished[ALM_CANCELLED];
}

// A client that is gone without a word, as when its process is killed.
static void a_peer_that_vanishes_is_noticed(void **state)
{
    served s;
    serve(&s, *state, NULL);
    greet(&s.peer);
    for (uint64_t id = 1; id <= 3; id++) {
        peer_send(&s.peer, request(id, WATCH));
        peer_expect(&s.peer, ALM_RECORD_MESSAGE);
    }
    peer_close(&s.peer);
    uint64_t cancelled = 0;
    for (int waited_ms = 0; cancelled < 3 && waited_ms < WAIT_MS; waited_ms += 5) {
        poll(NULL, 0, 5); // looks again
        cancelled = 0;
        alm_server_stats(s.server, count_cancelled, &cancelled);
    }
    assert_int_equal(cancelled, 3);
    unserve(&s);
}

static void a_peer_has_so_many_calls_and_no_more(void **state)
{
    served s;
    serve(&s, *state, NULL);
    greet(&s.peer);
    for (uint64_t id = 1; id <= ALM_RPC_STREAM_COUNT_MAX; id++) {
        peer_send(&s.peer, request(id, WATCH));
        peer_expect(&s.peer, ALM_RECORD_MESSAGE);
    }
    peer_send(&s.peer, request(1u << 20, WATCH));
    alm_record end = peer_expect(&s.peer, ALM_RECORD_END);
    assert_int_equal(end.call_id, 1u << 20);
    assert_int_equal(end.arg, ALM_RESOURCE_EXHAUSTED);
    assert_int_equal(end.flags, ALM_RECORD_REFUSED);
    assert_true(end.time_ms > 0); // after which to try again
    peer_send(&s.peer, (alm_record){.type = ALM_RECORD_CANCEL, .call_id = 1});
    expect_end(&s.peer, 1, ALM_CANCELLED);
    expect_served(&s.peer, 1u << 21);
    unserve(&s);
}

static alm_code abort_call(void *self, alm_call *call, const ProtobufCMessage *message,
                           alm_status *st)
{
    (void)self;
    (void)call;
    (void)message;
    return alm_status_set(st, ALM_ABORTED, "as it always does");
}

// Answers stay with the server when the queue to a peer is full. Each is of 26 bytes: two leave a
// byte of what the server may hold, and a third keeps others' calls out until the peer reads.
static void answers_not_taken_keep_calls_out(void **state)
{
    (void)state;
    served s;
    wire_peer other;
    alm_status st;
    const alm_rpc_opts opts = {.limits = {.unsent_bytes_max = 2 * 26 + 1}};
    alm_handler handlers[16] = {abort_call};
    assert_true(alm_service_storage.descriptor->n_methods <= ALM_ARRAY_LEN(handlers));
    ok(alm_rpc_create(&opts, &s.rpc, &st), &st);
    ok(alm_server_create(s.rpc, NULL, &s.server, &st), &st);
    ok(alm_server_add(s.server, &alm_service_storage, handlers, NULL, &st), &st);
    ok(alm_server_bind(s.server, "loop://wire", &st), &st);
    ok(alm_server_start(s.server, &st), &st);
    peer_dial(&s.peer, s.rpc, "loop://wire");
    peer_dial(&other, s.rpc, "loop://wire");
    greet(&s.peer);
    greet(&other);
    uint64_t id = 0;
    alm_record end;
    do {
        id++;
        peer_send(&s.peer, request(id, CHECK)); // and does not read
        peer_send(&other, request(id, ABORT));
        end = peer_expect(&other, ALM_RECORD_END);
    } while (end.arg == ALM_ABORTED);
    assert_int_equal(end.arg, ALM_RESOURCE_EXHAUSTED);
    assert_true(alm_str_eq(
        end.payload, ALM_STR("server has 78 bytes of answers to send, 0 of them to this client")));
    for (uint64_t i = 1; i <= id; i++) {
        expect_end(&s.peer, i, ALM_OK);
    }
    peer_send(&other, request(id + 1, ABORT));
    expect_end(&other, id + 1, ALM_ABORTED);
    peer_close(&other);
    unserve(&s);
}

static int64_t atomic_clock_us(void *self)
{
    return atomic_load((atomic_llong *)self);
}

static void a_silent_peer_is_forgotten(void **state)
{
    served s;
    wire_peer other;
    atomic_llong now_us = 1;
    alm_clock clock = {.mono_us = atomic_clock_us, .wall_us = atomic_clock_us, .self = &now_us};
    serve(&s, *state, &clock);
    greet(&s.peer);
    peer_dial(&other, s.rpc, s.address);
    atomic_store(&now_us, 2900000);
    greet(&other);
    peer_send(&s.peer, request(1, CHECK)); // not long enough
    peer_expect(&s.peer, ALM_RECORD_END);
    atomic_store(&now_us, 6500000);
    greet(&other); // makes the server look at its clock
    expect_served(&other, 1);
    peer_send(&s.peer, request(2, CHECK));
    peer_expect(&s.peer, ALM_RECORD_RESET);
    peer_close(&other);
    unserve(&s);
}

static void bytes_of_another_protocol_harm_nobody(void **state)
{
    (void)state;
    served s;
    serve(&s, "tcp://127.0.0.1:0", NULL);
    int64_t port = 0;
    assert_true(alm_str_to_i64(alm_str_from(strrchr(s.address, ':') + 1), &port));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const char *const greetings[] = {"GET / HTTP/1.1\r\n\r\n", "\xff\xff\xff\xff\xff\xff", ""};
    for (size_t i = 0; i < ALM_ARRAY_LEN(greetings); i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
        size_t len = strlen(greetings[i]);
        assert_int_equal(write(fd, greetings[i], len), len);
        close(fd);
    }
    greet(&s.peer);
    expect_served(&s.peer, 1);
    unserve(&s);
}

#define ON(test, address)                                                                          \
    {                                                                                              \
#test " on " address, test, NULL, NULL, (void *)(uintptr_t)address                         \
    }
#define TCP    "tcp://127.0.0.1:0"
#define INPROC "inproc://wire"
#define LOOP   "loop://wire"

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(strangers_are_reset, TCP),
        ON(strangers_are_reset, INPROC),
        ON(strangers_are_reset, LOOP),
        ON(a_reset_is_told_with_its_reason, LOOP),
        ON(a_peer_that_breaks_the_protocol_is_alone_with_it, TCP),
        ON(a_peer_that_breaks_the_protocol_is_alone_with_it, LOOP),
        ON(calls_that_cannot_start_end_with_their_reason, TCP),
        ON(calls_that_cannot_start_end_with_their_reason, LOOP),
        ON(records_of_no_call_are_passed_over, TCP),
        ON(records_of_no_call_are_passed_over, LOOP),
        ON(the_documented_example_holds, TCP),
        ON(a_cancelled_call_ends, TCP),
        ON(a_cancelled_call_ends, LOOP),
        ON(a_peer_that_vanishes_is_noticed, TCP),
        ON(a_peer_that_vanishes_is_noticed, INPROC),
        ON(a_peer_that_vanishes_is_noticed, LOOP),
        ON(a_peer_has_so_many_calls_and_no_more, LOOP),
        ON(a_silent_peer_is_forgotten, LOOP),
        cmocka_unit_test(answers_not_taken_keep_calls_out),
        cmocka_unit_test(bytes_of_another_protocol_harm_nobody),
    };
    return cmocka_run_group_tests_name("server_wire", tests, NULL, NULL);
}
