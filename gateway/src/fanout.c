#include "fanout.h"

#include "alm/buf.h"
#include "alm/limits.h"
#include "alm/place.h"
#include "alm/transform.h"

#include "almanac/internal/aggregation.pb-c.h"

#include <stdatomic.h>
#include <string.h>
#include <xxhash.h>

enum {
    FRAGMENT_INDICATORS_MAX = 16,
    FRAGMENTS_OPEN_MAX = 16, // executed at once; the others wait their turn
    FRAGMENT_TRIES = 4,
    WHOLE_SERIES_MAX = 16, // indicators times places that one worker answers without a plan
    HEDGE_MS_MIN = 50,     // a fragment is late after three times what others take, at least
    HEDGE_TIMES = 3,
    CUT_COUNT_MAX = 256, // fragments; with more, each has all places
};

typedef struct fragment {
    Almanac__V1__QueryRequest request;
    alm_stream *stream; // NULL: not opened yet, or ended
    size_t passed_on;   // messages the client has got
    uint64_t digest;    // of those messages
    alm_buf first;      // of them the first with a block, where that tells the state; else empty
    unsigned tries;
    uint64_t affinity; // of its places: the worker that knows them
    int64_t opened_us; // by the clock
} fragment;

typedef struct fanout {
    gateway *g;
    alm_call *call;
    fragment *fragments;
    size_t fragment_count;
    size_t opened; // fragments[0..opened) were opened
} fanout;

size_t fanout_fragment_size(size_t indicators, size_t workers)
{
    size_t wanted = ALM_MAX(workers, (size_t)1) * 2;
    size_t size = (indicators + wanted - 1) / wanted;
    return ALM_MIN(ALM_MAX(size, (size_t)1), (size_t)FRAGMENT_INDICATORS_MAX);
}

static size_t places_named(const char *places)
{
    return alm_place_expr_named_count((alm_str){places, strlen(places)});
}

static bool reads_many_places(const char *word)
{
    alm_transform transform;
    return alm_transform_parse(alm_str_from(word), &transform, NULL) == ALM_OK &&
           (transform.op == ALM_TRANSFORM_ROLLUP || transform.op == ALM_TRANSFORM_RANK ||
            transform.op == ALM_TRANSFORM_PERCENTILE);
}

bool fanout_goes_whole(const Almanac__V1__QueryRequest *request)
{
    size_t places = places_named(request->places);
    for (size_t i = 0; i < request->n_indicators; i++) {
        if (strcmp(request->indicators[i], "*") == 0) {
            return false;
        }
    }
    if (request->n_indicators == 1) {
        return true;
    }
    for (size_t i = 0; i < request->n_transforms; i++) {
        if (reads_many_places(request->transforms[i])) {
            return false;
        }
    }
    return places > 0 && request->n_indicators * places <= WHOLE_SERIES_MAX;
}

bool fanout_is_small(const Almanac__V1__QueryRequest *request)
{
    size_t series = request->n_indicators * places_named(request->places);
    return series > 0 && series <= WHOLE_SERIES_MAX && fanout_goes_whole(request);
}

bool fanout_may_be_large(const Almanac__V1__QueryRequest *request)
{
    for (size_t i = 0; i < request->n_transforms; i++) {
        if (reads_many_places(request->transforms[i])) {
            return false;
        }
    }
    return request->n_indicators == 1 && places_named(request->places) == 0 &&
           request->order == ALMANAC__V1__ORDER__ORDER_KEY && request->limit == 0;
}

static alm_code limits_check(const Almanac__V1__QueryRequest *request, alm_status *st)
{
    const struct {
        const char *field;
        const char *text;
    } texts[] = {{"places", request->places}, {"periods", request->periods}};
    if (request->n_indicators == 0) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "indicators",
                                    "no indicator is asked for; name some, or * for all");
    }
    if (request->n_indicators > ALM_QUERY_INDICATOR_COUNT_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "indicators",
                                    "%zu indicators are asked for, at most %d are answered",
                                    request->n_indicators, ALM_QUERY_INDICATOR_COUNT_MAX);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(texts); i++) {
        size_t len = strlen(texts[i].text);
        if (len == 0 || len > ALM_EXPR_BYTES_MAX) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, texts[i].field,
                                        "%s has %zu bytes; 1 to %d are taken", texts[i].field, len,
                                        ALM_EXPR_BYTES_MAX);
        }
    }
    if (request->slice != NULL) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "slice",
                                    "slice is of the gateway's own fragments; name the places");
    }
    return ALM_OK;
}

