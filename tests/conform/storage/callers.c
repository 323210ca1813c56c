// Many callers at once, and too little memory.
#include "store_world.h"

#include <pthread.h>

// --- many callers --------------------------------------------------------------------------------

#define CALLER_COUNT  8
#define CALLER_ROUNDS 30

typedef struct caller {
    fixture *f;
    uint32_t number;
    int failures;
} caller;

// Every third batch is bad and must fail alone.
static void *run_caller(void *arg)
{
    caller *c = arg;
    alm_arena *arena = alm_arena_create(0);
    for (uint32_t i = 0; i < CALLER_ROUNDS; i++) {
        char id[32];
        alm_commit_result result;
        alm_status st = ALM_STATUS_INIT;
        bool is_bad = i % 3 == 2;
        snprintf(id, sizeof id, "caller-%u-%u", c->number, i);
        alm_obs row = a_row(GDP, is_bad ? 99 : c->number % 4, 1900 + (int)i, c->number, 1);
        row.source = c->number < 4 ? BULLETIN : YEARBOOK;
        alm_batch batch = batch_of_rows(&row, 1);
        batch.id = text(id);
        alm_code code = alm_store_commit(c->f->store, &batch, arena, &result, &st);
        c->failures += code != (is_bad ? ALM_INVALID_ARGUMENT : ALM_OK);
        if (code == ALM_OK) {
            alm_read read = read_all();
            read.at_sequence = result.sequence;
            answer *a = alm_arena_calloc(arena, 1, sizeof *a);
            a->arena = arena;
            c->failures += alm_store_read(c->f->store, &read, take_answer, a, NULL, &st) != ALM_OK;
            c->failures += a->count == 0;
        }
        alm_arena_reset(arena);
    }
    alm_arena_destroy(&arena);
    return NULL;
}

static void takes_the_commits_of_many_callers(void **state)
{
    fixture *f = *state;
    pthread_t threads[CALLER_COUNT];
    caller callers[CALLER_COUNT];
    alm_store_stats stats;
    commit_catalog(f);
    for (uint32_t i = 0; i < CALLER_COUNT; i++) {
        callers[i] = (caller){.f = f, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, run_caller, &callers[i]), 0);
    }
    for (uint32_t i = 0; i < CALLER_COUNT; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(callers[i].failures, 0);
    }
    ASSERT_OK(f, alm_store_compact(f->store, &f->st)); // or a fold may be reading yet
    ASSERT_OK(f, alm_store_stats_get(f->store, &stats, &f->st));
    assert_int_equal(stats.observations, CALLER_COUNT * CALLER_ROUNDS * 2 / 3);
    assert_int_equal(stats.sequence, 1 + stats.observations);
    assert_int_equal(stats.snapshots, 0);
    assert_true(stats.commit_groups <= stats.commits);
    assert_verifies(f);
}

static alm_code count_rows(void *arg, alm_str variant, const alm_obs_columns *rows, alm_status *st)
{
    (void)variant;
    (void)st;
    *(uint64_t *)arg += rows->count;
    return ALM_OK;
}

// --- readers during commits ----------------------------------------------------------------------

#define COMMIT_ROUNDS 60
#define READER_COUNT  3

typedef struct reader {
    alm_store *store;
    int64_t value; // of all cells of the read under way; -1: none seen yet
    uint64_t rows;
    bool is_mixed;
    alm_code code;
    uint64_t reads;
} reader;

static alm_code look_at_rows(void *arg, alm_str variant, const alm_obs_columns *rows,
                             alm_status *st)
{
    reader *r = arg;
    (void)variant;
    (void)st;
    for (size_t i = 0; i < rows->count; i++) {
        int64_t value = ALM_OBS_AT(rows, mantissa, i);
        r->is_mixed = r->is_mixed || (r->value != -1 && r->value != value);
        r->value = value;
    }
    r->rows += rows->count;
    return ALM_OK;
}

