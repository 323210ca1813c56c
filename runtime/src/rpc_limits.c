#include "rpc_limits.h"

#include <stddef.h>

#define KIB INT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

// Sizes travel as 32 bits in HELLO, and what a message takes unpacked has a bound of its own, so
// that of a message and of a window end well below. rpc_limits_test holds the defaults to
// alm/limits.h.
const alm_option alm_limit_options[ALM_LIMIT_OPTION_COUNT] = {
    {.name = "rpc-message-bytes-max",
     .type = ALM_OPTION_BYTES,
     .fallback = "4M",
     .placeholder = "SIZE",
     .help = "one message, either way",
     .min = 16 * KIB, // what Reflection says of a service has to fit
     .max = 64 * MIB},
    {.name = "rpc-metadata-bytes-max",
     .type = ALM_OPTION_BYTES,
     .fallback = "8k",
     .placeholder = "SIZE",
     .help = "a call's metadata",
     .min = 256,
     .max = ALM_RPC_METADATA_BYTES_MAX},
    {.name = "rpc-element-count-max",
     .type = ALM_OPTION_INT,
     .fallback = "4000000",
     .placeholder = "COUNT",
     .help = "a message's fields, in all its parts, with the values of packed ones",
     .min = 1,
     .max = 1000000000},
    {.name = "rpc-window-bytes",
     .type = ALM_OPTION_BYTES,
     .fallback = "1M",
     .placeholder = "SIZE",
     .help = "a stream's messages that were not read yet",
     .min = 1,
     .max = GIB},
    {.name = "rpc-window-messages",
     .type = ALM_OPTION_INT,
     .fallback = "16384",
     .placeholder = "COUNT",
     .help = "the same, counted",
     .min = 1,
     .max = 1000000},
    {.name = "rpc-stream-count-max",
     .type = ALM_OPTION_INT,
     .fallback = "2048",
     .placeholder = "COUNT",
     .help = "calls of one connection at once",
     .min = 1,
     .max = 1000000},
    {.name = "rpc-peer-count-max",
     .type = ALM_OPTION_INT,
     .fallback = "16384",
     .placeholder = "COUNT",
     .help = "connections of one service",
     .min = 1,
     .max = 1000000},
    {.name = "rpc-queue-count-max",
     .type = ALM_OPTION_INT,
     .fallback = "1024",
     .placeholder = "COUNT",
     .help = "calls that wait for a thread of one service",
     .min = 1,
     .max = 1000000},
    {.name = "rpc-queue-bytes-max",
     .type = ALM_OPTION_BYTES,
     .fallback = "256M",
     .placeholder = "SIZE",
     .help = "their requests",
     .min = KIB,
     .max = 1024 * GIB},
    {.name = "rpc-unsent-bytes-max",
     .type = ALM_OPTION_BYTES,
     .fallback = "256M",
     .placeholder = "SIZE",
     .help = "answers of one service that clients did not take yet",
     .min = KIB,
     .max = 1024 * GIB},
    {.name = "rpc-arena-bytes-max",
     .type = ALM_OPTION_BYTES,
     .fallback = "256M",
     .placeholder = "SIZE",
     .help = "memory of one call: its request, and what its handler makes of it",
     .min = 64 * KIB,
     .max = 1024 * GIB},
};

static size_t of(const alm_config *config, const char *option)
{
    return (size_t)alm_config_int(config, option);
}

alm_rpc_limits alm_rpc_limits_of(const alm_config *config)
{
    return (alm_rpc_limits){
        .message_bytes_max = of(config, "rpc-message-bytes-max"),
        .metadata_bytes_max = of(config, "rpc-metadata-bytes-max"),
        .element_count_max = of(config, "rpc-element-count-max"),
        .window_bytes = of(config, "rpc-window-bytes"),
        .window_messages = of(config, "rpc-window-messages"),
        .stream_count_max = of(config, "rpc-stream-count-max"),
        .peer_count_max = of(config, "rpc-peer-count-max"),
        .queue_count_max = of(config, "rpc-queue-count-max"),
        .queue_bytes_max = of(config, "rpc-queue-bytes-max"),
        .unsent_bytes_max = of(config, "rpc-unsent-bytes-max"),
        .arena_bytes_max = of(config, "rpc-arena-bytes-max"),
    };
}
