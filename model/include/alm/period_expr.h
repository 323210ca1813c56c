// Period expressions: which periods a question is about.
//
//   2023               one period
//   2021/2025          one plan horizon
//   2019..2023         from, to (one frequency; both ends included)
//   2023-01..2023-12
//   2019..             from there on          ..2023  up to there
//   latest             the newest period that has a value, of each series
//   last:5             the newest five
//   all                every period
// and lists with commas (2020,2023,2021/2025); latest, last and all stand alone. White space around
// the terms of a list is ignored.
#ifndef ALM_PERIOD_EXPR_H
#define ALM_PERIOD_EXPR_H

#include "alm/arena.h"
#include "alm/buf.h"
#include "alm/period.h"

#define ALM_PERIOD_EXPR_LAST_MAX 100000

typedef enum alm_period_expr_kind {
    ALM_PERIOD_EXPR_RANGES, // each [from, to] of one frequency and length; open ends have freq NONE
    ALM_PERIOD_EXPR_LAST,   // the newest `last` periods of each series (latest is 1)
    ALM_PERIOD_EXPR_ALL,
} alm_period_expr_kind;

typedef struct alm_period_range {
    alm_period from; // freq NONE: open
    alm_period to;
} alm_period_range;

typedef struct alm_period_expr {
    alm_period_expr_kind kind;
    alm_period_range *ranges; // in the arena
    size_t range_count;
    uint32_t last; // 1..ALM_PERIOD_EXPR_LAST_MAX
} alm_period_expr;

// At most ALM_EXPR_BYTES_MAX bytes and ALM_EXPR_TERM_COUNT_MAX terms. The ranges stay in the order
// they were written in; they may overlap.
//
// ALM_INVALID_ARGUMENT    malformed, too long, ends of two frequencies or lengths, or from after
// to;
//                         shows the term
// ALM_OUT_OF_RANGE        a period that does not exist, or last:N with N outside 1..100000
// ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code alm_period_expr_parse(alm_str expr, alm_arena *arena, alm_period_expr *ret,
                                            alm_status *st);

// Appends the canonical text, which parses to the same expression: last:1 is latest, 2023..2023 is
// 2023.
void alm_period_expr_format(const alm_period_expr *expr, alm_buf *buf);

// Is the period asked for? LAST and ALL answer true. A range matches periods of its own frequency
// and length only: 2019..2023 does not match 2021-Q1.
bool alm_period_expr_matches(const alm_period_expr *expr, alm_period period);

#endif
