#include "hello.h"

#include "alm/file_descriptors.h"
#include "alm/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const alm_service_def *const served[] = {&alm_service_health, &alm_service_storage,
                                                &alm_service_reflection};

static void encode(alm_buf *out)
{
    alm_hello hello = {.message_bytes_max = 4194304,
                       .heartbeat_ms = 500,
                       .window_bytes = 1048576,
                       .window_messages = 77,
                       .stream_count_max = 88};
    const bool are_serving[] = {true, false, true};
    alm_buf_init(out, 0);
    assert_true(alm_hello_encode(out, &hello, served, are_serving, ALM_ARRAY_LEN(served)));
}

static void a_hello_comes_back_as_written(void **state)
{
    (void)state;
    alm_buf out;
    alm_hello got;
    alm_arena *arena = alm_arena_create(0);
    encode(&out);
    assert_int_equal(alm_hello_decode(alm_buf_view(&out), arena, &got, NULL), ALM_OK);
    alm_buf_deinit(&out); // the names are copies
    assert_int_equal(got.message_bytes_max, 4194304);
    assert_int_equal(got.heartbeat_ms, 500);
    assert_int_equal(got.window_bytes, 1048576);
    assert_int_equal(got.window_messages, 77);
    assert_int_equal(got.stream_count_max, 88);
    assert_int_equal(got.service_count, ALM_ARRAY_LEN(served));
    uint32_t method = 0;
    for (size_t i = 0; i < ALM_ARRAY_LEN(served); i++) {
        assert_true(alm_str_eq(got.services[i].name, alm_str_from(served[i]->descriptor->name)));
        assert_int_equal(got.services[i].checksum, alm_service_checksum(served[i]));
        assert_int_equal(got.services[i].method_first, method);
        assert_int_equal(got.services[i].is_serving, i != 1);
        assert_int_equal(got.services[i].method_count, served[i]->descriptor->n_methods);
        method += got.services[i].method_count;
    }
    alm_arena_destroy(&arena);
}

static void every_cut_and_every_extra_byte_is_refused(void **state)
{
    (void)state;
    alm_buf out;
    alm_hello got;
    alm_arena *arena = alm_arena_create(0);
    encode(&out);
    for (size_t len = 0; len < out.len; len++) {
        alm_str cut = alm_str_slice(alm_buf_view(&out), 0, len);
        assert_int_equal(alm_hello_decode(cut, arena, &got, NULL), ALM_INVALID_ARGUMENT);
        alm_arena_reset(arena);
    }
    alm_buf_u8(&out, 0);
    assert_int_equal(alm_hello_decode(alm_buf_view(&out), arena, &got, NULL), ALM_INVALID_ARGUMENT);
    alm_buf_deinit(&out);
    alm_arena_destroy(&arena);
}

static void another_version_is_named(void **state)
{
    (void)state;
    alm_buf out;
    alm_hello got;
    alm_status st = ALM_STATUS_INIT;
    alm_arena *arena = alm_arena_create(0);
    encode(&out);
    out.data[4] = 9;
    assert_int_equal(alm_hello_decode(alm_buf_view(&out), arena, &got, &st),
                     ALM_FAILED_PRECONDITION);
    assert_non_null(strstr(st.message, "version 9"));
    alm_buf_deinit(&out);
    alm_arena_destroy(&arena);
}

// --- checksum ------------------------------------------------------------------------------------

// A service of one method over a message of one field, each of which a row changes.
typedef struct variation {
    const char *name;
    const char *service, *method, *message;
    alm_method_kind kind;
    uint32_t field_id;
    ProtobufCType type;
    ProtobufCLabel label;
    bool is_same; // as the first row
} variation;

