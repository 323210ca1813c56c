// Goal: a question costs one call to storage where the catalogue at hand is as new as what was
// read, and what is told is never of an older one: not rows, not faults of items, not a failure,
// and not that there is nothing. All reads of a question see one state.
// Method: the service before a storage of a few lines, which notes what it is asked, tells a new
// catalogue when the test wants, and answers reads with nothing.
#include "aggregation_service.h"

#include "almanac/internal/aggregation.pb-c.h"
#include "almanac/internal/storage.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define READ_COUNT_MAX 8

typedef struct fake_storage {
    atomic_ullong sequence, catalog_sequence; // of the newest state
    unsigned reads, heads, loads;
    uint64_t at[READ_COUNT_MAX], min[READ_COUNT_MAX]; // of each read
    size_t places[READ_COUNT_MAX];
    int32_t today;          // of the newest read
    uint64_t grows_in_read; // the catalogue of a commit between a read's state and its answer
} fake_storage;

static alm_code read_nothing(void *self, alm_call *call, const ProtobufCMessage *message,
                             alm_status *st)
{
    fake_storage *s = self;
    const Almanac__Internal__ReadRequest *request = (const Almanac__Internal__ReadRequest *)message;
    assert_true(s->reads < READ_COUNT_MAX);
    s->at[s->reads] = request->at_sequence;
    s->min[s->reads] = request->min_sequence;
    s->places[s->reads] = request->places->n_ids;
    s->today = request->today;
    s->reads++;
    Almanac__Internal__ReadResponse response;
    almanac__internal__read_response__init(&response);
    response.sequence = request->at_sequence != 0 ? request->at_sequence : s->sequence;
    if (s->grows_in_read != 0) {
        s->sequence++;
        s->catalog_sequence = s->grows_in_read;
        s->grows_in_read = 0;
    }
    response.catalog_sequence = s->catalog_sequence;
    return alm_call_send(call, &response.base, st);
}

static alm_code head(void *self, alm_call *call, const ProtobufCMessage *message, alm_status *st)
{
    fake_storage *s = self;
    Almanac__Internal__HeadResponse response;
    (void)message;
    almanac__internal__head_response__init(&response);
    s->heads++;
    response.sequence = s->sequence;
    response.catalog_sequence = s->catalog_sequence;
    return alm_call_send(call, &response.base, st);
}

#define OTHER_COUNT 8 // places beside, since most of all places are asked for as all

// Catalogue N has the indicators i1 to iN, a province with N districts, and other provinces; from 2
// on its first district has a town.
static alm_code load_catalog(void *self, alm_call *call, const ProtobufCMessage *message,
                             alm_status *st)
{
    fake_storage *s = self;
    alm_arena *arena = alm_call_arena(call);
    size_t count = s->catalog_sequence;
    Almanac__V1__Indicator *indicators = alm_arena_calloc(arena, count, sizeof *indicators);
    size_t place_count = OTHER_COUNT + 1 + count + (count > 1);
    Almanac__V1__Place *places = alm_arena_calloc(arena, place_count, sizeof *places);
    Almanac__Internal__LoadCatalogResponse response;
    (void)message;
    almanac__internal__load_catalog_response__init(&response);
    s->loads++;
    response.catalog_sequence = count;
    response.indicators = alm_arena_calloc(arena, count, sizeof(void *));
    response.places = alm_arena_calloc(arena, place_count, sizeof(void *));
    char province[] = "310000", district[] = "310101", town[] = "310101001", unit[] = "CNY";
    for (size_t i = 0; i < place_count; i++) {
        bool is_district = i > OTHER_COUNT, is_town = i > OTHER_COUNT + count;
        almanac__v1__place__init(&places[i]);
        places[i].level = is_town       ? ALMANAC__V1__LEVEL__LEVEL_TOWN
                          : is_district ? ALMANAC__V1__LEVEL__LEVEL_DISTRICT
                                        : ALMANAC__V1__LEVEL__LEVEL_PROVINCE;
        places[i].code = is_town       ? town
                         : is_district ? alm_arena_printf(arena, "3101%02zu", i - OTHER_COUNT)
                                       : alm_arena_printf(arena, "%02zu0000", 31 + i);
        places[i].parent = is_town ? district : is_district ? province : places[i].parent;
        places[i].name_zh = places[i].code;
        response.places[response.n_places++] = &places[i];
    }
    for (size_t i = 0; i < count; i++) {
        almanac__v1__indicator__init(&indicators[i]);
        indicators[i].code = alm_arena_printf(arena, "i%zu", i + 1);
        indicators[i].name_zh = indicators[i].code;
        indicators[i].unit = unit;
        indicators[i].value_type = ALMANAC__V1__VALUE_TYPE__VALUE_TYPE_FLOW;
        indicators[i].over_places = indicators[i].over_time =
            ALMANAC__V1__AGGREGATION__AGGREGATION_SUM;
        response.indicators[response.n_indicators++] = &indicators[i];
    }
    return alm_call_send(call, &response.base, st);
}

