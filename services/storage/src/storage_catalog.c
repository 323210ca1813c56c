// LoadCatalog and Catalog: entries to messages, a page at a time.
#include "storage_series.h"

#include "alm/wire.h"

#include "almanac/v1/gateway.pb-c.h"

// Entries of one message: at most 64 KiB each by the limits of names and texts, most below 200
// bytes.
#define PAGE_ENTRY_COUNT 1024
#define PAGE_BYTES       ((size_t)1 << 20)

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the catalogue");
}

// A page while it fills. All of one kind, whose messages the send function knows.
typedef struct page {
    void *entries[PAGE_ENTRY_COUNT];
    size_t count;
    size_t bytes; // packed
} page;

typedef struct catalog_stream {
    storage_service *service;
    alm_call *call;
    alm_arena *arena; // as long as one page
    page page;
    Almanac__V1__CatalogKind kind; // of the page's entries
    bool is_load;                  // LoadCatalog, not Catalog
    uint64_t catalog_sequence;
    alm_str words;
    uint32_t left; // of the limit
    bool has_more; // the limit left entries out
    bool is_over;  // the next message is the last
    uint64_t sent; // messages
} catalog_stream;

// --- pages ---------------------------------------------------------------------------------------

static alm_code send_load_page(catalog_stream *s, alm_status *st)
{
    Almanac__Internal__LoadCatalogResponse response =
        ALMANAC__INTERNAL__LOAD_CATALOG_RESPONSE__INIT;
    response.catalog_sequence = s->catalog_sequence;
    switch (s->kind) {
    case ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_INDICATORS:
        response.indicators = (Almanac__V1__Indicator **)s->page.entries;
        response.n_indicators = s->page.count;
        break;
    case ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_PLACES:
        response.places = (Almanac__V1__Place **)s->page.entries;
        response.n_places = s->page.count;
        break;
    default:
        response.sources = (Almanac__V1__Source **)s->page.entries;
        response.n_sources = s->page.count;
        break;
    }
    return alm_call_send(s->call, &response.base, st);
}

static alm_code send_catalog_page(catalog_stream *s, alm_status *st)
{
    Almanac__V1__CatalogResponse response = ALMANAC__V1__CATALOG_RESPONSE__INIT;
    response.has_more = s->is_over && s->has_more;
    switch (s->kind) {
    case ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_INDICATORS:
        response.indicators = (Almanac__V1__Indicator **)s->page.entries;
        response.n_indicators = s->page.count;
        break;
    case ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_PLACES:
        response.places = (Almanac__V1__Place **)s->page.entries;
        response.n_places = s->page.count;
        break;
    case ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_SOURCES:
        response.sources = (Almanac__V1__Source **)s->page.entries;
        response.n_sources = s->page.count;
        break;
    case ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_SERIES:
        response.series = (Almanac__V1__SeriesInfo **)s->page.entries;
        response.n_series = s->page.count;
        break;
    default:
        response.quarantine = (Almanac__V1__QuarantinedRow **)s->page.entries;
        response.n_quarantine = s->page.count;
        break;
    }
    return alm_call_send(s->call, &response.base, st);
}

static alm_code flush(catalog_stream *s, alm_status *st)
{
    if (s->page.count == 0 && !(s->is_over && s->has_more)) {
        return ALM_OK;
    }
    alm_code code = s->is_load ? send_load_page(s, st) : send_catalog_page(s, st);
    s->sent++;
    s->page.count = 0;
    s->page.bytes = 0;
    alm_arena_reset(s->arena);
    return code;
}

// Before an entry is made: its memory belongs to the page it goes into.
static alm_code make_room(catalog_stream *s, Almanac__V1__CatalogKind kind, alm_status *st)
{
    if (s->kind != kind || s->page.count == PAGE_ENTRY_COUNT || s->page.bytes >= PAGE_BYTES) {
        ALM_TRY(flush(s, st));
    }
    s->kind = kind;
    return ALM_OK;
}

static void add(catalog_stream *s, ProtobufCMessage *message)
{
    s->page.bytes += protobuf_c_message_get_packed_size(message);
    s->page.entries[s->page.count++] = message;
}

// Ends a visit early without failing it: the limit is reached, see has_more.
static alm_code take_one(catalog_stream *s)
{
    if (s->left == 0) {
        s->has_more = true;
        return ALM_OUT_OF_RANGE;
    }
    s->left--;
    return ALM_OK;
}

// --- entries -------------------------------------------------------------------------------------

