// The payload of HELLO: who speaks, with which limits, and, from a server, what it serves.
#ifndef ALM_RPC_HELLO_H
#define ALM_RPC_HELLO_H

#include "alm/arena.h"
#include "alm/buf.h"
#include "alm/service_def.h"
#include "alm/status.h"

#define ALM_WIRE_MAGIC              0x314d4c41u // "ALM1"
#define ALM_WIRE_VERSION            2
#define ALM_HELLO_SERVICE_COUNT_MAX 64
#define ALM_HELLO_METHOD_COUNT_MAX  128 // of one service

#define ALM_HELLO_SERVING           0x01 // flags of a service

#define ALM_HELLO_SERVER_STREAM     0x01 // flags of a method
#define ALM_HELLO_CLIENT_STREAM     0x02
#define ALM_HELLO_SAFE              0x04
#define ALM_HELLO_KEYED             0x08

typedef struct alm_hello_service {
    alm_str name;          // full: "almanac.internal.Storage"
    uint64_t checksum;     // see alm_service_checksum
    uint32_t method_first; // index of its first method; the others follow
    uint32_t method_count;
    bool is_serving;
} alm_hello_service;

typedef struct alm_hello {
    uint32_t message_bytes_max;  // what the speaker takes
    uint32_t heartbeat_ms;       // how often the speaker sends PING; 0: never
    uint32_t window_bytes;       // credit each stream towards the speaker starts with,
    uint32_t window_messages;    // of both kinds
    uint32_t stream_count_max;   // from a server: calls a connection may have open
    alm_hello_service *services; // from a server
    uint32_t service_count;
} alm_hello;

// defs may be NULL (a client); then hello->services are not looked at.
ALM_MUST_USE bool alm_hello_encode(alm_buf *out, const alm_hello *hello,
                                   const alm_service_def *const *defs, const bool *are_serving,
                                   size_t def_count);

// Everything of ret lives in the arena.
//
// ALM_INVALID_ARGUMENT     not a HELLO
// ALM_FAILED_PRECONDITION  a version we do not speak
ALM_MUST_USE alm_code alm_hello_decode(alm_str payload, alm_arena *arena, alm_hello *ret,
                                       alm_status *st);

// A number that differs, as good as surely, when two sides' descriptors of a service differ in
// anything that matters on the wire: methods, their order and kinds, fields' numbers, types,
// labels.
uint64_t alm_service_checksum(const alm_service_def *def);

// The method's position in the descriptor; -1: no such method.
int alm_service_method_find(const alm_service_def *def, const char *method);

#endif
