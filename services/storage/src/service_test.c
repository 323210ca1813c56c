// The service over a real server and channel: every method, from message to store and back.
#include "alm/storage_module.h"

#include "alm/alloc.h"
#include "alm/buf.h"
#include "alm/limits.h"
#include "alm/wire.h"

#include "almanac/v1/gateway.pb-c.h"
#include "storage_service.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define PLACE_COUNT 20000

typedef struct fixture {
    char dir[64];
    char address[64];
    alm_rpc *rpc;
    alm_config *config;
    void *module;
    alm_channel *channel;
    alm_arena *arena;
    alm_status st;
    int batches;
} fixture;

#define ASSERT_OK(f, expr)                                                                         \
    do {                                                                                           \
        if ((expr) != ALM_OK) {                                                                    \
            fail_msg("%s: %s: %s", #expr, alm_code_name((f)->st.code), (f)->st.message);           \
        }                                                                                          \
    } while (0)

static alm_code start_module(fixture *f)
{
    alm_module_ctx ctx = {
        .rpc = f->rpc, .clock = alm_clock_system(), .config = f->config, .bind = f->address};
    return alm_module_storage.start(&ctx, &f->module, &f->st);
}

static int setup(void **state)
{
    static int number;
    fixture *f = alm_calloc(1, sizeof *f);
    f->st = ALM_STATUS_INIT;
    snprintf(f->dir, sizeof f->dir, "/tmp/alm_service_XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->address, sizeof f->address, "loop://storage-%d", ++number);
    char program[] = "test", data[] = "--data", map[] = "--max-bytes=256M",
         commits[] = "--feed-commits=4", bytes[] = "--feed-bytes=1";
    char *argv[] = {program, data, f->dir, map, commits, bytes};
    ASSERT_OK(f, alm_rpc_create(&(alm_rpc_opts){0}, &f->rpc, &f->st));
    ASSERT_OK(f, alm_config_load(alm_module_storage.options, alm_module_storage.option_count, 6,
                                 argv, &f->config, &f->st));
    ASSERT_OK(f, start_module(f));
    ASSERT_OK(f, alm_channel_open(f->rpc, f->address, NULL, &f->channel, &f->st));
    f->arena = alm_arena_create(0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"data.mdb", "lock.mdb", "almanac.lock", "almanac.sequence"};
    alm_channel_close(&f->channel);
    alm_module_storage.stop(f->module, 1000);
    alm_config_destroy(&f->config);
    alm_rpc_destroy(&f->rpc);
    alm_arena_destroy(&f->arena);
    for (size_t i = 0; i < ALM_ARRAY_LEN(names); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", f->dir, names[i]);
        unlink(path);
    }
    rmdir(f->dir);
    alm_free(f);
    return 0;
}

static void assert_same(const Almanac__Internal__ReadResponse *a,
                        const Almanac__Internal__ReadResponse *b)
{
    uint8_t bytes[2][4096];
    size_t size = protobuf_c_message_get_packed_size(&a->base);
    assert_true(size <= sizeof bytes[0]);
    assert_int_equal(protobuf_c_message_get_packed_size(&b->base), size);
    protobuf_c_message_pack(&a->base, bytes[0]);
    protobuf_c_message_pack(&b->base, bytes[1]);
    assert_memory_equal(bytes[0], bytes[1], size);
}

// --- calls ---------------------------------------------------------------------------------------

static alm_code call(fixture *f, const char *method, const ProtobufCMessage *request, void *ret)
{
    ProtobufCMessage **reply = ret;
    f->st = ALM_STATUS_INIT;
    return alm_channel_call(f->channel, &alm_service_storage, method, NULL, request, f->arena,
                            reply, &f->st);
}

static alm_stream *open_stream(fixture *f, const char *method, const ProtobufCMessage *request)
{
    alm_stream *stream = NULL;
    f->st = ALM_STATUS_INIT;
    ASSERT_OK(f, alm_stream_open(f->channel, &alm_service_storage, method, NULL, request, &stream,
                                 &f->st));
    return stream;
}

// NULL at the end.
static void *next(fixture *f, alm_stream *stream)
{
    ProtobufCMessage *message;
    ASSERT_OK(f, alm_stream_next(stream, f->arena, &message, &f->st));
    return message;
}

static Almanac__Internal__CommitRequest a_commit(fixture *f)
{
    static uint8_t digest[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    Almanac__Internal__CommitRequest request;
    almanac__internal__commit_request__init(&request);
    request.batch_id = alm_arena_printf(f->arena, "batch-%d", ++f->batches);
    request.digest = (ProtobufCBinaryData){.len = sizeof digest, .data = digest};
    return request;
}

static const alm_indicator gdp = {.code = {"gdp", 3},
                                  .name_zh = {"生产总值", 12},
                                  .name_en = {"GDP", 3},
                                  .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
                                  .value_type = ALM_VALUE_TYPE_FLOW,
                                  .over_places = ALM_AGGREGATION_SUM,
                                  .over_time = ALM_AGGREGATION_SUM};

static void commit_catalog(fixture *f)
{
    Almanac__Internal__CommitRequest request = a_commit(f);
    Almanac__Internal__CommitResponse *response;
    request.n_indicators = 1;
    request.indicators = alm_arena_calloc(f->arena, 1, sizeof(void *));
    ASSERT_OK(f, alm_indicator_to_proto(&gdp, f->arena, &request.indicators[0], &f->st));
    request.n_places = PLACE_COUNT;
    request.places = alm_arena_calloc(f->arena, PLACE_COUNT, sizeof(void *));
    for (int i = 0; i < PLACE_COUNT; i++) {
        alm_place place = {.code = alm_str_from(alm_arena_printf(f->arena, "p%d", i)),
                           .name_zh = ALM_STR("街道"),
                           .level = ALM_LEVEL_TOWN,
                           .valid_from = ALM_DATE_NONE,
                           .valid_to = ALM_DATE_MAX};
        ASSERT_OK(f, alm_place_to_proto(&place, f->arena, &request.places[i], &f->st));
    }
    ASSERT_OK(f, call(f, "Commit", &request.base, &response));
    assert_int_equal(response->catalog_added, PLACE_COUNT + 1);
    assert_int_equal(response->sequence, 1);
}

static alm_obs a_row(alm_place_id place, int year, int64_t mantissa)
{
    return (alm_obs){
        .place = place,
        .period = {.freq = ALM_FREQ_ANNUAL, .length = 1, .ordinal = year},
        .value = {.number = {.mantissa = mantissa, .exponent = -2},
                  .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
                  .has_number = true},
        .source = ALM_SOURCE_NONE,
        .published = 19723,
    };
}

static Almanac__Internal__CommitResponse *commit_rows_of(fixture *f, const char *text,
                                                         const alm_obs *rows, size_t count)
{
    alm_str variant = alm_str_from(text);
    Almanac__Internal__CommitRequest request = a_commit(f);
    Almanac__Internal__CommitResponse *response;
    uint32_t *numbers = alm_arena_calloc(f->arena, count, sizeof *numbers);
    for (size_t i = 0; i < count; i++) {
        numbers[i] = (uint32_t)i + 2;
    }
    ASSERT_OK(f, alm_obs_block_write(&variant, 1, rows, count, numbers, f->arena,
                                     &request.observations, &f->st));
    ASSERT_OK(f, call(f, "Commit", &request.base, &response));
    return response;
}

static Almanac__Internal__CommitResponse *commit_rows(fixture *f, const alm_obs *rows, size_t count)
{
    return commit_rows_of(f, "A.gdp.P.level._Z._T", rows, count);
}

static void commit_slice(fixture *f, int year)
{
    alm_obs *rows = alm_arena_calloc(f->arena, PLACE_COUNT, sizeof *rows);
    for (uint32_t i = 0; i < PLACE_COUNT; i++) {
        rows[i] = a_row(i, year, year + (int64_t)i);
    }
    assert_int_equal(commit_rows(f, rows, PLACE_COUNT)->added, PLACE_COUNT);
}

// --- tests ---------------------------------------------------------------------------------------

static void commits_and_tells_conflicts_by_row_number(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs rows[] = {a_row(0, 2023, 1), a_row(0, 2023, 2), a_row(1, 2023, 3)};
    Almanac__Internal__CommitResponse *response = commit_rows(f, rows, 3);
    assert_int_equal(response->added, 2);
    assert_int_equal(response->n_conflicts, 1);
    assert_int_equal(response->conflicts[0]->row, 1);
    assert_int_equal(response->conflicts[0]->row_number, 3);
    assert_true(strlen(response->conflicts[0]->reason) > 0);
}

static void refuses_a_commit_without_digest_or_id(void **state)
{
    fixture *f = *state;
    Almanac__Internal__CommitResponse *response;
    Almanac__Internal__CommitRequest request = a_commit(f);
    request.digest.len = 0;
    assert_int_equal(call(f, "Commit", &request.base, &response), ALM_INVALID_ARGUMENT);
    assert_string_equal(f->st.field, "digest");
    request = a_commit(f);
    char empty[] = "";
    request.batch_id = empty;
    assert_int_equal(call(f, "Commit", &request.base, &response), ALM_INVALID_ARGUMENT);
    assert_string_equal(f->st.field, "batch_id");
}

static void reads_in_blocks_with_the_state_they_show(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    commit_slice(f, 2022);
    commit_slice(f, 2023);
    Almanac__Internal__PlaceSet places;
    almanac__internal__place_set__init(&places);
    Almanac__Internal__PeriodSet periods;
    almanac__internal__period_set__init(&periods);
    Almanac__Internal__ReadRequest request;
    almanac__internal__read_request__init(&request);
    places.all = true;
    periods.all = true;
    request.places = &places;
    request.periods = &periods;
    request.min_sequence = 3;
    alm_stream *stream = open_stream(f, "Read", &request.base);
    size_t count = 0;
    for (Almanac__Internal__ReadResponse *r; (r = next(f, stream)) != NULL;) {
        alm_str *variants;
        alm_obs *rows;
        size_t variant_count, n;
        assert_int_equal(r->sequence, 3);
        assert_int_equal(r->catalog_sequence, 1);
        ASSERT_OK(f, alm_obs_block_read(r->block, f->arena, &variants, &variant_count, &rows, &n,
                                        &f->st));
        assert_true(n <= STORAGE_BLOCK_ROW_COUNT);
        for (size_t i = 0; i < n; i++, count++) {
            int year = count < PLACE_COUNT ? 2022 : 2023;
            assert_int_equal(rows[i].period.ordinal, year);
            assert_int_equal(rows[i].place, count % PLACE_COUNT);
            assert_int_equal(rows[i].value.number.mantissa, year + (int64_t)rows[i].place);
            assert_int_equal(rows[i].sequence, year - 2020);
        }
    }
    alm_stream_close(&stream);
    assert_int_equal(count, 2 * PLACE_COUNT);
}

static void reads_the_first_of_each_slice(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    commit_slice(f, 2022);
    commit_slice(f, 2023);
    for (int lowest = 0; lowest < 2; lowest++) {
        Almanac__Internal__PlaceSet places = ALMANAC__INTERNAL__PLACE_SET__INIT;
        Almanac__Internal__PeriodSet periods = ALMANAC__INTERNAL__PERIOD_SET__INIT;
        Almanac__Internal__ReadRequest request;
        almanac__internal__read_request__init(&request);
        places.all = true;
        periods.all = true;
        request.places = &places;
        request.periods = &periods;
        request.top = 3;
        request.top_is_lowest = lowest == 1;
        alm_stream *stream = open_stream(f, "Read", &request.base);
        Almanac__Internal__ReadResponse *response = next(f, stream);
        alm_str *variants;
        alm_obs *rows;
        size_t variant_count, count;
        assert_non_null(response);
        ASSERT_OK(f, alm_obs_block_read(response->block, f->arena, &variants, &variant_count, &rows,
                                        &count, &f->st));
        assert_int_equal(count, 6);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(rows[i].period.ordinal, i < 3 ? 2022 : 2023);
            assert_int_equal(rows[i].place, i % 3 + (lowest ? 0 : PLACE_COUNT - 3));
        }
        assert_null(next(f, stream));
        alm_stream_close(&stream);
    }
}

static void an_empty_answer_still_tells_its_state(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    Almanac__Internal__ReadRequest request;
    almanac__internal__read_request__init(&request);
    alm_stream *stream = open_stream(f, "Read", &request.base);
    Almanac__Internal__ReadResponse *response = next(f, stream);
    assert_non_null(response);
    assert_int_equal(response->sequence, 1);
    assert_null(response->block);
    assert_null(next(f, stream));
    alm_stream_close(&stream);
}

// A read of few cells is answered by a look, one of many by a thread: both alike. Method: the same
// rows asked as small and, by a place more that has none, as large.
static void small_reads_answer_as_large_ones(void **state)
{
    fixture *f = *state;
    uint32_t ids[17] = {7, 11};
    char code[] = "gdp";
    char *codes[] = {code};
    commit_catalog(f);
    commit_slice(f, 2022);
    commit_slice(f, 2023);
    Almanac__Internal__PlaceSet places;
    almanac__internal__place_set__init(&places);
    Almanac__Internal__PeriodSet periods;
    almanac__internal__period_set__init(&periods);
    Almanac__Internal__ReadRequest request;
    almanac__internal__read_request__init(&request);
    for (uint32_t i = 2; i < ALM_ARRAY_LEN(ids); i++) {
        ids[i] = PLACE_COUNT + i;
    }
    places.ids = ids;
    request.places = &places;
    request.periods = &periods;
    request.indicators = codes;
    request.n_indicators = 1;
    for (uint32_t last = 0; last <= 3; last++) {
        Almanac__Internal__ReadResponse *got[2];
        periods.last = last;
        periods.all = last == 0;
        for (size_t is_large = 0; is_large < 2; is_large++) {
            places.n_ids = is_large ? 17 : 2;
            alm_stream *stream = open_stream(f, "Read", &request.base);
            got[is_large] = next(f, stream);
            assert_non_null(got[is_large]);
            assert_null(next(f, stream));
            alm_stream_close(&stream);
        }
        assert_int_equal(got[0]->block->rows, last == 1 ? 2 : 4);
        assert_same(got[0], got[1]);
    }
}

// So many rows of one variant that they come in several messages, or pass what a look may send.
static void read_years(fixture *f, int years)
{
    uint32_t id = 5;
    char code[] = "gdp";
    char *codes[] = {code};
    commit_catalog(f);
    alm_obs *rows = alm_arena_calloc(f->arena, (size_t)years, sizeof *rows);
    assert_non_null(rows);
    for (int i = 0; i < years; i++) {
        rows[i] = a_row(id, 500 + i, i);
    }
    commit_rows(f, rows, (size_t)years);
    Almanac__Internal__PlaceSet places;
    almanac__internal__place_set__init(&places);
    Almanac__Internal__PeriodSet periods;
    almanac__internal__period_set__init(&periods);
    Almanac__Internal__ReadRequest request;
    almanac__internal__read_request__init(&request);
    places.ids = &id;
    places.n_ids = 1;
    periods.all = true;
    request.places = &places;
    request.periods = &periods;
    request.indicators = codes;
    request.n_indicators = 1;
    alm_stream *stream = open_stream(f, "Read", &request.base);
    size_t count = 0;
    for (Almanac__Internal__ReadResponse *r; (r = next(f, stream)) != NULL;) {
        for (size_t i = 0; i < r->block->rows; i++) {
            assert_int_equal(r->block->mantissa[i], count++);
        }
    }
    assert_int_equal(count, years);
    alm_stream_close(&stream);
}

static void a_read_of_several_messages_is_answered_whole(void **state)
{
    read_years(*state, 1500);
}

static void a_read_that_passes_a_look_is_answered_whole(void **state)
{
    read_years(*state, 6000);
}

static void refuses_a_malformed_read(void **state)
{
    fixture *f = *state;
    ProtobufCMessage *message;
    Almanac__Internal__ReadRequest request;
    almanac__internal__read_request__init(&request);
    uint32_t measure = 99;
    request.measures = &measure;
    request.n_measures = 1;
    alm_stream *stream = open_stream(f, "Read", &request.base);
    assert_int_equal(alm_stream_next(stream, f->arena, &message, &f->st), ALM_INVALID_ARGUMENT);
    assert_string_equal(f->st.field, "measures");
    alm_stream_close(&stream);
    request.n_measures = 0;
    request.top = ALM_TOP_COUNT_MAX + 1;
    stream = open_stream(f, "Read", &request.base);
    assert_int_equal(alm_stream_next(stream, f->arena, &message, &f->st), ALM_INVALID_ARGUMENT);
    assert_string_equal(f->st.field, "top");
    alm_stream_close(&stream);
}

// Places by thousands; the first of each thousand apart, in a group of its own.
static alm_total_groups thousands(fixture *f, uint32_t group_count)
{
    alm_group_range *ranges = alm_arena_calloc(f->arena, 40, sizeof *ranges);
    for (uint32_t i = 0; i < 40; i++) {
        alm_place_id first = i / 2 * 1000;
        ranges[i] = i % 2 == 0 ? (alm_group_range){first, first + 1, group_count - 1}
                               : (alm_group_range){first + 1, first + 1000, i / 2};
    }
    return (alm_total_groups){.ranges = ranges,
                              .range_count = 40,
                              .group_count = group_count,
                              .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 4}};
}

static void adds_up_groups_of_places(void **state)
{
    fixture *f = *state;
    alm_decimal number;
    commit_catalog(f);
    commit_slice(f, 2022);
    commit_slice(f, 2023);
    alm_obs withdrawn = a_row(4711, 2023, 0);
    withdrawn.value.has_number = false;
    withdrawn.value.number = (alm_decimal){0};
    withdrawn.value.status = ALM_OBS_STATUS_WITHDRAWN;
    withdrawn.published++;
    (void)commit_rows(f, &withdrawn, 1);
    // So many groups that a slice fills a message.
    for (uint32_t groups_count = 21; groups_count < 10000; groups_count += 9000) {
        alm_total_groups groups = thousands(f, groups_count);
        Almanac__Internal__PeriodSet periods = ALMANAC__INTERNAL__PERIOD_SET__INIT;
        Almanac__Internal__ReadRequest read;
        almanac__internal__read_request__init(&read);
        Almanac__Internal__SumsRequest request = ALMANAC__INTERNAL__SUMS_REQUEST__INIT;
        Almanac__Internal__ReadRequest beside;
        almanac__internal__read_request__init(&beside);
        Almanac__Internal__PlaceSet places = ALMANAC__INTERNAL__PLACE_SET__INIT;
        uint32_t ids[] = {4711, 4712};
        size_t beside_count = 0;
        periods.all = true;
        read.periods = &periods;
        request.read = &read;
        beside.periods = &periods;
        beside.places = &places;
        beside.without_value = true;
        places.ids = ids;
        places.n_ids = groups_count > 9000 ? 2 : 0; // also none
        request.beside = &beside;
        ASSERT_OK(f, alm_total_groups_write(&groups, f->arena, &request, &f->st));
        alm_stream *stream = open_stream(f, "Sums", &request.base);
        size_t messages = 0;
        int year = 2022;
        for (Almanac__Internal__SumsResponse *r; (r = next(f, stream)) != NULL; messages++) {
            alm_slice_totals *slices;
            size_t count;
            assert_int_equal(r->sequence, 4);
            assert_int_equal(r->catalog_sequence, 1);
            ASSERT_OK(f, alm_slice_totals_read(r, groups_count, f->arena, &slices, &count, &f->st));
            for (size_t i = 0; i < count; i++, year++) {
                assert_int_equal(slices[i].period.ordinal, year);
                assert_true(alm_str_eq(slices[i].variant, ALM_STR("A.gdp.P.level._Z._T")));
                assert_int_equal(slices[i].missing_count, year == 2023);
                assert_int_equal(slices[i].totals[4].present, year == 2023 ? 998 : 999);
                ASSERT_OK(f, alm_total_number(&slices[i].totals[3], &number, &f->st));
                assert_int_equal(number.mantissa, 999 * (year + 3000) + 999 * 1000 / 2);
                assert_int_equal(number.exponent, 2);
                assert_int_equal(slices[i].totals[groups_count - 1].present, 20);
            }
            assert_true(year == 2022 || count == 0 || slices[count - 1].missing_count == 0 ||
                        slices[count - 1].missing[0].from == 4711);
            beside_count += r->beside != NULL ? r->beside->rows : 0;
            assert_true(r->beside == NULL || year == 2024);
        }
        assert_int_equal(beside_count, 2 * places.n_ids);
        alm_stream_close(&stream);
        assert_int_equal(year, 2024);
        assert_int_equal(messages, groups_count > 9000 ? 3 : 1);
    }
}

static void sums_of_nothing_still_tell_their_state(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    Almanac__Internal__ReadRequest read;
    almanac__internal__read_request__init(&read);
    Almanac__Internal__SumsRequest request = ALMANAC__INTERNAL__SUMS_REQUEST__INIT;
    request.read = &read;
    alm_stream *stream = open_stream(f, "Sums", &request.base);
    Almanac__Internal__SumsResponse *response = next(f, stream);
    assert_non_null(response);
    assert_int_equal(response->sequence, 1);
    assert_int_equal(response->n_period, 0);
    assert_null(next(f, stream));
    alm_stream_close(&stream);
}

static void refuses_malformed_sums(void **state)
{
    fixture *f = *state;
    ProtobufCMessage *message;
    uint32_t numbers[] = {0, UINT32_MAX, 0};
    Almanac__Internal__ReadRequest read;
    almanac__internal__read_request__init(&read);
    for (int way = 0; way < 5; way++) {
        Almanac__Internal__SumsRequest request = ALMANAC__INTERNAL__SUMS_REQUEST__INIT;
        request.read = way == 0 ? NULL : &read;
        request.groups = way == 4 ? ALM_TOTAL_GROUP_COUNT_MAX + 1 : 1;
        request.skip = request.length = request.group = numbers;
        request.n_skip = request.n_length = request.n_group = 1;
        request.n_group += way == 1;
        request.n_skip = request.n_length = request.n_group = way == 2 ? 2 : request.n_group;
        request.n_length += way == 1;
        request.span_place = numbers;
        request.n_span_place = way == 3;
        alm_stream *stream = open_stream(f, "Sums", &request.base);
        assert_int_equal(alm_stream_next(stream, f->arena, &message, &f->st), ALM_INVALID_ARGUMENT);
        alm_stream_close(&stream);
    }
}

static void loads_the_catalogue_by_id(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    Almanac__Internal__LoadCatalogRequest request;
    almanac__internal__load_catalog_request__init(&request);
    alm_stream *stream = open_stream(f, "LoadCatalog", &request.base);
    size_t indicators = 0, places = 0;
    for (Almanac__Internal__LoadCatalogResponse *r; (r = next(f, stream)) != NULL;) {
        assert_int_equal(r->catalog_sequence, 1);
        for (size_t i = 0; i < r->n_places; i++, places++) {
            char code[16];
            snprintf(code, sizeof code, "p%zu", places);
            assert_string_equal(r->places[i]->code, code);
        }
        indicators += r->n_indicators;
    }
    alm_stream_close(&stream);
    assert_int_equal(indicators, 1);
    assert_int_equal(places, PLACE_COUNT);
    request.known_sequence = 1;
    stream = open_stream(f, "LoadCatalog", &request.base);
    Almanac__Internal__LoadCatalogResponse *response = next(f, stream);
    assert_int_equal(response->catalog_sequence, 1);
    assert_int_equal(response->n_places + response->n_indicators, 0);
    assert_null(next(f, stream));
    alm_stream_close(&stream);
}

static Almanac__V1__CatalogResponse *ask(fixture *f, const Almanac__V1__CatalogRequest *request)
{
    alm_stream *stream = open_stream(f, "Catalog", &request->base);
    Almanac__V1__CatalogResponse *response = next(f, stream);
    if (response != NULL) {
        assert_null(next(f, stream));
    }
    alm_stream_close(&stream);
    return response;
}

static Almanac__V1__CatalogResponse *ask_catalog(fixture *f, Almanac__V1__CatalogKind kind,
                                                 const char *words, uint32_t limit)
{
    Almanac__V1__CatalogRequest request;
    almanac__v1__catalog_request__init(&request);
    request.kind = kind;
    request.words = alm_arena_strdup(f->arena, alm_str_from(words));
    request.limit = limit;
    return ask(f, &request);
}

static void searches_the_catalogue(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs rows[] = {a_row(0, 2021, 1), a_row(0, 2023, 2), a_row(7, 2022, 3)};
    commit_rows(f, rows, 3);
    Almanac__V1__CatalogResponse *r =
        ask_catalog(f, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_PLACES, "P1999 街道", 0);
    assert_int_equal(r->n_places, 11); // p1999, p19990..p19999
    assert_string_equal(r->places[0]->code, "p1999");
    assert_string_equal(r->places[1]->code, "p19990");
    assert_false(r->has_more);
    r = ask_catalog(f, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_PLACES, "ｐ１９９９", 11);
    assert_int_equal(r->n_places, 11);
    assert_false(r->has_more);
    r = ask_catalog(f, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_PLACES, "p1999", 10);
    assert_int_equal(r->n_places, 10);
    assert_true(r->has_more);
    r = ask_catalog(f, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_PLACES, "p", 1024);
    assert_int_equal(r->n_places, 1024);
    assert_true(r->has_more);
    r = ask_catalog(f, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_PLACES, "", 5);
    assert_int_equal(r->n_places, 5);
    assert_true(r->has_more);
    r = ask_catalog(f, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_INDICATORS, "生产", 0);
    assert_int_equal(r->n_indicators, 1);
    r = ask_catalog(f, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_SERIES, "生产 level", 0);
    assert_int_equal(r->n_series, 1);
    assert_null(ask_catalog(f, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_SERIES, "生产 rank", 0));
    r = ask_catalog(f, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_SERIES, "gdp", 0);
    assert_int_equal(r->n_series, 1);
    assert_int_equal(r->series[0]->place_count, 2);
    assert_int_equal(r->series[0]->cell_count, 3);
    assert_string_equal(r->series[0]->first_period, "2021");
    assert_string_equal(r->series[0]->last_period, "2023");
}

// Below p7 a village, with jobs by industry; jobs are of the theme "labour".
static void commit_more(fixture *f)
{
    Almanac__Internal__CommitRequest request = a_commit(f);
    Almanac__Internal__CommitResponse *response;
    alm_indicator jobs = gdp;
    jobs.code = ALM_STR("jobs");
    jobs.name_zh = ALM_STR("就业");
    jobs.name_en = ALM_STR("Jobs");
    jobs.theme = ALM_STR("labour");
    alm_place village = {.code = ALM_STR("v1"),
                         .name_zh = ALM_STR("村"),
                         .level = ALM_LEVEL_VILLAGE,
                         .parent = ALM_STR("p7"),
                         .valid_from = ALM_DATE_NONE,
                         .valid_to = ALM_DATE_MAX};
    Almanac__V1__Indicator *indicators[1];
    Almanac__V1__Place *places[1];
    ASSERT_OK(f, alm_indicator_to_proto(&jobs, f->arena, &indicators[0], &f->st));
    ASSERT_OK(f, alm_place_to_proto(&village, f->arena, &places[0], &f->st));
    request.n_indicators = 1;
    request.indicators = indicators;
    request.n_places = 1;
    request.places = places;
    ASSERT_OK(f, call(f, "Commit", &request.base, &response));
    alm_obs quarter = a_row(PLACE_COUNT, 2023, 5);
    alm_obs rows[] = {a_row(PLACE_COUNT, 2022, 4), a_row(PLACE_COUNT, 2023, 5), a_row(8, 2020, 6)};
    quarter.period = (alm_period){.freq = ALM_FREQ_QUARTER, .length = 1, .ordinal = 2023 * 4};
    (void)commit_rows_of(f, "A.jobs.P.level._Z.industry=farming", rows, 3);
    (void)commit_rows_of(f, "A.jobs.P.growth_yoy._Z._T", rows, 1);
    (void)commit_rows_of(f, "Q.gdp.C.level._Z._T", &quarter, 1);
}

// What is asked, one word of the request each, and the series that are answered.
typedef struct series_row {
    const char *places, *indicator, *theme, *measure, *breakdown, *accumulation, *frequency;
    const char *expected; // lines "variant places cells first last", or the error's field and words
} series_row;

static const series_row series_rows[] = {
    {.expected = "A.gdp.P.level._Z._T 2 3 2021 2023\n"
                 "A.jobs.P.level._Z.industry=farming 2 3 2020 2023\n"
                 "A.jobs.P.growth_yoy._Z._T 1 1 2022 2022\n"
                 "Q.gdp.C.level._Z._T 1 1 2023-Q1 2023-Q1\n"},
    {.places = "p7", .expected = "A.gdp.P.level._Z._T 1 1 2022 2022\n"},
    {.places = "p9", .expected = ""},
    {.places = "p8", .expected = "A.jobs.P.level._Z.industry=farming 1 1 2020 2020\n"},
    // Several places: how many of them; the rest is the series'.
    {.places = "p7, p7/**",
     .expected = "A.gdp.P.level._Z._T 1 3 2021 2023\n"
                 "A.jobs.P.level._Z.industry=farming 1 3 2020 2023\n"
                 "A.jobs.P.growth_yoy._Z._T 1 1 2022 2022\n"
                 "Q.gdp.C.level._Z._T 1 1 2023-Q1 2023-Q1\n"},
    // One place: all of it, in the order the series came.
    {.places = "p7/**",
     .expected = "A.jobs.P.level._Z.industry=farming 1 2 2022 2023\n"
                 "A.jobs.P.growth_yoy._Z._T 1 1 2022 2022\n"
                 "Q.gdp.C.level._Z._T 1 1 2023-Q1 2023-Q1\n"},
    {.places = "v1, v1",
     .indicator = "*",
     .breakdown = "*",
     .accumulation = "P",
     .expected = "A.jobs.P.level._Z.industry=farming 1 2 2022 2023\n"
                 "A.jobs.P.growth_yoy._Z._T 1 1 2022 2022\n"},
    {.places = "p7/**",
     .breakdown = " industry=* ",
     .expected = "A.jobs.P.level._Z.industry=farming 1 2 2022 2023\n"},
    {.indicator = "就业",
     .breakdown = "_T",
     .expected = "A.jobs.P.growth_yoy._Z._T 1 1 2022 2022\n"},
    {.theme = "labour",
     .measure = "level",
     .expected = "A.jobs.P.level._Z.industry=farming 2 3 2020 2023\n"},
    {.breakdown = "industry=farming",
     .expected = "A.jobs.P.level._Z.industry=farming 2 3 2020 2023\n"},
    {.breakdown = "size=*", .expected = ""},
    {.accumulation = "C", .expected = "Q.gdp.C.level._Z._T 1 1 2023-Q1 2023-Q1\n"},
    {.frequency = "Q", .expected = "Q.gdp.C.level._Z._T 1 1 2023-Q1 2023-Q1\n"},
    {.indicator = "gdp", .frequency = "M", .expected = ""},
    {.places = "p7x", .expected = "places: NOT_FOUND p7x"},
    {.places = "p7,,p8", .expected = "places: INVALID_ARGUMENT"},
    {.indicator = "jops", .expected = "indicators: NOT_FOUND jobs"},
    {.theme = "labor", .expected = "theme: NOT_FOUND did you mean labour?"},
    {.theme = "weather", .expected = "theme: NOT_FOUND \"weather\""},
    {.measure = "levle", .expected = "measure: INVALID_ARGUMENT levle"},
    {.breakdown = "industry", .expected = "breakdown: INVALID_ARGUMENT industry"},
    {.breakdown = "a=b+c=*", .expected = "breakdown: INVALID_ARGUMENT"},
    {.breakdown = "a,size=*", .expected = "breakdown: INVALID_ARGUMENT"},
    {.breakdown = "Ind ustry=*", .expected = "breakdown: INVALID_ARGUMENT Ind ustry"},
    {.breakdown = "=*", .expected = "breakdown: INVALID_ARGUMENT"},
    {.indicator = "街道", .expected = "indicators: NOT_FOUND 街道"},
    {.places = "街道", .expected = "places: INVALID_ARGUMENT 街道"},
    {.accumulation = "D", .expected = "accumulation: INVALID_ARGUMENT \"D\""},
    {.frequency = "QQ", .expected = "frequency: INVALID_ARGUMENT \"QQ\""},
};

static char *text_of(fixture *f, const char *text)
{
    return alm_arena_strdup(f->arena, alm_str_from(text != NULL ? text : ""));
}

static Almanac__V1__CatalogRequest series_request(fixture *f, const series_row *row)
{
    Almanac__V1__CatalogRequest request;
    almanac__v1__catalog_request__init(&request);
    request.kind = ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_SERIES;
    request.places = text_of(f, row->places);
    if (row->indicator != NULL) {
        request.indicators = alm_arena_calloc(f->arena, 1, sizeof(char *));
        request.indicators[0] = text_of(f, row->indicator);
        request.n_indicators = 1;
    }
    request.theme = text_of(f, row->theme);
    request.measure = text_of(f, row->measure);
    request.breakdown = text_of(f, row->breakdown);
    request.accumulation = text_of(f, row->accumulation);
    request.frequency = text_of(f, row->frequency);
    return request;
}

static const char *series_text(fixture *f, const Almanac__V1__CatalogResponse *response)
{
    const char *text = "";
    for (size_t i = 0; response != NULL && i < response->n_series; i++) {
        const Almanac__V1__SeriesInfo *s = response->series[i];
        text =
            alm_arena_printf(f->arena, "%s%s %d %d %s %s\n", text, s->variant, (int)s->place_count,
                             (int)s->cell_count, s->first_period, s->last_period);
    }
    return text;
}

static void refuses_series(fixture *f, const series_row *row,
                           const Almanac__V1__CatalogRequest *request)
{
    ProtobufCMessage *message = NULL;
    char field[16], code[24], words[64] = "";
    assert_true(sscanf(row->expected, "%15[^:]: %23s %63[^\n]", field, code, words) >= 2);
    alm_stream *stream = open_stream(f, "Catalog", &request->base);
    alm_code answer = alm_stream_next(stream, f->arena, &message, &f->st);
    alm_stream_close(&stream);
    if (strcmp(alm_code_name(answer), code) != 0 || strcmp(f->st.field, field) != 0 ||
        strstr(f->st.message, words) == NULL) {
        fail_msg("expected %s; %s: %s: %s", row->expected, f->st.field, alm_code_name(answer),
                 f->st.message);
    }
}

static void finds_series(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs rows[] = {a_row(0, 2021, 1), a_row(0, 2023, 2), a_row(7, 2022, 3)};
    commit_rows(f, rows, 3);
    commit_more(f);
    for (size_t i = 0; i < ALM_ARRAY_LEN(series_rows); i++) {
        const series_row *row = &series_rows[i];
        Almanac__V1__CatalogRequest request = series_request(f, row);
        if (row->expected[0] != '\0' && strstr(row->expected, ": ") != NULL) {
            refuses_series(f, row, &request);
        } else {
            const char *got = series_text(f, ask(f, &request));
            if (strcmp(got, row->expected) != 0) {
                fail_msg("row %zu: got\n%sinstead of\n%s", i, got, row->expected);
            }
        }
    }
}

// What is new is found at once; words for series do not stand with other kinds.
static void finds_series_of_a_new_place(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    alm_obs row = a_row(7, 2022, 3);
    commit_rows(f, &row, 1);
    series_row below = {.places = "p7/**", .expected = ""};
    Almanac__V1__CatalogRequest request = series_request(f, &below);
    assert_null(ask(f, &request));
    commit_more(f);
    assert_int_equal(ask(f, &request)->n_series, 3);
    request.kind = ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_PLACES;
    below.expected = "places: INVALID_ARGUMENT asks for series";
    refuses_series(f, &below, &request);
    series_row empty = {.indicator = "",
                        .expected = "indicators: INVALID_ARGUMENT asks for series"};
    request = series_request(f, &empty);
    request.kind = ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_SOURCES;
    refuses_series(f, &empty, &request);
}

static void keeps_quarantined_rows(void **state)
{
    fixture *f = *state;
    Almanac__Internal__CommitRequest request = a_commit(f);
    Almanac__Internal__CommitResponse *response;
    Almanac__V1__QuarantinedRow row;
    almanac__v1__quarantined_row__init(&row);
    Almanac__V1__QuarantinedRow *list[] = {&row};
    char file[] = "gdp.csv", reason[] = "not a number", record[] = "gdp,2023,x";
    row.file_name = file;
    row.row = 7;
    row.reason = reason;
    row.record = (ProtobufCBinaryData){.len = strlen(record), .data = (uint8_t *)record};
    request.quarantine = list;
    request.n_quarantine = 1;
    ASSERT_OK(f, call(f, "Commit", &request.base, &response));
    Almanac__V1__CatalogResponse *r =
        ask_catalog(f, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_QUARANTINE, "number", 0);
    assert_int_equal(r->n_quarantine, 1);
    assert_string_equal(r->quarantine[0]->file_name, file);
    assert_int_equal(r->quarantine[0]->row, 7);
    assert_int_equal(r->quarantine[0]->record.len, strlen(record));
    assert_int_equal(strlen(r->quarantine[0]->at), strlen("2026-11-24T06:30:00.123Z"));
}

static void *commit_later(void *arg)
{
    fixture *f = arg;
    alm_obs row = a_row(3, 2023, 9);
    commit_rows(f, &row, 1);
    return NULL;
}

static void watches_from_a_sequence_on(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    commit_slice(f, 2022);
    Almanac__Internal__WatchRequest request;
    almanac__internal__watch_request__init(&request);
    request.from_sequence = 2;
    alm_stream *stream = open_stream(f, "Watch", &request.base);
    size_t rows = 0;
    while (rows < PLACE_COUNT) {
        Almanac__Internal__WatchResponse *r = next(f, stream);
        assert_int_equal(r->sequence, 2);
        assert_int_equal(r->added, PLACE_COUNT);
        assert_true(r->at_us > 0);
        rows += r->block->rows;
    }
    fixture other = *f; // another thread has its own arena
    other.arena = alm_arena_create(0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, commit_later, &other), 0);
    Almanac__Internal__WatchResponse *r = next(f, stream);
    pthread_join(thread, NULL);
    assert_int_equal(r->sequence, 3);
    assert_int_equal(r->block->rows, 1);
    assert_string_equal(r->block->variants[0], "A.gdp.P.level._Z._T");
    alm_stream_close(&stream);
    alm_arena_destroy(&other.arena);
}

