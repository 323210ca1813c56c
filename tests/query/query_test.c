// Goal: what the answering core promises also holds over calls and a real store: rows arrive in
// blocks, at one pinned state, with errors beside them; a question sees its own writes; the change
// feed is told in codes. Method: the storage and the aggregation module in one process over
// inproc, a fresh store a test.
#include "alm/aggregation_module.h"
#include "alm/alloc.h"
#include "alm/limits.h"
#include "alm/storage_module.h"
#include "alm/wire.h"

#include "almanac/internal/aggregation.pb-c.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define TIMEOUT_MS 20000

typedef struct fixture {
    char dir[64];
    char storage_address[64], aggregation_address[64];
    alm_log log;
    alm_config *config;
    alm_rpc *rpc;
    alm_module_ctx storage_ctx, aggregation_ctx;
    void *storage, *aggregation;
    alm_channel *to_storage, *to_aggregation;
    alm_arena *arena;
    uint64_t batches;
} fixture;

static const char *scheme = "inproc";

static void die(const alm_status *st)
{
    fail_msg("%s %s: %s", alm_code_name(st->code), st->field, st->message);
}

static int set_up(void **state)
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
        alm_rpc_create(&opts, &f->rpc, &st) != ALM_OK) {
        die(&st);
    }
    snprintf(f->storage_address, sizeof f->storage_address, "%s://query.storage", scheme);
    snprintf(f->aggregation_address, sizeof f->aggregation_address, "%s://query.aggregation",
             scheme);
    f->storage_ctx = (alm_module_ctx){.rpc = f->rpc,
                                      .log = &f->log,
                                      .clock = alm_clock_system(),
                                      .config = f->config,
                                      .bind = f->storage_address};
    f->aggregation_ctx = f->storage_ctx;
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

static int tear_down(void **state)
{
    fixture *f = *state;
    alm_channel_close(&f->to_aggregation);
    alm_channel_close(&f->to_storage);
    alm_module_aggregation.stop(f->aggregation, 1000);
    alm_module_storage.stop(f->storage, 1000);
    alm_rpc_destroy(&f->rpc);
    alm_config_destroy(&f->config);
    alm_arena_destroy(&f->arena);
    remove_dir(f->dir);
    alm_free(f);
    return 0;
}

// --- writing; places have the ids 0 to 3 in this order ------------------------------------------

static uint64_t commit(fixture *f, Almanac__Internal__CommitRequest *request)
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

