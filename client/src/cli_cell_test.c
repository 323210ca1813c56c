// Text in a terminal: widths, what is kept out, shortening, bars.
#include "cli_cell.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static alm_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = alm_arena_create(0);
    return arena != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    alm_arena_destroy(&arena);
    return 0;
}

static void measures_width(void **state)
{
    (void)state;
    assert_int_equal(cli_width(ALM_STR("")), 0);
    assert_int_equal(cli_width(ALM_STR("gdp")), 3);
    assert_int_equal(cli_width(ALM_STR("地区生产总值")), 12);
    assert_int_equal(cli_width(ALM_STR("e\xcc\x81")), 1); // a combining accent
    assert_int_equal(cli_width(ALM_STR("m²")), 2);
}

static void cleans(void **state)
{
    (void)state;
    assert_string_equal(cli_clean(arena, ALM_STR("长宁区")), "长宁区");
    assert_string_equal(cli_clean(arena, ALM_STR("a\nb\tc\r")), "a b c ");
    assert_string_equal(cli_clean(arena, ALM_STR("\033[31mred\x07")), "?[31mred?");
    assert_string_equal(cli_clean(arena, ALM_STR("\xc2\x9b"
                                                 "2J")),
                        "?2J"); // C1 control
    assert_string_equal(cli_clean(arena, ALM_STR("\xe2\x80\xae"
                                                 "txt")),
                        "?txt"); // turns direction
    assert_string_equal(cli_clean(arena, ALM_STR("caf\xe9!")), "caf?!");
}

static void shortens(void **state)
{
    (void)state;
    assert_string_equal(cli_shorten(arena, "gdp", 3), "gdp");
    assert_string_equal(cli_shorten(arena, "growth", 4), "gro…");
    assert_string_equal(cli_shorten(arena, "地区生产总值", 6), "地区…");
    assert_string_equal(cli_shorten(arena, "地区生产总值", 5), "地区…");
    assert_string_equal(cli_shorten(arena, "地区", 1), "…");
    assert_string_equal(cli_shorten(arena, "地区", 4), "地区");
}

static void draws_bars(void **state)
{
    (void)state;
    const double rising[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const double gap[] = {1, (double)NAN, 3};
    const double flat[] = {5, 5, 5};
    assert_string_equal(cli_spark(arena, rising, 8), "▁▂▃▄▅▆▇█");
    assert_string_equal(cli_spark(arena, gap, 3), "▁ █");
    assert_string_equal(cli_spark(arena, flat, 3), "▅▅▅");
    assert_string_equal(cli_spark(arena, flat, 0), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_width),
        cmocka_unit_test(cleans),
        cmocka_unit_test(shortens),
        cmocka_unit_test(draws_bars),
    };
    return cmocka_run_group_tests_name("cli_cell", tests, set_up, tear_down);
}
