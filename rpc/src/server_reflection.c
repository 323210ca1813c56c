// Reflection: what a server serves, read from the protobuf-c descriptors.
#include "server_internal.h"

#include "alm/file_descriptors.h"

#include "almanac/internal/reflection.pb-c.h"
#include "types.h"

// protobuf-c's strings are not const, though packing only reads them.
static char *text_of(const char *text)
{
    return (char *)(uintptr_t)(text != NULL ? text : "");
}

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to describe the service");
}

// Room for count messages of one size and the array of pointers to them.
static void **make_messages(alm_arena *arena, size_t count, size_t size)
{
    void **pointers = alm_arena_calloc(arena, count, sizeof *pointers);
    char *messages = alm_arena_calloc(arena, count, size);
    if (pointers == NULL || messages == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        pointers[i] = messages + i * size;
    }
    return pointers;
}

static alm_code describe_service(const alm_service_def *def, alm_arena *arena,
                                 Almanac__Internal__ServiceInfo *info, alm_status *st)
{
    const ProtobufCServiceDescriptor *service = def->descriptor;
    almanac__internal__service_info__init(info);
    info->name = text_of(service->name);
    info->n_methods = service->n_methods;
    void **methods =
        make_messages(arena, service->n_methods, sizeof(Almanac__Internal__MethodInfo));
    if (methods == NULL) {
        return no_memory(st);
    }
    info->methods = (Almanac__Internal__MethodInfo **)methods;
    for (size_t i = 0; i < service->n_methods; i++) {
        Almanac__Internal__MethodInfo *method = info->methods[i];
        almanac__internal__method_info__init(method);
        method->name = text_of(service->methods[i].name);
        method->request = text_of(service->methods[i].input->name);
        method->response = text_of(service->methods[i].output->name);
        method->server_streaming = alm_method_server_streams(&def->methods[i]);
        method->client_streaming = alm_method_client_streams(&def->methods[i]);
        method->idempotent = def->methods[i].repeat == ALM_REPEAT_SAFE;
        method->keyed = def->methods[i].repeat == ALM_REPEAT_KEYED;
        method->role = text_of(alm_role_name(def->methods[i].role));
    }
    return ALM_OK;
}

static alm_code list_services(void *self, alm_call *call, const ProtobufCMessage *request,
                              alm_status *st)
{
    (void)request;
    const alm_server *server = self;
    alm_arena *arena = alm_call_arena(call);
    Almanac__Internal__ListServicesResponse response;
    almanac__internal__list_services_response__init(&response);
    void **services =
        make_messages(arena, server->service_count, sizeof(Almanac__Internal__ServiceInfo));
    if (services == NULL) {
        return no_memory(st);
    }
    response.services = (Almanac__Internal__ServiceInfo **)services;
    response.n_services = server->service_count;
    for (size_t i = 0; i < server->service_count; i++) {
        ALM_TRY(describe_service(server->services[i].def, arena, response.services[i], st));
    }
    return alm_call_send(call, &response.base, st);
}

static void describe_field(const ProtobufCMessageDescriptor *type,
                           const ProtobufCFieldDescriptor *field,
                           Almanac__Internal__FieldInfo *info)
{
    almanac__internal__field_info__init(info);
    info->name = text_of(field->name);
    info->number = field->id;
    info->type = text_of(alm_field_type_name(field));
    info->label = text_of(field->label == PROTOBUF_C_LABEL_REPEATED ? "repeated" : "singular");
    info->type_name = text_of("");
    info->oneof = text_of("");
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        info->type_name = text_of(((const ProtobufCMessageDescriptor *)field->descriptor)->name);
    } else if (field->type == PROTOBUF_C_TYPE_ENUM) {
        info->type_name = text_of(((const ProtobufCEnumDescriptor *)field->descriptor)->name);
    }
    // protobuf-c does not keep a oneof's name; members share the offset of the case, so the first
    // member's name stands for it.
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        for (unsigned i = 0; i < type->n_fields; i++) {
            const ProtobufCFieldDescriptor *other = &type->fields[i];
            if ((other->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
                other->quantifier_offset == field->quantifier_offset) {
                info->oneof = text_of(other->name);
                break;
            }
        }
    }
}

static alm_code describe_fields(const ProtobufCMessageDescriptor *type, alm_call *call,
                                alm_status *st)
{
    Almanac__Internal__DescribeMessageResponse response;
    almanac__internal__describe_message_response__init(&response);
    void **fields =
        make_messages(alm_call_arena(call), type->n_fields, sizeof(Almanac__Internal__FieldInfo));
    if (fields == NULL) {
        return no_memory(st);
    }
    response.name = text_of(type->name);
    response.fields = (Almanac__Internal__FieldInfo **)fields;
    response.n_fields = type->n_fields;
    for (unsigned i = 0; i < type->n_fields; i++) {
        describe_field(type, &type->fields[i], response.fields[i]);
    }
    return alm_call_send(call, &response.base, st);
}

static alm_code describe_values(const ProtobufCEnumDescriptor *type, alm_call *call, alm_status *st)
{
    Almanac__Internal__DescribeMessageResponse response;
    almanac__internal__describe_message_response__init(&response);
    void **values = make_messages(alm_call_arena(call), type->n_values,
                                  sizeof(Almanac__Internal__EnumValueInfo));
    if (values == NULL) {
        return no_memory(st);
    }
    response.name = text_of(type->name);
    response.values = (Almanac__Internal__EnumValueInfo **)values;
    response.n_values = type->n_values;
    for (unsigned i = 0; i < type->n_values; i++) {
        almanac__internal__enum_value_info__init(response.values[i]);
        response.values[i]->name = text_of(type->values[i].name);
        response.values[i]->number = type->values[i].value;
    }
    return alm_call_send(call, &response.base, st);
}

static alm_code describe_message(void *self, alm_call *call, const ProtobufCMessage *request,
                                 alm_status *st)
{
    const alm_server *server = self;
    const char *name = ((const Almanac__Internal__DescribeMessageRequest *)request)->name;
    alm_type_set *types = alm_arena_alloc(alm_call_arena(call), sizeof *types);
    if (types == NULL) {
        return no_memory(st);
    }
    alm_type_set_init(types);
    for (size_t i = 0; i < server->method_count; i++) {
        const alm_server_method *method = &server->methods[i];
        const ProtobufCServiceDescriptor *service = method->service->def->descriptor;
        alm_type_set_add(types, service->methods[method->index].input);
        alm_type_set_add(types, service->methods[method->index].output);
    }
    for (size_t i = 0; i < types->message_count; i++) {
        if (strcmp(types->messages[i]->name, name) == 0) {
            return describe_fields(types->messages[i], call, st);
        }
    }
    for (size_t i = 0; i < types->enum_count; i++) {
        if (strcmp(types->enums[i]->name, name) == 0) {
            return describe_values(types->enums[i], call, st);
        }
    }
    return alm_status_set_field(st, ALM_NOT_FOUND, "name", "%s has no message or enum '%s'",
                                server->name, name);
}

static alm_code file_descriptors(void *self, alm_call *call, const ProtobufCMessage *request,
                                 alm_status *st)
{
    (void)self;
    (void)request;
    Almanac__Internal__FileDescriptorsResponse response;
    almanac__internal__file_descriptors_response__init(&response);
    response.file_descriptor_set.data = (uint8_t *)(uintptr_t)alm_file_descriptor_set;
    response.file_descriptor_set.len = alm_file_descriptor_set_size;
    return alm_call_send(call, &response.base, st);
}

const alm_handler alm_reflection_handlers[] = {list_services, describe_message, file_descriptors};
