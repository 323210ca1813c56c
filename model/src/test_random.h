// Random numbers for property tests, all from one seed: ALM_TEST_SEED in the environment, or a
// fixed one. A property that fails prints the seed, so that the same run can be had again.
#ifndef ALM_MODEL_TEST_RANDOM_H
#define ALM_MODEL_TEST_RANDOM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct test_random {
    uint64_t seed;
    uint64_t state;
} test_random;

static inline test_random test_random_start(void)
{
    const char *text = getenv("ALM_TEST_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : UINT64_C(20240229);
    return (test_random){.seed = seed, .state = seed};
}

// splitmix64
static inline uint64_t test_random_next(test_random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint32_t test_random_below(test_random *r, uint32_t end) // 0 .. end-1
{
    return (uint32_t)((test_random_next(r) >> 32) * end >> 32);
}

static inline bool test_random_one_in(test_random *r, uint32_t n)
{
    return test_random_below(r, n) == 0;
}

#endif
