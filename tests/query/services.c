#include "services.h"

#include "alm/alloc.h"
#include "alm/limits.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *services_scheme = "inproc";

void die(const alm_status *st)
{
    fail_msg("%s %s: %s", alm_code_name(st->code), st->field, st->message);
}

int set_up(void **state)
{
    fixture *f = alm_calloc(1, sizeof *f);
    alm_status st = ALM_STATUS_INIT;
    snprintf(f->dir, sizeof f->dir, "/tmp/almanac-query-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    alm_log_init(&f->log, "test");
    f->log.level = ALM_LOG_OFF;
    char data[80];
    snprintf(data, sizeof data, "--data=%s", f->dir);
    char program[] = "test";
    char map[] = "--max-bytes=256M";
    char commits[] = "--feed-commits=4";
    char bytes[] = "--feed-bytes=1";
    char *argv[] = {program, data, map, commits, bytes, NULL};
    f->arena = alm_arena_create(0);
    alm_rpc_opts opts = {.log = &f->log};
    if (alm_config_load(alm_module_storage.options, alm_module_storage.option_count, 5, argv,
                        &f->config, &st) != ALM_OK ||
        alm_config_load(alm_module_aggregation.options, alm_module_aggregation.option_count, 1,
                        argv, &f->aggregation_config, &st) != ALM_OK ||
        alm_rpc_create(&opts, &f->rpc, &st) != ALM_OK) {
        die(&st);
    }
    snprintf(f->storage_address, sizeof f->storage_address, "%s://query.storage", services_scheme);
    snprintf(f->aggregation_address, sizeof f->aggregation_address, "%s://query.aggregation",
             services_scheme);
    f->storage_ctx = (alm_module_ctx){.rpc = f->rpc,
                                      .log = &f->log,
                                      .clock = alm_clock_system(),
                                      .config = f->config,
                                      .bind = f->storage_address};
    f->aggregation_ctx = f->storage_ctx;
    f->aggregation_ctx.config = f->aggregation_config;
    f->aggregation_ctx.bind = f->aggregation_address;
    f->aggregation_ctx.endpoints.storage = f->storage_ctx.bind;
    if (alm_module_storage.start(&f->storage_ctx, &f->storage, &st) != ALM_OK ||
        alm_module_aggregation.start(&f->aggregation_ctx, &f->aggregation, &st) != ALM_OK ||
        alm_channel_open(f->rpc, f->storage_ctx.bind, NULL, &f->to_storage, &st) != ALM_OK ||
        alm_channel_open(f->rpc, f->aggregation_ctx.bind, NULL, &f->to_aggregation, &st) !=
            ALM_OK) {
        die(&st);
    }
    *state = f;
    return 0;
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

int tear_down(void **state)
{
    fixture *f = *state;
    alm_channel_close(&f->to_aggregation);
    alm_channel_close(&f->to_storage);
    alm_module_aggregation.stop(f->aggregation, 1000);
    alm_module_storage.stop(f->storage, 1000);
    alm_rpc_destroy(&f->rpc);
    alm_config_destroy(&f->config);
    alm_config_destroy(&f->aggregation_config);
    alm_arena_destroy(&f->arena);
    remove_dir(f->dir);
    alm_free(f);
    return 0;
}

// --- writing -------------------------------------------------------------------------------------

uint64_t commit(fixture *f, Almanac__Internal__CommitRequest *request)
{
    alm_status st = ALM_STATUS_INIT;
    ProtobufCMessage *reply;
    request->batch_id = alm_arena_printf(f->arena, "b%llu", (unsigned long long)++f->batches);
    request->digest = (ProtobufCBinaryData){8, alm_arena_calloc(f->arena, 8, 1)};
    alm_call_opts opts = {.timeout_ms = TIMEOUT_MS};
    if (alm_channel_call(f->to_storage, &alm_service_storage, "Commit", &opts, &request->base,
                         f->arena, &reply, &st) != ALM_OK) {
        die(&st);
    }
    const Almanac__Internal__CommitResponse *response =
        (const Almanac__Internal__CommitResponse *)reply;
    assert_int_equal(response->n_conflicts, 0);
    return response->sequence;
}

Almanac__V1__Place *new_place(fixture *f, const char *code, const char *parent,
                              Almanac__V1__Level level)
{
    Almanac__V1__Place *place = alm_arena_alloc(f->arena, sizeof *place);
    almanac__v1__place__init(place);
    place->code = alm_arena_strdup(f->arena, alm_str_from(code));
    place->name_zh = place->code;
    place->parent = alm_arena_strdup(f->arena, alm_str_from(parent));
    place->level = level;
    return place;
}

void commit_catalog(fixture *f)
{
    Almanac__Internal__CommitRequest request;
    almanac__internal__commit_request__init(&request);
    Almanac__V1__Place *places[] = {
        new_place(f, "310000", "", ALMANAC__V1__LEVEL__LEVEL_PROVINCE),
        new_place(f, "310104", "310000", ALMANAC__V1__LEVEL__LEVEL_DISTRICT),
        new_place(f, "310105", "310000", ALMANAC__V1__LEVEL__LEVEL_DISTRICT),
        new_place(f, "310105001", "310105", ALMANAC__V1__LEVEL__LEVEL_TOWN),
    };
    char gdp_code[] = "gdp";
    char pop_code[] = "pop";
    char name[] = "生产总值";
    char pop_name[] = "人口";
    char yuan[] = "CNY_E8";
    char persons[] = "persons_E4";
    Almanac__V1__Indicator gdp;
    almanac__v1__indicator__init(&gdp);
    gdp.code = gdp_code;
    gdp.name_zh = name;
    gdp.unit = yuan;
    gdp.value_type = ALMANAC__V1__VALUE_TYPE__VALUE_TYPE_FLOW;
    gdp.over_places = gdp.over_time = ALMANAC__V1__AGGREGATION__AGGREGATION_SUM;
    Almanac__V1__Indicator pop = gdp;
    pop.code = pop_code;
    pop.name_zh = pop_name;
    pop.unit = persons;
    Almanac__V1__Indicator *indicators[] = {&gdp, &pop};
    char source_code[] = "report";
    char title[] = "Report of 2023";
    Almanac__V1__Source source;
    almanac__v1__source__init(&source);
    source.code = source_code;
    source.title = title;
    source.precedence = 10;
    Almanac__V1__Source *sources[] = {&source};
    request.places = places;
    request.n_places = ALM_ARRAY_LEN(places);
    request.indicators = indicators;
    request.n_indicators = ALM_ARRAY_LEN(indicators);
    request.sources = sources;
    request.n_sources = ALM_ARRAY_LEN(sources);
    (void)commit(f, &request);
}

alm_obs observe(alm_place_id place, int32_t year, int64_t hundredths, uint32_t source)
{
    return (alm_obs){
        .place = place,
        .period = {.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = year},
        .value = {.number = {hundredths, -2},
                  .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
                  .has_number = true},
        .source = source,
        .published = alm_date_from_ymd(2024, 1, 20),
    };
}

uint64_t commit_rows(fixture *f, const char *variant, const alm_obs *rows, size_t count)
{
    Almanac__Internal__CommitRequest request;
    almanac__internal__commit_request__init(&request);
    alm_str text = alm_str_from(variant);
    alm_status st = ALM_STATUS_INIT;
    if (alm_obs_block_write(&text, 1, rows, count, NULL, f->arena, &request.observations, &st) !=
        ALM_OK) {
        die(&st);
    }
    return commit(f, &request);
}

// --- asking -------------------------------------------------------------------------------------

void ask_gdp(Almanac__V1__QueryRequest *request, char **indicators, size_t count,
             const char *places, const char *periods)
{
    almanac__v1__query_request__init(request);
    request->indicators = indicators;
    request->n_indicators = count;
    request->places = (char *)(uintptr_t)places;
    request->periods = (char *)(uintptr_t)periods;
}

void execute(fixture *f, const Almanac__V1__QueryRequest *request, answer *ret)
{
    alm_stream *stream;
    alm_call_opts opts = {.timeout_ms = TIMEOUT_MS};
    *ret = (answer){0};
    if (alm_stream_open(f->to_aggregation, &alm_service_aggregation, "Execute", &opts,
                        &request->base, &stream, &ret->st) != ALM_OK) {
        die(&ret->st);
    }
    for (;;) {
        ProtobufCMessage *message;
        if (alm_stream_next(stream, f->arena, &message, &ret->st) != ALM_OK || message == NULL) {
            break;
        }
        const Almanac__V1__QueryResponse *response = (const Almanac__V1__QueryResponse *)message;
        if (response->block != NULL) {
            assert_true(response->block->rows <= ALM_RESULT_BLOCK_ROW_COUNT);
            assert_true(ret->block_count < ALM_ARRAY_LEN(ret->blocks));
            ret->blocks[ret->block_count++] = response->block;
            ret->rows += response->block->rows;
        }
        for (size_t i = 0; i < response->n_errors; i++) {
            assert_true(ret->error_count < ALM_ARRAY_LEN(ret->errors));
            ret->errors[ret->error_count++] = response->errors[i];
        }
    }
    alm_stream_close(&stream);
}

uint32_t at(const uint32_t *column, size_t count, size_t rows, size_t i)
{
    if (count <= 1 || count == rows) {
        return count == 0 ? 0 : column[count == 1 ? 0 : i];
    }
    for (; i >= column[1]; column += 2) { // runs
        i -= column[1];
    }
    return column[0];
}

void assert_text(const Almanac__V1__ResultBlock *block, uint32_t index, const char *want)
{
    assert_true(index < block->n_text_ends);
    size_t from = index == 0 ? 0 : block->text_ends[index - 1] + 1;
    alm_str text = {block->texts + from, block->text_ends[index] - from};
    assert_true(alm_str_eq(text, alm_str_from(want)));
}
