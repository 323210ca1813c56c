#include "trace.h"

#include "rpc_internal.h"

#include <endian.h>

#define TRACE_AT 3 // "00-"
#define FLAGS_AT 53

// Without a branch, so that the compiler takes many digits at a time: every call that is passed on
// is checked.
static bool is_hex(const char *text, size_t len, bool may_be_zero)
{
    unsigned wrong = 0, any = may_be_zero ? 1 : 0;
    for (size_t i = 0; i < len; i++) {
        unsigned c = (uint8_t)text[i];
        wrong |= (unsigned)(c - '0' > 9) & (unsigned)(c - 'a' > 5);
        any |= c ^ '0';
    }
    return wrong == 0 && any != 0;
}

void alm_trace_keep(alm_str traceparent, char ret[ALM_TRACEPARENT_BYTES])
{
    const size_t len = ALM_TRACEPARENT_BYTES - 1;
    bool is_longer = traceparent.len > len;
    ret[0] = '\0';
    if (traceparent.len < len || (is_longer && traceparent.data[len] != '-') ||
        (is_longer && memcmp(traceparent.data, "00", 2) == 0)) {
        return;
    }
    memcpy(ret, traceparent.data, len);
    ret[len] = '\0';
}

// Version ff is none.
static bool is_traceparent(const char s[ALM_TRACEPARENT_BYTES])
{
    return s[0] != '\0' && s[TRACE_AT - 1] == '-' && s[ALM_TRACE_SPAN_AT - 1] == '-' &&
           s[FLAGS_AT - 1] == '-' && is_hex(s, 2, true) && memcmp(s, "ff", 2) != 0 &&
           is_hex(s + TRACE_AT, ALM_TRACE_SPAN_AT - 1 - TRACE_AT, false) &&
           is_hex(s + ALM_TRACE_SPAN_AT, FLAGS_AT - 1 - ALM_TRACE_SPAN_AT, false) &&
           is_hex(s + FLAGS_AT, 2, true);
}

// All eight digits at once: a call that begins a trace writes two of these.
static void hex32(uint32_t v, char *ret)
{
    uint64_t digits = v; // one to a byte
    digits = (digits | digits << 16) & UINT64_C(0x0000ffff0000ffff);
    digits = (digits | digits << 8) & UINT64_C(0x00ff00ff00ff00ff);
    digits = (digits | digits << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    uint64_t letters = (digits + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    digits += UINT64_C(0x3030303030303030) + letters * ('a' - '0' - 10);
    digits = htobe64(digits);
    memcpy(ret, &digits, sizeof digits);
}

void alm_hex64(uint64_t v, char ret[ALM_HEX64_LEN])
{
    hex32((uint32_t)(v >> 32), ret);
    hex32((uint32_t)v, ret + 8);
}

void alm_trace_begin(const char high[ALM_HEX64_LEN], uint64_t serial,
                     char traceparent[ALM_TRACEPARENT_BYTES])
{
    char span[ALM_HEX64_LEN];
    alm_hex64(alm_mix64(serial) | 1, span); // 0 is none
    bool is_good = is_traceparent(traceparent);
    memcpy(traceparent, "00-", TRACE_AT); // of a version to come we write what ours has
    if (!is_good) {
        memcpy(traceparent + TRACE_AT, high, ALM_HEX64_LEN);
        memcpy(traceparent + ALM_TRACE_LOW_AT, span, ALM_HEX64_LEN);
        traceparent[ALM_TRACE_SPAN_AT - 1] = '-';
        memcpy(traceparent + FLAGS_AT - 1, "-00", sizeof "-00");
    }
    memcpy(traceparent + ALM_TRACE_SPAN_AT, span, ALM_HEX64_LEN);
}
