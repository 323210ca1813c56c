#include "client.h"
#include "query.h"
#include "rows.h"

#include "alm/alloc.h"

#include "almanac/v1/gateway.pb-c.h"

struct almanac_watch {
    almanac_client *client;
    alm_feed feed;
    almanac_change change; // the one handed out
};

static alm_code open_watch(almanac_client *client, const almanac_watch_query *query,
                           almanac_watch **ret_watch, alm_status *st)
{
    Almanac__V1__WatchRequest request;
    Almanac__V1__QueryRequest question;
    almanac__v1__watch_request__init(&request);
    if (query->query != NULL) {
        ALM_TRY(alm_query_message(query->query, &question, st));
        request.query = &question;
    }
    almanac_watch *watch = alm_calloc(1, sizeof *watch);
    if (watch == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "watch: out of memory");
    }
    watch->client = client;
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

static alm_code take_errors(almanac_watch *watch, const Almanac__V1__WatchResponse *response,
                            alm_status *st)
{
    almanac_change *change = &watch->change;
    if (response->n_errors == 0) {
        return ALM_OK;
    }
    almanac_item_error *errors =
        alm_arena_calloc(watch->feed.arena, response->n_errors, sizeof *errors);
    if (errors == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "watch: out of memory");
    }
    for (size_t i = 0; i < response->n_errors; i++) {
        const Almanac__V1__ItemError *error = response->errors[i];
        errors[i] = (almanac_item_error){.item = error->item,
                                         .code = (almanac_code)alm_client_code(error->code),
                                         .message = error->message};
    }
    change->errors = errors;
    change->error_count = response->n_errors;
    return ALM_OK;
}

// The first message of a change says all but the rows that are in the others.
static alm_code take_change(almanac_watch *watch, const Almanac__V1__WatchResponse *response,
                            alm_status *st)
{
    alm_client_saw(watch->client, response->sequence);
    watch->change = (almanac_change){.sequence = response->sequence,
                                     .at = response->at,
                                     .batch_id = response->batch_id,
                                     .added = response->added,
                                     .revised = response->revised,
                                     .catalog_changed = response->catalog_changed != 0,
                                     .variants = (const char *const *)response->variants,
                                     .variant_count = response->n_variants,
                                     .rows_not_listed = response->rows_not_listed,
                                     .rows_left_out = response->rows_left_out != 0};
    return take_errors(watch, response, st);
}

typedef struct change_rows {
    almanac_row *rows;
    size_t count, cap;
} change_rows;

static alm_code take_rows(almanac_watch *watch, const Almanac__V1__WatchResponse *response,
                          change_rows *all, alm_status *st)
{
    almanac_block block;
    if (response->block == NULL) {
        return ALM_OK;
    }
    ALM_TRY(alm_rows_view(response->block, watch->feed.arena, &block, st));
    return alm_block_append(&block, 0, watch->feed.arena, &all->rows, &all->count, &all->cap, st);
}

static alm_code read_change(almanac_watch *watch, bool *ret_ends, alm_status *st)
{
    change_rows all = {0};
    ProtobufCMessage *message = NULL;
    for (bool goes_on = false, is_first = true; goes_on || is_first; is_first = false) {
        ALM_TRY(alm_feed_next(&watch->feed, &message, st));
        if (message == NULL) {
            *ret_ends = true;
            return ALM_OK;
        }
        const Almanac__V1__WatchResponse *response = (const Almanac__V1__WatchResponse *)message;
        alm_status why = ALM_STATUS_INIT;
        alm_code code = is_first ? take_change(watch, response, &why) : ALM_OK;
        code = code == ALM_OK ? take_rows(watch, response, &all, &why) : code;
        if (code != ALM_OK) {
            (void)alm_feed_fail(&watch->feed, &why);
            return alm_status_copy(st, &why);
        }
        goes_on = response->goes_on;
    }
    watch->change.rows = all.rows;
    watch->change.row_count = all.count;
    *ret_ends = false;
    return ALM_OK;
}

almanac_code almanac_watch_next(almanac_watch *watch, const almanac_change **ret_change,
                                almanac_error *error)
{
    alm_status st = ALM_STATUS_INIT;
    bool ends = false;
    alm_arena_reset(watch->feed.arena);
    alm_code code = read_change(watch, &ends, &st);
    if (code == ALM_OK) {
        *ret_change = ends ? NULL : &watch->change;
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
