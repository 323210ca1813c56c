// What the overload test and its server agree on, and the raw peers it is made of.
#ifndef LOAD_H
#define LOAD_H

#include "echo_server.h"
#include "hello.h"
#include "record.h"
#include "zmtp_conn.h"

// --- limits.c ------------------------------------------------------------------------------------

void load_raise_descriptors(void); // to what the machine allows
alm_rpc_limits load_limits(size_t connection_count);

// What a server with these limits may take in all, over what it took before anyone came. In
// docs/OVERLOAD.md it is explained term by term.
size_t load_bytes_max(const alm_rpc_limits *limits, size_t stream_count);

// --- raw.c: a client made of bytes, which blocks, and does what a good one would not -------------

#define RAW_BUFFER_BYTES 4096
#define RAW_DEADLINE_S   60 // for what must come; never waited in full

typedef struct raw_peer {
    int fd; // -1: closed
    alm_zmtp_conn conn;
    alm_zmtp_input input;
    alm_reader frame;
    uint8_t buffer[RAW_BUFFER_BYTES];
} raw_peer;

typedef struct raw_options {
    int port;
    int receive_buffer_bytes; // of the kernel; 0: its own
} raw_options;

// Connects and sends the greeting. False: refused.
bool raw_open(raw_peer *peer, alm_zmtp_shared *shared, const raw_options *options);
void raw_close(raw_peer *peer);
// Takes what comes until the handshake is over, and says our HELLO. False: the connection ended.
bool raw_greet(raw_peer *peer);
// The next record, a view until the next call. False: the connection ended, or nothing came.
bool raw_receive(raw_peer *peer, alm_record *ret);
// False: the connection ended.
bool raw_send_record(raw_peer *peer, const alm_record *record);
bool raw_send_frame(raw_peer *peer, const void *data, size_t len);
bool raw_send_bytes(const raw_peer *peer, const void *data, size_t len); // as they are
// The next record of the type; others are passed over. False: it did not come.
bool raw_expect(raw_peer *peer, alm_record_type type, alm_record *ret);

// The number of a method of Echo in the server's HELLO, which was just received.
uint32_t raw_method(const alm_record *hello, const char *method);

#endif
