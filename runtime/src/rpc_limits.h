// What the process takes at most, by its options. The defaults are those of alm/limits.h.
#ifndef ALM_RUNTIME_RPC_LIMITS_H
#define ALM_RUNTIME_RPC_LIMITS_H

#include "alm/config.h"
#include "alm/rpc.h"

// One for each field of alm_rpc_limits: --rpc-message-bytes-max for message_bytes_max.
#define ALM_LIMIT_OPTION_COUNT 11
extern const alm_option alm_limit_options[ALM_LIMIT_OPTION_COUNT];

alm_rpc_limits alm_rpc_limits_of(const alm_config *config);

#endif
