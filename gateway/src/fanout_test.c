// Goal: a query is cut so that every worker has work and no fragment is too large.
// Method: all small cases against the definition.
#include "fanout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void every_small_case(void **state)
{
    (void)state;
    for (size_t indicators = 1; indicators <= 300; indicators++) {
        for (size_t workers = 0; workers <= 20; workers++) {
            size_t size = fanout_fragment_size(indicators, workers);
            size_t fragments = (indicators + size - 1) / size;
            assert_in_range(size, 1, 16);
            // Not cut finer than two fragments a worker ask for, unless a fragment would grow too
            // large.
            assert_true(size == 16 || fragments <= 2 * (workers > 0 ? workers : 1));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_small_case)};
    return cmocka_run_group_tests_name("fanout", tests, NULL, NULL);
}
