// The ZMTP port against itself, against libzmq's sockets, and against peers that are no peers.
#include "port.h"
#include "sync.h"
#include "zmtp_port.h"

#include "alm/alloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zmq.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define WAIT_MS   10000 // never waited in full
#define FRAME_MAX ((size_t)4 << 20)
#define TCP       "tcp://127.0.0.1:0"

typedef struct keys {
    uint8_t public_key[ALM_CURVE_KEY_BYTES], secret_key[ALM_CURVE_KEY_BYTES];
} keys;

static keys server_keys, client_keys;
static int64_t skipped_us; // what the clock is ahead

static int64_t clock_us(void *self)
{
    (void)self;
    return alm_clock_system().mono_us(NULL) + skipped_us;
}

static alm_clock test_clock(void)
{
    return (alm_clock){.mono_us = clock_us, .wall_us = clock_us};
}

static bool admit_client(void *arg, const uint8_t key[ALM_CURVE_KEY_BYTES],
                         char ret_user[ALM_USER_BYTES_MAX])
{
    (void)arg;
    snprintf(ret_user, ALM_USER_BYTES_MAX, "ana");
    return memcmp(key, client_keys.public_key, ALM_CURVE_KEY_BYTES) == 0;
}

static alm_port_curve server_curve(void)
{
    alm_port_curve curve = {.is_on = true, .admit = admit_client};
    memcpy(curve.public_key, server_keys.public_key, ALM_CURVE_KEY_BYTES);
    memcpy(curve.secret_key, server_keys.secret_key, ALM_CURVE_KEY_BYTES);
    return curve;
}

static alm_port_curve client_curve(void)
{
    alm_port_curve curve = {.is_on = true};
    memcpy(curve.public_key, client_keys.public_key, ALM_CURVE_KEY_BYTES);
    memcpy(curve.secret_key, client_keys.secret_key, ALM_CURVE_KEY_BYTES);
    memcpy(curve.server_key, server_keys.public_key, ALM_CURVE_KEY_BYTES);
    return curve;
}

static alm_port *open_port(alm_port_role role, const alm_port_curve *curve)
{
    alm_port *port = NULL;
    alm_status st;
    alm_port_opts opts = {.role = role, .frame_bytes_max = FRAME_MAX, .curve = curve};
    if (alm_port_zmtp_open(&opts, test_clock(), &port, &st) != ALM_OK) {
        fail_msg("%s", st.message);
    }
    return port;
}

static alm_port *listen_at(const char *address, const alm_port_curve *curve,
                           char ret[ALM_ADDRESS_BYTES_MAX])
{
    alm_port *port = open_port(ALM_PORT_LISTENS, curve);
    alm_status st;
    if (port->ops->bind(port, address, ret, &st) != ALM_OK) {
        fail_msg("%s", st.message);
    }
    return port;
}

static alm_port *dial(const char *address, const alm_port_curve *curve)
{
    alm_port *port = open_port(ALM_PORT_DIALS, curve);
    assert_int_equal(port->ops->connect(port, address, NULL), ALM_OK);
    return port;
}

// From here on a port is received from only when it says so or was told, and it is told once.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static alm_io *io;
static struct {
    alm_port *port;
    size_t watch;
} watched[2];

static void watch_port(alm_port *port)
{
    size_t at = watched[0].port == NULL ? 0 : 1;
    assert_null(watched[at].port);
    alm_port_watch(port, io, &watched[at].watch);
    assert_true(port->is_watched);
    watched[at].port = port;
}

static void close_port(alm_port **port, int linger_ms)
{
    for (size_t i = 0; i < ALM_ARRAY_LEN(watched); i++) {
        if (watched[i].port == *port && *port != NULL) {
            alm_port_unwatch(*port, io, &watched[i].watch);
            watched[i].port = NULL;
        }
    }
    alm_port_close(port, linger_ms);
}

static bool take_told(alm_port *port)
{
    (void)alm_io_turn(io, 0);
    return alm_port_take_told(port, io, watched[watched[0].port == port ? 0 : 1].watch);
}

static alm_received receive_now(alm_port *port, alm_incoming *ret)
{
    if (!port->is_watched) {
        return port->ops->receive(port, ret);
    }
    bool has_input = (port->ops->events(port) & ALM_PORT_INPUT) != 0;
    bool is_due = take_told(port) || has_input;
    return is_due ? port->ops->receive(port, ret) : ALM_RECEIVED_NOTHING;
}

// The other end, for which nothing comes.
static void work(alm_port *port)
{
    alm_incoming incoming;
    if (port != NULL && port->is_watched) {
        assert_int_equal(receive_now(port, &incoming), ALM_RECEIVED_NOTHING);
    }
    if (port != NULL) {
        (void)port->ops->events(port);
    }
}

// Lets both ends work for a moment.
static void turn(alm_port *a, alm_port *b)
{
    struct pollfd fds[2] = {{.fd = a->ops->fd(a), .events = POLLIN},
                            {.fd = b != NULL ? b->ops->fd(b) : -1, .events = POLLIN}};
    if (a->is_watched || (b != NULL && b->is_watched)) {
        (void)alm_io_turn(io, 5000);
    } else {
        (void)poll(fds, 2, 5);
    }
    (void)a->ops->step(a, clock_us(NULL));
    if (b != NULL) {
        (void)b->ops->step(b, clock_us(NULL));
    }
}

static bool is_late(int64_t begin_us)
{
    return alm_clock_system().mono_us(NULL) - begin_us > WAIT_MS * INT64_C(1000);
}

// Receives at a while b works too, until there is something.
static alm_received receive(alm_port *a, alm_port *b, alm_incoming *ret)
{
    int64_t begin_us = alm_clock_system().mono_us(NULL);
    alm_received received;
    while ((received = receive_now(a, ret)) == ALM_RECEIVED_NOTHING) {
        assert_false(is_late(begin_us));
        (void)a->ops->events(a);
        work(b);
        turn(a, b);
    }
    return received;
}