// Reads on until the last commit is there, waiting for each in turn.
static void *read_on(void *arg)
{
    reader *r = arg;
    alm_read read = read_all();
    uint64_t sequence = 0;
    while (r->code == ALM_OK && !r->is_mixed && sequence < 1 + COMMIT_ROUNDS) {
        uint64_t before = sequence;
        r->value = -1;
        r->rows = 0;
        r->code = alm_store_read(r->store, &read, look_at_rows, r, &sequence, NULL);
        r->is_mixed = r->is_mixed || sequence < before ||
                      (sequence > 1 && (r->rows != 12 || r->value != (int64_t)sequence));
        r->reads++;
        if (r->code == ALM_OK && sequence < 1 + COMMIT_ROUNDS) {
            r->code = alm_store_wait(r->store, sequence + 1, 20000, NULL);
        }
    }
    return NULL;
}

// Every commit gives all cells its own sequence as value: whoever reads meanwhile sees one value.
static void readers_see_whole_commits(void **state)
{
    fixture *f = *state;
    pthread_t threads[READER_COUNT];
    reader readers[READER_COUNT];
    commit_catalog(f);
    for (size_t i = 0; i < READER_COUNT; i++) {
        readers[i] = (reader){.store = f->store};
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
    }
    for (int round = 1; round <= COMMIT_ROUNDS; round++) {
        alm_obs rows[12];
        for (uint32_t i = 0; i < 12; i++) {
            rows[i] = a_row(i % 3, i / 3, 2023, 1 + round, round);
        }
        assert_int_equal(commit(f, batch_of_rows(rows, 12)).sequence, 1 + round);
    }
    for (size_t i = 0; i < READER_COUNT; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].code, ALM_OK);
        assert_false(readers[i].is_mixed);
        assert_true(readers[i].reads > 0);
    }
}

// --- memory --------------------------------------------------------------------------------------

static alm_code ignore_place(void *arg, alm_place_id id, const alm_place *e, alm_status *st)
{
    (void)arg;
    (void)id;
    (void)e;
    (void)st;
    return ALM_OK;
}
static alm_code ignore_series(void *arg, const alm_series_info *info, alm_status *st)
{
    (void)arg;
    (void)info;
    (void)st;
    return ALM_OK;
}
static alm_code ignore_quarantined(void *arg, const alm_quarantined *row, alm_status *st)
{
    (void)arg;
    (void)row;
    (void)st;
    return ALM_OK;
}

// A batch of everything.
static alm_code commit_all_kinds(fixture *f, const char *id, int year, alm_arena *arena)
{
    alm_commit_result result;
    alm_status st = ALM_STATUS_INIT;
    alm_place place = a_place(id, ALM_LEVEL_DISTRICT, "3101");
    alm_source source = a_source("yearbook", year);
    alm_quarantined bad = {.row = 1, .reason = text("a")};
    alm_obs rows[] = {a_row(GDP, 0, year, 7, 1), with_source(a_row(GDP, 0, year, 8, 1), YEARBOOK),
                      a_row(GDP, 0, year, 9, 1)};
    alm_batch batch = batch_of_rows(rows, ALM_ARRAY_LEN(rows));
    batch.id = text(id);
    batch.places = &place;
    batch.place_count = 1;
    batch.sources = &source;
    batch.source_count = 1;
    batch.quarantine = &bad;
    batch.quarantine_count = 1;
    return alm_store_commit(f->store, &batch, arena, &result, &st);
}

static alm_code ask_all_kinds(fixture *f, alm_arena *arena)
{
    uint64_t rows = 0;
    alm_change change;
    alm_read read = read_all();
    alm_catalog_visitor visitor = {.place = ignore_place};
    ALM_TRY(alm_store_read(f->store, &read, count_rows, &rows, NULL, NULL));
    assert_true(rows > 0);
    read.last = 1;
    read.all_vintages = true;
    ALM_TRY(alm_store_read(f->store, &read, count_rows, &rows, NULL, NULL));
    ALM_TRY(alm_store_visit_catalog(f->store, &visitor, NULL, NULL));
    ALM_TRY(alm_store_visit_series(f->store, ignore_series, NULL, NULL));
    ALM_TRY(alm_store_visit_quarantine(f->store, ignore_quarantined, NULL, NULL));
    return alm_store_change(f->store, 2, arena, &change, NULL);
}

