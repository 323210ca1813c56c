// CURVE between two ports over tcp: who gets through, and under which name.
#include "alm/auth.h"
#include "port.h"

#include <poll.h>
#include <zmq.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define WAIT_MS    5000
#define REFUSED_MS 500 // many times what a handshake takes here

static alm_keypair server_pair, client_pair, other_pair;

static bool admit(void *arg, const uint8_t key[ALM_CURVE_KEY_BYTES],
                  char ret_user[ALM_USER_BYTES_MAX])
{
    (void)arg;
    bool is_known = memcmp(key, client_pair.public_key, ALM_CURVE_KEY_BYTES) == 0;
    if (is_known) {
        memcpy(ret_user, "ann", sizeof "ann");
    }
    return is_known;
}

typedef struct row {
    const char *name;
    const alm_keypair *client; // NULL: no CURVE
    const uint8_t *expects;    // the server's key
    bool server_asks, gets_through;
    const char *user;
} row;

static const row rows[] = {
    {"a known key", &client_pair, server_pair.public_key, true, true, "ann"},
    {"any key where nobody asks", &other_pair, server_pair.public_key, false, true, ""},
    {"an unknown key", &other_pair, server_pair.public_key, true, false, NULL},
    {"another server's key", &client_pair, other_pair.public_key, true, false, NULL},
    {"no CURVE", NULL, NULL, true, false, NULL},
};

static bool wait_for(alm_port *port, unsigned event, int wait_ms)
{
    for (int i = 0; i < wait_ms / 10; i++) {
        if ((port->ops->events(port) & event) != 0) {
            return true;
        }
        struct pollfd at = {.fd = port->ops->fd(port), .events = POLLIN};
        (void)poll(&at, 1, 10);
    }
    return false;
}

static alm_port *open_port(alm_zmq_ctx *ctx, alm_port_role role, const alm_port_curve *curve)
{
    const alm_port_opts opts = {.role = role, .frame_bytes_max = 4096, .curve = curve};
    alm_port *port = NULL;
    assert_int_equal(alm_port_zmq_open(ctx, &opts, &port, NULL), ALM_OK);
    return port;
}

static void exchange(alm_port *server, alm_port *client, const char *user)
{
    alm_incoming got;
    assert_int_equal(client->ops->send(client, NULL, ALM_STR("ping")), ALM_SENT_OK);
    assert_true(wait_for(server, ALM_PORT_INPUT, WAIT_MS));
    assert_int_equal(server->ops->receive(server, &got), ALM_RECEIVED_FRAME);
    assert_true(alm_str_eq(got.frame, ALM_STR("ping")));
    assert_true(alm_str_eq(got.user, alm_str_from(user)));
    assert_int_equal(server->ops->send(server, &got.from, ALM_STR("pong")), ALM_SENT_OK);
    assert_true(wait_for(client, ALM_PORT_INPUT, WAIT_MS));
    assert_int_equal(client->ops->receive(client, &got), ALM_RECEIVED_FRAME);
    assert_true(alm_str_eq(got.frame, ALM_STR("pong")));
}

static void connects(void **state)
{
    const row *want = *state;
    alm_zmq_ctx *ctx = NULL;
    assert_int_equal(alm_zmq_ctx_create(&ctx, NULL), ALM_OK);
    alm_port_curve ours = {.is_on = true, .admit = want->server_asks ? admit : NULL};
    memcpy(ours.secret_key, server_pair.secret_key, sizeof ours.secret_key);
    alm_port_curve theirs = {.is_on = want->client != NULL};
    if (want->client != NULL) {
        memcpy(theirs.public_key, want->client->public_key, sizeof theirs.public_key);
        memcpy(theirs.secret_key, want->client->secret_key, sizeof theirs.secret_key);
        memcpy(theirs.server_key, want->expects, sizeof theirs.server_key);
    }
    alm_port *server = open_port(ctx, ALM_PORT_LISTENS, &ours);
    alm_port *client = open_port(ctx, ALM_PORT_DIALS, &theirs);
    char address[ALM_ADDRESS_BYTES_MAX];
    assert_int_equal(server->ops->bind(server, "tcp://127.0.0.1:0", address, NULL), ALM_OK);
    assert_int_equal(client->ops->connect(client, address, NULL), ALM_OK);
    int wait_ms = want->gets_through ? WAIT_MS : REFUSED_MS;
    assert_int_equal(wait_for(client, ALM_PORT_CONNECTED, wait_ms), want->gets_through);
    if (want->gets_through) {
        exchange(server, client, want->user);
    }
    client->ops->close(client, 0);
    server->ops->close(server, 0);
    alm_zmq_ctx_destroy(&ctx);
}

