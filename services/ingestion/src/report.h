// What is wrong with a piece: the defects told to whoever imports, and the records set aside for
// the quarantine.
//
// A row with several defects tells all of them and is set aside once. A warning sets nothing aside.
#ifndef ALM_INGESTION_REPORT_H
#define ALM_INGESTION_REPORT_H

#include "intern.h"

#include "alm/arena.h"
#include "alm/str.h"

#include <stdarg.h>

typedef struct defect {
    uint64_t row;    // 1 is the header
    uint32_t column; // 1-based; 0: the whole row
    alm_str field;   // the column's name as in the file
    alm_str value;   // as text_show gives it
    alm_str reason;
    bool warning;
} defect;

typedef struct set_aside {
    uint64_t row;
    uint32_t column; // of the first defect
    alm_str field;
    alm_str reason; // of all defects
    alm_str record; // a view of the whole record
} set_aside;

typedef struct report {
    alm_arena *arena;
    interner reasons; // thousands of rows have the same reason
    defect *defects;  // in the order of rows
    size_t defect_count, defect_cap;
    size_t defect_bytes; // about, when encoded
    uint64_t defects_not_listed;
    set_aside *set_aside;
    size_t set_aside_count, set_aside_cap;
    set_aside row; // the row in progress
    bool row_is_bad;
    bool failed; // the arena is exhausted: what was gathered is incomplete
} report;

// Everything lives in the arena.
void report_init(report *r, alm_arena *arena);

// A row begins; record is viewed until the report's end.
void report_row_begin(report *r, uint64_t row, alm_str record);
// value: raw bytes of the cell, shown escaped and cut.
void report_defect(report *r, size_t column, alm_str field, alm_str value, const char *fmt, ...)
    ALM_PRINTF(5, 6);
void report_warning(report *r, size_t column, alm_str field, alm_str value, const char *fmt, ...)
    ALM_PRINTF(5, 6);
void report_add(report *r, size_t column, alm_str field, alm_str value, bool warning,
                const char *fmt, va_list args) ALM_PRINTF(6, 0);
// True: the row had no defect. Else it is set aside.
bool report_row_end(report *r);

// Puts the lists in the order of rows; nothing is added afterwards but conflicts.
void report_sort(report *r);

#endif
