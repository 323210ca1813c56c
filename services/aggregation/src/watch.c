// The change feed with codes in place of ids, narrowed to what the caller asked for; or the answers
// of a standing question that it leads to.
#include "aggregation_service.h"

#include "answer.h"
#include "standing.h"

#include "alm/clock.h"
#include "alm/limits.h"
#include "alm/wire.h"
#include "almanac/internal/storage.pb-c.h"
#include "almanac/v1/gateway.pb-c.h"

typedef struct watch {
    alm_aggregator *self;
    alm_call *call;
    const Almanac__V1__WatchRequest *request;
    // Renewed when the catalogue changes; in filter_arena, which also holds the catalogue.
    alm_arena *filter_arena;
    const alm_catalog *catalog;
    uint8_t *wants_indicator; // by id; NULL: all
    uint8_t *wants_place;     // by id; NULL: all
    alm_arena *arena;         // of one message
    alm_standing *standing;   // NULL: all changes are told
} watch;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for a change");
}

// --- filters ------------------------------------------------------------------------------------

static alm_code filter_indicators(watch *it, alm_status *st)
{
    const Almanac__V1__WatchRequest *request = it->request;
    bool is_all = request->n_indicators == 0 ||
                  (request->n_indicators == 1 && strcmp(request->indicators[0], "*") == 0);
    it->wants_indicator = NULL;
    if (is_all) {
        return ALM_OK;
    }
    it->wants_indicator =
        alm_arena_calloc(it->filter_arena, alm_catalog_indicator_count(it->catalog), 1);
    if (it->wants_indicator == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < request->n_indicators; i++) {
        uint32_t id;
        ALM_TRY(alm_catalog_resolve_indicator(it->catalog, alm_str_from(request->indicators[i]),
                                              &id, st));
        it->wants_indicator[id] = 1;
    }
    return ALM_OK;
}

static alm_code filter_places(watch *it, alm_status *st)
{
    const alm_place_tree *tree = alm_catalog_places(it->catalog);
    it->wants_place = NULL;
    if (it->request->places[0] == '\0') {
        return ALM_OK;
    }
    alm_place_list places;
    it->wants_place = alm_arena_calloc(it->filter_arena, alm_place_tree_count(tree), 1);
    if (it->wants_place == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_place_expr_eval(tree, alm_str_from(it->request->places), ALM_DATE_NONE,
                                it->filter_arena, &places, st));
    for (size_t i = 0; i < places.count; i++) {
        it->wants_place[places.ids[i]] = 1;
    }
    return ALM_OK;
}

static void release_catalog(void *arg)
{
    alm_catalog_ref *ref = arg;
    alm_catalog_ref_release(&ref);
}

static alm_code renew_filters(watch *it, alm_status *st)
{
    uint64_t sequence;
    uint64_t catalog_sequence;
    alm_catalog_ref *ref;
    ALM_TRY(
        alm_aggregation_head(it->self, it->call, it->arena, 0, &sequence, &catalog_sequence, st));
    ALM_TRY(alm_catalog_cache_get(it->self->catalogs, it->call, catalog_sequence, &ref, st));
    alm_arena_reset(it->filter_arena);
    if (!alm_arena_on_reset(it->filter_arena, release_catalog, ref)) {
        alm_catalog_ref_release(&ref);
        return no_memory(st);
    }
    it->catalog = alm_catalog_ref_catalog(ref);
    ALM_TRY(filter_indicators(it, st));
    return filter_places(it, st);
}

// --- one change ---------------------------------------------------------------------------------

static bool is_wanted_variant(const watch *it, const alm_variant *variant)
{
    uint32_t id = alm_catalog_find_indicator(it->catalog, variant->indicator);
    return it->wants_indicator == NULL || (id != ALM_CATALOG_NONE && it->wants_indicator[id]);
}

static bool is_wanted(const watch *it, const alm_variant *variant, const alm_obs *row)
{
    return is_wanted_variant(it, variant) &&
           (it->wants_place == NULL || it->wants_place[row->place]);
}

