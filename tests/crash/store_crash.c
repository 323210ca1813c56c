// Goal: what the store acknowledged is there after SIGKILL, and no batch is there by half. Method:
// a child commits batches from several threads and reports each acknowledgment through a pipe; it
// is killed at a random moment, the store is opened again, verified and read. ALM_CRASH_ROUNDS,
// ALM_TEST_SEED.
//
// The page cache survives SIGKILL, so this tests atomicity and the order of things, not the disk's
// flush.
#include "alm/alloc.h"
#include "alm/clock.h"
#include "alm/store.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define THREAD_COUNT   4
#define PLACE_COUNT    4
#define VARIANT_COUNT  2
#define ROWS_OF_BATCH  (PLACE_COUNT * VARIANT_COUNT)
#define BATCH_MAX      200000
#define BATCH_SIZE_MAX 64

static const alm_str variants[VARIANT_COUNT] = {{"D.gdp.P.level._Z._T", 19},
                                                {"D.gdp.P.level._Z.industry=software", 34}};

static alm_store *open_store(const char *dir, size_t map_bytes)
{
    alm_store *store = NULL;
    alm_status st = ALM_STATUS_INIT;
    alm_store_opts opts = {.map_bytes = map_bytes};
    if (alm_store_open(dir, &opts, &store, &st) != ALM_OK) {
        fail_msg("open: %s", st.message);
    }
    return store;
}

static void load_catalog(alm_store *store)
{
    alm_arena *arena = alm_arena_create(0);
    alm_status st = ALM_STATUS_INIT;
    alm_commit_result result;
    alm_indicator indicator = {.code = ALM_STR("gdp"),
                               .name_zh = ALM_STR("地区生产总值"),
                               .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
                               .value_type = ALM_VALUE_TYPE_FLOW,
                               .over_places = ALM_AGGREGATION_SUM,
                               .over_time = ALM_AGGREGATION_SUM};
    alm_place places[PLACE_COUNT];
    static const char *const codes[PLACE_COUNT] = {"11", "12", "13", "14"};
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        places[i] = (alm_place){.code = alm_str_from(codes[i]),
                                .name_zh = alm_str_from(codes[i]),
                                .level = ALM_LEVEL_PROVINCE,
                                .valid_from = ALM_DATE_NONE,
                                .valid_to = ALM_DATE_MAX};
    }
    alm_batch batch = {.id = ALM_STR("catalogue"),
                       .indicators = &indicator,
                       .indicator_count = 1,
                       .places = places,
                       .place_count = PLACE_COUNT};
    if (alm_store_commit(store, &batch, arena, &result, &st) != ALM_OK) {
        fail_msg("catalogue: %s", st.message);
    }
    alm_arena_destroy(&arena);
}

// Batch n: one day, every place and variant; the value tells where it came from.
static int64_t value_of(uint32_t batch, size_t row)
{
    return (int64_t)batch * 100 + (int64_t)row;
}

static alm_code commit_batch(alm_store *store, uint32_t n, alm_arena *arena, alm_status *st)
{
    char id[BATCH_SIZE_MAX];
    alm_obs rows[ROWS_OF_BATCH];
    alm_commit_result result;
    for (size_t i = 0; i < ROWS_OF_BATCH; i++) {
        rows[i] =
            (alm_obs){.variant = (uint32_t)(i / PLACE_COUNT),
                      .place = (alm_place_id)(i % PLACE_COUNT),
                      .period = {.freq = ALM_FREQ_DAY, .length = 1, .ordinal = 500000 + (int32_t)n},
                      .value = {.number = {.mantissa = value_of(n, i)},
                                .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
                                .has_number = true},
                      .source = ALM_SOURCE_NONE,
                      .published = 19723};
    }
    snprintf(id, sizeof id, "batch-%u", n);
    alm_batch batch = {.id = alm_str_from(id),
                       .variants = variants,
                       .variant_count = VARIANT_COUNT,
                       .obs = rows,
                       .obs_count = ROWS_OF_BATCH};
    return alm_store_commit(store, &batch, arena, &result, st);
}

// --- the child -----------------------------------------------------------------------------------

typedef struct committer {
    alm_store *store;
    uint32_t next; // batch; steps of THREAD_COUNT
    int ack_fd;
} committer;

// Until it is killed, or has nothing more to do.
static void *run_committer(void *arg)
{
    committer *c = arg;
    alm_arena *arena = alm_arena_create(0);
    for (uint32_t n = c->next; n < BATCH_MAX; n += THREAD_COUNT) {
        alm_status st = ALM_STATUS_INIT;
        if (commit_batch(c->store, n, arena, &st) != ALM_OK ||
            write(c->ack_fd, &n, sizeof n) != (ssize_t)sizeof n) {
            _exit(1);
        }
        alm_arena_reset(arena);
    }
    return NULL;
}

