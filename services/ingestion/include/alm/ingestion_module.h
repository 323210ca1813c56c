// Ingestion as a module: CSV in, checked observations and catalogue entries out to storage.
// Calls the module "storage".
#ifndef ALM_INGESTION_MODULE_H
#define ALM_INGESTION_MODULE_H

#include "alm/module.h"

extern const alm_module alm_module_ingestion;

#endif
