#include "query.h"

#include "client.h"
#include "rows.h"

#include "alm/alloc.h"

struct almanac_rows {
    almanac_client *client;
    alm_feed feed;
    almanac_block block;     // the one that is being read; without rows before the first
    size_t at;               // its next row
    almanac_row row;         // the one handed out
    alm_arena *errors_arena; // item errors live until close
    almanac_item_error *errors;
    size_t error_count, error_cap;
};

static alm_code missing(alm_status *st, const char *field)
{
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field, "the query names no %s", field);
}

alm_code alm_query_message(const almanac_query *query, Almanac__V1__QueryRequest *ret,
                           alm_status *st)
{
    if (query->indicator_count == 0) {
        return missing(st, "indicators");
    }
    if (query->places == NULL || query->places[0] == '\0') {
        return missing(st, "places");
    }
    if (query->periods == NULL || query->periods[0] == '\0') {
        return missing(st, "periods");
    }
    almanac__v1__query_request__init(ret);
    ret->indicators = alm_client_texts(query->indicators);
    ret->n_indicators = query->indicator_count;
    ret->places = alm_client_text(query->places);
    ret->periods = alm_client_text(query->periods);
    ret->breakdown = alm_client_text(query->breakdown);
    ret->measure = alm_client_text(query->measure);
    ret->accumulation = alm_client_text(query->accumulation);
    ret->frequency = alm_client_text(query->frequency);
    ret->as_of = alm_client_text(query->as_of);
    ret->sources = alm_client_texts(query->sources);
    ret->n_sources = query->source_count;
    ret->transforms = alm_client_texts(query->transforms);
    ret->n_transforms = query->transform_count;
    ret->group_by = alm_client_text(query->group_by);
    ret->unit = alm_client_text(query->unit);
    ret->order = (Almanac__V1__Order)query->order;
    ret->limit = query->limit;
    ret->min_sequence = query->min_sequence;
    ret->at_sequence = query->at_sequence;
    ret->incomplete = query->incomplete;
    return ALM_OK;
}

static alm_code open_rows(almanac_client *client, const almanac_query *query,
                          almanac_rows **ret_rows, alm_status *st)
{
    Almanac__V1__QueryRequest request;
    ALM_TRY(alm_query_message(query, &request, st));
    if (request.at_sequence == 0) {
        const alm_clock *clock = &client->clock;
        uint64_t seen = alm_seen_sequence(&client->seen, clock->mono_us(clock->self));
        request.min_sequence = ALM_MAX(request.min_sequence, seen);
    }
    almanac_rows *rows = alm_calloc(1, sizeof *rows);
    if (rows == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "query: out of memory");
    }
    rows->client = client;
    alm_code code = ALM_OK;
    rows->errors_arena = alm_arena_create(0);
    if (rows->errors_arena == NULL) {
        code = alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "query: out of memory");
    } else {
        code = alm_feed_open(client, "Query", 0, &request.base, &rows->feed, st);
    }
    if (code != ALM_OK) {
        almanac_rows_close(&rows);
        return code;
    }
    *ret_rows = rows;
    return ALM_OK;
}

almanac_code almanac_query_open(almanac_client *client, const almanac_query *query,
                                almanac_rows **ret_rows, almanac_error *error)
{
    alm_status st = ALM_STATUS_INIT;
    return alm_client_answer(open_rows(client, query, ret_rows, &st), &st, error);
}

static alm_code keep_error(almanac_rows *rows, const Almanac__V1__ItemError *message,
                           alm_status *st)
{
    void *array = rows->errors;
    if (!alm_arena_grow(rows->errors_arena, &array, &rows->error_cap, rows->error_count + 1,
                        sizeof *rows->errors)) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "query: out of memory");
    }
    rows->errors = array;
    const char *item = alm_arena_strdup(rows->errors_arena, alm_str_from(message->item));
    const char *text = alm_arena_strdup(rows->errors_arena, alm_str_from(message->message));
    if (item == NULL || text == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "query: out of memory");
    }
    rows->errors[rows->error_count++] = (almanac_item_error){
        .item = item, .code = (almanac_code)alm_client_code(message->code), .message = text};
    return ALM_OK;
}

