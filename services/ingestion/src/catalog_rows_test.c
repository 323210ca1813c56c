// Goal: catalogue rows become the entries they say with what is usual where a cell is blank, name
// only what is known, and never make a catalogue that does not build. Method: files against the
// outcome as text; whatever is taken is built together with the catalogue there is.
#include "testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef struct catalog_case {
    const char *name, *text;
    piece_kind kind;
    const char *want; // an error, or the defects and then the entries in their order
} catalog_case;

// clang-format off
static const catalog_case cases[] = {
    {.name = "indicators with all cells",
     .text = "code,name_zh,name_en,unit,value_type,over_places,over_time,direction,theme,numerato"
             "r,denominator,definition,aliases\n"
             "tax,税收收入,Tax revenue,CNY_E8,flow,sum,sum,up,economy,,,按现价,税收; "
             "taxes；tax income;;\n",
     .kind = PIECE_INDICATORS,
     .want = "tax 税收收入/Tax revenue CNY_E8 flow sum sum up economy / [税收;taxes;tax "
             "income]\n"},
    {.name = "indicators by Chinese columns",
     .text = "代码,名称,单位,类型,方向\n"
             "tax,税收收入,亿元,flow,up\n",
     .kind = PIECE_INDICATORS,
     .want = "tax 税收收入/ CNY_E8 flow sum sum up  / []\n"},
    {.name = "what is usual by value type",
     .text = "code,name_zh,unit,value_type,numerator,denominator\n"
             "f,流量,亿元,flow,,\n"
             "s,存量,万人,stock,,\n"
             "r,比率,%,rate,,\n"
             "rc,可算比率,%,rate,gdp,population\n"
             "i,指数,index,index,,\n"
             "c,个数,个,count,,\n",
     .kind = PIECE_INDICATORS,
     .want = "f 流量/ CNY_E8 flow sum sum neutral  / []\n"
             "s 存量/ persons_E4 stock sum - neutral  / []\n"
             "r 比率/ percent rate none none neutral  / []\n"
             "i 指数/ index index none none neutral  / []\n"
             "c 个数/ count count sum sum neutral  / []\n"
             "rc 可算比率/ percent rate recompute recompute neutral  gdp/population []\n"},
    {.name = "wrong cells of indicators",
     .text = "code,name_zh,unit,value_type,over_places,direction\n"
             "bad code,名,亿元,flow,,\n"
             "ok1,,亿元,flow,,\n"
             "ok2,名,bananas,flow,,\n"
             "ok3,名,,flow,,\n"
             "ok4,名,亿元,tide,,\n"
             "ok5,名,亿元,flow,add,\n"
             "ok6,名,亿元,flow,,sideways\n"
             "ok7,名,%,rate,sum,\n"
             "ok8,名,%,rate,recompute,\n",
     .kind = PIECE_INDICATORS,
     .want = "2:1 code [bad code] code 'bad code' is not a code: only A-Z, a-z, 0-9, _ and - are "
             "allowed\n"
             "3:2 name_zh [] name_zh is empty\n"
             "4:3 unit [bananas] unknown unit \"bananas\"\n"
             "5:3 unit [] unit is blank\n"
             "6:4 value_type [tide] unknown value type; it is flow, stock, rate, index or count\n"
             "7:5 over_places [add] unknown aggregation; it is sum, recompute, average, max, min "
             "or none\n"
             "8:6 direction [sideways] unknown direction; it is up, down or neutral\n"
             "9:5 over_places [sum] indicator ok7: over_places cannot be sum, since value_type "
             "rate never adds up\n"
             "10:0 numerator [] indicator ok8 has no numerator: a recomputed rate needs numerator "
             "and denominator\n"},
    {.name = "formulas",
     .text = "code,name_zh,unit,value_type,formula,over_places,numerator\n"
             "a,人均,元/人,rate,gdp / population,,\n"
             "b,甲,元,rate,gdp /,,\n"
             "c,乙,元,rate,gdp - nosuch,,\n"
             "d,丙,元,rate,gdp - a,max,\n"
             "e,丁,元,flow,gdp * 2,none,\n"
             "f,戊,元,rate,gdp * 2,,gdp\n",
     .kind = PIECE_INDICATORS,
     .want = "3:5 formula [gdp /] indicator b: formula \"gdp /\": an indicator, a number or \"(\" "
             "is expected at its end\n"
             "4:5 formula [nosuch] unknown indicator: neither in the catalogue nor in this piece\n"
             "5:6 over_places [max] indicator d has a formula: over places it is recompute, or "
             "none\n"
             "7:5 formula [gdp * 2] indicator f has a formula, and needs no numerator and "
             "denominator\n"
             "a 人均/ CNY/persons rate recompute recompute neutral  / [] = gdp / population\n"
             "e 丁/ CNY flow none recompute neutral  / [] = gdp * 2\n"},
    {.name = "numerators are known or in the piece",
     .text = "code,name_zh,unit,value_type,numerator,denominator\n"
             "a,甲,%,rate,b,gdp\n"
             "b,乙,亿元,flow,,\n"
             "c,丙,%,rate,nosuch,gdp\n"
             "d,丁,%,rate,c,gdp\n",
     .kind = PIECE_INDICATORS,
     .want = "4:5 numerator [nosuch] unknown indicator: neither in the catalogue nor in this "
             "piece\n"
             "5:5 numerator [c] unknown indicator: neither in the catalogue nor in this piece\n"
             "b 乙/ CNY_E8 flow sum sum neutral  / []\n"
             "a 甲/ percent rate recompute recompute neutral  b/gdp []\n"},
    {.name = "indicators in a circle",
     .text = "code,name_zh,unit,value_type,numerator,denominator\n"
             "a,甲,%,rate,b,gdp\n"
             "b,乙,%,rate,a,gdp\n",
     .kind = PIECE_INDICATORS,
     .want = "INVALID_ARGUMENT: with these rows the catalogue would not hold together: indicator "
             "a is computed from itself through numerators and denominators\n"},
    {.name = "an indicator there is, changed",
     .text = "code,name_zh,unit,value_type\n"
             "gdp,国内生产总值,亿元,flow\n",
     .kind = PIECE_INDICATORS,
     .want = "gdp 国内生产总值/ CNY_E8 flow sum sum neutral  / []\n"},
    {.name = "places, parents after children",
     .text = "code,name_zh,level,parent\n"
             "310105001,华阳路街道,town,310105\n"
             "320500,苏州市,city,320000\n"
             "320000,江苏省,province,\n"
             "320583,昆山市,district,320500\n",
     .kind = PIECE_PLACES,
     .want = "320000 江苏省 province <> .. [] []\n"
             "320500 苏州市 city <320000> .. [] []\n"
             "320583 昆山市 district <320500> .. [] []\n"
             "310105001 华阳路街道 town <310105> .. [] []\n"},
    {.name = "places in Chinese",
     .text = "代码,名称,级别,上级,启用日期,停用日期,后继,别名\n"
             "310108,闸北区,区县,310000,1949-10-01,2015-11-03,310106,闸北;Zhabei\n",
     .kind = PIECE_PLACES,
     .want = "310108 闸北区 district <310000> 1949-10-01..2015-11-03 [310106] "
             "[闸北;Zhabei]\n"},
    {.name = "wrong cells of places",
     .text = "code,name_zh,level,parent,valid_from,valid_to,successors\n"
             "1,甲,planet,,,,\n"
             "2,乙,district,,2020-13-01,,\n"
             "3,,district,,,,\n"
             "4,丁,district,,2020-01-01,2019-01-01,\n"
             "5,戊,district,999,,,\n"
             "6,己,province,310105,,,\n"
             "7,庚,district,310000,,2019-12-31,310999\n"
             "8,辛,district,310000,,2019-12-31,310103\n"
             "9,壬,town,5,,,\n",
     .kind = PIECE_PLACES,
     .want = "2:3 level [planet] unknown level; it is country, province, city, district, town, "
             "village or local\n"
             "3:5 valid_from [2020-13-01] there is no day 2020-13-01\n"
             "4:2 name_zh [] name_zh is empty\n"
             "5:6 valid_to [2019-01-01] place 4: valid_to 2019-01-01 is before valid_from "
             "2020-01-01\n"
             "6:4 parent [999] unknown place: neither in the catalogue nor in this piece\n"
             "7:4 parent [310105] a province cannot stand under a district\n"
             "8:7 successors [310999] unknown place: neither in the catalogue nor in this piece\n"
             "9:7 successors [310103] ends no later than the place it comes after\n"
             "10:4 parent [5] unknown place: neither in the catalogue nor in this piece\n"},
    {.name = "a level never changes",
     .text = "code,name_zh,level,parent\n"
             "310105,长宁区,city,310000\n",
     .kind = PIECE_PLACES,
     .want = "2:3 level [city] the place is a district in the catalogue, and a level never "
             "changes\n"},
    {.name = "a place that ends against its ancestors",
     .text = "code,name_zh,level,parent,valid_to\n"
             "310101,黄浦区,district,310000,2010-12-31\n",
     .kind = PIECE_PLACES,
     .want = "INVALID_ARGUMENT: with these rows the catalogue would not hold together: place "
             "310103 ended on 2011-05-31, and its successor 310101 not later\n"},
    {.name = "a place that moves",
     .text = "code,name_zh,level,parent\n"
             "310000,上海市,province,100000\n"
             "100000,中国,country,\n",
     .kind = PIECE_PLACES,
     .want = "100000 中国 country <> .. [] []\n"
             "310000 上海市 province <100000> .. [] []\n"},
    {.name = "duplicates",
     .text = "code,name_zh,level\n"
             "1,甲,city\n"
             "1,甲,city\n"
             "1,乙,city\n",
     .kind = PIECE_PLACES,
     .want = "~ 3:0  [] duplicate of row 2\n"
             "4:1 code [1] row 2 describes the same code in another way\n"
             "1 甲 city <> .. [] []\n"},
    {.name = "sources",
     .text = "code,title,publisher,published,address,precedence,note\n"
             "cn2023,长宁区2023年统计公报,长宁区统计局,2024-03-01,https://example.o"
             "rg/a,10,初步\n"
             "undated2,手册二,,,,,\n"
             "b d,标题,,,,,\n"
             "x,,,,,,\n"
             "y,标题,,2024-02-30,,high,\n",
     .kind = PIECE_SOURCES,
     .want = "4:1 code [b d] code 'b d' is not a code: only A-Z, a-z, 0-9, _ and - are allowed\n"
             "5:2 title [] title is empty\n"
             "6:4 published [2024-02-30] there is no day 2024-02-30\n"
             "6:6 precedence [high] precedence is a whole number, higher wins\n"
             "cn2023 长宁区2023年统计公报 长宁区统计局 2024-03-01 10 初步\n"
             "undated2 手册二   0 \n"},
    {.name = "wrong number of fields",
     .text = "code,title\n"
             "a,标题,x\n"
             "a\n"
             "b,\"标\"题\n"
             "b,标题\n"
             ",\n",
     .kind = PIECE_SOURCES,
     .want = "2:0  [a,标题,x] too many fields: 3, the header has 2\n"
             "3:0  [a] too few fields: 1, the header has 2\n"
             "4:2 title [b,\"标\"题] text after the closing quote; a quote inside a quoted "
             "field is written twice\n"
             "b 标题   0 \n"},
    {.name = "an unknown column",
     .text = "code,title,colour\n"
             "a,标题,red\n",
     .kind = PIECE_SOURCES,
     .want = "INVALID_ARGUMENT: unknown column 'colour' (column 3). Columns of sources: code, "
             "title, publisher, published, address, precedence, note\n"},
};
// clang-format on