static alm_code row_of(const watch *it, const alm_variant_entry *entry, const alm_obs *obs,
                       alm_result_row *ret, alm_status *st)
{
    alm_result_row row = {
        .indicator = entry->variant.indicator,
        .place = alm_place_tree_get(alm_catalog_places(it->catalog), obs->place)->code,
        .measure = alm_str_from(alm_measure_code(entry->variant.measure)),
        .breakdown = entry->breakdown,
        .relation = entry->relation,
        .accumulation = entry->variant.accumulation,
        .period = obs->period,
        .value = obs->value,
        .interval = alm_value_interval(&obs->value),
        .published = obs->published,
        .note = obs->note,
    };
    if (obs->source != ALM_SOURCE_NONE) {
        row.source = alm_catalog_source(it->catalog, obs->source)->code;
    }
    const char *reason =
        obs->value.has_number ? "" : alm_answer_missing(it->catalog, obs, it->arena);
    if (reason == NULL) {
        return no_memory(st);
    }
    row.reason = alm_str_from(reason);
    *ret = row;
    return ALM_OK;
}

static const alm_obs *find_unknown(const watch *it, const alm_obs *rows, size_t count)
{
    size_t places = alm_place_tree_count(alm_catalog_places(it->catalog));
    size_t sources = alm_catalog_source_count(it->catalog);
    for (size_t i = 0; i < count; i++) {
        bool knows_source = rows[i].source == ALM_SOURCE_NONE || rows[i].source < sources;
        if (rows[i].place >= places || !knows_source) {
            return &rows[i];
        }
    }
    return NULL;
}

// The catalogue may have grown between our look at it and the feed's start.
static alm_code know_ids(watch *it, const alm_obs *rows, size_t count, alm_status *st)
{
    if (find_unknown(it, rows, count) == NULL) {
        return ALM_OK;
    }
    ALM_TRY(renew_filters(it, st));
    const alm_obs *unknown = find_unknown(it, rows, count);
    if (unknown == NULL) {
        return ALM_OK;
    }
    return alm_status_set(st, ALM_INTERNAL, "a change names place %u, source %u, unknown here",
                          unknown->place, unknown->source);
}

static alm_code put_variants(watch *it, const alm_variant_table *table, const uint8_t *is_touched,
                             Almanac__V1__WatchResponse *response, alm_status *st)
{
    response->variants = alm_arena_calloc(it->arena, table->count, sizeof(char *));
    if (response->variants == NULL) {
        return no_memory(st);
    }
    for (uint32_t v = 0; v < table->count; v++) {
        if (!is_touched[v]) {
            continue;
        }
        char *text = alm_arena_strdup(it->arena, alm_variant_table_get(table, v)->text);
        if (text == NULL) {
            return no_memory(st);
        }
        response->variants[response->n_variants++] = text;
    }
    return ALM_OK;
}

static alm_code put_rows(watch *it, alm_variant_table *table, const uint32_t *map,
                         const alm_obs *rows, size_t count, Almanac__V1__WatchResponse *response,
                         alm_status *st)
{
    alm_result_writer *writer;
    uint8_t *is_touched = alm_arena_calloc(it->arena, table->count, 1);
    if (is_touched == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_result_writer_create(it->arena, response->sequence, &writer, st));
    for (size_t i = 0; i < count; i++) {
        const alm_variant_entry *entry = alm_variant_table_get(table, map[rows[i].variant]);
        if (!is_wanted(it, &entry->variant, &rows[i])) {
            continue;
        }
        is_touched[map[rows[i].variant]] = 1;
        if (alm_result_writer_full(writer)) {
            response->rows_not_listed++;
            continue;
        }
        alm_result_row row;
        ALM_TRY(row_of(it, entry, &rows[i], &row, st));
        ALM_TRY(alm_result_writer_add(writer, &row, st));
    }
    ALM_TRY(put_variants(it, table, is_touched, response, st));
    return alm_result_writer_take(writer, &response->block, st);
}

// Any place may be among the rows that are left out: whoever asked for an indicator is told.
static alm_code put_left_out(watch *it, const alm_variant_table *table,
                             Almanac__V1__WatchResponse *response, alm_status *st)
{
    uint8_t *is_touched = alm_arena_calloc(it->arena, table->count, 1);
    if (is_touched == NULL) {
        return no_memory(st);
    }
    for (uint32_t v = 0; v < table->count; v++) {
        is_touched[v] = is_wanted_variant(it, &alm_variant_table_get(table, v)->variant);
    }
    response->rows_left_out = true;
    response->rows_not_listed = response->added + response->revised;
    return put_variants(it, table, is_touched, response, st);
}

