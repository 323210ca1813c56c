#include "alm/period_expr.h"

#include "alm/limits.h"

#include <inttypes.h>

static bool is_open(alm_period end)
{
    return end.freq == ALM_FREQ_NONE;
}

static alm_code bad_term(alm_str term, const char *why, alm_status *st)
{
    return alm_status_set(st, ALM_INVALID_ARGUMENT, "period \"%.*s\": %s", ALM_STR_ARGS(term), why);
}

// An empty side of ".." is open.
static alm_code parse_end(alm_str label, alm_period *ret, alm_status *st)
{
    if (label.len == 0) {
        *ret = (alm_period){0};
        return ALM_OK;
    }
    return alm_period_parse(label, ret, st);
}

// from..to, from.., ..to
static alm_code parse_range(alm_str term, size_t dots, alm_period_range *ret, alm_status *st)
{
    ALM_TRY(parse_end(alm_str_slice(term, 0, dots), &ret->from, st));
    ALM_TRY(parse_end(alm_str_slice(term, dots + 2, term.len), &ret->to, st));
    if (is_open(ret->from) && is_open(ret->to)) {
        return bad_term(term, "a range needs an end; say all for every period", st);
    }
    if (is_open(ret->from) || is_open(ret->to)) {
        return ALM_OK;
    }
    if (ret->from.freq != ret->to.freq) {
        return bad_term(term, "the ends differ in frequency", st);
    }
    if (ret->from.length != ret->to.length) {
        return bad_term(term, "the ends differ in length", st);
    }
    if (ret->from.ordinal > ret->to.ordinal) {
        return bad_term(term, "it ends before it starts", st);
    }
    return ALM_OK;
}

static alm_code parse_term(alm_str term, alm_period_range *ret, alm_status *st)
{
    if (term.len == 0) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "a period is missing");
    }
    if (alm_str_eq(term, ALM_STR("latest")) || alm_str_eq(term, ALM_STR("all")) ||
        alm_str_starts_with(term, ALM_STR("last:"))) {
        return bad_term(term, "this word stands alone, not in a list", st);
    }
    size_t dots = alm_str_find(term, ALM_STR(".."));
    if (dots != SIZE_MAX) {
        return parse_range(term, dots, ret, st);
    }
    ALM_TRY(alm_period_parse(term, &ret->from, st));
    ret->to = ret->from;
    return ALM_OK;
}

static alm_code parse_list(alm_str expr, alm_arena *arena, alm_period_expr *ret, alm_status *st)
{
    size_t cap = 0;
    alm_str term;
    *ret = (alm_period_expr){.kind = ALM_PERIOD_EXPR_RANGES};
    for (alm_str rest = expr; alm_str_split(&rest, ',', &term);) {
        if (ret->range_count == ALM_EXPR_TERM_COUNT_MAX) {
            return alm_status_set(st, ALM_INVALID_ARGUMENT, "a period list has at most %d terms",
                                  ALM_EXPR_TERM_COUNT_MAX);
        }
        void *ranges = ret->ranges;
        if (!alm_arena_grow(arena, &ranges, &cap, ret->range_count + 1, sizeof *ret->ranges)) {
            return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a period list");
        }
        ret->ranges = ranges;
        ALM_TRY(parse_term(alm_str_trim(term), &ret->ranges[ret->range_count], st));
        ret->range_count++;
    }
    return ALM_OK;
}

static alm_code parse_last(alm_str expr, alm_period_expr *ret, alm_status *st)
{
    alm_str number = alm_str_slice(expr, strlen("last:"), expr.len);
    int64_t last;
    bool signed_text = number.len > 0 && (number.data[0] < '0' || number.data[0] > '9');
    if (signed_text || !alm_str_to_i64(number, &last)) {
        return bad_term(expr, "expected last:N", st);
    }
    if (last < 1 || last > ALM_PERIOD_EXPR_LAST_MAX) {
        return alm_status_set(st, ALM_OUT_OF_RANGE, "period \"%.*s\": N is outside 1..%d",
                              ALM_STR_ARGS(expr), ALM_PERIOD_EXPR_LAST_MAX);
    }
    *ret = (alm_period_expr){.kind = ALM_PERIOD_EXPR_LAST, .last = (uint32_t)last};
    return ALM_OK;
}

alm_code alm_period_expr_parse(alm_str expr, alm_arena *arena, alm_period_expr *ret, alm_status *st)
{
    if (expr.len > ALM_EXPR_BYTES_MAX) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "a period expression of %zu bytes is longer than %d", expr.len,
                              ALM_EXPR_BYTES_MAX);
    }
    expr = alm_str_trim(expr);
    if (alm_str_eq(expr, ALM_STR("all"))) {
        *ret = (alm_period_expr){.kind = ALM_PERIOD_EXPR_ALL};
        return ALM_OK;
    }
    if (alm_str_eq(expr, ALM_STR("latest"))) {
        *ret = (alm_period_expr){.kind = ALM_PERIOD_EXPR_LAST, .last = 1};
        return ALM_OK;
    }
    bool in_list = alm_str_find_char(expr, ',') != SIZE_MAX;
    if (!in_list && alm_str_starts_with(expr, ALM_STR("last:"))) {
        return parse_last(expr, ret, st);
    }
    alm_period_expr list;
    ALM_TRY(parse_list(expr, arena, &list, st));
    *ret = list;
    return ALM_OK;
}

static void format_end(alm_period end, alm_buf *buf)
{
    char label[ALM_PERIOD_TEXT_MAX];
    size_t len = alm_period_format(end, label);
    alm_buf_append(buf, label, len);
}

void alm_period_expr_format(const alm_period_expr *expr, alm_buf *buf)
{
    switch (expr->kind) {
    case ALM_PERIOD_EXPR_ALL:
        alm_buf_str(buf, ALM_STR("all"));
        return;
    case ALM_PERIOD_EXPR_LAST:
        if (expr->last == 1) {
            alm_buf_str(buf, ALM_STR("latest"));
        } else {
            alm_buf_printf(buf, "last:%" PRIu32, expr->last);
        }
        return;
    case ALM_PERIOD_EXPR_RANGES:
        break;
    }
    for (size_t i = 0; i < expr->range_count; i++) {
        const alm_period_range *range = &expr->ranges[i];
        if (i > 0) {
            alm_buf_char(buf, ',');
        }
        format_end(range->from, buf);
        if (!alm_period_eq(range->from, range->to)) {
            alm_buf_str(buf, ALM_STR(".."));
            format_end(range->to, buf);
        }
    }
}

static bool in_range(const alm_period_range *range, alm_period period)
{
    alm_period known = is_open(range->from) ? range->to : range->from;
    return period.freq == known.freq && period.length == known.length &&
           (is_open(range->from) || period.ordinal >= range->from.ordinal) &&
           (is_open(range->to) || period.ordinal <= range->to.ordinal);
}

bool alm_period_expr_matches(const alm_period_expr *expr, alm_period period)
{
    if (expr->kind != ALM_PERIOD_EXPR_RANGES) {
        return true;
    }
    for (size_t i = 0; i < expr->range_count; i++) {
        if (in_range(&expr->ranges[i], period)) {
            return true;
        }
    }
    return false;
}
