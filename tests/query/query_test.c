// Goal: what the answering core promises also holds over calls and a real store: rows arrive in
// blocks, at one pinned state, with errors beside them; a question sees its own writes; the change
// feed is told in codes. Method: the storage and the aggregation module in one process over
// inproc, a fresh store a test.
#include "services.h"

#include "alm/alloc.h"
#include "alm/buf.h"
#include "alm/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

// --- what a worker keeps -------------------------------------------------------------------------

// Goal: a worker that keeps what it read answers as one that does not, to the bit, whatever is
// committed meanwhile. Method: random commits (values, revisions, withdrawals, days to come,
// sources that change places), and random questions of both, each again and again.
typedef struct pair {
    fixture *f;
    alm_config *config;
    alm_module_ctx ctx;
    char address[64];
    void *plain;
    alm_channel *to_plain;
    uint64_t seed, random;
    uint64_t newest;
    uint64_t reads[2]; // of storage, by the one that keeps and the one that does not
} pair;

static uint32_t below(pair *p, uint32_t end)
{
    p->random = p->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(p->random >> 33) % end;
}

static void open_pair(pair *p, fixture *f)
{
    alm_status st = ALM_STATUS_INIT;
    const char *seed = getenv("ALM_TEST_SEED");
    char program[] = "test", off[] = "--cache-bytes=0";
    char *argv[] = {program, off, NULL};
    *p = (pair){.f = f, .seed = seed == NULL ? 7 : strtoull(seed, NULL, 10)};
    p->random = p->seed;
    snprintf(p->address, sizeof p->address, "%s://query.plain", services_scheme);
    if (alm_config_load(alm_module_aggregation.options, alm_module_aggregation.option_count, 2,
                        argv, &p->config, &st) != ALM_OK) {
        die(&st);
    }
    p->ctx = f->aggregation_ctx;
    p->ctx.bind = p->address;
    p->ctx.config = p->config;
    if (alm_module_aggregation.start(&p->ctx, &p->plain, &st) != ALM_OK ||
        alm_channel_open(f->rpc, p->address, NULL, &p->to_plain, &st) != ALM_OK) {
        die(&st);
    }
}

static void close_pair(pair *p)
{
    alm_channel_close(&p->to_plain);
    alm_module_aggregation.stop(p->plain, 1000);
    alm_config_destroy(&p->config);
}

static void change_source(pair *p)
{
    Almanac__Internal__CommitRequest request;
    Almanac__V1__Source source;
    Almanac__V1__Source *sources[] = {&source};
    char code[] = "report", title[] = "Report of 2023";
    almanac__internal__commit_request__init(&request);
    almanac__v1__source__init(&source);
    source.code = code;
    source.title = title;
    source.precedence = (int32_t)below(p, 3) * 10 - 10;
    request.sources = sources;
    request.n_sources = 1;
    uint64_t sequence = commit(p->f, &request);
    p->newest = sequence != 0 ? sequence : p->newest;
}

static void commit_some(pair *p)
{
    static const char *const variants[] = {"A.gdp.P.level._Z._T", "A.gdp.P.growth_yoy._Z._T",
                                           "A.gdp.P.level._Z.by=a", "A.pop.P.level._Z._T"};
    alm_obs row = observe(below(p, 4), 2018 + (int32_t)below(p, 6), 100 + below(p, 900),
                          below(p, 2) == 0 ? 0 : ALM_SOURCE_NONE);
    uint32_t variant = below(p, ALM_ARRAY_LEN(variants));
    row.published = alm_date_from_ymd(2024, 1, 1) + (alm_date)p->f->batches; // none contradicts
    row.value.unit = variant == 1   ? ALM_UNIT_PERCENT
                     : variant == 3 ? (alm_unit){.measure = ALM_MEASURE_UNIT_PERSONS, .mult = 4}
                                    : row.value.unit;
    row.value.status = below(p, 5) == 0   ? ALM_OBS_STATUS_WITHDRAWN
                       : below(p, 6) == 0 ? ALM_OBS_STATUS_MISSING
                                          : ALM_OBS_STATUS_NORMAL;
    if (row.value.status != ALM_OBS_STATUS_NORMAL) {
        row.value.has_number = false;
        row.value.number = (alm_decimal){0};
    }
    row.note = below(p, 4) == 0 ? ALM_STR("preliminary") : (alm_str){0};
    p->newest = commit_rows(p->f, variants[variant], &row, 1);
}

