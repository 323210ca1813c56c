// One row of a catalogue file to an entry of the catalogue.
#ifndef ALM_INGESTION_CATALOG_ENTRY_H
#define ALM_INGESTION_CATALOG_ENTRY_H

#include "csv.h"
#include "header.h"
#include "report.h"
#include "text.h"

#include "alm/catalog.h"

typedef enum entry_kind { ENTRY_INDICATOR, ENTRY_PLACE, ENTRY_SOURCE } entry_kind;

typedef struct catalog_entry {
    entry_kind kind;
    uint64_t row;
    alm_str record; // as it came
    bool dropped;   // set aside later on
    union {
        alm_indicator indicator;
        alm_place place;
        alm_source source;
    } as;
} catalog_entry;

alm_str catalog_entry_code(const catalog_entry *entry);
const column_set *catalog_entry_columns(entry_kind kind);

// What reads rows; everything is borrowed.
typedef struct entry_reader {
    entry_kind kind;
    const header *header;
    text_decoder *decoder;
    report *report;
    alm_arena *arena;
} entry_reader;

// Reads the record; what is wrong is reported into the report's row in progress, and *ret is then
// not for use. Blank cells become what is usual for the kind.
// ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code catalog_entry_read(const entry_reader *r, const csv_record *record,
                                         catalog_entry *ret, alm_status *st);

// A defect in the cell of a field of the row in progress; column 0 where the file has none.
void catalog_entry_defect(const entry_reader *r, size_t field, alm_str value, const char *fmt, ...)
    ALM_PRINTF(4, 5);

#endif
