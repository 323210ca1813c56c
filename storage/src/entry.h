// Catalogue entries as bytes: one form for each entry, so that equal bytes mean an equal entry.
//
//   u8 version; then the entry's fields in the order of the struct: texts as varint length and
//   bytes, dates as u32, numbers as u8 or signed varint, lists as varint count and texts
#ifndef ALM_STORAGE_ENTRY_H
#define ALM_STORAGE_ENTRY_H

#include "alm/buf.h"
#include "alm/catalog.h"
#include "alm/store.h"

// X(NAME, number, word). Numbers are stored on disk: never reuse one.
#define ALM_ENTRY_KIND_MAP(X)                                                                      \
    X(INDICATOR, 1, "indicator")                                                                   \
    X(PLACE, 2, "place")                                                                           \
    X(SOURCE, 3, "source")
typedef enum alm_entry_kind {
#define ALM_ENTRY_KIND_ENUM(name, number, word) ALM_ENTRY_##name = number,
    ALM_ENTRY_KIND_MAP(ALM_ENTRY_KIND_ENUM)
#undef ALM_ENTRY_KIND_ENUM
} alm_entry_kind;
const char *alm_entry_kind_word(alm_entry_kind kind);

// One entry of any kind.
typedef struct alm_entry {
    alm_entry_kind kind;
    union {
        alm_indicator indicator;
        alm_place place;
        alm_source source;
    };
} alm_entry;
// The one kind that the visitor has a function for.
alm_entry_kind alm_entry_kind_visited(const alm_catalog_visitor *visitor);
alm_str alm_entry_code(const alm_entry *entry);

// Appends; a full buffer shows in out->failed.
void alm_entry_encode(const alm_entry *entry, alm_buf *out);

// Views the bytes; lists are in the arena.
//
// ALM_DATA_LOSS           malformed
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_entry_decode(alm_str bytes, alm_entry_kind kind, alm_arena *arena,
                                       alm_entry *ret, alm_status *st);

#endif
