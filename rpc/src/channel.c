#include "client.h"

#include "alm/alloc.h"
#include "almanac/internal/health.pb-c.h"

#include <stdio.h>

#define RESOLVE_MS_DEFAULT   1000
#define HEARTBEAT_MS_DEFAULT 500

// --- opening and closing -------------------------------------------------------------------------

static alm_code add_name(alm_channel *channel, const alm_address *address, alm_status *st)
{
    size_t size = (channel->name_count + 1) * sizeof *channel->names;
    alm_target_name *names = alm_realloc(channel->names, size);
    if (names == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a channel");
    }
    channel->names = names;
    alm_target_name *name = &names[channel->name_count++];
    snprintf(name->host, sizeof name->host, "%.*s", ALM_STR_ARGS(address->host));
    snprintf(name->port, sizeof name->port, "%.*s", ALM_STR_ARGS(address->port));
    return ALM_OK;
}

static alm_code add_address(alm_channel *channel, alm_str text, alm_status *st)
{
    alm_address address;
    ALM_TRY(alm_address_parse(text, &address, st));
    if (alm_address_takes_any_port(&address)) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "'%.*s' names no port to call",
                              ALM_STR_ARGS(text));
    }
    if (!alm_address_is_numeric(&address)) {
        return add_name(channel, &address, st);
    }
    char copy[ALM_ADDRESS_BYTES_MAX];
    snprintf(copy, sizeof copy, "%.*s", ALM_STR_ARGS(text));
    alm_connection *connection;
    ALM_TRY(alm_connection_add(channel, copy, &connection, st));
    connection->is_static = true;
    return ALM_OK;
}

static alm_code add_addresses(alm_channel *channel, alm_status *st)
{
    alm_str rest = alm_str_from(channel->target);
    alm_str part;
    while (alm_str_split(&rest, ',', &part)) {
        ALM_TRY(add_address(channel, alm_str_trim(part), st));
    }
    return ALM_OK;
}

static void channel_free(alm_channel *channel)
{
    alm_connection *connection, *next;
    DL_FOREACH_SAFE(channel->connections, connection, next)
    {
        alm_connection_destroy(connection);
    }
    pthread_cond_destroy(&channel->changed);
    alm_free(channel->names);
    alm_free(channel->target);
    alm_free(channel);
}

void alm_channel_release(alm_channel *channel)
{
    ALM_ASSERT(channel->ref_count > 0);
    channel->ref_count--;
    if (channel->ref_count == 0) {
        ALM_ASSERT(channel->connections == NULL);
        channel_free(channel);
    }
}

static alm_channel *channel_create(alm_client *client, const char *target,
                                   const alm_channel_opts *opts)
{
    static const alm_channel_opts none;
    opts = opts != NULL ? opts : &none;
    alm_channel *channel = alm_calloc(1, sizeof *channel);
    if (channel == NULL) {
        return NULL;
    }
    channel->client = client;
    channel->ref_count = 1;
    channel->resolve_ms = opts->resolve_ms > 0 ? opts->resolve_ms : RESOLVE_MS_DEFAULT;
    channel->heartbeat_ms = opts->heartbeat_ms > 0 ? opts->heartbeat_ms : HEARTBEAT_MS_DEFAULT;
    alm_cond_init(&channel->changed);
    channel->target = alm_strdup(target);
    if (channel->target == NULL) {
        channel_free(channel);
        return NULL;
    }
    return channel;
}

static alm_code start(alm_channel *channel, alm_status *st)
{
    alm_client *client = channel->client;
    alm_lock(&client->lock);
    alm_code code = alm_client_start(client, st);
    if (code == ALM_OK && channel->name_count > 0) {
        code = alm_resolver_start(client, &client->resolver, st);
    }
    if (code == ALM_OK) {
        DL_APPEND(client->channels, channel);
        alm_client_wake(client);
        alm_resolver_wake(client->resolver);
    }
    alm_unlock(&client->lock);
    return code;
}

alm_code alm_channel_open(alm_rpc *rpc, const char *target, const alm_channel_opts *opts,
                          alm_channel **ret, alm_status *st)
{
    alm_channel *channel = channel_create(rpc->client, target, opts);
    if (channel == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a channel");
    }
    alm_code code = add_addresses(channel, st);
    if (code == ALM_OK) {
        code = start(channel, st);
    }
    if (code != ALM_OK) {
        channel_free(channel);
        return code;
    }
    alm_rpc_retain(rpc);
    *ret = channel;
    return ALM_OK;
}

