// Numbers from a seed: the same seed, the same run.
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sim_random {
    uint64_t state;
} sim_random;

// splitmix64
static inline uint64_t sim_random_next(sim_random *random)
{
    uint64_t v = random->state += UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
    return v ^ (v >> 31);
}

// 0 .. count - 1; 0 where count is 0.
static inline uint64_t sim_random_below(sim_random *random, uint64_t count)
{
    uint64_t v = sim_random_next(random);
    return count > 0 ? v % count : 0;
}

static inline int64_t sim_random_between(sim_random *random, int64_t low, int64_t high)
{
    return low + (int64_t)sim_random_below(random, (uint64_t)(high - low) + 1);
}

static inline bool sim_random_chance(sim_random *random, unsigned per_mille)
{
    return sim_random_below(random, 1000) < per_mille;
}

#endif
