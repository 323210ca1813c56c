// inproc://NAME and loop://NAME: a transport without a wire. Frames move between queues of one
// alm_rpc; what is sent is encoded all the same. Tests need no sockets with it.
#include "io.h"
#include "port.h"

#include "alm/alloc.h"
#include "sync.h"

#include <utlist.h>

#define QUEUE_FRAME_COUNT_MAX 4096

typedef struct loop_frame {
    struct loop_frame *prev, *next;
    alm_peer_key from;
    size_t len;
    uint8_t data[];
} loop_frame;

typedef struct loop_port loop_port;
struct loop_port {
    alm_port base;
    loop_port *prev, *next; // in the hub
    alm_loop_hub *hub;
    alm_port_role role;
    char name[ALM_ADDRESS_BYTES_MAX]; // "": neither bound nor connected yet
    uint64_t id;                      // of a dialling port: its key at the listener
    loop_port *listener;              // of a dialling port: its peer, NULL while there is none
    bool was_lost;     // of a dialling port: the peer it had is gone, and it gets no other
    loop_frame *queue; // what was sent to this port
    size_t queue_count;
    loop_frame *given; // what the last receive gave out; owner's only
    size_t frame_bytes_max;
    alm_wake wake; // signalled when the queue or the listener changes
};

struct alm_loop_hub {
    pthread_mutex_t lock; // guards all ports' fields but base, given and wake
    loop_port *ports;
    uint64_t id_last;
};

alm_code alm_loop_hub_create(alm_loop_hub **ret, alm_status *st)
{
    alm_loop_hub *hub = alm_calloc(1, sizeof *hub);
    if (hub == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the loop transport");
    }
    pthread_mutex_init(&hub->lock, NULL);
    *ret = hub;
    return ALM_OK;
}

void alm_loop_hub_destroy(alm_loop_hub **hub)
{
    if (*hub != NULL) {
        ALM_ASSERT((*hub)->ports == NULL);
        pthread_mutex_destroy(&(*hub)->lock);
        alm_free(*hub);
        *hub = NULL;
    }
}

// Its fd, for who polls one port alone, and who leads, for whom ports within need no watching.
static void wake(const loop_port *port)
{
    alm_wake_signal(&port->wake);
    if (port->base.io != NULL) {
        alm_io_wake(port->base.io);
    }
}

static loop_port *self_of(alm_port *port)
{
    return (loop_port *)port;
}

static alm_peer_key key_of(uint64_t id)
{
    alm_peer_key key = {.len = sizeof id};
    memcpy(key.bytes, &id, sizeof id);
    return key;
}

static void set_name(loop_port *self, const char *address)
{
    size_t len = strlen(address);
    ALM_ASSERT(len < sizeof self->name);
    memcpy(self->name, address, len + 1);
}

static loop_port *find_listener(alm_loop_hub *hub, const char *address)
{
    loop_port *port;
    DL_FOREACH(hub->ports, port)
    {
        if (port->role == ALM_PORT_LISTENS && strcmp(port->name, address) == 0) {
            return port;
        }
    }
    return NULL;
}

static alm_code port_bind(alm_port *port, const char *address, char ret[ALM_ADDRESS_BYTES_MAX],
                          alm_status *st)
{
    loop_port *self = self_of(port);
    alm_lock(&self->hub->lock);
    if (self->name[0] != '\0' || find_listener(self->hub, address) != NULL) {
        bool is_second = self->name[0] != '\0';
        alm_unlock(&self->hub->lock);
        return is_second
                   ? alm_status_set(st, ALM_FAILED_PRECONDITION,
                                    "%s: a server has one loop address", address)
                   : alm_status_set(st, ALM_ALREADY_EXISTS, "%s: the address is in use", address);
    }
    set_name(self, address);
    memcpy(ret, self->name, ALM_ADDRESS_BYTES_MAX);
    loop_port *dialler;
    DL_FOREACH(self->hub->ports, dialler)
    {
        bool is_waiting = dialler->role == ALM_PORT_DIALS && !dialler->was_lost;
        if (is_waiting && strcmp(dialler->name, address) == 0) {
            dialler->listener = self;
            wake(dialler);
        }
    }
    alm_unlock(&self->hub->lock);
    return ALM_OK;
}

static alm_code port_connect(alm_port *port, const char *address, alm_status *st)
{
    (void)st;
    loop_port *self = self_of(port);
    alm_lock(&self->hub->lock);
    ALM_ASSERT(self->name[0] == '\0');
    self->listener = find_listener(self->hub, address);
    set_name(self, address);
    alm_unlock(&self->hub->lock);
    return ALM_OK;
}

static int port_fd(alm_port *port)
{
    return self_of(port)->wake.fd;
}

