// Health and Reflection, which every server serves.
#include "world.h"

#include "almanac/internal/health.pb-c.h"
#include "almanac/internal/reflection.pb-c.h"
#include "almanac/internal/stats.pb-c.h"

#define SERVING     ALMANAC__INTERNAL__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define NOT_SERVING ALMANAC__INTERNAL__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
#define UNKNOWN     ALMANAC__INTERNAL__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN

static void health_follows_what_the_server_says(void **state)
{
    world *w = *state;
    const char *address = w->echo.address;
    w->st = ALM_STATUS_INIT;
    assert_code(ALM_OK, alm_health_check(w->rpc, address, "", WORLD_WAIT_MS, &w->st));
    assert_code(ALM_OK,
                alm_health_check(w->rpc, address, "almanac.test.Echo", WORLD_WAIT_MS, &w->st));
    alm_server_set_serving(w->echo.server, "almanac.test.Echo", false);
    assert_code(ALM_UNAVAILABLE,
                alm_health_check(w->rpc, address, "almanac.test.Echo", WORLD_WAIT_MS, &w->st));
    assert_code(ALM_OK, alm_health_check(w->rpc, address, "", WORLD_WAIT_MS, &w->st));
    alm_server_set_serving(w->echo.server, NULL, false);
    assert_code(ALM_UNAVAILABLE, alm_health_check(w->rpc, address, "", WORLD_WAIT_MS, &w->st));
    assert_non_null(strstr(w->st.message, address));
    assert_code(ALM_NOT_FOUND,
                alm_health_check(w->rpc, address, "no.such.Service", WORLD_WAIT_MS, &w->st));
}

static void a_probe_of_nobody_is_unavailable(void **state)
{
    world *w = *state;
    char address[ECHO_ADDRESS_MAX];
    world_address_later(w, address);
    assert_code(ALM_UNAVAILABLE, alm_health_check(w->rpc, address, "", 50, &w->st));
    assert_non_null(strstr(w->st.message, address));
}

static alm_stream *watch_health(world *w, const char *service)
{
    Almanac__Internal__HealthCheckRequest request;
    almanac__internal__health_check_request__init(&request);
    request.service = (char *)(uintptr_t)service;
    alm_call_opts opts = {.timeout_ms = -1};
    alm_stream *stream = NULL;
    assert_code(ALM_OK, alm_stream_open(w->channel, &alm_service_health, "Watch", &opts,
                                        &request.base, &stream, &w->st));
    return stream;
}

static int next_status(world *w, alm_stream *stream)
{
    ProtobufCMessage *message = NULL;
    assert_code(ALM_OK, alm_stream_next(stream, w->arena, &message, &w->st));
    assert_non_null(message);
    return (int)((const Almanac__Internal__HealthCheckResponse *)message)->status;
}

static void a_watch_tells_every_change(void **state)
{
    world *w = *state;
    alm_stream *echo = watch_health(w, "almanac.test.Echo");
    alm_stream *whole = watch_health(w, "");
    alm_stream *stranger = watch_health(w, "no.such.Service");
    assert_int_equal(next_status(w, echo), SERVING);
    assert_int_equal(next_status(w, whole), SERVING);
    assert_int_equal(next_status(w, stranger), UNKNOWN);
    for (int i = 0; i < 3; i++) {
        alm_server_set_serving(w->echo.server, "almanac.test.Echo", false);
        assert_int_equal(next_status(w, echo), NOT_SERVING);
        alm_server_set_serving(w->echo.server, "almanac.test.Echo", true);
        assert_int_equal(next_status(w, echo), SERVING);
    }
    alm_server_set_serving(w->echo.server, "", false);
    assert_int_equal(next_status(w, echo), NOT_SERVING);
    assert_int_equal(next_status(w, whole), NOT_SERVING); // nothing came in between
    alm_stream_close(&echo);
    alm_stream_close(&whole);
    alm_stream_close(&stranger);
}

static void a_drain_tells_watches_first(void **state)
{
    world *w = *state;
    alm_stream *whole = watch_health(w, "");
    assert_int_equal(next_status(w, whole), SERVING);
    assert_int_equal(alm_server_drain(w->echo.server, WORLD_WAIT_MS), 0);
    assert_int_equal(next_status(w, whole), NOT_SERVING);
    ProtobufCMessage *message = NULL;
    assert_code(ALM_UNAVAILABLE, alm_stream_next(whole, w->arena, &message, &w->st));
    alm_stream_close(&whole);
}