// Goal: who asks for it is told that there is nothing, first of all and again and again, and which
// of several messages is a commit's last.
static void a_watch_says_that_it_is_alive(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    Almanac__Internal__WatchRequest request;
    almanac__internal__watch_request__init(&request);
    request.alive_ms = 20;
    alm_stream *stream = open_stream(f, "Watch", &request.base);
    for (int i = 0; i < 3; i++) {
        Almanac__Internal__WatchResponse *r = next(f, stream);
        assert_true(r->alive);
        assert_int_equal(r->sequence, 1);
        assert_int_equal(r->catalog_sequence, 1);
    }
    commit_slice(f, 2022);
    size_t rows = 0;
    for (bool goes_on = true; goes_on;) {
        Almanac__Internal__WatchResponse *r = next(f, stream);
        if (!r->alive) {
            assert_int_equal(r->sequence, 2);
            rows += r->block->rows;
            goes_on = r->goes_on;
            assert_int_equal(goes_on, rows < PLACE_COUNT);
        }
    }
    Almanac__Internal__WatchResponse *after = next(f, stream);
    assert_true(after->alive);
    assert_int_equal(after->sequence, 2);
    alm_stream_close(&stream);
    request.from_sequence = 7; // of a store that had more
    stream = open_stream(f, "Watch", &request.base);
    Almanac__Internal__WatchResponse *of_fewer = next(f, stream);
    assert_int_equal(of_fewer->sequence, 2);
    alm_stream_close(&stream);
}

