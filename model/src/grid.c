#include "alm/grid.h"

#include "alm/limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// --- axes ---------------------------------------------------------------------------------------

uint32_t alm_axis_find(alm_axis axis, alm_period period)
{
    int64_t t = (int64_t)period.ordinal - axis.first.ordinal;
    bool is_of_axis = period.freq == axis.first.freq && period.length == 1;
    return is_of_axis && t >= 0 && t < axis.count ? (uint32_t)t : ALM_AXIS_NONE;
}

alm_axis alm_axis_between(alm_period first, alm_period last)
{
    ALM_ASSERT(first.freq == last.freq);
    ALM_ASSERT(first.length == 1 && last.length == 1);
    ALM_ASSERT(first.ordinal <= last.ordinal);
    return (alm_axis){first, (uint32_t)(last.ordinal - first.ordinal) + 1};
}

alm_axis alm_axis_union(alm_axis a, alm_axis b)
{
    alm_period a_last = alm_axis_at(a, a.count - 1);
    alm_period b_last = alm_axis_at(b, b.count - 1);
    return alm_axis_between(a.first.ordinal < b.first.ordinal ? a.first : b.first,
                            a_last.ordinal > b_last.ordinal ? a_last : b_last);
}

// --- making -------------------------------------------------------------------------------------

static alm_code no_memory(size_t cells, alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for a grid of %zu cells",
                          cells);
}

alm_code alm_grid_make(alm_axis axis, size_t series_count, alm_grid_kind kind, int8_t exponent,
                       alm_arena *arena, alm_grid *ret, alm_status *st)
{
    if (series_count > ALM_GRID_CELL_COUNT_MAX / axis.count) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "%zu series over %u periods are more than %d cells, the limit",
                              series_count, axis.count, ALM_GRID_CELL_COUNT_MAX);
    }
    size_t cells = series_count * axis.count;
    alm_grid grid = {
        .axis = axis,
        .series_count = series_count,
        .kind = kind,
        .exponent = exponent,
        .mantissas =
            kind == ALM_GRID_DOUBLES ? NULL : alm_arena_calloc(arena, cells, sizeof(int64_t)),
        .numbers =
            kind == ALM_GRID_DECIMALS ? NULL : alm_arena_calloc(arena, cells, sizeof(double)),
        .digits = alm_arena_calloc(arena, cells, sizeof(int8_t)),
        .lower = alm_arena_alloc(arena, cells * sizeof(double)),
        .upper = alm_arena_alloc(arena, cells * sizeof(double)),
        .flags = alm_arena_alloc(arena, cells),
        .gaps = alm_arena_alloc(arena, cells),
        .newest = alm_arena_calloc(arena, cells, sizeof(uint64_t)),
    };
    bool has_numbers = (grid.mantissas != NULL || kind == ALM_GRID_DOUBLES) &&
                       (grid.numbers != NULL || kind == ALM_GRID_DECIMALS);
    if (!has_numbers || grid.digits == NULL || grid.lower == NULL || grid.upper == NULL ||
        grid.flags == NULL || grid.gaps == NULL || grid.newest == NULL) {
        return no_memory(cells, st);
    }
    for (size_t i = 0; i < cells; i++) {
        grid.lower[i] = -INFINITY;
        grid.upper[i] = INFINITY;
    }
    memset(grid.flags, ALM_OBS_STATUS_MISSING_UNSPECIFIED << ALM_CELL_STATUS_SHIFT, cells);
    memset(grid.gaps, ALM_GAP_UNOBSERVED, cells);
    *ret = grid;
    return ALM_OK;
}

// --- loading ------------------------------------------------------------------------------------

static uint8_t bounds_of(alm_qualifier qualifier)
{
    switch (qualifier) {
    case ALM_QUALIFIER_EXACT:
        return ALM_CELL_OVER | ALM_CELL_UNDER;
    case ALM_QUALIFIER_MORE_THAN:
    case ALM_QUALIFIER_AT_LEAST:
    case ALM_QUALIFIER_PASSED_THRESHOLD:
        return ALM_CELL_OVER;
    case ALM_QUALIFIER_LESS_THAN:
    case ALM_QUALIFIER_AT_MOST:
        return ALM_CELL_UNDER;
    default:
        return 0;
    }
}

