#include "record.h"
#include "rpc_internal.h"

#include "alm/alloc.h"
#include "alm/limits.h"
#include "client.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

uint64_t alm_mix64(uint64_t v)
{
    v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
    return v ^ (v >> 31);
}

static uint64_t random_seed(void)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        seed = alm_mix64((uint64_t)now.tv_sec * 1000000007u + (uint64_t)now.tv_nsec);
    }
    return seed;
}

static alm_code open_parts(alm_rpc *rpc, alm_status *st)
{
    ALM_TRY(alm_zmq_ctx_create(&rpc->zmq, st));
    ALM_TRY(alm_loop_hub_create(&rpc->loop, st));
    ALM_TRY(alm_io_create(&rpc->lock, &rpc->clock, rpc->is_manual, &rpc->io, st));
    return alm_client_create(rpc, &rpc->client, st);
}

void alm_identity_take(const alm_rpc_identity *identity, alm_port_curve *ret_curve,
                       char ret_token[ALM_TOKEN_TEXT_BYTES])
{
    *ret_curve = (alm_port_curve){.is_on = identity->keypair != NULL};
    if (ret_curve->is_on) {
        const alm_keypair *own = identity->keypair;
        const uint8_t *server =
            identity->server_key != NULL ? identity->server_key : own->public_key;
        memcpy(ret_curve->public_key, own->public_key, ALM_CURVE_KEY_BYTES);
        memcpy(ret_curve->secret_key, own->secret_key, ALM_CURVE_KEY_BYTES);
        memcpy(ret_curve->server_key, server, ALM_CURVE_KEY_BYTES);
    }
    snprintf(ret_token, ALM_TOKEN_TEXT_BYTES, "%s", identity->token != NULL ? identity->token : "");
}

static size_t or_default(size_t asked, size_t by_default)
{
    return asked != 0 ? asked : by_default;
}

static void set_limits(alm_rpc_limits *ret, const alm_rpc_limits *asked)
{
    size_t metadata = or_default(asked->metadata_bytes_max, ALM_RPC_METADATA_BYTES_MAX);
    *ret = (alm_rpc_limits){
        .message_bytes_max = or_default(asked->message_bytes_max, ALM_RPC_MESSAGE_BYTES_MAX),
        .metadata_bytes_max = ALM_MIN(metadata, ALM_RPC_METADATA_BYTES_MAX),
        .element_count_max = or_default(asked->element_count_max, ALM_RPC_ELEMENT_COUNT_MAX),
        .window_bytes = or_default(asked->window_bytes, ALM_RPC_STREAM_WINDOW_BYTES),
        .window_messages = or_default(asked->window_messages, ALM_RPC_STREAM_WINDOW_MESSAGES),
        .stream_count_max = or_default(asked->stream_count_max, ALM_RPC_STREAM_COUNT_MAX),
        .peer_count_max = or_default(asked->peer_count_max, ALM_RPC_PEER_COUNT_MAX),
        .queue_count_max = or_default(asked->queue_count_max, ALM_RPC_QUEUE_COUNT_MAX),
        .queue_bytes_max = or_default(asked->queue_bytes_max, ALM_RPC_QUEUE_BYTES_MAX),
        .unsent_bytes_max = or_default(asked->unsent_bytes_max, ALM_RPC_UNSENT_BYTES_MAX),
        .arena_bytes_max = or_default(asked->arena_bytes_max, ALM_ARENA_BYTES_MAX),
    };
}

alm_code alm_rpc_create(const alm_rpc_opts *opts, alm_rpc **ret, alm_status *st)
{
    alm_rpc *rpc = alm_calloc(1, sizeof *rpc);
    if (rpc == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for rpc");
    }
    static const alm_rpc_opts none;
    opts = opts != NULL ? opts : &none;
    rpc->clock = opts->clock.mono_us != NULL ? opts->clock : alm_clock_system();
    rpc->log = opts->log;
    set_limits(&rpc->limits, &opts->limits);
    rpc->uses_libzmq = opts->uses_libzmq;
    rpc->is_manual = opts->is_manual;
    alm_identity_take(&opts->identity, &rpc->curve, rpc->token);
    rpc->random_state = opts->random_seed != 0 ? opts->random_seed : random_seed();
    pthread_mutex_init(&rpc->lock, NULL);
    alm_code code = open_parts(rpc, st);
    if (code != ALM_OK) {
        alm_rpc_destroy(&rpc);
        return code;
    }
    *ret = rpc;
    return ALM_OK;
}

