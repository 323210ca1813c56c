#include "client.h"
#include "rows.h"

#include "alm/alloc.h"

#include "almanac/v1/gateway.pb-c.h"

struct almanac_watch {
    alm_feed feed;
    almanac_change change; // the one handed out
};

static alm_code open_watch(almanac_client *client, const almanac_watch_query *query,
                           almanac_watch **ret_watch, alm_status *st)
{
    almanac_watch *watch = alm_calloc(1, sizeof *watch);
    if (watch == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "watch: out of memory");
    }
    Almanac__V1__WatchRequest request;
    almanac__v1__watch_request__init(&request);
    request.from_sequence = query->from_sequence;
    request.indicators = alm_client_texts(query->indicators);
    request.n_indicators = query->indicator_count;
    request.places = alm_client_text(query->places);
    int64_t timeout_ms = query->timeout_ms != 0 ? query->timeout_ms : -1;
    alm_code code = alm_feed_open(client, "Watch", timeout_ms, &request.base, &watch->feed, st);
    if (code != ALM_OK) {
        alm_free(watch);
        return code;
    }
    *ret_watch = watch;
    return ALM_OK;
}

almanac_code almanac_watch_open(almanac_client *client, const almanac_watch_query *query,
                                almanac_watch **ret_watch, almanac_error *error)
{
    alm_status st = ALM_STATUS_INIT;
    return alm_client_answer(open_watch(client, query, ret_watch, &st), &st, error);
}

static alm_code take_change(almanac_watch *watch, const Almanac__V1__WatchResponse *response,
                            alm_status *st)
{
    almanac_row *rows = NULL;
    size_t row_count = 0, row_cap = 0;
    if (response->block != NULL) {
        almanac_block block;
        ALM_TRY(alm_rows_view(response->block, watch->feed.arena, &block, st));
        ALM_TRY(alm_block_append(&block, 0, watch->feed.arena, &rows, &row_count, &row_cap, st));
    }
    watch->change = (almanac_change){.sequence = response->sequence,
                                     .at = response->at,
                                     .batch_id = response->batch_id,
                                     .added = response->added,
                                     .revised = response->revised,
                                     .catalog_changed = response->catalog_changed != 0,
                                     .variants = (const char *const *)response->variants,
                                     .variant_count = response->n_variants,
                                     .rows = rows,
                                     .row_count = row_count,
                                     .rows_not_listed = response->rows_not_listed,
                                     .rows_left_out = response->rows_left_out != 0};
    return ALM_OK;
}

almanac_code almanac_watch_next(almanac_watch *watch, const almanac_change **ret_change,
                                almanac_error *error)
{
    alm_status st = ALM_STATUS_INIT;
    ProtobufCMessage *message = NULL;
    alm_arena_reset(watch->feed.arena);
    alm_code code = alm_feed_next(&watch->feed, &message, &st);
    if (code == ALM_OK && message != NULL) {
        code = take_change(watch, (const Almanac__V1__WatchResponse *)message, &st);
        if (code != ALM_OK) {
            (void)alm_feed_fail(&watch->feed, &st);
        }
    }
    if (code == ALM_OK) {
        *ret_change = message != NULL ? &watch->change : NULL;
    }
    return alm_client_answer(code, &st, error);
}

void almanac_watch_close(almanac_watch **watch)
{
    if (*watch == NULL) {
        return;
    }
    alm_feed_close(&(*watch)->feed);
    alm_free(*watch);
    *watch = NULL;
}
