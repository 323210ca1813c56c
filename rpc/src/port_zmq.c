// tcp, ipc and inproc over libzmq: a ROUTER listens, a DEALER dials.
#include "port.h"

#include "alm/alloc.h"
#include "sync.h"
#include "zap.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#define HANDSHAKE_MS         2000
#define RECONNECT_MS         50
#define RECONNECT_MS_MAX     1000
#define HEARTBEAT_MS         2000 // of ZMTP, for peers that vanish without a word; ours is quicker
#define HEARTBEAT_TIMEOUT_MS 6000
#define ROUTER_QUEUE_FRAMES  256
#define SOCKET_COUNT_MAX     65535
#define LISTENER_COUNT_MAX   16
#define CLOSE_WAIT_MS        1000

struct alm_zmq_ctx {
    void *ctx;
    pthread_mutex_t lock; // guards zap while it is started
    alm_zap *zap;         // NULL: no CURVE port has listened yet
};

typedef struct zmq_port {
    alm_port base;
    void *socket;
    zmq_msg_t frame; // what the last receive gave out
    alm_port_role role;
    alm_zmq_ctx *ctx;
    alm_zap_domain *domain; // NULL: CURVE is off, or the port dials
    char listeners[LISTENER_COUNT_MAX][ALM_ADDRESS_BYTES_MAX]; // bound, as libzmq names them
    size_t listener_count;
    size_t wire_count; // of those, with a file descriptor: not inproc
} zmq_port;

static alm_code status_from_zmq(alm_status *st, const char *what)
{
    int error = zmq_errno();
    const char *text = zmq_strerror(error);
    switch (error) {
    case EADDRINUSE:
        return alm_status_set(st, ALM_ALREADY_EXISTS, "%s: the address is in use", what);
    case EADDRNOTAVAIL:
    case EINVAL:
    case ENODEV:
    case EPROTONOSUPPORT:
    case ENOENT:
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%s: %s", what, text);
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s: %s", what, text);
    case EACCES:
        return alm_status_set(st, ALM_PERMISSION_DENIED, "%s: %s", what, text);
    default:
        return alm_status_set(st, ALM_UNAVAILABLE, "%s: %s", what, text);
    }
}

alm_code alm_zmq_ctx_create(alm_zmq_ctx **ret, alm_status *st)
{
    alm_zmq_ctx *self = alm_calloc(1, sizeof *self);
    if (self == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a ZeroMQ context");
    }
    self->ctx = zmq_ctx_new();
    if (self->ctx == NULL) {
        alm_free(self);
        return status_from_zmq(st, "making a ZeroMQ context");
    }
    pthread_mutex_init(&self->lock, NULL);
    zmq_ctx_set(self->ctx, ZMQ_MAX_SOCKETS, SOCKET_COUNT_MAX);
    *ret = self;
    return ALM_OK;
}

void alm_zmq_ctx_destroy(alm_zmq_ctx **ctx)
{
    if (*ctx != NULL) {
        alm_zap_stop(&(*ctx)->zap);
        while (zmq_ctx_term((*ctx)->ctx) != 0 && zmq_errno() == EINTR) {}
        pthread_mutex_destroy(&(*ctx)->lock);
        alm_free(*ctx);
        *ctx = NULL;
    }
}

static zmq_port *self_of(alm_port *port)
{
    return (zmq_port *)port;
}

