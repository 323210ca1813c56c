// What must hold of any cutting, checked against a reader that knows nothing of pieces.
#ifndef ALM_CUTTER_CHECK_H
#define ALM_CUTTER_CHECK_H

#include "alm/str.h"

#define CUTTER_CHECK_RECORD_MAX 16
#define CUTTER_CHECK_PIECE_MAX  40

// Cuts data with small limits, reading step bytes at a time, and says what is wrong, or NULL:
//   header, pieces and what was left out make up the data, byte by byte;
//   each piece holds exactly the rows it says, as ingestion would count them;
//   no record of a piece is longer than allowed, and no piece.
const char *cutter_check(alm_bytes data, size_t step);

// How many rows ingestion finds in a piece: a slow walk, one byte and one state at a time.
// *ret_longest: the longest record.
size_t cutter_check_rows(alm_bytes piece, size_t *ret_longest);

#endif
