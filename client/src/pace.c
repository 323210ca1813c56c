#include "pace.h"

#include "words.h"

#include <math.h>

static bool is_figure(const Almanac__V1__Figure *it)
{
    return it == NULL ||
           (it->exponent >= -ALM_ROW_EXPONENT_MAX && it->exponent <= ALM_ROW_EXPONENT_MAX &&
            it->lower <= it->upper && it->qualifier < ALM_QUALIFIER_WORD_COUNT);
}

static bool is_pace(const Almanac__V1__TargetPace *it)
{
    bool is_good = it->verdict >= 0 && (size_t)it->verdict < ALM_PACE_VERDICT_WORD_COUNT;
#define CHECK_FIGURE(name) is_good = is_good && is_figure(it->name);
    ALM_PACE_FIGURES(CHECK_FIGURE)
#undef CHECK_FIGURE
    return is_good;
}

static alm_code check_paces(const Almanac__V1__ResultBlock *block, alm_status *st)
{
    for (size_t i = 0; i < block->n_pace; i++) {
        const Almanac__V1__TargetPace *it = block->pace[i];
        bool is_in_order = i == 0 || it->row > block->pace[i - 1]->row;
        if (!is_in_order || it->row >= block->rows || !is_pace(it)) {
            return alm_status_set(st, ALM_INTERNAL, "malformed answer: pace %zu, of row %u", i,
                                  it->row);
        }
    }
    return ALM_OK;
}

// Of a server that does not know the figure: no number.
static almanac_figure figure_of(const Almanac__V1__Figure *it)
{
    if (it == NULL) {
        return (almanac_figure){
            .lower = -(double)INFINITY, .upper = (double)INFINITY, .unit = "", .reason = ""};
    }
    return (almanac_figure){
        .mantissa = it->mantissa,
        .exponent = it->exponent,
        .has_number = it->has_number != 0,
        .lower = it->lower,
        .upper = it->upper,
        .qualifier = it->qualifier,
        .unit = it->unit,
        .reason = it->reason,
    };
}

alm_code alm_block_paces(const Almanac__V1__ResultBlock *message, alm_arena *arena,
                         almanac_block *block, alm_status *st)
{
    size_t count = message->n_pace;
    ALM_TRY(check_paces(message, st));
    if (count == 0) {
        return ALM_OK;
    }
    almanac_pace *paces = alm_arena_calloc(arena, count, sizeof *paces);
    uint32_t *rows = alm_arena_calloc(arena, count, sizeof *rows);
    if (paces == NULL || rows == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for %zu paces", count);
    }
    for (size_t i = 0; i < count; i++) {
        const Almanac__V1__TargetPace *it = message->pace[i];
        rows[i] = it->row;
        paces[i] = (almanac_pace){
            .verdict = (almanac_pace_verdict)it->verdict,
            .why = it->why,
            .until = it->until,
            .per = it->per,
        };
#define TAKE_FIGURE(name) paces[i].name = figure_of(it->name);
        ALM_PACE_FIGURES(TAKE_FIGURE)
#undef TAKE_FIGURE
    }
    block->paces = paces;
    block->pace_rows = rows;
    block->pace_count = count;
    return ALM_OK;
}

const almanac_pace *alm_pace_of_row(const almanac_block *block, size_t row)
{
    size_t from = 0;
    size_t to = block->pace_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (block->pace_rows[middle] < row) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    bool is_found = from < block->pace_count && block->pace_rows[from] == row;
    return is_found ? &block->paces[from] : NULL;
}

almanac_row alm_figure_row(const almanac_figure *figure)
{
    return (almanac_row){
        .mantissa = figure->mantissa,
        .exponent = figure->exponent,
        .has_number = figure->has_number,
        .lower = figure->lower,
        .upper = figure->upper,
        .qualifier = figure->qualifier,
        .unit = figure->unit,
        .status = figure->has_number ? 'A' : 'M',
    };
}
