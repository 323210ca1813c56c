// What the parts of a formula are: which quantities go together, and what comes out in which unit.
#include "alm/formula.h"

#include <string.h>

static const alm_unit plain_ratio = {.measure = ALM_MEASURE_UNIT_RATIO};

typedef struct checker {
    const alm_formula *formula;
    const alm_formula_rule *rules;
    uint32_t node;
    alm_status *st;
} checker;

// "gdp / pop: CNY_E8 and persons_E4 ..." in front of why.
static alm_code refuse(const checker *c, const char *why)
{
    alm_buf part;
    alm_buf_init(&part, 0);
    alm_formula_format(c->formula, c->node, &part);
    const alm_formula_node *node = &c->formula->nodes[c->node];
    char left[ALM_UNIT_TEXT_MAX];
    char right[ALM_UNIT_TEXT_MAX];
    (void)alm_unit_code(c->rules[node->left].out.unit, left);
    (void)alm_unit_code(c->rules[node->right].out.unit, right);
    alm_code code = alm_status_set(c->st, ALM_FAILED_PRECONDITION, "%.*s: %s (it is of %s and %s)",
                                   ALM_STR_ARGS(alm_buf_view(&part)), why, left, right);
    alm_buf_deinit(&part);
    return code;
}

static void become_rate(alm_quantity *it)
{
    it->measure = ALM_MEASURE_LEVEL;
    it->type = ALM_VALUE_TYPE_RATE;
    it->over_time = ALM_AGGREGATION_NONE;
}

static void become_percent(alm_quantity *it)
{
    become_rate(it);
    it->kind = ALM_QUANTITY_RATIO;
    it->unit = ALM_UNIT_PERCENT;
}

static bool is_computable(const alm_formula_rule *it)
{
    return it->out.kind != ALM_QUANTITY_OTHER && it->out.kind != ALM_QUANTITY_LOGARITHM;
}

// --- + and - -------------------------------------------------------------------------------------

// What a number means beside another quantity: 1 is 100 %, and 100 points of an index.
static double number_beside(const alm_formula_rule *other)
{
    return other->out.kind == ALM_QUANTITY_RATIO && !other->is_number ? 100 : 1;
}

static bool are_points(const alm_formula_rule *a, const alm_formula_rule *b)
{
    return a->out.kind == ALM_QUANTITY_RATIO && b->out.kind == ALM_QUANTITY_POINTS &&
           b->out.unit.measure == ALM_MEASURE_UNIT_PP;
}

static alm_code check_sum(const checker *c, const alm_formula_rule *a, const alm_formula_rule *b,
                          bool is_difference, alm_formula_rule *it)
{
    bool has_number = a->is_number || b->is_number;
    const alm_formula_rule *main = a->is_number ? b : a;
    it->out = main->out;
    it->left_by = a->is_number ? number_beside(b) : 1;
    it->right_by = b->is_number ? number_beside(a) : 1;
    it->is_number = a->is_number && b->is_number;
    if (has_number && main->out.kind == ALM_QUANTITY_AMOUNT) {
        return refuse(c, "a number has no unit that goes with it");
    }
    if (!has_number && !are_points(a, b) && !are_points(b, a)) {
        if (a->out.kind != b->out.kind || !alm_unit_convertible(a->out.unit, b->out.unit)) {
            return refuse(c, "these do not add up");
        }
        it->right_by = alm_unit_factor(b->out.unit, a->out.unit);
    }
    if (are_points(b, a)) {
        it->out = b->out; // points and a ratio are a ratio
    }
    if (is_difference && !has_number && a->out.kind == b->out.kind) {
        bool is_index = a->out.kind == ALM_QUANTITY_INDEX;
        bool is_ratio = a->out.kind == ALM_QUANTITY_RATIO;
        it->out.kind = is_index || is_ratio ? ALM_QUANTITY_POINTS : it->out.kind;
        it->out.unit = is_ratio ? (alm_unit){.measure = ALM_MEASURE_UNIT_PP} : it->out.unit;
    }
    if (a->out.type != b->out.type || it->out.kind != ALM_QUANTITY_AMOUNT) {
        become_rate(&it->out);
    }
    it->out.measure = ALM_MEASURE_LEVEL;
    return ALM_OK;
}

