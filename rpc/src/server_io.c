// A server in the I/O thread's turns: all frames in, all records out, and which peers are there.
#include "server_internal.h"

#include <stddef.h>
#include <stdio.h>

#define STALL_RETRY_US   2000 // a peer's queue in libzmq is full
#define FORGET_ARENA_MAX (64u << 10)
#define SPARE_BYTES_MAX  ((size_t)1 << 20)
#define NOT_TAKING_US    2000000 // who has taken nothing for so long is cut when room is scarce

void alm_server_wake(alm_server *server)
{
    alm_io_wake(server->rpc->io);
}

void alm_peer_free(alm_peer *peer)
{
    ALM_ASSERT(peer->calls == NULL);
    alm_id_map_deinit(&peer->ids);
    alm_outbox_deinit(&peer->out);
    alm_outbox_deinit(&peer->sending);
    alm_free(peer);
}

void alm_peer_mark_dirty(alm_server *server, alm_peer *peer)
{
    if (!peer->is_dirty && !peer->is_stalled && !peer->is_gone) {
        peer->is_dirty = true;
        DL_APPEND(server->dirty, peer);
    }
}

// --- how much is unsent --------------------------------------------------------------------------

size_t alm_server_unsent(const alm_server *server)
{
    return server->unsent_bytes + server->port_bytes;
}

// A share of what is left, not of the whole, so that the more do not read, the less each of them
// may hold, and there is always something left for one who does.
static bool passes_share(const alm_server *server, const alm_peer *peer, size_t max)
{
    size_t unsent = alm_server_unsent(server);
    size_t held = peer->unsent_bytes + peer->port_bytes;
    return unsent >= max ||
           held > ALM_MIN((max - unsent) / ALM_PEER_SHARE, ALM_PEER_OUT_BYTES_HIGH);
}

bool alm_peer_is_full(const alm_server *server, const alm_peer *peer)
{
    return passes_share(server, peer, server->rpc->limits.unsent_bytes_max);
}

// Streams leave an eighth to calls, and to a stream whose client has taken all it was sent.
bool alm_peer_streams_wait(alm_server *server, const alm_peer *peer)
{
    size_t max = server->rpc->limits.unsent_bytes_max;
    bool holds_none = peer->unsent_bytes + peer->port_bytes == 0;
    bool must_wait = passes_share(server, peer, holds_none ? max : max - max / 8);
    server->was_full = server->was_full || must_wait;
    return must_wait;
}

static void count_sent(alm_server *server, alm_peer *peer, size_t len)
{
    server->unsent_bytes -= len;
    peer->unsent_bytes -= len;
}

static void take_spare(alm_server *server, alm_peer *peer)
{
    if (peer->out.records.data == NULL && server->spare_count > 0) {
        peer->out.records = server->spares[--server->spare_count];
    }
}

// A peer that has nothing to send holds no buffer, and a burst's is not kept for anyone.
static void give_spare(alm_server *server, alm_outbox *outbox)
{
    if (outbox->records.cap > SPARE_BYTES_MAX || server->spare_count == ALM_SERVER_SPARE_COUNT) {
        alm_outbox_deinit(outbox);
        return;
    }
    if (outbox->records.data != NULL) {
        alm_outbox_reset(outbox);
        server->spares[server->spare_count++] = outbox->records;
        alm_outbox_init(outbox);
    }
}

uint8_t *alm_peer_begin(alm_server *server, alm_peer *peer, const alm_record *record,
                        size_t payload_len)
{
    if (peer->is_gone || peer->is_doomed) {
        return NULL;
    }
    take_spare(server, peer);
    size_t before = peer->out.records.len;
    uint8_t *at = alm_outbox_begin(&peer->out, record, payload_len);
    if (at == NULL) {
        peer->is_doomed = true;
    }
    server->unsent_bytes += peer->out.records.len - before;
    peer->unsent_bytes += peer->out.records.len - before;
    peer->sent_records++;
    alm_peer_mark_dirty(server, peer);
    return at;
}

