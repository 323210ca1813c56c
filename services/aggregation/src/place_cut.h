// Which questions are cut by places, so that several workers answer one indicator.
#ifndef ALM_PLACE_CUT_H
#define ALM_PLACE_CUT_H

#include "query_plan.h"

// How many places go into a fragment; 0: the question is not to be cut.
//
// It is cut where it has more than ALM_PLACE_CUT_CELLS_MIN cells by estimate, and its slices,
// answered apart, are the answer to the bit: rows are told in the order of places, all of them;
// what a row is of follows of its own place; no missing cell is told one by one; and no transform
// fails for one frequency or accumulation alone, since what fails is known of all rows only. The
// number of workers does not matter, so neither limits nor answers depend on it.
size_t alm_place_cut(const alm_query_plan *plan);

#define ALM_PLACE_CUT_CELLS_MIN 50000
#define ALM_PLACE_CUT_CELLS     32768 // of a fragment

#endif
