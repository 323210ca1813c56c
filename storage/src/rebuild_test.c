// Rebuild: whichever records of a store are damaged, every vintage of which one undamaged copy is
// left comes back, what has none is told, and what is made agrees with itself.
#include "store_fixture.h"

#include <lmdb.h>

typedef struct told {
    uint64_t count;
    char text[8192];
} told;

static void note(void *arg, alm_str problem)
{
    told *t = arg;
    size_t len = strlen(t->text);
    snprintf(t->text + len, sizeof t->text - len, "%.*s\n", ALM_STR_ARGS(problem));
    t->count++;
}

// Folded years, with revisions and notes; a load that the log does not hold, folded too; and new
// commits, which only slices and log hold.
static void fill(fixture *f)
{
    commit_catalog(f);
    for (int year = 1990; year < 2010; year++) {
        alm_obs rows[8];
        for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
            rows[i] = a_row((uint32_t)(i % 2), (alm_place_id)(i / 2), year, year * 9 + (int)i, 1);
            rows[i].note = i == 0 ? text("初步核算数") : (alm_str){0};
            rows[i].source = (uint32_t)i % 2;
        }
        commit(f, batch_of_rows(rows, ALM_ARRAY_LEN(rows)));
    }
    alm_obs loaded[] = {a_row(2, 0, 1999, 1, 1), a_row(2, 1, 1999, 2, 1), a_row(2, 0, 2000, 3, 1)};
    alm_batch load = batch_of_rows(loaded, ALM_ARRAY_LEN(loaded));
    load.is_bulk = true;
    commit(f, load);
    COMMIT_ROWS(f, a_row(0, 0, 2000, 5, 2), a_withdrawal(a_row(1, 1, 2001, 0, 1), 3));
    ASSERT_OK(f, alm_store_compact(f->store, &f->st));
    COMMIT_ROWS(f, a_row(0, 3, 2000, 77, 9), a_row(0, 3, 2020, 78, 9));
    alm_quarantined bad = {.reason = text("not a number")};
    commit(f, (alm_batch){.quarantine = &bad, .quarantine_count = 1});
}

static size_t read_file(const char *path, uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(data, 1, size, file);
    fclose(file);
    return len;
}

static void overwrite(const char *path, size_t at, const void *data, size_t len)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void write_file(const char *path, const void *data, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    overwrite(path, 0, data, len);
}

static answer *read_vintages(fixture *f)
{
    alm_read read = read_all();
    read.all_vintages = true;
    return read_rows(f, read);
}

static void assert_same_row(const alm_obs *x, const alm_obs *y)
{
    assert_true(x->variant == y->variant && x->place == y->place &&
                alm_period_eq(x->period, y->period) && x->sequence == y->sequence &&
                x->published == y->published && x->source == y->source &&
                x->value.number.mantissa == y->value.number.mantissa &&
                x->value.status == y->value.status && alm_str_eq(x->note, y->note));
}

// Changes a byte of each step-th record's value, which its checksum then does not fit.
static unsigned damage(const fixture *f, const char *database, unsigned step)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_cursor *cursor;
    MDB_val key, value;
    unsigned count = 0;
    unsigned damaged = 0;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 20), 0);
    assert_int_equal(mdb_env_set_mapsize(env, f->bytes_max), 0);
    assert_int_equal(mdb_env_open(env, f->dir, 0, 0640), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, database, 0, &dbi), 0);
    assert_int_equal(mdb_cursor_open(txn, dbi, &cursor), 0);
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        uint8_t *copy = alm_calloc(1, value.mv_size);
        memcpy(copy, value.mv_data, value.mv_size);
        copy[value.mv_size / 2] ^= 0x10;
        MDB_val changed = {.mv_size = value.mv_size, .mv_data = copy};
        if (count++ % step == 0) {
            assert_int_equal(mdb_cursor_put(cursor, &key, &changed, MDB_CURRENT), 0);
            damaged++;
        }
        alm_free(copy);
    }
    mdb_cursor_close(cursor);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    return damaged;
}

static void remove_kept(const fixture *f)
{
    char path[128];
    snprintf(path, sizeof path, "%s/data.mdb.damaged", f->dir);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/data.mdb.new", f->dir);
    assert_int_not_equal(access(path, F_OK), 0);
}

static alm_code try_rebuild(fixture *f, alm_rebuild_result *ret, told *t)
{
    alm_store_opts opts = {.bytes_max = f->bytes_max};
    *t = (told){0};
    f->st = ALM_STATUS_INIT;
    return alm_store_rebuild(f->dir, &opts, note, t, ret, &f->st);
}

static void assert_all_comes_back(fixture *f, const answer *was, const char *what)
{
    told t;
    alm_rebuild_result result;
    alm_code code = try_rebuild(f, &result, &t);
    if (code != ALM_OK || result.lost > 0) {
        fail_msg("%s: %s; lost %llu\n%s", what, f->st.message, (unsigned long long)result.lost,
                 t.text);
    }
    assert_int_equal(result.observations, was->count);
    remove_kept(f);
    fixture_open(f);
    const answer *is = read_vintages(f);
    assert_int_equal(is->count, was->count);
    for (size_t i = 0; i < was->count; i++) {
        assert_same_row(&was->rows[i], &is->rows[i]);
    }
    assert_int_equal(is->sequence, was->sequence);
    alm_read read = read_all(); // what was published last is known again
    read.today = 19723 + 8;
    size_t today = read_rows(f, read)->count;
    read = read_all();
    read.as_of = 19723 + 8;
    assert_int_equal(today, read_rows(f, read)->count);
    assert_int_not_equal(today, read_rows(f, read_all())->count);
    assert_verifies(f);
    alm_store_close(&f->store);
}

