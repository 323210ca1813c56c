// Does a store that is published into month by month, with readers of older states, take more than
// one into which the same is put at once?
//
//   store_growth DIR [--places N] [--indicators N] [--months N] [--most PERCENT]
//
// Each month every indicator is published, and a twentieth of the month before is revised; a month
// is five minutes of the store's clock, so that 120 months are ten hours. Three threads ask all the
// while: slices as of a date, series as of a date, and all rows of an indicator as of a commit.
// Then the store is backed up and restored, which puts every record into a new file. Fails if the
// first one takes PERCENT more, by default 10, or does not hold the same rows.
#include "alm/alloc.h"
#include "alm/limits.h"
#include "alm/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MONTH_US       INT64_C(300000000)
#define REVISED_SHARE  20
#define INDICATORS_MAX 100

typedef struct growth {
    size_t places, indicators, months;
    double most_percent;
    char published_dir[4096], restored_dir[4096];
    alm_store *store;
    atomic_int_fast64_t now_us; // of the stores' clock
    char codes[INDICATORS_MAX][24];
    char texts[INDICATORS_MAX][56];
    alm_str variants[INDICATORS_MAX];
    alm_arena *arena;
    alm_obs *rows;
    uint64_t random;
    atomic_int month; // published
    atomic_bool is_over;
    atomic_uint_fast64_t answers;
} growth;

static void die(const char *what, const alm_status *st)
{
    fprintf(stderr, "store_growth: %s: %s\n", what, st->message);
    exit(1);
}

static void must(alm_code code, const char *what, const alm_status *st)
{
    if (code != ALM_OK) {
        die(what, st);
    }
}

static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static alm_period month_of(size_t month)
{
    return (alm_period){.freq = ALM_FREQ_MONTH, .length = 1, .ordinal = 2015 * 12 + (int)month};
}

static alm_date published_in(size_t month)
{
    return (alm_date)(16500 + 30 * month);
}

// --- publishing ----------------------------------------------------------------------------------

static void commit(growth *g, alm_batch *batch)
{
    static uint64_t number;
    char id[32];
    alm_commit_result result;
    alm_status st = ALM_STATUS_INIT;
    snprintf(id, sizeof id, "batch-%llu", (unsigned long long)number++);
    batch->id = alm_str_from(id);
    alm_arena_reset(g->arena);
    must(alm_store_commit(g->store, batch, g->arena, &result, &st), id, &st);
    if (result.conflict_count > 0) {
        fprintf(stderr, "store_growth: %s: %zu rows conflict\n", id, result.conflict_count);
        exit(1);
    }
}

static void put_catalog(growth *g)
{
    alm_place *places = alm_calloc(g->places, sizeof *places);
    char(*codes)[24] = alm_calloc(g->places, sizeof *codes);
    alm_indicator indicators[INDICATORS_MAX];
    ALM_ASSERT(places != NULL && codes != NULL);
    for (size_t i = 0; i < g->places; i++) {
        snprintf(codes[i], sizeof codes[i], "%zu", 100000 + i);
        places[i] = (alm_place){.code = alm_str_from(codes[i]),
                                .name_zh = alm_str_from(codes[i]),
                                .level = ALM_LEVEL_DISTRICT,
                                .valid_from = ALM_DATE_NONE,
                                .valid_to = ALM_DATE_MAX};
    }
    for (size_t i = 0; i < g->indicators; i++) {
        snprintf(g->codes[i], sizeof g->codes[i], "i%03zu", i);
        snprintf(g->texts[i], sizeof g->texts[i], "M.%s.P.level._Z._T", g->codes[i]);
        g->variants[i] = alm_str_from(g->texts[i]);
        indicators[i] = (alm_indicator){.code = alm_str_from(g->codes[i]),
                                        .name_zh = alm_str_from(g->codes[i]),
                                        .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 4},
                                        .value_type = ALM_VALUE_TYPE_FLOW,
                                        .over_places = ALM_AGGREGATION_SUM,
                                        .over_time = ALM_AGGREGATION_SUM};
    }
    alm_batch batch = {.indicators = indicators,
                       .indicator_count = g->indicators,
                       .places = places,
                       .place_count = g->places};
    commit(g, &batch);
    alm_free(codes);
    alm_free(places);
}

