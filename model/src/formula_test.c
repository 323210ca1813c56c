// Formulas: every one reads back, what is wrong with a bad one is said, units are worked out, and
// numbers, ends and reasons are those of the sums done by hand.
#include "alm/formula.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "test_rows.h"

// --- reading and writing -------------------------------------------------------------------------

typedef struct good_row {
    const char *text;
    const char *canonical; // NULL: the same
} good_row;

static const good_row good_rows[] = {
    {"gdp", NULL},
    {"gdp / pop", NULL},
    {"gdp/pop", "gdp / pop"},
    {" ( gdp ) ", "gdp"},
    {"a + b - c", NULL},
    {"a + (b - c)", NULL},
    {"a - (b - c)", NULL},
    {"(a - b) - c", "a - b - c"},
    {"a * b / c", NULL},
    {"a × b ÷ c", "a * b / c"},
    {"a / (b * c)", NULL},
    {"(a + b) * c", NULL},
    {"a + b * c", NULL},
    {"- a", NULL},
    {"-a", "- a"},
    {"a -b", "a - b"},
    {"a * -b", "a * - b"},
    {"- (a + b)", NULL},
    {"(-a) * b", "- a * b"},
    {"1 - a / b", NULL},
    {"12.5% * a", "0.125 * a"},
    {"0.50 * a", NULL},
    {"gdp@parent", NULL},
    {"gdp @ 310000", "gdp@310000"},
    {"gdp.growth_yoy - cpi.growth_yoy@310000", NULL},
    {"gdp[industry=software] / gdp[_T]", NULL},
    {"gdp[ industry=software,region=in ]@parent", "gdp[industry=software,region=in]@parent"},
    {"pc1(gdp)", NULL},
    {"yoy(gdp)", "pc1(gdp)"},
    {"ma(a / b, 3)", NULL},
    {"index(a,2015-Q1) - 100", "index(a, 2015-Q1) - 100"},
    {"gdp / last(pop)", NULL},
    {"gdp / ma(last(pop), 2)", NULL},
    {"constant(gdp,2020) / pop", "constant(gdp, 2020) / pop"},
    {"deflator(gdp[industry=software]@parent, 2015)", NULL},
    {"地区生产总值 / 常住人口", NULL},
    {"地区生产总值÷常住人口", "地区生产总值 / 常住人口"},
    {"\"Gross domestic product\" / pop", NULL},
    {"\"pop\" / pop", "pop / pop"},
    {"net-exports / gdp", NULL},
    {"- \"-\" / \"7\"", NULL},
    {"3x3_tax / gdp", NULL},
};

static void write_back(const alm_formula *formula, char *ret, size_t cap)
{
    alm_buf buf;
    alm_buf_init(&buf, 0);
    alm_formula_format(formula, formula->node_count - 1, &buf);
    (void)snprintf(ret, cap, "%.*s", ALM_STR_ARGS(alm_buf_view(&buf)));
    alm_buf_deinit(&buf);
}

static void reads_back(void **state)
{
    const good_row *row = *state;
    char text[256];
    alm_formula formula;
    alm_status st = ALM_STATUS_INIT;
    if (alm_formula_parse(alm_str_from(row->text), &formula, &st) != ALM_OK) {
        fail_msg("%s", st.message);
    }
    write_back(&formula, text, sizeof text);
    assert_string_equal(text, row->canonical == NULL ? row->text : row->canonical);
    alm_formula again;
    char twice[256];
    assert_int_equal(alm_formula_parse(alm_str_from(text), &again, NULL), ALM_OK);
    write_back(&again, twice, sizeof twice);
    assert_string_equal(twice, text);
}

typedef struct bad_row {
    const char *text, *says;
} bad_row;

