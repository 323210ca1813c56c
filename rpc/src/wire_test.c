// Both halves against a peer that speaks bytes: what docs/WIRE.md promises, and what a peer that
// does not keep to it can do to others, which is nothing.
#include "alm/alloc.h"
#include "alm/channel.h"
#include "alm/server.h"
#include "almanac/internal/health.pb-c.h"
#include "hello.h"
#include "record.h"
#include "rpc_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define WAIT_MS 20000 // never waited in full

// --- a peer made of bytes ------------------------------------------------------------------------

typedef struct wire_peer {
    alm_port *port;
    alm_peer_key key; // of the client, where the peer is a server
    alm_buf frame;    // the last frame received
    alm_reader reader;
} wire_peer;

static alm_code ok(alm_code code, const alm_status *st)
{
    if (code != ALM_OK) {
        fail_msg("%s", st->message);
    }
    return code;
}

static void peer_dial(wire_peer *peer, alm_rpc *rpc, const char *address)
{
    alm_address parsed;
    alm_status st;
    *peer = (wire_peer){0};
    alm_buf_init(&peer->frame, 0);
    ok(alm_address_parse(alm_str_from(address), &parsed, &st), &st);
    ok(alm_port_open(rpc, parsed.scheme, ALM_PORT_DIALS, 1u << 24, &peer->port, &st), &st);
    ok(peer->port->ops->connect(peer->port, address, &st), &st);
}

static void peer_listen(wire_peer *peer, alm_rpc *rpc, const char *address)
{
    alm_status st;
    char bound[ALM_ADDRESS_BYTES_MAX];
    *peer = (wire_peer){0};
    alm_buf_init(&peer->frame, 0);
    ok(alm_port_open(rpc, ALM_SCHEME_LOOP, ALM_PORT_LISTENS, 1u << 24, &peer->port, &st), &st);
    ok(peer->port->ops->bind(peer->port, address, bound, &st), &st);
}

static void peer_close(wire_peer *peer)
{
    alm_port_close(&peer->port, 0);
    alm_buf_deinit(&peer->frame);
}

static void wait_for(wire_peer *peer, unsigned wanted)
{
    while ((peer->port->ops->events(peer->port) & wanted) == 0) {
        struct pollfd fd = {.fd = peer->port->ops->fd(peer->port), .events = POLLIN};
        if (poll(&fd, 1, WAIT_MS) == 0) {
            fail_msg("nothing came");
        }
    }
}

static void peer_send_bytes(wire_peer *peer, const void *data, size_t len)
{
    alm_str frame = {.data = data, .len = len};
    if (peer->key.len == 0) {
        wait_for(peer, ALM_PORT_CONNECTED);
    }
    assert_int_equal(peer->port->ops->send(peer->port, &peer->key, frame), ALM_SENT_OK);
}

static void peer_send(wire_peer *peer, alm_record record)
{
    alm_buf frame;
    alm_buf_init(&frame, 0);
    assert_true(alm_record_append(&frame, &record));
    peer_send_bytes(peer, frame.data, frame.len);
    alm_buf_deinit(&frame);
}

// The next record; views are good until the next call.
static alm_record peer_receive(wire_peer *peer)
{
    alm_record record;
    while (alm_reader_left(&peer->reader) == 0) {
        alm_str frame;
        wait_for(peer, ALM_PORT_INPUT);
        if (peer->port->ops->receive(peer->port, &peer->key, &frame) == ALM_RECEIVED_FRAME) {
            alm_buf_reset(&peer->frame);
            alm_buf_str(&peer->frame, frame);
            peer->reader = alm_reader_of(peer->frame.data, peer->frame.len);
        }
    }
    assert_int_equal(alm_record_next(&peer->reader, &record, NULL), ALM_OK);
    return record;
}

// The next record of the type; heartbeats and the like in between are passed over.
static alm_record peer_expect(wire_peer *peer, alm_record_type type)
{
    alm_record record;
    do {
        record = peer_receive(peer);
        bool is_noise = record.type == ALM_RECORD_PING || record.type == ALM_RECORD_PONG ||
                        record.type == ALM_RECORD_CREDIT;
        if (record.type != type && !is_noise) {
            fail_msg("a record of type %d, want %d", (int)record.type, (int)type);
        }
    } while (record.type != type);
    return record;
}

