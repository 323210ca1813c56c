// A column of a block: integers in whatever form is shortest.
//
//   0..3        as frames.h has them: zeros, constant, frames, frames over value - row
//   dictionary  u8 4; u8 count (2..16); that many signed varints, ascending; frames of indices
//   sparse      u8 5; signed varint: what most rows hold; varint: the number of other rows, 1..;
//               frames of their row numbers; frames of their values
//   gaps        u8 6; signed varint: the first value; varint: the number of gaps, 1..;
//               frames of the rows behind a gap; frames of what is left out up to there
//
// Gaps are for ascending columns in which most values are one more than the last: the places of a
// release of which a few are missing. Any row is found without decoding those before it.
#ifndef ALM_STORAGE_COLUMN_H
#define ALM_STORAGE_COLUMN_H

#include "frames.h"

#define ALM_COLUMN_DICTIONARY_MAX 16

// Appends the column. scratch has room for count numbers. A full buffer shows in out->failed.
void alm_column_encode(const int64_t *values, size_t count, int64_t *scratch, alm_buf *out);

typedef enum alm_column_form {
    ALM_COLUMN_FRAMES,
    ALM_COLUMN_DICTIONARY,
    ALM_COLUMN_SPARSE,
    ALM_COLUMN_GAPS
} alm_column_form;

// A column opened for reading; borrows the bytes. Belongs to one thread: it remembers where it was.
typedef struct alm_column {
    alm_str bytes; // columns of as many rows with the same bytes hold the same
    size_t count;
    alm_column_form form;
    int64_t base;       // what most rows hold, or the first value
    alm_frames numbers; // all, or their indices, or those of the odd rows
    alm_frames odd;     // rows that are other than expected, ascending
    uint8_t dictionary_count;
    int64_t dictionary[ALM_COLUMN_DICTIONARY_MAX];
} alm_column;

// Takes a column of count rows off the reader. False: malformed.
ALM_MUST_USE bool alm_column_open(alm_reader *r, size_t count, alm_column *ret);

// Do all rows hold the same? Then any row tells what.
bool alm_column_constant(const alm_column *column);
int64_t alm_column_get(alm_column *column, size_t row);                          // row < count
void alm_column_range(alm_column *column, size_t from, size_t to, int64_t *ret); // to <= count
// Of a sparse column: those of the rows from..to-1 that are other than most, a few at a time. *at
// is 0 at first and moves on. Returns how many there are; 0: no more.
#define ALM_COLUMN_ODD_COUNT 128
size_t alm_column_odd(alm_column *column, size_t from, size_t to, size_t *at,
                      int64_t ret_rows[ALM_COLUMN_ODD_COUNT],
                      int64_t ret_values[ALM_COLUMN_ODD_COUNT]);

// Rows from `row` on, up to the next run's, hold value, value + 1, value + 2 ...
typedef struct alm_column_run {
    size_t row;
    int64_t value;
} alm_column_run;
#define ALM_COLUMN_RUN_COUNT 64
// The first runs of the rows from..to-1, as far as the column knows of them without looking at each
// row. *ret_to: the row behind them. Returns how many there are.
size_t alm_column_runs(alm_column *column, size_t from, size_t to,
                       alm_column_run ret[ALM_COLUMN_RUN_COUNT], size_t *ret_to);
// The first row whose number is not less than v; count if none. The column must ascend.
size_t alm_column_find(alm_column *column, int64_t v);

// Finds one value after the other, each not less than the one before, quicker than alm_column_find
// does: what was decoded for one serves the next.
typedef struct alm_column_finder {
    alm_column *column;
    size_t row;      // that was found last; not of gaps
    size_t from, to; // gaps that are at hand
    int64_t before;  // what is left out up to the first of them
    int64_t rows[ALM_PACK_FRAME], left_out[ALM_PACK_FRAME];
} alm_column_finder;
void alm_column_finder_init(alm_column_finder *finder, alm_column *column);
size_t alm_column_find_next(alm_column_finder *finder, int64_t v);

#endif