// A place's size, the season and some noise.
static int64_t value_of(growth *g, size_t indicator, size_t place, size_t month)
{
    uint64_t of_place = (place + 1) * UINT64_C(2654435761) ^ indicator;
    double size = (double)(1 + random_next(&of_place) % 1000000);
    double season = 1 + 0.1 * (double)(month % 12);
    double noise = 0.95 + 0.1 * (double)(random_next(&g->random) % 1000) / 1000;
    return (int64_t)(size * season * noise * (1 + 0.005 * (double)month));
}

static alm_obs row_of(growth *g, size_t indicator, size_t place, size_t month, size_t published)
{
    return (alm_obs){
        .variant = (uint32_t)indicator,
        .place = (alm_place_id)place,
        .period = month_of(month),
        .value = {.number = {.mantissa = value_of(g, indicator, place, month), .exponent = -2},
                  .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 4},
                  .status = published == month ? ALM_OBS_STATUS_PROVISIONAL : ALM_OBS_STATUS_NORMAL,
                  .has_number = true},
        .source = ALM_SOURCE_NONE,
        .published = published_in(published)};
}

static void commit_rows(growth *g, size_t count)
{
    alm_batch batch = {.variants = g->variants,
                       .variant_count = g->indicators,
                       .obs = g->rows,
                       .obs_count = count};
    if (count > 0) {
        commit(g, &batch);
    }
}

// All but a few places; of a month that was published before, some.
static void publish(growth *g, size_t indicator, size_t month, size_t published)
{
    size_t count = 0;
    for (size_t place = 0; place < g->places; place++) {
        uint64_t dice = random_next(&g->random);
        bool is_in = published == month ? dice % 33 != 0 : dice % REVISED_SHARE == 0;
        if (is_in) {
            g->rows[count++] = row_of(g, indicator, place, month, published);
        }
        if (count == ALM_COMMIT_ROW_COUNT_MAX) {
            commit_rows(g, count);
            count = 0;
        }
    }
    commit_rows(g, count);
}

static void publish_months(growth *g)
{
    for (size_t month = 0; month < g->months; month++) {
        for (size_t indicator = 0; indicator < g->indicators; indicator++) {
            publish(g, indicator, month, month);
            if (month > 0) {
                publish(g, indicator, month - 1, month);
            }
        }
        g->now_us += MONTH_US;
        g->month = (int)month;
        if ((month + 1) % 12 == 0) {
            fprintf(stderr, "store_growth: %zu of %zu months\n", month + 1, g->months);
        }
    }
}

// --- readers -------------------------------------------------------------------------------------

static alm_as_of some_time_ago(growth *g, uint64_t *random)
{
    size_t month = random_next(random) % ((size_t)g->month + 1);
    return (alm_as_of){.published = published_in(month)};
}

static void *ask_vectors(void *arg)
{
    growth *g = arg;
    uint64_t random = (uint64_t)(uintptr_t)&random;
    alm_store_reader *reader;
    alm_status st = ALM_STATUS_INIT;
    must(alm_store_reader_open(g->store, &reader, &st), "a reader", &st);
    while (!g->is_over) {
        alm_vector v;
        alm_as_of as_of = some_time_ago(g, &random);
        alm_str variant = g->variants[random_next(&random) % g->indicators];
        alm_period period = month_of(random_next(&random) % g->months);
        alm_place_id place = (alm_place_id)(random_next(&random) % g->places);
        must(alm_store_slice(reader, variant, period, 0, (alm_place_id)g->places, &as_of, &v, &st),
             "a slice", &st);
        must(alm_store_series(reader, variant, place, &as_of, &v, &st), "a series", &st);
        g->answers += 2;
    }
    alm_store_reader_close(&reader);
    return NULL;
}

static alm_code count_rows(void *arg, alm_str variant, const alm_obs_columns *rows, alm_status *st)
{
    growth *g = arg;
    (void)variant;
    (void)st;
    g->answers += rows->count > 0;
    return ALM_OK;
}