static unsigned wait_for(alm_port *a, alm_port *b, unsigned wanted)
{
    int64_t begin_us = alm_clock_system().mono_us(NULL);
    unsigned events;
    while (((events = a->ops->events(a)) & wanted) == 0) {
        alm_incoming incoming;
        assert_false(is_late(begin_us));
        assert_int_equal(receive_now(a, &incoming), ALM_RECEIVED_NOTHING);
        work(b);
        turn(a, b);
    }
    return events;
}

static void expect(alm_port *a, alm_port *b, alm_str want, alm_incoming *ret)
{
    assert_int_equal(receive(a, b, ret), ALM_RECEIVED_FRAME);
    assert_int_equal(ret->frame.len, want.len);
    assert_memory_equal(ret->frame.data, want.data, want.len);
}

static void send_to(alm_port *port, const alm_peer_key *to, alm_str frame)
{
    assert_int_equal(port->ops->send(port, to, frame), ALM_SENT_OK);
}

// A frame that shows where it was cut or mixed up.
static alm_str make_frame(size_t len, unsigned seed)
{
    char *data = test_malloc(len + 1);
    for (size_t i = 0; i < len; i++) {
        data[i] = (char)((i * 131 + seed + (i >> 8)) & 0xff);
    }
    return (alm_str){.data = data, .len = len};
}

static void free_frame(alm_str frame)
{
    test_free((void *)(uintptr_t)frame.data);
}

// --- our port against our port -------------------------------------------------------------------

typedef struct world {
    const char *name;
    const char *address;
    bool has_curve;
    const char *user;
    bool is_watched;
} world;

static world worlds[] = {
    {"tcp", TCP, false, "", false},
    {"tcp with CURVE", TCP, true, "ana", false},
    {"tcp over IPv6 or any", "tcp://*:*", false, "", false},
    {"ipc", "ipc://zmtp-test.sock", false, "", false},
    {"ipc never encrypts", "ipc://zmtp-test.sock", true, "", false},
    {"tcp, watched", TCP, false, "", true},
    {"tcp with CURVE, watched", TCP, true, "ana", true},
    {"ipc, watched", "ipc://zmtp-test.sock", false, "", true},
};

// "*" is not for dialling.
static void dial_address(char bound[ALM_ADDRESS_BYTES_MAX])
{
    char text[ALM_ADDRESS_BYTES_MAX];
    if (strncmp(bound, "tcp://*:", 8) == 0) {
        snprintf(text, sizeof text, "tcp://127.0.0.1:%.200s", bound + 8);
        memcpy(bound, text, sizeof text);
    }
}

typedef struct pair {
    alm_port *server, *client;
    alm_peer_key key;
} pair;

static pair make_pair(const world *w)
{
    alm_port_curve ours = server_curve();
    alm_port_curve theirs = client_curve();
    char bound[ALM_ADDRESS_BYTES_MAX];
    alm_incoming incoming;
    pair p = {.server = listen_at(w->address, w->has_curve ? &ours : NULL, bound)};
    dial_address(bound);
    p.client = dial(bound, w->has_curve ? &theirs : NULL);
    if (w->is_watched) {
        watch_port(p.server);
        watch_port(p.client);
    }
    wait_for(p.client, p.server, ALM_PORT_CONNECTED);
    send_to(p.client, NULL, ALM_STR("hello"));
    expect(p.server, p.client, ALM_STR("hello"), &incoming);
    assert_true(alm_str_eq(incoming.user, alm_str_from(w->user)));
    p.key = incoming.from;
    return p;
}

static void free_pair(pair *p)
{
    close_port(&p->client, 0);
    close_port(&p->server, 0);
}

static void frames_of_all_sizes(void **state)
{
    static const size_t lens[] = {0,     1,     255,    256,     4095,     65536,
                                  65537, 70000, 262144, 1000000, FRAME_MAX};
    pair p = make_pair(*state);
    for (size_t i = 0; i < ALM_ARRAY_LEN(lens); i++) {
        alm_incoming incoming;
        alm_str frame = make_frame(lens[i], (unsigned)i);
        send_to(p.client, NULL, frame);
        expect(p.server, p.client, frame, &incoming);
        send_to(p.server, &incoming.from, frame);
        expect(p.client, p.server, frame, &incoming);
        free_frame(frame);
    }
    free_pair(&p);
}

static void many_frames_at_once(void **state)
{
    pair p = make_pair(*state);
    for (unsigned i = 0; i < 5000; i++) {
        alm_str frame = make_frame(i % 300, i);
        send_to(p.client, NULL, frame);
        free_frame(frame);
    }
    for (unsigned i = 0; i < 5000; i++) {
        alm_incoming incoming;
        alm_str frame = make_frame(i % 300, i);
        expect(p.server, p.client, frame, &incoming);
        free_frame(frame);
    }
    free_pair(&p);
}

// Sends until there is no more room, then reads it all.
static void full_then_drained(void **state)
{
    pair p = make_pair(*state);
    alm_incoming incoming;
    assert_int_equal(p.server->ops->receive(p.server, &incoming), ALM_RECEIVED_NOTHING);
    alm_str frame = make_frame(65536, 7);
    size_t sent = 0;
    while (p.server->ops->send(p.server, &p.key, frame) == ALM_SENT_OK) {
        sent++;
        assert_in_range(sent, 1, 1000);
    }
    assert_int_equal(p.server->ops->send(p.server, &p.key, frame), ALM_SENT_FULL);
    for (size_t i = 0; i < sent; i++) {
        expect(p.client, p.server, frame, &incoming);
    }
    send_to(p.server, &p.key, frame);
    free_frame(frame);
    free_pair(&p);
}