static alm_code visit_indicator(void *arg, uint32_t id, const alm_indicator *entry, alm_status *st)
{
    catalog_stream *s = arg;
    Almanac__V1__Indicator *message;
    (void)id;
    ALM_TRY(take_one(s));
    ALM_TRY(make_room(s, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_INDICATORS, st));
    ALM_TRY(alm_indicator_to_proto(entry, s->arena, &message, st));
    add(s, &message->base);
    return ALM_OK;
}

static alm_code visit_place(void *arg, alm_place_id id, const alm_place *entry, alm_status *st)
{
    catalog_stream *s = arg;
    Almanac__V1__Place *message;
    (void)id;
    ALM_TRY(take_one(s));
    ALM_TRY(make_room(s, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_PLACES, st));
    ALM_TRY(alm_place_to_proto(entry, s->arena, &message, st));
    add(s, &message->base);
    return ALM_OK;
}

static alm_code visit_source(void *arg, uint32_t id, const alm_source *entry, alm_status *st)
{
    catalog_stream *s = arg;
    Almanac__V1__Source *message;
    (void)id;
    ALM_TRY(take_one(s));
    ALM_TRY(make_room(s, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_SOURCES, st));
    ALM_TRY(alm_source_to_proto(entry, s->arena, &message, st));
    add(s, &message->base);
    return ALM_OK;
}

// --- series --------------------------------------------------------------------------------------

static alm_code visit_series(void *arg, const alm_series_info *info, alm_status *st)
{
    catalog_stream *s = arg;
    char label[ALM_PERIOD_TEXT_MAX];
    ALM_TRY(take_one(s));
    ALM_TRY(make_room(s, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_SERIES, st));
    Almanac__V1__SeriesInfo *message = alm_arena_alloc(s->arena, sizeof *message);
    if (message == NULL) {
        return no_memory(st);
    }
    almanac__v1__series_info__init(message);
    message->variant = alm_arena_strdup(s->arena, info->variant);
    message->place_count = info->place_count;
    message->cell_count = info->cell_count;
    alm_period_format(info->first, label);
    message->first_period = alm_arena_strdup(s->arena, alm_str_from(label));
    alm_period_format(info->last, label);
    message->last_period = alm_arena_strdup(s->arena, alm_str_from(label));
    if (message->variant == NULL || message->first_period == NULL || message->last_period == NULL) {
        return no_memory(st);
    }
    add(s, &message->base);
    return ALM_OK;
}

// --- quarantine ----------------------------------------------------------------------------------

static alm_code visit_quarantined(void *arg, const alm_quarantined *row, alm_status *st)
{
    catalog_stream *s = arg;
    char at[ALM_TIMESTAMP_MAX];
    alm_str texts[] = {row->batch_id, row->file_name, row->field, row->reason};
    if (!search_texts(s->words, texts, ALM_ARRAY_LEN(texts))) {
        return ALM_OK;
    }
    ALM_TRY(take_one(s));
    ALM_TRY(make_room(s, ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_QUARANTINE, st));
    Almanac__V1__QuarantinedRow *message = alm_arena_alloc(s->arena, sizeof *message);
    if (message == NULL) {
        return no_memory(st);
    }
    almanac__v1__quarantined_row__init(message);
    alm_clock_format_rfc3339(row->at_us, at);
    message->batch_id = alm_arena_strdup(s->arena, row->batch_id);
    message->file_name = alm_arena_strdup(s->arena, row->file_name);
    message->row = row->row;
    message->column = row->column;
    message->field = alm_arena_strdup(s->arena, row->field);
    message->reason = alm_arena_strdup(s->arena, row->reason);
    message->record.data = (uint8_t *)alm_arena_strdup(s->arena, row->record);
    message->record.len = row->record.len;
    message->at = alm_arena_strdup(s->arena, alm_str_from(at));
    if (message->batch_id == NULL || message->file_name == NULL || message->field == NULL ||
        message->reason == NULL || message->record.data == NULL || message->at == NULL) {
        return no_memory(st);
    }
    add(s, &message->base);
    return ALM_OK;
}

// --- the two methods -----------------------------------------------------------------------------

static alm_code stream_open(catalog_stream *s, storage_service *service, alm_call *call,
                            alm_status *st)
{
    s->service = service;
    s->call = call;
    s->left = UINT32_MAX;
    s->arena = alm_arena_create(0);
    return s->arena != NULL ? ALM_OK : no_memory(st);
}

