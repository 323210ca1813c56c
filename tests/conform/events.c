// Calls whose caller does not wait, and handlers that run where their request is read.
#include "world.h"

#include "alm/alloc.h"

#include <poll.h>
#include <pthread.h>

// What the events of one call told.
typedef struct heard {
    world *w;
    alm_channel *channel;
    alm_stream *stream; // to be closed by an event
    atomic_int messages, rooms, ends;
    int close_at; // the message after which the stream is closed
    int hold_at;  // the message whose event lasts until another thread is closing the stream
    atomic_int is_closing;
    int more;     // calls to start, one after the other
    int to_send;  // messages of a client that streams
    uint64_t sum; // of the numbers sent
    alm_status end;
    char text[64];   // of a Say's answer
    uint64_t number; // likewise, or the next of a Count
} heard;

static const ProtobufCMessage *unpack(const ProtobufCMessageDescriptor *type, alm_str wire)
{
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, NULL, wire.len, (const uint8_t *)wire.data);
    assert_non_null(message);
    return message;
}

static void free_message(const ProtobufCMessage *message)
{
    protobuf_c_message_free_unpacked((ProtobufCMessage *)(uintptr_t)message, NULL);
}

static void on_message(void *arg, alm_stream *stream, alm_str wire)
{
    heard *h = arg;
    (void)stream;
    const Almanac__Test__CountResponse *got =
        (const void *)unpack(&almanac__test__count_response__descriptor, wire);
    assert_int_equal(got->number, h->number);
    free_message(&got->base);
    h->number++;
    int count = atomic_fetch_add(&h->messages, 1) + 1;
    if (h->hold_at == count) {
        world_until(&h->is_closing, 1);
        poll(NULL, 0, 30); // it says so before it does so
    }
    if (h->close_at == count) {
        alm_stream_close(&h->stream);
    }
}

static void start_say(heard *h, const char *method);

static void on_end(void *arg, alm_stream *stream, const alm_status *st, alm_str answer)
{
    heard *h = arg;
    (void)stream;
    h->end = *st;
    if (answer.data != NULL) {
        const Almanac__Test__SayResponse *said =
            (const void *)unpack(&almanac__test__say_response__descriptor, answer);
        snprintf(h->text, sizeof h->text, "%s", said->text);
        h->number = said->number;
        free_message(&said->base);
    }
    if (h->more > 0) {
        h->more--;
        start_say(h, "Say");
    }
    atomic_fetch_add(&h->ends, 1);
}

static void send_some(heard *h)
{
    Almanac__Test__CountResponse message;
    almanac__test__count_response__init(&message);
    alm_status st = ALM_STATUS_INIT;
    static uint8_t padding[1000];
    message.padding = (ProtobufCBinaryData){.data = padding, .len = sizeof padding};
    bool is_sent = true;
    while (h->to_send > 0 && is_sent) {
        message.number = (uint64_t)h->to_send;
        if (alm_stream_try_send(h->stream, &message.base, &is_sent, &st) != ALM_OK) {
            fail_msg("%s", st.message);
        }
        h->sum += is_sent ? message.number : 0;
        h->to_send -= is_sent ? 1 : 0;
    }
    if (h->to_send == 0) {
        h->to_send = -1;
        assert_int_equal(alm_stream_finish(h->stream, &st), ALM_OK);
    }
}

static void on_room(void *arg, alm_stream *stream)
{
    (void)stream;
    heard *h = arg;
    atomic_fetch_add(&h->rooms, 1);
    send_some(h);
}

static const alm_stream_events events = {on_message, on_room, on_end};

static void start(heard *h, const char *method, const alm_call_opts *opts,
                  const ProtobufCMessage *request, alm_stream **ret)
{
    alm_status st = ALM_STATUS_INIT;
    if (alm_stream_start(h->channel, &echo_service, method, opts, request, &events, h, ret, &st) !=
        ALM_OK) {
        fail_msg("%s", st.message);
    }
}

