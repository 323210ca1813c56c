#include "trace.h"

#include "rpc_internal.h"

#include <stdio.h>

#define TRACE_AT 3 // "00-"
#define SPAN_AT  36
#define FLAGS_AT 53

static bool is_hex(alm_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

static bool is_zero(alm_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] != '0') {
            return false;
        }
    }
    return true;
}

// Versions to come may be longer, with a dash where ours ends; version ff is none.
static bool is_traceparent(alm_str s)
{
    const size_t len = ALM_TRACEPARENT_BYTES - 1;
    if (s.len < len) {
        return false;
    }
    alm_str version = alm_str_slice(s, 0, 2);
    if (s.len > len && (s.data[len] != '-' || alm_str_eq(version, ALM_STR("00")))) {
        return false;
    }
    alm_str trace = alm_str_slice(s, TRACE_AT, SPAN_AT - 1);
    alm_str span = alm_str_slice(s, SPAN_AT, FLAGS_AT - 1);
    return s.data[2] == '-' && s.data[SPAN_AT - 1] == '-' && s.data[FLAGS_AT - 1] == '-' &&
           is_hex(version) && !alm_str_eq(version, ALM_STR("ff")) && is_hex(trace) &&
           !is_zero(trace) && is_hex(span) && !is_zero(span) &&
           is_hex(alm_str_slice(s, FLAGS_AT, len));
}

void alm_trace_begin(alm_rpc *rpc, alm_str traceparent, char ret[ALM_TRACEPARENT_BYTES])
{
    unsigned long long span = alm_rpc_random(rpc) | 1; // not 0
    if (is_traceparent(traceparent)) {
        alm_str trace = alm_str_slice(traceparent, TRACE_AT, SPAN_AT - 1);
        alm_str flags = alm_str_slice(traceparent, FLAGS_AT, FLAGS_AT + 2);
        snprintf(ret, ALM_TRACEPARENT_BYTES, "00-%.*s-%016llx-%.*s", ALM_STR_ARGS(trace), span,
                 ALM_STR_ARGS(flags));
        return;
    }
    snprintf(ret, ALM_TRACEPARENT_BYTES, "00-%016llx%016llx-%016llx-00",
             (unsigned long long)alm_rpc_random(rpc), (unsigned long long)(alm_rpc_random(rpc) | 1),
             span);
}
