#include "storage_reader.h"

#include "alm/id_order.h"

#include "alm/wire.h"

#include <stdlib.h>

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for a read of storage");
}

static void *copy_of(alm_arena *arena, const void *data, size_t count, size_t elem_size)
{
    void *copy = alm_arena_calloc(arena, count, elem_size);
    if (copy != NULL && count > 0) {
        memcpy(copy, data, count * elem_size);
    }
    return copy;
}

// --- the request --------------------------------------------------------------------------------

typedef Almanac__Internal__ReadRequest read_request;

static bool put_series(const alm_fetch *fetch, alm_arena *arena, read_request *request)
{
    request->n_indicators = fetch->indicator_count;
    request->indicators = alm_arena_calloc(arena, fetch->indicator_count, sizeof(char *));
    request->measures = alm_arena_calloc(arena, ALM_MEASURE_NUMBER_MAX, sizeof(uint32_t));
    request->breakdown = alm_arena_strdup(arena, fetch->breakdown);
    if (request->indicators == NULL || request->measures == NULL || request->breakdown == NULL) {
        return false;
    }
    for (size_t i = 0; i < fetch->indicator_count; i++) {
        request->indicators[i] = alm_arena_strdup(arena, fetch->indicators[i]);
        if (request->indicators[i] == NULL) {
            return false;
        }
    }
    for (uint32_t m = 1; m <= ALM_MEASURE_NUMBER_MAX; m++) {
        if (fetch->measures & ALM_MEASURE_BIT(m)) {
            request->measures[request->n_measures++] = m;
        }
    }
    request->accumulation = fetch->accumulation;
    request->frequency = fetch->freq;
    return true;
}

// Most places of the tree are asked for as all: the answer is filtered anyway, and a list of every
// village has megabytes. Not where some of the first cells might be those of others.
static bool wants_all(const alm_fetch *fetch, const alm_catalog *catalog)
{
    size_t tree = alm_place_tree_count(alm_catalog_places(catalog));
    return fetch->all_places || fetch->place_count == tree ||
           (fetch->top == 0 && fetch->place_count > tree / 2);
}

static bool put_places(const alm_fetch *fetch, const alm_catalog *catalog, alm_arena *arena,
                       read_request *request)
{
    Almanac__Internal__PlaceSet *set = alm_arena_alloc(arena, sizeof *set);
    if (set == NULL) {
        return false;
    }
    almanac__internal__place_set__init(set);
    request->places = set;
    set->all = wants_all(fetch, catalog);
    if (set->all) {
        return true;
    }
    set->n_ids = fetch->place_count;
    set->ids = copy_of(arena, fetch->places, fetch->place_count, sizeof *set->ids);
    return set->ids != NULL;
}

static uint64_t pack_end(alm_period period)
{
    return period.freq == ALM_FREQ_NONE ? 0 : alm_period_pack(period);
}

static bool put_periods(const alm_period_expr *periods, alm_arena *arena, read_request *request)
{
    Almanac__Internal__PeriodSet *set = alm_arena_alloc(arena, sizeof *set);
    if (set == NULL) {
        return false;
    }
    almanac__internal__period_set__init(set);
    request->periods = set;
    set->all = periods->kind == ALM_PERIOD_EXPR_ALL;
    if (periods->kind == ALM_PERIOD_EXPR_LAST) {
        set->last = periods->last;
    }
    if (periods->kind != ALM_PERIOD_EXPR_RANGES) {
        return true;
    }
    set->n_from = set->n_to = periods->range_count;
    set->from = alm_arena_calloc(arena, periods->range_count, sizeof *set->from);
    set->to = alm_arena_calloc(arena, periods->range_count, sizeof *set->to);
    if (set->from == NULL || set->to == NULL) {
        return false;
    }
    for (size_t i = 0; i < periods->range_count; i++) {
        set->from[i] = pack_end(periods->ranges[i].from);
        set->to[i] = pack_end(periods->ranges[i].to);
    }
    return true;
}