static alm_code send_all_entries(catalog_stream *s, alm_status *st)
{
    alm_catalog_visitor visitor = {
        .arg = s, .indicator = visit_indicator, .place = visit_place, .source = visit_source};
    ALM_TRY(alm_store_visit_catalog(s->service->store, &visitor, &s->catalog_sequence, st));
    ALM_TRY(flush(s, st));
    return s->sent == 0 ? send_load_page(s, st) : ALM_OK;
}

static alm_code load_catalog(catalog_stream *s, uint64_t known_sequence, alm_status *st)
{
    alm_store_stats stats;
    ALM_TRY(alm_store_stats_get(s->service->store, &stats, st));
    if (known_sequence != 0 && known_sequence == stats.catalog_sequence) {
        s->catalog_sequence = stats.catalog_sequence;
        return send_load_page(s, st);
    }
    return send_all_entries(s, st);
}

alm_code storage_load_catalog(void *self, alm_call *call, const ProtobufCMessage *message,
                              alm_status *st)
{
    const Almanac__Internal__LoadCatalogRequest *request =
        (const Almanac__Internal__LoadCatalogRequest *)message;
    catalog_stream s = {.is_load = true};
    ALM_TRY(stream_open(&s, self, call, st));
    alm_code code = load_catalog(&s, request->known_sequence, st);
    alm_arena_destroy(&s.arena);
    return code;
}

// All entries of a kind, or those that hold the words, the best first; a page of them at a time.
static alm_code visit_entries(catalog_stream *s, search_kind kind,
                              const alm_catalog_visitor *visitor, alm_arena *found, alm_status *st)
{
    uint32_t *ids;
    size_t count;
    alm_store *store = s->service->store;
    if (!search_has_words(s->words)) {
        return alm_store_visit_catalog(store, visitor, NULL, st);
    }
    ALM_TRY(search_catalog_find(s->service->search, kind, s->words, found, &ids, &count, st));
    for (size_t from = 0; from < count; from += PAGE_ENTRY_COUNT) {
        size_t n = ALM_MIN(count - from, (size_t)PAGE_ENTRY_COUNT);
        ALM_TRY(alm_store_visit_entries(store, ids + from, n, visitor, st));
    }
    return ALM_OK;
}

static alm_code send_entries(catalog_stream *s, search_kind kind,
                             const alm_catalog_visitor *visitor, alm_status *st)
{
    alm_arena *found = alm_arena_create(0);
    alm_code code = found == NULL ? no_memory(st) : visit_entries(s, kind, visitor, found, st);
    alm_arena_destroy(&found);
    return code;
}

static alm_code visit_kind(catalog_stream *s, const Almanac__V1__CatalogRequest *request,
                           alm_status *st)
{
    alm_store *store = s->service->store;
    alm_catalog_visitor visitor = {.arg = s};
    if (request->kind != ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_SERIES) {
        ALM_TRY(storage_series_check_kind(request, st));
    }
    switch ((int)request->kind) {
    case ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_INDICATORS:
        visitor.indicator = visit_indicator;
        return send_entries(s, SEARCH_INDICATORS, &visitor, st);
    case ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_PLACES:
        visitor.place = visit_place;
        return send_entries(s, SEARCH_PLACES, &visitor, st);
    case ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_SOURCES:
        visitor.source = visit_source;
        return send_entries(s, SEARCH_SOURCES, &visitor, st);
    case ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_SERIES:
        return storage_series_visit(s->service, request, s->call, visit_series, s, st);
    case ALMANAC__V1__CATALOG_KIND__CATALOG_KIND_QUARANTINE:
        return alm_store_visit_quarantine(store, visit_quarantined, s, st);
    default:
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "kind", "%d is no kind of catalogue",
                                    (int)request->kind);
    }
}

alm_code storage_catalog(void *self, alm_call *call, const ProtobufCMessage *message,
                         alm_status *st)
{
    const Almanac__V1__CatalogRequest *request = (const Almanac__V1__CatalogRequest *)message;
    catalog_stream s = {.words = alm_str_from(request->words)};
    ALM_TRY(stream_open(&s, self, call, st));
    s.left = request->limit != 0 ? request->limit : UINT32_MAX;
    alm_code code = visit_kind(&s, request, st);
    if (code == ALM_OK || (code == ALM_OUT_OF_RANGE && s.has_more)) {
        s.is_over = true;
        code = flush(&s, st);
    }
    alm_arena_destroy(&s.arena);
    return code;
}
