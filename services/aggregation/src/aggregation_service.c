#include "aggregation_service.h"

#include "cached_reader.h"
#include "explain.h"
#include "item_error.h"
#include "place_cut.h"
#include "query_execute.h"
#include "reconcile.h"
#include "session.h"

#include "alm/limits.h"
#include "alm/wire.h"
#include "almanac/internal/aggregation.pb-c.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for the answer");
}

// --- Execute ------------------------------------------------------------------------------------

// Rows gather in blocks; a block and all its texts live in an arena that is emptied when it is
// sent.
typedef struct sender {
    alm_call *call;
    alm_session *session;
    alm_arena *arena;
    alm_result_writer *writer; // NULL between blocks
    bool has_sent;
} sender;

static alm_code begin_block(sender *it, alm_status *st)
{
    ALM_TRY(alm_session_check(it->session, st));
    return alm_result_writer_create(it->arena, it->session->storage.at_sequence, &it->writer, st);
}

static alm_code send_block(sender *it, alm_status *st)
{
    Almanac__V1__QueryResponse response = ALMANAC__V1__QUERY_RESPONSE__INIT;
    if (it->writer == NULL) {
        ALM_TRY(begin_block(it, st));
    }
    ALM_TRY(alm_result_writer_take(it->writer, &response.block, st));
    ALM_TRY(alm_call_send_soon(it->call, &response.base, st));
    alm_arena_reset(it->arena);
    it->writer = NULL;
    it->has_sent = true;
    return ALM_OK;
}

static alm_code give_writer(void *self, alm_result_writer **ret, alm_status *st)
{
    sender *it = self;
    if (it->writer != NULL && alm_result_writer_full(it->writer)) {
        ALM_TRY(send_block(it, st));
        ALM_TRY(alm_call_check(it->call, st));
    }
    if (it->writer == NULL) {
        ALM_TRY(begin_block(it, st));
    }
    *ret = it->writer;
    return ALM_OK;
}

static alm_code take_row(void *self, const alm_result_row *row, alm_status *st)
{
    alm_result_writer *writer;
    ALM_TRY(give_writer(self, &writer, st));
    return alm_result_writer_add(writer, row, st);
}

static alm_code take_fault(void *self, alm_str item, const alm_status *why, alm_status *st)
{
    sender *it = self;
    Almanac__V1__ItemError *error;
    Almanac__V1__QueryResponse response = ALMANAC__V1__QUERY_RESPONSE__INIT;
    ALM_TRY(alm_session_check(it->session, st));
    ALM_TRY(alm_item_error_make(alm_call_arena(it->call), item, why, &error, st));
    response.errors = &error;
    response.n_errors = 1;
    return alm_call_send(it->call, &response.base, st);
}

static alm_code answer_rows(void *arg, alm_session *session, alm_status *st)
{
    sender *it = arg;
    alm_cached_reader cached = {&session->storage, session->self->series};
    alm_row_reader reader = alm_cached_row_reader(&cached);
    alm_answer_sink sink = {it, take_row, take_fault, give_writer};
    it->session = session;
    ALM_TRY(alm_query_execute(&session->plan, &reader, &sink, alm_call_arena(it->call), st));
    // An answer without rows is told too: with its sequence.
    return it->writer != NULL || !it->has_sent ? send_block(it, st) : ALM_OK;
}

static alm_code execute(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    alm_aggregator *aggregator = self;
    alm_session session;
    sender sending = {.call = call, .arena = alm_arena_create(0)};
    if (sending.arena == NULL) {
        return no_memory(st);
    }
    if (aggregator->feed != NULL) {
        alm_cache_feed_keep_up(aggregator->feed);
    }
    alm_code code = alm_session_run(aggregator, call, alm_call_arena(call),
                                    (const Almanac__V1__QueryRequest *)request, answer_rows,
                                    &sending, &session, st);
    alm_arena_destroy(&sending.arena);
    return code;
}

// --- a first look at Execute ---------------------------------------------------------------------

