#include "storage_service.h"

#include "alm/wire.h"

#include "almanac/v1/gateway.pb-c.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "the request is too large for its memory");
}

size_t storage_block_rows(const alm_obs_columns *rows, size_t from)
{
    size_t bytes = 0;
    size_t to = from;
    size_t end = ALM_MIN(rows->count, from + STORAGE_BLOCK_ROW_COUNT);
    if (!rows->each_note) {
        return end - from;
    }
    while (to < end && bytes < STORAGE_BLOCK_NOTE_BYTES) {
        bytes += rows->notes[rows->note[to]].len;
        to++;
    }
    return to - from;
}

alm_code storage_wait(alm_store *store, uint64_t sequence, alm_call *call, alm_status *st)
{
    for (;;) {
        alm_code code = alm_store_wait(store, sequence, STORAGE_WAIT_SLICE_MS, st);
        if (code != ALM_DEADLINE_EXCEEDED) {
            return code;
        }
        ALM_TRY(alm_call_check(call, st));
    }
}

// --- Commit --------------------------------------------------------------------------------------

// The arrays of a CommitRequest as the engine takes them.
static alm_code entries_from(const Almanac__Internal__CommitRequest *request, alm_arena *arena,
                             alm_batch *batch, alm_status *st)
{
    alm_indicator *indicators = alm_arena_calloc(arena, request->n_indicators, sizeof *indicators);
    alm_place *places = alm_arena_calloc(arena, request->n_places, sizeof *places);
    alm_source *sources = alm_arena_calloc(arena, request->n_sources, sizeof *sources);
    if (indicators == NULL || places == NULL || sources == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < request->n_indicators; i++) {
        ALM_TRY(alm_indicator_from_proto(request->indicators[i], arena, &indicators[i], st));
    }
    for (size_t i = 0; i < request->n_places; i++) {
        ALM_TRY(alm_place_from_proto(request->places[i], arena, &places[i], st));
    }
    for (size_t i = 0; i < request->n_sources; i++) {
        ALM_TRY(alm_source_from_proto(request->sources[i], arena, &sources[i], st));
    }
    batch->indicators = indicators;
    batch->indicator_count = request->n_indicators;
    batch->places = places;
    batch->place_count = request->n_places;
    batch->sources = sources;
    batch->source_count = request->n_sources;
    return ALM_OK;
}

static alm_code quarantine_from(const Almanac__Internal__CommitRequest *request, alm_arena *arena,
                                alm_batch *batch, alm_status *st)
{
    alm_quarantined *rows = alm_arena_calloc(arena, request->n_quarantine, sizeof *rows);
    if (rows == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < request->n_quarantine; i++) {
        const Almanac__V1__QuarantinedRow *row = request->quarantine[i];
        rows[i] = (alm_quarantined){
            .file_name = alm_str_from(row->file_name),
            .row = row->row,
            .column = row->column,
            .field = alm_str_from(row->field),
            .reason = alm_str_from(row->reason),
            .record = {.data = (const char *)row->record.data, .len = row->record.len}};
    }
    batch->quarantine = rows;
    batch->quarantine_count = request->n_quarantine;
    return ALM_OK;
}

static alm_code digest_from(ProtobufCBinaryData bytes, uint64_t *ret, alm_status *st)
{
    *ret = 0;
    if (bytes.len != sizeof *ret) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "digest",
                                    "a digest is %zu bytes long, not %zu", sizeof *ret, bytes.len);
    }
    for (size_t i = 0; i < bytes.len; i++) {
        *ret |= (uint64_t)bytes.data[i] << (8 * i);
    }
    return ALM_OK;
}

static alm_code batch_from(const Almanac__Internal__CommitRequest *request, alm_arena *arena,
                           alm_batch *batch, alm_status *st)
{
    *batch = (alm_batch){.id = alm_str_from(request->batch_id), .dry_run = request->dry_run};
    ALM_TRY(digest_from(request->digest, &batch->digest, st));
    ALM_TRY(entries_from(request, arena, batch, st));
    ALM_TRY(quarantine_from(request, arena, batch, st));
    if (request->observations == NULL) {
        return ALM_OK;
    }
    alm_str *variants;
    alm_obs *rows;
    ALM_TRY(alm_obs_block_read(request->observations, arena, &variants, &batch->variant_count,
                               &rows, &batch->obs_count, st));
    batch->variants = variants;
    batch->obs = rows;
    return ALM_OK;
}

