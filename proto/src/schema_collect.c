// The first half of making a schema: the set is unpacked, level by level, and its names are
// gathered. What they refer to is looked up in the second half.
#include "schema_impl.h"

#include "alm/limits.h"
#include "alm/message_bytes.h"

#include <stdio.h>

static alm_code unpack(const alm_schema *schema, const ProtobufCMessageDescriptor *type,
                       alm_str wire, const char *where, ProtobufCMessage **ret, alm_status *st)
{
    bool is_full;
    *ret = alm_message_from_bytes(type, wire, schema->arena, &is_full);
    if (*ret == NULL && is_full) {
        return alm_schema_no_memory(st);
    }
    if (*ret == NULL) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "%s: %zu bytes that are no descriptor of google.protobuf", where,
                              wire.len);
    }
    return ALM_OK;
}

bool alm_schema_is_name(const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        bool is_letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
        bool is_digit = *c >= '0' && *c <= '9' && c > name;
        if (!is_letter && !is_digit) {
            return false;
        }
    }
    return name[0] != '\0';
}

// Names with dots between; "" is the package of a file that names none.
static bool is_package(const char *package)
{
    if (strlen(package) > ALM_SCHEMA_NAME_BYTES_MAX) {
        return false;
    }
    alm_str rest = alm_str_from(package);
    for (alm_str part; rest.len > 0 && alm_str_split(&rest, '.', &part);) {
        char name[ALM_SCHEMA_NAME_BYTES_MAX + 1];
        (void)snprintf(name, sizeof name, "%.*s", ALM_STR_ARGS(part));
        if (!alm_schema_is_name(name)) {
            return false;
        }
    }
    return package[0] == '\0' || package[strlen(package) - 1] != '.';
}

// It is shown to people, so it must not be able to tell their terminal anything.
static bool is_file_name(const char *name)
{
    alm_str rest = alm_str_from(name);
    while (rest.len > 0) {
        uint32_t c = 0;
        size_t len = alm_utf8_decode(rest, &c);
        if (len == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0)) {
            return false;
        }
        rest = alm_str_slice(rest, len, rest.len);
    }
    return true;
}

// Where a new name stands, and as which of its list.
typedef struct place {
    const Almanac__Schema__File *file;
    const alm_schema_node *parent; // NULL: in the file itself
    int32_t list;
    size_t position;
} place;

static const int32_t *path_of(const alm_schema *schema, const place *at, size_t *ret_len)
{
    size_t above = at->parent != NULL ? at->parent->path_len : 0;
    int32_t *path = alm_arena_calloc(schema->arena, above + 2, sizeof *path);
    if (path == NULL) {
        return NULL;
    }
    if (above > 0) {
        memcpy(path, at->parent->path, above * sizeof *path);
    }
    path[above] = at->list;
    path[above + 1] = (int32_t)at->position;
    *ret_len = above + 2;
    return path;
}

static alm_code add_node(alm_schema *schema, const place *at, alm_symbol_kind kind,
                         const char *name, alm_schema_node **ret, alm_status *st)
{
    const char *package = at->file->package;
    const char *scope = at->parent != NULL ? at->parent->name : package;
    if (name == NULL || !alm_schema_is_name(name)) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%s: '%s' in %s is no name", at->file->name,
                              name != NULL ? name : "", scope);
    }
    if (schema->node_count == ALM_SCHEMA_SYMBOL_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "%s: %s would be more than %d messages, enums and services",
                              at->file->name, name, ALM_SCHEMA_SYMBOL_COUNT_MAX);
    }
    if (strlen(scope) + 1 + strlen(name) > ALM_SCHEMA_NAME_BYTES_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s: %s.%s is longer than %d bytes",
                              at->file->name, scope, name, ALM_SCHEMA_NAME_BYTES_MAX);
    }
    alm_schema_node *node = &schema->nodes[schema->node_count];
    node->kind = kind;
    node->file = at->file;
    node->parent = at->parent;
    node->package = package;
    node->name =
        alm_arena_printf(schema->arena, "%s%s%s", scope, scope[0] != '\0' ? "." : "", name);
    node->path = path_of(schema, at, &node->path_len);
    if (node->name == NULL || node->path == NULL) {
        return alm_schema_no_memory(st);
    }
    node->short_name = node->name + strlen(node->name) - strlen(name);
    schema->node_count++;
    *ret = node;
    return ALM_OK;
}

