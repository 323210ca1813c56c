// The catalogue: what an entry may say, what only the whole can tell, and how words find entries.
#include "alm/catalog.h"

#include "alm/alloc.h"
#include "alm/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static alm_str str(const char *text)
{
    return alm_str_from(text);
}

static void assert_says(const alm_status *st, const char *says)
{
    if (strstr(st->message, says) == NULL) {
        fail_msg("'%s' does not say '%s'", st->message, says);
    }
}

// ---- One entry alone

#define YI_YUAN ((alm_unit){.measure = ALM_MEASURE_UNIT_CNY, .mult = 8})
#define PERCENT ((alm_unit){.measure = ALM_MEASURE_UNIT_PERCENT})
#define PERSONS ((alm_unit){.measure = ALM_MEASURE_UNIT_PERSONS, .mult = 4})

static alm_indicator flow(const char *code, const char *zh, const char *en)
{
    return (alm_indicator){.code = str(code),
                           .name_zh = str(zh),
                           .name_en = str(en),
                           .unit = YI_YUAN,
                           .value_type = ALM_VALUE_TYPE_FLOW,
                           .over_places = ALM_AGGREGATION_SUM,
                           .over_time = ALM_AGGREGATION_SUM,
                           .direction = ALM_DIRECTION_UP,
                           .theme = ALM_STR("经济")};
}

static alm_indicator rate(const char *code, const char *zh, const char *en, const char *numerator,
                          const char *denominator)
{
    return (alm_indicator){.code = str(code),
                           .name_zh = str(zh),
                           .name_en = str(en),
                           .unit = PERCENT,
                           .value_type = ALM_VALUE_TYPE_RATE,
                           .over_places = ALM_AGGREGATION_RECOMPUTE,
                           .over_time = ALM_AGGREGATION_RECOMPUTE,
                           .numerator = str(numerator),
                           .denominator = str(denominator)};
}

static const alm_str blank_alias[] = {{" ", 1}};

static void spoil_code(alm_indicator *i)
{
    i->code = ALM_STR("a.b");
}
static void spoil_name(alm_indicator *i)
{
    i->name_zh = ALM_STR("");
}
static void spoil_name_en(alm_indicator *i)
{
    i->name_en = ALM_STR("\xc3");
}
static void spoil_unit(alm_indicator *i)
{
    i->unit = (alm_unit){0};
}
static void spoil_type(alm_indicator *i)
{
    i->value_type = ALM_VALUE_TYPE_NONE;
}
static void spoil_type_stranger(alm_indicator *i)
{
    i->value_type = (alm_value_type)99;
}
static void spoil_direction(alm_indicator *i)
{
    i->direction = (alm_direction)3;
}
static void spoil_places_stranger(alm_indicator *i)
{
    i->over_places = (alm_aggregation)99;
}
static void spoil_sum_of_rates(alm_indicator *i)
{
    i->over_places = ALM_AGGREGATION_SUM;
}
static void spoil_sum_over_time(alm_indicator *i)
{
    i->over_time = ALM_AGGREGATION_SUM;
}
static void spoil_index_sum(alm_indicator *i)
{
    i->value_type = ALM_VALUE_TYPE_INDEX;
    i->over_places = ALM_AGGREGATION_SUM;
}
static void spoil_stock_over_time(alm_indicator *i)
{
    i->value_type = ALM_VALUE_TYPE_STOCK;
    i->over_places = ALM_AGGREGATION_SUM;
    i->over_time = ALM_AGGREGATION_SUM;
}
static void spoil_recomputed_flow(alm_indicator *i)
{
    i->value_type = ALM_VALUE_TYPE_FLOW;
}
static void spoil_numerator(alm_indicator *i)
{
    i->numerator = ALM_STR("");
}
static void spoil_denominator(alm_indicator *i)
{
    i->denominator = ALM_STR("");
}
static void spoil_denominator_code(alm_indicator *i)
{
    i->denominator = ALM_STR("a b");
}
static void spoil_half_fraction(alm_indicator *i)
{
    i->over_places = i->over_time = ALM_AGGREGATION_NONE;
    i->numerator = ALM_STR("");
}
static void spoil_numerator_self(alm_indicator *i)
{
    i->numerator = i->code;
}
static void spoil_same_parts(alm_indicator *i)
{
    i->denominator = i->numerator;
}
static void spoil_alias(alm_indicator *i)
{
    i->aliases = blank_alias;
    i->alias_count = 1;
}
static void spoil_theme(alm_indicator *i)
{
    i->theme = ALM_STR("a\tb");
}
static void spoil_definition(alm_indicator *i)
{
    i->definition = ALM_STR("a\x07");
}

