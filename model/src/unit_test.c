// Units: the names people write, every code and label there is, and conversions. Random conversions
// are in unit_prop_test.c.
#include "alm/unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "test_rows.h"

static alm_unit unit(const char *text)
{
    alm_unit u = {0};
    alm_status st = ALM_STATUS_INIT;
    if (alm_unit_parse(alm_str_from(text), &u, &st) != ALM_OK) {
        fail_msg("%s", st.message);
    }
    return u;
}

static void assert_code(alm_unit u, const char *want)
{
    char code[ALM_UNIT_TEXT_MAX];
    assert_int_equal(alm_unit_code(u, code), strlen(want));
    assert_string_equal(code, want);
}

// ----- Names -------------------------------------------------------------------------------------

typedef struct name_row {
    const char *input, *code;
} name_row;

static const name_row name_rows[] = {
    // what reports print
    {"元", "CNY"},
    {"万元", "CNY_E4"},
    {"亿元", "CNY_E8"},
    {"万亿元", "CNY_E12"},
    {"千元", "CNY_E3"},
    {"百万元", "CNY_E6"},
    {"千万元", "CNY_E7"},
    {"百亿元", "CNY_E10"},
    {"千亿元", "CNY_E11"},
    {"美元", "USD"},
    {"万美元", "USD_E4"},
    {"亿美元", "USD_E8"},
    {"平方米", "m2"},
    {"万平方米", "m2_E4"},
    {"公顷", "ha"},
    {"千公顷", "ha_E3"},
    {"亩", "mu"},
    {"万亩", "mu_E4"},
    {"平方公里", "km2"},
    {"平方千米", "km2"},
    {"公里", "km"},
    {"千米", "km"},
    {"人", "persons"},
    {"万人", "persons_E4"},
    {"人次", "visits"},
    {"万人次", "visits_E4"},
    {"亿人次", "visits_E8"},
    {"个", "count"},
    {"万个", "count_E4"},
    {"家", "count_jia"},
    {"套", "count_tao"},
    {"万套", "count_tao_E4"},
    {"幢", "count_zhuang"},
    {"项", "count_xiang"},
    {"处", "count_chu"},
    {"座", "count_zuo"},
    {"张", "count_zhang"},
    {"户", "count_hu"},
    {"万户", "count_hu_E4"},
    {"件", "count_jian"},
    {"万头", "count_tou_E4"},
    {"万只", "count_zhi_E4"},
    {"万羽", "count_yu_E4"},
    {"所", "count_suo"},
    {"场", "count_chang"},
    {"吨", "t"},
    {"万吨", "t_E4"},
    {"公斤", "kg"},
    {"千克", "kg"},
    {"立方米", "m3"},
    {"亿立方米", "m3_E8"},
    {"亿千瓦时", "kWh_E8"},
    {"万千瓦", "kW_E4"},
    {"万千伏安", "kVA_E4"},
    {"万吨标准煤", "tce_E4"},
    {"岁", "years"},
    {"%", "percent"},
    {"％", "percent"},
    {"‰", "permille"},
    {"百分点", "pp"},
    {"个百分点", "pp"},
    {"倍", "times"},
    {"位", "rank"},
    // other spellings
    {"人民币", "CNY"},
    {"亿元人民币", "CNY_E8"},
    {"亿人民币元", "CNY_E8"},
    {"㎡", "m2"},
    {"万㎡", "m2_E4"},
    {"m²", "m2"},
    {"M2", "m2"},
    {"RMB", "CNY"},
    {"rmb", "CNY"},
    {"US$", "USD"},
    {"hectare", "ha"},
    {"Hectares", "ha"},
    {"sq km", "km2"},
    {"per cent", "percent"},
    {"percentage points", "pp"},
    {"people", "persons"},
    {"person_times", "visits"},
    {"兆瓦", "kW_E3"},
    {"百兆瓦", "kW_E5"},
    // English multipliers
    {"100 million CNY", "CNY_E8"},
    {"100 million yuan", "CNY_E8"},
    {"hundred million yuan", "CNY_E8"},
    {"10k m2", "m2_E4"},
    {"10 thousand m²", "m2_E4"},
    {"10,000 yuan", "CNY_E4"},
    {"10000 yuan", "CNY_E4"},
    {"100,000,000 yuan", "CNY_E8"},
    {"1 yuan", "CNY"},
    {"Million Yuan", "CNY_E6"},
    {"billion US dollars", "USD_E9"},
    {"10 bn USD", "USD_E10"},
    {"trillion yuan", "CNY_E12"},
    {"ten thousand tonnes", "t_E4"},
    {"10 km", "km_E1"},
    {"10km", "km_E1"},
    {"thousand", "count_E3"},
    {"100 million", "count_E8"},
    {"10k", "count_E4"},
    {"×10^-3 yuan", "CNY_E-3"},
    {"x10^6 m2", "m2_E6"},
    // codes
    {"CNY", "CNY"},
    {"CNY_E8", "CNY_E8"},
    {"CNY_E0", "CNY"},
    {"m2_E-3", "m2_E-3"},
    {"count_tao_E4", "count_tao_E4"},
    {"ratio", "ratio"},
    {"ordinal", "ordinal"},
    {"index", "index"},
    // quotients
    {"元/人", "CNY/persons"},
    {"万元/人", "CNY_E4/persons"},
    {"元／平方米", "CNY/m2"},
    {"张/千人", "count_zhang/persons_E3"},
    {"吨标准煤/万元", "tce/CNY_E4"},
    {"辆/百户", "count_liang/count_hu_E2"},
    {"人 / 平方公里", "persons/km2"},
    {"yuan per person", "CNY/persons"},
    {"/km²", "count/km2"},
    {"10k per km2", "count_E4/km2"},
    {"CNY_E4/persons_E3", "CNY_E4/persons_E3"},
    // white space
    {" 万元 ", "CNY_E4"},
    {"\u3000亿元", "CNY_E8"},
    {"万 元", "CNY_E4"},
};

