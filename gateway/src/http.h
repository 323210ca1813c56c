// HTTP for probes and metrics: GET /healthz, /readyz, /metrics. Nothing else is answered.
#ifndef ALM_GATEWAY_HTTP_H
#define ALM_GATEWAY_HTTP_H

#include "gateway.h"

// address: "127.0.0.1:7180", "0.0.0.0:7180", "[::1]:7180"; port 0 takes a free one.
//
// ALM_INVALID_ARGUMENT     not HOST:PORT with a numeric host
// ALM_FAILED_PRECONDITION  beyond loopback without --allow-plaintext
// ALM_ALREADY_EXISTS       the address is in use
ALM_MUST_USE alm_code alm_http_start(const gateway *g, const char *address, alm_http **ret,
                                     alm_status *st);
void alm_http_stop(alm_http **http);        // accepts NULL; open connections are ended
void alm_http_set_draining(alm_http *http); // /readyz answers 503 from now on
unsigned alm_http_port(const alm_http *http);

#endif