void alm_peer_send(alm_server *server, alm_peer *peer, const alm_record *record)
{
    uint8_t *at = alm_peer_begin(server, peer, record, record->payload.len);
    if (at != NULL && record->payload.len > 0) {
        memcpy(at, record->payload.data, record->payload.len);
    }
}

void alm_peer_send_end(alm_server *server, alm_peer *peer, uint64_t call_id, uint8_t flags,
                       const alm_status *st)
{
    alm_buf metadata;
    alm_buf_init(&metadata, ALM_RPC_METADATA_BYTES_MAX);
    alm_record end = {
        .type = ALM_RECORD_END,
        .flags = flags,
        .call_id = call_id,
        .arg = (uint32_t)st->code,
        .time_ms = st->retry_after_ms,
        .payload = alm_str_from(st->message),
    };
    if (st->field[0] != '\0' &&
        alm_metadata_append(&metadata, ALM_STR(ALM_METADATA_FIELD), alm_str_from(st->field))) {
        end.metadata = alm_buf_view(&metadata);
    }
    alm_peer_send(server, peer, &end);
    alm_buf_deinit(&metadata);
}

// Takes the peer off the lists; its calls are stopped, and the last of them frees it.
static void peer_lost(alm_server *server, alm_peer *peer, const char *text)
{
    ALM_ASSERT(!peer->is_gone);
    if (peer->is_dirty) {
        DL_DELETE(server->dirty, peer);
    }
    if (peer->is_stalled) {
        DL_DELETE(server->stalled, peer); // NOLINT: a list that holds the peer has its links
    }
    HASH_DEL(server->peers, peer);
    count_sent(server, peer, peer->unsent_bytes);
    give_spare(server, &peer->out); // its calls may last
    give_spare(server, &peer->sending);
    peer->is_gone = true;
    pthread_cond_broadcast(&server->drained);
    if (peer->calls == NULL) {
        alm_peer_free(peer);
        return;
    }
    // Stopping the last call frees the peer.
    alm_call *call = peer->calls;
    while (call != NULL) {
        alm_call *next = call->peer_next;
        alm_call_stop(call, ALM_CANCELLED, text);
        call = next;
    }
}

// Needs no memory: it is what is left to say when there is none.
static void send_reset(alm_server *server, const alm_peer_id *id)
{
    static const char reset[ALM_RECORD_HEADER_BYTES] = {
        [0] = ALM_RECORD_HEADER_BYTES, [4] = ALM_RECORD_RESET};
    alm_port *port = server->ports[id->port];
    (void)port->ops->send(port, &id->key, (alm_str){.data = reset, .len = sizeof reset});
}

static alm_peer *find_peer(alm_server *server, const alm_peer_id *id)
{
    alm_peer *peer;
    HASH_FIND(hh, server->peers, id, sizeof *id, peer);
    return peer;
}

static alm_peer *add_peer(alm_server *server, const alm_peer_id *id)
{
    if (HASH_COUNT(server->peers) >= server->rpc->limits.peer_count_max) {
        return NULL;
    }
    alm_peer *peer = alm_calloc(1, sizeof *peer);
    if (peer == NULL) {
        return NULL;
    }
    peer->id = *id;
    alm_id_map_init(&peer->ids, alm_rpc_random(server->rpc));
    alm_outbox_init(&peer->out);
    alm_outbox_init(&peer->sending);
    int at = snprintf(peer->name, sizeof peer->name, "peer-%u-", (unsigned)id->port);
    for (size_t i = 0; i < id->key.len && at + 2 < (int)sizeof peer->name; i++) {
        at += snprintf(peer->name + at, sizeof peer->name - (size_t)at, "%02x",
                       (unsigned)id->key.bytes[i]);
    }
    HASH_ADD(hh, server->peers, id, sizeof peer->id, peer);
    if (peer->hh.tbl == NULL) {
        alm_peer_free(peer);
        return NULL;
    }
    return peer;
}

// --- records from peers --------------------------------------------------------------------------