static void say_hello(wire_peer *peer, const alm_hello *hello, const alm_service_def *const *defs,
                      size_t def_count)
{
    alm_buf payload;
    alm_buf_init(&payload, 0);
    assert_true(alm_hello_encode(&payload, hello, defs, def_count));
    peer_send(peer, (alm_record){.type = ALM_RECORD_HELLO, .payload = alm_buf_view(&payload)});
    alm_buf_deinit(&payload);
}

// --- against a server ----------------------------------------------------------------------------

#define CHECK 0 // Health is the first service of every server, Check its first method
#define WATCH 1

typedef struct served {
    alm_rpc *rpc;
    alm_server *server;
    const char *address;
    wire_peer peer;
} served;

static const alm_hello client_hello = {
    .message_bytes_max = 1u << 20, .heartbeat_ms = 500, .window_bytes = 1u << 20};

static void serve(served *s, const char *address, const alm_clock *clock)
{
    alm_status st;
    alm_rpc_opts opts = {0};
    if (clock != NULL) {
        opts.clock = *clock;
    }
    ok(alm_rpc_create(&opts, &s->rpc, &st), &st);
    ok(alm_server_create(s->rpc, NULL, &s->server, &st), &st);
    ok(alm_server_bind(s->server, address, &st), &st);
    ok(alm_server_start(s->server, &st), &st);
    s->address = alm_server_endpoint(s->server, 0);
    peer_dial(&s->peer, s->rpc, s->address);
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
    alm_record message = peer_expect(peer, ALM_RECORD_MESSAGE);
    assert_int_equal(message.call_id, id);
    assert_true(alm_str_eq(message.payload, ALM_STR("\x08\x01"))); // status: SERVING
    alm_record end = peer_expect(peer, ALM_RECORD_END);
    assert_int_equal(end.call_id, id);
    assert_int_equal(end.arg, ALM_OK);
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
        {.type = ALM_RECORD_MESSAGE, .call_id = 5},
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
    expect_served(&s.peer, 5);
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
    assert_int_equal(peer_expect(&s.peer, ALM_RECORD_PONG).call_id, 0x1234567890);
    expect_served(&s.peer, 1);
    unserve(&s);
}

