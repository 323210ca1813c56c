// The Echo service, and a server of it on any transport, for tests of rpc.
#ifndef ECHO_SERVER_H
#define ECHO_SERVER_H

#include "alm/channel.h"

#include <stdatomic.h>

extern const alm_service_def echo_service;

// A service of the same name with other messages, and one that no server serves.
extern const alm_service_def echo_service_other_version;
extern const alm_service_def echo_service_stranger;

#define ECHO_ADDRESS_MAX 256

typedef struct echo_server {
    const char *name;
    alm_server *server;             // NULL while stopped
    _Atomic(alm_channel *) next;    // whom Relay calls; borrowed
    char address[ECHO_ADDRESS_MAX]; // to call
    atomic_int started;             // handlers that began, of all methods but Say and Once
    atomic_int running;             // of those, still at work
    atomic_int cancelled;           // saw a cancellation
    atomic_int timed_out;           // saw their deadline pass
    atomic_int said;                // Say and Once, carried out
    atomic_int sent;                // messages of Count and Endless that were taken
} echo_server;

// address: as for alm_server_bind; with port 0 the one that was taken is kept.
void echo_start(echo_server *echo, alm_rpc *rpc, const char *address, const alm_server_opts *opts);
void echo_stop(echo_server *echo); // at once

#endif
