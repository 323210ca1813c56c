// What the files of the ZMTP port share: its peers, its listeners and who watches their sockets.
#ifndef ALM_RPC_ZMTP_PORT_H
#define ALM_RPC_ZMTP_PORT_H

#include "io.h"
#include "port.h"
#include "sync.h"
#include "zmtp_conn.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define ALM_ZMTP_HANDSHAKE_US       2000000
#define ALM_ZMTP_ACCEPT_PAUSE_US    100000 // out of descriptors: until the next try
#define ALM_ZMTP_ACCEPT_COUNT_MAX   64     // in one go
#define ALM_ZMTP_LISTENER_COUNT_MAX 16
#define ALM_ZMTP_READ_BYTES         ((size_t)256 << 10) // one turn of a peer
#define ALM_ZMTP_READ_COUNT_MAX     64                  // turns in one receive
#define ALM_ZMTP_PENDING_BYTES_MAX  ((size_t)1 << 20)   // unsent of a peer; one frame may pass it

typedef enum zmtp_peer_place {
    ZMTP_NOWHERE,
    ZMTP_SHAKING,
    ZMTP_READABLE,
    ZMTP_GONE
} zmtp_peer_place;

typedef struct zmtp_peer zmtp_peer;
struct zmtp_peer {
    zmtp_peer *prev, *next; // in the list of its place
    zmtp_peer_place place;
    uint32_t slot;
    uint32_t id; // with the slot its key
    int fd;      // -1 when it is gone
    bool is_connecting;
    bool is_connected;   // the handshake is over
    bool wants_output;   // EPOLLOUT is asked for
    bool is_deaf;        // a write failed; what it sent before is still read
    bool is_ending;      // its end was told, maybe behind what is to be read yet
    int64_t deadline_us; // of the handshake
    size_t unsent_bytes; // of conn, as counted in the port
    alm_zmtp_conn conn;
};

typedef struct zmtp_listener {
    int fd;
    bool is_ipc;
    struct sockaddr_un path; // ipc
    dev_t device;            // ipc: the file that was made, so that no other is removed
    ino_t inode;
} zmtp_listener;

typedef struct zmtp_port {
    alm_port base;
    alm_clock clock;
    alm_zmtp_shared shared;
    size_t peer_count_max; // 0: no limit
    int epoll;             // of all sockets while the port is not watched; -1 then
    alm_io *io;            // that watches them else,
    size_t watch;          // as this
    alm_io_told told;

    zmtp_peer **peers; // by slot; NULL: free
    uint32_t *free_slots;
    size_t slot_count, free_count;
    uint32_t id_last;
    size_t peer_count;  // with a socket
    zmtp_peer *shaking; // oldest first
    zmtp_peer *readable;
    zmtp_peer *gone; // to be reported

    zmtp_peer *current;    // whose bytes are in input
    bool current_has_more; // its last read took all there was room for
    alm_zmtp_input input;
    bool is_asked;     // the sockets, in this series of receives
    bool was_received; // since events was asked of one that is not watched: it need not ask

    zmtp_listener listeners[ALM_ZMTP_LISTENER_COUNT_MAX];
    size_t listener_count;
    int64_t resume_us; // when to accept again; ALM_NEVER_US: it does

    bool was_dialled;
    bool is_lost;     // of a dialling port,
    bool was_reached; // and whether its connection was taken before
    zmtp_peer *dialled;
} zmtp_port;

static inline int64_t zmtp_now_us(const zmtp_port *port)
{
    return port->clock.mono_us(port->clock.self);
}

// What a listener is watched as; all other tags are slots.
#define ZMTP_LISTENER_BIT UINT32_C(0x80000000)

// Has a socket watched, from now on or otherwise than before. events: EPOLL bits. False: as of
// alm_io_watch_fd, and never for a change.
bool alm_zmtp_watch(const zmtp_port *port, int fd, uint32_t events, uint32_t tag);

// --- zmtp_listen.c: addresses and listeners ------------------------------------------------------

alm_code alm_zmtp_bind(zmtp_port *port, const char *address, char ret[ALM_ADDRESS_BYTES_MAX],
                       alm_status *st);
void alm_zmtp_accept(zmtp_port *port, size_t listener);
void alm_zmtp_resume(zmtp_port *port); // accepts again after a pause
void alm_zmtp_unlisten(zmtp_port *port);
bool alm_zmtp_watch_listener(const zmtp_port *port, size_t listener);

// A socket that dials. *ret_fd -1: refused at once.
alm_code alm_zmtp_dial(const char *address, int *ret_fd, bool *ret_is_ipc, bool *ret_is_connecting,
                       alm_status *st);

// --- zmtp_peer.c: peers --------------------------------------------------------------------------

// Takes fd, also on failure.
//
// ALM_RESOURCE_EXHAUSTED  no memory, or no more descriptors may be watched
alm_code alm_zmtp_peer_add(zmtp_port *port, int fd, bool is_ipc, bool is_connecting,
                           zmtp_peer **ret, alm_status *st);
void alm_zmtp_peer_lose(zmtp_port *port, zmtp_peer *peer); // freed, or kept until it is reported
void alm_zmtp_peer_free(zmtp_port *port, zmtp_peer *peer); // of one that is gone
zmtp_peer *alm_zmtp_peer_find(const zmtp_port *port, const alm_peer_key *key); // NULL: no such
alm_peer_key alm_zmtp_peer_key(const zmtp_peer *peer);

void alm_zmtp_peer_flush(zmtp_port *port, zmtp_peer *peer);
alm_sent alm_zmtp_peer_send(zmtp_port *port, zmtp_peer *peer, alm_str frame);
void alm_zmtp_peer_note(zmtp_port *port, zmtp_peer *peer, uint32_t events); // epoll's
void alm_zmtp_peer_set_readable(zmtp_port *port, zmtp_peer *peer);
void alm_zmtp_peer_unlist(zmtp_port *port, zmtp_peer *peer);
bool alm_zmtp_peer_watch(const zmtp_port *port, const zmtp_peer *peer);

#endif
