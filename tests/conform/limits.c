// Each limit over real calls: what is exactly at it passes, and one past it does not.
#include "world.h"

#include "alm/alloc.h"

#define REFUSED_MS 300 // how long is waited for what must not come

// A server with limits of its own, and a channel to it. Where there is a wire the caller has the
// usual limits, so that it is the server that refuses; else both are of one process and share them.
static void limit(world *w, const alm_rpc_limits *limits, size_t thread_count_max, world *ret)
{
    const alm_server_opts server_opts = {.name = "limited", .thread_count_max = thread_count_max};
    const alm_rpc_opts opts = {.limits = *limits, .uses_libzmq = strchr(w->given, '+') != NULL};
    char address[ECHO_ADDRESS_MAX];
    *ret = (world){.given = w->given, .arena = w->arena, .echo.name = "limited"};
    ret->st = ALM_STATUS_INIT;
    assert_code(ALM_OK, alm_rpc_create(&opts, &ret->rpc, &w->st));
    world_address(w, address);
    echo_start(&ret->echo, ret->rpc, address, &server_opts);
}

static bool has_wire(const world *w)
{
    return strcmp(w->scheme, "tcp") == 0 || strcmp(w->scheme, "ipc") == 0;
}

static alm_channel *call_limited(world *w, world *limited)
{
    return world_open(has_wire(w) ? w : limited, limited->echo.address);
}

static void unlimit(world *limited)
{
    alm_channel_close(&limited->channel);
    echo_stop(&limited->echo);
    alm_rpc_destroy(&limited->rpc);
}

// --- limits of one call --------------------------------------------------------------------------

// A call that is of so many bytes or elements.
typedef alm_code call_fn(world *w, size_t size);

typedef struct call_row {
    const char *name;
    alm_rpc_limits limits;
    size_t most; // the size at the limit
    call_fn *call;
    bool is_of_wire; // only where the caller has other limits than the server
    const char *says;
} call_row;

static alm_code say(world *w, const char *method, const alm_call_opts *opts,
                    const Almanac__Test__SayRequest *request)
{
    ProtobufCMessage *reply = NULL;
    return alm_channel_call(w->channel, &echo_service, method, opts, &request->base, w->arena,
                            &reply, &w->st);
}

static alm_code call_of_bytes(world *w, size_t size)
{
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    request.blob.data = alm_calloc(1, size);
    assert_non_null(request.blob.data);
    request.blob.len = size;
    size_t header = protobuf_c_message_get_packed_size(&request.base) - size;
    request.blob.len = size - header;
    assert_int_equal(protobuf_c_message_get_packed_size(&request.base), size);
    // Trace answers with less than it was sent: the answer must not be what is refused.
    alm_code code = say(w, "Trace", NULL, &request);
    alm_free(request.blob.data);
    return code;
}

static alm_code call_of_metadata(world *w, size_t size)
{
    static const char name[] = "idempotency-key";
    char key[128];
    size_t len = size - 1 - (sizeof name - 1) - 2;
    assert_true(len < sizeof key);
    memset(key, 'k', len);
    key[len] = '\0';
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    const alm_call_opts opts = {.idempotency_key = key};
    return say(w, "Keyed", &opts, &request);
}

static alm_code call_of_items(world *w, size_t size)
{
    Almanac__Test__Item item;
    almanac__test__item__init(&item);
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    request.n_items = size;
    request.items = alm_calloc(size, sizeof(Almanac__Test__Item *));
    assert_non_null(request.items);
    for (size_t i = 0; i < size; i++) {
        request.items[i] = &item;
    }
    alm_code code = say(w, "Trace", NULL, &request);
    alm_free(request.items);
    return code;
}

// One item of numbers, which are packed: the item is an element too.
static alm_code call_of_numbers(world *w, size_t size)
{
    Almanac__Test__Item item;
    almanac__test__item__init(&item);
    item.n_numbers = size - 1;
    item.numbers = alm_calloc(size, sizeof(uint32_t));
    assert_non_null(item.numbers);
    Almanac__Test__Item *items[] = {&item};
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    request.n_items = 1;
    request.items = items;
    alm_code code = say(w, "Trace", NULL, &request);
    alm_free(item.numbers);
    return code;
}

