// What protobuf-c looks things up by: names in order and runs of numbers. And references.
#include "schema_impl.h"

#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
    const ProtobufCEnumValueIndex *x = a, *y = b;
    return strcmp(x->name, y->name);
}

alm_code alm_schema_sort_names(const alm_schema_node *node, ProtobufCEnumValueIndex *names,
                               size_t count, alm_status *st)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i].name == NULL || !alm_schema_is_name(names[i].name)) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, node->name, "%s: '%s' is no name",
                                        node->name, names[i].name != NULL ? names[i].name : "");
        }
    }
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(names[i - 1].name, names[i].name) == 0) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, node->name,
                                        "%s: %s is there twice", node->name, names[i].name);
        }
    }
    return ALM_OK;
}

const unsigned *alm_schema_positions(const alm_schema *schema, const ProtobufCEnumValueIndex *names,
                                     size_t count)
{
    unsigned *positions = alm_arena_calloc(schema->arena, count, sizeof *positions);
    for (size_t i = 0; positions != NULL && i < count; i++) {
        positions[i] = names[i].index;
    }
    return positions;
}

const ProtobufCIntRange *alm_schema_ranges(const alm_schema *schema, const int32_t *numbers,
                                           size_t count, unsigned *ret_count)
{
    ProtobufCIntRange *ranges = alm_arena_calloc(schema->arena, count + 1, sizeof *ranges);
    if (ranges == NULL) {
        return NULL;
    }
    unsigned at = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || (int64_t)numbers[i] != (int64_t)numbers[i - 1] + 1) {
            ranges[at++] = (ProtobufCIntRange){numbers[i], (unsigned)i};
        }
    }
    ranges[at] = (ProtobufCIntRange){0, (unsigned)count};
    *ret_count = at;
    return ranges;
}

alm_code alm_schema_resolve(const alm_schema *schema, const alm_schema_node *node,
                            const char *element, const char *type, alm_symbol_kind kind,
                            const alm_schema_node **ret, alm_status *st)
{
    const char *what = kind == ALM_SYMBOL_ENUM ? "enum" : "message";
    if (type == NULL || type[0] != '.') {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, node->name,
                                    "%s.%s: '%s' is no full name of a type, as .pkg.Name",
                                    node->name, element, type != NULL ? type : "");
    }
    const alm_schema_node *found = alm_schema_node_of(schema, alm_str_from(type + 1));
    if (found == NULL || found->kind != kind) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, node->name,
                                    "%s.%s: the descriptors have no %s %s", node->name, element,
                                    what, type + 1);
    }
    *ret = found;
    return ALM_OK;
}
