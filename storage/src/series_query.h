// What a question for series asks for, as questions an engine can put to its variants. Pure.
#ifndef ALM_STORAGE_SERIES_QUERY_H
#define ALM_STORAGE_SERIES_QUERY_H

#include "alm/store.h"

// What a variant's text says, as far as series are looked for by it. Views the text.
typedef struct alm_variant_parts {
    alm_str text, indicator;
    alm_str breakdowns; // "_T", or "a=b+c=d"
    alm_freq freq;
    alm_accumulation accumulation;
    alm_measure measure;
} alm_variant_parts;

// ALM_DATA_LOSS: not a canonical text
ALM_MUST_USE alm_code alm_variant_parts_of(alm_str text, alm_variant_parts *ret, alm_status *st);

// By all but indicator, theme and places.
bool alm_series_query_wants(const alm_series_query *query, const alm_variant_parts *parts);
// By its code alone.
bool alm_series_query_wants_indicator(const alm_series_query *query, alm_str code);

#endif
