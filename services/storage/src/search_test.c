// Catalogue search: rows of words and texts.
#include "search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

typedef struct search_row {
    const char *name, *words;
    bool want;
} search_row;

static const search_row rows[] = {
    {"no words match everything", "", true},
    {"spaces alone match everything", " \t\xe3\x80\x80 ", true},
    {"a part of the code", "DP_r", true},
    {"a Chinese name", "生产总值", true},
    {"an alias", "国内", true},
    {"the theme", "national", true},
    {"words in different texts", "gdp 总值", true},
    {"a wide space between words", "gdp\xe3\x80\x80总值", true},
    {"one word that is nowhere", "gdp tax", false},
    {"a word longer than any text", "gross domestic product of everything", false},
    {"a word across two texts", "gdp_real地区", false},
};

static void searches(void **state)
{
    const search_row *row = *state;
    alm_str alias = ALM_STR("国内生产总值");
    alm_indicator entry = {.code = ALM_STR("gdp_real"),
                           .name_zh = ALM_STR("地区生产总值"),
                           .name_en = ALM_STR("GDP at constant prices"),
                           .theme = ALM_STR("National accounts"),
                           .aliases = &alias,
                           .alias_count = 1};
    assert_int_equal(search_indicator(alm_str_from(row->words), &entry), row->want);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(rows)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        union {
            const search_row *in;
            void *out;
        } row = {.in = &rows[i]}; // cmocka hands state on as void *
        tests[i] = (struct CMUnitTest){
            .name = rows[i].name, .test_func = searches, .initial_state = row.out};
    }
    return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
