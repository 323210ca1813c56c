// The progress line: its text, how often it is drawn, and that it leaves nothing behind.
#include "cli_progress.h"

#include "capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void says_how_far_it_is(void **state)
{
    (void)state;
    char text[CLI_PROGRESS_TEXT_MAX];
    almanac_progress now = {.bytes_done = 25000000, .bytes_total = 100000000, .rows_done = 350000};
    cli_progress_text("a.csv", &now, 10000, text);
    assert_string_equal(text, "a.csv [######..................]  25%  25.0 MB  35000 rows/s  "
                              "0:30 left");
    cli_progress_text("empty", &(almanac_progress){0}, 0, text);
    assert_string_equal(text, "empty [########################] 100%  0.0 MB  0 rows/s  0:00 left");
}

static void draws_ten_times_a_second_at_most(void **state)
{
    (void)state;
    int64_t now_us = 0;
    capture out;
    capture_open(&out);
    cli_progress progress;
    almanac_progress half = {.bytes_done = 1, .bytes_total = 2, .rows_done = 1};
    cli_progress_start(&progress, out.stream, alm_clock_fake(&now_us), "a.csv");
    for (int i = 0; i < 200; i++) { // 200 pieces, 5 ms each: one second
        now_us += 5000;
        cli_progress_show(&progress, &half);
    }
    cli_progress_clear(&progress);
    const char *got = capture_close(&out);
    int drawn = 0;
    for (const char *c = got; (c = strstr(c, "a.csv")) != NULL; c++) {
        drawn++;
    }
    assert_int_equal(drawn, 10);
    assert_string_equal(got + strlen(got) - strlen("\r\033[K"), "\r\033[K");
    capture_free(&out);
}

static void is_silent_without_a_terminal(void **state)
{
    (void)state;
    cli_progress progress;
    cli_progress_start(&progress, NULL, alm_clock_system(), "a.csv");
    cli_progress_show(&progress, &(almanac_progress){.bytes_total = 1});
    cli_progress_clear(&progress);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_how_far_it_is),
        cmocka_unit_test(draws_ten_times_a_second_at_most),
        cmocka_unit_test(is_silent_without_a_terminal),
    };
    return cmocka_run_group_tests_name("cli_progress", tests, NULL, NULL);
}