static alm_code take_hello(alm_server *server, alm_peer *peer, const alm_record *record,
                           alm_status *st)
{
    alm_hello hello;
    const alm_rpc_limits *limits = &server->rpc->limits;
    alm_arena *arena = alm_arena_create(FORGET_ARENA_MAX);
    if (arena == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a HELLO");
    }
    alm_code code = alm_hello_decode(record->payload, arena, &hello, st);
    alm_arena_destroy(&arena);
    ALM_TRY(code);
    peer->message_bytes_max =
        (uint32_t)ALM_MIN((size_t)hello.message_bytes_max, limits->message_bytes_max);
    peer->window_bytes = (uint32_t)ALM_MIN((size_t)hello.window_bytes, limits->window_bytes);
    peer->window_messages =
        (uint32_t)ALM_MIN((size_t)hello.window_messages, limits->window_messages);
    peer->received_records = 1;
    int64_t beat_ms = ALM_MAX((int64_t)hello.heartbeat_ms, ALM_SERVER_HEARTBEAT_MS);
    peer->silence_us_max =
        hello.heartbeat_ms == 0 ? ALM_NEVER_US : beat_ms * ALM_SERVER_SILENCE_BEATS * 1000;
    alm_record answer = {.type = ALM_RECORD_HELLO, .payload = alm_buf_view(&server->hello)};
    alm_peer_send(server, peer, &answer);
    if (server->is_draining) {
        alm_record away = {.type = ALM_RECORD_GOAWAY};
        alm_peer_send(server, peer, &away);
        peer->is_drained = true;
    }
    return ALM_OK;
}

// A transport that loses or repeats a frame must not go unnoticed.
static alm_code take_ping(alm_server *server, alm_peer *peer, const alm_record *record,
                          alm_status *st)
{
    uint32_t before = peer->received_records - 1;
    if (record->arg != before) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%u records sent, and %u came",
                              (unsigned)record->arg, (unsigned)before);
    }
    alm_record pong = {
        .type = ALM_RECORD_PONG, .call_id = record->call_id, .arg = peer->sent_records};
    alm_peer_send(server, peer, &pong);
    return ALM_OK;
}

static void take_pong(alm_server *server, alm_peer *peer, const alm_record *record)
{
    if (server->drain_ping != 0 && record->call_id == server->drain_ping) {
        peer->is_drained = true;
        pthread_cond_broadcast(&server->drained);
    }
}

// Any failure ends the peer: what follows in its frames cannot be trusted.
static alm_code take_record(alm_server *server, alm_peer *peer, const alm_record *record,
                            alm_status *st)
{
    alm_call *call = alm_id_map_find(&peer->ids, record->call_id);
    peer->received_records++;
    switch (record->type) {
    case ALM_RECORD_REQUEST:
        if (call != NULL) {
            return alm_status_set(st, ALM_INVALID_ARGUMENT, "a call id in use");
        }
        alm_call_start(server, peer, record);
        return ALM_OK;
    case ALM_RECORD_CANCEL:
        if (call != NULL) {
            alm_call_stop(call, ALM_CANCELLED, "cancelled by the client");
        }
        return ALM_OK;
    case ALM_RECORD_MESSAGE:
    case ALM_RECORD_FINISH:
    case ALM_RECORD_CREDIT:
        return call != NULL ? alm_call_take(call, record, st) : ALM_OK;
    case ALM_RECORD_PING:
        return take_ping(server, peer, record, st);
    case ALM_RECORD_PONG:
        take_pong(server, peer, record);
        return ALM_OK;
    case ALM_RECORD_GOAWAY:
        return alm_status_set(st, ALM_CANCELLED, "the client left");
    default:
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "a record a client must not send: type %d",
                              (int)record->type);
    }
}

// Ends a peer that does not keep to the protocol.
static void reset_peer(alm_server *server, alm_peer *peer, const char *text, const alm_status *why)
{
    uint64_t count;
    alm_peer_id id = peer->id;
    if (alm_server_may_tell(server, &server->reset_peers, &count)) {
        alm_log_info(server->rpc->log, "rpc.peer_reset", ALM_KV_CSTR("server", server->name),
                     ALM_KV_CSTR("peer", peer->name), ALM_KV_CSTR("user", peer->user),
                     ALM_KV_CSTR("why", why->message), ALM_KV_U64("resets", count));
    }
    peer_lost(server, peer, text);
    send_reset(server, &id);
}