static alm_code make_request(const alm_storage_reader *reader, const alm_fetch *fetch,
                             alm_arena *arena, read_request *request, alm_status *st)
{
    almanac__internal__read_request__init(request);
    if (!put_series(fetch, arena, request) || !put_places(fetch, reader->catalog, arena, request) ||
        !put_periods(&fetch->periods, arena, request)) {
        return no_memory(st);
    }
    if (fetch->as_of != ALM_DATE_MAX) {
        request->as_of_case_case = ALMANAC__INTERNAL__READ_REQUEST__AS_OF_CASE_AS_OF;
        request->as_of = fetch->as_of;
    }
    request->today = fetch->today;
    request->at_sequence = reader->at_sequence;
    request->min_sequence = reader->is_checked ? 0 : reader->min_sequence;
    request->without_value = fetch->without_value;
    request->all_vintages = fetch->all_vintages;
    request->top = fetch->top;
    request->top_is_lowest = fetch->top_is_lowest;
    request->n_sources = fetch->source_count;
    request->sources = copy_of(arena, fetch->sources, fetch->source_count, sizeof(uint32_t));
    return request->sources == NULL ? no_memory(st) : ALM_OK;
}

// --- the answer ---------------------------------------------------------------------------------

// Which places were asked for. Only a read of all needs a table; else a search in the list does.
typedef struct place_filter {
    const alm_fetch *fetch;
    const uint8_t *table; // a byte a place; NULL: none
    size_t table_count;
    size_t next; // index of the place that is likely to come next
} place_filter;

static alm_code make_filter(const alm_storage_reader *reader, const alm_fetch *fetch,
                            alm_arena *arena, place_filter *ret, alm_status *st)
{
    *ret = (place_filter){.fetch = fetch};
    if (fetch->all_places || !wants_all(fetch, reader->catalog)) {
        return ALM_OK;
    }
    size_t count = alm_place_tree_count(alm_catalog_places(reader->catalog));
    uint8_t *table = alm_arena_calloc(arena, count, 1);
    if (table == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < fetch->place_count; i++) {
        table[fetch->places[i]] = 1;
    }
    ret->table = table;
    ret->table_count = count;
    return ALM_OK;
}

static bool is_asked(place_filter *filter, alm_place_id place)
{
    const alm_fetch *fetch = filter->fetch;
    size_t next = filter->next;
    if (filter->table != NULL) {
        return place < filter->table_count && filter->table[place] != 0;
    }
    if (fetch->all_places) {
        return true;
    }
    if (next < fetch->place_count && fetch->places[next] == place) {
        filter->next++;
        return true;
    }
    const alm_place_id *found =
        bsearch(&place, fetch->places, fetch->place_count, sizeof place, alm_id_order);
    if (found != NULL) {
        filter->next = (size_t)(found - fetch->places) + 1;
    }
    return found != NULL;
}

// Keeps the rows of asked places, and refuses ids that the catalogue does not have: it is as new as
// the state that is read.
static alm_code check_ids(const alm_storage_reader *reader, const place_filter *filter,
                          const alm_obs_columns *rows, alm_status *st)
{
    size_t places = alm_place_tree_count(alm_catalog_places(reader->catalog));
    size_t sources = alm_catalog_source_count(reader->catalog);
    for (size_t i = 0; i < rows->count; i++) {
        alm_place_id place = ALM_OBS_AT(rows, place, i);
        uint32_t source = ALM_OBS_AT(rows, source, i);
        // A place of a wider read that was loaded since: nobody asked for it.
        bool is_new_place = place >= places && filter->table == NULL;
        if (is_new_place || (source != ALM_SOURCE_NONE && source >= sources)) {
            return alm_status_set(st, ALM_INTERNAL,
                                  "storage answered place %u, source %u; the catalogue has %zu "
                                  "places, %zu sources",
                                  place, source, places, sources);
        }
    }
    return ALM_OK;
}

// The rows of asked places, from row `kept` on, which is the first that is not asked; all before it
// are. Columns that vary are copied.
static alm_code gather(place_filter *filter, size_t kept, alm_arena *arena, alm_obs_columns *rows,
                       alm_status *st)
{
    size_t count = rows->count;
    size_t *indexes = alm_arena_alloc(arena, count * sizeof *indexes);
    if (indexes == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < kept; i++) {
        indexes[i] = i;
    }
    for (size_t i = kept + 1; i < count; i++) {
        indexes[kept] = i;
        kept += is_asked(filter, ALM_OBS_AT(rows, place, i));
    }
    rows->count = kept;
#define COLUMN_GATHER(name, type)                                                                  \
    if (rows->each_##name) {                                                                       \
        type *column = alm_arena_alloc(arena, kept * sizeof *column);                              \
        if (column == NULL) {                                                                      \
            return no_memory(st);                                                                  \
        }                                                                                          \
        for (size_t i = 0; i < kept; i++) {                                                        \
            column[i] = rows->name[indexes[i]];                                                    \
        }                                                                                          \
        rows->name = column;                                                                       \
    }
    ALM_OBS_COLUMN_MAP(COLUMN_GATHER)
#undef COLUMN_GATHER
    return ALM_OK;
}

