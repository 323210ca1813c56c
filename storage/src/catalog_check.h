// Whether a batch's entries and rows can stand with what is stored: codes and ids lead somewhere, a
// parent is of a higher level, and what must not change does not. Engines tell what is stored.
#ifndef ALM_STORAGE_CATALOG_CHECK_H
#define ALM_STORAGE_CATALOG_CHECK_H

#include "batch_check.h"
#include "entry.h"

static const alm_entry_kind alm_entry_kinds[] = {ALM_ENTRY_INDICATOR, ALM_ENTRY_PLACE,
                                                 ALM_ENTRY_SOURCE};

size_t alm_batch_entry_count(const alm_batch *batch, alm_entry_kind kind);
alm_entry alm_batch_entry(const alm_batch *batch, alm_entry_kind kind, size_t i); // i < count

// What an engine has stored.
typedef struct alm_stored_catalog {
    const void *arg;
    // The entry of that code. Its texts stay valid for the check; lists are in the arena.
    alm_code (*find)(const void *arg, alm_entry_kind kind, alm_str code, alm_arena *arena,
                     bool *ret_found, alm_entry *ret, alm_status *st);
    alm_code (*has_observations)(const void *arg, alm_str indicator, bool *ret, alm_status *st);
} alm_stored_catalog;

// ALM_INVALID_ARGUMENT     a code that leads nowhere, a parent that cannot be one
// ALM_FAILED_PRECONDITION  what must not change would
// ALM_RESOURCE_EXHAUSTED   no memory
ALM_MUST_USE alm_code alm_catalog_check(const alm_batch *batch, const alm_stored_catalog *stored,
                                        alm_arena *arena, alm_status *st);

// Once the batch's entries are stored: are there so many places and sources as its rows speak of,
// and the indicators of its variants?
//
// ALM_INVALID_ARGUMENT  no; names the row or the variant
ALM_MUST_USE alm_code alm_rows_check(const alm_checked_batch *batch, uint64_t place_count,
                                     uint64_t source_count, const alm_stored_catalog *stored,
                                     alm_arena *arena, alm_status *st);

#endif
