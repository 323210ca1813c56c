// The buffer and its reader: what was written reads back, both fail for good at their end, and a
// malformed varint is refused.
#include "alm/buf.h"

#include "alm/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static uint64_t random_u64(unsigned *random)
{
    uint64_t v = 0;
    for (int i = 0; i < 5; i++) {
        v = v << 15 ^ (uint64_t)rand_r(random);
    }
    return v >> rand_r(random) % 64; // every length of varint
}

static void appends_and_resets(void **state)
{
    (void)state;
    alm_buf buf;
    alm_buf_init(&buf, 0);
    assert_int_equal(alm_buf_view(&buf).len, 0);
    alm_buf_append(&buf, NULL, 0);
    alm_buf_append(&buf, "ab", 2);
    alm_buf_str(&buf, ALM_STR("cd"));
    alm_buf_str(&buf, alm_str_from(NULL));
    alm_buf_char(&buf, 'e');
    alm_buf_printf(&buf, "%d-%s", 5, "x");
    assert_true(alm_str_eq(alm_buf_view(&buf), ALM_STR("abcde5-x")));
    assert_false(buf.failed);
    alm_buf_reset(&buf);
    assert_int_equal(buf.len, 0);
    assert_true(buf.cap > 0);
    alm_buf_deinit(&buf);
    assert_null(buf.data);
    alm_buf_deinit(&buf);
}

static void reserves_room(void **state)
{
    (void)state;
    alm_buf buf;
    alm_buf_init(&buf, 1000);
    assert_non_null(alm_buf_reserve(&buf, 0));
    uint8_t *room = alm_buf_reserve(&buf, 1000);
    memset(room, 'x', 1000);
    buf.len += 1000;
    assert_non_null(alm_buf_reserve(&buf, 0));
    assert_null(alm_buf_reserve(&buf, 1));
    assert_true(buf.failed);
    assert_null(alm_buf_reserve(&buf, 0));
    assert_int_equal(buf.len, 1000);
    alm_buf_deinit(&buf);
}

// For every limit near a text's length: all of it or a failure, and a failure stays.
static void fails_at_its_limit_for_good(void **state)
{
    (void)state;
    for (size_t max = 1; max < 200; max++) {
        for (size_t len = 1; len < 200; len++) {
            char text[201] = "";
            memset(text, 'y', len);
            alm_buf bufs[2];
            for (size_t i = 0; i < 2; i++) {
                alm_buf *buf = &bufs[i];
                alm_buf_init(buf, max);
                alm_buf_char(buf, 'a');
                if (i == 0) {
                    alm_buf_append(buf, text, len);
                } else {
                    alm_buf_printf(buf, "%s", text);
                }
                assert_int_equal(buf->failed, 1 + len > max);
                assert_int_equal(buf->len, buf->failed ? 1 : 1 + len);
                assert_true(buf->cap <= max);
                alm_buf_reset(buf);
                alm_buf_append(buf, text, max + 1);
                alm_buf_char(buf, 'b');
                alm_buf_printf(buf, "c");
                assert_true(buf->failed);
                assert_int_equal(buf->len, 0);
                alm_buf_deinit(buf);
            }
        }
    }
}

