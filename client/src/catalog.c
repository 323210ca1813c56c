#include "client.h"
#include "words.h"

#include "alm/alloc.h"

#include "almanac/v1/gateway.pb-c.h"

struct almanac_catalog {
    alm_feed feed;
    almanac_catalog_kind kind;
    const Almanac__V1__CatalogResponse *page; // the one that is being read; NULL before the first
    size_t at;                                // its next entry
    almanac_entry entry;                      // the one handed out
};

static alm_code open_catalog(almanac_client *client, const almanac_catalog_query *query,
                             almanac_catalog **ret_catalog, alm_status *st)
{
    almanac_catalog *catalog = alm_calloc(1, sizeof *catalog);
    if (catalog == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "catalog: out of memory");
    }
    catalog->kind = query->kind;
    Almanac__V1__CatalogRequest request;
    almanac__v1__catalog_request__init(&request);
    request.kind = (Almanac__V1__CatalogKind)query->kind;
    request.words = alm_client_text(query->words);
    request.limit = query->limit;
    request.places = alm_client_text(query->places);
    request.indicators = alm_client_texts(query->indicators);
    request.n_indicators = query->indicator_count;
    request.theme = alm_client_text(query->theme);
    request.measure = alm_client_text(query->measure);
    request.breakdown = alm_client_text(query->breakdown);
    request.accumulation = alm_client_text(query->accumulation);
    request.frequency = alm_client_text(query->frequency);
    alm_code code = alm_feed_open(client, "Catalog", 0, &request.base, &catalog->feed, st);
    if (code != ALM_OK) {
        alm_free(catalog);
        return code;
    }
    *ret_catalog = catalog;
    return ALM_OK;
}

almanac_code almanac_catalog_open(almanac_client *client, const almanac_catalog_query *query,
                                  almanac_catalog **ret_catalog, almanac_error *error)
{
    alm_status st = ALM_STATUS_INIT;
    return alm_client_answer(open_catalog(client, query, ret_catalog, &st), &st, error);
}

static size_t page_size(const almanac_catalog *catalog)
{
    const Almanac__V1__CatalogResponse *page = catalog->page;
    if (page == NULL) {
        return 0;
    }
    switch (catalog->kind) {
    case ALMANAC_CATALOG_INDICATORS:
        return page->n_indicators;
    case ALMANAC_CATALOG_PLACES:
        return page->n_places;
    case ALMANAC_CATALOG_SOURCES:
        return page->n_sources;
    case ALMANAC_CATALOG_SERIES:
        return page->n_series;
    case ALMANAC_CATALOG_QUARANTINE:
        return page->n_quarantine;
    }
    return 0;
}

static almanac_indicator indicator_of(const Almanac__V1__Indicator *m)
{
    return (almanac_indicator){.code = m->code,
                               .name_zh = m->name_zh,
                               .name_en = m->name_en,
                               .unit = m->unit,
                               .value_type = alm_value_type_word((uint32_t)m->value_type),
                               .over_places = alm_aggregation_word((uint32_t)m->over_places),
                               .over_time = alm_aggregation_word((uint32_t)m->over_time),
                               .direction = alm_direction_word((uint32_t)m->direction),
                               .theme = m->theme,
                               .numerator = m->numerator,
                               .denominator = m->denominator,
                               .definition = m->definition,
                               .formula = m->formula,
                               .aliases = (const char *const *)m->aliases,
                               .alias_count = m->n_aliases};
}

static almanac_place place_of(const Almanac__V1__Place *m)
{
    return (almanac_place){.code = m->code,
                           .name_zh = m->name_zh,
                           .name_en = m->name_en,
                           .level = alm_level_word((uint32_t)m->level),
                           .parent = m->parent,
                           .valid_from = m->valid_from,
                           .valid_to = m->valid_to,
                           .successors = (const char *const *)m->successors,
                           .successor_count = m->n_successors,
                           .aliases = (const char *const *)m->aliases,
                           .alias_count = m->n_aliases};
}

static almanac_source source_of(const Almanac__V1__Source *m)
{
    return (almanac_source){.code = m->code,
                            .title = m->title,
                            .publisher = m->publisher,
                            .published = m->published,
                            .address = m->address,
                            .note = m->note,
                            .precedence = m->precedence};
}

static almanac_series series_of(const Almanac__V1__SeriesInfo *m)
{
    return (almanac_series){.variant = m->variant,
                            .place_count = m->place_count,
                            .cell_count = m->cell_count,
                            .first_period = m->first_period,
                            .last_period = m->last_period};
}

static almanac_quarantined quarantined_of(const Almanac__V1__QuarantinedRow *m)
{
    return (almanac_quarantined){.batch_id = m->batch_id,
                                 .file_name = m->file_name,
                                 .field = m->field,
                                 .reason = m->reason,
                                 .at = m->at,
                                 .row = m->row,
                                 .column = m->column,
                                 .record = m->record.data,
                                 .record_size = m->record.len};
}

static almanac_entry entry_of(const almanac_catalog *catalog, size_t i)
{
    const Almanac__V1__CatalogResponse *page = catalog->page;
    almanac_entry entry = {.kind = catalog->kind};
    switch (catalog->kind) {
    case ALMANAC_CATALOG_INDICATORS:
        entry.as.indicator = indicator_of(page->indicators[i]);
        break;
    case ALMANAC_CATALOG_PLACES:
        entry.as.place = place_of(page->places[i]);
        break;
    case ALMANAC_CATALOG_SOURCES:
        entry.as.source = source_of(page->sources[i]);
        break;
    case ALMANAC_CATALOG_SERIES:
        entry.as.series = series_of(page->series[i]);
        break;
    case ALMANAC_CATALOG_QUARANTINE:
        entry.as.quarantined = quarantined_of(page->quarantine[i]);
        break;
    }
    return entry;
}

static alm_code next_entry(almanac_catalog *catalog, const almanac_entry **ret_entry,
                           alm_status *st)
{
    while (catalog->at == page_size(catalog)) {
        catalog->page = NULL;
        catalog->at = 0;
        alm_arena_reset(catalog->feed.arena);
        ProtobufCMessage *message = NULL;
        ALM_TRY(alm_feed_next(&catalog->feed, &message, st));
        if (message == NULL) {
            *ret_entry = NULL;
            return ALM_OK;
        }
        catalog->page = (const Almanac__V1__CatalogResponse *)message;
    }
    catalog->entry = entry_of(catalog, catalog->at++);
    *ret_entry = &catalog->entry;
    return ALM_OK;
}

almanac_code almanac_catalog_next(almanac_catalog *catalog, const almanac_entry **ret_entry,
                                  almanac_error *error)
{
    alm_status st = ALM_STATUS_INIT;
    return alm_client_answer(next_entry(catalog, ret_entry, &st), &st, error);
}

void almanac_catalog_close(almanac_catalog **catalog)
{
    if (*catalog == NULL) {
        return;
    }
    alm_feed_close(&(*catalog)->feed);
    alm_free(*catalog);
    *catalog = NULL;
}
