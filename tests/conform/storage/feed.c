// The smaller questions: which series there are, what was quarantined, the change feed, waiting,
// and the store's figures.
#include "store_world.h"

#include <pthread.h>

// --- series and quarantine -----------------------------------------------------------------------

static alm_code take_info(void *arg, const alm_series_info *info, alm_status *st)
{
    (void)st;
    alm_series_info *out = arg;
    if (alm_str_eq(info->variant, fixture_variants[GDP])) {
        *out = *info;
    }
    return ALM_OK;
}

static void tells_which_series_there_are(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2020, 1, 1), a_row(GDP, 0, 2021, 1, 1), a_row(GDP, 3, 2021, 1, 1),
                a_row(TAX, 0, 2023, 1, 1), a_withdrawal(a_row(GDP, 1, 2022, 0, 0), 1));
    alm_series_info info = {0};
    ASSERT_OK(f, alm_store_visit_series(f->store, take_info, &info, &f->st));
    assert_int_equal(info.place_count, 2);
    assert_int_equal(info.cell_count, 3);
    assert_true(alm_period_eq(info.first, a_year(2020)));
    assert_true(alm_period_eq(info.last, a_year(2021)));
}

// Every variant is told, also one whose every cell is withdrawn.
static alm_code count_info(void *arg, const alm_series_info *info, alm_status *st)
{
    (void)st;
    uint64_t *counts = arg;
    counts[0]++;
    counts[1] += info->cell_count;
    return ALM_OK;
}

static void tells_withdrawn_series_too(void **state)
{
    fixture *f = *state;
    uint64_t counts[2] = {0};
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2020, 1, 1), a_withdrawal(a_row(TAX, 1, 2022, 0, 0), 1));
    ASSERT_OK(f, alm_store_visit_series(f->store, count_info, counts, &f->st));
    assert_int_equal(counts[0], 2);
    assert_int_equal(counts[1], 1);
    assert_int_equal(get_stats(f).series_variants, 2);
}

static alm_code count_quarantined(void *arg, const alm_quarantined *row, alm_status *st)
{
    (void)st;
    assert_int_equal(row->row, *(uint64_t *)arg);
    assert_true(alm_str_eq(row->batch_id, ALM_STR("import-9")));
    assert_true(alm_str_eq(row->reason, ALM_STR("not a number")));
    assert_true(alm_str_starts_with(row->record, ALM_STR("a,b,")));
    assert_true(row->record.len <= ALM_QUARANTINE_RECORD_BYTES);
    ++*(uint64_t *)arg;
    return ALM_OK;
}

static void keeps_what_could_not_be_taken(void **state)
{
    fixture *f = *state;
    enum { COUNT = 600 };
    char record[5000] = "a,b,";
    memset(record + 4, 'x', sizeof record - 4);
    alm_quarantined *rows = alm_calloc(COUNT, sizeof *rows);
    for (uint64_t i = 0; i < COUNT; i++) {
        rows[i] = (alm_quarantined){.row = i,
                                    .column = 2,
                                    .field = text("value"),
                                    .reason = text("not a number"),
                                    .record = {.data = record, .len = sizeof record}};
    }
    alm_commit_result r = commit(
        f, (alm_batch){.id = text("import-9"), .quarantine = rows, .quarantine_count = COUNT});
    assert_int_equal(r.sequence, 1);
    uint64_t seen = 0;
    ASSERT_OK(f, alm_store_visit_quarantine(f->store, count_quarantined, &seen, &f->st));
    assert_int_equal(seen, COUNT);
    assert_verifies(f);
    alm_free(rows);
}

// --- feed ----------------------------------------------------------------------------------------

