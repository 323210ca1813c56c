// A column of integers, packed: all the same stored once, the rest by frame of reference.
//
//   tag u8   0 zeros | 1 constant | 2 frames | 3 frames over value - row | 4 dictionary
//   constant signed varint
//   frames   signed varint: lowest base; u8: bytes of a base (0..8);
//            a width u8 (0..64) for each frame; a base for each frame, less the lowest;
//            the values less their frame's base, width bits each, each frame to a whole byte
//   dictionary  u8 count (2..16); that many signed varints, ascending; frames of indices into them
//
// A frame is ALM_COLUMN_FRAME rows, the last one what is left. A dense or regular ascending column
// (place ids) costs no bits a row under tag 3, one of few values (statuses, dates) few under tag 4.
// Any row is found without decoding those before it.
#ifndef ALM_STORAGE_COLUMN_H
#define ALM_STORAGE_COLUMN_H

#include "alm/buf.h"

#define ALM_COLUMN_FRAME          128
#define ALM_COLUMN_DICTIONARY_MAX 16

// Appends the column. scratch has room for count numbers. A full buffer shows in out->failed.
void alm_column_encode(const int64_t *values, size_t count, int64_t *scratch, alm_buf *out);

// A column opened for reading; borrows the bytes. Belongs to one thread: it remembers where it was.
typedef struct alm_column {
    size_t count;
    int64_t base; // the constant, or the lowest base
    bool is_framed;
    bool is_sloped;
    uint8_t dictionary_count; // 0: values are what they are, not indices
    int64_t dictionary[ALM_COLUMN_DICTIONARY_MAX];
    uint8_t base_bytes;
    const uint8_t *widths;
    const uint8_t *bases;
    alm_bytes bits;
    size_t frame; // where reading was: frames before it take frame_at bytes of bits
    size_t frame_at;
} alm_column;

// Takes a column of count rows off the reader. False: malformed.
ALM_MUST_USE bool alm_column_open(alm_reader *r, size_t count, alm_column *ret);

int64_t alm_column_get(alm_column *column, size_t row); // row < count
// All rows of a frame; ret has room for ALM_COLUMN_FRAME. frame x ALM_COLUMN_FRAME < count.
void alm_column_get_frame(alm_column *column, size_t frame, int64_t *ret);

#endif