static Almanac__Internal__HeadResponse *ask_head(fixture *f)
{
    Almanac__Internal__HeadRequest request;
    almanac__internal__head_request__init(&request);
    Almanac__Internal__HeadResponse *head;
    ASSERT_OK(f, call(f, "Head", &request.base, &head));
    return head;
}

// Goal: who is behind what the feed keeps is told every commit, and of which to read the rows.
static void a_watcher_far_behind_is_told_to_read(void **state)
{
    fixture *f = *state;
    commit_catalog(f);
    int year = 1900;
    while (ask_head(f)->feed_from < 8) { // what is folded leaves beside the next commits
        alm_obs row = a_row(3, year, year);
        commit_rows(f, &row, 1);
        assert_true(++year < 2900);
    }
    Almanac__Internal__HeadResponse *before = ask_head(f);
    Almanac__Internal__WatchRequest request;
    almanac__internal__watch_request__init(&request);
    request.from_sequence = 1;
    alm_stream *stream = open_stream(f, "Watch", &request.base);
    for (uint64_t i = 1; i <= before->sequence; i++) {
        Almanac__Internal__WatchResponse *r = next(f, stream);
        assert_int_equal(r->sequence, i);
        assert_int_equal(r->added, i > 1);
        assert_int_equal(r->block->n_variants, i > 1);
        assert_int_equal(r->rows_left_out, i > 1 && r->block->rows == 0);
        assert_true(i < before->feed_from || !r->rows_left_out);
        assert_true(i + 4 <= before->sequence || !r->rows_left_out);
    }
    alm_stream_close(&stream);
}

