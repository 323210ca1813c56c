// Goal: a question has one answer, to the bit, whether one, two, three or seven workers answer it,
// and whichever of them stop meanwhile. Method: a store of twelve thousand places, a gateway for
// each number of workers, random questions large enough to be cut by places, and small ones; rows
// as libalmanac tells them, as text.
//
//   query_workers [SEED [QUESTIONS]]
#include "almanac.h"

#include "alm/aggregation_module.h"
#include "alm/alloc.h"
#include "alm/buf.h"
#include "alm/gateway_module.h"
#include "alm/limits.h"
#include "alm/storage_module.h"
#include "alm/wire.h"

#include "almanac/internal/storage.pb-c.h"

#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum {
    WORKERS = 7,
    DISTRICTS = 20,
    TOWNS = 600, // of a district
    PLACES = 1 + DISTRICTS + DISTRICTS * TOWNS,
    YEAR_FIRST = 2016,
    YEARS = 8,
};

static const size_t sizes[] = {1, 2, 3, WORKERS}; // workers of each gateway
#define GATEWAYS ALM_ARRAY_LEN(sizes)

static uint64_t seed = 1;
static size_t questions = 16;

typedef struct worker {
    alm_module_ctx ctx;
    char address[96];
    void *self;
} worker;

typedef struct fixture {
    char dir[64];
    alm_log log;
    alm_config *storage_config, *gateway_config, *worker_config;
    alm_rpc *rpc;
    alm_module_ctx storage_ctx, gateway_ctx[GATEWAYS];
    void *storage, *gateway[GATEWAYS];
    char storage_address[96], gateway_address[GATEWAYS][96], lists[GATEWAYS][WORKERS * 96];
    worker workers[WORKERS];
    alm_channel *to_storage;
    almanac_client *clients[GATEWAYS];
    alm_arena *arena;
    unsigned batches;
    uint64_t random;
} fixture;

static void must(alm_code code, const alm_status *st)
{
    if (code != ALM_OK) {
        fail_msg("%s %s: %s", alm_code_name(st->code), st->field, st->message);
    }
}

static uint32_t below(fixture *f, uint32_t count)
{
    f->random = f->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((f->random >> 33) % count);
}

// --- the services --------------------------------------------------------------------------------

static void load_config(const alm_module *module, char *option, alm_config **ret)
{
    alm_status st = ALM_STATUS_INIT;
    char program[] = "test", map[] = "--max-bytes=1G";
    char *argv[] = {program, option, map, NULL};
    int count = module == &alm_module_storage ? 3 : 2;
    must(alm_config_load(module->options, module->option_count, count, argv, ret, &st), &st);
}

static void start_worker(worker *w)
{
    alm_status st = ALM_STATUS_INIT;
    must(alm_module_aggregation.start(&w->ctx, &w->self, &st), &st);
}

static void start_gateway(fixture *f, size_t g)
{
    alm_status st = ALM_STATUS_INIT;
    almanac_error error;
    alm_module_ctx *ctx = &f->gateway_ctx[g];
    for (size_t i = 0; i < sizes[g]; i++) {
        size_t len = strlen(f->lists[g]);
        snprintf(f->lists[g] + len, sizeof f->lists[g] - len, "%s%s", i > 0 ? "," : "",
                 f->workers[i].address);
    }
    snprintf(f->gateway_address[g], sizeof f->gateway_address[g], "ipc://%s/g%zu", f->dir, g);
    *ctx = f->storage_ctx;
    ctx->config = f->gateway_config;
    ctx->bind = f->gateway_address[g];
    ctx->endpoints.storage = ctx->endpoints.ingestion = f->storage_address;
    ctx->endpoints.aggregation = f->lists[g];
    must(alm_module_gateway.start(ctx, &f->gateway[g], &st), &st);
    almanac_client_opts opts = {.timeout_ms = 60000};
    if (almanac_client_open(f->gateway_address[g], &opts, &f->clients[g], &error) != ALMANAC_OK) {
        fail_msg("%s", error.message);
    }
}

