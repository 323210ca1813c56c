// Goal: a query is cut so that every worker has work and no fragment is too large, or goes to one
// worker as it is; and when a worker is lost the client gets each of its rows once, at one state of
// the store, or an error.
// Method: all small cases against the definition; a gateway before a worker that fails once, after
// the client has what it said, asked in both ways.
#include "fanout.h"

#include "gateway_service.h"

#include "almanac/internal/aggregation.pb-c.h"

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

static void what_goes_whole(void **state)
{
    const whole_row *row = *state;
    char *transforms[] = {(char *)(uintptr_t)row->transform};
    Almanac__V1__QueryRequest request;
    almanac__v1__query_request__init(&request);
    request.indicators = (char **)(uintptr_t)row->indicators;
    while (request.n_indicators < ALM_ARRAY_LEN(row->indicators) &&
           row->indicators[request.n_indicators] != NULL) {
        request.n_indicators++;
    }
    request.places = (char *)(uintptr_t)row->places;
    request.transforms = transforms;
    request.n_transforms = row->transform != NULL;
    assert_int_equal(fanout_goes_whole(&request), row->want);
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

static void serve(alm_rpc *rpc, const alm_service_def *service, const alm_handler *handlers,
                  void *self, const char *address, alm_server **ret)
{
    assert_int_equal(alm_server_create(rpc, NULL, ret, NULL), ALM_OK);
    assert_int_equal(alm_server_add(*ret, service, handlers, self, NULL), ALM_OK);
    assert_int_equal(alm_server_bind(*ret, address, NULL), ALM_OK);
    assert_int_equal(alm_server_start(*ret, NULL), ALM_OK);
}

// The places of the rows that come, one letter each.
static alm_code ask(alm_channel *channel, worker *w, char *got, size_t size)
{
    char code[] = "gdp", every[] = "*";
    char *codes[] = {w->is_planned ? every : code};
    char places[] = "310000/*";
    char periods[] = "2023";
    Almanac__V1__QueryRequest request;
    almanac__v1__query_request__init(&request);
    request.indicators = codes;
    request.n_indicators = 1;
    request.places = places;
    request.periods = periods;
    request.min_sequence = WANTED;
    alm_stream *stream;
    ProtobufCMessage *message;
    size_t count = 0;
    alm_arena *arena = alm_arena_create(0);
    assert_non_null(arena);
    assert_int_equal(
        alm_stream_open(channel, &alm_service_gateway, "Query", NULL, &request.base, &stream, NULL),
        ALM_OK);
    alm_code result;
    while ((result = alm_stream_next(stream, arena, &message, NULL)) == ALM_OK && message != NULL) {
        const Almanac__V1__ResultBlock *block =
            ((const Almanac__V1__QueryResponse *)message)->block;
        assert_true(count + 1 < size);
        got[count++] = block->texts[1];
        if (count == strlen(w->row->first)) {
            sem_post(&w->is_read);
        }
    }
    got[count] = '\0';
    alm_stream_close(&stream);
    alm_arena_destroy(&arena);
    return result;
}

static void lose_worker(const lost_row *row, bool is_planned)
{
    worker w = {.row = row, .is_planned = is_planned};
    int64_t now_us = ((TODAY - 1) * INT64_C(24) + 16) * 3600 * 1000000;
    alm_module_ctx ctx = {.clock = alm_clock_fake(&now_us)};
    gateway g = {.ctx = &ctx};
    alm_server *behind;
    alm_channel *client;
    char got[16];
    assert_int_equal(sem_init(&w.is_read, 0, row->first[0] == '\0'), 0);
    assert_int_equal(alm_rpc_create(&(alm_rpc_opts){0}, &ctx.rpc, NULL), ALM_OK);
    serve(ctx.rpc, &alm_service_aggregation, worker_handlers, &w, "loop://worker", &behind);
    serve(ctx.rpc, &alm_service_gateway, gateway_handlers, &g, "loop://door", &g.server);
    assert_int_equal(alm_channel_open(ctx.rpc, "loop://worker", NULL, &g.aggregation, NULL),
                     ALM_OK);
    assert_int_equal(alm_channel_open(ctx.rpc, "loop://door", NULL, &client, NULL), ALM_OK);

    assert_int_equal(ask(client, &w, got, sizeof got), w.row->want_code);
    assert_string_equal(got, w.row->want);
    assert_int_equal(w.tries, 2);
    assert_int_equal(w.plans, is_planned);

    alm_channel_close(&client);
    alm_server_destroy(&g.server);
    alm_channel_close(&g.aggregation);
    alm_server_destroy(&behind);
    alm_rpc_destroy(&ctx.rpc);
    sem_destroy(&w.is_read);
}

static void a_lost_worker(void **state)
{
    lose_worker(*state, true);
    lose_worker(*state, false);
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

int main(void)
{
    enum { WHOLE = ALM_ARRAY_LEN(whole_rows), LOST = ALM_ARRAY_LEN(lost_rows) };
    struct CMUnitTest tests[1 + WHOLE + LOST] = {cmocka_unit_test(every_small_case)};
    for (size_t i = 0; i < WHOLE; i++) {
        tests[1 + i] = (struct CMUnitTest){.name = whole_rows[i].name,
                                           .test_func = what_goes_whole,
                                           .initial_state = (void *)(uintptr_t)&whole_rows[i]};
    }
    for (size_t i = 0; i < LOST; i++) {
        tests[1 + WHOLE + i] =
            (struct CMUnitTest){.name = lost_rows[i].name,
                                .test_func = a_lost_worker,
                                .initial_state = (void *)(uintptr_t)&lost_rows[i]};
    }
    return cmocka_run_group_tests_name("fanout", tests, NULL, NULL);
}
