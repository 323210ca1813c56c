// A server that passes calls on, between a client and a service that both speak bytes: what goes
// through, and what does not. The service is Gateway by name only, its messages are any bytes.
#include "alm/channel.h"
#include "alm/server.h"
#include "wire_peer.h"

#define STATUS_METHOD  "Status" // any unary one
#define LOOKED_METHOD  "Query"  // one that streams, whose look passes all its calls on
#define HOP_SERVICE_AT 3        // behind Health, Reflection and Stats

typedef struct passing {
    alm_rpc *rpc;
    alm_server *hop;
    alm_channel *up;
    wire_peer client, service;
    uint32_t client_method, service_method;
    char told[32]; // the newest answer that was passed on
} passing;

static alm_handler handlers[64]; // of those that are looked at

// method_first tells where the service's methods begin among all of its server's.
static void answer_hello(passing *p, const alm_service_def *const *defs, size_t def_count,
                         uint32_t method_first)
{
    static const alm_hello hello = {
        .message_bytes_max = 1u << 20, .heartbeat_ms = 500, .stream_count_max = 100};
    peer_expect(&p->service, ALM_RECORD_HELLO);
    say_hello(&p->service, &hello, defs, def_count);
    p->service_method =
        method_first + (uint32_t)alm_service_method_find(&alm_service_gateway, STATUS_METHOD);
}

static void greet_hop(passing *p, uint32_t message_bytes_max)
{
    const alm_hello hello = {.message_bytes_max = message_bytes_max,
                             .heartbeat_ms = 500,
                             .window_bytes = 1u << 20,
                             .window_messages = 1000};
    alm_status st;
    alm_hello answer;
    alm_arena *arena = alm_arena_create(0);
    say_hello(&p->client, &hello, NULL, 0);
    ok(alm_hello_decode(peer_expect(&p->client, ALM_RECORD_HELLO).payload, arena, &answer, &st),
       &st);
    assert_true(answer.service_count > HOP_SERVICE_AT);
    p->client_method = answer.services[HOP_SERVICE_AT].method_first +
                       (uint32_t)alm_service_method_find(&alm_service_gateway, STATUS_METHOD);
    alm_arena_destroy(&arena);
}

static alm_code pass_on(void *self, alm_call *call, const ProtobufCMessage *request,
                        alm_look_verdict *ret, alm_status *st)
{
    (void)self;
    (void)call;
    (void)request;
    (void)st;
    *ret = ALM_LOOK_FORWARD;
    return ALM_OK;
}

static alm_code never(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    (void)self;
    (void)call;
    (void)request;
    return alm_status_set(st, ALM_INTERNAL, "it was to be passed on");
}

static void note_told(void *arg, alm_str answer)
{
    passing *p = arg;
    snprintf(p->told, sizeof p->told, "%.*s", ALM_STR_ARGS(answer));
}

static void set_up(passing *p)
{
    static const alm_service_def *const gateway[] = {&alm_service_gateway};
    alm_status st;
    *p = (passing){0};
    handlers[alm_service_method_find(&alm_service_gateway, LOOKED_METHOD)] = never;
    ok(alm_rpc_create(NULL, &p->rpc, &st), &st);
    peer_listen(&p->service, p->rpc, "loop://service");
    ok(alm_channel_open(p->rpc, "loop://service", NULL, &p->up, &st), &st);
    ok(alm_server_create(p->rpc, NULL, &p->hop, &st), &st);
    ok(alm_server_add(p->hop, &alm_service_gateway, handlers, NULL, &st), &st);
    const alm_forward_opts forward = {.method = STATUS_METHOD,
                                      .channel = p->up,
                                      .to_service = &alm_service_gateway,
                                      .to_method = STATUS_METHOD,
                                      .on_answer = note_told,
                                      .arg = p};
    alm_server_forward(p->hop, &alm_service_gateway, &forward);
    const alm_look_opts look = {LOOKED_METHOD, pass_on, p->up, &alm_service_gateway, LOOKED_METHOD};
    alm_server_look_first(p->hop, &alm_service_gateway, &look);
    ok(alm_server_bind(p->hop, "loop://hop", &st), &st);
    ok(alm_server_start(p->hop, &st), &st);
    answer_hello(p, gateway, 1, 0);
    peer_dial(&p->client, p->rpc, "loop://hop");
    greet_hop(p, 1u << 20);
}

static void tear_down(passing *p)
{
    peer_close(&p->client);
    alm_server_destroy(&p->hop);
    alm_channel_close(&p->up);
    peer_close(&p->service);
    alm_rpc_destroy(&p->rpc);
}

// Where the method is, seen from where STATUS_METHOD is.
static uint32_t from_status(uint32_t status, const char *method)
{
    return status + (uint32_t)alm_service_method_find(&alm_service_gateway, method) -
           (uint32_t)alm_service_method_find(&alm_service_gateway, STATUS_METHOD);
}

static void ask_of(passing *p, const char *method, uint64_t id, alm_str metadata)
{
    peer_send(&p->client, (alm_record){.type = ALM_RECORD_REQUEST,
                                       .call_id = id,
                                       .arg = from_status(p->client_method, method),
                                       .time_ms = ALM_RECORD_TIME_NONE,
                                       .metadata = metadata});
}