// libzmq takes the path of an ipc address away from whoever listens on it, so ask first.
static bool is_ipc_taken(alm_str path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    ALM_ASSERT(path.len < sizeof at.sun_path);
    memcpy(at.sun_path, path.data, path.len);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    bool is_taken = connect(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return is_taken;
}

// The address as it was asked for, with the port that was taken.
static void name_endpoint(const alm_address *asked, const char *address, const char *taken,
                          char ret[ALM_ADDRESS_BYTES_MAX])
{
    if (!alm_address_takes_any_port(asked)) {
        memcpy(ret, address, strlen(address) + 1);
        return;
    }
    const char *colon = strrchr(taken, ':');
    size_t host_len = (size_t)(asked->port.data - address); // with its colon
    ALM_ASSERT(colon != NULL);
    snprintf(ret, ALM_ADDRESS_BYTES_MAX, "%.*s%s", (int)host_len, address, colon + 1);
}

static alm_code port_bind(alm_port *port, const char *address, char ret[ALM_ADDRESS_BYTES_MAX],
                          alm_status *st)
{
    alm_address parsed;
    ALM_TRY(alm_address_parse(alm_str_from(address), &parsed, st));
    char text[ALM_ADDRESS_BYTES_MAX + 2];
    snprintf(text, sizeof text, "%s", address);
    if (alm_address_takes_any_port(&parsed)) {
        size_t host_len = (size_t)(parsed.port.data - address);
        snprintf(text, sizeof text, "%.*s*", (int)host_len, address);
    }
    if (parsed.scheme == ALM_SCHEME_IPC && is_ipc_taken(parsed.rest)) {
        return alm_status_set(st, ALM_ALREADY_EXISTS, "%s: the address is in use", address);
    }
    zmq_port *self = self_of(port);
    if (self->listener_count == LISTENER_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s is past the limit of %d addresses",
                              address, LISTENER_COUNT_MAX);
    }
    if (zmq_bind(self->socket, text) != 0) {
        return status_from_zmq(st, address);
    }
    char *taken = self->listeners[self->listener_count];
    size_t size = ALM_ADDRESS_BYTES_MAX;
    if (zmq_getsockopt(self->socket, ZMQ_LAST_ENDPOINT, taken, &size) != 0) {
        return status_from_zmq(st, address);
    }
    self->listener_count++;
    self->wire_count += parsed.scheme == ALM_SCHEME_INPROC ? 0 : 1;
    name_endpoint(&parsed, address, taken, ret);
    return ALM_OK;
}

static alm_code port_connect(alm_port *port, const char *address, alm_status *st)
{
    return zmq_connect(self_of(port)->socket, address) == 0 ? ALM_OK : status_from_zmq(st, address);
}

static int port_fd(alm_port *port)
{
    int fd = -1;
    size_t size = sizeof fd;
    int answer = zmq_getsockopt(self_of(port)->socket, ZMQ_FD, &fd, &size);
    ALM_ASSERT(answer == 0);
    return fd;
}

// With ZMQ_IMMEDIATE a DEALER can be written to only while it has a peer, which is how the loss of
// a connection shows without a monitor socket.
static unsigned port_events(alm_port *port)
{
    int events = 0;
    size_t size = sizeof events;
    int answer = zmq_getsockopt(self_of(port)->socket, ZMQ_EVENTS, &events, &size);
    ALM_ASSERT(answer == 0);
    return ((events & ZMQ_POLLIN) != 0 ? ALM_PORT_INPUT : 0) |
           ((events & ZMQ_POLLOUT) != 0 ? ALM_PORT_CONNECTED : 0);
}

static alm_sent sent_from_errno(void)
{
    switch (zmq_errno()) {
    case EAGAIN:
    case EINTR:
        return ALM_SENT_FULL;
    default:
        return ALM_SENT_GONE;
    }
}