static void tells_changes_from_any_sequence(void **state)
{
    fixture *f = *state;
    alm_change change;
    commit_catalog(f);
    alm_obs row = a_row(TAX, 1, 2023, 5, 1);
    row.note = text("n");
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1), row, a_row(GDP, 0, 2023, 1, 1));
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 2, 2));
    fixture_reopen(f);
    ASSERT_OK(f, alm_store_change(f->store, 0, f->arena, &change, &f->st));
    assert_int_equal(change.sequence, 1);
    assert_true(change.catalog_changed);
    assert_int_equal(change.obs_count, 0);
    ASSERT_OK(f, alm_store_change(f->store, 2, f->arena, &change, &f->st));
    assert_int_equal(change.sequence, 2);
    assert_int_equal(change.added, 2);
    assert_true(alm_str_eq(change.batch_id, ALM_STR("batch-2")));
    assert_int_equal(change.obs_count, 2);
    assert_int_equal(change.variant_count, 2);
    assert_true(alm_str_eq(change.variants[change.obs[1].variant], fixture_variants[TAX]));
    assert_true(alm_str_eq(change.obs[1].note, ALM_STR("n")));
    assert_int_equal(change.obs[1].sequence, 2);
    ASSERT_OK(f, alm_store_change(f->store, 3, f->arena, &change, &f->st));
    assert_int_equal(change.revised, 1);
    assert_int_equal(alm_store_change(f->store, 4, f->arena, &change, &f->st), ALM_NOT_FOUND);
}

static void *commit_row(void *arg)
{
    fixture *f = arg;
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1));
    return NULL;
}

static void waits_for_a_sequence(void **state)
{
    fixture *f = *state;
    pthread_t thread;
    commit_catalog(f);
    ASSERT_OK(f, alm_store_wait(f->store, 1, 0, &f->st));
    assert_int_equal(alm_store_wait(f->store, 2, 10, &f->st), ALM_DEADLINE_EXCEEDED);
    assert_int_equal(pthread_create(&thread, NULL, commit_row, f), 0);
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_store_wait(f->store, 2, 10000, &st), ALM_OK);
    pthread_join(thread, NULL);
}

// What is stored is told, and nothing else: no unchanged row, no conflict, no variant without rows.
static void a_change_holds_what_was_stored(void **state)
{
    fixture *f = *state;
    alm_change change;
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1));
    alm_commit_result r = COMMIT_ROWS(f, a_row(TAX, 0, 2023, 1, 1), a_row(GDP, 0, 2023, 1, 1),
                                      a_row(GDP, 0, 2023, 2, 1), a_row(GDP, 0, 2023, 3, 2),
                                      a_withdrawal(a_row(TAX, 0, 2022, 0, 0), 1));
    ASSERT_OK(f, alm_store_change(f->store, r.sequence, f->arena, &change, &f->st));
    assert_int_equal(change.sequence, r.sequence);
    assert_int_equal(change.added, 2);
    assert_int_equal(change.revised, 1);
    assert_false(change.catalog_changed);
    assert_int_equal(change.obs_count, 3);
    assert_int_equal(change.variant_count, 2);
    int64_t sum = 0;
    for (size_t i = 0; i < change.obs_count; i++) {
        assert_true(change.obs[i].variant < change.variant_count);
        assert_int_equal(change.obs[i].sequence, r.sequence);
        sum += change.obs[i].value.number.mantissa;
    }
    assert_int_equal(sum, 4);
    assert_true(change.at_us > 0);
}

// A bulk load's change names its variants, and leaves its rows to be read.
static void a_bulk_load_is_told_without_its_rows(void **state)
{
    fixture *f = *state;
    alm_change change;
    commit_catalog(f);
    alm_obs rows[] = {a_row(GDP, 0, 2023, 1, 1), a_row(TAX, 0, 2023, 2, 1),
                      a_row(TAX, 0, 2023, 3, 1)};
    alm_batch batch = batch_of_rows(rows, 3);
    batch.is_bulk = true;
    alm_commit_result r = commit(f, batch);
    assert_int_equal(r.added, 2);
    assert_int_equal(r.conflict_count, 1);
    fixture_reopen(f);
    ASSERT_OK(f, alm_store_change(f->store, r.sequence, f->arena, &change, &f->st));
    assert_false(change.has_rows);
    assert_int_equal(change.obs_count, 0);
    assert_int_equal(change.added, 2);
    assert_int_equal(change.variant_count, 2);
    assert_int_equal(read_rows(f, read_all())->count, 2);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 2, 2));
    ASSERT_OK(f, alm_store_change(f->store, 3, f->arena, &change, &f->st));
    assert_true(change.has_rows);
    assert_int_equal(change.obs_count, 1);
    assert_verifies(f);
}

