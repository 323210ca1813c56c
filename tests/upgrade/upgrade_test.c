// Stores of format 1: what opens must answer as it did where it was written, whenever the migration
// was killed before; what cannot be migrated must stay as it was.
#include "lmdb_store.h"
#include "sample.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static const char *store_dir;    // of format 1
static const char *answers_path; // what it answered

// --- files ---------------------------------------------------------------------------------------

typedef struct bytes {
    char *data;
    size_t len;
} bytes;

static bytes read_file(const char *path)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &info), 0);
    bytes all = {.data = alm_calloc(1, (size_t)info.st_size + 1), .len = (size_t)info.st_size};
    assert_non_null(all.data);
    assert_int_equal(fread(all.data, 1, all.len, file), all.len);
    fclose(file);
    return all;
}

static void write_file(const char *path, bytes all)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(all.data, 1, all.len, file), all.len);
    assert_int_equal(fclose(file), 0);
}

static const char *path_in(const char *dir, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static bool exists(const char *dir, const char *name)
{
    return access(path_in(dir, name), F_OK) == 0;
}

static void copy_in(const char *dir, const char *name)
{
    bytes all = read_file(path_in(store_dir, name));
    write_file(path_in(dir, name), all);
    alm_free(all.data);
}

static void remove_files(const char *dir)
{
    static const char *const names[] = {"data.mdb",         "data.mdb.new",     "data.mdb.format1",
                                        "data.mdb.damaged", "almanac.sequence", "almanac.lock",
                                        "lock.mdb"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(names); i++) {
        unlink(path_in(dir, names[i]));
    }
}

// A fresh copy of the store, not yet opened.
static void put_copy(const fixture *f)
{
    remove_files(f->dir);
    copy_in(f->dir, "data.mdb");
    copy_in(f->dir, "almanac.sequence");
}

static int setup(void **state)
{
    fixture *f = alm_calloc(1, sizeof *f);
    *f = (fixture){.bytes_max = (size_t)256 << 20, .st = ALM_STATUS_INIT};
    snprintf(f->dir, sizeof f->dir, "/tmp/alm_upgrade_XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->arena = alm_arena_create(0);
    put_copy(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    alm_store_close(&f->store);
    alm_arena_destroy(&f->arena);
    remove_files(f->dir);
    assert_int_equal(rmdir(f->dir), 0);
    alm_free(f);
    return 0;
}

// --- answers -------------------------------------------------------------------------------------

static void assert_same_text(bytes want, bytes have)
{
    size_t line = 1;
    size_t at = 0;
    while (at < want.len && at < have.len && want.data[at] == have.data[at]) {
        line += want.data[at++] == '\n';
    }
    if (at < want.len || at < have.len) {
        while (at > 0 && want.data[at - 1] != '\n') {
            at--;
        }
        fail_msg("line %zu\n  was %.300s\n  is  %.300s", line, want.data + at, have.data + at);
    }
}

static bytes read_stream(FILE *file)
{
    long len = ftell(file);
    assert_true(len >= 0);
    bytes all = {.data = alm_calloc(1, (size_t)len + 1), .len = (size_t)len};
    assert_non_null(all.data);
    rewind(file);
    assert_int_equal(fread(all.data, 1, all.len, file), all.len);
    return all;
}

// Every batch is answered again as it was, and everything reads as it did.
static void assert_as_it_was(fixture *f)
{
    FILE *out = tmpfile();
    assert_non_null(out);
    sample_commit(f, out);
    sample_dump(f, out);
    bytes want = read_file(answers_path);
    bytes have = read_stream(out);
    fclose(out);
    assert_same_text(want, have);
    alm_free(have.data);
    alm_free(want.data);
    alm_arena_reset(f->arena);
}

static void assert_says(const fixture *f, const char *words)
{
    if (strstr(f->st.message, words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", f->st.message, words);
    }
}

static alm_code try_open(fixture *f)
{
    alm_store_opts opts = {.bytes_max = f->bytes_max};
    f->st = ALM_STATUS_INIT;
    return alm_store_open(f->dir, &opts, &f->store, &f->st);
}

static void assert_untouched(const fixture *f)
{
    bytes was = read_file(path_in(store_dir, "data.mdb"));
    bytes is = read_file(path_in(f->dir, "data.mdb"));
    assert_int_equal(was.len, is.len);
    assert_memory_equal(was.data, is.data, was.len);
    assert_false(exists(f->dir, "data.mdb.new"));
    alm_free(was.data);
    alm_free(is.data);
}

// --- tests ---------------------------------------------------------------------------------------

static void a_store_of_format_1_opens_and_answers_as_it_did(void **state)
{
    fixture *f = *state;
    fixture_open(f);
    assert_as_it_was(f);
    assert_verifies(f);
    assert_as_it_was(f); // from series
    fixture_reopen(f);
    assert_as_it_was(f);
    assert_true(exists(f->dir, "data.mdb.format1"));
    assert_false(exists(f->dir, "data.mdb.new"));
}

static void commits_go_on_after_it(void **state)
{
    fixture *f = *state;
    alm_obs rows[] = {a_row(0, 2, 2024, 500, 60), a_row(0, 2, 2023, 501, 60)};
    fixture_open(f);
    alm_batch batch = batch_of_rows(rows, ALM_ARRAY_LEN(rows));
    alm_commit_result result = commit(f, batch);
    assert_int_equal(result.sequence, 11);
    assert_int_equal(result.added, 1);
    assert_int_equal(result.revised, 1);
    assert_verifies(f);
}

static void pause_us(int64_t us)
{
    struct timespec span = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    ppoll(NULL, 0, &span, NULL);
}

// Opens the store in a child and kills it after so long. True: it was not done yet.
static bool open_and_kill(fixture *f, int64_t after_us)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alm_code code = try_open(f);
        alm_store_close(&f->store);
        _exit(code == ALM_OK ? 0 : 1);
    }
    pause_us(after_us);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

#define KILL_COUNT 50

static void a_migration_killed_anywhere_is_made_again(void **state)
{
    fixture *f = *state;
    unsigned killed = 0;
    unsigned whole = 0;
    int64_t from_us = now_us();
    fixture_open(f);
    int64_t takes_us = now_us() - from_us;
    alm_store_close(&f->store);
    for (unsigned i = 0; i < KILL_COUNT; i++) {
        put_copy(f);
        killed += open_and_kill(f, takes_us * 3 * (i + 1) / KILL_COUNT);
        whole += exists(f->dir, "data.mdb.format1");
        if (i % 3 == 0) {
            killed += open_and_kill(f, takes_us * (i % 7) / 3);
        }
        fixture_open(f);
        if (i % 4 == 0) {
            assert_as_it_was(f);
        } else {
            alm_store_stats stats;
            ASSERT_OK(f, alm_store_stats_get(f->store, &stats, &f->st));
            assert_int_equal(stats.sequence, 10);
        }
        alm_store_close(&f->store);
    }
    print_message("%u killed, %u after the new file was in place\n", killed, whole);
    assert_true(killed >= KILL_COUNT / 4);
}

// What a kill between its last two steps leaves: the old file under both names.
static void its_last_step_is_made_again(void **state)
{
    fixture *f = *state;
    char kept[512];
    snprintf(kept, sizeof kept, "%s", path_in(f->dir, "data.mdb.format1"));
    assert_int_equal(link(path_in(f->dir, "data.mdb"), kept), 0);
    write_file(path_in(f->dir, "data.mdb.new"), (bytes){.data = (char[]){"half"}, .len = 4});
    fixture_open(f);
    assert_as_it_was(f);
    bytes was = read_file(path_in(store_dir, "data.mdb"));
    bytes is = read_file(kept);
    assert_int_equal(was.len, is.len);
    assert_memory_equal(was.data, is.data, was.len);
    alm_free(was.data);
    alm_free(is.data);
}

static void an_earlier_copy_is_not_overwritten(void **state)
{
    fixture *f = *state;
    copy_in(f->dir, "data.mdb");
    write_file(path_in(f->dir, "data.mdb.format1"), (bytes){.data = (char[]){"x"}, .len = 1});
    assert_int_equal(try_open(f), ALM_FAILED_PRECONDITION);
    assert_says(f, "move it away");
    assert_untouched(f);
}

// The bytes of every note are somewhere in the log and in slices: one that is changed must be seen.
static void a_damaged_store_is_refused_and_stays(void **state)
{
    fixture *f = *state;
    static const char note[] = "第1版";
    bytes all = read_file(path_in(store_dir, "data.mdb"));
    char *at = memmem(all.data, all.len, note, sizeof note - 1);
    assert_non_null(at);
    at[3] = '2';
    write_file(path_in(f->dir, "data.mdb"), all);
    assert_int_equal(try_open(f), ALM_DATA_LOSS);
    assert_says(f, "is damaged");
    assert_false(exists(f->dir, "data.mdb.new"));
    bytes is = read_file(path_in(f->dir, "data.mdb"));
    assert_memory_equal(all.data, is.data, all.len);
    alm_free(all.data);
    alm_free(is.data);
}

// A limit on file sizes stands for a disk that fills up.
static void without_room_it_is_refused_and_stays(void **state)
{
    fixture *f = *state;
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit limit = {.rlim_cur = 400000, .rlim_max = 400000};
        signal(SIGXFSZ, SIG_IGN);
        bool is_limited = setrlimit(RLIMIT_FSIZE, &limit) == 0;
        _exit(is_limited && try_open(f) != ALM_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_untouched(f);
    fixture_open(f);
    assert_as_it_was(f);
}

// The store's file, opened for writing past the store.
typedef struct raw_file {
    MDB_env *env;
    MDB_dbi dbis[LMDB_DBI_COUNT];
    lmdb_txn txn;
} raw_file;

static void raw_open(raw_file *raw, const char *dir)
{
    *raw = (raw_file){.txn = {.bases = lmdb_bases_create()}};
    raw->txn.dbis = raw->dbis;
    assert_int_equal(mdb_env_create(&raw->env), 0);
    assert_int_equal(mdb_env_set_mapsize(raw->env, (size_t)256 << 20), 0);
    assert_int_equal(mdb_env_set_maxdbs(raw->env, LMDB_DBI_COUNT), 0);
    assert_int_equal(mdb_env_open(raw->env, dir, 0, 0640), 0);
    assert_int_equal(mdb_txn_begin(raw->env, NULL, 0, &raw->txn.txn), 0);
    for (int i = 1; i < LMDB_DBI_COUNT; i++) { // format 1 has fewer
        int error = mdb_dbi_open(raw->txn.txn, lmdb_dbi_name((lmdb_dbi)i), 0, &raw->dbis[i]);
        assert_true(error == 0 || error == MDB_NOTFOUND);
    }
}

static void raw_commit(raw_file *raw)
{
    assert_int_equal(mdb_txn_commit(raw->txn.txn), 0);
    lmdb_bases_destroy(&raw->txn.bases);
    mdb_env_close(raw->env);
}

static void put_rows(raw_file *raw, lmdb_dbi dbi, lmdb_slice_key slice, const alm_obs *rows,
                     size_t count, alm_arena *arena)
{
    alm_buf buf;
    lmdb_key key = lmdb_key_of_slice(slice);
    alm_buf_init(&buf, 0);
    assert_int_equal(alm_block_encode(rows, count, NULL, arena, &buf, NULL), ALM_OK);
    assert_int_equal(lmdb_put(&raw->txn, dbi, &key, &buf, 0, NULL), ALM_OK);
    alm_buf_deinit(&buf);
}

// In the first cell that has several vintages the winner and another change places.
static void let_another_win(const char *dir)
{
    static const int32_t zeros[8] = {0};
    alm_precedence precedence = {.of = zeros, .count = ALM_ARRAY_LEN(zeros)};
    raw_file raw;
    lmdb_scan scan;
    lmdb_slice_key slice;
    alm_chunk chunk;
    alm_arena *arena = alm_arena_create(0);
    raw_open(&raw, dir);
    assert_int_equal(lmdb_scan_open(&raw.txn, LMDB_VINTAGES, &scan, NULL), ALM_OK);
    assert_int_equal(lmdb_scan_seek(&scan, NULL, NULL), ALM_OK);
    assert_true(scan.found);
    assert_true(lmdb_slice_key_from(scan.key, &slice));
    lmdb_scan_close(&scan);
    assert_int_equal(lmdb_chunk_get(&raw.txn, slice, &precedence, arena, &chunk, NULL), ALM_OK);
    alm_obs *other = (alm_obs *)(uintptr_t)&chunk.others[0];
    alm_obs *winner = (alm_obs *)(uintptr_t)alm_chunk_winner(&chunk, other->place);
    assert_non_null(winner);
    alm_obs was = *winner;
    *winner = *other;
    *other = was;
    put_rows(&raw, LMDB_SLICE, slice, chunk.winners, chunk.winner_count, arena);
    put_rows(&raw, LMDB_VINTAGES, slice, chunk.others, chunk.other_count, arena);
    raw_commit(&raw);
    alm_arena_destroy(&arena);
}

static void put_version(const char *dir, uint32_t version)
{
    raw_file raw;
    alm_buf buf;
    lmdb_key key = lmdb_key_of_text(ALM_STR("format"));
    raw_open(&raw, dir);
    alm_buf_init(&buf, 0);
    alm_buf_str(&buf, ALM_STR("ALMSTORE"));
    alm_buf_u32(&buf, version);
    alm_buf_str(&buf, ALM_STR("almanac 9"));
    assert_int_equal(lmdb_put(&raw.txn, LMDB_META, &key, &buf, 0, NULL), ALM_OK);
    alm_buf_deinit(&buf);
    raw_commit(&raw);
}

static void a_store_of_a_newer_format_is_refused(void **state)
{
    fixture *f = *state;
    put_version(f->dir, 99);
    assert_int_equal(try_open(f), ALM_FAILED_PRECONDITION);
    assert_says(f, "format 99, written by almanac 9");
}

// Only which vintage wins was otherwise there, and a rebuild chooses anew.
static void a_store_of_format_2_is_made_anew(void **state)
{
    fixture *f = *state;
    alm_rebuild_result result;
    alm_verify_result verified;
    alm_store_opts opts = {.bytes_max = f->bytes_max};
    fixture_open(f);
    alm_store_close(&f->store);
    let_another_win(f->dir);
    ASSERT_OK(f, alm_store_verify_dir(f->dir, &opts, NULL, NULL, &verified, &f->st));
    assert_true(verified.problems > 0);
    put_version(f->dir, 2);
    assert_int_equal(try_open(f), ALM_FAILED_PRECONDITION);
    assert_says(f, "`almanac verify DIR --rebuild` makes it anew");
    assert_int_equal(alm_store_verify_dir(f->dir, &opts, NULL, NULL, &verified, &f->st),
                     ALM_FAILED_PRECONDITION);
    f->st = ALM_STATUS_INIT;
    ASSERT_OK(f, alm_store_rebuild(f->dir, &opts, NULL, NULL, &result, &f->st));
    fixture_open(f);
    assert_as_it_was(f);
    assert_verifies(f);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s FOLDER ANSWERS\n", argv[0]);
        return 2;
    }
    store_dir = argv[1];
    answers_path = argv[2];
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_store_of_format_1_opens_and_answers_as_it_did),
        TEST(commits_go_on_after_it),
        TEST(a_migration_killed_anywhere_is_made_again),
        TEST(its_last_step_is_made_again),
        TEST(an_earlier_copy_is_not_overwritten),
        TEST(a_damaged_store_is_refused_and_stays),
        TEST(without_room_it_is_refused_and_stays),
        TEST(a_store_of_a_newer_format_is_refused),
        TEST(a_store_of_format_2_is_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