static const Almanac__Internal__ServiceInfo *
find_service(const Almanac__Internal__ListServicesResponse *list, const char *name)
{
    for (size_t i = 0; i < list->n_services; i++) {
        if (strcmp(list->services[i]->name, name) == 0) {
            return list->services[i];
        }
    }
    fail_msg("no service %s", name);
    return NULL;
}

static void reflection_lists_services(void **state)
{
    world *w = *state;
    Almanac__Internal__ListServicesRequest request;
    almanac__internal__list_services_request__init(&request);
    ProtobufCMessage *reply = NULL;
    assert_code(ALM_OK, alm_channel_call(w->channel, &alm_service_reflection, "ListServices", NULL,
                                         &request.base, w->arena, &reply, &w->st));
    const Almanac__Internal__ListServicesResponse *list =
        (const Almanac__Internal__ListServicesResponse *)reply;
    assert_int_equal(list->n_services, 4);
    find_service(list, "almanac.internal.Health");
    find_service(list, "almanac.internal.Reflection");
    const Almanac__Internal__ServiceInfo *echo = find_service(list, "almanac.test.Echo");
    assert_int_equal(echo->n_methods, echo_service.descriptor->n_methods);
    assert_string_equal(echo->methods[1]->name, "Count");
    assert_string_equal(echo->methods[1]->request, "almanac.test.CountRequest");
    assert_string_equal(echo->methods[1]->response, "almanac.test.CountResponse");
    assert_true(echo->methods[1]->server_streaming);
    assert_true(echo->methods[1]->idempotent);
    assert_false(echo->methods[0]->server_streaming);
    assert_string_equal(echo->methods[0]->role, "reader");
    assert_string_equal(echo->methods[11]->name, "Sum");
    assert_true(echo->methods[11]->client_streaming);
    assert_false(echo->methods[11]->server_streaming);
    assert_true(echo->methods[14]->keyed);
    assert_false(echo->methods[14]->idempotent);
}

static const Almanac__Internal__MethodStats *
find_method(const Almanac__Internal__StatsResponse *stats, const char *name)
{
    for (size_t i = 0; i < stats->n_methods; i++) {
        if (strcmp(stats->methods[i]->method, name) == 0) {
            return stats->methods[i];
        }
    }
    fail_msg("no %s", name);
    return NULL;
}

static void stats_count_calls(void **state)
{
    world *w = *state;
    for (int i = 0; i < 5; i++) {
        assert_non_null(world_say(w, w->channel, "hello", NULL));
    }
    alm_stream *stream = world_count(w, w->channel, 7, 0, NULL);
    while (world_next(w, stream) != NULL) {}
    alm_stream_close(&stream);
    Almanac__Internal__StatsRequest request;
    almanac__internal__stats_request__init(&request);
    ProtobufCMessage *reply = NULL;
    assert_code(ALM_OK, alm_channel_call(w->channel, &alm_service_stats, "Get", NULL, &request.base,
                                         w->arena, &reply, &w->st));
    const Almanac__Internal__StatsResponse *stats = (const Almanac__Internal__StatsResponse *)reply;
    const Almanac__Internal__MethodStats *say = find_method(stats, "Say");
    assert_int_equal(say->started, 5);
    assert_int_equal(say->n_ended, 1);
    assert_string_equal(say->ended[0]->code, "OK");
    assert_int_equal(say->ended[0]->count, 5);
    assert_int_equal(say->messages_sent, 5);
    assert_int_equal(say->messages_received, 5);
    uint64_t bucket_sum = 0;
    for (size_t i = 0; i < say->n_latency; i++) {
        bucket_sum += say->latency[i]->count;
    }
    assert_int_equal(bucket_sum, 5);
    assert_int_equal(find_method(stats, "Count")->messages_sent, 7);
    assert_int_equal(find_method(stats, "Fail")->started, 0);
    assert_int_equal(stats->n_channels, 1);
    assert_string_equal(stats->channels[0]->target, w->echo.address);
    assert_int_equal(stats->channels[0]->n_connections, 1);
    assert_string_equal(stats->channels[0]->connections[0]->state, "ready");
    assert_int_equal(stats->channels[0]->connections[0]->calls, 7);
    assert_int_equal(stats->peers, 1);
}

