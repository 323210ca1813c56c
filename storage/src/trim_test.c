// Rows that leave the log: beside the commits, only after their slices were folded, and so that the
// file stops growing by them.
#include "store_fixture.h"

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
#define PLACE_COUNT        2000

static void reopen_keeping(fixture *f, uint64_t commits, uint64_t bytes)
{
    f->feed_commits = commits;
    f->feed_bytes = bytes;
    fixture_reopen(f);
}

static alm_store_stats get_stats(fixture *f)
{
    alm_store_stats stats;
    ASSERT_OK(f, alm_store_stats_get(f->store, &stats, &f->st));
    return stats;
}

// With random numbers, so that rows take room.
static void commit_release(fixture *f, int year, uint64_t *random)
{
    static alm_obs rows[PLACE_COUNT];
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        rows[i] = a_row(0, (alm_place_id)i, year, (int64_t)(*random >> 40), 1);
    }
    commit(f, batch_of_rows(rows, PLACE_COUNT));
    alm_arena_reset(f->arena);
}

static void commit_places(fixture *f)
{
    static alm_place places[PLACE_COUNT];
    static char codes[PLACE_COUNT][8];
    alm_indicator indicators[] = {an_indicator("gdp"), an_indicator("tax")};
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        snprintf(codes[i], sizeof codes[i], "p%zu", i);
        places[i] = a_place(codes[i], ALM_LEVEL_PROVINCE, "");
    }
    commit(f, (alm_batch){.indicators = indicators,
                          .indicator_count = ALM_ARRAY_LEN(indicators),
                          .places = places,
                          .place_count = PLACE_COUNT});
}

// The file after many releases; what the log holds beside it, at most.
static uint64_t release(fixture *f, int count, uint64_t *ret_feed_bytes_max)
{
    uint64_t random = 1;
    *ret_feed_bytes_max = 0;
    commit_places(f);
    for (int i = 0; i < count; i++) {
        commit_release(f, 1900 + i, &random);
        if (i % 10 == 9) { // so that the folder's pace does not matter
            ASSERT_OK(f, alm_store_compact(f->store, &f->st));
        }
        *ret_feed_bytes_max = ALM_MAX(*ret_feed_bytes_max, get_stats(f).feed_bytes);
    }
    return get_stats(f).bytes_used;
}

static void the_file_does_not_grow_by_old_rows(void **state)
{
    enum { COUNT = 120 };
    fixture *f = *state;
    uint64_t feed_bytes, kept_feed_bytes, feed_bytes_max, kept_max;
    uint64_t all = release(f, COUNT, &feed_bytes_max);
    feed_bytes = get_stats(f).feed_bytes;
    fixture_deinit(f);
    fixture_init(f, (size_t)256 << 20);
    reopen_keeping(f, 8, 1);
    uint64_t kept = release(f, COUNT, &kept_max);
    kept_feed_bytes = get_stats(f).feed_bytes;
    print_message("%llu bytes, %llu of them the log's rows; when few are kept %llu, %llu at most\n",
                  (unsigned long long)all, (unsigned long long)feed_bytes, (unsigned long long)kept,
                  (unsigned long long)kept_max);
    assert_true(get_stats(f).feed_from > COUNT / 2);
    assert_true(kept_feed_bytes < feed_bytes / 2);
    assert_true(kept < all);
    ASSERT_OK(f, alm_store_compact(f->store, &f->st));
    assert_int_equal(get_stats(f).feed_from, COUNT + 1 - 8 + 1);
    assert_verifies(f);
}

// One slice revised again and again is never ripe by itself, and yet the log does not grow for
// good.
static void what_keeps_the_log_long_is_folded(void **state)
{
    enum { KEEP = 16, COUNT = 400 };
    fixture *f = *state;
    commit_places(f);
    reopen_keeping(f, KEEP, 1);
    uint64_t far = 0;
    for (int i = 0; i < COUNT; i++) {
        COMMIT_ROWS(f, a_row(0, 0, 2020, i, i));
        alm_store_stats stats = get_stats(f);
        far = ALM_MAX(far, stats.sequence - stats.feed_from);
        if (stats.sequence - stats.feed_from > 4 * KEEP) { // the folder is behind: let it run
            (void)!alm_store_wait(f->store, stats.sequence + 1, 20, NULL);
        }
        alm_arena_reset(f->arena);
    }
    alm_store_stats stats = get_stats(f);
    print_message("at most %llu commits had rows, at last %llu\n", (unsigned long long)far,
                  (unsigned long long)(stats.sequence - stats.feed_from + 1));
    assert_true(stats.feed_from > COUNT / 2);
    assert_verifies(f);
}

// What is not folded stays in the log, so that it is there twice.
static void rows_that_are_not_folded_stay(void **state)
{
    fixture *f = *state;
    alm_change change;
    commit_catalog(f);
    reopen_keeping(f, 4, 1);
    for (int i = 0; i < 7; i++) { // one slice less than is folded without being asked
        COMMIT_ROWS(f, a_row(0, 0, 2000 + i, 1, 1));
    }
    assert_int_equal(get_stats(f).feed_from, 2); // the catalogue had none
    ASSERT_OK(f, alm_store_change(f->store, 2, f->arena, &change, &f->st));
    assert_true(change.has_rows);
    assert_int_equal(change.obs_count, 1);
    ASSERT_OK(f, alm_store_compact(f->store, &f->st));
    assert_int_equal(get_stats(f).feed_from, 5);
    assert_verifies(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rows_that_are_not_folded_stay),
        FIXTURE_TEST(what_keeps_the_log_long_is_folded),
        FIXTURE_TEST(the_file_does_not_grow_by_old_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