static alm_sent port_send(alm_port *port, const alm_peer_key *to, alm_str frame)
{
    zmq_port *self = self_of(port);
    if (self->role == ALM_PORT_LISTENS &&
        zmq_send(self->socket, to->bytes, to->len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        return sent_from_errno();
    }
    bool is_sent = zmq_send(self->socket, frame.data, frame.len, ZMQ_DONTWAIT) >= 0;
    return is_sent ? ALM_SENT_OK : sent_from_errno();
}

// Drops the rest of a message that has more parts than it should.
static alm_received drop_parts(zmq_port *self)
{
    while (zmq_msg_more(&self->frame)) {
        if (zmq_msg_recv(&self->frame, self->socket, ZMQ_DONTWAIT) < 0) {
            break;
        }
    }
    return ALM_RECEIVED_JUNK;
}

static alm_received port_receive(alm_port *port, alm_incoming *ret)
{
    zmq_port *self = self_of(port);
    *ret = (alm_incoming){0};
    if (zmq_msg_recv(&self->frame, self->socket, ZMQ_DONTWAIT) < 0) {
        return ALM_RECEIVED_NOTHING;
    }
    if (self->role == ALM_PORT_LISTENS) {
        size_t len = zmq_msg_size(&self->frame);
        if (len == 0 || len > ALM_PEER_KEY_BYTES_MAX || !zmq_msg_more(&self->frame)) {
            return drop_parts(self);
        }
        ret->from.len = (uint8_t)len;
        memcpy(ret->from.bytes, zmq_msg_data(&self->frame), len);
        if (zmq_msg_recv(&self->frame, self->socket, ZMQ_DONTWAIT) < 0) {
            return ALM_RECEIVED_NOTHING;
        }
    }
    if (zmq_msg_more(&self->frame)) {
        return drop_parts(self);
    }
    ret->frame = (alm_str){.data = zmq_msg_data(&self->frame), .len = zmq_msg_size(&self->frame)};
    if (self->domain != NULL) {
        ret->user = alm_str_from(zmq_msg_gets(&self->frame, "User-Id")); // NULL: empty
    }
    return ALM_RECEIVED_FRAME;
}

static bool is_closed_event(void *monitor)
{
    uint8_t event[6] = {0}; // u16 event, u32 value, in this machine's order; then the address
    int got = zmq_recv(monitor, event, sizeof event, 0);
    bool is_event = got == (int)sizeof event;
    char address[ALM_ADDRESS_BYTES_MAX];
    if (got >= 0) {
        (void)zmq_recv(monitor, address, sizeof address, 0);
    }
    uint16_t number;
    memcpy(&number, event, sizeof number);
    return is_event && number == ZMQ_EVENT_CLOSED;
}

// libzmq closes its listeners a while after the socket. A server that was destroyed must have freed
// its addresses, so this waits for the news.
static void close_listeners(zmq_port *self)
{
    char name[64];
    snprintf(name, sizeof name, "inproc://monitor-%p", self->socket);
    int wait_ms = CLOSE_WAIT_MS;
    int linger_ms = 0;
    void *monitor = zmq_socket(self->ctx->ctx, ZMQ_PAIR);
    if (monitor == NULL) {
        return;
    }
    zmq_setsockopt(monitor, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    zmq_setsockopt(monitor, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    if (zmq_socket_monitor(self->socket, name, ZMQ_EVENT_CLOSED) == 0 &&
        zmq_connect(monitor, name) == 0) {
        for (size_t i = 0; i < self->listener_count; i++) {
            zmq_unbind(self->socket, self->listeners[i]);
        }
        for (size_t i = 0; i < self->wire_count && is_closed_event(monitor); i++) {}
        zmq_socket_monitor(self->socket, NULL, 0);
    }
    zmq_close(monitor);
}

static void port_close(alm_port *port, int linger_ms)
{
    zmq_port *self = self_of(port);
    if (self->listener_count > 0) {
        close_listeners(self);
    }
    zmq_setsockopt(self->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_msg_close(&self->frame);
    zmq_close(self->socket);
    if (self->domain != NULL) {
        alm_zap_domain_remove(self->ctx->zap, &self->domain);
    }
    alm_free(self);
}

static const alm_port_ops zmq_ops = {
    .bind = port_bind,
    .connect = port_connect,
    .fd = port_fd,
    .events = port_events,
    .send = port_send,
    .receive = port_receive,
    .close = port_close,
};

typedef struct socket_option {
    int name;
    int value;
} socket_option;

static int set_options(void *socket, const socket_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (zmq_setsockopt(socket, options[i].name, &options[i].value, sizeof(int)) != 0) {
            return -1;
        }
    }
    return 0;
}

static int set_up(void *socket, alm_port_role role, size_t frame_bytes_max)
{
    const socket_option both[] = {
        {ZMQ_LINGER, 0},
        {ZMQ_IPV6, 1},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
        {ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS},
        {ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS},
        {ZMQ_HEARTBEAT_TTL, HEARTBEAT_TIMEOUT_MS},
    };
    const socket_option listening[] = {
        {ZMQ_ROUTER_MANDATORY, 1},
        {ZMQ_SNDHWM, ROUTER_QUEUE_FRAMES},
        {ZMQ_BACKLOG, 1024},
    };
    // What a client has outstanding bounds its queue, so the high-water mark need not, and a full
    // queue does not look like a lost peer.
    const socket_option dialling[] = {
        {ZMQ_IMMEDIATE, 1},
        {ZMQ_SNDHWM, 0},
        {ZMQ_RECONNECT_IVL, RECONNECT_MS},
        {ZMQ_RECONNECT_IVL_MAX, RECONNECT_MS_MAX},
    };
    int64_t size_max = (int64_t)frame_bytes_max;
    if (zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max) != 0 ||
        set_options(socket, both, ALM_ARRAY_LEN(both)) != 0) {
        return -1;
    }
    return role == ALM_PORT_LISTENS ? set_options(socket, listening, ALM_ARRAY_LEN(listening))
                                    : set_options(socket, dialling, ALM_ARRAY_LEN(dialling));
}

// The thread that answers ZAP starts with the first port that needs it, before that port listens,
// and ends after the last: libzmq lets anybody in while nobody answers, and the option to forbid
// that (ZMQ_ZAP_ENFORCE_DOMAIN) is not in its stable interface.
static alm_code add_domain(zmq_port *self, const alm_port_curve *curve, alm_status *st)
{
    alm_lock(&self->ctx->lock);
    alm_code code =
        self->ctx->zap == NULL ? alm_zap_start(self->ctx->ctx, &self->ctx->zap, st) : ALM_OK;
    alm_unlock(&self->ctx->lock);
    ALM_TRY(code);
    return alm_zap_domain_add(self->ctx->zap, curve->admit, curve->admit_arg, &self->domain, st);
}

static bool set_bytes(zmq_port *self, int name, const void *value, size_t size)
{
    return zmq_setsockopt(self->socket, name, value, size) == 0;
}

static alm_code set_curve(zmq_port *self, const alm_port_curve *curve, alm_status *st)
{
    const size_t size = ALM_CURVE_KEY_BYTES;
    const int on = 1;
    bool is_set = set_bytes(self, ZMQ_CURVE_SECRETKEY, curve->secret_key, size);
    if (self->role == ALM_PORT_LISTENS) {
        ALM_TRY(add_domain(self, curve, st));
        const char *domain = alm_zap_domain_name(self->domain);
        is_set = is_set && set_bytes(self, ZMQ_CURVE_SERVER, &on, sizeof on) &&
                 set_bytes(self, ZMQ_ZAP_DOMAIN, domain, strlen(domain));
    } else {
        is_set = is_set && set_bytes(self, ZMQ_CURVE_PUBLICKEY, curve->public_key, size) &&
                 set_bytes(self, ZMQ_CURVE_SERVERKEY, curve->server_key, size);
    }
    return is_set ? ALM_OK : status_from_zmq(st, "turning CURVE on");
}

static alm_code prepare(zmq_port *self, const alm_port_opts *opts, alm_status *st)
{
    if (self->socket == NULL || set_up(self->socket, opts->role, opts->frame_bytes_max) != 0) {
        return status_from_zmq(st, "opening a socket");
    }
    bool is_curve = opts->curve != NULL && opts->curve->is_on;
    return is_curve ? set_curve(self, opts->curve, st) : ALM_OK;
}

// peer_count_max is not kept here: libzmq does not say who connects. The server does not take a
// HELLO past it.
alm_code alm_port_zmq_open(alm_zmq_ctx *ctx, const alm_port_opts *opts, alm_port **ret,
                           alm_status *st)
{
    zmq_port *self = alm_calloc(1, sizeof *self);
    if (self == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a socket");
    }
    *self = (zmq_port){.base.ops = &zmq_ops, .role = opts->role, .ctx = ctx};
    self->socket = zmq_socket(ctx->ctx, opts->role == ALM_PORT_LISTENS ? ZMQ_ROUTER : ZMQ_DEALER);
    zmq_msg_init(&self->frame);
    alm_code code = prepare(self, opts, st);
    if (code != ALM_OK) {
        if (self->socket != NULL) {
            zmq_close(self->socket);
        }
        if (self->domain != NULL) {
            alm_zap_domain_remove(ctx->zap, &self->domain);
        }
        alm_free(self);
        return code;
    }
    *ret = &self->base;
    return ALM_OK;
}
