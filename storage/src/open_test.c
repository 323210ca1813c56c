// Opening and damage: who may open a store, which stores are refused, and that a damaged one
// answers with a status, never with another value. Damaged copies are read in a child: what is not
// found when a store is opened may crash LMDB.
#include "store_fixture.h"

#include "lmdb_store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static alm_code try_open(fixture *f, const char *dir)
{
    alm_store *store = NULL;
    alm_store_opts opts = {.bytes_max = (size_t)64 << 20};
    f->st = ALM_STATUS_INIT;
    alm_code code = alm_store_open(dir, &opts, &store, &f->st);
    alm_store_close(&store);
    return code;
}

// What the store logs goes to *ret_text, which is the caller's to free.
static alm_code open_logged(fixture *f, const char *dir, char **ret_text)
{
    enum { TEXT_MAX = 65536 };
    alm_log log;
    alm_store *store = NULL;
    alm_log_init(&log, "test");
    log.fd = memfd_create("log", MFD_CLOEXEC);
    assert_true(log.fd >= 0);
    alm_store_opts opts = {.bytes_max = (size_t)64 << 20, .log = &log};
    f->st = ALM_STATUS_INIT;
    alm_code code = alm_store_open(dir, &opts, &store, &f->st);
    alm_store_close(&store);
    *ret_text = alm_calloc(TEXT_MAX, 1);
    assert_non_null(*ret_text);
    assert_true(pread(log.fd, *ret_text, TEXT_MAX - 1, 0) >= 0);
    close(log.fd);
    return code;
}

