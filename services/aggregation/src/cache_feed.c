#include "cache_feed.h"

#include "alm/alloc.h"
#include "alm/limits.h"
#include "alm/message.h"
#include "alm/wire.h"
#include "almanac/internal/storage.pb-c.h"

#include <pthread.h>
#include <stdatomic.h>

#define BEGIN_US_MIN INT64_C(250000) // from one beginning to the next

struct alm_cache_feed {
    alm_channel *storage;
    alm_series_cache *cache;
    alm_clock clock;
    alm_arena *arena;      // of one message; of the events, of which one happens at a time
    atomic_bool is_over;   // the stream has ended, or tells what the cache cannot follow
    pthread_mutex_t mutex; // guards what follows; no event takes it
    alm_stream *stream;
    int64_t begun_us;
};

// --- events --------------------------------------------------------------------------------------

static alm_code touch_rows(alm_cache_feed *feed, const alm_str *variants,
                           const alm_obs_columns *rows, uint64_t sequence, alm_status *st)
{
    alm_place_id *places = alm_arena_calloc(feed->arena, rows->count, sizeof *places);
    if (places == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for a change");
    }
    for (size_t i = 0; i < rows->count; i++) {
        places[i] = ALM_OBS_AT(rows, place, i);
    }
    for (size_t from = 0, to; from < rows->count; from = to) {
        uint32_t variant = ALM_OBS_AT(rows, variant, from);
        for (to = from; to < rows->count && ALM_OBS_AT(rows, variant, to) == variant;) {
            to++;
        }
        alm_series_cache_touch(feed->cache, variants[variant], places + from, to - from, sequence);
    }
    return ALM_OK;
}

static alm_code touch_block(alm_cache_feed *feed, const Almanac__Internal__WatchResponse *change,
                            alm_status *st)
{
    alm_str *variants;
    size_t variant_count;
    alm_obs_columns rows;
    ALM_TRY(
        alm_obs_block_columns(change->block, feed->arena, &variants, &variant_count, &rows, st));
    for (size_t i = 0; change->rows_left_out && i < variant_count; i++) {
        alm_series_cache_touch(feed->cache, variants[i], NULL, 0, change->sequence);
    }
    return touch_rows(feed, variants, &rows, change->sequence, st);
}

// ALM_ABORTED: the cache does not stand where the feed does.
static alm_code follow(alm_cache_feed *feed, const Almanac__Internal__WatchResponse *change,
                       alm_status *st)
{
    if (change->alive) {
        return alm_series_cache_alive(feed->cache, change->sequence, change->catalog_sequence)
                   ? ALM_OK
                   : alm_status_set(st, ALM_ABORTED, "the store is at another state");
    }
    if (change->block != NULL) {
        ALM_TRY(touch_block(feed, change, st));
    }
    if (!change->goes_on) {
        alm_series_cache_advance(feed->cache, change->sequence, change->catalog_changed);
    }
    return ALM_OK;
}

static void give_up(alm_cache_feed *feed)
{
    alm_series_cache_lose(feed->cache);
    atomic_store(&feed->is_over, true);
}

static void on_message(void *arg, alm_stream *stream, alm_str message)
{
    alm_cache_feed *feed = arg;
    ProtobufCMessage *change;
    (void)stream;
    if (atomic_load(&feed->is_over)) {
        return;
    }
    alm_arena_reset(feed->arena);
    alm_code code = alm_message_unpack(&almanac__internal__watch_response__descriptor, message,
                                       ALM_RPC_ELEMENT_COUNT_MAX, feed->arena, &change, NULL);
    if (code == ALM_OK) {
        code = follow(feed, (const Almanac__Internal__WatchResponse *)change, NULL);
    }
    if (code != ALM_OK) {
        give_up(feed);
    }
}

static void on_end(void *arg, alm_stream *stream, const alm_status *st, alm_str answer)
{
    (void)stream, (void)st, (void)answer;
    give_up(arg);
}

static const alm_stream_events events = {.on_message = on_message, .on_end = on_end};

// --- beginning -----------------------------------------------------------------------------------

static void begin(alm_cache_feed *feed)
{
    Almanac__Internal__WatchRequest request;
    const alm_call_opts opts = {.timeout_ms = -1};
    almanac__internal__watch_request__init(&request);
    request.alive_ms = ALM_CACHE_ALIVE_MS;
    alm_stream_close(&feed->stream);
    atomic_store(&feed->is_over, false);
    if (alm_stream_start(feed->storage, &alm_service_storage, "Watch", &opts, &request.base,
                         &events, feed, &feed->stream, NULL) != ALM_OK) {
        atomic_store(&feed->is_over, true);
    }
}

void alm_cache_feed_keep_up(alm_cache_feed *feed)
{
    if (!atomic_load(&feed->is_over) || pthread_mutex_trylock(&feed->mutex) != 0) {
        return; // whoever holds it begins
    }
    int64_t now_us = feed->clock.mono_us(feed->clock.self);
    if (atomic_load(&feed->is_over) && now_us - feed->begun_us >= BEGIN_US_MIN) {
        feed->begun_us = now_us;
        begin(feed);
    }
    pthread_mutex_unlock(&feed->mutex);
}

alm_code alm_cache_feed_create(alm_channel *storage, alm_series_cache *cache, alm_clock clock,
                               alm_cache_feed **ret, alm_status *st)
{
    alm_cache_feed *feed = alm_calloc(1, sizeof *feed);
    alm_arena *arena = feed == NULL ? NULL : alm_arena_create(0);
    if (arena == NULL) {
        alm_free(feed);
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for a change feed");
    }
    feed->storage = storage;
    feed->cache = cache;
    feed->clock = clock;
    feed->arena = arena;
    pthread_mutex_init(&feed->mutex, NULL);
    begin(feed);
    *ret = feed;
    return ALM_OK;
}

void alm_cache_feed_destroy(alm_cache_feed **feed)
{
    if (*feed == NULL) {
        return;
    }
    alm_stream_close(&(*feed)->stream);
    pthread_mutex_destroy(&(*feed)->mutex);
    alm_arena_destroy(&(*feed)->arena);
    alm_free(*feed);
    *feed = NULL;
}