typedef struct check_row {
    const char *name;
    void (*spoil)(alm_indicator *indicator);
    const char *field;
    const char *says;
} check_row;

static const check_row check_rows[] = {
    {"indicator: code", spoil_code, "code", "'a.b' is not a code"},
    {"indicator: no name", spoil_name, "name_zh", "name_zh is empty"},
    {"indicator: name not UTF-8", spoil_name_en, "name_en", "not UTF-8"},
    {"indicator: no unit", spoil_unit, "unit", "tax_rate has no unit"},
    {"indicator: no value type", spoil_type, "value_type", "flow, stock, rate, index or count"},
    {"indicator: stranger's type", spoil_type_stranger, "value_type", "has no value_type"},
    {"indicator: stranger's direction", spoil_direction, "direction", "number 3"},
    {"indicator: stranger's aggregation", spoil_places_stranger, "over_places", "number 99"},
    {"indicator: rates never add", spoil_sum_of_rates, "over_places",
     "cannot be sum, since value_type rate"},
    {"indicator: nor over time", spoil_sum_over_time, "over_time",
     "cannot be sum, since value_type rate"},
    {"indicator: nor indices", spoil_index_sum, "over_places",
     "cannot be sum, since value_type index"},
    {"indicator: nor stocks over time", spoil_stock_over_time, "over_time", "for a stock"},
    {"indicator: a flow has no parts", spoil_recomputed_flow, "over_places",
     "for rates only, and value_type is flow"},
    {"indicator: no numerator", spoil_numerator, "numerator", "tax_rate has no numerator"},
    {"indicator: no denominator", spoil_denominator, "denominator", "has no denominator"},
    {"indicator: malformed part", spoil_denominator_code, "denominator", "'a b' is not a code"},
    {"indicator: half a fraction", spoil_half_fraction, "numerator", "has no numerator"},
    {"indicator: its own part", spoil_numerator_self, "numerator", "is its own numerator"},
    {"indicator: one part twice", spoil_same_parts, "denominator", "are both tax"},
    {"indicator: blank alias", spoil_alias, "aliases", "aliases is empty"},
    {"indicator: tab in a theme", spoil_theme, "theme", "control character"},
    {"indicator: bell in a definition", spoil_definition, "definition", "control character"},
};

static void refuses_a_bad_indicator(void **state)
{
    const check_row *row = *state;
    alm_indicator indicator = rate("tax_rate", "税负", "Tax rate", "tax", "gdp");
    indicator.definition = ALM_STR("one line\n\tand another");
    assert_int_equal(alm_indicator_check(&indicator, NULL), ALM_OK);
    row->spoil(&indicator);
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_indicator_check(&indicator, &st), ALM_INVALID_ARGUMENT);
    assert_string_equal(st.field, row->field);
    assert_says(&st, row->says);
}

static void refuses_bad_sources(void **state)
{
    (void)state;
    const alm_source good = {.code = ALM_STR("bulletin-2023"),
                             .title = ALM_STR("2023年公报"),
                             .published = ALM_DATE_NONE};
    static char text[ALM_TEXT_BYTES_MAX + 1];
    memset(text, 'a', sizeof text);
    alm_source bad[] = {good, good, good, good, good, good};
    const char *fields[] = {"code", "title", "publisher", "published", "address", "note"};
    bad[0].code = ALM_STR("_Z");
    bad[1].title = ALM_STR("");
    bad[2].publisher = ALM_STR("a\nb");
    bad[3].published = ALM_DATE_MAX;
    bad[4].address = (alm_str){text, sizeof text};
    bad[5].note = ALM_STR("\x80");
    assert_int_equal(alm_source_check(&good, NULL), ALM_OK);
    for (size_t i = 0; i < ALM_ARRAY_LEN(bad); i++) {
        alm_status st = ALM_STATUS_INIT;
        assert_int_equal(alm_source_check(&bad[i], &st), ALM_INVALID_ARGUMENT);
        assert_string_equal(st.field, fields[i]);
    }
}