// A stream whose only message has a number (one element), or padding too.
static alm_code stream_of_elements(world *w, size_t size)
{
    uint8_t byte = 1;
    Almanac__Test__CountResponse message;
    almanac__test__count_response__init(&message);
    message.number = 7;
    message.padding = (ProtobufCBinaryData){.len = size - 1, .data = &byte};
    alm_stream *stream = NULL;
    ProtobufCMessage *back = NULL;
    assert_code(ALM_OK,
                alm_stream_open(w->channel, &echo_service, "Chat", NULL, NULL, &stream, &w->st));
    assert_code(ALM_OK, alm_stream_send(stream, &message.base, &w->st));
    alm_code code = alm_stream_next(stream, w->arena, &back, &w->st);
    alm_stream_close(&stream);
    return code;
}

static const call_row call_rows[] = {
    {"a message of bytes",
     {.message_bytes_max = 1000},
     1000,
     call_of_bytes,
     false,
     "of 1001 bytes"},
    {"a call with metadata",
     {.metadata_bytes_max = 50},
     50,
     call_of_metadata,
     true,
     "metadata of 51 bytes passes the limit of 50"},
    {"a message of messages",
     {.element_count_max = 20},
     20,
     call_of_items,
     false,
     "at least 21 elements pass the limit of 20"},
    {"a message of packed numbers",
     {.element_count_max = 20},
     20,
     call_of_numbers,
     false,
     "at least 21 elements pass the limit of 20"},
    {"a stream's message",
     {.element_count_max = 1},
     1,
     stream_of_elements,
     false,
     "at least 2 elements pass the limit of 1"},
};

static void check_row(world *w, const call_row *row)
{
    world limited;
    limit(w, &row->limits, 0, &limited);
    limited.channel = call_limited(w, &limited);
    alm_code at = row->call(&limited, row->most);
    if (at != ALM_OK) {
        fail_msg("%s, at the limit: %s", row->name, limited.st.message);
    }
    assert_int_equal(row->call(&limited, row->most + 1), ALM_RESOURCE_EXHAUSTED);
    if (strstr(limited.st.message, row->says) == NULL) {
        fail_msg("%s: '%s' does not say '%s'", row->name, limited.st.message, row->says);
    }
    limited.st = ALM_STATUS_INIT; // and the connection stands
    assert_int_equal(row->call(&limited, row->most), ALM_OK);
    unlimit(&limited);
}

static void a_call_is_limited(void **state)
{
    world *w = *state;
    for (size_t i = 0; i < ALM_ARRAY_LEN(call_rows); i++) {
        if (!call_rows[i].is_of_wire || has_wire(w)) {
            check_row(w, &call_rows[i]);
        }
    }
}

// An answer is looked at like a request: the caller's own limit holds.
static void an_answer_is_limited_too(void **state)
{
    world *w = *state;
    world limited;
    limit(w, &(alm_rpc_limits){.element_count_max = 3}, 0, &limited);
    limited.channel = world_open(&limited, limited.echo.address);
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    request.number = 1; // the answer has the server and the request's id too
    assert_int_equal(say(&limited, "Say", NULL, &request), ALM_OK);
    request.text = (char *)(uintptr_t) "x";
    assert_int_equal(say(&limited, "Say", NULL, &request), ALM_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(limited.st.message, "at least 4 elements pass the limit of 3"));
    unlimit(&limited);
}

// Of a server that has served nothing yet: an arena keeps some of what it once held.
static alm_code call_with_arena(world *w, size_t arena_bytes, size_t size)
{
    world limited;
    limit(w, &(alm_rpc_limits){.arena_bytes_max = arena_bytes}, 0, &limited);
    limited.channel = call_limited(w, &limited);
    alm_code code = call_of_bytes(&limited, size);
    if (code != ALM_OK) {
        assert_int_equal(code, ALM_RESOURCE_EXHAUSTED);
        assert_non_null(strstr(limited.st.message, "no memory"));
    }
    unlimit(&limited);
    return code;
}

