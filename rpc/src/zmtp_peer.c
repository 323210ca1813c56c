#include "zmtp_port.h"

#include "alm/alloc.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utlist.h>

#define KEY_BYTES 9 // a zero, as libzmq's own keys begin; slot; id

alm_peer_key alm_zmtp_peer_key(const zmtp_peer *peer)
{
    alm_peer_key key = {.len = KEY_BYTES};
    memcpy(key.bytes + 1, &peer->slot, sizeof peer->slot);
    memcpy(key.bytes + 1 + sizeof peer->slot, &peer->id, sizeof peer->id);
    return key;
}

zmtp_peer *alm_zmtp_peer_find(const zmtp_port *port, const alm_peer_key *key)
{
    uint32_t slot;
    uint32_t id;
    memcpy(&slot, key->bytes + 1, sizeof slot);
    memcpy(&id, key->bytes + 1 + sizeof slot, sizeof id);
    if (key->len != KEY_BYTES || key->bytes[0] != 0 || slot >= port->slot_count) {
        return NULL;
    }
    zmtp_peer *peer = port->peers[slot];
    return peer != NULL && peer->id == id ? peer : NULL;
}

// --- where peers are -----------------------------------------------------------------------------

static zmtp_peer **list_of(zmtp_port *port, zmtp_peer_place place)
{
    switch (place) {
    case ZMTP_SHAKING:
        return &port->shaking;
    case ZMTP_READABLE:
        return &port->readable;
    case ZMTP_GONE:
        return &port->gone;
    case ZMTP_NOWHERE:
        break;
    }
    return NULL;
}

void alm_zmtp_peer_unlist(zmtp_port *port, zmtp_peer *peer)
{
    zmtp_peer **list = list_of(port, peer->place);
    if (list != NULL) {
        DL_DELETE(*list, peer);
        peer->place = ZMTP_NOWHERE;
    }
}

static void put(zmtp_port *port, zmtp_peer *peer, zmtp_peer_place place)
{
    alm_zmtp_peer_unlist(port, peer);
    peer->place = place;
    zmtp_peer **list = list_of(port, place);
    DL_APPEND(*list, peer);
}

void alm_zmtp_peer_set_readable(zmtp_port *port, zmtp_peer *peer)
{
    if (peer->place == ZMTP_NOWHERE && peer != port->current) {
        put(port, peer, ZMTP_READABLE);
    }
}

static bool grow_slots(zmtp_port *port)
{
    size_t count = ALM_MAX(port->slot_count * 2, (size_t)4);
    zmtp_peer **peers = alm_realloc(port->peers, count * sizeof *peers);
    if (peers == NULL) {
        return false;
    }
    port->peers = peers;
    uint32_t *free_slots = alm_realloc(port->free_slots, count * sizeof *free_slots);
    if (free_slots == NULL) {
        return false;
    }
    port->free_slots = free_slots;
    for (size_t slot = count; slot-- > port->slot_count;) {
        peers[slot] = NULL;
        free_slots[port->free_count++] = (uint32_t)slot;
    }
    port->slot_count = count;
    return true;
}

bool alm_zmtp_peer_watch(const zmtp_port *port, const zmtp_peer *peer)
{
    uint32_t output = peer->wants_output ? EPOLLOUT : 0u;
    return alm_zmtp_watch(port, peer->fd, EPOLLIN | EPOLLRDHUP | output, peer->slot);
}

static zmtp_peer *make_peer(zmtp_port *port, int fd, bool is_ipc, bool is_connecting)
{
    if (port->free_count == 0 && !grow_slots(port)) {
        return NULL;
    }
    zmtp_peer *peer = alm_calloc(1, sizeof *peer);
    if (peer == NULL) {
        return NULL;
    }
    *peer = (zmtp_peer){.slot = port->free_slots[port->free_count - 1],
                        .id = ++port->id_last,
                        .fd = fd,
                        .is_connecting = is_connecting,
                        .wants_output = is_connecting};
    peer->deadline_us = zmtp_now_us(port) + ALM_ZMTP_HANDSHAKE_US;
    bool has_curve = port->shared.curve.is_on && !is_ipc;
    if (alm_zmtp_conn_init(&peer->conn, &port->shared, has_curve, NULL) != ALM_OK) {
        alm_free(peer);
        return NULL;
    }
    if (!alm_zmtp_peer_watch(port, peer)) {
        alm_zmtp_conn_deinit(&peer->conn);
        alm_free(peer);
        return NULL;
    }
    return peer;
}