// --- * and / -------------------------------------------------------------------------------------

// What multiplies without a unit of its own: as a ratio of one, what one of it is. 0: nothing does.
static double as_ratio(const alm_formula_rule *it)
{
    return it->is_number                                                              ? 1
           : it->out.kind == ALM_QUANTITY_RATIO || it->out.kind == ALM_QUANTITY_INDEX ? 0.01
                                                                                      : 0;
}

static bool is_quotient(alm_unit unit)
{
    return unit.per != ALM_MEASURE_UNIT_NONE;
}

static alm_unit above(alm_unit unit)
{
    return (alm_unit){.measure = unit.measure, .mult = unit.mult};
}

static alm_unit below(alm_unit unit)
{
    return (alm_unit){.measure = unit.per, .mult = unit.per_mult};
}

// Yuan a person times persons.
static bool check_whole(const alm_formula_rule *a, const alm_formula_rule *b, alm_formula_rule *it)
{
    bool is_amount = a->out.kind == ALM_QUANTITY_AMOUNT && b->out.kind == ALM_QUANTITY_AMOUNT;
    if (!is_amount || !is_quotient(a->out.unit) || is_quotient(b->out.unit) ||
        !alm_unit_convertible(below(a->out.unit), b->out.unit)) {
        return false;
    }
    it->out = a->out;
    it->out.unit = above(a->out.unit);
    it->by = alm_unit_factor(b->out.unit, below(a->out.unit));
    become_rate(&it->out);
    return true;
}

static alm_code check_product(const checker *c, const alm_formula_rule *a,
                              const alm_formula_rule *b, alm_formula_rule *it)
{
    const alm_formula_rule *factor = as_ratio(a) != 0 && (a->is_number || as_ratio(b) == 0) ? a : b;
    const alm_formula_rule *other = factor == a ? b : a;
    it->is_number = a->is_number && b->is_number;
    if (as_ratio(factor) != 0) {
        it->out = other->out;
        it->out.measure = ALM_MEASURE_LEVEL;
        it->by = as_ratio(factor);
        return ALM_OK;
    }
    return check_whole(a, b, it) || check_whole(b, a, it)
               ? ALM_OK
               : refuse(c, "no unit is known for the product");
}

// 亿元 / 万人 is 万元/人: the powers of ten go above or below, whichever is whole.
static bool check_quotient(alm_unit a, alm_unit b, alm_unit *ret)
{
    int power = a.mult - b.mult;
    alm_unit unit = {.measure = a.measure,
                     .mult = (int8_t)ALM_MAX(power, 0),
                     .per = b.measure,
                     .per_mult = (int8_t)ALM_MAX(-power, 0)};
    *ret = unit;
    return !is_quotient(a) && !is_quotient(b) && alm_unit_valid(unit);
}

static alm_code check_amounts(const checker *c, const alm_formula_rule *a,
                              const alm_formula_rule *b, alm_formula_rule *it)
{
    alm_unit from = a->out.unit;
    alm_unit to = b->out.unit;
    bool is_per_kind =
        alm_unit_dimension(from) == ALM_DIMENSION_COUNT && from.measure != to.measure;
    become_rate(&it->out);
    if (alm_unit_convertible(from, to) && !is_per_kind) {
        become_percent(&it->out);
        it->by = 100 * alm_unit_factor(from, to);
        return ALM_OK;
    }
    if (check_quotient(from, to, &it->out.unit)) {
        return ALM_OK;
    }
    if (!is_quotient(from) && is_quotient(to) && alm_unit_convertible(from, above(to))) {
        it->out.unit = below(to);
        it->by = alm_unit_factor(from, above(to));
        return ALM_OK;
    }
    return refuse(c, "no unit is known for the quotient");
}