enum {
    LOOK_INDICATOR_COUNT = 4,
    LOOK_PLACE_COUNT = 16,
    LOOK_ROW_COUNT = 1024,
};

// Is it published values of a few places that are named one by one?
static bool is_small(const Almanac__V1__QueryRequest *request)
{
    size_t places = alm_place_expr_named_count(alm_str_from(request->places));
    for (size_t i = 0; i < request->n_indicators; i++) {
        if (strcmp(request->indicators[i], "*") == 0) {
            return false;
        }
    }
    return places > 0 && places <= LOOK_PLACE_COUNT &&
           request->n_indicators <= LOOK_INDICATOR_COUNT && request->n_transforms == 0 &&
           request->slice == NULL;
}

// The one block of a small answer.
typedef struct small_answer {
    alm_arena *arena;
    const alm_session *session;
    alm_result_writer *writer; // NULL before the first row
} small_answer;

static alm_code not_small(alm_status *st)
{
    return alm_status_set(st, ALM_UNAVAILABLE, "the answer is more than a look may give");
}

static alm_code give_one_writer(void *self, alm_result_writer **ret, alm_status *st)
{
    small_answer *it = self;
    if (!it->session->storage.is_checked ||
        (it->writer != NULL && alm_result_writer_full(it->writer))) {
        return not_small(st);
    }
    if (it->writer == NULL) {
        ALM_TRY(
            alm_result_writer_create(it->arena, it->session->storage.at_sequence, &it->writer, st));
    }
    *ret = it->writer;
    return ALM_OK;
}

static alm_code take_one_row(void *self, const alm_result_row *row, alm_status *st)
{
    alm_result_writer *writer;
    ALM_TRY(give_one_writer(self, &writer, st));
    return alm_result_writer_add(writer, row, st);
}

// A newer catalogue may know what this one does not.
static alm_code refuse_fault(void *self, alm_str item, const alm_status *why, alm_status *st)
{
    (void)self, (void)item, (void)why;
    return not_small(st);
}

static alm_code answer_kept(void *arg, alm_session *session, alm_status *st)
{
    small_answer *it = arg;
    alm_kept_reader kept = {&session->storage, session->self->series, LOOK_ROW_COUNT};
    alm_row_reader reader = alm_kept_row_reader(&kept);
    alm_answer_sink sink = {it, take_one_row, refuse_fault, give_one_writer};
    alm_result_writer *writer;
    it->session = session;
    ALM_TRY(alm_query_execute(&session->plan, &reader, &sink, it->arena, st));
    return give_one_writer(it, &writer, st); // an answer without rows is told too
}

alm_code alm_aggregation_look(void *self, alm_call *call, const ProtobufCMessage *request,
                              alm_look_verdict *ret, alm_status *st)
{
    alm_aggregator *aggregator = self;
    const Almanac__V1__QueryRequest *asked = (const Almanac__V1__QueryRequest *)request;
    Almanac__V1__QueryResponse response = ALMANAC__V1__QUERY_RESPONSE__INIT;
    small_answer answer = {.arena = alm_call_arena(call)};
    alm_session session;
    alm_status why = ALM_STATUS_INIT;
    if (!is_small(asked) || alm_session_glance(aggregator, call, asked, answer_kept, &answer,
                                               &session, &why) != ALM_OK) {
        return ALM_OK;
    }
    ALM_TRY(alm_result_writer_take(answer.writer, &response.block, st));
    if (protobuf_c_message_get_packed_size(&response.base) > ALM_LOOK_ANSWER_BYTES_MAX) {
        return ALM_OK;
    }
    ALM_TRY(alm_call_send(call, &response.base, st));
    *ret = ALM_LOOK_DONE;
    return ALM_OK;
}

// --- Explain ------------------------------------------------------------------------------------