static const bad_row bad_rows[] = {
    {"", "expected at its end"},
    {"a +", "formula \"a +\": an indicator, a number or \"(\" is expected at its end"},
    {"a b", "an operator is expected at \"b\""},
    {"(a", "\")\" is expected at its end"},
    {"a)", "an operator is expected at \")\""},
    {"a / * b", "is expected at \"* b\""},
    {"1 + 2", "names no indicator"},
    {"1.2.3 * a", "this is no number"},
    {"a.levels", "\"levels\" of a is no measure"},
    {"a[industry=x", "a breakdown such as"},
    {"a[]", "a breakdown such as"},
    {"a@", "a place or \"parent\" is expected"},
    {"last(a + b)", "last() is of one indicator"},
    {"constant(a)", "transform \"constant\""},
    {"constant(a, 2020-Q1)", "expected a year"},
    {"constant(a + b, 2020)", "constant() and deflator() are of the level of one indicator"},
    {"deflator(last(a), 2020)", "constant() and deflator() are of the level of one indicator"},
    {"deflator(a.growth_yoy, 2020)", "constant() and deflator() are of the level of one indicator"},
    {"ma(a)", "ma"},
    {"ma(a, 0)", "ma"},
    {"share(a)", "not computed of one series alone"},
    {"contribution_pp(a)", "not computed of one series alone"},
    {"rank(a)", "not computed of one series alone"},
    {"to(a, Q)", "not computed of one series alone"},
    {"pc2(a)", "formula \"pc2(a)\": unknown transform \"pc2\"; did you mean"},
    {"ma(a, 3", "an argument and \")\" are expected"},
    {"\"a / b", "a name is expected"},
    {"a \xff b", "UTF-8"},
};

static void says_what_is_wrong(void **state)
{
    const bad_row *row = *state;
    alm_formula formula;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_formula_parse(alm_str_from(row->text), &formula, &st),
                     ALM_INVALID_ARGUMENT);
    if (strstr(st.message, row->says) == NULL) {
        fail_msg("%s", st.message);
    }
    assert_int_equal(alm_formula_parse(alm_str_from(row->text), &formula, NULL),
                     ALM_INVALID_ARGUMENT);
}

static void has_limits(void **state)
{
    (void)state;
    char text[ALM_FORMULA_BYTES_MAX + 2];
    alm_formula formula;
    alm_status st = ALM_STATUS_INIT;
    memset(text, '(', sizeof text);
    assert_int_equal(alm_formula_parse((alm_str){text, 200}, &formula, &st), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(st.message, "more than 32 deep"));
    assert_int_equal(alm_formula_parse((alm_str){text, sizeof text}, &formula, &st),
                     ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(st.message, "at most 1000 bytes"));
    for (size_t i = 0; i + 1 < sizeof text; i += 2) {
        memcpy(text + i, i % 4 == 0 ? "a " : "+ ", 2);
    }
    assert_int_equal(alm_formula_parse((alm_str){text, 400}, &formula, &st), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(st.message, "more than 64 parts"));
}

static void tells_formulas_from_names(void **state)
{
    (void)state;
    static const char *const formulas[] = {"a/b", "a - b", "pc1(a)", "a@parent", "a[x=y]", "(a)"};
    static const char *const names[] = {"gdp", "net-exports", "GDP (regional)", "地区生产总值"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(formulas); i++) {
        assert_true(alm_formula_is_meant(alm_str_from(formulas[i])));
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(names); i++) {
        assert_false(alm_formula_is_meant(alm_str_from(names[i])));
    }
}

// --- units ---------------------------------------------------------------------------------------

typedef struct known {
    const char *code, *unit;
    alm_value_type type;
    const char *cells; // of 2021 to 2023; "-" is missing, "+" over, "~" no end known, "x" exact
} known;

