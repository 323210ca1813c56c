// A group of series: neighbouring places over their periods, one variant. The second layout: what a
// slice is to a period, a group is to a place.
//
//   u8 version; varint places; places, a column
//   varint periods; u8 freq; their ordinals and lengths, columns
//   varint rows; their cells (place * periods + period), a column
//   varint notes, each varint length and bytes; u8 is_scaled; signed varint scale
//   exponent, unit, flags, source, published, sequence, note, as in block.h: each a column over
//     rows, or u8 7 and what a period's rows mostly hold, a column over periods, then varint odd
//     rows and, if there are any, frames of them and of their values
//   frames: bytes of each place's numbers; the numbers of each place, as deltas.h has them
//   varint length; the losing vintages of all cells, a block of rows (block.h), or nothing
//
// Rows stand by place, then period. One place is read without decoding the others.
#ifndef ALM_STORAGE_GROUP_H
#define ALM_STORAGE_GROUP_H

#include "block.h"

// Cells of some places over some periods, what groups are made of. That of place i in period j
// stands at i * period_count + j.
typedef struct alm_panel {
    size_t place_count, period_count;
    const alm_place_id *places; // ascending
    const alm_period *periods;  // ascending, of one frequency
    const bool *present;
    // By column of a block; NULL: all cells hold the constant. Mantissas are never NULL.
    int64_t *columns[ALM_BLOCK_COLUMN_COUNT];
    int64_t constants[ALM_BLOCK_COLUMN_COUNT];
    const alm_str *notes;
    size_t note_count;
    bool is_scaled;
    int8_t scale;
    const alm_obs *others; // losing vintages: by place, then period
    size_t other_count;
    unsigned lag; // periods of a year, if that is a help; else 0
} alm_panel;

// Appends the group of the panel's places from..to-1, of which one at least has a cell.
//
// ALM_RESOURCE_EXHAUSTED  no memory, or the buffer is full
ALM_MUST_USE alm_code alm_group_encode(const alm_panel *panel, size_t from, size_t to,
                                       alm_arena *scratch, alm_buf *out, alm_status *st);

// What the rows hold beside numbers.
typedef struct alm_group_attribute {
    bool is_by_period;
    alm_column column; // over rows, or over periods
    alm_frames odd_rows, odd_values;
} alm_group_attribute;

// Opened for reading; borrows the bytes, and the arena for its table of notes.
typedef struct alm_group {
    size_t place_count, period_count, row_count;
    alm_column places, ordinals, lengths, cells;
    uint8_t freq;
    const alm_str *notes;
    size_t note_count;
    bool is_scaled;
    int8_t scale;
    alm_group_attribute attributes[ALM_BLOCK_COLUMN_COUNT];
    alm_frames number_bytes;
    const int64_t *number_at; // of each place, and behind the last: where its numbers begin
    const uint8_t *numbers;
    alm_str others; // a block; empty: none
} alm_group;

// ALM_DATA_LOSS           malformed
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_group_open(alm_str bytes, alm_arena *arena, alm_group *ret,
                                     alm_status *st);

// One place's rows, in the group from row `from` on.
typedef struct alm_group_series {
    size_t place; // its index
    size_t from, count;
    const int64_t *axis; // of each row, its period's index; in the arena
} alm_group_series;

// count 0: the group has no cell of it.
//
// ALM_DATA_LOSS           what no row can have; so in all below
// ALM_RESOURCE_EXHAUSTED  no memory; so in all below
ALM_MUST_USE alm_code alm_group_find(alm_group *group, alm_place_id place, alm_arena *arena,
                                     alm_group_series *ret, alm_status *st);

// Its periods, and its numbers as they stand (at the group's scale, if it has one); ret has room
// for count.
ALM_MUST_USE alm_code alm_group_periods(alm_group *group, const alm_group_series *series,
                                        alm_arena *scratch, alm_period *ret, alm_status *st);
ALM_MUST_USE alm_code alm_group_numbers(alm_group *group, const alm_group_series *series,
                                        int64_t *ret, alm_status *st);
// Do all rows of all places hold the same in this column, which is neither variant, place, period
// nor mantissa?
bool alm_group_constant(const alm_group *group, int column);
// What it says of the rows.
ALM_MUST_USE alm_code alm_group_column(alm_group *group, const alm_group_series *series, int column,
                                       alm_arena *scratch, int64_t *ret, alm_status *st);
// The rows as a whole, of variant 0. Notes view the bytes.
ALM_MUST_USE alm_code alm_group_rows(alm_group *group, const alm_group_series *series,
                                     alm_arena *scratch, alm_obs *ret, alm_status *st);

#endif
