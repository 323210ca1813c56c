// Looking through the catalogue for words.
#ifndef STORAGE_SEARCH_H
#define STORAGE_SEARCH_H

#include "alm/store.h"

#include "search_index.h"

// Do the texts hold every word, each any of them? ASCII letters in any case. words: separated by
// white space (U+3000 too); none: everything matches.
bool search_texts(alm_str words, const alm_str *texts, size_t count);
// Are there any words?
bool search_has_words(alm_str words);

// The catalogue's entries by what their texts hold, as of its newest change: what changed is taken
// in when it is asked. May be shared by threads.
typedef struct search_catalog search_catalog;
search_catalog *search_catalog_create(alm_store *store); // NULL: no memory; borrows the store
void search_catalog_destroy(search_catalog **search);

typedef enum search_kind {
    SEARCH_INDICATORS,
    SEARCH_PLACES,
    SEARCH_SOURCES,
    SEARCH_KIND_COUNT
} search_kind;

// Ids of the entries that hold every word, the best first (search_index.h); in the arena.
ALM_MUST_USE alm_code search_catalog_find(search_catalog *search, search_kind kind, alm_str words,
                                          alm_arena *arena, uint32_t **ret, size_t *ret_count,
                                          alm_status *st);

#endif