static void ask(passing *p, uint64_t id, alm_str metadata)
{
    ask_of(p, STATUS_METHOD, id, metadata);
}

// The request as it came to the service.
static alm_record expect_request_of(passing *p, const char *method)
{
    alm_record request = peer_expect(&p->service, ALM_RECORD_REQUEST);
    assert_int_equal(request.arg, from_status(p->service_method, method));
    return request;
}

static alm_record expect_request(passing *p)
{
    return expect_request_of(p, STATUS_METHOD);
}

static void answer(passing *p, uint64_t id, alm_str payload)
{
    peer_send(&p->service, (alm_record){.type = ALM_RECORD_END,
                                        .flags = ALM_RECORD_LAST,
                                        .call_id = id,
                                        .time_ms = 1,
                                        .payload = payload});
}

static void expect_answer(passing *p, uint64_t id, alm_str payload)
{
    alm_record end = peer_expect(&p->client, ALM_RECORD_END);
    assert_int_equal(end.call_id, id);
    assert_int_equal(end.arg, ALM_OK);
    assert_int_equal(end.flags, ALM_RECORD_LAST);
    assert_int_equal(end.time_ms, 1);
    assert_true(alm_str_eq(end.payload, payload));
}

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN  "b7ad6b7169203331"

// What the client says of its call goes on, with a span of the hop's own; where it says nothing, so
// does the hop, which has no log here.
static void what_is_said_of_a_call_goes_on(void **state)
{
    (void)state;
    passing p;
    alm_buf said;
    alm_str trace, id, key;
    set_up(&p);
    alm_buf_init(&said, 0);
    ask(&p, 1, (alm_str){0});
    alm_record request = expect_request(&p);
    assert_int_equal(request.metadata.len, 0);
    answer(&p, request.call_id, ALM_STR("as it came"));
    expect_answer(&p, 1, ALM_STR("as it came"));
    assert_string_equal(p.told, "as it came");
    assert_true(alm_metadata_append(&said, ALM_STR(ALM_METADATA_REQUEST_ID), ALM_STR("r-17")));
    assert_true(alm_metadata_append(&said, ALM_STR(ALM_METADATA_TRACEPARENT),
                                    ALM_STR("00-" TRACE "-" SPAN "-01")));
    assert_true(alm_metadata_append(&said, ALM_STR(ALM_METADATA_KEY), ALM_STR("once")));
    ask(&p, 2, alm_buf_view(&said));
    request = expect_request(&p);
    assert_true(alm_metadata_find(request.metadata, ALM_STR(ALM_METADATA_REQUEST_ID), &id));
    assert_true(alm_str_eq(id, ALM_STR("r-17")));
    assert_true(alm_metadata_find(request.metadata, ALM_STR(ALM_METADATA_KEY), &key));
    assert_true(alm_str_eq(key, ALM_STR("once")));
    assert_true(alm_metadata_find(request.metadata, ALM_STR(ALM_METADATA_TRACEPARENT), &trace));
    assert_int_equal(trace.len, 55);
    assert_memory_equal(trace.data, "00-" TRACE "-", 36);
    assert_memory_not_equal(trace.data + 36, SPAN, 16);
    assert_memory_equal(trace.data + 52, "-01", 3);
    answer(&p, request.call_id, ALM_STR(""));
    expect_answer(&p, 2, ALM_STR(""));
    alm_buf_deinit(&said);
    tear_down(&p);
}

// An answer that fits the hop and not its client is an error of that call alone.
static void an_answer_too_large_for_the_client_ends_its_call(void **state)
{
    (void)state;
    static const char large[2001];
    passing p;
    set_up(&p);
    greet_hop(&p, 2000);
    ask(&p, 1, (alm_str){0});
    answer(&p, expect_request(&p).call_id, (alm_str){.data = large, .len = 2001});
    alm_record end = peer_expect(&p.client, ALM_RECORD_END);
    assert_int_equal(end.call_id, 1);
    assert_int_equal(end.arg, ALM_RESOURCE_EXHAUSTED);
    ask(&p, 2, (alm_str){0});
    answer(&p, expect_request(&p).call_id, (alm_str){.data = large, .len = 2000});
    expect_answer(&p, 2, (alm_str){.data = large, .len = 2000});
    tear_down(&p);
}

// A service that comes back may have others before it, and its methods other numbers.
static void a_service_that_comes_back_is_asked_anew(void **state)
{
    (void)state;
    static const alm_service_def *const both[] = {&alm_service_health, &alm_service_gateway};
    passing p;
    set_up(&p);
    ask(&p, 1, (alm_str){0});
    answer(&p, expect_request(&p).call_id, ALM_STR("first"));
    expect_answer(&p, 1, ALM_STR("first"));
    peer_close(&p.service);
    peer_listen(&p.service, p.rpc, "loop://service");
    answer_hello(&p, both, 2, alm_service_health.descriptor->n_methods);
    ask(&p, 2, (alm_str){0});
    answer(&p, expect_request(&p).call_id, ALM_STR("again"));
    expect_answer(&p, 2, ALM_STR("again"));
    tear_down(&p);
}

