// "Did you mean": the nearest of some words.
#ifndef ALM_CLI_NEAREST_H
#define ALM_CLI_NEAREST_H

#include "alm/str.h"

// The nearest word of a list "a|b|c", or "" when none is near.
alm_str cli_nearest_of(alm_str word, const char *list);

#endif
