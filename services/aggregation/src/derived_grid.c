#include "derived_grid.h"

#include "alm/id_order.h"
#include "rollup.h"

// --- reading -------------------------------------------------------------------------------------

static alm_place_id place_of(const alm_query_run *run, const alm_derived_operand *operand,
                             alm_place_id asked)
{
    if (operand->place != ALM_PLACE_NONE) {
        return operand->place;
    }
    return operand->is_parent ? alm_place_tree_parent(run->plan->tree, asked) : asked;
}

// Where an operand is, each place once, ascending.
static alm_code places_of(alm_query_run *run, const alm_derived_operand *operand,
                          const alm_place_list *asked, alm_place_list *ret, alm_status *st)
{
    alm_place_id *ids = alm_arena_calloc(run->arena, asked->count, sizeof *ids);
    if (ids == NULL) {
        return alm_query_run_no_memory(st);
    }
    size_t count = 0;
    for (size_t i = 0; i < asked->count; i++) {
        alm_place_id place = place_of(run, operand, asked->ids[i]);
        if (place != ALM_PLACE_NONE) {
            ids[count++] = place;
        }
    }
    *ret = (alm_place_list){.ids = ids, .count = alm_ids_unique(ids, count)};
    return ALM_OK;
}

static alm_str breakdown_of(const alm_query_run *run, const alm_derived_operand *operand)
{
    return operand->has_breakdown ? operand->breakdown : run->plan->breakdown;
}

static alm_code check_rollup(const alm_query_run *run, const alm_derived *derived,
                             const alm_derived_operand *operand, alm_status *st)
{
    alm_str code = operand->indicator->code;
    if (!alm_derived_is_here(operand)) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "%.*s of another place is not rolled up with what is asked",
                              ALM_STR_ARGS(code));
    }
    if (operand->measure != ALM_MEASURE_LEVEL) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "%s of places does not make %s of %.*s of what they are parts of",
                              alm_measure_code(operand->measure),
                              alm_measure_code(operand->measure), ALM_STR_ARGS(code));
    }
    if (run->plan->incomplete && derived->formula.operand_count > 1) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "a formula of several incomplete sums would be of different members; "
                              "ask for it without incomplete");
    }
    return ALM_OK;
}

static alm_code read_operand(alm_query_run *run, const alm_derived *derived,
                             const alm_derived_operand *operand, const alm_place_list *places,
                             const alm_period_expr *periods, alm_status *st)
{
    alm_place_list own;
    if (operand->derived != NULL) {
        ALM_TRY(places_of(run, operand, places, &own, st));
        ALM_TRY(alm_derived_read(run, operand->derived, &own, periods, st));
    }
    if (run->groups != NULL) {
        ALM_TRY(check_rollup(run, derived, operand, st));
        return operand->derived != NULL ? ALM_OK
                                        : alm_rollup_read(run, operand->indicator,
                                                          breakdown_of(run, operand), periods, st);
    }
    ALM_TRY(places_of(run, operand, places, &own, st));
    return alm_query_run_fetch_of(
        run, operand->indicator, ALM_MEASURE_BIT(operand->measure), breakdown_of(run, operand),
        operand->is_last ? ALM_FREQ_NONE : run->plan->freq, &own, periods, st);
}

