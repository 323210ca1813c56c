#include "alm/formula.h"
#include "catalog_impl.h"

#include "alm/alloc.h"

#include "check.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the catalogue");
}

alm_code alm_catalog_create(alm_catalog **ret, alm_status *st)
{
    alm_catalog *c = alm_calloc(1, sizeof *c);
    if (c == NULL) {
        return no_memory(st);
    }
    c->texts = alm_arena_create(ALM_CATALOG_BYTES_MAX);
    if (c->texts == NULL) {
        alm_catalog_destroy(&c);
        return no_memory(st);
    }
    alm_code code = alm_place_tree_create(&c->places, st);
    if (code != ALM_OK) {
        alm_catalog_destroy(&c);
        return code;
    }
    *ret = c;
    return ALM_OK;
}

void alm_catalog_destroy(alm_catalog **c)
{
    if (*c == NULL) {
        return;
    }
    name_index_deinit(&(*c)->indicator_codes);
    name_index_deinit(&(*c)->indicator_names);
    name_index_deinit(&(*c)->source_codes);
    name_index_deinit(&(*c)->source_titles);
    alm_free((*c)->indicators);
    alm_free((*c)->sources);
    alm_place_tree_destroy(&(*c)->places);
    alm_arena_destroy(&(*c)->texts);
    alm_free(*c);
    *c = NULL;
}

static bool reserve(void **array, size_t count, size_t *cap, size_t elem_size)
{
    if (count < *cap) {
        return true;
    }
    size_t grown_cap = ALM_MAX(*cap * 2, (size_t)64);
    void *grown = alm_realloc(*array, grown_cap * elem_size);
    if (grown == NULL) {
        return false;
    }
    *array = grown;
    *cap = grown_cap;
    return true;
}

// Replaces the view by one of a copy. False: out of memory.
static bool keep(alm_arena *texts, alm_str *view)
{
    const char *copy = alm_arena_strdup(texts, *view);
    if (copy == NULL) {
        return false;
    }
    view->data = copy;
    return true;
}

static bool keep_all(alm_arena *texts, const alm_str **views, size_t count)
{
    alm_str *copies = alm_arena_calloc(texts, count, sizeof *copies);
    bool ok = copies != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        copies[i] = (*views)[i];
        ok = keep(texts, &copies[i]);
    }
    *views = copies;
    return ok;
}

static bool copy_indicator(alm_catalog *c, const alm_indicator *from, alm_indicator *to)
{
    *to = *from;
    return keep(c->texts, &to->code) && keep(c->texts, &to->name_zh) &&
           keep(c->texts, &to->name_en) && keep(c->texts, &to->theme) &&
           keep(c->texts, &to->numerator) && keep(c->texts, &to->denominator) &&
           keep(c->texts, &to->formula) && keep(c->texts, &to->definition) &&
           keep_all(c->texts, &to->aliases, to->alias_count);
}

static bool index_names(alm_catalog *c, const alm_indicator *indicator, uint32_t id)
{
    for (size_t i = 0; i < indicator_name_count(indicator); i++) {
        alm_str name = indicator_name(indicator, i);
        if (name.len > 0 && !name_index_add(&c->indicator_names, name, id)) {
            return false;
        }
    }
    return true;
}

// What a failed add has put into the names is taken out again; the arena keeps the text until the
// end, which is of no consequence.
alm_code alm_catalog_add_indicator(alm_catalog *c, const alm_indicator *indicator, uint32_t *ret_id,
                                   alm_status *st)
{
    ALM_ASSERT(!c->finished);
    ALM_TRY(alm_indicator_check(indicator, st));
    if (alm_catalog_find_indicator(c, indicator->code) != ALM_CATALOG_NONE) {
        return alm_status_set_field(st, ALM_ALREADY_EXISTS, "code",
                                    "indicator %.*s is there already", SHOWN_ARGS(indicator->code));
    }
    void *array = c->indicators;
    bool ok = reserve(&array, c->indicator_count, &c->indicator_cap, sizeof *c->indicators);
    c->indicators = array;
    uint32_t id = (uint32_t)c->indicator_count;
    size_t name_count = c->indicator_names.entry_count;
    ok = ok && copy_indicator(c, indicator, &c->indicators[id]) &&
         index_names(c, &c->indicators[id], id) &&
         name_index_add(&c->indicator_codes, c->indicators[id].code, id);
    if (!ok) {
        while (c->indicator_names.entry_count > name_count) {
            name_index_pop(&c->indicator_names);
        }
        return no_memory(st);
    }
    c->indicator_count++;
    if (ret_id != NULL) {
        *ret_id = id;
    }
    return ALM_OK;
}

