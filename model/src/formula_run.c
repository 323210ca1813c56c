// The arithmetic of formulas: grids of operands in, a grid of every part out.
#include "alm/formula.h"
#include "grid_scale.h"

#define SIGNIFICANT_DIGITS 6 // of products and quotients with a unit, where they deserve so many

// --- periods -------------------------------------------------------------------------------------

static bool is_binary(alm_formula_op op)
{
    return op >= ALM_FORMULA_ADD;
}

static bool has_left(alm_formula_op op)
{
    return op > ALM_FORMULA_OPERAND;
}

static bool has_step(alm_formula_op op)
{
    return op == ALM_FORMULA_TRANSFORM || op == ALM_FORMULA_PRICES;
}

alm_code alm_formula_reach(const alm_formula *formula, const alm_formula_rule *rules, alm_axis out,
                           alm_axis *ret, alm_status *st)
{
    ret[formula->node_count - 1] = out;
    for (uint32_t i = formula->node_count; i-- > 0;) {
        const alm_formula_node *node = &formula->nodes[i];
        if (has_step(node->op)) {
            ALM_TRY(alm_step_reach(&rules[i].step, ret[i], &ret[node->left], st));
        } else if (has_left(node->op)) {
            ret[node->left] = ret[i];
        }
        if (is_binary(node->op)) {
            ret[node->right] = ret[node->left];
        }
    }
    return ALM_OK;
}

// --- numbers that are decimals -------------------------------------------------------------------

// Sums of decimals are decimals, of one exponent, where they fit. False: there are none, or not of
// one.
static bool sum_is_exact(const alm_formula_rule *rule, const alm_grid *a, const alm_grid *b,
                         int *ret_exponent)
{
    int left;
    int right;
    if (a->kind == ALM_GRID_DOUBLES || b->kind == ALM_GRID_DOUBLES ||
        !alm_factor_power(rule->left_by, &left) || !alm_factor_power(rule->right_by, &right)) {
        return false;
    }
    int exponents[] = {a->exponent + left, b->exponent + right};
    *ret_exponent = ALM_MIN(exponents[0], exponents[1]);
    return ALM_MAX(exponents[0], exponents[1]) - *ret_exponent <= ALM_FACTOR_POWER_MAX &&
           *ret_exponent >= ALM_DECIMAL_EXPONENT_MIN;
}

// --- cells ---------------------------------------------------------------------------------------

// The worst status, the newest date, and a gap if either is one.
static bool begin(const alm_cell *a, const alm_cell *b, alm_cell *it)
{
    *it = (alm_cell){.flags = ALM_CELL_COMPUTED};
    alm_cell_inherit(it, a);
    alm_cell_inherit(it, b);
    if (alm_cell_has(a) && alm_cell_has(b)) {
        return true;
    }
    alm_cell_make_gap(it, ALM_GAP_INPUT);
    return false;
}

static uint8_t flip(uint8_t bounds)
{
    bounds &= ALM_CELL_BOUNDS;
    return bounds == 0 || bounds == ALM_CELL_BOUNDS ? bounds : bounds ^ ALM_CELL_BOUNDS;
}

static alm_cell negated(const alm_cell *a)
{
    alm_cell it = *a;
    it.number = -a->number;
    it.mantissa = -a->mantissa;
    it.lower = -a->upper;
    it.upper = -a->lower;
    it.flags = (uint8_t)((a->flags & ~ALM_CELL_BOUNDS) | flip(a->flags));
    return it;
}

static void take_product(const alm_cell *a, const alm_cell *b, alm_cell *it)
{
    alm_interval ends =
        alm_interval_mul((alm_interval){a->lower, a->upper}, (alm_interval){b->lower, b->upper});
    uint8_t left = b->number < 0 ? flip(a->flags) : a->flags;
    uint8_t right = a->number < 0 ? flip(b->flags) : b->flags;
    it->number = a->number * b->number;
    it->lower = ends.lower;
    it->upper = ends.upper;
    it->flags |= left & right & ALM_CELL_BOUNDS;
}

