// gRPC-style calls over ZeroMQ: what servers and clients share.
//
// Addresses are URIs: tcp://HOST:PORT, ipc://PATH, inproc://NAME, and loop://NAME, a transport
// without a wire for tests (messages are encoded all the same). A tcp host name stands for every
// address it resolves to.
#ifndef ALM_RPC_H
#define ALM_RPC_H

#include "alm/arena.h"
#include "alm/clock.h"
#include "alm/log.h"
#include "alm/service_def.h"
#include "alm/status.h"

#include <protobuf-c/protobuf-c.h>

// One in a process: the ZeroMQ context and what servers and channels in this process share.
// Threading: everything in this header may be called from any thread unless it says otherwise.
typedef struct alm_rpc alm_rpc;

typedef struct alm_rpc_opts {
    alm_clock clock;          // zero: the system's
    const alm_log *log;       // NULL: silent; borrowed, must outlive the alm_rpc
    size_t message_bytes_max; // 0: ALM_RPC_MESSAGE_BYTES_MAX
} alm_rpc_opts;

ALM_MUST_USE alm_code alm_rpc_create(const alm_rpc_opts *opts, alm_rpc **ret, alm_status *st);
// All servers and channels must be gone (asserted). Never hangs.
void alm_rpc_destroy(alm_rpc **rpc);

// An allocator for protobuf-c that takes from the arena; freeing does nothing.
ProtobufCAllocator alm_arena_protobuf(alm_arena *arena);

#endif
