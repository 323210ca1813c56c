// What protobuf-c's service descriptors do not say: which methods stream and which may be repeated.
#ifndef ALM_SERVICE_DEF_H
#define ALM_SERVICE_DEF_H

#include <protobuf-c/protobuf-c.h>

#include <stdbool.h>
#include <stddef.h>

typedef enum alm_method_kind { ALM_METHOD_UNARY, ALM_METHOD_SERVER_STREAM } alm_method_kind;

typedef struct alm_method_def {
    const char *name; // as in the descriptor, in its order
    alm_method_kind kind;
    bool idempotent; // may be sent again when it is not known whether it was carried out
} alm_method_def;

typedef struct alm_service_def {
    const ProtobufCServiceDescriptor *descriptor;
    const alm_method_def *methods; // descriptor->n_methods of them, in the descriptor's order
} alm_service_def;

extern const alm_service_def alm_service_gateway;
extern const alm_service_def alm_service_storage;
extern const alm_service_def alm_service_ingestion;
extern const alm_service_def alm_service_aggregation;
extern const alm_service_def alm_service_health;
extern const alm_service_def alm_service_reflection;

#endif