void alm_rpc_destroy(alm_rpc **rpc)
{
    alm_rpc *self = *rpc;
    if (self == NULL) {
        return;
    }
    ALM_ASSERT(self->user_count == 0);
    alm_client_destroy(&self->client);
    alm_io_destroy(&self->io);
    alm_loop_hub_destroy(&self->loop);
    alm_zmq_ctx_destroy(&self->zmq);
    pthread_mutex_destroy(&self->lock);
    explicit_bzero(&self->curve, sizeof self->curve);
    explicit_bzero(self->token, sizeof self->token);
    alm_free(self);
    *rpc = NULL;
}

void alm_rpc_retain(alm_rpc *rpc)
{
    rpc->user_count++;
}

void alm_rpc_release(alm_rpc *rpc)
{
    ALM_ASSERT(rpc->user_count > 0);
    rpc->user_count--;
}

uint64_t alm_rpc_random(alm_rpc *rpc)
{
    const uint64_t step = UINT64_C(0x9e3779b97f4a7c15);
    return alm_mix64(atomic_fetch_add(&rpc->random_state, step) + step);
}

int64_t alm_rpc_turn(alm_rpc *rpc, int64_t wait_ms)
{
    return alm_io_turn(rpc->io, wait_ms * 1000);
}

void alm_rpc_set_loop(alm_rpc *rpc, alm_port_opener open, void *arg)
{
    rpc->open_loop = open;
    rpc->open_loop_arg = arg;
}

alm_code alm_port_open(alm_rpc *rpc, alm_scheme scheme, const alm_port_opts *opts, alm_port **ret,
                       alm_status *st)
{
    alm_port_opts its = *opts;
    its.curve = scheme == ALM_SCHEME_TCP ? opts->curve : NULL;
    if (scheme == ALM_SCHEME_LOOP && rpc->open_loop != NULL) {
        return rpc->open_loop(rpc->open_loop_arg, &its, ret, st);
    }
    if (scheme == ALM_SCHEME_LOOP || (scheme == ALM_SCHEME_INPROC && !rpc->uses_libzmq)) {
        ALM_TRY(alm_port_loop_open(rpc->loop, &its, ret, st));
        (*ret)->io = rpc->io;
        return ALM_OK;
    }
    return rpc->uses_libzmq ? alm_port_zmq_open(rpc->zmq, &its, ret, st)
                            : alm_port_zmtp_open(&its, rpc->clock, ret, st);
}

alm_sent alm_port_send_records(alm_port *port, const alm_peer_key *to, alm_outbox *outbox)
{
    while (!alm_outbox_is_empty(outbox)) {
        size_t count = 0;
        alm_str frame = alm_outbox_frame(outbox, &count);
        port->has_more = count < outbox->count;
        alm_sent sent = port->ops->send(port, to, frame);
        if (sent != ALM_SENT_OK) {
            return sent;
        }
        alm_outbox_sent(outbox, frame, count);
    }
    return ALM_SENT_OK;
}

void alm_port_watch(alm_port *port, alm_io *io, size_t *watch)
{
    if (port->io != NULL || port->is_watched) {
        return;
    }
    if (port->ops->watch != NULL) {
        port->ops->watch(port, io, watch);
    } else {
        alm_io_watch(io, port->ops->fd(port), watch);
    }
    port->is_watched = *watch != 0;
}

void alm_port_unwatch(alm_port *port, alm_io *io, size_t *watch)
{
    alm_io_unwatch(io, watch);
    if (port != NULL) {
        port->is_watched = false;
    }
}

bool alm_port_take_told(alm_port *port, alm_io *io, size_t watch)
{
    bool is_ready = alm_io_take_ready(io, watch);
    port->was_told = port->was_told || is_ready;
    return is_ready;
}

void alm_port_close(alm_port **port, int linger_ms)
{
    if (*port != NULL) {
        (*port)->ops->close(*port, linger_ms);
        *port = NULL;
    }
}
