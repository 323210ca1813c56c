// Turns a table of examples, and tests of other kinds, into one cmocka run.
#ifndef ALM_AGGREGATION_TEST_EXAMPLES_H
#define ALM_AGGREGATION_TEST_EXAMPLES_H

#include "test_world.h"

static inline int world_run(const world_example *examples, size_t example_count,
                            const struct CMUnitTest *others, size_t other_count)
{
    struct CMUnitTest *tests = alm_calloc(example_count + other_count, sizeof *tests);
    assert_non_null(tests);
    for (size_t i = 0; i < example_count; i++) {
        union {
            const world_example *in;
            void *out;
        } state = {.in = &examples[i]};
        tests[i] = (struct CMUnitTest){
            .name = examples[i].name, .test_func = world_check_example, .initial_state = state.out};
    }
    for (size_t i = 0; i < other_count; i++) {
        tests[example_count + i] = others[i];
    }
    int failed = _cmocka_run_group_tests("tests", tests, example_count + other_count, NULL, NULL);
    alm_free(tests);
    return failed;
}

// Random numbers from one seed (ALM_TEST_SEED or a fixed one), which a failing property prints.
typedef struct world_random {
    uint64_t seed, state;
} world_random;

static inline world_random world_random_start(void)
{
    const char *text = getenv("ALM_TEST_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : 20240229;
    return (world_random){seed, seed};
}

static inline uint64_t world_random_below(world_random *r, uint64_t end)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % end;
}

#endif
