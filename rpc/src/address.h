// Addresses as text: schemes, hosts, and which of them leave this machine.
#ifndef ALM_RPC_ADDRESS_H
#define ALM_RPC_ADDRESS_H

#include "alm/status.h"
#include "alm/str.h"

#define ALM_ADDRESS_BYTES_MAX 256 // with the NUL

typedef enum alm_scheme {
    ALM_SCHEME_TCP,
    ALM_SCHEME_IPC,
    ALM_SCHEME_INPROC,
    ALM_SCHEME_LOOP
} alm_scheme;

typedef struct alm_address {
    alm_scheme scheme;
    alm_str rest; // after "scheme://"; of ipc the path
    alm_str host; // tcp: without brackets; "*" for every interface
    alm_str port; // tcp: digits, or "*"
} alm_address;

// Views of text.
//
// ALM_INVALID_ARGUMENT  no such scheme, no host or port, too long for a socket
ALM_MUST_USE alm_code alm_address_parse(alm_str text, alm_address *ret, alm_status *st);

bool alm_address_is_loopback(const alm_address *address);    // never leaves the machine
bool alm_address_is_numeric(const alm_address *address);     // needs no resolver
bool alm_address_takes_any_port(const alm_address *address); // tcp port 0 or *

#endif