static const known knowns[] = {
    {"gdp", "CNY_E8", ALM_VALUE_TYPE_FLOW, "100.0 110.0 121.0"},
    {"tax", "CNY_E4", ALM_VALUE_TYPE_FLOW, "200000 220000 -"},
    {"industry", "CNY_E8", ALM_VALUE_TYPE_FLOW, "40.0 44.0 +48.4"},
    {"pop", "persons_E4", ALM_VALUE_TYPE_STOCK, "20.0 22.0 20.0"},
    {"cars", "count_liang_E4", ALM_VALUE_TYPE_STOCK, "3.0 3.3 3.6"},
    {"homes", "count_hu_E4", ALM_VALUE_TYPE_STOCK, "6.0 6.0 6.0"},
    {"beds", "count_zhang", ALM_VALUE_TYPE_STOCK, "1000 1100 1200"},
    {"land", "km2", ALM_VALUE_TYPE_STOCK, "38.3 38.3 38.3"},
    {"farm", "mu_E4", ALM_VALUE_TYPE_STOCK, "1.5 1.5 1.5"},
    {"energy", "tce_E4", ALM_VALUE_TYPE_FLOW, "30.0 33.0 36.3"},
    {"income", "CNY/persons", ALM_VALUE_TYPE_RATE, "50000 55000 60500"},
    {"rate", "percent", ALM_VALUE_TYPE_RATE, "40.0 50.0 0"},
    {"cpi", "index", ALM_VALUE_TYPE_INDEX, "100.0 102.0 104.0"},
    {"gap", "pp", ALM_VALUE_TYPE_RATE, "1.0 -2.0 0.5"},
    {"place", "rank", ALM_VALUE_TYPE_RATE, "1 2 3"},
};

static const known *find_known(alm_str code)
{
    for (size_t i = 0; i < ALM_ARRAY_LEN(knowns); i++) {
        if (alm_str_eq(code, alm_str_from(knowns[i].code))) {
            return &knowns[i];
        }
    }
    fail_msg("%.*s is none of the test's", ALM_STR_ARGS(code));
    return NULL;
}

static alm_unit unit_of(const char *text)
{
    alm_unit unit;
    assert_int_equal(alm_unit_parse(alm_str_from(text), &unit, NULL), ALM_OK);
    return unit;
}

static alm_quantity quantity_of(const alm_formula_operand *operand)
{
    const known *it = find_known(operand->name);
    alm_indicator indicator = {.unit = unit_of(it->unit), .value_type = it->type};
    indicator.over_time = it->type == ALM_VALUE_TYPE_FLOW ? ALM_AGGREGATION_SUM : 0;
    return alm_quantity_of(&indicator, operand->measure, ALM_FREQ_ANNUAL, ALM_ACCUMULATION_PERIOD);
}

static alm_code make_rules(const char *text, alm_formula *formula, alm_formula_rule *rules,
                           alm_status *st)
{
    alm_quantity operands[ALM_FORMULA_NODE_COUNT_MAX];
    if (alm_formula_parse(alm_str_from(text), formula, st) != ALM_OK) {
        fail_msg("%s", st->message);
    }
    for (uint32_t i = 0; i < formula->operand_count; i++) {
        operands[i] = quantity_of(&formula->operands[i]);
    }
    return alm_formula_rules(formula, operands, rules, st);
}

typedef struct unit_row {
    const char *text, *unit;
    alm_quantity_kind kind;
    alm_value_type type;
} unit_row;

