// The rows of a catalogue file (indicators, places or sources), checked one by one, against each
// other and against the catalogue there is.
#ifndef ALM_INGESTION_CATALOG_ROWS_H
#define ALM_INGESTION_CATALOG_ROWS_H

#include "catalog_entry.h"

// The good entries, in an order where whatever an entry names comes before it. Everything lives in
// the arena, or views the piece.
typedef struct catalog_rows {
    const catalog_entry *entries;
    size_t count;
    uint64_t doubled; // rows that repeat one before them to the byte; not among the entries
} catalog_rows;

typedef struct catalog_reader catalog_reader;

// Everything is borrowed for the reader's life. ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code catalog_reader_create(entry_kind kind, const header *h,
                                            const alm_catalog *catalog, text_decoder *decoder,
                                            report *rep, alm_arena *arena, catalog_reader **ret,
                                            alm_status *st);

// As obs_reader_take: reports into the report's row, which the caller began and ends.
ALM_MUST_USE alm_code catalog_reader_take(catalog_reader *r, const csv_record *record,
                                          alm_status *st);

// Sets aside the rows that name what is neither in the catalogue nor among the good rows (no row of
// the report is in progress). *ret is valid as long as the arena.
//
// ALM_INVALID_ARGUMENT    the entries are good one by one, but the catalogue would not hold
//                         together (an indicator computed from itself ...); nothing is taken
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code catalog_reader_finish(catalog_reader *r, catalog_rows *ret, alm_status *st);

#endif