// ---- The whole

static const alm_str gdp_aliases[] = {{"GDP", 3}, {"Gross Output", 12}};
static const alm_str population_aliases[] = {{"people", 6}, {"POPULATION", 10}};

static alm_code add_indicators(alm_catalog *c, alm_status *st)
{
    alm_indicator gdp = flow("gdp", "地区生产总值", "Gross domestic product");
    gdp.aliases = gdp_aliases;
    gdp.alias_count = ALM_ARRAY_LEN(gdp_aliases);
    alm_indicator tax = flow("tax", "税收收入", "Tax revenue");
    alm_indicator local_tax = flow("tax_local", "税收收入", "Local tax revenue");
    alm_indicator tax_rate = rate("tax_rate", "税负", "Tax rate", "tax", "gdp");
    alm_indicator population = flow("population", "常住人口", "Population");
    population.value_type = ALM_VALUE_TYPE_STOCK;
    population.unit = PERSONS;
    population.over_time = ALM_AGGREGATION_NONE;
    population.aliases = population_aliases;
    population.alias_count = ALM_ARRAY_LEN(population_aliases);
    const alm_indicator *all[] = {&tax_rate, &gdp, &tax, &local_tax, &population};
    for (size_t i = 0; i < ALM_ARRAY_LEN(all); i++) {
        uint32_t id = 0;
        ALM_TRY(alm_catalog_add_indicator(c, all[i], &id, st));
        assert_int_equal(id, i);
    }
    return ALM_OK;
}

static alm_code add_place(alm_catalog *c, const char *code, const char *zh, const char *en,
                          alm_level level, const char *parent, alm_date to, alm_status *st)
{
    alm_place place = {.code = str(code),
                       .name_zh = str(zh),
                       .name_en = str(en),
                       .level = level,
                       .parent = str(parent),
                       .valid_from = ALM_DATE_NONE,
                       .valid_to = to};
    return alm_catalog_add_place(c, &place, NULL, st);
}

static alm_code add_places(alm_catalog *c, alm_status *st)
{
    ALM_TRY(add_place(c, "110105", "朝阳区", "Chaoyang", ALM_LEVEL_DISTRICT, "", ALM_DATE_MAX, st));
    ALM_TRY(add_place(c, "220104", "朝阳区", "Chaoyang", ALM_LEVEL_DISTRICT, "", ALM_DATE_MAX, st));
    ALM_TRY(add_place(c, "310106O", "静安区", "", ALM_LEVEL_DISTRICT, "", 16000, st));
    ALM_TRY(add_place(c, "310106", "静安区", "", ALM_LEVEL_DISTRICT, "", ALM_DATE_MAX, st));
    ALM_TRY(add_place(c, "310108", "闸北区", "", ALM_LEVEL_DISTRICT, "", 16000, st));
    ALM_TRY(add_place(c, "X1", "南市区", "", ALM_LEVEL_DISTRICT, "", 16000, st));
    return add_place(c, "X2", "南市区", "", ALM_LEVEL_TOWN, "", 15000, st);
}

static alm_code add_sources(alm_catalog *c, alm_status *st)
{
    static const char *const codes[] = {"s1", "s2", "s3"};
    static const char *const titles[] = {"Yearbook 2023", "yearbook 2023", "2023年统计公报"};
    for (size_t i = 0; i < 3; i++) {
        alm_source source = {.code = str(codes[i]),
                             .title = str(titles[i]),
                             .published = 19700,
                             .precedence = (int32_t)i};
        uint32_t id = 0;
        ALM_TRY(alm_catalog_add_source(c, &source, &id, st));
        assert_int_equal(id, i);
    }
    return ALM_OK;
}