static void reads_names(void **state)
{
    const name_row *row = *state;
    assert_code(unit(row->input), row->code);
}

typedef struct stranger_row {
    const char *input, *says;
} stranger_row;

static const stranger_row stranger_rows[] = {
    {"", "unknown unit \"\""},
    {" ", "unknown unit \"\""},
    {"万", "unknown unit \"万\""},
    {"亿", "unknown unit \"亿\""},
    {"10,000", "unknown unit \"10,000\""},
    {"100", "unknown unit \"100\""},
    {"亿美圆", "unknown unit \"亿美圆\"; did you mean \"亿美元\"?"},
    {"万平方里", "did you mean \"万平方米\"?"},
    {"平芳公里", "did you mean \"平方公里\"?"},
    {"hectars", "did you mean \"hectare\"?"},
    {"100 million yaun", "did you mean \"100 million yuan\"?"},
    {"persents", "did you mean \"persons\"?"},
    {"cny_e8", "unknown unit \"cny_e8\""},
    {"圈圈", "unknown unit \"圈圈\""},
    {"元/元", "unknown unit \"元/元\": 元 is not counted per 元"},
    {"%/人", "unknown unit \"%/人\": % is not counted per 人"},
    {"元/百分点", "元 is not counted per 百分点"},
    {"CNY/persons_E-3", "CNY is not counted per persons_E-3"},
    {"元/人/年", "unknown unit \"人/年\""},
    {"元/", "unknown unit \"元/\""},
    {"/", "unknown unit \"/\""},
    {"亿美圆/人", "unknown unit \"亿美圆\"; did you mean \"亿美元\"?"},
    {"万万元", "unknown unit \"万万元\""},
    {"亿万元", "unknown unit \"亿万元\""},
    {"千百元", "unknown unit \"千百元\""},
    {"十 10 元", "unknown unit"},
    {"200 yuan", "unknown unit \"200 yuan\""},
    {"1,00 yuan", "unknown unit \"1,00 yuan\""},
    {"millionyuan", "unknown unit \"millionyuan\""},
    {"万%", "unknown unit \"万%\": it cannot have this multiplier"},
    {"万位", "cannot have this multiplier"},
    {"million pp", "cannot have this multiplier"},
    {"percent_E2", "cannot have this multiplier"},
    {"CNY_E13", "cannot have this multiplier"},
    {"CNY_E-10", "cannot have this multiplier"},
    {"CNY_E999999999999", "cannot have this multiplier"},
    {"10 trillion yuan", "cannot have this multiplier"},
    {"million billion yuan", "cannot have this multiplier"},
    {"10000000000000 yuan", "unknown unit"},
    {"×10^13 yuan", "unknown unit"},
    {"CNY_E", "unknown unit \"CNY_E\""},
    {"XYZ_E8", "unknown unit \"XYZ_E8\""},
    {"\xff\xfe", "must be UTF-8"},
};

