#include "storage_service.h"

#include "alm/wire.h"

typedef struct watch {
    alm_store *store;
    alm_call *call;
    alm_arena *change; // as long as one commit
    alm_arena *part;   // as long as one message
    uint32_t alive_ms; // how often it is told that there is nothing; 0: never
} watch;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a change");
}

// A large commit comes in several messages of the same sequence, each with the counts of the whole.
static alm_code send_part(watch *w, const alm_change *change, const alm_obs_columns *rows,
                          bool goes_on, alm_status *st)
{
    Almanac__Internal__WatchResponse response;
    almanac__internal__watch_response__init(&response);
    alm_arena_reset(w->part);
    response.sequence = change->sequence;
    response.at_us = change->at_us;
    response.batch_id = alm_arena_strdup(w->part, change->batch_id);
    if (response.batch_id == NULL) {
        return no_memory(st);
    }
    response.added = change->added;
    response.revised = change->revised;
    response.catalog_changed = change->catalog_changed;
    response.rows_left_out = !change->has_rows && change->variant_count > 0;
    response.goes_on = goes_on;
    ALM_TRY(alm_obs_block_write_columns(change->variants, change->variant_count, rows, NULL,
                                        w->part, &response.block, st));
    return alm_call_send(w->call, &response.base, st);
}

static alm_code send_change(watch *w, const alm_change *change, alm_status *st)
{
    size_t from = 0;
    alm_obs_columns rows;
    if (!alm_obs_columns_of(change->obs, change->obs_count, w->change, &rows)) {
        return no_memory(st);
    }
    do {
        size_t n = storage_block_rows(&rows, from);
        alm_obs_columns cut = alm_obs_columns_cut(&rows, from, n);
        from += n;
        ALM_TRY(send_part(w, change, &cut, from < rows.count, st));
    } while (from < rows.count);
    return ALM_OK;
}

// That all before `next` was told, unless something has come meanwhile.
static alm_code send_alive(watch *w, uint64_t next, alm_status *st)
{
    Almanac__Internal__WatchResponse response;
    alm_store_stats stats;
    ALM_TRY(alm_store_stats_get(w->store, &stats, st));
    if (stats.sequence >= next) {
        return ALM_OK;
    }
    almanac__internal__watch_response__init(&response);
    response.alive = true;
    response.sequence = stats.sequence;
    response.catalog_sequence = stats.catalog_sequence;
    return alm_call_send(w->call, &response.base, st);
}

// Until there is a commit of that sequence.
static alm_code await(watch *w, uint64_t next, alm_status *st)
{
    if (w->alive_ms == 0) {
        return storage_wait(w->store, next, w->call, st);
    }
    int64_t slice_ms = ALM_MIN(w->alive_ms, (uint32_t)STORAGE_WAIT_SLICE_MS);
    for (int64_t waited_ms = 0;; waited_ms += slice_ms) {
        if (waited_ms % w->alive_ms < slice_ms) {
            ALM_TRY(send_alive(w, next, st));
        }
        alm_code code = alm_store_wait(w->store, next, slice_ms, st);
        if (code != ALM_DEADLINE_EXCEEDED) {
            return code;
        }
        ALM_TRY(alm_call_check(w->call, st));
    }
}

// Endless: ends only with a failure, the caller's cancelling among them.
static alm_code follow(watch *w, uint64_t next, alm_status *st)
{
    for (;;) {
        alm_change change;
        ALM_TRY(await(w, next, st));
        alm_arena_reset(w->change);
        ALM_TRY(alm_store_change(w->store, next, w->change, &change, st));
        ALM_TRY(send_change(w, &change, st));
        next = change.sequence + 1;
    }
}

alm_code storage_watch(void *self, alm_call *call, const ProtobufCMessage *message, alm_status *st)
{
    storage_service *service = self;
    const Almanac__Internal__WatchRequest *request =
        (const Almanac__Internal__WatchRequest *)message;
    alm_store_stats stats;
    alm_call_set_endless(call);
    ALM_TRY(alm_store_stats_get(service->store, &stats, st));
    watch w = {.store = service->store,
               .call = call,
               .change = alm_arena_create(0),
               .part = alm_arena_create(0),
               .alive_ms = request->alive_ms};
    alm_code code =
        w.change == NULL || w.part == NULL
            ? alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a watch")
            : follow(&w, request->from_sequence != 0 ? request->from_sequence : stats.sequence + 1,
                     st);
    alm_arena_destroy(&w.part);
    alm_arena_destroy(&w.change);
    return code;
}