static void end_streams(alm_channel *channel)
{
    alm_status st = ALM_STATUS_INIT;
    alm_status_set(&st, ALM_CANCELLED, "the channel to %s was closed", channel->target);
    alm_stream *stream;
    DL_FOREACH(channel->streams, stream)
    {
        alm_stream_end(stream, &st);
    }
}

void alm_channel_close(alm_channel **channel)
{
    alm_channel *self = *channel;
    if (self == NULL) {
        return;
    }
    alm_client *client = self->client;
    alm_lock(&client->lock);
    end_streams(self);
    self->is_closed = true;
    alm_client_wake(client);
    while (self->connections != NULL) { // the I/O thread owns the sockets
        alm_cond_wait_us(&self->changed, &client->lock, ALM_NEVER_US);
    }
    DL_DELETE(client->channels, self);
    alm_channel_release(self);
    alm_unlock(&client->lock);
    alm_rpc_release(client->rpc);
    *channel = NULL;
}

void alm_channel_note_error(alm_channel *channel, const char *text)
{
    snprintf(channel->last_error, sizeof channel->last_error, "%.*s",
             (int)sizeof channel->last_error - 1, text);
}

// --- which connection ----------------------------------------------------------------------------

typedef struct pick_result {
    alm_connection *best;
    const alm_hello_service *service; // at best
    bool is_any_healthy, is_any_serving;
} pick_result;

// With an affinity the highest score wins (rendezvous hashing: a connection that comes or goes
// moves only its own share of keys), else the fewest calls in progress.
static bool is_better(const alm_stream *stream, const alm_connection *a, const alm_connection *b)
{
    if (b == NULL) {
        return true;
    }
    bool avoids_a = a == stream->avoid;
    bool avoids_b = b == stream->avoid;
    if (avoids_a != avoids_b) {
        return avoids_b;
    }
    if (stream->affinity != 0) {
        return alm_mix64(a->address_hash ^ stream->affinity) >
               alm_mix64(b->address_hash ^ stream->affinity);
    }
    return a->calls.used_count < b->calls.used_count;
}

static pick_result pick(alm_channel *channel, const alm_stream *stream)
{
    pick_result result = {0};
    size_t count = channel->connection_count;
    alm_connection *connection = channel->connections;
    size_t skip = count > 0 ? channel->pick_next++ % count : 0;
    for (size_t i = 0; i < skip; i++) {
        connection = connection->next;
    }
    for (size_t i = 0; i < count; i++) {
        if (connection->state == ALM_CONNECTION_HEALTHY && connection->is_wanted) {
            result.is_any_healthy = true;
            const alm_hello_service *service =
                alm_connection_service(connection, stream->service->descriptor->name);
            result.is_any_serving = result.is_any_serving || service != NULL;
            if (service != NULL && service->checksum == stream->checksum &&
                is_better(stream, connection, result.best)) {
                result.best = connection;
                result.service = service;
            }
        }
        connection = connection->next != NULL ? connection->next : channel->connections;
    }
    return result;
}

bool alm_channel_has_other(const alm_channel *channel, const alm_connection *than)
{
    const alm_connection *connection;
    DL_FOREACH(channel->connections, connection)
    {
        if (connection != than && connection->state == ALM_CONNECTION_HEALTHY) {
            return true;
        }
    }
    return false;
}

void alm_channel_place(alm_channel *channel, alm_stream *stream)
{
    const char *name = stream->service->descriptor->name;
    pick_result found = pick(channel, stream);
    alm_status st = ALM_STATUS_INIT;
    if (found.best != NULL) {
        (void)alm_stream_send_request(stream, found.best, found.service->method_first);
        return;
    }
    if (!found.is_any_healthy && !stream->fail_fast) {
        return; // waits
    }
    if (!found.is_any_healthy) {
        const char *why = channel->last_error;
        alm_status_set(&st, ALM_UNAVAILABLE, "no healthy connection to %s%s%s", channel->target,
                       why[0] != '\0' ? ": " : "", why);
    } else if (!found.is_any_serving) {
        alm_status_set(&st, ALM_UNIMPLEMENTED, "%s does not serve %s", channel->target, name);
    } else {
        alm_status_set(&st, ALM_FAILED_PRECONDITION,
                       "%s serves another version of %s: its messages or methods differ from ours",
                       channel->target, name);
    }
    alm_stream_end(stream, &st);
}

