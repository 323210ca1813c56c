// Records and fields of CSV text in memory (RFC 4180): quoted fields with doubled quotes and line
// breaks inside, LF or CRLF, a last line without its end.
//
// A record that is not CSV costs itself and nothing else: reading goes on at the line after its
// first one. An unclosed quote that swallowed the next lines gives them back that way.
//
// Rows are counted as a spreadsheet shows them: a record with line breaks inside is one row, an
// empty line is one too (it is counted and not given).
#ifndef ALM_INGESTION_CSV_H
#define ALM_INGESTION_CSV_H

#include "alm/arena.h"
#include "alm/str.h"

typedef enum csv_verdict {
    CSV_OK,
    CSV_STRAY_QUOTE,      // a quote inside a field that does not start with one
    CSV_TEXT_AFTER_QUOTE, // something between a closing quote and the next comma
    CSV_UNCLOSED_QUOTE,
    CSV_NUL,             // a NUL byte
    CSV_TOO_LONG,        // more than ALM_IMPORT_RECORD_BYTES_MAX
    CSV_TOO_MANY_FIELDS, // more than ALM_IMPORT_COLUMN_COUNT_MAX
} csv_verdict;

typedef struct csv_record {
    uint64_t row;
    alm_str raw; // as it came, without its line end; a broken record: its first line
    const alm_str
        *fields;        // unquoted; valid until the next record, what they view until the arena's
                        // reset
    size_t field_count; // 0 unless verdict is CSV_OK
    csv_verdict verdict;
    size_t column; // 1-based: the field that broke it; 0: the whole record
} csv_record;

typedef struct csv_reader {
    alm_str data;    // borrowed
    size_t at;       // the next record's first byte
    uint64_t row;    // its number
    size_t quote_at; // the first quote at or after `at`; data.len: none
    size_t nul_at;   // likewise
    alm_arena *arena;
    alm_str *fields;
    size_t field_cap;
    bool failed; // the arena is exhausted; no more records are given
} csv_reader;

// data and arena are borrowed for the reader's life.
void csv_reader_init(csv_reader *reader, alm_str data, uint64_t first_row, alm_arena *arena);

// False: the end, or failed.
ALM_MUST_USE bool csv_next(csv_reader *reader, csv_record *ret);

// "a quote is not closed": what is wrong with a record of that verdict, for people.
const char *csv_verdict_text(csv_verdict verdict);

#endif