// Trace answers with its own traceparent and the next server's: one trace, two spans.
static void a_trace_goes_through_all_calls(void **state)
{
    world *w = *state;
    echo_server next = {.name = "next"};
    char address[ECHO_ADDRESS_MAX];
    world_address(w, address);
    echo_start(&next, w->rpc, address, NULL);
    alm_channel *to_next = world_open(w, next.address);
    atomic_store(&w->echo.next, to_next);
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    ProtobufCMessage *reply = NULL;
    assert_code(ALM_OK, alm_channel_call(w->channel, &echo_service, "Trace", NULL, &request.base,
                                         w->arena, &reply, &w->st));
    const Almanac__Test__SayResponse *got = (const Almanac__Test__SayResponse *)reply;
    assert_int_equal(strlen(got->server), 55);
    assert_int_equal(strlen(got->text), 55);
    assert_memory_equal(got->server, got->text, 36);               // version and trace
    assert_memory_not_equal(got->server + 36, got->text + 36, 16); // span
    assert_int_equal(strlen(got->request_id), 16);
    assert_memory_equal(got->request_id, got->server + 19, 16); // the same for both
    atomic_store(&w->echo.next, NULL);
    alm_channel_close(&to_next);
    echo_stop(&next);
}

static alm_code describe(world *w, const char *name,
                         const Almanac__Internal__DescribeMessageResponse **ret)
{
    Almanac__Internal__DescribeMessageRequest request;
    almanac__internal__describe_message_request__init(&request);
    request.name = (char *)(uintptr_t)name;
    ProtobufCMessage *reply = NULL;
    w->st = ALM_STATUS_INIT;
    alm_code code = alm_channel_call(w->channel, &alm_service_reflection, "DescribeMessage", NULL,
                                     &request.base, w->arena, &reply, &w->st);
    *ret = (const Almanac__Internal__DescribeMessageResponse *)reply;
    return code;
}

static void reflection_describes_messages_and_enums(void **state)
{
    world *w = *state;
    const Almanac__Internal__DescribeMessageResponse *got;
    assert_code(ALM_OK, describe(w, "almanac.test.SayRequest", &got));
    assert_int_equal(got->n_fields, 5);
    assert_string_equal(got->fields[0]->name, "text");
    assert_string_equal(got->fields[0]->type, "string");
    assert_int_equal(got->fields[2]->number, 3);
    assert_string_equal(got->fields[2]->type, "uint64");
    assert_string_equal(got->fields[3]->label, "repeated");
    assert_string_equal(got->fields[3]->type_name, "almanac.test.Item");
    assert_code(ALM_OK, describe(w, "almanac.test.Leaf", &got)); // only reached through Item
    assert_code(ALM_OK, describe(w, "almanac.internal.HealthCheckResponse.ServingStatus", &got));
    assert_int_equal(got->n_values, 4);
    assert_int_equal(got->n_fields, 0);
    assert_code(ALM_NOT_FOUND, describe(w, "almanac.test.Nothing", &got));
    assert_string_equal(w->st.field, "name");
}

static void reflection_gives_the_files(void **state)
{
    world *w = *state;
    Almanac__Internal__FileDescriptorsRequest request;
    almanac__internal__file_descriptors_request__init(&request);
    ProtobufCMessage *reply = NULL;
    assert_code(ALM_OK, alm_channel_call(w->channel, &alm_service_reflection, "FileDescriptors",
                                         NULL, &request.base, w->arena, &reply, &w->st));
    const ProtobufCBinaryData *set =
        &((const Almanac__Internal__FileDescriptorsResponse *)reply)->file_descriptor_set;
    assert_true(set->len > 2);
    assert_int_equal(set->data[0], 0x0a); // a file: field 1 of the set
    alm_str bytes = {.data = (const char *)set->data, .len = set->len};
    assert_true(alm_str_find(bytes, ALM_STR("almanac/v1/gateway.proto")) != SIZE_MAX);
    assert_true(alm_str_find(bytes, ALM_STR("almanac/internal/reflection.proto")) != SIZE_MAX);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(health_follows_what_the_server_says),
    WORLD_TEST(a_probe_of_nobody_is_unavailable),
    WORLD_TEST(a_watch_tells_every_change),
    WORLD_TEST(a_drain_tells_watches_first),
    WORLD_TEST(reflection_lists_services),
    WORLD_TEST(stats_count_calls),
    WORLD_TEST(a_trace_goes_through_all_calls),
    WORLD_TEST(reflection_describes_messages_and_enums),
    WORLD_TEST(reflection_gives_the_files),
};

world_group conform_services(void)
{
    return (world_group){tests, ALM_ARRAY_LEN(tests)};
}
