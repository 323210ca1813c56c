// The heap's door: overflow is refused, and the n-th allocation fails when told, once or forever,
// also when threads allocate at the same time.
#include "alm/alloc.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <cmocka.h>

static int failing_off(void **state)
{
    (void)state;
    (void)alm_alloc_fail_at(0, 0);
    return 0;
}

static void never_gives_null_for_nothing(void **state)
{
    (void)state;
    void *a = alm_alloc(0);
    void *b = alm_calloc(0, 8);
    void *c = alm_realloc(NULL, 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    c = alm_realloc(c, 0);
    assert_non_null(c);
    alm_free(a);
    alm_free(b);
    alm_free(c);
    alm_free(NULL);
}

static void zeroes_copies_and_grows(void **state)
{
    (void)state;
    unsigned char *zeros = alm_calloc(16, 3);
    assert_non_null(zeros);
    for (size_t i = 0; i < 48; i++) {
        assert_int_equal(zeros[i], 0);
    }
    alm_free(zeros);

    char *text = alm_strdup("place");
    text = alm_realloc(text, 4096);
    assert_string_equal(text, "place");
    alm_free(text);
    assert_null(alm_calloc(SIZE_MAX / 2, 3));
}

// Makes ten allocations and tells which failed, the first in bit 0.
static unsigned failures_of_ten(void)
{
    unsigned failures = 0;
    for (unsigned i = 0; i < 10; i++) {
        void *block = i % 3 == 0   ? alm_alloc(8)
                      : i % 3 == 1 ? alm_calloc(2, 4)
                                   : (void *)alm_strdup("x");
        failures |= (block == NULL ? 1u : 0u) << i;
        alm_free(block);
    }
    return failures;
}

static void fails_when_told(void **state)
{
    (void)state;
    assert_int_equal(failures_of_ten(), 0);
    for (unsigned n = 1; n <= 10; n++) {
        (void)alm_alloc_fail_at(n, 0);
        assert_int_equal(failures_of_ten(), 1u << (n - 1));
        assert_int_equal(alm_alloc_fail_at(n, 1), 10);
        assert_int_equal(failures_of_ten(), 0x3ff & ~((1u << (n - 1)) - 1));
    }
    (void)alm_alloc_fail_at(0, 0);
    assert_int_equal(failures_of_ten(), 0);
    assert_int_equal(alm_alloc_fail_at(0, 1), 10);
    assert_int_equal(failures_of_ten(), 0);
}

static void a_failed_realloc_keeps_the_block(void **state)
{
    (void)state;
    char *text = alm_strdup("kept");
    (void)alm_alloc_fail_at(1, 0);
    assert_null(alm_realloc(text, 1 << 20));
    assert_string_equal(text, "kept");
    alm_free(text);
}

#define THREADS    4
#define PER_THREAD 20000
static atomic_uint thread_failures;

static void *allocate_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < PER_THREAD; i++) {
        void *block = alm_alloc(16);
        if (block == NULL) {
            atomic_fetch_add(&thread_failures, 1);
        }
        alm_free(block);
    }
    return NULL;
}

static void fails_once_among_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    atomic_store(&thread_failures, 0);
    (void)alm_alloc_fail_at(THREADS * PER_THREAD / 2, 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, allocate_many, NULL), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&thread_failures), 1);
    assert_int_equal(alm_alloc_fail_at(0, 0), THREADS * PER_THREAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_gives_null_for_nothing),
        cmocka_unit_test(zeroes_copies_and_grows),
        cmocka_unit_test_teardown(fails_when_told, failing_off),
        cmocka_unit_test_teardown(a_failed_realloc_keeps_the_block, failing_off),
        cmocka_unit_test_teardown(fails_once_among_threads, failing_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