// What was imported through here a moment ago is seen, by whoever does not ask of a state.
static uint64_t min_sequence_of(gateway *g, const Almanac__V1__QueryRequest *request)
{
    return request->at_sequence != 0 ? request->min_sequence
                                     : ALM_MAX(request->min_sequence, gateway_imported(g));
}

alm_code fanout_look(void *self, alm_call *call, const ProtobufCMessage *request,
                     alm_look_verdict *ret, alm_status *st)
{
    const Almanac__V1__QueryRequest *asked = (const Almanac__V1__QueryRequest *)request;
    (void)call;
    ALM_TRY(limits_check(asked, st));
    bool is_passed_on =
        fanout_is_small(asked) && min_sequence_of(self, asked) == asked->min_sequence;
    *ret = is_passed_on ? ALM_LOOK_FORWARD : ALM_LOOK_QUEUE;
    return ALM_OK;
}

// --- plan
// -------------------------------------------------------------------------------------------

static alm_code plan(fanout *f, const Almanac__V1__QueryRequest *request,
                     Almanac__Internal__PlanResponse **ret, alm_status *st)
{
    alm_call_opts opts = {.parent = f->call};
    ProtobufCMessage *reply;
    ALM_TRY(alm_channel_call(f->g->aggregation, &alm_service_aggregation, "Plan", &opts,
                             &request->base, alm_call_arena(f->call), &reply, st));
    *ret = (Almanac__Internal__PlanResponse *)reply;
    return ALM_OK;
}

static alm_code errors_send(alm_call *call, const Almanac__Internal__PlanResponse *planned,
                            alm_status *st)
{
    Almanac__V1__QueryResponse response = ALMANAC__V1__QUERY_RESPONSE__INIT;
    if (planned->n_errors == 0) {
        return ALM_OK;
    }
    response.errors = planned->errors;
    response.n_errors = planned->n_errors;
    return alm_call_send(call, &response.base, st);
}

static alm_code fragments_make(fanout *f, size_t count, alm_status *st)
{
    f->fragment_count = count;
    f->fragments = alm_arena_calloc(alm_call_arena(f->call), count, sizeof *f->fragments);
    if (f->fragments == NULL) {
        f->fragment_count = 0;
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "query: out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        alm_buf_init(&f->fragments[i].first, 0);
    }
    return ALM_OK;
}

// How a question is cut: into groups of indicators, and each of these into slices of the places.
typedef struct cut {
    size_t indicators;     // of a group
    size_t places, slices; // places of a slice; slices 1: all places
} cut;

static cut cut_of(const Almanac__Internal__PlanResponse *planned, size_t workers)
{
    const Almanac__V1__PlaceSlice *slice = planned->slice;
    size_t slices = slice == NULL ? 1 : (slice->of + (size_t)slice->count - 1) / slice->count;
    if (slices > 1 && slices <= CUT_COUNT_MAX / planned->n_indicators) {
        return (cut){1, slice->count, slices};
    }
    return (cut){fanout_fragment_size(planned->n_indicators, workers), 0, 1};
}

static alm_code slice_set(fanout *f, fragment *part, const Almanac__V1__PlaceSlice *first,
                          size_t from, alm_status *st)
{
    Almanac__V1__PlaceSlice *slice = alm_arena_alloc(alm_call_arena(f->call), sizeof *slice);
    if (slice == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "query: out of memory");
    }
    *slice = *first;
    slice->from = (uint32_t)from;
    slice->count = (uint32_t)ALM_MIN((size_t)first->count, first->of - from);
    part->request.slice = slice;
    part->affinity = XXH3_64bits_withSeed(part->request.places, strlen(part->request.places), from);
    return ALM_OK;
}

static alm_code fragments_cut(fanout *f, const Almanac__V1__QueryRequest *request,
                              const Almanac__Internal__PlanResponse *planned, alm_status *st)
{
    cut by = cut_of(planned, gateway_backend_state(f->g->aggregation).healthy);
    size_t groups = (planned->n_indicators + by.indicators - 1) / by.indicators;
    ALM_TRY(fragments_make(f, groups * by.slices, st));
    for (size_t i = 0; i < f->fragment_count; i++) {
        size_t from = i / by.slices * by.indicators;
        Almanac__V1__QueryRequest *part = &f->fragments[i].request;
        *part = *request;
        part->indicators = planned->indicators + from;
        part->n_indicators = ALM_MIN(by.indicators, planned->n_indicators - from);
        part->at_sequence = planned->sequence;
        part->min_sequence = 0;
        if (by.slices > 1) {
            ALM_TRY(slice_set(f, &f->fragments[i], planned->slice, i % by.slices * by.places, st));
        }
    }
    return ALM_OK;
}

