// A peer made of bytes, for tests: it dials or listens at a port and says what it likes.
#ifndef ALM_RPC_WIRE_PEER_H
#define ALM_RPC_WIRE_PEER_H

#include "hello.h"
#include "record.h"
#include "rpc_internal.h"

#include <poll.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define WAIT_MS 20000 // never waited in full

typedef struct wire_peer {
    alm_port *port;
    alm_peer_key key; // of the client, where the peer is a server
    alm_buf frame;    // the last frame received
    alm_reader reader;
    uint32_t sent_records; // since HELLO, with it
} wire_peer;

static inline alm_code ok(alm_code code, const alm_status *st)
{
    if (code != ALM_OK) {
        fail_msg("%s", st->message);
    }
    return code;
}

static inline void peer_dial(wire_peer *peer, alm_rpc *rpc, const char *address)
{
    alm_address parsed;
    alm_status st;
    *peer = (wire_peer){0};
    alm_buf_init(&peer->frame, 0);
    ok(alm_address_parse(alm_str_from(address), &parsed, &st), &st);
    const alm_port_opts opts = {.role = ALM_PORT_DIALS, .frame_bytes_max = 1u << 24};
    ok(alm_port_open(rpc, parsed.scheme, &opts, &peer->port, &st), &st);
    ok(peer->port->ops->connect(peer->port, address, &st), &st);
}

static inline void peer_listen(wire_peer *peer, alm_rpc *rpc, const char *address)
{
    alm_status st;
    char bound[ALM_ADDRESS_BYTES_MAX];
    *peer = (wire_peer){0};
    alm_buf_init(&peer->frame, 0);
    const alm_port_opts opts = {.role = ALM_PORT_LISTENS, .frame_bytes_max = 1u << 24};
    ok(alm_port_open(rpc, ALM_SCHEME_LOOP, &opts, &peer->port, &st), &st);
    ok(peer->port->ops->bind(peer->port, address, bound, &st), &st);
}

static inline void peer_close(wire_peer *peer)
{
    alm_port_close(&peer->port, 0);
    alm_buf_deinit(&peer->frame);
}

static inline void wait_for(wire_peer *peer, unsigned wanted)
{
    while ((peer->port->ops->events(peer->port) & wanted) == 0) {
        struct pollfd fd = {.fd = peer->port->ops->fd(peer->port), .events = POLLIN};
        if (poll(&fd, 1, WAIT_MS) == 0) {
            fail_msg("nothing came");
        }
    }
}

static inline void peer_send_bytes(wire_peer *peer, const void *data, size_t len)
{
    alm_str frame = {.data = data, .len = len};
    if (peer->key.len == 0) {
        wait_for(peer, ALM_PORT_CONNECTED);
    }
    assert_int_equal(peer->port->ops->send(peer->port, &peer->key, frame), ALM_SENT_OK);
}

static inline void peer_send(wire_peer *peer, alm_record record)
{
    alm_buf frame;
    alm_buf_init(&frame, 0);
    if (record.type == ALM_RECORD_PING) {
        record.arg = peer->sent_records;
    }
    assert_true(alm_record_append(&frame, &record));
    peer->sent_records++;
    peer_send_bytes(peer, frame.data, frame.len);
    alm_buf_deinit(&frame);
}

// The next record; views are good until the next call.
static inline alm_record peer_receive(wire_peer *peer)
{
    alm_record record;
    while (alm_reader_left(&peer->reader) == 0) {
        alm_incoming got;
        wait_for(peer, ALM_PORT_INPUT);
        if (peer->port->ops->receive(peer->port, &got) == ALM_RECEIVED_FRAME) {
            peer->key = got.from;
            alm_buf_reset(&peer->frame);
            alm_buf_str(&peer->frame, got.frame);
            peer->reader = alm_reader_of(peer->frame.data, peer->frame.len);
        }
    }
    assert_int_equal(alm_record_next(&peer->reader, &record, NULL), ALM_OK);
    return record;
}

// The next record of the type; heartbeats and the like in between are passed over.
static inline alm_record peer_expect(wire_peer *peer, alm_record_type type)
{
    alm_record record;
    do {
        record = peer_receive(peer);
        bool is_noise = record.type == ALM_RECORD_PING || record.type == ALM_RECORD_PONG ||
                        record.type == ALM_RECORD_CREDIT || record.type == ALM_RECORD_SERVING;
        if (record.type != type && !is_noise) {
            fail_msg("a record of type %d, want %d", (int)record.type, (int)type);
        }
    } while (record.type != type);
    return record;
}

static inline void say_hello(wire_peer *peer, const alm_hello *hello,
                             const alm_service_def *const *defs, size_t def_count)
{
    alm_buf payload;
    alm_buf_init(&payload, 0);
    const bool are_serving[2] = {true, true};
    assert_true(def_count <= ALM_ARRAY_LEN(are_serving));
    assert_true(alm_hello_encode(&payload, hello, defs, are_serving, def_count));
    peer->sent_records = 0;
    peer_send(peer, (alm_record){.type = ALM_RECORD_HELLO, .payload = alm_buf_view(&payload)});
    alm_buf_deinit(&payload);
}

#endif