// A decimal into a cell: exact if it fits the grid's exponent.
static void put_decimal(alm_grid *grid, size_t i, alm_decimal number)
{
    alm_decimal fitted;
    bool fits = grid->mantissas != NULL &&
                alm_decimal_rescale(number, grid->exponent, &fitted, NULL) == ALM_OK;
    ALM_ASSERT(fits || grid->kind != ALM_GRID_DECIMALS);
    if (fits) {
        grid->mantissas[i] = fitted.mantissa;
        grid->flags[i] |= ALM_CELL_EXACT;
    }
    if (grid->numbers != NULL) {
        grid->numbers[i] = alm_decimal_to_double(number);
    }
}

void alm_grid_put(alm_grid *grid, const alm_grid_obs *obs, alm_unit unit)
{
    size_t i = (size_t)obs->series * grid->axis.count + obs->t;
    const alm_value *value = &obs->value;
    ALM_ASSERT(obs->series < grid->series_count && obs->t < grid->axis.count);
    ALM_ASSERT(grid->gaps[i] == ALM_GAP_UNOBSERVED);
    grid->newest[i] = alm_newest(obs->published, obs->source);
    grid->flags[i] = (uint8_t)(value->status << ALM_CELL_STATUS_SHIFT);
    if (!value->has_number) {
        grid->gaps[i] = ALM_GAP_STATUS;
        return;
    }
    if (!alm_unit_eq(value->unit, unit)) {
        grid->gaps[i] = ALM_GAP_UNIT;
        return;
    }
    bool fits_double = fabs(alm_decimal_to_double(value->number)) < ALM_GRID_NUMBER_MAX;
    if (grid->kind != ALM_GRID_DECIMALS && !fits_double) {
        grid->gaps[i] = ALM_GAP_RANGE;
        grid->flags[i] = ALM_OBS_STATUS_MISSING << ALM_CELL_STATUS_SHIFT;
        return;
    }
    grid->gaps[i] = ALM_GAP_NONE;
    grid->flags[i] |= bounds_of(value->qualifier);
    grid->digits[i] = value->number.exponent;
    grid->lower[i] = obs->interval.lower;
    grid->upper[i] = obs->interval.upper;
    put_decimal(grid, i, value->number);
}

alm_code alm_grid_make_fit(alm_axis axis, size_t series_count, const alm_grid_fit *fit,
                           alm_arena *arena, alm_grid *ret, alm_status *st)
{
    int finest = ALM_DECIMAL_EXPONENT_MIN;
    bool fits = true;
    while (finest < ALM_DECIMAL_EXPONENT_MAX && !fit->is_there[finest - ALM_DECIMAL_EXPONENT_MIN]) {
        finest++;
    }
    bool any = fit->is_there[finest - ALM_DECIMAL_EXPONENT_MIN];
    for (int e = finest; e <= ALM_DECIMAL_EXPONENT_MAX; e++) {
        alm_decimal largest = {fit->largest[e - ALM_DECIMAL_EXPONENT_MIN], (int8_t)e};
        alm_decimal fitted;
        fits = fits && alm_decimal_rescale(largest, finest, &fitted, NULL) == ALM_OK;
    }
    return alm_grid_make(axis, series_count, fits ? ALM_GRID_DECIMALS : ALM_GRID_MIXED,
                         any ? (int8_t)finest : 0, arena, ret, st);
}

alm_code alm_grid_load(alm_axis axis, size_t series_count, const alm_grid_obs *obs, size_t count,
                       alm_unit unit, alm_arena *arena, alm_grid *ret, alm_status *st)
{
    alm_grid_fit fit = {0};
    for (size_t i = 0; i < count; i++) {
        if (obs[i].value.has_number) {
            alm_grid_fit_take(&fit, obs[i].value.number);
        }
    }
    ALM_TRY(alm_grid_make_fit(axis, series_count, &fit, arena, ret, st));
    for (size_t i = 0; i < count; i++) {
        alm_grid_put(ret, &obs[i], unit);
    }
    return ALM_OK;
}

