// Everything that was published of some cells, found again by cell: every vintage, and which of
// them stood on a day.
#ifndef ALM_PUBLICATIONS_H
#define ALM_PUBLICATIONS_H

#include "row_reader.h"
#include "variant_table.h"

#include "alm/catalog.h"

typedef struct alm_publications {
    alm_arena *arena;
    const alm_catalog *catalog;
    alm_variant_table *variants; // borrowed
    alm_obs *rows;               // variant: of the table
    size_t count, cap;
} alm_publications;

// The vintages of one cell, in the order they were published in.
typedef struct alm_cell_rows {
    const alm_obs *rows;
    size_t count;
} alm_cell_rows;

// An alm_row_visit whose arg is the alm_publications: copies rows in.
//
// ALM_RESOURCE_EXHAUSTED  more than ALM_QUERY_CELL_COUNT_MAX rows
ALM_MUST_USE alm_code alm_publications_visit(void *arg, const alm_str *variants,
                                             size_t variant_count, const alm_obs_columns *rows,
                                             alm_status *st);
void alm_publications_sort(alm_publications *it); // once all are there; before any look-up

// The cell of row `first`, and how many rows it has.
alm_cell_rows alm_publications_cell(const alm_publications *it, size_t first);
alm_cell_rows alm_publications_find(const alm_publications *it, uint32_t variant,
                                    alm_place_id place, alm_period period);

// The one that counts on a day: of what each source said last, if it is no withdrawal, that of the
// highest precedence, then the newest. NULL: none. Storage's rule, with which a test compares it.
const alm_obs *alm_publications_choose(const alm_publications *it, alm_cell_rows cell,
                                       alm_date as_of);
// That of the same source and day. NULL: none, or it was withdrawn since.
const alm_obs *alm_publications_same(alm_cell_rows cell, const alm_obs *as);
// Is it what its source said last of its cell?
bool alm_publication_is_last_word(alm_cell_rows cell, const alm_obs *row, alm_date as_of);

#endif
