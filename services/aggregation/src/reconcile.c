#include "reconcile.h"

#include "reconcile_run.h"

#include <stdlib.h>

// --- the question -------------------------------------------------------------------------------

static alm_code refuse(const char *field, alm_status *st)
{
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field,
                                "reconciliation holds what was published against what is stored; "
                                "leave %s out",
                                field);
}

alm_code alm_reconcile_question(const Almanac__V1__ReconcileRequest *request,
                                Almanac__V1__QueryRequest *ret, alm_status *st)
{
    static char every[] = "*";
    const Almanac__V1__QueryRequest *query = request->query;
    if (query == NULL) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "query", "no query to reconcile");
    }
    const char *refused = query->n_transforms > 0      ? "transforms"
                          : query->group_by[0] != '\0' ? "group_by"
                          : query->unit[0] != '\0'     ? "unit"
                          : query->order != 0          ? "order"
                          : query->limit != 0          ? "limit"
                          : query->incomplete          ? "incomplete"
                                                       : NULL;
    if (refused != NULL) {
        return refuse(refused, st);
    }
    *ret = *query;
    if (ret->measure[0] == '\0') {
        ret->measure = every;
    }
    return ALM_OK;
}

// --- findings -----------------------------------------------------------------------------------

static uint32_t item_of(const alm_reconciliation *it, const alm_obs *claim)
{
    alm_str code = alm_reconcile_entry(it, claim)->variant.indicator;
    uint32_t id = alm_catalog_find_indicator(it->plan->catalog, code);
    return id == ALM_CATALOG_NONE ? ALM_CATALOG_NONE : it->item_of[id];
}

alm_finding alm_finding_of(const alm_reconciliation *it, const alm_obs *claim,
                           Almanac__V1__Check check)
{
    const alm_variant *variant = &alm_reconcile_entry(it, claim)->variant;
    uint32_t id = alm_catalog_find_indicator(it->plan->catalog, variant->indicator);
    alm_cell_name own = {id == ALM_CATALOG_NONE ? NULL
                                                : alm_catalog_indicator(it->plan->catalog, id),
                         claim->place, claim->period};
    alm_telling told = {.unit = claim->value.unit,
                        .finest = claim->value.number.exponent,
                        .all_exact = claim->value.qualifier == ALM_QUALIFIER_EXACT};
    return (alm_finding){
        .claim = claim,
        .item = item_of(it, claim),
        .check = check,
        .own_measure = ALM_MEASURE_LEVEL,
        .told = told,
        .implied_told = told,
        .part_of = own,
        .whole_of = own,
        .implied_of = own,
        .is_cumulative = variant->accumulation == ALM_ACCUMULATION_CUMULATIVE,
    };
}

