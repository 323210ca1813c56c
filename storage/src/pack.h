// A frame of 256 numbers, `width` bits each: the innermost loop of every layout.
//
// The numbers lie in eight lanes, so that a machine with vectors unpacks eight at a time: number i
// is in lane i % 8, and each lane is a string of 32-bit words, lowest bits first, the words of the
// eight lanes by turns. Numbers wider than 32 bits are two such planes, low halves first. Any
// number is read without its neighbours.
//
//   plane of w bits: w rows of eight little-endian u32; a frame takes 32 * width bytes
#ifndef ALM_STORAGE_PACK_H
#define ALM_STORAGE_PACK_H

#include <stddef.h>
#include <stdint.h>

#define ALM_PACK_FRAME 256

static inline size_t alm_pack_bytes(unsigned width) // width <= 64
{
    return (size_t)width * (ALM_PACK_FRAME / 8);
}

// Every number must be less than 2^width. out has room for alm_pack_bytes(width).
void alm_pack(const uint64_t *numbers, unsigned width, uint8_t *out);

// ret[i] = base + number i, modulo 2^64.
void alm_unpack(const uint8_t *in, unsigned width, int64_t base, int64_t *ret);

uint64_t alm_unpack_one(const uint8_t *in, unsigned width, size_t i); // i < ALM_PACK_FRAME

#endif
