// Sorting by the bytes of a number, for arrays too long to compare their elements pair by pair.
#ifndef ALM_BYTE_SORT_H
#define ALM_BYTE_SORT_H

#include <stddef.h>
#include <stdint.h>

#define ALM_BYTE_SORT_COUNT_MIN 64 // fewer the library sorts as fast

// Defines static void name(type **from, type **to, size_t count): sorts the elements of *from by
// `part`, an unsigned number of 32 or 64 bits, and keeps the order of equals. Both arrays have room
// for count elements, at least one; the sorted one is *from, since they change places on the way.
//
// By one byte after the other, from the lowest on; those that all have in common are passed over.
#define ALM_BYTE_SORT(name, type, part)                                                            \
    static void name(type **from, type **to, size_t count)                                         \
    {                                                                                              \
        uint64_t differing = 0;                                                                    \
        for (size_t i = 1; i < count; i++) {                                                       \
            differing |= (*from)[i].part ^ (*from)[0].part;                                        \
        }                                                                                          \
        for (size_t shift = 0; shift < 8 * sizeof(*from)->part; shift += 8) {                      \
            size_t starts[256] = {0};                                                              \
            size_t start = 0;                                                                      \
            if ((differing >> shift & 0xff) == 0) {                                                \
                continue;                                                                          \
            }                                                                                      \
            for (size_t i = 0; i < count; i++) {                                                   \
                starts[(*from)[i].part >> shift & 0xff]++;                                         \
            }                                                                                      \
            for (size_t b = 0; b < 256; b++) {                                                     \
                size_t of_byte = starts[b];                                                        \
                starts[b] = start;                                                                 \
                start += of_byte;                                                                  \
            }                                                                                      \
            for (size_t i = 0; i < count; i++) {                                                   \
                (*to)[starts[(*from)[i].part >> shift & 0xff]++] = (*from)[i];                     \
            }                                                                                      \
            type *held = *from;                                                                    \
            *from = *to;                                                                           \
            *to = held;                                                                            \
        }                                                                                          \
    }

#endif
