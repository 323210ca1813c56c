#include "client.h"

#include "alm/alloc.h"

#include <stdio.h>

#define HELLO_ARENA_BYTES_MAX ((size_t)1 << 20)

static uint64_t hash_text(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    }
    return alm_mix64(hash);
}

alm_code alm_connection_add(alm_channel *channel, const char *address, alm_connection **ret,
                            alm_status *st)
{
    alm_address parsed;
    ALM_TRY(alm_address_parse(alm_str_from(address), &parsed, st));
    if (channel->connection_count == ALM_RPC_CONNECTION_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s is past the limit of %d addresses",
                              address, ALM_RPC_CONNECTION_COUNT_MAX);
    }
    alm_connection *connection = alm_calloc(1, sizeof *connection);
    alm_arena *arena = alm_arena_create(HELLO_ARENA_BYTES_MAX);
    if (connection == NULL || arena == NULL) {
        alm_arena_destroy(&arena);
        alm_free(connection);
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a connection");
    }
    snprintf(connection->address, sizeof connection->address, "%s", address);
    connection->channel = channel;
    connection->scheme = parsed.scheme;
    connection->address_hash = hash_text(address);
    connection->is_wanted = true;
    connection->arena = arena;
    alm_call_table_init(&connection->calls, (uint32_t)alm_rpc_random(channel->client->rpc));
    alm_outbox_init(&connection->out);
    alm_outbox_init(&connection->sending);
    DL_APPEND(channel->connections, connection);
    channel->connection_count++;
    *ret = connection;
    return ALM_OK;
}

uint8_t *alm_connection_begin(alm_connection *connection, const alm_record *record,
                              size_t payload_len)
{
    uint8_t *at = alm_outbox_begin(&connection->out, record, payload_len);
    connection->sent_records += at != NULL ? 1 : 0;
    alm_client_wake(connection->channel->client);
    return at;
}

bool alm_connection_send(alm_connection *connection, const alm_record *record)
{
    uint8_t *at = alm_connection_begin(connection, record, record->payload.len);
    if (at != NULL && record->payload.len > 0) {
        memcpy(at, record->payload.data, record->payload.len);
    }
    return at != NULL;
}

static void send_rest(alm_connection *connection)
{
    alm_record bye = {.type = ALM_RECORD_GOAWAY};
    if (alm_outbox_begin(&connection->out, &bye, 0) != NULL &&
        alm_port_send_records(connection->port, NULL, &connection->sending) == ALM_SENT_OK) {
        (void)alm_port_send_records(connection->port, NULL, &connection->out);
    }
}

void alm_connection_destroy(alm_connection *connection)
{
    if (connection->port != NULL) {
        bool says_bye = connection->said_hello;
        if (says_bye) {
            send_rest(connection);
        }
        alm_port_unwatch(connection->port, connection->channel->client->rpc->io,
                         &connection->watched);
        alm_port_close(&connection->port, says_bye ? ALM_CLIENT_LINGER_MS : 0);
    }
    alm_call_table_deinit(&connection->calls);
    alm_arena_destroy(&connection->arena);
    alm_outbox_deinit(&connection->out);
    alm_outbox_deinit(&connection->sending);
    alm_free(connection);
}

static int64_t backoff_us(alm_client *client, unsigned failures)
{
    int64_t wait_us = ALM_MIN((int64_t)ALM_RETRY_US << ALM_MIN(failures, 10u), ALM_RETRY_US_MAX);
    uint64_t jitter = alm_rpc_random(client->rpc) % (uint64_t)(wait_us / 2 + 1);
    return wait_us / 2 + (int64_t)jitter;
}

void alm_connection_lose(alm_connection *connection, const char *why)
{
    alm_channel *channel = connection->channel;
    alm_client *client = channel->client;
    alm_status st = ALM_STATUS_INIT;
    alm_status_set(&st, ALM_UNAVAILABLE, "%s %s", connection->address, why);
    alm_channel_note_error(channel, st.message);
    alm_port_unwatch(connection->port, client->rpc->io, &connection->watched);
    alm_port_close(&connection->port, 0);
    connection->state = ALM_CONNECTION_IDLE;
    connection->open_us =
        alm_rpc_now_us(client->rpc) + backoff_us(client, connection->lost_count++);
    connection->said_hello = false;
    connection->events = 0;
    alm_outbox_reset(&connection->sending);
    alm_outbox_reset(&connection->out);
    alm_arena_reset(connection->arena);
    connection->hello = (alm_hello){0};
    connection->found_def = NULL;
    connection->sent_records = 0;
    connection->received_records = 0;
    for (uint32_t i = 0; i < connection->calls.slot_count; i++) {
        alm_stream *stream = connection->calls.slots[i].call;
        if (stream != NULL) {
            alm_connection_count(connection, true);
            alm_stream_fail(stream, false, &st);
        }
    }
    alm_resolver_kick(channel);
}

