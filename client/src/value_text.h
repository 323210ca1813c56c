// The two halves of a value's text, for tables that align them.
#ifndef ALM_VALUE_TEXT_H
#define ALM_VALUE_TEXT_H

#include "almanac.h"

#define ALM_UNIT_HALF_MAX (ALMANAC_UNIT_TEXT_MAX + 2)

// "超 6,100" and "家"; "13%" and ""; "2" and "(100 million yuan)"; "—" and "". Buffers of
// ALMANAC_VALUE_TEXT_MAX and ALM_UNIT_HALF_MAX bytes.
void alm_value_halves(const almanac_row *row, almanac_lang lang, char *ret_number, char *ret_unit);

#endif
