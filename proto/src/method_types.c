#include "alm/method_types.h"

#include "alm/assert.h"
#include "alm/service_def.h"

static size_t add(const ProtobufCMessageDescriptor *ret[ALM_METHOD_TYPE_COUNT_MAX], size_t count,
                  const ProtobufCMessageDescriptor *type)
{
    for (size_t i = 0; i < count; i++) {
        if (ret[i] == type) {
            return count;
        }
    }
    ALM_ASSERT(count < ALM_METHOD_TYPE_COUNT_MAX);
    ret[count] = type;
    return count + 1;
}

size_t alm_method_types(const ProtobufCMessageDescriptor *ret[ALM_METHOD_TYPE_COUNT_MAX])
{
    const alm_service_def *const services[] = {
        &alm_service_gateway,     &alm_service_storage, &alm_service_ingestion,
        &alm_service_aggregation, &alm_service_health,  &alm_service_reflection,
        &alm_service_stats,
    };
    size_t count = 0;
    for (size_t i = 0; i < 2 * ALM_ARRAY_LEN(services); i++) {
        const ProtobufCServiceDescriptor *service =
            services[i % ALM_ARRAY_LEN(services)]->descriptor;
        for (unsigned j = 0; j < service->n_methods; j++) {
            const ProtobufCMethodDescriptor *method = &service->methods[j];
            count = add(ret, count, i < ALM_ARRAY_LEN(services) ? method->input : method->output);
        }
    }
    return count;
}
