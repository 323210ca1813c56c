// "Did you mean": the nearest of some words.
#ifndef ALM_CLI_NEAREST_H
#define ALM_CLI_NEAREST_H

#include "alm/str.h"

// How many single-character edits lead from a to b; words of up to 32 bytes, SIZE_MAX for longer
// ones.
size_t cli_distance(alm_str a, alm_str b);

// The nearest word of a list "a|b|c", or "" when none is near.
alm_str cli_nearest_of(alm_str word, const char *list);

#endif
