// How long the change feed keeps rows: the commits stay, their rows leave when they are old, and
// what they said is still there to be read.
#include "store_world.h"

// A store that was told how much to keep; what was there is gone.
static void renew(fixture *f, uint64_t commits, uint64_t bytes)
{
    fixture_deinit(f);
    fixture_init_engine(f, f->engine, f->bytes_max);
    alm_store_close(&f->store);
    f->feed_commits = commits;
    f->feed_bytes = bytes;
    fixture_open(f);
}

// Commit 1 is the catalogue; then one year each, commit n holding the value n.
static void commit_years(fixture *f, int count)
{
    commit_catalog(f);
    for (int i = 0; i < count; i++) {
        COMMIT_ROWS(f, a_row(GDP, (alm_place_id)i % 4, 2000 + i, 2 + i, 1));
    }
}

static alm_change change_at(fixture *f, uint64_t sequence)
{
    alm_change change;
    ASSERT_OK(f, alm_store_change(f->store, sequence, f->arena, &change, &f->st));
    assert_int_equal(change.sequence, sequence);
    return change;
}

static void the_newest_commits_keep_their_rows(void **state)
{
    fixture *f = *state;
    renew(f, 3, 1);
    commit_years(f, 9);
    ASSERT_OK(f, alm_store_compact(f->store, &f->st));
    assert_int_equal(get_stats(f).feed_from, 8);
    for (uint64_t i = 1; i <= 10; i++) {
        alm_change change = change_at(f, i);
        assert_int_equal(change.has_rows, i >= 8);
        assert_int_equal(change.obs_count, i >= 8);
        assert_int_equal(change.added, i > 1);
        assert_int_equal(change.variant_count, i > 1);
        assert_int_equal(change.catalog_changed, i == 1);
    }
    fixture_reopen(f);
    assert_int_equal(get_stats(f).feed_from, 8);
    assert_int_equal(read_rows(f, read_all())->count, 9);
    assert_verifies(f);
}

// A reader that is behind finds what a commit said among the vintages of its variants.
static void rows_that_left_can_be_read(void **state)
{
    fixture *f = *state;
    renew(f, 1, 1);
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1));
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 2, 2));
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 3, 3), a_row(TAX, 0, 2023, 4, 3));
    ASSERT_OK(f, alm_store_compact(f->store, &f->st));
    assert_false(change_at(f, 3).has_rows);
    alm_read read = read_all();
    read.all_vintages = true;
    read.at_sequence = 3;
    answer *a = read_rows(f, read);
    size_t found = 0;
    for (size_t i = 0; i < a->count; i++) {
        found += a->rows[i].sequence == 3 && a->rows[i].value.number.mantissa == 2;
    }
    assert_int_equal(found, 1);
}

static void many_bytes_keep_more(void **state)
{
    fixture *f = *state;
    renew(f, 1, 1 << 20);
    commit_years(f, 9);
    ASSERT_OK(f, alm_store_compact(f->store, &f->st));
    assert_int_equal(get_stats(f).feed_from, 1);
    assert_true(get_stats(f).feed_bytes > 0);
    assert_true(change_at(f, 2).has_rows);
}

static void it_keeps_much_unless_told(void **state)
{
    fixture *f = *state;
    commit_years(f, 40);
    ASSERT_OK(f, alm_store_compact(f->store, &f->st));
    assert_int_equal(get_stats(f).feed_from, 1);
    assert_true(change_at(f, 2).has_rows);
}

// Nothing is left to leave: commits without rows take nothing, nor do bulk loads.
static void empty_commits_and_bulk_loads_take_nothing(void **state)
{
    fixture *f = *state;
    renew(f, 1, 1);
    commit_catalog(f);
    alm_obs row = a_row(GDP, 0, 2023, 1, 1);
    alm_batch batch = batch_of_rows(&row, 1);
    batch.is_bulk = true;
    commit(f, batch);
    alm_quarantined bad = {.row = 1, .reason = text("a")};
    commit(f, (alm_batch){.quarantine = &bad, .quarantine_count = 1});
    ASSERT_OK(f, alm_store_compact(f->store, &f->st));
    assert_int_equal(get_stats(f).feed_bytes, 0);
    assert_int_equal(get_stats(f).feed_from, 1);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 2, 2));
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 3, 3));
    ASSERT_OK(f, alm_store_compact(f->store, &f->st));
    assert_int_equal(get_stats(f).feed_from, 5);
    assert_false(change_at(f, 2).has_rows);
    assert_verifies(f);
}

store_group conform_retention(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(the_newest_commits_keep_their_rows),
        STORE_TEST(rows_that_left_can_be_read),
        STORE_TEST(many_bytes_keep_more),
        STORE_TEST(it_keeps_much_unless_told),
        STORE_TEST(empty_commits_and_bulk_loads_take_nothing),
    };
    return (store_group){"retention", tests, ALM_ARRAY_LEN(tests)};
}