static void refuses_strangers(void **state)
{
    const stranger_row *row = *state;
    alm_unit got = {.measure = 77, .mult = 7};
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_unit_parse(alm_str_from(row->input), &got, &st), ALM_NOT_FOUND);
    assert_int_equal(alm_unit_parse(alm_str_from(row->input), &got, NULL), ALM_NOT_FOUND);
    if (strstr(st.message, row->says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", st.message, row->says);
    }
    assert_int_equal(got.measure, 77);
    assert_int_equal(got.mult, 7);
}

typedef struct label_row {
    const char *code, *zh, *en;
} label_row;

static const label_row label_rows[] = {
    {"CNY", "元", "yuan"},
    {"CNY_E8", "亿元", "100 million yuan"},
    {"CNY_E12", "万亿元", "trillion yuan"},
    {"CNY_E1", "十元", "ten yuan"},
    {"m2_E4", "万平方米", "10 thousand m²"},
    {"count_jia", "家", ""},
    {"count_tao_E4", "万套", "10 thousand"},
    {"count_hu_E4", "万户", "10 thousand households"},
    {"percent", "%", "%"},
    {"pp", "个百分点", "pp"},
    {"CNY_E-3", "×10^-3 元", "×10^-3 yuan"},
    {"count_E-3", "×10^-3 个", "×10^-3"},
    {"index", "", ""},
    {"CNY_E4/persons", "万元/人", "10 thousand yuan/persons"},
    {"tce/CNY_E4", "吨标准煤/万元", "tce/10 thousand yuan"},
    {"count_zhang/persons_E3", "张/千人", "/thousand persons"},
    {"CNY/count_tao", "元/套", "yuan/套"},
    {"CNY_E-2/count_tao_E4", "×10^-2 元/万套", "×10^-2 yuan/10 thousand 套"},
};

static void labels(void **state)
{
    const label_row *row = *state;
    char label[ALM_UNIT_TEXT_MAX];
    assert_int_equal(alm_unit_label(unit(row->code), ALM_LANG_ZH, label), strlen(row->zh));
    assert_string_equal(label, row->zh);
    assert_int_equal(alm_unit_label(unit(row->code), ALM_LANG_EN, label), strlen(row->en));
    assert_string_equal(label, row->en);
}

// ----- Every unit there is -----------------------------------------------------------------------

// Calls visit for each valid unit; returns how many there were. Of all bytes, so that holes and
// strangers are tried as well.
static int for_each_unit(alm_measure_unit per, int per_mult, void (*visit)(alm_unit u))
{
    int count = 0;
    for (int measure = 0; measure <= UINT8_MAX; measure++) {
        for (int mult = INT8_MIN; mult <= INT8_MAX; mult++) {
            alm_unit u = {.measure = (uint8_t)measure,
                          .mult = (int8_t)mult,
                          .per = (uint8_t)per,
                          .per_mult = (int8_t)per_mult};
            if (alm_unit_valid(u)) {
                visit(u);
                count++;
            }
        }
    }
    return count;
}

static void code_reads_back(alm_unit u)
{
    char code[ALM_UNIT_TEXT_MAX];
    alm_unit_code(u, code);
    assert_true(alm_unit_eq(unit(code), u));
}

