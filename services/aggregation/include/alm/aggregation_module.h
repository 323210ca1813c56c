// The aggregation service as a module. It keeps no state but copies of what storage has, the
// catalogue and series that were asked for: any number of workers may run.
// Options: --cache-bytes SIZE.
#ifndef ALM_AGGREGATION_MODULE_H
#define ALM_AGGREGATION_MODULE_H

#include "alm/module.h"

extern const alm_module alm_module_aggregation;

#endif