static void an_undamaged_store_is_as_it_was(void **state)
{
    fixture *f = *state;
    fill(f);
    const answer *was = read_vintages(f);
    alm_store_close(&f->store);
    assert_all_comes_back(f, was, "nothing damaged");
    fixture_open(f);
    f->batches = 1; // known still
    assert_int_equal(COMMIT_ROWS(f, a_row(0, 0, 1990, 1990 * 9, 1)).sequence, 2);
}

static void one_copy_of_two_is_enough(void **state)
{
    static const char *const databases[] = {"slice",      "vintages", "series",     "base",
                                            "log",        "batch",    "variant",    "variant_id",
                                            "variant_of", "code",     "quarantine", "part"};
    fixture *f = *state;
    fill(f);
    const answer *was = read_vintages(f);
    alm_store_close(&f->store);
    for (size_t i = 0; i < ALM_ARRAY_LEN(databases); i++) {
        for (unsigned step = 1; step < 6; step += 2) {
            (void)damage(f, databases[i], step);
            assert_all_comes_back(f, was, databases[i]);
            fixture_open(f); // and the next damage meets a folded store, but for the newest
            ASSERT_OK(f, alm_store_compact(f->store, &f->st));
            alm_store_close(&f->store);
        }
    }
}

// The log is read twice, and told of once.
static void a_damaged_record_is_counted_once(void **state)
{
    fixture *f = *state;
    told t;
    alm_rebuild_result result;
    fill(f);
    alm_store_close(&f->store);
    unsigned damaged = damage(f, "log", 2);
    assert_int_equal(try_rebuild(f, &result, &t), ALM_OK);
    assert_int_equal(result.damaged, damaged);
    unsigned told_count = 0;
    for (const char *at = strstr(t.text, "log: "); at != NULL; at = strstr(at + 1, "log: ")) {
        told_count++;
    }
    assert_int_equal(told_count, damaged);
    remove_kept(f);
}

static void slices_and_series_come_back_from_the_log(void **state)
{
    fixture *f = *state;
    told t;
    alm_rebuild_result result;
    fill(f);
    const answer *was = read_vintages(f);
    alm_store_close(&f->store);
    assert_true(damage(f, "slice", 1) > 20);
    assert_true(damage(f, "vintages", 1) > 0);
    assert_true(damage(f, "series", 1) > 0);
    ASSERT_OK(f, try_rebuild(f, &result, &t));
    assert_int_equal(result.lost, 3); // the load, which the log does not hold
    assert_int_equal(result.recovered, was->count - 3);
    assert_non_null(strstr(t.text, "commit 22 (batch batch-22): 3 of its 3 rows are lost"));
    assert_non_null(strstr(t.text, "the slice of A.tax.P.level._Z._T in 1999, places 0 to 16383"));
    remove_kept(f);
    fixture_open(f);
    assert_int_equal(read_vintages(f)->count, was->count - 3);
    assert_verifies(f);
}

static void a_damaged_head_is_counted_again(void **state)
{
    fixture *f = *state;
    fill(f);
    const answer *was = read_vintages(f);
    alm_store_close(&f->store);
    (void)damage(f, "meta", 1);
    assert_all_comes_back(f, was, "head, precedence and stamp");
}

static void an_entry_has_no_copy(void **state)
{
    fixture *f = *state;
    told t;
    alm_rebuild_result result;
    char path[128];
    fill(f);
    alm_store_close(&f->store);
    (void)damage(f, "entry", 3);
    assert_int_equal(try_rebuild(f, &result, &t), ALM_FAILED_PRECONDITION);
    assert_non_null(strstr(f->st.message, "restore a backup"));
    snprintf(path, sizeof path, "%s/data.mdb.damaged", f->dir);
    assert_int_not_equal(access(path, F_OK), 0);
    fixture_open(f);
}

// A page of noise: a store that agrees with itself, or a refusal, never the end of this process.
static void damaged_pages_are_survived(void **state)
{
    fixture *f = *state;
    char path[128], sequence[128];
    alm_store_stats stats;
    static uint8_t image[8 << 20], noise[4096];
    unsigned made = 0, refused = 0;
    fill(f);
    ASSERT_OK(f, alm_store_stats_get(f->store, &stats, &f->st));
    alm_store_close(&f->store);
    snprintf(path, sizeof path, "%s/data.mdb", f->dir);
    snprintf(sequence, sizeof sequence, "%s/almanac.sequence", f->dir);
    memset(noise, 0x5a, sizeof noise);
    size_t len = read_file(path, image, sizeof image);
    for (size_t at = 2 * 4096; at < stats.bytes_used; at += 3 * 4096) {
        told t;
        alm_rebuild_result result;
        write_file(path, image, len);
        overwrite(path, at, noise, sizeof noise);
        if (try_rebuild(f, &result, &t) != ALM_OK) {
            refused++;
            continue;
        }
        made++;
        remove_kept(f);
        fixture_open(f);
        assert_verifies(f);
        alm_store_close(&f->store);
    }
    print_message("%u made anew, %u refused\n", made, refused);
    assert_true(made > 0);
    write_file(path, image, len);
    unlink(sequence);
    fixture_open(f);
}

static void a_store_that_is_open_is_left_alone(void **state)
{
    fixture *f = *state;
    told t;
    alm_rebuild_result result;
    assert_int_equal(try_rebuild(f, &result, &t), ALM_FAILED_PRECONDITION);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_undamaged_store_is_as_it_was),  TEST(one_copy_of_two_is_enough),
        TEST(a_damaged_record_is_counted_once), TEST(slices_and_series_come_back_from_the_log),
        TEST(a_damaged_head_is_counted_again),  TEST(an_entry_has_no_copy),
        TEST(damaged_pages_are_survived),       TEST(a_store_that_is_open_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
