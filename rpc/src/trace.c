#include "trace.h"

#include "rpc_internal.h"

#define TRACE_AT 3 // "00-"
#define SPAN_AT  36
#define FLAGS_AT 53

static bool is_hex(alm_str s)
{
    bool is_good = true; // no way out early: texts are short, and nearly all are good
    for (size_t i = 0; i < s.len; i++) {
        unsigned c = (uint8_t)s.data[i];
        is_good = is_good & ((c - '0' < 10) | (c - 'a' < 6));
    }
    return is_good;
}

static bool is_zero(alm_str s)
{
    unsigned bits = 0;
    for (size_t i = 0; i < s.len; i++) {
        bits |= (uint8_t)s.data[i] ^ (uint8_t)'0';
    }
    return bits == 0;
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

void alm_hex64(uint64_t v, char ret[ALM_HEX64_LEN])
{
    for (size_t i = ALM_HEX64_LEN; i-- > 0; v >>= 4) {
        ret[i] = "0123456789abcdef"[v & 15];
    }
}

void alm_trace_begin(alm_rpc *rpc, alm_str traceparent, char ret[ALM_TRACEPARENT_BYTES])
{
    if (is_traceparent(traceparent)) {
        memcpy(ret, traceparent.data, ALM_TRACEPARENT_BYTES - 1);
        ret[0] = '0'; // of a version to come we write what ours has
        ret[1] = '0';
    } else {
        memcpy(ret, "00-", TRACE_AT);
        alm_hex64(alm_rpc_random(rpc), ret + TRACE_AT);
        alm_hex64(alm_rpc_random(rpc) | 1, ret + TRACE_AT + ALM_HEX64_LEN); // not 0
        ret[SPAN_AT - 1] = '-';
        memcpy(ret + FLAGS_AT - 1, "-00", 3);
    }
    alm_hex64(alm_rpc_random(rpc) | 1, ret + SPAN_AT);
    ret[ALM_TRACEPARENT_BYTES - 1] = '\0';
}