static void gone_is_said_once(void **state)
{
    pair p = make_pair(*state);
    send_to(p.client, NULL, ALM_STR("last"));
    close_port(&p.client, 100);
    alm_incoming incoming;
    expect(p.server, NULL, ALM_STR("last"), &incoming);
    assert_int_equal(receive(p.server, NULL, &incoming), ALM_RECEIVED_GONE);
    assert_memory_equal(&incoming.from, &p.key, sizeof p.key);
    assert_int_equal(p.server->ops->receive(p.server, &incoming), ALM_RECEIVED_NOTHING);
    assert_int_equal(p.server->ops->send(p.server, &p.key, ALM_STR("x")), ALM_SENT_GONE);
    close_port(&p.server, 0);
}

static void a_lost_server_shows(void **state)
{
    pair p = make_pair(*state);
    alm_incoming incoming;
    send_to(p.server, &p.key, ALM_STR("bye"));
    close_port(&p.server, 100);
    expect(p.client, NULL, ALM_STR("bye"), &incoming);
    assert_int_equal(wait_for(p.client, NULL, ALM_PORT_LOST) & ALM_PORT_CONNECTED, 0);
    assert_int_equal(p.client->ops->send(p.client, NULL, ALM_STR("x")), ALM_SENT_GONE);
    close_port(&p.client, 0);
}

// A watched port is told once of what came together: the frame, and the end behind it.
static void an_end_behind_a_frame_is_seen(void **state)
{
    pair p = make_pair(*state);
    alm_incoming incoming;
    send_to(p.client, NULL, ALM_STR("last"));
    close_port(&p.client, 100);
    (void)p.server->ops->events(p.server); // a series of receives begins
    poll(NULL, 0, 20);                     // within a host both are there by now
    assert_true(take_told(p.server));
    assert_int_equal(p.server->ops->receive(p.server, &incoming), ALM_RECEIVED_FRAME);
    bool is_due = true;
    alm_received received = ALM_RECEIVED_NOTHING;
    while (received != ALM_RECEIVED_GONE && is_due) {
        received = p.server->ops->receive(p.server, &incoming);
        is_due = (p.server->ops->events(p.server) & ALM_PORT_INPUT) != 0;
    }
    assert_int_equal(received, ALM_RECEIVED_GONE);
    close_port(&p.server, 0);
}

// More than an accept takes in one go, and more than a watch keeps: no frame is forgotten, and no
// end behind one.
static void more_is_told_than_is_kept(void **state)
{
    (void)state;
    enum { CLIENT_COUNT = ALM_IO_TOLD_COUNT_MAX + ALM_ZMTP_ACCEPT_COUNT_MAX };
    char bound[ALM_ADDRESS_BYTES_MAX];
    alm_port *clients[CLIENT_COUNT];
    alm_port *server = listen_at(TCP, NULL, bound);
    alm_incoming incoming;
    watch_port(server);
    for (size_t i = 0; i < CLIENT_COUNT; i++) {
        clients[i] = dial(bound, NULL);
    }
    for (size_t i = 0; i < CLIENT_COUNT; i++) {
        wait_for(clients[i], server, ALM_PORT_CONNECTED);
    }
    while (take_told(server)) {
        assert_int_equal(server->ops->receive(server, &incoming), ALM_RECEIVED_NOTHING);
    }
    for (size_t i = 0; i < CLIENT_COUNT; i++) {
        send_to(clients[i], NULL, ALM_STR("x"));
        close_port(&clients[i], 100);
    }
    poll(NULL, 0, 20); // within a host all is there by now
    for (size_t i = 0; i < CLIENT_COUNT; i++) {
        (void)alm_io_turn(io, 0);
    }
    size_t frame_count = 0, gone_count = 0;
    while (frame_count + gone_count < (size_t)2 * CLIENT_COUNT) {
        alm_received received = receive(server, NULL, &incoming);
        frame_count += received == ALM_RECEIVED_FRAME ? 1 : 0;
        gone_count += received == ALM_RECEIVED_GONE ? 1 : 0;
    }
    assert_int_equal(frame_count, gone_count);
    close_port(&server, 0);
}

// Without memory for a watch, a port stays one that is looked at, and can be watched later.
static void a_watch_may_come_later(void **state)
{
    static const world plain = {"tcp", TCP, false, "", false};
    (void)state;
    pair p = make_pair(&plain);
    alm_incoming incoming;
    size_t watch = 0;
    (void)alm_alloc_fail_at(1, 1);
    alm_port_watch(p.server, io, &watch);
    (void)alm_alloc_fail_at(0, 0);
    assert_int_equal(watch, 0);
    assert_false(p.server->is_watched);
    send_to(p.client, NULL, ALM_STR("before"));
    expect(p.server, NULL, ALM_STR("before"), &incoming);
    send_to(p.client, NULL, ALM_STR("meanwhile"));
    watch_port(p.server);
    expect(p.server, NULL, ALM_STR("meanwhile"), &incoming);
    send_to(p.client, NULL, ALM_STR("after"));
    expect(p.server, NULL, ALM_STR("after"), &incoming);
    free_pair(&p);
}

// What is pending at close still arrives.
static void close_lingers(void **state)
{
    pair p = make_pair(*state);
    alm_str frame = make_frame(3000, 1);
    for (int i = 0; i < 20; i++) {
        send_to(p.client, NULL, frame);
    }
    close_port(&p.client, 1000);
    for (int i = 0; i < 20; i++) {
        alm_incoming incoming;
        expect(p.server, NULL, frame, &incoming);
    }
    free_frame(frame);
    close_port(&p.server, 0);
}

