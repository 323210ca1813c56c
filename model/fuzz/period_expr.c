// Any text: the canonical text of what parses is its own canonical text, and every end it names is
// asked for.
#include "alm/period_expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ends(const alm_period_expr *expr)
{
    for (size_t i = 0; i < expr->range_count; i++) {
        alm_period from = expr->ranges[i].from;
        alm_period to = expr->ranges[i].to;
        ALM_ASSERT(from.freq != ALM_FREQ_NONE || to.freq != ALM_FREQ_NONE);
        ALM_ASSERT(from.freq == ALM_FREQ_NONE || alm_period_expr_matches(expr, from));
        ALM_ASSERT(to.freq == ALM_FREQ_NONE || alm_period_expr_matches(expr, to));
    }
}

static void check_canonical(const alm_period_expr *expr, alm_arena *arena)
{
    alm_buf once;
    alm_buf twice;
    alm_period_expr back;
    alm_status st = ALM_STATUS_INIT;
    alm_buf_init(&once, 0);
    alm_buf_init(&twice, 0);
    alm_period_expr_format(expr, &once);
    // A canonical text may be longer than the text it came from: 2023-01-01/P1D.
    alm_code code = alm_period_expr_parse(alm_buf_view(&once), arena, &back, &st);
    if (once.len <= 4096) {
        ALM_ASSERT(code == ALM_OK);
        ALM_ASSERT(back.kind == expr->kind);
        ALM_ASSERT(back.range_count == expr->range_count);
        alm_period_expr_format(&back, &twice);
        ALM_ASSERT(alm_str_eq(alm_buf_view(&once), alm_buf_view(&twice)));
    }
    alm_buf_deinit(&once);
    alm_buf_deinit(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_arena *arena = alm_arena_create(0);
    ALM_ASSERT(arena != NULL);
    alm_status st = ALM_STATUS_INIT;
    alm_period_expr expr;
    alm_code code = alm_period_expr_parse((alm_str){(const char *)data, size}, arena, &expr, &st);
    ALM_ASSERT(st.code == code);
    if (code == ALM_OK) {
        check_ends(&expr);
        check_canonical(&expr, arena);
    }
    alm_arena_destroy(&arena);
    return 0;
}
