// Records of the store: a head that was written before it told its last day does not know it, and
// what is not known bounds nothing.
#include "read_plan.h"
#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static alm_date as_of(alm_date today, alm_date named, uint64_t last_day)
{
    alm_read read = {.as_of = named, .today = today};
    alm_vintage_filter filter;
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    assert_int_equal(alm_read_filter(&read, 7, last_day, arena, &filter, NULL), ALM_OK);
    alm_arena_destroy(&arena);
    return filter.as_of;
}

static void a_day_bounds_only_what_is_later(void **state)
{
    (void)state;
    assert_int_equal(as_of(20000, ALM_DATE_MAX, 20000), ALM_DATE_MAX);
    assert_int_equal(as_of(20000, ALM_DATE_MAX, 20001), 20000);
    assert_int_equal(as_of(20000, ALM_DATE_MAX, ALM_DAY_UNKNOWN), 20000);
    assert_int_equal(as_of(0, ALM_DATE_MAX, ALM_DAY_UNKNOWN), ALM_DATE_MAX);
    assert_int_equal(as_of(20000, 20005, 30000), 20005);
    assert_int_equal(as_of(-5, ALM_DATE_MAX, 0), -5);
}

static void the_last_day_grows(void **state)
{
    (void)state;
    alm_head head = {0};
    alm_head_take_day(&head, -300);
    assert_int_equal(head.last_day, 0);
    alm_head_take_day(&head, 19000);
    alm_head_take_day(&head, 18000);
    assert_int_equal(head.last_day, 19000);
    head.last_day = ALM_DAY_UNKNOWN;
    alm_head_take_day(&head, 19000);
    assert_true(head.last_day == ALM_DAY_UNKNOWN);
}

static void an_older_head_does_not_know(void **state)
{
    (void)state;
    alm_head head = {.sequence = 3, .observations = 500, .feed_bytes = 70, .last_day = 100};
    alm_head got = {0};
    alm_buf buf;
    alm_buf_init(&buf, 0);
    alm_head_encode(&head, &buf);
    alm_str bytes = alm_buf_view(&buf);
    assert_int_equal(alm_head_decode(bytes, &got, NULL), ALM_OK);
    assert_int_equal(got.last_day, 100);
    bytes.len--; // the last day takes a byte
    assert_int_equal(alm_head_decode(bytes, &got, NULL), ALM_OK);
    assert_int_equal(got.feed_bytes, 70);
    assert_true(got.last_day == ALM_DAY_UNKNOWN);
    bytes.len--;
    assert_int_equal(alm_head_decode(bytes, &got, NULL), ALM_DATA_LOSS);
    alm_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_bounds_only_what_is_later),
        cmocka_unit_test(the_last_day_grows),
        cmocka_unit_test(an_older_head_does_not_know),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