static alm_code tell_change(watch *it, const Almanac__Internal__WatchResponse *change,
                            alm_status *st)
{
    Almanac__V1__WatchResponse response;
    almanac__v1__watch_response__init(&response);
    char at[ALM_TIMESTAMP_MAX];
    alm_clock_format_rfc3339(change->at_us, at);
    response.sequence = change->sequence;
    response.at = at;
    response.batch_id = change->batch_id;
    response.added = change->added;
    response.revised = change->revised;
    response.catalog_changed = change->catalog_changed;
    if (change->block != NULL) {
        alm_str *variants;
        size_t variant_count;
        alm_obs *rows;
        size_t count;
        uint32_t *map;
        alm_variant_table *table = alm_arena_alloc(it->arena, sizeof *table);
        if (table == NULL) {
            return no_memory(st);
        }
        ALM_TRY(alm_variant_table_init(table, it->arena, st));
        ALM_TRY(alm_obs_block_read(change->block, it->arena, &variants, &variant_count, &rows,
                                   &count, st));
        ALM_TRY(alm_variant_table_map(table, variants, variant_count, &map, st));
        ALM_TRY(know_ids(it, rows, count, st));
        ALM_TRY(change->rows_left_out ? put_left_out(it, table, &response, st)
                                      : put_rows(it, table, map, rows, count, &response, st));
    }
    bool is_wanted_change = response.n_variants > 0 || change->catalog_changed ||
                            (it->wants_indicator == NULL && it->wants_place == NULL);
    return is_wanted_change ? alm_call_send(it->call, &response.base, st) : ALM_OK;
}

static alm_code begin(watch *it, alm_status *st)
{
    if (it->request->query == NULL) {
        return renew_filters(it, st);
    }
    ALM_TRY(alm_standing_create(it->self, it->call, it->request, &it->standing, st));
    return alm_standing_begin(it->standing, st);
}

static alm_code follow(watch *it, alm_stream *stream, alm_status *st)
{
    uint64_t renewed = 0; // a large commit comes in parts
    for (;;) {
        ProtobufCMessage *message;
        alm_arena_reset(it->arena);
        ALM_TRY(alm_stream_next(stream, it->arena, &message, st));
        if (message == NULL) {
            return alm_status_set(st, ALM_UNAVAILABLE, "storage ended the change feed");
        }
        const Almanac__Internal__WatchResponse *change =
            (const Almanac__Internal__WatchResponse *)message;
        if (it->standing != NULL) {
            ALM_TRY(alm_standing_change(it->standing, change, it->arena, st));
            continue;
        }
        if (change->catalog_changed && change->sequence != renewed) {
            ALM_TRY(renew_filters(it, st));
            renewed = change->sequence;
        }
        ALM_TRY(tell_change(it, change, st));
    }
}

alm_code alm_aggregation_watch(void *self, alm_call *call, const ProtobufCMessage *request,
                               alm_status *st)
{
    watch it = {
        .self = self,
        .call = call,
        .request = (const Almanac__V1__WatchRequest *)request,
        .filter_arena = alm_arena_create(0),
        .arena = alm_arena_create(0),
    };
    alm_stream *stream = NULL;
    alm_code code = it.filter_arena == NULL || it.arena == NULL ? no_memory(st) : ALM_OK;
    Almanac__Internal__WatchRequest feed;
    almanac__internal__watch_request__init(&feed);
    feed.from_sequence = it.request->from_sequence;
    alm_call_opts opts = {.parent = call, .timeout_ms = -1};
    alm_call_set_endless(call);
    // The feed first: what is committed until filters or an answer are made is then not missed.
    if (code == ALM_OK) {
        code = alm_stream_open(it.self->storage, &alm_service_storage, "Watch", &opts, &feed.base,
                               &stream, st);
    }
    if (code == ALM_OK) {
        code = begin(&it, st);
    }
    if (code == ALM_OK) {
        code = follow(&it, stream, st);
    }
    alm_stream_close(&stream);
    alm_standing_destroy(&it.standing);
    alm_arena_destroy(&it.arena);
    alm_arena_destroy(&it.filter_arena);
    return code;
}
