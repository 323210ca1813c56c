// Calls that are looked at before they wait for a thread.
#include "world.h"

#include "alm/alloc.h"

#include <pthread.h>
#include <semaphore.h>

#define QUEUED_TEXT "as it was sent"

// A server whose look goes by what it is asked, before a handler that says that it was asked.
typedef struct looking {
    alm_server *server;
    alm_channel *next; // where calls are passed on to
    alm_channel *channel;
    atomic_int looked, handled, held;
    pthread_t looked_on, handled_on;
    sem_t may_answer; // what is asked to "hold"
} looking;

static alm_code say(alm_call *call, const char *text, alm_status *st)
{
    Almanac__Test__SayResponse response;
    almanac__test__say_response__init(&response);
    response.text = (char *)(uintptr_t)text;
    return alm_call_send(call, &response.base, st);
}

static alm_code look_at_say(void *self, alm_call *call, const ProtobufCMessage *request,
                            alm_look_verdict *ret, alm_status *st)
{
    looking *l = self;
    const char *asked = ((const Almanac__Test__SayRequest *)request)->text;
    l->looked_on = pthread_self();
    atomic_fetch_add(&l->looked, 1);
    if (strcmp(asked, "no") == 0) {
        return alm_status_set_field(st, ALM_OUT_OF_RANGE, "text", "told to fail");
    }
    if (strcmp(asked, "no word") == 0) {
        return ALM_NOT_FOUND;
    }
    *ret = strcmp(asked, "done") == 0 || strcmp(asked, "nothing") == 0 ? ALM_LOOK_DONE
           : strcmp(asked, "on") == 0                                  ? ALM_LOOK_FORWARD
                                                                       : ALM_LOOK_QUEUE;
    return strcmp(asked, "done") == 0 ? say(call, "looked", st) : ALM_OK;
}

static alm_code handle_say(void *self, alm_call *call, const ProtobufCMessage *request,
                           alm_status *st)
{
    looking *l = self;
    const Almanac__Test__SayRequest *asked = (const Almanac__Test__SayRequest *)request;
    l->handled_on = pthread_self();
    atomic_fetch_add(&l->handled, 1);
    if (strcmp(asked->text, "hold") == 0) {
        atomic_fetch_add(&l->held, 1);
        sem_wait(&l->may_answer);
    }
    return say(call, asked->text, st);
}

// Few are told at once, more are passed on, and the most handled.
static alm_code look_at_count(void *self, alm_call *call, const ProtobufCMessage *request,
                              alm_look_verdict *ret, alm_status *st)
{
    looking *l = self;
    uint64_t count = ((const Almanac__Test__CountRequest *)request)->count;
    Almanac__Test__CountResponse message;
    almanac__test__count_response__init(&message);
    atomic_fetch_add(&l->looked, 1);
    *ret = count < 10 ? ALM_LOOK_DONE : count < 5000 ? ALM_LOOK_FORWARD : ALM_LOOK_QUEUE;
    for (; count < 10 && message.number < count; message.number++) {
        ALM_TRY(alm_call_send_soon(call, &message.base, st));
    }
    return ALM_OK;
}

static alm_code handle_count(void *self, alm_call *call, const ProtobufCMessage *request,
                             alm_status *st)
{
    looking *l = self;
    uint64_t count = ((const Almanac__Test__CountRequest *)request)->count;
    Almanac__Test__CountResponse message;
    almanac__test__count_response__init(&message);
    atomic_fetch_add(&l->handled, 1);
    for (; message.number < count; message.number++) {
        ALM_TRY(alm_call_send_soon(call, &message.base, st));
    }
    return ALM_OK;
}

static void looking_start(looking *l, world *w, const alm_server_opts *opts)
{
    static alm_handler handlers[32];
    char address[ECHO_ADDRESS_MAX];
    *l = (looking){.next = world_open(w, w->echo.address)};
    assert_int_equal(sem_init(&l->may_answer, 0, 0), 0);
    handlers[world_method("Say")] = handle_say;
    handlers[world_method("Count")] = handle_count;
    world_address(w, address);
    if (alm_server_create(w->rpc, opts, &l->server, &w->st) != ALM_OK ||
        alm_server_add(l->server, &echo_service, handlers, l, &w->st) != ALM_OK ||
        alm_server_bind(l->server, address, &w->st) != ALM_OK) {
        fail_msg("%s", w->st.message);
    }
    const alm_look_opts say = {"Say", look_at_say, l->next, &echo_service, "Say"};
    const alm_look_opts count = {"Count", look_at_count, l->next, &echo_service, "Count"};
    alm_server_look_first(l->server, &echo_service, &say);
    alm_server_look_first(l->server, &echo_service, &count);
    if (alm_server_start(l->server, &w->st) != ALM_OK) {
        fail_msg("%s", w->st.message);
    }
    l->channel = world_open(w, alm_server_endpoint(l->server, 0));
}

