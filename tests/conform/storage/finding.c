// Which series there are: by indicator, theme, measure, frequency, accumulation, breakdown, and by
// the places that have a value.
#include "store_world.h"

// One letter each, in the order in which they come first.
static const alm_str variants[] = {
    {"A.gdp.P.level._Z._T", 19},                           // a
    {"A.gdp.P.level._Z.industry=software", 34},            // b
    {"A.gdp.P.level._Z.industry=software+size=large", 45}, // c
    {"A.gdp.P.growth_yoy._Z._T", 24},                      // d
    {"M.gdp.C.level._Z._T", 19},                           // e
    {"M.tax.P.level._Z._T", 19},                           // f
    {"A.tax.P.level._Z.size=large", 27},                   // g
};

static alm_obs row_of(uint32_t variant, alm_place_id place, int64_t value)
{
    alm_obs row = a_row(variant, place, 2020, value, 1);
    if (variants[variant].data[0] == 'M') {
        row.period = (alm_period){.freq = ALM_FREQ_MONTH, .length = 1, .ordinal = 2020 * 12};
    }
    if (variant == 3) {
        row.value.unit = (alm_unit){.measure = ALM_MEASURE_UNIT_PERCENT};
    }
    return row;
}

static alm_commit_result commit_some(fixture *f, const alm_obs *rows, size_t count)
{
    return commit(f, (alm_batch){.variants = variants,
                                 .variant_count = ALM_ARRAY_LEN(variants),
                                 .obs = rows,
                                 .obs_count = count});
}

// Each variant at place 0; a at all of 0..3, c and f at 2, g at 3.
static void commit_world(fixture *f)
{
    commit_catalog(f);
    alm_indicator tax = an_indicator("tax");
    tax.theme = text("finance");
    commit(f, (alm_batch){.indicators = &tax, .indicator_count = 1});
    alm_obs rows[] = {row_of(0, 0, 1), row_of(0, 1, 1), row_of(0, 2, 1), row_of(0, 3, 1),
                      row_of(1, 0, 1), row_of(2, 0, 1), row_of(2, 2, 1), row_of(3, 0, 1),
                      row_of(4, 0, 1), row_of(5, 0, 1), row_of(5, 2, 1), row_of(6, 0, 1),
                      row_of(6, 3, 1)};
    commit_some(f, rows, ALM_ARRAY_LEN(rows));
}

typedef struct found {
    char letters[16];
    size_t count;
    alm_series_info infos[16]; // without texts
} found;

static alm_code take(void *arg, const alm_series_info *info, alm_status *st)
{
    found *out = arg;
    (void)st;
    for (size_t i = 0; i < ALM_ARRAY_LEN(variants); i++) {
        if (alm_str_eq(info->variant, variants[i])) {
            out->infos[out->count] = *info;
            out->letters[out->count++] = (char)('a' + i);
        }
    }
    return ALM_OK;
}

static found find(fixture *f, alm_series_query query)
{
    found out = {0};
    ASSERT_OK(f, alm_store_find_series(f->store, &query, take, &out, &f->st));
    return out;
}

#define assert_found(f, letters_, ...)                                                             \
    assert_string_equal(find((f), (alm_series_query){__VA_ARGS__}).letters, (letters_))

static void by_what_a_variant_says(void **state)
{
    fixture *f = *state;
    alm_str gdp[] = {text("gdp")}, both[] = {text("tax"), text("gdp")}, none[] = {text("nothing")};
    commit_world(f);
    assert_found(f, "adef", .all_places = true);
    assert_found(f, "abcdefg", .all_places = true, .breakdown = text("*"));
    assert_found(f, "ade", .all_places = true, .indicators = gdp, .indicator_count = 1);
    assert_found(f, "adef", .all_places = true, .indicators = both, .indicator_count = 2);
    assert_found(f, "", .all_places = true, .indicators = none, .indicator_count = 1);
    assert_found(f, "aef", .all_places = true, .measures = 1U << ALM_MEASURE_LEVEL);
    assert_found(f, "ad", .all_places = true, .freq = ALM_FREQ_ANNUAL);
    assert_found(f, "e", .all_places = true, .accumulation = ALM_ACCUMULATION_CUMULATIVE);
    assert_found(f, "f", .all_places = true, .theme = text("finance"));
    assert_found(f, "fg", .all_places = true, .theme = text("finance"), .breakdown = text("*"));
    assert_found(f, "", .all_places = true, .theme = text("financ"));
    fixture_reopen(f);
    assert_found(f, "ef", .all_places = true, .freq = ALM_FREQ_MONTH);
}

static void by_breakdown(void **state)
{
    fixture *f = *state;
    commit_world(f);
    assert_found(f, "b", .all_places = true, .breakdown = text("industry=software"));
    assert_found(f, "bc", .all_places = true, .breakdown = text("industry=*"));
    assert_found(f, "cg", .all_places = true, .breakdown = text("size=*"));
    assert_found(f, "", .all_places = true, .breakdown = text("siz=*"));
    assert_found(f, "", .all_places = true, .breakdown = text("ize=*"));
}

