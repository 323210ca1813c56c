#include "load.h"

#include <sys/resource.h>

#define MIB         ((size_t)1 << 20)

// What was measured, with some to spare: a connection that says nothing, a handler's thread with
// the stack it touched and its call, and what the heap keeps between uses.
#define PEER_BYTES  ((size_t)2 << 10)
#define CALL_BYTES  ((size_t)128 << 10)
#define HEAP_BYTES  (16 * MIB)
#define SPARE_PEERS 512 // past the crowd: slow ones, good ones, and the one of garbage

void load_raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

alm_rpc_limits load_limits(size_t connection_count)
{
    return (alm_rpc_limits){
        .message_bytes_max = MIB,
        .peer_count_max = connection_count + SPARE_PEERS,
        .queue_bytes_max = 8 * MIB,
        .unsent_bytes_max = 32 * MIB,
        .arena_bytes_max = 8 * MIB,
    };
}

size_t load_bytes_max(const alm_rpc_limits *limits, size_t stream_count)
{
    size_t calls = stream_count + ALM_RPC_THREAD_COUNT_MAX;
    return limits->peer_count_max * PEER_BYTES + 2 * limits->unsent_bytes_max + // buffers double
           2 * limits->queue_bytes_max + // requests that wait, and messages that were not read
           calls * CALL_BYTES + HEAP_BYTES;
}
