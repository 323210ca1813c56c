// Fails each allocation in turn, from making the context to a call's answer: what comes of it is a
// status, nothing leaks, and the next try works.
#include "alm/alloc.h"
#include "alm/channel.h"
#include "alm/server.h"
#include "almanac/internal/health.pb-c.h"
#include "almanac/internal/reflection.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define TIMEOUT_MS 20000

typedef struct parts {
    alm_rpc *rpc;
    alm_server *server;
    alm_channel *channel;
    alm_arena *arena;
    alm_stream *watch;
} parts;

static alm_code call_once(parts *p, alm_status *st)
{
    Almanac__Internal__HealthCheckRequest request;
    almanac__internal__health_check_request__init(&request);
    ProtobufCMessage *reply = NULL;
    alm_call_opts opts = {.timeout_ms = TIMEOUT_MS};
    p->arena = alm_arena_create(0);
    if (p->arena == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no arena");
    }
    ALM_TRY(alm_rpc_create(NULL, &p->rpc, st));
    ALM_TRY(alm_server_create(p->rpc, NULL, &p->server, st));
    ALM_TRY(alm_server_bind(p->server, "loop://fault", st));
    ALM_TRY(alm_server_start(p->server, st));
    ALM_TRY(alm_channel_open(p->rpc, "loop://fault", &(alm_channel_opts){.heartbeat_ms = 20},
                             &p->channel, st));
    ALM_TRY(alm_channel_call(p->channel, &alm_service_health, "Check", &opts, &request.base,
                             p->arena, &reply, st));
    Almanac__Internal__ListServicesRequest list;
    almanac__internal__list_services_request__init(&list);
    ALM_TRY(alm_channel_call(p->channel, &alm_service_reflection, "ListServices", &opts, &list.base,
                             p->arena, &reply, st));
    ALM_TRY(alm_stream_open(p->channel, &alm_service_health, "Watch", &opts, &request.base,
                            &p->watch, st));
    return alm_stream_next(p->watch, p->arena, &reply, st);
}

static void tear_down(parts *p)
{
    alm_stream_close(&p->watch);
    alm_channel_close(&p->channel);
    alm_server_destroy(&p->server);
    alm_rpc_destroy(&p->rpc);
    alm_arena_destroy(&p->arena);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    uint64_t n = 0;
    uint64_t made = 0;
    uint64_t failed = 0;
    do {
        parts p = {0};
        alm_status st = ALM_STATUS_INIT;
        n++;
        alm_alloc_fail_at(n, 0);
        alm_code code = call_once(&p, &st);
        made = alm_alloc_fail_at(0, 0);
        bool is_honest =
            code == ALM_OK || code == ALM_RESOURCE_EXHAUSTED || code == ALM_UNAVAILABLE;
        if (!is_honest) {
            fail_msg("allocation %llu failed: %s: %s", (unsigned long long)n, alm_code_name(code),
                     st.message);
        }
        failed += code != ALM_OK;
        tear_down(&p);
    } while (made >= n);
    assert_true(failed > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
