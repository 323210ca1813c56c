// Where the answering core gets its rows from: storage behind a call, or a table in a test.
#ifndef ALM_ROW_READER_H
#define ALM_ROW_READER_H

#include "alm/observation.h"
#include "alm/period_expr.h"
#include "alm/slice_totals.h"

// Which cells are wanted, of every variant that matches. The words of storage's ReadRequest.
typedef struct alm_fetch {
    const alm_str *indicators; // codes; none: all
    size_t indicator_count;
    uint32_t measures;             // bit (1 << alm_measure); 0: all
    alm_accumulation accumulation; // NONE: all
    alm_freq freq;                 // NONE: all
    alm_str breakdown;             // "": totals only; "*": all; else canonical
    bool all_places;
    const alm_place_id *places; // ascending
    size_t place_count;
    alm_period_expr periods;
    alm_date as_of;          // ALM_DATE_MAX: newest
    alm_date today;          // with that: what was published later does not count; 0: all counts
    const uint32_t *sources; // ids; none: all, by precedence
    size_t source_count;
    bool without_value; // cells of which all was withdrawn, too; with LAST those that miss one
    bool all_vintages;  // every vintage instead of the winning one
    uint32_t top;       // > 0: of each variant and period at least those cells of which fewer than
        // `top` of their unit come before them by number, and those without a number
        // where no unit has so many; at most ALM_TOP_COUNT_MAX
    bool top_is_lowest; // the lowest come first, else the highest
} alm_fetch;

#define ALM_MEASURE_BIT(measure) (UINT32_C(1) << (measure))

// Rows of the places that were asked, of one variant after another, ordered by period, then place
// id. Their variants index the table (canonical text). Everything is valid during the visit only.
// A visitor's failure ends the read and is its answer.
typedef alm_code (*alm_row_visit)(void *arg, const alm_str *variants, size_t variant_count,
                                  const alm_obs_columns *rows, alm_status *st);

// Rows that are read as well, behind what else is.
typedef struct alm_read_beside {
    alm_fetch fetch;
    alm_row_visit visit;
    void *arg;
} alm_read_beside;

// All reads of one reader see one state of the store.
typedef struct alm_row_reader {
    void *self;
    alm_code (*read)(void *self, const alm_fetch *fetch, alm_row_visit visit, void *arg,
                     alm_status *st);
    // Asked between the parts of a long computation; a failure ends it. NULL: nobody gives up.
    alm_code (*check)(void *self, alm_status *st);
    // What the cells add up to, by groups of places instead of the fetch's; there are at most
    // ALM_TOTAL_GROUP_COUNT_MAX. Slices in which some member has a cell come once each, otherwise
    // as rows do. beside: NULL, nothing else. NULL: only rows are answered.
    alm_code (*totals)(void *self, const alm_fetch *fetch, const alm_total_groups *groups,
                       alm_totals_visit visit, void *arg, const alm_read_beside *beside,
                       alm_status *st);
} alm_row_reader;

ALM_MUST_USE static inline alm_code alm_row_reader_check(const alm_row_reader *it, alm_status *st)
{
    return it->check == NULL ? ALM_OK : it->check(it->self, st);
}

#endif