int64_t alm_channel_place_waiting(alm_channel *channel, int64_t now_us)
{
    int64_t until_us = ALM_NEVER_US;
    if (channel->waiting_count == 0) {
        return until_us;
    }
    alm_stream *stream;
    DL_FOREACH(channel->streams, stream)
    {
        if (stream->state != ALM_STREAM_WAITING) {
            continue;
        }
        if (stream->not_before_us <= now_us) {
            alm_channel_place(channel, stream);
        } else {
            until_us = ALM_MIN(until_us, stream->not_before_us);
        }
    }
    return until_us;
}

// --- for people and probes -----------------------------------------------------------------------

alm_code alm_channel_wait_ready(alm_channel *channel, int64_t timeout_ms, alm_status *st)
{
    alm_client *client = channel->client;
    int64_t until_us = alm_rpc_now_us(client->rpc) + timeout_ms * 1000;
    alm_code code = ALM_OK;
    alm_lock(&client->lock);
    while (!alm_channel_has_other(channel, NULL)) {
        int64_t left_us = until_us - alm_rpc_now_us(client->rpc);
        if (left_us <= 0) {
            const char *why = channel->last_error;
            code = alm_status_set(st, ALM_DEADLINE_EXCEEDED,
                                  "no healthy connection to %s within %lld ms%s%s", channel->target,
                                  (long long)timeout_ms, why[0] != '\0' ? ": " : "", why);
            break;
        }
        alm_cond_wait_us(&channel->changed, &client->lock, left_us);
    }
    alm_unlock(&client->lock);
    return code;
}

void alm_channel_visit(alm_channel *channel,
                       void (*visit)(void *arg, const alm_connection_info *info), void *arg)
{
    alm_lock(&channel->client->lock);
    const alm_connection *connection;
    DL_FOREACH(channel->connections, connection)
    {
        alm_connection_info info = {
            .address = connection->address,
            .healthy = connection->state == ALM_CONNECTION_HEALTHY,
            .outstanding = connection->calls.used_count,
            .calls = connection->call_count,
            .failures = connection->failure_count,
        };
        visit(arg, &info);
    }
    alm_unlock(&channel->client->lock);
}

static alm_code ask_health(alm_channel *channel, const char *service, int64_t timeout_ms,
                           alm_arena *arena, alm_status *st)
{
    Almanac__Internal__HealthCheckRequest request;
    almanac__internal__health_check_request__init(&request);
    request.service = (char *)(uintptr_t)(service != NULL ? service : "");
    alm_call_opts opts = {.timeout_ms = timeout_ms};
    ProtobufCMessage *reply;
    alm_code code = alm_channel_call(channel, &alm_service_health, "Check", &opts, &request.base,
                                     arena, &reply, st);
    if (code == ALM_DEADLINE_EXCEEDED) {
        return alm_status_set(st, ALM_UNAVAILABLE, "not there within %lld ms",
                              (long long)timeout_ms);
    }
    ALM_TRY(code);
    int status = (int)((Almanac__Internal__HealthCheckResponse *)reply)->status;
    if (status != ALMANAC__INTERNAL__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING) {
        return alm_status_set(st, ALM_UNAVAILABLE, "not serving");
    }
    return ALM_OK;
}

alm_code alm_health_check(alm_rpc *rpc, const char *address, const char *service,
                          int64_t timeout_ms, alm_status *st)
{
    alm_channel *channel;
    ALM_TRY(alm_channel_open(rpc, address, NULL, &channel, st));
    alm_arena *arena = alm_arena_create(0);
    alm_code code = arena != NULL ? ask_health(channel, service, timeout_ms, arena, st)
                                  : alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory");
    if (code != ALM_OK && st != NULL) {
        alm_status_prefix(st, "%s", address);
    }
    alm_arena_destroy(&arena);
    alm_channel_close(&channel);
    return code;
}
