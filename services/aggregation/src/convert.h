// Values brought to one unit, with the interval they stand for.
#ifndef ALM_CONVERT_H
#define ALM_CONVERT_H

#include "alm/value.h"

// The number of a value in another unit: exact where a decimal can hold it, else rounded six digits
// past the last published one. A bound ("over") then gives way by one in the last of them, so that
// it stays true.
//
// ALM_INVALID_ARGUMENT  the units do not convert
// ALM_OUT_OF_RANGE      the number does not fit
ALM_MUST_USE alm_code alm_number_in_unit(const alm_value *value, alm_unit to, alm_decimal *ret,
                                         alm_status *st);

// The interval of the value as published, in another unit; the units convert (asserted).
alm_interval alm_interval_in_unit(const alm_value *value, alm_unit to);

// The unit values of a measure are compared in: the indicator's own for amounts, percent for
// ratios, and so on. False: values of the measure have no common unit.
bool alm_measure_common_unit(alm_measure measure, alm_unit indicator, alm_unit *ret);

#endif
