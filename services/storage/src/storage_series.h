// Which series there are: the part of Catalog that the store's index answers.
#ifndef STORAGE_SERIES_H
#define STORAGE_SERIES_H

#include "storage_service.h"

#include "almanac/v1/gateway.pb-c.h"

// An alm_catalog_load; store is an alm_store. Errors of alm_store_visit_catalog, and ALM_CANCELLED
// or ALM_DEADLINE_EXCEEDED when nobody waits any more.
ALM_MUST_USE alm_code storage_load_entries(void *store, alm_call *call, alm_catalog *catalog,
                                           uint64_t *ret_sequence, alm_status *st);

// Do the words that ask for series stand in a request for something else?
//
// ALM_INVALID_ARGUMENT  yes; the field is named
ALM_MUST_USE alm_code storage_series_check_kind(const Almanac__V1__CatalogRequest *request,
                                                alm_status *st);

// Visits the series that the request asks for and that have a value, as SeriesInfo tells them: with
// every word in the variant's text, or the indicator's names, theme and aliases. The limit is the
// visitor's to look at.
//
// ALM_INVALID_ARGUMENT    a word that is not known or malformed; field and value are named
// ALM_NOT_FOUND           an unknown place, indicator or theme; suggests the nearest
// ALM_FAILED_PRECONDITION two indicators carry the name; names both
// ALM_DATA_LOSS           a record is damaged, or the catalogue does not build
// ALM_RESOURCE_EXHAUSTED  out of memory; more than ALM_QUERY_INDICATOR_COUNT_MAX indicators
ALM_MUST_USE alm_code storage_series_visit(storage_service *service,
                                           const Almanac__V1__CatalogRequest *request,
                                           alm_call *call, alm_series_visit visit, void *arg,
                                           alm_status *st);

#endif
