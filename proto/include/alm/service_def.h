// What protobuf-c's service descriptors do not say of a method: which way it streams, whether it
// may be repeated, and who may call it. One row a method, in src/services.c.
#ifndef ALM_SERVICE_DEF_H
#define ALM_SERVICE_DEF_H

#include "alm/role.h"

#include <protobuf-c/protobuf-c.h>

#include <stddef.h>

typedef enum alm_method_kind {
    ALM_METHOD_UNARY,
    ALM_METHOD_SERVER_STREAM, // one request, many messages back
    ALM_METHOD_CLIENT_STREAM, // many messages, one back
    ALM_METHOD_BIDI_STREAM,   // many both ways
} alm_method_kind;

// Whether a call may be sent again when it is not known whether it was carried out.
typedef enum alm_repeat {
    ALM_REPEAT_NEVER,
    ALM_REPEAT_KEYED, // a write: only if the caller gave an idempotency key
    ALM_REPEAT_SAFE,  // a read, or a write that does nothing the second time
} alm_repeat;

typedef struct alm_method_def {
    const char *name; // as in the descriptor, in its order
    alm_method_kind kind;
    alm_repeat repeat;
    alm_role role; // the least that may call it, where a server has a policy
} alm_method_def;

typedef struct alm_service_def {
    const ProtobufCServiceDescriptor *descriptor;
    const alm_method_def *methods; // descriptor->n_methods of them, in the descriptor's order
} alm_service_def;

static inline bool alm_method_client_streams(const alm_method_def *method)
{
    return method->kind == ALM_METHOD_CLIENT_STREAM || method->kind == ALM_METHOD_BIDI_STREAM;
}

static inline bool alm_method_server_streams(const alm_method_def *method)
{
    return method->kind == ALM_METHOD_SERVER_STREAM || method->kind == ALM_METHOD_BIDI_STREAM;
}

extern const alm_service_def alm_service_gateway;
extern const alm_service_def alm_service_storage;
extern const alm_service_def alm_service_ingestion;
extern const alm_service_def alm_service_aggregation;
extern const alm_service_def alm_service_health;
extern const alm_service_def alm_service_reflection;
extern const alm_service_def alm_service_stats;

#endif
