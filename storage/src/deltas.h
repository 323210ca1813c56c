// A short list of integers, one after the other in time: as they are, or as differences to the one
// before or to the one a year before, whichever is shortest. The numbers of a series.
//
//   u8 form       0 as they are | 1 differences | 2 differences to `lag` before
//   form 0        a list of all
//   form 1        signed varint: the first; a list of the differences
//   form 2        u8 lag; signed varint: the first; a list of the first lag - 1 differences to the
//                 one before; a list of the differences to lag before
//   list          signed varint: the lowest; u8 width (0..64); bits as pack.h has them
#ifndef ALM_STORAGE_DELTAS_H
#define ALM_STORAGE_DELTAS_H

#include "alm/buf.h"

#define ALM_DELTAS_LAG_MAX 255

// Appends the list, count >= 1. lag: of a year, 2..ALM_DELTAS_LAG_MAX; 0: there is none. scratch
// has room for count numbers.
void alm_deltas_encode(const int64_t *values, size_t count, unsigned lag, uint64_t *scratch,
                       alm_buf *out);

// Takes count numbers off the reader; count >= 1. False: malformed.
ALM_MUST_USE bool alm_deltas_decode(alm_reader *r, size_t count, int64_t *ret);

#endif
