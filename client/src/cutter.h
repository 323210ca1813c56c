// Cuts a CSV stream into its header and pieces of whole records, on the raw bytes.
//
// The bytes of quote, comma and line feed are never part of another character in UTF-8 and GB18030,
// so the encoding need not be known. The rules are those ingestion reads by, since both must count
// the same rows: fields are quoted from their first byte to their last; a record ends at a line
// feed outside quotes; a record that breaks the rules costs its first line and nothing else; every
// record is a row, an empty line too.
#ifndef ALM_CUTTER_H
#define ALM_CUTTER_H

#include "alm/status.h"
#include "alm/str.h"

// Reads up to size bytes; *ret_got 0 is the end.
typedef alm_code (*alm_read_fn)(void *self, uint8_t *out, size_t size, size_t *ret_got,
                                alm_status *st);

typedef struct alm_cutter_opts {
    size_t piece_bytes_max;  // 0: ALM_IMPORT_CHUNK_BYTES
    size_t record_bytes_max; // 0: ALM_IMPORT_RECORD_BYTES_MAX; at most piece_bytes_max - 8
    size_t piece_rows_max;   // 0: ALM_COMMIT_ROW_COUNT_MAX
} alm_cutter_opts;

// A record too long to send. It comes alone: the pieces around it have no gap in their rows.
typedef struct alm_oversize {
    uint64_t row;
    uint64_t bytes;
} alm_oversize;

typedef struct alm_piece {
    alm_bytes records;  // whole records; valid until the next call
    uint64_t first_row; // of the first record; the header is row 1 of a file that starts with it
    bool is_oversize;   // records is empty, `oversize` says which was left out
    alm_oversize oversize;
} alm_piece;

typedef struct alm_cutter alm_cutter;

// Holds a little more than piece_bytes_max, whatever comes. NULL: out of memory.
ALM_MUST_USE alm_cutter *alm_cutter_create(const alm_cutter_opts *opts, alm_read_fn read,
                                           void *self);
void alm_cutter_destroy(alm_cutter **cutter);

// The first record that is not an empty line, without its line end, a byte order mark included;
// valid until destroy. Call it once, first.
//
// ALM_INVALID_ARGUMENT    there is none, or it is too long
// and what read answers
ALM_MUST_USE alm_code alm_cutter_header(alm_cutter *cutter, alm_bytes *ret, alm_status *st);

// *ret_more false: the end, *ret is not set.
ALM_MUST_USE alm_code alm_cutter_next(alm_cutter *cutter, alm_piece *ret, bool *ret_more,
                                      alm_status *st);

// Bytes of the stream that pieces were made of so far.
uint64_t alm_cutter_offset(const alm_cutter *cutter);

#endif
