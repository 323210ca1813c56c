// Stats: the counters of this server and of its process' channels. Runs on the I/O thread.
#include "client.h"
#include "server_internal.h"

#include "almanac/internal/stats.pb-c.h"

typedef struct answer {
    alm_arena *arena;
    Almanac__Internal__StatsResponse response;
    bool failed;
} answer;

static void *take(answer *a, size_t count, size_t size)
{
    void *memory = alm_arena_calloc(a->arena, count, size);
    a->failed = a->failed || memory == NULL;
    return memory;
}

static char *text_of(answer *a, const char *text)
{
    char *copy = alm_arena_strdup(a->arena, alm_str_from(text));
    a->failed = a->failed || copy == NULL;
    return copy;
}

static void add_codes(answer *a, const alm_method_stats *stats, Almanac__Internal__MethodStats *m)
{
    m->ended = take(a, ALM_CODE_COUNT, sizeof *m->ended);
    for (int code = 0; code < ALM_CODE_COUNT && !a->failed; code++) {
        if (stats->finished[code] == 0) {
            continue;
        }
        Almanac__Internal__CodeCount *row = take(a, 1, sizeof *row);
        if (row != NULL) {
            almanac__internal__code_count__init(row);
            row->code = text_of(a, alm_code_name((alm_code)code));
            row->count = stats->finished[code];
            m->ended[m->n_ended++] = row;
        }
    }
}

static void add_latency(answer *a, const alm_method_stats *stats, Almanac__Internal__MethodStats *m)
{
    m->latency = take(a, ALM_LATENCY_BUCKET_COUNT, sizeof *m->latency);
    for (size_t i = 0; i < ALM_LATENCY_BUCKET_COUNT && !a->failed; i++) {
        Almanac__Internal__LatencyBucket *row = take(a, 1, sizeof *row);
        if (row != NULL) {
            almanac__internal__latency_bucket__init(row);
            bool is_open = i == ALM_LATENCY_BUCKET_COUNT - 1;
            row->up_to_us = is_open ? 0 : (uint64_t)alm_latency_bounds_us[i];
            row->count = stats->latency[i];
            m->latency[m->n_latency++] = row;
        }
    }
}

static void add_method(void *arg, const alm_method_stats *stats)
{
    answer *a = arg;
    Almanac__Internal__MethodStats *m = take(a, 1, sizeof *m);
    if (m == NULL) {
        return;
    }
    almanac__internal__method_stats__init(m);
    m->service = text_of(a, stats->service);
    m->method = text_of(a, stats->method);
    m->started = stats->started;
    m->messages_received = stats->messages_received;
    m->messages_sent = stats->messages_sent;
    m->bytes_received = stats->bytes_received;
    m->bytes_sent = stats->bytes_sent;
    m->latency_us_sum = stats->latency_us_sum;
    add_codes(a, stats, m);
    add_latency(a, stats, m);
    a->response.methods[a->response.n_methods++] = m;
}

static void add_connection(answer *a, const alm_connection *connection,
                           Almanac__Internal__ChannelStats *channel)
{
    Almanac__Internal__ConnectionStats *row = take(a, 1, sizeof *row);
    if (row != NULL) {
        almanac__internal__connection_stats__init(row);
        row->address = text_of(a, connection->address);
        row->state = text_of(a, alm_connection_state_name(connection));
        row->outstanding = connection->calls.used_count;
        row->calls = connection->call_count;
        row->failures = connection->failure_count;
        channel->connections[channel->n_connections++] = row;
    }
}

static Almanac__Internal__ChannelStats *describe_channel(answer *a, const alm_channel *channel)
{
    Almanac__Internal__ChannelStats *row = take(a, 1, sizeof *row);
    if (row == NULL) {
        return NULL;
    }
    almanac__internal__channel_stats__init(row);
    row->target = text_of(a, channel->target);
    row->waiting = channel->waiting_count;
    row->retry_tokens = channel->retry_tokens;
    row->connections = take(a, channel->connection_count, sizeof *row->connections);
    const alm_connection *connection;
    DL_FOREACH(channel->connections, connection)
    {
        if (!a->failed) {
            add_connection(a, connection, row);
        }
    }
    return row;
}

// With the client's lock held.
static void add_channels(answer *a, const alm_client *client)
{
    size_t count = 0;
    const alm_channel *channel;
    DL_FOREACH(client->channels, channel)
    {
        count++;
    }
    a->response.channels = take(a, count, sizeof *a->response.channels);
    DL_FOREACH(client->channels, channel)
    {
        Almanac__Internal__ChannelStats *row = a->failed ? NULL : describe_channel(a, channel);
        if (row != NULL) {
            a->response.channels[a->response.n_channels++] = row;
        }
    }
}

static alm_code get(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    (void)request;
    alm_server *server = self;
    answer a = {.arena = alm_call_arena(call)};
    almanac__internal__stats_response__init(&a.response);
    a.response.methods = take(&a, server->method_count, sizeof *a.response.methods);
    if (!a.failed) {
        alm_server_stats(server, add_method, &a);
    }
    alm_lock(server->lock);
    a.response.peers = HASH_COUNT(server->peers);
    a.response.calls = server->active_count;
    a.response.queued = server->queue_count;
    a.response.held_bytes = server->queue_bytes + server->inbox_bytes + alm_server_unsent(server);
    alm_unlock(server->lock);
    alm_client *client = server->rpc->client;
    alm_lock(client->lock);
    add_channels(&a, client);
    alm_unlock(client->lock);
    if (a.failed) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the statistics");
    }
    return alm_call_send(call, &a.response.base, st);
}

const alm_handler alm_stats_handlers[] = {get};