// --- outcome ------------------------------------------------------------------------------------

static void put_list(alm_buf *out, const alm_str *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        alm_buf_printf(out, "%s%.*s", i > 0 ? ";" : "", ALM_STR_ARGS(texts[i]));
    }
}

static const char *aggregation_word(alm_aggregation a)
{
    return a == ALM_AGGREGATION_NONE ? "-" : alm_aggregation_code(a);
}

static void put_indicator(alm_buf *out, const alm_indicator *e)
{
    char unit[ALM_UNIT_TEXT_MAX];
    alm_unit_code(e->unit, unit);
    alm_buf_printf(out, "%.*s %.*s/%.*s %s %s %s %s %s %.*s %.*s/%.*s [", ALM_STR_ARGS(e->code),
                   ALM_STR_ARGS(e->name_zh), ALM_STR_ARGS(e->name_en), unit,
                   alm_value_type_code(e->value_type), aggregation_word(e->over_places),
                   aggregation_word(e->over_time), alm_direction_code(e->direction),
                   ALM_STR_ARGS(e->theme), ALM_STR_ARGS(e->numerator),
                   ALM_STR_ARGS(e->denominator));
    put_list(out, e->aliases, e->alias_count);
    alm_buf_str(out, ALM_STR("]"));
    alm_buf_str(out, e->formula.len > 0 ? ALM_STR(" = ") : (alm_str){0});
    alm_buf_str(out, e->formula);
    alm_buf_str(out, ALM_STR("\n"));
}