// A label may leave out which measure word is meant (家 has no English), never the size.
static void label_reads_back(alm_unit u)
{
    for (int lang = ALM_LANG_ZH; lang <= ALM_LANG_EN; lang++) {
        char label[ALM_UNIT_TEXT_MAX];
        if (alm_unit_label(u, (alm_lang)lang, label) == 0) {
            continue;
        }
        alm_unit back = unit(label);
        alm_decimal one = {.mantissa = 1};
        alm_decimal got;
        if (alm_unit_convert(one, u, back, &got, NULL) != ALM_OK ||
            alm_decimal_cmp(got, one) != 0) {
            fail_msg("\"%s\" reads back as another size", label);
        }
        // 千米 is 公里
        bool renamed = (u.measure == ALM_MEASURE_UNIT_M && u.mult >= 3) ||
                       (u.per == ALM_MEASURE_UNIT_M && u.per_mult >= 3);
        if (lang == ALM_LANG_ZH && !renamed) {
            assert_true(alm_unit_eq(back, u));
        }
    }
}

static void every_unit_reads_back(void **state)
{
    (void)state;
    // 53 measures; the eight of ratio, points, index, rank and ordinal take no multiplier.
    int mults = ALM_UNIT_MULT_MAX - ALM_UNIT_MULT_MIN + 1;
    assert_int_equal(for_each_unit(ALM_MEASURE_UNIT_NONE, 0, code_reads_back), 45 * mults + 8);
    assert_int_equal(for_each_unit(ALM_MEASURE_UNIT_NONE, 0, label_reads_back), 45 * mults + 8);
}

static void every_quotient_reads_back(void **state)
{
    (void)state;
    static const alm_measure_unit pers[] = {ALM_MEASURE_UNIT_CNY, ALM_MEASURE_UNIT_M,
                                            ALM_MEASURE_UNIT_MU, ALM_MEASURE_UNIT_PERSONS,
                                            ALM_MEASURE_UNIT_TAO};
    // How many are not counted per it: those of its dimension; of things counted itself alone.
    static const int likes[] = {1, 2, 4, 1, 1};
    int mults = ALM_UNIT_MULT_MAX - ALM_UNIT_MULT_MIN + 1;
    for (size_t i = 0; i < ALM_ARRAY_LEN(pers); i++) {
        int want = (45 - likes[i]) * mults;
        assert_int_equal(for_each_unit(pers[i], 3, code_reads_back), want);
        assert_int_equal(for_each_unit(pers[i], 3, label_reads_back), want);
        assert_int_equal(for_each_unit(pers[i], -1, label_reads_back), 0);
    }
    assert_int_equal(for_each_unit(ALM_MEASURE_UNIT_PERCENT, 0, label_reads_back), 0);
    assert_int_equal(for_each_unit(ALM_MEASURE_UNIT_NONE, 3, label_reads_back), 0);
}

static void packs(void **state)
{
    (void)state;
    alm_unit all = {.measure = 33, .mult = -9, .per = 1, .per_mult = 12};
    assert_int_equal(alm_unit_pack(all), 0x0c01f721);
    assert_true(alm_unit_eq(alm_unit_unpack(alm_unit_pack(all)), all));
    assert_int_equal(alm_unit_pack((alm_unit){0}), 0);
}

static void quotients_convert_part_by_part(void **state)
{
    (void)state;
    assert_true(alm_unit_convertible(unit("万元/人"), unit("元/千人")));
    assert_false(alm_unit_convertible(unit("元/人"), unit("元")));
    assert_false(alm_unit_convertible(unit("元/人"), unit("元/平方米")));
    assert_false(alm_unit_convertible(unit("元/人"), unit("美元/人")));
    assert_int_equal(alm_unit_dimension(unit("元/人")), ALM_DIMENSION_QUOTIENT);
}