// The bytes docs/WIRE.md shows.
static void the_documented_example_holds(void **state)
{
    static const uint8_t asked[] = {0x18, 0, 0, 0, 2, 0, 0, 0, 0,    0, 0, 0,
                                    7,    0, 0, 0, 0, 0, 0, 0, 0xe8, 3, 0, 0};
    static const uint8_t answered[] = {
        0x1a, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 1, //
        0x18, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    served s;
    serve(&s, *state, NULL);
    greet(&s.peer);
    peer_send_bytes(&s.peer, asked, sizeof asked);
    alm_buf got;
    alm_buf_init(&got, 0);
    alm_record message = peer_expect(&s.peer, ALM_RECORD_MESSAGE);
    assert_true(alm_record_append(&got, &message));
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
    peer_expect(&s.peer, ALM_RECORD_MESSAGE);
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
    for (uint64_t id = 1; id <= ALM_RPC_PEER_CALL_COUNT_MAX; id++) {
        peer_send(&s.peer, request(id, WATCH));
        peer_expect(&s.peer, ALM_RECORD_MESSAGE);
    }
    peer_send(&s.peer, request(1u << 20, WATCH));
    expect_end(&s.peer, 1u << 20, ALM_RESOURCE_EXHAUSTED);
    peer_send(&s.peer, (alm_record){.type = ALM_RECORD_CANCEL, .call_id = 1});
    expect_end(&s.peer, 1, ALM_CANCELLED);
    expect_served(&s.peer, 1u << 21);
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
    peer_expect(&s.peer, ALM_RECORD_MESSAGE);
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

// --- against a channel ---------------------------------------------------------------------------

// Health, whose Check must not be repeated.
static const alm_method_def careful_methods[] = {{"Check", ALM_METHOD_UNARY, false},
                                                 {"Watch", ALM_METHOD_SERVER_STREAM, true}};
static alm_service_def careful;

typedef struct calling {
    alm_rpc *rpc;
    wire_peer server;
    alm_channel *channel;
    alm_arena *arena;
    alm_status st;
    // One unary call on a thread of its own.
    pthread_t thread;
    const alm_service_def *service;
    alm_code code;
} calling;

static const alm_hello server_hello = {.message_bytes_max = 1u << 20, .heartbeat_ms = 500};

static void answer_hello(calling *c)
{
    const alm_service_def *defs[] = {&alm_service_health};
    peer_expect(&c->server, ALM_RECORD_HELLO);
    say_hello(&c->server, &server_hello, defs, 1);
}

static void dial(calling *c, const alm_channel_opts *opts)
{
    careful = (alm_service_def){alm_service_health.descriptor, careful_methods};
    *c = (calling){.arena = alm_arena_create(0), .st = ALM_STATUS_INIT};
    ok(alm_rpc_create(NULL, &c->rpc, &c->st), &c->st);
    peer_listen(&c->server, c->rpc, "loop://wire");
    ok(alm_channel_open(c->rpc, "loop://wire", opts, &c->channel, &c->st), &c->st);
}

static void hang_up(calling *c)
{
    alm_channel_close(&c->channel);
    peer_close(&c->server);
    alm_rpc_destroy(&c->rpc);
    alm_arena_destroy(&c->arena);
}

static void *run_check(void *arg)
{
    calling *c = arg;
    Almanac__Internal__HealthCheckRequest asked;
    almanac__internal__health_check_request__init(&asked);
    ProtobufCMessage *reply = NULL;
    c->st = ALM_STATUS_INIT;
    c->code = alm_channel_call(c->channel, c->service, "Check", NULL, &asked.base, c->arena, &reply,
                               &c->st);
    return NULL;
}

static uint64_t start_check(calling *c, const alm_service_def *service)
{
    c->service = service;
    assert_int_equal(pthread_create(&c->thread, NULL, run_check, c), 0);
    return peer_expect(&c->server, ALM_RECORD_REQUEST).call_id;
}

static void expect_code(calling *c, alm_code code, const char *says)
{
    pthread_join(c->thread, NULL);
    if (c->code != code || (code != ALM_OK && strstr(c->st.message, says) == NULL)) {
        fail_msg("%s '%s', want %s '%s'", alm_code_name(c->code), c->st.message,
                 alm_code_name(code), says);
    }
}

static void reply(calling *c, uint64_t id, alm_str payload, uint32_t code)
{
    peer_send(&c->server,
              (alm_record){.type = ALM_RECORD_MESSAGE, .call_id = id, .payload = payload});
    peer_send(&c->server, (alm_record){.type = ALM_RECORD_END, .call_id = id, .arg = code});
}

static void end(calling *c, uint64_t id, uint8_t flags, uint32_t code)
{
    peer_send(&c->server, (alm_record){.type = ALM_RECORD_END,
                                       .flags = flags,
                                       .call_id = id,
                                       .arg = code,
                                       .payload = ALM_STR("so it is")});
}

static void replies_are_judged(void **state)
{
    (void)state;
    calling c;
    dial(&c, NULL);
    answer_hello(&c);
    reply(&c, start_check(&c, &careful), ALM_STR("\x08\x01"), ALM_OK);
    expect_code(&c, ALM_OK, "");
    reply(&c, start_check(&c, &careful), ALM_STR("\x08"), ALM_OK);
    expect_code(&c, ALM_INTERNAL, "cannot be decoded");
    end(&c, start_check(&c, &careful), 0, ALM_OK);
    expect_code(&c, ALM_INTERNAL, "without a reply");
    reply(&c, start_check(&c, &careful), ALM_STR("\x08\x01"), ALM_ABORTED);
    expect_code(&c, ALM_ABORTED, "");
    end(&c, start_check(&c, &careful), 0, 99);
    expect_code(&c, ALM_UNKNOWN, "so it is");
    hang_up(&c);
}

static void late_and_foreign_answers_match_nothing(void **state)
{
    (void)state;
    calling c;
    dial(&c, NULL);
    answer_hello(&c);
    uint64_t first = start_check(&c, &careful);
    reply(&c, first, ALM_STR("\x08\x01"), ALM_OK);
    expect_code(&c, ALM_OK, "");
    uint64_t second = start_check(&c, &careful);
    assert_int_not_equal(first, second);
    assert_int_equal((uint32_t)first, (uint32_t)second); // the same slot
    end(&c, first, 0, ALM_DATA_LOSS);
    end(&c, second + 1, 0, ALM_DATA_LOSS);
    end(&c, 0, 0, ALM_DATA_LOSS);
    reply(&c, second, ALM_STR("\x08\x01"), ALM_OK);
    expect_code(&c, ALM_OK, "");
    hang_up(&c);
}

static void only_what_may_be_repeated_is(void **state)
{
    (void)state;
    calling c;
    dial(&c, NULL);
    answer_hello(&c);
    end(&c, start_check(&c, &careful), 0, ALM_UNAVAILABLE);
    expect_code(&c, ALM_UNAVAILABLE, "so it is");
    uint64_t id = start_check(&c, &alm_service_health);
    for (int i = 0; i < 3; i++) { // tried again on the only connection there is
        end(&c, id, 0, ALM_UNAVAILABLE);
        id = peer_expect(&c.server, ALM_RECORD_REQUEST).call_id;
    }
    reply(&c, id, ALM_STR("\x08\x01"), ALM_OK);
    expect_code(&c, ALM_OK, "");
    id = start_check(&c, &careful); // refused before it was started: any call may be repeated
    end(&c, id, ALM_RECORD_REFUSED, ALM_UNAVAILABLE);
    id = peer_expect(&c.server, ALM_RECORD_REQUEST).call_id;
    reply(&c, id, ALM_STR("\x08\x01"), ALM_OK);
    expect_code(&c, ALM_OK, "");
    hang_up(&c);
}

static void a_lost_connection_ends_or_repeats_its_calls(void **state)
{
    (void)state;
    calling c;
    dial(&c, NULL);
    answer_hello(&c);
    start_check(&c, &careful);
    peer_send(&c.server, (alm_record){.type = ALM_RECORD_RESET});
    expect_code(&c, ALM_UNAVAILABLE, "loop://wire");
    answer_hello(&c); // it comes again by itself
    start_check(&c, &alm_service_health);
    peer_send_bytes(&c.server, "junk", 4);
    answer_hello(&c);
    uint64_t id = peer_expect(&c.server, ALM_RECORD_REQUEST).call_id;
    reply(&c, id, ALM_STR("\x08\x01"), ALM_OK);
    expect_code(&c, ALM_OK, "");
    hang_up(&c);
}

static void a_silent_server_is_lost(void **state)
{
    (void)state;
    calling c;
    dial(&c, &(alm_channel_opts){.heartbeat_ms = 20});
    answer_hello(&c);
    start_check(&c, &careful); // PINGs come and nobody answers
    expect_code(&c, ALM_UNAVAILABLE, "silent");
    hang_up(&c);
}

static void a_server_told_to_go_gets_no_new_calls(void **state)
{
    (void)state;
    calling c;
    dial(&c, NULL);
    answer_hello(&c);
    uint64_t id = start_check(&c, &careful);
    peer_send(&c.server, (alm_record){.type = ALM_RECORD_GOAWAY});
    peer_send(&c.server, (alm_record){.type = ALM_RECORD_PING, .call_id = 8});
    assert_int_equal(peer_expect(&c.server, ALM_RECORD_PONG).call_id, 8);
    reply(&c, id, ALM_STR("\x08\x01"), ALM_OK); // what is in progress may end
    expect_code(&c, ALM_OK, "");
    Almanac__Internal__HealthCheckRequest asked;
    almanac__internal__health_check_request__init(&asked);
    ProtobufCMessage *got = NULL;
    alm_call_opts opts = {.fail_fast = true};
    assert_int_equal(
        alm_channel_call(c.channel, &careful, "Check", &opts, &asked.base, c.arena, &got, &c.st),
        ALM_UNAVAILABLE);
    hang_up(&c);
}

static void more_than_the_credit_is_an_error(void **state)
{
    (void)state;
    calling c;
    dial(&c, NULL);
    answer_hello(&c);
    Almanac__Internal__HealthCheckRequest asked;
    almanac__internal__health_check_request__init(&asked);
    alm_stream *stream = NULL;
    ok(alm_stream_open(c.channel, &careful, "Watch", NULL, &asked.base, &stream, &c.st), &c.st);
    uint64_t id = peer_expect(&c.server, ALM_RECORD_REQUEST).call_id;
    char *unknown_field = alm_calloc(1, 600000); // 0x7a: field 15, a run of bytes
    memcpy(unknown_field, "\x7a\xbc\xcf\x24", 4);
    alm_str payload = {.data = unknown_field, .len = 600000};
    for (int i = 0; i < 3; i++) {
        peer_send(&c.server,
                  (alm_record){.type = ALM_RECORD_MESSAGE, .call_id = id, .payload = payload});
    }
    assert_int_equal(peer_expect(&c.server, ALM_RECORD_CANCEL).call_id, id);
    alm_code code = ALM_OK;
    for (int i = 0; i < 3 && code == ALM_OK; i++) {
        ProtobufCMessage *message = NULL;
        code = alm_stream_next(stream, c.arena, &message, &c.st);
    }
    assert_int_equal(code, ALM_INTERNAL);
    assert_non_null(strstr(c.st.message, "credit"));
    alm_stream_close(&stream);
    alm_free(unknown_field);
    hang_up(&c);
}

static void credit_is_given_back_as_messages_are_read(void **state)
{
    (void)state;
    calling c;
    dial(&c, NULL);
    answer_hello(&c);
    Almanac__Internal__HealthCheckRequest asked;
    almanac__internal__health_check_request__init(&asked);
    alm_stream *stream = NULL;
    ok(alm_stream_open(c.channel, &careful, "Watch", NULL, &asked.base, &stream, &c.st), &c.st);
    uint64_t id = peer_expect(&c.server, ALM_RECORD_REQUEST).call_id;
    char *unknown_field = alm_calloc(1, 600000);
    memcpy(unknown_field, "\x7a\xbc\xcf\x24", 4);
    uint64_t given = 0;
    for (int i = 0; i < 5; i++) {
        alm_str payload = {.data = unknown_field, .len = 600000};
        ProtobufCMessage *message = NULL;
        peer_send(&c.server,
                  (alm_record){.type = ALM_RECORD_MESSAGE, .call_id = id, .payload = payload});
        ok(alm_stream_next(stream, c.arena, &message, &c.st), &c.st);
        alm_record credit = peer_expect(&c.server, ALM_RECORD_CREDIT);
        assert_int_equal(credit.call_id, id);
        given += credit.arg;
        alm_arena_reset(c.arena);
    }
    assert_int_equal(given, 5 * (600000 + ALM_RECORD_HEADER_BYTES));
    alm_stream_close(&stream);
    alm_free(unknown_field);
    hang_up(&c);
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
        cmocka_unit_test(bytes_of_another_protocol_harm_nobody),
        cmocka_unit_test(replies_are_judged),
        cmocka_unit_test(late_and_foreign_answers_match_nothing),
        cmocka_unit_test(only_what_may_be_repeated_is),
        cmocka_unit_test(a_lost_connection_ends_or_repeats_its_calls),
        cmocka_unit_test(a_silent_server_is_lost),
        cmocka_unit_test(a_server_told_to_go_gets_no_new_calls),
        cmocka_unit_test(more_than_the_credit_is_an_error),
        cmocka_unit_test(credit_is_given_back_as_messages_are_read),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