static void run_child(const char *dir, uint32_t first, int ack_fd)
{
    pthread_t threads[THREAD_COUNT];
    committer committers[THREAD_COUNT];
    alm_store *store = NULL;
    if (alm_store_open(dir, NULL, &store, NULL) != ALM_OK) {
        _exit(2);
    }
    for (uint32_t i = 0; i < THREAD_COUNT; i++) {
        committers[i] = (committer){.store = store, .next = first + i, .ack_fd = ack_fd};
        if (pthread_create(&threads[i], NULL, run_committer, &committers[i]) != 0) {
            _exit(3);
        }
    }
    for (uint32_t i = 0; i < THREAD_COUNT; i++) {
        pthread_join(threads[i], NULL);
    }
    _exit(0);
}

// --- the parent ----------------------------------------------------------------------------------

typedef struct ledger {
    uint8_t acknowledged[BATCH_MAX];
    uint8_t rows[BATCH_MAX]; // found after the crash
    uint32_t next;           // the first batch nobody has tried
    uint32_t acknowledged_count;
} ledger;

static int64_t now_ms(void)
{
    alm_clock clock = alm_clock_system();
    return alm_clock_mono_ms(&clock);
}

// Takes one acknowledgment. False: none came in time, or none will come any more.
static bool take_ack(ledger *l, int fd, int64_t until_ms)
{
    uint32_t n;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int64_t left_ms = until_ms - now_ms();
    if (poll(&ready, 1, (int)ALM_MAX(left_ms, 0)) != 1 ||
        read(fd, &n, sizeof n) != (ssize_t)sizeof n) {
        return false;
    }
    l->acknowledged[n] = 1;
    l->acknowledged_count++;
    l->next = ALM_MAX(l->next, n + 1);
    return true;
}

static void crash_once(const char *dir, ledger *l, int64_t life_ms)
{
    int fds[2];
    int status;
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(fds[0]);
        run_child(dir, l->next, fds[1]);
    }
    close(fds[1]);
    // The first acknowledgment first, so that every round crashes a store at work.
    assert_true(take_ack(l, fds[0], now_ms() + 60000));
    int64_t until_ms = now_ms() + life_ms;
    while (take_ack(l, fds[0], until_ms)) {}
    kill(child, SIGKILL);
    while (take_ack(l, fds[0], now_ms() + 60000)) { // until the pipe's end
    }
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    // Batches in flight were tried; each thread had at most one.
    l->next = (l->next / THREAD_COUNT + 3) * THREAD_COUNT;
}

static alm_code count_rows(void *arg, alm_str variant, const alm_obs *rows, size_t count,
                           alm_status *st)
{
    ledger *l = arg;
    (void)st;
    size_t first = alm_str_eq(variant, variants[0]) ? 0 : PLACE_COUNT;
    for (size_t i = 0; i < count; i++) {
        uint32_t n = (uint32_t)(rows[i].period.ordinal - 500000);
        assert_true(n < BATCH_MAX);
        assert_int_equal(rows[i].value.number.mantissa, value_of(n, first + rows[i].place));
        l->rows[n]++;
    }
    return ALM_OK;
}

static void tell(void *arg, alm_str problem)
{
    (void)arg;
    print_message("verify: %.*s\n", ALM_STR_ARGS(problem));
}

static void assert_clean(alm_store *store)
{
    alm_verify_result result;
    alm_status st = ALM_STATUS_INIT;
    if (alm_store_verify(store, tell, NULL, &result, &st) != ALM_OK) {
        fail_msg("verify: %s", st.message);
    }
    assert_int_equal(result.problems, 0);
}

static void assert_ledger(const char *dir, ledger *l)
{
    alm_status st = ALM_STATUS_INIT;
    alm_store *store = open_store(dir, 0);
    assert_clean(store);
    memset(l->rows, 0, sizeof l->rows);
    alm_read read = {
        .breakdown = ALM_STR("*"), .all_places = true, .all_periods = true, .as_of = ALM_DATE_MAX};
    if (alm_store_read(store, &read, count_rows, l, NULL, &st) != ALM_OK) {
        fail_msg("read: %s", st.message);
    }
    for (uint32_t n = 0; n < BATCH_MAX; n++) {
        if (l->acknowledged[n] && l->rows[n] != ROWS_OF_BATCH) {
            fail_msg("batch %u was acknowledged, and %d of its rows are there", n, l->rows[n]);
        }
        if (l->rows[n] != 0 && l->rows[n] != ROWS_OF_BATCH) {
            fail_msg("batch %u is there by half: %d rows", n, l->rows[n]);
        }
    }
    alm_store_close(&store);
}

static uint64_t number_from_env(const char *name, uint64_t fallback)
{
    const char *value = getenv(name);
    return value != NULL ? strtoull(value, NULL, 10) : fallback;
}