// The row of the imported file, where the block tells it.
static uint32_t row_number(const Almanac__Internal__ObservationBlock *block, size_t row)
{
    if (block == NULL || block->n_row_number == 0) {
        return 0;
    }
    return block->row_number[block->n_row_number == 1 ? 0 : row];
}

static alm_code conflicts_to(const alm_commit_result *result,
                             const Almanac__Internal__ObservationBlock *block, alm_arena *arena,
                             Almanac__Internal__CommitResponse *response, alm_status *st)
{
    size_t count = result->conflict_count;
    Almanac__Internal__Conflict *messages = alm_arena_calloc(arena, count, sizeof *messages);
    response->conflicts = alm_arena_calloc(arena, count, sizeof(void *));
    if (messages == NULL || response->conflicts == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        const alm_conflict *conflict = &result->conflicts[i];
        almanac__internal__conflict__init(&messages[i]);
        messages[i].row = (uint32_t)conflict->row;
        messages[i].row_number = row_number(block, conflict->row);
        messages[i].reason = alm_arena_strdup(arena, conflict->reason);
        if (messages[i].reason == NULL) {
            return no_memory(st);
        }
        response->conflicts[i] = &messages[i];
    }
    response->n_conflicts = count;
    return ALM_OK;
}

static alm_code withdrew_nothing_to(const alm_commit_result *result, alm_arena *arena,
                                    Almanac__Internal__CommitResponse *response, alm_status *st)
{
    size_t count = result->withdrew_nothing_count;
    response->withdrew_nothing = alm_arena_calloc(arena, count, sizeof *response->withdrew_nothing);
    if (response->withdrew_nothing == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        response->withdrew_nothing[i] = (uint32_t)result->withdrew_nothing[i];
    }
    response->n_withdrew_nothing = count;
    return ALM_OK;
}

alm_code storage_commit(void *self, alm_call *call, const ProtobufCMessage *message, alm_status *st)
{
    storage_service *service = self;
    const Almanac__Internal__CommitRequest *request =
        (const Almanac__Internal__CommitRequest *)message;
    alm_arena *arena = alm_call_arena(call);
    alm_batch batch;
    alm_commit_result result;
    ALM_TRY(batch_from(request, arena, &batch, st));
    ALM_TRY(alm_store_commit(service->store, &batch, arena, &result, st));
    Almanac__Internal__CommitResponse response = ALMANAC__INTERNAL__COMMIT_RESPONSE__INIT;
    response.sequence = result.sequence;
    response.replayed = result.replayed;
    response.added = result.added;
    response.revised = result.revised;
    response.unchanged = result.unchanged;
    response.catalog_added = result.catalog_added;
    response.catalog_changed = result.catalog_changed;
    response.catalog_unchanged = result.catalog_unchanged;
    ALM_TRY(conflicts_to(&result, request->observations, arena, &response, st));
    ALM_TRY(withdrew_nothing_to(&result, arena, &response, st));
    return alm_call_send(call, &response.base, st);
}

// --- Read ----------------------------------------------------------------------------------------

static alm_code period_from(uint64_t packed, alm_period *ret, alm_status *st)
{
    *ret = (alm_period){0};
    if (packed != 0 && !alm_period_unpack(packed, ret)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "periods", "%llu is not a period",
                                    (unsigned long long)packed);
    }
    return ALM_OK;
}

static alm_code periods_from(const Almanac__Internal__PeriodSet *set, alm_arena *arena,
                             alm_read *read, alm_status *st)
{
    if (set == NULL) {
        return ALM_OK;
    }
    if (set->n_from != set->n_to) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "periods",
                                    "%zu range starts and %zu ends", set->n_from, set->n_to);
    }
    alm_period *from = alm_arena_calloc(arena, set->n_from, sizeof *from);
    alm_period *to = alm_arena_calloc(arena, set->n_from, sizeof *to);
    if (from == NULL || to == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < set->n_from; i++) {
        ALM_TRY(period_from(set->from[i], &from[i], st));
        ALM_TRY(period_from(set->to[i], &to[i], st));
    }
    read->last = set->last;
    read->all_periods = set->all;
    read->from = from;
    read->to = to;
    read->period_count = set->n_from;
    return ALM_OK;
}

