// Messages, enums and services made at run time from a google.protobuf.FileDescriptorSet, for
// programs that speak with services whose messages they were not compiled with.
//
// The descriptors are protobuf-c's, laid out as protoc-c would lay them out, so whatever works by
// descriptor works with them: packing, JSON (alm/message_json.h), calls (alm/channel.h; the
// checksum is the compiled ones'). Only message_init is missing: make messages with
// alm_message_create.
//
// The set may come from anybody: every name, number, type and count of it is checked. Types may
// contain themselves, as in protobuf; packing, unpacking and JSON have their own bounds of depth.
// What is not taken, because nothing here needs it: proto2, groups and maps. Extensions are left
// out.
//
// Threading: read-only once it is made.
// Lifetime:  all of it lives in the arena.
#ifndef ALM_SCHEMA_H
#define ALM_SCHEMA_H

#include "alm/arena.h"
#include "alm/buf.h"
#include "alm/service_def.h"
#include "alm/status.h"

typedef struct alm_schema alm_schema;

// ALM_INVALID_ARGUMENT    not such a set, or something in it that cannot be; the message names the
//                         element ("almanac.v1.Value.unit: ...")
// ALM_RESOURCE_EXHAUSTED  the arena, or a count above its ALM_SCHEMA_..._MAX of alm/limits.h
ALM_MUST_USE alm_code alm_schema_create(alm_str file_descriptor_set, alm_arena *arena,
                                        alm_schema **ret, alm_status *st);

typedef enum alm_symbol_kind {
    ALM_SYMBOL_MESSAGE,
    ALM_SYMBOL_ENUM,
    ALM_SYMBOL_SERVICE
} alm_symbol_kind;

// One named thing. Of the pointers that of its kind is set.
typedef struct alm_symbol {
    alm_symbol_kind kind;
    const char *name; // full: "almanac.v1.QueryRequest"
    const ProtobufCMessageDescriptor *message;
    const ProtobufCEnumDescriptor *enumeration;
    const alm_service_def *service; // repeat and role, which no descriptor says, are NEVER and NONE
} alm_symbol;

// All of them, by name.
const alm_symbol *alm_schema_symbols(const alm_schema *schema, size_t *ret_count);

// By the full name, or by its end behind a dot ("QueryRequest") where only one ends so.
//
// ALM_NOT_FOUND         no such name
// ALM_INVALID_ARGUMENT  several end so; the message has two of them
ALM_MUST_USE alm_code alm_schema_find(const alm_schema *schema, alm_str name,
                                      const alm_symbol **ret, alm_status *st);

// The file it is from and its package: "almanac/v1/gateway.proto", "almanac.v1".
const char *alm_schema_file(const alm_schema *schema, const alm_symbol *symbol);
const char *alm_schema_package(const alm_schema *schema, const alm_symbol *symbol);

// Appends the symbol as it would stand in that file, with the types nested in it and the comments,
// where the set has any. Types of the same package stand without it. out->failed tells of a lack of
// memory.
void alm_schema_write(const alm_schema *schema, const alm_symbol *symbol, alm_buf *out);

// Appends one method of a service, by its position in the descriptor.
void alm_schema_write_method(const alm_schema *schema, const alm_symbol *service, unsigned method,
                             alm_buf *out);

#endif
