// tcp and ipc over an own ZMTP 3.1 (RFC 37): a ROUTER listens, a DEALER dials, and libzmq's own may
// be on the other side. The I/O thread watches all sockets; until it does, they hang on an epoll of
// the port's, which is its fd. There is no other thread, so a lone call crosses none.
//
// Peers that have something to read take turns. A turn is one read into a buffer that all share, or
// straight to the rest of a large frame; frames are given out of it without a copy.
#include "zmtp_port.h"

#include "alm/alloc.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#define EVENT_COUNT_MAX 64

static zmtp_port *self_of(alm_port *port)
{
    return (zmtp_port *)port;
}

static alm_code port_bind(alm_port *port, const char *address, char ret[ALM_ADDRESS_BYTES_MAX],
                          alm_status *st)
{
    ALM_ASSERT(self_of(port)->shared.role == ALM_PORT_LISTENS);
    return alm_zmtp_bind(self_of(port), address, ret, st);
}

// A peer that refuses is news, not an error: it may come up, and the caller decides when to try.
static alm_code port_connect(alm_port *port, const char *address, alm_status *st)
{
    zmtp_port *self = self_of(port);
    ALM_ASSERT(self->shared.role == ALM_PORT_DIALS && !self->was_dialled);
    int fd;
    bool is_ipc;
    bool is_connecting;
    ALM_TRY(alm_zmtp_dial(address, &fd, &is_ipc, &is_connecting, st));
    self->was_dialled = true;
    if (fd < 0) {
        self->is_lost = true;
        return ALM_OK;
    }
    return alm_zmtp_peer_add(self, fd, is_ipc, is_connecting, &self->dialled, st);
}

static int port_fd(alm_port *port)
{
    return self_of(port)->epoll;
}

// --- events --------------------------------------------------------------------------------------

static void note(zmtp_port *self, uint32_t tag, uint32_t events)
{
    if ((tag & ZMTP_LISTENER_BIT) != 0) {
        alm_zmtp_accept(self, tag & ~ZMTP_LISTENER_BIT);
    } else if (self->peers[tag] != NULL && self->peers[tag]->fd >= 0) {
        alm_zmtp_peer_note(self, self->peers[tag], events);
    }
}

