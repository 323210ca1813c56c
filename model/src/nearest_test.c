// "Did you mean": known pairs, and random words against the edit distance in its plain form.
#include "nearest.h"

#include "alm/catalog.h"

#include "test_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static alm_str str(const char *text)
{
    return alm_str_from(text);
}

typedef struct near_row {
    const char *word;
    const char *want;
} near_row;

static const char *const candidates[] = {"gdp",      "gdp_per_capita", "tax_revenue",
                                         "税收收入", "地区生产总值",   "310105",
                                         "310106",   "Population",     "静安"};

static const near_row near_rows[] = {
    {"gdp", "gdp"},
    {"GDP", "gdp"}, // another case is no distance at all
    {"gpd", "gdp"}, // two letters that changed places are one step
    {"gdpp", "gdp"},
    {"gd", "gdp"},
    {"g", ""}, // too short to be near to anything
    {"", ""},
    {"xyz", ""},
    {"tax_revenu", "tax_revenue"},
    {"tax_income", ""},
    {"税收", ""}, // two of two more
    {"税收收人", "税收收入"},
    {"地区生产总", "地区生产总值"},
    {"310107", "310105"}, // the first of two as near
    {"310160", "310106"},
    {"populaton", "Population"},
    {"静庵", "静安"},
    {"\xff\xfe\xff", ""},
};

static void names_the_nearest(void **state)
{
    const near_row *row = *state;
    alm_str views[ALM_ARRAY_LEN(candidates)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(candidates); i++) {
        views[i] = str(candidates[i]);
    }
    alm_str got = alm_nearest(str(row->word), views, ALM_ARRAY_LEN(views));
    if (!alm_str_eq(got, str(row->want))) {
        fail_msg("'%s': '%.*s', not '%s'", row->word, ALM_STR_ARGS(got), row->want);
    }
}

static void gives_up_on_long_words(void **state)
{
    (void)state;
    char text[NEAREST_LEN_MAX + 2];
    memset(text, 'a', sizeof text);
    alm_str fits = {text, NEAREST_LEN_MAX};
    alm_str long_word = {text, NEAREST_LEN_MAX + 1};
    assert_true(alm_str_eq(alm_nearest(fits, &fits, 1), fits));
    assert_int_equal(alm_nearest(fits, &long_word, 1).len, 0);
    assert_int_equal(alm_nearest(long_word, &fits, 1).len, 0);
    assert_int_equal(alm_nearest(fits, NULL, 0).len, 0);
    alm_str empty = {0};
    assert_int_equal(alm_nearest(fits, &empty, 1).len, 0);
}

static void keeps_the_longest_common_start(void **state)
{
    (void)state;
    alm_str views[] = {ALM_STR("910105"), ALM_STR("310905"), ALM_STR("310109"), ALM_STR("310195")};
    assert_true(alm_str_eq(alm_nearest(ALM_STR("310108"), views, 4), ALM_STR("310109")));
}

// ---- The plain form: a full table, no band, no early end

#define WORD_MAX 10

static size_t slow_distance(const char *a, const char *b)
{
    size_t d[WORD_MAX + 1][WORD_MAX + 1];
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    for (size_t i = 0; i <= a_len; i++) {
        for (size_t j = 0; j <= b_len; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] = ALM_MIN(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
                              ALM_MIN(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                d[i][j] = ALM_MIN(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[a_len][b_len];
}

static size_t slow_prefix(const char *a, const char *b)
{
    size_t len = 0;
    while (a[len] != '\0' && a[len] == b[len]) {
        len++;
    }
    return len;
}

static void random_word(test_random *r, char word[WORD_MAX + 1])
{
    size_t len = test_random_below(r, WORD_MAX + 1);
    for (size_t i = 0; i < len; i++) {
        word[i] = "abcd"[test_random_below(r, 4)];
    }
    word[len] = '\0';
}

static void agrees_with_the_plain_form(void **state)
{
    (void)state;
    test_random r = test_random_start();
    for (int number = 0; number < 200000; number++) {
        char word[WORD_MAX + 1];
        char offered[5][WORD_MAX + 1];
        random_word(&r, word);
        size_t limit = strlen(word) < 2 ? 0 : ALM_MAX(strlen(word) / 3, (size_t)1);
        nearest n = nearest_of(str(word));
        int want = -1;
        for (int i = 0; i < 5; i++) {
            random_word(&r, offered[i]);
            nearest_offer(&n, str(offered[i]), (uint32_t)i);
            size_t distance = slow_distance(word, offered[i]);
            if (distance > limit || limit == 0 || offered[i][0] == '\0') {
                continue;
            }
            size_t best = want < 0 ? SIZE_MAX : slow_distance(word, offered[want]);
            if (distance < best || (distance == best && slow_prefix(word, offered[i]) >
                                                            slow_prefix(word, offered[want]))) {
                want = i;
            }
        }
        int got = n.best.len > 0 ? (int)n.tag : -1;
        if (got != want) {
            fail_msg("seed %llu, case %d: '%s' found %d, not %d", (unsigned long long)r.seed,
                     number, word, got, want);
        }
    }
}

int main(void)
{
    const struct CMUnitTest single[] = {
        cmocka_unit_test(gives_up_on_long_words),
        cmocka_unit_test(keeps_the_longest_common_start),
        cmocka_unit_test(agrees_with_the_plain_form),
    };
    static struct CMUnitTest tests[ALM_ARRAY_LEN(single) + ALM_ARRAY_LEN(near_rows)];
    memcpy(tests, single, sizeof single);
    for (size_t i = 0; i < ALM_ARRAY_LEN(near_rows); i++) {
        tests[ALM_ARRAY_LEN(single) + i] = (struct CMUnitTest){
            near_rows[i].word, names_the_nearest, NULL, NULL, (void *)(uintptr_t)&near_rows[i]};
    }
    return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