static void refuses_absurd_sizes(void **state)
{
    (void)state;
    alm_buf buf;
    alm_buf_init(&buf, SIZE_MAX);
    alm_buf_char(&buf, 'a');
    assert_null(alm_buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
    assert_int_equal(buf.len, 1);
    alm_buf_deinit(&buf);
}

static void writes_little_endian(void **state)
{
    (void)state;
    alm_buf buf;
    alm_buf_init(&buf, 0);
    alm_buf_u8(&buf, 0x01);
    alm_buf_u16(&buf, 0x0203);
    alm_buf_u32(&buf, 0x04050607);
    alm_buf_u64(&buf, UINT64_C(0x08090a0b0c0d0e0f));
    alm_buf_varint(&buf, 300);
    alm_buf_svarint(&buf, -1);
    alm_buf_svarint(&buf, 1);
    static const uint8_t want[] = {0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0f, 0x0e, 0x0d,
                                   0x0c, 0x0b, 0x0a, 0x09, 0x08, 0xac, 0x02, 0x01, 0x02};
    assert_int_equal(buf.len, sizeof want);
    assert_memory_equal(buf.data, want, sizeof want);
    alm_buf_deinit(&buf);
}

static void svarints_keep_small_numbers_short(void **state)
{
    (void)state;
    static const struct {
        int64_t v;
        size_t len;
    } rows[] = {{0, 1},         {-1, 1},         {63, 1},        {-64, 1},
                {64, 2},        {-65, 2},        {8191, 2},      {INT32_MAX, 5},
                {INT32_MIN, 5}, {INT64_MAX, 10}, {INT64_MIN, 10}};
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        alm_buf buf;
        alm_buf_init(&buf, 0);
        alm_buf_svarint(&buf, rows[i].v);
        assert_int_equal(buf.len, rows[i].len);
        alm_reader r = alm_reader_of(buf.data, buf.len);
        assert_true(alm_read_svarint(&r) == rows[i].v);
        alm_buf_deinit(&buf);
    }
}

// Writes value by its kind, and below reads one of that kind.
static void write_kind(alm_buf *buf, unsigned kind, uint64_t v)
{
    switch (kind) {
    case 0:
        alm_buf_u8(buf, (uint8_t)v);
        break;
    case 1:
        alm_buf_u16(buf, (uint16_t)v);
        break;
    case 2:
        alm_buf_u32(buf, (uint32_t)v);
        break;
    case 3:
        alm_buf_u64(buf, v);
        break;
    case 4:
        alm_buf_varint(buf, v);
        break;
    default:
        alm_buf_svarint(buf, (int64_t)v);
        break;
    }
}

static uint64_t read_kind(alm_reader *r, unsigned kind)
{
    switch (kind) {
    case 0:
        return alm_read_u8(r);
    case 1:
        return alm_read_u16(r);
    case 2:
        return alm_read_u32(r);
    case 3:
        return alm_read_u64(r);
    case 4:
        return alm_read_varint(r);
    default:
        return (uint64_t)alm_read_svarint(r);
    }
}

#define VALUES 200
#define KINDS  6
static const uint64_t kind_masks[KINDS] = {UINT8_MAX,  UINT16_MAX, UINT32_MAX,
                                           UINT64_MAX, UINT64_MAX, UINT64_MAX};

// What was written reads back; cut anywhere, all before the cut reads back and then it fails.
static void reads_back_what_was_written(void **state)
{
    (void)state;
    const unsigned seed = 42;
    unsigned random = seed;
    for (int round = 0; round < 30; round++) {
        alm_buf buf;
        alm_buf_init(&buf, 0);
        unsigned kinds[VALUES];
        uint64_t values[VALUES];
        size_t ends[VALUES];
        for (size_t i = 0; i < VALUES; i++) {
            kinds[i] = (unsigned)rand_r(&random) % KINDS;
            values[i] = random_u64(&random) & kind_masks[kinds[i]];
            write_kind(&buf, kinds[i], values[i]);
            ends[i] = buf.len;
        }
        for (size_t len = 0; len <= buf.len; len += 1 + (size_t)rand_r(&random) % 7) {
            alm_reader r = alm_reader_of(buf.data, len);
            for (size_t i = 0; i < VALUES; i++) {
                bool is_there = ends[i] <= len;
                uint64_t want = is_there ? values[i] : 0;
                if (read_kind(&r, kinds[i]) != want || r.failed == is_there) {
                    fail_msg("seed %u, round %d, length %zu, value %zu", seed, round, len, i);
                }
            }
        }
        alm_buf_deinit(&buf);
    }
}

