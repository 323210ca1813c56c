// How far apart two short words are, for "did you mean".
#ifndef ALM_DISTANCE_H
#define ALM_DISTANCE_H

#include "alm/str.h"

#define ALM_DISTANCE_BYTES_MAX 48 // of a word

// How many bytes must be put in, taken out or replaced to make b of a; SIZE_MAX when one of them
// has more than ALM_DISTANCE_BYTES_MAX bytes.
size_t alm_edit_distance(alm_str a, alm_str b);

#endif
