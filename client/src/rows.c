#include "rows.h"

#include "bounds.h"
#include "pace.h"
#include "words.h"

#include "alm/limits.h"

#include <math.h>

// The columns that index the block's table of texts: X(column).
#define TEXT_COLUMNS(X)                                                                            \
    X(indicator)                                                                                   \
    X(place)                                                                                       \
    X(period)                                                                                      \
    X(measure)                                                                                     \
    X(accumulation)                                                                                \
    X(breakdown)                                                                                   \
    X(relation)                                                                                    \
    X(unit)                                                                                        \
    X(source)                                                                                      \
    X(published)                                                                                   \
    X(note)                                                                                        \
    X(reason)                                                                                      \
    X(transform)

// Numbers and below what they are: X(column, bound).
#define NUMBER_COLUMNS(X)                                                                          \
    X(has_number, 2)                                                                               \
    X(bounds, 3)                                                                                   \
    X(qualifier, ALM_QUALIFIER_WORD_COUNT)                                                         \
    X(status, ALM_STATUS_WORD_COUNT)                                                               \
    X(origin, ALMANAC_COMPUTED + 1)                                                                \
    X(of_count, UINT64_MAX)                                                                        \
    X(of_expected, UINT64_MAX)

// What every row has of a column that is not there.
static const uint32_t no_number = 0;
static const int32_t no_exponent = 0;
static const int64_t no_mantissa = 0;
static const double no_bound = 0;

static alm_code malformed(alm_status *st, const char *column, size_t row)
{
    return alm_status_set(st, ALM_INTERNAL, "malformed answer: column %s, row %zu", column, row);
}

static alm_code check_length(const char *column, size_t got, size_t rows, alm_status *st)
{
    if (got != rows && got > 1) {
        return alm_status_set(st, ALM_INTERNAL,
                              "malformed answer: column %s has %zu elements of %zu rows", column,
                              got, rows);
    }
    return ALM_OK;
}

// Runs, pairs of a value and how many rows have it, become an element a row.
static alm_code spread(const char *name, uint32_t **values, size_t *count, size_t rows,
                       alm_arena *arena, alm_status *st)
{
    const uint32_t *pairs = *values;
    size_t at = 0;
    if (*count <= 1 || *count >= rows || *count % 2 != 0) {
        return check_length(name, *count, rows, st);
    }
    uint32_t *each = alm_arena_alloc(arena, rows * sizeof *each);
    if (each == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for %zu rows", rows);
    }
    for (size_t i = 0; i < *count; i += 2) {
        size_t run = pairs[i + 1];
        if (run > rows - at) {
            return malformed(st, name, rows);
        }
        for (size_t end = at + run; at < end; at++) {
            each[at] = pairs[i];
        }
    }
    if (at != rows) {
        return malformed(st, name, at);
    }
    *values = each;
    *count = rows;
    return ALM_OK;
}

