// Goal: a standing question is answered once for each commit that changed its answer, and for no
// other, with the answer that the question itself has at that commit; a watch that goes on from a
// sequence tells what an uninterrupted one would have told. Method: random commits to a real store,
// a marker after them that changes every answer, and each answer held against Execute at its
// sequence.
//
//   query_standing [SEED]
#include "services.h"

#include "alm/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 12, COMMITS = 25, ANSWERS_MAX = COMMITS + 8 };

static uint64_t seed = 1;

// What was told, or what Execute says: all but the state, packed.
typedef struct told {
    uint64_t sequence;
    alm_str answer;
    bool is_first; // it is of no commit
} told;

typedef struct told_list {
    told of[ANSWERS_MAX];
    size_t count;
} told_list;

static uint32_t below(uint32_t count)
{
    static uint64_t random;
    random = (random == 0 ? seed : random) * UINT64_C(6364136223846793005) +
             UINT64_C(1442695040888963407);
    return (uint32_t)((random >> 33) % count);
}

static void append(fixture *f, alm_str *text, const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    char *joined = alm_arena_alloc(f->arena, text->len + len + 1);
    assert_non_null(joined);
    if (text->len > 0) {
        memcpy(joined, text->data, text->len);
    }
    protobuf_c_message_pack(message, (uint8_t *)joined + text->len);
    *text = (alm_str){joined, text->len + len};
}

static void append_block(fixture *f, alm_str *text, Almanac__V1__ResultBlock *block,
                         uint64_t sequence)
{
    assert_int_equal(block->sequence, sequence);
    block->sequence = 0;
    append(f, text, &block->base);
}

// --- the watch ----------------------------------------------------------------------------------

static alm_stream *watch_open(fixture *f, Almanac__V1__QueryRequest *query, uint64_t from)
{
    Almanac__V1__WatchRequest request;
    alm_status st = ALM_STATUS_INIT;
    alm_stream *stream;
    almanac__v1__watch_request__init(&request);
    request.query = query;
    request.from_sequence = from;
    alm_call_opts opts = {.timeout_ms = TIMEOUT_MS};
    if (alm_stream_open(f->to_aggregation, &alm_service_aggregation, "Watch", &opts, &request.base,
                        &stream, &st) != ALM_OK) {
        die(&st);
    }
    return stream;
}

static const Almanac__V1__WatchResponse *watch_read(fixture *f, alm_stream *stream)
{
    alm_status st = ALM_STATUS_INIT;
    ProtobufCMessage *message;
    if (alm_stream_next(stream, f->arena, &message, &st) != ALM_OK) {
        die(&st);
    }
    assert_non_null(message);
    return (const Almanac__V1__WatchResponse *)message;
}

// A whole answer.
static told watch_next(fixture *f, alm_stream *stream)
{
    const Almanac__V1__WatchResponse *part = watch_read(f, stream);
    told ret = {.sequence = part->sequence, .is_first = part->at[0] == '\0'};
    for (size_t i = 0; i < part->n_errors; i++) {
        append(f, &ret.answer, &part->errors[i]->base);
    }
    append_block(f, &ret.answer, part->block, ret.sequence);
    while (part->goes_on) {
        part = watch_read(f, stream);
        assert_int_equal(part->sequence, ret.sequence);
        assert_int_equal(part->n_errors, 0);
        append_block(f, &ret.answer, part->block, ret.sequence);
    }
    return ret;
}

static void watch_until(fixture *f, alm_stream *stream, uint64_t last, told_list *ret)
{
    ret->count = 0;
    do {
        assert_true(ret->count < ANSWERS_MAX);
        ret->of[ret->count] = watch_next(f, stream);
    } while (ret->of[ret->count++].sequence < last);
    assert_int_equal(ret->of[ret->count - 1].sequence, last);
}

// --- what it should tell ------------------------------------------------------------------------

static told ask(fixture *f, const Almanac__V1__QueryRequest *query, uint64_t sequence)
{
    Almanac__V1__QueryRequest at_state = *query;
    told ret = {.sequence = sequence};
    answer a;
    at_state.at_sequence = sequence;
    execute(f, &at_state, &a);
    assert_int_equal(a.st.code, ALM_OK);
    for (size_t i = 0; i < a.error_count; i++) {
        append(f, &ret.answer, &a.errors[i]->base);
    }
    for (size_t i = 0; i < a.block_count; i++) {
        append_block(f, &ret.answer, a.blocks[i], sequence);
    }
    return ret;
}

// From a state on, whose answer is known.
static void should_tell(fixture *f, const Almanac__V1__QueryRequest *query, uint64_t from,
                        uint64_t last, told_list *ret)
{
    told before = ask(f, query, from);
    ret->count = 0;
    for (uint64_t sequence = from + 1; sequence <= last; sequence++) {
        told now = ask(f, query, sequence);
        if (!alm_str_eq(now.answer, before.answer)) {
            ret->of[ret->count++] = before = now;
        }
    }
}

