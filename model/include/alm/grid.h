// A grid: the cells of many series over one run of periods, in columns; what transforms compute on.
//
// A cell is a number with the interval it stands for, its status, what may be said of it ("over"),
// and the newest publication it was made of; or no number, and why.
//
// Threading: a grid belongs to one thread at a time. Lifetime: the arena it was made in.
#ifndef ALM_GRID_H
#define ALM_GRID_H

#include "alm/arena.h"
#include "alm/observation.h"

// Consecutive single periods of one frequency: first + 0 .. first + count - 1. All lie within years
// 1 to 9999.
typedef struct alm_axis {
    alm_period first; // length 1
    uint32_t count;   // > 0
} alm_axis;

#define ALM_AXIS_NONE UINT32_MAX
static inline alm_period alm_axis_at(alm_axis axis, uint32_t t)
{
    ALM_ASSERT(t < axis.count);
    alm_period period = axis.first;
    period.ordinal += (int32_t)t;
    return period;
}
// ALM_AXIS_NONE: another frequency or length, or outside.
uint32_t alm_axis_find(alm_axis axis, alm_period period);
// The axis from the first period to the last; of one frequency, length 1, first <= last (asserted).
alm_axis alm_axis_between(alm_period first, alm_period last);
// The least axis that holds both; of one frequency (asserted).
alm_axis alm_axis_union(alm_axis a, alm_axis b);

// What is in a cell, a byte: bits, and the status above them.
//   EXACT  the number is a decimal, to every digit; else a double
//   OVER   the number is the lower end of what it may be, but for the rounding of what was
//          published: exact, or "over"
//   UNDER  likewise the upper end. Exact figures are both, "about" is neither
enum {
    ALM_CELL_EXACT = 1,
    ALM_CELL_OVER = 2,
    ALM_CELL_UNDER = 4,
    ALM_CELL_COMPUTED = 8, // else as published
    ALM_CELL_STATUS_SHIFT = 4,
};
static inline alm_obs_status alm_cell_flags_status(uint8_t flags)
{
    return (alm_obs_status)(flags >> ALM_CELL_STATUS_SHIFT);
}

// Why a cell has no number.
typedef enum alm_gap {
    ALM_GAP_NONE,       // it has one
    ALM_GAP_UNOBSERVED, // nothing was published
    ALM_GAP_STATUS,     // it was published without a number: see the status
    ALM_GAP_UNIT,       // its unit does not convert
    ALM_GAP_INPUT,      // a cell it is computed from has none
    ALM_GAP_CALENDAR,   // there is no such period: week 53, or before year 1
    ALM_GAP_ZERO,       // what it is divided by is zero
    ALM_GAP_NEGATIVE,   // what it is divided by, or what has a logarithm or root, is not positive
    ALM_GAP_RANGE,      // the number does not fit
    ALM_GAP_WHOLE,      // of a share: there is no whole
} alm_gap;

typedef enum alm_grid_kind {
    ALM_GRID_DECIMALS, // every number is exact
    ALM_GRID_DOUBLES,  // none is
    ALM_GRID_MIXED,    // numbers has all, mantissas those that are
} alm_grid_kind;

// Cell (s, t) of series s in period t stands at s * axis.count + t.
typedef struct alm_grid {
    alm_axis axis;
    size_t series_count;
    alm_grid_kind kind;
    int8_t exponent;    // of all mantissas
    int64_t *mantissas; // x 10^exponent, of cells that are exact; NULL in a grid of doubles
    double *numbers;    // NULL in a grid of decimals
    int8_t *digits;     // the exponent a number is given to: of a decimal as published, of a double
                        // the finest that is worth to tell
    double *lower, *upper; // -inf, +inf where there is no number
    uint8_t *flags;
    uint8_t *gaps;    // alm_gap
    uint64_t *newest; // publication and source, see alm_newest; 0: none
} alm_grid;

#define ALM_GRID_NUMBER_MAX 1e32 // of doubles: what lies beyond is a gap of RANGE

static inline bool alm_grid_has(const alm_grid *grid, size_t cell)
{
    return grid->gaps[cell] == ALM_GAP_NONE;
}

static inline size_t alm_grid_cells(const alm_grid *grid)
{
    return grid->series_count * grid->axis.count;
}

// A number that grows with the publication date, of one date as the source id falls; 0 is nothing.
// The newest of several inputs is the maximum, in whichever order they come.
static inline uint64_t alm_newest(alm_date published, uint32_t source)
{
    return (uint64_t)((uint32_t)published ^ UINT32_C(0x80000000)) << 32 | (UINT32_MAX - source);
}
static inline alm_date alm_newest_published(uint64_t newest)
{
    return newest == 0 ? ALM_DATE_NONE : (alm_date)((uint32_t)(newest >> 32) ^ 0x80000000U);
}
static inline uint32_t alm_newest_source(uint64_t newest)
{
    return newest == 0 ? ALM_SOURCE_NONE : UINT32_MAX - (uint32_t)newest;
}

// An empty grid: every cell is UNOBSERVED.
//
// ALM_RESOURCE_EXHAUSTED  the arena is full, or more than ALM_GRID_CELL_COUNT_MAX cells
ALM_MUST_USE alm_code alm_grid_make(alm_axis axis, size_t series_count, alm_grid_kind kind,
                                    int8_t exponent, alm_arena *arena, alm_grid *ret,
                                    alm_status *st);

