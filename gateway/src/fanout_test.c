// Goal: a query is cut so that every worker has work and no fragment is too large, its slices of
// places in order, or goes to one worker as it is; and when a worker is lost the client gets each
// of its rows once, at one state of the store, or an error.
// Method: all small cases against the definition; a gateway before a worker that fails once, after
// the client has what it said, asked in both ways.
#include "fanout.h"

#include "gateway_service.h"

#include "almanac/internal/aggregation.pb-c.h"

#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <cmocka.h>

static void every_small_case(void **state)
{
    (void)state;
    for (size_t indicators = 1; indicators <= 300; indicators++) {
        for (size_t workers = 0; workers <= 20; workers++) {
            size_t size = fanout_fragment_size(indicators, workers);
            size_t fragments = (indicators + size - 1) / size;
            assert_in_range(size, 1, 16);
            // Not cut finer than two fragments a worker ask for, unless a fragment would grow too
            // large.
            assert_true(size == 16 || fragments <= 2 * (workers > 0 ? workers : 1));
        }
    }
}

typedef struct whole_row {
    const char *name;
    const char *indicators[17];
    const char *places;
    const char *transform; // NULL: none
    bool want;
} whole_row;

static const whole_row whole_rows[] = {
    {"one indicator", {"gdp"}, "310105", NULL, true},
    {"one indicator of many places", {"gdp"}, "000000/**", "rollup", true},
    {"every indicator", {"*"}, "310105", NULL, false},
    {"every indicator, which is refused", {"gdp", "*"}, "310105", NULL, false},
    {"several of one place", {"gdp", "pop", "人口"}, "310105", NULL, true},
    {"several of named places", {"gdp", "pop", "tax"}, "310104,310105", "pc1", true},
    {"several of children", {"gdp", "pop"}, "310000/*", NULL, false},
    {"several of siblings", {"gdp", "pop"}, "310105~", NULL, false},
    {"several ranked", {"gdp", "pop"}, "310105", "rank", false},
    {"several of sums", {"gdp", "pop"}, "310000", "rollup", false},
    {"sixteen series",
     {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"},
     "310105",
     NULL,
     true},
    {"seventeen series",
     {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"},
     "310105",
     NULL,
     false},
};

static void request_of(const whole_row *row, char **transforms, Almanac__V1__QueryRequest *ret)
{
    almanac__v1__query_request__init(ret);
    ret->indicators = (char **)(uintptr_t)row->indicators;
    while (ret->n_indicators < ALM_ARRAY_LEN(row->indicators) &&
           row->indicators[ret->n_indicators] != NULL) {
        ret->n_indicators++;
    }
    ret->places = (char *)(uintptr_t)row->places;
    transforms[0] = (char *)(uintptr_t)row->transform;
    ret->transforms = transforms;
    ret->n_transforms = row->transform != NULL;
}

static void what_goes_whole(void **state)
{
    const whole_row *row = *state;
    char *transforms[1];
    Almanac__V1__QueryRequest request;
    request_of(row, transforms, &request);
    assert_int_equal(fanout_goes_whole(&request), row->want);
}

// --- small ones ----------------------------------------------------------------------------------

static const whole_row small_rows[] = {
    {"small: one series", {"gdp"}, "310105", NULL, true},
    {"small: a sum of one place", {"gdp"}, "310000", "rollup", true},
    {"small: several of named places", {"gdp", "pop"}, "310104,310105", "pc1", true},
    {"not small: places below", {"gdp"}, "310000/*", NULL, false},
    {"not small: siblings", {"gdp"}, "310105~", NULL, false},
    {"not small: every indicator", {"*"}, "310105", NULL, false},
    {"not small: seventeen places",
     {"gdp"},
     "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
     NULL,
     false},
    {"small: sixteen places", {"gdp"}, "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", NULL, true},
};

static void what_is_small(void **state)
{
    const whole_row *row = *state;
    char *transforms[1];
    Almanac__V1__QueryRequest request;
    request_of(row, transforms, &request);
    assert_int_equal(fanout_is_small(&request), row->want);
}

// --- slices of places ----------------------------------------------------------------------------

typedef struct large_row {
    const char *name;
    const char *places;
    const char *transform; // NULL: none
    Almanac__V1__Order order;
    uint32_t limit;
    bool want;
} large_row;

static const large_row large_rows[] = {
    {"may be large: places below", "310000/**", NULL, 0, 0, true},
    {"may be large: growth of places below", "310000/**", "pc1", 0, 0, true},
    {"may be large: an unknown word, which is refused", "310000/**", "pc3", 0, 0, true},
    {"not large: named places", "310104,310105", NULL, 0, 0, false},
    {"not cut: a rank", "310000/**", "rank", 0, 0, false},
    {"not cut: a roll-up", "310000/**", "rollup", 0, 0, false},
    {"not cut: the largest first", "310000/**", NULL, ALMANAC__V1__ORDER__ORDER_VALUE_DESC, 0,
     false},
    {"not cut: the first ten", "310000/**", NULL, 0, 10, false},
};

static void what_may_be_large(void **state)
{
    const large_row *row = *state;
    char code[] = "gdp";
    char *codes[] = {code, code};
    char *transforms[] = {(char *)(uintptr_t)row->transform};
    Almanac__V1__QueryRequest request;
    almanac__v1__query_request__init(&request);
    request.indicators = codes;
    request.n_indicators = 1;
    request.places = (char *)(uintptr_t)row->places;
    request.transforms = transforms;
    request.n_transforms = row->transform != NULL;
    request.order = row->order;
    request.limit = row->limit;
    assert_int_equal(fanout_may_be_large(&request), row->want);
    request.n_indicators = 2;
    assert_false(fanout_may_be_large(&request));
}

// --- a lost worker ------------------------------------------------------------------------------

// What the worker answers: a message a letter, of one row whose place is the letter.
typedef struct lost_row {
    const char *name;
    const char *first;  // before it is lost
    const char *second; // the whole answer of the next try
    const char *want;   // what the client gets
    alm_code want_code;
} lost_row;

#define STATE  7     // of the plan, or of the first try
#define WANTED 3     // by the client, at least
#define TODAY  20001 // in China, by the gateway's clock

typedef struct worker {
    const lost_row *row;
    bool is_planned;
    atomic_uint plans, tries;
    sem_t is_read; // the client has all of first
} worker;

static alm_code plan(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    worker *w = self;
    assert_int_equal(((const Almanac__V1__QueryRequest *)request)->today, TODAY);
    atomic_fetch_add(&w->plans, 1);
    char code[] = "gdp";
    char *codes[] = {code};
    Almanac__Internal__PlanResponse response;
    almanac__internal__plan_response__init(&response);
    response.indicators = codes;
    response.n_indicators = 1;
    response.sequence = STATE;
    return alm_call_send(call, &response.base, st);
}

static alm_code send_row(alm_call *call, char letter, alm_status *st)
{
    char texts[] = {'\n', letter, '\n', '\0'};
    uint32_t text_ends[] = {0, 2};
    uint32_t at = 1;
    Almanac__V1__ResultBlock block;
    almanac__v1__result_block__init(&block);
    block.texts = texts;
    block.text_ends = text_ends;
    block.n_text_ends = 2;
    block.rows = 1;
    block.sequence = STATE;
    block.place = &at;
    block.n_place = 1;
    Almanac__V1__QueryResponse response;
    almanac__v1__query_response__init(&response);
    response.block = &block;
    return alm_call_send(call, &response.base, st);
}

static alm_code execute(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    worker *w = self;
    const Almanac__V1__QueryRequest *asked = (const Almanac__V1__QueryRequest *)request;
    bool is_first = atomic_fetch_add(&w->tries, 1) == 0;
    bool is_pinned = w->is_planned || (!is_first && w->row->first[0] != '\0');
    assert_int_equal(asked->today, TODAY);
    if (asked->at_sequence != (is_pinned ? STATE : 0) ||
        asked->min_sequence != (is_pinned ? 0 : WANTED)) {
        return alm_status_set(st, ALM_INTERNAL, "asked at %llu, at least %llu",
                              (unsigned long long)asked->at_sequence,
                              (unsigned long long)asked->min_sequence);
    }
    for (const char *at = is_first ? w->row->first : w->row->second; *at != '\0'; at++) {
        ALM_TRY(send_row(call, *at, st));
    }
    if (is_first) {
        sem_wait(&w->is_read);
        return alm_status_set(st, ALM_UNAVAILABLE, "lost");
    }
    return ALM_OK;
}

// Execute, Explain, Watch, Plan, Reconcile.
static const alm_handler worker_handlers[] = {execute, NULL, NULL, plan, NULL};

static void serve_looked(alm_rpc *rpc, const alm_service_def *service, const alm_handler *handlers,
                         void *self, const char *address, const alm_look_opts *look,
                         alm_server **ret)
{
    assert_int_equal(alm_server_create(rpc, NULL, ret, NULL), ALM_OK);
    assert_int_equal(alm_server_add(*ret, service, handlers, self, NULL), ALM_OK);
    if (look != NULL) {
        alm_server_look_first(*ret, service, look);
    }
    assert_int_equal(alm_server_bind(*ret, address, NULL), ALM_OK);
    assert_int_equal(alm_server_start(*ret, NULL), ALM_OK);
}

static void serve(alm_rpc *rpc, const alm_service_def *service, const alm_handler *handlers,
                  void *self, const char *address, alm_server **ret)
{
    serve_looked(rpc, service, handlers, self, address, NULL, ret);
}

static void request_init(Almanac__V1__QueryRequest *request, char **codes, const char *places)
{
    static char periods[] = "2023";
    almanac__v1__query_request__init(request);
    request->indicators = codes;
    request->n_indicators = 1;
    request->places = (char *)(uintptr_t)places;
    request->periods = periods;
    request->min_sequence = WANTED;
}

// The places of the rows that come, one letter each. Tells is_read, unless NULL, when there are as
// many as `first`.
static alm_code ask(alm_channel *channel, const Almanac__V1__QueryRequest *request, size_t first,
                    sem_t *is_read, char *got, size_t size)
{
    alm_stream *stream;
    ProtobufCMessage *message;
    size_t count = 0;
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    assert_int_equal(alm_stream_open(channel, &alm_service_gateway, "Query", NULL, &request->base,
                                     &stream, NULL),
                     ALM_OK);
    alm_code result;
    while ((result = alm_stream_next(stream, arena, &message, NULL)) == ALM_OK && message != NULL) {
        const Almanac__V1__ResultBlock *block =
            ((const Almanac__V1__QueryResponse *)message)->block;
        assert_true(count + 1 < size);
        got[count++] = block->texts[1];
        if (count == first && is_read != NULL) {
            sem_post(is_read);
        }
    }
    got[count] = '\0';
    alm_stream_close(&stream);
    alm_arena_destroy(&arena);
    return result;
}

// A gateway before one worker, and its client.
typedef struct doors {
    alm_module_ctx ctx;
    gateway g;
    alm_server *behind;
    alm_channel *client;
    int64_t now_us;
} doors;

// look: NULL: each question goes to a thread, as one that is not small does.
static void open_doors_with(doors *it, const alm_handler *handlers, void *worker_self,
                            alm_look look)
{
    *it = (doors){.now_us = ((TODAY - 1) * INT64_C(24) + 16) * 3600 * 1000000};
    it->ctx.clock = alm_clock_fake(&it->now_us);
    it->g.ctx = &it->ctx;
    assert_int_equal(alm_rpc_create(&(alm_rpc_opts){0}, &it->ctx.rpc, NULL), ALM_OK);
    serve(it->ctx.rpc, &alm_service_aggregation, handlers, worker_self, "loop://worker",
          &it->behind);
    assert_int_equal(alm_channel_open(it->ctx.rpc, "loop://worker", NULL, &it->g.aggregation, NULL),
                     ALM_OK);
    const alm_look_opts opts = {"Query", look, it->g.aggregation, &alm_service_aggregation,
                                "Execute"};
    serve_looked(it->ctx.rpc, &alm_service_gateway, gateway_handlers, &it->g, "loop://door",
                 look != NULL ? &opts : NULL, &it->g.server);
    assert_int_equal(alm_channel_open(it->ctx.rpc, "loop://door", NULL, &it->client, NULL), ALM_OK);
}

static void open_doors(doors *it, const alm_handler *handlers, void *worker_self)
{
    open_doors_with(it, handlers, worker_self, NULL);
}

static void close_doors(doors *it)
{
    alm_channel_close(&it->client);
    alm_server_destroy(&it->g.server);
    alm_channel_close(&it->g.aggregation);
    alm_server_destroy(&it->behind);
    alm_rpc_destroy(&it->ctx.rpc);
}

static void lose_worker(const lost_row *row, bool is_planned)
{
    worker w = {.row = row, .is_planned = is_planned};
    char code[] = "gdp", every[] = "*", got[16];
    char *codes[] = {is_planned ? every : code};
    Almanac__V1__QueryRequest request;
    doors it;
    assert_int_equal(sem_init(&w.is_read, 0, row->first[0] == '\0'), 0);
    open_doors(&it, worker_handlers, &w);
    request_init(&request, codes, "310104,310105");
    assert_int_equal(ask(it.client, &request, strlen(row->first), &w.is_read, got, sizeof got),
                     row->want_code);
    assert_string_equal(got, row->want);
    assert_int_equal(w.tries, 2);
    assert_int_equal(w.plans, is_planned);
    close_doors(&it);
    sem_destroy(&w.is_read);
}

static void a_lost_worker(void **state)
{
    lose_worker(*state, true);
    lose_worker(*state, false);
}

// --- small ones are passed on --------------------------------------------------------------------

// A worker that is told what the client said, and is lost once before it has answered all.
typedef struct passed {
    atomic_uint tries;
    uint64_t min_sequence;
} passed;

static alm_code execute_passed(void *self, alm_call *call, const ProtobufCMessage *request,
                               alm_status *st)
{
    passed *w = self;
    const Almanac__V1__QueryRequest *asked = (const Almanac__V1__QueryRequest *)request;
    assert_int_equal(asked->today, 0); // the worker's to say
    assert_int_equal(asked->at_sequence, 0);
    w->min_sequence = asked->min_sequence;
    if (atomic_fetch_add(&w->tries, 1) == 0) {
        ALM_TRY(send_row(call, 'a', st));
        ALM_TRY(send_row(call, 'b', st));
        return alm_status_set(st, ALM_UNAVAILABLE, "lost");
    }
    ALM_TRY(send_row(call, 'c', st));
    return send_row(call, 'd', st);
}

static void a_small_one_is_passed_on(void **state)
{
    (void)state;
    static const alm_handler passed_handlers[] = {execute_passed, NULL, NULL, NULL, NULL};
    passed w = {0};
    char code[] = "gdp", got[16];
    char *codes[] = {code};
    Almanac__V1__QueryRequest request;
    Almanac__V1__PlaceSlice slice;
    doors it;
    open_doors_with(&it, passed_handlers, &w, fanout_look);
    request_init(&request, codes, "310105");
    assert_int_equal(ask(it.client, &request, 0, NULL, got, sizeof got), ALM_OK);
    assert_string_equal(got, "cd"); // nothing of the one that was lost
    assert_int_equal(w.tries, 2);
    assert_int_equal(w.min_sequence, WANTED);
    almanac__v1__place_slice__init(&slice);
    request.slice = &slice;
    assert_int_equal(ask(it.client, &request, 0, NULL, got, sizeof got), ALM_INVALID_ARGUMENT);
    request.slice = NULL;
    request.n_indicators = 0;
    assert_int_equal(ask(it.client, &request, 0, NULL, got, sizeof got), ALM_INVALID_ARGUMENT);
    assert_int_equal(w.tries, 2);
    close_doors(&it);
}

static const lost_row lost_rows[] = {
    {"it had not answered", "", "ab", "ab", ALM_OK},
    {"what it answered waits for nothing", "a", "ab", "ab", ALM_OK},
    {"the next try goes on where it was lost", "ab", "abc", "abc", ALM_OK},
    {"nothing was left to pass on", "ab", "ab", "ab", ALM_OK},
    {"the next try answers another first message", "ab", "xbc", "ab", ALM_ABORTED},
    {"the next try has a message more in front", "ab", "xabc", "ab", ALM_ABORTED},
    {"the next try has fewer messages", "ab", "a", "ab", ALM_ABORTED},
};

// What was imported through the gateway a moment ago is in every answer that it passes on, whoever
// asks, unless it is asked of a state.
static alm_code expect_state(void *self, alm_call *call, const ProtobufCMessage *request,
                             alm_status *st)
{
    const Almanac__V1__QueryRequest *asked = (const Almanac__V1__QueryRequest *)request;
    *(uint64_t *)self = asked->min_sequence;
    return send_row(call, 'a', st);
}

static void what_was_imported_is_waited_for(void **state)
{
    (void)state;
    static const alm_handler handlers[] = {expect_state, NULL, NULL, NULL, NULL};
    uint64_t min = 0;
    char code[] = "gdp", got[16];
    char *codes[] = {code};
    Almanac__V1__QueryRequest request;
    doors it;
    open_doors_with(&it, handlers, &min, fanout_look);
    request_init(&request, codes, "310104");
    assert_int_equal(ask(it.client, &request, 1, NULL, got, sizeof got), ALM_OK);
    assert_int_equal(min, WANTED);
    alm_seen_note(&it.g.imported, WANTED + 2, it.now_us);
    assert_int_equal(ask(it.client, &request, 1, NULL, got, sizeof got), ALM_OK);
    assert_int_equal(min, WANTED + 2);
    request.at_sequence = WANTED;
    assert_int_equal(ask(it.client, &request, 1, NULL, got, sizeof got), ALM_OK);
    assert_int_equal(min, WANTED);
    request.at_sequence = 0;
    it.now_us += INT64_C(1000) * ALM_SEEN_MS;
    assert_int_equal(ask(it.client, &request, 1, NULL, got, sizeof got), ALM_OK);
    assert_int_equal(min, WANTED);
    close_doors(&it);
}

// --- slices ------------------------------------------------------------------------------------

// Answers each slice with one row, whose place is a letter for where it begins.
typedef struct slicer {
    uint32_t of; // places; 0: not to be cut
    atomic_uint plans, slices, wholes;
} slicer;

#define SLICE 10

static alm_code plan_slices(void *self, alm_call *call, const ProtobufCMessage *request,
                            alm_status *st)
{
    slicer *it = self;
    char code[] = "gross_domestic_product";
    char *codes[] = {code};
    Almanac__V1__PlaceSlice slice;
    Almanac__Internal__PlanResponse response;
    (void)request;
    atomic_fetch_add(&it->plans, 1);
    almanac__v1__place_slice__init(&slice);
    slice.count = SLICE;
    slice.of = it->of;
    slice.digest = 77;
    almanac__internal__plan_response__init(&response);
    response.indicators = codes;
    response.n_indicators = 1;
    response.sequence = 7;
    response.slice = it->of > 0 ? &slice : NULL;
    return alm_call_send(call, &response.base, st);
}

static alm_code execute_slice(void *self, alm_call *call, const ProtobufCMessage *request,
                              alm_status *st)
{
    slicer *it = self;
    const Almanac__V1__QueryRequest *asked = (const Almanac__V1__QueryRequest *)request;
    const Almanac__V1__PlaceSlice *slice = asked->slice;
    assert_string_equal(asked->indicators[0], "gdp"); // as it was asked
    if (slice == NULL) {
        assert_int_equal(asked->at_sequence, it->of > 0 ? 7 : 0);
        atomic_fetch_add(&it->wholes, 1);
        return send_row(call, '-', st);
    }
    assert_int_equal(asked->at_sequence, 7);
    assert_int_equal(slice->digest, 77);
    assert_int_equal(slice->of, it->of);
    assert_int_equal(slice->count, ALM_MIN(it->of - slice->from, (uint32_t)SLICE));
    atomic_fetch_add(&it->slices, 1);
    return send_row(call, (char)('a' + slice->from / SLICE), st);
}

// Execute, Explain, Watch, Plan, Reconcile.
static const alm_handler slicer_handlers[] = {execute_slice, NULL, NULL, plan_slices, NULL};

static void slices_in_order(void **state)
{
    (void)state;
    slicer w = {.of = 95};
    char code[] = "gdp", got[32];
    char *codes[] = {code};
    Almanac__V1__QueryRequest request;
    doors it;
    open_doors(&it, slicer_handlers, &w);
    request_init(&request, codes, "310000/**");
    assert_int_equal(ask(it.client, &request, 0, NULL, got, sizeof got), ALM_OK);
    assert_string_equal(got, "abcdefghij");
    assert_int_equal(w.slices, 10);

    // More fragments than are good: one that has all places, the question being what it was.
    w.of = SLICE * 257;
    w.slices = 0;
    request.at_sequence = 7;
    assert_int_equal(ask(it.client, &request, 0, NULL, got, sizeof got), ALM_OK);
    assert_int_equal(w.slices, 0);
    assert_int_equal(w.wholes, 1);

    Almanac__V1__PlaceSlice slice;
    almanac__v1__place_slice__init(&slice);
    request.slice = &slice;
    assert_int_equal(ask(it.client, &request, 0, NULL, got, sizeof got), ALM_INVALID_ARGUMENT);
    close_doors(&it);
}

// What a plan does not cut is asked as it is, and the next time without a plan.
static void a_small_one_is_remembered(void **state)
{
    (void)state;
    slicer w = {.of = 0};
    char code[] = "gdp", got[32];
    char *codes[] = {code};
    Almanac__V1__QueryRequest request;
    doors it;
    open_doors(&it, slicer_handlers, &w);
    request_init(&request, codes, "310000/*");
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(ask(it.client, &request, 0, NULL, got, sizeof got), ALM_OK);
        assert_string_equal(got, "-");
        assert_int_equal(w.wholes, i);
        assert_int_equal(w.plans, 1);
    }
    char other[] = "2024";
    request.periods = other;
    assert_int_equal(ask(it.client, &request, 0, NULL, got, sizeof got), ALM_OK);
    assert_int_equal(w.plans, 2);
    close_doors(&it);
}

// --- late workers --------------------------------------------------------------------------------

typedef struct late_worker {
    slicer as_others;
    sem_t is_over; // until then it says nothing
} late_worker;

static alm_code execute_late(void *self, alm_call *call, const ProtobufCMessage *request,
                             alm_status *st)
{
    late_worker *it = self;
    (void)call;
    (void)request;
    atomic_fetch_add(&it->as_others.slices, 1);
    sem_wait(&it->is_over);
    sem_post(&it->is_over);
    return alm_status_set(st, ALM_CANCELLED, "late");
}

// Execute, Explain, Watch, Plan, Reconcile.
static const alm_handler late_handlers[] = {execute_late, NULL, NULL, plan_slices, NULL};

static void a_late_worker_is_not_waited_for(void **state)
{
    (void)state;
    slicer other = {.of = 95};
    late_worker late = {.as_others.of = 95};
    alm_server *second;
    char code[] = "gdp", got[32];
    char *codes[] = {code};
    Almanac__V1__QueryRequest request;
    doors it;
    assert_int_equal(sem_init(&late.is_over, 0, 0), 0);
    open_doors(&it, slicer_handlers, &other);
    serve(it.ctx.rpc, &alm_service_aggregation, late_handlers, &late, "loop://late", &second);
    alm_channel_close(&it.g.aggregation);
    assert_int_equal(
        alm_channel_open(it.ctx.rpc, "loop://worker,loop://late", NULL, &it.g.aggregation, NULL),
        ALM_OK);
    while (gateway_backend_state(it.g.aggregation).healthy < 2) {
        assert_int_equal(alm_channel_wait_ready(it.g.aggregation, 1000, NULL), ALM_OK);
        sched_yield();
    }
    it.g.first_us = 1000; // what fragments took
    request_init(&request, codes, "310000/**");
    assert_int_equal(ask(it.client, &request, 0, NULL, got, sizeof got), ALM_OK);
    assert_string_equal(got, "abcdefghij");
    assert_true(late.as_others.slices > 0);
    assert_int_equal(it.g.hedge_count, late.as_others.slices);
    assert_int_equal(other.slices, 10);

    sem_post(&late.is_over);
    alm_channel_close(&it.client);
    alm_server_destroy(&it.g.server);
    alm_channel_close(&it.g.aggregation);
    alm_server_destroy(&second);
    alm_server_destroy(&it.behind);
    alm_rpc_destroy(&it.ctx.rpc);
    sem_destroy(&late.is_over);
}

int main(void)
{
    enum {
        WHOLE = ALM_ARRAY_LEN(whole_rows),
        LARGE = ALM_ARRAY_LEN(large_rows),
        SMALL = ALM_ARRAY_LEN(small_rows),
        LOST = ALM_ARRAY_LEN(lost_rows),
    };
    struct CMUnitTest tests[6 + WHOLE + LARGE + SMALL + LOST] = {
        cmocka_unit_test(every_small_case),
        cmocka_unit_test(slices_in_order),
        cmocka_unit_test(a_small_one_is_remembered),
        cmocka_unit_test(a_late_worker_is_not_waited_for),
        cmocka_unit_test(a_small_one_is_passed_on),
        cmocka_unit_test(what_was_imported_is_waited_for),
    };
    size_t count = 6;
    for (size_t i = 0; i < WHOLE; i++) {
        tests[count++] = (struct CMUnitTest){.name = whole_rows[i].name,
                                             .test_func = what_goes_whole,
                                             .initial_state = (void *)(uintptr_t)&whole_rows[i]};
    }
    for (size_t i = 0; i < SMALL; i++) {
        tests[count++] = (struct CMUnitTest){.name = small_rows[i].name,
                                             .test_func = what_is_small,
                                             .initial_state = (void *)(uintptr_t)&small_rows[i]};
    }
    for (size_t i = 0; i < LARGE; i++) {
        tests[count++] = (struct CMUnitTest){.name = large_rows[i].name,
                                             .test_func = what_may_be_large,
                                             .initial_state = (void *)(uintptr_t)&large_rows[i]};
    }
    for (size_t i = 0; i < LOST; i++) {
        tests[count++] = (struct CMUnitTest){.name = lost_rows[i].name,
                                             .test_func = a_lost_worker,
                                             .initial_state = (void *)(uintptr_t)&lost_rows[i]};
    }
    return cmocka_run_group_tests_name("fanout", tests, NULL, NULL);
}