#define FLOW ALM_VALUE_TYPE_FLOW
#define RATE ALM_VALUE_TYPE_RATE
static const unit_row unit_rows[] = {
    {"gdp", "CNY_E8", ALM_QUANTITY_AMOUNT, FLOW},
    {"gdp + tax", "CNY_E8", ALM_QUANTITY_AMOUNT, FLOW},
    {"tax - gdp", "CNY_E4", ALM_QUANTITY_AMOUNT, FLOW},
    {"- gdp", "CNY_E8", ALM_QUANTITY_AMOUNT, FLOW},
    {"2 * gdp", "CNY_E8", ALM_QUANTITY_AMOUNT, FLOW},
    {"gdp * rate", "CNY_E8", ALM_QUANTITY_AMOUNT, FLOW},
    {"gdp / cpi", "CNY_E8", ALM_QUANTITY_AMOUNT, FLOW},
    {"gdp / pop", "CNY_E4/persons", ALM_QUANTITY_AMOUNT, RATE},
    {"pop / land", "persons_E4/km2", ALM_QUANTITY_AMOUNT, RATE},
    {"beds / pop", "count_zhang/persons_E4", ALM_QUANTITY_AMOUNT, RATE},
    {"energy / gdp", "tce/CNY_E4", ALM_QUANTITY_AMOUNT, RATE},
    {"cars / homes", "count_liang/count_hu", ALM_QUANTITY_AMOUNT, RATE},
    {"homes / homes", "percent", ALM_QUANTITY_RATIO, RATE},
    {"tax / gdp", "percent", ALM_QUANTITY_RATIO, RATE},
    {"farm / land", "percent", ALM_QUANTITY_RATIO, RATE},
    {"income * pop", "CNY", ALM_QUANTITY_AMOUNT, RATE},
    {"pop * income", "CNY", ALM_QUANTITY_AMOUNT, RATE},
    {"gdp / income", "persons", ALM_QUANTITY_AMOUNT, RATE},
    {"income / income", "percent", ALM_QUANTITY_RATIO, RATE},
    {"income / (gdp / pop)", "percent", ALM_QUANTITY_RATIO, RATE},
    {"1 - rate", "percent", ALM_QUANTITY_RATIO, RATE},
    {"rate - rate", "pp", ALM_QUANTITY_POINTS, RATE},
    {"rate + gap", "percent", ALM_QUANTITY_RATIO, RATE},
    {"gap + rate", "percent", ALM_QUANTITY_RATIO, RATE},
    {"gap * 2 - gap", "pp", ALM_QUANTITY_POINTS, RATE},
    {"rate * rate", "percent", ALM_QUANTITY_RATIO, RATE},
    {"1 / rate", "percent", ALM_QUANTITY_RATIO, RATE},
    {"gdp.growth_yoy / pc1(pop)", "percent", ALM_QUANTITY_RATIO, RATE},
    {"pc1(gdp) - gdp.growth_yoy", "pp", ALM_QUANTITY_POINTS, RATE},
    {"cpi - 100", "index", ALM_QUANTITY_INDEX, RATE},
    {"cpi - cpi", "index", ALM_QUANTITY_POINTS, RATE},
    {"cpi / cpi", "percent", ALM_QUANTITY_RATIO, RATE},
    {"100 / cpi", "percent", ALM_QUANTITY_RATIO, RATE},
    {"(1 + pc1(gdp)) / (1 + pc1(cpi)) - 1", "percent", ALM_QUANTITY_RATIO, RATE},
    {"index(gdp, 2021)", "index", ALM_QUANTITY_INDEX, ALM_VALUE_TYPE_INDEX},
    {"2 * 3 * gdp", "CNY_E8", ALM_QUANTITY_AMOUNT, FLOW},
    {"constant(gdp, 2021)", "CNY_E8", ALM_QUANTITY_AMOUNT, FLOW},
    {"constant(gdp, 2021) / pop", "CNY_E4/persons", ALM_QUANTITY_AMOUNT, RATE},
    {"deflator(gdp, 2021)", "index", ALM_QUANTITY_INDEX, ALM_VALUE_TYPE_INDEX},
    {"gdp / deflator(gdp, 2021)", "CNY_E8", ALM_QUANTITY_AMOUNT, FLOW},
};

static void works_out_units(void **state)
{
    const unit_row *row = *state;
    alm_formula formula;
    alm_formula_rule rules[ALM_FORMULA_NODE_COUNT_MAX];
    alm_status st = ALM_STATUS_INIT;
    if (make_rules(row->text, &formula, rules, &st) != ALM_OK) {
        fail_msg("%s", st.message);
    }
    const alm_quantity *out = &rules[formula.node_count - 1].out;
    char unit[ALM_UNIT_TEXT_MAX];
    (void)alm_unit_code(out->unit, unit);
    assert_string_equal(unit, row->unit);
    assert_int_equal(out->kind, row->kind);
    assert_int_equal(out->type, row->type);
}