// --- rows ---------------------------------------------------------------------------------------

static double power_of_ten(int power)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int size = abs(power);
    double value = (size_t)size < ALM_ARRAY_LEN(powers) ? powers[size] : pow(10, size);
    return power < 0 ? 1 / value : value;
}

void alm_grid_obs_set(alm_grid_obs *obs, const alm_value *value, alm_interval interval,
                      alm_unit unit)
{
    obs->value = *value;
    obs->interval = interval;
    if (!value->has_number || alm_unit_eq(value->unit, unit) ||
        !alm_unit_convertible(value->unit, unit) ||
        alm_number_in_unit(value, unit, &obs->value.number, NULL) != ALM_OK) {
        return;
    }
    obs->interval = alm_interval_scale(interval, alm_unit_factor(value->unit, unit));
    obs->value.unit = unit;
}

// Are all numbers in this unit as they are?
static bool are_in_unit(const alm_obs_columns *rows, alm_unit unit)
{
    return !rows->each_unit && alm_unit_eq(rows->unit[0], unit);
}

void alm_grid_fit_rows(alm_grid_fit *fit, const alm_grid_rows *it, alm_unit unit)
{
    bool is_in_unit = are_in_unit(it->rows, unit);
    for (size_t i = 0; i < it->count; i++) {
        size_t row = it->at[i];
        alm_grid_obs obs;
        if (!alm_obs_flags_have_number(ALM_OBS_AT(it->rows, flags, row))) {
            continue;
        }
        if (is_in_unit) {
            alm_grid_fit_take(fit, (alm_decimal){ALM_OBS_AT(it->rows, mantissa, row),
                                                 (int8_t)ALM_OBS_AT(it->rows, exponent, row)});
            continue;
        }
        alm_value value = alm_obs_at(it->rows, row).value;
        alm_grid_obs_set(&obs, &value, (alm_interval){0}, unit);
        alm_grid_fit_take(fit, obs.value.number);
    }
}

static void put_row(alm_grid *grid, const alm_grid_rows *it, size_t i, alm_unit unit)
{
    alm_obs row = alm_obs_at(it->rows, it->at[i]);
    alm_grid_obs obs = {
        .series = it->series[i],
        .t = it->t,
        .published = row.published,
        .source = row.source,
    };
    alm_grid_obs_set(&obs, &row.value, alm_value_interval(&row.value), unit);
    alm_grid_put(grid, &obs, unit);
}

// Numbers of one exponent in the grid's unit, which are exact: what one of them takes is worked out
// for all.
typedef struct plain_rows {
    bool is_made, is_plain; // else they are to be put one by one
    int64_t to_grid;        // a mantissa times that is one of the grid
    bool is_divided;        // ends are divided by the power, else multiplied
    double power;           // of an end with one digit more
    int64_t half;           // of a unit of the last digit, likewise
} plain_rows;

#define PLAIN_MANTISSA_MAX (INT64_C(1) << 49) // ten times that is a whole double

static plain_rows make_plain(const alm_grid *grid, int8_t exponent, alm_unit unit)
{
    alm_decimal unit_of_grid;
    plain_rows plain = {.is_made = true};
    if (exponent <= ALM_DECIMAL_EXPONENT_MIN ||
        alm_decimal_rescale((alm_decimal){1, exponent}, grid->exponent, &unit_of_grid, NULL) !=
            ALM_OK) {
        return plain;
    }
    alm_value one = {.number = {1, exponent}, .unit = unit, .has_number = true};
    plain.is_plain = true;
    plain.to_grid = unit_of_grid.mantissa;
    plain.is_divided = exponent < 1;
    plain.power = power_of_ten(exponent < 1 ? 1 - exponent : exponent - 1);
    plain.half = alm_value_reach(&one).above;
    return plain;
}

static double end_of(const plain_rows *plain, int64_t mantissa)
{
    return plain->is_divided ? (double)mantissa / plain->power : (double)mantissa * plain->power;
}

