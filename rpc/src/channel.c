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
    explicit_bzero(&channel->curve, sizeof channel->curve);
    explicit_bzero(channel->token, sizeof channel->token);
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
    channel->retry_tokens = ALM_RETRY_TOKENS_MAX;
    channel->resolve_ms = opts->resolve_ms > 0 ? opts->resolve_ms : RESOLVE_MS_DEFAULT;
    channel->heartbeat_ms = opts->heartbeat_ms > 0 ? opts->heartbeat_ms : HEARTBEAT_MS_DEFAULT;
    alm_cond_init(&channel->changed);
    channel->curve = client->rpc->curve;
    memcpy(channel->token, client->rpc->token, sizeof channel->token);
    if (opts->identity != NULL) {
        alm_identity_take(opts->identity, &channel->curve, channel->token);
    }
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
    alm_lock(client->lock);
    alm_code code = alm_client_start(client, st);
    if (code == ALM_OK && channel->name_count > 0) {
        code = alm_resolver_start(client, &client->resolver, st);
    }
    if (code == ALM_OK) {
        DL_APPEND(client->channels, channel);
        alm_client_wake(client);
        alm_resolver_wake(client->resolver);
    }
    alm_unlock(client->lock);
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
    alm_stream *stream, *next;
    DL_FOREACH_SAFE(channel->streams, stream, next)
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
    bool is_manual = client->rpc->is_manual;
    ALM_ASSERT(is_manual || !alm_io_is_here(client->rpc->io)); // it would wait for itself
    alm_lock(client->lock);
    end_streams(self);
    self->is_closed = true;
    alm_client_wake(client);
    if (is_manual) {
        alm_client_drop_connections(self);
    }
    while (self->connections != NULL) { // the I/O thread owns the sockets
        alm_cond_wait_us(&self->changed, client->lock, ALM_NEVER_US);
    }
    DL_DELETE(client->channels, self);
    alm_channel_release(self);
    alm_unlock(client->lock);
    alm_rpc_release(client->rpc);
    *channel = NULL;
}

void alm_channel_note_error(alm_channel *channel, const char *text)
{
    snprintf(channel->last_error, sizeof channel->last_error, "%.*s",
             (int)sizeof channel->last_error - 1, text);
}

// --- which connection ----------------------------------------------------------------------------

bool alm_connection_is_ejected(const alm_connection *connection, int64_t now_us)
{
    return now_us < connection->ejected_until_us;
}

void alm_connection_count(alm_connection *connection, bool is_failure)
{
    alm_channel *channel = connection->channel;
    if (!is_failure) {
        connection->failure_streak = 0;
        connection->eject_count = 0;
        channel->retry_tokens =
            ALM_MIN(channel->retry_tokens + ALM_RETRY_TOKENS_BACK, ALM_RETRY_TOKENS_MAX);
        return;
    }
    connection->failure_count++;
    channel->retry_tokens = ALM_MAX(channel->retry_tokens - 1, 0);
    connection->failure_streak++;
    if (connection->failure_streak >= ALM_EJECT_FAILURES) {
        int64_t away_us = ALM_EJECT_US << ALM_MIN(connection->eject_count, 5u);
        connection->ejected_until_us =
            alm_rpc_now_us(channel->client->rpc) + ALM_MIN(away_us, ALM_EJECT_US_MAX);
        connection->eject_count++;
        connection->failure_streak = 0;
    }
}

bool alm_channel_has_budget(const alm_channel *channel)
{
    return channel->retry_tokens > ALM_RETRY_TOKENS_MAX / 2;
}

typedef struct pick_result {
    alm_connection *best;
    const alm_hello_service *service; // at best
    int best_rank;
    bool is_any_healthy; // and serves the service now, as far as it has it
    bool is_any_with_service;
    bool is_any_full; // has as many calls as it takes
} pick_result;

// Lower is better: where the last try failed only if need be, and last what fails all the time.
static int rank_of(const alm_stream *stream, const alm_connection *connection, int64_t now_us)
{
    return (connection == stream->avoid ? 1 : 0) +
           (alm_connection_is_ejected(connection, now_us) ? 2 : 0);
}

// With an affinity the highest score wins (rendezvous hashing: a connection that comes or goes
// moves only its own share of keys) as long as it has not many more calls in progress than the
// other, else the fewest.
#define AFFINITY_SLACK 2
static bool is_better(const alm_stream *stream, const alm_connection *a, const alm_connection *b)
{
    bool is_even = a->calls.used_count <= b->calls.used_count + AFFINITY_SLACK &&
                   b->calls.used_count <= a->calls.used_count + AFFINITY_SLACK;
    if (stream->affinity != 0 && is_even) {
        return alm_mix64(a->address_hash ^ stream->affinity) >
               alm_mix64(b->address_hash ^ stream->affinity);
    }
    return a->calls.used_count < b->calls.used_count;
}

