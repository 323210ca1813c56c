// "Did you mean": the nearest of many words, one offered at a time. Internal to model/.
//
// The cost is bounded: words of more than NEAREST_LEN_MAX code points find nothing, and nearly all
// candidates are turned away by their length or by the letters they hold.
#ifndef ALM_MODEL_NEAREST_H
#define ALM_MODEL_NEAREST_H

#include "alm/str.h"

#define NEAREST_LEN_MAX 48 // code points

typedef struct nearest {
    uint32_t word[NEAREST_LEN_MAX]; // code points, ASCII letters in lower case
    size_t len;                     // 0: nothing will be found
    uint64_t letters;               // which letters the word holds, one bit each
    size_t limit;                   // a candidate further away than this is not near
    uint32_t tag;                   // of the best so far
    alm_str best;                   // empty: none so far
    size_t best_distance;
    size_t best_prefix; // code points in common at the front; decides between equal distances
} nearest;

nearest nearest_of(alm_str word);

// candidate must outlive n; tag is the caller's. The first of several equally near ones stays.
void nearest_offer(nearest *n, alm_str candidate, uint32_t tag);

#endif