static void names_and_numbers_are_unique(void **state)
{
    (void)state;
    static const struct {
        int number;
        const char *code, *zh;
    } rows[] = {
#define ROW(name, number, code, dim, num, den, power, zh, en) {number, code, zh},
        ALM_MEASURE_UNIT_MAP(ROW)
#undef ROW
    };
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        assert_in_range(rows[i].number, 1, UINT8_MAX);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(rows[i].number, rows[j].number);
            assert_string_not_equal(rows[i].code, rows[j].code);
            assert_true(rows[i].zh[0] == '\0' || strcmp(rows[i].zh, rows[j].zh) != 0);
        }
    }
}

static void dimensions_have_names(void **state)
{
    (void)state;
    static const alm_dimension all[] = {
#define ROW(name, number, text) ALM_DIMENSION_##name,
        ALM_DIMENSION_MAP(ROW)
#undef ROW
    };
    for (size_t i = 0; i < ALM_ARRAY_LEN(all); i++) {
        assert_int_equal(all[i], i + 1);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(alm_dimension_name(all[i]), alm_dimension_name(all[j]));
        }
    }
    assert_string_equal(alm_dimension_name(ALM_DIMENSION_NONE), "none");
    assert_string_equal(alm_dimension_name((alm_dimension)99), "?");
    assert_string_equal(alm_dimension_name(alm_unit_dimension(unit("万亩"))), "area");
}

static void no_unit_is_quiet(void **state)
{
    (void)state;
    alm_unit none = {0};
    char text[ALM_UNIT_TEXT_MAX] = "x";
    assert_false(alm_unit_valid(none));
    assert_int_equal(alm_unit_code(none, text), 0);
    assert_string_equal(text, "");
    assert_int_equal(alm_unit_label(none, ALM_LANG_ZH, text), 0);
    assert_int_equal(alm_unit_dimension(none), ALM_DIMENSION_NONE);
    assert_false(alm_unit_convertible(none, none));
}

// ----- Conversion --------------------------------------------------------------------------------

typedef struct convert_row {
    const char *name;
    alm_decimal value;
    const char *from, *to;
    alm_decimal want;
} convert_row;

static const convert_row convert_rows[] = {
    {"168.53 亿元 in 元", {16853, -2}, "亿元", "元", {16853, 6}},
    {"168.53 亿元 in 万元", {16853, -2}, "亿元", "万元", {16853, 2}},
    {"123456 万元 in 亿元", {123456, 0}, "万元", "亿元", {123456, -4}},
    {"1.5 万亿元 in 亿元", {15, -1}, "万亿元", "亿元", {15, 3}},
    {"zeros stay", {6100, 0}, "家", "count_jia_E4", {6100, -4}},
    {"560 千公顷 in 万亩", {560, 0}, "千公顷", "万亩", {8400, -1}},
    {"840 万亩 in 公顷", {840, 0}, "万亩", "公顷", {560, 3}},
    {"1 m² in 亩", {1, 0}, "平方米", "亩", {15, -4}},
    {"3 亩 in m²", {3, 0}, "亩", "平方米", {2, 3}},
    {"2 km² in 公顷", {2, 0}, "平方公里", "公顷", {2, 2}},
    {"1.1 公里 in 米", {11, -1}, "公里", "米", {11, 2}},
    {"13% in ‰", {13, 0}, "%", "‰", {13, 1}},
    {"1.4 倍 in %", {14, -1}, "倍", "%", {14, 1}},
    {"家 in 个", {6100, 0}, "家", "个", {6100, 0}},
    {"5 吨 in 公斤", {5, 0}, "吨", "公斤", {5, 3}},
    {"9.5 万元/人 in 元/千人", {95, -1}, "万元/人", "元/千人", {95, 6}},
    {"6.2 张/千人 in 张/万人", {62, -1}, "张/千人", "张/万人", {62, 0}},
    {"2 万元/亩 in 元/m²", {2, 0}, "万元/亩", "元/平方米", {30, 0}},
    {"30 元/m² in 万元/亩", {30, 0}, "元/平方米", "万元/亩", {2, 0}},
    {"18 digits and a half more", {600000000000000000, 0}, "平方米", "亩", {9, 14}},
};

