// The gateway as a module: the only public door. ZeroMQ RPC for clients, HTTP for probes and
// metrics.
#ifndef ALM_GATEWAY_MODULE_H
#define ALM_GATEWAY_MODULE_H

#include "alm/module.h"

extern const alm_module alm_module_gateway;

#endif
