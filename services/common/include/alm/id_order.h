// The order of ids, for qsort.
#ifndef ALM_ID_ORDER_H
#define ALM_ID_ORDER_H

#include <stdint.h>

// Of places, sources, indicators: all are numbered by uint32_t.
static inline int alm_id_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

#endif