// A peer that floods does not keep another from being heard.
static void a_flood_does_not_starve(void **state)
{
    pair p = make_pair(*state);
    char bound[ALM_ADDRESS_BYTES_MAX];
    alm_port *server = listen_at(TCP, NULL, bound);
    alm_port *flood = dial(bound, NULL);
    wait_for(flood, server, ALM_PORT_CONNECTED);
    alm_port *quiet = dial(bound, NULL);
    wait_for(quiet, server, ALM_PORT_CONNECTED);
    send_to(quiet, NULL, ALM_STR("me too"));
    bool was_heard = false;
    alm_str frame = make_frame(1000, 1);
    for (size_t i = 0; i < 2000 && !was_heard; i++) {
        while (flood->ops->send(flood, NULL, frame) == ALM_SENT_OK) {}
        (void)flood->ops->events(flood);
        alm_incoming incoming;
        for (int n = 0; n < 10 && server->ops->receive(server, &incoming) == ALM_RECEIVED_FRAME;
             n++) {
            was_heard = was_heard || incoming.frame.len == 6;
        }
    }
    assert_true(was_heard);
    free_frame(frame);
    close_port(&flood, 0);
    close_port(&quiet, 0);
    close_port(&server, 0);
    free_pair(&p);
}

// --- addresses -----------------------------------------------------------------------------------

// A container may have none.
static bool has_ipv6_loopback(void)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return has;
}

static void addresses_are_taken_once(void **state)
{
    (void)state;
    static const char *const asked[] = {TCP, "tcp://*:0", "tcp://[::1]:*", "ipc://zmtp-taken.sock"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(asked); i++) {
        char bound[ALM_ADDRESS_BYTES_MAX];
        char again[ALM_ADDRESS_BYTES_MAX];
        if (strchr(asked[i], '[') != NULL && !has_ipv6_loopback()) {
            continue;
        }
        alm_port *second = open_port(ALM_PORT_LISTENS, NULL);
        alm_port *first = listen_at(asked[i], NULL, bound);
        assert_int_equal(strrchr(bound, ':')[1] == '0' || strrchr(bound, ':')[1] == '*', 0);
        assert_int_equal(second->ops->bind(second, bound, again, NULL), ALM_ALREADY_EXISTS);
        close_port(&first, 0);
        assert_int_equal(second->ops->bind(second, bound, again, NULL), ALM_OK);
        assert_string_equal(again, bound);
        close_port(&second, 0);
    }
}