// After more was told than could be kept.
static void note_all(zmtp_port *self)
{
    for (uint32_t i = 0; i < self->listener_count; i++) {
        note(self, ZMTP_LISTENER_BIT | i, EPOLLIN);
    }
    for (uint32_t slot = 0; slot < self->slot_count; slot++) {
        note(self, slot, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
    }
}

static void take_told(zmtp_port *self)
{
    alm_io_take_told(self->io, self->watch, &self->told);
    for (size_t i = 0; i < self->told.count; i++) {
        note(self, self->told.events[i].tag, self->told.events[i].events);
    }
    if (self->told.is_lossy) {
        note_all(self);
    }
}

static void ask_epoll(zmtp_port *self)
{
    struct epoll_event events[EVENT_COUNT_MAX];
    int count = epoll_wait(self->epoll, events, EVENT_COUNT_MAX, 0);
    for (int i = 0; i < count; i++) {
        note(self, (uint32_t)events[i].data.u64, events[i].events);
    }
}

static void ask_sockets(zmtp_port *self)
{
    self->is_asked = true;
    self->base.was_told = false;
    if (self->base.is_watched) {
        take_told(self);
    } else {
        ask_epoll(self);
    }
}

bool alm_zmtp_watch(const zmtp_port *port, int fd, uint32_t events, uint32_t tag)
{
    if (port->io != NULL) {
        return alm_io_watch_fd(port->io, port->watch, fd, events, tag);
    }
    return alm_epoll_set(port->epoll, fd, events, tag);
}

static bool watch_all(const zmtp_port *self)
{
    for (size_t i = 0; i < self->listener_count; i++) {
        if (!alm_zmtp_watch_listener(self, i)) {
            return false;
        }
    }
    for (size_t i = 0; i < self->slot_count; i++) {
        const zmtp_peer *peer = self->peers[i];
        if (peer != NULL && peer->fd >= 0 && !alm_zmtp_peer_watch(self, peer)) {
            return false;
        }
    }
    return true;
}

// What cannot be watched there stays where it is.
static void port_watch(alm_port *port, alm_io *io, size_t *watch)
{
    zmtp_port *self = self_of(port);
    alm_io_watch_many(io, watch);
    if (*watch == 0) {
        return;
    }
    self->io = io;
    self->watch = *watch;
    if (!watch_all(self)) {
        self->io = NULL;
        alm_io_unwatch(io, watch);
        return;
    }
    close(self->epoll);
    self->epoll = -1;
}

static bool is_up(const zmtp_port *self)
{
    return self->dialled != NULL && self->dialled->is_connected;
}

static unsigned port_events(alm_port *port)
{
    zmtp_port *self = self_of(port);
    bool is_dialling = self->shared.role == ALM_PORT_DIALS && !is_up(self);
    if (!port->is_watched && (!self->was_received || is_dialling)) {
        // Others may wait for output, and a connection that is up is news. Of a watched port a
        // receive has seen both: see port.h.
        ask_sockets(self);
    }
    self->was_received = false;
    self->is_asked = false;
    bool has_input =
        self->current != NULL || self->readable != NULL || self->gone != NULL || port->was_told;
    return (has_input ? ALM_PORT_INPUT : 0) | (is_up(self) ? ALM_PORT_CONNECTED : 0) |
           (self->is_lost ? ALM_PORT_LOST : 0) | (self->was_reached ? ALM_PORT_REACHED : 0);
}

// --- input ---------------------------------------------------------------------------------------

// The next peer whose turn it is; NULL: none has anything. The sockets are asked once in a series
// of receives, which its caller bounds, and of a port that is watched only if there is news.
static zmtp_peer *next_peer(zmtp_port *self)
{
    if (!self->is_asked && (!self->base.is_watched || self->base.was_told)) {
        ask_sockets(self);
    }
    zmtp_peer *peer = self->readable;
    if (peer != NULL) {
        alm_zmtp_peer_unlist(self, peer);
    }
    return peer;
}

// A turn: one read. False: the peer has nothing, or is lost.
static bool read_turn(zmtp_port *self, zmtp_peer *peer)
{
    struct iovec parts[2];
    size_t count = 0;
    size_t rest_len;
    uint8_t *rest = alm_zmtp_conn_room(&peer->conn, &rest_len);
    if (rest != NULL) {
        parts[count++] = (struct iovec){.iov_base = rest, .iov_len = rest_len};
    }
    parts[count++] = (struct iovec){.iov_base = self->input.data, .iov_len = ALM_ZMTP_READ_BYTES};
    ssize_t len = readv(peer->fd, parts, (int)count);
    if (len < 0 && errno == EINTR) {
        alm_zmtp_peer_set_readable(self, peer);
        return false;
    }
    bool is_dry = len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (len <= 0) {
        peer->is_ending = false; // it was another's that had its slot
        if (!is_dry || peer->is_deaf) {
            alm_zmtp_peer_lose(self, peer);
        }
        return false;
    }
    size_t straight = ALM_MIN((size_t)len, rest_len);
    alm_zmtp_conn_fill(&peer->conn, straight);
    self->input.len = (size_t)len - straight;
    self->input.at = 0;
    self->current = peer;
    bool is_full = (size_t)len == rest_len + ALM_ZMTP_READ_BYTES;
    self->current_has_more = is_full || peer->is_deaf || peer->is_ending;
    return true;
}

static void end_turn(zmtp_port *self)
{
    zmtp_peer *peer = self->current;
    self->current = NULL;
    alm_zmtp_conn_trim(&peer->conn);
    if (!peer->wants_output) { // answers to pings
        alm_zmtp_peer_flush(self, peer);
    }
    if (self->current_has_more || peer->is_deaf) {
        alm_zmtp_peer_set_readable(self, peer);
    }
}

static void note_from(const zmtp_port *self, const zmtp_peer *peer, alm_incoming *ret)
{
    if (self->shared.role == ALM_PORT_LISTENS) {
        ret->from = alm_zmtp_peer_key(peer);
        ret->user = peer->conn.curve != NULL ? alm_zmtp_curve_user(peer->conn.curve) : (alm_str){0};
    }
}

// The next news of the current peer; NOTHING ends its turn.
static alm_received take_news(zmtp_port *self, alm_incoming *ret)
{
    zmtp_peer *peer = self->current;
    switch (alm_zmtp_conn_next(&peer->conn, &self->input, &ret->frame)) {
    case ALM_ZMTP_FRAME:
        note_from(self, peer, ret);
        return ALM_RECEIVED_FRAME;
    case ALM_ZMTP_JUNK:
        note_from(self, peer, ret);
        return ALM_RECEIVED_JUNK;
    case ALM_ZMTP_HUNGRY:
        end_turn(self);
        return ALM_RECEIVED_NOTHING;
    case ALM_ZMTP_CONNECTED: // that is behind every peer that gets a turn
    case ALM_ZMTP_BROKEN:
        break;
    }
    alm_zmtp_peer_lose(self, peer);
    return ALM_RECEIVED_NOTHING;
}

static alm_received take_gone(zmtp_port *self, alm_incoming *ret)
{
    ret->from = alm_zmtp_peer_key(self->gone);
    alm_zmtp_peer_free(self, self->gone);
    return ALM_RECEIVED_GONE;
}

static alm_received port_receive(alm_port *port, alm_incoming *ret)
{
    zmtp_port *self = self_of(port);
    *ret = (alm_incoming){0};
    self->was_received = true;
    for (size_t turns = 0; turns < ALM_ZMTP_READ_COUNT_MAX;) {
        if (self->gone != NULL) {
            return take_gone(self, ret);
        }
        if (self->current != NULL) {
            alm_received received = take_news(self, ret);
            if (received != ALM_RECEIVED_NOTHING) {
                return received;
            }
            continue;
        }
        zmtp_peer *peer = next_peer(self);
        if (peer == NULL && self->gone == NULL) {
            break;
        }
        turns += peer != NULL && read_turn(self, peer) ? 1 : 0;
    }
    self->is_asked = false;
    return ALM_RECEIVED_NOTHING;
}

// --- output, timers, the end ---------------------------------------------------------------------

static alm_sent port_send(alm_port *port, const alm_peer_key *to, alm_str frame)
{
    zmtp_port *self = self_of(port);
    zmtp_peer *peer =
        self->shared.role == ALM_PORT_LISTENS ? alm_zmtp_peer_find(self, to) : self->dialled;
    return peer != NULL ? alm_zmtp_peer_send(self, peer, frame) : ALM_SENT_GONE;
}

static size_t port_unsent(const alm_port *port, const alm_peer_key *key)
{
    const zmtp_peer *peer = alm_zmtp_peer_find((const zmtp_port *)port, key);
    return peer != NULL ? peer->unsent_bytes : 0;
}

static void port_cut(alm_port *port, const alm_peer_key *key)
{
    zmtp_port *self = self_of(port);
    zmtp_peer *peer = alm_zmtp_peer_find(self, key);
    if (peer != NULL && peer->fd >= 0) {
        alm_zmtp_peer_lose(self, peer);
    }
}

static int64_t port_step(alm_port *port, int64_t now_us)
{
    zmtp_port *self = self_of(port);
    if (self->resume_us <= now_us) {
        alm_zmtp_resume(self);
    }
    while (self->shaking != NULL && self->shaking->deadline_us <= now_us) {
        alm_zmtp_peer_lose(self, self->shaking);
    }
    int64_t next_us = self->shaking != NULL ? self->shaking->deadline_us : ALM_NEVER_US;
    return ALM_MIN(next_us, self->resume_us);
}

static bool flush_all(zmtp_port *self)
{
    bool is_done = true;
    for (size_t i = 0; i < self->slot_count; i++) {
        zmtp_peer *peer = self->peers[i];
        if (peer != NULL && peer->fd >= 0 && peer->is_connected) {
            alm_zmtp_peer_flush(self, peer);
            is_done = is_done && alm_zmtp_conn_pending(&peer->conn).len == 0;
        }
    }
    return is_done;
}

// There is no thread to carry on after close, so what is pending is written here for at most
// linger_ms in all, and that wait is the caller's. With nothing pending there is none.
static void linger(zmtp_port *self, int linger_ms)
{
    int64_t end_us = zmtp_now_us(self) + (int64_t)ALM_MAX(linger_ms, 0) * 1000;
    while (!flush_all(self)) {
        int64_t now_us = zmtp_now_us(self);
        if (now_us >= end_us) {
            return;
        }
        // Peers that only send would end a wait on the epoll at once, so this looks every
        // millisecond.
        (void)poll(NULL, 0, 1);
    }
}

// Closing a socket with unread input resets it, and a reset can overtake what was sent last.
static void say_bye(zmtp_port *self, const zmtp_peer *peer)
{
    if (shutdown(peer->fd, SHUT_WR) != 0) {
        return;
    }
    for (size_t i = 0; i < ALM_ZMTP_READ_COUNT_MAX; i++) {
        if (recv(peer->fd, self->input.data, ALM_ZMTP_READ_BYTES, 0) <= 0) {
            return;
        }
    }
}

static void port_close(alm_port *port, int linger_ms)
{
    zmtp_port *self = self_of(port);
    self->io = NULL;
    alm_zmtp_unlisten(self);
    linger(self, linger_ms);
    for (size_t i = 0; i < self->slot_count; i++) {
        zmtp_peer *peer = self->peers[i];
        if (peer != NULL && peer->fd >= 0) {
            say_bye(self, peer);
            peer->is_connected = false; // nobody is there to be told
            alm_zmtp_peer_lose(self, peer);
        } else if (peer != NULL) {
            alm_zmtp_peer_free(self, peer);
        }
    }
    if (self->epoll >= 0) {
        close(self->epoll);
    }
    alm_zmtp_shared_deinit(&self->shared);
    alm_free(self->input.data);
    alm_free(self->free_slots);
    alm_free(self->peers);
    alm_free(self);
}

static const alm_port_ops zmtp_ops = {
    .bind = port_bind,
    .connect = port_connect,
    .fd = port_fd,
    .watch = port_watch,
    .events = port_events,
    .send = port_send,
    .receive = port_receive,
    .step = port_step,
    .unsent = port_unsent,
    .cut = port_cut,
    .close = port_close,
};

static alm_code set_up(zmtp_port *self, const alm_port_opts *opts, alm_status *st)
{
    ALM_TRY(alm_zmtp_shared_init(&self->shared, opts, st));
    self->id_last = randombytes_random();
    self->input.data = alm_alloc(ALM_ZMTP_READ_BYTES);
    if (self->input.data == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a port's buffer");
    }
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    return self->epoll >= 0 ? ALM_OK : alm_status_from_errno(st, errno, "opening an epoll");
}

alm_code alm_port_zmtp_open(const alm_port_opts *opts, alm_clock clock, alm_port **ret,
                            alm_status *st)
{
    zmtp_port *self = alm_calloc(1, sizeof *self);
    if (self == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a port");
    }
    *self = (zmtp_port){.base.ops = &zmtp_ops,
                        .clock = clock,
                        .peer_count_max = opts->peer_count_max,
                        .epoll = -1,
                        .resume_us = ALM_NEVER_US};
    alm_code code = set_up(self, opts, st);
    if (code != ALM_OK) {
        alm_zmtp_shared_deinit(&self->shared);
        alm_free(self->input.data);
        alm_free(self);
        return code;
    }
    *ret = &self->base;
    return ALM_OK;
}
