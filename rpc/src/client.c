#include "client.h"

#include "alm/alloc.h"

#include <stddef.h>

#define FULL_RETRY_US      2000 // a queue in the transport is full
#define OUT_KEEP_BYTES_MAX ((size_t)1 << 20)

void alm_client_wake(alm_client *client)
{
    alm_io_wake(client->rpc->io);
}

uint64_t alm_client_checksum(alm_client *client, const alm_service_def *def)
{
    for (size_t i = 0; i < client->checksum_count; i++) {
        if (client->checksums[i].def == def) {
            return client->checksums[i].checksum;
        }
    }
    uint64_t checksum = alm_service_checksum(def);
    if (client->checksum_count < ALM_CHECKSUM_COUNT_MAX) {
        client->checksums[client->checksum_count].def = def;
        client->checksums[client->checksum_count].checksum = checksum;
        client->checksum_count++;
    }
    return checksum;
}

// --- turns ---------------------------------------------------------------------------------------

static alm_client *client_of(alm_io_part *part)
{
    return (alm_client *)((char *)part - offsetof(alm_client, part));
}

void alm_client_drop_connections(alm_channel *channel)
{
    alm_connection *connection, *next;
    DL_FOREACH_SAFE(channel->connections, connection, next)
    {
        bool is_idle = connection->calls.used_count == 0;
        if (channel->is_closed || (!connection->is_wanted && is_idle)) {
            DL_DELETE(channel->connections, connection);
            channel->connection_count--;
            alm_connection_destroy(connection);
        }
    }
    if (channel->is_closed) {
        pthread_cond_broadcast(&channel->changed);
    }
}

static bool reserve_snapshot(alm_client *client, size_t count)
{
    if (count <= client->snapshot_cap) {
        return true;
    }
    size_t cap = ALM_MAX(count, client->snapshot_cap * 2);
    alm_connection **snapshot = alm_realloc(client->snapshot, cap * sizeof *snapshot);
    if (snapshot == NULL) {
        return false;
    }
    client->snapshot = snapshot;
    client->snapshot_cap = cap;
    return true;
}

// The connections of all channels, which only this thread frees, so that they can be used without
// the lock. What there is no memory for has to wait.
static void take_snapshot(alm_client *client)
{
    size_t count = 0;
    alm_channel *channel;
    DL_FOREACH(client->channels, channel)
    {
        alm_client_drop_connections(channel);
        count += channel->connection_count;
    }
    if (!reserve_snapshot(client, count)) {
        count = client->snapshot_cap;
    }
    size_t at = 0;
    DL_FOREACH(client->channels, channel)
    {
        alm_connection *connection;
        DL_FOREACH(channel->connections, connection)
        {
            if (at < count) {
                client->snapshot[at++] = connection;
            }
        }
    }
    client->snapshot_count = at;
}

static void swap_buffers(alm_connection *connection)
{
    if (alm_outbox_is_empty(&connection->sending) && !alm_outbox_is_empty(&connection->out)) {
        alm_outbox spent = connection->sending;
        connection->sending = connection->out;
        connection->out = spent;
        alm_outbox_reset(&connection->out);
        if (connection->out.records.cap > OUT_KEEP_BYTES_MAX) {
            alm_outbox_deinit(&connection->out); // a burst's memory is not kept
        }
    }
}

// Ends the calls whose time is over. Returns when the next one's is.
static int64_t end_late(alm_client *client, int64_t now_us)
{
    alm_timer *timer;
    while ((timer = alm_timers_due(&client->timers, now_us)) != NULL) {
        alm_stream_end_by_deadline(
            (alm_stream *)(uintptr_t)((const char *)timer - offsetof(alm_stream, timer)));
    }
    return alm_timers_next_us(&client->timers);
}

// What is due, with the lock held. Returns when more will be.
static int64_t step(alm_client *client, int64_t now_us)
{
    int64_t until_us = end_late(client, now_us);
    for (size_t i = 0; i < client->snapshot_count; i++) {
        int64_t its_us = alm_connection_step(client->snapshot[i], now_us);
        until_us = ALM_MIN(until_us, its_us);
    }
    alm_channel *channel;
    DL_FOREACH(client->channels, channel)
    {
        int64_t its_us = alm_channel_place_waiting(channel, now_us);
        until_us = ALM_MIN(until_us, its_us);
    }
    return until_us;
}

// Calls that are made by events go out in this turn too.
static void swap_all(alm_client *client)
{
    for (size_t i = 0; i < client->snapshot_count; i++) {
        swap_buffers(client->snapshot[i]);
    }
}

static alm_sent send_batches(alm_connection *connection)
{
    return alm_port_send_records(connection->port, NULL, &connection->sending);
}

