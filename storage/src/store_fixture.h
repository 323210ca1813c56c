// For the store's tests: a store of any engine, in a folder of its own if it needs one, and short
// ways to say a row or an entry.
#ifndef ALM_STORAGE_STORE_FIXTURE_H
#define ALM_STORAGE_STORE_FIXTURE_H

#include "alm/alloc.h"
#include "alm/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct fixture {
    const alm_engine *engine; // NULL: LMDB
    char dir[64];
    alm_store *store;
    alm_arena *arena;
    alm_status st;
    size_t bytes_max;
    uint64_t feed_commits, feed_bytes;
    uint64_t batches; // makes batch ids
} fixture;

// The message of a failure shows in the test's output.
#define ASSERT_OK(f, expr)                                                                         \
    do {                                                                                           \
        if ((expr) != ALM_OK) {                                                                    \
            fail_msg("%s: %s: %s", #expr, alm_code_name((f)->st.code), (f)->st.message);           \
        }                                                                                          \
    } while (0)

static inline void fixture_open(fixture *f)
{
    alm_store_opts opts = {.engine = f->engine,
                           .bytes_max = f->bytes_max,
                           .feed_commits = f->feed_commits,
                           .feed_bytes = f->feed_bytes};
    ASSERT_OK(f, alm_store_open(f->dir, &opts, &f->store, &f->st));
}

static inline bool fixture_keeps(const fixture *f)
{
    return f->engine != &alm_engine_memory;
}

// A store that is gone when it is closed stays open.
static inline void fixture_reopen(fixture *f)
{
    if (fixture_keeps(f)) {
        alm_store_close(&f->store);
        fixture_open(f);
    }
}

static inline void fixture_init_engine(fixture *f, const alm_engine *engine, size_t bytes_max)
{
    *f = (fixture){.engine = engine, .bytes_max = bytes_max, .st = ALM_STATUS_INIT};
    snprintf(f->dir, sizeof f->dir, "/tmp/alm_store_XXXXXX");
    assert_true(!fixture_keeps(f) || mkdtemp(f->dir) != NULL);
    f->arena = alm_arena_create(0);
    assert_non_null(f->arena);
    fixture_open(f);
}

static inline void fixture_init(fixture *f, size_t bytes_max)
{
    fixture_init_engine(f, &alm_engine_lmdb, bytes_max);
}

static inline void fixture_remove(const char *dir)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "almanac.lock", "almanac.sequence"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(names); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(dir), 0);
}

static inline void fixture_deinit(fixture *f)
{
    alm_store_close(&f->store);
    alm_arena_destroy(&f->arena);
    if (fixture_keeps(f)) {
        fixture_remove(f->dir);
    }
}

// *state before: the engine, or NULL.
static inline int fixture_setup(void **state)
{
    fixture *f = alm_calloc(1, sizeof *f);
    fixture_init_engine(f, *state, (size_t)256 << 20);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    fixture *f = *state;
    fixture_deinit(f);
    alm_free(f);
    return 0;
}

static inline alm_str text(const char *s)
{
    return alm_str_from(s);
}

// --- entries and rows ----------------------------------------------------------------------------

static inline alm_indicator an_indicator(const char *code)
{
    return (alm_indicator){.code = text(code),
                           .name_zh = text("地区生产总值"),
                           .name_en = text("GDP"),
                           .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
                           .value_type = ALM_VALUE_TYPE_FLOW,
                           .over_places = ALM_AGGREGATION_SUM,
                           .over_time = ALM_AGGREGATION_SUM};
}

static inline alm_place a_place(const char *code, alm_level level, const char *parent)
{
    return (alm_place){.code = text(code),
                       .name_zh = text(code),
                       .level = level,
                       .parent = text(parent),
                       .valid_from = ALM_DATE_NONE,
                       .valid_to = ALM_DATE_MAX};
}

static inline alm_source a_source(const char *code, int32_t precedence)
{
    return (alm_source){.code = text(code),
                        .title = text(code),
                        .published = ALM_DATE_NONE,
                        .precedence = precedence};
}

static inline alm_period a_year(int year)
{
    return (alm_period){.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = year};
}

// 亿元 with two decimals, published on a day of 2024.
static inline alm_obs a_row(uint32_t variant, alm_place_id place, int year, int64_t hundredths,
                            int day)
{
    return (alm_obs){.variant = variant,
                     .place = place,
                     .period = a_year(year),
                     .value = {.number = {.mantissa = hundredths, .exponent = -2},
                               .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
                               .has_number = true},
                     .source = ALM_SOURCE_NONE,
                     .published = 19723 + day};
}

static inline alm_obs a_withdrawal(alm_obs row, int day)
{
    row.value.number = (alm_decimal){0};
    row.value.has_number = false;
    row.value.status = ALM_OBS_STATUS_WITHDRAWN;
    row.published = 19723 + day;
    return row;
}

// --- commits -------------------------------------------------------------------------------------