static void *open_dealer(void *ctx, const char *address)
{
    int linger_ms = 0;
    void *dealer = zmq_socket(ctx, ZMQ_DEALER);
    zmq_setsockopt(dealer, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt(dealer, ZMQ_ROUTING_ID, "same", 4);
    assert_int_equal(zmq_connect(dealer, address), 0);
    return dealer;
}

// A client that gives itself the name of another one is not heard, and gets nothing of the other's.
// A message of two parts is none of ours.
static void a_name_in_use_takes_no_answers(void **state)
{
    (void)state;
    alm_zmq_ctx *ctx = NULL;
    alm_incoming got;
    char address[ALM_ADDRESS_BYTES_MAX];
    char data[16];
    assert_int_equal(alm_zmq_ctx_create(&ctx, NULL), ALM_OK);
    alm_port *server = open_port(ctx, ALM_PORT_LISTENS, NULL);
    assert_int_equal(server->ops->bind(server, "tcp://127.0.0.1:0", address, NULL), ALM_OK);
    void *clients = zmq_ctx_new();
    void *first = open_dealer(clients, address);
    zmq_send(first, "a", 1, ZMQ_SNDMORE);
    zmq_send(first, "b", 1, 0);
    assert_true(wait_for(server, ALM_PORT_INPUT, WAIT_MS));
    assert_int_equal(server->ops->receive(server, &got), ALM_RECEIVED_JUNK);
    assert_int_equal(zmq_send(first, "me", 2, 0), 2);
    assert_true(wait_for(server, ALM_PORT_INPUT, WAIT_MS));
    assert_int_equal(server->ops->receive(server, &got), ALM_RECEIVED_FRAME);
    alm_peer_key from = got.from;
    void *second = open_dealer(clients, address);
    assert_int_equal(zmq_send(second, "no, me", 6, 0), 6);
    assert_false(wait_for(server, ALM_PORT_INPUT, REFUSED_MS));
    assert_int_equal(server->ops->send(server, &from, ALM_STR("yes")), ALM_SENT_OK);
    assert_int_equal(zmq_recv(first, data, sizeof data, 0), 3);
    assert_int_equal(zmq_recv(second, data, sizeof data, ZMQ_DONTWAIT), -1);
    zmq_close(first);
    zmq_close(second);
    zmq_ctx_term(clients);
    server->ops->close(server, 0);
    alm_zmq_ctx_destroy(&ctx);
}

int main(void)
{
    if (alm_keypair_generate(&server_pair, NULL) != ALM_OK ||
        alm_keypair_generate(&client_pair, NULL) != ALM_OK ||
        alm_keypair_generate(&other_pair, NULL) != ALM_OK) {
        return 1;
    }
    struct CMUnitTest tests[ALM_ARRAY_LEN(rows) + 1];
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        tests[i] = (struct CMUnitTest){.name = rows[i].name,
                                       .test_func = connects,
                                       .initial_state = (void *)(uintptr_t)&rows[i]};
    }
    tests[ALM_ARRAY_LEN(rows)] =
        (struct CMUnitTest)cmocka_unit_test(a_name_in_use_takes_no_answers);
    return cmocka_run_group_tests_name("port_zmq", tests, NULL, NULL);
}
