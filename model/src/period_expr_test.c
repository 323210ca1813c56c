// Period expressions: rows, and random expressions against a plain reading of them.
#include "alm/period_expr.h"

#include "alm/alloc.h"
#include "alm/limits.h"
#include "test_random.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "test_rows.h"

static alm_arena *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = alm_arena_create(0);
    return arena == NULL ? -1 : 0;
}

static int close_arena(void **state)
{
    (void)state;
    alm_arena_destroy(&arena);
    return 0;
}

static void format(const alm_period_expr *expr, char *out, size_t cap)
{
    alm_buf buf;
    alm_buf_init(&buf, 0);
    alm_period_expr_format(expr, &buf);
    assert_false(buf.failed);
    snprintf(out, cap, "%.*s", ALM_STR_ARGS(alm_buf_view(&buf)));
    alm_buf_deinit(&buf);
}

typedef struct good_row {
    const char *input, *canonical;
    const char *matches;  // labels, by commas
    const char *excludes; // labels, by commas
} good_row;

static const good_row good_rows[] = {
    {"2023", "2023", "2023", "2022,2024,2023-Q1,2023/2024"},
    {"2021/2025", "2021/2025", "2021/2025", "2021,2022/2026,2021/2024"},
    {"2019..2023", "2019..2023", "2019,2021,2023", "2018,2024,2021-Q1,2019/2023"},
    {"2023..2023", "2023", "2023", "2022,2024"},
    {"2023-01..2023-12", "2023-01..2023-12", "2023-01,2023-07,2023-12", "2022-12,2024-01,2023"},
    {"2019..", "2019..", "2019,9999", "2018,2020-Q1"},
    {"..2023", "..2023", "0001,2023", "2024,2020-Q1"},
    {"2020-W53..2021-W02", "2020-W53..2021-W02", "2020-W53,2021-W01", "2021-W03,2020-W52"},
    {"2011/2015..2021/2025", "2011/2015..2021/2025", "2011/2015,2016/2020,2021/2025",
     "2006/2010,2016"},
    {"2020,2023,2021/2025", "2020,2023,2021/2025", "2020,2023,2021/2025", "2021,2022"},
    {" 2020 , 2023-Q1.. ", "2020,2023-Q1..", "2020,2023-Q1,2024-Q4", "2022-Q4,2023"},
    {"2023,2023", "2023,2023", "2023", "2022"},
    {"2023-M09", "2023-09", "2023-09", "2023-08"},
    {"latest", "latest", "2023,2021/2025", NULL},
    {"last:1", "latest", "2023,2021/2025", NULL},
    {"last:5", "last:5", "2023-Q1", NULL},
    {"last:100000", "last:100000", "2023-Q1", NULL},
    {" all ", "all", "2023-Q1", NULL},
};

static void check_matches(const alm_period_expr *expr, const char *labels, bool want)
{
    alm_str rest = alm_str_from(labels);
    alm_str label;
    while (labels != NULL && alm_str_split(&rest, ',', &label)) {
        alm_period p;
        assert_int_equal(alm_period_parse(label, &p, NULL), ALM_OK);
        if (alm_period_expr_matches(expr, p) != want) {
            fail_msg("%.*s should %smatch", ALM_STR_ARGS(label), want ? "" : "not ");
        }
    }
}

static void reads(void **state)
{
    const good_row *row = *state;
    alm_period_expr expr;
    char text[128];
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_period_expr_parse(alm_str_from(row->input), arena, &expr, &st), ALM_OK);
    format(&expr, text, sizeof text);
    assert_string_equal(text, row->canonical);
    check_matches(&expr, row->matches, true);
    check_matches(&expr, row->excludes, false);
}

typedef struct bad_row {
    const char *input;
    alm_code code;
    const char *says;
} bad_row;

