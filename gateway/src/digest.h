// Tells two answers of workers apart without keeping them.
#ifndef ALM_GATEWAY_DIGEST_H
#define ALM_GATEWAY_DIGEST_H

#include "almanac/v1/gateway.pb-c.h"

// The digest of the messages so far, with one more. Starts at 0. Takes in how many rows a message
// has, what they are of, their numbers and their texts, and the errors; a worker's columns may be
// of any length.
uint64_t digest_add(uint64_t digest, const Almanac__V1__QueryResponse *message);

#endif