static void converts(void **state)
{
    const convert_row *row = *state;
    alm_decimal got;
    bool exact = false;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_unit_convert(row->value, unit(row->from), unit(row->to), &got, &st),
                     ALM_OK);
    if (alm_decimal_cmp(got, row->want) != 0) {
        fail_msg("{%ld, %d}", (long)got.mantissa, got.exponent);
    }
    assert_int_equal(
        alm_unit_convert_round(row->value, unit(row->from), unit(row->to), 3, &got, &exact, &st),
        ALM_OK);
    assert_true(exact);
    assert_int_equal(alm_decimal_cmp(got, row->want), 0);
}

static void keeps_the_published_digits(void **state)
{
    (void)state;
    alm_decimal got;
    assert_int_equal(
        alm_unit_convert((alm_decimal){168530, -3}, unit("亿元"), unit("万元"), &got, NULL),
        ALM_OK);
    assert_int_equal(got.mantissa, 168530);
    assert_int_equal(got.exponent, 1);
}

static void rounds_only_where_it_must(void **state)
{
    (void)state;
    alm_decimal got;
    bool exact = true;
    alm_status st = ALM_STATUS_INIT;
    alm_decimal one = {.mantissa = 1};
    assert_int_equal(alm_unit_convert(one, unit("亩"), unit("平方米"), &got, &st),
                     ALM_OUT_OF_RANGE);
    assert_string_equal(st.message, "1 mu in m2 has no exact decimal of 18 digits");
    assert_int_equal(alm_unit_convert_round(one, unit("亩"), unit("平方米"), -2, &got, &exact, &st),
                     ALM_OK);
    assert_false(exact);
    assert_int_equal(got.mantissa, 66667);
    assert_int_equal(got.exponent, -2);
    assert_int_equal(
        alm_unit_convert_round(one, unit("亩"), unit("平方米"), -17, &got, &exact, &st),
        ALM_OUT_OF_RANGE);
}

static void currencies_and_points_stay_apart(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"元", "美元"}, {"%", "个百分点"},  {"人", "人次"},     {"家", "人"},
        {"亩", "公里"}, {"千瓦", "千伏安"}, {"吨", "吨标准煤"}, {"位", "个"}};
    for (size_t i = 0; i < ALM_ARRAY_LEN(pairs); i++) {
        alm_decimal got;
        bool exact;
        alm_decimal one = {.mantissa = 1};
        alm_unit a = unit(pairs[i][0]);
        alm_unit b = unit(pairs[i][1]);
        assert_false(alm_unit_convertible(a, b));
        assert_int_equal(alm_unit_convert(one, a, b, &got, NULL), ALM_INVALID_ARGUMENT);
        assert_int_equal(alm_unit_convert_round(one, a, b, 0, &got, &exact, NULL),
                         ALM_INVALID_ARGUMENT);
    }
    alm_decimal got;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_unit_convert((alm_decimal){1, 0}, unit("亿元"), unit("万亩"), &got, &st),
                     ALM_INVALID_ARGUMENT);
    assert_string_equal(st.message, "CNY_E8 (yuan) does not convert into mu_E4 (area)");
}

int main(void)
{
    static test_list list;
    TEST_ADD_ROWS(&list, reads_names, name_rows, input)
    TEST_ADD_ROWS(&list, refuses_strangers, stranger_rows, input)
    TEST_ADD_ROWS(&list, labels, label_rows, code)
    TEST_ADD_ROWS(&list, converts, convert_rows, name)
    TEST_ADD(&list, every_unit_reads_back);
    TEST_ADD(&list, every_quotient_reads_back);
    TEST_ADD(&list, packs);
    TEST_ADD(&list, quotients_convert_part_by_part);
    TEST_ADD(&list, names_and_numbers_are_unique);
    TEST_ADD(&list, dimensions_have_names);
    TEST_ADD(&list, no_unit_is_quiet);
    TEST_ADD(&list, keeps_the_published_digits);
    TEST_ADD(&list, rounds_only_where_it_must);
    TEST_ADD(&list, currencies_and_points_stay_apart);
    return TEST_RUN(&list, "unit");
}
