// A small almanac: some of Changning District's year 2023, as canned answers for the command line.
#ifndef ALM_EXAMPLE_H
#define ALM_EXAMPLE_H

#include "fake_gateway.h"

// Sets every answer of the gateway; what it points to is static.
void example_fill(fake_gateway *gateway);

#endif
