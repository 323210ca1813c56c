// Goal: catalogue entries survive the trip over the wire; what is malformed is refused by field.
// Method: full and empty entries there and back; a table of single damages.
#include "alm/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static alm_arena *arena;

static int arena_begin(void **state)
{
    (void)state;
    arena = alm_arena_create(0);
    return arena == NULL ? -1 : 0;
}

static int arena_end(void **state)
{
    (void)state;
    alm_arena_destroy(&arena);
    return 0;
}

static void indicators(void **state)
{
    static const alm_str aliases[] = {{"GDP", 3}, {"生产总值", 12}};
    const alm_indicator entry = {
        .code = ALM_STR("gdp"),
        .name_zh = ALM_STR("地区生产总值"),
        .name_en = ALM_STR("Gross domestic product"),
        .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
        .value_type = ALM_VALUE_TYPE_FLOW,
        .over_places = ALM_AGGREGATION_SUM,
        .over_time = ALM_AGGREGATION_SUM,
        .direction = ALM_DIRECTION_UP,
        .theme = ALM_STR("economy"),
        .numerator = ALM_STR("a"),
        .denominator = ALM_STR("b"),
        .definition = ALM_STR("what it is"),
        .formula = ALM_STR("a / b"),
        .aliases = aliases,
        .alias_count = 2,
    };
    Almanac__V1__Indicator *message;
    alm_indicator got;
    (void)state;
    assert_int_equal(alm_indicator_to_proto(&entry, arena, &message, NULL), ALM_OK);
    assert_int_equal(alm_indicator_from_proto(message, arena, &got, NULL), ALM_OK);
    assert_true(alm_str_eq(got.code, entry.code) && alm_str_eq(got.name_zh, entry.name_zh) &&
                alm_str_eq(got.name_en, entry.name_en) && alm_str_eq(got.theme, entry.theme) &&
                alm_str_eq(got.numerator, entry.numerator) &&
                alm_str_eq(got.denominator, entry.denominator) &&
                alm_str_eq(got.definition, entry.definition) &&
                alm_str_eq(got.formula, entry.formula));
    assert_true(alm_unit_eq(got.unit, entry.unit));
    assert_int_equal(got.value_type, entry.value_type);
    assert_int_equal(got.over_places, entry.over_places);
    assert_int_equal(got.over_time, entry.over_time);
    assert_int_equal(got.direction, entry.direction);
    assert_int_equal(got.alias_count, 2);
    assert_true(alm_str_eq(got.aliases[1], aliases[1]));
}

static void places(void **state)
{
    static const alm_str successors[] = {{"310106", 6}};
    const alm_place ended = {
        .code = ALM_STR("310108"),
        .name_zh = ALM_STR("闸北区"),
        .level = ALM_LEVEL_DISTRICT,
        .parent = ALM_STR("310000"),
        .valid_from = -8000,
        .valid_to = 16742,
        .successors = successors,
        .successor_count = 1,
    };
    const alm_place open = {.code = ALM_STR("310106"),
                            .name_zh = ALM_STR("静安区"),
                            .level = ALM_LEVEL_DISTRICT,
                            .valid_from = ALM_DATE_NONE,
                            .valid_to = ALM_DATE_MAX};
    Almanac__V1__Place *message;
    alm_place got;
    (void)state;
    assert_int_equal(alm_place_to_proto(&ended, arena, &message, NULL), ALM_OK);
    assert_int_equal(alm_place_from_proto(message, arena, &got, NULL), ALM_OK);
    assert_int_equal(got.valid_from, ended.valid_from);
    assert_int_equal(got.valid_to, ended.valid_to);
    assert_int_equal(got.level, ended.level);
    assert_true(alm_str_eq(got.parent, ended.parent));
    assert_true(alm_str_eq(got.successors[0], successors[0]));
    assert_int_equal(alm_place_to_proto(&open, arena, &message, NULL), ALM_OK);
    assert_int_equal(alm_place_from_proto(message, arena, &got, NULL), ALM_OK);
    assert_int_equal(got.valid_from, ALM_DATE_NONE);
    assert_int_equal(got.valid_to, ALM_DATE_MAX);
}

static void sources(void **state)
{
    const alm_source entry = {.code = ALM_STR("report-2024"),
                              .title = ALM_STR("政府工作报告"),
                              .publisher = ALM_STR("区政府"),
                              .published = 19783,
                              .address = ALM_STR("https://example.org/"),
                              .precedence = -3,
                              .note = ALM_STR("note")};
    Almanac__V1__Source *message;
    alm_source got;
    (void)state;
    assert_int_equal(alm_source_to_proto(&entry, arena, &message, NULL), ALM_OK);
    assert_int_equal(alm_source_from_proto(message, arena, &got, NULL), ALM_OK);
    assert_true(alm_str_eq(got.code, entry.code) && alm_str_eq(got.title, entry.title) &&
                alm_str_eq(got.publisher, entry.publisher) &&
                alm_str_eq(got.address, entry.address) && alm_str_eq(got.note, entry.note));
    assert_int_equal(got.published, entry.published);
    assert_int_equal(got.precedence, entry.precedence);
}

static void damages_are_refused_by_field(void **state)
{
    Almanac__V1__Indicator indicator;
    Almanac__V1__Place place;
    almanac__v1__indicator__init(&indicator);
    almanac__v1__place__init(&place);
    char not_utf8[] = "\xc3";
    char unit[] = "CNY";
    char date[] = "2024-02-30";
    char too_long[ALM_CODE_BYTES_MAX + 2];
    alm_indicator got_indicator;
    alm_place got_place;
    alm_status st = ALM_STATUS_INIT;
    (void)state;
    memset(too_long, 'a', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';

    assert_int_equal(alm_indicator_from_proto(&indicator, arena, &got_indicator, &st),
                     ALM_INVALID_ARGUMENT); // no unit
    assert_string_equal(st.field, "unit");
    indicator.unit = unit;
    assert_int_equal(alm_indicator_from_proto(&indicator, arena, &got_indicator, &st), ALM_OK);
    indicator.value_type = (Almanac__V1__ValueType)77;
    assert_int_equal(alm_indicator_from_proto(&indicator, arena, &got_indicator, &st),
                     ALM_INVALID_ARGUMENT);
    assert_string_equal(st.field, "value_type");
    indicator.value_type = ALMANAC__V1__VALUE_TYPE__VALUE_TYPE_FLOW;
    indicator.name_zh = not_utf8;
    assert_int_equal(alm_indicator_from_proto(&indicator, arena, &got_indicator, &st),
                     ALM_INVALID_ARGUMENT);
    assert_string_equal(st.field, "name_zh");

    place.valid_to = date;
    assert_int_equal(alm_place_from_proto(&place, arena, &got_place, &st), ALM_INVALID_ARGUMENT);
    assert_string_equal(st.field, "valid_to");
    place.code = too_long;
    assert_int_equal(alm_place_from_proto(&place, arena, &got_place, &st), ALM_OUT_OF_RANGE);
    assert_string_equal(st.field, "code");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(indicators, arena_begin, arena_end),
        cmocka_unit_test_setup_teardown(places, arena_begin, arena_end),
        cmocka_unit_test_setup_teardown(sources, arena_begin, arena_end),
        cmocka_unit_test_setup_teardown(damages_are_refused_by_field, arena_begin, arena_end),
    };
    return cmocka_run_group_tests_name("wire_catalog", tests, NULL, NULL);
}