static alm_code spread_columns(Almanac__V1__ResultBlock *message, alm_arena *arena, alm_status *st)
{
    uint32_t *exponents = (uint32_t *)message->exponent;
#define SPREAD(name, bound)                                                                        \
    ALM_TRY(spread(#name, &message->name, &message->n_##name, message->rows, arena, st));
#define SPREAD_TEXTS(name) SPREAD(name, 0)
    TEXT_COLUMNS(SPREAD_TEXTS)
    NUMBER_COLUMNS(SPREAD)
#undef SPREAD_TEXTS
#undef SPREAD
    ALM_TRY(spread("exponent", &exponents, &message->n_exponent, message->rows, arena, st));
    message->exponent = (int32_t *)exponents;
    return ALM_OK;
}

// One element is for every row, also of a block of one row.
static size_t stride_of(size_t count)
{
    return count > 1 ? 1 : 0;
}

static alm_code take_column(const char *name, const uint32_t *values, size_t count, size_t rows,
                            uint64_t bound, almanac_column *ret, alm_status *st)
{
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        largest = ALM_MAX(largest, values[i]);
    }
    if (largest >= bound && rows > 0) {
        size_t row = 0;
        while (count > 0 && values[row] < bound) {
            row++;
        }
        return malformed(st, name, row);
    }
    *ret = (almanac_column){count > 0 ? values : &no_number, stride_of(count)};
    return ALM_OK;
}

static alm_code take_exponents(const Almanac__V1__ResultBlock *message, almanac_block *ret,
                               alm_status *st)
{
    for (size_t i = 0; i < message->n_exponent; i++) {
        if (message->exponent[i] < -ALM_ROW_EXPONENT_MAX ||
            message->exponent[i] > ALM_ROW_EXPONENT_MAX) {
            return malformed(st, "exponent", i);
        }
    }
    ret->exponent.values = message->n_exponent > 0 ? message->exponent : &no_exponent;
    ret->exponent.stride = stride_of(message->n_exponent);
    return ALM_OK;
}

static alm_code take_intervals(const Almanac__V1__ResultBlock *message, almanac_block *ret,
                               alm_status *st)
{
    ALM_TRY(check_length("lower", message->n_lower, message->rows, st));
    ALM_TRY(check_length("upper", message->n_upper, message->rows, st));
    ret->lower.values = message->n_lower > 0 ? message->lower : &no_bound;
    ret->lower.stride = stride_of(message->n_lower);
    ret->upper.values = message->n_upper > 0 ? message->upper : &no_bound;
    ret->upper.stride = stride_of(message->n_upper);
    size_t count = ALM_MAX(message->n_lower, message->n_upper);
    for (size_t i = 0; i < count; i++) {
        // Also false for what is not a number.
        if (!(ret->lower.values[i * ret->lower.stride] <=
              ret->upper.values[i * ret->upper.stride])) {
            return malformed(st, "lower", i);
        }
    }
    return ALM_OK;
}

static alm_code take_mantissas(const Almanac__V1__ResultBlock *message, almanac_block *ret,
                               alm_status *st)
{
    ALM_TRY(check_length("mantissa", message->n_mantissa, message->rows, st));
    ret->mantissa.values = message->n_mantissa > 0 ? message->mantissa : &no_mantissa;
    ret->mantissa.stride = stride_of(message->n_mantissa);
    return ALM_OK;
}

// Numbers become letters where they stand.
static void letter_statuses(Almanac__V1__ResultBlock *message, almanac_block *ret)
{
    static const uint32_t normal = 'A';
    for (size_t i = 0; i < message->n_status; i++) {
        message->status[i] = (unsigned char)alm_status_word_letter(message->status[i]);
    }
    if (message->n_status == 0) {
        ret->status.values = &normal;
    }
}

// Every text gets a NUL in place of the line feed behind it.
static alm_code take_texts(Almanac__V1__ResultBlock *message, alm_arena *arena, almanac_block *ret,
                           alm_status *st)
{
    size_t len = strlen(message->texts);
    size_t from = 0;
    const char **texts = alm_arena_alloc(arena, message->n_text_ends * sizeof *texts);
    if (texts == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for %zu texts",
                              message->n_text_ends);
    }
    for (size_t i = 0; i < message->n_text_ends; i++) {
        size_t end = message->text_ends[i];
        if (end < from || end >= len || message->texts[end] != '\n' || (i == 0 && end != 0)) {
            return alm_status_set(st, ALM_INTERNAL, "malformed answer: text %zu of %zu", i,
                                  message->n_text_ends);
        }
        message->texts[end] = '\0';
        texts[i] = message->texts + from;
        from = end + 1;
    }
    if (from != len) {
        return alm_status_set(st, ALM_INTERNAL, "malformed answer: %zu bytes behind the last text",
                              len - from);
    }
    ret->texts = texts;
    ret->text_count = message->n_text_ends;
    return ALM_OK;
}

