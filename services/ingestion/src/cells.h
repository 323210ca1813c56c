// One cell's text to a value of the domain: what it means, or why it means nothing.
//
// Words are taken as people write them: an indicator, place or source by code, name or alias; a
// measure, qualifier, status or accumulation by code or by its Chinese or English word.
#ifndef ALM_INGESTION_CELLS_H
#define ALM_INGESTION_CELLS_H

#include "intern.h"

#include "alm/catalog.h"

// What a cell stands for. Which member holds depends on the column.
typedef union cell_value {
    uint32_t id; // indicator, place, source; breakdown and relation: number of the canonical text
    int32_t number;
    alm_period period;
    alm_date date;
    alm_unit unit;
    alm_qualifier qualifier;
    alm_obs_status status;
    alm_measure measure;
    alm_accumulation accumulation;
} cell_value;

typedef struct cell_ctx {
    const alm_catalog *catalog;
    alm_arena *arena;
    interner breakdowns; // canonical texts; number 0 is "_T"
    interner relations;  // canonical texts; number 0 is "_Z"
    // "Did you mean" searches the whole catalogue; a piece pays for so many of them.
    size_t suggestions_left;
} cell_ctx;

#define CELL_SUGGESTION_COUNT_MAX 100

// False: the arena is exhausted.
ALM_MUST_USE bool cell_ctx_init(cell_ctx *ctx, const alm_catalog *catalog, alm_arena *arena);

// text: not blank, UTF-8, trimmed. On failure st has a message that stands on its own.
// ALM_RESOURCE_EXHAUSTED is the arena's; any other code is the cell's fault.
typedef alm_code (*cell_parser)(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st);

alm_code cell_indicator(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st);
alm_code cell_place(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st);
alm_code cell_source(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st);
alm_code cell_period(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st);
alm_code cell_date(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st);
alm_code cell_unit(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st);
alm_code cell_integer(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st);
alm_code cell_qualifier(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st);
alm_code cell_status(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st);
alm_code cell_measure(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st);
alm_code cell_accumulation(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st);
alm_code cell_breakdown(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st);
// The indicator and the place in it must exist.
alm_code cell_relation(cell_ctx *ctx, alm_str text, cell_value *ret, alm_status *st);

// A number as published; the integer part may be grouped by three with commas.
// ALM_INVALID_ARGUMENT  not a number, or wrongly grouped
// ALM_OUT_OF_RANGE      more than 18 digits, or out of range
ALM_MUST_USE alm_code cell_decimal(alm_str text, alm_decimal *ret, alm_status *st);

#endif
