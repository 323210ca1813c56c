// Goal: equal texts have one number, others never share it, and numbers are dense in order of
// first sight. Method: random short texts, empty ones and ones with NUL among them, against a list
// that is searched from its start.
#include "intern.h"

#include "test_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define KNOWN_MAX 2000

typedef struct slow_list {
    char texts[KNOWN_MAX][4];
    size_t lens[KNOWN_MAX];
    uint32_t count;
} slow_list;

static uint32_t slow_find(const slow_list *list, alm_str text)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->lens[i] == text.len && memcmp(list->texts[i], text.data, text.len) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

static void numbers_as_the_slow_list(void **state)
{
    (void)state;
    static slow_list list;
    uint64_t seed = random_seed();
    alm_arena *arena = alm_arena_create(0);
    interner in;
    assert_non_null(arena);
    interner_init(&in, arena);
    assert_int_equal(interner_find(&in, ALM_STR("a")), UINT32_MAX);
    for (size_t round = 0; round < 50000 && list.count < KNOWN_MAX; round++) {
        char text[4];
        size_t len = random_below(&seed, sizeof text + 1);
        for (size_t i = 0; i < len; i++) {
            text[i] = (char)random_below(&seed, 7);
        }
        alm_str view = {text, len};
        uint32_t want = slow_find(&list, view);
        assert_int_equal(interner_find(&in, view), want);
        uint32_t got;
        bool is_new;
        assert_true(intern(&in, view, &got, &is_new));
        assert_int_equal(is_new, want == UINT32_MAX);
        assert_int_equal(got, is_new ? list.count : want);
        assert_true(alm_str_eq(in.texts[got], view));
        if (is_new) {
            memcpy(list.texts[list.count], text, len);
            list.lens[list.count++] = len;
        }
    }
    assert_int_equal(in.count, list.count);
    assert_true(list.count > 1000);
    alm_arena_destroy(&arena);
}

// Where memory ends in the middle of an insertion, what was known stays as it was.
static void keeps_what_it_knows_when_memory_is_out(void **state)
{
    (void)state;
    alm_arena *arena = alm_arena_create(16384);
    interner in;
    uint32_t number, count = 0;
    char text[16];
    assert_non_null(arena);
    interner_init(&in, arena);
    for (;; count++) {
        int len = snprintf(text, sizeof text, "%u", count);
        if (!intern(&in, (alm_str){text, (size_t)len}, &number, NULL)) {
            break;
        }
        assert_int_equal(number, count);
    }
    assert_true(count > 10);
    for (uint32_t i = 0; i < count; i++) {
        int len = snprintf(text, sizeof text, "%u", i);
        assert_int_equal(interner_find(&in, (alm_str){text, (size_t)len}), i);
    }
    alm_arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_as_the_slow_list),
        cmocka_unit_test(keeps_what_it_knows_when_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
