// Transform words: every one reads back, what is wrong with a bad one is said, and a stage takes
// one.
#include "alm/transform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "test_rows.h"

typedef struct good_row {
    const char *text;
    const char *canonical; // NULL: the same
    alm_stage stage;
} good_row;

static const good_row good_rows[] = {
    {"to:Q", NULL, ALM_STAGE_FREQUENCY},
    {"to:A/avg", NULL, ALM_STAGE_FREQUENCY},
    {"to:M/eop", NULL, ALM_STAGE_FREQUENCY},
    {"to:S/sum", NULL, ALM_STAGE_FREQUENCY},
    {"to:T/min", NULL, ALM_STAGE_FREQUENCY},
    {"to:W/max", NULL, ALM_STAGE_FREQUENCY},
    {"to:P", NULL, ALM_STAGE_ACCUMULATION},
    {"to:C", NULL, ALM_STAGE_ACCUMULATION},
    {"lin", NULL, ALM_STAGE_CHANGE},
    {"chg", NULL, ALM_STAGE_CHANGE},
    {"ch1", NULL, ALM_STAGE_CHANGE},
    {"pch", NULL, ALM_STAGE_CHANGE},
    {"pop", "pch", ALM_STAGE_CHANGE},
    {"pc1", NULL, ALM_STAGE_CHANGE},
    {"yoy", "pc1", ALM_STAGE_CHANGE},
    {" pca ", "pca", ALM_STAGE_CHANGE},
    {"cch", NULL, ALM_STAGE_CHANGE},
    {"cca", NULL, ALM_STAGE_CHANGE},
    {"log", NULL, ALM_STAGE_CHANGE},
    {"chy", NULL, ALM_STAGE_CHANGE},
    {"pcy", NULL, ALM_STAGE_CHANGE},
    {"cagr:2", NULL, ALM_STAGE_CHANGE},
    {"index:2015", NULL, ALM_STAGE_INDEX},
    {"index:2015-Q1", NULL, ALM_STAGE_INDEX},
    {"index:2016/2020", NULL, ALM_STAGE_INDEX},
    {"ma:1000", NULL, ALM_STAGE_AVERAGE},
    {"rollup", NULL, ALM_STAGE_PLACES},
    {"target", NULL, ALM_STAGE_PLACES},
    {"constant:2020", NULL, ALM_STAGE_PRICES},
    {"deflator:2015", NULL, ALM_STAGE_PRICES},
    {"share", NULL, ALM_STAGE_RATIO},
    {"share:tax_revenue", NULL, ALM_STAGE_RATIO},
    {"share:@310000", NULL, ALM_STAGE_RATIO},
    {"share: tax_revenue @ 310000 ", "share:tax_revenue@310000", ALM_STAGE_RATIO},
    {"growth", "pc1", ALM_STAGE_CHANGE},
    {"contribution_pp", NULL, ALM_STAGE_CHANGE},
    {"contribution_share:gdp@310000", NULL, ALM_STAGE_CHANGE},
    {"rank", NULL, ALM_STAGE_RANK},
    {"rank:310000/**@district", NULL, ALM_STAGE_RANK},
    {"percentile: 310101,310105 ", "percentile:310101,310105", ALM_STAGE_RANK},
};

static void good(void **state)
{
    const good_row *row = *state;
    alm_status st = ALM_STATUS_INIT;
    alm_transform transform;
    if (alm_transform_parse(alm_str_from(row->text), &transform, &st) != ALM_OK) {
        fail_msg("%s", st.message);
    }
    assert_int_equal(alm_transform_stage(transform.op), row->stage);
    assert_true(alm_transform_formula(transform.op, ALM_LANG_ZH)[0] != '\0');
    assert_true(alm_transform_formula(transform.op, ALM_LANG_EN)[0] != '\0');
    alm_buf text;
    alm_buf_init(&text, 0);
    alm_transform_format(&transform, &text);
    const char *canonical = row->canonical != NULL ? row->canonical : row->text;
    assert_true(alm_str_eq(alm_buf_view(&text), alm_str_from(canonical)));
    alm_transform again;
    assert_int_equal(alm_transform_parse(alm_buf_view(&text), &again, NULL), ALM_OK);
    assert_int_equal(again.op, transform.op);
    assert_int_equal(again.count, transform.count);
    assert_int_equal(again.freq, transform.freq);
    assert_int_equal(again.method, transform.method);
    assert_int_equal(again.accumulation, transform.accumulation);
    assert_true(alm_period_eq(again.base, transform.base));
    assert_true(alm_str_eq(again.places, transform.places));
    assert_true(alm_str_eq(again.whole, transform.whole));
    assert_true(alm_str_eq(again.whole_place, transform.whole_place));
    alm_buf_deinit(&text);
}

typedef struct bad_row {
    const char *text;
    alm_code code;
    const char *message;
} bad_row;