static void start_all(fixture *f)
{
    alm_status st = ALM_STATUS_INIT;
    char data[80], off[] = "--http=off", kept[] = "--cache-bytes=8M";
    alm_rpc_opts opts = {.log = &f->log};
    snprintf(data, sizeof data, "--data=%s", f->dir);
    load_config(&alm_module_storage, data, &f->storage_config);
    load_config(&alm_module_gateway, off, &f->gateway_config);
    load_config(&alm_module_aggregation, kept, &f->worker_config);
    must(alm_rpc_create(&opts, &f->rpc, &st), &st);
    snprintf(f->storage_address, sizeof f->storage_address, "ipc://%s/s", f->dir);
    f->storage_ctx = (alm_module_ctx){.rpc = f->rpc,
                                      .log = &f->log,
                                      .clock = alm_clock_system(),
                                      .config = f->storage_config,
                                      .bind = f->storage_address};
    must(alm_module_storage.start(&f->storage_ctx, &f->storage, &st), &st);
    must(alm_channel_open(f->rpc, f->storage_address, NULL, &f->to_storage, &st), &st);
    for (size_t i = 0; i < WORKERS; i++) {
        worker *w = &f->workers[i];
        snprintf(w->address, sizeof w->address, "ipc://%s/w%zu", f->dir, i);
        w->ctx = f->storage_ctx;
        w->ctx.config = f->worker_config;
        w->ctx.bind = w->address;
        w->ctx.endpoints.storage = f->storage_address;
        start_worker(w);
    }
    for (size_t g = 0; g < GATEWAYS; g++) {
        start_gateway(f, g);
    }
}

static void remove_dir(const char *path)
{
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.') {
            assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
        }
    }
    closedir(dir);
    assert_int_equal(rmdir(path), 0);
}

// --- the store -----------------------------------------------------------------------------------

static void commit(fixture *f, Almanac__Internal__CommitRequest *request)
{
    alm_status st = ALM_STATUS_INIT;
    ProtobufCMessage *reply;
    request->batch_id = alm_arena_printf(f->arena, "b%u", ++f->batches);
    request->digest = (ProtobufCBinaryData){8, alm_arena_calloc(f->arena, 8, 1)};
    alm_call_opts opts = {.timeout_ms = 60000};
    must(alm_channel_call(f->to_storage, &alm_service_storage, "Commit", &opts, &request->base,
                          f->arena, &reply, &st),
         &st);
}

static char *text(fixture *f, const char *from)
{
    return alm_arena_strdup(f->arena, alm_str_from(from));
}

static Almanac__V1__Indicator *indicator(fixture *f, const char *code, const char *unit)
{
    Almanac__V1__Indicator *it = alm_arena_alloc(f->arena, sizeof *it);
    almanac__v1__indicator__init(it);
    it->code = it->name_zh = text(f, code);
    it->unit = text(f, unit);
    it->value_type = ALMANAC__V1__VALUE_TYPE__VALUE_TYPE_FLOW;
    it->over_places = it->over_time = ALMANAC__V1__AGGREGATION__AGGREGATION_SUM;
    return it;
}

// Towns are committed across the districts, so that ids do not ascend as places are answered.
static void commit_catalog(fixture *f)
{
    Almanac__Internal__CommitRequest request;
    almanac__internal__commit_request__init(&request);
    Almanac__V1__Place **places = alm_arena_calloc(f->arena, PLACES, sizeof(void *));
    for (size_t i = 0; i < PLACES; i++) {
        Almanac__V1__Place *it = places[i] = alm_arena_alloc(f->arena, sizeof *it);
        size_t district = i <= DISTRICTS ? i : 1 + (i - 1 - DISTRICTS) % DISTRICTS;
        almanac__v1__place__init(it);
        it->level = i == 0           ? ALMANAC__V1__LEVEL__LEVEL_PROVINCE
                    : i <= DISTRICTS ? ALMANAC__V1__LEVEL__LEVEL_DISTRICT
                                     : ALMANAC__V1__LEVEL__LEVEL_TOWN;
        it->parent = i == 0           ? text(f, "")
                     : i <= DISTRICTS ? text(f, "310000")
                                      : alm_arena_printf(f->arena, "3101%02zu", district);
        it->code = i == 0           ? text(f, "310000")
                   : i <= DISTRICTS ? alm_arena_printf(f->arena, "3101%02zu", i)
                                    : alm_arena_printf(f->arena, "3101%02zu%03zu", district,
                                                       1 + (i - 1 - DISTRICTS) / DISTRICTS);
        it->name_zh = it->code;
    }
    Almanac__V1__Indicator *indicators[] = {indicator(f, "gdp", "CNY_E8"),
                                            indicator(f, "pop", "persons_E4")};
    Almanac__V1__Source source;
    almanac__v1__source__init(&source);
    source.code = source.title = text(f, "report");
    source.precedence = 10;
    Almanac__V1__Source *sources[] = {&source};
    request.places = places;
    request.n_places = PLACES;
    request.indicators = indicators;
    request.n_indicators = ALM_ARRAY_LEN(indicators);
    request.sources = sources;
    request.n_sources = 1;
    commit(f, &request);
}

