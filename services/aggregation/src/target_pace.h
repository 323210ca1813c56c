// Whether a target is reached on time, as it is told: figures in their units, and the verdict in
// words.
#ifndef ALM_TARGET_PACE_H
#define ALM_TARGET_PACE_H

#include "target_actual.h"

// progress: in percent, or without a number, for this reason.
ALM_MUST_USE alm_code alm_target_pace(const alm_target *it, const alm_actual *actual,
                                      const alm_value *progress, const char *reason,
                                      const alm_row_pace **ret, alm_status *st);

#endif