static void start_say(heard *h, const char *method)
{
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    request.text = (char *)(uintptr_t) "told";
    start(h, method, NULL, &request.base, NULL);
}

static void start_wait(heard *h, uint32_t wait_ms, const alm_call_opts *opts)
{
    Almanac__Test__WaitRequest request;
    almanac__test__wait_request__init(&request);
    request.wait_ms = wait_ms;
    start(h, "Wait", opts, &request.base, &h->stream);
}

static void start_endless_count(heard *h)
{
    Almanac__Test__CountRequest request;
    almanac__test__count_request__init(&request);
    request.count = UINT64_MAX;
    start(h, "Count", &(alm_call_opts){.timeout_ms = -1}, &request.base, &h->stream);
}

static void an_answer_is_told_once(void **state)
{
    world *w = *state;
    heard h = {.w = w, .channel = w->channel};
    start_say(&h, "Say");
    world_until(&h.ends, 1);
    assert_code(ALM_OK, h.end.code);
    assert_string_equal(h.text, "told");
    assert_int_equal(h.messages, 0);
}

// Each end starts the next call, so every event makes a call within itself.
static void an_event_may_call_again(void **state)
{
    world *w = *state;
    heard h = {.w = w, .channel = w->channel, .more = 500};
    for (int i = 0; i < 32; i++) {
        start_say(&h, "Say");
    }
    world_until(&h.ends, 532);
    assert_int_equal(atomic_load(&w->echo.said), 532);
}

static void a_failure_is_told_with_its_status(void **state)
{
    world *w = *state;
    heard h = {.w = w, .channel = w->channel};
    Almanac__Test__FailRequest request;
    almanac__test__fail_request__init(&request);
    request.code = ALM_NOT_FOUND;
    request.message = (char *)(uintptr_t) "no such thing";
    request.field = (char *)(uintptr_t) "place";
    start(&h, "Fail", NULL, &request.base, NULL);
    world_until(&h.ends, 1);
    assert_code(ALM_NOT_FOUND, h.end.code);
    assert_non_null(strstr(h.end.message, "no such thing"));
    assert_string_equal(h.end.field, "place");
}

static void messages_are_told_in_order_and_then_the_end(void **state)
{
    world *w = *state;
    heard h = {.w = w, .channel = w->channel};
    Almanac__Test__CountRequest request;
    almanac__test__count_request__init(&request);
    request.count = 3000;
    request.padding = 1000; // three windows
    start(&h, "Count", NULL, &request.base, NULL);
    world_until(&h.ends, 1);
    assert_code(ALM_OK, h.end.code);
    assert_int_equal(h.messages, 3000);
}

static void a_deadline_ends_a_call_that_nobody_waits_for(void **state)
{
    world *w = *state;
    heard h = {.w = w, .channel = w->channel};
    start_wait(&h, 60000, &(alm_call_opts){.timeout_ms = 50});
    world_until(&h.ends, 1);
    assert_code(ALM_DEADLINE_EXCEEDED, h.end.code);
    alm_stream_close(&h.stream);
    world_until_zero(&w->echo.running);
}

static void nothing_is_told_after_a_close(void **state)
{
    world *w = *state;
    heard h = {.w = w, .channel = w->channel};
    start_wait(&h, 60000, NULL);
    world_until(&w->echo.running, 1);
    alm_stream_close(&h.stream);
    assert_null(h.stream);
    world_until_zero(&w->echo.running);
    assert_non_null(world_say(w, w->channel, "after it", NULL));
    assert_int_equal(h.ends, 0);
}

static void an_event_may_close_its_stream(void **state)
{
    world *w = *state;
    heard h = {.w = w, .channel = w->channel, .close_at = 7};
    start_endless_count(&h);
    world_until(&h.messages, 7);
    world_until_zero(&w->echo.running);
    assert_int_equal(h.messages, 7);
    assert_int_equal(h.ends, 0);
}