static bool copy_source(alm_catalog *c, const alm_source *from, alm_source *to)
{
    *to = *from;
    return keep(c->texts, &to->code) && keep(c->texts, &to->title) &&
           keep(c->texts, &to->publisher) && keep(c->texts, &to->address) &&
           keep(c->texts, &to->note);
}

alm_code alm_catalog_add_source(alm_catalog *c, const alm_source *source, uint32_t *ret_id,
                                alm_status *st)
{
    ALM_ASSERT(!c->finished);
    ALM_TRY(alm_source_check(source, st));
    if (alm_catalog_find_source(c, source->code) != ALM_CATALOG_NONE) {
        return alm_status_set_field(st, ALM_ALREADY_EXISTS, "code", "source %.*s is there already",
                                    SHOWN_ARGS(source->code));
    }
    void *array = c->sources;
    bool ok = reserve(&array, c->source_count, &c->source_cap, sizeof *c->sources);
    c->sources = array;
    uint32_t id = (uint32_t)c->source_count;
    size_t title_count = c->source_titles.entry_count;
    ok = ok && copy_source(c, source, &c->sources[id]) &&
         name_index_add(&c->source_titles, c->sources[id].title, id) &&
         name_index_add(&c->source_codes, c->sources[id].code, id);
    if (!ok) {
        while (c->source_titles.entry_count > title_count) {
            name_index_pop(&c->source_titles);
        }
        return no_memory(st);
    }
    c->source_count++;
    if (ret_id != NULL) {
        *ret_id = id;
    }
    return ALM_OK;
}

alm_code alm_catalog_add_place(alm_catalog *c, const alm_place *place, alm_place_id *ret_id,
                               alm_status *st)
{
    ALM_ASSERT(!c->finished);
    return alm_place_tree_add(c->places, place, ret_id, st);
}

static alm_code check_part(const alm_catalog *c, const alm_indicator *indicator, alm_str part,
                           const char *field, alm_status *st)
{
    if (part.len == 0 || alm_catalog_find_indicator(c, part) != ALM_CATALOG_NONE) {
        return ALM_OK;
    }
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field,
                                "indicator %.*s: unknown %s '%.*s'", SHOWN_ARGS(indicator->code),
                                field, SHOWN_ARGS(part));
}

// --- what is made of others ----------------------------------------------------------------------

static alm_code check_operands(const alm_catalog *c, const alm_indicator *indicator,
                               const alm_formula *formula, alm_status *st)
{
    for (uint32_t i = 0; i < formula->operand_count; i++) {
        const alm_formula_operand *operand = &formula->operands[i];
        ALM_TRY(check_part(c, indicator, operand->name, "indicator", st));
        if (operand->place.len > 0 &&
            alm_place_tree_find(c->places, operand->place) == ALM_PLACE_NONE) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "formula",
                                        "indicator %.*s: unknown place '%.*s'",
                                        SHOWN_ARGS(indicator->code), SHOWN_ARGS(operand->place));
        }
    }
    return ALM_OK;
}

// Does the formula make the unit that values are kept in?
static alm_code check_outcome(const alm_catalog *c, const alm_indicator *indicator,
                              const alm_formula *formula, alm_status *st)
{
    alm_quantity operands[ALM_FORMULA_NODE_COUNT_MAX];
    alm_formula_rule rules[ALM_FORMULA_NODE_COUNT_MAX];
    alm_status why = ALM_STATUS_INIT;
    for (uint32_t i = 0; i < formula->operand_count; i++) {
        uint32_t id = alm_catalog_find_indicator(c, formula->operands[i].name);
        operands[i] = alm_quantity_of(&c->indicators[id], formula->operands[i].measure,
                                      ALM_FREQ_ANNUAL, ALM_ACCUMULATION_PERIOD);
    }
    if (alm_formula_rules(formula, operands, rules, &why) != ALM_OK) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "formula", "indicator %.*s: %s",
                                    SHOWN_ARGS(indicator->code), why.message);
    }
    alm_unit unit = rules[formula->node_count - 1].out.unit;
    if (!alm_unit_convertible(unit, indicator->unit)) {
        char made[ALM_UNIT_TEXT_MAX];
        char kept[ALM_UNIT_TEXT_MAX];
        (void)alm_unit_code(unit, made);
        (void)alm_unit_code(indicator->unit, kept);
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "formula",
                                    "indicator %.*s: its formula makes %s, which does not convert "
                                    "to %s",
                                    SHOWN_ARGS(indicator->code), made, kept);
    }
    return ALM_OK;
}

