// /metrics: Prometheus' text format 0.0.4.
#ifndef ALM_GATEWAY_METRICS_H
#define ALM_GATEWAY_METRICS_H

#include "gateway.h"

#include "alm/buf.h"

// Everything, groups by name, each with its HELP and TYPE. storage's numbers are left out when it
// does not answer in time (almanac_backend_connections tells).
void metrics_write(const gateway *g, alm_buf *out);

// Is every service behind the gateway reachable? Writes "[+]storage ok" lines.
bool metrics_ready(const gateway *g, alm_buf *out);

#endif