typedef struct varint_row {
    const char *name;
    const char *bytes;
    size_t len;
    bool ok;
    uint64_t want;
} varint_row;

static const varint_row varint_rows[] = {
    {"varint: one byte", "\x7f", 1, true, 127},
    {"varint: two bytes", "\x80\x01", 2, true, 128},
    {"varint: greatest", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, true, UINT64_MAX},
    {"varint: longer than needed", "\x81\x80\x00", 3, true, 1},
    {"varint: bit 64", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, false, 0},
    {"varint: eleven bytes", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, false, 0},
    {"varint: tenth goes on", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x81\x00", 11, false, 0},
    {"varint: unfinished", "\x80\x80", 2, false, 0},
    {"varint: nothing", "", 0, false, 0},
};

static void reads_a_varint(void **state)
{
    const varint_row *row = *state;
    alm_reader r = alm_reader_of(row->bytes, row->len);
    assert_true(alm_read_varint(&r) == row->want);
    assert_int_equal(r.failed, !row->ok);
    assert_int_equal(alm_reader_left(&r), 0);
}

static void a_reader_fails_for_good(void **state)
{
    (void)state;
    alm_reader r = alm_reader_of("abcdef", 6);
    assert_true(alm_str_eq(alm_read_bytes(&r, 2), ALM_STR("ab")));
    assert_int_equal(alm_reader_left(&r), 4);
    assert_int_equal(alm_read_bytes(&r, SIZE_MAX).len, 0);
    assert_true(r.failed);
    assert_int_equal(alm_reader_left(&r), 0);
    assert_int_equal(alm_read_u8(&r), 0);
    assert_int_equal(alm_read_varint(&r), 0);
    assert_int_equal(alm_read_bytes(&r, 1).len, 0);

    alm_reader empty = alm_reader_of(NULL, 0);
    assert_int_equal(alm_read_bytes(&empty, 0).len, 0);
    assert_false(empty.failed);
    assert_int_equal(alm_read_u64(&empty), 0);
    assert_true(empty.failed);
}

static void survives_any_allocation_failure(void **state)
{
    (void)state;
    uint64_t n = 1;
    for (bool passed = false; !passed; n++) {
        alm_buf buf;
        alm_buf_init(&buf, 0);
        (void)alm_alloc_fail_at(n, 1);
        size_t good = 0;
        for (int i = 0; i < 3000; i++) {
            alm_buf_printf(&buf, "%d,", i % 10);
            good += buf.failed ? 0 : 2;
        }
        (void)alm_alloc_fail_at(0, 0);
        passed = !buf.failed;
        assert_int_equal(buf.len, good);
        for (size_t i = 0; i < buf.len; i += 2) {
            assert_int_equal(buf.data[i], '0' + (int)(i / 2 % 10));
        }
        alm_buf_reset(&buf);
        alm_buf_char(&buf, 'x');
        assert_false(buf.failed);
        alm_buf_deinit(&buf);
    }
    assert_true(n > 4);
}

int main(void)
{
    struct CMUnitTest tests[64] = {
        cmocka_unit_test(appends_and_resets),
        cmocka_unit_test(reserves_room),
        cmocka_unit_test(fails_at_its_limit_for_good),
        cmocka_unit_test(refuses_absurd_sizes),
        cmocka_unit_test(writes_little_endian),
        cmocka_unit_test(svarints_keep_small_numbers_short),
        cmocka_unit_test(reads_back_what_was_written),
        cmocka_unit_test(a_reader_fails_for_good),
        cmocka_unit_test(survives_any_allocation_failure),
    };
    size_t count = 9;
    for (size_t i = 0; i < ALM_ARRAY_LEN(varint_rows); i++) {
        tests[count++] = (struct CMUnitTest){.name = varint_rows[i].name,
                                             .test_func = reads_a_varint,
                                             .initial_state = (void *)(uintptr_t)&varint_rows[i]};
    }
    return _cmocka_run_group_tests("buf", tests, count, NULL, NULL);
}
