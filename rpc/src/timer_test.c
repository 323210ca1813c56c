#include "timer.h"

#include "rpc_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define TIMER_COUNT 200

static int64_t earliest(const alm_timer *timers)
{
    int64_t at_us = INT64_MAX;
    for (size_t i = 0; i < TIMER_COUNT; i++) {
        at_us = timers[i].is_set ? ALM_MIN(at_us, timers[i].at_us) : at_us;
    }
    return at_us;
}

// Against the slow way: looking at all of them.
static void what_is_due_is_told_after_random_steps(void **state)
{
    (void)state;
    alm_timers timers = {0};
    static alm_timer all[TIMER_COUNT];
    uint64_t random = 3;
    for (int step = 0; step < 20000; step++) {
        random = alm_mix64(random + 1);
        alm_timer *timer = &all[random % TIMER_COUNT];
        if (timer->is_set) {
            alm_timer_clear(timer);
        } else if (random % 7 == 0) {
            alm_timer_remove(&timers, timer);
            *timer = (alm_timer){.at_us = 1}; // another's memory, as far as the heap knows
        } else {
            assert_true(alm_timer_set(&timers, timer, (int64_t)(random >> 32) % 1000));
        }
        int64_t now_us = (int64_t)(random >> 16) % 1000;
        const alm_timer *due = alm_timers_due(&timers, now_us);
        assert_int_equal(due != NULL, earliest(all) <= now_us);
        assert_true(due == NULL || (due->is_set && due->at_us <= now_us));
        assert_true(alm_timers_next_us(&timers) <= earliest(all));
        assert_true(due != NULL || alm_timers_next_us(&timers) > now_us); // else it would spin
    }
    alm_timer *next;
    while ((next = alm_timers_due(&timers, 1000)) != NULL) {
        alm_timer_clear(next);
        alm_timer_clear(next);
    }
    assert_int_equal(earliest(all), INT64_MAX);
    alm_timers_deinit(&timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_due_is_told_after_random_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
