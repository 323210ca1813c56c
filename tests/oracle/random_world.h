// Worlds and questions of a seed: a small tree with places that begin and end, indicators of every
// kind, series of several frequencies with gaps, revisions, withdrawals and qualifiers.
#ifndef ALM_TESTS_RANDOM_WORLD_H
#define ALM_TESTS_RANDOM_WORLD_H

#include "test_examples.h"

void random_world(world *w, world_random *random);

// A question in the words of test_world.h.
void random_question(const world *w, world_random *random, char *out, size_t size);

#endif