// The peer a frame is from: known, or new and starting with HELLO. NULL: neither, and it was told.
static alm_peer *greet(alm_server *server, const alm_peer_id *id, alm_str user, alm_reader *frame)
{
    alm_peer *peer = find_peer(server, id);
    alm_reader ahead = *frame;
    alm_record first;
    alm_status st;
    if (alm_record_next(&ahead, &first, &st) != ALM_OK || first.type != ALM_RECORD_HELLO) {
        if (peer == NULL) {
            send_reset(server, id);
        }
        return peer;
    }
    *frame = ahead;
    if (peer != NULL) {
        peer_lost(server, peer, "the client started anew");
    }
    peer = add_peer(server, id);
    if (peer == NULL) {
        send_reset(server, id);
        return NULL;
    }
    snprintf(peer->user, sizeof peer->user, "%.*s", ALM_STR_ARGS(user));
    if (take_hello(server, peer, &first, &st) != ALM_OK) {
        reset_peer(server, peer, "a bad HELLO", &st);
        return NULL;
    }
    return peer;
}

// Returns how many records were taken.
static size_t take_frame(alm_server *server, const alm_peer_id *id, alm_str user, alm_str data)
{
    alm_status st = ALM_STATUS_INIT;
    alm_reader frame = alm_reader_of(data.data, data.len);
    alm_peer *peer = greet(server, id, user, &frame);
    if (peer == NULL) {
        return 0;
    }
    size_t count = 0;
    peer->heard_us = alm_rpc_now_us(server->rpc);
    for (; alm_reader_left(&frame) > 0; count++) {
        alm_record record;
        alm_code code = alm_record_next(&frame, &record, &st);
        if (code == ALM_OK) {
            code = take_record(server, peer, &record, &st);
        }
        if (code == ALM_CANCELLED) {
            peer_lost(server, peer, "the client left");
            break;
        }
        if (code != ALM_OK) {
            reset_peer(server, peer, "the client broke the protocol", &st);
            break;
        }
    }
    return count;
}

static alm_peer_id id_of(uint8_t port_index, const alm_peer_key *key)
{
    alm_peer_id id = {.port = port_index};
    memcpy(&id.key, key, sizeof id.key);
    return id;
}

static void wake_handlers(alm_server *server, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pthread_cond_signal(&server->work);
    }
}

static void receive_some(alm_server *server, uint8_t port_index)
{
    alm_port *port = server->ports[port_index];
    for (size_t taken_count = 0; taken_count < ALM_RECORD_BATCH_COUNT;) {
        alm_incoming got = {0};
        alm_received received = port->ops->receive(port, &got);
        if (received == ALM_RECEIVED_NOTHING) {
            return;
        }
        size_t count = 0;
        if (received == ALM_RECEIVED_FRAME) {
            alm_io_tick(server->rpc->io);
            alm_lock(server->lock);
            alm_peer_id id = id_of(port_index, &got.from);
            count = take_frame(server, &id, got.user, got.frame);
            size_t wake_count = server->wake_count;
            server->wake_count = 0;
            alm_unlock(server->lock);
            wake_handlers(server, wake_count);
        } else if (received == ALM_RECEIVED_GONE) {
            alm_lock(server->lock);
            alm_peer_id id = id_of(port_index, &got.from);
            alm_peer *peer = find_peer(server, &id);
            if (peer != NULL) {
                peer_lost(server, peer, "the client is gone");
            }
            alm_unlock(server->lock);
        }
        taken_count += ALM_MAX(count, (size_t)1);
    }
}

// --- records to peers ----------------------------------------------------------------------------

// Without the lock.
static alm_sent send_batches(alm_server *server, alm_peer *peer)
{
    return alm_port_send_records(server->ports[peer->id.port], &peer->id.key, &peer->sending);
}

static void swap_buffers(alm_peer *peer)
{
    alm_outbox spent = peer->sending; // has no memory
    peer->sending = peer->out;
    peer->out = spent;
}

