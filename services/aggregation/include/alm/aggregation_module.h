// The aggregation service as a module. It has no options of its own and keeps no state but a copy
// of the catalogue: any number of workers may run.
#ifndef ALM_AGGREGATION_MODULE_H
#define ALM_AGGREGATION_MODULE_H

#include "alm/module.h"

extern const alm_module alm_module_aggregation;

#endif
