// Health as grpc.health.v1 has it. Both methods run on the socket thread, so that a server whose
// handlers are all busy still answers; a Watch is parked until a state changes.
#include "server_internal.h"

#include "almanac/internal/health.pb-c.h"

#define SERVING     ALMANAC__INTERNAL__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define NOT_SERVING ALMANAC__INTERNAL__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
#define UNKNOWN     ALMANAC__INTERNAL__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN

// With the lock held.
static int status_of(const alm_server *server, const char *service)
{
    bool is_up = server->is_serving && !server->is_draining;
    if (service[0] == '\0') {
        return is_up ? SERVING : NOT_SERVING;
    }
    for (size_t i = 0; i < server->service_count; i++) {
        if (strcmp(server->services[i].def->descriptor->name, service) == 0) {
            return is_up && server->services[i].is_serving ? SERVING : NOT_SERVING;
        }
    }
    return UNKNOWN;
}

static alm_code send_status(alm_call *call, int status, alm_status *st)
{
    Almanac__Internal__HealthCheckResponse response;
    almanac__internal__health_check_response__init(&response);
    response.status = (Almanac__Internal__HealthCheckResponse__ServingStatus)status;
    return alm_call_send(call, &response.base, st);
}

static const char *service_of(const ProtobufCMessage *request)
{
    return ((const Almanac__Internal__HealthCheckRequest *)request)->service;
}

static alm_code check(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    alm_server *server = self;
    alm_lock(server->lock);
    int status = status_of(server, service_of(request));
    alm_unlock(server->lock);
    if (status == UNKNOWN) {
        return alm_status_set_field(st, ALM_NOT_FOUND, "service", "%s serves no '%s'", server->name,
                                    service_of(request));
    }
    return send_status(call, status, st);
}

// With the lock held: a parked call has no thread that could block for it.
static void notify(alm_call *call, int status)
{
    Almanac__Internal__HealthCheckResponse response;
    almanac__internal__health_check_response__init(&response);
    response.status = (Almanac__Internal__HealthCheckResponse__ServingStatus)status;
    call->watch_status = status;
    alm_call_send_message(call, &response.base, protobuf_c_message_get_packed_size(&response.base));
}

static alm_code watch(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    alm_server *server = self;
    alm_call_set_endless(call);
    alm_lock(server->lock);
    alm_code code = alm_call_list(call, st);
    if (code != ALM_OK) {
        alm_unlock(server->lock);
        return code;
    }
    call->wants_park = true;
    call->watch_service = service_of(request);
    notify(call, status_of(server, call->watch_service));
    alm_unlock(server->lock);
    return alm_call_check(call, st);
}

void alm_health_park(alm_call *call)
{
    alm_server *server = call->server;
    call->state = ALM_CALL_PARKED;
    DL_APPEND(server->watches, call);
    alm_health_notify(server); // the state may have changed since the first message
}

void alm_health_notify(alm_server *server)
{
    alm_call *call;
    DL_FOREACH(server->watches, call)
    {
        int status = status_of(server, call->watch_service);
        if (status != call->watch_status) {
            notify(call, status);
        }
    }
    alm_server_wake(server);
}

const alm_handler alm_health_handlers[] = {check, watch};