// False: the row is not so plain.
static bool put_plain(alm_grid *grid, const plain_rows *plain, const alm_grid_rows *it, size_t i)
{
    size_t row = it->at[i];
    size_t cell = (size_t)it->series[i] * grid->axis.count + it->t;
    uint32_t flags = ALM_OBS_AT(it->rows, flags, row);
    int64_t mantissa = ALM_OBS_AT(it->rows, mantissa, row);
    bool is_plain = plain->is_plain && alm_obs_flags_have_number(flags) &&
                    alm_obs_flags_qualifier(flags) == ALM_QUALIFIER_EXACT &&
                    mantissa <= PLAIN_MANTISSA_MAX && mantissa >= -PLAIN_MANTISSA_MAX;
    if (!is_plain) {
        return false;
    }
    ALM_ASSERT(it->series[i] < grid->series_count && it->t < grid->axis.count);
    ALM_ASSERT(grid->gaps[cell] == ALM_GAP_UNOBSERVED);
    grid->mantissas[cell] = mantissa * plain->to_grid;
    grid->digits[cell] = (int8_t)ALM_OBS_AT(it->rows, exponent, row);
    grid->lower[cell] = end_of(plain, mantissa * 10 - plain->half);
    grid->upper[cell] = end_of(plain, mantissa * 10 + plain->half);
    grid->gaps[cell] = ALM_GAP_NONE;
    grid->flags[cell] = (uint8_t)(alm_obs_flags_status(flags) << ALM_CELL_STATUS_SHIFT |
                                  ALM_CELL_EXACT | ALM_CELL_OVER | ALM_CELL_UNDER);
    grid->newest[cell] =
        alm_newest(ALM_OBS_AT(it->rows, published, row), ALM_OBS_AT(it->rows, source, row));
    return true;
}

void alm_grid_put_rows(alm_grid *grid, const alm_grid_rows *it, alm_unit unit)
{
    plain_rows by_exponent[ALM_DECIMAL_EXPONENT_MAX - ALM_DECIMAL_EXPONENT_MIN + 1] = {0};
    bool is_in_unit = grid->kind == ALM_GRID_DECIMALS && are_in_unit(it->rows, unit);
    for (size_t i = 0; i < it->count; i++) {
        int8_t exponent = (int8_t)ALM_OBS_AT(it->rows, exponent, it->at[i]);
        plain_rows *plain = &by_exponent[exponent - ALM_DECIMAL_EXPONENT_MIN];
        if (is_in_unit && !plain->is_made) {
            *plain = make_plain(grid, exponent, unit);
        }
        if (!put_plain(grid, plain, it, i)) {
            put_row(grid, it, i, unit);
        }
    }
}

// --- one from two -------------------------------------------------------------------------------

static bool fits_exponent(const alm_grid *grid, int8_t exponent)
{
    size_t cells = alm_grid_cells(grid);
    if (grid->kind != ALM_GRID_DECIMALS) {
        return false;
    }
    for (size_t i = 0; i < cells && grid->exponent != exponent; i++) {
        alm_decimal ignored;
        alm_decimal number = {grid->mantissas[i], grid->exponent};
        if (alm_decimal_rescale(number, exponent, &ignored, NULL) != ALM_OK) {
            return false;
        }
    }
    return true;
}

static void copy_cell(alm_grid *to, const alm_grid *from, size_t i)
{
    to->digits[i] = from->digits[i];
    to->lower[i] = from->lower[i];
    to->upper[i] = from->upper[i];
    to->flags[i] = from->flags[i] & (uint8_t)~ALM_CELL_EXACT;
    to->gaps[i] = from->gaps[i];
    to->newest[i] = from->newest[i];
    if (from->flags[i] & ALM_CELL_EXACT) {
        put_decimal(to, i, (alm_decimal){from->mantissas[i], from->exponent});
    } else if (alm_grid_has(from, i)) {
        to->numbers[i] = from->numbers[i];
    }
}

static int8_t finer_exponent(const alm_grid *a, const alm_grid *b)
{
    return a->kind == ALM_GRID_DOUBLES   ? b->exponent
           : b->kind == ALM_GRID_DOUBLES ? a->exponent
                                         : ALM_MIN(a->exponent, b->exponent);
}