static void tells_its_figures_and_verifies(void **state)
{
    fixture *f = *state;
    Almanac__Internal__HeadRequest head_request;
    almanac__internal__head_request__init(&head_request);
    Almanac__Internal__HeadResponse *head;
    Almanac__V1__VerifyRequest verify_request;
    almanac__v1__verify_request__init(&verify_request);
    Almanac__V1__VerifyResponse *verified;
    commit_catalog(f);
    commit_slice(f, 2022);
    ASSERT_OK(f, call(f, "Head", &head_request.base, &head));
    assert_int_equal(head->sequence, 2);
    assert_int_equal(head->catalog_sequence, 1);
    assert_int_equal(head->cells, PLACE_COUNT);
    assert_int_equal(head->places, PLACE_COUNT);
    assert_int_equal(head->bytes_max, 256 << 20);
    assert_int_equal(head->n_parts, 0);
    assert_true(head->syncs >= 2);
    head_request.with_parts = true;
    ASSERT_OK(f, call(f, "Head", &head_request.base, &head));
    assert_int_equal(head->n_parts, ALM_STORE_PART_COUNT);
    assert_string_equal(head->parts[ALM_STORE_PART_LOG]->name, "log");
    assert_true(head->parts[ALM_STORE_PART_LOG]->bytes > 0);
    ASSERT_OK(f, call(f, "Verify", &verify_request.base, &verified));
    assert_true(verified->clean);
    assert_int_equal(verified->observations, PLACE_COUNT);
    assert_int_equal(verified->log_records, 2);
}