static void a_stale_socket_file_is_replaced(void **state)
{
    (void)state;
    char bound[ALM_ADDRESS_BYTES_MAX];
    struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "zmtp-stale.sock"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    unlink(at.sun_path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    close(fd);
    alm_port *port = listen_at("ipc://zmtp-stale.sock", NULL, bound);
    struct stat file;
    assert_int_equal(stat(at.sun_path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    close_port(&port, 0);
    assert_int_equal(stat(at.sun_path, &file), -1);
}

static void names_are_refused(void **state)
{
    (void)state;
    char bound[ALM_ADDRESS_BYTES_MAX];
    alm_port *server = open_port(ALM_PORT_LISTENS, NULL);
    alm_port *client = open_port(ALM_PORT_DIALS, NULL);
    assert_int_equal(client->ops->connect(client, "tcp://almanac.invalid:1", NULL),
                     ALM_INVALID_ARGUMENT);
    assert_int_equal(server->ops->bind(server, "tcp://almanac.invalid:1", bound, NULL),
                     ALM_INVALID_ARGUMENT);
    assert_int_equal(server->ops->bind(server, "ipc://@abstract", bound, NULL),
                     ALM_INVALID_ARGUMENT);
    close_port(&client, 0);
    close_port(&server, 0);
}

static void nobody_there_is_lost(void **state)
{
    (void)state;
    char bound[ALM_ADDRESS_BYTES_MAX];
    alm_port *server = listen_at(TCP, NULL, bound);
    close_port(&server, 0);
    alm_port *client = dial(bound, NULL);
    assert_int_equal(wait_for(client, NULL, ALM_PORT_LOST) & ALM_PORT_REACHED, 0);
    close_port(&client, 0);
    client = dial("ipc://zmtp-nobody.sock", NULL);
    wait_for(client, NULL, ALM_PORT_LOST);
    close_port(&client, 0);
}

// --- raw sockets ---------------------------------------------------------------------------------

static int raw_dial(const char *bound)
{
    int64_t port = 0;
    assert_true(alm_str_to_i64(alm_str_from(strrchr(bound, ':') + 1), &port));
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

// Whether the server cuts the connection; what it says before is passed over.
static bool is_cut(int fd, alm_port *server)
{
    int64_t begin_us = alm_clock_system().mono_us(NULL);
    while (!is_late(begin_us)) {
        char byte[256];
        ssize_t len = recv(fd, byte, sizeof byte, MSG_DONTWAIT);
        if (len == 0 || (len < 0 && errno != EAGAIN)) {
            return true;
        }
        alm_incoming incoming;
        (void)server->ops->receive(server, &incoming);
        (void)server->ops->events(server);
        turn(server, NULL);
    }
    return false;
}

#define ZEROS_16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define GREETING "\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL" ZEROS_16 ZEROS_16 ZEROS_16
_Static_assert(sizeof(GREETING) - 1 == ALM_ZMTP_GREETING_BYTES, "the greeting's length");
#define READY_DEALER                                                                               \
    "\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06"                                                   \
    "DEALER"

typedef struct cut_row {
    const char *name;
    alm_str said;
} cut_row;

#define SAID(text)                                                                                 \
    {                                                                                              \
        .data = (text), .len = sizeof(text) - 1                                                    \
    }

static cut_row cut_rows[] = {
    {"HTTP is cut", SAID("GET / HTTP/1.1\r\n\r\n")},
    {"an old greeting is cut", SAID("\x01\0")},
    {"a socket of another type is cut", SAID(GREETING "\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03"
                                                      "PUB")},
    {"a peer without READY is cut", SAID(GREETING "\x04\x05\x04PING")},
    {"a message before READY is cut", SAID(GREETING "\0\x02hi")},
    {"a huge READY is cut", SAID(GREETING "\x06\0\0\0\0\0\x10\0\0")},
    {"a huge frame is cut", SAID(GREETING READY_DEALER "\x02\0\0\0\0\x7f\0\0\0")},
    {"a reserved flag is cut", SAID(GREETING READY_DEALER "\x10\0")},
    {"a command without a name is cut", SAID(GREETING READY_DEALER "\x04\0")},
    {"a bad ping is cut", SAID(GREETING READY_DEALER "\x04\x05\x04PING")},
};

static void misbehaviour_is_cut(void **state)
{
    const cut_row *row = *state;
    char bound[ALM_ADDRESS_BYTES_MAX];
    alm_port *server = listen_at(TCP, NULL, bound);
    int fd = raw_dial(bound);
    assert_int_equal(send(fd, row->said.data, row->said.len, MSG_NOSIGNAL), row->said.len);
    assert_true(is_cut(fd, server));
    close(fd);
    close_port(&server, 0);
}

// A connection that says nothing lasts two seconds, one that is well for ever.
static void a_slow_handshake_is_cut(void **state)
{
    (void)state;
    char bound[ALM_ADDRESS_BYTES_MAX];
    alm_port *server = listen_at(TCP, NULL, bound);
    alm_port *client = dial(bound, NULL);
    wait_for(client, server, ALM_PORT_CONNECTED);
    int fd = raw_dial(bound);
    assert_int_equal(send(fd, GREETING, 20, MSG_NOSIGNAL), 20);
    for (int i = 0; i < 10; i++) {
        (void)server->ops->events(server);
        turn(server, NULL);
    }
    int64_t next_us = server->ops->step(server, clock_us(NULL));
    assert_in_range(next_us - clock_us(NULL), 1000000, ALM_ZMTP_HANDSHAKE_US);
    skipped_us += ALM_ZMTP_HANDSHAKE_US;
    assert_true(is_cut(fd, server));
    assert_true(server->ops->step(server, clock_us(NULL)) == ALM_NEVER_US);
    close(fd);
    alm_incoming incoming;
    send_to(client, NULL, ALM_STR("still here"));
    expect(server, client, ALM_STR("still here"), &incoming);
    close_port(&client, 0);
    close_port(&server, 0);
}

// Each byte comes alone; the message of two parts is dropped whole, and the ping is answered.
static void byte_by_byte(void **state)
{
    (void)state;
    static const char said[] = GREETING READY_DEALER "\0\x05"
                                                     "first"
                                                     "\x01\x01"
                                                     "a"
                                                     "\0\x01"
                                                     "b"
                                                     "\x04\x05\x03XYZ!"
                                                     "\x04\x09\x04PING\0\x64"
                                                     "cd"
                                                     "\x02\0\0\0\0\0\0\0\x04"
                                                     "last";
    char bound[ALM_ADDRESS_BYTES_MAX];
    alm_port *server = listen_at(TCP, NULL, bound);
    int fd = raw_dial(bound);
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one);
    const alm_received want[] = {ALM_RECEIVED_FRAME, ALM_RECEIVED_JUNK, ALM_RECEIVED_FRAME};
    size_t seen = 0;
    for (size_t i = 0; i < sizeof said - 1; i++) {
        assert_int_equal(send(fd, said + i, 1, MSG_NOSIGNAL), 1);
        alm_incoming incoming;
        alm_received received;
        (void)server->ops->events(server);
        while ((received = server->ops->receive(server, &incoming)) != ALM_RECEIVED_NOTHING) {
            assert_in_range(seen, 0, ALM_ARRAY_LEN(want) - 1);
            assert_int_equal(received, want[seen++]);
        }
    }
    while (seen < ALM_ARRAY_LEN(want)) {
        alm_incoming incoming;
        assert_int_equal(receive(server, NULL, &incoming), want[seen++]);
    }
    char answer[256];
    static const char pong[] = "\x04\x07\x04PONGcd";
    size_t got = 0;
    size_t wanted = ALM_ZMTP_GREETING_BYTES + sizeof(READY_DEALER) - 1 + sizeof pong - 1;
    while (got < wanted) {
        ssize_t len = recv(fd, answer + got, sizeof answer - got, 0);
        assert_true(len > 0);
        got += (size_t)len;
    }
    assert_memory_equal(answer + got - (sizeof pong - 1), pong, sizeof pong - 1);
    close(fd);
    close_port(&server, 0);
}

static void peers_past_the_limit_are_closed(void **state)
{
    (void)state;
    char bound[ALM_ADDRESS_BYTES_MAX];
    alm_port *server = NULL;
    alm_port_opts opts = {
        .role = ALM_PORT_LISTENS, .frame_bytes_max = FRAME_MAX, .peer_count_max = 1};
    assert_int_equal(alm_port_zmtp_open(&opts, test_clock(), &server, NULL), ALM_OK);
    assert_int_equal(server->ops->bind(server, TCP, bound, NULL), ALM_OK);
    alm_port *first = dial(bound, NULL);
    wait_for(first, server, ALM_PORT_CONNECTED);
    alm_port *second = dial(bound, NULL);
    wait_for(second, server, ALM_PORT_LOST);
    close_port(&second, 0);
    close_port(&first, 0);
    alm_incoming incoming;
    assert_int_equal(receive(server, NULL, &incoming), ALM_RECEIVED_GONE);
    alm_port *third = dial(bound, NULL);
    wait_for(third, server, ALM_PORT_CONNECTED);
    close_port(&third, 0);
    close_port(&server, 0);
}

// Whether there is news of a port within so long.
static bool hears(alm_port *port, int wait_ms)
{
    if (!port->is_watched) {
        struct pollfd wakes = {.fd = port->ops->fd(port), .events = POLLIN};
        return poll(&wakes, 1, wait_ms) == 1;
    }
    (void)alm_io_turn(io, (int64_t)wait_ms * 1000);
    return alm_port_take_told(port, io, watched[0].watch);
}

static void settle(alm_port *port)
{
    alm_incoming incoming;
    (void)port->ops->events(port);
    assert_int_equal(port->ops->receive(port, &incoming), ALM_RECEIVED_NOTHING);
}

static void limit_descriptors(rlim_t count)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = count;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

// A connection that cannot be accepted stays readable at the listener, which must not keep the loop
// awake. It is accepted when there is a descriptor again, also where a watch told of it before.
static void out_of_descriptors_it_waits(void **state)
{
    const world *w = *state;
    char bound[ALM_ADDRESS_BYTES_MAX];
    struct rlimit before;
    alm_port *server = listen_at(w->address, NULL, bound);
    if (w->is_watched) {
        watch_port(server);
        assert_true(hears(server, 0)); // it was just watched
        settle(server);
    }
    int fd = raw_dial(bound);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = dup(fd); // what accept would be given
    close(next);
    limit_descriptors((rlim_t)next);
    assert_true(hears(server, WAIT_MS));
    settle(server);
    assert_false(hears(server, 0));
    int64_t resume_us = server->ops->step(server, clock_us(NULL));
    assert_in_range(resume_us - clock_us(NULL), 0, ALM_ZMTP_ACCEPT_PAUSE_US);
    limit_descriptors(before.rlim_cur);
    skipped_us += ALM_ZMTP_ACCEPT_PAUSE_US;
    (void)server->ops->step(server, clock_us(NULL));
    assert_true(hears(server, WAIT_MS));
    settle(server);
    uint8_t greeting[ALM_ZMTP_GREETING_BYTES];
    assert_int_equal(recv(fd, greeting, sizeof greeting, MSG_WAITALL), sizeof greeting);
    close(fd);
    close_port(&server, 0);
}

// --- CURVE ---------------------------------------------------------------------------------------

typedef struct refusal {
    const char *name;
    bool server_has_curve, client_has_curve, knows_server, is_admitted;
} refusal;

static refusal refusals[] = {
    {"a plain client at a CURVE server", true, false, true, true},
    {"a CURVE client at a plain server", false, true, true, true},
    {"a client that expects another server", true, true, false, true},
    {"a client that may not come", true, true, true, false},
};

static void is_refused(void **state)
{
    const refusal *row = *state;
    alm_port_curve ours = server_curve();
    alm_port_curve theirs = client_curve();
    if (!row->knows_server) {
        memcpy(theirs.server_key, client_keys.public_key, ALM_CURVE_KEY_BYTES);
    }
    if (!row->is_admitted) {
        memcpy(theirs.public_key, server_keys.public_key, ALM_CURVE_KEY_BYTES);
        memcpy(theirs.secret_key, server_keys.secret_key, ALM_CURVE_KEY_BYTES);
    }
    char bound[ALM_ADDRESS_BYTES_MAX];
    alm_port *server = listen_at(TCP, row->server_has_curve ? &ours : NULL, bound);
    alm_port *client = dial(bound, row->client_has_curve ? &theirs : NULL);
    unsigned events = wait_for(client, server, ALM_PORT_LOST | ALM_PORT_CONNECTED);
    assert_int_equal(events & (ALM_PORT_CONNECTED | ALM_PORT_REACHED), ALM_PORT_REACHED);
    alm_incoming incoming;
    assert_int_equal(server->ops->receive(server, &incoming), ALM_RECEIVED_NOTHING);
    close_port(&client, 0);
    close_port(&server, 0);
}

static void keys_must_be_a_pair(void **state)
{
    (void)state;
    alm_port_curve curve = server_curve();
    curve.public_key[3] ^= 1;
    alm_port *port = NULL;
    alm_port_opts opts = {.role = ALM_PORT_LISTENS, .frame_bytes_max = FRAME_MAX, .curve = &curve};
    assert_int_equal(alm_port_zmtp_open(&opts, test_clock(), &port, NULL), ALM_INVALID_ARGUMENT);
}

// A sealed frame that comes again, or was changed, ends the connection.
static void replays_are_refused(void **state)
{
    (void)state;
    alm_port_curve own[2] = {client_curve(), server_curve()};
    alm_zmtp_curve *client = alm_zmtp_curve_create(&own[0], false);
    alm_zmtp_curve *server = alm_zmtp_curve_create(&own[1], true);
    alm_buf wire[4];
    alm_str metadata;
    bool is_denied;
    for (size_t i = 0; i < 4; i++) {
        alm_buf_init(&wire[i], 0);
    }
    alm_zmtp_curve_write_hello(client, &wire[0]);
    assert_true(alm_zmtp_curve_take_hello(
        server, (alm_bytes){.data = wire[0].data + 2, .len = wire[0].len - 2}));
    assert_true(alm_zmtp_curve_write_welcome(server, &wire[1]));
    assert_true(alm_zmtp_curve_take_welcome(
        client, (alm_bytes){.data = wire[1].data + 2, .len = wire[1].len - 2}));
    assert_true(alm_zmtp_curve_write_initiate(client, ALM_STR("m"), &wire[2]));
    assert_true(alm_zmtp_curve_take_initiate(server, wire[2].data + 9, wire[2].len - 9, &metadata,
                                             &is_denied));
    assert_true(alm_str_eq(metadata, ALM_STR("m")));
    alm_zmtp_curve_write_ready(server, ALM_STR("n"), &wire[3]);
    assert_true(alm_zmtp_curve_take_ready(client, wire[3].data + 2, wire[3].len - 2, &metadata));
    uint8_t sealed[2][5 + ALM_ZMTP_SEAL_BYTES];
    uint8_t copy[sizeof sealed[0]];
    uint8_t flags;
    alm_str frame;
    alm_zmtp_curve_seal(client, 0, ALM_STR("first"), sealed[0]);
    alm_zmtp_curve_seal(client, 1, ALM_STR("other"), sealed[1]);
    memcpy(copy, sealed[1], sizeof copy);
    copy[sizeof copy - 1] ^= 1;
    assert_false(alm_zmtp_curve_open(server, copy, sizeof copy, &flags, &frame));
    memcpy(copy, sealed[1], sizeof copy);
    assert_true(alm_zmtp_curve_open(server, copy, sizeof copy, &flags, &frame));
    assert_int_equal(flags, 1);
    assert_true(alm_str_eq(frame, ALM_STR("other")));
    memcpy(copy, sealed[1], sizeof copy);
    assert_false(alm_zmtp_curve_open(server, copy, sizeof copy, &flags, &frame));      // again
    assert_false(alm_zmtp_curve_open(server, sealed[0], sizeof copy, &flags, &frame)); // too late
    for (size_t i = 0; i < 4; i++) {
        alm_buf_deinit(&wire[i]);
    }
    alm_zmtp_curve_destroy(&client);
    alm_zmtp_curve_destroy(&server);
}

// --- libzmq --------------------------------------------------------------------------------------

static void set_keys(void *socket, bool is_server)
{
    int one = 1;
    const keys *own = is_server ? &server_keys : &client_keys;
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own->public_key, ALM_CURVE_KEY_BYTES);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own->secret_key, ALM_CURVE_KEY_BYTES);
    if (is_server) {
        zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &one, sizeof one);
    } else {
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_keys.public_key, ALM_CURVE_KEY_BYTES);
    }
}