// --- execute
// ----------------------------------------------------------------------------------------

static int64_t now_us(const fanout *f)
{
    const alm_clock *clock = &f->g->ctx->clock;
    return clock->mono_us(clock->self);
}

static alm_code fragment_open(fanout *f, fragment *part, alm_status *st)
{
    alm_call_opts opts = {.parent = f->call};
    opts.affinity = part->tries == 0 ? part->affinity : 0; // again: whoever is free
    part->opened_us = now_us(f);
    part->tries++;
    return alm_stream_open(f->g->aggregation, &alm_service_aggregation, "Execute", &opts,
                           &part->request.base, &part->stream, st);
}

static alm_code fragments_open(fanout *f, size_t current, alm_status *st)
{
    while (f->opened < f->fragment_count && f->opened < current + FRAGMENTS_OPEN_MAX) {
        ALM_TRY(fragment_open(f, &f->fragments[f->opened], st));
        f->opened++;
    }
    return ALM_OK;
}

// What is skipped must be what the client has: rows are pinned to a sequence, but the catalogue,
// and with it the places of an expression, is the newest.
static alm_code answers_otherwise(alm_status *st)
{
    return alm_status_set(st, ALM_ABORTED,
                          "a worker was lost while it answered, and the next one answers "
                          "otherwise: the catalogue has changed meanwhile; ask again");
}

// A block says at which state it was answered; the field of blocks is packed first.
static bool has_block(alm_str message)
{
    return message.len > 0 && message.data[0] == (1 << 3 | 2);
}

// Keeps what tells a second try of the state that the first one has answered at.
static alm_code state_note(fragment *part, alm_str message, alm_status *st)
{
    if (part->request.at_sequence != 0 || part->first.len > 0 || !has_block(message)) {
        return ALM_OK;
    }
    alm_buf_append(&part->first, message.data, message.len);
    return part->first.failed ? alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "query: out of memory")
                              : ALM_OK;
}

// The next try answers at the state of the rows that were passed on. If there are none yet, each
// try may have its own.
static alm_code state_pin(fragment *part, alm_status *st)
{
    if (part->first.len == 0) {
        return ALM_OK;
    }
    Almanac__V1__QueryResponse *first = almanac__v1__query_response__unpack(
        NULL, part->first.len, (const uint8_t *)part->first.data);
    if (first == NULL) {
        return alm_status_set(st, ALM_INTERNAL, "a worker's rows cannot be decoded");
    }
    ALM_ASSERT(first->block != NULL);
    part->request.at_sequence = first->block->sequence;
    part->request.min_sequence = 0;
    almanac__v1__query_response__free_unpacked(first, NULL);
    alm_buf_deinit(&part->first);
    return ALM_OK;
}

// The first slice is waited for from its beginning, so it tells how long they take. A step of an
// eighth towards that makes the middle of the last ones, whatever a straggler took.
static void first_note(fanout *f, int64_t took_us)
{
    int64_t known = atomic_load(&f->g->first_us);
    int64_t step = ALM_MAX(known / 8, INT64_C(1));
    atomic_store(&f->g->first_us, known == 0        ? ALM_MAX(took_us, INT64_C(1))
                                  : took_us > known ? known + step
                                                    : ALM_MAX(known - step, INT64_C(1)));
}

// Passes on what the client has not got yet, as it came. Sets *ret_lost when the worker, not the
// client, failed.
static alm_code fragment_pass(fanout *f, fragment *part, bool *ret_lost, alm_status *st)
{
    uint64_t digest = 0;
    *ret_lost = false;
    for (size_t seen = 0;; seen++) {
        alm_str message;
        alm_code code = alm_stream_next_packed(part->stream, &message, st);
        if (code != ALM_OK) {
            *ret_lost = code == ALM_UNAVAILABLE;
            return code;
        }
        if (message.data == NULL) {
            return seen < part->passed_on ? answers_otherwise(st) : ALM_OK;
        }
        digest = XXH3_64bits_withSeed(message.data, message.len, digest);
        bool is_awaited = part == f->fragments && part->request.slice != NULL;
        if (is_awaited && part->passed_on == 0) {
            first_note(f, now_us(f) - part->opened_us);
        }
        if (seen >= part->passed_on) {
            ALM_TRY(state_note(part, message, st));
            ALM_TRY(alm_call_send_packed(f->call, message, st));
            part->passed_on++;
            part->digest = digest;
        } else if (seen + 1 == part->passed_on && digest != part->digest) {
            return answers_otherwise(st);
        }
    }
}