static alm_obs observe(fixture *f, alm_place_id place, alm_period period, alm_unit unit)
{
    bool has_number = below(f, 40) != 0;
    return (alm_obs){
        .place = place,
        .period = period,
        .value = {.number = {has_number ? 1 + (int64_t)below(f, 1000000) : 0,
                             has_number ? (int8_t)(-(int32_t)below(f, 3)) : 0},
                  .unit = unit,
                  .has_number = has_number,
                  .status =
                      has_number ? ALM_OBS_STATUS_NORMAL : ALM_OBS_STATUS_MISSING_UNSPECIFIED},
        .source = 0,
        .published = alm_date_from_ymd(2024, 1, 20),
    };
}

// Of a share of the places, in every year: a variant may be of a few places only.
static void commit_variant(fixture *f, const char *variant, alm_freq freq, alm_unit unit,
                           uint32_t percent)
{
    alm_status st = ALM_STATUS_INIT;
    alm_obs *rows = alm_calloc(PLACES, sizeof *rows);
    alm_str name = alm_str_from(variant);
    assert_non_null(rows);
    for (int32_t year = YEAR_FIRST; year < YEAR_FIRST + YEARS; year++) {
        Almanac__Internal__CommitRequest request;
        almanac__internal__commit_request__init(&request);
        size_t count = 0;
        int32_t ordinal = freq == ALM_FREQ_ANNUAL ? year : year * 4 + (int32_t)below(f, 4);
        alm_period period = {.freq = (uint8_t)freq, .length = 1, .ordinal = ordinal};
        for (alm_place_id place = 0; place < PLACES; place++) {
            if (below(f, 100) < percent) {
                rows[count++] = observe(f, place, period, unit);
            }
        }
        must(alm_obs_block_write(&name, 1, rows, count, NULL, f->arena, &request.observations, &st),
             &st);
        commit(f, &request);
    }
    alm_free(rows);
}

static void fill(fixture *f)
{
    const alm_unit yuan = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8};
    const alm_unit fine = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 4};
    const alm_unit persons = {.measure = ALM_MEASURE_UNIT_PERSONS, .mult = 4};
    const alm_unit percent = {.measure = ALM_MEASURE_UNIT_PERCENT};
    commit_catalog(f);
    commit_variant(f, "A.gdp.P.level._Z._T", ALM_FREQ_ANNUAL, yuan, 70);
    commit_variant(f, "A.gdp.C.level._Z._T", ALM_FREQ_ANNUAL, fine, 2);
    commit_variant(f, "Q.gdp.P.level._Z._T", ALM_FREQ_QUARTER, yuan, 5);
    commit_variant(f, "A.gdp.P.growth_yoy._Z._T", ALM_FREQ_ANNUAL, percent, 3);
    commit_variant(f, "A.pop.P.level._Z._T", ALM_FREQ_ANNUAL, persons, 50);
}

