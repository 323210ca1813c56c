// A port: one socket of a server or of a connection, whatever carries its frames.
//
// A listening port has many peers and tells them by their key; a dialling port has one. Frames
// arrive whole and in order or not at all; nothing blocks.
//
// Threading: a port belongs to one thread at a time.
#ifndef ALM_RPC_PORT_H
#define ALM_RPC_PORT_H

#include "address.h"
#include "alm/rpc.h"

#define ALM_PEER_KEY_BYTES_MAX 15

typedef struct alm_peer_key {
    uint8_t len;
    uint8_t bytes[ALM_PEER_KEY_BYTES_MAX]; // zero past len, so that keys compare whole
} alm_peer_key;

typedef enum alm_sent {
    ALM_SENT_OK,
    ALM_SENT_FULL, // not sent, try again later
    ALM_SENT_GONE, // no such peer any more
} alm_sent;

typedef enum alm_received {
    ALM_RECEIVED_FRAME,
    ALM_RECEIVED_NOTHING,
    ALM_RECEIVED_JUNK, // a message of no shape we use was dropped; there may be more
} alm_received;

#define ALM_PORT_INPUT     0x01u // a frame waits
#define ALM_PORT_CONNECTED 0x02u // a dialling port has its peer; what it sends now is carried there

typedef struct alm_port alm_port;
typedef struct alm_port_ops {
    // Listens; may be called for several addresses of one transport. Writes the address with the
    // port that was taken.
    alm_code (*bind)(alm_port *port, const char *address, char ret[ALM_ADDRESS_BYTES_MAX],
                     alm_status *st);
    // Dials; never waits. Once only.
    alm_code (*connect)(alm_port *port, const char *address, alm_status *st);
    int (*fd)(alm_port *port); // readable when events may have changed
    // ALM_PORT_... bits. Must be asked after every send and receive before the fd is polled.
    unsigned (*events)(alm_port *port);
    alm_sent (*send)(alm_port *port, const alm_peer_key *to, alm_str frame);
    // *ret_frame is a view until the next receive or close.
    alm_received (*receive)(alm_port *port, alm_peer_key *ret_from, alm_str *ret_frame);
    // Tries for up to linger_ms to still carry what was sent, without blocking the caller.
    void (*close)(alm_port *port, int linger_ms);
} alm_port_ops;

struct alm_port {
    const alm_port_ops *ops;
};

typedef enum alm_port_role { ALM_PORT_LISTENS, ALM_PORT_DIALS } alm_port_role;

// frame_bytes_max: larger frames are not taken.
ALM_MUST_USE alm_code alm_port_open(alm_rpc *rpc, alm_scheme scheme, alm_port_role role,
                                    size_t frame_bytes_max, alm_port **ret, alm_status *st);
void alm_port_close(alm_port **port, int linger_ms); // accepts NULL

// --- the transports ------------------------------------------------------------------------------

typedef struct alm_zmq_ctx alm_zmq_ctx;
ALM_MUST_USE alm_code alm_zmq_ctx_create(alm_zmq_ctx **ret, alm_status *st);
void alm_zmq_ctx_destroy(alm_zmq_ctx **ctx); // waits for lingering sockets
ALM_MUST_USE alm_code alm_port_zmq_open(alm_zmq_ctx *ctx, alm_port_role role,
                                        size_t frame_bytes_max, alm_port **ret, alm_status *st);

typedef struct alm_loop_hub alm_loop_hub; // where loop:// names meet
ALM_MUST_USE alm_code alm_loop_hub_create(alm_loop_hub **ret, alm_status *st);
void alm_loop_hub_destroy(alm_loop_hub **hub);
ALM_MUST_USE alm_code alm_port_loop_open(alm_loop_hub *hub, alm_port_role role,
                                         size_t frame_bytes_max, alm_port **ret, alm_status *st);

#endif