alm_code alm_findings_add(alm_reconciliation *it, const alm_finding *finding, alm_status *st)
{
    void *findings = it->findings;
    if (!alm_arena_grow(it->arena, &findings, &it->cap, it->count + 1, sizeof *finding)) {
        return alm_reconcile_no_memory(st);
    }
    it->findings = findings;
    it->findings[it->count++] = *finding;
    return ALM_OK;
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

// A finding with what it is ordered by: the place's index in the question, and the measure.
typedef struct ordered {
    const alm_finding *finding;
    uint32_t place;
    alm_measure measure;
    size_t at;
} ordered;

static int by_reading(const void *a, const void *b)
{
    const ordered *x = a;
    const ordered *y = b;
    const alm_obs *p = x->finding->claim;
    const alm_obs *q = y->finding->claim;
    int order = COMPARE(x->place, y->place);
    order = order != 0 ? order : alm_period_cmp(p->period, q->period);
    order = order != 0 ? order : COMPARE(x->finding->item, y->finding->item);
    order = order != 0 ? order : COMPARE(x->measure, y->measure);
    order = order != 0 ? order : COMPARE(p->variant, q->variant);
    order = order != 0 ? order : COMPARE(p->published, q->published);
    order = order != 0 ? order : COMPARE(x->finding->check, y->finding->check);
    return order != 0 ? order : COMPARE(x->at, y->at);
}

static alm_code order_findings(const alm_reconciliation *it, ordered **ret, alm_status *st)
{
    ordered *list = alm_arena_calloc(it->arena, it->count, sizeof *list);
    if (list == NULL) {
        return alm_reconcile_no_memory(st);
    }
    for (size_t i = 0; i < it->count; i++) {
        const alm_obs *claim = it->findings[i].claim;
        list[i] = (ordered){.finding = &it->findings[i],
                            .place = alm_query_plan_place_index(it->plan, claim->place),
                            .measure = alm_reconcile_entry(it, claim)->variant.measure,
                            .at = i};
    }
    if (it->count > 0) {
        qsort(list, it->count, sizeof *list, by_reading);
    }
    *ret = list;
    return ALM_OK;
}

// --- claims -------------------------------------------------------------------------------------

static alm_code judge_claim(alm_reconciliation *it, const alm_obs *claim, alm_status *st)
{
    switch (alm_reconcile_entry(it, claim)->variant.measure) {
    case ALM_MEASURE_GROWTH_YOY:
    case ALM_MEASURE_GROWTH_POP:
    case ALM_MEASURE_SHARE_OF:
    case ALM_MEASURE_PP_CHANGE:
    case ALM_MEASURE_CONTRIBUTION_PP:
    case ALM_MEASURE_CONTRIBUTION_SHARE:
        return alm_reconcile_ratio(it, claim, st);
    case ALM_MEASURE_RANK:
        return alm_reconcile_rank(it, claim, st);
    default:
        return ALM_OK;
    }
}

static alm_code judge_cell(alm_reconciliation *it, alm_cell_rows cell, alm_status *st)
{
    alm_date as_of = it->plan->as_of;
    const alm_obs *chosen = alm_publications_choose(&it->claims, cell, as_of);
    ALM_TRY(alm_reconcile_cell(it, cell, st));
    for (size_t i = 0; i < cell.count; i++) {
        const alm_obs *row = &cell.rows[i];
        bool is_said = !alm_obs_status_missing(row->value.status);
        if (is_said && alm_publication_is_last_word(cell, row, as_of)) {
            ALM_TRY(judge_claim(it, row, st));
        }
    }
    bool is_level = alm_reconcile_entry(it, cell.rows)->variant.measure == ALM_MEASURE_LEVEL;
    return is_level && chosen != NULL && chosen->value.has_number
               ? alm_reconcile_total(it, chosen, st)
               : ALM_OK;
}

static alm_code judge_all(alm_reconciliation *it, alm_status *st)
{
    for (size_t i = 0; i < it->claims.count;) {
        alm_cell_rows cell = alm_publications_cell(&it->claims, i);
        ALM_TRY(alm_row_reader_check(it->reader, st));
        ALM_TRY(judge_cell(it, cell, st));
        i += cell.count;
    }
    return ALM_OK;
}

// --- the answer ---------------------------------------------------------------------------------

static alm_code put_findings(const alm_reconciliation *it, Almanac__V1__ReconcileResponse *response,
                             alm_status *st)
{
    ordered *list = NULL;
    ALM_TRY(order_findings(it, &list, st));
    response->findings = alm_arena_calloc(it->arena, it->count, sizeof(void *));
    if (response->findings == NULL) {
        return alm_reconcile_no_memory(st);
    }
    for (size_t i = 0; i < it->count; i++) {
        ALM_TRY(alm_finding_message(it, list[i].finding, &response->findings[i], st));
        response->n_findings++;
    }
    return ALM_OK;
}

static alm_code put_errors(const alm_reconciliation *it, Almanac__V1__ReconcileResponse *response,
                           alm_status *st)
{
    const alm_query_plan *plan = it->plan;
    response->errors = alm_arena_calloc(it->arena, plan->item_count, sizeof(void *));
    if (response->errors == NULL) {
        return alm_reconcile_no_memory(st);
    }
    for (size_t i = 0; i < plan->item_count; i++) {
        const alm_query_item *item = &plan->items[i];
        if (item->indicator != NULL) {
            continue;
        }
        Almanac__V1__ItemError *error = alm_arena_alloc(it->arena, sizeof *error);
        if (error == NULL) {
            return alm_reconcile_no_memory(st);
        }
        almanac__v1__item_error__init(error);
        error->item = alm_arena_strdup(it->arena, item->asked);
        error->code = item->fault.code;
        error->message = alm_arena_strdup(it->arena, alm_str_from(item->fault.message));
        if (error->item == NULL || error->message == NULL) {
            return alm_reconcile_no_memory(st);
        }
        response->errors[response->n_errors++] = error;
    }
    return ALM_OK;
}

static alm_code begin(alm_reconciliation *it, alm_status *st)
{
    size_t count = alm_catalog_indicator_count(it->plan->catalog);
    alm_publications none = {
        .arena = it->arena, .catalog = it->plan->catalog, .variants = &it->variants};
    it->claims = it->stored = none;
    it->item_of = alm_arena_calloc(it->arena, count, sizeof *it->item_of);
    if (it->item_of == NULL) {
        return alm_reconcile_no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        it->item_of[i] = ALM_CATALOG_NONE;
    }
    for (size_t i = 0; i < it->plan->item_count; i++) {
        const alm_query_item *item = &it->plan->items[i];
        if (item->derived != NULL) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "indicators",
                                        "%.*s is a formula, which nobody publishes; name an "
                                        "indicator",
                                        ALM_STR_ARGS(item->asked));
        }
        if (item->indicator != NULL) {
            uint32_t id = alm_catalog_find_indicator(it->plan->catalog, item->indicator->code);
            it->item_of[id] = (uint32_t)i;
        }
    }
    return alm_variant_table_init(&it->variants, it->arena, st);
}

alm_code alm_reconcile(const alm_query_plan *plan, const alm_row_reader *reader, alm_arena *arena,
                       Almanac__V1__ReconcileResponse **ret, alm_status *st)
{
    alm_reconciliation *it = alm_arena_calloc(arena, 1, sizeof *it);
    Almanac__V1__ReconcileResponse *response = alm_arena_alloc(arena, sizeof *response);
    if (it == NULL || response == NULL) {
        return alm_reconcile_no_memory(st);
    }
    almanac__v1__reconcile_response__init(response);
    *it = (alm_reconciliation){.plan = plan, .reader = reader, .arena = arena};
    ALM_TRY(begin(it, st));
    ALM_TRY(alm_reconcile_read(it, st));
    ALM_TRY(judge_all(it, st));
    ALM_TRY(put_findings(it, response, st));
    ALM_TRY(put_errors(it, response, st));
    *ret = response;
    return ALM_OK;
}
