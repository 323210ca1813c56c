// Numbers of `width` bits each: the innermost loops of every layout. A width is 0 to 64.
//
// A frame has 256 numbers. They lie in eight lanes, so that a machine with vectors unpacks eight at
// a time: number i is in lane i % 8, and each lane is a string of 32-bit words, lowest bits first,
// the words of the eight lanes by turns. Numbers wider than 32 bits are two such planes, low halves
// first. Any number is read without its neighbours.
//
//   plane of w bits: w rows of eight little-endian u32; a frame takes 32 * width bytes
//
// A short list is a plain string of bits, lowest first, to a whole byte.
#ifndef ALM_STORAGE_PACK_H
#define ALM_STORAGE_PACK_H

#include <stddef.h>
#include <stdint.h>

#define ALM_PACK_FRAME 256

// A function with loops over many numbers: it is compiled for wider vectors too, and which of them
// this machine has is looked up when the program starts. Thread sanitizers cannot be called so
// early.
#if defined(__x86_64__) && defined(__OPTIMIZE__) && !defined(__SANITIZE_THREAD__)
#define ALM_WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ALM_WIDE
#endif

static inline unsigned alm_width_of(uint64_t v) // the bits it takes
{
    return v == 0 ? 0 : 64 - (unsigned)__builtin_clzll(v);
}

static inline size_t alm_pack_bytes(unsigned width)
{
    return (size_t)width * (ALM_PACK_FRAME / 8);
}

// Every number must be less than 2^width. out has room for alm_pack_bytes(width).
void alm_pack(const uint64_t *numbers, unsigned width, uint8_t *out);

// ret[i] = base + number i, modulo 2^64.
void alm_unpack(const uint8_t *in, unsigned width, int64_t base, int64_t *ret);

// Numbers from..from+count-1 of them, at least one.
void alm_unpack_some(const uint8_t *in, unsigned width, int64_t base, size_t from, size_t count,
                     int64_t *ret);

uint64_t alm_unpack_one(const uint8_t *in, unsigned width, size_t i); // i < ALM_PACK_FRAME

static inline size_t alm_bits_bytes(size_t count, unsigned width)
{
    return (count * width + 7) / 8;
}

// Every number must be less than 2^width. out has room for alm_bits_bytes(count, width).
void alm_bits_pack(const uint64_t *numbers, size_t count, unsigned width, uint8_t *out);
// ret[i] = base + number from + i, modulo 2^64. Of in, len bytes may be read: at least the list's.
void alm_bits_unpack(const uint8_t *in, size_t len, size_t from, size_t count, unsigned width,
                     int64_t base, int64_t *ret);
uint64_t alm_bits_one(const uint8_t *in, size_t len, unsigned width, size_t i);

#endif