alm_code alm_zmtp_peer_add(zmtp_port *port, int fd, bool is_ipc, bool is_connecting,
                           zmtp_peer **ret, alm_status *st)
{
    zmtp_peer *peer = make_peer(port, fd, is_ipc, is_connecting);
    if (peer == NULL) {
        close(fd);
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a connection");
    }
    port->free_count--;
    port->peer_count++;
    port->peers[peer->slot] = peer;
    put(port, peer, ZMTP_SHAKING);
    if (!is_connecting) {
        alm_zmtp_peer_flush(port, peer);
    }
    *ret = peer;
    return ALM_OK;
}

void alm_zmtp_peer_free(zmtp_port *port, zmtp_peer *peer)
{
    ALM_ASSERT(peer->fd < 0);
    alm_zmtp_peer_unlist(port, peer);
    port->peers[peer->slot] = NULL;
    port->free_slots[port->free_count++] = peer->slot;
    alm_free(peer);
}

static void count_unsent(zmtp_port *port, zmtp_peer *peer)
{
    size_t unsent = alm_zmtp_conn_pending(&peer->conn).len;
    port->base.unsent_bytes += unsent;
    port->base.unsent_bytes -= peer->unsent_bytes;
    peer->unsent_bytes = unsent;
}

void alm_zmtp_peer_lose(zmtp_port *port, zmtp_peer *peer)
{
    bool is_dialled = peer == port->dialled;
    close(peer->fd);
    peer->fd = -1;
    port->peer_count--;
    alm_zmtp_conn_deinit(&peer->conn);
    count_unsent(port, peer);
    if (peer == port->current) {
        port->current = NULL;
    }
    if (is_dialled) {
        port->dialled = NULL;
        port->is_lost = true;
        port->was_reached = !peer->is_connecting;
    }
    if (peer->is_connected && !is_dialled) {
        put(port, peer, ZMTP_GONE);
    } else {
        alm_zmtp_peer_free(port, peer);
    }
}

// --- output --------------------------------------------------------------------------------------

// Bytes written, 0 when there is no room now, -1 when there never will be. has_more: what does not
// fill a segment may wait for what follows, or each frame of a bulk stream would end in a small one
// of its own.
static ssize_t write_some(const zmtp_peer *peer, struct iovec *parts, size_t count, bool has_more)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t len;
    do {
        len = sendmsg(peer->fd, &message, MSG_NOSIGNAL | (has_more ? MSG_MORE : 0));
    } while (len < 0 && errno == EINTR);
    bool is_full = len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return is_full ? 0 : len;
}

static void want_output(zmtp_port *port, zmtp_peer *peer, bool wants)
{
    if (peer->wants_output != wants) {
        peer->wants_output = wants;
        (void)alm_zmtp_peer_watch(port, peer);
    }
}

// What it sent before it went is worth reading; the end shows there.
static void go_deaf(zmtp_port *port, zmtp_peer *peer)
{
    peer->is_deaf = true;
    alm_zmtp_conn_sent(&peer->conn, alm_zmtp_conn_pending(&peer->conn).len);
    count_unsent(port, peer);
    want_output(port, peer, false);
    if (peer->is_connected) {
        alm_zmtp_peer_set_readable(port, peer);
    }
}

void alm_zmtp_peer_flush(zmtp_port *port, zmtp_peer *peer)
{
    alm_str left;
    while (!peer->is_deaf && (left = alm_zmtp_conn_pending(&peer->conn)).len > 0) {
        struct iovec part = {.iov_base = (void *)(uintptr_t)left.data, .iov_len = left.len};
        ssize_t len = write_some(peer, &part, 1, false);
        if (len < 0) {
            go_deaf(port, peer);
            return;
        }
        if (len == 0) {
            break;
        }
        alm_zmtp_conn_sent(&peer->conn, (size_t)len);
    }
    count_unsent(port, peer);
    want_output(port, peer, peer->unsent_bytes > 0);
}

