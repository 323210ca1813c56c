#include "server_internal.h"
#include "z85.h"

#include <stdio.h>

#define TELL_EACH_US 1000000

static alm_code add_service(alm_server *server, const alm_service_def *service,
                            const alm_handler *handlers, void *self, bool runs_inline,
                            alm_status *st)
{
    const char *name = service->descriptor->name;
    unsigned count = service->descriptor->n_methods;
    ALM_ASSERT(!server->is_started);
    for (size_t i = 0; i < server->service_count; i++) {
        if (strcmp(server->services[i].def->descriptor->name, name) == 0) {
            return alm_status_set(st, ALM_ALREADY_EXISTS, "service %s was added before", name);
        }
    }
    if (server->service_count == ALM_HELLO_SERVICE_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "service %s is past the limit of %d",
                              name, ALM_HELLO_SERVICE_COUNT_MAX);
    }
    size_t size = (server->method_count + count) * sizeof *server->methods;
    alm_server_method *methods = alm_realloc(server->methods, size);
    if (methods == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for service %s", name);
    }
    server->methods = methods;
    alm_server_service *entry = &server->services[server->service_count++];
    *entry = (alm_server_service){.def = service, .is_serving = true};
    for (unsigned i = 0; i < count; i++) {
        ALM_ASSERT(strcmp(service->methods[i].name, service->descriptor->methods[i].name) == 0);
        methods[server->method_count++] = (alm_server_method){
            .service = entry,
            .def = &service->methods[i],
            .index = i,
            .handler = handlers[i],
            .self = self,
            .runs_inline = runs_inline,
            .stats = {.service = name, .method = service->methods[i].name},
        };
    }
    return ALM_OK;
}

static alm_code add_builtin(alm_server *server, const alm_service_def *service,
                            const alm_handler *handlers, alm_status *st)
{
    ALM_TRY(add_service(server, service, handlers, server, true, st));
    server->services[server->service_count - 1].is_builtin = true;
    return ALM_OK;
}

static alm_code set_up(alm_server *server, alm_status *st)
{
    server->threads = alm_calloc(alm_server_thread_count_max(server), sizeof *server->threads);
    if (server->threads == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a server's threads");
    }
    ALM_TRY(add_builtin(server, &alm_service_health, alm_health_handlers, st));
    ALM_TRY(add_builtin(server, &alm_service_reflection, alm_reflection_handlers, st));
    return add_builtin(server, &alm_service_stats, alm_stats_handlers, st);
}

alm_code alm_server_create(alm_rpc *rpc, const alm_server_opts *opts, alm_server **ret,
                           alm_status *st)
{
    alm_server *server = alm_calloc(1, sizeof *server);
    if (server == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a server");
    }
    static const alm_server_opts none;
    opts = opts != NULL ? opts : &none;
    server->rpc = rpc;
    server->serial_last = alm_rpc_random(rpc);
    alm_hex64(alm_rpc_random(rpc), server->trace_high);
    server->lock = &rpc->lock;
    server->part = alm_server_part;
    server->retry_us = ALM_NEVER_US;
    snprintf(server->name, sizeof server->name, "%s", opts->name != NULL ? opts->name : "server");
    server->thread_count_max =
        opts->thread_count_max != 0 ? opts->thread_count_max : ALM_RPC_THREAD_COUNT_MAX;
    server->queue_count_max =
        opts->queue_count_max != 0 ? opts->queue_count_max : rpc->limits.queue_count_max;
    server->allow_plaintext = opts->allow_plaintext;
    server->keypair = opts->keypair;
    server->policy = opts->policy;
    alm_cond_init(&server->work);
    alm_cond_init(&server->drained);
    alm_buf_init(&server->hello, 0);
    alm_rpc_retain(rpc);
    alm_code code = set_up(server, st);
    if (code != ALM_OK) {
        alm_server_destroy(&server);
        return code;
    }
    *ret = server;
    return ALM_OK;
}

