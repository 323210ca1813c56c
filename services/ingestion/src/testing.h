// What the tests of this folder share: a small catalogue, and a piece's outcome as text.
#ifndef ALM_INGESTION_TESTING_H
#define ALM_INGESTION_TESTING_H

#include "piece.h"

#include "alm/buf.h"

#include <stdio.h>

#define TEST_TODAY 20000 // 2024-10-04

static inline const alm_indicator *test_indicators(size_t *ret_count)
{
    static const alm_str gdp_aliases[] = {{"生产总值", sizeof "生产总值" - 1}};
    static const alm_indicator indicators[] = {
        {.code = {"gdp", 3},
         .name_zh = {"地区生产总值", sizeof "地区生产总值" - 1},
         .name_en = {"Gross domestic product", sizeof "Gross domestic product" - 1},
         .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
         .value_type = ALM_VALUE_TYPE_FLOW,
         .over_places = ALM_AGGREGATION_SUM,
         .over_time = ALM_AGGREGATION_SUM,
         .aliases = gdp_aliases,
         .alias_count = 1},
        {.code = {"population", 10},
         .name_zh = {"常住人口", sizeof "常住人口" - 1},
         .unit = {.measure = ALM_MEASURE_UNIT_PERSONS, .mult = 4},
         .value_type = ALM_VALUE_TYPE_STOCK,
         .over_places = ALM_AGGREGATION_SUM},
        {.code = {"enterprises", 11},
         .name_zh = {"企业数", sizeof "企业数" - 1},
         .unit = {.measure = ALM_MEASURE_UNIT_JIA},
         .value_type = ALM_VALUE_TYPE_COUNT,
         .over_places = ALM_AGGREGATION_SUM,
         .over_time = ALM_AGGREGATION_SUM},
        {.code = {"rd_intensity", 12},
         .name_zh = {"研发投入强度", sizeof "研发投入强度" - 1},
         .unit = {.measure = ALM_MEASURE_UNIT_PERCENT},
         .value_type = ALM_VALUE_TYPE_RATE,
         .over_places = ALM_AGGREGATION_REFUSE},
    };
    *ret_count = ALM_ARRAY_LEN(indicators);
    return indicators;
}

static inline const alm_place *test_places(size_t *ret_count)
{
    static const alm_str successors[] = {{"310101", 6}};
#define TEST_PLACE(c, zh, l, p, from, to, ...)                                                     \
    {                                                                                              \
        .code = {c, sizeof c - 1}, .name_zh = {zh, sizeof zh - 1}, .level = ALM_LEVEL_##l,         \
        .parent = {p, sizeof p - 1}, .valid_from = from, .valid_to = to, __VA_ARGS__               \
    }
    static const alm_place places[] = {
        TEST_PLACE("310000", "上海市", PROVINCE, "", ALM_DATE_NONE, ALM_DATE_MAX),
        TEST_PLACE("310101", "黄浦区", DISTRICT, "310000", ALM_DATE_NONE, ALM_DATE_MAX),
        TEST_PLACE("310103", "卢湾区", DISTRICT, "310000", ALM_DATE_NONE, 15125, // 2011-05-31
                   .successors = successors, .successor_count = 1),
        TEST_PLACE("310105", "长宁区", DISTRICT, "310000", ALM_DATE_NONE, ALM_DATE_MAX),
        TEST_PLACE("310106", "静安区", DISTRICT, "310000", ALM_DATE_NONE, ALM_DATE_MAX),
        TEST_PLACE("310151", "崇明区", DISTRICT, "310000", 16983, ALM_DATE_MAX), // 2016-07-01
    };
#undef TEST_PLACE
    *ret_count = ALM_ARRAY_LEN(places);
    return places;
}

static inline const alm_source *test_sources(size_t *ret_count)
{
    static const alm_source sources[] = {
        {.code = {"report2023", 10},
         .title = {"2023年公报", sizeof "2023年公报" - 1},
         .published = 19782}, // 2024-02-29
        {.code = {"undated", 7}, .title = {"手册", sizeof "手册" - 1}, .published = ALM_DATE_NONE},
    };
    *ret_count = ALM_ARRAY_LEN(sources);
    return sources;
}

// NULL: it could not be built, which is for the caller to fail on.
static inline alm_catalog *test_catalog(void)
{
    alm_catalog *c = NULL;
    uint32_t id;
    size_t count;
    if (alm_catalog_create(&c, NULL) != ALM_OK) {
        return NULL;
    }
    bool ok = true;
    const alm_indicator *indicators = test_indicators(&count);
    for (size_t i = 0; i < count; i++) {
        ok = ok && alm_catalog_add_indicator(c, &indicators[i], &id, NULL) == ALM_OK;
    }
    const alm_place *places = test_places(&count);
    for (size_t i = 0; i < count; i++) {
        ok = ok && alm_catalog_add_place(c, &places[i], &id, NULL) == ALM_OK;
    }
    const alm_source *sources = test_sources(&count);
    for (size_t i = 0; i < count; i++) {
        ok = ok && alm_catalog_add_source(c, &sources[i], &id, NULL) == ALM_OK;
    }
    if (!ok || alm_catalog_finish(c, NULL) != ALM_OK) {
        alm_catalog_destroy(&c);
    }
    return c;
}

// "row:column field [value] reason", one defect a line; a warning has "~ " in front.
static inline void put_defects(alm_buf *out, const report *rep)
{
    for (size_t i = 0; i < rep->defect_count; i++) {
        const defect *d = &rep->defects[i];
        alm_buf_printf(out, "%s%llu:%u %.*s [%.*s] %.*s\n", d->warning ? "~ " : "",
                       (unsigned long long)d->row, d->column, ALM_STR_ARGS(d->field),
                       ALM_STR_ARGS(d->value), ALM_STR_ARGS(d->reason));
    }
}

// "row variant place period value unit qualifier status source published note", one row a line.
static inline void put_observations(alm_buf *out, const obs_rows *obs, const alm_catalog *catalog)
{
    for (size_t i = 0; i < obs->count; i++) {
        const alm_obs *o = &obs->rows[i];
        char period[ALM_PERIOD_TEXT_MAX], number[ALM_DECIMAL_TEXT_MAX], unit[ALM_UNIT_TEXT_MAX];
        char published[ALM_PERIOD_TEXT_MAX];
        alm_period_format(o->period, period);
        alm_decimal_format(o->value.number, 0, number);
        alm_unit_code(o->value.unit, unit);
        alm_date_format(o->published, published);
        alm_buf_printf(
            out, "%u %.*s %.*s %s %s %s %s %c %.*s %s %.*s\n", obs->row_numbers[i],
            ALM_STR_ARGS(obs->variants[o->variant]),
            ALM_STR_ARGS(alm_place_tree_get(alm_catalog_places(catalog), o->place)->code), period,
            o->value.has_number ? number : "-", unit, alm_qualifier_code(o->value.qualifier),
            alm_obs_status_letter(o->value.status),
            ALM_STR_ARGS(o->source == ALM_SOURCE_NONE
                             ? ALM_STR("-")
                             : alm_catalog_source(catalog, o->source)->code),
            published, ALM_STR_ARGS(o->note));
    }
}

#endif