// Pings fast, so that a wrong answer would be noticed.
static void *zmq_open(void *ctx, int type, bool has_curve)
{
    int every_ms = 20;
    int wait_ms = 300;
    int linger_ms = 0;
    void *socket = zmq_socket(ctx, type);
    zmq_setsockopt(socket, ZMQ_HEARTBEAT_IVL, &every_ms, sizeof every_ms);
    zmq_setsockopt(socket, ZMQ_HEARTBEAT_TIMEOUT, &wait_ms, sizeof wait_ms);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    if (has_curve && zmq_has("curve")) {
        set_keys(socket, type == ZMQ_ROUTER);
    }
    return socket;
}

// Receives at libzmq's socket while the port works.
static size_t zmq_take(void *socket, alm_port *port, void *data, size_t size)
{
    int64_t begin_us = alm_clock_system().mono_us(NULL);
    int len;
    while ((len = zmq_recv(socket, data, size, ZMQ_DONTWAIT)) < 0) {
        alm_incoming incoming;
        assert_false(is_late(begin_us));
        (void)port->ops->events(port);
        assert_int_equal(port->ops->receive(port, &incoming), ALM_RECEIVED_NOTHING);
        turn(port, NULL);
    }
    return (size_t)len;
}

// Lets the time of some pings pass.
static void rest(alm_port *port)
{
    int64_t begin_us = alm_clock_system().mono_us(NULL);
    while (alm_clock_system().mono_us(NULL) - begin_us < 400000) {
        alm_incoming incoming;
        (void)port->ops->events(port);
        assert_int_equal(port->ops->receive(port, &incoming), ALM_RECEIVED_NOTHING);
        turn(port, NULL);
    }
}

