// Clocks: the fake one moves only when told, the system's agree with libc, and a timestamp is
// right over the whole range of an int64.
#include "alm/clock.h"

#include "alm/assert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define DAY_US (INT64_C(86400) * 1000000)

static void a_fake_clock_moves_when_told(void **state)
{
    (void)state;
    int64_t now_us = 5999;
    alm_clock clock = alm_clock_fake(&now_us);
    assert_int_equal(clock.mono_us(clock.self), 5999);
    assert_int_equal(clock.wall_us(clock.self), 5999);
    assert_int_equal(alm_clock_mono_ms(&clock), 5);
    now_us = 7000;
    assert_int_equal(alm_clock_mono_ms(&clock), 7);
}

static void the_system_clock_agrees_with_libc(void **state)
{
    (void)state;
    alm_clock clock = alm_clock_system();
    int64_t before = (int64_t)time(NULL) - 1;
    int64_t wall_us = clock.wall_us(clock.self);
    int64_t after = (int64_t)time(NULL) + 1;
    assert_true(wall_us / 1000000 >= before && wall_us / 1000000 <= after);
    int64_t first = clock.mono_us(clock.self);
    for (int i = 0; i < 1000; i++) {
        int64_t next = clock.mono_us(clock.self);
        assert_true(next >= first);
        first = next;
    }
}

static void today_rounds_down(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        int32_t day;
    } rows[] = {{0, 0},
                {DAY_US - 1, 0},
                {DAY_US, 1},
                {-1, -1},
                {-DAY_US, -1},
                {-DAY_US - 1, -2},
                {20781 * DAY_US + 5, 20781}};
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        int64_t now_us = rows[i].us;
        alm_clock clock = alm_clock_fake(&now_us);
        assert_int_equal(alm_clock_today(&clock), rows[i].day);
        now_us -= 8 * (DAY_US / 24);
        assert_int_equal(alm_clock_today_in_china(&clock), rows[i].day);
    }
}

typedef struct stamp_row {
    int64_t us;
    const char *name; // the wanted text
} stamp_row;

static const stamp_row stamp_rows[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {INT64_C(1795502400123999), "2026-11-24T06:40:00.123Z"},
    {-1, "1969-12-31T23:59:59.999Z"},
    {INT64_C(951782400) * 1000000, "2000-02-29T00:00:00.000Z"},
    {INT64_C(253402300799999999), "9999-12-31T23:59:59.999Z"},
    {INT64_C(-62135596800000000), "0001-01-01T00:00:00.000Z"},
    {INT64_MAX, "294247-01-10T04:00:54.775Z"},
    {INT64_MIN, "-290308-12-21T19:59:05.224Z"},
};

static void formats_a_timestamp(void **state)
{
    const stamp_row *row = *state;
    char text[ALM_TIMESTAMP_MAX];
    alm_clock_format_rfc3339(row->us, text);
    assert_string_equal(text, row->name);
}

int main(void)
{
    struct CMUnitTest tests[32] = {
        cmocka_unit_test(a_fake_clock_moves_when_told),
        cmocka_unit_test(the_system_clock_agrees_with_libc),
        cmocka_unit_test(today_rounds_down),
    };
    size_t count = 3;
    for (size_t i = 0; i < ALM_ARRAY_LEN(stamp_rows); i++) {
        tests[count++] = (struct CMUnitTest){.name = stamp_rows[i].name,
                                             .test_func = formats_a_timestamp,
                                             .initial_state = (void *)(uintptr_t)&stamp_rows[i]};
    }
    return _cmocka_run_group_tests("clock", tests, count, NULL, NULL);
}