static alm_code add_messages(alm_schema *schema, place at, const ProtobufCBinaryData *messages,
                             size_t count, alm_status *st)
{
    const char *where = at.parent != NULL ? at.parent->name : at.file->name;
    for (at.position = 0; at.position < count; at.position++) {
        alm_str wire = {.data = (const char *)messages[at.position].data,
                        .len = messages[at.position].len};
        ProtobufCMessage *unpacked = NULL;
        ALM_TRY(unpack(schema, &almanac__schema__message__descriptor, wire, where, &unpacked, st));
        const Almanac__Schema__Message *message = (const Almanac__Schema__Message *)unpacked;
        alm_schema_node *node = NULL;
        ALM_TRY(add_node(schema, &at, ALM_SYMBOL_MESSAGE, message->name, &node, st));
        node->message = message;
        if (message->options != NULL && message->options->map_entry) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, where,
                                        "%s: has a map (%s), which is not taken", where,
                                        node->short_name);
        }
    }
    return ALM_OK;
}

static alm_code add_enums(alm_schema *schema, place at, Almanac__Schema__Enum *const *enums,
                          size_t count, alm_status *st)
{
    for (at.position = 0; at.position < count; at.position++) {
        alm_schema_node *node = NULL;
        ALM_TRY(add_node(schema, &at, ALM_SYMBOL_ENUM, enums[at.position]->name, &node, st));
        node->enumeration = enums[at.position];
    }
    return ALM_OK;
}

static alm_code add_services(alm_schema *schema, place at,
                             Almanac__Schema__Service *const *services, size_t count,
                             alm_status *st)
{
    for (at.position = 0; at.position < count; at.position++) {
        alm_schema_node *node = NULL;
        ALM_TRY(add_node(schema, &at, ALM_SYMBOL_SERVICE, services[at.position]->name, &node, st));
        node->service = services[at.position];
    }
    return ALM_OK;
}

static alm_code add_file(alm_schema *schema, Almanac__Schema__File *file, alm_status *st)
{
    static char nameless[] = "a file without a name";
    static char none[] = "";
    file->name = file->name != NULL ? file->name : nameless;
    file->package = file->package != NULL ? file->package : none;
    if (!is_file_name(file->name)) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "'%s' is no name of a file", file->name);
    }
    const char *syntax = file->syntax != NULL ? file->syntax : "proto2";
    if (strcmp(syntax, "proto3") != 0) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, file->name,
                                    "%s: its syntax is '%s', expected proto3", file->name, syntax);
    }
    if (!is_package(file->package)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, file->name,
                                    "%s: '%s' is no name of a package", file->name, file->package);
    }
    place at = {.file = file, .list = ALM_SCHEMA_FILE_MESSAGE};
    ALM_TRY(add_messages(schema, at, file->message_type, file->n_message_type, st));
    at.list = ALM_SCHEMA_FILE_ENUM;
    ALM_TRY(add_enums(schema, at, file->enum_type, file->n_enum_type, st));
    at.list = ALM_SCHEMA_FILE_SERVICE;
    return add_services(schema, at, file->service, file->n_service, st);
}

// What is nested in a message comes behind all that was there, so that no depth is a danger.
static alm_code add_nested(alm_schema *schema, const alm_schema_node *node, alm_status *st)
{
    const Almanac__Schema__Message *message = node->message;
    place at = {.file = node->file, .parent = node, .list = ALM_SCHEMA_MESSAGE_NESTED};
    ALM_TRY(add_messages(schema, at, message->nested_type, message->n_nested_type, st));
    at.list = ALM_SCHEMA_MESSAGE_ENUM;
    return add_enums(schema, at, message->enum_type, message->n_enum_type, st);
}

alm_code alm_schema_collect(alm_schema *schema, alm_str set, alm_status *st)
{
    ProtobufCMessage *unpacked = NULL;
    ALM_TRY(unpack(schema, &almanac__schema__file_set__descriptor, set, "the descriptors",
                   &unpacked, st));
    const Almanac__Schema__FileSet *files = (const Almanac__Schema__FileSet *)unpacked;
    if (files->n_file > ALM_SCHEMA_FILE_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "the descriptors are of %zu files, at most %d are taken",
                              files->n_file, ALM_SCHEMA_FILE_COUNT_MAX);
    }
    schema->nodes =
        alm_arena_calloc(schema->arena, ALM_SCHEMA_SYMBOL_COUNT_MAX, sizeof *schema->nodes);
    if (schema->nodes == NULL) {
        return alm_schema_no_memory(st);
    }
    for (size_t i = 0; i < files->n_file; i++) {
        ALM_TRY(add_file(schema, files->file[i], st));
    }
    for (size_t i = 0; i < schema->node_count; i++) {
        if (schema->nodes[i].kind == ALM_SYMBOL_MESSAGE) {
            ALM_TRY(add_nested(schema, &schema->nodes[i], st));
        }
    }
    return ALM_OK;
}
