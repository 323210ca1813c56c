// Entries of one kind by what their texts hold: every two characters that stand side by side in a
// text lead to the entries that hold them, so that a part of a name in any language is found
// without a dictionary. Pure; not for several threads at once.
//
// Texts and words are compared as NFKC with case folded: "ＧＤＰ" is "gdp", U+3000 a space.
#ifndef STORAGE_SEARCH_INDEX_H
#define STORAGE_SEARCH_INDEX_H

#include "alm/arena.h"
#include "alm/status.h"

typedef struct search_index search_index;

search_index *search_index_create(void); // NULL: no memory
void search_index_destroy(search_index **index);

// Says what an entry's texts are; may change what was said before. An entry that did not change
// costs a comparison.
//
// ALM_RESOURCE_EXHAUSTED  no memory; the entry is as it was
ALM_MUST_USE alm_code search_index_put(search_index *index, uint32_t id, const alm_str *texts,
                                       size_t count, alm_status *st);

// How a word is met: the text is it, begins with it, has it where a word begins, or anywhere.
typedef enum search_rank {
    SEARCH_EXACT,
    SEARCH_PREFIX,
    SEARCH_WORD_START,
    SEARCH_INSIDE,
    SEARCH_NONE
} search_rank;

typedef struct search_hit {
    uint32_t id;
    uint32_t rank; // added up over the words
    uint32_t len;  // of the texts that they were met in
} search_hit;

// Entries that hold every word, each in any of their texts: better ranks first, then shorter texts,
// then lower ids. Words are separated by white space; none: no entry. In the arena.
//
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code search_index_find(search_index *index, alm_str words, alm_arena *arena,
                                        search_hit **ret, size_t *ret_count, alm_status *st);

typedef struct search_index_size {
    size_t entries, pairs, postings, bytes;
} search_index_size;
search_index_size search_index_measure(const search_index *index);

#endif
