#include "standing.h"

#include "item_error.h"
#include "query_execute.h"
#include "session.h"

#include "alm/alloc.h"
#include "alm/limits.h"
#include "alm/wire.h"

#include <xxhash.h>

struct alm_standing {
    alm_aggregator *self;
    alm_call *call;
    const Almanac__V1__QueryRequest *question;
    uint64_t from_sequence;

    // Of the newest answer, in the arena.
    alm_arena *arena;
    alm_session session; // with its plan
    alm_result_writer *writer;
    Almanac__V1__ResultBlock **blocks;
    size_t block_count, block_cap;
    Almanac__V1__ItemError **errors;
    size_t error_count, error_cap;
    size_t row_count;

    uint64_t sequence; // of the state of the newest answer
    uint64_t digest;   // of the answer, but for the state
    bool has_digest;   // else nothing was answered yet
};

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for a standing question");
}

// --- what is asked ------------------------------------------------------------------------------

static alm_code check(const Almanac__V1__WatchRequest *request, alm_status *st)
{
    const Almanac__V1__QueryRequest *query = request->query;
    const char *field = query->at_sequence != 0 ? "query.at_sequence"
                        : query->slice != NULL  ? "query.slice"
                                                : NULL;
    if (field != NULL) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field,
                                    "%s does not go with a standing question, which is of the "
                                    "newest state",
                                    field);
    }
    if (request->n_indicators > 0 || request->places[0] != '\0') {
        field = request->n_indicators > 0 ? "indicators" : "places";
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field,
                                    "%s and query are given: a watch is of all changes there, or "
                                    "of a standing question",
                                    field);
    }
    return ALM_OK;
}

alm_code alm_standing_create(alm_aggregator *self, alm_call *call,
                             const Almanac__V1__WatchRequest *request, alm_standing **ret,
                             alm_status *st)
{
    ALM_TRY(check(request, st));
    alm_standing *it = alm_calloc(1, sizeof *it);
    if (it == NULL) {
        return no_memory(st);
    }
    it->self = self;
    it->call = call;
    it->question = request->query;
    it->from_sequence = request->from_sequence;
    it->arena = alm_arena_create(0);
    if (it->arena == NULL) {
        alm_standing_destroy(&it);
        return no_memory(st);
    }
    *ret = it;
    return ALM_OK;
}

void alm_standing_destroy(alm_standing **standing)
{
    if (*standing != NULL) {
        alm_arena_destroy(&(*standing)->arena);
        alm_free(*standing);
        *standing = NULL;
    }
}

// --- an answer ----------------------------------------------------------------------------------

static alm_code keep_block(alm_standing *it, alm_status *st)
{
    void *blocks = it->blocks;
    if (!alm_arena_grow(it->arena, &blocks, &it->block_cap, it->block_count + 1,
                        sizeof *it->blocks)) {
        return no_memory(st);
    }
    it->blocks = blocks;
    it->row_count += alm_result_writer_rows(it->writer);
    if (it->row_count > ALM_STANDING_ROW_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "the answer has more than %d rows, the limit of a standing question; "
                              "ask for fewer places or periods",
                              ALM_STANDING_ROW_COUNT_MAX);
    }
    return alm_result_writer_take(it->writer, &it->blocks[it->block_count++], st);
}

static alm_code give_writer(void *self, alm_result_writer **ret, alm_status *st)
{
    alm_standing *it = self;
    if (alm_result_writer_full(it->writer)) {
        ALM_TRY(keep_block(it, st));
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
    alm_standing *it = self;
    void *errors = it->errors;
    if (!alm_arena_grow(it->arena, &errors, &it->error_cap, it->error_count + 1,
                        sizeof *it->errors)) {
        return no_memory(st);
    }
    it->errors = errors;
    return alm_item_error_make(it->arena, item, why, &it->errors[it->error_count++], st);
}

// From the start whenever it is called.
static alm_code answer_rows(void *arg, alm_session *session, alm_status *st)
{
    alm_standing *it = arg;
    alm_row_reader reader = alm_storage_row_reader(&session->storage);
    alm_answer_sink sink = {it, take_row, take_fault, give_writer};
    it->block_count = it->error_count = it->row_count = 0;
    ALM_TRY(alm_result_writer_create(it->arena, 0, &it->writer, st));
    ALM_TRY(alm_query_execute(&session->plan, &reader, &sink, it->arena, st));
    bool has_rest = alm_result_writer_rows(it->writer) > 0 || it->block_count == 0;
    return has_rest ? keep_block(it, st) : ALM_OK;
}

static alm_code digest_add(alm_standing *it, const ProtobufCMessage *message, uint64_t *digest,
                           alm_status *st)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = alm_arena_alloc(it->arena, len);
    if (packed == NULL) {
        return no_memory(st);
    }
    protobuf_c_message_pack(message, packed);
    *digest = XXH3_64bits_withSeed(packed, len, *digest);
    return ALM_OK;
}

