// Sums: totals by groups of places, gathered into messages.
#include "storage_service.h"

#include "alm/wire.h"

// A message is full from so many totals, or runs of missing places, on. One slice may have more:
// all its groups, and as many runs as half the places.
#define MESSAGE_TOTAL_COUNT 8192
#define MESSAGE_RUN_COUNT   65536

typedef struct sums_stream {
    alm_store *store;
    alm_call *call;
    alm_arena *arena; // as long as one message
    const alm_total_groups *groups;
    alm_slice_totals *slices;
    size_t count, cap;
    size_t run_count;
    uint64_t sequence;
    uint64_t catalog_sequence; // at least that of the state that is read
    bool is_started;
} sums_stream;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "the totals are too large for their memory");
}

// After the state is fixed, so that the catalogue is not older than the totals.
static alm_code start_answer(sums_stream *stream, alm_status *st)
{
    alm_store_stats stats;
    if (!stream->is_started) {
        ALM_TRY(alm_store_stats_get(stream->store, &stats, st));
        stream->catalog_sequence = stats.catalog_sequence;
        stream->is_started = true;
    }
    return ALM_OK;
}

// beside: NULL, no rows.
static alm_code send_slices(sums_stream *stream, Almanac__Internal__ObservationBlock *beside,
                            alm_status *st)
{
    Almanac__Internal__SumsResponse response = ALMANAC__INTERNAL__SUMS_RESPONSE__INIT;
    ALM_TRY(start_answer(stream, st));
    response.sequence = stream->sequence;
    response.catalog_sequence = stream->catalog_sequence;
    response.beside = beside;
    ALM_TRY(alm_slice_totals_write(stream->slices, stream->count, stream->groups->group_count,
                                   stream->arena, &response, st));
    ALM_TRY(alm_call_send_soon(stream->call, &response.base, st));
    stream->slices = NULL;
    stream->count = stream->cap = stream->run_count = 0;
    alm_arena_reset(stream->arena);
    return ALM_OK;
}

static void *copy_of(alm_arena *arena, const void *data, size_t bytes)
{
    void *copy = alm_arena_alloc(arena, bytes);
    if (copy != NULL && bytes > 0) {
        memcpy(copy, data, bytes);
    }
    return copy;
}

static alm_code take_slice(void *arg, const alm_slice_totals *slice, alm_status *st)
{
    sums_stream *stream = arg;
    void *slices = stream->slices;
    alm_arena *arena = stream->arena;
    size_t groups = stream->groups->group_count;
    if (!alm_arena_grow(arena, &slices, &stream->cap, stream->count + 1, sizeof *slice)) {
        return no_memory(st);
    }
    stream->slices = slices;
    alm_slice_totals *copy = &stream->slices[stream->count++];
    *copy = *slice;
    copy->variant.data = alm_arena_strdup(arena, slice->variant);
    copy->totals = copy_of(arena, slice->totals, groups * sizeof *slice->totals);
    copy->missing = copy_of(arena, slice->missing, slice->missing_count * sizeof *slice->missing);
    if (copy->variant.data == NULL || copy->totals == NULL || copy->missing == NULL) {
        return no_memory(st);
    }
    stream->run_count += slice->missing_count;
    bool is_full =
        stream->count * groups >= MESSAGE_TOTAL_COUNT || stream->run_count >= MESSAGE_RUN_COUNT;
    return is_full ? send_slices(stream, NULL, st) : ALM_OK;
}

// With the slices that wait.
static alm_code send_beside(void *arg, alm_str variant, const alm_obs_columns *rows, alm_status *st)
{
    sums_stream *stream = arg;
    Almanac__Internal__ObservationBlock *block;
    for (size_t from = 0, n; from < rows->count; from += n) {
        n = storage_block_rows(rows, from);
        alm_obs_columns cut = alm_obs_columns_cut(rows, from, n);
        ALM_TRY(alm_obs_block_write_columns(&variant, 1, &cut, NULL, stream->arena, &block, st));
        ALM_TRY(send_slices(stream, block, st));
    }
    return ALM_OK;
}

// beside: NULL, nothing is.
static alm_code answer(sums_stream *stream, const alm_read *read, alm_read *beside, alm_status *st)
{
    ALM_TRY(alm_store_totals(stream->store, read, stream->groups, take_slice, stream,
                             &stream->sequence, st));
    if (beside != NULL) {
        beside->at_sequence = stream->sequence;
        ALM_TRY(alm_store_read(stream->store, beside, send_beside, stream, NULL, st));
    }
    // Also where there are no totals the caller learns which state was read.
    return stream->count > 0 || !stream->is_started ? send_slices(stream, NULL, st) : ALM_OK;
}

alm_code storage_sums(void *self, alm_call *call, const ProtobufCMessage *message, alm_status *st)
{
    storage_service *service = self;
    const Almanac__Internal__SumsRequest *request = (const Almanac__Internal__SumsRequest *)message;
    alm_read read;
    alm_read beside;
    alm_total_groups groups;
    if (request->read == NULL) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "read", "there is none");
    }
    ALM_TRY(storage_read_from(request->read, alm_call_arena(call), &read, st));
    if (request->beside != NULL) {
        ALM_TRY(storage_read_from(request->beside, alm_call_arena(call), &beside, st));
    }
    ALM_TRY(alm_total_groups_read(request, alm_call_arena(call), &groups, st));
    ALM_TRY(storage_wait(service->store, request->read->min_sequence, call, st));
    sums_stream stream = {.store = service->store,
                          .call = call,
                          .arena = alm_arena_create(ALM_ARENA_BYTES_MAX),
                          .groups = &groups};
    if (stream.arena == NULL) {
        return no_memory(st);
    }
    alm_code code = answer(&stream, &read, request->beside != NULL ? &beside : NULL, st);
    alm_arena_destroy(&stream.arena);
    return code;
}