static alm_code explain_cell(void *arg, alm_session *session, alm_status *st)
{
    Almanac__V1__ExplainResponse **response = arg;
    alm_row_reader reader = alm_storage_row_reader(&session->storage);
    alm_storage_reader of_newest = session->storage;
    of_newest.at_sequence = 0;
    of_newest.is_checked = false;
    alm_row_reader newest = alm_storage_row_reader(&of_newest);
    return alm_explain(&session->plan, &reader, session->plan.at_sequence == 0 ? NULL : &newest,
                       alm_call_arena(session->call), response, st);
}

static alm_code explain(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    const Almanac__V1__ExplainRequest *asked = (const Almanac__V1__ExplainRequest *)request;
    alm_session session;
    Almanac__V1__ExplainResponse *response;
    if (asked->query == NULL) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "query", "no query to explain");
    }
    ALM_TRY(alm_session_run(self, call, alm_call_arena(call), asked->query, explain_cell, &response,
                            &session, st));
    return alm_call_send(call, &response->base, st);
}

// --- Plan ---------------------------------------------------------------------------------------

// "*" asked of few places looks which indicators have a row there; of many it names every
// indicator of the catalogue, and those without rows answer nothing.
#define PRESENT_PLACE_COUNT_MAX 64

typedef struct present_set {
    const alm_query_plan *plan;
    uint8_t *is_present; // by indicator id
} present_set;

static alm_code note_present(void *arg, const alm_str *variants, size_t variant_count,
                             const alm_obs_columns *rows, alm_status *st)
{
    (void)rows;
    present_set *set = arg;
    for (size_t i = 0; i < variant_count; i++) {
        alm_variant variant;
        ALM_TRY(alm_variant_decode(variants[i], &variant, st));
        uint32_t id = alm_catalog_find_indicator(set->plan->catalog, variant.indicator);
        if (id != ALM_CATALOG_NONE) {
            set->is_present[id] = 1;
        }
    }
    return ALM_OK;
}

static uint32_t measures_of(const alm_query_plan *plan)
{
    if (alm_query_plan_has(plan, ALM_TRANSFORM_TARGET)) {
        return ALM_MEASURE_BIT(ALM_MEASURE_TARGET);
    }
    alm_measure of;
    alm_measure published = alm_query_plan_published(plan, &of);
    uint32_t beside = published == ALM_MEASURE_NONE ? 0 : ALM_MEASURE_BIT(published);
    return plan->measure == ALM_MEASURE_NONE ? 0 : ALM_MEASURE_BIT(plan->measure) | beside;
}

static alm_code keep_present(alm_query_plan *plan, const alm_row_reader *reader, alm_arena *arena,
                             alm_status *st)
{
    bool is_looked_up = plan->every && plan->places.count <= PRESENT_PLACE_COUNT_MAX &&
                        !alm_query_plan_has(plan, ALM_TRANSFORM_ROLLUP);
    if (!is_looked_up) {
        return ALM_OK;
    }
    present_set set = {plan, alm_arena_calloc(arena, plan->item_count, 1)};
    if (set.is_present == NULL) {
        return no_memory(st);
    }
    alm_fetch fetch = alm_query_plan_fetch(plan);
    fetch.measures = measures_of(plan);
    fetch.places = plan->place_ids;
    fetch.place_count = plan->places.count;
    bool is_of_others = !alm_transforms_empty(&plan->transforms);
    fetch.periods = is_of_others ? (alm_period_expr){.kind = ALM_PERIOD_EXPR_ALL} : plan->periods;
    ALM_TRY(reader->read(reader->self, &fetch, note_present, &set, st));
    size_t kept = 0;
    for (size_t i = 0; i < plan->item_count; i++) {
        // "*" is the whole catalogue, in its order. What is made of others may have values of none.
        if (set.is_present[i] || plan->items[i].derived != NULL) {
            plan->items[kept++] = plan->items[i];
        }
    }
    plan->item_count = kept;
    return ALM_OK;
}