static alm_code keep_asked(const alm_storage_reader *reader, place_filter *filter, alm_arena *arena,
                           alm_obs_columns *rows, alm_status *st)
{
    size_t kept = 0;
    ALM_TRY(check_ids(reader, filter, rows, st));
    while (kept < rows->count && is_asked(filter, ALM_OBS_AT(rows, place, kept))) {
        kept++;
    }
    return kept == rows->count ? ALM_OK : gather(filter, kept, arena, rows, st);
}

alm_code alm_storage_reader_learn(alm_storage_reader *reader, uint64_t sequence,
                                  uint64_t catalog_sequence, alm_status *st)
{
    if (reader->is_checked) {
        return ALM_OK;
    }
    if (reader->at_sequence == 0) {
        reader->at_sequence = sequence;
    }
    if (reader->catalog_sequence < catalog_sequence) {
        reader->newer_catalog = catalog_sequence;
        return alm_status_set(st, ALM_ABORTED, "the catalogue has changed");
    }
    reader->is_checked = true;
    return ALM_OK;
}

// Not the caller's argument: storage's answer.
static alm_code as_internal(alm_code code, alm_status *st)
{
    if (code != ALM_INVALID_ARGUMENT) {
        return code;
    }
    (void)alm_status_prefix(st, "storage's answer");
    return st == NULL ? ALM_INTERNAL : (st->code = ALM_INTERNAL);
}

// A read on its way.
typedef struct rows_reading {
    alm_storage_reader *reader;
    place_filter filter;
    alm_row_visit visit;
    void *arg;
} rows_reading;

// block: NULL, no rows.
static alm_code visit_block(rows_reading *it, const Almanac__Internal__ObservationBlock *block,
                            alm_arena *arena, alm_status *st)
{
    alm_str *variants;
    size_t variant_count;
    alm_obs_columns rows;
    if (block == NULL) {
        return ALM_OK;
    }
    ALM_TRY(
        as_internal(alm_obs_block_columns(block, arena, &variants, &variant_count, &rows, st), st));
    ALM_TRY(keep_asked(it->reader, &it->filter, arena, &rows, st));
    return rows.count == 0 ? ALM_OK : it->visit(it->arg, variants, variant_count, &rows, st);
}

static alm_code visit_rows(void *arg, const ProtobufCMessage *message, alm_arena *arena,
                           alm_status *st)
{
    rows_reading *it = arg;
    const Almanac__Internal__ReadResponse *response =
        (const Almanac__Internal__ReadResponse *)message;
    ALM_TRY(
        alm_storage_reader_learn(it->reader, response->sequence, response->catalog_sequence, st));
    return visit_block(it, response->block, arena, st);
}

// One call of storage: its messages are visited as they come, each in an arena that is then reset.
typedef alm_code (*message_visit)(void *arg, const ProtobufCMessage *message, alm_arena *arena,
                                  alm_status *st);

static alm_code visit_stream(alm_stream *stream, message_visit visit, void *arg, alm_arena *arena,
                             alm_status *st)
{
    for (;;) {
        ProtobufCMessage *message;
        alm_arena_reset(arena);
        ALM_TRY(alm_stream_next(stream, arena, &message, st));
        if (message == NULL) {
            return ALM_OK;
        }
        ALM_TRY(visit(arg, message, arena, st));
    }
}

static alm_code call_storage(alm_storage_reader *reader, const char *method,
                             const ProtobufCMessage *request, message_visit visit, void *arg,
                             alm_status *st)
{
    alm_call_opts opts = {.parent = reader->call};
    alm_arena *arena = alm_arena_create(0);
    alm_stream *stream = NULL;
    alm_code code = arena == NULL ? no_memory(st)
                                  : alm_stream_open(reader->storage, &alm_service_storage, method,
                                                    &opts, request, &stream, st);
    if (code == ALM_OK) {
        code = visit_stream(stream, visit, arg, arena, st);
    }
    alm_stream_close(&stream);
    alm_arena_destroy(&arena);
    return code;
}

static alm_code read_places(rows_reading *it, const alm_fetch *fetch, alm_arena *arena,
                            alm_status *st)
{
    read_request request;
    ALM_TRY(make_request(it->reader, fetch, arena, &request, st));
    ALM_TRY(make_filter(it->reader, fetch, arena, &it->filter, st));
    return call_storage(it->reader, "Read", &request.base, visit_rows, it, st);
}

