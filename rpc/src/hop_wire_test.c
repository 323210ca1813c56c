// A server that passes calls on, between a client and a service that both speak bytes: what goes
// through, and what does not. The service is Gateway by name only, its messages are any bytes.
#include "alm/channel.h"
#include "alm/server.h"
#include "wire_peer.h"

#define STATUS_METHOD  "Status" // any unary one
#define HOP_SERVICE_AT 3        // behind Health, Reflection and Stats

typedef struct passing {
    alm_rpc *rpc;
    alm_server *hop;
    alm_channel *up;
    wire_peer client, service;
    uint32_t client_method, service_method;
} passing;

static const alm_handler none[64];

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

static void set_up(passing *p)
{
    static const alm_service_def *const gateway[] = {&alm_service_gateway};
    alm_status st;
    *p = (passing){0};
    ok(alm_rpc_create(NULL, &p->rpc, &st), &st);
    peer_listen(&p->service, p->rpc, "loop://service");
    ok(alm_channel_open(p->rpc, "loop://service", NULL, &p->up, &st), &st);
    ok(alm_server_create(p->rpc, NULL, &p->hop, &st), &st);
    ok(alm_server_add(p->hop, &alm_service_gateway, none, NULL, &st), &st);
    const alm_forward_opts forward = {.method = STATUS_METHOD,
                                      .channel = p->up,
                                      .to_service = &alm_service_gateway,
                                      .to_method = STATUS_METHOD};
    alm_server_forward(p->hop, &alm_service_gateway, &forward);
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

static void ask(passing *p, uint64_t id, alm_str metadata)
{
    peer_send(&p->client, (alm_record){.type = ALM_RECORD_REQUEST,
                                       .call_id = id,
                                       .arg = p->client_method,
                                       .time_ms = ALM_RECORD_TIME_NONE,
                                       .metadata = metadata});
}

// The request as it came to the service.
static alm_record expect_request(passing *p)
{
    alm_record request = peer_expect(&p->service, ALM_RECORD_REQUEST);
    assert_int_equal(request.arg, p->service_method);
    return request;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_of_a_call_goes_on),
        cmocka_unit_test(an_answer_too_large_for_the_client_ends_its_call),
        cmocka_unit_test(a_service_that_comes_back_is_asked_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
