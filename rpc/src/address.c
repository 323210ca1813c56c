#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#define IPC_PATH_BYTES_MAX (sizeof((struct sockaddr_un){0}.sun_path) - 1)

typedef struct scheme_row {
    alm_str prefix;
    alm_scheme scheme;
} scheme_row;

static bool find_scheme(alm_str text, alm_address *ret)
{
    const scheme_row rows[] = {
        {ALM_STR("tcp://"), ALM_SCHEME_TCP},
        {ALM_STR("ipc://"), ALM_SCHEME_IPC},
        {ALM_STR("inproc://"), ALM_SCHEME_INPROC},
        {ALM_STR("loop://"), ALM_SCHEME_LOOP},
    };
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        if (alm_str_starts_with(text, rows[i].prefix)) {
            ret->scheme = rows[i].scheme;
            ret->rest = alm_str_slice(text, rows[i].prefix.len, text.len);
            return true;
        }
    }
    return false;
}

static bool is_port(alm_str port)
{
    int64_t number;
    bool is_digits = port.len > 0 && port.data[0] != '+' && port.data[0] != '-';
    return alm_str_eq(port, ALM_STR("*")) ||
           (is_digits && alm_str_to_i64(port, &number) && number <= UINT16_MAX);
}

static bool is_host(alm_str host)
{
    for (size_t i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.data[i];
        if (c <= ' ' || c == 0x7f || c == '/' || c == ';' || c == '[' || c == ']') {
            return false;
        }
    }
    return host.len > 0;
}

static alm_code parse_tcp(alm_str text, alm_address *ret, alm_status *st)
{
    size_t colon = ret->rest.len;
    while (colon > 0 && ret->rest.data[colon - 1] != ':') {
        colon--;
    }
    if (colon == 0 || !is_port(alm_str_slice(ret->rest, colon, ret->rest.len))) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "'%.*s' has no port 0..65535 at its end",
                              ALM_STR_ARGS(text));
    }
    ret->port = alm_str_slice(ret->rest, colon, ret->rest.len);
    ret->host = alm_str_slice(ret->rest, 0, colon - 1);
    bool has_brackets =
        alm_str_starts_with(ret->host, ALM_STR("[")) && alm_str_ends_with(ret->host, ALM_STR("]"));
    if (has_brackets) {
        ret->host = alm_str_slice(ret->host, 1, ret->host.len - 1);
    } else if (alm_str_find_char(ret->host, ':') != SIZE_MAX) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "'%.*s': write an IPv6 host in brackets",
                              ALM_STR_ARGS(text));
    }
    if (!is_host(ret->host)) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "'%.*s' has no valid host",
                              ALM_STR_ARGS(text));
    }
    return ALM_OK;
}

alm_code alm_address_parse(alm_str text, alm_address *ret, alm_status *st)
{
    *ret = (alm_address){0};
    if (!find_scheme(text, ret)) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "'%.*s' is no address: tcp://HOST:PORT, ipc://PATH, inproc://NAME or "
                              "loop://NAME",
                              ALM_STR_ARGS(text));
    }
    if (text.len >= ALM_ADDRESS_BYTES_MAX || ret->rest.len == 0 ||
        alm_str_find_char(text, '\0') != SIZE_MAX) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "'%.*s' is empty or longer than %d bytes",
                              ALM_STR_ARGS(text), ALM_ADDRESS_BYTES_MAX - 1);
    }
    if (ret->scheme == ALM_SCHEME_IPC && ret->rest.len > IPC_PATH_BYTES_MAX) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "'%.*s': a socket's path has at most %zu bytes", ALM_STR_ARGS(text),
                              IPC_PATH_BYTES_MAX);
    }
    return ret->scheme == ALM_SCHEME_TCP ? parse_tcp(text, ret, st) : ALM_OK;
}

static bool copy_host(alm_str host, char out[ALM_ADDRESS_BYTES_MAX])
{
    if (host.len >= ALM_ADDRESS_BYTES_MAX) {
        return false;
    }
    memcpy(out, host.data, host.len);
    out[host.len] = '\0';
    return true;
}

bool alm_address_is_loopback(const alm_address *address)
{
    char host[ALM_ADDRESS_BYTES_MAX];
    if (address->scheme != ALM_SCHEME_TCP || alm_str_eq(address->host, ALM_STR("localhost"))) {
        return true;
    }
    struct in_addr v4;
    struct in6_addr v6;
    if (!copy_host(address->host, host)) {
        return false;
    }
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool alm_address_is_numeric(const alm_address *address)
{
    char host[ALM_ADDRESS_BYTES_MAX];
    struct in6_addr any;
    if (address->scheme != ALM_SCHEME_TCP) {
        return true;
    }
    return copy_host(address->host, host) &&
           (inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1);
}

bool alm_address_takes_any_port(const alm_address *address)
{
    int64_t number;
    return address->scheme == ALM_SCHEME_TCP &&
           (alm_str_eq(address->port, ALM_STR("*")) ||
            (alm_str_to_i64(address->port, &number) && number == 0));
}
