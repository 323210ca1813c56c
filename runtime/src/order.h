// The order in which modules start: each after those it needs.
#ifndef ALM_RUNTIME_ORDER_H
#define ALM_RUNTIME_ORDER_H

#include "alm/module.h"

// Writes the modules to ret in starting order; ret holds as many as modules (NULL-terminated
// there). Names that are not among the modules are needs met elsewhere.
//
// ALM_INVALID_ARGUMENT  modules that need each other; names one
ALM_MUST_USE alm_code alm_module_order(const alm_module *const *modules, const alm_module **ret,
                                       size_t *ret_count, alm_status *st);

// The address at which a probe on the same machine finds a server bound to the first of `bind`:
// tcp://0.0.0.0:7102 and tcp://*:7102 become tcp://127.0.0.1:7102. out holds size bytes.
//
// ALM_OUT_OF_RANGE  too long
ALM_MUST_USE alm_code alm_probe_address(const char *bind, char *out, size_t size, alm_status *st);

#endif