static void nothing_is_told_while_another_thread_closes(void **state)
{
    world *w = *state;
    heard h = {.w = w, .channel = w->channel, .hold_at = 5};
    start_endless_count(&h);
    world_until(&h.messages, 5);
    atomic_store(&h.is_closing, 1);
    alm_stream_close(&h.stream);
    assert_int_equal(h.messages, 5);
    assert_int_equal(h.ends, 0);
    world_until_zero(&w->echo.running);
    assert_int_equal(h.ends, 0);
}

static void a_closed_channel_ends_its_calls(void **state)
{
    world *w = *state;
    heard h = {.w = w, .channel = world_open(w, w->echo.address)};
    start_wait(&h, 60000, NULL);
    world_until(&w->echo.running, 1);
    alm_channel_close(&h.channel);
    world_until(&h.ends, 1);
    assert_code(ALM_CANCELLED, h.end.code);
    alm_stream_close(&h.stream);
}

static void a_client_that_streams_is_told_of_room(void **state)
{
    world *w = *state;
    heard h = {.w = w, .channel = w->channel, .to_send = 5000}; // five windows
    start(&h, "Sum", NULL, NULL, &h.stream);
    world_until(&h.ends, 1);
    assert_code(ALM_OK, h.end.code);
    assert_int_equal(h.number, h.sum);
    assert_int_equal(h.sum, 5000u * 5001u / 2);
    assert_true(h.rooms > 1);
    alm_stream_close(&h.stream);
}

static void what_cannot_be_sent_fails_at_once(void **state)
{
    world *w = *state;
    heard h = {.w = w, .channel = w->channel};
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    alm_stream *stream = NULL;
    assert_code(ALM_UNIMPLEMENTED, alm_stream_start(w->channel, &echo_service, "Nothing", NULL,
                                                    &request.base, &events, &h, &stream, &w->st));
    request.blob.len = ALM_RPC_MESSAGE_BYTES_MAX + 1;
    request.blob.data = alm_calloc(1, request.blob.len);
    assert_code(ALM_RESOURCE_EXHAUSTED, alm_stream_start(w->channel, &echo_service, "Say", NULL,
                                                         &request.base, &events, &h, NULL, &w->st));
    alm_free(request.blob.data);
    assert_int_equal(h.ends, 0);
}

// --- handlers on the I/O thread ------------------------------------------------------------------

typedef struct quick {
    alm_server *server;
    _Atomic(alm_call *) given; // to the thread that ends it
    atomic_int stopped;        // counts that did not come to their end
    pthread_t thread;
    pthread_t said_on;
} quick;

static alm_code say_quickly(void *self, alm_call *call, const ProtobufCMessage *request,
                            alm_status *st)
{
    quick *q = self;
    q->said_on = pthread_self();
    const Almanac__Test__SayRequest *asked = (const Almanac__Test__SayRequest *)request;
    if (strcmp(asked->text, "no") == 0) {
        return alm_status_set_field(st, ALM_OUT_OF_RANGE, "text", "told to fail");
    }
    Almanac__Test__SayResponse response;
    almanac__test__say_response__init(&response);
    response.text = asked->text;
    return alm_call_send(call, &response.base, st);
}

static alm_code give_away(void *self, alm_call *call, const ProtobufCMessage *request,
                          alm_status *st)
{
    quick *q = self;
    (void)request;
    Almanac__Test__WaitResponse response;
    almanac__test__wait_response__init(&response);
    ALM_TRY(alm_call_send(call, &response.base, st));
    ALM_TRY(alm_call_defer(call, NULL, NULL, st));
    atomic_store(&q->given, call);
    return ALM_OK;
}

// Counts up to what was asked, as far as there is room each time.
typedef struct counting {
    uint64_t next, count;
    atomic_int *stopped;
} counting;