static alm_code take_response(almanac_rows *rows, const Almanac__V1__QueryResponse *response,
                              alm_status *st)
{
    for (size_t i = 0; i < response->n_errors; i++) {
        ALM_TRY(keep_error(rows, response->errors[i], st));
    }
    if (response->block == NULL) {
        return ALM_OK;
    }
    alm_client_saw(rows->client, response->block->sequence);
    return alm_rows_view(response->block, rows->feed.arena, &rows->block, st);
}

// Reads on until there is a row or the end, which leaves a block without rows.
static alm_code read_block(almanac_rows *rows, bool keep, alm_status *st)
{
    rows->at = 0;
    do {
        rows->block = (almanac_block){0};
        if (!keep) {
            alm_arena_reset(rows->feed.arena);
        }
        ProtobufCMessage *message = NULL;
        ALM_TRY(alm_feed_next(&rows->feed, &message, st));
        if (message == NULL) {
            return ALM_OK;
        }
        alm_status why = ALM_STATUS_INIT;
        if (take_response(rows, (const Almanac__V1__QueryResponse *)message, &why) != ALM_OK) {
            (void)alm_feed_fail(&rows->feed, &why);
            return alm_status_copy(st, &why);
        }
    } while (rows->block.row_count == 0);
    return ALM_OK;
}

almanac_code almanac_rows_next_block(almanac_rows *rows, const almanac_block **ret_block,
                                     almanac_error *error)
{
    alm_status st = ALM_STATUS_INIT;
    alm_code code = ALM_OK;
    if (rows->at < rows->block.row_count) {
        code = alm_status_set(&st, ALM_FAILED_PRECONDITION,
                              "row %zu of a block of %zu is next: a block that was begun row by "
                              "row is read to its end so",
                              rows->at, rows->block.row_count);
    } else {
        code = read_block(rows, false, &st);
    }
    if (code == ALM_OK) {
        rows->at = rows->block.row_count;
        *ret_block = rows->at > 0 ? &rows->block : NULL;
    }
    return alm_client_answer(code, &st, error);
}

almanac_code almanac_rows_next(almanac_rows *rows, const almanac_row **ret_row,
                               almanac_error *error)
{
    if (rows->at == rows->block.row_count) {
        const almanac_block *block;
        almanac_code code = almanac_rows_next_block(rows, &block, error);
        if (code != ALMANAC_OK) {
            return code;
        }
        rows->at = 0;
    }
    *ret_row = NULL;
    if (rows->at < rows->block.row_count) {
        rows->row = alm_block_row(&rows->block, rows->at++);
        *ret_row = &rows->row;
    }
    return ALMANAC_OK;
}

static alm_code read_all(almanac_rows *rows, almanac_row **ret_rows, size_t *ret_count,
                         alm_status *st)
{
    almanac_row *all = NULL;
    size_t count = 0, cap = 0;
    if (rows->at == rows->block.row_count) {
        ALM_TRY(read_block(rows, true, st));
    }
    while (rows->block.row_count > 0) {
        ALM_TRY(alm_block_append(&rows->block, rows->at, rows->feed.arena, &all, &count, &cap, st));
        ALM_TRY(read_block(rows, true, st));
    }
    *ret_rows = all;
    *ret_count = count;
    return ALM_OK;
}

almanac_code almanac_rows_all(almanac_rows *rows, const almanac_row **ret_rows, size_t *ret_count,
                              almanac_error *error)
{
    alm_status st = ALM_STATUS_INIT;
    almanac_row *all = NULL;
    size_t count = 0;
    alm_code code = read_all(rows, &all, &count, &st);
    if (code == ALM_OK) {
        *ret_rows = all;
        *ret_count = count;
    }
    return alm_client_answer(code, &st, error);
}

size_t almanac_rows_errors(const almanac_rows *rows, const almanac_item_error **ret_errors)
{
    *ret_errors = rows->errors;
    return rows->error_count;
}

void almanac_rows_close(almanac_rows **rows)
{
    if (*rows == NULL) {
        return;
    }
    alm_feed_close(&(*rows)->feed);
    alm_arena_destroy(&(*rows)->errors_arena);
    alm_free(*rows);
    *rows = NULL;
}