static void assert_says(const fixture *f, const char *words)
{
    if (strstr(f->st.message, words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", f->st.message, words);
    }
}

// --- who may open --------------------------------------------------------------------------------

static void a_store_has_one_owner(void **state)
{
    fixture *f = *state;
    char pid[32];
    assert_int_equal(try_open(f, f->dir), ALM_FAILED_PRECONDITION);
    snprintf(pid, sizeof pid, "(%ld)", (long)getpid());
    assert_says(f, pid);
    alm_store_close(&f->store);
    fixture_open(f);
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    fixture *f = *state;
    assert_int_not_equal(try_open(f, "/nowhere/at/all"), ALM_OK);
    assert_says(f, "/nowhere/at/all");
}

static void write_file(const char *dir, const void *data, size_t len)
{
    char path[128];
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void what_is_no_store_is_refused(void **state)
{
    fixture *f = *state;
    char dir[] = "/tmp/alm_store_XXXXXX";
    static const char text_file[] = "code,name\n310105,Changning\n";
    assert_non_null(mkdtemp(dir));
    write_file(dir, text_file, sizeof text_file);
    assert_int_equal(try_open(f, dir), ALM_DATA_LOSS);
    assert_says(f, "is not a store");
    write_file(dir, "", 0);
    alm_verify_result result;
    alm_store_opts opts = {.bytes_max = f->bytes_max};
    alm_code code = alm_store_verify_dir(dir, &opts, NULL, NULL, &result, &f->st);
    assert_int_equal(code, ALM_DATA_LOSS);
    assert_says(f, "is not a store: it is empty");
    fixture_remove(dir);
}

// An LMDB of somebody else, and one of ours from the future.
static void put_stamp(const char *dir, const char *dbi_name, const void *value, size_t len)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    char key_text[] = "format";
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
    assert_int_equal(mdb_env_open(env, dir, 0, 0640), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, dbi_name, MDB_CREATE, &dbi), 0);
    char copy[128];
    memcpy(copy, value, len);
    MDB_val key = {.mv_size = 6, .mv_data = key_text};
    MDB_val val = {.mv_size = len, .mv_data = copy};
    assert_int_equal(mdb_put(txn, dbi, &key, &val, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void a_strangers_database_is_refused(void **state)
{
    fixture *f = *state;
    char dir[] = "/tmp/alm_store_XXXXXX";
    assert_non_null(mkdtemp(dir));
    put_stamp(dir, "theirs", "x", 1);
    assert_int_equal(try_open(f, dir), ALM_DATA_LOSS);
    assert_says(f, "not a store");
    fixture_remove(dir);
}

static void a_damaged_stamp_is_refused(void **state)
{
    fixture *f = *state;
    alm_store_close(&f->store);
    put_stamp(f->dir, "meta", "ALMSTORE\x01\0\0\0almanac 0.1........", 31);
    assert_int_equal(try_open(f, f->dir), ALM_DATA_LOSS);
    assert_says(f, "meta format");
}

// --- the map -------------------------------------------------------------------------------------

// Fills the store, and looks at its figures at each step.
static void a_map_that_gets_full_is_told(void **state)
{
    fixture *f = *state;
    alm_log log;
    static char text[65536];
    alm_store_stats stats = {0};
    alm_log_init(&log, "test");
    log.fd = memfd_create("log", MFD_CLOEXEC);
    alm_store_opts opts = {.bytes_max = (size_t)1 << 20, .log = &log};
    alm_store_close(&f->store);
    ASSERT_OK(f, alm_store_open(f->dir, &opts, &f->store, &f->st));
    commit_catalog(f);
    alm_code code = ALM_OK;
    for (int year = 1; code == ALM_OK && !stats.is_nearly_full; year++) {
        alm_commit_result result;
        alm_obs row = a_row(0, 0, year, year, 1);
        assert_true(pread(log.fd, text, sizeof text - 1, 0) >= 0);
        assert_null(strstr(text, "nearly_full"));
        code = try_commit(f, batch_of_rows(&row, 1), &result);
        ASSERT_OK(f, alm_store_stats_get(f->store, &stats, &f->st));
    }
    assert_true(stats.bytes_used * 100 >= stats.bytes_max * 79);
    // The warning may be that of a commit that folded.
    ASSERT_OK(f, alm_store_compact(f->store, &f->st));
    assert_true(pread(log.fd, text, sizeof text - 1, 0) >= 0);
    assert_non_null(strstr(text, "level=warn"));
    assert_non_null(strstr(text, "store.nearly_full"));
    alm_store_close(&f->store);
    close(log.fd);
    fixture_open(f);
}

// The sanitizers take more themselves.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// A process that may not have the address space takes less.
static void little_address_space_is_enough(void **state)
{
    fixture *f = *state;
    alm_store_stats stats;
    struct rlimit before, small;
    alm_store_close(&f->store);
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    small = before;
    small.rlim_cur = (rlim_t)96 << 30;
    if (setrlimit(RLIMIT_AS, &small) != 0) {
        skip();
    }
    alm_code code = alm_store_open(f->dir, NULL, &f->store, &f->st);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    ASSERT_OK(f, code);
    ASSERT_OK(f, alm_store_stats_get(f->store, &stats, &f->st));
    assert_true(stats.bytes_max >= (uint64_t)1 << 28 && stats.bytes_max <= (uint64_t)64 << 30);
}
#endif

// --- a file cut short ----------------------------------------------------------------------------

static size_t file_bytes(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return (size_t)info.st_size;
}

static void fill(fixture *f)
{
    commit_catalog(f);
    for (int year = 1950; year < 2020; year++) {
        alm_obs rows[8];
        for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
            rows[i] =
                a_row((uint32_t)(i % 2), (alm_place_id)(i / 2), year, year * 1000 + (int64_t)i, 1);
            rows[i].note = i == 0 ? text("初步核算数，以年鉴为准") : (alm_str){0};
        }
        commit(f, batch_of_rows(rows, ALM_ARRAY_LEN(rows)));
        rows[0] = a_row(0, 0, year, year, 2);
        commit(f, batch_of_rows(rows, 1));
    }
}

static void a_file_cut_short_is_refused(void **state)
{
    fixture *f = *state;
    char path[128];
    alm_store_stats stats;
    fill(f);
    ASSERT_OK(f, alm_store_stats_get(f->store, &stats, &f->st));
    alm_store_close(&f->store);
    snprintf(path, sizeof path, "%s/data.mdb", f->dir);
    assert_true(file_bytes(path) >= stats.bytes_used);
    assert_int_equal(truncate(path, (off_t)stats.bytes_used), 0);
    assert_int_equal(try_open(f, f->dir), ALM_OK);
    for (size_t cut = 1; cut < stats.bytes_used - 8192; cut = cut * 3 + 1) {
        assert_int_equal(truncate(path, (off_t)(stats.bytes_used - cut)), 0);
        assert_int_equal(try_open(f, f->dir), ALM_DATA_LOSS);
        assert_says(f, "cut short");
    }
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(try_open(f, f->dir), ALM_DATA_LOSS);
}

// --- flipped bits --------------------------------------------------------------------------------

typedef struct image {
    uint8_t *data;
    size_t len;
} image;

static image read_image(const char *dir, size_t len)
{
    char path[128];
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    image copy = {.data = alm_alloc(len), .len = len};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(copy.data, 1, len, file), len);
    fclose(file);
    return copy;
}

enum { CHILD_SAME = 10, CHILD_REFUSED, CHILD_HIDDEN, CHILD_WRONG, CHILD_UNSEEN };

static void count_problem(void *arg, alm_str problem)
{
    (void)problem;
    ++*(int *)arg;
}

// In the child no assertion may fail: it would go on as a second run of the tests.
typedef struct judge_ctx {
    const answer *want;
    size_t count;
    bool is_wrong;
} judge_ctx;

static const alm_obs *find_row(const answer *want, alm_str variant, const alm_obs *row)
{
    for (size_t i = 0; i < want->count; i++) {
        const alm_obs *it = &want->rows[i];
        if (it->sequence == row->sequence && it->place == row->place &&
            it->period.ordinal == row->period.ordinal &&
            alm_str_eq(want->variants[it->variant], variant)) {
            return it;
        }
    }
    return NULL;
}

static alm_code judge_rows(void *arg, alm_str variant, const alm_obs_columns *rows, alm_status *st)
{
    judge_ctx *ctx = arg;
    (void)st;
    for (size_t i = 0; i < rows->count; i++) {
        const alm_obs row = alm_obs_at(rows, i);
        const alm_obs *it = find_row(ctx->want, variant, &row);
        ctx->is_wrong = ctx->is_wrong || it == NULL ||
                        it->value.number.mantissa != row.value.number.mantissa ||
                        !alm_str_eq(it->note, row.note);
    }
    ctx->count += rows->count;
    return ALM_OK;
}

// What reading everything out of a damaged copy comes to. want: the undamaged answer.
static int judge(const char *dir, const answer *want)
{
    alm_store *store = NULL;
    alm_store_opts opts = {.bytes_max = (size_t)64 << 20};
    judge_ctx ctx = {.want = want};
    alm_read read = read_all();
    read.all_vintages = true;
    if (alm_store_open(dir, &opts, &store, NULL) != ALM_OK) {
        return CHILD_REFUSED;
    }
    alm_code code = alm_store_read(store, &read, judge_rows, &ctx, NULL, NULL);
    if (ctx.is_wrong || ctx.count > want->count) {
        return CHILD_WRONG;
    }
    if (code != ALM_OK) {
        return CHILD_REFUSED;
    }
    if (ctx.count == want->count) {
        return CHILD_SAME;
    }
    int problems = 0;
    alm_verify_result verified;
    bool is_seen = alm_store_verify(store, count_problem, &problems, &verified, NULL) != ALM_OK ||
                   problems > 0;
    return is_seen ? CHILD_HIDDEN : CHILD_UNSEEN;
}

typedef struct verdicts {
    int same, refused, hidden, crashed;
} verdicts;

static void judge_in_child(const char *dir, const answer *want, verdicts *v, size_t bit)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
        for (size_t i = 0; i < ALM_ARRAY_LEN(signals); i++) {
            signal(signals[i], SIG_DFL); // cmocka's handlers would go on with the next test
        }
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 2);
        alarm(20); // LMDB may also run in circles
        _exit(judge(dir, want));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    int verdict = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (verdict == CHILD_WRONG || verdict == CHILD_UNSEEN) {
        fail_msg("bit %zu of the file: %s", bit,
                 verdict == CHILD_WRONG ? "a wrong value" : "rows are gone, and verify is content");
    }
    v->same += verdict == CHILD_SAME;
    v->refused += verdict == CHILD_REFUSED;
    v->hidden += verdict == CHILD_HIDDEN;
    v->crashed += verdict < CHILD_SAME || verdict > CHILD_UNSEEN;
}

