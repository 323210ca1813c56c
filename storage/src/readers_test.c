// Snapshots that are held while commits go on.
#include "store_fixture.h"

#define HELD_BYTES  ((uint64_t)4 << 20)
#define PLACES      2000
#define YEARS       75
#define COMMITS_MAX 5000 // more than it takes

static int setup(void **state)
{
    fixture *f;
    alm_store_opts opts = {.held_bytes = HELD_BYTES};
    fixture_setup(state);
    f = *state;
    alm_store_close(&f->store);
    ASSERT_OK(f, alm_store_open(f->dir, &opts, &f->store, &f->st));
    return 0;
}

// Enough rows for a backup to take more than one call of its sink.
static void fill(fixture *f)
{
    static char codes[PLACES][8];
    static alm_place places[PLACES];
    static alm_obs rows[PLACES * YEARS];
    alm_indicator indicators[] = {an_indicator("gdp"), an_indicator("tax")};
    for (size_t i = 0; i < PLACES; i++) {
        snprintf(codes[i], sizeof codes[i], "%zu", i + 1000);
        places[i] = a_place(codes[i], ALM_LEVEL_DISTRICT, "");
    }
    commit(f, (alm_batch){.indicators = indicators,
                          .indicator_count = ALM_ARRAY_LEN(indicators),
                          .places = places,
                          .place_count = PLACES});
    for (size_t i = 0; i < PLACES * YEARS; i++) {
        int64_t number = (int64_t)(i * UINT64_C(2654435761) % 1000000);
        rows[i] = a_row(0, (alm_place_id)(i % PLACES), 1980 + (int)(i / PLACES), number, 1);
    }
    commit(f, batch_of_rows(rows, ALM_ARRAY_LEN(rows)));
}

// A commit that gives up the pages of a slice.
static alm_code revise(fixture *f)
{
    alm_commit_result result;
    int day = (int)(f->batches % 300) + 2;
    int year = 1980 + (int)(f->batches / 300);
    alm_obs rows[] = {a_row(0, (alm_place_id)(f->batches % PLACES), year, 1, day)};
    return try_commit(f, batch_of_rows(rows, 1), &result);
}

// A sink that hangs, while others commit until they are refused.
static alm_code hang(void *arg, const void *data, size_t len, alm_status *st)
{
    fixture *f = arg;
    alm_store_stats before, after;
    alm_code code = ALM_OK;
    (void)data;
    (void)len;
    ASSERT_OK(f, alm_store_stats_get(f->store, &before, &f->st));
    for (int i = 0; i < COMMITS_MAX && code == ALM_OK; i++) {
        code = revise(f);
    }
    assert_int_equal(code, ALM_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(f->st.message, "a snapshot (process, thread and transaction "));
    assert_int_equal(revise(f), ALM_RESOURCE_EXHAUSTED);
    ASSERT_OK(f, alm_store_stats_get(f->store, &after, &f->st));
    assert_true(after.bytes_used > before.bytes_used + HELD_BYTES / 2);
    assert_true(after.bytes_used < before.bytes_used + 2 * HELD_BYTES);
    return alm_status_set(st, ALM_CANCELLED, "seen enough");
}

static void a_snapshot_keeps_no_more_than_it_may(void **state)
{
    fixture *f = *state;
    alm_backup_info info;
    alm_backup_sink sink = {.arg = f, .write = hang};
    fill(f);
    assert_int_equal(alm_store_backup(f->store, &sink, &info, NULL), ALM_CANCELLED);
    ASSERT_OK(f, revise(f));
    assert_verifies(f);
}

typedef struct slow_sink {
    fixture *f;
    int calls;
} slow_sink;

static alm_code take_slowly(void *arg, const void *data, size_t len, alm_status *st)
{
    slow_sink *s = arg;
    (void)data;
    (void)len;
    (void)st;
    s->calls++;
    for (int i = 0; i < 10; i++) {
        ASSERT_OK(s->f, revise(s->f));
    }
    return ALM_OK;
}

static void a_backup_is_ended_before_commits_are_refused(void **state)
{
    fixture *f = *state;
    alm_backup_info info;
    slow_sink s = {.f = f};
    alm_backup_sink sink = {.arg = &s, .write = take_slowly};
    fill(f);
    f->st = ALM_STATUS_INIT;
    assert_int_equal(alm_store_backup(f->store, &sink, &info, &f->st), ALM_ABORTED);
    assert_non_null(strstr(f->st.message, "it is ended so that commits can go on"));
    assert_true(s.calls > 1);
    ASSERT_OK(f, revise(f));
}

// What was kept is used again, so that the file grows no more.
static void the_file_is_used_again(void **state)
{
    fixture *f = *state;
    alm_store_stats before, after;
    fill(f);
    for (int i = 0; i < 100; i++) {
        ASSERT_OK(f, revise(f));
    }
    ASSERT_OK(f, alm_store_stats_get(f->store, &before, &f->st));
    for (int i = 0; i < 400; i++) {
        ASSERT_OK(f, revise(f));
    }
    ASSERT_OK(f, alm_store_stats_get(f->store, &after, &f->st));
    assert_true(after.bytes_used < before.bytes_used + HELD_BYTES / 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_snapshot_keeps_no_more_than_it_may),
        TEST(a_backup_is_ended_before_commits_are_refused),
        TEST(the_file_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
