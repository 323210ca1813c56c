#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define SEED 20261124u

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void assert_same(const alm_record *a, const alm_record *b)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->call_id, b->call_id);
    assert_int_equal(a->arg, b->arg);
    assert_int_equal(a->time_ms, b->time_ms);
    assert_true(alm_str_eq(a->metadata, b->metadata));
    assert_true(alm_str_eq(a->payload, b->payload));
}

// Many random records in one buffer are read back as they were written.
static void records_come_back_as_written(void **state)
{
    (void)state;
    static char bytes[3000];
    alm_record written[200];
    uint32_t random = SEED;
    alm_buf out;
    alm_buf_init(&out, 0);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)next_random(&random);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(written); i++) {
        written[i] = (alm_record){
            .type = (alm_record_type)(1 + next_random(&random) % ALM_RECORD_TYPE_LAST),
            .flags = (uint8_t)next_random(&random),
            .call_id = (uint64_t)next_random(&random) << 40 | next_random(&random),
            .arg = next_random(&random),
            .time_ms = next_random(&random),
            .metadata = {.data = bytes, .len = next_random(&random) % 100},
            .payload = {.data = bytes, .len = next_random(&random) % sizeof bytes},
        };
        assert_true(alm_record_append(&out, &written[i]));
    }
    alm_reader frame = alm_reader_of(out.data, out.len);
    for (size_t i = 0; i < ALM_ARRAY_LEN(written); i++) {
        alm_record got;
        assert_int_equal(alm_record_next(&frame, &got, NULL), ALM_OK);
        assert_same(&written[i], &got);
    }
    assert_int_equal(alm_reader_left(&frame), 0);
    alm_buf_deinit(&out);
}

// The bytes of docs/WIRE.md.
static void layout_is_the_documented_one(void **state)
{
    (void)state;
    const alm_record record = {
        .type = ALM_RECORD_REQUEST,
        .flags = 0x80,
        .call_id = 0x1122334455667788,
        .arg = 0xa1a2a3a4,
        .time_ms = 0xb1b2b3b4,
        .metadata = ALM_STR("me"),
        .payload = ALM_STR("pay"),
    };
    const uint8_t want[] = {29,   0,    0,    0,    2,    0x80, 2,    0,    0x88, 0x77,
                            0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0xa4, 0xa3, 0xa2, 0xa1,
                            0xb4, 0xb3, 0xb2, 0xb1, 'm',  'e',  'p',  'a',  'y'};
    alm_buf out;
    alm_buf_init(&out, 0);
    assert_true(alm_record_append(&out, &record));
    assert_int_equal(out.len, sizeof want);
    assert_memory_equal(out.data, want, sizeof want);
    alm_buf_deinit(&out);
}

// Cut anywhere, a record is an error and not a shorter record.
static void every_cut_is_refused(void **state)
{
    (void)state;
    const alm_record record = {
        .type = ALM_RECORD_END, .metadata = ALM_STR("metadata"), .payload = ALM_STR("payload")};
    alm_buf out;
    alm_buf_init(&out, 0);
    assert_true(alm_record_append(&out, &record));
    for (size_t len = 1; len < out.len; len++) {
        alm_reader frame = alm_reader_of(out.data, len);
        alm_record got;
        assert_int_equal(alm_record_next(&frame, &got, NULL), ALM_INVALID_ARGUMENT);
    }
    alm_buf_deinit(&out);
}

typedef struct bad_row {
    const char *name;
    size_t at; // the byte changed in a record of 24 + 4 + 4 bytes
    uint8_t value;
    const char *says;
} bad_row;

static const bad_row bad_rows[] = {
    {"length below the header", 0, 23, "a record of 23 bytes"},
    {"length below header and metadata", 0, 27, "a record of 27 bytes"},
    {"length past the frame", 0, 33, "32 are left"},
    {"huge length", 3, 0xff, "32 are left"},
    {"type zero", 4, 0, "type 0"},
    {"type past the last", 4, ALM_RECORD_TYPE_LAST + 1, "type 13"},
    {"metadata past the record", 7, 1, "260 of metadata"},
};

static void malformed_record_is_refused(void **state)
{
    const bad_row *row = *state;
    const alm_record record = {
        .type = ALM_RECORD_PING, .metadata = ALM_STR("meta"), .payload = ALM_STR("load")};
    alm_buf out;
    alm_buf_init(&out, 0);
    assert_true(alm_record_append(&out, &record));
    out.data[row->at] = row->value;
    alm_reader frame = alm_reader_of(out.data, out.len);
    alm_record got;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_record_next(&frame, &got, &st), ALM_INVALID_ARGUMENT);
    if (strstr(st.message, row->says) == NULL) {
        fail_msg("'%s' does not say '%s'", st.message, row->says);
    }
    alm_buf_deinit(&out);
}