// How much of its arena a call takes is the arena's matter, so the largest request that passes is
// looked for. It stands there twice: as it came, and unpacked.
static void a_calls_memory_is_limited(void **state)
{
    world *w = *state;
    const size_t arena_bytes = 64 << 10;
    size_t good = arena_bytes / 3, bad = arena_bytes; // headers of one size
    assert_int_equal(call_with_arena(w, arena_bytes, good), ALM_OK);
    while (bad - good > 1) {
        size_t size = good + (bad - good) / 2;
        bool is_good = call_with_arena(w, arena_bytes, size) == ALM_OK;
        good = is_good ? size : good;
        bad = is_good ? bad : size;
    }
    assert_in_range(good, arena_bytes * 2 / 5, arena_bytes / 2);
    assert_int_equal(call_with_arena(w, arena_bytes, good), ALM_OK);
    assert_int_equal(call_with_arena(w, arena_bytes, good + 1), ALM_RESOURCE_EXHAUSTED);
    assert_int_equal(call_with_arena(w, arena_bytes + 16, good + 1), ALM_OK);
}

// --- how many at once ----------------------------------------------------------------------------

// A call in progress, which has been heard of.
static alm_stream *chat(world *w)
{
    Almanac__Test__CountResponse message;
    almanac__test__count_response__init(&message);
    alm_stream *stream = NULL;
    ProtobufCMessage *back = NULL;
    assert_code(ALM_OK,
                alm_stream_open(w->channel, &echo_service, "Chat", NULL, NULL, &stream, &w->st));
    assert_code(ALM_OK, alm_stream_send(stream, &message.base, &w->st));
    assert_code(ALM_OK, alm_stream_next(stream, w->arena, &back, &w->st));
    assert_non_null(back);
    return stream;
}

// Until the server has said that it is over. One that is cancelled is over sooner for its client.
static void end_chat(world *w, alm_stream **stream)
{
    ProtobufCMessage *back = NULL;
    assert_code(ALM_OK, alm_stream_finish(*stream, &w->st));
    assert_code(ALM_OK, alm_stream_next(*stream, w->arena, &back, &w->st));
    assert_null(back);
    alm_stream_close(stream);
}

static alm_code say_within(world *w, alm_channel *channel, int64_t timeout_ms)
{
    const alm_call_opts opts = {.timeout_ms = timeout_ms};
    w->st = ALM_STATUS_INIT;
    return world_say(w, channel, "", &opts) != NULL ? ALM_OK : w->st.code;
}

// A client knows from HELLO how many calls a connection may have and keeps one more to itself; that
// the server refuses it is in server_wire_test, whose client does not keep to it.
static void a_connections_calls_are_limited(void **state)
{
    world *w = *state;
    world limited;
    limit(w, &(alm_rpc_limits){.stream_count_max = 3}, 0, &limited);
    limited.channel = call_limited(w, &limited);
    alm_stream *one = chat(&limited), *two = chat(&limited);
    assert_int_equal(say_within(&limited, limited.channel, WORLD_WAIT_MS), ALM_OK); // the third
    alm_stream *three = chat(&limited);
    assert_int_equal(say_within(&limited, limited.channel, REFUSED_MS), ALM_DEADLINE_EXCEEDED);
    end_chat(&limited, &one);
    assert_int_equal(say_within(&limited, limited.channel, WORLD_WAIT_MS), ALM_OK);
    end_chat(&limited, &two);
    end_chat(&limited, &three);
    unlimit(&limited);
}

static void a_servers_connections_are_limited(void **state)
{
    world *w = *state;
    world limited;
    limit(w, &(alm_rpc_limits){.peer_count_max = 2}, 0, &limited);
    alm_channel *channels[3];
    for (size_t i = 0; i < ALM_ARRAY_LEN(channels); i++) {
        channels[i] = call_limited(w, &limited);
        alm_code want = i < 2 ? ALM_OK : ALM_DEADLINE_EXCEEDED;
        int64_t wait_ms = i < 2 ? WORLD_WAIT_MS : REFUSED_MS;
        assert_int_equal(alm_channel_wait_ready(channels[i], wait_ms, &limited.st), want);
    }
    assert_non_null(strstr(limited.st.message, "no healthy connection"));
    for (size_t i = 0; i < 2; i++) { // those that stand are none the worse
        assert_int_equal(say_within(&limited, channels[i], WORLD_WAIT_MS), ALM_OK);
    }
    alm_channel_close(&channels[0]);
    assert_int_equal(alm_channel_wait_ready(channels[2], WORLD_WAIT_MS, NULL), ALM_OK);
    assert_int_equal(say_within(&limited, channels[2], WORLD_WAIT_MS), ALM_OK);
    alm_channel_close(&channels[1]);
    alm_channel_close(&channels[2]);
    unlimit(&limited);
}

