// Values brought to one unit, with the interval they stand for.
#ifndef ALM_CONVERT_H
#define ALM_CONVERT_H

#include "alm/value.h"

// The interval of the value as published, in another unit; the units convert (asserted).
alm_interval alm_interval_in_unit(const alm_value *value, alm_unit to);

// The unit values of a measure are compared in: the indicator's own for amounts, percent for
// ratios, and so on. False: values of the measure have no common unit.
bool alm_measure_common_unit(alm_measure measure, alm_unit indicator, alm_unit *ret);

#endif