static void *ask_rows(void *arg)
{
    growth *g = arg;
    uint64_t random = (uint64_t)(uintptr_t)&random;
    while (!g->is_over) {
        alm_status st = ALM_STATUS_INIT;
        alm_store_stats stats;
        must(alm_store_stats_get(g->store, &stats, &st), "the figures", &st);
        const char *code = g->codes[random_next(&random) % g->indicators];
        alm_str indicators[] = {alm_str_from(code)};
        alm_read read = {.indicators = indicators,
                         .indicator_count = 1,
                         .breakdown = ALM_STR("*"),
                         .all_places = true,
                         .all_periods = true,
                         .as_of = ALM_DATE_MAX,
                         .at_sequence = 1 + random_next(&random) % stats.sequence};
        must(alm_store_read(g->store, &read, count_rows, g, NULL, &st), "rows", &st);
    }
    return NULL;
}

static int64_t now_us(void *self)
{
    return atomic_load((atomic_int_fast64_t *)self);
}

static alm_store *open_in(growth *g, const char *dir)
{
    alm_store *store;
    alm_status st = ALM_STATUS_INIT;
    alm_store_opts opts = {.clock = {.wall_us = now_us, .mono_us = now_us, .self = &g->now_us}};
    must(alm_store_open(dir, &opts, &store, &st), dir, &st);
    return store;
}

// --- the same, put into a new file ---------------------------------------------------------------

static alm_code write_backup(void *arg, const void *data, size_t len, alm_status *st)
{
    return fwrite(data, 1, len, arg) == len ? ALM_OK
                                            : alm_status_from_errno(st, errno, "the backup");
}

static alm_code read_backup(void *arg, void *data, size_t len, size_t *ret_len, alm_status *st)
{
    *ret_len = fread(data, 1, len, arg);
    return *ret_len == 0 && ferror((FILE *)arg) != 0
               ? alm_status_from_errno(st, errno, "the backup")
               : ALM_OK;
}

static alm_store *put_into_new_file(growth *g)
{
    alm_backup_info info;
    alm_status st = ALM_STATUS_INIT;
    FILE *file = tmpfile();
    if (file == NULL) {
        fprintf(stderr, "store_growth: a backup's file: %s\n", strerror(errno));
        exit(1);
    }
    alm_backup_sink sink = {.arg = file, .write = write_backup};
    alm_backup_source source = {.arg = file, .read = read_backup};
    must(alm_store_backup(g->store, &sink, &info, &st), "backup", &st);
    rewind(file);
    must(alm_store_restore(&source, g->restored_dir, NULL, &info, &st), "restore", &st);
    fclose(file);
    return open_in(g, g->restored_dir);
}

// All rows, with every vintage.
typedef struct everything {
    uint64_t rows;
    uint64_t sum; // of all values by place, period, publication and commit
} everything;

static alm_code take_rows(void *arg, alm_str variant, const alm_obs_columns *rows, alm_status *st)
{
    everything *all = arg;
    (void)variant;
    (void)st;
    for (size_t i = 0; i < rows->count; i++) {
        alm_obs row = alm_obs_at(rows, i);
        all->sum += (uint64_t)row.value.number.mantissa * (row.place + UINT64_C(1)) *
                        ((uint64_t)row.period.ordinal << 8 ^ (uint64_t)row.published) +
                    row.sequence;
    }
    all->rows += rows->count;
    return ALM_OK;
}

static everything read_all(alm_store *store)
{
    everything all = {0};
    alm_status st = ALM_STATUS_INIT;
    alm_read read = {.breakdown = ALM_STR("*"),
                     .all_places = true,
                     .all_periods = true,
                     .all_vintages = true,
                     .as_of = ALM_DATE_MAX};
    must(alm_store_read(store, &read, take_rows, &all, NULL, &st), "all rows", &st);
    return all;
}