static alm_code check_formulas(const alm_catalog *c, alm_status *st)
{
    for (size_t i = 0; i < c->indicator_count; i++) {
        const alm_indicator *indicator = &c->indicators[i];
        alm_formula formula;
        if (indicator->formula.len == 0) {
            continue;
        }
        ALM_TRY(alm_formula_parse(indicator->formula, &formula, st));
        ALM_TRY(check_operands(c, indicator, &formula, st));
        ALM_TRY(check_outcome(c, indicator, &formula, st));
    }
    return ALM_OK;
}

static bool is_settled(const alm_catalog *c, const bool *settled, alm_str part)
{
    return part.len == 0 || settled[alm_catalog_find_indicator(c, part)];
}

static bool are_operands_settled(const alm_catalog *c, const bool *settled, alm_str text)
{
    alm_formula formula;
    if (text.len == 0) {
        return true;
    }
    bool is_good = alm_formula_parse(text, &formula, NULL) == ALM_OK;
    for (uint32_t i = 0; is_good && i < formula.operand_count; i++) {
        is_good = is_settled(c, settled, formula.operands[i].name);
    }
    return is_good;
}

// Whoever computes an indicator asks for its parts, and theirs: that must come to an end. An
// indicator is settled when its parts are; what never settles is on a cycle or rests on one.
static alm_code check_cycles(const alm_catalog *c, alm_status *st)
{
    bool *settled = alm_calloc(c->indicator_count + 1, sizeof *settled);
    if (settled == NULL) {
        return no_memory(st);
    }
    size_t count = 0;
    for (size_t before = SIZE_MAX; count != before;) {
        before = count;
        for (size_t i = 0; i < c->indicator_count; i++) {
            const alm_indicator *indicator = &c->indicators[i];
            if (!settled[i] && is_settled(c, settled, indicator->numerator) &&
                is_settled(c, settled, indicator->denominator) &&
                are_operands_settled(c, settled, indicator->formula)) {
                settled[i] = true;
                count++;
            }
        }
    }
    alm_code code = ALM_OK;
    for (size_t i = 0; i < c->indicator_count && code == ALM_OK; i++) {
        const alm_indicator *indicator = &c->indicators[i];
        bool is_formula = indicator->formula.len > 0;
        if (!settled[i]) {
            code = alm_status_set_field(
                st, ALM_INVALID_ARGUMENT, is_formula ? "formula" : "numerator",
                "indicator %.*s is computed from itself through %s", SHOWN_ARGS(indicator->code),
                is_formula ? "formulas" : "numerators and denominators");
        }
    }
    alm_free(settled);
    return code;
}

alm_code alm_catalog_finish(alm_catalog *c, alm_status *st)
{
    ALM_ASSERT(!c->finished);
    for (size_t i = 0; i < c->indicator_count; i++) {
        const alm_indicator *indicator = &c->indicators[i];
        ALM_TRY(check_part(c, indicator, indicator->numerator, "numerator", st));
        ALM_TRY(check_part(c, indicator, indicator->denominator, "denominator", st));
    }
    ALM_TRY(alm_place_tree_finish(c->places, st));
    ALM_TRY(check_formulas(c, st));
    ALM_TRY(check_cycles(c, st));
    c->finished = true;
    return ALM_OK;
}

const alm_place_tree *alm_catalog_places(const alm_catalog *c)
{
    ALM_ASSERT(c->finished);
    return c->places;
}

size_t alm_catalog_indicator_count(const alm_catalog *c)
{
    return c->indicator_count;
}

const alm_indicator *alm_catalog_indicator(const alm_catalog *c, uint32_t id)
{
    ALM_ASSERT(id < c->indicator_count);
    return &c->indicators[id];
}

size_t alm_catalog_source_count(const alm_catalog *c)
{
    return c->source_count;
}

const alm_source *alm_catalog_source(const alm_catalog *c, uint32_t id)
{
    ALM_ASSERT(id < c->source_count);
    return &c->sources[id];
}

uint32_t alm_catalog_find_indicator(const alm_catalog *c, alm_str code)
{
    uint32_t id;
    return name_index_find(&c->indicator_codes, code, &id) ? id : ALM_CATALOG_NONE;
}

uint32_t alm_catalog_find_source(const alm_catalog *c, alm_str code)
{
    uint32_t id;
    return name_index_find(&c->source_codes, code, &id) ? id : ALM_CATALOG_NONE;
}
