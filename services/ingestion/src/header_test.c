// Goal: columns are found by any of their names in any order, and a header that is wrong is refused
// with what is wrong and what is known. Method: rows; every alias of every column; every order of
// four columns.
#include "header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define KNOWN                                                                                      \
    " Columns of observations: indicator, place, period, value, unit, unit_mult, qualifier, "      \
    "status, measure, accumulation, breakdown, relation, published, source, note"

typedef struct header_case {
    const char *name, *names; // '|' between
    uint32_t given;
    const char *want; // the message; NULL: good
} header_case;

static const header_case cases[] = {
    {"the least", "indicator|place|period|value", 0, NULL},
    {"in Chinese", "指标|地区|时期|数值|单位|限定|状态|口径|当期累计|分组|关系|发布日期|来源|备注",
     0, NULL},
    {"mixed, spaced, in any case", " Indicator |地区|\xE3\x80\x80PERIOD|oBs_VaLuE", 0, NULL},
    {"defaults instead of columns", "indicator|value", 1u << OBS_PLACE | 1u << OBS_PERIOD, NULL},
    {"unknown", "indicator|place|period|value|colour", 0,
     "unknown column 'colour' (column 5)." KNOWN},
    {"unknown, nearly known", "indicator|plaec|period|value", 0,
     "unknown column 'plaec' (column 2). Did you mean 'place'?" KNOWN},
    {"no name", "indicator|place|period|value|", 0, "column 5 has no name"},
    {"twice", "indicator|place|period|value|place", 0,
     "columns 2 and 5 are both 'place' ('place' and 'place'); keep one"},
    {"twice by another name", "地区|indicator|REF_AREA|period|value", 0,
     "columns 1 and 3 are both 'place' ('地区' and 'REF_AREA'); keep one"},
    {"missing", "indicator|place|period|unit", 0, "column 'value' is missing"},
    {"missing with an option", "indicator|place|value|unit", 0,
     "column 'period' is missing; give it or --period"},
};

static size_t split(const char *text, alm_str ret[32])
{
    alm_str rest = alm_str_from(text);
    size_t count = 0;
    while (alm_str_split(&rest, '|', &ret[count])) {
        count++;
    }
    return count;
}

static void maps(void **state)
{
    const header_case *row = *state;
    alm_arena *arena = alm_arena_create(0);
    alm_str names[32];
    size_t count = split(row->names, names);
    header h;
    alm_status st = ALM_STATUS_INIT;
    assert_non_null(arena);
    alm_code code = header_map(&columns_of_observations, names, count, row->given, arena, &h, &st);
    assert_int_equal(code, row->want == NULL ? ALM_OK : ALM_INVALID_ARGUMENT);
    if (row->want != NULL) {
        assert_string_equal(st.message, row->want);
        assert_string_equal(st.field, "header");
    } else {
        assert_int_equal(h.column_count, count);
    }
    alm_arena_destroy(&arena);
}

// Names and aliases of all columns of a set: each leads to its own field.
static void check_aliases(const column_set *set)
{
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    for (size_t field = 0; field < set->count; field++) {
        char all[512];
        snprintf(all, sizeof all, "%s|%s", set->defs[field].name, set->defs[field].aliases);
        alm_str rest = alm_str_from(all), alias;
        while (alm_str_split(&rest, '|', &alias)) {
            header h;
            assert_int_equal(header_map(set, &alias, 1, UINT32_MAX, arena, &h, NULL), ALM_OK);
            for (size_t other = 0; other < set->count; other++) {
                assert_int_equal(h.column_of[other], other == field ? 0 : -1);
            }
        }
    }
    alm_arena_destroy(&arena);
}

static void every_alias_leads_to_one_field(void **state)
{
    (void)state;
    check_aliases(&columns_of_observations);
    check_aliases(&columns_of_indicators);
    check_aliases(&columns_of_places);
    check_aliases(&columns_of_sources);
}

static void takes_any_order(void **state)
{
    (void)state;
    static const obs_field fields[] = {OBS_INDICATOR, OBS_PLACE, OBS_PERIOD, OBS_VALUE};
    static const char *const words[] = {"指标", "place", "TIME_PERIOD", "值"};
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    size_t orders = 0;
    for (size_t code = 0; code < 256; code++) {
        size_t order[4] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6};
        unsigned seen = 1u << order[0] | 1u << order[1] | 1u << order[2] | 1u << order[3];
        if (seen != 15) {
            continue;
        }
        alm_str names[4];
        for (size_t i = 0; i < 4; i++) {
            names[i] = alm_str_from(words[order[i]]);
        }
        header h;
        assert_int_equal(header_map(&columns_of_observations, names, 4, 0, arena, &h, NULL),
                         ALM_OK);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(h.column_of[fields[order[i]]], i);
        }
        orders++;
    }
    assert_int_equal(orders, 24);
    alm_arena_destroy(&arena);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(cases) + 2];
    size_t count = 0;
    for (; count < ALM_ARRAY_LEN(cases); count++) {
        header_case *row = (header_case *)(uintptr_t)&cases[count];
        tests[count] =
            (struct CMUnitTest){.name = row->name, .test_func = maps, .initial_state = row};
    }
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_alias_leads_to_one_field);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(takes_any_order);
    return _cmocka_run_group_tests("header", tests, count, NULL, NULL);
}