// What the stream holds is what the engine reads as a backup.
typedef struct received {
    alm_buf data;
    size_t at;
} received;

static alm_code read_received(void *arg, void *data, size_t len, size_t *ret_len, alm_status *st)
{
    received *r = arg;
    (void)st;
    *ret_len = ALM_MIN(len, r->data.len - r->at);
    memcpy(data, r->data.data + r->at, *ret_len);
    r->at += *ret_len;
    return ALM_OK;
}

static void streams_a_backup(void **state)
{
    fixture *f = *state;
    Almanac__V1__BackupRequest request = ALMANAC__V1__BACKUP_REQUEST__INIT;
    received r = {0};
    uint64_t sequence = 0;
    uint64_t bytes = 0;
    commit_catalog(f);
    for (int year = 2000; year < 2020; year++) {
        commit_slice(f, year);
    }
    alm_buf_init(&r.data, 0);
    alm_stream *stream = open_stream(f, "Backup", &request.base);
    size_t messages = 0;
    for (Almanac__V1__BackupResponse *m; (m = next(f, stream)) != NULL; messages++) {
        assert_int_equal(sequence, 0); // nothing after the end
        alm_buf_append(&r.data, m->data.data, m->data.len);
        sequence = m->end != NULL ? m->end->sequence : 0;
        bytes = m->end != NULL ? m->end->bytes : 0;
    }
    alm_stream_close(&stream);
    assert_true(messages > 2);
    assert_int_equal(sequence, 21);
    assert_int_equal(bytes, r.data.len);
    alm_backup_info info;
    alm_backup_source source = {.arg = &r, .read = read_received};
    ASSERT_OK(f, alm_store_backup_check(&source, &info, &f->st));
    assert_int_equal(info.sequence, 21);
    alm_buf_deinit(&r.data);
}

