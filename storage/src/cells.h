// Cells as columns while an answer is put together: what becomes of alm_vector. Pure.
#ifndef ALM_STORAGE_CELLS_H
#define ALM_STORAGE_CELLS_H

#include "block.h"
#include "alm/store.h"

typedef struct alm_cells {
    size_t count, cap;
    bool is_series;
    alm_place_id *places; // of a slice
    alm_period *periods;  // of a series
    int64_t *numbers;     // at the exponent; 0: none
    uint16_t *flags;
    bool has_flags; // else all are common_flags
    uint16_t common_flags;
    bool has_number; // of some cell: unit and exponent are said
    alm_unit unit;
    int8_t exponent;
} alm_cells;

// Zero-initialised they are empty. Memory is kept from answer to answer.
void alm_cells_deinit(alm_cells *cells);
void alm_cells_begin(alm_cells *cells, bool is_series); // empties them

// Room for at least so many more. ALM_RESOURCE_EXHAUSTED: no memory.
ALM_MUST_USE alm_code alm_cells_reserve(alm_cells *cells, size_t count, alm_status *st);

// Gives each cell flags of its own.
void alm_cells_spread_flags(alm_cells *cells);

// Makes numbers at the exponent and of the unit welcome: *ret_factor is what they are to be
// multiplied by. What is there already is rescaled if need be.
//
// ALM_FAILED_PRECONDITION  another unit than the others', or no common exponent
ALM_MUST_USE alm_code alm_cells_admit(alm_cells *cells, alm_unit unit, int exponent,
                                      int64_t *ret_factor, alm_status *st);
// number x factor. ALM_FAILED_PRECONDITION: more than 18 digits.
ALM_MUST_USE alm_code alm_cells_scale(int64_t *number, int64_t factor, alm_status *st);

// Puts the row's value at index i, where a cell is.
ALM_MUST_USE alm_code alm_cells_set(alm_cells *cells, size_t i, const alm_value *value,
                                    alm_status *st);
// Makes room for a cell at index i <= count, without period, place or value.
ALM_MUST_USE alm_code alm_cells_insert(alm_cells *cells, size_t i, alm_status *st);
// Removes those that were withdrawn.
void alm_cells_drop_withdrawn(alm_cells *cells);

alm_vector alm_cells_view(const alm_cells *cells, uint64_t sequence);

#endif