static void wake_waiting(alm_peer *peer)
{
    if (peer->waiting_count > 0) {
        alm_call *call, *next;
        DL_FOREACH_SAFE2(peer->calls, call, next, peer_next)
        {
            alm_call_changed(call);
        }
    }
}

static void count_port_bytes(alm_server *server)
{
    server->port_bytes = 0;
    for (size_t i = 0; i < ALM_SERVER_PORT_COUNT; i++) {
        server->port_bytes += server->ports[i] != NULL ? server->ports[i]->unsent_bytes : 0;
    }
}

static void count_held(alm_server *server, alm_peer *peer)
{
    alm_port *port = server->ports[peer->id.port];
    peer->port_bytes = port->ops->unsent != NULL ? port->ops->unsent(port, &peer->id.key) : 0;
}

// The transport has taken so much of the peer's.
static void took(alm_server *server, alm_peer *peer, size_t len)
{
    count_held(server, peer);
    if (len == 0) {
        return;
    }
    count_sent(server, peer, len);
    count_port_bytes(server); // at once, or handlers would fill the room twice
    peer->took_us = alm_rpc_now_us(server->rpc);
    if (alm_outbox_is_empty(&peer->sending)) {
        give_spare(server, &peer->sending);
    }
    wake_waiting(peer);
}

static void flush_peer(alm_server *server, alm_peer *peer)
{
    alm_sent sent = ALM_SENT_OK;
    do {
        if (peer->is_doomed) {
            alm_peer_id id = peer->id;
            peer_lost(server, peer, "no memory for the client's answers");
            send_reset(server, &id);
            return;
        }
        if (alm_outbox_is_empty(&peer->sending)) {
            swap_buffers(peer);
        }
        size_t before = peer->sending.at;
        alm_unlock(server->lock);
        sent = send_batches(server, peer);
        alm_lock(server->lock);
        took(server, peer, peer->sending.at - before);
    } while (sent == ALM_SENT_OK && !alm_outbox_is_empty(&peer->out));
    if (sent == ALM_SENT_GONE) {
        peer_lost(server, peer, "the client is gone");
    } else if (sent == ALM_SENT_FULL) {
        if (peer->is_dirty) {
            DL_DELETE(server->dirty, peer);
            peer->is_dirty = false;
        }
        peer->is_stalled = true;
        DL_APPEND(server->stalled, peer);
        server->retry_us = alm_rpc_now_us(server->rpc) + STALL_RETRY_US;
    }
}

static void flush(alm_server *server)
{
    while (server->dirty != NULL) {
        alm_peer *peer = server->dirty;
        DL_DELETE(server->dirty, peer);
        peer->is_dirty = false;
        flush_peer(server, peer);
    }
}

static void retry_stalled(alm_server *server)
{
    alm_peer *peer, *next;
    DL_FOREACH_SAFE(server->stalled, peer, next)
    {
        DL_DELETE(server->stalled, peer);
        peer->is_stalled = false;
        alm_peer_mark_dirty(server, peer);
    }
    server->retry_us = ALM_NEVER_US;
}

// --- turns ---------------------------------------------------------------------------------------

// Who defers a call waits for events, so the end of its time has to be one; a call that is passed
// on may wait for its client when the timer of the other half is over. A handler looks by itself.
static void stop_late(const alm_peer *peer, int64_t now_us)
{
    alm_call *call, *next;
    DL_FOREACH_SAFE2(peer->calls, call, next, peer_next)
    {
        bool must_be_told = call->events != NULL || call->forward != NULL;
        if (must_be_told && call->deadline_us <= now_us) {
            alm_call_stop(call, ALM_DEADLINE_EXCEEDED, "the call's time is over");
        }
    }
}

static void cut(alm_server *server, alm_peer *peer)
{
    alm_peer_id id = peer->id;
    alm_port *port = server->ports[id.port];
    peer_lost(server, peer, "the client does not take its answers");
    if (port->ops->cut != NULL) {
        port->ops->cut(port, &id.key);
    } else {
        send_reset(server, &id);
    }
}