static void by_places_that_have_a_value(void **state)
{
    fixture *f = *state;
    alm_place_id subtree[] = {1, 2}, far[] = {3, 100000, ALM_PLACE_NONE - 1};
    commit_world(f);
    found got =
        find(f, (alm_series_query){.breakdown = text("*"), .places = subtree, .place_count = 2});
    assert_string_equal(got.letters, "acf");
    assert_int_equal(got.infos[0].place_count, 4);
    assert_int_equal(got.infos[0].asked_place_count, 2);
    assert_int_equal(got.infos[1].asked_place_count, 1);
    assert_int_equal(got.infos[1].cell_count, 2);
    assert_true(alm_period_eq(got.infos[1].first, a_year(2020)));
    assert_found(f, "ag", .breakdown = text("*"), .places = far, .place_count = 3);
    assert_found(f, "", .breakdown = text("*"));
    assert_found(f, "f", .freq = ALM_FREQ_MONTH, .places = subtree, .place_count = 2);
    alm_series_query bad = {.places = (alm_place_id[]){2, 2}, .place_count = 2};
    found none = {0};
    assert_code(f, ALM_INVALID_ARGUMENT,
                alm_store_find_series(f->store, &bad, take, &none, &f->st));
}

// What a place has follows withdrawals and what comes after them.
static void a_withdrawn_value_is_none(void **state)
{
    fixture *f = *state;
    alm_place_id two[] = {2};
    commit_world(f);
    COMMIT_ROWS(f, a_row(GDP, 2, 2023, 1, 1));
    alm_obs gone = a_withdrawal(row_of(0, 2, 1), 2);
    commit_some(f, &gone, 1);
    found got = find(f, (alm_series_query){.places = two, .place_count = 1});
    assert_string_equal(got.letters, "af"); // 2023 is left
    assert_int_equal(got.infos[0].cell_count, 4);
    COMMIT_ROWS(f, a_withdrawal(a_row(GDP, 2, 2023, 1, 1), 2));
    assert_found(f, "f", .places = two, .place_count = 1);
    got = find(f, (alm_series_query){.all_places = true});
    assert_int_equal(got.infos[0].place_count, 3);
    assert_true(alm_period_eq(got.infos[0].last, a_year(2020)));
    COMMIT_ROWS(f, a_row(GDP, 2, 2019, 1, 3));
    got = find(f, (alm_series_query){.places = two, .place_count = 1});
    assert_string_equal(got.letters, "af");
    assert_true(alm_period_eq(got.infos[0].first, a_year(2019)));
    assert_verifies(f);
}

// Whether a cell has a value does not depend on precedences: a withdrawal that comes to the top
// takes back its own source's figure only.
static void a_precedence_takes_no_value_away(void **state)
{
    fixture *f = *state;
    alm_place_id one[] = {1};
    commit_catalog(f);
    COMMIT_ROWS(f, with_source(a_row(GDP, 1, 2020, 1, 1), BULLETIN));
    COMMIT_ROWS(f, with_source(a_withdrawal(a_row(GDP, 1, 2020, 1, 1), 2), BULLETIN),
                with_source(a_row(GDP, 1, 2020, 2, 1), YEARBOOK));
    assert_found(f, "a", .places = one, .place_count = 1);
    alm_source source = a_source("yearbook", -1);
    commit(f, (alm_batch){.sources = &source, .source_count = 1});
    assert_found(f, "a", .places = one, .place_count = 1);
    COMMIT_ROWS(f, with_source(a_withdrawal(a_row(GDP, 1, 2020, 2, 1), 2), YEARBOOK));
    assert_found(f, "", .places = one, .place_count = 1);
    source.precedence = 20;
    commit(f, (alm_batch){.sources = &source, .source_count = 1});
    assert_found(f, "", .places = one, .place_count = 1);
    assert_verifies(f);
}

// A theme is the indicator's as it is now.
static void a_theme_may_change(void **state)
{
    fixture *f = *state;
    commit_world(f);
    alm_indicator gdp = an_indicator("gdp");
    gdp.theme = text("finance");
    commit(f, (alm_batch){.indicators = &gdp, .indicator_count = 1});
    assert_found(f, "adef", .all_places = true, .theme = text("finance"));
}

store_group conform_finding(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(by_what_a_variant_says),           STORE_TEST(by_breakdown),
        STORE_TEST(by_places_that_have_a_value),      STORE_TEST(a_withdrawn_value_is_none),
        STORE_TEST(a_precedence_takes_no_value_away), STORE_TEST(a_theme_may_change),
    };
    return (store_group){"finding", tests, ALM_ARRAY_LEN(tests)};
}