// A commit of nothing but quarantined rows is one, and its change is empty.
static void a_change_may_hold_no_rows(void **state)
{
    fixture *f = *state;
    alm_change change;
    alm_quarantined bad = {.row = 1, .reason = text("a")};
    assert_code(f, ALM_NOT_FOUND, alm_store_change(f->store, 0, f->arena, &change, &f->st));
    commit(f, (alm_batch){.id = text("q"), .quarantine = &bad, .quarantine_count = 1});
    ASSERT_OK(f, alm_store_change(f->store, 1, f->arena, &change, &f->st));
    assert_int_equal(change.obs_count, 0);
    assert_int_equal(change.variant_count, 0);
    assert_false(change.catalog_changed);
    assert_true(alm_str_eq(change.batch_id, ALM_STR("q")));
    assert_code(f, ALM_NOT_FOUND, alm_store_change(f->store, 2, f->arena, &change, &f->st));
    assert_code(f, ALM_NOT_FOUND,
                alm_store_change(f->store, UINT64_MAX, f->arena, &change, &f->st));
}

typedef struct waiter {
    fixture *f;
    uint64_t sequence;
    alm_code code;
} waiter;

static void *wait_long(void *arg)
{
    waiter *w = arg;
    w->code = alm_store_wait(w->f->store, w->sequence, 20000, NULL);
    return NULL;
}

// Every waiter whose sequence is reached is woken, by whichever commit reaches it.
static void wakes_every_waiter(void **state)
{
    fixture *f = *state;
    enum { COUNT = 6 };
    pthread_t threads[COUNT];
    waiter waiters[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        waiters[i] = (waiter){.f = f, .sequence = 1 + i / 2, .code = ALM_UNKNOWN};
        assert_int_equal(pthread_create(&threads[i], NULL, wait_long, &waiters[i]), 0);
    }
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1));
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1)); // no news wakes nobody
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 2, 2));
    for (size_t i = 0; i < COUNT; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(waiters[i].code, ALM_OK);
    }
    ASSERT_OK(f, alm_store_wait(f->store, 0, -5, &f->st));
    assert_code(f, ALM_DEADLINE_EXCEEDED, alm_store_wait(f->store, 4, -5, &f->st));
}

// The figures follow what is stored.
static void counts_what_is_stored(void **state)
{
    fixture *f = *state;
    alm_quarantined bad[] = {{.row = 1, .reason = text("a")}, {.row = 2, .reason = text("b")}};
    alm_store_stats s = get_stats(f);
    assert_int_equal(s.sequence + s.observations + s.places + s.cells + s.quarantined, 0);
    commit_catalog(f);
    COMMIT_ROWS(f, a_row(GDP, 0, 2023, 1, 1), a_row(GDP, 0, 2023, 2, 2), a_row(TAX, 1, 2022, 1, 1));
    commit(f, (alm_batch){.quarantine = bad, .quarantine_count = 2});
    fixture_reopen(f);
    s = get_stats(f);
    assert_int_equal(s.sequence, 3);
    assert_int_equal(s.catalog_sequence, 1);
    assert_int_equal(s.observations, 3);
    assert_int_equal(s.cells, 2);
    assert_int_equal(s.indicators, 2);
    assert_int_equal(s.places, 4);
    assert_int_equal(s.sources, 2);
    assert_int_equal(s.series_variants, 2);
    assert_int_equal(s.quarantined, 2);
    assert_true(s.bytes_used > 0 && s.bytes_used <= s.bytes_max);
    alm_verify_result v = assert_verifies(f);
    assert_int_equal(v.log_records, 3);
    assert_int_equal(v.observations, 3);
    assert_int_equal(v.cells, 2);
}

store_group conform_feed(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(tells_which_series_there_are),
        STORE_TEST(tells_withdrawn_series_too),
        STORE_TEST(keeps_what_could_not_be_taken),
        STORE_TEST(tells_changes_from_any_sequence),
        STORE_TEST(a_change_holds_what_was_stored),
        STORE_TEST(a_change_may_hold_no_rows),
        STORE_TEST(a_bulk_load_is_told_without_its_rows),
        STORE_TEST(waits_for_a_sequence),
        STORE_TEST(wakes_every_waiter),
        STORE_TEST(counts_what_is_stored),
    };
    return (store_group){"feed", tests, ALM_ARRAY_LEN(tests)};
}