static void count_on(void *arg, alm_call *call)
{
    counting *c = arg;
    static uint8_t padding[1000];
    Almanac__Test__CountResponse message;
    almanac__test__count_response__init(&message);
    message.padding = (ProtobufCBinaryData){.data = padding, .len = sizeof padding};
    alm_status st = ALM_STATUS_INIT;
    bool is_sent = true;
    while (c->next < c->count && is_sent) {
        message.number = c->next;
        if (alm_call_try_send(call, &message.base, &is_sent, &st) != ALM_OK) {
            atomic_fetch_add(c->stopped, 1);
            alm_call_end(call, &st);
            return;
        }
        c->next += is_sent ? 1 : 0;
    }
    if (c->next == c->count) {
        alm_call_end(call, &st);
    }
}

static alm_code count_quickly(void *self, alm_call *call, const ProtobufCMessage *request,
                              alm_status *st)
{
    quick *q = self;
    static const alm_call_events counts = {.on_room = count_on};
    counting *c = alm_arena_calloc(alm_call_arena(call), 1, sizeof *c);
    assert_non_null(c);
    c->count = ((const Almanac__Test__CountRequest *)request)->count;
    c->stopped = &q->stopped;
    return alm_call_defer(call, &counts, c, st);
}

// Adds up what comes, each time as far as it has come.
static void sum_on(void *arg, alm_call *call)
{
    uint64_t *sum = arg;
    alm_status st = ALM_STATUS_INIT;
    ProtobufCMessage *message = NULL;
    bool waits = false;
    while (alm_call_try_next(call, alm_call_arena(call), &message, &waits, &st) == ALM_OK &&
           message != NULL) {
        *sum += ((const Almanac__Test__CountResponse *)message)->number;
    }
    if (waits) {
        return;
    }
    Almanac__Test__SayResponse response;
    almanac__test__say_response__init(&response);
    response.number = *sum;
    if (st.code == ALM_OK) {
        assert_int_equal(alm_call_send(call, &response.base, &st), ALM_OK);
    }
    alm_call_end(call, &st);
}

static alm_code sum_quickly(void *self, alm_call *call, const ProtobufCMessage *request,
                            alm_status *st)
{
    static const alm_call_events sums = {.on_room = sum_on};
    (void)self;
    (void)request;
    uint64_t *sum = alm_arena_calloc(alm_call_arena(call), 1, sizeof *sum);
    assert_non_null(sum);
    return alm_call_defer(call, &sums, sum, st);
}

static void *end_what_is_given(void *arg)
{
    quick *q = arg;
    alm_call *call;
    while ((call = atomic_exchange(&q->given, NULL)) == NULL) {}
    alm_status st = ALM_STATUS_INIT;
    alm_call_end(call, &st);
    return NULL;
}

static void quick_start(quick *q, world *w)
{
    static alm_handler handlers[32];
    char address[ECHO_ADDRESS_MAX];
    const alm_server_opts opts = {.name = "quick"};
    handlers[world_method("Say")] = say_quickly;
    handlers[world_method("Wait")] = give_away;
    handlers[world_method("Count")] = count_quickly;
    handlers[world_method("Sum")] = sum_quickly;
    world_address(w, address);
    if (alm_server_create(w->rpc, &opts, &q->server, &w->st) != ALM_OK ||
        alm_server_add(q->server, &echo_service, handlers, q, &w->st) != ALM_OK ||
        alm_server_bind(q->server, address, &w->st) != ALM_OK) {
        fail_msg("%s", w->st.message);
    }
    alm_server_run_inline(q->server, &echo_service, "Say");
    alm_server_run_inline(q->server, &echo_service, "Wait");
    alm_server_run_inline(q->server, &echo_service, "Count");
    alm_server_run_inline(q->server, &echo_service, "Sum");
    if (alm_server_start(q->server, &w->st) != ALM_OK) {
        fail_msg("%s", w->st.message);
    }
}