static unsigned port_events(alm_port *port)
{
    loop_port *self = self_of(port);
    alm_lock(&self->hub->lock);
    alm_wake_clear(&self->wake);
    unsigned events = (self->queue != NULL ? ALM_PORT_INPUT : 0) |
                      (self->listener != NULL ? ALM_PORT_CONNECTED : 0) |
                      (self->was_lost ? ALM_PORT_LOST : 0);
    alm_unlock(&self->hub->lock);
    return events;
}

static loop_port *find_dialler(loop_port *listener, const alm_peer_key *key)
{
    loop_port *port;
    DL_FOREACH(listener->hub->ports, port)
    {
        if (port->role == ALM_PORT_DIALS && port->listener == listener) {
            alm_peer_key its = key_of(port->id);
            if (memcmp(&its, key, sizeof its) == 0) {
                return port;
            }
        }
    }
    return NULL;
}

static alm_sent enqueue(loop_port *to, loop_frame *frame)
{
    if (to == NULL) {
        return ALM_SENT_GONE;
    }
    if (frame->len > to->frame_bytes_max) {
        return ALM_SENT_GONE; // as a socket would: the connection is worth nothing after this
    }
    if (to->queue_count >= QUEUE_FRAME_COUNT_MAX) {
        return ALM_SENT_FULL;
    }
    DL_APPEND(to->queue, frame);
    to->queue_count++;
    wake(to);
    return ALM_SENT_OK;
}

static alm_sent port_send(alm_port *port, const alm_peer_key *to, alm_str data)
{
    loop_port *self = self_of(port);
    loop_frame *frame = alm_alloc(sizeof *frame + data.len);
    if (frame == NULL) {
        return ALM_SENT_FULL;
    }
    *frame = (loop_frame){.len = data.len};
    if (data.len > 0) {
        memcpy(frame->data, data.data, data.len);
    }
    alm_lock(&self->hub->lock);
    loop_port *peer = self->listener;
    if (self->role == ALM_PORT_LISTENS) {
        peer = find_dialler(self, to);
    } else {
        frame->from = key_of(self->id);
    }
    alm_sent sent = enqueue(peer, frame);
    alm_unlock(&self->hub->lock);
    if (sent != ALM_SENT_OK) {
        alm_free(frame);
    }
    return sent;
}

static alm_received port_receive(alm_port *port, alm_incoming *ret)
{
    loop_port *self = self_of(port);
    alm_free(self->given);
    alm_lock(&self->hub->lock);
    self->given = self->queue;
    if (self->given != NULL) {
        DL_DELETE(self->queue, self->given);
        self->queue_count--;
    }
    alm_unlock(&self->hub->lock);
    if (self->given == NULL) {
        return ALM_RECEIVED_NOTHING;
    }
    *ret = (alm_incoming){.from = self->given->from};
    ret->frame = (alm_str){.data = (const char *)self->given->data, .len = self->given->len};
    return ALM_RECEIVED_FRAME;
}

static void drop_peers(loop_port *listener)
{
    loop_port *port;
    DL_FOREACH(listener->hub->ports, port)
    {
        if (port->listener == listener) {
            port->listener = NULL;
            port->was_lost = true;
            wake(port);
        }
    }
}

static void port_close(alm_port *port, int linger_ms)
{
    (void)linger_ms; // what was sent is in the peer's queue already
    loop_port *self = self_of(port);
    alm_lock(&self->hub->lock);
    DL_DELETE(self->hub->ports, self);
    drop_peers(self);
    alm_unlock(&self->hub->lock);
    loop_frame *frame, *next;
    DL_FOREACH_SAFE(self->queue, frame, next)
    {
        alm_free(frame);
    }
    alm_free(self->given);
    alm_wake_deinit(&self->wake);
    alm_free(self);
}

static const alm_port_ops loop_ops = {
    .bind = port_bind,
    .connect = port_connect,
    .fd = port_fd,
    .events = port_events,
    .send = port_send,
    .receive = port_receive,
    .close = port_close,
};

alm_code alm_port_loop_open(alm_loop_hub *hub, const alm_port_opts *opts, alm_port **ret,
                            alm_status *st)
{
    loop_port *self = alm_calloc(1, sizeof *self);
    if (self == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a loop port");
    }
    *self = (loop_port){.base.ops = &loop_ops, .hub = hub, .role = opts->role};
    self->frame_bytes_max = opts->frame_bytes_max;
    alm_code code = alm_wake_init(&self->wake, st);
    if (code != ALM_OK) {
        alm_free(self);
        return code;
    }
    alm_lock(&hub->lock);
    self->id = ++hub->id_last;
    DL_APPEND(hub->ports, self);
    alm_unlock(&hub->lock);
    *ret = &self->base;
    return ALM_OK;
}
