// ZAP (RFC 27): libzmq asks at inproc://zeromq.zap.01 of its context whether a CURVE client may
// connect. One thread answers for all listening ports, told apart by their domain.
#ifndef ALM_RPC_ZAP_H
#define ALM_RPC_ZAP_H

#include "port.h"

typedef struct alm_zap alm_zap;
typedef struct alm_zap_domain alm_zap_domain;

// ctx: libzmq's. ALM_RESOURCE_EXHAUSTED, ALM_UNAVAILABLE: no socket or thread
ALM_MUST_USE alm_code alm_zap_start(void *ctx, alm_zap **ret, alm_status *st);
void alm_zap_stop(alm_zap **zap); // accepts NULL; before zmq_ctx_term

// admit NULL: any client. After the removal admit is not called any more.
ALM_MUST_USE alm_code alm_zap_domain_add(alm_zap *zap, alm_port_admit admit, void *arg,
                                         alm_zap_domain **ret, alm_status *st);
void alm_zap_domain_remove(alm_zap *zap, alm_zap_domain **domain); // accepts NULL
const char *alm_zap_domain_name(const alm_zap_domain *domain);

#endif
