// Reconciliation in tests: a question, and what is found, as lines of text.
#ifndef ALM_RECONCILE_TEST_WORLD_H
#define ALM_RECONCILE_TEST_WORLD_H

#include "test_world.h"

#include "reconcile.h"

#include "alm/reconcile.h"

static inline void findings_tell_number(const Almanac__V1__FindingFigure *figure, alm_buf *lines)
{
    char number[ALM_DECIMAL_TEXT_MAX] = "-";
    alm_decimal decimal = {figure->number->mantissa, (int8_t)figure->number->exponent};
    if (figure->has_number) {
        alm_decimal_format(decimal, 0, number);
    }
    alm_buf_printf(lines, "%s%s%s",
                   alm_qualifier_label((alm_qualifier)figure->qualifier, ALM_LANG_EN),
                   figure->qualifier != 0 ? " " : "", number);
}

// Period indicator place measure[.relation] claimed: verdict computed~tolerance -> implied [bounds]
// of its cell.
static inline void findings_tell(const Almanac__V1__Finding *f, alm_buf *lines)
{
    alm_buf_printf(lines, "%s %s %s %s%s%s ", f->period, f->indicator, f->place, f->measure,
                   f->relation[0] != '\0' ? "." : "", f->relation);
    findings_tell_number(f->claimed, lines);
    alm_buf_printf(lines, ": %s", alm_verdict_code((alm_verdict)f->verdict));
    if (f->computed != NULL) {
        alm_buf_printf(lines, " ");
        findings_tell_number(f->computed, lines);
        alm_buf_printf(lines, "~%.3g", f->tolerance);
    }
    if (f->figure != NULL) {
        alm_buf_printf(lines, " -> ");
        findings_tell_number(f->figure, lines);
        alm_buf_printf(lines, " [%.5g, %.5g] %s %s %s %s %s", f->figure->lower, f->figure->upper,
                       f->figure->unit, f->implied_period, f->implied_indicator, f->implied_place,
                       f->implied_measure);
    }
    alm_buf_printf(lines, "\n");
}

static inline void findings_answer(world *w, const char *question, bool with_why, alm_buf *lines)
{
    world_question q;
    alm_query_plan plan;
    Almanac__V1__ReconcileRequest request = ALMANAC__V1__RECONCILE_REQUEST__INIT;
    Almanac__V1__QueryRequest asked;
    Almanac__V1__ReconcileResponse *response;
    alm_status st = ALM_STATUS_INIT;
    alm_arena *arena = alm_arena_create(0);
    world_ask(&q, question);
    request.query = &q.request;
    alm_code code = alm_reconcile_question(&request, &asked, &st);
    if (code == ALM_OK) {
        code = alm_query_plan_make(&asked, w->catalog, NULL, arena, &plan, &st);
    }
    if (code == ALM_OK) {
        alm_row_reader reader = world_reader(w);
        code = alm_reconcile(&plan, &reader, arena, &response, &st);
    }
    if (code != ALM_OK) {
        alm_buf_printf(lines, "%s %s: %s\n", alm_code_name(code), st.field, st.message);
    }
    for (size_t i = 0; code == ALM_OK && i < response->n_findings; i++) {
        findings_tell(response->findings[i], lines);
        if (with_why) {
            alm_buf_printf(lines, "  %s\n  %s\n", response->findings[i]->why_en,
                           response->findings[i]->why_zh);
        }
    }
    for (size_t i = 0; code == ALM_OK && i < response->n_errors; i++) {
        alm_buf_printf(lines, "! %s %s\n", response->errors[i]->item, response->errors[i]->message);
    }
    alm_arena_destroy(&arena);
}

static inline void findings_check(world *w, const world_example *example)
{
    alm_buf lines;
    alm_buf_init(&lines, 0);
    for (size_t i = 0; i < ALM_ARRAY_LEN(example->rows) && example->rows[i] != NULL; i++) {
        world_add(w, example->rows[i]);
    }
    findings_answer(w, example->question, strstr(example->name, "in words") != NULL, &lines);
    world_want(&lines, example->question, example->want);
    alm_buf_deinit(&lines);
}

static inline void findings_check_example(void **state)
{
    world w;
    world_init_shanghai(&w);
    findings_check(&w, *state);
    world_deinit(&w);
}

// Fills tests, one for each example.
static inline void findings_tests(const world_example *examples, size_t count,
                                  CMUnitTestFunction test, struct CMUnitTest *ret)
{
    for (size_t i = 0; i < count; i++) {
        union {
            const world_example *in;
            void *out;
        } state = {.in = &examples[i]};
        ret[i] = (struct CMUnitTest){
            .name = examples[i].name, .test_func = test, .initial_state = state.out};
    }
}

#endif