// Keeps what was not written of the parts.
static bool keep_rest(zmtp_peer *peer, const struct iovec *parts, size_t count, size_t written)
{
    for (size_t i = 0; i < count; i++) {
        size_t skip = ALM_MIN(written, parts[i].iov_len);
        written -= skip;
        if (skip < parts[i].iov_len &&
            !alm_zmtp_conn_queue(&peer->conn, (const char *)parts[i].iov_base + skip,
                                 parts[i].iov_len - skip)) {
            return false;
        }
    }
    return true;
}

alm_sent alm_zmtp_peer_send(zmtp_port *port, zmtp_peer *peer, alm_str frame)
{
    bool has_more = port->base.has_more;
    port->base.has_more = false;
    if (peer->fd < 0 || peer->is_deaf || !peer->is_connected) {
        return ALM_SENT_GONE;
    }
    size_t pending = alm_zmtp_conn_pending(&peer->conn).len;
    if (pending > ALM_ZMTP_PENDING_BYTES_MAX) {
        return ALM_SENT_FULL;
    }
    uint8_t header[ALM_ZMTP_HEADER_BYTES_MAX];
    size_t header_len = alm_zmtp_conn_wrap(&peer->conn, &frame, header);
    if (header_len == 0) {
        return ALM_SENT_FULL;
    }
    struct iovec parts[] = {
        {.iov_base = header, .iov_len = header_len},
        {.iov_base = (void *)(uintptr_t)frame.data, .iov_len = frame.len},
    };
    ssize_t written = pending == 0 ? write_some(peer, parts, ALM_ARRAY_LEN(parts), has_more) : 0;
    if (written < 0 || !keep_rest(peer, parts, ALM_ARRAY_LEN(parts), (size_t)written)) {
        go_deaf(port, peer);
        return ALM_SENT_GONE;
    }
    count_unsent(port, peer);
    want_output(port, peer, peer->unsent_bytes > 0);
    return ALM_SENT_OK;
}

// --- the handshake -------------------------------------------------------------------------------

// Reads no further than the handshake's end: what follows stays in the socket. False: the peer is
// lost, or nothing more can be read now.
static bool read_handshake(zmtp_port *port, zmtp_peer *peer)
{
    size_t room_len;
    uint8_t *room = alm_zmtp_conn_room(&peer->conn, &room_len);
    ssize_t len = 0;
    do {
        len = room != NULL ? recv(peer->fd, room, room_len, 0) : 0;
    } while (len < 0 && errno == EINTR);
    if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return false;
    }
    if (len <= 0) {
        alm_zmtp_peer_lose(port, peer);
        return false;
    }
    alm_zmtp_conn_fill(&peer->conn, (size_t)len);
    alm_zmtp_input none = {0};
    alm_str frame;
    alm_zmtp_event event = alm_zmtp_conn_next(&peer->conn, &none, &frame);
    alm_zmtp_peer_flush(port, peer);
    if (event == ALM_ZMTP_BROKEN || peer->is_deaf) {
        alm_zmtp_peer_lose(port, peer);
        return false;
    }
    if (event == ALM_ZMTP_CONNECTED) {
        alm_zmtp_conn_trim(&peer->conn);
        alm_zmtp_peer_unlist(port, peer);
        peer->is_connected = true;
        alm_zmtp_peer_set_readable(port, peer); // what follows may be there, and was told already
    }
    return event != ALM_ZMTP_CONNECTED;
}

static bool is_refused(const zmtp_peer *peer)
{
    int error = 0;
    socklen_t len = sizeof error;
    return getsockopt(peer->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0;
}

static void shake_hands(zmtp_port *port, zmtp_peer *peer, uint32_t events)
{
    if (peer->is_connecting) {
        if (is_refused(peer)) {
            alm_zmtp_peer_lose(port, peer);
            return;
        }
        if ((events & EPOLLOUT) == 0) {
            return;
        }
        peer->is_connecting = false;
    }
    alm_zmtp_peer_flush(port, peer);
    while (read_handshake(port, peer)) {}
}

void alm_zmtp_peer_note(zmtp_port *port, zmtp_peer *peer, uint32_t events)
{
    bool ends = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    peer->is_ending = peer->is_ending || ends;
    if (!peer->is_connected) {
        shake_hands(port, peer, events);
        return;
    }
    if ((events & EPOLLOUT) != 0) {
        alm_zmtp_peer_flush(port, peer);
    }
    if ((events & (uint32_t)~EPOLLOUT) != 0) {
        alm_zmtp_peer_set_readable(port, peer);
    }
}