static const variation variations[] = {
    {"base", "s", "m", "t", ALM_METHOD_UNARY, 1, PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_LABEL_NONE,
     true},
    {"service", "s2", "m", "t", ALM_METHOD_UNARY, 1, PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_LABEL_NONE,
     false},
    {"method", "s", "m2", "t", ALM_METHOD_UNARY, 1, PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_LABEL_NONE,
     false},
    {"message", "s", "m", "t2", ALM_METHOD_UNARY, 1, PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_LABEL_NONE,
     false},
    {"kind", "s", "m", "t", ALM_METHOD_SERVER_STREAM, 1, PROTOBUF_C_TYPE_UINT32,
     PROTOBUF_C_LABEL_NONE, false},
    {"client kind", "s", "m", "t", ALM_METHOD_CLIENT_STREAM, 1, PROTOBUF_C_TYPE_UINT32,
     PROTOBUF_C_LABEL_NONE, false},
    {"both kinds", "s", "m", "t", ALM_METHOD_BIDI_STREAM, 1, PROTOBUF_C_TYPE_UINT32,
     PROTOBUF_C_LABEL_NONE, false},
    {"number", "s", "m", "t", ALM_METHOD_UNARY, 2, PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_LABEL_NONE,
     false},
    {"type", "s", "m", "t", ALM_METHOD_UNARY, 1, PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_LABEL_NONE,
     false},
    {"label", "s", "m", "t", ALM_METHOD_UNARY, 1, PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_LABEL_REPEATED,
     false},
    {"proto2 label", "s", "m", "t", ALM_METHOD_UNARY, 1, PROTOBUF_C_TYPE_UINT32,
     PROTOBUF_C_LABEL_OPTIONAL, true},
};

static uint64_t checksum_of(const variation *v)
{
    ProtobufCFieldDescriptor field = {
        .name = "f", .id = v->field_id, .type = v->type, .label = v->label};
    ProtobufCMessageDescriptor message = {.name = v->message, .n_fields = 1, .fields = &field};
    ProtobufCMethodDescriptor method = {.name = v->method, .input = &message, .output = &message};
    ProtobufCServiceDescriptor service = {.name = v->service, .n_methods = 1, .methods = &method};
    alm_method_def def = {.name = v->method, .kind = v->kind};
    return alm_service_checksum(&(alm_service_def){.descriptor = &service, .methods = &def});
}

static void what_matters_on_the_wire_changes_the_checksum(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALM_ARRAY_LEN(variations); i++) {
        for (size_t j = 0; j < i; j++) {
            bool is_equal = checksum_of(&variations[i]) == checksum_of(&variations[j]);
            bool want = variations[i].is_same && variations[j].is_same;
            if (is_equal != want) {
                fail_msg("%s and %s: %s", variations[i].name, variations[j].name,
                         is_equal ? "equal" : "differ");
            }
        }
    }
}

// The number docs/WIRE.md gives for others to check their own against.
static void the_documented_checksum_holds(void **state)
{
    (void)state;
    assert_int_equal(alm_service_checksum(&alm_service_health), UINT64_C(0x14c0bd702cce1d2a));
}

// Who speaks by descriptors from Reflection must not be taken for another version.
static void descriptors_made_at_run_time_have_the_same_checksum(void **state)
{
    static const alm_service_def *const all[] = {&alm_service_gateway,   &alm_service_storage,
                                                 &alm_service_ingestion, &alm_service_aggregation,
                                                 &alm_service_health,    &alm_service_reflection,
                                                 &alm_service_stats};
    (void)state;
    alm_arena *arena = alm_arena_create(0);
    alm_schema *schema = NULL;
    alm_str set = {.data = (const char *)alm_file_descriptor_set,
                   .len = alm_file_descriptor_set_size};
    assert_int_equal(alm_schema_create(set, arena, &schema, NULL), ALM_OK);
    for (size_t i = 0; i < ALM_ARRAY_LEN(all); i++) {
        const alm_symbol *made = NULL;
        alm_str name = alm_str_from(all[i]->descriptor->name);
        assert_int_equal(alm_schema_find(schema, name, &made, NULL), ALM_OK);
        assert_int_equal(alm_service_checksum(made->service), alm_service_checksum(all[i]));
    }
    alm_arena_destroy(&arena);
}

static void methods_are_found_by_name(void **state)
{
    (void)state;
    assert_int_equal(alm_service_method_find(&alm_service_health, "Check"), 0);
    assert_int_equal(alm_service_method_find(&alm_service_health, "Watch"), 1);
    assert_int_equal(alm_service_method_find(&alm_service_health, "watch"), -1);
    assert_int_equal(alm_service_method_find(&alm_service_health, ""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hello_comes_back_as_written),
        cmocka_unit_test(every_cut_and_every_extra_byte_is_refused),
        cmocka_unit_test(another_version_is_named),
        cmocka_unit_test(what_matters_on_the_wire_changes_the_checksum),
        cmocka_unit_test(the_documented_checksum_holds),
        cmocka_unit_test(descriptors_made_at_run_time_have_the_same_checksum),
        cmocka_unit_test(methods_are_found_by_name),
    };
    return cmocka_run_group_tests_name("hello", tests, NULL, NULL);
}