static void looking_stop(looking *l)
{
    alm_channel_close(&l->channel);
    alm_server_destroy(&l->server);
    alm_channel_close(&l->next);
    sem_destroy(&l->may_answer);
}

// Likewise, who waits does it, but for when the I/O thread is at work just then.
static void a_look_answers_where_the_request_is_read(void **state)
{
    world *w = *state;
    looking l;
    looking_start(&l, w, NULL);
    int own = 0, count = 0;
    for (; count < 1000 && own < 10; count++) {
        const Almanac__Test__SayResponse *said = world_say(w, l.channel, "done", NULL);
        assert_non_null(said);
        assert_string_equal(said->text, "looked");
        own += pthread_equal(l.looked_on, pthread_self()) ? 1 : 0;
    }
    assert_int_equal(own, 10);
    assert_int_equal(l.looked, count);
    assert_int_equal(l.handled, 0);
    looking_stop(&l);
}

static void a_look_that_fails_ends_the_call(void **state)
{
    world *w = *state;
    looking l;
    looking_start(&l, w, NULL);
    assert_null(world_say(w, l.channel, "no", NULL));
    assert_code(ALM_OUT_OF_RANGE, w->st.code);
    assert_string_equal(w->st.field, "text");
    assert_null(world_say(w, l.channel, "no word", NULL));
    assert_code(ALM_NOT_FOUND, w->st.code);
    assert_null(world_say(w, l.channel, "nothing", NULL)); // done, without an answer
    assert_code(ALM_INTERNAL, w->st.code);
    assert_int_equal(l.handled, 0);
    looking_stop(&l);
}

static void a_look_leaves_the_call_to_a_thread(void **state)
{
    world *w = *state;
    looking l;
    looking_start(&l, w, NULL);
    for (int i = 1; i <= 100; i++) {
        const Almanac__Test__SayResponse *said = world_say(w, l.channel, QUEUED_TEXT, NULL);
        assert_non_null(said);
        assert_string_equal(said->text, QUEUED_TEXT);
        assert_int_equal(l.looked, i);
        assert_int_equal(l.handled, i);
        assert_false(pthread_equal(l.handled_on, pthread_self()));
        assert_false(pthread_equal(l.handled_on, l.looked_on));
    }
    looking_stop(&l);
}

static void a_look_passes_the_call_on(void **state)
{
    world *w = *state;
    looking l;
    looking_start(&l, w, NULL);
    for (int i = 0; i < 100; i++) {
        const Almanac__Test__SayResponse *said = world_say(w, l.channel, "on", NULL);
        assert_non_null(said);
        assert_string_equal(said->server, "one");
    }
    assert_int_equal(l.handled, 0);
    assert_int_equal(l.looked, 100);
    looking_stop(&l);
}

static void count_to(world *w, looking *l, uint64_t count, uint32_t padding)
{
    alm_stream *stream = world_count(w, l->channel, count, padding, NULL);
    uint64_t number = 0;
    for (Almanac__Test__CountResponse *got; (got = world_next(w, stream)) != NULL; number++) {
        assert_int_equal(got->number, number);
        assert_int_equal(got->padding.len, number < count && count >= 10 ? padding : 0);
    }
    assert_code(ALM_OK, w->st.code);
    assert_int_equal(number, count);
    alm_stream_close(&stream);
}

// None, one, less than half a window, and several windows; told at once, passed on, and handled.
static void streams_are_whole_whoever_answers(void **state)
{
    world *w = *state;
    looking l;
    looking_start(&l, w, NULL);
    count_to(w, &l, 0, 0);
    count_to(w, &l, 1, 0);
    count_to(w, &l, 9, 0);
    count_to(w, &l, 10, 0);
    count_to(w, &l, 400, 1000);
    count_to(w, &l, 3000, 1000);
    assert_int_equal(l.handled, 0);
    count_to(w, &l, 20000, 0);
    assert_int_equal(l.handled, 1);
    looking_stop(&l);
}

// What is passed on ends with the call: an endless one would run on.
static void a_call_that_was_passed_on_is_cancelled(void **state)
{
    world *w = *state;
    looking l;
    looking_start(&l, w, NULL);
    for (int i = 0; i < 50; i++) {
        alm_stream *stream = world_count(w, l.channel, 4999, 1000, NULL);
        assert_non_null(world_next(w, stream));
        alm_stream_close(&stream);
        world_until_zero(&w->echo.running);
    }
    looking_stop(&l);
}

