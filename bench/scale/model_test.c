// The simulation against what queues obey whatever happens in them.
#include "model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define CORES 4

// What nothing has to be woken for, and no message costs: only handlers.
static const scale_setup plain = {
    .workers = 1,
    .gateways = 1,
    .gateway_cores = CORES,
    .storage_cores = CORES,
    .outstanding = 1,
    .seconds = 2,
    .seed = 7,
};

static const scale_setup usual = {
    .workers = 1,
    .gateways = 1,
    .gateway_cores = CORES,
    .storage_cores = CORES,
    .outstanding = 1,
    .network_us = 30,
    .wake_us = 6,
    .message_us = 0.3,
    .byte_us = 0.0003,
    .seconds = 0.5,
    .seed = 7,
};

static scale_result run(const scale_costs *costs, const scale_setup *setup)
{
    scale_result result;
    assert_true(scale_run(costs, setup, &result));
    return result;
}

static void assert_near(double value, double expected, double share)
{
    if (fabs(value - expected) > share * expected) {
        fail_msg("%g is not within %g of %g", value, share, expected);
    }
}

static const scale_costs costs_of[] = {
    {.parts = 1, .reads = 1, .gateway_us = 10, .worker_us = 50, .storage_us = 20},
    {.parts = 1, .reads = 0.25, .gateway_us = 40, .worker_us = 30, .storage_us = 90},
    {.parts = 8, .reads = 16, .gateway_us = 100, .worker_us = 4000, .storage_us = 900},
    {.parts = 2.5, .reads = 0, .gateway_us = 30, .worker_us = 100},
};

// One question at a time takes what its parts take one after another.
static void lone_question_takes_its_times_in_sum(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const scale_costs *costs = &costs_of[i];
        scale_setup setup = plain;
        setup.network_us = 5;
        double hops = 4 + 2 * costs->reads;
        double expected_us = costs->gateway_us + costs->worker_us + costs->storage_us +
                             (hops - 1) * setup.network_us;
        scale_result result = run(costs, &setup);
        assert_near(result.questions_s, 1e6 / expected_us, 0.02);
    }
}

// With enough questions at once the station with the largest demand decides, and it is busy.
static void bottleneck_decides(void **state)
{
    (void)state;
    const size_t workers[] = {1, 3, 16, 64};
    for (size_t i = 0; i < sizeof costs_of / sizeof *costs_of; i++) {
        for (size_t w = 0; w < sizeof workers / sizeof *workers; w++) {
            scale_setup setup = plain;
            setup.workers = workers[w];
            setup.gateways = 1 + w / 3;
            setup.outstanding = 32 + 8 * workers[w];
            double largest_us = 0;
            int of = 0;
            for (int s = 0; s < SCALE_STATION_COUNT; s++) {
                double us = scale_demand_us(&costs_of[i], &setup, (scale_station)s);
                of = us > largest_us ? s : of;
                largest_us = fmax(us, largest_us);
            }
            setup.seconds = 20000 * largest_us / 1e6;
            scale_result result = run(&costs_of[i], &setup);
            assert_near(result.questions_s, 1e6 / largest_us, 0.05);
            assert_true(result.busy[of] > 0.95);
        }
    }
}

// Little's law: questions at once are their rate times how long they take; the mean of handlers'
// times is near the median of so many.
static void questions_at_once_are_rate_times_time(void **state)
{
    (void)state;
    scale_setup setup = usual;
    setup.workers = 4;
    setup.outstanding = 200;
    scale_result result = run(&costs_of[0], &setup);
    assert_near(result.questions_s * result.median_us / 1e6, 200, 0.1);
    assert_true(result.p99_us > result.median_us);
}

// No station is busy for more than all of its time, and none does what nobody asked for.
static void busy_is_what_was_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof costs_of / sizeof *costs_of; i++) {
        scale_setup setup = usual;
        setup.workers = 8;
        setup.outstanding = 64;
        scale_result result = run(&costs_of[i], &setup);
        for (int s = 0; s < SCALE_STATION_COUNT; s++) {
            double least =
                result.questions_s / 1e6 * scale_demand_us(&costs_of[i], &setup, (scale_station)s);
            assert_true(result.busy[s] <= 1.001);
            assert_true(result.busy[s] >= least * 0.95);
        }
    }
}

// A turn takes all that has come, so many questions at once are woken for together.
static void many_at_once_cost_fewer_wakes(void **state)
{
    (void)state;
    const scale_costs costs = {.parts = 1, .gateway_us = 13, .worker_us = 50};
    scale_setup one = usual, many = usual;
    many.seconds = 0.1;
    many.workers = 64;
    many.outstanding = 512;
    scale_result lone = run(&costs, &one);
    scale_result together = run(&costs, &many);
    double lone_us = lone.busy[SCALE_GATEWAY_IO] / lone.questions_s;
    double together_us = together.busy[SCALE_GATEWAY_IO] / together.questions_s;
    assert_true(together_us < lone_us / 2);
}

static void same_seed_gives_the_same(void **state)
{
    (void)state;
    scale_setup setup = usual;
    setup.workers = 5;
    setup.outstanding = 40;
    scale_result a = run(&costs_of[2], &setup);
    scale_result b = run(&costs_of[2], &setup);
    assert_memory_equal(&a, &b, sizeof a);
    setup.seed++;
    b = run(&costs_of[2], &setup);
    assert_memory_not_equal(&a, &b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lone_question_takes_its_times_in_sum),
        cmocka_unit_test(bottleneck_decides),
        cmocka_unit_test(questions_at_once_are_rate_times_time),
        cmocka_unit_test(busy_is_what_was_asked_for),
        cmocka_unit_test(many_at_once_cost_fewer_wakes),
        cmocka_unit_test(same_seed_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
