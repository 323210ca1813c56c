// The cells of an observation row: from a record's bytes to what each one means.
#ifndef ALM_INGESTION_OBS_CELLS_H
#define ALM_INGESTION_OBS_CELLS_H

#include "csv.h"
#include "header.h"
#include "memo.h"
#include "report.h"
#include "text.h"

// What stands for columns the file does not have and for blank cells; empty: nothing.
typedef struct obs_defaults {
    alm_str place, period, published, source;
    alm_measure measure; // NONE: level
} obs_defaults;

typedef struct obs_cells {
    const header *header;
    text_decoder *decoder;
    report *report;
    alm_arena *arena;
    cell_ctx ctx;
    memo memos[OBS_FIELD_COUNT];
    memo_entry blanks[OBS_FIELD_COUNT]; // what a blank cell means
} obs_cells;

// A record's cells, each what it means; value and note are NULL, they are read with obs_cells_text.
typedef struct obs_row {
    const csv_record *record;
    const memo_entry *cells[OBS_FIELD_COUNT];
} obs_row;

// Everything is borrowed.
//
// ALM_INVALID_ARGUMENT    a default is wrong; field names it
// ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code obs_cells_init(obs_cells *c, const header *h, const obs_defaults *defaults,
                                     const alm_catalog *catalog, text_decoder *decoder, report *rep,
                                     alm_arena *arena, alm_status *st);

// Reads all cells and reports those that mean nothing (their reason is set). Required ones that are
// blank are reported too. record must outlive the row. ALM_RESOURCE_EXHAUSTED
ALM_MUST_USE alm_code obs_cells_read(obs_cells *c, const csv_record *record, obs_row *ret,
                                     alm_status *st);

// Value or note as trimmed UTF-8. *ret_good false: it is not of the encoding, which was reported.
ALM_MUST_USE alm_code obs_cells_text(obs_cells *c, const obs_row *row, obs_field field,
                                     alm_str *ret, bool *ret_good, alm_status *st);

static inline bool obs_row_good(const obs_row *row, obs_field field)
{
    return row->cells[field]->reason == NULL;
}

// A good cell that says something, by itself or by a default.
static inline bool obs_row_says(const obs_row *row, obs_field field)
{
    return row->cells[field]->reason == NULL && !row->cells[field]->blank;
}

void obs_cells_defect(obs_cells *c, const obs_row *row, obs_field field, const char *fmt, ...)
    ALM_PRINTF(4, 5);
void obs_cells_warning(obs_cells *c, const obs_row *row, obs_field field, const char *fmt, ...)
    ALM_PRINTF(4, 5);

#endif