alm_code alm_server_add(alm_server *server, const alm_service_def *service,
                        const alm_handler *handlers, void *self, alm_status *st)
{
    return add_service(server, service, handlers, self, false, st);
}

static alm_server_method *find_method(alm_server *server, const alm_service_def *service,
                                      const char *name)
{
    for (size_t i = 0; i < server->method_count; i++) {
        alm_server_method *method = &server->methods[i];
        if (method->service->def == service && strcmp(method->stats.method, name) == 0) {
            return method;
        }
    }
    return NULL;
}

void alm_server_run_inline(alm_server *server, const alm_service_def *service, const char *name)
{
    alm_server_method *method = find_method(server, service, name);
    ALM_ASSERT(!server->is_started && method != NULL && method->handler != NULL);
    method->runs_inline = true;
}

static void set_forward(alm_server_method *method, alm_channel *channel,
                        const alm_service_def *service, const char *name)
{
    int to = alm_service_method_find(service, name);
    ALM_ASSERT(to >= 0);
    const ProtobufCMethodDescriptor *ours =
        &method->service->def->descriptor->methods[method->index];
    const ProtobufCMethodDescriptor *theirs = &service->descriptor->methods[to];
    ALM_ASSERT(ours->input == theirs->input && ours->output == theirs->output);
    ALM_ASSERT(method->def->kind == service->methods[to].kind);
    method->forward = channel;
    method->forward_service = service;
    method->forward_method = (unsigned)to;
}

void alm_server_forward(alm_server *server, const alm_service_def *service,
                        const alm_forward_opts *opts)
{
    alm_server_method *method = find_method(server, service, opts->method);
    ALM_ASSERT(!server->is_started && method != NULL && method->handler == NULL);
    set_forward(method, opts->channel, opts->to_service, opts->to_method);
    method->runs_inline = true;
    method->is_endless = opts->is_endless;
    method->on_answer = opts->on_answer;
    method->on_answer_arg = opts->arg;
}

void alm_server_look_first(alm_server *server, const alm_service_def *service,
                           const alm_look_opts *opts)
{
    alm_server_method *method = find_method(server, service, opts->method);
    ALM_ASSERT(!server->is_started && method != NULL && method->handler != NULL);
    ALM_ASSERT(!method->runs_inline && !alm_method_client_streams(method->def));
    method->look = opts->look;
    if (opts->channel != NULL) {
        set_forward(method, opts->channel, opts->to_service, opts->to_method);
    }
}

bool alm_server_may_tell(alm_server *server, alm_seldom *seldom, uint64_t *ret_count)
{
    int64_t now_us = alm_rpc_now_us(server->rpc);
    int64_t next_us = atomic_load(&seldom->next_us);
    *ret_count = atomic_fetch_add(&seldom->count, 1) + 1;
    return now_us >= next_us &&
           atomic_compare_exchange_strong(&seldom->next_us, &next_us, now_us + TELL_EACH_US);
}

static void log_refused(alm_server *server, const uint8_t key[ALM_CURVE_KEY_BYTES])
{
    uint64_t count;
    if (!alm_server_may_tell(server, &server->refused_keys, &count)) {
        return;
    }
    char text[ALM_KEY_TEXT_BYTES];
    alm_z85_encode(key, ALM_CURVE_KEY_BYTES, text);
    alm_log_info(server->rpc->log, "rpc.key_refused", ALM_KV_CSTR("server", server->name),
                 ALM_KV_CSTR("key", text), ALM_KV_U64("refused", count));
}