static alm_code commit_and_ask(fixture *f, const char *id, int year)
{
    alm_arena *arena = alm_arena_create(0);
    if (arena == NULL) {
        return ALM_RESOURCE_EXHAUSTED;
    }
    alm_code code = commit_all_kinds(f, id, year, arena);
    if (code == ALM_OK) {
        code = ask_all_kinds(f, arena);
    }
    alm_arena_destroy(&arena);
    return code;
}

// What a batch of everything adds to the figures is all there or none of it.
static void assert_whole(fixture *f)
{
    alm_store_stats stats = get_stats(f);
    uint64_t batches = stats.sequence - 1;
    assert_int_equal(stats.observations, batches * 2);
    assert_int_equal(stats.cells, batches);
    assert_int_equal(stats.places, 4 + batches);
    assert_int_equal(stats.quarantined, batches);
}

static void survives_every_failing_allocation(void **state)
{
    fixture *f = *state;
    uint64_t failures = 0;
    commit_catalog(f);
    for (uint64_t n = 1;; n++) {
        char id[32];
        snprintf(id, sizeof id, "torture-%llu", (unsigned long long)n);
        (void)alm_alloc_fail_at(n, 1);
        alm_code code = commit_and_ask(f, id, 1000 + (int)n);
        (void)alm_alloc_fail_at(0, 0);
        assert_whole(f);
        if (code == ALM_OK) {
            break;
        }
        assert_int_equal(code, ALM_RESOURCE_EXHAUSTED);
        failures++;
    }
    assert_true(failures > 10);
    assert_verifies(f);
}

// --- a full store --------------------------------------------------------------------------------

// Commits until the store is full. What was refused is not there in part, and reads go on.
static void a_full_store_refuses_commits_and_answers_reads(void **state)
{
    fixture f;
    enum { COUNT = 4000, BATCHES_MAX = 1000 };
    alm_code code = ALM_OK;
    alm_commit_result r;
    fixture_init_engine(&f, ((fixture *)*state)->engine, (size_t)1 << 20);
    commit_catalog(&f);
    alm_obs *rows = alm_calloc(COUNT, sizeof *rows);
    int batches = 0;
    while (code == ALM_OK && batches < BATCHES_MAX) {
        for (size_t i = 0; i < COUNT; i++) {
            rows[i] = a_row((uint32_t)(i % 3), (alm_place_id)(i % 4), 1 + (int)(i / 12),
                            (int64_t)(i * 7919 % 1000003), batches + 1);
        }
        code = try_commit(&f, batch_of_rows(rows, COUNT), &r);
        batches += code == ALM_OK;
    }
    assert_code(&f, ALM_RESOURCE_EXHAUSTED, code);
    alm_store_stats stats = get_stats(&f);
    assert_int_equal(stats.observations, (uint64_t)batches * COUNT);
    assert_int_equal(stats.sequence, (uint64_t)batches + 1);
    uint64_t count = 0;
    alm_read read = read_all();
    read.all_vintages = true;
    ASSERT_OK(&f, alm_store_read(f.store, &read, count_rows, &count, NULL, &f.st));
    assert_int_equal(count, (uint64_t)batches * COUNT);
    // Folding may find no room either, and then has done nothing.
    alm_verify_result result;
    code = alm_store_compact(f.store, &f.st);
    assert_true(code == ALM_OK || code == ALM_RESOURCE_EXHAUSTED);
    ASSERT_OK(&f, alm_store_verify(f.store, print_problem, NULL, &result, &f.st));
    assert_int_equal(result.problems, 0);
    alm_free(rows);
    fixture_deinit(&f);
}

store_group conform_callers(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(takes_the_commits_of_many_callers),
        STORE_TEST(readers_see_whole_commits),
        STORE_TEST(survives_every_failing_allocation),
        STORE_TEST(a_full_store_refuses_commits_and_answers_reads),
    };
    return (store_group){"callers", tests, ALM_ARRAY_LEN(tests)};
}