// Commit, Read, LoadCatalog, Catalog, Watch, Head, Verify, Backup.
static const alm_handler storage_handlers[] = {NULL, read_nothing, load_catalog, NULL, NULL,
                                               head, NULL,         NULL,         NULL};

// --- asking --------------------------------------------------------------------------------------

typedef struct fixture {
    fake_storage fake;
    alm_rpc *rpc;
    alm_aggregator worker;
    int64_t now_us;
    int32_t today; // that questions say; 0: they do not
    alm_server *storage, *aggregation;
    alm_channel *client;
} fixture;

static void serve(alm_rpc *rpc, const alm_service_def *service, const alm_handler *handlers,
                  void *self, const char *address, alm_server **ret)
{
    assert_int_equal(alm_server_create(rpc, NULL, ret, NULL), ALM_OK);
    assert_int_equal(alm_server_add(*ret, service, handlers, self, NULL), ALM_OK);
    assert_int_equal(alm_server_bind(*ret, address, NULL), ALM_OK);
    assert_int_equal(alm_server_start(*ret, NULL), ALM_OK);
}

static const char *ask(fixture *f, const char *indicators, const char *places, bool is_growth,
                       uint64_t min_sequence, uint64_t at_sequence);

// One that knows catalogue 1, at state 10.
static void open_fixture(fixture *f)
{
    *f = (fixture){.fake = {.sequence = 10, .catalog_sequence = 1}};
    f->worker.clock = alm_clock_fake(&f->now_us);
    assert_int_equal(alm_rpc_create(&(alm_rpc_opts){0}, &f->rpc, NULL), ALM_OK);
    serve(f->rpc, &alm_service_storage, storage_handlers, &f->fake, "loop://storage", &f->storage);
    assert_int_equal(alm_channel_open(f->rpc, "loop://storage", NULL, &f->worker.storage, NULL),
                     ALM_OK);
    assert_int_equal(alm_catalog_cache_create(f->worker.storage, &f->worker.catalogs, NULL),
                     ALM_OK);
    serve(f->rpc, &alm_service_aggregation, alm_aggregation_handlers, &f->worker, "loop://worker",
          &f->aggregation);
    assert_int_equal(alm_channel_open(f->rpc, "loop://worker", NULL, &f->client, NULL), ALM_OK);
    assert_string_equal(ask(f, "i1", "310000/*", false, 0, 0), "at 10");
    assert_int_equal(f->fake.loads, 1);
    f->fake.reads = f->fake.loads = 0;
}

static void close_fixture(fixture *f)
{
    alm_channel_close(&f->client);
    alm_server_destroy(&f->aggregation);
    alm_catalog_cache_destroy(&f->worker.catalogs);
    alm_channel_close(&f->worker.storage);
    alm_server_destroy(&f->storage);
    alm_rpc_destroy(&f->rpc);
}

