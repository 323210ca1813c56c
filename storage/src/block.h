// A block: rows of observations packed column by column. One codec for the log, the slices and the
// older vintages; it knows nothing of keys or files.
//
//   u8 version; varint rows; varint notes, each varint length and bytes; u8 is_scaled;
//   signed varint scale; u32 base; then the columns:
//   variant, place, period (alm_period_pack), mantissa, exponent, unit (measure | mult << 8),
//   flags (qualifier | status << 4 | has_number << 8), source + 1 (0: none), published, sequence,
//   note (0: none, else index + 1)
//   u8 has_sums; if it has, frames of the sums of the mantissas of every 64 rows
//
// Where a base (base.h) makes it shorter, the numbers are what is left over it: u32 id of the base
// behind the scale, 0 for none, and for the mantissa column frames of factors, one for every 256
// rows, then frames of what is left.
//
// Numbers are packed at one scale, the lowest exponent among them, so that a sum over rows need
// not look at exponents; the exponent column keeps with how many digits each was published. Where
// that takes more than 18 digits the block is not scaled, and each mantissa stands at its own
// exponent.
//
// Decoding validates every number, so damaged or hostile bytes give a status, never a wrong row
// shape.
#ifndef ALM_STORAGE_BLOCK_H
#define ALM_STORAGE_BLOCK_H

#include "alm/arena.h"
#include "alm/buf.h"
#include "alm/observation.h"
#include "base.h"
#include "column.h"

// 10^power, power >= 0. False: a number of 18 digits cannot be multiplied by it.
ALM_MUST_USE bool alm_block_power_of_ten(int power, int64_t *ret);

enum {
    ALM_BLOCK_VARIANT,
    ALM_BLOCK_PLACE,
    ALM_BLOCK_PERIOD,
    ALM_BLOCK_MANTISSA,
    ALM_BLOCK_EXPONENT,
    ALM_BLOCK_UNIT,
    ALM_BLOCK_FLAGS,
    ALM_BLOCK_SOURCE,
    ALM_BLOCK_PUBLISHED,
    ALM_BLOCK_SEQUENCE,
    ALM_BLOCK_NOTE,
    ALM_BLOCK_COLUMN_COUNT
};

#define ALM_BLOCK_SUM_ROWS 64

// Rows as columns, ready to be written once or several times. Lives in the scratch arena, and views
// the rows' notes.
typedef struct alm_block_draft {
    size_t count;
    bool is_scaled;
    int scale;
    int64_t *columns[ALM_BLOCK_COLUMN_COUNT]; // NULL: all rows have what common says
    int64_t common[ALM_BLOCK_COLUMN_COUNT];
    const alm_str *notes;
    size_t note_count;
    bool has_sums;
    int64_t *sums, *indices, *left; // each has room for all rows
} alm_block_draft;

// What a row without a number says of one does not count.
//
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_block_draft_make(const alm_obs *rows, size_t count, alm_arena *scratch,
                                           alm_block_draft *ret, alm_status *st);
// Gives all rows the same in a column, whatever they said.
void alm_block_draft_set(alm_block_draft *draft, int column, int64_t value);
// Appends the block. base: NULL if there is none, or the rows are not all of its places, in order.
//
// ALM_RESOURCE_EXHAUSTED  the buffer is full
ALM_MUST_USE alm_code alm_block_draft_put(const alm_block_draft *draft, const alm_base *base,
                                          alm_buf *out, alm_status *st);
// Both.
ALM_MUST_USE alm_code alm_block_encode(const alm_obs *rows, size_t count, const alm_base *base,
                                       alm_arena *scratch, alm_buf *out, alm_status *st);
// Appends the block as it is over another base, or none.
//
// ALM_DATA_LOSS  malformed
ALM_MUST_USE alm_code alm_block_rebase(alm_str bytes, size_t count_max, const alm_base *old,
                                       const alm_base *base, alm_arena *scratch, alm_buf *out,
                                       alm_status *st);

// A block opened for reading. Borrows the bytes, and the arena for its table of notes.
typedef struct alm_block {
    size_t count;
    bool is_scaled;
    int8_t scale;         // of the mantissa column; 0 where it is not scaled
    uint32_t base_id;     // 0: none
    const alm_base *base; // borrowed
    alm_frames factors;   // over the base; what is left are the mantissa column's numbers
    bool has_sums;
    alm_frames sums;                            // of the mantissas of every ALM_BLOCK_SUM_ROWS rows
    alm_column columns[ALM_BLOCK_COLUMN_COUNT]; // mantissas are read by alm_block_numbers
    const alm_str *notes;
    size_t note_count;
} alm_block;

// The whole of bytes must be one block of at most count_max rows. base: of the part it belongs to,
// NULL if it has none; it must live as long as the block is read.
//
// ALM_DATA_LOSS           malformed, or over another base
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_block_open(alm_str bytes, size_t count_max, const alm_base *base,
                                     alm_arena *arena, alm_block *ret, alm_status *st);

// Mantissas of the rows from..to-1, at the block's scale if it has one.
void alm_block_numbers(alm_block *block, size_t from, size_t to, int64_t *ret);
// Their flags, as alm_block_flags says them. False: damaged.
ALM_MUST_USE bool alm_block_cell_flags(alm_block *block, size_t from, size_t to, uint16_t *ret);
// Their places, which ascend. False: damaged.
ALM_MUST_USE bool alm_block_places(alm_block *block, size_t from, size_t to, alm_place_id *ret);

// The flags column's number of a value, and back. False: no value has such flags.
int64_t alm_block_flags(const alm_value *value);
ALM_MUST_USE bool alm_block_flags_set(int64_t flags, alm_value *value);
static inline bool alm_block_flags_have_number(int64_t flags)
{
    return flags >> 8 != 0;
}

// Sets what one column says of count rows. The notes are those that the note column counts. False:
// a value that no row can have.
ALM_MUST_USE bool alm_block_set(int column, const int64_t *values, size_t count,
                                const alm_str *notes, size_t note_count, alm_obs *rows);
// Gives numbers that stand at the scale their own exponents back, which the rows have already.
// False: a number that was never so.
ALM_MUST_USE bool alm_block_unscale(int scale, alm_obs *rows, size_t count);

// Rows from..to-1. Notes view the bytes. ALM_DATA_LOSS: a value that no row can have.
ALM_MUST_USE alm_code alm_block_get(alm_block *block, size_t from, size_t to, alm_obs *ret,
                                    alm_status *st);

// Of a row only its source, publication date and commit. ALM_DATA_LOSS: a value that no row can
// have.
ALM_MUST_USE alm_code alm_block_get_when(alm_block *block, size_t row, alm_obs *ret,
                                         alm_status *st);

// The first row from `from` on whose place is not before `place`; count if none. Rows must be
// ordered by place.
size_t alm_block_find_place(alm_block *block, size_t from, alm_place_id place);

alm_place_id alm_block_place(alm_block *block, size_t row);
alm_obs_status alm_block_status(alm_block *block,
                                size_t row); // unchecked: ALM_OBS_STATUS_COUNT.. too

#endif