static alm_code make_catalog(alm_catalog **ret, alm_status *st)
{
    alm_catalog *c = NULL;
    ALM_TRY(alm_catalog_create(&c, st));
    alm_code code = add_indicators(c, st);
    code = code != ALM_OK ? code : add_places(c, st);
    code = code != ALM_OK ? code : add_sources(c, st);
    code = code != ALM_OK ? code : alm_catalog_finish(c, st);
    if (code != ALM_OK) {
        alm_catalog_destroy(&c);
        return code;
    }
    *ret = c;
    return ALM_OK;
}

typedef struct resolve_row {
    char kind; // i, p or s
    const char *word;
    const char *want; // code, or part of the message
    alm_code code;
} resolve_row;

static const resolve_row resolve_rows[] = {
    {'i', "gdp", "gdp", ALM_OK},
    {'i', "GDP", "gdp", ALM_OK},
    {'i', "地区生产总值", "gdp", ALM_OK},
    {'i', "gross DOMESTIC product", "gdp", ALM_OK},
    {'i', "gross output", "gdp", ALM_OK},
    {'i', "Population", "population", ALM_OK}, // name and alias of one entry are no conflict
    {'i', "tax", "tax", ALM_OK},               // a code wins
    {'i', "税收收入", "'税收收入' could be tax (税收收入) or tax_local (税收收入)",
     ALM_FAILED_PRECONDITION},
    {'i', "populaton", "unknown indicator 'populaton'; did you mean population (常住人口)?",
     ALM_NOT_FOUND},
    {'i', "gross outputs", "did you mean gdp (地区生产总值)?", ALM_NOT_FOUND},
    {'i', "unemployment", "unknown indicator 'unemployment'", ALM_NOT_FOUND},
    {'i', "", "indicator is empty", ALM_INVALID_ARGUMENT},
    {'p', "110105", "110105", ALM_OK},
    {'p', "朝阳区", "'朝阳区' could be 110105 (朝阳区) or 220104 (朝阳区)",
     ALM_FAILED_PRECONDITION},
    {'p', "CHAOYANG", "could be 110105", ALM_FAILED_PRECONDITION},
    {'p', "静安区", "310106", ALM_OK}, // the one that still is
    {'p', "闸北区", "310108", ALM_OK}, // no other carries the name
    {'p', "南市区", "could be X1 (南市区) or X2", ALM_FAILED_PRECONDITION},
    {'p', "静安", "did you mean 310106 (静安区)?", ALM_NOT_FOUND},
    {'p', "110106", "did you mean 110105 (朝阳区)?", ALM_NOT_FOUND},
    {'p', "somewhere", "unknown place 'somewhere'", ALM_NOT_FOUND},
    {'p', "", "place is empty", ALM_INVALID_ARGUMENT},
    {'s', "s2", "s2", ALM_OK},
    {'s', "2023年统计公报", "s3", ALM_OK},
    {'s', "YEARBOOK 2023", "could be s1 (Yearbook 2023) or s2 (yearbook 2023)",
     ALM_FAILED_PRECONDITION},
    {'s', "2023年统计公告", "did you mean s3 (2023年统计公报)?", ALM_NOT_FOUND},
    {'s', "", "source is empty", ALM_INVALID_ARGUMENT},
};

static alm_code resolve(const alm_catalog *c, char kind, alm_str word, alm_str *ret_code,
                        alm_status *st)
{
    uint32_t id = 0;
    switch (kind) {
    case 'i':
        ALM_TRY(alm_catalog_resolve_indicator(c, word, &id, st));
        *ret_code = alm_catalog_indicator(c, id)->code;
        return ALM_OK;
    case 'p':
        ALM_TRY(alm_catalog_resolve_place(c, word, &id, st));
        *ret_code = alm_place_tree_get(alm_catalog_places(c), id)->code;
        return ALM_OK;
    default:
        ALM_TRY(alm_catalog_resolve_source(c, word, &id, st));
        *ret_code = alm_catalog_source(c, id)->code;
        return ALM_OK;
    }
}