static void assert_same(const told_list *got, size_t skip, const told_list *want, const char *how)
{
    if (got->count - skip != want->count) {
        fail_msg("seed %llu, %s: %zu answers were told, not %zu", (unsigned long long)seed, how,
                 got->count - skip, want->count);
    }
    for (size_t i = 0; i < want->count; i++) {
        const told *a = &got->of[skip + i], *b = &want->of[i];
        if (a->sequence != b->sequence || !alm_str_eq(a->answer, b->answer) || a->is_first) {
            fail_msg("seed %llu, %s: answer %zu, of commit %llu, is not that of commit %llu",
                     (unsigned long long)seed, how, i, (unsigned long long)a->sequence,
                     (unsigned long long)b->sequence);
        }
    }
}

// --- random -------------------------------------------------------------------------------------

static const char *const variants[] = {"A.gdp.P.level._Z._T", "A.gdp.C.level._Z._T",
                                       "A.pop.P.level._Z._T", "A.gdp.P.rank._Z._T",
                                       "A.gdp.P.level._Z.industry=software"};

static uint32_t day; // publications ascend

static uint64_t commit_one(fixture *f, const char *variant, alm_place_id place, int32_t year)
{
    alm_obs row = observe(place, year, 100 + below(3), 0);
    row.published += (int32_t)++day;
    return commit_rows(f, variant, &row, 1);
}

static uint64_t commit_some(fixture *f)
{
    return commit_one(f, variants[below(ALM_ARRAY_LEN(variants))], below(4),
                      2020 + (int32_t)below(4));
}

typedef struct question {
    Almanac__V1__QueryRequest request;
    char *indicators[2], *transforms[1];
} question;

static void draw(fixture *f, question *ret)
{
    static const char *const names[] = {"gdp", "pop", "gdp / pop", "nobody", "*"};
    static const char *const places[] = {"310105", "310104,310105001", "310000/*", "310000/**"};
    static const char *const periods[] = {"latest", "2022", "2020..2023", "last:2"};
    static const char *const words[] = {"pc1", "share", "rank", "rollup", "ma:2"};
    *ret = (question){0};
    const char *name = names[below(ALM_ARRAY_LEN(names))];
    ret->indicators[0] = alm_arena_strdup(f->arena, alm_str_from(name));
    ret->indicators[1] = alm_arena_strdup(f->arena, ALM_STR("gdp"));
    ret->transforms[0] =
        alm_arena_strdup(f->arena, alm_str_from(words[below(ALM_ARRAY_LEN(words))]));
    ask_gdp(&ret->request, ret->indicators, strcmp(name, "*") == 0 ? 1 : 2,
            places[below(ALM_ARRAY_LEN(places))], periods[below(ALM_ARRAY_LEN(periods))]);
    ret->request.transforms = ret->transforms;
    ret->request.n_transforms = below(2);
}

// --- the tests ----------------------------------------------------------------------------------

// Every place has another value of everything: behind it nothing that should not have been told can
// hide.
static uint64_t commit_marker(fixture *f)
{
    uint64_t last = 0;
    for (size_t v = 0; v < ALM_ARRAY_LEN(variants); v++) {
        alm_obs rows[16];
        size_t count = 0;
        for (alm_place_id place = 0; place < 4; place++) {
            for (int32_t year = 2020; year < 2024; year++) {
                rows[count] = observe(place, year, 1000 + below(100000), 0);
                rows[count++].published += (int32_t)day + 1;
            }
        }
        last = commit_rows(f, variants[v], rows, count);
    }
    day++;
    return last;
}

static void tells_each_answer_once(void **state)
{
    fixture *f = *state;
    static told_list got, want;
    commit_catalog(f);
    uint64_t last = commit_marker(f);
    for (size_t i = 0; i < ROUNDS; i++) {
        question q;
        draw(f, &q);
        uint64_t first = last;
        alm_stream *stream = watch_open(f, &q.request, 0);
        got.of[0] = watch_next(f, stream); // so that it is open before the first commit
        assert_true(got.of[0].is_first);
        assert_int_equal(got.of[0].sequence, first);
        for (size_t c = 0; c < COMMITS; c++) {
            (void)commit_some(f);
        }
        last = commit_marker(f);
        should_tell(f, &q.request, first, last, &want);
        if (want.count > 0) {
            watch_until(f, stream, want.of[want.count - 1].sequence, &got);
            assert_same(&got, 0, &want, "from now on");
        }
        alm_stream_close(&stream);

        uint64_t from = first + 1 + below((uint32_t)(last - first));
        should_tell(f, &q.request, from - 1, last, &want);
        if (want.count > 0) {
            stream = watch_open(f, &q.request, from);
            watch_until(f, stream, want.of[want.count - 1].sequence, &got);
            assert_same(&got, 0, &want, "going on");
            alm_stream_close(&stream);
        }
    }
}