static const size_t zmq_lens[] = {0, 5, 255, 256, 65536, 1000000};

static void a_libzmq_dealer_talks_to_us(void **state)
{
    const world *w = *state;
    alm_port_curve curve = server_curve();
    char bound[ALM_ADDRESS_BYTES_MAX];
    alm_port *server = listen_at(w->address, w->has_curve ? &curve : NULL, bound);
    void *ctx = zmq_ctx_new();
    void *dealer = zmq_open(ctx, ZMQ_DEALER, w->has_curve);
    assert_int_equal(zmq_connect(dealer, bound), 0);
    static char back[1 << 20];
    alm_incoming incoming;
    for (size_t i = 0; i < ALM_ARRAY_LEN(zmq_lens); i++) {
        alm_str frame = make_frame(zmq_lens[i], 3);
        assert_int_equal(zmq_send(dealer, frame.data, frame.len, 0), frame.len);
        expect(server, NULL, frame, &incoming);
        assert_true(alm_str_eq(incoming.user, alm_str_from(w->user)));
        send_to(server, &incoming.from, frame);
        assert_int_equal(zmq_take(dealer, server, back, sizeof back), frame.len);
        assert_memory_equal(back, frame.data, frame.len);
        free_frame(frame);
    }
    rest(server); // or the peer would be gone by now
    zmq_send(dealer, "a", 1, ZMQ_SNDMORE);
    zmq_send(dealer, "b", 1, 0);
    assert_int_equal(receive(server, NULL, &incoming), ALM_RECEIVED_JUNK);
    zmq_close(dealer);
    assert_int_equal(receive(server, NULL, &incoming), ALM_RECEIVED_GONE);
    zmq_ctx_term(ctx);
    close_port(&server, 0);
}

