// A list of cmocka tests that rows of a table are added to, so that each row reports under its own
// name. Include after cmocka.h.
#ifndef ALM_MODEL_TEST_ROWS_H
#define ALM_MODEL_TEST_ROWS_H

#include "alm/assert.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TEST_LIST_MAX 400

typedef struct test_list {
    struct CMUnitTest tests[TEST_LIST_MAX];
    char names[TEST_LIST_MAX][120];
    size_t count;
} test_list;

// row is what the test finds in *state; NULL for a test without rows.
static inline void test_list_add(test_list *list, const char *test_name, const char *row_name,
                                 CMUnitTestFunction test, const void *row)
{
    ALM_ASSERT(list->count < TEST_LIST_MAX);
    char *name = list->names[list->count];
    snprintf(name, sizeof list->names[0], "%s%s%s", test_name, row_name[0] != '\0' ? ": " : "",
             row_name);
    list->tests[list->count++] = (struct CMUnitTest){
        .name = name, .test_func = test, .initial_state = (void *)(uintptr_t)row};
}

#define TEST_ADD(list, test) test_list_add(list, #test, "", test, NULL)

// field names the row.
#define TEST_ADD_ROWS(list, test, rows, field)                                                     \
    for (size_t row_ = 0; row_ < ALM_ARRAY_LEN(rows); row_++) {                                    \
        test_list_add(list, #test, (rows)[row_].field, test, &(rows)[row_]);                       \
    }

#define TEST_RUN(list, name) _cmocka_run_group_tests(name, (list)->tests, (list)->count, NULL, NULL)

#endif
