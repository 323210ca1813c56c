// Does an entry hold every word? ASCII letters in any case. Pure.
#ifndef STORAGE_SEARCH_H
#define STORAGE_SEARCH_H

#include "alm/catalog.h"

// words: separated by white space (U+3000 too); none: everything matches. Each word must occur in
// one of the texts, not all in the same.
bool search_texts(alm_str words, const alm_str *texts, size_t count);

bool search_indicator(alm_str words, const alm_indicator *entry);
bool search_place(alm_str words, const alm_place *entry);
bool search_source(alm_str words, const alm_source *entry);

#endif