// One observation to be taken up.
typedef struct alm_grid_obs {
    uint32_t series, t;
    alm_value value;
    alm_interval interval;
    alm_date published;
    uint32_t source;
} alm_grid_obs;

// Which exponent holds decimals that are to stand in one grid: the finest of them. One that does
// not fit it makes the grid MIXED. Zeroed, it holds none yet.
typedef struct alm_grid_fit {
    int64_t largest[ALM_DECIMAL_EXPONENT_MAX - ALM_DECIMAL_EXPONENT_MIN + 1]; // by exponent
    bool is_there[ALM_DECIMAL_EXPONENT_MAX - ALM_DECIMAL_EXPONENT_MIN + 1];
} alm_grid_fit;

static inline void alm_grid_fit_take(alm_grid_fit *fit, alm_decimal number)
{
    size_t i = (size_t)(number.exponent - ALM_DECIMAL_EXPONENT_MIN);
    int64_t size = number.mantissa < 0 ? -number.mantissa : number.mantissa;
    fit->largest[i] = ALM_MAX(fit->largest[i], size);
    fit->is_there[i] = true;
}

// An empty grid for what the fit has taken.
//
// ALM_RESOURCE_EXHAUSTED  as above
ALM_MUST_USE alm_code alm_grid_make_fit(alm_axis axis, size_t series_count, const alm_grid_fit *fit,
                                        alm_arena *arena, alm_grid *ret, alm_status *st);
// Takes an observation up, of a cell that has none yet; its number was taken by the fit if it is in
// this unit.
void alm_grid_put(alm_grid *grid, const alm_grid_obs *obs, alm_unit unit);

// Sets value and interval as they are in `unit`, if they convert.
void alm_grid_obs_set(alm_grid_obs *obs, const alm_value *value, alm_interval interval,
                      alm_unit unit);

// Rows of one period that are to be taken up: row at[i] is of series[i].
typedef struct alm_grid_rows {
    const alm_obs_columns *rows;
    uint32_t t;
    uint32_t *series, *at;
    size_t count;
} alm_grid_rows;
// As alm_grid_fit_take and alm_grid_put of each, in `unit` where it converts.
void alm_grid_fit_rows(alm_grid_fit *fit, const alm_grid_rows *rows, alm_unit unit);
void alm_grid_put_rows(alm_grid *grid, const alm_grid_rows *rows, alm_unit unit);

// A grid of observations in one unit, of which each cell has at most one.
//
// ALM_RESOURCE_EXHAUSTED  as above
ALM_MUST_USE alm_code alm_grid_load(alm_axis axis, size_t series_count, const alm_grid_obs *obs,
                                    size_t count, alm_unit unit, alm_arena *arena, alm_grid *ret,
                                    alm_status *st);

// The cells of b where a has no number. Axes and series are the same (asserted); a keeps what it
// had.
ALM_MUST_USE alm_code alm_grid_prefer(const alm_grid *a, const alm_grid *b, alm_arena *arena,
                                      alm_grid *ret, alm_status *st);

// part / whole x 100, cell by cell: series s of the parts to series whole_of[s] of the wholes;
// UINT32_MAX: it has none. Axes are the same (asserted).
ALM_MUST_USE alm_code alm_grid_share(const alm_grid *parts, const alm_grid *wholes,
                                     const uint32_t *whole_of, alm_arena *arena, alm_grid *ret,
                                     alm_status *st);

// Every cell times a factor (> 0), and computed; decimals stay decimals where the factor is a power
// of ten.
ALM_MUST_USE alm_code alm_grid_scale(const alm_grid *in, double by, alm_arena *arena, alm_grid *ret,
                                     alm_status *st);

// A cell as a value in `unit`, and its interval: a double is rounded to the digits it deserves, see
// alm_number_deserved.
void alm_grid_value(const alm_grid *grid, size_t cell, alm_unit unit, alm_value *ret,
                    alm_interval *ret_interval);

// The same of consecutive cells with numbers of their own, as columns: how many there are from the
// first one on, at most `count`. mantissas, exponents: room for count.
size_t alm_grid_numbers(const alm_grid *grid, size_t cell, size_t count, int64_t *mantissas,
                        int32_t *exponents);
// What a number of a cell is of what it may be.
alm_qualifier alm_cell_flags_qualifier(uint8_t flags);

// A computed number with the digits it deserves: to `finest` (an exponent), or to the first digit
// of half its interval's width, whichever is coarser: 33 -+ 8, 12.83 -+ 0.06; of one that is an end
// of a finite interval, of what it may be off on its side, if that is less. A number so small
// that `finest` leaves it fewer than two digits that count is told to the second, if its interval
// allows. Half to even, a tie being what lies within 10^-11 of one. What is only a lower end is
// rounded down, what is only an upper end up.
//
// flags: OVER and UNDER. False: it is no number, or not less than ALM_GRID_NUMBER_MAX.
ALM_MUST_USE bool alm_number_deserved(double number, alm_interval interval, int finest,
                                      uint8_t flags, alm_decimal *ret);

// A computed number with its last digits, which roundings on the way may have changed, taken off:
// two that agree to 12 digits are made equal.
double alm_number_snap(double number);

#endif
