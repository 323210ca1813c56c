// A channel against a server that speaks bytes, and lies, repeats itself, or falls silent.
#include "alm/alloc.h"
#include "alm/channel.h"
#include "almanac/internal/health.pb-c.h"
#include "wire_peer.h"

#include <pthread.h>
#include <stdatomic.h>

// Health, whose Check must not be repeated.
static const alm_method_def careful_methods[] = {
    {"Check", ALM_METHOD_UNARY, ALM_REPEAT_NEVER, ALM_ROLE_NONE},
    {"Watch", ALM_METHOD_SERVER_STREAM, ALM_REPEAT_SAFE, ALM_ROLE_NONE}};
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

static const alm_hello server_hello = {
    .message_bytes_max = 1u << 20, .heartbeat_ms = 500, .stream_count_max = 100};

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
    peer_send(&c->server, (alm_record){.type = ALM_RECORD_END,
                                       .call_id = id,
                                       .arg = code,
                                       .time_ms = code == ALM_OK ? 1 : 0});
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

static alm_stream *open_watch(calling *c)
{
    Almanac__Internal__HealthCheckRequest asked;
    almanac__internal__health_check_request__init(&asked);
    alm_stream *stream = NULL;
    ok(alm_stream_open(c->channel, &careful, "Watch", NULL, &asked.base, &stream, &c->st), &c->st);
    return stream;
}

static alm_code check_at_once(calling *c)
{
    Almanac__Internal__HealthCheckRequest asked;
    almanac__internal__health_check_request__init(&asked);
    ProtobufCMessage *got = NULL;
    alm_call_opts opts = {.fail_fast = true};
    return alm_channel_call(c->channel, &careful, "Check", &opts, &asked.base, c->arena, &got,
                            &c->st);
}

static alm_record message(uint64_t id, uint32_t number)
{
    return (alm_record){
        .type = ALM_RECORD_MESSAGE, .call_id = id, .arg = number, .payload = ALM_STR("\x08\x01")};
}

static alm_record good_end(uint64_t id, uint32_t count)
{
    return (alm_record){.type = ALM_RECORD_END, .call_id = id, .time_ms = count};
}

// A stream from which a message is missing, or in which one comes twice, does not end well.
static void streams_are_whole_or_fail(void **state)
{
    (void)state;
    const struct {
        uint32_t numbers[2]; // of the messages that come
        uint32_t count;      // that END says
    } rows[] = {{{0, 2}, 3}, {{0, 0}, 2}, {{1, 0}, 2}, {{0, 1}, 3}, {{0, 1}, 1}};
    calling c;
    dial(&c, NULL);
    answer_hello(&c);
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        alm_stream *stream = open_watch(&c);
        alm_record request = peer_receive(&c.server);
        while (request.type != ALM_RECORD_REQUEST) { // the last row's CANCEL
            request = peer_receive(&c.server);
        }
        uint64_t id = request.call_id;
        peer_send(&c.server, message(id, rows[i].numbers[0]));
        peer_send(&c.server, message(id, rows[i].numbers[1]));
        peer_send(&c.server, good_end(id, rows[i].count));
        alm_code code = ALM_OK;
        ProtobufCMessage *got = NULL;
        do {
            code = alm_stream_next(stream, c.arena, &got, &c.st);
        } while (code == ALM_OK && got != NULL);
        assert_int_equal(code, ALM_INTERNAL);
        alm_stream_close(&stream);
    }
    hang_up(&c);
}

typedef struct told {
    atomic_size_t messages, ends;
    size_t message_len, answer_len;
    alm_code code;
} told;

static void on_message(void *arg, alm_stream *stream, alm_str message)
{
    told *t = arg;
    (void)stream;
    t->message_len = message.len;
    t->messages++;
}

static void on_end(void *arg, alm_stream *stream, const alm_status *st, alm_str answer)
{
    told *t = arg;
    (void)stream;
    t->code = st->code;
    t->answer_len = answer.len;
    t->ends++;
}

static const alm_stream_events telling = {.on_message = on_message, .on_end = on_end};

// An END that carries a message: of a stream it is one of its messages, else the answer.
static void an_end_carries_a_message_or_the_answer(void **state)
{
    (void)state;
    const char *const methods[] = {"Watch", "Check"};
    calling c;
    dial(&c, NULL);
    answer_hello(&c);
    for (size_t i = 0; i < ALM_ARRAY_LEN(methods); i++) {
        Almanac__Internal__HealthCheckRequest asked;
        almanac__internal__health_check_request__init(&asked);
        told t = {.ends = 0};
        ok(alm_stream_start(c.channel, &careful, methods[i], NULL, &asked.base, &telling, &t, NULL,
                            &c.st),
           &c.st);
        alm_record last = good_end(peer_expect(&c.server, ALM_RECORD_REQUEST).call_id, 1);
        last.flags = ALM_RECORD_LAST;
        last.payload = ALM_STR("\x08\x01");
        peer_send(&c.server, last);
        while (t.ends == 0) {
            poll(NULL, 0, 1);
        }
        assert_int_equal(t.code, ALM_OK);
        assert_int_equal(t.messages, i == 0 ? 1 : 0);
        assert_int_equal(t.message_len, i == 0 ? 2 : 0);
        assert_int_equal(t.answer_len, i == 0 ? 0 : 2);
    }
    hang_up(&c);
}

