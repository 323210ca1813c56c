#include "convert.h"

alm_interval alm_interval_in_unit(const alm_value *value, alm_unit to)
{
    alm_interval interval = alm_value_interval(value);
    if (alm_unit_eq(value->unit, to)) {
        return interval;
    }
    return alm_interval_scale(interval, alm_unit_factor(value->unit, to));
}

bool alm_measure_common_unit(alm_measure measure, alm_unit indicator, alm_unit *ret)
{
    alm_dimension own = alm_unit_dimension(indicator);
    alm_dimension dimension = alm_measure_dimension(measure, own);
    if (dimension == own) {
        *ret = indicator;
        return true;
    }
    switch (dimension) {
    case ALM_DIMENSION_RATIO:
        *ret = ALM_UNIT_PERCENT;
        return true;
    case ALM_DIMENSION_POINTS:
        *ret = (alm_unit){.measure = ALM_MEASURE_UNIT_PP};
        return true;
    case ALM_DIMENSION_RANK:
        *ret = (alm_unit){.measure = ALM_MEASURE_UNIT_RANK};
        return true;
    default:
        return false;
    }
}
