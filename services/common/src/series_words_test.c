// Words that narrow series: what they stand for, and how those that are not known are refused.
#include "alm/series_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

typedef struct words_row {
    const char *name;
    const char *measure, *breakdown, *accumulation, *frequency;
    const char
        *want; // "measure accumulation frequency breakdown" as numbers and text, or "field: "
               // and what the message holds
} words_row;

static const words_row words_rows[] = {
    {"all", "*", "*", "", "", "0 0 0 *"},
    {"totals", "level", "", "", "", "1 0 0 "},
    {"totals by name", "level", "_T", "", "", "1 0 0 "},
    {"pairs in order", "level", " size=large ; industry=x", "P", "Q",
     "1 1 4 industry=x+size=large"},
    {"cumulative by month", "growth_yoy", "a=b", "C", "M", "2 2 5 a=b"},
    {"no measure", "", "", "", "", "measure: unknown measure \"\""},
    {"unknown measure", "lvel", "", "", "", "measure: unknown measure \"lvel\""},
    {"half a breakdown", "*", "industry", "", "", "breakdown: industry"},
    {"a breakdown twice", "*", "a=b+a=c", "", "", "breakdown: a"},
    {"unknown accumulation", "*", "", "X", "", "accumulation: \"X\"; expected P or C"},
    {"unknown frequency", "*", "", "", "Y", "frequency: \"Y\"; expected one of A"},
    {"two frequencies", "*", "", "", "MQ", "frequency: \"MQ\""},
};

static void parses(void **state)
{
    const words_row *row = *state;
    alm_status st = ALM_STATUS_INIT;
    alm_series_words words;
    char got[160];
    alm_arena *arena = alm_arena_create(0);
    alm_code code = alm_series_words_parse(row->measure, row->breakdown, row->accumulation,
                                           row->frequency, arena, &words, &st);
    if (code == ALM_OK) {
        snprintf(got, sizeof got, "%d %d %d %.*s", (int)words.measure, (int)words.accumulation,
                 (int)words.freq, ALM_STR_ARGS(words.breakdown));
        assert_string_equal(got, row->want);
    } else {
        const char *said = strstr(row->want, ": ");
        assert_int_equal(code, ALM_INVALID_ARGUMENT);
        assert_non_null(said);
        assert_int_equal(strlen(st.field), said - row->want);
        assert_memory_equal(st.field, row->want, strlen(st.field));
        if (strstr(st.message, said + 2) == NULL) {
            fail_msg("%s: %s", row->name, st.message);
        }
    }
    alm_arena_destroy(&arena);
}

static void a_full_arena_is_told(void **state)
{
    (void)state;
    alm_series_words words;
    alm_arena *arena = alm_arena_create(1);
    assert_int_equal(alm_series_words_parse("*", "a=b", "", "", arena, &words, NULL),
                     ALM_RESOURCE_EXHAUSTED);
    alm_arena_destroy(&arena);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(words_rows) + 1];
    for (size_t i = 0; i < ALM_ARRAY_LEN(words_rows); i++) {
        tests[i] = (struct CMUnitTest){.name = words_rows[i].name,
                                       .test_func = parses,
                                       .initial_state = (void *)(uintptr_t)&words_rows[i]};
    }
    tests[ALM_ARRAY_LEN(words_rows)] = (struct CMUnitTest)cmocka_unit_test(a_full_arena_is_told);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