static void a_handler_may_run_where_its_request_is_read(void **state)
{
    world *w = *state;
    quick q = {0};
    quick_start(&q, w);
    alm_channel *channel = world_open(w, alm_server_endpoint(q.server, 0));
    heard h = {.w = w, .channel = channel, .more = 100};
    for (int i = 0; i < 8; i++) {
        start_say(&h, "Say");
    }
    world_until(&h.ends, 108);
    assert_string_equal(h.text, "told");
    assert_null(world_say(w, channel, "no", NULL));
    assert_code(ALM_OUT_OF_RANGE, w->st.code);
    assert_string_equal(w->st.field, "text");
    alm_channel_close(&channel);
    alm_server_destroy(&q.server);
}

// No thread is woken for a call whose caller waits, nor for the answer. Once in a while the I/O
// thread is at work just then.
static void who_waits_does_the_work(void **state)
{
    world *w = *state;
    quick q = {0};
    quick_start(&q, w);
    alm_channel *channel = world_open(w, alm_server_endpoint(q.server, 0));
    int own = 0;
    for (int i = 0; i < 1000 && own < 10; i++) {
        assert_non_null(world_say(w, channel, "told", NULL));
        own += pthread_equal(q.said_on, pthread_self()) ? 1 : 0;
    }
    assert_int_equal(own, 10);
    alm_channel_close(&channel);
    alm_server_destroy(&q.server);
}

typedef struct noise {
    alm_channel *channel;
    atomic_bool is_over;
} noise;

static void *say_again_and_again(void *arg)
{
    noise *n = arg;
    world own = {.arena = alm_arena_create(0)};
    while (!atomic_load(&n->is_over)) {
        const Almanac__Test__SayResponse *said = world_say(&own, n->channel, "noise", NULL);
        ALM_ASSERT(said != NULL && strcmp(said->text, "noise") == 0);
        alm_arena_reset(own.arena);
    }
    alm_arena_destroy(&own.arena);
    return NULL;
}

// The place goes round between callers and the I/O thread, and nobody is forgotten.
static void the_place_goes_round(void **state)
{
    world *w = *state;
    noise n = {.channel = w->channel};
    pthread_t threads[3];
    for (size_t i = 0; i < ALM_ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, say_again_and_again, &n), 0);
    }
    heard told = {.w = w, .channel = w->channel, .more = 2000};
    start_say(&told, "Say");
    start_say(&told, "Say");
    for (int i = 0; i < 20; i++) {
        heard late = {.w = w, .channel = w->channel};
        start_wait(&late, 60000, &(alm_call_opts){.timeout_ms = 5});
        world_until(&late.ends, 1);
        assert_code(ALM_DEADLINE_EXCEEDED, late.end.code);
        alm_stream_close(&late.stream);
    }
    world_until(&told.ends, 2002);
    atomic_store(&n.is_over, true);
    for (size_t i = 0; i < ALM_ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    world_until_zero(&w->echo.running);
}

static void a_deferred_call_is_ended_by_another_thread(void **state)
{
    world *w = *state;
    quick q = {0};
    quick_start(&q, w);
    alm_channel *channel = world_open(w, alm_server_endpoint(q.server, 0));
    for (int i = 0; i < 50; i++) {
        assert_int_equal(pthread_create(&q.thread, NULL, end_what_is_given, &q), 0);
        assert_code(ALM_OK, world_wait(w, channel, "Wait", 0, NULL, NULL));
        pthread_join(q.thread, NULL);
    }
    alm_channel_close(&channel);
    alm_server_destroy(&q.server);
}