static const bad_row bad_rows[] = {
    {"", ALM_INVALID_ARGUMENT, "missing"},
    {"   ", ALM_INVALID_ARGUMENT, "missing"},
    {"2020,", ALM_INVALID_ARGUMENT, "missing"},
    {",2020", ALM_INVALID_ARGUMENT, "missing"},
    {"2020,,2021", ALM_INVALID_ARGUMENT, "missing"},
    {"..", ALM_INVALID_ARGUMENT, "\"..\": a range needs an end"},
    {"2020...2021", ALM_INVALID_ARGUMENT, ".2021"},
    {"2019..2020..2021", ALM_INVALID_ARGUMENT, "2020..2021"},
    {"2019 .. 2020", ALM_INVALID_ARGUMENT, "\"2019 \""},
    {"2020-2023", ALM_INVALID_ARGUMENT, "2020-2023"},
    {"2020..2023-Q1", ALM_INVALID_ARGUMENT, "\"2020..2023-Q1\": the ends differ in frequency"},
    {"2020..2021/2025", ALM_INVALID_ARGUMENT, "the ends differ in length"},
    {"2023..2019", ALM_INVALID_ARGUMENT, "\"2023..2019\": it ends before it starts"},
    {"2019,2023..2019", ALM_INVALID_ARGUMENT, "\"2023..2019\""},
    {"2023-13", ALM_OUT_OF_RANGE, "2023-13"},
    {"2023-01..2023-13", ALM_OUT_OF_RANGE, "2023-13"},
    {"Latest", ALM_INVALID_ARGUMENT, "Latest"},
    {"latest,2023", ALM_INVALID_ARGUMENT, "\"latest\": this word stands alone"},
    {"2023,all", ALM_INVALID_ARGUMENT, "\"all\": this word stands alone"},
    {"2023,last:5", ALM_INVALID_ARGUMENT, "\"last:5\": this word stands alone"},
    {"last:", ALM_INVALID_ARGUMENT, "expected last:N"},
    {"last:+5", ALM_INVALID_ARGUMENT, "expected last:N"},
    {"last: 5", ALM_INVALID_ARGUMENT, "expected last:N"},
    {"last:5x", ALM_INVALID_ARGUMENT, "expected last:N"},
    {"last:99999999999999999999", ALM_INVALID_ARGUMENT, "expected last:N"},
    {"last:0", ALM_OUT_OF_RANGE, "outside 1..100000"},
    {"last:100001", ALM_OUT_OF_RANGE, "outside 1..100000"},
};

static void refuses(void **state)
{
    const bad_row *row = *state;
    alm_period_expr expr;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_period_expr_parse(alm_str_from(row->input), arena, &expr, &st), row->code);
    if (strstr(st.message, row->says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", st.message, row->says);
    }
}

static void bounds_terms_and_bytes(void **state)
{
    (void)state;
    static char text[ALM_EXPR_BYTES_MAX + 2];
    alm_period_expr expr;
    size_t len = 0;
    for (int i = 0; i < ALM_EXPR_TERM_COUNT_MAX; i++) {
        memcpy(text + len, "2023,", 5);
        len += 5;
    }
    assert_int_equal(alm_period_expr_parse((alm_str){text, len - 1}, arena, &expr, NULL), ALM_OK);
    assert_int_equal(expr.range_count, ALM_EXPR_TERM_COUNT_MAX);
    memcpy(text + len, "2023", 4);
    assert_int_equal(alm_period_expr_parse((alm_str){text, len + 4}, arena, &expr, NULL),
                     ALM_INVALID_ARGUMENT);
    memset(text, ' ', sizeof text);
    memcpy(text, "2023", 4);
    assert_int_equal(alm_period_expr_parse((alm_str){text, ALM_EXPR_BYTES_MAX}, arena, &expr, NULL),
                     ALM_OK);
    assert_int_equal(
        alm_period_expr_parse((alm_str){text, ALM_EXPR_BYTES_MAX + 1}, arena, &expr, NULL),
        ALM_INVALID_ARGUMENT);
}

// Fails each allocation in turn until the parse succeeds.
static void says_when_memory_runs_out(void **state)
{
    (void)state;
    uint64_t n = 1;
    for (;; n++) {
        alm_arena *small = alm_arena_create(0);
        assert_non_null(small);
        alm_period_expr expr;
        alm_status st = ALM_STATUS_INIT;
        alm_alloc_fail_at(n, 0);
        alm_code code =
            alm_period_expr_parse(ALM_STR("2001,2002,2003,2004,2005"), small, &expr, &st);
        alm_alloc_fail_at(0, 0);
        alm_arena_destroy(&small);
        if (code == ALM_OK) {
            break;
        }
        assert_int_equal(code, ALM_RESOURCE_EXHAUSTED);
        assert_true(n < 100);
    }
    assert_true(n > 1);
}