static int set_up(void **state)
{
    fixture *f = alm_calloc(1, sizeof *f);
    assert_non_null(f);
    f->random = seed;
    snprintf(f->dir, sizeof f->dir, "/tmp/almanac-workers-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    alm_log_init(&f->log, "test");
    f->log.level = ALM_LOG_OFF;
    f->arena = alm_arena_create(0);
    start_all(f);
    fill(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    for (size_t g = 0; g < GATEWAYS; g++) {
        almanac_client_close(&f->clients[g]);
        alm_module_gateway.stop(f->gateway[g], 1000);
    }
    for (size_t i = 0; i < WORKERS; i++) {
        alm_module_aggregation.stop(f->workers[i].self, 1000);
    }
    alm_channel_close(&f->to_storage);
    alm_module_storage.stop(f->storage, 1000);
    alm_rpc_destroy(&f->rpc);
    alm_config_destroy(&f->storage_config);
    alm_config_destroy(&f->gateway_config);
    alm_config_destroy(&f->worker_config);
    alm_arena_destroy(&f->arena);
    remove_dir(f->dir);
    alm_free(f);
    return 0;
}

// --- asking --------------------------------------------------------------------------------------

#define PICK(f, of) (of)[below(f, ALM_ARRAY_LEN(of))]

typedef struct asked {
    almanac_query query;
    const char *indicators[2], *transforms[2];
} asked;

static void draw(fixture *f, asked *ret)
{
    static const char *const places[] = {"310000/**", "310000/**@town", "310000/**@town,310101",
                                         "310101/*", "310101,310102"};
    static const char *const periods[] = {"2016..2023", "2017..2022", "2017..2023,2016-Q1..2023-Q4",
                                          "all",        "last:6",     "2019.."};
    static const char *const words[] = {"pc1",    "chg", "ma:3", "log",    "index:2018",
                                        "cagr:2", "chy", "rank", "rollup", "to:A"};
    static const char *const indicators[] = {"gdp", "gdp", "pop", "gdp/pop", "*", "nobody"};
    static const char *const units[] = {"", "", "CNY_E4", "persons"};
    static const almanac_order orders[] = {ALMANAC_ORDER_KEY, ALMANAC_ORDER_KEY,
                                           ALMANAC_ORDER_VALUE_DESC};
    *ret = (asked){.indicators = {PICK(f, indicators), "pop"}, .transforms = {PICK(f, words)}};
    ret->query = (almanac_query){
        .indicators = ret->indicators,
        .indicator_count = strcmp(ret->indicators[0], "*") == 0 ? 1 : 1 + below(f, 2),
        .places = below(f, 4) != 0 ? places[below(f, 3)] : PICK(f, places),
        .periods = below(f, 2) != 0 ? periods[0] : PICK(f, periods),
        .transforms = ret->transforms,
        .transform_count = below(f, 2),
        .unit = PICK(f, units),
        .order = PICK(f, orders),
        .limit = below(f, 4) == 0 ? 100 : 0,
    };
}

static void put_row(alm_buf *out, const almanac_row *row)
{
    alm_buf_printf(out, "%s %s %s %s %s %s %s %s %lld %d %d %.17g %.17g %u %c %d %s %s %s %s %s", //
                   row->indicator, row->place, row->period, row->measure, row->accumulation,
                   row->breakdown, row->relation, row->unit, (long long)row->mantissa,
                   row->exponent, row->has_number, row->lower, row->upper, row->qualifier,
                   row->status, (int)row->origin, row->source, row->published, row->note,
                   row->reason, row->transform);
    alm_buf_printf(out, " %u/%u @%llu\n", row->of_count, row->of_expected,
                   (unsigned long long)row->sequence);
}

// The rows, then what was wrong: all that a client is told. *ret_rows: how many rows.
static void ask(almanac_client *client, const almanac_query *query, alm_buf *out, size_t *ret_rows)
{
    almanac_rows *rows;
    const almanac_row *row;
    almanac_error error;
    const almanac_item_error *errors;
    alm_buf_init(out, 0);
    *ret_rows = 0;
    almanac_code code = almanac_query_open(client, query, &rows, &error);
    assert_int_equal(code, ALMANAC_OK);
    while ((code = almanac_rows_next(rows, &row, &error)) == ALMANAC_OK && row != NULL) {
        put_row(out, row);
        ++*ret_rows;
    }
    size_t count = almanac_rows_errors(rows, &errors);
    for (size_t i = 0; i < count; i++) {
        alm_buf_printf(out, "! %s %d %s\n", errors[i].item, (int)errors[i].code, errors[i].message);
    }
    if (code != ALMANAC_OK) {
        alm_buf_printf(out, "%d %s %s\n", (int)code, error.field, error.message);
    }
    almanac_rows_close(&rows);
    assert_false(out->failed);
}

// With a limit that no answer reaches a question is not cut by places: what one worker answers.
static void ask_whole(fixture *f, const almanac_query *query, alm_buf *out, size_t *ret_rows)
{
    almanac_query whole = *query;
    whole.limit = query->limit == 0 ? ALM_QUERY_CELL_COUNT_MAX : query->limit;
    ask(f->clients[0], &whole, out, ret_rows);
}

static void assert_same(const asked *it, const alm_buf *want, const alm_buf *got, const char *how)
{
    size_t at = 0;
    size_t line = 0;
    if (want->len == got->len && memcmp(want->data, got->data, want->len) == 0) {
        return;
    }
    for (; at < want->len && at < got->len && want->data[at] == got->data[at]; at++) {
        line = want->data[at] == '\n' ? at + 1 : line;
    }
    fail_msg("seed %llu, %s: %s%s p=%s t=%s x=%s u=%s order=%d limit=%u:\n%.*s\nis not\n%.*s",
             (unsigned long long)seed, how, it->indicators[0],
             it->query.indicator_count > 1 ? ",pop" : "", it->query.places, it->query.periods,
             it->query.transform_count > 0 ? it->transforms[0] : "", it->query.unit,
             (int)it->query.order, it->query.limit, (int)ALM_MIN(got->len - line, (size_t)300),
             got->data + line, (int)ALM_MIN(want->len - line, (size_t)300), want->data + line);
}

static void any_number_of_workers(void **state)
{
    fixture *f = *state;
    size_t all = 0;
    for (size_t i = 0; i < questions; i++) {
        asked it;
        alm_buf want, got;
        size_t rows;
        draw(f, &it);
        ask_whole(f, &it.query, &want, &rows);
        all += rows;
        for (size_t g = 0; g < GATEWAYS; g++) {
            char how[32];
            snprintf(how, sizeof how, "%zu workers", sizes[g]);
            ask(f->clients[g], &it.query, &got, &rows);
            assert_same(&it, &want, &got, how);
            alm_buf_deinit(&got);
        }
        alm_buf_deinit(&want);
    }
    assert_true(all > questions * 1000);
}

// --- workers that stop ---------------------------------------------------------------------------

typedef struct stopper {
    fixture *f;
    uint64_t random;
    sem_t is_over;
    unsigned stops;
} stopper;

// Has it been told within so long?
static bool is_over(stopper *it, uint32_t ms)
{
    struct timespec until;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &until), 0);
    uint64_t ns = (uint64_t)until.tv_nsec + UINT64_C(1000000) * ms;
    until.tv_sec += (time_t)(ns / UINT64_C(1000000000));
    until.tv_nsec = (long)(ns % UINT64_C(1000000000));
    return sem_timedwait(&it->is_over, &until) == 0;
}

