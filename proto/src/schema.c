#include "alm/schema.h"

#include "schema_impl.h"

#include <stdlib.h>

static bool make_descriptor(const alm_schema *schema, alm_schema_node *node)
{
    switch (node->kind) {
    case ALM_SYMBOL_MESSAGE:
        node->message_descriptor =
            alm_arena_calloc(schema->arena, 1, sizeof *node->message_descriptor);
        return node->message_descriptor != NULL;
    case ALM_SYMBOL_ENUM:
        node->enum_descriptor = alm_arena_calloc(schema->arena, 1, sizeof *node->enum_descriptor);
        return node->enum_descriptor != NULL;
    case ALM_SYMBOL_SERVICE:
        node->service_def = alm_arena_calloc(schema->arena, 1, sizeof *node->service_def);
        return node->service_def != NULL;
    }
    return false;
}

static int by_name(const void *a, const void *b)
{
    const alm_schema_node *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

// The names in order, each once, and an empty descriptor for each.
static alm_code index_names(alm_schema *schema, alm_status *st)
{
    size_t count = schema->node_count;
    schema->by_name = alm_arena_calloc(schema->arena, count, sizeof(alm_schema_node *));
    schema->symbols = alm_arena_calloc(schema->arena, count, sizeof *schema->symbols);
    if (schema->by_name == NULL || schema->symbols == NULL) {
        return alm_schema_no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        schema->by_name[i] = &schema->nodes[i];
    }
    qsort(schema->by_name, count, sizeof(alm_schema_node *), by_name);
    for (size_t i = 0; i < count; i++) {
        alm_schema_node *node = schema->by_name[i];
        if (i > 0 && strcmp(node->name, schema->by_name[i - 1]->name) == 0) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, node->name,
                                        "%s is there twice, in %s and in %s", node->name,
                                        schema->by_name[i - 1]->file->name, node->file->name);
        }
        if (!make_descriptor(schema, node)) {
            return alm_schema_no_memory(st);
        }
        schema->symbols[i] = (alm_symbol){.kind = node->kind,
                                          .name = node->name,
                                          .message = node->message_descriptor,
                                          .enumeration = node->enum_descriptor,
                                          .service = node->service_def};
        node->symbol = &schema->symbols[i];
    }
    return ALM_OK;
}

static alm_code build(const alm_schema *schema, alm_schema_node *node, alm_status *st)
{
    switch (node->kind) {
    case ALM_SYMBOL_MESSAGE:
        return alm_schema_build_message(schema, node, st);
    case ALM_SYMBOL_ENUM:
        return alm_schema_build_enum(schema, node, st);
    case ALM_SYMBOL_SERVICE:
        break;
    }
    return alm_schema_build_service(schema, node, st);
}

alm_code alm_schema_create(alm_str file_descriptor_set, alm_arena *arena, alm_schema **ret,
                           alm_status *st)
{
    alm_schema *schema = alm_arena_calloc(arena, 1, sizeof *schema);
    if (schema == NULL) {
        return alm_schema_no_memory(st);
    }
    schema->arena = arena;
    ALM_TRY(alm_schema_collect(schema, file_descriptor_set, st));
    ALM_TRY(index_names(schema, st));
    for (size_t i = 0; i < schema->node_count; i++) {
        ALM_TRY(build(schema, &schema->nodes[i], st));
    }
    *ret = schema;
    return ALM_OK;
}

const alm_symbol *alm_schema_symbols(const alm_schema *schema, size_t *ret_count)
{
    *ret_count = schema->node_count;
    return schema->symbols;
}

const alm_schema_node *alm_schema_node_of(const alm_schema *schema, alm_str name)
{
    size_t low = 0, high = schema->node_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = alm_str_cmp(alm_str_from(schema->by_name[middle]->name), name);
        if (order == 0) {
            return schema->by_name[middle];
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

// Whether the name is the end of the full one, behind a dot.
static bool is_end_of(alm_str name, alm_str full)
{
    return name.len > 0 && full.len > name.len && full.data[full.len - name.len - 1] == '.' &&
           alm_str_ends_with(full, name);
}

alm_code alm_schema_find(const alm_schema *schema, alm_str name, const alm_symbol **ret,
                         alm_status *st)
{
    const alm_schema_node *found = alm_schema_node_of(schema, name);
    if (found != NULL) {
        *ret = found->symbol;
        return ALM_OK;
    }
    const alm_symbol *match = NULL;
    for (size_t i = 0; i < schema->node_count; i++) {
        const alm_symbol *symbol = &schema->symbols[i];
        if (!is_end_of(name, alm_str_from(symbol->name))) {
            continue;
        }
        if (match != NULL) {
            return alm_status_set(st, ALM_INVALID_ARGUMENT, "%.*s may be %s or %s",
                                  ALM_STR_ARGS(name), match->name, symbol->name);
        }
        match = symbol;
    }
    if (match == NULL) {
        return alm_status_set(st, ALM_NOT_FOUND, "no message, enum or service %.*s",
                              ALM_STR_ARGS(name));
    }
    *ret = match;
    return ALM_OK;
}
