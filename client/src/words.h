// The codes of the wire as words. The numbers are the model's, which the client does not include; a
// test holds the two tables against each other (tests/client_words_test.c).
#ifndef ALM_WORDS_H
#define ALM_WORDS_H

#include "almanac.h"

#define ALM_QUALIFIER_WORD_COUNT    11u
#define ALM_STATUS_WORD_COUNT       13u
#define ALM_PACE_VERDICT_WORD_COUNT 5u

// Of a status number, asserted to be known.
char alm_status_word_letter(uint32_t number);

// Of enum numbers in catalogue entries; "" for unset and for a number of nobody's.
const char *alm_value_type_word(uint32_t number);  // "flow"
const char *alm_aggregation_word(uint32_t number); // "sum"
const char *alm_direction_word(uint32_t number);   // "up"
const char *alm_level_word(uint32_t number);       // "district"

#endif
