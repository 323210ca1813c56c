// Integers by frame of reference: each frame of 256 bit-packed over its lowest value.
//
//   tag u8    0 zeros | 1 constant | 2 frames | 3 frames over value - row
//   constant  signed varint
//   frames    signed varint: lowest base; u8: bytes of a base (0..8);
//             a width u8 (0..64) for each frame; a base for each frame, less the lowest;
//             whole frames as pack.h has them; the last one, if it is short, as a string of bits,
//             lowest first, to a whole byte
//
// A dense or regular ascending list costs no bits a number under tag 3. Any number is found without
// decoding those before it.
#ifndef ALM_STORAGE_FRAMES_H
#define ALM_STORAGE_FRAMES_H

#include "alm/buf.h"

#include "pack.h"

// The shortest of the forms for some numbers.
typedef struct alm_frames_plan {
    uint8_t tag;
    bool is_constant;
    int64_t lowest, highest; // base
    size_t bits_len;
    size_t bytes; // that it takes, about
} alm_frames_plan;
alm_frames_plan alm_frames_plan_of(const int64_t *values, size_t count);

// Appends the numbers that the plan was made of. A full buffer shows in out->failed.
void alm_frames_put(const alm_frames_plan *plan, const int64_t *values, size_t count, alm_buf *out);
void alm_frames_encode(const int64_t *values, size_t count, alm_buf *out); // both

// Opened for reading; borrows the bytes. Belongs to one thread: it remembers where it was.
typedef struct alm_frames {
    size_t count;
    int64_t base; // the constant, or the lowest base
    bool is_packed;
    bool is_sloped;
    uint8_t base_bytes;
    const uint8_t *widths;
    const uint8_t *bases;
    const uint8_t *bits;
    size_t bits_len;
    size_t frame; // where reading was: frames before it take frame_at bytes of bits
    size_t frame_at;
} alm_frames;

// Takes count numbers off the reader. False: malformed.
ALM_MUST_USE bool alm_frames_open(alm_reader *r, size_t count, alm_frames *ret);

bool alm_frames_regular(const alm_frames *frames);      // is each number one more than the last?
int64_t alm_frames_get(alm_frames *frames, size_t row); // row < count
void alm_frames_range(alm_frames *frames, size_t from, size_t to, int64_t *ret); // to <= count
// The first row whose number is not less than v; count if none. The numbers must ascend.
size_t alm_frames_find(alm_frames *frames, int64_t v);

#endif