static const bad_row clash_rows[] = {
    {"gdp + pop", "gdp + pop: these do not add up (it is of CNY_E8 and persons_E4)"},
    {"gdp + 5", "gdp + 5: a number has no unit that goes with it"},
    {"gdp - rate", "these do not add up"},
    {"rate - cpi", "these do not add up"},
    {"gdp * pop", "no unit is known for the product"},
    {"income * land", "no unit is known for the product"},
    {"1 / gdp", "1 / gdp: no unit is known for the quotient"},
    {"rate / gdp", "no unit is known for the quotient"},
    {"income / land", "no unit is known for the quotient"},
    {"gap / rate", "no unit is known for the quotient"},
    {"place + place", "nothing is computed of ranks"},
    {"log(gdp) / log(pop)", "nothing is computed of ranks and logarithms"},
    {"pc1(rate)", "it changes by points"},
    {"pc1(3) * gdp", "a number has no series"},
    {"constant(rate, 2021)", "constant:2021 does not apply to a ratio: only levels of amounts"},
    {"deflator(cpi, 2021)", "deflator:2021 does not apply to an index: only levels of amounts"},
    {"2 * (gdp + pop)", "gdp + pop: these do not add up"},
};

static void says_which_units_clash(void **state)
{
    const bad_row *row = *state;
    alm_formula formula;
    alm_formula_rule rules[ALM_FORMULA_NODE_COUNT_MAX];
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(make_rules(row->text, &formula, rules, &st), ALM_FAILED_PRECONDITION);
    if (strstr(st.message, row->says) == NULL) {
        fail_msg("%s", st.message);
    }
}

// Level and growth from the year's start and of the period alone do not go together.
static void keeps_accumulations_apart(void **state)
{
    (void)state;
    alm_formula formula;
    alm_formula_rule rules[ALM_FORMULA_NODE_COUNT_MAX];
    alm_quantity operands[ALM_FORMULA_NODE_COUNT_MAX];
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_formula_parse(ALM_STR("constant(gdp, 2021)"), &formula, NULL), ALM_OK);
    assert_int_equal(formula.operand_count, 2);
    for (uint32_t i = 0; i < formula.operand_count; i++) {
        operands[i] = quantity_of(&formula.operands[i]);
    }
    assert_int_equal(alm_formula_rules(&formula, operands, rules, &st), ALM_OK);
    operands[0].accumulation = ALM_ACCUMULATION_CUMULATIVE;
    assert_int_equal(alm_formula_rules(&formula, operands, rules, &st), ALM_FAILED_PRECONDITION);
    assert_non_null(strstr(st.message, "level and growth are not both of the period"));
    operands[1].accumulation = ALM_ACCUMULATION_CUMULATIVE;
    assert_int_equal(alm_formula_rules(&formula, operands, rules, &st), ALM_OK);
}

// --- numbers -------------------------------------------------------------------------------------

static alm_period year(int which)
{
    alm_period period;
    char label[8];
    (void)snprintf(label, sizeof label, "%d", which);
    assert_int_equal(alm_period_parse(alm_str_from(label), &period, NULL), ALM_OK);
    return period;
}

typedef struct loader {
    const alm_formula *formula;
    alm_arena *arena;
} loader;

static bool read_cell(const char **text, alm_unit unit, alm_value *ret)
{
    char word[32];
    int len = 0;
    *ret = (alm_value){.unit = unit};
    if (sscanf(*text, " %31s%n", word, &len) != 1) {
        return false;
    }
    *text += len;
    const char *number = word;
    if (word[0] == '+') {
        ret->qualifier = ALM_QUALIFIER_MORE_THAN;
        number++;
    }
    ret->has_number = strcmp(word, "-") != 0;
    return !ret->has_number || alm_decimal_parse(alm_str_from(number), &ret->number, NULL) == 0;
}

static alm_code load(void *self, uint32_t operand, alm_axis axis, alm_grid *ret, alm_status *st)
{
    loader *it = self;
    const alm_formula_operand *of = &it->formula->operands[operand];
    bool is_growth = of->measure == ALM_MEASURE_GROWTH_YOY;
    const char *text = is_growth ? "2.0 5.0 +-4.0" : find_known(of->name)->cells;
    alm_quantity quantity = quantity_of(of);
    alm_grid_obs obs[3];
    size_t count = 0;
    alm_value value;
    for (int y = 2021; read_cell(&text, quantity.unit, &value); y++) {
        uint32_t t = alm_axis_find(axis, year(y));
        if (t != ALM_AXIS_NONE && value.has_number) {
            obs[count++] = (alm_grid_obs){.t = t,
                                          .value = value,
                                          .interval = alm_value_interval(&value),
                                          .published = 100 + y,
                                          .source = operand};
        }
    }
    return alm_grid_load(axis, 1, obs, count, quantity.unit, it->arena, ret, st);
}

