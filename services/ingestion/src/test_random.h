// Random numbers for tests that print their seed and take one from ALM_TEST_SEED to repeat a run.
#ifndef ALM_INGESTION_TEST_RANDOM_H
#define ALM_INGESTION_TEST_RANDOM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t random_seed(void)
{
    const char *given = getenv("ALM_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("ALM_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

// splitmix64
static inline uint64_t random_next(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

// 0 .. below - 1
static inline size_t random_below(uint64_t *seed, size_t below)
{
    return (size_t)(random_next(seed) % below);
}

#endif
