// The rows of an observation file, checked one by one against the catalogue.
#ifndef ALM_INGESTION_OBSERVATION_ROWS_H
#define ALM_INGESTION_OBSERVATION_ROWS_H

#include "obs_cells.h"

#include "alm/catalog.h"
#include "alm/observation.h"

// The good rows. Everything lives in the arena, or views the piece.
typedef struct obs_rows {
    alm_obs *rows;
    uint32_t *row_numbers; // in the file
    alm_str *records;      // as they came
    size_t count;
    alm_str *variants; // canonical text; rows[i].variant indexes it
    size_t variant_count;
    uint32_t value_column; // of the file, 1-based, for defects that show up later
    alm_str value_name;
    uint64_t doubled; // rows that say what a row before them says; good, but not among the rows
} obs_rows;

typedef struct obs_reader obs_reader;

// cells is borrowed for the reader's life. row_count_max: at most so many rows will come.
// ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code obs_reader_create(obs_cells *cells, const alm_catalog *catalog,
                                        alm_date today, size_t row_count_max, alm_arena *arena,
                                        obs_reader **ret, alm_status *st);

// Takes the row of the record if it is good. Otherwise, or when there is something to mind, it is
// reported. The record has as many fields as the header; the report's row has begun and is ended by
// the caller.
// ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code obs_reader_take(obs_reader *r, const csv_record *record, alm_status *st);

const obs_rows *obs_reader_rows(const obs_reader *r);

#endif