// Shares keep room for all while messages are small. Where they are not, those who take nothing
// make room for those who do.
static void cut_who_take_nothing(alm_server *server, int64_t now_us)
{
    size_t enough = server->rpc->limits.unsent_bytes_max / 2;
    alm_peer *peer, *next;
    HASH_ITER (hh, server->peers, peer, next) {
        if (alm_server_unsent(server) <= enough + enough / 2) {
            return;
        }
        if (peer->is_stalled && now_us - peer->took_us > NOT_TAKING_US) {
            cut(server, peer);
            count_port_bytes(server);
        }
    }
}

// What streams wait for may be that others take theirs.
static void wake_all_waiting(alm_server *server)
{
    alm_peer *peer, *next;
    if (!server->was_full) {
        return;
    }
    server->was_full = false; // whoever still has to wait says so again
    HASH_ITER (hh, server->peers, peer, next) {
        count_held(server, peer);
        wake_waiting(peer);
    }
}

// A peer with calls gets a PING, so that one that is gone shows when it cannot be sent.
static void tick(alm_server *server, int64_t now_us)
{
    alm_peer *peer, *next;
    HASH_ITER (hh, server->peers, peer, next) {
        stop_late(peer, now_us);
        if (peer->silence_us_max != ALM_NEVER_US &&
            now_us - peer->heard_us > peer->silence_us_max) {
            peer_lost(server, peer, "the client has fallen silent");
        } else if (peer->calls != NULL && !peer->is_stalled) {
            alm_record ping = {.type = ALM_RECORD_PING, .arg = peer->sent_records};
            alm_peer_send(server, peer, &ping);
        }
    }
    cut_who_take_nothing(server, now_us);
    wake_all_waiting(server);
    server->tick_us = now_us + ALM_SERVER_HEARTBEAT_MS * 1000;
}

static int64_t step_ports(alm_server *server, int64_t now_us)
{
    int64_t until_us = ALM_NEVER_US;
    for (size_t i = 0; i < ALM_SERVER_PORT_COUNT; i++) {
        alm_port *port = server->ports[i];
        if (port != NULL && port->ops->step != NULL) {
            int64_t its_us = port->ops->step(port, now_us);
            until_us = ALM_MIN(until_us, its_us);
        }
    }
    return until_us;
}

static alm_server *server_of(alm_io_part *part)
{
    return (alm_server *)((char *)part - offsetof(alm_server, part));
}

static int64_t turn(alm_io_part *part, alm_io *io, int64_t now_us)
{
    alm_server *server = server_of(part);
    alm_lock(server->lock);
    if (now_us >= server->tick_us) {
        tick(server, now_us);
    }
    if (now_us >= server->retry_us) {
        retry_stalled(server);
    }
    alm_server_tell(server);
    alm_intercept_time_answered(server);
    flush(server);
    count_port_bytes(server);
    int64_t fired_us = server->fired != NULL ? now_us : ALM_NEVER_US; // room came by flushing
    alm_unlock(server->lock);
    int64_t ports_us = step_ports(server, now_us);
    int64_t until_us = ALM_MIN(ALM_MIN(server->tick_us, server->retry_us), ports_us);
    for (size_t i = 0; i < ALM_SERVER_PORT_COUNT; i++) {
        alm_port *port = server->ports[i];
        if (port != NULL) {
            server->has_input[i] = (port->ops->events(port) & ALM_PORT_INPUT) != 0;
            alm_port_watch(port, io, &server->watched[i]);
            until_us = server->has_input[i] ? now_us : until_us;
        }
    }
    return ALM_MIN(until_us, fired_us);
}

static void receive(alm_io_part *part)
{
    alm_server *server = server_of(part);
    for (uint8_t i = 0; i < ALM_SERVER_PORT_COUNT; i++) {
        alm_port *port = server->ports[i];
        if (port != NULL && (alm_port_take_told(port, server->rpc->io, server->watched[i]) ||
                             server->has_input[i])) {
            receive_some(server, i);
        }
    }
}

const alm_io_part alm_server_part = {.turn = turn, .receive = receive};
