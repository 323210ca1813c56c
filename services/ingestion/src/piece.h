// The pure core of an import: one piece of a file in, good rows and a report out. No clock, no
// sockets: the same piece against the same catalogue gives the same answer.
#ifndef ALM_INGESTION_PIECE_H
#define ALM_INGESTION_PIECE_H

#include "catalog_rows.h"
#include "observation_rows.h"

typedef enum piece_kind {
    PIECE_OBSERVATIONS,
    PIECE_TARGETS, // observations whose measure is "target" unless they say otherwise
    PIECE_INDICATORS,
    PIECE_PLACES,
    PIECE_SOURCES,
} piece_kind;

// A record the client did not send since it is too long.
typedef struct oversize_record {
    uint64_t row, bytes;
} oversize_record;

typedef struct piece {
    piece_kind kind;
    alm_str header;         // the header record as in the file
    alm_str records;        // whole records
    uint64_t first_row;     // of records; the header is row 1
    text_encoding encoding; // as told
    obs_defaults defaults;  // of observations; catalogue files take none
    const oversize_record *oversize;
    size_t oversize_count;
} piece;

typedef struct piece_result {
    text_encoding encoding;       // undecided while all is ASCII
    uint64_t rows;                // records looked at
    report report;                // lists in the order of rows
    const obs_rows *observations; // NULL for a catalogue file
    catalog_rows catalog;         // empty for observations
} piece_result;

// Everything lives in the arena or views the piece; catalog is borrowed for the result's life.
// today: days since 1970.
//
// ALM_INVALID_ARGUMENT    no row can be read: the header, the encoding or a default is wrong; or
//                         the catalogue would not hold together
// ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code piece_check(const piece *p, const alm_catalog *catalog, alm_date today,
                                  alm_arena *arena, piece_result *ret, alm_status *st);

#endif