alm_code alm_grid_prefer(const alm_grid *a, const alm_grid *b, alm_arena *arena, alm_grid *ret,
                         alm_status *st)
{
    ALM_ASSERT(a->series_count == b->series_count);
    ALM_ASSERT(a->axis.count == b->axis.count && alm_period_eq(a->axis.first, b->axis.first));
    int8_t exponent = finer_exponent(a, b);
    bool fits = fits_exponent(a, exponent) && fits_exponent(b, exponent);
    ALM_TRY(alm_grid_make(a->axis, a->series_count, fits ? ALM_GRID_DECIMALS : ALM_GRID_MIXED,
                          exponent, arena, ret, st));
    size_t cells = alm_grid_cells(a);
    for (size_t i = 0; i < cells; i++) {
        // Of two without a number the one that something was published for says more.
        bool is_known =
            alm_grid_has(a, i) || (!alm_grid_has(b, i) && (a->newest[i] != 0 || b->newest[i] == 0));
        copy_cell(ret, is_known ? a : b, i);
    }
    return ALM_OK;
}

// --- values -------------------------------------------------------------------------------------

// number / 10^exponent with one rounding.
static double steps_of(double number, int exponent)
{
    return exponent < 0 ? number * power_of_ten(-exponent) : number / power_of_ten(exponent);
}

#define EXPONENT_OF_ONE 1023 // in the bits of a double

static int magnitude(double number) // of a number that is not zero: 2 for 100 .. 999
{
    double size = fabs(number);
    uint64_t bits;
    memcpy(&bits, &size, sizeof bits);
    int binary = (int)(bits >> 52);
    // 1233 / 4096 is log10(2), to four digits; what has no exponent of its own is very small.
    int guess = binary > 0 ? (binary - EXPONENT_OF_ONE) * 1233 >> 12 : (int)floor(log10(size));
    double steps = steps_of(size, guess);
    return steps >= 10 ? guess + 1 : steps < 1 ? guess - 1 : guess;
}

#define COUNTING_DIGITS 2  // that a small number keeps where its interval allows
#define DOUBLE_DIGITS   15 // that a double can hold
#define TIE_MAX         (1e-3)
#define TIE             (1e-11) // relative; an exact tie survives the roundings on the way here

// Of a number that is one end of its interval, what it may be off on that side.
static double half_width(double number, alm_interval interval, uint8_t flags)
{
    double half = (interval.upper - interval.lower) / 2;
    switch (flags & (ALM_CELL_OVER | ALM_CELL_UNDER)) {
    case ALM_CELL_OVER:
        return isfinite(half) ? fmin(half, number - interval.lower) : half;
    case ALM_CELL_UNDER:
        return isfinite(half) ? fmin(half, interval.upper - number) : half;
    default:
        return half;
    }
}

// Of a number of 1 to 9 digits before the point, and at least one but not many behind it, there is
// nothing to be said by how large it is.
static bool has_common_size(double number, int finest)
{
    double size = fabs(number);
    return size >= 1 && size < 1e9 && finest <= -(COUNTING_DIGITS - 1) &&
           finest >= 9 - DOUBLE_DIGITS;
}

static int deserved_exponent(double number, alm_interval interval, int finest, uint8_t flags)
{
    int exponent = finest;
    bool has_size = number != 0 && !has_common_size(number, finest);
    int size = has_size ? magnitude(number) : 0;
    if (has_size) {
        exponent = ALM_MIN(exponent, size - (COUNTING_DIGITS - 1));
    }
    double half = half_width(number, interval, flags);
    bool is_fine = number != 0 && !has_size && half * power_of_ten(-finest - 1) < 0.9;
    if (isfinite(half) && half > 0 && !is_fine) {
        exponent = ALM_MAX(exponent, magnitude(half));
    }
    if (has_size) {
        exponent = ALM_MAX(exponent, size - (DOUBLE_DIGITS - 1));
    }
    return ALM_MIN(ALM_MAX(exponent, ALM_DECIMAL_EXPONENT_MIN), ALM_DECIMAL_EXPONENT_MAX);
}

