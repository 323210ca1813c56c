// gRPC-style calls over ZeroMQ: what servers and clients share.
//
// Addresses are URIs: tcp://HOST:PORT, ipc://PATH, inproc://NAME, and loop://NAME, a transport
// without a wire for tests (messages are encoded all the same). A tcp host name stands for every
// address it resolves to.
#ifndef ALM_RPC_H
#define ALM_RPC_H

#include "alm/arena.h"
#include "alm/auth.h"
#include "alm/clock.h"
#include "alm/log.h"
#include "alm/service_def.h"
#include "alm/status.h"

#include <protobuf-c/protobuf-c.h>

// One in a process: the ZeroMQ context and what servers and channels in this process share.
// Threading: everything in this header may be called from any thread unless it says otherwise.
typedef struct alm_rpc alm_rpc;

// What a process takes at most. 0: the constant of alm/limits.h that is named.
typedef struct alm_rpc_limits {
    size_t message_bytes_max;  // ALM_RPC_MESSAGE_BYTES_MAX: one message, either way
    size_t metadata_bytes_max; // ALM_RPC_METADATA_BYTES_MAX: of one call; never more than that
    size_t element_count_max;  // ALM_RPC_ELEMENT_COUNT_MAX: fields in a message
    size_t window_bytes;       // ALM_RPC_STREAM_WINDOW_BYTES: a stream's unread messages
    size_t window_messages;    // ALM_RPC_STREAM_WINDOW_MESSAGES
    size_t stream_count_max;   // ALM_RPC_STREAM_COUNT_MAX: a connection's calls
    size_t peer_count_max;     // ALM_RPC_PEER_COUNT_MAX: a server's connections
    size_t queue_count_max;    // ALM_RPC_QUEUE_COUNT_MAX: a server's calls without a thread
    size_t queue_bytes_max;    // ALM_RPC_QUEUE_BYTES_MAX
    size_t unsent_bytes_max;   // ALM_RPC_UNSENT_BYTES_MAX: a server's answers not taken yet
    size_t arena_bytes_max;    // ALM_ARENA_BYTES_MAX: of one call
} alm_rpc_limits;

// Who this process is to those it calls over tcp. Channels that say nothing else use it.
typedef struct alm_rpc_identity {
    const alm_keypair *keypair; // CURVE; NULL: plaintext. Copied
    const uint8_t *server_key;  // ALM_CURVE_KEY_BYTES: whom to expect; NULL: one with the same key,
                                // as the services of one almanac have. Copied
    const char *token;          // sent with each call; NULL or "": none. Copied
} alm_rpc_identity;

typedef struct alm_rpc_opts {
    alm_clock clock;       // zero: the system's
    const alm_log *log;    // NULL: silent; borrowed, must outlive the alm_rpc
    alm_rpc_limits limits; // zero: the defaults
    alm_rpc_identity identity;
    bool uses_libzmq;     // tcp, ipc and inproc through libzmq's sockets, not our own transports
    bool is_manual;       // no I/O thread: see alm_rpc_turn
    uint64_t random_seed; // of backoff, balancing and ids; 0: another each time
} alm_rpc_opts;

ALM_MUST_USE alm_code alm_rpc_create(const alm_rpc_opts *opts, alm_rpc **ret, alm_status *st);
// All servers and channels must be gone (asserted). Never hangs.
void alm_rpc_destroy(alm_rpc **rpc);

// What the I/O thread does otherwise, where is_manual: due timers, sending, receiving. Waits for at
// most wait_ms while nothing is due. Returns when something will be, by the clock's mono_us
// (INT64_MAX: nothing). Everything runs within it, so everything may be used from this one thread
// only, calls that wait must not be made, and methods are run inline or forwarded.
int64_t alm_rpc_turn(alm_rpc *rpc, int64_t wait_ms);

// An allocator for protobuf-c that takes from the arena; freeing does nothing.
ProtobufCAllocator alm_arena_protobuf(alm_arena *arena);

#endif
