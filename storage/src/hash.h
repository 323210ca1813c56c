// XXH3 by the widest vectors that this machine has. libxxhash chooses them when it is called by
// another name; as of 0.8.1 it returns from AVX-512 with the upper halves of the registers in use,
// and what runs after it without AVX is then up to half as fast (AMD Zen): they are cleared here.
#ifndef ALM_STORAGE_HASH_H
#define ALM_STORAGE_HASH_H

#include <stddef.h>
#include <stdint.h>
#ifdef __x86_64__
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

static inline uint64_t alm_hash(const void *data, size_t len, uint64_t seed)
{
    uint64_t hash = XXH3_64bits_withSeed(data, len, seed);
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx")) {
        __asm__ volatile("vzeroupper");
    }
#endif
    return hash;
}

#endif
