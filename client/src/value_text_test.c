// Values and units as people read them: rows of input and text. That the words are the model's is
// tested in tests/client_words_test.c.
#include "almanac.h"

#include "alm/assert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

typedef struct value_row {
    const char *name;
    almanac_row row;
    const char *zh, *en;
} value_row;

#define NUMBER(m, e, u, q)                                                                         \
    {                                                                                              \
        .mantissa = (m), .exponent = (e), .has_number = true, .unit = (u), .qualifier = (q),       \
        .status = 'A'                                                                              \
    }
#define NONE(u, q, s)                                                                              \
    {                                                                                              \
        .unit = (u), .qualifier = (q), .status = (s)                                               \
    }

static const value_row value_rows[] = {
    {"value: money", NUMBER(16853, -2, "CNY_E8", 0), "168.53 亿元", "168.53 (100 million yuan)"},
    {"value: more than", NUMBER(6100, 0, "count_jia", 2), "超 6,100 家", "over 6,100"},
    {"value: about a percentage", NUMBER(13, 0, "percent", 1), "约 13%", "about 13%"},
    {"value: a multiplier that reads on", NUMBER(2, 0, "CNY_E6", 7), "突破 2 百万元",
     "past 2 million yuan"},
    {"value: rank", NUMBER(3, 0, "rank", 0), "第 3 位", "no. 3"},
    {"value: a rank without a number", NONE("rank", 9, 'A'), "领先", "leading"},
    {"value: missing", NONE("CNY_E8", 0, 'O'), "—", "—"},
    {"value: missing, whatever was said", NONE("rank", 9, 'Q'), "—", "—"},
    {"value: no unit", NUMBER(1043, -1, "index", 0), "104.3", "104.3"},
    {"value: a unit nobody knows", NUMBER(5, 0, "furlong", 0), "5 furlong", "5 furlong"},
    {"value: an impossible power", NUMBER(5, 0, "CNY_E99", 0), "5 CNY_E99", "5 CNY_E99"},
};

static void writes_values(void **state)
{
    const value_row *row = *state;
    char got[ALMANAC_VALUE_TEXT_MAX];
    almanac_value_text(&row->row, ALMANAC_ZH, got);
    assert_string_equal(got, row->zh);
    size_t len = almanac_value_text(&row->row, ALMANAC_EN, got);
    assert_string_equal(got, row->en);
    assert_int_equal(len, strlen(row->en));
}

// A code of any length is cut, never written past the end.
static void cuts_a_unit_that_is_too_long(void **state)
{
    (void)state;
    char unit[1000];
    char got[ALMANAC_UNIT_TEXT_MAX];
    memset(unit, 'x', sizeof unit);
    unit[sizeof unit - 1] = '\0';
    assert_int_equal(almanac_unit_label(unit, ALMANAC_ZH, got), ALMANAC_UNIT_TEXT_MAX - 1);
}

static void knows_strangers(void **state)
{
    (void)state;
    assert_string_equal(almanac_qualifier_code(11), "?");
    assert_string_equal(almanac_qualifier_label(UINT32_MAX, ALMANAC_ZH), "?");
    assert_string_equal(almanac_status_label('z', ALMANAC_EN), "?");
    assert_string_equal(almanac_measure_label("anything", ALMANAC_EN), "anything");
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(value_rows) + 2];
    size_t count = 0;
    for (; count < ALM_ARRAY_LEN(value_rows); count++) {
        tests[count] = (struct CMUnitTest){.name = value_rows[count].name,
                                           .test_func = writes_values,
                                           .initial_state = (void *)(uintptr_t)&value_rows[count]};
    }
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(cuts_a_unit_that_is_too_long);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(knows_strangers);
    return _cmocka_run_group_tests("value_text", tests, count, NULL, NULL);
}