// A few words: each item that is refused, then the state of the answer, or why there is none.
static const char *ask(fixture *f, const char *indicators, const char *places, bool is_growth,
                       uint64_t min_sequence, uint64_t at_sequence)
{
    static char told[256];
    char words[64], all[] = "all", growth[] = "pc1";
    char *transforms[] = {growth};
    char *codes[8], *rest;
    Almanac__V1__QueryRequest request;
    almanac__v1__query_request__init(&request);
    request.indicators = codes;
    snprintf(words, sizeof words, "%s", indicators);
    for (char *word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        codes[request.n_indicators++] = word;
    }
    request.places = (char *)(uintptr_t)places;
    request.periods = all;
    request.transforms = transforms;
    request.n_transforms = is_growth;
    request.min_sequence = min_sequence;
    request.at_sequence = at_sequence;
    request.today = f->today;
    alm_stream *stream;
    ProtobufCMessage *message;
    alm_status st = ALM_STATUS_INIT;
    size_t len = 0;
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    told[0] = '\0';
    assert_int_equal(alm_stream_open(f->client, &alm_service_aggregation, "Execute", NULL,
                                     &request.base, &stream, NULL),
                     ALM_OK);
    while (alm_stream_next(stream, arena, &message, &st) == ALM_OK && message != NULL) {
        const Almanac__V1__QueryResponse *response = (const Almanac__V1__QueryResponse *)message;
        for (size_t i = 0; i < response->n_errors; i++) {
            len += (size_t)snprintf(told + len, sizeof told - len, "not %s, ",
                                    response->errors[i]->item);
        }
        if (response->block != NULL) {
            len += (size_t)snprintf(told + len, sizeof told - len, "at %llu",
                                    (unsigned long long)response->block->sequence);
        }
        assert_true(len < sizeof told);
    }
    if (st.code != ALM_OK) {
        snprintf(told + len, sizeof told - len, "%s %s", alm_code_name(st.code), st.field);
    }
    alm_stream_close(&stream);
    alm_arena_destroy(&arena);
    return told;
}

// --- the tests -----------------------------------------------------------------------------------

typedef struct session_row {
    const char *name;
    const char *indicators, *places;
    uint64_t min, at;                    // of the question
    uint64_t sequence, catalog_sequence; // of the store by then
    uint64_t grows_in_read;
    bool is_growth; // which does not read where there are no places
    const char *want;
    const char *want_calls; // places read @ state >= state, and so on; then heads and loads
} session_row;

// Catalogue 2 has a second indicator and a second district.
static const session_row rows[] = {
    {"one read and nothing else", "i1", "310000/*", 0, 0, 10, 1, 0, false, "at 10", "1@0>=0"},
    {"all reads see the state of the first", "i1 i1/i1", "310101", 0, 0, 11, 1, 0, false, "at 11",
     "1@0>=0 1@11>=0 1@11>=0"},
    {"its own write is waited for, once", "i1 i1/i1", "310101", 11, 0, 11, 1, 0, false, "at 11",
     "1@0>=11 1@11>=0 1@11>=0"},
    {"a state that is named", "i1 i1/i1", "310101", 0, 9, 10, 1, 0, false, "at 9",
     "1@9>=9 1@9>=0 1@9>=0"},
    {"a place that is new", "i1", "310000/*", 0, 0, 11, 2, 0, false, "at 11",
     "1@0>=0 2@11>=0 1 loads"},
    {"a place that is new, at a state that is named", "i1", "310000/*", 0, 9, 11, 2, 0, false,
     "at 9", "1@9>=9 2@9>=0 1 loads"},
    {"a place that is new and named", "i1", "310102", 0, 0, 11, 2, 0, false, "at 11",
     "1@11>=0 1 heads 1 loads"},
    {"an indicator that is new", "i1 i2", "310101", 0, 0, 11, 2, 0, false, "at 11",
     "1@11>=0 1@11>=0 1 heads 1 loads"},
    {"an indicator that nobody knows", "i1 i3", "310101", 0, 0, 11, 1, 0, false, "not i3, at 11",
     "1@11>=0 1 heads"},
    {"a place that nobody knows", "i1", "310109", 0, 0, 11, 1, 0, false, "NOT_FOUND places",
     "1 heads"},
    {"nothing to read", "i1", "310101/*", 0, 0, 12, 1, 0, true, "at 12", "1 heads"},
    {"nothing to read, its own write waited for", "i1", "310101/*", 12, 0, 12, 1, 0, true, "at 12",
     "1 heads"},
    {"nothing to read with either catalogue", "i1", "320000/*", 0, 0, 12, 2, 0, true, "at 12",
     "1 heads 1 loads"},
    {"nothing to read with the old catalogue", "i1", "310101/*", 0, 0, 12, 2, 0, true, "at 12",
     "1@12>=0 1@12>=0 1 heads 1 loads"},
    {"the catalogue changes while it is read", "i1", "310000/*", 0, 0, 11, 1, 2, false, "at 11",
     "1@0>=0 2@11>=0 1 loads"},
};

