// From words to numbers: a chained hash of (word, number) pairs that may hold a word many times.
// Words are views and must outlive the index. Internal to model/.
//
// The hash is over ASCII lower case, so that one index serves exact and case-blind look-ups.
#ifndef ALM_MODEL_NAME_INDEX_H
#define ALM_MODEL_NAME_INDEX_H

#include "alm/assert.h"
#include "alm/str.h"

typedef struct name_entry name_entry;

// Start with {0}.
typedef struct name_index {
    name_entry *entries;
    uint32_t *heads; // the newest entry of each bucket
    size_t entry_count;
    size_t entry_cap;
    size_t head_count; // 0 or a power of two, at least entry_cap
} name_index;

void name_index_deinit(name_index *index);

// Makes room for count entries in all. False: out of memory, nothing changed.
ALM_MUST_USE bool name_index_reserve(name_index *index, size_t count);

// As the last of its word. False: out of memory, nothing changed. Never fails within a reserved
// count.
ALM_MUST_USE bool name_index_add(name_index *index, alm_str word, uint32_t number);

// Takes the last one added back.
void name_index_pop(name_index *index);

#define NAME_INDEX_END UINT32_MAX

// Walks the entries of a word, the last added first:
//   for (uint32_t at = NAME_INDEX_END; name_index_next(&index, word, nocase, &at, &number);)
bool name_index_next(const name_index *index, alm_str word, bool nocase, uint32_t *at,
                     uint32_t *ret_number);

// The number of a word, by its exact bytes. False: unknown.
bool name_index_find(const name_index *index, alm_str word, uint32_t *ret_number);

#endif
