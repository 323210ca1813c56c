// Calls that wait for a thread, and the threads of handlers.
#include "server_internal.h"

#define ENDLESS_COUNT_MAX 1024 // further endless calls count as ordinary ones
#define QUEUE_RETRY_MS    100

size_t alm_server_thread_count_max(const alm_server *server)
{
    return server->thread_count_max + ENDLESS_COUNT_MAX;
}

// Handlers at work; not those that wait for what a client may never do.
static size_t busy_count(const alm_server *server)
{
    size_t idle_count = server->endless_count + server->paused_count;
    return server->running_count - ALM_MIN(idle_count, (size_t)ENDLESS_COUNT_MAX);
}

static bool has_room_to_run(const alm_server *server)
{
    return busy_count(server) < server->thread_count_max;
}

// Starts a thread if the calls in the queue have none.
static void provide_thread(alm_server *server)
{
    bool is_short = server->free_thread_count <= server->queue_count;
    if (is_short && has_room_to_run(server) &&
        server->thread_count < alm_server_thread_count_max(server)) {
        pthread_t *thread = &server->threads[server->thread_count];
        alm_status ignored;
        if (alm_thread_start(thread, alm_server_handle, server, &ignored) == ALM_OK) {
            server->thread_count++;
            server->free_thread_count++;
        }
    }
}

// How long a call that comes now would wait for a thread.
static int64_t expected_wait_us(const alm_server *server)
{
    size_t busy = busy_count(server);
    size_t free_count = server->thread_count_max > busy ? server->thread_count_max - busy : 0;
    size_t before = server->queue_count > free_count ? server->queue_count - free_count : 0;
    return (int64_t)before * server->run_us_avg / (int64_t)server->thread_count_max;
}

static alm_code refuse(alm_status *st, int64_t wait_us)
{
    st->retry_after_ms = (uint32_t)ALM_MAX(ALM_MIN(wait_us / 1000, 60000), QUEUE_RETRY_MS);
    return ALM_RESOURCE_EXHAUSTED;
}

static alm_code refuse_queue(const alm_server *server, alm_status *st)
{
    size_t served_count = ALM_MIN(server->queue_count, server->free_thread_count);
    alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                   "%s has %zu calls waiting for a thread, the most is %zu, with %zu bytes of %zu",
                   server->name, server->queue_count - served_count, server->queue_count_max,
                   server->queue_bytes, server->rpc->limits.queue_bytes_max);
    return refuse(st, expected_wait_us(server));
}

alm_code alm_server_find_room(alm_server *server, const alm_peer *peer, const alm_record *request,
                              alm_status *st)
{
    const alm_rpc_limits *limits = &server->rpc->limits;
    size_t open_count = peer->ids.count - peer->stopped_count;
    if (open_count >= limits->stream_count_max) {
        alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                       "the client has %zu calls in progress, the most on a connection is %zu",
                       open_count, limits->stream_count_max);
        return refuse(st, 0);
    }
    if (server->methods[request->arg].service->is_builtin) {
        return ALM_OK;
    }
    if (alm_peer_is_full(server, peer)) {
        alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                       "%s has %zu bytes of answers to send, %zu of them to this client",
                       server->name, alm_server_unsent(server), peer->unsent_bytes);
        return refuse(st, 0);
    }
    bool has_bytes = server->queue_bytes + request->payload.len <= limits->queue_bytes_max;
    return has_bytes ? ALM_OK : refuse_queue(server, st);
}

alm_code alm_server_find_thread(alm_server *server, const alm_record *request, alm_status *st)
{
    provide_thread(server);
    int64_t wait_us = expected_wait_us(server);
    bool has_room = server->queue_count < server->free_thread_count + server->queue_count_max;
    if (!has_room || server->thread_count == 0) {
        return refuse_queue(server, st);
    }
    // Work that nobody waits for any more when it is done takes time from work that is waited for.
    if (request->time_ms != ALM_RECORD_TIME_NONE && wait_us / 1000 > (int64_t)request->time_ms) {
        alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                       "%s has %zu calls waiting, which takes about %lld ms, and %u are left",
                       server->name, server->queue_count, (long long)wait_us / 1000,
                       (unsigned)request->time_ms);
        return refuse(st, wait_us);
    }
    return ALM_OK;
}

// Each client has its own queue and they give a call in turn, so that one that sends many does not
// keep the others waiting.
void alm_server_enqueue(alm_server *server, alm_call *call)
{
    alm_peer *peer = call->peer;
    call->state = ALM_CALL_QUEUED;
    if (peer->queue == NULL) {
        DL_APPEND2(server->ready, peer, ready_prev, ready_next);
    }
    DL_APPEND(peer->queue, call);
    server->queue_count++;
    server->queue_bytes += call->request.len;
    server->wake_count++;
}

void alm_server_dequeue(alm_server *server, alm_call *call)
{
    alm_peer *peer = call->peer;
    DL_DELETE(peer->queue, call);
    DL_DELETE2(server->ready, peer, ready_prev, ready_next);
    if (peer->queue != NULL) {
        DL_APPEND2(server->ready, peer, ready_prev, ready_next);
    }
    server->queue_count--;
    server->queue_bytes -= call->request.len;
    call->state = ALM_CALL_RUNNING;
}

void alm_server_count_run(alm_server *server, const alm_call *call)
{
    if (!call->is_inline && !alm_call_streams(call)) {
        int64_t took_us = alm_rpc_now_us(server->rpc) - call->run_us;
        server->run_us_avg += (took_us - server->run_us_avg) / 8;
    }
}

void *alm_server_handle(void *arg)
{
    alm_server *server = arg;
    alm_lock(server->lock);
    for (;;) {
        while (!server->is_stopping && (server->ready == NULL || !has_room_to_run(server))) {
            pthread_cond_wait(&server->work, server->lock);
        }
        if (server->ready == NULL) {
            break;
        }
        alm_call *call = server->ready->queue;
        alm_server_dequeue(server, call);
        call->run_us = alm_rpc_now_us(server->rpc);
        server->free_thread_count--;
        server->running_count++;
        alm_call_run(call);
        server->running_count--;
        server->free_thread_count++; // and looks at the queue itself, so nobody need be woken
    }
    alm_unlock(server->lock);
    return NULL;
}

// A thread is not counted any more, so one more may be.
static void pass_place_on(alm_server *server)
{
    if (server->ready != NULL) {
        provide_thread(server);
        pthread_cond_signal(&server->work);
    }
}

void alm_server_count_endless(alm_server *server, alm_call *call)
{
    server->endless_count += call->is_inline ? 0 : 1;
    if (server->is_draining) {
        alm_call_stop(call, ALM_UNAVAILABLE, "the server is stopping");
    }
    pass_place_on(server);
}

void alm_call_pause(const alm_call *call)
{
    if (!call->is_endless) {
        call->server->paused_count++;
        pass_place_on(call->server);
    }
}

void alm_call_resume(const alm_call *call)
{
    if (!call->is_endless) {
        call->server->paused_count--;
    }
}
