// Format 1 of the store, for reading: what its log records and its blocks of rows were. All other
// records are in this format as they were.
//
// Its databases are those of lmdb_record.h up to "quarantine"; a slice's chunk was half as wide.
//
//   log record  u8 1; signed varint at; text batch id; varint added; varint revised; u8 whether the
//               catalogue changed; varint variants, each a varint; then the block of all its rows
//   block       u8 1; varint rows; varint notes, each varint length and bytes; then the columns
//               variant, place, period, mantissa, exponent, unit, flags, source, published,
//               sequence, note, each as block.h says
//   column      u8 tag 0 zeros | 1 constant | 2 frames | 3 frames of value - row | 4 dictionary
//   constant    signed varint
//   frames      signed varint lowest base; u8 bytes of a base; a width u8 for each frame of 128
//               rows; a base for each, less the lowest; the values less their base, so many bits
//               each, each frame to a whole byte
//   dictionary  u8 count; so many signed varints; u8 2 and frames of indices
#ifndef ALM_STORAGE_FORMAT1_H
#define ALM_STORAGE_FORMAT1_H

#include "record.h"

#define FORMAT1_VERSION    1
#define FORMAT1_CHUNK_BITS 13

// The head, of which later formats have more.
ALM_MUST_USE alm_code format1_head_decode(alm_str bytes, alm_head *ret, alm_status *st);
// A record of the log: its variants are in the arena, its blocks are one without a length before
// it, which views the bytes. Format 1 had no fingerprint; it stays 0.
//
// ALM_DATA_LOSS           malformed
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code format1_log_decode(alm_str bytes, alm_arena *arena, alm_log_record *ret,
                                         alm_status *st);

// All rows of a block. Notes view the bytes. Errors as above.
ALM_MUST_USE alm_code format1_rows(alm_str bytes, size_t count_max, alm_arena *arena, alm_obs **ret,
                                   size_t *ret_count, alm_status *st);

#endif