static alm_code read_rows(void *self, const alm_fetch *fetch, alm_row_visit visit, void *arg,
                          alm_status *st)
{
    rows_reading it = {.reader = self, .visit = visit, .arg = arg};
    alm_arena *arena = alm_arena_create(0);
    alm_code code = arena == NULL ? no_memory(st) : read_places(&it, fetch, arena, st);
    alm_arena_destroy(&arena);
    return code;
}

// --- totals --------------------------------------------------------------------------------------

// Is all of it what the catalogue knows?
static alm_code check_slice(const alm_storage_reader *reader, const alm_total_groups *groups,
                            const alm_slice_totals *slice, alm_status *st)
{
    size_t places = alm_place_tree_count(alm_catalog_places(reader->catalog));
    size_t sources = alm_catalog_source_count(reader->catalog);
    size_t runs = slice->missing_count;
    bool is_known = runs == 0 || slice->missing[runs - 1].to <= places;
    for (uint32_t g = 0; g < groups->group_count; g++) {
        const alm_total *total = &slice->totals[g];
        is_known &=
            total->present == 0 || total->source == ALM_SOURCE_NONE || total->source < sources;
    }
    return is_known ? ALM_OK
                    : alm_status_set(st, ALM_INTERNAL,
                                     "storage answered totals of places or sources that the "
                                     "catalogue does not have");
}

typedef struct totals_reading {
    alm_storage_reader *reader;
    const alm_total_groups *groups;
    alm_totals_visit visit;
    void *arg;
    rows_reading beside;
} totals_reading;

static alm_code visit_sums(void *arg, const ProtobufCMessage *message, alm_arena *arena,
                           alm_status *st)
{
    totals_reading *it = arg;
    const Almanac__Internal__SumsResponse *response =
        (const Almanac__Internal__SumsResponse *)message;
    alm_slice_totals *slices;
    size_t count;
    ALM_TRY(
        alm_storage_reader_learn(it->reader, response->sequence, response->catalog_sequence, st));
    ALM_TRY(as_internal(
        alm_slice_totals_read(response, it->groups->group_count, arena, &slices, &count, st), st));
    for (size_t i = 0; i < count; i++) {
        ALM_TRY(check_slice(it->reader, it->groups, &slices[i], st));
        ALM_TRY(it->visit(it->arg, &slices[i], st));
    }
    return visit_block(&it->beside, response->beside, arena, st);
}

static alm_code read_sums(totals_reading *it, const alm_fetch *fetch, const alm_read_beside *beside,
                          alm_arena *arena, alm_status *st)
{
    alm_fetch everywhere = *fetch;
    read_request read;
    read_request rows;
    Almanac__Internal__SumsRequest request = ALMANAC__INTERNAL__SUMS_REQUEST__INIT;
    everywhere.all_places = true; // the groups say which
    ALM_TRY(make_request(it->reader, &everywhere, arena, &read, st));
    ALM_TRY(alm_total_groups_write(it->groups, arena, &request, st));
    request.read = &read;
    if (beside != NULL) {
        it->beside =
            (rows_reading){.reader = it->reader, .visit = beside->visit, .arg = beside->arg};
        ALM_TRY(make_request(it->reader, &beside->fetch, arena, &rows, st));
        ALM_TRY(make_filter(it->reader, &beside->fetch, arena, &it->beside.filter, st));
        request.beside = &rows;
    }
    return call_storage(it->reader, "Sums", &request.base, visit_sums, it, st);
}

static alm_code read_totals(void *self, const alm_fetch *fetch, const alm_total_groups *groups,
                            alm_totals_visit visit, void *arg, const alm_read_beside *beside,
                            alm_status *st)
{
    totals_reading it = {.reader = self, .groups = groups, .visit = visit, .arg = arg};
    alm_arena *arena = alm_arena_create(0);
    alm_code code = arena == NULL ? no_memory(st) : read_sums(&it, fetch, beside, arena, st);
    alm_arena_destroy(&arena);
    return code;
}

static alm_code check_call(void *self, alm_status *st)
{
    const alm_storage_reader *reader = self;
    return alm_call_check(reader->call, st);
}

alm_row_reader alm_storage_row_reader(alm_storage_reader *reader)
{
    return (alm_row_reader){
        .self = reader, .read = read_rows, .check = check_call, .totals = read_totals};
}