static void remove_store(const char *dir)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "almanac.lock", "almanac.sequence"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(names); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
}

static void keeps_what_it_acknowledged(void **state)
{
    (void)state;
    uint64_t rounds = number_from_env("ALM_CRASH_ROUNDS", 50);
    uint64_t seed = number_from_env("ALM_TEST_SEED", (uint64_t)time(NULL));
    char dir[] = "/tmp/alm_crash_XXXXXX";
    print_message("seed %llu (ALM_TEST_SEED)\n", (unsigned long long)seed);
    assert_non_null(mkdtemp(dir));
    ledger *l = alm_calloc(1, sizeof *l);
    assert_non_null(l);
    alm_store *store = open_store(dir, 0);
    load_catalog(store);
    alm_store_close(&store);
    for (uint64_t i = 0; i < rounds; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        crash_once(dir, l, (int64_t)(seed >> 33) % 60);
        assert_ledger(dir, l);
    }
    print_message("%u batches acknowledged in %llu rounds\n", l->acknowledged_count,
                  (unsigned long long)rounds);
    alm_free(l);
    remove_store(dir);
    rmdir(dir);
}

// --- a full disk ---------------------------------------------------------------------------------

static uint32_t commit_until_full(alm_store *store, uint32_t from)
{
    alm_arena *arena = alm_arena_create(0);
    alm_status st = ALM_STATUS_INIT;
    for (uint32_t n = from;; n++) {
        assert_true(n < BATCH_MAX);
        alm_code code = commit_batch(store, n, arena, &st);
        if (code != ALM_OK) {
            if (code != ALM_RESOURCE_EXHAUSTED) {
                fail_msg("batch %u: %s: %s", n, alm_code_name(code), st.message);
            }
            alm_arena_destroy(&arena);
            return n;
        }
        alm_arena_reset(arena);
    }
}

static void assert_batches(alm_store *store, uint32_t count)
{
    ledger *l = alm_calloc(1, sizeof *l);
    assert_non_null(l);
    alm_read read = {
        .breakdown = ALM_STR("*"), .all_places = true, .all_periods = true, .as_of = ALM_DATE_MAX};
    assert_int_equal(alm_store_read(store, &read, count_rows, l, NULL, NULL), ALM_OK);
    for (uint32_t n = 0; n < BATCH_MAX; n++) {
        assert_int_equal(l->rows[n], n < count ? ROWS_OF_BATCH : 0);
    }
    alm_free(l);
}

// Reads go on, and commits again as soon as there is room, without opening anew.
static void a_full_disk_passes(void **state)
{
    (void)state;
    char dir[] = "/tmp/alm_full_XXXXXX";
    char ballast[64];
    assert_non_null(mkdtemp(dir));
    if (mount("tmpfs", dir, "tmpfs", 0, "size=4m") != 0) {
        rmdir(dir);
        skip(); // needs the right to mount
    }
    snprintf(ballast, sizeof ballast, "%s/ballast", dir);
    FILE *file = fopen(ballast, "wb");
    static const char megabyte[1 << 20];
    assert_int_equal(fwrite(megabyte, 1, sizeof megabyte, file), sizeof megabyte);
    assert_int_equal(fclose(file), 0);

    alm_store *store = open_store(dir, (size_t)64 << 20);
    load_catalog(store);
    uint32_t full_at = commit_until_full(store, 0);
    print_message("full after %u batches\n", full_at);
    assert_true(full_at > 0);
    assert_batches(store, full_at);
    assert_int_equal(unlink(ballast), 0);
    uint32_t full_again_at = commit_until_full(store, full_at);
    assert_true(full_again_at > full_at);
    assert_batches(store, full_again_at);
    assert_clean(store);
    alm_store_close(&store);
    store = open_store(dir, (size_t)64 << 20);
    assert_batches(store, full_again_at);
    alm_store_close(&store);
    assert_int_equal(umount(dir), 0);
    rmdir(dir);
}

static void a_full_map_passes(void **state)
{
    (void)state;
    char dir[] = "/tmp/alm_map_XXXXXX";
    assert_non_null(mkdtemp(dir));
    alm_store *store = open_store(dir, (size_t)1 << 20);
    load_catalog(store);
    uint32_t full_at = commit_until_full(store, 0);
    print_message("full after %u batches\n", full_at);
    assert_true(full_at > 0);
    assert_batches(store, full_at);
    assert_clean(store);
    alm_store_close(&store);
    store = open_store(dir, (size_t)2 << 20);
    uint32_t full_again_at = commit_until_full(store, full_at);
    assert_true(full_again_at > full_at);
    assert_batches(store, full_again_at);
    assert_clean(store);
    alm_store_close(&store);
    remove_store(dir);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_it_acknowledged),
        cmocka_unit_test(a_full_map_passes),
        cmocka_unit_test(a_full_disk_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
