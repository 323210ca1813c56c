#include "derived.h"

#include "alm/limits.h"
#include "alm/reconcile.h"
#include "alm/series_words.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for a formula");
}

static alm_code find_breakdown(const alm_formula_operand *said, alm_arena *arena,
                               alm_derived_operand *ret, alm_status *st)
{
    alm_series_words words;
    const char *text = alm_arena_strdup(arena, said->breakdown);
    if (text == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_series_words_parse("level", text, "", "", arena, &words, st));
    ret->has_breakdown = said->breakdown.len > 0;
    ret->breakdown = words.breakdown;
    if (alm_str_eq(ret->breakdown, ALM_STR("*"))) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%.*s[*]: one breakdown is one operand",
                              ALM_STR_ARGS(said->name));
    }
    return ALM_OK;
}

static alm_code find_operand(const alm_catalog *catalog, const alm_formula_operand *said,
                             alm_arena *arena, alm_derived_operand *ret, alm_status *st)
{
    uint32_t id;
    *ret = (alm_derived_operand){
        .measure = said->measure,
        .is_parent = said->is_parent,
        .is_last = said->is_last,
        .place = ALM_PLACE_NONE,
    };
    ALM_TRY(alm_catalog_resolve_indicator(catalog, said->name, &id, st));
    ret->indicator = alm_catalog_indicator(catalog, id);
    if (said->place.len > 0) {
        ALM_TRY(alm_catalog_resolve_place(catalog, said->place, &ret->place, st));
    }
    ALM_TRY(alm_derived_of(catalog, ret->indicator, ret->measure, arena, &ret->derived, st));
    return find_breakdown(said, arena, ret, st);
}

// The first that is of the place and period that are asked; else the first of the period.
static const alm_derived_operand *find_lead(const alm_derived *it)
{
    const alm_derived_operand *lead = NULL;
    for (uint32_t i = it->formula.operand_count; i-- > 0;) {
        const alm_derived_operand *operand = &it->operands[i];
        bool is_better = lead == NULL || alm_derived_is_here(operand) || !alm_derived_is_here(lead);
        lead = !operand->is_last && is_better ? operand : lead;
    }
    return lead == NULL ? &it->operands[0] : lead;
}

// Growth at current prices, chained, would be the level again.
static alm_code check_prices(const alm_derived *it, const alm_formula_node *node, alm_status *st)
{
    uint32_t level = it->formula.nodes[node->left].operand;
    const alm_indicator *indicator = it->operands[level].indicator;
    if (alm_indicator_grows_real(indicator)) {
        return ALM_OK;
    }
    return alm_status_set(st, ALM_FAILED_PRECONDITION,
                          "nothing says that growth of %.*s is at constant prices; its definition "
                          "in the catalogue would, with 不变价, 可比价 or \"constant prices\"",
                          ALM_STR_ARGS(indicator->code));
}

static alm_code find_operands(const alm_catalog *catalog, alm_arena *arena, alm_derived *it,
                              alm_status *st)
{
    const alm_formula *formula = &it->formula;
    it->operands = alm_arena_calloc(arena, formula->operand_count, sizeof *it->operands);
    if (it->operands == NULL) {
        return no_memory(st);
    }
    for (uint32_t i = 0; i < formula->operand_count; i++) {
        alm_derived_operand *operand = &it->operands[i];
        ALM_TRY(find_operand(catalog, &formula->operands[i], arena, operand, st));
        it->looks_around |=
            operand->is_last || (operand->derived != NULL && operand->derived->looks_around);
    }
    it->lead = find_lead(it);
    for (uint32_t i = 0; i < formula->node_count; i++) {
        const alm_formula_node *node = &formula->nodes[i];
        it->looks_around |= node->op == ALM_FORMULA_TRANSFORM;
        ALM_TRY(node->op == ALM_FORMULA_PRICES ? check_prices(it, node, st) : ALM_OK);
    }
    return ALM_OK;
}

// What comes out, of whichever frequency.
static alm_code find_outcome(alm_derived *it, alm_str text, alm_status *st)
{
    alm_quantity operands[ALM_FORMULA_NODE_COUNT_MAX];
    alm_formula_rule rules[ALM_FORMULA_NODE_COUNT_MAX];
    const alm_formula *formula = &it->formula;
    for (uint32_t i = 0; i < formula->operand_count; i++) {
        operands[i] = alm_quantity_of(it->operands[i].indicator, it->operands[i].measure,
                                      ALM_FREQ_ANNUAL, ALM_ACCUMULATION_PERIOD);
    }
    ALM_TRY(alm_formula_rules(formula, operands, rules, st));
    const alm_quantity *out = &rules[formula->node_count - 1].out;
    if (out->kind == ALM_QUANTITY_OTHER || out->kind == ALM_QUANTITY_LOGARITHM) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "%.*s: ranks and logarithms are asked as transforms",
                              ALM_STR_ARGS(text));
    }
    it->indicator = (alm_indicator){
        .code = ALM_STR(ALM_DERIVED_CODE),
        .name_zh = text,
        .unit = out->unit,
        .value_type = out->type,
        .over_places = ALM_AGGREGATION_RECOMPUTE,
        .over_time = out->over_time,
    };
    return ALM_OK;
}

static alm_code make(const alm_catalog *catalog, alm_str text, const alm_indicator *own,
                     alm_arena *arena, alm_derived **ret, alm_status *st)
{
    alm_derived *it = alm_arena_calloc(arena, 1, sizeof *it);
    if (it == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_formula_parse(text, &it->formula, st));
    ALM_TRY(find_operands(catalog, arena, it, st));
    if (own != NULL) {
        it->indicator = *own;
    } else {
        ALM_TRY(find_outcome(it, text, st));
    }
    *ret = it;
    return ALM_OK;
}

alm_code alm_derived_make(const alm_catalog *catalog, alm_str text, const alm_indicator *own,
                          alm_arena *arena, const alm_derived **ret, alm_status *st)
{
    alm_derived *it;
    ALM_TRY(make(catalog, text, own, arena, &it, st));
    *ret = it;
    return ALM_OK;
}

alm_code alm_derived_prices(const alm_catalog *catalog, const alm_indicator *indicator,
                            const alm_transform *transform, alm_arena *arena,
                            const alm_derived **ret, alm_status *st)
{
    bool is_constant = transform->op == ALM_TRANSFORM_CONSTANT;
    char *text =
        alm_arena_printf(arena, "%s(\"%.*s\", %d)", is_constant ? "constant" : "deflator",
                         ALM_STR_ARGS(indicator->code), (int)alm_period_year(transform->base));
    alm_derived *it;
    if (text == NULL) {
        return no_memory(st);
    }
    ALM_TRY(make(catalog, alm_str_from(text), NULL, arena, &it, st));
    if (is_constant) {
        it->indicator.direction = indicator->direction;
    }
    *ret = it;
    return ALM_OK;
}

alm_code alm_derived_of(const alm_catalog *catalog, const alm_indicator *indicator,
                        alm_measure measure, alm_arena *arena, const alm_derived **ret,
                        alm_status *st)
{
    *ret = NULL;
    if (indicator->formula.len == 0 || measure != ALM_MEASURE_LEVEL) {
        return ALM_OK;
    }
    return alm_derived_make(catalog, indicator->formula, indicator, arena, ret, st);
}