static uint64_t bytes_of(alm_store *store, const char *name)
{
    uint64_t sizes[ALM_STORE_PART_COUNT];
    alm_store_stats stats;
    alm_status st = ALM_STATUS_INIT;
    must(alm_store_stats_get(store, &stats, &st), "the figures", &st);
    must(alm_store_sizes_get(store, sizes, &st), "the sizes", &st);
    printf("%s: %llu bytes, %.2f for each of %llu observations:", name,
           (unsigned long long)stats.bytes_used,
           (double)stats.bytes_used / (double)stats.observations,
           (unsigned long long)stats.observations);
    for (int i = 0; i < ALM_STORE_PART_COUNT; i++) {
        printf(" %s %.1f MB", alm_store_part_word((alm_store_part)i), (double)sizes[i] / 1e6);
    }
    printf("\n");
    return stats.bytes_used;
}

static bool compare(growth *g)
{
    alm_status st = ALM_STATUS_INIT;
    must(alm_store_compact(g->store, &st), "compact", &st);
    alm_store *restored = put_into_new_file(g);
    everything published = read_all(g->store);
    everything again = read_all(restored);
    uint64_t published_bytes = bytes_of(g->store, "published month by month");
    uint64_t restored_bytes = bytes_of(restored, "put into a new file");
    alm_store_close(&restored);
    double percent = 100.0 * ((double)published_bytes / (double)restored_bytes - 1);
    printf("%.1f %% more, of %.1f %% at most; %llu answers meanwhile\n", percent, g->most_percent,
           (unsigned long long)g->answers);
    if (published.rows != again.rows || published.sum != again.sum) {
        printf("the stores do not hold the same: %llu and %llu rows\n",
               (unsigned long long)published.rows, (unsigned long long)again.rows);
        return false;
    }
    return percent <= g->most_percent;
}

// --- all of it -----------------------------------------------------------------------------------

static bool take_option(growth *g, const char *name, const char *value)
{
    char *end;
    unsigned long long number = strtoull(value, &end, 10);
    if (*end != '\0' || number == 0 || number > UINT32_MAX) {
        return false;
    }
    if (strcmp(name, "--places") == 0) {
        g->places = number;
    } else if (strcmp(name, "--indicators") == 0 && number <= INDICATORS_MAX) {
        g->indicators = number;
    } else if (strcmp(name, "--months") == 0) {
        g->months = number;
    } else if (strcmp(name, "--most") == 0) {
        g->most_percent = (double)number;
    } else {
        return false;
    }
    return true;
}

static bool take_options(growth *g, int argc, char **argv)
{
    if (argc < 2 || argc % 2 != 0) {
        return false;
    }
    for (int i = 2; i < argc; i += 2) {
        if (!take_option(g, argv[i], argv[i + 1])) {
            return false;
        }
    }
    snprintf(g->published_dir, sizeof g->published_dir, "%s/published", argv[1]);
    snprintf(g->restored_dir, sizeof g->restored_dir, "%s/restored", argv[1]);
    return true;
}

int main(int argc, char **argv)
{
    static growth g = {.places = 3000,
                       .indicators = 2,
                       .months = 60,
                       .most_percent = 10,
                       .now_us = 1000000,
                       .random = 1};
    pthread_t readers[3];
    if (!take_options(&g, argc, argv)) {
        fprintf(stderr, "usage: store_growth DIR [--places N] [--indicators N] [--months N] "
                        "[--most PERCENT]\n");
        return 2;
    }
    g.arena = alm_arena_create((size_t)2 << 30);
    g.rows = alm_alloc(ALM_COMMIT_ROW_COUNT_MAX * sizeof *g.rows);
    ALM_ASSERT(g.arena != NULL && g.rows != NULL);
    g.store = open_in(&g, g.published_dir);
    put_catalog(&g);
    for (size_t i = 0; i < ALM_ARRAY_LEN(readers); i++) {
        void *(*ask)(void *arg) = i == 0 ? ask_rows : ask_vectors;
        ALM_ASSERT(pthread_create(&readers[i], NULL, ask, &g) == 0);
    }
    publish_months(&g);
    g.is_over = true;
    for (size_t i = 0; i < ALM_ARRAY_LEN(readers); i++) {
        pthread_join(readers[i], NULL);
    }
    bool is_good = compare(&g);
    alm_store_close(&g.store);
    alm_free(g.rows);
    alm_arena_destroy(&g.arena);
    return is_good ? 0 : 1;
}
