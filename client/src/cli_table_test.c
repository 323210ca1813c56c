// Tables: alignment of wide text, columns without content, sections, terminals that are too narrow.
#include "cli_table.h"

#include "capture.h"
#include "cli_cell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const cli_column columns[] = {
    {.title = "Place"},  {.title = "Value", .right = true},  {.title = "Unit", .close = true},
    {.title = "Status"}, {.title = "Note", .shrinks = true},
};

static cli_table *example(alm_arena *arena)
{
    cli_table *table = cli_table_create(arena, columns, ALM_ARRAY_LEN(columns));
    static const char *const cells[][5] = {
        {"长宁区", "2,286.2", "亿元", "", "revised later"},
        {"Xu", "7", "亿元", "", ""},
    };
    cli_table_section(table, "economy");
    for (size_t i = 0; i < ALM_ARRAY_LEN(cells); i++) {
        for (size_t j = 0; j < 5; j++) {
            cli_table_cell(table, cells[i][j]);
        }
    }
    return table;
}

static void print(size_t width, bool color, const char *want)
{
    alm_arena *arena = alm_arena_create(0);
    capture out;
    capture_open(&out);
    assert_true(cli_table_print(example(arena), out.stream, width, color));
    const char *got = capture_close(&out);
    assert_string_equal(got, want);
    capture_free(&out);
    alm_arena_destroy(&arena);
}

static void aligns(void **state)
{
    (void)state;
    print(0, false,
          "Place     Value Unit  Note\n"
          "economy\n"
          "长宁区  2,286.2 亿元  revised later\n"
          "Xu            7 亿元\n");
}

// A note takes no part in the widths.
static void notes_stand_beneath(void **state)
{
    (void)state;
    alm_arena *arena = alm_arena_create(0);
    cli_table *table = example(arena);
    capture out;
    cli_table_note(table, "a long note,\tof one line");
    capture_open(&out);
    assert_true(cli_table_print(table, out.stream, 20, false));
    const char *got = capture_close(&out);
    assert_non_null(strstr(got, "\n    a long note, of one line\n"));
    capture_free(&out);
    alm_arena_destroy(&arena);
}

static void shortens_what_may_shrink(void **state)
{
    (void)state;
    print(30, false,
          "Place     Value Unit  Note\n"
          "economy\n"
          "长宁区  2,286.2 亿元  revised…\n"
          "Xu            7 亿元\n");
}

static void sets_titles_in_bold(void **state)
{
    (void)state;
    print(0, true,
          "\033[1mPlace     Value Unit  Note\n\033[0m"
          "\033[1meconomy\033[0m\n"
          "长宁区  2,286.2 亿元  revised later\n"
          "Xu            7 亿元\n");
}

static void reports_a_full_arena(void **state)
{
    (void)state;
    alm_arena *arena = alm_arena_create(8192);
    cli_table *table = cli_table_create(arena, columns, ALM_ARRAY_LEN(columns));
    for (int i = 0; i < 10000; i++) {
        cli_table_cell(table, "text that fills the arena");
    }
    assert_false(cli_table_print(table, stderr, 0, false));
    assert_false(cli_table_print(NULL, stderr, 0, false));
    alm_arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligns),
        cmocka_unit_test(notes_stand_beneath),
        cmocka_unit_test(shortens_what_may_shrink),
        cmocka_unit_test(sets_titles_in_bold),
        cmocka_unit_test(reports_a_full_arena),
    };
    return cmocka_run_group_tests_name("cli_table", tests, NULL, NULL);
}
