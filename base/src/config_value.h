// The text of an option's value, read by its type.
#ifndef ALM_CONFIG_VALUE_H
#define ALM_CONFIG_VALUE_H

#include "alm/config.h"

// label says where the text came from ("--port", "ALMANAC_PORT", "a.conf:3: port") and opens the
// message. *ret_number is 0 for text and 0 or 1 for a bool.
//
// ALM_INVALID_ARGUMENT  not of the type, or not within [min, max]
ALM_MUST_USE alm_code alm_option_read(const alm_option *option, alm_str text, const char *label,
                                      int64_t *ret_number, alm_status *st);

#endif