static void put_place(alm_buf *out, const alm_place *e)
{
    char from[ALM_PERIOD_TEXT_MAX] = "", to[ALM_PERIOD_TEXT_MAX] = "";
    if (e->valid_from != ALM_DATE_NONE) {
        alm_date_format(e->valid_from, from);
    }
    if (e->valid_to != ALM_DATE_MAX) {
        alm_date_format(e->valid_to, to);
    }
    alm_buf_printf(out, "%.*s %.*s %s <%.*s> %s..%s [", ALM_STR_ARGS(e->code),
                   ALM_STR_ARGS(e->name_zh), alm_level_code(e->level), ALM_STR_ARGS(e->parent),
                   from, to);
    put_list(out, e->successors, e->successor_count);
    alm_buf_str(out, ALM_STR("] ["));
    put_list(out, e->aliases, e->alias_count);
    alm_buf_str(out, ALM_STR("]\n"));
}

static void put_source(alm_buf *out, const alm_source *e)
{
    char published[ALM_PERIOD_TEXT_MAX];
    alm_date_format(e->published, published);
    alm_buf_printf(out, "%.*s %.*s %.*s %s %d %.*s\n", ALM_STR_ARGS(e->code),
                   ALM_STR_ARGS(e->title), ALM_STR_ARGS(e->publisher), published, e->precedence,
                   ALM_STR_ARGS(e->note));
}

