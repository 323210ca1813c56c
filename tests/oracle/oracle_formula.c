// Formulas, a cell at a time: the text is read anew for every cell, and a part of it is a number
// in a unit of so many powers of ten of something.
#include "oracle.h"

#include <math.h>

typedef enum kind { PLAIN, RATIO, POINTS, INDEX, MONEY, PERSONS, COUNT, QUOTIENT } kind;

typedef struct part {
    oracle_number n;
    kind of;
    int power; // one is 10^power of its kind; percent: -2
} part;

typedef struct reader {
    const oracle *o;
    const oracle_series *series;
    alm_place_id place;
    alm_period period;
    const char *at;
    bool has_lead, is_told; // the first operand of the place itself was met, and has a row
} reader;

static part read_sum(reader *r);

static bool takes(reader *r, const char *mark)
{
    while (*r->at == ' ') {
        r->at++;
    }
    if (strncmp(r->at, mark, strlen(mark)) != 0) {
        return false;
    }
    r->at += strlen(mark);
    return true;
}

static long double ten_to(int power)
{
    return powl(10, power);
}

static oracle_number times(oracle_number n, long double by, int power)
{
    n.x *= by;
    n.lower *= by;
    n.upper *= by;
    n.digits += power;
    return n;
}

// --- operands -----------------------------------------------------------------------------------

static const alm_indicator *find(const oracle *o, alm_str code)
{
    uint32_t id = alm_catalog_find_indicator(o->w->catalog, code);
    assert_int_not_equal(id, ALM_CATALOG_NONE);
    return alm_catalog_indicator(o->w->catalog, id);
}

static part in_unit(oracle_number n, const alm_indicator *indicator, alm_measure measure)
{
    part it = {.n = n, .power = indicator->unit.mult};
    switch (alm_measure_dimension(measure, alm_unit_dimension(indicator->unit))) {
    case ALM_DIMENSION_CNY:
        it.of = MONEY;
        break;
    case ALM_DIMENSION_PERSONS:
        it.of = PERSONS;
        break;
    case ALM_DIMENSION_COUNT:
        it.of = COUNT;
        break;
    case ALM_DIMENSION_INDEX:
        it.of = INDEX;
        it.power = -2;
        break;
    default:
        it.of = RATIO;
        it.power = -2;
        break;
    }
    return it;
}