// --- answers that stream, passed on by a look ----------------------------------------------------

static void tell(passing *p, uint64_t id, uint32_t number, alm_str payload)
{
    peer_send(
        &p->service,
        (alm_record){.type = ALM_RECORD_MESSAGE, .call_id = id, .arg = number, .payload = payload});
}

static void end(passing *p, uint64_t id, uint32_t count, alm_code code)
{
    peer_send(&p->service,
              (alm_record){
                  .type = ALM_RECORD_END, .call_id = id, .arg = (uint32_t)code, .time_ms = count});
}

static void expect_told(passing *p, uint64_t id, uint32_t number, alm_str payload)
{
    alm_record message = peer_expect(&p->client, ALM_RECORD_MESSAGE);
    assert_int_equal(message.call_id, id);
    assert_int_equal(message.arg, number);
    assert_true(alm_str_eq(message.payload, payload));
}

static void expect_end(passing *p, uint64_t id, alm_code code)
{
    alm_record record = peer_expect(&p->client, ALM_RECORD_END);
    assert_int_equal(record.call_id, id);
    assert_int_equal(record.arg, code);
}

static void lose_service(passing *p)
{
    static const alm_service_def *const gateway[] = {&alm_service_gateway};
    peer_close(&p->service);
    peer_listen(&p->service, p->rpc, "loop://service");
    answer_hello(p, gateway, 1, 0);
}

// What came of a small answer is forgotten with the service that told it.
static void a_service_that_is_lost_early_is_asked_again(void **state)
{
    (void)state;
    passing p;
    set_up(&p);
    ask_of(&p, LOOKED_METHOD, 1, (alm_str){0});
    uint64_t id = expect_request_of(&p, LOOKED_METHOD).call_id;
    tell(&p, id, 0, ALM_STR("of the one that is lost"));
    tell(&p, id, 1, ALM_STR("more of it"));
    lose_service(&p);
    id = expect_request_of(&p, LOOKED_METHOD).call_id;
    tell(&p, id, 0, ALM_STR("of the other"));
    end(&p, id, 1, ALM_OK);
    expect_told(&p, 1, 0, ALM_STR("of the other"));
    expect_end(&p, 1, ALM_OK);
    tear_down(&p);
}

// A service that says so itself is one that is lost.
static void a_service_that_leaves_early_is_asked_again(void **state)
{
    (void)state;
    passing p;
    set_up(&p);
    ask_of(&p, LOOKED_METHOD, 1, (alm_str){0});
    uint64_t id = expect_request_of(&p, LOOKED_METHOD).call_id;
    tell(&p, id, 0, ALM_STR("of the one that leaves"));
    end(&p, id, 1, ALM_UNAVAILABLE);
    id = expect_request_of(&p, LOOKED_METHOD).call_id;
    end(&p, id, 0, ALM_OK);
    expect_end(&p, 1, ALM_OK);
    tear_down(&p);
}

static void what_was_told_before_a_failure_goes_on(void **state)
{
    (void)state;
    passing p;
    set_up(&p);
    ask_of(&p, LOOKED_METHOD, 1, (alm_str){0});
    uint64_t id = expect_request_of(&p, LOOKED_METHOD).call_id;
    tell(&p, id, 0, ALM_STR("first"));
    tell(&p, id, 1, ALM_STR("second"));
    end(&p, id, 2, ALM_NOT_FOUND);
    expect_told(&p, 1, 0, ALM_STR("first"));
    expect_told(&p, 1, 1, ALM_STR("second"));
    expect_end(&p, 1, ALM_NOT_FOUND);
    tear_down(&p);
}

// A large answer goes on as it comes, and cannot be told anew.
static void a_service_that_is_lost_late_ends_the_call(void **state)
{
    (void)state;
    static const char large[ALM_RPC_STREAM_WINDOW_BYTES / 4];
    const alm_str payload = {.data = large, .len = sizeof large};
    passing p;
    set_up(&p);
    ask_of(&p, LOOKED_METHOD, 1, (alm_str){0});
    uint64_t id = expect_request_of(&p, LOOKED_METHOD).call_id;
    for (uint32_t i = 0; i < 3; i++) {
        tell(&p, id, i, payload);
    }
    for (uint32_t i = 0; i < 3; i++) {
        expect_told(&p, 1, i, payload);
    }
    peer_close(&p.service);
    expect_end(&p, 1, ALM_UNAVAILABLE);
    peer_listen(&p.service, p.rpc, "loop://service");
    tear_down(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_of_a_call_goes_on),
        cmocka_unit_test(an_answer_too_large_for_the_client_ends_its_call),
        cmocka_unit_test(a_service_that_comes_back_is_asked_anew),
        cmocka_unit_test(a_service_that_is_lost_early_is_asked_again),
        cmocka_unit_test(a_service_that_leaves_early_is_asked_again),
        cmocka_unit_test(what_was_told_before_a_failure_goes_on),
        cmocka_unit_test(a_service_that_is_lost_late_ends_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
