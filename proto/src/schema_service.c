#include "schema_impl.h"

#include "alm/limits.h"

static alm_method_kind kind_of(const Almanac__Schema__Method *method)
{
    if (method->client_streaming) {
        return method->server_streaming ? ALM_METHOD_BIDI_STREAM : ALM_METHOD_CLIENT_STREAM;
    }
    return method->server_streaming ? ALM_METHOD_SERVER_STREAM : ALM_METHOD_UNARY;
}

static alm_code take_method(const alm_schema *schema, const alm_schema_node *node,
                            const Almanac__Schema__Method *method, ProtobufCMethodDescriptor *ret,
                            alm_method_def *ret_def, alm_status *st)
{
    const char *name = method->name != NULL ? method->name : "";
    const alm_schema_node *input = NULL, *output = NULL;
    ALM_TRY(
        alm_schema_resolve(schema, node, name, method->input_type, ALM_SYMBOL_MESSAGE, &input, st));
    ALM_TRY(alm_schema_resolve(schema, node, name, method->output_type, ALM_SYMBOL_MESSAGE, &output,
                               st));
    *ret = (ProtobufCMethodDescriptor){name, input->message_descriptor, output->message_descriptor};
    *ret_def = (alm_method_def){
        .name = name, .kind = kind_of(method), .repeat = ALM_REPEAT_NEVER, .role = ALM_ROLE_NONE};
    return ALM_OK;
}

alm_code alm_schema_build_service(const alm_schema *schema, alm_schema_node *node, alm_status *st)
{
    size_t count = node->service->n_method;
    if (count > ALM_SCHEMA_METHOD_COUNT_MAX) {
        return alm_status_set_field(st, ALM_RESOURCE_EXHAUSTED, node->name,
                                    "%s has %zu methods, at most %d are taken", node->name, count,
                                    ALM_SCHEMA_METHOD_COUNT_MAX);
    }
    alm_arena *arena = schema->arena;
    ProtobufCServiceDescriptor *service = alm_arena_calloc(arena, 1, sizeof *service);
    ProtobufCMethodDescriptor *methods = alm_arena_calloc(arena, count, sizeof *methods);
    alm_method_def *defs = alm_arena_calloc(arena, count, sizeof *defs);
    ProtobufCEnumValueIndex *names = alm_arena_calloc(arena, count, sizeof *names);
    if (service == NULL || methods == NULL || defs == NULL || names == NULL) {
        return alm_schema_no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        ALM_TRY(take_method(schema, node, node->service->method[i], &methods[i], &defs[i], st));
        names[i] = (ProtobufCEnumValueIndex){methods[i].name, (unsigned)i};
    }
    ALM_TRY(alm_schema_sort_names(node, names, count, st));
    *service = (ProtobufCServiceDescriptor){.magic = PROTOBUF_C__SERVICE_DESCRIPTOR_MAGIC,
                                            .name = node->name,
                                            .short_name = node->short_name,
                                            .c_name = node->name,
                                            .package = node->package,
                                            .n_methods = (unsigned)count,
                                            .methods = methods};
    service->method_indices_by_name = alm_schema_positions(schema, names, count);
    *node->service_def = (alm_service_def){.descriptor = service, .methods = defs};
    return service->method_indices_by_name != NULL ? ALM_OK : alm_schema_no_memory(st);
}