// One range of each frequency, as far as those that are asked reach.
static alm_code hull(alm_query_run *run, const alm_period_expr *periods, alm_period_expr *ret,
                     alm_status *st)
{
    const alm_period_expr asked = *periods; // which ret may be
    *ret = asked;
    ret->range_count = 0;
    ret->ranges = alm_arena_calloc(run->arena, asked.range_count, sizeof *ret->ranges);
    if (ret->ranges == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (size_t i = 0; i < asked.range_count; i++) {
        const alm_period_range *range = &asked.ranges[i];
        size_t at = 0;
        while (at < ret->range_count && ret->ranges[at].from.freq != range->from.freq) {
            at++;
        }
        alm_period_range *all = &ret->ranges[at];
        if (at == ret->range_count) {
            *all = *range;
            ret->range_count++;
        }
        all->from = range->from.ordinal < all->from.ordinal ? range->from : all->from;
        all->to = range->to.ordinal > all->to.ordinal ? range->to : all->to;
    }
    return ALM_OK;
}

static void widen_to(alm_period_range *it, alm_period year)
{
    alm_period run = year;
    if (it->from.freq != year.freq &&
        alm_period_expand(year, (alm_freq)it->from.freq, &run, NULL) != ALM_OK) {
        return;
    }
    alm_period last = run;
    last.ordinal += run.length - 1;
    run.length = last.length = 1;
    it->from = run.ordinal < it->from.ordinal ? run : it->from;
    it->to = last.ordinal > it->to.ordinal ? last : it->to;
}

// Prices look at the years up to the base.
static alm_code reach_bases(alm_query_run *run, const alm_formula *formula,
                            const alm_period_expr *periods, alm_period_expr *ret, alm_status *st)
{
    *ret = *periods;
    bool is_whole = periods->kind != ALM_PERIOD_EXPR_RANGES;
    for (uint32_t i = 0; !is_whole && i < formula->node_count; i++) {
        if (formula->nodes[i].op != ALM_FORMULA_PRICES) {
            continue;
        }
        ALM_TRY(hull(run, ret, ret, st));
        for (size_t k = 0; k < ret->range_count; k++) {
            widen_to(&ret->ranges[k], formula->nodes[i].transform.base);
        }
    }
    return ALM_OK;
}

alm_code alm_derived_read(alm_query_run *run, const alm_derived *derived,
                          const alm_place_list *places, const alm_period_expr *periods,
                          alm_status *st)
{
    if (run->groups != NULL && derived->indicator.over_places != ALM_AGGREGATION_RECOMPUTE) {
        return alm_rollup_refuse(&derived->indicator, st);
    }
    // Cumulative values make those of periods, and the other way round, with others beside them.
    bool is_converted = run->plan->transforms.of[ALM_STAGE_ACCUMULATION].op != ALM_TRANSFORM_NONE;
    alm_period_expr all = {.kind = ALM_PERIOD_EXPR_ALL};
    alm_period_expr reached;
    ALM_TRY(reach_bases(run, &derived->formula, periods, &reached, st));
    bool is_around = derived->looks_around || is_converted;
    for (uint32_t i = 0; i < derived->formula.operand_count; i++) {
        ALM_TRY(read_operand(run, derived, &derived->operands[i], places,
                             is_around ? &all : &reached, st));
    }
    return ALM_OK;
}

// --- planning ------------------------------------------------------------------------------------

// The family's twin of an operand: its measure, its breakdown.
static alm_code operand_key(alm_query_run *run, const alm_derived_operand *operand, uint32_t key,
                            uint32_t *ret, alm_status *st)
{
    alm_variant variant = alm_variant_table_get(&run->variants, key)->variant;
    variant.indicator = operand->indicator->code;
    variant.measure = operand->measure;
    variant.relation = (alm_relation){0};
    if (operand->has_breakdown) {
        ALM_TRY(alm_breakdowns_parse(operand->breakdown, variant.breakdowns,
                                     &variant.breakdown_count, st));
    }
    return alm_variant_table_add(&run->variants, &variant, ret, st);
}

// What was read of the operand; count 0: nothing.
static alm_code operand_family(alm_query_run *run, const alm_derived_operand *operand, uint32_t key,
                               alm_family *ret, alm_status *st)
{
    alm_families families;
    uint32_t own;
    ALM_TRY(operand_key(run, operand, key, &own, st));
    ALM_TRY(alm_families_find(run, operand->indicator->code, operand->measure, &families, st));
    *ret = alm_families_get(&families, own);
    return ALM_OK;
}

// The frequency of last(): the wanted one if it is published, else the next coarser that is.
static alm_freq last_freq(alm_query_run *run, const alm_family *family, alm_freq wanted)
{
    alm_freq found = ALM_FREQ_NONE;
    for (size_t i = 0; i < family->count; i++) {
        alm_freq freq = alm_variant_table_get(&run->variants, family->variants[i])->variant.freq;
        found = freq <= wanted ? ALM_MAX(found, freq) : found;
    }
    return found == ALM_FREQ_NONE ? wanted : found;
}

static alm_code plan_operand(alm_query_run *run, const alm_derived_operand *operand, uint32_t key,
                             const alm_quantity *out, alm_source_grid *ret, alm_status *st)
{
    alm_family family;
    alm_status fault = ALM_STATUS_INIT; // it has no numbers then, and says why cell by cell
    ALM_TRY(operand_family(run, operand, key, &family, st));
    alm_freq freq = operand->is_last ? last_freq(run, &family, out->freq) : out->freq;
    ALM_TRY(alm_source_grid_plan_beside(run, operand->indicator, operand->derived, &family, freq,
                                        out->accumulation, ret, &fault, st));
    return ALM_OK;
}

// What the operands are, as the formula meets them.
static void operand_quantities(const alm_derived_grid *it, const alm_quantity *out,
                               alm_quantity *ret)
{
    for (uint32_t i = 0; i < it->derived->formula.operand_count; i++) {
        ret[i] = it->operands[i].quantity;
        ret[i].freq = out->freq;
    }
}

alm_code alm_derived_grid_plan(alm_query_run *run, const alm_derived *derived, uint32_t key,
                               const alm_quantity *out, alm_derived_grid **ret, alm_status *fault,
                               alm_status *st)
{
    alm_arena *arena = run->arena;
    const alm_formula *formula = &derived->formula;
    alm_quantity quantities[ALM_FORMULA_NODE_COUNT_MAX];
    alm_derived_grid *it = alm_arena_calloc(arena, 1, sizeof *it);
    *ret = NULL;
    if (it == NULL) {
        return alm_query_run_no_memory(st);
    }
    it->derived = derived;
    it->rules = alm_arena_calloc(arena, formula->node_count, sizeof *it->rules);
    it->axes = alm_arena_calloc(arena, formula->node_count, sizeof *it->axes);
    it->parts = alm_arena_calloc(arena, formula->node_count, sizeof *it->parts);
    it->operands = alm_arena_calloc(arena, formula->operand_count, sizeof *it->operands);
    it->sets = alm_arena_calloc(arena, formula->operand_count, sizeof *it->sets);
    if (it->rules == NULL || it->axes == NULL || it->parts == NULL || it->operands == NULL ||
        it->sets == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (uint32_t i = 0; i < formula->operand_count; i++) {
        ALM_TRY(plan_operand(run, &derived->operands[i], key, out, &it->operands[i], st));
    }
    operand_quantities(it, out, quantities);
    if (alm_formula_rules(formula, quantities, it->rules, fault) == ALM_OK) {
        *ret = it;
    }
    return ALM_OK;
}

alm_code alm_derived_lead(alm_query_run *run, const alm_derived *derived, alm_families *ret,
                          alm_status *st)
{
    const alm_derived_operand *lead = derived->lead;
    if (lead->derived != NULL) {
        return alm_derived_lead(run, lead->derived, ret, st);
    }
    alm_families families;
    ALM_TRY(alm_families_find(run, lead->indicator->code, lead->measure, &families, st));
    *ret = (alm_families){.of = families.of};
    for (size_t i = 0; i < families.count; i++) {
        const alm_variant_entry *entry = alm_variant_table_get(&run->variants, families.of[i].key);
        bool is_own = !lead->has_breakdown || alm_str_eq(entry->breakdown, lead->breakdown);
        bool is_plain = entry->relation.len == 0;
        if (is_own && is_plain) {
            ret->of[ret->count++] = families.of[i];
        }
    }
    return ALM_OK;
}

// In a new list: others may have the old one.
static alm_code add_variants(alm_query_run *run, const alm_family *more, alm_family *all,
                             alm_status *st)
{
    uint32_t *variants = alm_arena_calloc(run->arena, all->count + more->count, sizeof *variants);
    if (variants == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (size_t i = 0; i < all->count + more->count; i++) {
        variants[i] = i < all->count ? all->variants[i] : more->variants[i - all->count];
    }
    all->variants = variants;
    all->count = all->cap = all->count + more->count;
    return ALM_OK;
}

alm_code alm_derived_take_growth(alm_query_run *run, const alm_derived *derived, alm_family *lead,
                                 alm_status *st)
{
    const alm_formula *formula = &derived->formula;
    if (derived->lead->derived != NULL) {
        return alm_derived_take_growth(run, derived->lead->derived, lead, st);
    }
    for (uint32_t i = 0; i < formula->node_count; i++) {
        const alm_formula_node *node = &formula->nodes[i];
        if (node->op != ALM_FORMULA_PRICES ||
            &derived->operands[formula->nodes[node->left].operand] != derived->lead) {
            continue;
        }
        alm_family growth;
        ALM_TRY(operand_family(run, &derived->operands[formula->nodes[node->right].operand],
                               lead->key, &growth, st));
        ALM_TRY(add_variants(run, &growth, lead, st));
    }
    return ALM_OK;
}

// --- loading -------------------------------------------------------------------------------------

typedef struct loading {
    alm_derived_grid *it;
    alm_query_run *run;
    const alm_series_set *set;
    alm_arena *arena;
} loading;

static alm_code make_set(const loading *l, const alm_derived_operand *operand, alm_series_set *ret,
                         alm_status *st)
{
    *ret = *l->set;
    ret->count = ret->source_count;
    if (alm_derived_is_here(operand)) {
        return ALM_OK;
    }
    ret->places = alm_arena_calloc(l->arena, ret->source_count, sizeof *ret->places);
    if (ret->places == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (size_t s = 0; s < ret->source_count; s++) {
        ret->places[s] = place_of(l->run, operand, l->set->places[s]);
    }
    return ALM_OK;
}

// The newest whole period of a frequency at the end of another.
static alm_period newest_whole(alm_period period, alm_freq freq)
{
    alm_date day = alm_period_last_day(period);
    alm_period found = period;
    alm_code code = alm_period_of_date(day, freq, &found, NULL);
    ALM_ASSERT(code == ALM_OK);
    if (alm_period_last_day(found) > day) {
        found.ordinal--;
    }
    return found;
}

static void copy_cell(const alm_grid *from, size_t i, alm_grid *to, size_t k)
{
    if (to->mantissas != NULL) {
        to->mantissas[k] = from->mantissas[i];
    }
    if (to->numbers != NULL) {
        to->numbers[k] = from->numbers[i];
    }
    to->digits[k] = from->digits[i];
    to->lower[k] = from->lower[i];
    to->upper[k] = from->upper[i];
    to->flags[k] = from->flags[i];
    to->gaps[k] = from->gaps[i];
    to->newest[k] = from->newest[i];
}

alm_period alm_derived_operand_period(const alm_derived_operand *operand, alm_freq freq,
                                      alm_period period)
{
    return operand->is_last ? newest_whole(period, freq) : period;
}

static alm_axis last_axis(alm_axis axis, alm_freq freq)
{
    return alm_axis_between(newest_whole(axis.first, freq),
                            newest_whole(alm_axis_at(axis, axis.count - 1), freq));
}

// Of each period the cell of the newest whole one of the operand's own frequency.
static alm_code load_last(const loading *l, alm_source_grid *operand, const alm_series_set *set,
                          alm_axis axis, alm_grid *ret, alm_status *st)
{
    alm_freq freq = operand->quantity.freq;
    alm_axis own = last_axis(axis, freq);
    ALM_TRY(alm_source_grid_load(operand, set, own, l->arena, st));
    const alm_grid *from = &operand->grid;
    ALM_TRY(alm_grid_make(axis, from->series_count, from->kind, from->exponent, l->arena, ret, st));
    for (uint32_t t = 0; t < axis.count; t++) {
        uint32_t at = alm_axis_find(own, newest_whole(alm_axis_at(axis, t), freq));
        ALM_ASSERT(at != ALM_AXIS_NONE);
        for (size_t s = 0; s < from->series_count; s++) {
            copy_cell(from, s * own.count + at, ret, s * axis.count + t);
        }
    }
    return ALM_OK;
}

static alm_code load_operand(void *self, uint32_t i, alm_axis axis, alm_grid *ret, alm_status *st)
{
    const loading *l = self;
    const alm_derived_operand *operand = &l->it->derived->operands[i];
    alm_series_set *set = &l->it->sets[i];
    alm_source_grid *source = &l->it->operands[i];
    ALM_TRY(make_set(l, operand, set, st));
    if (operand->is_last && source->quantity.freq != (alm_freq)axis.first.freq) {
        return load_last(l, source, set, axis, ret, st);
    }
    ALM_TRY(alm_source_grid_load(source, set, axis, l->arena, st));
    *ret = source->grid;
    return ALM_OK;
}

alm_code alm_derived_grid_load(alm_derived_grid *it, alm_query_run *run, const alm_series_set *set,
                               const alm_quantity *out, alm_axis axis, alm_arena *arena,
                               alm_status *st)
{
    const alm_formula *formula = &it->derived->formula;
    loading self = {it, run, set, arena};
    alm_formula_source source = {&self, load_operand};
    uint32_t whole = formula->node_count - 1;
    ALM_TRY(alm_formula_reach(formula, it->rules, axis, it->axes, st));
    ALM_TRY(alm_formula_run(formula, it->rules, it->axes, set->source_count, &source, arena,
                            it->parts, st));
    alm_unit unit = it->rules[whole].out.unit;
    // Points are told in the unit they are in.
    double by = alm_unit_convertible(unit, out->unit) ? alm_unit_factor(unit, out->unit) : 1;
    return alm_grid_scale(&it->parts[whole], by, arena, &it->grid, st);
}

alm_code alm_derived_grid_periods(const alm_derived_grid *it, alm_axis axis, uint32_t *ret,
                                  alm_status *st)
{
    const alm_formula *formula = &it->derived->formula;
    ALM_TRY(alm_formula_reach(formula, it->rules, axis, it->axes, st));
    *ret = axis.count;
    for (uint32_t i = 0; i < formula->node_count; i++) {
        const alm_formula_node *node = &formula->nodes[i];
        uint32_t periods = it->axes[i].count;
        if (node->op == ALM_FORMULA_OPERAND && !it->derived->operands[node->operand].is_last) {
            ALM_TRY(
                alm_source_grid_periods(&it->operands[node->operand], it->axes[i], &periods, st));
        }
        *ret = ALM_MAX(*ret, periods);
    }
    return ALM_OK;
}

// --- what is told of it --------------------------------------------------------------------------

// Where its lead is, or something comes out.
bool alm_derived_grid_told(const alm_derived_grid *it, size_t series, uint32_t t)
{
    const alm_derived_operand *lead = it->derived->lead;
    const alm_source_grid *source = &it->operands[lead - it->derived->operands];
    uint32_t at = alm_axis_find(source->grid.axis, alm_axis_at(it->grid.axis, t));
    return alm_grid_has(&it->grid, series * it->grid.axis.count + t) ||
           (at != ALM_AXIS_NONE && alm_derived_is_here(lead) &&
            alm_source_grid_told(source, series, at));
}

// States are often published by the year alone.
static bool wants_last(const alm_derived_operand *operand, const alm_source_grid *source)
{
    return !operand->is_last && source->count == 0 && source->derived == NULL &&
           source->quantity.freq > ALM_FREQ_ANNUAL &&
           operand->indicator->value_type == ALM_VALUE_TYPE_STOCK;
}

static alm_code why_operand(const alm_derived_grid *it, alm_query_run *run, uint32_t k,
                            alm_period period, size_t series, bool names_place, const char **ret,
                            alm_status *st)
{
    const alm_derived_operand *operand = &it->derived->operands[k];
    const alm_source_grid *source = &it->operands[k];
    bool is_elsewhere = !alm_derived_is_here(operand);
    alm_str code = operand->indicator->code;
    if (source->set->places[series] == ALM_PLACE_NONE) {
        return alm_query_run_text(run, ret, st, "%.*s: the place has no parent place",
                                  ALM_STR_ARGS(code));
    }
    uint32_t at = alm_axis_find(source->grid.axis,
                                alm_derived_operand_period(operand, source->quantity.freq, period));
    ALM_ASSERT(at != ALM_AXIS_NONE);
    ALM_TRY(alm_source_grid_why(source, series, at, names_place || is_elsewhere, ret, st));
    const char *hint = wants_last(operand, source) ? "; last() takes the newest of a year" : "";
    return alm_query_run_text(run, ret, st, "%.*s: %s%s", ALM_STR_ARGS(code), *ret, hint);
}

static alm_code name_node(const alm_derived_grid *it, alm_query_run *run, uint32_t node,
                          const char *what, const char **ret, alm_status *st)
{
    alm_buf text;
    alm_buf_init(&text, 0);
    alm_formula_format(&it->derived->formula, node, &text);
    alm_code code =
        alm_query_run_text(run, ret, st, "%.*s %s", ALM_STR_ARGS(alm_buf_view(&text)), what);
    alm_buf_deinit(&text);
    return code;
}

static const char *why_no_prices(alm_gap gap)
{
    switch (gap) {
    case ALM_GAP_NEGATIVE:
        return "has no chain: the value of the base year is not positive, or growth is -100 "
               "percent or less";
    case ALM_GAP_CALENDAR:
        return "has no such period in the base year";
    default:
        return "is too large";
    }
}

alm_code alm_derived_grid_why(const alm_derived_grid *it, alm_query_run *run, size_t series,
                              uint32_t t, bool names_place, const char **ret, alm_status *st)
{
    const alm_formula *formula = &it->derived->formula;
    uint32_t node = formula->node_count - 1;
    alm_formula_blame(formula, it->rules, it->parts, series, &node, &t);
    const alm_formula_node *of = &formula->nodes[node];
    const alm_grid *grid = &it->parts[node];
    alm_gap gap = (alm_gap)grid->gaps[series * grid->axis.count + t];
    uint32_t ignored;
    switch (of->op) {
    case ALM_FORMULA_OPERAND:
        return why_operand(it, run, of->operand, alm_axis_at(grid->axis, t), series, names_place,
                           ret, st);
    case ALM_FORMULA_TRANSFORM:
        ALM_TRY(alm_step_why(run, &it->rules[node].step, &it->parts[of->left], grid, series, t,
                             &ignored, ret, st));
        return name_node(it, run, node, *ret, ret, st);
    case ALM_FORMULA_PRICES:
        return name_node(it, run, node, why_no_prices(gap), ret, st);
    default:
        return gap == ALM_GAP_ZERO ? name_node(it, run, of->right, "is zero", ret, st)
                                   : name_node(it, run, node, "is too large", ret, st);
    }
}

alm_code alm_derived_grid_members(const alm_derived_grid *it, size_t series, uint32_t t,
                                  alm_period answered, alm_members *ret, alm_status *st)
{
    alm_period period = alm_axis_at(it->grid.axis, t);
    *ret = (alm_members){.remark = ""};
    for (uint32_t k = 0; k < it->derived->formula.operand_count; k++) {
        alm_members one;
        uint32_t at = alm_axis_find(it->operands[k].grid.axis, period);
        if (at == ALM_AXIS_NONE) {
            continue;
        }
        ALM_TRY(alm_source_grid_members(&it->operands[k], series, at, answered, &one, st));
        bool is_less = one.expected > 0 && (ret->expected == 0 || one.present < ret->present);
        *ret = is_less ? one : *ret;
    }
    return ALM_OK;
}