static void resolves_a_word(void **state)
{
    const resolve_row *row = *state;
    alm_catalog *c = NULL;
    alm_status st = ALM_STATUS_INIT;
    alm_str code = {0};
    assert_int_equal(make_catalog(&c, &st), ALM_OK);
    assert_int_equal(resolve(c, row->kind, str(row->word), &code, &st), row->code);
    if (row->code == ALM_OK) {
        assert_true(alm_str_eq(code, str(row->want)));
    } else {
        assert_says(&st, row->want);
        assert_string_equal(st.field, row->kind == 'i'   ? "indicator"
                                      : row->kind == 'p' ? "place"
                                                         : "source");
    }
    alm_catalog_destroy(&c);
}

static void finds_by_code_only(void **state)
{
    (void)state;
    alm_catalog *c = NULL;
    assert_int_equal(make_catalog(&c, NULL), ALM_OK);
    assert_int_equal(alm_catalog_indicator_count(c), 5);
    assert_int_equal(alm_catalog_source_count(c), 3);
    assert_int_equal(alm_catalog_find_indicator(c, ALM_STR("tax")), 2);
    assert_int_equal(alm_catalog_find_indicator(c, ALM_STR("GDP")), ALM_CATALOG_NONE);
    assert_int_equal(alm_catalog_find_source(c, ALM_STR("s3")), 2);
    assert_int_equal(alm_catalog_find_source(c, ALM_STR("2023年统计公报")), ALM_CATALOG_NONE);
    assert_int_equal(alm_place_tree_count(alm_catalog_places(c)), 7);
    const alm_indicator *gdp = alm_catalog_indicator(c, 1);
    assert_true(alm_str_eq(gdp->aliases[1], ALM_STR("Gross Output")));
    assert_true(gdp->aliases != gdp_aliases);
    alm_catalog_destroy(&c);
    alm_catalog_destroy(&c);
}

static void says_what_is_there_already(void **state)
{
    (void)state;
    alm_catalog *c = NULL;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_catalog_create(&c, &st), ALM_OK);
    alm_indicator gdp = flow("gdp", "地区生产总值", "");
    alm_source source = {.code = ALM_STR("s"), .title = ALM_STR("t"), .published = ALM_DATE_NONE};
    assert_int_equal(alm_catalog_add_indicator(c, &gdp, NULL, &st), ALM_OK);
    assert_int_equal(alm_catalog_add_indicator(c, &gdp, NULL, &st), ALM_ALREADY_EXISTS);
    assert_string_equal(st.field, "code");
    assert_says(&st, "indicator gdp is there already");
    assert_int_equal(alm_catalog_add_source(c, &source, NULL, &st), ALM_OK);
    assert_int_equal(alm_catalog_add_source(c, &source, NULL, &st), ALM_ALREADY_EXISTS);
    assert_says(&st, "source s is there already");
    gdp.unit = (alm_unit){0};
    assert_int_equal(alm_catalog_add_indicator(c, &gdp, NULL, &st), ALM_INVALID_ARGUMENT);
    assert_int_equal(alm_catalog_indicator_count(c), 1);
    alm_catalog_destroy(&c);
}

typedef struct finish_row {
    const char *name;
    const char *parts[3][3]; // code, numerator, denominator
    const char *field;
    const char *says; // NULL: finishes
} finish_row;

static const finish_row finish_rows[] = {
    {"finish: rates of rates", {{"a", "b", "c"}, {"b", "c", "gdp"}, {"c", "gdp", "tax"}}, "", NULL},
    {"finish: unknown numerator", {{"a", "x", "gdp"}}, "numerator", "a: unknown numerator 'x'"},
    {"finish: unknown denominator", {{"a", "gdp", "x"}}, "denominator", "unknown denominator 'x'"},
    {"finish: cycle of two",
     {{"a", "b", "gdp"}, {"b", "tax", "a"}},
     "numerator",
     "a is computed from itself"},
    {"finish: cycle of three",
     {{"a", "tax", "b"}, {"b", "c", "gdp"}, {"c", "a", "gdp"}},
     "numerator",
     "a is computed from itself"},
};