// Two clients that give themselves the same name are two peers all the same.
static void a_name_of_its_own_gives_a_peer_nothing(void **state)
{
    (void)state;
    char bound[ALM_ADDRESS_BYTES_MAX];
    char got[16];
    alm_port *server = listen_at(TCP, NULL, bound);
    void *ctx = zmq_ctx_new();
    void *dealers[2];
    alm_incoming from[2];
    for (size_t i = 0; i < ALM_ARRAY_LEN(dealers); i++) {
        dealers[i] = zmq_open(ctx, ZMQ_DEALER, false);
        zmq_setsockopt(dealers[i], ZMQ_ROUTING_ID, "same", 4);
        assert_int_equal(zmq_connect(dealers[i], bound), 0);
        assert_int_equal(zmq_send(dealers[i], "me", 2, 0), 2);
        expect(server, NULL, ALM_STR("me"), &from[i]);
    }
    send_to(server, &from[0].from, ALM_STR("to the first"));
    assert_int_equal(zmq_take(dealers[0], server, got, sizeof got), 12);
    assert_int_equal(zmq_recv(dealers[1], got, sizeof got, ZMQ_DONTWAIT), -1);
    zmq_close(dealers[0]);
    zmq_close(dealers[1]);
    zmq_ctx_term(ctx);
    close_port(&server, 0);
}

static void we_talk_to_a_libzmq_router(void **state)
{
    const world *w = *state;
    alm_port_curve curve = client_curve();
    void *ctx = zmq_ctx_new();
    void *router = zmq_open(ctx, ZMQ_ROUTER, w->has_curve);
    assert_int_equal(zmq_bind(router, strcmp(w->address, TCP) == 0 ? "tcp://127.0.0.1:*"
                                                                   : "ipc://zmtp-router.sock"),
                     0);
    char bound[ALM_ADDRESS_BYTES_MAX];
    size_t size = sizeof bound;
    zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, bound, &size);
    alm_port *client = dial(bound, w->has_curve ? &curve : NULL);
    wait_for(client, NULL, ALM_PORT_CONNECTED);
    static char back[1 << 20];
    char id[16];
    for (size_t i = 0; i < ALM_ARRAY_LEN(zmq_lens); i++) {
        alm_incoming incoming;
        alm_str frame = make_frame(zmq_lens[i], 4);
        send_to(client, NULL, frame);
        size_t id_len = zmq_take(router, client, id, sizeof id);
        assert_int_equal(zmq_take(router, client, back, sizeof back), frame.len);
        assert_memory_equal(back, frame.data, frame.len);
        zmq_send(router, id, id_len, ZMQ_SNDMORE);
        zmq_send(router, back, frame.len, 0);
        expect(client, NULL, frame, &incoming);
        free_frame(frame);
    }
    rest(client);
    assert_int_not_equal(client->ops->events(client) & ALM_PORT_CONNECTED, 0);
    zmq_close(router);
    wait_for(client, NULL, ALM_PORT_LOST);
    zmq_ctx_term(ctx);
    close_port(&client, 0);
}

#define ADD(table, function)                                                                       \
    for (size_t i = 0; i < ALM_ARRAY_LEN(table); i++) {                                            \
        tests[count++] = (struct CMUnitTest){                                                      \
            .name = (table)[i].name, .test_func = (function), .initial_state = &(table)[i]};       \
    }

int main(void)
{
    static struct CMUnitTest tests[100] = {
        cmocka_unit_test(addresses_are_taken_once),
        cmocka_unit_test(a_stale_socket_file_is_replaced),
        cmocka_unit_test(names_are_refused),
        cmocka_unit_test(nobody_there_is_lost),
        cmocka_unit_test(a_slow_handshake_is_cut),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(peers_past_the_limit_are_closed),
        cmocka_unit_test(a_name_of_its_own_gives_a_peer_nothing),
        cmocka_unit_test(keys_must_be_a_pair),
        cmocka_unit_test(replays_are_refused),
        cmocka_unit_test(more_is_told_than_is_kept),
        cmocka_unit_test(a_watch_may_come_later),
        cmocka_unit_test_prestate(a_flood_does_not_starve, &worlds[0]),
        cmocka_unit_test_prestate(out_of_descriptors_it_waits, &worlds[0]),
        cmocka_unit_test_prestate(out_of_descriptors_it_waits, &worlds[5]),
    };
    static world zmq_worlds[] = {
        {"libzmq over tcp", TCP, false, "", false},
        {"libzmq over tcp with CURVE", TCP, true, "ana", false},
        {"libzmq over ipc", "ipc://zmtp-libzmq.sock", false, "", false},
    };
    size_t count = 15;
    if (sodium_init() < 0) {
        return 1;
    }
    alm_clock clock = test_clock();
    if (alm_io_create(&lock, &clock, true, &io, NULL) != ALM_OK) {
        return 1;
    }
    crypto_box_keypair(server_keys.public_key, server_keys.secret_key);
    crypto_box_keypair(client_keys.public_key, client_keys.secret_key);
    ADD(worlds, frames_of_all_sizes)
    ADD(worlds, many_frames_at_once)
    ADD(worlds, full_then_drained)
    ADD(worlds, gone_is_said_once)
    ADD(worlds, a_lost_server_shows)
    for (size_t i = 0; i < ALM_ARRAY_LEN(worlds); i++) {
        if (worlds[i].is_watched) {
            tests[count++] = (struct CMUnitTest){.name = worlds[i].name,
                                                 .test_func = an_end_behind_a_frame_is_seen,
                                                 .initial_state = &worlds[i]};
        }
    }
    ADD(worlds, close_lingers)
    ADD(cut_rows, misbehaviour_is_cut)
    ADD(refusals, is_refused)
    ADD(zmq_worlds, a_libzmq_dealer_talks_to_us)
    ADD(zmq_worlds, we_talk_to_a_libzmq_router)
    int failed = _cmocka_run_group_tests("port_zmtp", tests, count, NULL, NULL);
    alm_io_destroy(&io);
    return failed;
}
