// Which column of a file holds what, by the names in its first record.
#ifndef ALM_INGESTION_HEADER_H
#define ALM_INGESTION_HEADER_H

#include "columns.h"

#include "alm/arena.h"
#include "alm/status.h"

typedef struct header {
    size_t column_count;
    const alm_str *names;            // by column, trimmed, as in the file
    int column_of[COLUMN_COUNT_MAX]; // by field: index of its column, or -1
} header;

// names: the header's cells as UTF-8, borrowed. given: bit (1 << field) for every field that has a
// default instead of a column.
//
// ALM_INVALID_ARGUMENT  an unknown column (the nearest known name is suggested), one without a
//                       name, one named twice, a required one that is neither there nor given
ALM_MUST_USE alm_code header_map(const column_set *set, const alm_str *names, size_t name_count,
                                 uint32_t given, alm_arena *arena, header *ret, alm_status *st);

#endif