static void finishes_or_names_the_entry(void **state)
{
    const finish_row *row = *state;
    alm_catalog *c = NULL;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_catalog_create(&c, &st), ALM_OK);
    for (size_t i = 0; i < 3 && row->parts[i][0] != NULL; i++) {
        alm_indicator part = rate(row->parts[i][0], "率", "", row->parts[i][1], row->parts[i][2]);
        assert_int_equal(alm_catalog_add_indicator(c, &part, NULL, &st), ALM_OK);
    }
    alm_indicator gdp = flow("gdp", "地区生产总值", "");
    alm_indicator tax = flow("tax", "税收", "");
    assert_int_equal(alm_catalog_add_indicator(c, &gdp, NULL, &st), ALM_OK);
    assert_int_equal(alm_catalog_add_indicator(c, &tax, NULL, &st), ALM_OK);
    alm_code code = alm_catalog_finish(c, &st);
    assert_int_equal(code, row->says == NULL ? ALM_OK : ALM_INVALID_ARGUMENT);
    if (row->says != NULL) {
        assert_string_equal(st.field, row->field);
        assert_says(&st, row->says);
    }
    alm_catalog_destroy(&c);
}

typedef struct formula_row {
    const char *name;
    const char *formulas[3][3]; // code, unit, formula
    const char *field;
    const char *says; // NULL: it is good
} formula_row;

static const formula_row formula_rows[] = {
    {"formula: per head", {{"a", "CNY/persons", "gdp / pop"}}, "", NULL},
    {"formula: in another power", {{"a", "CNY_E4/persons_E3", "gdp / pop"}}, "", NULL},
    {"formula: of formulas",
     {{"a", "percent", "b / c"}, {"b", "CNY", "gdp - tax"}, {"c", "CNY", "gdp"}},
     "",
     NULL},
    {"formula: malformed", {{"a", "CNY", "gdp -"}}, "formula", "indicator a: formula \"gdp -\""},
    {"formula: a name, no code", {{"a", "CNY", "地区生产总值"}}, "formula", "is no code"},
    {"formula: unknown", {{"a", "CNY", "gdp - x"}}, "indicator", "a: unknown indicator 'x'"},
    {"formula: unknown place", {{"a", "CNY", "gdp - gdp@99"}}, "formula", "unknown place '99'"},
    {"formula: units that clash", {{"a", "CNY", "gdp + pop"}}, "formula", "these do not add up"},
    {"formula: another unit",
     {{"a", "m2", "gdp"}},
     "formula",
     "its formula makes CNY_E8, which does not convert to m2"},
    {"formula: of itself", {{"a", "CNY", "gdp - a"}}, "formula", "a is computed from itself"},
    {"formula: a cycle",
     {{"a", "CNY", "gdp - b"}, {"b", "CNY", "c * 2"}, {"c", "CNY", "a / 2"}},
     "formula",
     "a is computed from itself through formulas"},
};

static alm_code add_formula(alm_catalog *c, const char *const parts[3], alm_status *st)
{
    alm_indicator it = {.code = str(parts[0]),
                        .name_zh = str(parts[0]),
                        .value_type = ALM_VALUE_TYPE_RATE,
                        .over_places = ALM_AGGREGATION_RECOMPUTE,
                        .over_time = ALM_AGGREGATION_RECOMPUTE,
                        .formula = str(parts[2])};
    assert_int_equal(alm_unit_parse(str(parts[1]), &it.unit, NULL), ALM_OK);
    return alm_catalog_add_indicator(c, &it, NULL, st);
}

