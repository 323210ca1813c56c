// What a process' servers and channels share.
#ifndef ALM_RPC_INTERNAL_H
#define ALM_RPC_INTERNAL_H

#include "alm/rpc.h"
#include "io.h"
#include "port.h"
#include "sync.h"

#include <stdatomic.h>

typedef struct alm_client alm_client;

// Opens a port. As alm_port_loop_open.
typedef alm_code (*alm_port_opener)(void *arg, const alm_port_opts *opts, alm_port **ret,
                                    alm_status *st);

struct alm_rpc {
    alm_clock clock;
    const alm_log *log;
    alm_rpc_limits limits; // none is 0
    bool uses_libzmq, is_manual;
    alm_port_curve curve; // of channels that have none of their own
    char token[ALM_TOKEN_TEXT_BYTES];
    alm_zmq_ctx *zmq;
    alm_loop_hub *loop;
    alm_port_opener open_loop; // instead of it; NULL: none
    void *open_loop_arg;
    alm_io *io;
    alm_client *client;       // the calling half
    atomic_size_t user_count; // servers and channels
    _Atomic uint64_t random_state;
    pthread_mutex_t lock; // guards all servers and channels, and their calls
};

void alm_rpc_retain(alm_rpc *rpc); // a server or a channel came
void alm_rpc_release(alm_rpc *rpc);

static inline int64_t alm_rpc_now_us(const alm_rpc *rpc)
{
    return alm_io_now_us(rpc->io);
}

// What an identity comes down to on a dialling port and in metadata.
void alm_identity_take(const alm_rpc_identity *identity, alm_port_curve *ret_curve,
                       char ret_token[ALM_TOKEN_TEXT_BYTES]);

// Tests: the ports of loop:// addresses are opened so instead, from here on.
void alm_rpc_set_loop(alm_rpc *rpc, alm_port_opener open, void *arg);

// Not for secrets.
uint64_t alm_rpc_random(alm_rpc *rpc);

// A bijection that scatters; the finaliser of splitmix64.
uint64_t alm_mix64(uint64_t v);

#endif
