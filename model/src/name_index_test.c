// The index of names against a plain list, with pops and a heap that fails.
#include "name_index.h"

#include "alm/alloc.h"

#include "test_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define ENTRY_COUNT_MAX 200
#define WORD_COUNT      40

typedef struct twin {
    alm_str words[ENTRY_COUNT_MAX];
    uint32_t numbers[ENTRY_COUNT_MAX];
    size_t count;
} twin;

static void check_word(const name_index *index, const twin *t, alm_str word, bool nocase)
{
    uint32_t at = NAME_INDEX_END;
    uint32_t number;
    for (size_t i = t->count; i-- > 0;) { // the last added first
        if (nocase ? alm_str_eq_nocase(t->words[i], word) : alm_str_eq(t->words[i], word)) {
            assert_true(name_index_next(index, word, nocase, &at, &number));
            assert_int_equal(number, t->numbers[i]);
        }
    }
    assert_false(name_index_next(index, word, nocase, &at, &number));
}

static void answers_as_a_list_does(void **state)
{
    (void)state;
    static char space[WORD_COUNT][8];
    for (unsigned i = 0; i < WORD_COUNT; i++) {
        snprintf(space[i], sizeof space[i], i % 2 == 0 ? "Name%u" : "nAME%u", i / 2);
    }
    test_random r = test_random_start();
    for (int round = 0; round < 200; round++) {
        name_index index = {0};
        twin t = {.count = 0};
        for (uint32_t step = 0; step < ENTRY_COUNT_MAX; step++) {
            if (t.count > 0 && test_random_one_in(&r, 4)) {
                name_index_pop(&index);
                t.count--;
                continue;
            }
            alm_str word = alm_str_from(space[test_random_below(&r, WORD_COUNT)]);
            assert_true(name_index_add(&index, word, step));
            t.words[t.count] = word;
            t.numbers[t.count++] = step;
        }
        for (size_t i = 0; i < WORD_COUNT; i++) {
            check_word(&index, &t, alm_str_from(space[i]), true);
            check_word(&index, &t, alm_str_from(space[i]), false);
        }
        check_word(&index, &t, ALM_STR("nobody"), true);
        name_index_deinit(&index);
    }
}

static void finds_nothing_in_nothing(void **state)
{
    (void)state;
    name_index index = {0};
    uint32_t number;
    assert_false(name_index_find(&index, ALM_STR(""), &number));
    assert_true(name_index_reserve(&index, 3));
    assert_false(name_index_find(&index, ALM_STR("a"), &number));
    name_index_deinit(&index);
    name_index_deinit(&index);
}

static void stays_as_it_was_when_the_heap_is_full(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) { // entries, heads
        name_index index = {0};
        uint32_t number = 0;
        assert_true(name_index_reserve(&index, 1));
        assert_true(name_index_add(&index, ALM_STR("a"), 7));
        alm_alloc_fail_at(n, false);
        assert_false(name_index_add(&index, ALM_STR("b"), 8));
        alm_alloc_fail_at(0, false);
        assert_int_equal(index.entry_count, 1);
        assert_true(name_index_find(&index, ALM_STR("a"), &number));
        assert_int_equal(number, 7);
        assert_true(name_index_add(&index, ALM_STR("b"), 8));
        assert_true(name_index_find(&index, ALM_STR("b"), &number));
        assert_int_equal(number, 8);
        name_index_deinit(&index);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_a_list_does),
        cmocka_unit_test(finds_nothing_in_nothing),
        cmocka_unit_test(stays_as_it_was_when_the_heap_is_full),
    };
    return cmocka_run_group_tests_name("name_index", tests, NULL, NULL);
}