// Who is known by a token has no key in the policy: where there are tokens anyone may connect, as
// nobody, and each call says more.
static bool admit_key(void *arg, const uint8_t key[ALM_CURVE_KEY_BYTES],
                      char ret_user[ALM_USER_BYTES_MAX])
{
    alm_server *server = arg;
    if (memcmp(key, server->keypair->public_key, ALM_CURVE_KEY_BYTES) == 0) {
        snprintf(ret_user, ALM_USER_BYTES_MAX, "%s", ALM_USER_SELF);
        return true;
    }
    alm_role role; // asked for again with each call, so that a reload counts at once
    if (alm_policy_admit_key(server->policy, key, ret_user, &role)) {
        return true;
    }
    bool has_tokens = alm_policy_has_tokens(server->policy);
    ret_user[0] = '\0';
    if (!has_tokens) {
        log_refused(server, key);
    }
    return has_tokens;
}

static alm_code open_port(alm_server *server, alm_scheme scheme, alm_port **ret, alm_status *st)
{
    const alm_rpc_limits *limits = &server->rpc->limits;
    alm_port_curve curve = {.is_on = server->keypair != NULL};
    if (curve.is_on) {
        memcpy(curve.public_key, server->keypair->public_key, sizeof curve.public_key);
        memcpy(curve.secret_key, server->keypair->secret_key, sizeof curve.secret_key);
        curve.admit = server->policy != NULL ? admit_key : NULL;
        curve.admit_arg = server;
    }
    const alm_port_opts opts = {
        .role = ALM_PORT_LISTENS,
        .frame_bytes_max = ALM_FRAME_BYTES_MAX(limits->message_bytes_max),
        .peer_count_max = limits->peer_count_max,
        .curve = &curve,
    };
    alm_code code = alm_port_open(server->rpc, scheme, &opts, ret, st);
    explicit_bzero(&curve, sizeof curve);
    return code;
}

alm_code alm_server_bind(alm_server *server, const char *address, alm_status *st)
{
    ALM_ASSERT(!server->is_started);
    alm_address parsed;
    ALM_TRY(alm_address_parse(alm_str_from(address), &parsed, st));
    bool is_safe = server->keypair != NULL || server->allow_plaintext;
    if (!alm_address_is_loopback(&parsed) && !is_safe) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "%s is reachable from other machines and not encrypted; give a "
                              "--key-file, or say --allow-plaintext if the network is private",
                              address);
    }
    if (server->endpoint_count == ALM_SERVER_ENDPOINT_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s is past the limit of %d addresses",
                              address, ALM_SERVER_ENDPOINT_COUNT_MAX);
    }
    alm_port **port = &server->ports[parsed.scheme];
    if (*port == NULL) {
        ALM_TRY(open_port(server, parsed.scheme, port, st));
    }
    ALM_TRY((*port)->ops->bind(*port, address, server->endpoints[server->endpoint_count], st));
    server->endpoint_count++;
    return ALM_OK;
}

const char *alm_server_endpoint(const alm_server *server, size_t i)
{
    return i < server->endpoint_count ? server->endpoints[i] : NULL;
}

// Whether calls should come: one that says no is still asked whether it is well.
static bool is_serving(const alm_server *server, const alm_server_service *service)
{
    return service->is_builtin || (server->is_serving && service->is_serving);
}

static alm_code encode_hello(alm_server *server, alm_status *st)
{
    const alm_service_def *defs[ALM_HELLO_SERVICE_COUNT_MAX];
    bool are_serving[ALM_HELLO_SERVICE_COUNT_MAX];
    for (size_t i = 0; i < server->service_count; i++) {
        defs[i] = server->services[i].def;
        are_serving[i] = is_serving(server, &server->services[i]);
    }
    const alm_rpc_limits *limits = &server->rpc->limits;
    alm_hello hello = {
        .message_bytes_max = (uint32_t)limits->message_bytes_max,
        .heartbeat_ms = ALM_SERVER_HEARTBEAT_MS,
        .window_bytes = (uint32_t)limits->window_bytes,
        .window_messages = (uint32_t)limits->window_messages,
        .stream_count_max = (uint32_t)limits->stream_count_max,
    };
    alm_buf_reset(&server->hello);
    if (!alm_hello_encode(&server->hello, &hello, defs, are_serving, server->service_count)) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a server's HELLO");
    }
    return ALM_OK;
}