static void count_read(void *arg, const alm_method_stats *stats)
{
    *(uint64_t *)arg += strcmp(stats->method, "Read") == 0 ? stats->started : 0;
}

static uint64_t count_reads(pair *p)
{
    uint64_t count = 0;
    alm_server_stats(alm_module_storage.server(p->f->storage), count_read, &count);
    return count;
}

static void answer_of(alm_channel *channel, const Almanac__V1__QueryRequest *request, alm_buf *ret)
{
    alm_stream *stream;
    alm_status st = ALM_STATUS_INIT;
    alm_str message;
    alm_call_opts opts = {.timeout_ms = TIMEOUT_MS};
    alm_buf_init(ret, 0);
    if (alm_stream_open(channel, &alm_service_aggregation, "Execute", &opts, &request->base,
                        &stream, &st) != ALM_OK) {
        die(&st);
    }
    while (alm_stream_next_packed(stream, &message, &st) == ALM_OK && message.data != NULL) {
        alm_buf_append(ret, message.data, message.len);
    }
    alm_buf_printf(ret, "%s %s", alm_code_name(st.code), st.message);
    alm_stream_close(&stream);
}

static void ask_both(pair *p, const Almanac__V1__QueryRequest *request)
{
    alm_channel *channels[] = {p->f->to_aggregation, p->to_plain};
    alm_buf answers[2];
    for (size_t i = 0; i < 2; i++) {
        uint64_t before = count_reads(p);
        answer_of(channels[i], request, &answers[i]);
        p->reads[i] += count_reads(p) - before;
    }
    if (!alm_str_eq(alm_buf_view(&answers[0]), alm_buf_view(&answers[1]))) {
        fail_msg("%s at %s in %s: two answers (ALM_TEST_SEED=%llu)", request->indicators[0],
                 request->places, request->periods, (unsigned long long)p->seed);
    }
    alm_buf_deinit(&answers[0]);
    alm_buf_deinit(&answers[1]);
}

static void ask_some(pair *p)
{
    static const char *const places[] = {"310104", "310104,310105", "310000,310105001",
                                         "310000/**"};
    static const char *const periods[] = {"latest",     "last:2", "all",
                                          "2019..2021", "2020",   "..2020"};
    char gdp[] = "gdp", pop[] = "pop", growth[] = "pc1", every[] = "*", level[] = "level";
    char *codes[] = {gdp, pop};
    char *transforms[] = {growth};
    Almanac__V1__QueryRequest request;
    ask_gdp(&request, codes, 1 + below(p, 2), places[below(p, ALM_ARRAY_LEN(places))],
            periods[below(p, ALM_ARRAY_LEN(periods))]);
    request.transforms = transforms;
    request.n_transforms = below(p, 4) == 0;
    request.breakdown = below(p, 4) == 0 ? every : request.breakdown;
    request.measure = below(p, 3) == 0 ? level : request.measure;
    request.min_sequence = p->newest;
    request.at_sequence = below(p, 4) == 0 ? p->newest - below(p, ALM_MIN(p->newest, 3)) : 0;
    request.today = alm_date_from_ymd(2024, 1, 1) + (below(p, 8) == 0 ? 60 : 1000);
    for (int i = 0; i < 4; i++) {
        ask_both(p, &request);
    }
}

static void what_is_kept_answers_alike(void **state)
{
    fixture *f = *state;
    pair p;
    commit_catalog(f);
    open_pair(&p, f);
    for (int i = 0; i < 120; i++) {
        if (below(&p, 20) == 0) {
            change_source(&p);
        }
        for (uint32_t n = below(&p, 3); n > 0; n--) {
            commit_some(&p);
        }
        ask_some(&p);
        ask_some(&p);
    }
    assert_true(p.reads[0] < p.reads[1]); // else nothing was kept
    close_pair(&p);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        services_scheme = argv[1];
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
        cmocka_unit_test_setup_teardown(what_is_kept_answers_alike, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