// ----- Random lists ------------------------------------------------------------------------------

#define RANDOM_RANGE_MAX 4

// Around 2000, years or quarters, of length 1 or 2.
static alm_period random_period(test_random *r, uint32_t span)
{
    bool quarters = test_random_one_in(r, 2);
    return (alm_period){.freq = quarters ? ALM_FREQ_QUARTER : ALM_FREQ_ANNUAL,
                        .length = (uint16_t)(1 + test_random_below(r, 2)),
                        .ordinal = (quarters ? 8000 : 2000) + (int32_t)test_random_below(r, span)};
}

// Appends a range to the text. What comes back has INT32_MIN and INT32_MAX for open ends.
static alm_period_range write_range(test_random *r, char *text, size_t cap)
{
    alm_period from = random_period(r, 20);
    alm_period to = from;
    to.ordinal += (int32_t)test_random_below(r, 8);
    char first[ALM_PERIOD_TEXT_MAX];
    char last[ALM_PERIOD_TEXT_MAX];
    alm_period_format(from, first);
    alm_period_format(to, last);
    uint32_t open = test_random_below(r, 6);
    size_t len = strlen(text);
    snprintf(text + len, cap - len, "%s%s..%s", len > 0 ? "," : "", open == 0 ? "" : first,
             open == 1 ? "" : last);
    from.ordinal = open == 0 ? INT32_MIN : from.ordinal;
    to.ordinal = open == 1 ? INT32_MAX : to.ordinal;
    return (alm_period_range){from, to};
}

static bool any_holds(const alm_period_range *ranges, uint32_t count, alm_period p)
{
    for (uint32_t i = 0; i < count; i++) {
        if (p.freq == ranges[i].from.freq && p.length == ranges[i].from.length &&
            p.ordinal >= ranges[i].from.ordinal && p.ordinal <= ranges[i].to.ordinal) {
            return true;
        }
    }
    return false;
}

static alm_period_expr parse(const char *text)
{
    alm_period_expr expr;
    assert_int_equal(alm_period_expr_parse(alm_str_from(text), arena, &expr, NULL), ALM_OK);
    return expr;
}

// A million questions: is a random period in a random list? Asked of the parsed text, of the parsed
// canonical text, and of the ends that the text was written from.
static void matches_what_was_written(void **state)
{
    (void)state;
    test_random r = test_random_start();
    for (int i = 0; i < 50000; i++) {
        alm_period_range ranges[RANDOM_RANGE_MAX];
        char text[256] = "";
        char canonical[256];
        char twice[256];
        uint32_t count = 1 + test_random_below(&r, RANDOM_RANGE_MAX);
        for (uint32_t k = 0; k < count; k++) {
            ranges[k] = write_range(&r, text, sizeof text);
        }
        alm_arena_reset(arena);
        alm_period_expr expr = parse(text);
        format(&expr, canonical, sizeof canonical);
        alm_period_expr again = parse(canonical);
        format(&again, twice, sizeof twice);
        assert_string_equal(canonical, twice);
        for (int question = 0; question < 20; question++) {
            alm_period p = random_period(&r, 30);
            bool want = any_holds(ranges, count, p);
            if (alm_period_expr_matches(&expr, p) != want ||
                alm_period_expr_matches(&again, p) != want) {
                fail_msg("ALM_TEST_SEED=%" PRIu64 " case %d: %s and ordinal %d", r.seed, i, text,
                         p.ordinal);
            }
        }
    }
}

int main(void)
{
    static test_list list;
    TEST_ADD_ROWS(&list, reads, good_rows, input)
    TEST_ADD_ROWS(&list, refuses, bad_rows, input)
    TEST_ADD(&list, bounds_terms_and_bytes);
    TEST_ADD(&list, says_when_memory_runs_out);
    TEST_ADD(&list, matches_what_was_written);
    return _cmocka_run_group_tests("period_expr", list.tests, list.count, open_arena, close_arena);
}