static const bad_row bad_rows[] = {
    {"", ALM_INVALID_ARGUMENT, "unknown transform \"\"; expected a word such as pc1, to:Q or ma:3"},
    {"yoyo", ALM_INVALID_ARGUMENT, "unknown transform \"yoyo\"; did you mean \"yoy\"?"},
    {"indx:2015", ALM_INVALID_ARGUMENT, "unknown transform \"indx\"; did you mean \"index\"?"},
    {"none", ALM_INVALID_ARGUMENT,
     "unknown transform \"none\"; expected a word such as pc1, to:Q or ma:3"},
    {"pc1:2", ALM_INVALID_ARGUMENT, "transform \"pc1:2\": expected nothing behind the word"},
    {"ma", ALM_INVALID_ARGUMENT, "transform \"ma\": expected a whole number behind the colon"},
    {"ma:", ALM_INVALID_ARGUMENT, "transform \"ma:\": expected a whole number behind the colon"},
    {"ma:3.5", ALM_INVALID_ARGUMENT,
     "transform \"ma:3.5\": expected a whole number behind the colon"},
    {"ma:0", ALM_OUT_OF_RANGE, "transform \"ma:0\": 0 is not within 1 to 1000"},
    {"cagr:1001", ALM_OUT_OF_RANGE, "transform \"cagr:1001\": 1001 is not within 1 to 1000"},
    {"to", ALM_INVALID_ARGUMENT,
     "transform \"to\": expected a frequency (A, S, T, Q, M, W or D), P or C"},
    {"to:X", ALM_INVALID_ARGUMENT,
     "transform \"to:X\": expected a frequency (A, S, T, Q, M, W or D), P or C"},
    {"to:P/sum", ALM_INVALID_ARGUMENT,
     "transform \"to:P/sum\": expected a frequency (A, S, T, Q, M, W or D), P or C"},
    {"to:A/", ALM_INVALID_ARGUMENT,
     "transform \"to:A/\": expected sum, avg, eop, min or max behind the slash"},
    {"to:A/mean", ALM_INVALID_ARGUMENT,
     "transform \"to:A/mean\": expected sum, avg, eop, min or max behind the slash"},
    {"index:2015-13", ALM_OUT_OF_RANGE, "transform \"index:2015-13\": "},
    {"index", ALM_INVALID_ARGUMENT, "transform \"index\": "},
    {"constant", ALM_INVALID_ARGUMENT, "transform \"constant\": "},
    {"constant:2020-Q1", ALM_INVALID_ARGUMENT,
     "transform \"constant:2020-Q1\": expected a year behind the colon"},
    {"deflator:2016/2020", ALM_INVALID_ARGUMENT,
     "transform \"deflator:2016/2020\": expected a year behind the colon"},
    {"deflater:2020", ALM_INVALID_ARGUMENT,
     "unknown transform \"deflater\"; did you mean \"deflator\"?"},
    {"rank:", ALM_INVALID_ARGUMENT,
     "transform \"rank:\": expected a place expression behind the colon, or no colon"},
    {"share:", ALM_INVALID_ARGUMENT,
     "transform \"share:\": expected an indicator, @place or both behind the colon"},
    {"share:gdp@", ALM_INVALID_ARGUMENT,
     "transform \"share:gdp@\": expected an indicator, @place or both behind the colon"},
};

static void bad(void **state)
{
    const bad_row *row = *state;
    alm_status st = ALM_STATUS_INIT;
    alm_transform untouched = {.count = 77};
    assert_int_equal(alm_transform_parse(alm_str_from(row->text), &untouched, &st), row->code);
    assert_int_equal(untouched.count, 77);
    bool is_start = row->message[strlen(row->message) - 1] == ' ';
    if (is_start) {
        assert_true(alm_str_starts_with(alm_str_from(st.message), alm_str_from(row->message)));
    } else {
        assert_string_equal(st.message, row->message);
    }
}

static void stages(void **state)
{
    (void)state;
    static const char *const words[] = {"ma:3", "pc1",        "constant:2010",
                                        "to:P", "index:2015", "to:Q/eop"};
    alm_transforms list = {0};
    alm_status st = ALM_STATUS_INIT;
    alm_transform transform;
    assert_true(alm_transforms_empty(&list));
    for (size_t i = 0; i < ALM_ARRAY_LEN(words); i++) {
        assert_int_equal(alm_transform_parse(alm_str_from(words[i]), &transform, NULL), ALM_OK);
        assert_int_equal(alm_transforms_add(&list, &transform, &st), ALM_OK);
    }
    assert_false(alm_transforms_empty(&list));
    assert_int_equal(alm_transform_parse(ALM_STR("chg"), &transform, NULL), ALM_OK);
    assert_int_equal(alm_transforms_add(&list, &transform, &st), ALM_INVALID_ARGUMENT);
    assert_string_equal(st.message, "pc1 and chg exclude each other: a question has one of them");
    alm_buf text;
    alm_buf_init(&text, 0);
    alm_transforms_format(&list, &text);
    assert_true(alm_str_eq(alm_buf_view(&text),
                           ALM_STR("to:Q/eop to:P constant:2010 pc1 index:2015 ma:3")));
    alm_buf_deinit(&text);
}

static void units(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        bool keeps;
    } rows[] = {{"constant:2020", true}, {"deflator:2020", false}, {"ch1", true}, {"share", false}};
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        alm_transforms list = {0};
        alm_transform transform;
        assert_int_equal(alm_transform_parse(alm_str_from(rows[i].word), &transform, NULL), ALM_OK);
        assert_int_equal(alm_transforms_add(&list, &transform, NULL), ALM_OK);
        assert_int_equal(alm_transforms_keep_unit(&list), rows[i].keeps);
    }
}

int main(void)
{
    static test_list list;
    TEST_ADD_ROWS(&list, good, good_rows, text);
    TEST_ADD_ROWS(&list, bad, bad_rows, text);
    TEST_ADD(&list, stages);
    TEST_ADD(&list, units);
    return TEST_RUN(&list, "transform");
}