static void asks_storage(void **state)
{
    const session_row *row = *state;
    fixture f;
    char calls[128];
    size_t len = 0;
    open_fixture(&f);
    f.fake.sequence = row->sequence;
    f.fake.catalog_sequence = row->catalog_sequence;
    f.fake.grows_in_read = row->grows_in_read;
    assert_string_equal(ask(&f, row->indicators, row->places, row->is_growth, row->min, row->at),
                        row->want);
    for (unsigned i = 0; i < f.fake.reads; i++) {
        len += (size_t)snprintf(
            calls + len, sizeof calls - len, "%s%zu@%llu>=%llu", len > 0 ? " " : "",
            f.fake.places[i], (unsigned long long)f.fake.at[i], (unsigned long long)f.fake.min[i]);
    }
    const struct {
        const char *what;
        unsigned count;
    } others[] = {{"heads", f.fake.heads}, {"loads", f.fake.loads}};
    for (size_t i = 0; i < ALM_ARRAY_LEN(others); i++) {
        if (others[i].count > 0) {
            len += (size_t)snprintf(calls + len, sizeof calls - len, "%s%u %s", len > 0 ? " " : "",
                                    others[i].count, others[i].what);
        }
    }
    assert_string_equal(calls, row->want_calls);
    close_fixture(&f);
}

// What is read is of the day that the question says, and else of the day in China.
static void asks_of_a_day(void **state)
{
    (void)state;
    static const struct {
        int64_t hours; // since 1970
        int32_t says, want;
    } days[] = {{20000 * 24 + 15, 0, 20000}, {20000 * 24 + 16, 0, 20001}, {20000 * 24, 777, 777}};
    fixture f;
    open_fixture(&f);
    for (size_t i = 0; i < ALM_ARRAY_LEN(days); i++) {
        f.now_us = days[i].hours * 3600 * 1000000;
        f.today = days[i].says;
        assert_string_equal(ask(&f, "i1", "310000/*", false, 0, 0), "at 10");
        assert_int_equal(f.fake.today, days[i].want);
    }
    f.today = INT32_MAX;
    assert_string_equal(ask(&f, "i1", "310000/*", false, 0, 0), "INVALID_ARGUMENT today");
    close_fixture(&f);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(rows) + 1];
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        tests[i] = (struct CMUnitTest){.name = rows[i].name,
                                       .test_func = asks_storage,
                                       .initial_state = (void *)(uintptr_t)&rows[i]};
    }
    tests[ALM_ARRAY_LEN(rows)] = (struct CMUnitTest)cmocka_unit_test(asks_of_a_day);
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
