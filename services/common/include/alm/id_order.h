// The order of ids: for qsort, and each once.
#ifndef ALM_ID_ORDER_H
#define ALM_ID_ORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// Of places, sources, indicators: all are numbered by uint32_t.
static inline int alm_id_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static inline bool alm_ids_ascend(const uint32_t *ids, size_t count)
{
    size_t i = 1;
    while (i < count && ids[i - 1] < ids[i]) {
        i++;
    }
    return i >= count;
}

// Sorts them, and leaves each once. Returns how many are left.
static inline size_t alm_ids_unique(uint32_t *ids, size_t count)
{
    size_t kept = 0;
    if (!alm_ids_ascend(ids, count)) {
        qsort(ids, count, sizeof *ids, alm_id_order);
    }
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || ids[i] != ids[kept - 1]) {
            ids[kept++] = ids[i];
        }
    }
    return kept;
}

#endif