static alm_code measures_from(const Almanac__Internal__ReadRequest *request, alm_read *read,
                              alm_status *st)
{
    for (size_t i = 0; i < request->n_measures; i++) {
        uint32_t measure = request->measures[i];
        if (measure == 0 || measure > ALM_MEASURE_NUMBER_MAX) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "measures", "%u is not a measure",
                                        measure);
        }
        read->measures |= UINT32_C(1) << measure;
    }
    if (request->accumulation > ALM_ACCUMULATION_CUMULATIVE) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "accumulation",
                                    "%u is not an accumulation", request->accumulation);
    }
    if (request->frequency > ALM_FREQ_DAY) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "frequency", "%u is not a frequency",
                                    request->frequency);
    }
    read->accumulation = (alm_accumulation)request->accumulation;
    read->freq = (alm_freq)request->frequency;
    return ALM_OK;
}

alm_code storage_read_from(const Almanac__Internal__ReadRequest *request, alm_arena *arena,
                           alm_read *read, alm_status *st)
{
    *read = (alm_read){.breakdown = alm_str_from(request->breakdown),
                       .as_of = ALM_DATE_MAX,
                       .today = request->today,
                       .at_sequence = request->at_sequence,
                       .sources = request->sources,
                       .source_count = request->n_sources,
                       .without_value = request->without_value,
                       .all_vintages = request->all_vintages,
                       .top = {request->top, request->top_is_lowest}};
    alm_str *indicators = alm_arena_calloc(arena, request->n_indicators, sizeof *indicators);
    if (indicators == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < request->n_indicators; i++) {
        indicators[i] = alm_str_from(request->indicators[i]);
    }
    read->indicators = indicators;
    read->indicator_count = request->n_indicators;
    if (request->as_of_case_case == ALMANAC__INTERNAL__READ_REQUEST__AS_OF_CASE_AS_OF) {
        read->as_of = request->as_of;
    }
    if (request->places != NULL) {
        read->all_places = request->places->all;
        read->places = request->places->ids;
        read->place_count = request->places->n_ids;
    }
    ALM_TRY(measures_from(request, read, st));
    return periods_from(request->periods, arena, read, st);
}

// After the read's state is fixed, so that the catalogue is not older than the rows.
static alm_code learn_catalog(alm_store *store, storage_state *state, alm_status *st)
{
    alm_store_stats stats;
    if (!state->is_whole) {
        ALM_TRY(alm_store_stats_get(store, &stats, st));
        state->catalog_sequence = stats.catalog_sequence;
        state->is_whole = true;
    }
    return ALM_OK;
}

alm_code storage_read_message(alm_store *store, storage_state *state, alm_str variant,
                              const alm_obs_columns *rows, alm_arena *arena,
                              Almanac__Internal__ReadResponse *ret, alm_status *st)
{
    almanac__internal__read_response__init(ret);
    ALM_TRY(learn_catalog(store, state, st));
    ret->sequence = state->sequence;
    ret->catalog_sequence = state->catalog_sequence;
    return rows == NULL
               ? ALM_OK
               : alm_obs_block_write_columns(&variant, 1, rows, NULL, arena, &ret->block, st);
}

typedef struct read_stream {
    alm_store *store;
    alm_call *call;
    alm_arena *arena; // as long as one message
    storage_state state;
} read_stream;

// rows: NULL: none, where there are none at all; also then the caller learns which state was read.
static alm_code send_block(read_stream *stream, alm_str variant, const alm_obs_columns *rows,
                           alm_status *st)
{
    Almanac__Internal__ReadResponse response;
    alm_arena_reset(stream->arena);
    ALM_TRY(storage_read_message(stream->store, &stream->state, variant, rows, stream->arena,
                                 &response, st));
    return alm_call_send_soon(stream->call, &response.base, st);
}

static alm_code visit_rows(void *arg, alm_str variant, const alm_obs_columns *rows, alm_status *st)
{
    read_stream *stream = arg;
    for (size_t from = 0; from < rows->count;) {
        size_t n = storage_block_rows(rows, from);
        alm_obs_columns cut = alm_obs_columns_cut(rows, from, n);
        ALM_TRY(send_block(stream, variant, &cut, st));
        from += n;
    }
    return ALM_OK;
}

alm_code storage_read(void *self, alm_call *call, const ProtobufCMessage *message, alm_status *st)
{
    storage_service *service = self;
    const Almanac__Internal__ReadRequest *request = (const Almanac__Internal__ReadRequest *)message;
    alm_read read;
    ALM_TRY(storage_read_from(request, alm_call_arena(call), &read, st));
    ALM_TRY(storage_wait(service->store, request->min_sequence, call, st));
    read_stream stream = {
        .store = service->store, .call = call, .arena = alm_arena_create(ALM_ARENA_BYTES_MAX)};
    if (stream.arena == NULL) {
        return no_memory(st);
    }
    alm_code code =
        alm_store_read(service->store, &read, visit_rows, &stream, &stream.state.sequence, st);
    if (code == ALM_OK && !stream.state.is_whole) {
        code = send_block(&stream, ALM_STR(""), NULL, st);
    }
    alm_arena_destroy(&stream.arena);
    return code;
}