static Almanac__V1__Place *new_place(fixture *f, const char *code, const char *parent,
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

static void commit_catalog(fixture *f)
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

static alm_obs observe(alm_place_id place, int32_t year, int64_t hundredths, uint32_t source)
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

static uint64_t commit_rows(fixture *f, const char *variant, const alm_obs *rows, size_t count)
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

static void ask_gdp(Almanac__V1__QueryRequest *request, char **indicators, size_t count,
                    const char *places, const char *periods)
{
    almanac__v1__query_request__init(request);
    request->indicators = indicators;
    request->n_indicators = count;
    request->places = (char *)(uintptr_t)places;
    request->periods = (char *)(uintptr_t)periods;
}

typedef struct answer {
    Almanac__V1__ResultBlock *blocks[64];
    size_t block_count;
    Almanac__V1__ItemError *errors[8];
    size_t error_count;
    size_t rows;
    alm_status st;
} answer;

static void execute(fixture *f, const Almanac__V1__QueryRequest *request, answer *ret)
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

static uint32_t at(const uint32_t *column, size_t count, size_t rows, size_t i)
{
    if (count <= 1 || count == rows) {
        return count == 0 ? 0 : column[count == 1 ? 0 : i];
    }
    for (; i >= column[1]; column += 2) { // runs
        i -= column[1];
    }
    return column[0];
}

// Of a column of a block: what row i has.
#define AT(block, column, i)                                                                       \
    at((const uint32_t *)(block)->column, (block)->n_##column, (block)->rows, (i))
#define WIDE_AT(block, column, i)                                                                  \
    ((block)->n_##column == 0 ? 0 : (block)->column[(block)->n_##column == 1 ? 0 : (i)])

static void assert_text(const Almanac__V1__ResultBlock *block, uint32_t index, const char *want)
{
    assert_true(index < block->n_text_ends);
    size_t from = index == 0 ? 0 : block->text_ends[index - 1] + 1;
    alm_str text = {block->texts + from, block->text_ends[index] - from};
    assert_true(alm_str_eq(text, alm_str_from(want)));
}

// --- the tests ----------------------------------------------------------------------------------

static void answers_at_a_pinned_state(void **state)
{
    fixture *f = *state;
    Almanac__V1__QueryRequest request;
    char gdp[] = "gdp", by_name[] = "人口", unknown[] = "gdpp";
    char *indicators[] = {gdp, unknown, by_name};
    answer a;
    commit_catalog(f);
    alm_obs rows[] = {observe(2, 2022, 15000, 0), observe(2, 2023, 16950, ALM_SOURCE_NONE)};
    uint64_t first = commit_rows(f, "A.gdp.P.level._Z._T", rows, 2);
    alm_obs revised = observe(2, 2023, 18000, ALM_SOURCE_NONE);
    revised.published++;
    uint64_t second = commit_rows(f, "A.gdp.P.level._Z._T", &revised, 1);

    ask_gdp(&request, indicators, 3, "310105", "2023");
    request.min_sequence = second;
    execute(f, &request, &a);
    assert_int_equal(a.st.code, ALM_OK);
    assert_int_equal(a.error_count, 1);
    assert_string_equal(a.errors[0]->item, "gdpp");
    assert_int_equal(a.errors[0]->code, ALM_NOT_FOUND);
    assert_int_equal(a.rows, 2);
    const Almanac__V1__ResultBlock *block = a.blocks[0];
    assert_int_equal(block->sequence, second);
    assert_int_equal(WIDE_AT(block, mantissa, 0), 18000);
    assert_text(block, AT(block, place, 0), "310105");
    assert_text(block, AT(block, unit, 0), "CNY_E8");
    assert_false(AT(block, has_number, 1));
    assert_text(block, AT(block, indicator, 1), "pop");
    assert_text(block, AT(block, reason, 1), "no observation of pop for 310105 in 2023");

    request.min_sequence = 0;
    request.at_sequence = first;
    execute(f, &request, &a);
    assert_int_equal(WIDE_AT(a.blocks[0], mantissa, 0), 16950);
    assert_int_equal(a.blocks[0]->sequence, first);

    char growth[] = "growth";
    char *transforms[] = {growth};
    request.transforms = transforms;
    request.n_transforms = 1;
    request.n_indicators = 1;
    execute(f, &request, &a);
    assert_int_equal(a.rows, 1);
    block = a.blocks[0];
    assert_int_equal(WIDE_AT(block, mantissa, 0), 1300);
    assert_int_equal((int32_t)AT(block, exponent, 0), -2);
    assert_int_equal(AT(block, origin, 0), ALMANAC__V1__ORIGIN__ORIGIN_COMPUTED);
    assert_text(block, AT(block, measure, 0), "growth_yoy");
}

// By the worker's clock where the question does not say its day, and by the store as it grows.
static void what_is_published_later_does_not_count_yet(void **state)
{
    fixture *f = *state;
    Almanac__V1__QueryRequest request;
    char gdp[] = "gdp", none[] = "", named[] = "9000-01-01";
    char *indicators[] = {gdp};
    answer a;
    commit_catalog(f);
    alm_obs now = observe(2, 2023, 15000, 0);
    alm_obs later = observe(2, 2023, 16000, 0);
    later.published = alm_date_from_ymd(9000, 1, 1);
    (void)commit_rows(f, "A.gdp.P.level._Z._T", &now, 1);
    uint64_t newest = commit_rows(f, "A.gdp.P.level._Z._T", &later, 1);
    const struct {
        alm_date today;
        char *as_of;
        int64_t want;
    } rows[] = {{0, none, 15000},
                {later.published - 1, none, 15000},
                {later.published, none, 16000},
                {0, named, 16000}};
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        ask_gdp(&request, indicators, 1, "310105", "2023");
        request.min_sequence = newest;
        request.today = rows[i].today;
        request.as_of = rows[i].as_of;
        execute(f, &request, &a);
        assert_int_equal(a.st.code, ALM_OK);
        assert_int_equal(a.rows, 1);
        assert_int_equal(a.blocks[0]->mantissa[0], rows[i].want);
    }
}

static void fails_as_a_whole_with_the_field(void **state)
{
    fixture *f = *state;
    Almanac__V1__QueryRequest request;
    char gdp[] = "gdp";
    char *indicators[] = {gdp};
    answer a;
    commit_catalog(f);
    ask_gdp(&request, indicators, 1, "319999", "2023");
    execute(f, &request, &a);
    assert_int_equal(a.st.code, ALM_NOT_FOUND);
    assert_string_equal(a.st.field, "places");
    ask_gdp(&request, indicators, 1, "310105", "2023");
    char measure[] = "levels";
    request.measure = measure;
    execute(f, &request, &a);
    assert_int_equal(a.st.code, ALM_INVALID_ARGUMENT);
    assert_string_equal(a.st.field, "measure");
    // A sequence that does not exist yet is waited for, no longer than the call may take.
    alm_stream *stream;
    ProtobufCMessage *message;
    alm_call_opts opts = {.timeout_ms = 700};
    ask_gdp(&request, indicators, 1, "310105", "2023");
    request.min_sequence = 1000000;
    assert_int_equal(alm_stream_open(f->to_aggregation, &alm_service_aggregation, "Execute", &opts,
                                     &request.base, &stream, &a.st),
                     ALM_OK);
    assert_int_equal(alm_stream_next(stream, f->arena, &message, &a.st), ALM_DEADLINE_EXCEEDED);
    alm_stream_close(&stream);
}

// More rows than a block holds, in key order over the blocks.
static void streams_blocks_in_order(void **state)
{
    fixture *f = *state;
    Almanac__V1__QueryRequest request;
    char gdp[] = "gdp";
    char *indicators[] = {gdp};
    answer a;
    commit_catalog(f);
    const size_t years = 5000;
    alm_obs *rows = alm_arena_calloc(f->arena, years * 2, sizeof *rows);
    for (size_t i = 0; i < years; i++) {
        rows[i] = observe(1, (int32_t)i + 1, (int64_t)i, 0);
        rows[years + i] = observe(2, (int32_t)i + 1, (int64_t)(years + i), 0);
    }
    (void)commit_rows(f, "A.gdp.P.level._Z._T", rows, years * 2);
    ask_gdp(&request, indicators, 1, "310105,310104", "all");
    execute(f, &request, &a);
    assert_int_equal(a.st.code, ALM_OK);
    assert_int_equal(a.rows, years * 2);
    assert_int_equal(a.block_count, 3);
    size_t row = 0;
    for (size_t b = 0; b < a.block_count; b++) {
        for (size_t i = 0; i < a.blocks[b]->rows; i++, row++) {
            int64_t want = row < years ? (int64_t)(years + row) : (int64_t)(row - years);
            assert_int_equal(WIDE_AT(a.blocks[b], mantissa, i), want);
        }
    }
    char rollup[] = "rollup";
    char *transforms[] = {rollup};
    request.transforms = transforms;
    request.n_transforms = 1;
    request.incomplete = true;
    char province[] = "province";
    request.group_by = province;
    execute(f, &request, &a);
    assert_int_equal(a.rows, years);
    assert_int_equal(WIDE_AT(a.blocks[0], mantissa, 7), 7 + (int64_t)years + 7);
    assert_int_equal(AT(a.blocks[0], of_count, 7), 2);
}

static void plans_what_stands_for_what(void **state)
{
    fixture *f = *state;
    Almanac__V1__QueryRequest request;
    char star[] = "*", name[] = "生产总值", unknown[] = "nothing-like-it";
    char *every[] = {star};
    char *named[] = {name, unknown};
    alm_status st = ALM_STATUS_INIT;
    ProtobufCMessage *reply;
    commit_catalog(f);
    alm_obs row = observe(2, 2023, 16950, 0);
    uint64_t sequence = commit_rows(f, "A.gdp.P.level._Z._T", &row, 1);
    alm_call_opts opts = {.timeout_ms = TIMEOUT_MS};
    ask_gdp(&request, every, 1, "310105", "2023");
    if (alm_channel_call(f->to_aggregation, &alm_service_aggregation, "Plan", &opts, &request.base,
                         f->arena, &reply, &st) != ALM_OK) {
        die(&st);
    }
    const Almanac__Internal__PlanResponse *plan = (const Almanac__Internal__PlanResponse *)reply;
    assert_int_equal(plan->n_indicators, 1);
    assert_string_equal(plan->indicators[0], "gdp");
    assert_int_equal(plan->sequence, sequence);
    ask_gdp(&request, named, 2, "310105", "2023");
    if (alm_channel_call(f->to_aggregation, &alm_service_aggregation, "Plan", &opts, &request.base,
                         f->arena, &reply, &st) != ALM_OK) {
        die(&st);
    }
    plan = (const Almanac__Internal__PlanResponse *)reply;
    assert_int_equal(plan->n_indicators, 1);
    assert_string_equal(plan->indicators[0], "gdp");
    assert_int_equal(plan->n_errors, 1);
    assert_string_equal(plan->errors[0]->item, "nothing-like-it");
}

static uint64_t commit_town(fixture *f, const char *code)
{
    Almanac__Internal__CommitRequest request;
    almanac__internal__commit_request__init(&request);
    Almanac__V1__Place *place = new_place(f, code, "310104", ALMANAC__V1__LEVEL__LEVEL_TOWN);
    request.places = &place;
    request.n_places = 1;
    return commit(f, &request);
}

// Goal: a worker that knows an older catalogue answers by the newest: a place named for the first
// time, children where there were none, of published values and of computed ones.
static void knows_what_was_just_committed(void **state)
{
    fixture *f = *state;
    Almanac__V1__QueryRequest request;
    char gdp[] = "gdp", growth[] = "growth";
    char *indicators[] = {gdp};
    char *transforms[] = {growth};
    answer a;
    commit_catalog(f);
    ask_gdp(&request, indicators, 1, "310104/*", "2023");
    execute(f, &request, &a);
    assert_int_equal(a.rows, 0);
    assert_int_equal(a.blocks[0]->sequence, 1);
    for (uint32_t i = 0; i < 3; i++) {
        const char *code = alm_arena_printf(f->arena, "31010400%u", i + 1);
        alm_obs rows[] = {observe(4 + i, 2022, 100, 0), observe(4 + i, 2023, 110 + i, 0)};
        (void)commit_town(f, code);
        (void)commit_rows(f, "A.gdp.P.level._Z._T", rows, 2);
        ask_gdp(&request, indicators, 1, i == 0 ? code : "310104/*", "2023");
        request.transforms = transforms;
        request.n_transforms = i == 1;
        execute(f, &request, &a);
        assert_int_equal(a.st.code, ALM_OK);
        assert_int_equal(a.rows, i + 1);
        assert_text(a.blocks[0], AT(a.blocks[0], place, i), code);
        assert_true(AT(a.blocks[0], has_number, i));
    }
}

static void explains_with_superseded_vintages(void **state)
{
    fixture *f = *state;
    Almanac__V1__QueryRequest query;
    Almanac__V1__ExplainRequest request;
    almanac__v1__explain_request__init(&request);
    char gdp[] = "gdp";
    char *indicators[] = {gdp};
    alm_status st = ALM_STATUS_INIT;
    ProtobufCMessage *reply;
    commit_catalog(f);
    alm_obs first = observe(2, 2023, 20000, 0);
    first.value.qualifier = ALM_QUALIFIER_MORE_THAN;
    alm_obs second = observe(2, 2023, 22862, 0);
    second.published = alm_date_from_ymd(2025, 1, 20);
    uint64_t sequence = commit_rows(f, "A.gdp.P.level._Z._T", &first, 1);
    (void)commit_rows(f, "A.gdp.P.level._Z._T", &second, 1);
    ask_gdp(&query, indicators, 1, "310105", "2023");
    request.query = &query;
    alm_call_opts opts = {.timeout_ms = TIMEOUT_MS};
    if (alm_channel_call(f->to_aggregation, &alm_service_aggregation, "Explain", &opts,
                         &request.base, f->arena, &reply, &st) != ALM_OK) {
        die(&st);
    }
    const Almanac__V1__ExplainResponse *response = (const Almanac__V1__ExplainResponse *)reply;
    assert_int_equal(response->n_steps, 2);
    assert_int_equal(response->steps[0]->depth, 0);
    assert_string_equal(response->steps[0]->published, "2025-01-20");
    assert_string_equal(response->steps[0]->source, "Report of 2023");
    assert_int_equal(response->steps[1]->depth, 1);
    assert_string_equal(response->steps[1]->what, "older publication of the same source");
    assert_int_equal(response->steps[1]->loss, ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_OLDER);
    assert_string_equal(response->steps[1]->interval, "at least 200");
    query.at_sequence = sequence;
    if (alm_channel_call(f->to_aggregation, &alm_service_aggregation, "Explain", &opts,
                         &request.base, f->arena, &reply, &st) != ALM_OK) {
        die(&st);
    }
    response = (const Almanac__V1__ExplainResponse *)reply;
    assert_int_equal(response->n_steps, 2);
    assert_string_equal(response->steps[0]->published, "2024-01-20");
    assert_string_equal(response->steps[1]->published, "2025-01-20");
    assert_int_equal(response->steps[1]->loss,
                     ALMANAC__V1__EXPLAIN_LOSS__EXPLAIN_LOSS_LATER_COMMIT);
    request.query = NULL;
    assert_int_equal(alm_channel_call(f->to_aggregation, &alm_service_aggregation, "Explain", &opts,
                                      &request.base, f->arena, &reply, &st),
                     ALM_INVALID_ARGUMENT);
    assert_string_equal(st.field, "query");
}

// Growth against the levels of three commits; more than one message would take thousands.
static void reconciles_with_what_is_stored(void **state)
{
    fixture *f = *state;
    Almanac__V1__QueryRequest query;
    Almanac__V1__ReconcileRequest request;
    almanac__v1__reconcile_request__init(&request);
    char gdp[] = "gdp";
    char *indicators[] = {gdp};
    alm_status st = ALM_STATUS_INIT;
    commit_catalog(f);
    alm_obs base = observe(2, 2022, 20000, 0);
    alm_obs level = observe(2, 2023, 22862, 0);
    alm_obs growth = observe(2, 2023, 1431, 0);
    growth.value.unit = (alm_unit){.measure = ALM_MEASURE_UNIT_PERCENT};
    (void)commit_rows(f, "A.gdp.P.level._Z._T", &base, 1);
    (void)commit_rows(f, "A.gdp.P.level._Z._T", &level, 1);
    (void)commit_rows(f, "A.gdp.P.growth_yoy._Z._T", &growth, 1);
    ask_gdp(&query, indicators, 1, "310105", "2023");
    request.query = &query;
    alm_call_opts opts = {.timeout_ms = TIMEOUT_MS};
    alm_stream *stream;
    ProtobufCMessage *message;
    assert_int_equal(alm_stream_open(f->to_aggregation, &alm_service_aggregation, "Reconcile",
                                     &opts, &request.base, &stream, NULL),
                     ALM_OK);
    if (alm_stream_next(stream, f->arena, &message, &st) != ALM_OK) {
        die(&st);
    }
    const Almanac__V1__ReconcileResponse *response =
        (const Almanac__V1__ReconcileResponse *)message;
    assert_int_equal(response->n_findings, 1);
    assert_int_equal(response->findings[0]->verdict, ALMANAC__V1__VERDICT__VERDICT_MATCH);
    assert_string_equal(response->findings[0]->source, "report");
    assert_int_equal(alm_stream_next(stream, f->arena, &message, NULL), ALM_OK);
    assert_null(message);
    alm_stream_close(&stream);
}

static void tells_changes_in_codes(void **state)
{
    fixture *f = *state;
    Almanac__V1__WatchRequest request;
    almanac__v1__watch_request__init(&request);
    char gdp[] = "gdp", places[] = "310105";
    char *indicators[] = {gdp};
    alm_status st = ALM_STATUS_INIT;
    alm_stream *stream;
    ProtobufCMessage *message = NULL;
    commit_catalog(f);
    alm_obs here = observe(2, 2023, 16950, 0);
    alm_obs elsewhere = observe(1, 2023, 1, 0);
    request.from_sequence = commit_rows(f, "A.gdp.P.level._Z._T", &elsewhere, 1);
    uint64_t sequence = commit_rows(f, "A.gdp.P.level._Z._T", &here, 1);
    request.indicators = indicators;
    request.n_indicators = 1;
    request.places = places;
    alm_call_opts opts = {.timeout_ms = -1};
    if (alm_stream_open(f->to_aggregation, &alm_service_aggregation, "Watch", &opts, &request.base,
                        &stream, &st) != ALM_OK ||
        alm_stream_next(stream, f->arena, &message, &st) != ALM_OK) {
        die(&st);
    }
    ALM_ASSERT(message != NULL);
    const Almanac__V1__WatchResponse *change = (const Almanac__V1__WatchResponse *)message;
    assert_int_equal(change->sequence, sequence);
    assert_int_equal(change->n_variants, 1);
    assert_string_equal(change->variants[0], "A.gdp.P.level._Z._T");
    assert_int_equal(change->block->rows, 1);
    assert_text(change->block, AT(change->block, place, 0), "310105");
    assert_text(change->block, AT(change->block, source, 0), "report");
    // What is committed while the stream is open comes too.
    here.published++;
    here.value.number.mantissa++;
    sequence = commit_rows(f, "A.gdp.P.level._Z._T", &here, 1);
    if (alm_stream_next(stream, f->arena, &message, &st) != ALM_OK) {
        die(&st);
    }
    ALM_ASSERT(message != NULL);
    change = (const Almanac__V1__WatchResponse *)message;
    assert_int_equal(change->sequence, sequence);
    assert_int_equal(change->revised, 1);
    assert_int_equal(WIDE_AT(change->block, mantissa, 0), 16951);
    alm_stream_close(&stream);

    char unknown[] = "gdpp";
    indicators[0] = unknown;
    if (alm_stream_open(f->to_aggregation, &alm_service_aggregation, "Watch", &opts, &request.base,
                        &stream, &st) != ALM_OK) {
        die(&st);
    }
    assert_int_equal(alm_stream_next(stream, f->arena, &message, &st), ALM_NOT_FOUND);
    alm_stream_close(&stream);
}

static uint64_t ask_feed_from(fixture *f)
{
    alm_status st = ALM_STATUS_INIT;
    ProtobufCMessage *reply;
    Almanac__Internal__HeadRequest request;
    almanac__internal__head_request__init(&request);
    alm_call_opts opts = {.timeout_ms = TIMEOUT_MS};
    if (alm_channel_call(f->to_storage, &alm_service_storage, "Head", &opts, &request.base,
                         f->arena, &reply, &st) != ALM_OK) {
        die(&st);
    }
    return ((const Almanac__Internal__HeadResponse *)reply)->feed_from;
}

// Commits rows of two indicators at one place in turn until the feed has left rows out.
static uint64_t commit_past_the_feed(fixture *f)
{
    uint64_t sequence = 0;
    int32_t year = 1900;
    while (ask_feed_from(f) < 10) {
        year++;
        alm_obs row = observe(2, year, year, 0);
        const char *variant = year % 2 == 0 ? "A.gdp.P.level._Z._T" : "A.gdp.C.level._Z._T";
        sequence = commit_rows(f, variant, &row, 1);
        assert_true(year < 2900);
    }
    return sequence;
}

// Goal: who watches a place from long ago on misses nothing. Method: commits of which the feed has
// no rows any more are told with the series they changed, even though their places are not known.
static void a_watcher_far_behind_misses_nothing(void **state)
{
    fixture *f = *state;
    char gdp[] = "gdp", places[] = "310105";
    char *indicators[] = {gdp};
    alm_status st = ALM_STATUS_INIT;
    alm_stream *stream;
    Almanac__V1__WatchRequest request;
    almanac__v1__watch_request__init(&request);
    commit_catalog(f);
    uint64_t last = commit_past_the_feed(f);
    request.from_sequence = 2;
    request.indicators = indicators;
    request.n_indicators = 1;
    request.places = places;
    alm_call_opts opts = {.timeout_ms = -1};
    if (alm_stream_open(f->to_aggregation, &alm_service_aggregation, "Watch", &opts, &request.base,
                        &stream, &st) != ALM_OK) {
        die(&st);
    }
    for (uint64_t sequence = 2; sequence <= last; sequence++) {
        ProtobufCMessage *message = NULL;
        if (alm_stream_next(stream, f->arena, &message, &st) != ALM_OK) {
            die(&st);
        }
        ALM_ASSERT(message != NULL);
        const Almanac__V1__WatchResponse *change = (const Almanac__V1__WatchResponse *)message;
        assert_int_equal(change->sequence, sequence);
        assert_int_equal(change->n_variants, 1);
        assert_int_equal(change->rows_left_out, change->block == NULL);
        assert_int_equal(change->rows_not_listed, change->rows_left_out);
        assert_true(sequence >= 10 || change->rows_left_out);
        assert_true(sequence + 4 <= last || !change->rows_left_out);
    }
    alm_stream_close(&stream);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        scheme = argv[1];
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_at_a_pinned_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_published_later_does_not_count_yet, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(fails_as_a_whole_with_the_field, set_up, tear_down),
        cmocka_unit_test_setup_teardown(streams_blocks_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(plans_what_stands_for_what, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knows_what_was_just_committed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(explains_with_superseded_vintages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reconciles_with_what_is_stored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_changes_in_codes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_watcher_far_behind_misses_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
