#include "schema_impl.h"

#include "alm/limits.h"

#include <stdlib.h>

// A value as declared. Several names may have one number; the first of them stands for it.
typedef struct declared {
    int32_t number;
    size_t position;
    const char *name;
} declared;

static int by_number(const void *a, const void *b)
{
    const declared *x = a, *y = b;
    int order = (x->number > y->number) - (x->number < y->number);
    return order != 0 ? order : (x->position > y->position) - (x->position < y->position);
}

static declared *in_order(const alm_schema *schema, const alm_schema_node *node)
{
    size_t count = node->enumeration->n_value;
    declared *all = alm_arena_calloc(schema->arena, count, sizeof *all);
    for (size_t i = 0; all != NULL && i < count; i++) {
        const Almanac__Schema__EnumValue *value = node->enumeration->value[i];
        all[i] = (declared){value->number, i, value->name};
    }
    if (all != NULL) {
        qsort(all, count, sizeof *all, by_number);
    }
    return all;
}

static alm_code fill(const alm_schema *schema, const alm_schema_node *node, const declared *all,
                     size_t count, alm_status *st)
{
    ProtobufCEnumDescriptor *type = node->enum_descriptor;
    ProtobufCEnumValue *values = alm_arena_calloc(schema->arena, count, sizeof *values);
    ProtobufCEnumValueIndex *names = alm_arena_calloc(schema->arena, count, sizeof *names);
    int32_t *numbers = alm_arena_calloc(schema->arena, count, sizeof *numbers);
    if (values == NULL || names == NULL || numbers == NULL) {
        return alm_schema_no_memory(st);
    }
    unsigned value_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || all[i].number != all[i - 1].number) {
            numbers[value_count] = all[i].number;
            values[value_count++] = (ProtobufCEnumValue){all[i].name, all[i].name, all[i].number};
        }
        names[i] = (ProtobufCEnumValueIndex){all[i].name, value_count - 1};
    }
    ALM_TRY(alm_schema_sort_names(node, names, count, st));
    type->n_values = value_count;
    type->values = values;
    type->n_value_names = (unsigned)count;
    type->values_by_name = names;
    type->value_ranges = alm_schema_ranges(schema, numbers, value_count, &type->n_value_ranges);
    return type->value_ranges != NULL ? ALM_OK : alm_schema_no_memory(st);
}

alm_code alm_schema_build_enum(const alm_schema *schema, alm_schema_node *node, alm_status *st)
{
    size_t count = node->enumeration->n_value;
    if (count == 0) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, node->name,
                                    "%s: an enum without values", node->name);
    }
    if (count > ALM_SCHEMA_VALUE_COUNT_MAX) {
        return alm_status_set_field(st, ALM_RESOURCE_EXHAUSTED, node->name,
                                    "%s has %zu values, at most %d are taken", node->name, count,
                                    ALM_SCHEMA_VALUE_COUNT_MAX);
    }
    declared *all = in_order(schema, node);
    if (all == NULL) {
        return alm_schema_no_memory(st);
    }
    *node->enum_descriptor = (ProtobufCEnumDescriptor){.magic = PROTOBUF_C__ENUM_DESCRIPTOR_MAGIC,
                                                       .name = node->name,
                                                       .short_name = node->short_name,
                                                       .c_name = node->name,
                                                       .package_name = node->package};
    return fill(schema, node, all, count, st);
}
