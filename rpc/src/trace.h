// W3C Trace Context, level 1: which trace a call belongs to, and its own span in it.
#ifndef ALM_RPC_TRACE_H
#define ALM_RPC_TRACE_H

#include "alm/rpc.h"
#include "alm/str.h"

#define ALM_TRACEPARENT_BYTES 56 // "00-" 32 hex "-" 16 hex "-" 2 hex, with the NUL

#define ALM_TRACE_SPAN_AT     36
#define ALM_TRACE_LOW_AT      19 // the second half of the trace's id
#define ALM_HEX64_LEN         16

void alm_hex64(uint64_t v, char ret[ALM_HEX64_LEN]); // no NUL

// What to keep of a text that came as a traceparent, until it is known whether a span is to begin;
// "" if its length says that it is none. Versions to come may be longer, with a dash where ours
// ends.
void alm_trace_keep(alm_str traceparent, char ret[ALM_TRACEPARENT_BYTES]);

// Begins a span: in the trace of what was kept, or in a new one if that is no traceparent, whose id
// is high and then that of the span. high: hexadecimal digits, the same for all of a server.
// serial: another each time; ids need only differ, not be secret.
void alm_trace_begin(const char high[ALM_HEX64_LEN], uint64_t serial,
                     char traceparent[ALM_TRACEPARENT_BYTES]);

#endif
