// Every cell of up to four vintages of three sources on three days, held to the rule as a person
// would follow it.
#include "vintage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { VINTAGE_COUNT_MAX = 4, SOURCE_COUNT = 3, DAY_COUNT = 3 };

static const uint32_t sources[SOURCE_COUNT] = {0, 1, ALM_SOURCE_NONE};

// The rows' sources, days and withdrawals are the digits of n; each is committed by itself.
static void make_rows(uint32_t n, size_t count, alm_obs *rows)
{
    for (size_t i = 0; i < count; i++) {
        rows[i] = (alm_obs){.source = sources[n % SOURCE_COUNT],
                            .published = (alm_date)(n / SOURCE_COUNT % DAY_COUNT),
                            .sequence = i + 1};
        n /= SOURCE_COUNT * DAY_COUNT;
        rows[i].value.status = n % 2 == 0 ? ALM_OBS_STATUS_NORMAL : ALM_OBS_STATUS_WITHDRAWN;
        n /= 2;
    }
}

static bool has_same_vintage_twice(const alm_obs *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (rows[i].source == rows[j].source && rows[i].published == rows[j].published) {
                return true;
            }
        }
    }
    return false;
}

static bool is_admitted(const alm_vintage_filter *filter, const alm_obs *row)
{
    return row->published <= filter->as_of && row->sequence <= filter->at_sequence;
}

// One source after the other: what it said last.
static const alm_obs *word_of(const alm_vintage_filter *filter, const alm_obs *rows, size_t count,
                              uint32_t source)
{
    const alm_obs *word = NULL;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].source == source && is_admitted(filter, &rows[i]) &&
            (word == NULL || rows[i].published > word->published)) {
            word = &rows[i];
        }
    }
    return word;
}

static bool had_value(const alm_vintage_filter *filter, const alm_obs *rows, size_t count,
                      uint32_t source)
{
    bool had = false;
    for (size_t i = 0; i < count; i++) {
        had |= rows[i].source == source && is_admitted(filter, &rows[i]) &&
               rows[i].value.status != ALM_OBS_STATUS_WITHDRAWN;
    }
    return had;
}

// Words that stand come first, by precedence; then withdrawals, of a value before those of none.
static int64_t rank_of(const int32_t *precedence, const alm_obs *word, bool had)
{
    int64_t of = word->source == ALM_SOURCE_NONE ? 0 : precedence[word->source];
    bool is_valid = word->value.status != ALM_OBS_STATUS_WITHDRAWN;
    int64_t first = is_valid ? 50 + of : had;
    return (first * 100 + word->published) * 100 + (int64_t)word->sequence;
}

static const alm_obs *expected(const int32_t *precedence, const alm_vintage_filter *filter,
                               const alm_obs *rows, size_t count)
{
    const alm_obs *best = NULL;
    int64_t best_rank = 0;
    for (size_t i = 0; i < SOURCE_COUNT; i++) {
        const alm_obs *word = word_of(filter, rows, count, sources[i]);
        if (word == NULL) {
            continue;
        }
        int64_t rank = rank_of(precedence, word, had_value(filter, rows, count, sources[i]));
        if (best == NULL || rank > best_rank) {
            best = word;
            best_rank = rank;
        }
    }
    return best;
}

static void check_cell(const alm_obs *rows, size_t count)
{
    static const int32_t precedences[][2] = {{0, 0}, {1, 2}, {-1, 1}};
    static const alm_vintage_filter filters[] = {{.as_of = ALM_DATE_MAX, .at_sequence = UINT64_MAX},
                                                 {.as_of = 1, .at_sequence = UINT64_MAX},
                                                 {.as_of = ALM_DATE_MAX, .at_sequence = 2}};
    const alm_obs *list[VINTAGE_COUNT_MAX];
    for (size_t i = 0; i < count; i++) {
        list[i] = &rows[i];
    }
    alm_vintage_sort(list, count);
    for (size_t p = 0; p < ALM_ARRAY_LEN(precedences); p++) {
        alm_precedence precedence = {.of = precedences[p], .count = 2};
        for (size_t i = 0; i < ALM_ARRAY_LEN(filters); i++) {
            const alm_obs *want = expected(precedences[p], &filters[i], rows, count);
            assert_ptr_equal(alm_vintage_choose(&precedence, &filters[i], list, count), want);
        }
        assert_ptr_equal(alm_vintage_choose(&precedence, NULL, list, count),
                         expected(precedences[p], &filters[0], rows, count));
    }
}

static void chooses_as_the_rule_says(void **state)
{
    (void)state;
    uint32_t combinations = 1;
    size_t checked = 0;
    for (size_t count = 0; count <= VINTAGE_COUNT_MAX; count++) {
        for (uint32_t n = 0; n < combinations; n++) {
            alm_obs rows[VINTAGE_COUNT_MAX];
            make_rows(n, count, rows);
            if (!has_same_vintage_twice(rows, count)) {
                check_cell(rows, count);
                checked++;
            }
        }
        combinations *= SOURCE_COUNT * DAY_COUNT * 2;
    }
    assert_true(checked > 10000);
}

// One commit may hold vintages of one day and of sources as high as each other.
static void of_equals_the_lower_source_wins(void **state)
{
    (void)state;
    int32_t precedence[] = {0, 0};
    alm_precedence known = {.of = precedence, .count = 2};
    alm_obs rows[] = {{.source = ALM_SOURCE_NONE}, {.source = 1}, {.source = 0}};
    const alm_obs *list[] = {&rows[0], &rows[1], &rows[2]};
    alm_vintage_sort(list, 3);
    assert_ptr_equal(alm_vintage_choose(&known, NULL, list, 3), &rows[2]);
    assert_ptr_equal(alm_vintage_choose(&known, NULL, list + 1, 2), &rows[1]);
}

static void refuses_unknown_sources(void **state)
{
    (void)state;
    alm_status st = ALM_STATUS_INIT;
    int32_t precedence[] = {0, 0};
    alm_precedence known = {.of = precedence, .count = 2};
    assert_int_equal(alm_precedence_require(&known, &(alm_obs){.source = 1}, &st), ALM_OK);
    assert_int_equal(alm_precedence_require(&known, &(alm_obs){.source = ALM_SOURCE_NONE}, &st),
                     ALM_OK);
    assert_int_equal(alm_precedence_require(&known, &(alm_obs){.source = 2}, &st), ALM_DATA_LOSS);
    assert_non_null(strstr(st.message, "unknown source 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_as_the_rule_says),
        cmocka_unit_test(of_equals_the_lower_source_wins),
        cmocka_unit_test(refuses_unknown_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
