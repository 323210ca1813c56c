// A number for a set of rows that does not depend on their order: the sum of a hash of each. Two
// sets that differ have the same number once in 2^64.
#ifndef ALM_STORAGE_FINGERPRINT_H
#define ALM_STORAGE_FINGERPRINT_H

#include "alm/observation.h"

// The row's hash, of all that it says but its commit; variant is the store's id.
uint64_t alm_fingerprint(uint32_t variant, const alm_obs *row);

#endif