static alm_str take_name(reader *r)
{
    size_t len = strspn(r->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    alm_str name = {r->at, len};
    r->at += len;
    return name;
}

typedef struct operand {
    alm_str name;
    alm_measure measure;
    alm_place_id at;
    bool is_own; // of the place itself
} operand;

static operand take_operand(reader *r, alm_str name)
{
    operand it = {name, ALM_MEASURE_LEVEL, r->place, true};
    it.measure = takes(r, ".growth_yoy") ? ALM_MEASURE_GROWTH_YOY : ALM_MEASURE_LEVEL;
    if (takes(r, "@")) {
        alm_str where = take_name(r);
        it.is_own = false;
        it.at = alm_str_eq(where, ALM_STR("parent")) ? alm_place_tree_parent(r->o->tree, r->place)
                                                     : alm_place_tree_find(r->o->tree, where);
    }
    return it;
}

static part value_of(reader *r, const operand *of, alm_period period)
{
    oracle_question asked = *r->o->asked;
    oracle other = *r->o;
    oracle_series series = *r->series;
    asked.indicator = of->name;
    asked.accumulation = ALM_ACCUMULATION_NONE;
    asked.measure = of->measure;
    other.asked = &asked;
    other.indicator = find(r->o, of->name);
    other.formula = NULL;
    if (other.indicator->over_time != ALM_AGGREGATION_SUM) {
        series.accumulation = ALM_ACCUMULATION_PERIOD;
    }
    if (of->is_own && !r->has_lead) {
        r->has_lead = true;
        r->is_told = oracle_told(&other, &series, of->at, period);
    }
    return in_unit(oracle_base(&other, &series, of->at, period), other.indicator, of->measure);
}

static part read_operand(reader *r, alm_str name)
{
    operand it = take_operand(r, name);
    return value_of(r, &it, r->period);
}

// --- calls --------------------------------------------------------------------------------------

// The part that begins at `from`, as of another period.
static part as_of(const reader *r, const char *from, alm_period period)
{
    reader then = *r;
    then.at = from;
    then.period = period;
    return read_sum(&then);
}

static part read_growth(reader *r)
{
    const char *from = r->at;
    part now = read_sum(r);
    alm_period earlier;
    part it = {.of = RATIO, .power = -2};
    assert_true(takes(r, ")"));
    if (!oracle_year_before(r->period, &earlier)) {
        it.n = oracle_undefined((oracle_number){.status = -1, .published = ALM_DATE_NONE});
        return it;
    }
    part then = as_of(r, from, earlier);
    it.n = oracle_growth((alm_freq)r->period.freq, &now.n, &then.n);
    return it;
}

static part read_average(reader *r)
{
    const char *from = r->at;
    oracle_number parts[8];
    part it = read_sum(r);
    assert_true(takes(r, ","));
    assert_true(takes(r, ""));
    size_t count = (size_t)(*r->at++ - '0');
    assert_true(takes(r, ")"));
    for (size_t i = 0; i < count; i++) {
        alm_period then;
        assert_int_equal(alm_period_add(r->period, -(int64_t)i, &then, NULL), ALM_OK);
        parts[count - 1 - i] = as_of(r, from, then).n;
    }
    it.n = oracle_average(parts, count);
    return it;
}

// --- arithmetic ---------------------------------------------------------------------------------

static part negated(part a)
{
    long double lower = a.n.lower;
    bool is_over = a.n.is_over;
    a.n.x = -a.n.x;
    a.n.lower = -a.n.upper;
    a.n.upper = -lower;
    a.n.is_over = a.n.is_under;
    a.n.is_under = is_over;
    return a;
}

static part sum_of(part a, part b, bool is_difference)
{
    part it = a.of == PLAIN ? b : a;
    // A number is so many times 100 %, or so many points.
    int left = a.of == PLAIN && b.of == RATIO ? 2 : 0;
    int right = b.of == PLAIN ? (a.of == RATIO ? 2 : 0) : b.power - it.power;
    a.n = times(a.n, ten_to(left), left);
    b.n = times(b.n, ten_to(right), right);
    bool are_measured = a.of == b.of && a.of != PLAIN;
    it.of = is_difference && are_measured && (a.of == RATIO || a.of == INDEX) ? POINTS : it.of;
    b = is_difference ? b : negated(b);
    it.n = oracle_of_both(&a.n, &b.n);
    if (!it.n.has) {
        return it;
    }
    it.n.x = a.n.x - b.n.x;
    it.n.lower = a.n.lower - b.n.upper;
    it.n.upper = a.n.upper - b.n.lower;
    it.n.is_over = a.n.is_over && b.n.is_under;
    it.n.is_under = a.n.is_under && b.n.is_over;
    it.n.is_exact = a.n.is_exact && b.n.is_exact;
    it.n.digits = ALM_MIN(a.n.digits, b.n.digits);
    return it;
}

static void set_ends(oracle_number *it, const oracle_number *a, const oracle_number *b,
                     bool is_quotient)
{
    bool spans_zero = is_quotient && b->lower <= 0 && b->upper >= 0;
    it->lower = spans_zero ? -INFINITY : INFINITY;
    it->upper = spans_zero ? INFINITY : -INFINITY;
    for (int i = 0; i < 4 && !spans_zero; i++) {
        long double above = i / 2 == 0 ? a->lower : a->upper;
        long double below = i % 2 == 0 ? b->lower : b->upper;
        long double end = is_quotient ? above / below : above * below;
        if (isnan(end) && is_quotient) {
            continue; // the corners beside it tell
        }
        end = isnan(end) ? 0 : end;
        it->lower = fminl(it->lower, end);
        it->upper = fmaxl(it->upper, end);
    }
    // Does the result rise with a, and with b?
    bool rises_a = b->x >= 0;
    bool rises_b = is_quotient ? a->x < 0 : a->x >= 0;
    bool over_a = rises_a ? a->is_over : a->is_under;
    bool under_a = rises_a ? a->is_under : a->is_over;
    bool over_b = rises_b ? b->is_over : b->is_under;
    bool under_b = rises_b ? b->is_under : b->is_over;
    it->is_over = over_a && over_b;
    it->is_under = under_a && under_b;
}

static int digits_of(long double x, kind of)
{
    bool has_unit = of >= MONEY;
    int digits = -2;
    if (has_unit && x != 0) {
        digits = ALM_MIN(digits, (int)floorl(log10l(fabsl(x))) - 5);
    }
    return ALM_MAX(digits, ALM_DECIMAL_EXPONENT_MIN);
}

// What the unit of the outcome is, and by which power of ten the numbers get there.
static int meet(const part *a, const part *b, bool is_quotient, part *it)
{
    bool left = a->of == PLAIN || a->of == RATIO || a->of == INDEX;
    bool right = b->of == PLAIN || b->of == RATIO || b->of == INDEX;
    if (!is_quotient) {
        const part *factor = left && (a->of == PLAIN || !right) ? a : b;
        const part *other = factor == a ? b : a;
        it->of = other->of;
        it->power = other->power;
        return factor->of == PLAIN ? 0 : -2;
    }
    if (b->of == PLAIN) {
        it->of = a->of;
        it->power = a->power;
        return 0;
    }
    if (a->of == b->of && a->of != QUOTIENT) {
        it->of = RATIO;
        it->power = -2;
        return a->power - b->power + 2;
    }
    if (right && a->of == PLAIN) {
        it->of = RATIO;
        it->power = -2;
        return 4;
    }
    if (right) {
        it->of = a->of;
        it->power = a->power;
        return 2;
    }
    it->of = QUOTIENT;
    it->power = a->power - b->power;
    return 0;
}

static part product_of(part a, part b, bool is_quotient)
{
    part it = {.of = PLAIN};
    int power = meet(&a, &b, is_quotient, &it);
    it.n = oracle_of_both(&a.n, &b.n);
    if (!it.n.has) {
        return it;
    }
    if (is_quotient && b.n.x == 0) {
        it.n = oracle_undefined(it.n);
        return it;
    }
    set_ends(&it.n, &a.n, &b.n, is_quotient);
    it.n.x = is_quotient ? a.n.x / b.n.x : a.n.x * b.n.x;
    it.n = times(it.n, ten_to(power), 0);
    it.n.is_exact = false;
    it.n.digits = digits_of(it.n.x, it.of);
    return it;
}

// --- prices -------------------------------------------------------------------------------------

#define YEARS_MAX 32

// The years from the base on, one by one: times 1 + growth, or back by dividing.
static oracle_number at_constant(reader *r, operand of, alm_period base)
{
    oracle_number inputs[YEARS_MAX + 1];
    oracle_number by = {.x = 1, .lower = 1, .upper = 1, .is_over = true, .is_under = true};
    bool is_back = r->period.ordinal < base.ordinal;
    bool is_positive = true;
    size_t count = 1;
    inputs[0] = value_of(r, &of, base).n;
    of.measure = ALM_MEASURE_GROWTH_YOY;
    for (alm_period at = base; at.ordinal != r->period.ordinal;) {
        alm_period next;
        assert_true(count <= YEARS_MAX);
        assert_int_equal(alm_period_add_years(at, is_back ? -1 : 1, &next, NULL), ALM_OK);
        oracle_number growth = value_of(r, &of, is_back ? at : next).n;
        by.x *= 1 + growth.x / 100;
        by.lower *= fmaxl(1 + growth.lower / 100, 0);
        by.upper *= 1 + growth.upper / 100;
        by.is_over &= growth.is_over;
        by.is_under &= growth.is_under;
        is_positive &= growth.x > -100;
        inputs[count++] = growth;
        at = next;
    }
    oracle_number it = oracle_average(inputs, count); // status, and whether all are there
    if (it.has && (!is_positive || inputs[0].x <= 0)) {
        return oracle_undefined(it);
    }
    if (it.has && count > 1) {
        it.x = is_back ? inputs[0].x / by.x : inputs[0].x * by.x;
        it.digits = inputs[0].digits;
        it.is_exact = false;
        set_ends(&it, &inputs[0], &by, is_back);
    }
    return it;
}

static part read_prices(reader *r, bool is_deflator)
{
    operand of = take_operand(r, take_name(r));
    part now = value_of(r, &of, r->period);
    alm_period base;
    char *end;
    assert_true(takes(r, ","));
    long year = strtol(r->at, &end, 10);
    r->at = end;
    assert_true(takes(r, ")"));
    assert_int_equal(
        alm_period_add_years(r->period, year - alm_period_year(r->period), &base, NULL), ALM_OK);
    part it = now;
    it.n = at_constant(r, of, base);
    if (!is_deflator) {
        return it;
    }
    oracle_number constant = it.n;
    it.of = INDEX;
    it.power = -2;
    it.n = oracle_of_both(&now.n, &constant);
    if (!it.n.has) {
        return it;
    }
    set_ends(&it.n, &now.n, &constant, true);
    it.n.x = now.n.x / constant.x;
    it.n = times(it.n, 100, 0);
    it.n.digits = -2;
    it.n.is_exact = false;
    if (base.ordinal == r->period.ordinal) {
        it.n.x = it.n.lower = it.n.upper = 100;
        it.n.is_over = it.n.is_under = true;
    }
    return it;
}

// --- the text -----------------------------------------------------------------------------------

static part read_number(reader *r)
{
    part it = {.of = PLAIN};
    long double x = *r->at++ - '0'; // one digit
    it.n = (oracle_number){.has = true,
                           .x = x,
                           .lower = x,
                           .upper = x,
                           .is_over = true,
                           .is_under = true,
                           .is_exact = true,
                           .status = ALM_OBS_STATUS_NORMAL,
                           .published = ALM_DATE_NONE};
    return it;
}

static part read_factor(reader *r)
{
    if (takes(r, "-")) {
        return negated(read_factor(r));
    }
    if (takes(r, "(")) {
        part it = read_sum(r);
        assert_true(takes(r, ")"));
        return it;
    }
    if (*r->at >= '0' && *r->at <= '9') {
        return read_number(r);
    }
    if (takes(r, "pc1(")) {
        return read_growth(r);
    }
    if (takes(r, "ma(")) {
        return read_average(r);
    }
    if (takes(r, "constant(")) {
        return read_prices(r, false);
    }
    if (takes(r, "deflator(")) {
        return read_prices(r, true);
    }
    return read_operand(r, take_name(r));
}

static part read_product(reader *r)
{
    part it = read_factor(r);
    for (;;) {
        if (takes(r, "*")) {
            it = product_of(it, read_factor(r), false);
        } else if (takes(r, "/")) {
            it = product_of(it, read_factor(r), true);
        } else {
            return it;
        }
    }
}

static part read_sum(reader *r)
{
    part it = read_product(r);
    for (;;) {
        if (takes(r, "+")) {
            it = sum_of(it, read_product(r), false);
        } else if (takes(r, "-")) {
            it = sum_of(it, read_product(r), true);
        } else {
            return it;
        }
    }
}

oracle_number oracle_formula(const oracle *o, const oracle_series *series, alm_place_id place,
                             alm_period period)
{
    reader r = {.o = o, .series = series, .place = place, .period = period, .at = o->formula};
    return read_sum(&r).n;
}

bool oracle_formula_told(const oracle *o, const oracle_series *series, alm_place_id place,
                         alm_period period)
{
    reader r = {.o = o, .series = series, .place = place, .period = period, .at = o->formula};
    return read_sum(&r).n.has || r.is_told;
}
