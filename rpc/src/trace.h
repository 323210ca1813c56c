// W3C Trace Context, level 1: which trace a call belongs to, and its own span in it.
#ifndef ALM_RPC_TRACE_H
#define ALM_RPC_TRACE_H

#include "alm/rpc.h"
#include "alm/str.h"

#define ALM_TRACEPARENT_BYTES 56 // "00-" 32 hex "-" 16 hex "-" 2 hex, with the NUL

#define ALM_HEX64_LEN         16

void alm_hex64(uint64_t v, char ret[ALM_HEX64_LEN]); // no NUL

// A new span: in the trace of the given traceparent, or in a new trace if that is not one.
void alm_trace_begin(alm_rpc *rpc, alm_str traceparent, char ret[ALM_TRACEPARENT_BYTES]);

#endif