static void put_entries(alm_buf *out, const catalog_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const catalog_entry *e = &rows->entries[i];
        switch (e->kind) {
        case ENTRY_INDICATOR:
            put_indicator(out, &e->as.indicator);
            break;
        case ENTRY_PLACE:
            put_place(out, &e->as.place);
            break;
        case ENTRY_SOURCE:
            put_source(out, &e->as.source);
            break;
        }
    }
}

// --- whatever is taken builds -------------------------------------------------------------------

static bool is_replaced(const catalog_rows *rows, alm_str code)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (alm_str_eq(catalog_entry_code(&rows->entries[i]), code)) {
            return true;
        }
    }
    return false;
}

static alm_code add_entry(alm_catalog *c, const catalog_entry *e, alm_status *st)
{
    uint32_t id;
    return e->kind == ENTRY_INDICATOR ? alm_catalog_add_indicator(c, &e->as.indicator, &id, st)
           : e->kind == ENTRY_PLACE   ? alm_catalog_add_place(c, &e->as.place, &id, st)
                                      : alm_catalog_add_source(c, &e->as.source, &id, st);
}

static void assert_builds(const catalog_rows *rows)
{
    alm_catalog *c = NULL;
    alm_status st = ALM_STATUS_INIT;
    uint32_t id;
    size_t count;
    assert_int_equal(alm_catalog_create(&c, &st), ALM_OK);
    const alm_indicator *indicators = test_indicators(&count);
    for (size_t i = 0; i < count; i++) {
        if (!is_replaced(rows, indicators[i].code)) {
            assert_int_equal(alm_catalog_add_indicator(c, &indicators[i], &id, &st), ALM_OK);
        }
    }
    const alm_place *places = test_places(&count);
    for (size_t i = 0; i < count; i++) {
        if (!is_replaced(rows, places[i].code)) {
            assert_int_equal(alm_catalog_add_place(c, &places[i], &id, &st), ALM_OK);
        }
    }
    for (size_t i = 0; i < rows->count; i++) {
        assert_int_equal(add_entry(c, &rows->entries[i], &st), ALM_OK);
    }
    assert_int_equal(alm_catalog_finish(c, &st), ALM_OK);
    alm_catalog_destroy(&c);
}

static void comes_through(void **state)
{
    const catalog_case *row = *state;
    alm_arena *arena = alm_arena_create(0);
    alm_catalog *catalog = test_catalog();
    alm_buf out;
    assert_non_null(arena);
    assert_non_null(catalog);
    alm_buf_init(&out, 0);
    alm_str text = alm_str_from(row->text);
    size_t end = alm_str_find_char(text, '\n');
    piece p = {.kind = row->kind,
               .header = alm_str_slice(text, 0, end),
               .records = alm_str_slice(text, end + 1, text.len),
               .first_row = 2};
    piece_result result;
    alm_status st = ALM_STATUS_INIT;
    if (piece_check(&p, catalog, TEST_TODAY, arena, &result, &st) != ALM_OK) {
        alm_buf_printf(&out, "%s: %s\n", alm_code_name(st.code), st.message);
    } else {
        put_defects(&out, &result.report);
        put_entries(&out, &result.catalog);
        assert_builds(&result.catalog);
    }
    alm_buf_char(&out, '\0');
    assert_string_equal((const char *)out.data, row->want);
    alm_buf_deinit(&out);
    alm_catalog_destroy(&catalog);
    alm_arena_destroy(&arena);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(cases)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(cases); i++) {
        catalog_case *row = (catalog_case *)(uintptr_t)&cases[i];
        tests[i] = (struct CMUnitTest){
            .name = row->name, .test_func = comes_through, .initial_state = row};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
