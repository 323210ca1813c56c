// Backups: what is restored answers as what was backed up, whatever was committed meanwhile; what
// was cut short or changed anywhere is refused, and leaves no store behind.
#include "store_fixture.h"

#include <sys/stat.h>

typedef struct stream {
    uint8_t *data;
    size_t len, cap, at;
    fixture *commits; // a row is committed at each write
    int64_t commit_count;
    size_t fails_after;
    uint64_t told, of;
} stream;

static alm_code write_stream(void *arg, const void *data, size_t len, alm_status *st)
{
    stream *s = arg;
    if (s->fails_after > 0 && s->len + len > s->fails_after) {
        return alm_status_set(st, ALM_CANCELLED, "nobody takes it any more");
    }
    if (s->len + len > s->cap) {
        s->cap = 2 * (s->len + len);
        s->data = alm_realloc(s->data, s->cap);
        assert_non_null(s->data);
    }
    memcpy(s->data + s->len, data, len);
    s->len += len;
    if (s->commits != NULL) {
        COMMIT_ROWS(s->commits, a_row(0, 1, 1900 + (int)s->commit_count, 1, 9));
        s->commit_count++;
    }
    return ALM_OK;
}

static alm_code read_stream(void *arg, void *data, size_t len, size_t *ret_len, alm_status *st)
{
    stream *s = arg;
    (void)st;
    *ret_len = ALM_MIN(ALM_MIN(len, s->len - s->at), (size_t)70001);
    memcpy(data, s->data + s->at, *ret_len);
    s->at += *ret_len;
    return ALM_OK;
}

static void note_progress(void *arg, uint64_t records, uint64_t of)
{
    stream *s = arg;
    assert_true(records >= s->told && records <= of);
    s->told = records;
    s->of = of;
}

static alm_backup_info back_up(fixture *f, stream *s)
{
    alm_backup_info info;
    alm_backup_sink sink = {.arg = s, .write = write_stream, .progress = note_progress};
    ASSERT_OK(f, alm_store_backup(f->store, &sink, &info, &f->st));
    assert_int_equal(info.bytes, s->len);
    return info;
}

static alm_code check(fixture *f, stream *s, alm_backup_info *ret)
{
    alm_backup_source source = {.arg = s, .read = read_stream};
    s->at = 0;
    f->st = ALM_STATUS_INIT;
    return alm_store_backup_check(&source, ret, &f->st);
}

static alm_code restore(fixture *f, stream *s, const char *dir, alm_backup_info *ret)
{
    alm_store_opts opts = {.bytes_max = (size_t)256 << 20};
    alm_backup_source source = {.arg = s, .read = read_stream};
    s->at = 0;
    f->st = ALM_STATUS_INIT;
    return alm_store_restore(&source, dir, &opts, ret, &f->st);
}

static void fill(fixture *f)
{
    commit_catalog(f);
    for (int year = 1990; year < 2020; year++) {
        alm_obs rows[8];
        for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
            rows[i] = a_row((uint32_t)(i % 2), (alm_place_id)(i / 2), year, year * 9 + (int)i, 1);
            rows[i].note = i == 0 ? text("初步核算数") : (alm_str){0};
        }
        commit(f, batch_of_rows(rows, ALM_ARRAY_LEN(rows)));
    }
    ASSERT_OK(f, alm_store_compact(f->store, &f->st));
    COMMIT_ROWS(f, a_row(0, 0, 2000, 5, 2), a_withdrawal(a_row(1, 1, 2001, 0, 1), 3));
}

static void assert_same_rows(const answer *a, const answer *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const alm_obs *x = &a->rows[i];
        const alm_obs *y = &b->rows[i];
        assert_true(x->variant == y->variant && x->place == y->place &&
                    alm_period_eq(x->period, y->period) && x->sequence == y->sequence &&
                    x->published == y->published && x->source == y->source &&
                    x->value.number.mantissa == y->value.number.mantissa &&
                    x->value.status == y->value.status && alm_str_eq(x->note, y->note));
    }
}

static answer *read_vintages(fixture *f)
{
    alm_read read = read_all();
    read.all_vintages = true;
    return read_rows(f, read);
}

#define DIR_BYTES 32