static bool say_blob(world *w, looking *l, size_t size)
{
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    char text[] = "";
    request.text = text;
    request.blob.len = size;
    request.blob.data = alm_calloc(1, size);
    assert_non_null(request.blob.data);
    ProtobufCMessage *reply = NULL;
    alm_code code = alm_channel_call(l->channel, &echo_service, "Say", NULL, &request.base,
                                     w->arena, &reply, &w->st);
    alm_free(request.blob.data);
    return code == ALM_OK;
}

static void a_large_request_goes_to_a_thread_unseen(void **state)
{
    world *w = *state;
    looking l;
    looking_start(&l, w, NULL);
    const size_t overhead = 3; // of the field: its tag, and a length of two bytes
    assert_true(say_blob(w, &l, ALM_LOOK_BYTES_MAX - overhead));
    assert_int_equal(l.looked, 1);
    assert_true(say_blob(w, &l, ALM_LOOK_BYTES_MAX - overhead + 1));
    assert_int_equal(l.looked, 1);
    assert_int_equal(l.handled, 2);
    looking_stop(&l);
}

static void *say_hold(void *arg)
{
    looking *l = arg;
    world own = {.arena = alm_arena_create(0)};
    const Almanac__Test__SayResponse *said = world_say(&own, l->channel, "hold", NULL);
    ALM_ASSERT(said != NULL && strcmp(said->text, "hold") == 0);
    alm_arena_destroy(&own.arena);
    return NULL;
}

// The queue's limit is that of calls that want a thread; those that need none are answered.
static void limits_hold_after_the_look(void **state)
{
    world *w = *state;
    looking l;
    pthread_t threads[2];
    const alm_server_opts opts = {.name = "small", .thread_count_max = 1, .queue_count_max = 1};
    looking_start(&l, w, &opts);
    assert_int_equal(pthread_create(&threads[0], NULL, say_hold, &l), 0);
    world_until(&l.held, 1);
    assert_int_equal(pthread_create(&threads[1], NULL, say_hold, &l), 0);
    world_until(&l.looked, 2);
    assert_null(world_say(w, l.channel, "one more", NULL));
    assert_code(ALM_RESOURCE_EXHAUSTED, w->st.code);
    assert_non_null(world_say(w, l.channel, "done", NULL));
    assert_non_null(world_say(w, l.channel, "on", NULL));
    for (size_t i = 0; i < ALM_ARRAY_LEN(threads); i++) {
        sem_post(&l.may_answer);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    looking_stop(&l);
}

typedef struct counted {
    uint64_t started, ok, failed, sent, measured;
} counted;

static void count_say(void *arg, const alm_method_stats *stats)
{
    counted *ret = arg;
    if (strcmp(stats->service, "almanac.test.Echo") == 0 && strcmp(stats->method, "Say") == 0) {
        ret->started = stats->started;
        ret->ok = stats->finished[ALM_OK];
        ret->failed = stats->finished[ALM_OUT_OF_RANGE];
        ret->sent = stats->messages_sent;
        for (size_t i = 0; i < ALM_LATENCY_BUCKET_COUNT; i++) {
            ret->measured += stats->latency[i];
        }
    }
}

static void each_call_is_counted_once(void **state)
{
    world *w = *state;
    looking l;
    static const char *const texts[] = {"done", "on", "no", QUEUED_TEXT};
    looking_start(&l, w, NULL);
    for (int i = 0; i < 40; i++) {
        (void)world_say(w, l.channel, texts[i % 4], NULL);
    }
    counted got = {0};
    alm_server_stats(l.server, count_say, &got);
    assert_int_equal(got.started, 40);
    assert_int_equal(got.ok, 30);
    assert_int_equal(got.failed, 10);
    assert_int_equal(got.sent, 30);
    assert_int_equal(got.measured, 40);
    looking_stop(&l);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(a_look_answers_where_the_request_is_read),
    WORLD_TEST(a_look_that_fails_ends_the_call),
    WORLD_TEST(a_look_leaves_the_call_to_a_thread),
    WORLD_TEST(a_look_passes_the_call_on),
    WORLD_TEST(streams_are_whole_whoever_answers),
    WORLD_TEST(a_call_that_was_passed_on_is_cancelled),
    WORLD_TEST(a_large_request_goes_to_a_thread_unseen),
    WORLD_TEST(limits_hold_after_the_look),
    WORLD_TEST(each_call_is_counted_once),
};

world_group conform_looks(void)
{
    return (world_group){tests, ALM_ARRAY_LEN(tests)};
}