alm_code alm_server_start(alm_server *server, alm_status *st)
{
    ALM_ASSERT(!server->is_started);
    server->is_serving = true;
    ALM_TRY(encode_hello(server, st));
    alm_lock(server->lock);
    alm_code code = alm_io_add(server->rpc->io, &server->part, st);
    server->is_started = code == ALM_OK;
    alm_unlock(server->lock);
    return code;
}

static void tell_serving(alm_server *server)
{
    for (size_t i = 0; i < server->service_count; i++) {
        alm_record record = {
            .type = ALM_RECORD_SERVING,
            .arg = (uint32_t)i,
            .time_ms = is_serving(server, &server->services[i]) ? 1 : 0,
        };
        alm_peer *peer, *next;
        HASH_ITER (hh, server->peers, peer, next) {
            alm_peer_send(server, peer, &record);
        }
    }
}

void alm_server_set_serving(alm_server *server, const char *service, bool serving)
{
    alm_lock(server->lock);
    if (service == NULL || service[0] == '\0') {
        server->is_serving = serving;
    }
    for (size_t i = 0; i < server->service_count && service != NULL; i++) {
        if (strcmp(server->services[i].def->descriptor->name, service) == 0) {
            server->services[i].is_serving = serving;
        }
    }
    if (server->is_started) {
        alm_status ignored;
        (void)encode_hello(server, &ignored); // without memory it is cut, and clients try again
        tell_serving(server);
        alm_health_notify(server);
    }
    alm_unlock(server->lock);
}

static void stop_calls(alm_server *server, bool only_endless, size_t *ret_count)
{
    alm_peer *peer, *next_peer;
    HASH_ITER (hh, server->peers, peer, next_peer) {
        alm_call *call, *next_call;
        for (call = peer->calls; call != NULL; call = next_call) {
            next_call = call->peer_next;
            bool is_stopped = call->stop_code != ALM_OK;
            if (!is_stopped && (call->is_endless || !only_endless)) {
                *ret_count += call->is_endless ? 0 : 1;
                alm_call_stop(call, ALM_UNAVAILABLE, "the server is stopping");
            }
        }
    }
}

static void send_to_all(alm_server *server, alm_record_type type, uint64_t call_id)
{
    alm_record record = {.type = type, .call_id = call_id};
    alm_peer *peer, *next;
    HASH_ITER (hh, server->peers, peer, next) {
        record.arg = type == ALM_RECORD_PING ? peer->sent_records : 0;
        alm_peer_send(server, peer, &record);
    }
}

static bool all_peers_drained(const alm_server *server)
{
    for (const alm_peer *peer = server->peers; peer != NULL; peer = peer->hh.next) {
        if (!peer->is_drained) {
            return false;
        }
    }
    return true;
}

// Every peer answers a PING that follows GOAWAY: after that no new call of it is on its way. With a
// second one after the last END, all answers have arrived. A peer that hangs must not take the time
// of the calls in progress.
static void ping_all(alm_server *server, int64_t deadline_us)
{
    int64_t soon_us = alm_rpc_now_us(server->rpc) + ALM_SERVER_PING_MS * INT64_C(1000);
    int64_t until_us = ALM_MIN(deadline_us, soon_us);
    for (alm_peer *peer = server->peers; peer != NULL; peer = peer->hh.next) {
        peer->is_drained = false;
    }
    server->drain_ping++;
    send_to_all(server, ALM_RECORD_PING, server->drain_ping);
    alm_server_wake(server);
    while (!all_peers_drained(server)) {
        int64_t left_us = until_us - alm_rpc_now_us(server->rpc);
        if (left_us <= 0) {
            break;
        }
        alm_cond_wait_us(&server->drained, server->lock, left_us);
    }
}