alm_code alm_rows_view(Almanac__V1__ResultBlock *message, alm_arena *arena, almanac_block *ret,
                       alm_status *st)
{
    almanac_block block = {.row_count = message->rows, .sequence = message->sequence};
    if (message->rows > ALM_RESULT_BLOCK_ROW_COUNT) { // a few bytes could say billions
        return alm_status_set(st, ALM_INTERNAL, "malformed answer: %u rows in a block",
                              message->rows);
    }
    ALM_TRY(take_texts(message, arena, &block, st));
    ALM_TRY(spread_columns(message, arena, st));
#define TAKE(name, bound)                                                                          \
    ALM_TRY(take_column(#name, message->name, message->n_##name, message->rows, (bound),           \
                        &block.name, st));
#define TAKE_TEXTS(name) TAKE(name, block.text_count)
    TEXT_COLUMNS(TAKE_TEXTS)
    NUMBER_COLUMNS(TAKE)
#undef TAKE_TEXTS
#undef TAKE
    ALM_TRY(take_mantissas(message, &block, st));
    ALM_TRY(take_exponents(message, &block, st));
    ALM_TRY(take_intervals(message, &block, st));
    ALM_TRY(alm_block_paces(message, arena, &block, st));
    letter_statuses(message, &block);
    *ret = block;
    return ALM_OK;
}

void almanac_block_bounds(const almanac_block *block, size_t i, double *ret_lower,
                          double *ret_upper)
{
    int64_t mantissa = block->mantissa.values[i * block->mantissa.stride];
    int32_t exponent = block->exponent.values[i * block->exponent.stride];
    uint32_t bounds = block->bounds.values[i * block->bounds.stride];
    if (bounds == ALMANAC__V1__BOUNDS__BOUNDS_TOLD) {
        *ret_lower = block->lower.values[i * block->lower.stride];
        *ret_upper = block->upper.values[i * block->upper.stride];
    } else if (bounds == ALMANAC__V1__BOUNDS__BOUNDS_NUMBER) {
        *ret_lower = *ret_upper = alm_number_nearest(mantissa, exponent);
    } else if (block->has_number.values[i * block->has_number.stride] != 0) {
        alm_number_digits(mantissa, exponent, ret_lower, ret_upper);
    } else {
        *ret_lower = -(double)INFINITY;
        *ret_upper = (double)INFINITY;
    }
}

almanac_row alm_block_row(const almanac_block *block, size_t i)
{
    ALM_ASSERT(i < block->row_count);
#define VALUE(column) block->column.values[i * block->column.stride]
#define TEXT(column)  .column = block->texts[VALUE(column)],
    almanac_row row = {TEXT_COLUMNS(TEXT).mantissa = VALUE(mantissa),
                       .exponent = VALUE(exponent),
                       .has_number = VALUE(has_number) != 0,
                       .qualifier = VALUE(qualifier),
                       .status = (char)VALUE(status),
                       .origin = (almanac_origin)VALUE(origin),
                       .of_count = VALUE(of_count),
                       .of_expected = VALUE(of_expected),
                       .sequence = block->sequence,
                       .pace = alm_pace_of_row(block, i)};
#undef TEXT
#undef VALUE
    almanac_block_bounds(block, i, &row.lower, &row.upper);
    return row;
}

alm_code alm_block_append(const almanac_block *block, size_t first, alm_arena *arena,
                          almanac_row **rows, size_t *count, size_t *cap, alm_status *st)
{
    void *array = *rows;
    ALM_ASSERT(first <= block->row_count);
    if (!alm_arena_grow(arena, &array, cap, *count + block->row_count - first, sizeof **rows)) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "the answer is too large to hold at once (%zu rows so far): narrow "
                              "the question or read it row by row",
                              *count);
    }
    *rows = array;
    for (size_t i = first; i < block->row_count; i++) {
        (*rows)[(*count)++] = alm_block_row(block, i);
    }
    return ALM_OK;
}
