// A port: one socket of a server or of a connection, whatever carries its frames.
//
// A listening port has many peers and tells them by their key; a dialling port has one. Frames
// arrive whole and in order or not at all; nothing blocks.
//
// Threading: a port belongs to one thread at a time.
#ifndef ALM_RPC_PORT_H
#define ALM_RPC_PORT_H

#include "address.h"
#include "alm/auth.h"
#include "alm/rpc.h"
#include "outbox.h"

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
    ALM_RECEIVED_GONE, // the peer `from` of a listening port is gone; there may be more. A
                       // transport that cannot tell never says so
} alm_received;

// What a receive found.
typedef struct alm_incoming {
    alm_peer_key from; // listening ports
    alm_str frame;     // a view until the next receive or close
    alm_str user;      // who the peer proved to be, as the policy named it; empty: nobody asked.
                       // A view as frame; given with every frame of a listening port
} alm_incoming;

#define ALM_PORT_INPUT     0x01u // a frame waits, or news of a peer
#define ALM_PORT_CONNECTED 0x02u // a dialling port has its peer; what it sends now is carried there
#define ALM_PORT_LOST      0x04u // a dialling port will not get its peer (again): close it
#define ALM_PORT_REACHED   0x08u // with LOST: somebody took the connection. Told by own transports

typedef struct alm_io alm_io;
typedef struct alm_port alm_port;
typedef struct alm_port_ops {
    // Listens; may be called for several addresses of one transport. Writes the address with the
    // port that was taken.
    alm_code (*bind)(alm_port *port, const char *address, char ret[ALM_ADDRESS_BYTES_MAX],
                     alm_status *st);
    // Dials; never waits. Once only.
    alm_code (*connect)(alm_port *port, const char *address, alm_status *st);
    int (*fd)(alm_port *port); // readable when events may have changed; not once it is watched
    // NULL: its fd is. Has its sockets watched instead, which saves a look at them.
    void (*watch)(alm_port *port, alm_io *io, size_t *watch);
    // ALM_PORT_... bits. Must be asked after every send and receive before the fd is polled. Of a
    // port that is watched as of the last receive, which is due whenever its watch tells.
    unsigned (*events)(alm_port *port);
    alm_sent (*send)(alm_port *port, const alm_peer_key *to, alm_str frame);
    alm_received (*receive)(alm_port *port, alm_incoming *ret);
    // NULL: the transport has no timers. Does what is due (a peer that does not finish its
    // handshake is cut off) and returns when to be asked again, ALM_NEVER_US: when its fd says so.
    int64_t (*step)(alm_port *port, int64_t now_us);
    // NULL: the transport cannot tell. How much of what was sent to the peer is not carried yet.
    size_t (*unsent)(const alm_port *port, const alm_peer_key *peer);
    // NULL: the transport cannot. Ends a listening port's connection; what it has not taken is
    // lost.
    void (*cut)(alm_port *port, const alm_peer_key *peer);
    // Tries for up to linger_ms to still carry what was sent, without blocking the caller.
    void (*close)(alm_port *port, int linger_ms);
} alm_port_ops;

struct alm_port {
    const alm_port_ops *ops;
    size_t unsent_bytes; // taken by send and not carried yet; 0 where the transport cannot tell
    alm_io *io; // NULL: it is to be watched. Else its alm_rpc's: both ends are of that, and who
                // uses one end wakes who leads
    bool is_watched; // by alm_port_watch
    bool was_told; // the watch told since the port was received from to its end; looked at by ports
                   // that watch several, once watched
    bool has_more; // set for the next send alone: a frame to the same peer follows it at once, so
                   // its end may wait for that one's
};

typedef enum alm_port_role { ALM_PORT_LISTENS, ALM_PORT_DIALS } alm_port_role;

// Whether a client's key may connect. May be called by any thread. Writes who it is.
typedef bool (*alm_port_admit)(void *arg, const uint8_t key[ALM_CURVE_KEY_BYTES],
                               char ret_user[ALM_USER_BYTES_MAX]);

// CURVE (RFC 26) for tcp; ipc and the transports within a process never encrypt. Keys are raw.
typedef struct alm_port_curve {
    bool is_on;
    uint8_t public_key[ALM_CURVE_KEY_BYTES]; // one's own
    uint8_t secret_key[ALM_CURVE_KEY_BYTES];
    uint8_t server_key[ALM_CURVE_KEY_BYTES]; // dialling: whom to expect
    alm_port_admit admit;                    // listening; NULL: any client
    void *admit_arg;
} alm_port_curve;

typedef struct alm_port_opts {
    alm_port_role role;
    size_t frame_bytes_max;      // larger frames are not taken
    size_t peer_count_max;       // listening: connections past it are closed at once; 0: no limit
    const alm_port_curve *curve; // NULL: off; copied
} alm_port_opts;

ALM_MUST_USE alm_code alm_port_open(alm_rpc *rpc, alm_scheme scheme, const alm_port_opts *opts,
                                    alm_port **ret, alm_status *st);
void alm_port_close(alm_port **port, int linger_ms); // accepts NULL
// Sends what is in the outbox, in as few frames as it fits into. to: as send has it.
alm_sent alm_port_send_records(alm_port *port, const alm_peer_key *to, alm_outbox *outbox);
void alm_port_watch(alm_port *port, alm_io *io, size_t *watch); // if it needs that
// Before it is closed; accepts NULL.
void alm_port_unwatch(alm_port *port, alm_io *io, size_t *watch);
// Whether that watch told since it was asked last; was_told remembers it.
bool alm_port_take_told(alm_port *port, alm_io *io, size_t watch);

// --- the transports ------------------------------------------------------------------------------

typedef struct alm_zmq_ctx alm_zmq_ctx;
ALM_MUST_USE alm_code alm_zmq_ctx_create(alm_zmq_ctx **ret, alm_status *st);
void alm_zmq_ctx_destroy(alm_zmq_ctx **ctx); // waits for lingering sockets
ALM_MUST_USE alm_code alm_port_zmq_open(alm_zmq_ctx *ctx, const alm_port_opts *opts, alm_port **ret,
                                        alm_status *st);

// ZMTP 3.1 (RFC 37), for tcp and ipc: speaks with libzmq's ROUTER and DEALER.
ALM_MUST_USE alm_code alm_port_zmtp_open(const alm_port_opts *opts, alm_clock clock, alm_port **ret,
                                         alm_status *st);

typedef struct alm_loop_hub alm_loop_hub; // where inproc:// and loop:// names meet
ALM_MUST_USE alm_code alm_loop_hub_create(alm_loop_hub **ret, alm_status *st);
void alm_loop_hub_destroy(alm_loop_hub **hub);
ALM_MUST_USE alm_code alm_port_loop_open(alm_loop_hub *hub, const alm_port_opts *opts,
                                         alm_port **ret, alm_status *st);

#endif