typedef struct number_row {
    const char *text;
    int year;
    const char *want; // value and interval; of a gap: the part it is missing for
} number_row;

static const number_row number_rows[] = {
    {"gdp + tax", 2021, "120.0000 [119.95, 120.05]"},
    {"gdp - tax", 2021, "80.0000 [79.94995, 80.05005]"},
    {"tax - gdp", 2022, "-880000 [-880500.5, -879499.5]"},
    {"- gdp", 2021, "-100.0 [-100.05, -99.95]"},
    {"2 * gdp", 2021, "200.00 [199.9, 200.1]"},
    {"gdp / pop", 2021, "5.00 [4.985037, 5.015038]"},
    {"energy / gdp", 2021, "0.3000 [0.2993503, 0.3006503]"},
    {"pop / farm", 2021, "13.3 [12.87097, 13.82759]"},
    {"tax / gdp", 2021, "20.00 [19.98996, 20.01006]"},
    {"farm / land", 2021, "26.1 [25.20643, 27.01525]"},
    {"income * pop", 2021, "10000000000 [9.9749e+09, 1.00251e+10]"},
    {"gdp / income", 2021, "200000 [199898, 200102]"},
    {"gdp * rate", 2021, "40.00 [39.93003, 40.07002]"},
    {"gdp / cpi", 2022, "107.8 [107.7413, 107.9451]"},
    {"1 - rate", 2021, "60.0 [59.95, 60.05]"},
    {"rate * rate", 2022, "25.00 [24.95003, 25.05002]"},
    {"1 / rate", 2022, "200.0 [199.8002, 200.2002]"},
    {"gap * gap", 2022, "no unit"},
    {"rate + gap", 2022, "48.0 [47.9, 48.1]"},
    {"cpi - 100", 2022, "2.0 [1.95, 2.05]"},
    {"pc1(gdp)", 2022, "10.0 [9.895052, 10.10505]"},
    {"pc1(gdp) - pc1(pop)", 2022, "0.0 [-0.6312633, 0.6287433]"},
    {"gdp / ma(pop, 2)", 2022, "5.24 [5.223278, 5.252983]"},
    {"(1 + pc1(gdp)) / (1 + pc1(cpi)) - 1", 2022, "7.8 [7.633616, 8.05307]"},
    {"constant(gdp, 2021)", 2021, "100.0 [99.95, 100.05]"},
    {"constant(gdp, 2021)", 2022, "105.0 [104.8975, 105.1025]"},
    {"constant(gdp, 2021)", 2023, "over 100.8 [100.7016, inf]"},
    {"constant(gdp, 2023)", 2021, "under 120.1 [0, 120.1465]"},
    {"constant(industry, 2023)", 2023, "over 48.4 [48.4, inf]"},
    {"deflator(gdp, 2021)", 2021, "100.00 [100, 100]"},
    {"deflator(gdp, 2021)", 2022, "104.8 [104.6121, 104.9119]"},
    {"deflator(gdp, 2021)", 2023, "under 120.1 [0, 120.2066]"},
    {"constant(gdp, 2021)", 2024, "missing: gdp.growth_yoy"},
    {"constant(tax, 2023)", 2021, "missing: tax"},
    {"deflator(tax, 2021)", 2023, "missing: tax"},
    {"industry / gdp", 2023, "over 40.00 [39.98348, inf]"},
    {"gdp / industry", 2023, "under 250.0 [0, 250.1033]"},
    {"1 - industry / gdp", 2023, "under 60.00 [-inf, 60.01652]"},
    {"gdp - industry", 2023, "under 72.6 [-inf, 72.65]"},
    {"- industry", 2023, "under -48.4 [-inf, -48.4]"},
    {"industry * 2", 2023, "over 96.8000 [96.8, inf]"},
    {"(gdp - 2 * gdp) * industry", 2023, "no unit"},
    {"(gdp - 2 * gdp) / industry", 2023, "over -250.0 [-250.3099, -0]"},
    {"industry / (gdp - 2 * gdp)", 2023, "under -40.00 [-inf, -39.95047]"},
    {"tax / gdp", 2023, "missing: tax"},
    {"gdp / tax", 2023, "missing: tax"},
    {"1 - (tax + gdp) / gdp", 2023, "missing: tax"},
    {"- tax", 2023, "missing: tax"},
    {"gdp / rate", 2023, "missing: gdp / rate"},
    {"2 * (gdp / rate)", 2023, "missing: gdp / rate"},
    {"gdp / ma(tax, 2)", 2023, "missing: tax"},
    {"pc1(gdp)", 2021, "missing: gdp"},
    {"log(gap)", 2022, "no unit"},
};