// What the client has given up is not counted against it, however long its handler takes to end.
static void a_cancelled_call_gives_its_place_back(void **state)
{
    world *w = *state;
    world limited = {.address_count = w->address_count + 10, .arena = w->arena};
    memcpy(limited.scheme, w->scheme, sizeof limited.scheme);
    memcpy(limited.dir, w->dir, sizeof limited.dir);
    const alm_rpc_opts opts = {.limits.stream_count_max = 1,
                               .uses_libzmq = strstr(w->given, "+libzmq") != NULL};
    assert_code(ALM_OK, alm_rpc_create(&opts, &limited.rpc, &w->st));
    quick q = {0};
    quick_start(&q, &limited);
    alm_channel *channel = world_open(&limited, alm_server_endpoint(q.server, 0));
    heard h = {.w = w, .channel = channel};
    start_wait(&h, 0, NULL);
    alm_call *call;
    while ((call = atomic_exchange(&q.given, NULL)) == NULL) {
        poll(NULL, 0, 1);
    }
    alm_stream_close(&h.stream);
    assert_non_null(world_say(&limited, channel, "told", NULL));
    alm_status st = ALM_STATUS_INIT;
    alm_call_end(call, &st);
    assert_non_null(world_say(&limited, channel, "told", NULL));
    alm_channel_close(&channel);
    alm_server_destroy(&q.server);
    alm_rpc_destroy(&limited.rpc);
    w->address_count = limited.address_count;
}

static void a_deferred_call_streams_as_there_is_room(void **state)
{
    world *w = *state;
    quick q = {0};
    quick_start(&q, w);
    alm_channel *channel = world_open(w, alm_server_endpoint(q.server, 0));
    alm_stream *slow = world_count(w, channel, UINT64_MAX, 0, NULL);
    assert_non_null(world_next(w, slow));
    alm_stream *stream = world_count(w, channel, 5000, 0, NULL); // five windows
    uint64_t number = 0;
    for (Almanac__Test__CountResponse *got; (got = world_next(w, stream)) != NULL; number++) {
        assert_int_equal(got->number, number);
    }
    assert_code(ALM_OK, w->st.code);
    assert_int_equal(number, 5000);
    alm_stream_close(&stream);
    assert_int_equal(q.stopped, 0);
    alm_stream_close(&slow);
    world_until(&q.stopped, 1);
    alm_channel_close(&channel);
    alm_server_destroy(&q.server);
}

static void a_deferred_call_reads_as_messages_come(void **state)
{
    world *w = *state;
    quick q = {0};
    quick_start(&q, w);
    alm_channel *channel = world_open(w, alm_server_endpoint(q.server, 0));
    heard h = {.w = w, .channel = channel, .to_send = 5000}; // five windows
    start(&h, "Sum", NULL, NULL, &h.stream);
    world_until(&h.ends, 1);
    assert_code(ALM_OK, h.end.code);
    assert_int_equal(h.number, 5000u * 5001u / 2);
    alm_stream_close(&h.stream);
    start(&h, "Sum", NULL, NULL, &h.stream); // is stopped while it waits for the first
    alm_channel_close(&channel);
    world_until(&h.ends, 2);
    alm_stream_close(&h.stream);
    alm_server_destroy(&q.server);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(an_answer_is_told_once),
    WORLD_TEST(an_event_may_call_again),
    WORLD_TEST(a_failure_is_told_with_its_status),
    WORLD_TEST(messages_are_told_in_order_and_then_the_end),
    WORLD_TEST(a_deadline_ends_a_call_that_nobody_waits_for),
    WORLD_TEST(nothing_is_told_after_a_close),
    WORLD_TEST(an_event_may_close_its_stream),
    WORLD_TEST(nothing_is_told_while_another_thread_closes),
    WORLD_TEST(a_closed_channel_ends_its_calls),
    WORLD_TEST(a_client_that_streams_is_told_of_room),
    WORLD_TEST(what_cannot_be_sent_fails_at_once),
    WORLD_TEST(a_handler_may_run_where_its_request_is_read),
    WORLD_TEST(who_waits_does_the_work),
    WORLD_TEST(the_place_goes_round),
    WORLD_TEST(a_deferred_call_is_ended_by_another_thread),
    WORLD_TEST(a_cancelled_call_gives_its_place_back),
    WORLD_TEST(a_deferred_call_streams_as_there_is_room),
    WORLD_TEST(a_deferred_call_reads_as_messages_come),
};

world_group conform_events(void)
{
    return (world_group){tests, ALM_ARRAY_LEN(tests)};
}
