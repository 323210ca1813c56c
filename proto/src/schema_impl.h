// What the parts of the schema share: its names while and after they are gathered.
#ifndef ALM_SCHEMA_IMPL_H
#define ALM_SCHEMA_IMPL_H

#include "alm/schema.h"

#include "descriptor.pb-c.h"

// A message, enum or service of the set. Of the pointers those of its kind are set.
typedef struct alm_schema_node {
    alm_symbol_kind kind;
    const char *name;       // full
    const char *short_name; // its last part
    const char *package;
    const Almanac__Schema__File *file;
    const struct alm_schema_node *parent; // the message around it; NULL: none
    const int32_t *path;                  // where the file's comments know it
    size_t path_len;
    const Almanac__Schema__Message *message; // as the set has it,
    const Almanac__Schema__Enum *enumeration;
    const Almanac__Schema__Service *service;
    ProtobufCMessageDescriptor *message_descriptor; // and what is made of it
    ProtobufCEnumDescriptor *enum_descriptor;
    alm_service_def *service_def;
    const alm_symbol *symbol;
} alm_schema_node;

struct alm_schema {
    alm_arena *arena;
    alm_schema_node *nodes; // as the set has them, nested ones behind all others
    size_t node_count;
    alm_schema_node **by_name;
    alm_symbol *symbols; // in the order of by_name
};

// Numbers of fields in google/protobuf/descriptor.proto, of which paths of comments are made.
enum {
    ALM_SCHEMA_FILE_MESSAGE = 4,
    ALM_SCHEMA_FILE_ENUM = 5,
    ALM_SCHEMA_FILE_SERVICE = 6,
    ALM_SCHEMA_MESSAGE_FIELD = 2,
    ALM_SCHEMA_MESSAGE_NESTED = 3,
    ALM_SCHEMA_MESSAGE_ENUM = 4,
    ALM_SCHEMA_MESSAGE_ONEOF = 8,
    ALM_SCHEMA_ENUM_VALUE = 2,
    ALM_SCHEMA_SERVICE_METHOD = 2,
};

static inline alm_code alm_schema_no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the descriptors");
}

// A letter or an underscore, then digits too.
bool alm_schema_is_name(const char *name);

// By full name; NULL: none.
const alm_schema_node *alm_schema_node_of(const alm_schema *schema, alm_str name);

// Unpacks the set and gathers its names.
ALM_MUST_USE alm_code alm_schema_collect(alm_schema *schema, alm_str set, alm_status *st);

// Each fills the descriptor of its node; those of all others must be there already, if only empty.
ALM_MUST_USE alm_code alm_schema_build_message(const alm_schema *schema, alm_schema_node *node,
                                               alm_status *st);
ALM_MUST_USE alm_code alm_schema_build_enum(const alm_schema *schema, alm_schema_node *node,
                                            alm_status *st);
ALM_MUST_USE alm_code alm_schema_build_service(const alm_schema *schema, alm_schema_node *node,
                                               alm_status *st);

// The type that ".pkg.Name" stands for, which element of the node refers to.
ALM_MUST_USE alm_code alm_schema_resolve(const alm_schema *schema, const alm_schema_node *node,
                                         const char *element, const char *type,
                                         alm_symbol_kind kind, const alm_schema_node **ret,
                                         alm_status *st);

// Puts the names of what the node holds in order. ALM_INVALID_ARGUMENT: one is there twice, or is
// no name.
ALM_MUST_USE alm_code alm_schema_sort_names(const alm_schema_node *node,
                                            ProtobufCEnumValueIndex *names, size_t count,
                                            alm_status *st);
// The positions of sorted names. NULL: no memory.
const unsigned *alm_schema_positions(const alm_schema *schema, const ProtobufCEnumValueIndex *names,
                                     size_t count);

// protobuf-c's runs of numbers that follow each other. numbers are in order, each once. NULL: no
// memory.
const ProtobufCIntRange *alm_schema_ranges(const alm_schema *schema, const int32_t *numbers,
                                           size_t count, unsigned *ret_count);

#endif