// What is not told cannot be waited for: what comes behind it is.
static void tells_nothing_where_nothing_changed(void **state)
{
    fixture *f = *state;
    char gdp[] = "gdp";
    char *indicators[] = {gdp};
    Almanac__V1__QueryRequest request;
    commit_catalog(f);
    uint64_t first = commit_one(f, "A.gdp.P.level._Z._T", 2, 2023);
    ask_gdp(&request, indicators, 1, "310105", "latest");
    alm_stream *stream = watch_open(f, &request, 0);
    told one = watch_next(f, stream);
    assert_int_equal(one.sequence, first);
    (void)commit_one(f, "A.gdp.P.level._Z._T", 1, 2023); // elsewhere
    (void)commit_one(f, "A.pop.P.level._Z._T", 2, 2023); // something else
    (void)commit_one(f, "A.gdp.P.level._Z._T", 2, 2022); // not the latest
    alm_obs row = observe(2, 2023, 5, 0);
    row.published += (int32_t)++day;
    uint64_t last = commit_rows(f, "A.gdp.P.level._Z._T", &row, 1);
    told two = watch_next(f, stream);
    assert_int_equal(two.sequence, last);
    assert_false(alm_str_eq(one.answer, two.answer));
    alm_stream_close(&stream);
}

static void an_answer_of_many_blocks_is_told_whole(void **state)
{
    fixture *f = *state;
    char gdp[] = "gdp";
    char *indicators[] = {gdp};
    Almanac__V1__QueryRequest request;
    enum { YEARS = ALM_RESULT_BLOCK_ROW_COUNT + 100 };
    static alm_obs rows[YEARS];
    commit_catalog(f);
    for (int32_t i = 0; i < YEARS; i++) {
        rows[i] = observe(2, 1000 + i, i + 1, 0);
    }
    uint64_t last = commit_rows(f, "A.gdp.P.level._Z._T", rows, YEARS);
    ask_gdp(&request, indicators, 1, "310105", "all");
    alm_stream *stream = watch_open(f, &request, last);
    told got = watch_next(f, stream);
    told want = ask(f, &request, last);
    assert_true(alm_str_eq(got.answer, want.answer));
    alm_stream_close(&stream);
}

// The catalogue has no past: this is not asked of random commits.
static void a_new_place_is_a_change(void **state)
{
    fixture *f = *state;
    char gdp[] = "gdp";
    char *indicators[] = {gdp};
    Almanac__V1__QueryRequest query;
    Almanac__Internal__CommitRequest request;
    commit_catalog(f);
    (void)commit_one(f, "A.gdp.P.level._Z._T", 2, 2023);
    ask_gdp(&query, indicators, 1, "310000/*", "2023");
    alm_stream *stream = watch_open(f, &query, 0);
    (void)watch_next(f, stream);
    almanac__internal__commit_request__init(&request);
    Almanac__V1__Place *places[] = {
        new_place(f, "310106", "310000", ALMANAC__V1__LEVEL__LEVEL_DISTRICT)};
    request.places = places;
    request.n_places = 1;
    uint64_t sequence = commit(f, &request);
    const Almanac__V1__WatchResponse *change = watch_read(f, stream);
    assert_int_equal(change->sequence, sequence);
    assert_true(change->catalog_changed);
    assert_int_equal(change->block->rows, 3);
    assert_text(change->block, AT(change->block, place, 2), "310106");
    alm_stream_close(&stream);
}

static void refuses(fixture *f, Almanac__V1__WatchRequest *request, const char *field)
{
    alm_status st = ALM_STATUS_INIT;
    alm_stream *stream;
    ProtobufCMessage *message;
    alm_call_opts opts = {.timeout_ms = TIMEOUT_MS};
    if (alm_stream_open(f->to_aggregation, &alm_service_aggregation, "Watch", &opts, &request->base,
                        &stream, &st) != ALM_OK) {
        die(&st);
    }
    assert_int_equal(alm_stream_next(stream, f->arena, &message, &st), ALM_INVALID_ARGUMENT);
    assert_string_equal(st.field, field);
    alm_stream_close(&stream);
}

static void refuses_what_does_not_go_together(void **state)
{
    fixture *f = *state;
    char gdp[] = "gdp", places[] = "310105", bad[] = "310105,,";
    char *indicators[] = {gdp};
    Almanac__V1__QueryRequest query;
    Almanac__V1__WatchRequest request;
    Almanac__V1__PlaceSlice slice;
    commit_catalog(f);
    ask_gdp(&query, indicators, 1, "310105", "latest");
    almanac__v1__watch_request__init(&request);
    almanac__v1__place_slice__init(&slice);
    request.query = &query;
    request.places = places;
    refuses(f, &request, "places");
    request.indicators = indicators;
    request.n_indicators = 1;
    refuses(f, &request, "indicators");
    request.n_indicators = 0;
    request.places = query.breakdown; // ""
    query.at_sequence = 1;
    refuses(f, &request, "query.at_sequence");
    query.at_sequence = 0;
    query.slice = &slice;
    refuses(f, &request, "query.slice");
    query.slice = NULL;
    query.places = bad;
    refuses(f, &request, "places");
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        seed = strtoull(argv[1], NULL, 10);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_each_answer_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_nothing_where_nothing_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_of_many_blocks_is_told_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_place_is_a_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_does_not_go_together, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