static char *new_dir(char *dir)
{
    snprintf(dir, DIR_BYTES, "/tmp/alm_store_XXXXXX");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static bool has_store(const char *dir)
{
    char path[128];
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    return access(path, F_OK) == 0;
}

// --- tests ---------------------------------------------------------------------------------------

static void what_is_restored_answers_as_what_was_backed_up(void **state)
{
    fixture *f = *state;
    stream s = {0};
    alm_backup_info checked, restored;
    fill(f);
    const answer *was = read_vintages(f);
    alm_backup_info info = back_up(f, &s);
    assert_int_equal(info.sequence, 32);
    assert_int_equal(s.told, info.records);
    ASSERT_OK(f, check(f, &s, &checked));
    assert_memory_equal(&checked, &info, sizeof info);

    fixture copy = {.bytes_max = f->bytes_max, .arena = f->arena, .st = ALM_STATUS_INIT};
    new_dir(copy.dir);
    ASSERT_OK(f, restore(f, &s, copy.dir, &restored));
    assert_memory_equal(&restored, &info, sizeof info);
    fixture_open(&copy);
    assert_same_rows(was, read_vintages(&copy));
    assert_verifies(&copy);
    // It goes on where the other was, and knows what the other was given.
    copy.batches = 1;
    assert_int_equal(COMMIT_ROWS(&copy, a_row(0, 0, 1990, 1990 * 9, 1)).sequence, 2);
    copy.batches = 1000;
    assert_int_equal(COMMIT_ROWS(&copy, a_row(0, 0, 2024, 1, 9)).sequence, 33);
    alm_store_close(&copy.store);
    fixture_remove(copy.dir);
    alm_free(s.data);
}

static void commits_go_on_and_are_not_in_it(void **state)
{
    fixture *f = *state;
    stream s = {.commits = f};
    alm_backup_info restored;
    fill(f);
    const answer *was = read_vintages(f);
    alm_backup_info info = back_up(f, &s);
    assert_int_equal(info.sequence, 32);
    assert_true(s.commit_count > 2);
    fixture copy = {.bytes_max = f->bytes_max, .arena = f->arena, .st = ALM_STATUS_INIT};
    new_dir(copy.dir);
    ASSERT_OK(f, restore(f, &s, copy.dir, &restored));
    fixture_open(&copy);
    assert_same_rows(was, read_vintages(&copy));
    assert_verifies(&copy);
    alm_store_close(&copy.store);
    fixture_remove(copy.dir);
    alm_free(s.data);
}

static void an_empty_store_can_be_backed_up(void **state)
{
    fixture *f = *state;
    stream s = {0};
    alm_backup_info restored;
    alm_backup_info info = back_up(f, &s);
    assert_int_equal(info.sequence, 0);
    char dir[DIR_BYTES];
    rmdir(new_dir(dir)); // absent
    ASSERT_OK(f, restore(f, &s, dir, &restored));
    fixture_remove(dir);
    alm_free(s.data);
}

static void assert_refused(fixture *f, stream *s, const char *dir)
{
    alm_backup_info info;
    assert_int_not_equal(check(f, s, &info), ALM_OK);
    assert_int_not_equal(restore(f, s, dir, &info), ALM_OK);
    assert_false(has_store(dir));
}

static void a_backup_cut_short_is_refused(void **state)
{
    fixture *f = *state;
    stream s = {0};
    char dir[DIR_BYTES];
    fill(f);
    back_up(f, &s);
    new_dir(dir);
    size_t whole = s.len;
    for (s.len = 0; s.len < whole; s.len += 1 + (s.len > 100 && s.len + 100 < whole ? 997 : 0)) {
        assert_refused(f, &s, dir);
    }
    fixture_remove(dir);
    alm_free(s.data);
}

static void a_backup_changed_anywhere_is_refused(void **state)
{
    fixture *f = *state;
    stream s = {0};
    char dir[DIR_BYTES];
    fill(f);
    back_up(f, &s);
    new_dir(dir);
    for (size_t at = 0; at < s.len; at += 1 + (at > 100 && at + 100 < s.len ? 611 : 0)) {
        s.data[at] ^= 1u << at % 8;
        assert_refused(f, &s, dir);
        s.data[at] ^= 1u << at % 8;
    }
    fixture_remove(dir);
    alm_free(s.data);
}

static void a_folder_with_something_in_it_is_refused(void **state)
{
    fixture *f = *state;
    stream s = {0};
    alm_backup_info info;
    back_up(f, &s);
    assert_int_equal(restore(f, &s, f->dir, &info), ALM_FAILED_PRECONDITION);
    alm_free(s.data);
}

static void what_a_killed_restore_leaves_is_no_hindrance(void **state)
{
    fixture *f = *state;
    stream s = {0};
    char dir[DIR_BYTES];
    char path[64];
    alm_backup_info info;
    back_up(f, &s);
    snprintf(path, sizeof path, "%s/data.mdb.new", new_dir(dir));
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fputs("half", file) >= 0, 1);
    fclose(file);
    ASSERT_OK(f, restore(f, &s, dir, &info));
    fixture_remove(dir);
    alm_free(s.data);
}

