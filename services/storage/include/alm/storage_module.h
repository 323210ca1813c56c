// The storage service as a module: the one owner of the store's folder.
//
// Options: --data DIR (required), --max-bytes SIZE, --feed-commits N, --feed-bytes SIZE.
#ifndef ALM_STORAGE_MODULE_H
#define ALM_STORAGE_MODULE_H

#include "alm/module.h"

extern const alm_module alm_module_storage;

#endif