static void a_missing_data_option_is_named(void **state)
{
    fixture *f = *state;
    fixture other = *f;
    char program[] = "test";
    char *argv[] = {program};
    snprintf(other.address, sizeof other.address, "loop://storage-other");
    ASSERT_OK(f, alm_config_load(alm_module_storage.options, alm_module_storage.option_count, 1,
                                 argv, &other.config, &f->st));
    assert_int_equal(start_module(&other), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(other.st.message, "--data"));
    alm_config_destroy(&other.config);
    other.config = f->config; // the same folder again
    assert_int_equal(start_module(&other), ALM_FAILED_PRECONDITION);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commits_and_tells_conflicts_by_row_number),
        TEST(refuses_a_commit_without_digest_or_id),
        TEST(reads_in_blocks_with_the_state_they_show),
        TEST(reads_the_first_of_each_slice),
        TEST(an_empty_answer_still_tells_its_state),
        TEST(small_reads_answer_as_large_ones),
        TEST(a_read_of_several_messages_is_answered_whole),
        TEST(a_read_that_passes_a_look_is_answered_whole),
        TEST(refuses_a_malformed_read),
        TEST(adds_up_groups_of_places),
        TEST(sums_of_nothing_still_tell_their_state),
        TEST(refuses_malformed_sums),
        TEST(loads_the_catalogue_by_id),
        TEST(searches_the_catalogue),
        TEST(finds_series),
        TEST(finds_series_of_a_new_place),
        TEST(keeps_quarantined_rows),
        TEST(watches_from_a_sequence_on),
        TEST(a_watch_says_that_it_is_alive),
        TEST(a_watcher_far_behind_is_told_to_read),
        TEST(tells_its_figures_and_verifies),
        TEST(streams_a_backup),
        TEST(a_missing_data_option_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
