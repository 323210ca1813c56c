#include "outbox.h"

#include "alm/alloc.h"
#include "rpc_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define PAYLOAD_BYTES_MAX 200000
static char payload[PAYLOAD_BYTES_MAX];

static void put(alm_outbox *outbox, size_t len)
{
    alm_record record = {.type = ALM_RECORD_MESSAGE, .arg = (uint32_t)len};
    uint8_t *at = alm_outbox_begin(outbox, &record, len);
    assert_non_null(at);
    memcpy(at, payload, len);
}

// Against the slow way: all frames, and how many records are in each.
static void expect_frames(alm_outbox *outbox, const size_t *counts, size_t frame_count)
{
    for (size_t i = 0; i < frame_count; i++) {
        assert_false(alm_outbox_is_empty(outbox));
        size_t count = 0, seen = 0;
        alm_str frame = alm_outbox_frame(outbox, &count);
        alm_reader reader = alm_reader_of(frame.data, frame.len);
        for (; alm_reader_left(&reader) > 0; seen++) {
            alm_record record;
            assert_int_equal(alm_record_next(&reader, &record, NULL), ALM_OK);
            assert_int_equal(record.payload.len, record.arg);
        }
        assert_int_equal(count, counts[i]);
        assert_int_equal(seen, count);
        alm_outbox_sent(outbox, frame, count);
    }
    assert_true(alm_outbox_is_empty(outbox));
    assert_int_equal(outbox->count, 0);
}

// One frame holds so many records and so many bytes; one more makes another, and a record that is
// larger by itself has one of its own.
static void a_frame_ends_at_its_limits(void **state)
{
    (void)state;
    const size_t half = ALM_RECORD_BATCH_BYTES / 2 - ALM_RECORD_HEADER_BYTES;
    alm_outbox outbox;
    alm_outbox_init(&outbox);
    assert_true(alm_outbox_is_empty(&outbox));
    for (size_t i = 0; i < ALM_RECORD_BATCH_COUNT; i++) {
        put(&outbox, i % 3);
    }
    expect_frames(&outbox, (const size_t[]){ALM_RECORD_BATCH_COUNT}, 1);
    for (size_t i = 0; i < ALM_RECORD_BATCH_COUNT + 1; i++) {
        put(&outbox, 3);
    }
    expect_frames(&outbox, (const size_t[]){ALM_RECORD_BATCH_COUNT, 1}, 2);
    put(&outbox, half);
    put(&outbox, half);
    expect_frames(&outbox, (const size_t[]){2}, 1);
    put(&outbox, half);
    put(&outbox, half + 1);
    expect_frames(&outbox, (const size_t[]){1, 1}, 2);
    put(&outbox, 1);
    put(&outbox, PAYLOAD_BYTES_MAX);
    put(&outbox, 1);
    expect_frames(&outbox, (const size_t[]){1, 1, 1}, 3);
    alm_outbox_deinit(&outbox);
}

// What comes while a part is sent, and what is begun without memory, is counted as it is.
static void the_count_is_of_what_is_left(void **state)
{
    (void)state;
    uint64_t random = 11;
    size_t put_count = 0, sent_count = 0;
    alm_outbox outbox;
    alm_outbox_init(&outbox);
    for (int step = 0; step < 5000; step++) {
        random = alm_mix64(random + 1);
        if (random % 4 != 0) {
            put(&outbox, (random >> 8) % (random % 50 == 1 ? PAYLOAD_BYTES_MAX : 300));
            put_count++;
        } else if (!alm_outbox_is_empty(&outbox)) {
            size_t count = 0;
            alm_str frame = alm_outbox_frame(&outbox, &count);
            alm_outbox_sent(&outbox, frame, count);
            sent_count += count;
        }
        assert_int_equal(outbox.count, put_count - sent_count);
        if (alm_outbox_is_empty(&outbox)) {
            alm_outbox_reset(&outbox);
        }
    }
    alm_outbox_reset(&outbox);
    assert_true(alm_outbox_is_empty(&outbox) && outbox.count == 0);
    alm_outbox_deinit(&outbox);
    const alm_record record = {.type = ALM_RECORD_PING};
    (void)alm_alloc_fail_at(1, 0);
    assert_null(alm_outbox_begin(&outbox, &record, 1));
    (void)alm_alloc_fail_at(0, 0);
    assert_int_equal(outbox.count, 0);
    put(&outbox, 1);
    expect_frames(&outbox, (const size_t[]){1}, 1);
    alm_outbox_deinit(&outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_ends_at_its_limits),
        cmocka_unit_test(the_count_is_of_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