static void takes_formulas_that_hold(void **state)
{
    const formula_row *row = *state;
    alm_catalog *c = NULL;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_catalog_create(&c, &st), ALM_OK);
    alm_indicator gdp = flow("gdp", "地区生产总值", "");
    alm_indicator tax = flow("tax", "税收", "");
    alm_indicator pop = flow("pop", "人口", "");
    assert_int_equal(alm_unit_parse(ALM_STR("万人"), &pop.unit, NULL), ALM_OK);
    assert_int_equal(alm_catalog_add_indicator(c, &gdp, NULL, &st), ALM_OK);
    assert_int_equal(alm_catalog_add_indicator(c, &tax, NULL, &st), ALM_OK);
    assert_int_equal(alm_catalog_add_indicator(c, &pop, NULL, &st), ALM_OK);
    alm_code code = ALM_OK;
    for (size_t i = 0; i < 3 && row->formulas[i][0] != NULL && code == ALM_OK; i++) {
        code = add_formula(c, row->formulas[i], &st);
    }
    code = code == ALM_OK ? alm_catalog_finish(c, &st) : code;
    assert_int_equal(code, row->says == NULL ? ALM_OK : ALM_INVALID_ARGUMENT);
    if (row->says != NULL) {
        assert_string_equal(st.field, row->field);
        assert_says(&st, row->says);
    }
    alm_catalog_destroy(&c);
}

static void finish_hears_of_the_places(void **state)
{
    (void)state;
    alm_catalog *c = NULL;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_catalog_create(&c, &st), ALM_OK);
    assert_int_equal(add_place(c, "a", "甲", "", ALM_LEVEL_TOWN, "b", ALM_DATE_MAX, &st), ALM_OK);
    assert_int_equal(alm_catalog_finish(c, &st), ALM_INVALID_ARGUMENT);
    assert_says(&st, "place a: unknown parent 'b'");
    assert_int_equal(add_place(c, "b", "乙", "", ALM_LEVEL_CITY, "", ALM_DATE_MAX, &st), ALM_OK);
    assert_int_equal(alm_catalog_finish(c, &st), ALM_OK);
    alm_catalog_destroy(&c);
}

static void survives_a_full_heap(void **state)
{
    (void)state;
    uint64_t n = 1;
    for (alm_code code = ALM_RESOURCE_EXHAUSTED; code != ALM_OK; n++) {
        alm_catalog *c = NULL;
        alm_status st = ALM_STATUS_INIT;
        alm_alloc_fail_at(n, false);
        code = make_catalog(&c, &st);
        alm_alloc_fail_at(0, false);
        assert_true(code == ALM_OK || code == ALM_RESOURCE_EXHAUSTED);
        assert_int_equal(st.code, code);
        alm_catalog_destroy(&c);
    }
    assert_in_range(n, 10, 1000);
}

// An add that failed may be tried again, and leaves no trace in the names.
static void an_add_that_failed_can_be_repeated(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 12; n++) {
        alm_catalog *c = NULL;
        alm_status st = ALM_STATUS_INIT;
        assert_int_equal(alm_catalog_create(&c, &st), ALM_OK);
        alm_indicator gdp = flow("gdp", "地区生产总值", "Gross domestic product");
        alm_source source = {
            .code = ALM_STR("s"), .title = ALM_STR("t"), .published = ALM_DATE_NONE};
        alm_alloc_fail_at(n, false);
        bool failed = alm_catalog_add_indicator(c, &gdp, NULL, &st) != ALM_OK;
        bool source_failed = alm_catalog_add_source(c, &source, NULL, &st) != ALM_OK;
        alm_alloc_fail_at(0, false);
        assert_int_equal(alm_catalog_indicator_count(c), failed ? 0 : 1);
        assert_int_equal(alm_catalog_source_count(c), source_failed ? 0 : 1);
        if (failed) { // another takes the number, and must not take the names with it
            alm_indicator tax = flow("tax", "税收", "Tax revenue");
            assert_int_equal(alm_catalog_add_indicator(c, &tax, NULL, &st), ALM_OK);
        }
        if (source_failed) {
            alm_source other = {.code = ALM_STR("s2"), .title = ALM_STR("t2")};
            assert_int_equal(alm_catalog_add_source(c, &other, NULL, &st), ALM_OK);
        }
        alm_code again = alm_catalog_add_indicator(c, &gdp, NULL, &st);
        assert_int_equal(again, failed ? ALM_OK : ALM_ALREADY_EXISTS);
        again = alm_catalog_add_source(c, &source, NULL, &st);
        assert_int_equal(again, source_failed ? ALM_OK : ALM_ALREADY_EXISTS);
        assert_int_equal(alm_catalog_finish(c, &st), ALM_OK);
        uint32_t id;
        assert_int_equal(
            alm_catalog_resolve_indicator(c, ALM_STR("gross domestic product"), &id, &st), ALM_OK);
        assert_int_equal(id, alm_catalog_find_indicator(c, ALM_STR("gdp")));
        assert_int_equal(alm_catalog_resolve_source(c, ALM_STR("T"), &id, &st), ALM_OK);
        assert_int_equal(id, alm_catalog_find_source(c, ALM_STR("s")));
        alm_catalog_destroy(&c);
    }
}

