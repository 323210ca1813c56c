// Any text as a traceparent: what goes on is always one of ours, which a next hop continues.
#include "trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TRACE_AT  3
#define TRACE_LEN 32
#define SPAN_AT   36
#define FLAGS_AT  53

static void check_form(const char text[ALM_TRACEPARENT_BYTES])
{
    ALM_ASSERT(strlen(text) == ALM_TRACEPARENT_BYTES - 1);
    ALM_ASSERT(memcmp(text, "00-", TRACE_AT) == 0);
    ALM_ASSERT(text[SPAN_AT - 1] == '-' && text[FLAGS_AT - 1] == '-');
    ALM_ASSERT(strspn(text, "0123456789abcdef-") == ALM_TRACEPARENT_BYTES - 1);
    ALM_ASSERT(strspn(text + TRACE_AT, "0") < TRACE_LEN);
    ALM_ASSERT(strspn(text + SPAN_AT, "0") < FLAGS_AT - SPAN_AT - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char high[] = "4bf92f3577b34da6";
    char first[ALM_TRACEPARENT_BYTES], next[ALM_TRACEPARENT_BYTES];
    alm_trace_keep((alm_str){.data = (const char *)data, .len = size}, first);
    alm_trace_begin(high, size, first);
    check_form(first);
    alm_trace_keep(alm_str_from(first), next);
    alm_trace_begin(high, size + 1, next);
    check_form(next);
    ALM_ASSERT(memcmp(next, first, SPAN_AT) == 0);
    ALM_ASSERT(memcmp(next + SPAN_AT, first + SPAN_AT, FLAGS_AT - SPAN_AT) != 0);
    ALM_ASSERT(memcmp(next + FLAGS_AT, first + FLAGS_AT, 2) == 0);
    return 0;
}