// Waits for the first rows of a slice, and asks another worker too when they are late. Slices are
// of one size, so a late one is its worker's fault.
static void first_await(fanout *f, fragment *part)
{
    int64_t known_us = atomic_load(&f->g->first_us);
    if (part->request.slice == NULL || part->passed_on > 0 || known_us == 0) {
        return;
    }
    alm_call_opts opts = {.parent = f->call};
    opts.hedge_ms = ALM_MAX(known_us * HEDGE_TIMES / 1000, (int64_t)HEDGE_MS_MIN);
    if (alm_stream_hedge(&part->stream, &opts, &part->request.base)) {
        atomic_fetch_add(&f->g->hedge_count, 1);
    }
}

static alm_code fragment_answer(fanout *f, fragment *part, alm_status *st)
{
    for (;;) {
        bool lost;
        first_await(f, part);
        alm_code code = fragment_pass(f, part, &lost, st);
        alm_stream_close(&part->stream);
        if (!lost || part->tries >= FRAGMENT_TRIES) {
            return code;
        }
        alm_log_warn(f->g->ctx->log, "query.fragment_again",
                     ALM_KV_CSTR("request_id", alm_call_request_id(f->call)),
                     ALM_KV_U64("tries", part->tries), ALM_KV_U64("passed_on", part->passed_on));
        ALM_TRY(state_pin(part, st));
        ALM_TRY(fragment_open(f, part, st));
    }
}

static alm_code fragments_answer(fanout *f, alm_status *st)
{
    for (size_t i = 0; i < f->fragment_count; i++) {
        ALM_TRY(fragments_open(f, i, st));
        ALM_TRY(fragment_answer(f, &f->fragments[i], st));
    }
    return ALM_OK;
}

// All of it is one fragment, whose worker says what no plan was asked about.
static alm_code whole_run(fanout *f, const Almanac__V1__QueryRequest *request, alm_status *st)
{
    ALM_TRY(fragments_make(f, 1, st));
    f->fragments[0].request = *request;
    return fragments_answer(f, st);
}

// What a plan decides by, but for the catalogue: when that has grown, a question that is known to
// go whole still has the same answer.
static uint64_t digest_of(const Almanac__V1__QueryRequest *request)
{
    uint64_t digest = 0;
    const char *texts[] = {request->places, request->periods, request->indicators[0]};
    for (size_t i = 0; i < ALM_ARRAY_LEN(texts); i++) {
        digest = XXH3_64bits_withSeed(texts[i], strlen(texts[i]) + 1, digest);
    }
    for (size_t i = 0; i < request->n_transforms; i++) {
        const char *word = request->transforms[i];
        digest = XXH3_64bits_withSeed(word, strlen(word) + 1, digest);
    }
    return digest;
}

static alm_code query_run(fanout *f, const Almanac__V1__QueryRequest *request, alm_status *st)
{
    Almanac__Internal__PlanResponse *planned;
    bool is_whole = fanout_goes_whole(request);
    bool may_be_large = is_whole && fanout_may_be_large(request);
    uint64_t digest = may_be_large ? digest_of(request) : 0;
    _Atomic uint64_t *known = &f->g->known_whole[digest % GATEWAY_KNOWN_COUNT];
    if (is_whole && (!may_be_large || atomic_load(known) == digest)) {
        return whole_run(f, request, st);
    }
    ALM_TRY(plan(f, request, &planned, st));
    if (may_be_large && (planned->slice == NULL || planned->n_indicators == 0)) {
        atomic_store(known, digest);
        return whole_run(f, request, st);
    }
    ALM_TRY(errors_send(f->call, planned, st));
    if (may_be_large) {
        planned->indicators = request->indicators; // as it was asked
    }
    if (planned->n_indicators == 0) {
        return ALM_OK;
    }
    ALM_TRY(fragments_cut(f, request, planned, st));
    return fragments_answer(f, st);
}

alm_code fanout_query(gateway *g, alm_call *call, const Almanac__V1__QueryRequest *request,
                      alm_status *st)
{
    fanout f = {.g = g, .call = call};
    Almanac__V1__QueryRequest asked = *request;
    ALM_TRY(limits_check(request, st));
    if (asked.today == 0) { // one day for all fragments, and their other tries
        asked.today = alm_clock_today_in_china(&g->ctx->clock);
    }
    asked.min_sequence = min_sequence_of(g, request);
    alm_code code = query_run(&f, &asked, st);
    for (size_t i = 0; i < f.fragment_count; i++) {
        alm_stream_close(&f.fragments[i].stream);
        alm_buf_deinit(&f.fragments[i].first);
    }
    return code;
}