// --- Head and Verify -----------------------------------------------------------------------------

static alm_code parts_to(alm_store *store, alm_arena *arena,
                         Almanac__Internal__HeadResponse *response, alm_status *st)
{
    uint64_t bytes[ALM_STORE_PART_COUNT];
    Almanac__V1__StorePart *parts = alm_arena_calloc(arena, ALM_STORE_PART_COUNT, sizeof *parts);
    response->parts = alm_arena_calloc(arena, ALM_STORE_PART_COUNT, sizeof(void *));
    if (parts == NULL || response->parts == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_store_sizes_get(store, bytes, st));
    for (size_t i = 0; i < ALM_STORE_PART_COUNT; i++) {
        almanac__v1__store_part__init(&parts[i]);
        alm_str word = alm_str_from(alm_store_part_word((alm_store_part)i));
        parts[i].name = alm_arena_strdup(arena, word);
        parts[i].bytes = bytes[i];
        response->parts[i] = &parts[i];
        if (parts[i].name == NULL) {
            return no_memory(st);
        }
    }
    response->n_parts = ALM_STORE_PART_COUNT;
    return ALM_OK;
}

alm_code storage_head(void *self, alm_call *call, const ProtobufCMessage *message, alm_status *st)
{
    storage_service *service = self;
    const Almanac__Internal__HeadRequest *request = (const Almanac__Internal__HeadRequest *)message;
    alm_store_stats stats;
    ALM_TRY(alm_store_stats_get(service->store, &stats, st));
    Almanac__Internal__HeadResponse response = ALMANAC__INTERNAL__HEAD_RESPONSE__INIT;
    response.sequence = stats.sequence;
    response.catalog_sequence = stats.catalog_sequence;
    response.observations = stats.observations;
    response.cells = stats.cells;
    response.indicators = stats.indicators;
    response.places = stats.places;
    response.sources = stats.sources;
    response.series_variants = stats.series_variants;
    response.quarantined = stats.quarantined;
    response.bytes_used = stats.bytes_used;
    response.bytes_max = stats.bytes_max;
    response.snapshots = stats.snapshots;
    response.oldest_snapshot_lag = stats.oldest_snapshot_lag;
    response.feed_from = stats.feed_from;
    response.feed_bytes = stats.feed_bytes;
    response.parts_waiting = stats.parts_waiting;
    response.queued = stats.queued;
    response.oldest_snapshot_us = stats.oldest_snapshot_us;
    response.commits = stats.commits;
    response.commit_groups = stats.commit_groups;
    response.folds = stats.folds;
    response.folded_at_us = stats.folded_at_us;
    response.syncs = stats.syncs;
    response.sync_us = stats.sync_us;
    if (request->with_parts) {
        ALM_TRY(parts_to(service->store, alm_call_arena(call), &response, st));
    }
    return alm_call_send(call, &response.base, st);
}

#define PROBLEM_COUNT_MAX 1000 // told in the answer; the rest are counted

typedef struct problem_list {
    alm_arena *arena;
    char **texts;
    size_t count;
} problem_list;

static void add_problem(void *arg, alm_str text)
{
    problem_list *list = arg;
    char *copy = list->count < PROBLEM_COUNT_MAX ? alm_arena_strdup(list->arena, text) : NULL;
    if (copy != NULL) {
        list->texts[list->count++] = copy;
    }
}

alm_code storage_verify(void *self, alm_call *call, const ProtobufCMessage *message, alm_status *st)
{
    storage_service *service = self;
    alm_verify_result result;
    alm_arena *arena = alm_call_arena(call);
    problem_list list = {.arena = arena,
                         .texts = alm_arena_calloc(arena, PROBLEM_COUNT_MAX, sizeof(char *))};
    (void)message;
    if (list.texts == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_store_verify(service->store, add_problem, &list, &result, st));
    Almanac__V1__VerifyResponse response = ALMANAC__V1__VERIFY_RESPONSE__INIT;
    response.clean = result.problems == 0;
    response.problems = list.texts;
    response.n_problems = list.count;
    response.problems_not_listed = result.problems - list.count;
    response.log_records = result.log_records;
    response.observations = result.observations;
    response.slices = result.slices;
    response.cells = result.cells;
    return alm_call_send(call, &response.base, st);
}