// A port that is gone shows in its events.
static int64_t flush(alm_client *client, int64_t now_us)
{
    bool is_full = false;
    for (size_t i = 0; i < client->snapshot_count; i++) {
        if (client->snapshot[i]->port != NULL) {
            is_full = send_batches(client->snapshot[i]) == ALM_SENT_FULL || is_full;
        }
    }
    return is_full ? now_us + FULL_RETRY_US : ALM_NEVER_US;
}

// What ends the wait for the connection.
static int64_t watch(alm_io *io, alm_connection *connection, int64_t now_us)
{
    const alm_port_ops *ops = connection->port->ops;
    int64_t until_us = ops->step != NULL ? ops->step(connection->port, now_us) : ALM_NEVER_US;
    connection->events = ops->events(connection->port);
    bool is_connected = (connection->events & ALM_PORT_CONNECTED) != 0;
    bool is_due = (connection->events & (ALM_PORT_INPUT | ALM_PORT_LOST)) != 0 ||
                  is_connected != connection->said_hello;
    alm_port_watch(connection->port, io, &connection->watched);
    return is_due ? now_us : until_us;
}

static int64_t turn(alm_io_part *part, alm_io *io, int64_t now_us)
{
    alm_client *client = client_of(part);
    alm_lock(client->lock);
    take_snapshot(client);
    int64_t until_us = step(client, now_us);
    alm_client_tell(client);
    swap_all(client);
    alm_unlock(client->lock);
    int64_t retry_us = flush(client, now_us);
    until_us = ALM_MIN(until_us, retry_us);
    for (size_t i = 0; i < client->snapshot_count; i++) {
        if (client->snapshot[i]->port != NULL) {
            int64_t its_us = watch(io, client->snapshot[i], now_us);
            until_us = ALM_MIN(until_us, its_us);
        }
    }
    return until_us;
}

static void receive_some(alm_client *client, alm_connection *connection)
{
    for (size_t taken_count = 0;
         taken_count < ALM_RECORD_BATCH_COUNT && connection->port != NULL;) {
        size_t count = 0;
        alm_incoming got;
        alm_received received = connection->port->ops->receive(connection->port, &got);
        if (received == ALM_RECEIVED_NOTHING) {
            return;
        }
        alm_io_tick(client->rpc->io);
        alm_lock(client->lock);
        if (received == ALM_RECEIVED_JUNK) {
            alm_connection_lose(connection, "sent a message of several parts");
        } else {
            count = alm_connection_take_frame(connection, got.frame);
        }
        alm_unlock(client->lock);
        taken_count += ALM_MAX(count, (size_t)1);
    }
}

static void receive(alm_io_part *part)
{
    alm_client *client = client_of(part);
    for (size_t i = 0; i < client->snapshot_count; i++) {
        alm_connection *connection = client->snapshot[i];
        if (connection->port != NULL &&
            (alm_port_take_told(connection->port, client->rpc->io, connection->watched) ||
             (connection->events & ALM_PORT_INPUT) != 0)) {
            receive_some(client, connection);
        }
    }
    alm_lock(client->lock);
    alm_client_tell(client);
    alm_unlock(client->lock);
}

// --- the client ----------------------------------------------------------------------------------

alm_code alm_client_create(alm_rpc *rpc, alm_client **ret, alm_status *st)
{
    alm_client *client = alm_calloc(1, sizeof *client);
    if (client == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a client");
    }
    client->rpc = rpc;
    client->lock = &rpc->lock;
    client->part = (alm_io_part){.turn = turn, .receive = receive};
    alm_buf_init(&client->metadata, rpc->limits.metadata_bytes_max);
    alm_cond_init(&client->told);
    *ret = client;
    return ALM_OK;
}

alm_code alm_client_start(alm_client *client, alm_status *st)
{
    if (!client->is_running) {
        ALM_TRY(alm_io_add(client->rpc->io, &client->part, st));
        client->is_running = true;
    }
    return ALM_OK;
}

static void free_streams(alm_client *client)
{
    alm_stream *stream, *next;
    if (client->spare != NULL) {
        LL_PREPEND(client->free_streams, client->spare);
    }
    LL_FOREACH_SAFE(client->free_streams, stream, next)
    {
        alm_stream_destroy(client, stream);
    }
}

void alm_client_destroy(alm_client **client)
{
    alm_client *self = *client;
    if (self == NULL) {
        return;
    }
    ALM_ASSERT(self->channels == NULL);
    alm_lock(self->lock);
    self->is_stopping = true;
    if (self->is_running) {
        alm_io_remove(self->rpc->io, &self->part);
    }
    alm_unlock(self->lock);
    alm_resolver_stop(&self->resolver);
    free_streams(self);
    alm_timers_deinit(&self->timers);
    alm_buf_deinit(&self->metadata);
    pthread_cond_destroy(&self->told);
    alm_free(self->snapshot);
    alm_free(self);
    *client = NULL;
}