static const answer *fill_and_read(fixture *f, image *ret_image)
{
    alm_store_stats stats;
    fill(f);
    alm_read read = read_all();
    read.all_vintages = true;
    answer *want = read_rows(f, read);
    assert_int_equal(want->count, 70 * 9);
    ASSERT_OK(f, alm_store_stats_get(f->store, &stats, &f->st));
    alm_store_close(&f->store);
    *ret_image = read_image(f->dir, stats.bytes_used);
    return want;
}

static void flipped_bits_never_give_a_wrong_value(void **state)
{
    fixture *f = *state;
    image copy;
    verdicts v = {0};
    const char *seed_text = getenv("ALM_TEST_SEED");
    uint64_t random = seed_text != NULL ? strtoull(seed_text, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %llu (ALM_TEST_SEED)\n", (unsigned long long)random);
    const answer *want = fill_and_read(f, &copy);
    for (int round = 0; round < 200; round++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        size_t bit = (random >> 20) % (copy.len * 8);
        copy.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        write_file(f->dir, copy.data, copy.len);
        judge_in_child(f->dir, want, &v, bit);
        copy.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    print_message("%d unharmed, %d refused\n", v.same, v.refused);
    assert_int_equal(v.hidden + v.crashed, 0);
    write_file(f->dir, copy.data, copy.len);
    fixture_open(f);
    assert_verifies(f);
    alm_free(copy.data);
}

// Which of the two meta pages counts is told by their transaction ids, and no checksum guards them.
static void a_flipped_bit_in_a_meta_page_is_seen(void **state)
{
    fixture *f = *state;
    image copy;
    verdicts v = {0};
    const answer *want = fill_and_read(f, &copy);
    enum { META_FROM = 128, META_TO = 152, PAGE = 4096 }; // root, last page, transaction
    for (size_t byte = META_FROM; byte < META_TO; byte++) {
        for (size_t bit = 0; bit < 16; bit++) {
            size_t at = byte + (bit / 8) * PAGE;
            copy.data[at] ^= (uint8_t)(1 << bit % 8);
            write_file(f->dir, copy.data, copy.len);
            judge_in_child(f->dir, want, &v, at * 8 + bit % 8);
            copy.data[at] ^= (uint8_t)(1 << bit % 8);
        }
    }
    print_message("%d unharmed, %d refused\n", v.same, v.refused);
    assert_int_equal(v.hidden + v.crashed, 0);
    write_file(f->dir, copy.data, copy.len);
    fixture_open(f);
    alm_free(copy.data);
}

typedef struct said {
    char text[600];
    int count;
} said;

static void hear(void *arg, alm_str text)
{
    said *s = arg;
    s->count++;
    snprintf(s->text, sizeof s->text, "%.*s", ALM_STR_ARGS(text));
}

// Verify of the folder tells one thing, this; so does a rebuild, which changes nothing about it.
static void assert_verify_says(fixture *f, const char *text)
{
    said heard = {0};
    alm_verify_result result;
    alm_rebuild_result rebuilt;
    alm_store_opts opts = {.bytes_max = f->bytes_max};
    ASSERT_OK(f, alm_store_verify_dir(f->dir, &opts, hear, &heard, &result, &f->st));
    assert_int_equal(heard.count, 1);
    assert_int_equal(result.problems, 1);
    assert_non_null(strstr(heard.text, text));
    heard = (said){0};
    ASSERT_OK(f, alm_store_rebuild(f->dir, &opts, hear, &heard, &rebuilt, &f->st));
    assert_int_equal(heard.count, 1);
    assert_non_null(strstr(heard.text, text));
    snprintf(heard.text, sizeof heard.text, "%s/data.mdb.damaged", f->dir);
    assert_int_equal(remove(heard.text), 0);
}

static void an_older_copy_is_refused_until_it_is_meant(void **state)
{
    fixture *f = *state;
    char path[128];
    alm_store_stats stats;
    ASSERT_OK(f, alm_store_stats_get(f->store, &stats, &f->st));
    image older = read_image(f->dir, stats.bytes_used);
    fill(f);
    alm_store_close(&f->store);
    write_file(f->dir, older.data, older.len);
    assert_int_equal(try_open(f, f->dir), ALM_DATA_LOSS);
    assert_says(f, "was acknowledged");
    assert_says(f, "almanac.sequence");
    assert_verify_says(f, "was acknowledged");

    snprintf(path, sizeof path, "%s/almanac.sequence", f->dir);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs("9\n", file) >= 0 && fclose(file) == 0);
    assert_int_equal(try_open(f, f->dir), ALM_DATA_LOSS);
    assert_says(f, "twenty digits");
    assert_verify_says(f, "twenty digits");

    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(try_open(f, f->dir), ALM_DATA_LOSS);
    assert_says(f, "twenty digits");

    assert_int_equal(remove(path), 0);
    assert_int_equal(try_open(f, f->dir), ALM_OK);
    assert_int_equal(file_bytes(path), 21); // never without digits
    fixture_open(f);
    alm_free(older.data);
}

// The note stands in the file as it is: every copy of it that a read meets must be found out.
static void a_flipped_bit_in_a_value_is_data_loss(void **state)
{
    fixture *f = *state;
    image copy;
    verdicts v = {0};
    alm_str note = ALM_STR("初步核算数");
    const answer *want = fill_and_read(f, &copy);
    for (size_t at = 0; at + note.len <= copy.len; at++) {
        if (memcmp(copy.data + at, note.data, note.len) == 0 && v.refused < 40) {
            copy.data[at] ^= 1;
            write_file(f->dir, copy.data, copy.len);
            judge_in_child(f->dir, want, &v, at * 8);
            copy.data[at] ^= 1;
        }
    }
    // The log's copies and those of pages no longer in use are not met.
    assert_true(v.refused > 0);
    assert_int_equal(v.hidden + v.crashed, 0);
    print_message("%d refused, %d not met\n", v.refused, v.same);
    write_file(f->dir, copy.data, copy.len);
    fixture_open(f);
    alm_free(copy.data);
}

// A record that hides would be missed without a word; so its store does not open.
static void a_damaged_key_is_refused(void **state)
{
    fixture *f = *state;
    image copy;
    int told = 0;
    alm_str variant = fixture_variants[0];
    (void)fill_and_read(f, &copy);
    // As the key of variant_id; as a value, and in pages no longer in use, it does no such harm.
    for (size_t at = 0; at + variant.len <= copy.len; at++) {
        if (memcmp(copy.data + at, variant.data, variant.len) != 0) {
            continue;
        }
        size_t byte = at + variant.len - 1;
        copy.data[byte] ^= 1;
        write_file(f->dir, copy.data, copy.len);
        alm_code code = try_open(f, f->dir);
        assert_true(code == ALM_OK || code == ALM_DATA_LOSS);
        if (code != ALM_OK && strstr(f->st.message, "keys of database") != NULL) {
            assert_says(f, "\"variant_id\"");
            assert_says(f, "record variant_id ");
            told++;
        }
        copy.data[byte] ^= 1;
    }
    assert_true(told > 0);
    write_file(f->dir, copy.data, copy.len);
    fixture_open(f);
    assert_verifies(f);
    alm_free(copy.data);
}

static void a_damaged_page_is_named(void **state)
{
    fixture *f = *state;
    image copy;
    (void)fill_and_read(f, &copy);
    memset(copy.data + 8192, 0, copy.len - 8192); // all but the meta pages
    write_file(f->dir, copy.data, copy.len);
    assert_int_equal(try_open(f, f->dir), ALM_DATA_LOSS);
    assert_says(f, "data.mdb: page ");
    assert_says(f, "says it is page 0");
    assert_int_equal(alm_store_open(f->dir, NULL, &f->store, NULL), ALM_DATA_LOSS);
    fixture_remove(f->dir);
    assert_int_equal(mkdir(f->dir, 0700), 0);
    fixture_open(f);
    alm_free(copy.data);
}

// Takes a commit out of the log. sums: the head says so.
static void remove_commit(fixture *f, uint64_t sequence, bool sums)
{
    lmdb_txn txn;
    alm_head head;
    alm_buf scratch;
    lmdb_store *store = lmdb_of(f->store);
    lmdb_key key = lmdb_key_of_u64(sequence);
    alm_buf_init(&scratch, 0);
    ASSERT_OK(f, lmdb_begin_write(store, &txn, &f->st));
    ASSERT_OK(f, lmdb_head_get(&txn, &head, &f->st));
    ASSERT_OK(f, lmdb_delete(&txn, LMDB_LOG, &key, &f->st));
    if (sums) {
        ASSERT_OK(f, lmdb_head_put(&txn, &head, &scratch, &f->st));
    }
    ASSERT_OK(f, lmdb_commit(store, &txn, &f->st));
    alm_buf_deinit(&scratch);
}

static void a_record_that_is_gone_is_seen(void **state)
{
    fixture *f = *state;
    fill(f);
    remove_commit(f, 3, false);
    alm_store_close(&f->store);
    assert_int_equal(try_open(f, f->dir), ALM_DATA_LOSS);
    assert_says(f, "the keys of database \"log\"");
    assert_says(f, "one is gone");
    fixture_remove(f->dir);
    assert_int_equal(mkdir(f->dir, 0700), 0);
    fixture_open(f);
}

// The commit after it is not the answer.
static void a_commit_missing_in_the_log_is_named(void **state)
{
    fixture *f = *state;
    alm_change change;
    fill(f);
    remove_commit(f, 3, true);
    ASSERT_OK(f, alm_store_change(f->store, 2, f->arena, &change, &f->st));
    assert_int_equal(alm_store_change(f->store, 3, f->arena, &change, &f->st), ALM_DATA_LOSS);
    assert_says(f, "log 0000000000000003");
    ASSERT_OK(f, alm_store_change(f->store, 4, f->arena, &change, &f->st));
    assert_int_equal(change.sequence, 4);
}

// One bad value must not make all others unreadable.
static void a_damaged_value_is_told_when_opened(void **state)
{
    fixture *f = *state;
    image copy;
    int told = 0;
    alm_str note = ALM_STR("初步核算数");
    (void)fill_and_read(f, &copy);
    for (size_t at = 0; at + note.len <= copy.len && told < 5; at++) {
        char *log;
        if (memcmp(copy.data + at, note.data, note.len) != 0) {
            continue;
        }
        copy.data[at] ^= 1;
        write_file(f->dir, copy.data, copy.len);
        assert_int_equal(open_logged(f, f->dir, &log), ALM_OK);
        if (strstr(log, "store.record_damaged") != NULL) {
            assert_non_null(strstr(log, "level=warn"));
            assert_true(strstr(log, "record=\"slice ") != NULL ||
                        strstr(log, "record=\"log ") != NULL ||
                        strstr(log, "record=\"series ") != NULL ||
                        strstr(log, "record=\"vintages ") != NULL);
            told++;
        }
        alm_free(log);
        copy.data[at] ^= 1;
    }
    assert_true(told > 0);
    write_file(f->dir, copy.data, copy.len);
    fixture_open(f);
    alm_free(copy.data);
}

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_store_has_one_owner),
        FIXTURE_TEST(a_folder_that_cannot_be_made_is_named),
        FIXTURE_TEST(what_is_no_store_is_refused),
        FIXTURE_TEST(a_strangers_database_is_refused),
        FIXTURE_TEST(a_damaged_stamp_is_refused),
        FIXTURE_TEST(a_map_that_gets_full_is_told),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        FIXTURE_TEST(little_address_space_is_enough),
#endif
        FIXTURE_TEST(a_file_cut_short_is_refused),
        FIXTURE_TEST(flipped_bits_never_give_a_wrong_value),
        FIXTURE_TEST(a_flipped_bit_in_a_meta_page_is_seen),
        FIXTURE_TEST(an_older_copy_is_refused_until_it_is_meant),
        FIXTURE_TEST(a_flipped_bit_in_a_value_is_data_loss),
        FIXTURE_TEST(a_damaged_page_is_named),
        FIXTURE_TEST(a_damaged_key_is_refused),
        FIXTURE_TEST(a_record_that_is_gone_is_seen),
        FIXTURE_TEST(a_commit_missing_in_the_log_is_named),
        FIXTURE_TEST(a_damaged_value_is_told_when_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
