// One ZMTP connection as a state machine: bytes in, frames out, and bytes to be sent. No sockets
// and no time, so that it can be fed anything.
//
// Bytes come in two ways. While an item (greeting, frame) is incomplete the connection holds its
// beginning and gives room for the rest, so that a large frame is read straight to where it stays.
// All else is given to next() in the caller's buffer, and what is whole there is not copied. An
// idle connection holds no buffer.
#ifndef ALM_RPC_ZMTP_CONN_H
#define ALM_RPC_ZMTP_CONN_H

#include "port.h"
#include "zmtp_curve.h"

// What the connections of a port share.
typedef struct alm_zmtp_shared {
    alm_port_role role;
    size_t frame_bytes_max;
    alm_port_curve curve; // is_on is false: none
    uint8_t *spare;       // a block that no connection holds, NULL: none
    size_t spare_cap;
    alm_buf sealed; // the frame being sent, with CURVE
} alm_zmtp_shared;

ALM_MUST_USE alm_code alm_zmtp_shared_init(alm_zmtp_shared *shared, const alm_port_opts *opts,
                                           alm_status *st);
void alm_zmtp_shared_deinit(alm_zmtp_shared *shared); // wipes the keys

typedef enum alm_zmtp_state {
    ALM_ZMTP_GREETING,
    ALM_ZMTP_HELLO, // what is waited for; the first three with CURVE only
    ALM_ZMTP_WELCOME,
    ALM_ZMTP_INITIATE,
    ALM_ZMTP_READY,
    ALM_ZMTP_TRAFFIC,
    ALM_ZMTP_ENDED,
} alm_zmtp_state;

typedef struct alm_zmtp_conn {
    alm_zmtp_shared *shared;
    alm_zmtp_curve *curve; // NULL: plain
    alm_buf out;           // to be sent, from out_at on
    size_t out_at;
    uint8_t *part; // the item that is incomplete, or was given out last
    size_t part_len, part_cap;
    bool part_is_given;
    bool is_dropping; // a message of several parts
    alm_zmtp_state state;
} alm_zmtp_conn;

typedef struct alm_zmtp_input {
    uint8_t *data; // written to: frames are decrypted in place
    size_t len;
    size_t at; // taken so far
} alm_zmtp_input;

typedef enum alm_zmtp_event {
    ALM_ZMTP_HUNGRY,    // all input is taken
    ALM_ZMTP_CONNECTED, // the handshake is over
    ALM_ZMTP_FRAME,
    ALM_ZMTP_JUNK,   // a message of several parts was dropped
    ALM_ZMTP_BROKEN, // the peer broke the protocol, is not wanted, or there is no memory for it;
                     // an ERROR may be left to send
} alm_zmtp_event;

// Starts with a greeting to send. has_curve: only where shared->curve.is_on.
//
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_zmtp_conn_init(alm_zmtp_conn *conn, alm_zmtp_shared *shared,
                                         bool has_curve, alm_status *st);
void alm_zmtp_conn_deinit(alm_zmtp_conn *conn);

// Room for what is missing of an item that began; before ALM_ZMTP_CONNECTED always, so that what
// follows the handshake can be left where it is. At least one byte, at most what ends the item.
// NULL: no item began, or no memory. What the last next() gave is gone.
uint8_t *alm_zmtp_conn_room(alm_zmtp_conn *conn, size_t *ret_size);
void alm_zmtp_conn_fill(alm_zmtp_conn *conn, size_t len); // that many bytes were written there

// Takes input until something happened. *ret_frame is a view of input or of the connection, until
// the next call for this connection.
alm_zmtp_event alm_zmtp_conn_next(alm_zmtp_conn *conn, alm_zmtp_input *input, alm_str *ret_frame);

void alm_zmtp_conn_trim(alm_zmtp_conn *conn); // gives memory back while no item has begun

// What goes on the wire before *frame, which with CURVE becomes the sealed one: a view until the
// next frame of any connection. Returns the length; 0: no memory.
size_t alm_zmtp_conn_wrap(alm_zmtp_conn *conn, alm_str *frame,
                          uint8_t ret_header[ALM_ZMTP_HEADER_BYTES_MAX]);

alm_str alm_zmtp_conn_pending(const alm_zmtp_conn *conn); // a view until the next call
void alm_zmtp_conn_sent(alm_zmtp_conn *conn, size_t len); // of what is pending
bool alm_zmtp_conn_queue(alm_zmtp_conn *conn, const void *data, size_t len); // false: no memory

#endif