// Two workers stop at once, one after the other, whatever they do, and come back; unless the
// question is over before. With more a fragment's tries may be spent, however slow the machine.
static void *stop_workers(void *arg)
{
    stopper *it = arg;
    for (int i = 0; i < 2; i++) {
        it->random = it->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        if (is_over(it, (uint32_t)(it->random >> 32) % 200)) {
            break;
        }
        worker *w = &it->f->workers[(it->random >> 60) % 3];
        alm_module_aggregation.stop(w->self, 0);
        start_worker(w);
        it->stops++;
    }
    return NULL;
}

static void ask_while_workers_stop(stopper *it, almanac_client *client, const almanac_query *query,
                                   alm_buf *got)
{
    pthread_t thread;
    size_t rows;
    assert_int_equal(sem_init(&it->is_over, 0, 0), 0);
    assert_int_equal(pthread_create(&thread, NULL, stop_workers, it), 0);
    ask(client, query, got, &rows);
    assert_int_equal(sem_post(&it->is_over), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(sem_destroy(&it->is_over), 0);
}

static void workers_that_stop(void **state)
{
    fixture *f = *state;
    stopper it = {.f = f, .random = seed};
    asked drawn[6];
    alm_buf want[ALM_ARRAY_LEN(drawn)];
    size_t rows;
    for (size_t i = 0; i < ALM_ARRAY_LEN(drawn); i++) {
        do {
            draw(f, &drawn[i]);
        } while (strcmp(drawn[i].query.places, "310000/**") != 0);
        ask_whole(f, &drawn[i].query, &want[i], &rows);
    }
    for (size_t i = 0; i < questions; i++) {
        alm_buf got;
        size_t at = i % ALM_ARRAY_LEN(drawn);
        ask_while_workers_stop(&it, f->clients[i % 2 == 0 ? 2 : 3], &drawn[at].query, &got);
        assert_same(&drawn[at], &want[at], &got, "while workers stop");
        alm_buf_deinit(&got);
    }
    assert_true(it.stops > 0);
    for (size_t i = 0; i < ALM_ARRAY_LEN(drawn); i++) {
        alm_buf_deinit(&want[i]);
    }
}

int main(int argc, char **argv)
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : seed;
    questions = argc > 2 ? strtoull(argv[2], NULL, 10) : questions;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_workers),
        cmocka_unit_test(workers_that_stop),
    };
    return cmocka_run_group_tests_name("workers", tests, set_up, tear_down);
}
