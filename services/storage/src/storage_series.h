// Which series there are: the part of Catalog that the store's index answers.
#ifndef STORAGE_SERIES_H
#define STORAGE_SERIES_H

#include "storage_service.h"

#include "almanac/v1/gateway.pb-c.h"

// What loads the service's catalogue; store is an alm_store.
alm_code storage_load_entries(void *store, const alm_call *parent, alm_catalog *catalog,
                              uint64_t *ret_sequence, alm_status *st);

// Do the words that ask for series stand in a request for something else?
//
// ALM_INVALID_ARGUMENT  yes; the field is named
ALM_MUST_USE alm_code storage_series_check_kind(const Almanac__V1__CatalogRequest *request,
                                                alm_status *st);

// Visits the series that the request asks for and that have a value, as SeriesInfo tells them. The
// request's words and limit are the visitor's to look at.
//
// ALM_INVALID_ARGUMENT    a word that is not known or malformed; field and value are named
// ALM_NOT_FOUND           an unknown place, indicator or theme; suggests the nearest
// ALM_DATA_LOSS           a record is damaged, or the catalogue does not build
// ALM_RESOURCE_EXHAUSTED  out of memory
ALM_MUST_USE alm_code storage_series_visit(storage_service *service,
                                           const Almanac__V1__CatalogRequest *request,
                                           alm_call *call, alm_series_visit visit, void *arg,
                                           alm_status *st);

#endif