static double round_steps(double steps, uint8_t flags)
{
    double low = floor(steps);
    double part = steps - low;
    bool is_over = (flags & ALM_CELL_OVER) != 0;
    bool is_under = (flags & ALM_CELL_UNDER) != 0;
    bool is_far = fabs(part - 0.5) > TIE_MAX && part > TIE_MAX && part < 1 - TIE_MAX;
    double slack = is_far ? 0 : fmin(fmax(fabs(steps), 1) * TIE, TIE_MAX);
    if (is_over && !is_under) {
        return part >= 1 - slack ? low + 1 : low;
    }
    if (is_under && !is_over) {
        return part <= slack ? low : low + 1;
    }
    if (fabs(part - 0.5) <= slack) {
        return fmod(low, 2) == 0 ? low : low + 1;
    }
    return part < 0.5 ? low : low + 1;
}

bool alm_number_deserved(double number, alm_interval interval, int finest, uint8_t flags,
                         alm_decimal *ret)
{
    if (!(fabs(number) < ALM_GRID_NUMBER_MAX)) {
        return false;
    }
    int exponent = deserved_exponent(number, interval, finest, flags);
    double steps = round_steps(steps_of(number, exponent), flags);
    ALM_ASSERT(fabs(steps) <= (double)ALM_DECIMAL_MANTISSA_MAX);
    *ret = (alm_decimal){(int64_t)steps, (int8_t)exponent};
    return true;
}

alm_qualifier alm_cell_flags_qualifier(uint8_t flags)
{
    bool is_over = (flags & ALM_CELL_OVER) != 0;
    bool is_under = (flags & ALM_CELL_UNDER) != 0;
    return is_over && is_under ? ALM_QUALIFIER_EXACT
           : is_over           ? ALM_QUALIFIER_MORE_THAN
           : is_under          ? ALM_QUALIFIER_LESS_THAN
                               : ALM_QUALIFIER_ABOUT;
}

// False: it has none, or none that can be told.
static bool number_at(const alm_grid *grid, size_t cell, alm_decimal *ret)
{
    uint8_t flags = grid->flags[cell];
    if (!alm_grid_has(grid, cell)) {
        return false;
    }
    if (flags & ALM_CELL_EXACT) {
        alm_decimal number = {grid->mantissas[cell], grid->exponent};
        alm_code code = alm_decimal_rescale(number, grid->digits[cell], ret, NULL);
        ALM_ASSERT(code == ALM_OK);
        return true;
    }
    alm_interval interval = {grid->lower[cell], grid->upper[cell]};
    return alm_number_deserved(grid->numbers[cell], interval, grid->digits[cell], flags, ret);
}

void alm_grid_value(const alm_grid *grid, size_t cell, alm_unit unit, alm_value *ret,
                    alm_interval *ret_interval)
{
    uint8_t flags = grid->flags[cell];
    *ret = (alm_value){.unit = unit, .status = alm_cell_flags_status(flags)};
    *ret_interval = (alm_interval){-INFINITY, INFINITY};
    ret->has_number = number_at(grid, cell, &ret->number);
    if (ret->has_number) {
        ret->qualifier = alm_cell_flags_qualifier(flags);
        *ret_interval = (alm_interval){grid->lower[cell], grid->upper[cell]};
    } else if (alm_grid_has(grid, cell)) {
        ret->status = ALM_OBS_STATUS_MISSING;
    }
}

size_t alm_grid_numbers(const alm_grid *grid, size_t cell, size_t count, int64_t *mantissas,
                        int32_t *exponents)
{
    alm_decimal number;
    size_t i = 0;
    for (; i < count && number_at(grid, cell + i, &number); i++) {
        mantissas[i] = number.mantissa;
        exponents[i] = number.exponent;
    }
    return i;
}

#define SNAP_DIGITS 12

double alm_number_snap(double number)
{
    if (number == 0 || !isfinite(number)) {
        return number;
    }
    int exponent = magnitude(number) - (SNAP_DIGITS - 1);
    double steps = rint(steps_of(number, exponent));
    return exponent < 0 ? steps / power_of_ten(-exponent) : steps * power_of_ten(exponent);
}