static void a_newer_format_is_refused(void **state)
{
    fixture *f = *state;
    stream s = {0};
    char dir[DIR_BYTES];
    alm_backup_info info;
    back_up(f, &s);
    s.data[8] = 99;
    assert_int_equal(restore(f, &s, new_dir(dir), &info), ALM_FAILED_PRECONDITION);
    assert_non_null(strstr(f->st.message, "format 99"));
    fixture_remove(dir);
    alm_free(s.data);
}

static void a_sink_that_fails_ends_it(void **state)
{
    fixture *f = *state;
    stream s = {.fails_after = 1000};
    alm_backup_info info;
    alm_backup_sink sink = {.arg = &s, .write = write_stream};
    fill(f);
    assert_int_equal(alm_store_backup(f->store, &sink, &info, &f->st), ALM_CANCELLED);
    alm_free(s.data);
    assert_verifies(f);
}

typedef struct slow_sink {
    fixture *f;
    int64_t *now_us;
    alm_store_stats stats; // in the midst of it
    bool is_asked;
} slow_sink;

static alm_code take_slowly(void *arg, const void *data, size_t len, alm_status *st)
{
    slow_sink *s = arg;
    (void)data;
    (void)len;
    if (s->is_asked) {
        return ALM_OK;
    }
    s->is_asked = true;
    *s->now_us += 5000000; // nothing was committed yet
    COMMIT_ROWS(s->f, a_row(0, 0, 1980, 1, 1));
    *s->now_us += 90000000;
    return alm_store_stats_get(s->f->store, &s->stats, st);
}

static void a_snapshot_that_is_held_shows(void **state)
{
    fixture *f = *state;
    int64_t now_us = 1000000;
    alm_store_stats after;
    alm_backup_info info;
    slow_sink s = {.f = f, .now_us = &now_us};
    alm_backup_sink sink = {.arg = &s, .write = take_slowly};
    alm_store_opts opts = {.bytes_max = f->bytes_max, .clock = alm_clock_fake(&now_us)};
    alm_store_close(&f->store);
    ASSERT_OK(f, alm_store_open(f->dir, &opts, &f->store, &f->st));
    fill(f);
    ASSERT_OK(f, alm_store_backup(f->store, &sink, &info, &f->st));
    assert_int_equal(s.stats.oldest_snapshot_us, 90000000);
    assert_true(s.stats.oldest_snapshot_lag >= 1);
    ASSERT_OK(f, alm_store_stats_get(f->store, &after, &f->st));
    assert_int_equal(after.oldest_snapshot_us, 0);
    assert_int_equal(after.queued, 0);
    assert_true(after.syncs > 30);
    assert_true(after.folds > 0);
    assert_int_equal(after.parts_waiting, 2); // since the last commits, too few to be folded
    uint64_t bytes = 0;
    uint64_t bytes_of[ALM_STORE_PART_COUNT];
    ASSERT_OK(f, alm_store_sizes_get(f->store, bytes_of, &f->st));
    for (int i = 0; i < ALM_STORE_PART_COUNT; i++) {
        bytes += bytes_of[i];
    }
    assert_true(bytes_of[ALM_STORE_PART_SLICES] > 0 && bytes <= after.bytes_used);
    assert_string_equal(alm_store_part_word(ALM_STORE_PART_SLICES), "slices");
}

static void the_memory_engine_has_none(void **state)
{
    fixture f;
    stream s = {0};
    alm_backup_info info;
    alm_backup_sink sink = {.arg = &s, .write = write_stream};
    (void)state;
    fixture_init_engine(&f, &alm_engine_memory, 0);
    assert_int_equal(alm_store_backup(f.store, &sink, &info, &f.st), ALM_UNIMPLEMENTED);
    fixture_deinit(&f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_restored_answers_as_what_was_backed_up),
        TEST(commits_go_on_and_are_not_in_it),
        TEST(an_empty_store_can_be_backed_up),
        TEST(a_backup_cut_short_is_refused),
        TEST(a_backup_changed_anywhere_is_refused),
        TEST(a_folder_with_something_in_it_is_refused),
        TEST(what_a_killed_restore_leaves_is_no_hindrance),
        TEST(a_newer_format_is_refused),
        TEST(a_sink_that_fails_ends_it),
        TEST(a_snapshot_that_is_held_shows),
        cmocka_unit_test(the_memory_engine_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