static alm_code put_items(const alm_query_plan *plan, alm_arena *arena,
                          Almanac__Internal__PlanResponse *response, alm_status *st)
{
    response->indicators = alm_arena_calloc(arena, plan->item_count, sizeof(char *));
    response->errors = alm_arena_calloc(arena, plan->item_count, sizeof(void *));
    if (response->indicators == NULL || response->errors == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < plan->item_count; i++) {
        const alm_query_item *item = &plan->items[i];
        if (item->indicator == NULL) {
            ALM_TRY(alm_item_error_make(arena, item->asked, &item->fault,
                                        &response->errors[response->n_errors++], st));
            continue;
        }
        char *code = alm_arena_strdup(arena, alm_query_item_label(item));
        if (code == NULL) {
            return no_memory(st);
        }
        response->indicators[response->n_indicators++] = code;
    }
    return ALM_OK;
}

static alm_code put_slice(const alm_query_plan *plan, alm_arena *arena,
                          Almanac__Internal__PlanResponse *response, alm_status *st)
{
    size_t count = alm_place_cut(plan);
    if (count == 0) {
        return ALM_OK;
    }
    response->slice = alm_arena_alloc(arena, sizeof *response->slice);
    if (response->slice == NULL) {
        return no_memory(st);
    }
    almanac__v1__place_slice__init(response->slice);
    response->slice->count = (uint32_t)count;
    response->slice->of = (uint32_t)plan->whole_count;
    response->slice->digest = plan->whole_digest;
    return ALM_OK;
}

static alm_code plan_items(void *arg, alm_session *session, alm_status *st)
{
    Almanac__Internal__PlanResponse *response = arg;
    alm_arena *arena = alm_call_arena(session->call);
    alm_row_reader reader = alm_storage_row_reader(&session->storage);
    almanac__internal__plan_response__init(response);
    ALM_TRY(keep_present(&session->plan, &reader, arena, st));
    ALM_TRY(put_slice(&session->plan, arena, response, st));
    return put_items(&session->plan, arena, response, st);
}

static alm_code plan(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    alm_session session;
    Almanac__Internal__PlanResponse response;
    ALM_TRY(alm_session_run(self, call, alm_call_arena(call),
                            (const Almanac__V1__QueryRequest *)request, plan_items, &response,
                            &session, st));
    response.sequence = session.storage.at_sequence;
    return alm_call_send(call, &response.base, st);
}

// --- Reconcile ----------------------------------------------------------------------------------

#define FINDINGS_OF_MESSAGE 250 // with the longest names far below the limit of a message

static alm_code send_findings(alm_call *call, const Almanac__V1__ReconcileResponse *all,
                              alm_status *st)
{
    size_t sent = 0;
    do { // an answer without findings is one, too
        Almanac__V1__ReconcileResponse part = ALMANAC__V1__RECONCILE_RESPONSE__INIT;
        part.findings = all->findings + sent;
        part.n_findings = ALM_MIN(all->n_findings - sent, (size_t)FINDINGS_OF_MESSAGE);
        part.errors = all->errors;
        part.n_errors = sent == 0 ? all->n_errors : 0;
        ALM_TRY(alm_call_send(call, &part.base, st));
        sent += part.n_findings;
    } while (sent < all->n_findings);
    return ALM_OK;
}

static alm_code find_disagreements(void *arg, alm_session *session, alm_status *st)
{
    Almanac__V1__ReconcileResponse **response = arg;
    alm_row_reader reader = alm_storage_row_reader(&session->storage);
    return alm_reconcile(&session->plan, &reader, alm_call_arena(session->call), response, st);
}

static alm_code reconcile(void *self, alm_call *call, const ProtobufCMessage *request,
                          alm_status *st)
{
    Almanac__V1__QueryRequest asked;
    alm_session session;
    Almanac__V1__ReconcileResponse *response;
    ALM_TRY(alm_reconcile_question((const Almanac__V1__ReconcileRequest *)request, &asked, st));
    ALM_TRY(alm_session_run(self, call, alm_call_arena(call), &asked, find_disagreements, &response,
                            &session, st));
    return send_findings(call, response, st);
}

const alm_handler alm_aggregation_handlers[ALM_AGGREGATION_METHOD_COUNT] = {
    execute, explain, alm_aggregation_watch, plan, reconcile,
};