static void consider(pick_result *result, const alm_stream *stream, alm_connection *connection,
                     int64_t now_us)
{
    const alm_hello_service *service = alm_connection_service(connection, stream->service);
    result->is_any_with_service = result->is_any_with_service || service != NULL;
    if (service != NULL && !service->is_serving) {
        return; // it will say when it does
    }
    result->is_any_healthy = true;
    bool is_full = connection->calls.used_count >= connection->hello.stream_count_max;
    if (service == NULL || !connection->found_is_ours || is_full) {
        result->is_any_full = result->is_any_full || is_full;
        return;
    }
    int rank = rank_of(stream, connection, now_us);
    bool is_first = result->best == NULL || rank < result->best_rank;
    if (is_first || (rank == result->best_rank && is_better(stream, connection, result->best))) {
        result->best = connection;
        result->best_rank = rank;
        result->service = service;
    }
}

static pick_result pick(alm_channel *channel, const alm_stream *stream)
{
    pick_result result = {0};
    int64_t now_us = alm_rpc_now_us(channel->client->rpc);
    size_t count = channel->connection_count;
    alm_connection *connection = channel->connections;
    size_t skip = count > 1 ? channel->pick_next++ % count : 0;
    for (size_t i = 0; i < skip; i++) {
        connection = connection->next;
    }
    for (size_t i = 0; i < count; i++) {
        if (connection->state == ALM_CONNECTION_HEALTHY && connection->is_wanted) {
            consider(&result, stream, connection, now_us);
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

static void end_without_place(alm_channel *channel, alm_stream *stream, const pick_result *found)
{
    const char *name = stream->service->descriptor->name;
    alm_status st = ALM_STATUS_INIT;
    if (!found->is_any_healthy) {
        const char *why = channel->last_error;
        alm_status_set(&st, ALM_UNAVAILABLE, "no healthy connection to %s%s%s", channel->target,
                       why[0] != '\0' ? ": " : "", why);
    } else if (!found->is_any_with_service) {
        alm_status_set(&st, ALM_UNIMPLEMENTED, "%s does not serve %s", channel->target, name);
    } else {
        alm_status_set(&st, ALM_FAILED_PRECONDITION,
                       "%s serves another version of %s: its messages or methods differ from ours",
                       channel->target, name);
    }
    alm_stream_end(stream, &st);
}

void alm_channel_place(alm_channel *channel, alm_stream *stream)
{
    pick_result found = pick(channel, stream);
    bool waits = found.is_any_full || (!found.is_any_healthy && !stream->fail_fast);
    if (found.best != NULL) {
        alm_stream_send_request(stream, found.best, found.service->method_first);
    } else if (!waits) {
        end_without_place(channel, stream, &found);
    }
}

int64_t alm_channel_place_waiting(alm_channel *channel, int64_t now_us)
{
    int64_t until_us = ALM_NEVER_US;
    if (channel->waiting_count == 0) {
        return until_us;
    }
    alm_stream *stream, *next;
    DL_FOREACH_SAFE(channel->streams, stream, next)
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
    alm_lock(client->lock);
    while (!alm_channel_has_other(channel, NULL)) {
        int64_t left_us = until_us - alm_rpc_now_us(client->rpc);
        if (left_us <= 0) {
            const char *why = channel->last_error;
            code = alm_status_set(st, ALM_DEADLINE_EXCEEDED,
                                  "no healthy connection to %s within %lld ms%s%s", channel->target,
                                  (long long)timeout_ms, why[0] != '\0' ? ": " : "", why);
            break;
        }
        alm_cond_wait_us(&channel->changed, client->lock, left_us);
    }
    alm_unlock(client->lock);
    return code;
}

const char *alm_connection_state_name(const alm_connection *connection)
{
    int64_t now_us = alm_rpc_now_us(connection->channel->client->rpc);
    switch (connection->state) {
    case ALM_CONNECTION_IDLE:
        return "idle";
    case ALM_CONNECTION_CONNECTING:
        return "connecting";
    case ALM_CONNECTION_HEALTHY:
        return alm_connection_is_ejected(connection, now_us) ? "ejected" : "ready";
    case ALM_CONNECTION_LEAVING:
    default:
        return "leaving";
    }
}

void alm_channel_visit(alm_channel *channel,
                       void (*visit)(void *arg, const alm_connection_info *info), void *arg)
{
    alm_lock(channel->client->lock);
    const alm_connection *connection;
    DL_FOREACH(channel->connections, connection)
    {
        alm_connection_info info = {
            .address = connection->address,
            .healthy = connection->state == ALM_CONNECTION_HEALTHY,
            .state = alm_connection_state_name(connection),
            .outstanding = connection->calls.used_count,
            .calls = connection->call_count,
            .failures = connection->failure_count,
        };
        visit(arg, &info);
    }
    alm_unlock(channel->client->lock);
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
