// The methods of almanac.v1.Gateway.
#ifndef ALM_GATEWAY_SERVICE_H
#define ALM_GATEWAY_SERVICE_H

#include "gateway.h"

// Handlers in the order of the service's methods; self is a gateway.
extern const alm_handler gateway_handlers[];

#endif