static const alm_str fixture_variants[] = {{"A.gdp.P.level._Z._T", 19},
                                           {"A.gdp.P.level._Z.industry=software", 34},
                                           {"A.tax.P.level._Z._T", 19}};

// Gives the batch a fresh id unless it has one.
static inline alm_code try_commit(fixture *f, alm_batch batch, alm_commit_result *ret)
{
    char id[32];
    if (batch.id.len == 0) {
        snprintf(id, sizeof id, "batch-%llu", (unsigned long long)++f->batches);
        batch.id = text(id);
    }
    f->st = ALM_STATUS_INIT;
    return alm_store_commit(f->store, &batch, f->arena, ret, &f->st);
}

static inline alm_commit_result commit(fixture *f, alm_batch batch)
{
    alm_commit_result result;
    ASSERT_OK(f, try_commit(f, batch, &result));
    return result;
}

static inline alm_batch batch_of_rows(const alm_obs *rows, size_t count)
{
    return (alm_batch){.variants = fixture_variants,
                       .variant_count = ALM_ARRAY_LEN(fixture_variants),
                       .obs = rows,
                       .obs_count = count};
}

#define COMMIT_ROWS(f, ...)                                                                        \
    commit((f), batch_of_rows((const alm_obs[]){__VA_ARGS__},                                      \
                              sizeof((const alm_obs[]){__VA_ARGS__}) / sizeof(alm_obs)))

// Two indicators, four places (31 above 3101 above 310101 and 310105), two sources.
static inline void commit_catalog(fixture *f)
{
    alm_indicator indicators[] = {an_indicator("gdp"), an_indicator("tax")};
    alm_place places[] = {a_place("310105", ALM_LEVEL_DISTRICT, "3101"),
                          a_place("310101", ALM_LEVEL_DISTRICT, "3101"),
                          a_place("3101", ALM_LEVEL_CITY, "31"),
                          a_place("31", ALM_LEVEL_PROVINCE, "")};
    alm_source sources[] = {a_source("bulletin", 0), a_source("yearbook", 10)};
    alm_commit_result result = commit(f, (alm_batch){.indicators = indicators,
                                                     .indicator_count = ALM_ARRAY_LEN(indicators),
                                                     .places = places,
                                                     .place_count = ALM_ARRAY_LEN(places),
                                                     .sources = sources,
                                                     .source_count = ALM_ARRAY_LEN(sources)});
    assert_int_equal(result.catalog_added, 8);
}

// --- reads ---------------------------------------------------------------------------------------

#define ANSWER_ROW_COUNT_MAX 4096
typedef struct answer {
    alm_obs rows[ANSWER_ROW_COUNT_MAX]; // variant: index into variants
    size_t count;
    alm_str variants[64];
    size_t variant_count;
    uint64_t sequence;
    alm_arena *arena;
} answer;

static inline alm_code take_answer(void *arg, alm_str variant, const alm_obs_columns *rows,
                                   alm_status *st)
{
    answer *a = arg;
    (void)st;
    size_t v = a->variant_count;
    if (v == 0 || !alm_str_eq(a->variants[v - 1], variant)) {
        assert_true(v < ALM_ARRAY_LEN(a->variants));
        a->variants[v].data = alm_arena_strdup(a->arena, variant);
        a->variants[v].len = variant.len;
        a->variant_count++;
    }
    assert_true(a->count + rows->count <= ANSWER_ROW_COUNT_MAX);
    for (size_t i = 0; i < rows->count; i++) {
        alm_obs *row = &a->rows[a->count++];
        *row = alm_obs_at(rows, i);
        assert_int_equal(row->variant, 0);
        row->variant = (uint32_t)a->variant_count - 1;
        row->note.data = alm_arena_strdup(a->arena, row->note);
    }
    return ALM_OK;
}

static inline alm_read read_all(void)
{
    return (alm_read){
        .breakdown = ALM_STR("*"), .all_places = true, .all_periods = true, .as_of = ALM_DATE_MAX};
}

static inline answer *read_rows(fixture *f, alm_read read)
{
    answer *a = alm_arena_calloc(f->arena, 1, sizeof *a);
    assert_non_null(a);
    a->arena = f->arena;
    ASSERT_OK(f, alm_store_read(f->store, &read, take_answer, a, &a->sequence, &f->st));
    return a;
}

static inline void print_problem(void *arg, alm_str problem)
{
    (void)arg;
    print_message("verify: %.*s\n", ALM_STR_ARGS(problem));
}

// As it is, and again with all series folded.
static inline alm_verify_result assert_verifies(fixture *f)
{
    alm_verify_result result;
    ASSERT_OK(f, alm_store_verify(f->store, print_problem, NULL, &result, &f->st));
    assert_int_equal(result.problems, 0);
    ASSERT_OK(f, alm_store_compact(f->store, &f->st));
    ASSERT_OK(f, alm_store_verify(f->store, print_problem, NULL, &result, &f->st));
    assert_int_equal(result.problems, 0);
    return result;
}

#endif