// ---- Small tables

static void codes_read_back(void **state)
{
    (void)state;
    for (int i = -1; i < 10; i++) {
        alm_value_type type = ALM_VALUE_TYPE_NONE;
        bool known = alm_value_type_parse(str(alm_value_type_code((alm_value_type)i)), &type);
        assert_int_equal(known, i >= ALM_VALUE_TYPE_FLOW && i <= ALM_VALUE_TYPE_COUNT);
        assert_int_equal(type, known ? i : ALM_VALUE_TYPE_NONE);
        alm_aggregation way = ALM_AGGREGATION_NONE;
        known = alm_aggregation_parse(str(alm_aggregation_code((alm_aggregation)i)), &way);
        assert_int_equal(known, i >= ALM_AGGREGATION_SUM && i <= ALM_AGGREGATION_REFUSE);
        assert_int_equal(way, known ? i : ALM_AGGREGATION_NONE);
        alm_direction direction = ALM_DIRECTION_NEUTRAL;
        known = alm_direction_parse(str(alm_direction_code((alm_direction)i)), &direction);
        assert_int_equal(known, i >= ALM_DIRECTION_NEUTRAL && i <= ALM_DIRECTION_DOWN);
        assert_int_equal(direction, known ? i : ALM_DIRECTION_NEUTRAL);
    }
    assert_string_equal(alm_aggregation_code(ALM_AGGREGATION_REFUSE), "none");
    assert_string_equal(alm_value_type_code(ALM_VALUE_TYPE_NONE), "?");
    alm_value_type type;
    assert_false(alm_value_type_parse(ALM_STR("Flow"), &type));
    assert_false(alm_value_type_parse(ALM_STR(""), &type));
}

#define ROW_TEST(row, title, fn)                                                                   \
    ((struct CMUnitTest){(title), fn, NULL, NULL, (void *)(uintptr_t) & (row)})

int main(void)
{
    const struct CMUnitTest single[] = {
        cmocka_unit_test(refuses_bad_sources),
        cmocka_unit_test(finds_by_code_only),
        cmocka_unit_test(says_what_is_there_already),
        cmocka_unit_test(finish_hears_of_the_places),
        cmocka_unit_test(survives_a_full_heap),
        cmocka_unit_test(an_add_that_failed_can_be_repeated),
        cmocka_unit_test(codes_read_back),
    };
    static struct CMUnitTest tests[ALM_ARRAY_LEN(single) + ALM_ARRAY_LEN(check_rows) +
                                   ALM_ARRAY_LEN(resolve_rows) + ALM_ARRAY_LEN(finish_rows) +
                                   ALM_ARRAY_LEN(formula_rows)];
    size_t count = 0;
    for (size_t i = 0; i < ALM_ARRAY_LEN(check_rows); i++) {
        tests[count++] = ROW_TEST(check_rows[i], check_rows[i].name, refuses_a_bad_indicator);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(resolve_rows); i++) {
        tests[count++] = ROW_TEST(resolve_rows[i], resolve_rows[i].word, resolves_a_word);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(finish_rows); i++) {
        tests[count++] = ROW_TEST(finish_rows[i], finish_rows[i].name, finishes_or_names_the_entry);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(formula_rows); i++) {
        tests[count++] = ROW_TEST(formula_rows[i], formula_rows[i].name, takes_formulas_that_hold);
    }
    memcpy(tests + count, single, sizeof single);
    return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
