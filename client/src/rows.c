#include "rows.h"

#include "pace.h"
#include "words.h"

#include <math.h>

// The columns that index the block's table of strings: X(column).
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

#define NUMBER_COLUMNS(X)                                                                          \
    X(mantissa)                                                                                    \
    X(exponent)                                                                                    \
    X(has_number)                                                                                  \
    X(lower)                                                                                       \
    X(upper)                                                                                       \
    X(qualifier)                                                                                   \
    X(status)                                                                                      \
    X(origin)                                                                                      \
    X(of_count)                                                                                    \
    X(of_expected)

static alm_code malformed(alm_status *st, const char *column, size_t row)
{
    return alm_status_set(st, ALM_INTERNAL, "malformed answer: column %s, row %zu", column, row);
}

static alm_code check_length(const char *column, size_t got, size_t want, alm_status *st)
{
    if (got != want) {
        return alm_status_set(st, ALM_INTERNAL,
                              "malformed answer: column %s has %zu of %zu elements", column, got,
                              want);
    }
    return ALM_OK;
}

static alm_code check_texts(const char *column, const uint32_t *indexes, size_t rows,
                            size_t string_count, alm_status *st)
{
    for (size_t i = 0; i < rows; i++) {
        if (indexes[i] >= string_count) {
            return malformed(st, column, i);
        }
    }
    return ALM_OK;
}

static alm_code check_numbers(const Almanac__V1__ResultBlock *block, alm_status *st)
{
    for (size_t i = 0; i < block->rows; i++) {
        if (block->exponent[i] < -ALM_ROW_EXPONENT_MAX ||
            block->exponent[i] > ALM_ROW_EXPONENT_MAX) {
            return malformed(st, "exponent", i);
        }
        if (!(block->lower[i] <= block->upper[i])) { // also false for what is not a number
            return malformed(st, "lower", i);
        }
        if (block->qualifier[i] >= ALM_QUALIFIER_WORD_COUNT) {
            return malformed(st, "qualifier", i);
        }
        if (block->status[i] >= ALM_STATUS_WORD_COUNT) {
            return malformed(st, "status", i);
        }
        if (block->origin[i] > ALMANAC_COMPUTED) {
            return malformed(st, "origin", i);
        }
    }
    return ALM_OK;
}

alm_code alm_block_check(const Almanac__V1__ResultBlock *block, alm_status *st)
{
#define CHECK_LENGTH(column) ALM_TRY(check_length(#column, block->n_##column, block->rows, st));
    TEXT_COLUMNS(CHECK_LENGTH)
    NUMBER_COLUMNS(CHECK_LENGTH)
#undef CHECK_LENGTH
#define CHECK_TEXTS(column)                                                                        \
    ALM_TRY(check_texts(#column, block->column, block->rows, block->n_strings, st));
    TEXT_COLUMNS(CHECK_TEXTS)
#undef CHECK_TEXTS
    ALM_TRY(check_numbers(block, st));
    return alm_paces_check(block, st);
}

almanac_row alm_block_row(const Almanac__V1__ResultBlock *block, const almanac_pace *paces,
                          size_t i)
{
    ALM_ASSERT(i < block->rows);
#define TEXT(column) .column = block->strings[block->column[i]],
    return (almanac_row){TEXT_COLUMNS(TEXT).mantissa = block->mantissa[i],
                         .exponent = block->exponent[i],
                         .has_number = block->has_number[i] != 0,
                         .lower = block->lower[i],
                         .upper = block->upper[i],
                         .qualifier = block->qualifier[i],
                         .status = alm_status_word_letter(block->status[i]),
                         .origin = (almanac_origin)block->origin[i],
                         .of_count = block->of_count[i],
                         .of_expected = block->of_expected[i],
                         .sequence = block->sequence,
                         .pace = alm_pace_of_row(block, paces, i)};
#undef TEXT
}

alm_code alm_block_append(const Almanac__V1__ResultBlock *block, alm_arena *arena,
                          almanac_row **rows, size_t *count, size_t *cap, alm_status *st)
{
    void *array = *rows;
    const almanac_pace *paces;
    ALM_TRY(alm_block_paces(block, arena, &paces, st));
    if (!alm_arena_grow(arena, &array, cap, *count + block->rows, sizeof **rows)) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "the answer is too large to hold at once (%zu rows so far): narrow "
                              "the question or read it row by row",
                              *count);
    }
    *rows = array;
    for (size_t i = 0; i < block->rows; i++) {
        (*rows)[(*count)++] = alm_block_row(block, paces, i);
    }
    return ALM_OK;
}