// Where there is no I/O thread, those who defer a call are told here that it was stopped.
static void wait_for_drained(alm_server *server, int64_t left_us)
{
    if (!server->rpc->is_manual) {
        alm_cond_wait_us(&server->drained, server->lock, left_us);
        return;
    }
    alm_unlock(server->lock);
    (void)alm_io_turn(server->rpc->io, 0);
    alm_lock(server->lock);
}

static void wait_for_calls(alm_server *server, int64_t until_us)
{
    while (server->active_count > 0) {
        int64_t left_us =
            until_us == ALM_NEVER_US ? ALM_NEVER_US : until_us - alm_rpc_now_us(server->rpc);
        if (left_us <= 0) {
            break;
        }
        wait_for_drained(server, left_us);
    }
}

size_t alm_server_drain(alm_server *server, int64_t timeout_ms)
{
    size_t cancelled = 0, endless = 0;
    int64_t until_us = alm_rpc_now_us(server->rpc) + timeout_ms * 1000;
    alm_lock(server->lock);
    if (server->is_started && !server->was_drained) {
        server->is_draining = true;
        alm_health_notify(server);
        send_to_all(server, ALM_RECORD_GOAWAY, 0);
        stop_calls(server, true, &endless);
        ping_all(server, until_us);
        wait_for_calls(server, until_us);
        stop_calls(server, false, &cancelled);
        wait_for_calls(server, ALM_NEVER_US);
        ping_all(server, until_us);
        server->was_drained = true;
    }
    alm_unlock(server->lock);
    return cancelled;
}

static void stop_threads(alm_server *server)
{
    alm_lock(server->lock);
    server->is_stopping = true;
    pthread_cond_broadcast(&server->work);
    alm_io_remove(server->rpc->io, &server->part);
    alm_unlock(server->lock);
    for (size_t i = 0; i < server->thread_count; i++) {
        pthread_join(server->threads[i], NULL);
    }
}

static void free_peers(alm_server *server)
{
    alm_peer *peer, *next;
    HASH_ITER (hh, server->peers, peer, next) {
        HASH_DEL(server->peers, peer);
        alm_peer_free(peer);
    }
}

void alm_server_destroy(alm_server **server)
{
    alm_server *self = *server;
    if (self == NULL) {
        return;
    }
    if (self->is_started) {
        alm_server_drain(self, 0);
        stop_threads(self);
    }
    free_peers(self);
    alm_call *call, *next;
    DL_FOREACH_SAFE(self->free_calls, call, next)
    {
        alm_call_destroy(call);
    }
    for (size_t i = 0; i < ALM_SERVER_PORT_COUNT; i++) {
        alm_port_unwatch(self->ports[i], self->rpc->io, &self->watched[i]);
        alm_port_close(&self->ports[i], 0);
    }
    alm_buf_deinit(&self->hello);
    while (self->spare_count > 0) {
        alm_buf_deinit(&self->spares[--self->spare_count]);
    }
    alm_free(self->methods);
    alm_free(self->threads);
    pthread_cond_destroy(&self->work);
    pthread_cond_destroy(&self->drained);
    alm_rpc_release(self->rpc);
    alm_free(self);
    *server = NULL;
}

const int64_t alm_latency_bounds_us[ALM_LATENCY_BUCKET_COUNT - 1] = {
    100, 250, 500, 1000, 2500, 5000, 10000, 25000, 100000, 250000, 1000000, 5000000, 30000000};

void alm_server_stats(alm_server *server, void (*visit)(void *arg, const alm_method_stats *stats),
                      void *arg)
{
    alm_lock(server->lock);
    alm_intercept_time_answered(server);
    alm_unlock(server->lock);
    for (size_t i = 0; i < server->method_count; i++) {
        alm_lock(server->lock);
        alm_method_stats stats = server->methods[i].stats;
        alm_unlock(server->lock);
        visit(arg, &stats);
    }
}