// Nobody works for it: it takes the only thread.
static alm_stream *hang(world *w)
{
    alm_stream *stream = NULL;
    assert_code(ALM_OK,
                alm_stream_open(w->channel, &echo_service, "Hang", NULL, NULL, &stream, &w->st));
    return stream;
}

static void a_servers_queue_is_limited(void **state)
{
    world *w = *state;
    world limited;
    limit(w, &(alm_rpc_limits){.queue_count_max = 2}, 1, &limited);
    limited.channel = call_limited(w, &limited);
    alm_stream *at_work = hang(&limited);
    world_until(&limited.echo.running, 1);
    alm_stream *first = hang(&limited), *second = hang(&limited);
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    assert_int_equal(say(&limited, "Once", NULL, &request), ALM_RESOURCE_EXHAUSTED);
    assert_non_null(
        strstr(limited.st.message, "limited has 2 calls waiting for a thread, the most is 2"));
    assert_true(limited.st.retry_after_ms > 0);
    alm_stream_close(&at_work); // and those that waited have their turn
    world_until(&limited.echo.started, 2);
    alm_stream_close(&first);
    world_until(&limited.echo.started, 3);
    alm_stream_close(&second);
    unlimit(&limited);
}

// A request of so many bytes, which is answered with the end of a stream.
static alm_stream *fail_late(world *w, size_t size)
{
    char message[128];
    const size_t header = 2; // tag and length
    assert_true(size < sizeof message);
    memset(message, 'x', size - header);
    message[size - header] = '\0';
    Almanac__Test__FailRequest request;
    almanac__test__fail_request__init(&request);
    request.message = message;
    assert_int_equal(protobuf_c_message_get_packed_size(&request.base), size);
    alm_stream *stream = NULL;
    assert_code(ALM_OK, alm_stream_open(w->channel, &echo_service, "FailLate", NULL, &request.base,
                                        &stream, &w->st));
    return stream;
}

static alm_code end_of(world *w, alm_stream *stream)
{
    w->st = ALM_STATUS_INIT;
    ProtobufCMessage *none = NULL;
    return alm_stream_next(stream, w->arena, &none, &w->st);
}

static void a_queues_bytes_are_limited(void **state)
{
    world *w = *state;
    world limited;
    limit(w, &(alm_rpc_limits){.queue_bytes_max = 100}, 1, &limited);
    limited.channel = call_limited(w, &limited);
    alm_stream *at_work = hang(&limited);
    world_until(&limited.echo.running, 1);
    alm_stream *past = fail_late(&limited, 101);
    assert_int_equal(end_of(&limited, past), ALM_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(limited.st.message, "with 0 bytes of 100"));
    alm_stream *all = fail_late(&limited, 100), *more = fail_late(&limited, 3);
    assert_int_equal(end_of(&limited, more), ALM_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(limited.st.message, "with 100 bytes of 100"));
    alm_stream_close(&at_work);
    assert_int_equal(end_of(&limited, all), ALM_OK);
    alm_stream_close(&past);
    alm_stream_close(&all);
    alm_stream_close(&more);
    unlimit(&limited);
}

world_group conform_limits(void)
{
    static const struct CMUnitTest tests[] = {
        WORLD_TEST(a_call_is_limited),
        WORLD_TEST(an_answer_is_limited_too),
        WORLD_TEST(a_calls_memory_is_limited),
        WORLD_TEST(a_connections_calls_are_limited),
        WORLD_TEST(a_servers_connections_are_limited),
        WORLD_TEST(a_servers_queue_is_limited),
        WORLD_TEST(a_queues_bytes_are_limited),
    };
    return (world_group){.tests = tests, .count = ALM_ARRAY_LEN(tests)};
}