// PING says how many records were sent; a frame that was lost on the way shows there.
static void a_lost_record_ends_the_connection(void **state)
{
    (void)state;
    calling c;
    dial(&c, NULL);
    answer_hello(&c);
    start_check(&c, &careful);
    c.server.sent_records++; // as if one had been lost
    peer_send(&c.server, (alm_record){.type = ALM_RECORD_PING});
    expect_code(&c, ALM_UNAVAILABLE, "records");
    hang_up(&c);
}

// As does PONG, for the END of a call that its server has forgotten.
static void a_lost_end_ends_the_connection(void **state)
{
    (void)state;
    calling c;
    dial(&c, NULL);
    answer_hello(&c);
    start_check(&c, &careful);
    peer_send(&c.server, (alm_record){.type = ALM_RECORD_PONG}); // says nothing
    peer_send(&c.server, (alm_record){.type = ALM_RECORD_PONG, .arg = c.server.sent_records});
    c.server.sent_records++; // as if END had been lost
    peer_send(&c.server, (alm_record){.type = ALM_RECORD_PONG, .arg = c.server.sent_records});
    expect_code(&c, ALM_UNAVAILABLE, "records");
    hang_up(&c);
}

static void a_service_that_is_not_serving_gets_no_calls(void **state)
{
    (void)state;
    calling c;
    dial(&c, NULL);
    answer_hello(&c);
    ok(alm_channel_wait_ready(c.channel, WAIT_MS, &c.st), &c.st);
    peer_send(&c.server, (alm_record){.type = ALM_RECORD_SERVING, .arg = 0, .time_ms = 0});
    peer_send(&c.server, (alm_record){.type = ALM_RECORD_PING, .call_id = 3});
    peer_expect(&c.server, ALM_RECORD_PONG);
    assert_int_equal(check_at_once(&c), ALM_UNAVAILABLE);
    peer_send(&c.server, (alm_record){.type = ALM_RECORD_SERVING, .arg = 0, .time_ms = 1});
    reply(&c, start_check(&c, &careful), ALM_STR("\x08\x01"), ALM_OK);
    expect_code(&c, ALM_OK, "");
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
    assert_int_equal(check_at_once(&c), ALM_UNAVAILABLE);
    hang_up(&c);
}

static void more_than_the_credit_is_an_error(void **state)
{
    (void)state;
    calling c;
    dial(&c, NULL);
    answer_hello(&c);
    alm_stream *stream = open_watch(&c);
    uint64_t id = peer_expect(&c.server, ALM_RECORD_REQUEST).call_id;
    char *unknown_field = alm_calloc(1, 600000); // 0x7a: field 15, a run of bytes
    memcpy(unknown_field, "\x7a\xbc\xcf\x24", 4);
    alm_str payload = {.data = unknown_field, .len = 600000};
    for (int i = 0; i < 3; i++) {
        peer_send(&c.server, (alm_record){.type = ALM_RECORD_MESSAGE,
                                          .call_id = id,
                                          .arg = (uint32_t)i,
                                          .payload = payload});
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
    alm_stream *stream = open_watch(&c);
    uint64_t id = peer_expect(&c.server, ALM_RECORD_REQUEST).call_id;
    char *unknown_field = alm_calloc(1, 600000);
    memcpy(unknown_field, "\x7a\xbc\xcf\x24", 4);
    uint64_t given = 0, messages = 0;
    for (int i = 0; i < 5; i++) {
        alm_str payload = {.data = unknown_field, .len = 600000};
        ProtobufCMessage *message = NULL;
        peer_send(&c.server, (alm_record){.type = ALM_RECORD_MESSAGE,
                                          .call_id = id,
                                          .arg = (uint32_t)i,
                                          .payload = payload});
        ok(alm_stream_next(stream, c.arena, &message, &c.st), &c.st);
        alm_record credit = peer_expect(&c.server, ALM_RECORD_CREDIT);
        assert_int_equal(credit.call_id, id);
        given += credit.arg;
        messages += credit.time_ms;
        alm_arena_reset(c.arena);
    }
    assert_int_equal(given, 5 * (600000 + ALM_RECORD_HEADER_BYTES));
    assert_int_equal(messages, 5);
    alm_stream_close(&stream);
    alm_free(unknown_field);
    hang_up(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_judged),
        cmocka_unit_test(streams_are_whole_or_fail),
        cmocka_unit_test(an_end_carries_a_message_or_the_answer),
        cmocka_unit_test(a_lost_record_ends_the_connection),
        cmocka_unit_test(a_lost_end_ends_the_connection),
        cmocka_unit_test(a_service_that_is_not_serving_gets_no_calls),
        cmocka_unit_test(late_and_foreign_answers_match_nothing),
        cmocka_unit_test(only_what_may_be_repeated_is),
        cmocka_unit_test(a_lost_connection_ends_or_repeats_its_calls),
        cmocka_unit_test(a_silent_server_is_lost),
        cmocka_unit_test(a_server_told_to_go_gets_no_new_calls),
        cmocka_unit_test(more_than_the_credit_is_an_error),
        cmocka_unit_test(credit_is_given_back_as_messages_are_read),
    };
    return cmocka_run_group_tests_name("client_wire", tests, NULL, NULL);
}