static void open_port(alm_connection *connection, int64_t now_us)
{
    alm_rpc *rpc = connection->channel->client->rpc;
    alm_status st;
    const alm_port_opts opts = {.role = ALM_PORT_DIALS,
                                .curve = &connection->channel->curve,
                                .frame_bytes_max =
                                    ALM_FRAME_BYTES_MAX(rpc->limits.message_bytes_max)};
    alm_code code = alm_port_open(rpc, connection->scheme, &opts, &connection->port, &st);
    if (code == ALM_OK) {
        code = connection->port->ops->connect(connection->port, connection->address, &st);
    }
    if (code != ALM_OK) {
        alm_connection_lose(connection, st.message);
        return;
    }
    connection->state = ALM_CONNECTION_CONNECTING;
    connection->hello_us = now_us;
    connection->events = connection->port->ops->events(connection->port);
}

static void say_hello(alm_connection *connection, int64_t now_us)
{
    alm_channel *channel = connection->channel;
    alm_buf payload;
    alm_buf_init(&payload, 0);
    const alm_rpc_limits *limits = &channel->client->rpc->limits;
    alm_hello hello = {
        .message_bytes_max = (uint32_t)limits->message_bytes_max,
        .heartbeat_ms = (uint32_t)channel->heartbeat_ms,
        .window_bytes = (uint32_t)limits->window_bytes,
        .window_messages = (uint32_t)limits->window_messages,
    };
    bool is_encoded = alm_hello_encode(&payload, &hello, NULL, NULL, 0);
    alm_record record = {.type = ALM_RECORD_HELLO, .payload = alm_buf_view(&payload)};
    if (is_encoded && alm_connection_send(connection, &record)) {
        connection->said_hello = true;
        connection->hello_us = now_us;
    }
    alm_buf_deinit(&payload);
}

static void beat(alm_connection *connection, int64_t now_us)
{
    if (connection->beats_unanswered >= ALM_CLIENT_BEATS_MAX) {
        alm_connection_lose(connection, "has fallen silent");
        return;
    }
    alm_record ping = {.type = ALM_RECORD_PING, .arg = connection->sent_records};
    connection->beats_unanswered++;
    connection->beat_us = now_us + connection->channel->heartbeat_ms * 1000;
    (void)alm_connection_send(connection, &ping);
}

// libzmq connects again by itself, and if that is quicker than our look at the port, HELLO went to
// the peer before. With inproc there is no such thing, and no peer before a server binds the name.
static int64_t wait_for_hello(alm_connection *connection, int64_t now_us)
{
    if (connection->scheme == ALM_SCHEME_INPROC || !connection->said_hello) {
        return ALM_NEVER_US;
    }
    int64_t beats_us = connection->channel->heartbeat_ms * 1000 * ALM_CLIENT_BEATS_MAX;
    int64_t until_us = connection->hello_us + ALM_MAX(beats_us, ALM_CLIENT_HELLO_US_MIN);
    if (now_us >= until_us) {
        alm_connection_lose(connection, "does not answer");
        return connection->open_us;
    }
    return until_us;
}

static const char *why_lost(const alm_connection *connection)
{
    if (connection->state != ALM_CONNECTION_CONNECTING) {
        return "closed the connection";
    }
    return (connection->events & ALM_PORT_REACHED) != 0
               ? "takes the connection and ends it without a greeting: another key, or another "
                 "service?"
               : "cannot be reached";
}

int64_t alm_connection_step(alm_connection *connection, int64_t now_us)
{
    if (connection->state == ALM_CONNECTION_IDLE && now_us >= connection->open_us) {
        open_port(connection, now_us);
    }
    if (connection->state == ALM_CONNECTION_IDLE) {
        return connection->open_us;
    }
    bool is_connected = (connection->events & ALM_PORT_CONNECTED) != 0;
    if ((connection->events & ALM_PORT_LOST) != 0) {
        alm_connection_lose(connection, why_lost(connection));
        return connection->open_us;
    }
    if (is_connected && !connection->said_hello) {
        say_hello(connection, now_us);
    } else if (!is_connected && connection->said_hello) {
        alm_connection_lose(connection, "closed the connection");
        return connection->open_us;
    }
    if (connection->state == ALM_CONNECTION_CONNECTING) {
        return wait_for_hello(connection, now_us);
    }
    if (now_us >= connection->beat_us) {
        beat(connection, now_us);
    }
    return connection->state == ALM_CONNECTION_IDLE ? connection->open_us : connection->beat_us;
}

