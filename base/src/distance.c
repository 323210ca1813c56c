#include "alm/distance.h"

size_t alm_edit_distance(alm_str a, alm_str b)
{
    if (a.len > ALM_DISTANCE_BYTES_MAX || b.len > ALM_DISTANCE_BYTES_MAX) {
        return SIZE_MAX;
    }
    size_t row[ALM_DISTANCE_BYTES_MAX + 1]; // of the usual table, one at a time
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t replaced = diagonal + (a.data[i - 1] == b.data[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = ALM_MIN(replaced, ALM_MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.len];
}