// What lies on both sides of zero, as a divisor, tells no end.
static void take_quotient(const alm_cell *a, const alm_cell *b, alm_cell *it)
{
    alm_interval ends =
        alm_interval_div((alm_interval){a->lower, a->upper}, (alm_interval){b->lower, b->upper});
    uint8_t left = b->number < 0 ? flip(a->flags) : a->flags;
    uint8_t right = a->number < 0 ? b->flags : flip(b->flags);
    it->number = a->number / b->number;
    it->lower = ends.lower;
    it->upper = ends.upper;
    it->flags |= left & right & ALM_CELL_BOUNDS;
}

static int8_t digits_of(double number, bool is_percent)
{
    double size = fabs(number);
    int digits = ALM_PERCENT_DIGITS;
    if (!is_percent && size > 0) {
        digits = ALM_MIN(digits, (int)floor(log10(size)) - SIGNIFICANT_DIGITS + 1);
    }
    return (int8_t)ALM_MAX(digits, ALM_DECIMAL_EXPONENT_MIN);
}

static alm_cell multiplied(const alm_formula_rule *rule, alm_formula_op op, const alm_cell *a,
                           const alm_cell *b)
{
    alm_cell it;
    if (!begin(a, b, &it)) {
        return it;
    }
    if (op == ALM_FORMULA_DIVIDE && b->number == 0) {
        alm_cell_make_gap(&it, ALM_GAP_ZERO);
        return it;
    }
    if (op == ALM_FORMULA_DIVIDE) {
        take_quotient(a, b, &it);
    } else {
        take_product(a, b, &it);
    }
    it.number *= rule->by;
    it.lower *= rule->by;
    it.upper *= rule->by;
    it.digits = digits_of(it.number, rule->out.kind != ALM_QUANTITY_AMOUNT);
    return it;
}

static alm_cell added(alm_formula_op op, const alm_cell *a, const alm_cell *b)
{
    alm_cell it;
    alm_cell minus = op == ALM_FORMULA_ADD ? negated(b) : *b;
    if (begin(a, b, &it)) {
        alm_cell_subtract(a, &minus, &it);
    }
    return it;
}

// --- grids ---------------------------------------------------------------------------------------

typedef struct runner {
    const alm_formula *formula;
    const alm_formula_rule *rules;
    const alm_axis *axes;
    size_t series_count;
    alm_arena *arena;
    alm_grid *grids;
} runner;

static alm_code run_number(const runner *r, uint32_t node, alm_status *st)
{
    alm_decimal number = r->formula->nodes[node].number;
    alm_grid *grid = &r->grids[node];
    ALM_TRY(alm_grid_make(r->axes[node], r->series_count, ALM_GRID_DECIMALS, number.exponent,
                          r->arena, grid, st));
    double value = alm_decimal_to_double(number);
    alm_cell it = {
        .number = value,
        .mantissa = number.mantissa,
        .lower = value,
        .upper = value,
        .flags = ALM_CELL_EXACT | ALM_CELL_BOUNDS,
        .digits = number.exponent,
    };
    for (size_t i = 0; i < alm_grid_cells(grid); i++) {
        alm_cell_put(grid, i, &it);
    }
    return ALM_OK;
}

static alm_code run_negation(const runner *r, uint32_t node, alm_status *st)
{
    const alm_grid *in = &r->grids[r->formula->nodes[node].left];
    alm_grid *grid = &r->grids[node];
    ALM_TRY(
        alm_grid_make(r->axes[node], r->series_count, in->kind, in->exponent, r->arena, grid, st));
    for (size_t i = 0; i < alm_grid_cells(grid); i++) {
        alm_cell it = alm_cell_at(in, i);
        it = alm_cell_has(&it) ? negated(&it) : it;
        it.flags |= ALM_CELL_COMPUTED;
        alm_cell_put(grid, i, &it);
    }
    return ALM_OK;
}

static alm_code run_pair(const runner *r, uint32_t node, alm_status *st)
{
    const alm_formula_node *of = &r->formula->nodes[node];
    const alm_formula_rule *rule = &r->rules[node];
    const alm_grid *a = &r->grids[of->left];
    const alm_grid *b = &r->grids[of->right];
    alm_grid *grid = &r->grids[node];
    bool is_sum = of->op == ALM_FORMULA_ADD || of->op == ALM_FORMULA_SUBTRACT;
    int exponent = 0;
    bool is_exact = is_sum && sum_is_exact(rule, a, b, &exponent);
    ALM_TRY(alm_grid_make(r->axes[node], r->series_count,
                          is_exact ? ALM_GRID_MIXED : ALM_GRID_DOUBLES, (int8_t)exponent, r->arena,
                          grid, st));
    for (size_t i = 0; i < alm_grid_cells(grid); i++) {
        alm_cell left = alm_cell_scaled(a, i, rule->left_by, is_exact, exponent);
        alm_cell right = alm_cell_scaled(b, i, rule->right_by, is_exact, exponent);
        alm_cell it =
            is_sum ? added(of->op, &left, &right) : multiplied(rule, of->op, &left, &right);
        alm_cell_put(grid, i, &it);
    }
    return ALM_OK;
}