// --- records from the server ---------------------------------------------------------------------

static alm_code take_hello(alm_connection *connection, const alm_record *record, alm_status *st)
{
    if (connection->state != ALM_CONNECTION_CONNECTING) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "a second HELLO");
    }
    ALM_TRY(alm_hello_decode(record->payload, connection->arena, &connection->hello, st));
    connection->state = ALM_CONNECTION_HEALTHY;
    connection->lost_count = 0;
    connection->beats_unanswered = 0;
    connection->beat_us =
        alm_rpc_now_us(connection->channel->client->rpc) + connection->channel->heartbeat_ms * 1000;
    pthread_cond_broadcast(&connection->channel->changed);
    return ALM_OK;
}

// A transport that loses or repeats a frame must not go unnoticed.
static alm_code check_count(const alm_connection *connection, uint32_t sent, alm_status *st)
{
    uint32_t before = connection->received_records - 1;
    if (sent != before) {
        return alm_status_set(st, ALM_UNAVAILABLE, "sent %u records, and %u came", (unsigned)sent,
                              (unsigned)before);
    }
    return ALM_OK;
}

static alm_code take_ping(alm_connection *connection, const alm_record *record, alm_status *st)
{
    ALM_TRY(check_count(connection, record->arg, st));
    alm_record pong = {.type = ALM_RECORD_PONG, .call_id = record->call_id};
    (void)alm_connection_send(connection, &pong);
    return ALM_OK;
}

static void take_serving(alm_connection *connection, const alm_record *record)
{
    if (record->arg < connection->hello.service_count) {
        connection->hello.services[record->arg].is_serving = record->time_ms != 0;
        pthread_cond_broadcast(&connection->channel->changed);
    }
}

static alm_code take_record(alm_connection *connection, const alm_record *record, alm_status *st)
{
    alm_stream *stream = NULL;
    connection->received_records++;
    switch (record->type) {
    case ALM_RECORD_HELLO:
        return take_hello(connection, record, st);
    case ALM_RECORD_MESSAGE:
    case ALM_RECORD_END:
    case ALM_RECORD_CREDIT:
        stream = alm_call_table_find(&connection->calls, record->call_id);
        if (stream != NULL) { // else it has ended here already
            alm_stream_take(stream, record);
        }
        return ALM_OK;
    case ALM_RECORD_PING:
        return take_ping(connection, record, st);
    case ALM_RECORD_SERVING:
        take_serving(connection, record);
        return ALM_OK;
    case ALM_RECORD_PONG: // a server that counts has sent HELLO before
        return record->arg != 0 ? check_count(connection, record->arg, st) : ALM_OK;
    case ALM_RECORD_GOAWAY:
        if (connection->state == ALM_CONNECTION_HEALTHY) {
            connection->state = ALM_CONNECTION_LEAVING;
        }
        return ALM_OK;
    case ALM_RECORD_RESET:
        return alm_status_set(st, ALM_UNAVAILABLE, "does not know this connection any more");
    default:
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "sent a record of type %d",
                              (int)record->type);
    }
}

size_t alm_connection_take_frame(alm_connection *connection, alm_str data)
{
    alm_status st = ALM_STATUS_INIT;
    alm_reader frame = alm_reader_of(data.data, data.len);
    size_t count = 0;
    connection->beats_unanswered = 0;
    for (; alm_reader_left(&frame) > 0; count++) {
        alm_record record;
        alm_code code = alm_record_next(&frame, &record, &st);
        if (code == ALM_OK) {
            code = take_record(connection, &record, &st);
        }
        if (code != ALM_OK) {
            alm_connection_lose(connection, st.message);
            break;
        }
    }
    return count;
}

static const alm_hello_service *find_service(const alm_hello *hello, const char *name)
{
    alm_str wanted = alm_str_from(name);
    for (uint32_t i = 0; i < hello->service_count; i++) {
        if (alm_str_eq(hello->services[i].name, wanted)) {
            return &hello->services[i];
        }
    }
    return NULL;
}

const alm_hello_service *alm_connection_service(alm_connection *connection,
                                                const alm_service_def *def)
{
    ALM_ASSERT(connection->state == ALM_CONNECTION_HEALTHY); // else what is found would not last
    if (connection->found_def != def) {
        const alm_hello_service *found = find_service(&connection->hello, def->descriptor->name);
        connection->found_is_ours =
            found != NULL &&
            found->checksum == alm_client_checksum(connection->channel->client, def);
        connection->found = found;
        connection->found_def = def;
    }
    return connection->found;
}