// at_sequence 0: the newest state.
static alm_code answer(alm_standing *it, uint64_t at_sequence, bool *ret_is_other, alm_status *st)
{
    Almanac__V1__QueryRequest asked = *it->question;
    uint64_t digest = 0;
    asked.at_sequence = at_sequence;
    it->blocks = NULL;
    it->errors = NULL;
    it->block_cap = it->error_cap = 0;
    alm_arena_reset(it->arena);
    ALM_TRY(
        alm_session_run(it->self, it->call, it->arena, &asked, answer_rows, it, &it->session, st));
    for (size_t i = 0; i < it->error_count; i++) {
        ALM_TRY(digest_add(it, &it->errors[i]->base, &digest, st));
    }
    for (size_t i = 0; i < it->block_count; i++) {
        ALM_TRY(digest_add(it, &it->blocks[i]->base, &digest, st));
    }
    *ret_is_other = !it->has_digest || digest != it->digest;
    it->digest = digest;
    it->has_digest = true;
    it->sequence = it->session.storage.at_sequence;
    return ALM_OK;
}

static alm_code tell(alm_standing *it, const Almanac__V1__WatchResponse *commit, alm_status *st)
{
    for (size_t i = 0; i < it->block_count; i++) {
        Almanac__V1__WatchResponse response = *commit;
        response.sequence = it->sequence;
        response.block = it->blocks[i];
        response.block->sequence = it->sequence;
        response.errors = it->errors;
        response.n_errors = i == 0 ? it->error_count : 0;
        response.goes_on = i + 1 < it->block_count;
        ALM_TRY(alm_call_send(it->call, &response.base, st));
    }
    return ALM_OK;
}

alm_code alm_standing_begin(alm_standing *it, alm_status *st)
{
    Almanac__V1__WatchResponse nobody;
    bool is_other;
    almanac__v1__watch_response__init(&nobody);
    if (it->from_sequence == 1) { // before the first commit nothing was answered
        return ALM_OK;
    }
    // What the watch that this one goes on from has told last, or nothing else would have been.
    uint64_t before = it->from_sequence == 0 ? 0 : it->from_sequence - 1;
    ALM_TRY(answer(it, before, &is_other, st));
    return it->from_sequence == 0 ? tell(it, &nobody, st) : ALM_OK;
}

// --- changes ------------------------------------------------------------------------------------

// Does it depend on observations of the indicators it names alone?
static bool is_of_its_own(const alm_query_plan *plan)
{
    bool is_own =
        !plan->every && plan->whole == NULL && !alm_query_plan_has(plan, ALM_TRANSFORM_ROLLUP);
    for (size_t i = 0; i < plan->item_count; i++) {
        is_own &= plan->items[i].indicator != NULL && plan->items[i].derived == NULL;
    }
    return is_own;
}

static bool asks_for(const alm_query_plan *plan, const alm_variant *variant)
{
    for (size_t i = 0; i < plan->item_count; i++) {
        if (alm_str_eq(plan->items[i].indicator->code, variant->indicator)) {
            return true;
        }
    }
    return false;
}

// May the rows of this message have changed the answer? False is certain.
static alm_code may_change(const alm_standing *it, const Almanac__Internal__WatchResponse *change,
                           alm_arena *arena, bool *ret, alm_status *st)
{
    const alm_query_plan *plan = &it->session.plan;
    alm_str *variants;
    size_t variant_count;
    alm_obs_columns rows;
    *ret =
        !it->has_digest || change->catalog_changed || change->block == NULL || !is_of_its_own(plan);
    if (*ret) {
        return ALM_OK;
    }
    ALM_TRY(alm_obs_block_columns(change->block, arena, &variants, &variant_count, &rows, st));
    uint8_t *is_asked = alm_arena_calloc(arena, variant_count, 1);
    if (is_asked == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < variant_count; i++) {
        alm_variant variant;
        ALM_TRY(alm_variant_decode(variants[i], &variant, st));
        is_asked[i] = asks_for(plan, &variant);
        *ret |= is_asked[i] && change->rows_left_out;
    }
    // What is published is of its own place; a word may look at others.
    bool is_published = alm_transforms_empty(&plan->transforms);
    for (size_t i = 0; i < rows.count && !*ret; i++) {
        alm_place_id place = ALM_OBS_AT(&rows, place, i);
        *ret = is_asked[ALM_OBS_AT(&rows, variant, i)] &&
               (!is_published || alm_query_plan_place_index(plan, place) != ALM_PLACE_NONE);
    }
    return ALM_OK;
}

alm_code alm_standing_change(alm_standing *it, const Almanac__Internal__WatchResponse *change,
                             alm_arena *arena, alm_status *st)
{
    Almanac__V1__WatchResponse commit;
    bool may, is_other;
    char at[ALM_TIMESTAMP_MAX];
    if (change->sequence <= it->sequence) { // the rest of a large commit, or before the answer
        return ALM_OK;
    }
    ALM_TRY(may_change(it, change, arena, &may, st));
    if (!may) {
        return ALM_OK;
    }
    ALM_TRY(answer(it, change->sequence, &is_other, st));
    almanac__v1__watch_response__init(&commit);
    alm_clock_format_rfc3339(change->at_us, at);
    commit.at = at;
    commit.batch_id = change->batch_id;
    commit.added = change->added;
    commit.revised = change->revised;
    commit.catalog_changed = change->catalog_changed;
    return is_other ? tell(it, &commit, st) : ALM_OK;
}
