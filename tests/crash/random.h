// Numbers from a seed: the same seed, the same run.
#ifndef CRASH_RANDOM_H
#define CRASH_RANDOM_H

#include <stdint.h>

// splitmix64, as a hash of one number
static inline uint64_t crash_mix(uint64_t v)
{
    v += UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
    return v ^ (v >> 31);
}

typedef struct crash_random {
    uint64_t state;
} crash_random;

static inline uint64_t crash_random_next(crash_random *random)
{
    uint64_t v = crash_mix(random->state);
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    return v;
}

// 0 .. count - 1
static inline uint64_t crash_random_below(crash_random *random, uint64_t count)
{
    return crash_random_next(random) % count;
}

#endif