// Splitting a run of records by alm_record_batch_len gives whole records, frames within the bound
// unless one record passes it, and never a frame that the next record would still have fitted in.
static void batches_are_whole_and_full(void **state)
{
    (void)state;
    static char bytes[200000];
    uint32_t random = SEED;
    alm_buf out;
    alm_buf_init(&out, 0);
    for (size_t i = 0; i < 3000; i++) {
        bool is_large = next_random(&random) % 400 == 0;
        size_t len = next_random(&random) % (is_large ? sizeof bytes : i < 500 ? 5000 : 200);
        alm_record record = {.type = ALM_RECORD_MESSAGE, .payload = {.data = bytes, .len = len}};
        assert_true(alm_record_append(&out, &record));
    }
    alm_str rest = alm_buf_view(&out);
    size_t record_count = 0, full_count = 0;
    while (rest.len > 0) {
        size_t batch_count = 0;
        size_t len = alm_record_batch_len(rest, &batch_count);
        alm_reader frame = alm_reader_of(rest.data, len);
        size_t count = 0;
        for (; alm_reader_left(&frame) > 0; count++) {
            alm_record got;
            assert_int_equal(alm_record_next(&frame, &got, NULL), ALM_OK);
        }
        assert_int_equal(count, batch_count);
        assert_true(count == 1 || len <= ALM_RECORD_BATCH_BYTES);
        assert_true(count <= ALM_RECORD_BATCH_COUNT);
        full_count += count == ALM_RECORD_BATCH_COUNT ? 1 : 0;
        record_count += count;
        rest = alm_str_slice(rest, len, rest.len);
        if (rest.len > 0) {
            alm_record after;
            alm_reader ahead = alm_reader_of(rest.data, rest.len);
            assert_int_equal(alm_record_next(&ahead, &after, NULL), ALM_OK);
            assert_true(len + alm_record_size(&after) > ALM_RECORD_BATCH_BYTES ||
                        count == ALM_RECORD_BATCH_COUNT);
        }
    }
    assert_int_equal(record_count, 3000);
    assert_true(full_count > 0);
    alm_buf_deinit(&out);
}

static void a_full_buffer_takes_nothing_of_a_record(void **state)
{
    (void)state;
    alm_buf out;
    alm_buf_init(&out, 60);
    const alm_record small = {.type = ALM_RECORD_PING};
    const alm_record large = {.type = ALM_RECORD_END, .payload = ALM_STR("fourteen bytes")};
    assert_true(alm_record_append(&out, &small));
    assert_false(alm_record_append(&out, &large));
    assert_int_equal(out.len, ALM_RECORD_HEADER_BYTES);
    assert_true(alm_record_append(&out, &small));
    assert_int_equal(out.len, 2 * ALM_RECORD_HEADER_BYTES);
    alm_buf_deinit(&out);
}

static void metadata_is_found_by_key(void **state)
{
    (void)state;
    alm_buf out;
    alm_str value;
    alm_buf_init(&out, ALM_RPC_METADATA_BYTES_MAX);
    assert_true(alm_metadata_append(&out, ALM_STR("request-id"), ALM_STR("r1")));
    assert_true(alm_metadata_append(&out, ALM_STR("empty"), ALM_STR("")));
    assert_true(alm_metadata_append(&out, ALM_STR("field"), ALM_STR("地区")));
    assert_true(alm_metadata_find(alm_buf_view(&out), ALM_STR("field"), &value));
    assert_true(alm_str_eq(value, ALM_STR("地区")));
    assert_true(alm_metadata_find(alm_buf_view(&out), ALM_STR("empty"), &value));
    assert_int_equal(value.len, 0);
    assert_false(alm_metadata_find(alm_buf_view(&out), ALM_STR("fiel"), &value));
    assert_false(alm_metadata_find((alm_str){0}, ALM_STR("field"), &value));
    for (size_t len = 1; len < out.len; len++) { // cut metadata never yields what was cut
        alm_str cut = alm_str_slice(alm_buf_view(&out), 0, len);
        assert_false(alm_metadata_find(cut, ALM_STR("field"), &value));
    }
    alm_str rest = alm_buf_view(&out), key;
    assert_true(alm_metadata_next(&rest, &key, &value));
    assert_true(alm_str_eq(key, ALM_STR("request-id")) && alm_str_eq(value, ALM_STR("r1")));
    assert_true(alm_metadata_next(&rest, &key, &value));
    assert_true(alm_metadata_next(&rest, &key, &value));
    assert_true(alm_str_eq(key, ALM_STR("field")) && alm_str_eq(value, ALM_STR("地区")));
    assert_false(alm_metadata_next(&rest, &key, &value));
    assert_int_equal(rest.len, 0);
    rest = ALM_STR("\0\0\0"); // an entry without a key
    assert_false(alm_metadata_next(&rest, &key, &value));
    assert_int_equal(rest.len, 3);
    alm_buf_deinit(&out);
}

static void metadata_has_a_limit(void **state)
{
    (void)state;
    static char long_value[ALM_RPC_METADATA_BYTES_MAX];
    alm_buf out;
    alm_buf_init(&out, 0);
    alm_str value = {.data = long_value, .len = sizeof long_value - 4};
    assert_false(alm_metadata_append(&out, ALM_STR("kk"), value));
    assert_int_equal(out.len, 0);
    value.len--;
    assert_true(alm_metadata_append(&out, ALM_STR("kk"), value));
    assert_false(alm_metadata_append(&out, ALM_STR("k"), ALM_STR("")));
    alm_buf_deinit(&out);
}

int main(void)
{
    struct CMUnitTest tests[7 + ALM_ARRAY_LEN(bad_rows)] = {
        cmocka_unit_test(records_come_back_as_written),
        cmocka_unit_test(layout_is_the_documented_one),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(batches_are_whole_and_full),
        cmocka_unit_test(a_full_buffer_takes_nothing_of_a_record),
        cmocka_unit_test(metadata_is_found_by_key),
        cmocka_unit_test(metadata_has_a_limit),
    };
    for (size_t i = 0; i < ALM_ARRAY_LEN(bad_rows); i++) {
        tests[7 + i] = (struct CMUnitTest){
            .name = bad_rows[i].name,
            .test_func = malformed_record_is_refused,
            .initial_state = (void *)(uintptr_t)&bad_rows[i],
        };
    }
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