static alm_code check_division(const checker *c, const alm_formula_rule *a,
                               const alm_formula_rule *b, alm_formula_rule *it)
{
    it->out = a->out;
    it->out.measure = ALM_MEASURE_LEVEL;
    it->is_number = a->is_number && b->is_number;
    if (a->out.kind == ALM_QUANTITY_AMOUNT && b->out.kind == ALM_QUANTITY_AMOUNT) {
        return check_amounts(c, a, b, it);
    }
    if (b->is_number) {
        return ALM_OK;
    }
    bool are_alike = a->out.kind == b->out.kind && alm_unit_convertible(a->out.unit, b->out.unit);
    if (are_alike) { // of indices, of points: a ratio
        become_percent(&it->out);
        it->by = 100 * alm_unit_factor(a->out.unit, b->out.unit);
        return ALM_OK;
    }
    if (a->is_number && as_ratio(b) != 0) {
        become_percent(&it->out);
        it->by = 100 / as_ratio(b);
        return ALM_OK;
    }
    if (as_ratio(b) != 0 && a->out.kind != ALM_QUANTITY_POINTS) {
        it->by = 1 / as_ratio(b);
        return ALM_OK;
    }
    return refuse(c, "no unit is known for the quotient");
}

// --- the nodes -----------------------------------------------------------------------------------

static alm_code check_transform(const checker *c, const alm_formula_rule *a, alm_formula_rule *it)
{
    const alm_formula_node *node = &c->formula->nodes[c->node];
    if (a->is_number) {
        return alm_status_set(c->st, ALM_FAILED_PRECONDITION, "a number has no series to look at");
    }
    ALM_TRY(alm_step_make(&node->transform, &a->out, &it->step, c->st));
    it->out = it->step.out;
    return ALM_OK;
}

// Growth of the year so far does not carry on what is of the period alone.
static alm_code check_prices(const checker *c, const alm_formula_rule *a, const alm_formula_rule *b,
                             alm_formula_rule *it)
{
    ALM_TRY(check_transform(c, a, it));
    return a->out.accumulation == b->out.accumulation
               ? ALM_OK
               : refuse(c, "level and growth are not both of the period, or from the year's start");
}

static alm_code check_node(const checker *c, const alm_quantity *operands, alm_formula_rule *it)
{
    const alm_formula_node *node = &c->formula->nodes[c->node];
    const alm_formula_rule *a = &c->rules[node->left];
    const alm_formula_rule *b = &c->rules[node->right];
    *it = (alm_formula_rule){.left_by = 1, .right_by = 1, .by = 1};
    switch (node->op) {
    case ALM_FORMULA_NUMBER:
        it->is_number = true;
        it->out = operands[0]; // frequency and accumulation
        become_percent(&it->out);
        it->out.unit = plain_ratio;
        return ALM_OK;
    case ALM_FORMULA_OPERAND:
        it->out = operands[node->operand];
        return ALM_OK;
    case ALM_FORMULA_NEGATE:
        it->out = a->out;
        it->is_number = a->is_number;
        return is_computable(a) ? ALM_OK : refuse(c, "nothing is computed of it");
    case ALM_FORMULA_TRANSFORM:
        return check_transform(c, a, it);
    case ALM_FORMULA_PRICES:
        return check_prices(c, a, b, it);
    default:
        break;
    }
    if (!is_computable(a) || !is_computable(b)) {
        return refuse(c, "nothing is computed of ranks and logarithms");
    }
    switch (node->op) {
    case ALM_FORMULA_MULTIPLY:
        return check_product(c, a, b, it);
    case ALM_FORMULA_DIVIDE:
        return check_division(c, a, b, it);
    default:
        return check_sum(c, a, b, node->op == ALM_FORMULA_SUBTRACT, it);
    }
}

alm_code alm_formula_rules(const alm_formula *formula, const alm_quantity *operands,
                           alm_formula_rule *ret, alm_status *st)
{
    for (uint32_t i = 0; i < formula->node_count; i++) {
        checker c = {formula, ret, i, st};
        ALM_TRY(check_node(&c, operands, &ret[i]));
    }
    return ALM_OK;
}
