// Any text as an address: refused in words, or taken apart into views that make it whole again.
#include "address.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(alm_str part, alm_str whole)
{
    return part.len <= whole.len && part.data >= whole.data &&
           (size_t)(part.data - whole.data) <= whole.len - part.len;
}

static void check_tcp(const alm_address *address, alm_str text)
{
    char joined[ALM_ADDRESS_BYTES_MAX];
    bool is_v6 =
        alm_str_ends_with(alm_str_slice(text, 0, text.len - address->port.len), ALM_STR("]:"));
    int len = snprintf(joined, sizeof joined, is_v6 ? "tcp://[%.*s]:%.*s" : "tcp://%.*s:%.*s",
                       ALM_STR_ARGS(address->host), ALM_STR_ARGS(address->port));
    ALM_ASSERT(len >= 0 && (size_t)len < sizeof joined);
    ALM_ASSERT(alm_str_eq(alm_str_from(joined), text));
    ALM_ASSERT(lies_in(address->host, text) && address->host.len > 0);
    ALM_ASSERT(lies_in(address->port, text) && address->port.len > 0);
    if (alm_address_is_loopback(address) && !alm_str_eq(address->host, ALM_STR("localhost"))) {
        ALM_ASSERT(alm_address_is_numeric(address));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_address address;
    alm_status st = ALM_STATUS_INIT;
    alm_str text = {.data = (const char *)data, .len = size};
    if (alm_address_parse(text, &address, &st) != ALM_OK) {
        ALM_ASSERT(st.code == ALM_INVALID_ARGUMENT && st.message[0] != '\0');
        return 0;
    }
    ALM_ASSERT(size < ALM_ADDRESS_BYTES_MAX && memchr(data, '\0', size) == NULL);
    ALM_ASSERT(lies_in(address.rest, text) && address.rest.len > 0);
    if (address.scheme == ALM_SCHEME_TCP) {
        check_tcp(&address, text);
    } else {
        ALM_ASSERT(alm_address_is_loopback(&address) && alm_address_is_numeric(&address));
        ALM_ASSERT(!alm_address_takes_any_port(&address));
    }
    return 0;
}
