// Goal: the distance of two words is the least number of edits.
// Method: examples, both ways round, since the distance has no direction.
#include "alm/distance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef struct distance_row {
    const char *name, *a, *b;
    size_t want;
} distance_row;

static const distance_row distance_rows[] = {
    {"the same word", "same", "same", 0},
    {"both empty", "", "", 0},
    {"all put in", "", "abc", 3},
    {"one put in", "port", "ports", 1},
    {"one replaced", "port", "pert", 1},
    {"two that changed places are two", "qurey", "query", 2},
    {"replaced and taken out", "kitten", "sitting", 3},
    {"nothing in common", "abcd", "wxyz", 4},
    {"the longest word", "0123456789012345678901234567890123456789abcdefgh", "", 48},
    {"a longer one", "0123456789012345678901234567890123456789abcdefghi", "", SIZE_MAX},
};

static void measures(void **state)
{
    const distance_row *row = *state;
    assert_int_equal(alm_edit_distance(alm_str_from(row->a), alm_str_from(row->b)), row->want);
    assert_int_equal(alm_edit_distance(alm_str_from(row->b), alm_str_from(row->a)), row->want);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(distance_rows)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(distance_rows); i++) {
        tests[i] = (struct CMUnitTest){.name = distance_rows[i].name,
                                       .test_func = measures,
                                       .initial_state = (void *)(uintptr_t)&distance_rows[i]};
    }
    return cmocka_run_group_tests_name("distance", tests, NULL, NULL);
}