static void tell_cell(const alm_formula *formula, const alm_formula_rule *rules,
                      const alm_grid *grids, uint32_t t, char *ret, size_t cap)
{
    uint32_t node = formula->node_count - 1;
    if (!alm_grid_has(&grids[node], t)) {
        alm_buf part;
        alm_buf_init(&part, 0);
        alm_formula_blame(formula, rules, grids, 0, &node, &t);
        alm_formula_format(formula, node, &part);
        (void)snprintf(ret, cap, "missing: %.*s", ALM_STR_ARGS(alm_buf_view(&part)));
        alm_buf_deinit(&part);
        return;
    }
    alm_value value;
    alm_interval interval;
    char number[ALM_DECIMAL_TEXT_MAX];
    alm_grid_value(&grids[node], t, rules[node].out.unit, &value, &interval);
    alm_decimal_format(value.number, 0, number);
    const char *side = value.qualifier == ALM_QUALIFIER_MORE_THAN   ? "over "
                       : value.qualifier == ALM_QUALIFIER_LESS_THAN ? "under "
                                                                    : "";
    (void)snprintf(ret, cap, "%s%s [%.7g, %.7g]", side, number, interval.lower, interval.upper);
}

static void computes(void **state)
{
    const number_row *row = *state;
    alm_formula formula;
    alm_formula_rule rules[ALM_FORMULA_NODE_COUNT_MAX];
    alm_axis axes[ALM_FORMULA_NODE_COUNT_MAX];
    alm_grid grids[ALM_FORMULA_NODE_COUNT_MAX];
    alm_status st = ALM_STATUS_INIT;
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    loader self = {&formula, arena};
    alm_formula_source source = {&self, load};
    char got[200];
    if (make_rules(row->text, &formula, rules, &st) != ALM_OK) {
        (void)snprintf(got, sizeof got, "no unit");
    } else {
        alm_axis axis = {year(row->year), 1};
        assert_int_equal(alm_formula_reach(&formula, rules, axis, axes, &st), ALM_OK);
        assert_int_equal(alm_formula_run(&formula, rules, axes, 1, &source, arena, grids, &st),
                         ALM_OK);
        tell_cell(&formula, rules, grids, 0, got, sizeof got);
    }
    assert_string_equal(got, row->want);
    alm_arena_destroy(&arena);
}

int main(void)
{
    static test_list list;
    TEST_ADD_ROWS(&list, reads_back, good_rows, text);
    TEST_ADD_ROWS(&list, says_what_is_wrong, bad_rows, text);
    TEST_ADD(&list, has_limits);
    TEST_ADD(&list, tells_formulas_from_names);
    TEST_ADD_ROWS(&list, works_out_units, unit_rows, text);
    TEST_ADD_ROWS(&list, says_which_units_clash, clash_rows, text);
    TEST_ADD(&list, keeps_accumulations_apart);
    TEST_ADD_ROWS(&list, computes, number_rows, text);
    return TEST_RUN(&list, "formula");
}