static alm_code run_node(const runner *r, const alm_formula_source *source, uint32_t node,
                         alm_status *st)
{
    const alm_formula_node *of = &r->formula->nodes[node];
    switch (of->op) {
    case ALM_FORMULA_NUMBER:
        return run_number(r, node, st);
    case ALM_FORMULA_OPERAND:
        return source->load(source->self, of->operand, r->axes[node], &r->grids[node], st);
    case ALM_FORMULA_TRANSFORM:
        return alm_step_run(&r->rules[node].step, &r->grids[of->left], r->axes[node], r->arena,
                            &r->grids[node], st);
    case ALM_FORMULA_PRICES:
        return alm_step_prices(&r->rules[node].step, &r->grids[of->left], &r->grids[of->right],
                               r->axes[node], r->arena, &r->grids[node], st);
    case ALM_FORMULA_NEGATE:
        return run_negation(r, node, st);
    default:
        return run_pair(r, node, st);
    }
}

alm_code alm_formula_run(const alm_formula *formula, const alm_formula_rule *rules,
                         const alm_axis *axes, size_t series_count,
                         const alm_formula_source *source, alm_arena *arena, alm_grid *ret,
                         alm_status *st)
{
    runner r = {formula, rules, axes, series_count, arena, ret};
    for (uint32_t i = 0; i < formula->node_count; i++) {
        ALM_TRY(run_node(&r, source, i, st));
    }
    return ALM_OK;
}

// --- reasons -------------------------------------------------------------------------------------

static bool lacks(const alm_grid *grid, size_t series, uint32_t t)
{
    return !alm_grid_has(grid, series * grid->axis.count + t);
}

// The input that has none, of a transform's taps; false: all have one.
static bool find_tap(const alm_formula_rule *rule, const alm_grid *in, const alm_grid *out,
                     size_t series, uint32_t *t)
{
    alm_taps taps = alm_step_taps(&rule->step, in->axis, alm_axis_at(out->axis, *t));
    for (uint32_t i = 0; i < taps.count + taps.base_count; i++) {
        uint32_t at = i < taps.count ? taps.first + i * taps.stride : taps.base + (i - taps.count);
        if (lacks(in, series, at)) {
            *t = at;
            return true;
        }
    }
    return false;
}

void alm_formula_blame(const alm_formula *formula, const alm_formula_rule *rules,
                       const alm_grid *grids, size_t series, uint32_t *node, uint32_t *t)
{
    for (;;) {
        const alm_formula_node *of = &formula->nodes[*node];
        const alm_grid *grid = &grids[*node];
        bool is_inner =
            has_left(of->op) && (grid->gaps[series * grid->axis.count + *t] == ALM_GAP_INPUT ||
                                 of->op == ALM_FORMULA_NEGATE ||
                                 (of->op == ALM_FORMULA_TRANSFORM &&
                                  rules[*node].step.transform.op == ALM_TRANSFORM_LIN));
        if (!is_inner) {
            return;
        }
        if (of->op == ALM_FORMULA_TRANSFORM) {
            if (!find_tap(&rules[*node], &grids[of->left], grid, series, t)) {
                return;
            }
            *node = of->left;
        } else if (of->op == ALM_FORMULA_PRICES) {
            bool is_growth;
            alm_period period = alm_axis_at(grid->axis, *t);
            if (!alm_step_prices_gap(&rules[*node].step, &grids[of->left], &grids[of->right],
                                     series, period, &is_growth, t)) {
                return;
            }
            *node = is_growth ? of->right : of->left;
        } else {
            bool is_right = is_binary(of->op) && !lacks(&grids[of->left], series, *t);
            *node = is_right ? of->right : of->left;
        }
    }
}
