// Our side of the benchmark of calls; its command line is in ../README.md. Calls block in the
// thread of their caller, as they do in the services: so many outstanding are so many threads.
#include "alm/alloc.h"
#include "alm/channel.h"
#include "bench_echo.pb-c.h"

#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNSUPPORTED = 3, CALLERS_MAX = 512, BUCKET_COUNT = 100000, STREAM_SIZE_MAX = 1 << 20 };

static const int64_t warm_up_us = 500000;

static const alm_method_def methods[] = {
    {"Unary", ALM_METHOD_UNARY, ALM_REPEAT_SAFE, ALM_ROLE_NONE},
    {"Chat", ALM_METHOD_BIDI_STREAM, ALM_REPEAT_SAFE, ALM_ROLE_NONE},
    {"Download", ALM_METHOD_SERVER_STREAM, ALM_REPEAT_SAFE, ALM_ROLE_NONE},
};
static const alm_service_def echo = {&almanac__bench__echo__descriptor, methods};

static void check(alm_code code, const alm_status *st)
{
    if (code != ALM_OK) {
        fprintf(stderr, "almanac_peer: %s\n", st->message);
        exit(1);
    }
}

// --- the server ----------------------------------------------------------------------------------

static alm_code unary(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    (void)self;
    return alm_call_send(call, request, st);
}

static alm_code chat(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    (void)self;
    (void)request;
    for (;;) {
        ProtobufCMessage *message;
        alm_arena_reset(alm_call_arena(call));
        ALM_TRY(alm_call_next(call, alm_call_arena(call), &message, st));
        if (message == NULL) {
            return ALM_OK;
        }
        ALM_TRY(alm_call_send(call, message, st));
    }
}

static alm_code download(void *self, alm_call *call, const ProtobufCMessage *request,
                         alm_status *st)
{
    (void)self;
    const Almanac__Bench__DownloadRequest *asked = (const Almanac__Bench__DownloadRequest *)request;
    if (asked->size > STREAM_SIZE_MAX) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "a size of %u", asked->size);
    }
    Almanac__Bench__Payload payload;
    almanac__bench__payload__init(&payload);
    payload.body.len = asked->size;
    payload.body.data = alm_arena_calloc(alm_call_arena(call), 1, asked->size);
    for (uint64_t i = 0; asked->count == 0 || i < asked->count; i++) {
        ALM_TRY(alm_call_send(call, &payload.base, st));
    }
    return ALM_OK;
}

static alm_code hop_unary(void *self, alm_call *call, const ProtobufCMessage *request,
                          alm_status *st)
{
    ProtobufCMessage *reply;
    alm_call_opts opts = {.parent = call};
    ALM_TRY(
        alm_channel_call(self, &echo, "Unary", &opts, request, alm_call_arena(call), &reply, st));
    return alm_call_send(call, reply, st);
}

static alm_code pass_messages(alm_call *call, alm_stream *stream, alm_arena *arena, alm_status *st)
{
    for (;;) {
        ProtobufCMessage *message;
        alm_arena_reset(arena);
        ALM_TRY(alm_stream_next(stream, arena, &message, st));
        if (message == NULL) {
            return ALM_OK;
        }
        ALM_TRY(alm_call_send(call, message, st));
    }
}

static alm_code hop_download(void *self, alm_call *call, const ProtobufCMessage *request,
                             alm_status *st)
{
    alm_stream *stream = NULL;
    alm_call_opts opts = {.parent = call};
    alm_arena *arena = alm_arena_create(0);
    alm_code code = alm_stream_open(self, &echo, "Download", &opts, request, &stream, st);
    if (code == ALM_OK) {
        code = pass_messages(call, stream, arena, st);
    }
    alm_stream_close(&stream);
    alm_arena_destroy(&arena);
    return code;
}

static const alm_handler server_handlers[] = {unary, chat, download};
static const alm_handler hop_handlers[] = {hop_unary, NULL, hop_download};

static alm_server *serve(alm_rpc *rpc, const char *address, const alm_keypair *keypair,
                         const alm_handler *handlers, void *self)
{
    alm_status st;
    alm_server *server;
    const alm_server_opts opts = {
        .name = "bench", .thread_count_max = CALLERS_MAX, .keypair = keypair};
    check(alm_server_create(rpc, &opts, &server, &st), &st);
    check(alm_server_add(server, &echo, handlers, self, &st), &st);
    check(alm_server_bind(server, address, &st), &st);
    check(alm_server_start(server, &st), &st);
    return server;
}

// --- the client ----------------------------------------------------------------------------------

typedef struct caller {
    alm_channel *channel;
    size_t size;
    const atomic_int *phase; // 0: warming up, 1: measured, 2: over
    uint64_t calls;
    uint32_t *histogram; // of microseconds; NULL: nobody asks
    pthread_t thread;
} caller;

static int64_t now_us(void)
{
    alm_clock clock = alm_clock_system();
    return clock.mono_us(clock.self);
}

static void *call_again_and_again(void *arg)
{
    caller *c = arg;
    alm_status st = ALM_STATUS_INIT;
    alm_arena *arena = alm_arena_create(0);
    Almanac__Bench__Payload payload;
    almanac__bench__payload__init(&payload);
    payload.body.len = c->size;
    payload.body.data = alm_calloc(1, c->size);
    int phase;
    while ((phase = atomic_load_explicit(c->phase, memory_order_relaxed)) != 2) {
        ProtobufCMessage *reply;
        int64_t start_us = c->histogram != NULL ? now_us() : 0;
        check(alm_channel_call(c->channel, &echo, "Unary", NULL, &payload.base, arena, &reply, &st),
              &st);
        c->calls += phase == 1 ? 1 : 0;
        if (c->histogram != NULL && phase == 1) {
            c->histogram[ALM_MIN(now_us() - start_us, BUCKET_COUNT - 1)]++;
        }
        alm_arena_reset(arena);
    }
    alm_free(payload.body.data);
    alm_arena_destroy(&arena);
    return NULL;
}

static void sleep_us(int64_t us)
{
    poll(NULL, 0, (int)(us / 1000)); // how long is measured is the clock's to say
}

// Calls a second, of so many callers on one channel.
static double measure_calls(alm_channel *channel, size_t caller_count, size_t size, double seconds,
                            uint32_t *histogram)
{
    static caller callers[CALLERS_MAX];
    atomic_int phase = 0;
    for (size_t i = 0; i < caller_count; i++) {
        callers[i] = (caller){.channel = channel, .size = size, .phase = &phase};
        callers[i].histogram = histogram;
        if (pthread_create(&callers[i].thread, NULL, call_again_and_again, &callers[i]) != 0) {
            fprintf(stderr, "almanac_peer: no thread\n");
            exit(1);
        }
    }
    sleep_us(warm_up_us);
    int64_t start_us = now_us();
    atomic_store(&phase, 1);
    sleep_us((int64_t)(seconds * 1e6));
    atomic_store(&phase, 2);
    int64_t took_us = now_us() - start_us;
    uint64_t calls = 0;
    for (size_t i = 0; i < caller_count; i++) {
        pthread_join(callers[i].thread, NULL);
        calls += callers[i].calls;
    }
    return (double)calls * 1e6 / (double)took_us;
}

static double measure_stream(alm_channel *channel, uint32_t size, double seconds)
{
    alm_status st = ALM_STATUS_INIT;
    alm_stream *stream;
    Almanac__Bench__DownloadRequest request;
    almanac__bench__download_request__init(&request);
    request.size = size;
    alm_call_opts opts = {.timeout_ms = -1};
    alm_arena *arena = alm_arena_create(0);
    check(alm_stream_open(channel, &echo, "Download", &opts, &request.base, &stream, &st), &st);
    uint64_t count = 0;
    int64_t start_us = 0, took_us = 0;
    int64_t begin_us = now_us() + warm_up_us;
    while (took_us < (int64_t)(seconds * 1e6)) {
        for (int i = 0; i < 64; i++) {
            ProtobufCMessage *message;
            alm_arena_reset(arena);
            check(alm_stream_next(stream, arena, &message, &st), &st);
        }
        int64_t now = now_us();
        if (start_us == 0 && now >= begin_us) {
            start_us = now;
        } else if (start_us != 0) {
            count += 64;
            took_us = now - start_us;
        }
    }
    alm_stream_close(&stream);
    alm_arena_destroy(&arena);
    return (double)count * 1e6 / (double)took_us;
}

static void print(const char *name, double value, const char *unit)
{
    printf("{\"peer\":\"almanac\",\"case\":\"%s\",\"value\":%.3f,\"unit\":\"%s\"}\n", name, value,
           unit);
}

static int64_t percentile(const uint32_t *histogram, double share)
{
    uint64_t total = 0, seen = 0;
    for (int i = 0; i < BUCKET_COUNT; i++) {
        total += histogram[i];
    }
    for (int i = 0; i < BUCKET_COUNT; i++) {
        seen += histogram[i];
        if ((double)seen >= share * (double)total) {
            return i;
        }
    }
    return BUCKET_COUNT;
}

static void run_lone(alm_channel *channel, double seconds)
{
    uint32_t *histogram = alm_calloc(BUCKET_COUNT, sizeof *histogram);
    measure_calls(channel, 1, 64, seconds, histogram);
    printf("{\"peer\":\"almanac\",\"case\":\"lone\",\"value\":%lld,\"p99\":%lld,\"unit\":\"us\"}\n",
           (long long)percentile(histogram, 0.5), (long long)percentile(histogram, 0.99));
    alm_free(histogram);
}

static alm_channel *dial(alm_rpc *rpc, const char *address)
{
    alm_status st;
    alm_channel *channel;
    check(alm_channel_open(rpc, address, NULL, &channel, &st), &st);
    check(alm_channel_wait_ready(channel, 5000, &st), &st);
    return channel;
}

static alm_rpc *make_rpc(const alm_keypair *keypair)
{
    alm_status st;
    alm_rpc *rpc;
    const alm_rpc_opts opts = {.identity.keypair = keypair};
    check(alm_rpc_create(&opts, &rpc, &st), &st);
    return rpc;
}

// Eight processes, each telling its calls a second through a pipe.
static double measure_clients(const char *address, const alm_keypair *keypair, double seconds)
{
    int fds[2];
    double sum = 0;
    if (pipe(fds) != 0) {
        return 0;
    }
    for (int i = 0; i < 8; i++) {
        if (fork() == 0) {
            alm_rpc *rpc = make_rpc(keypair);
            double rate = measure_calls(dial(rpc, address), 8, 64, seconds, NULL);
            ssize_t written = write(fds[1], &rate, sizeof rate);
            _exit(written == (ssize_t)sizeof rate ? 0 : 1);
        }
    }
    for (int i = 0; i < 8; i++) {
        double rate = 0;
        sum += read(fds[0], &rate, sizeof rate) == (ssize_t)sizeof rate ? rate : 0;
    }
    while (wait(NULL) > 0) {}
    return sum;
}

static int run_client(const char *address, const alm_keypair *keypair, const char *name,
                      double seconds)
{
    if (strcmp(name, "clients8x8") == 0) {
        print(name, measure_clients(address, keypair, seconds), "calls/s");
        return 0;
    }
    alm_rpc *rpc = make_rpc(keypair);
    bool is_own = strncmp(address, "inproc://", 9) == 0;
    alm_server *server = is_own ? serve(rpc, address, NULL, server_handlers, NULL) : NULL;
    alm_channel *channel = dial(rpc, address);
    int status = 0;
    if (strcmp(name, "lone") == 0) {
        run_lone(channel, seconds);
    } else if (strcmp(name, "unary64x64") == 0) {
        print(name, measure_calls(channel, 64, 64, seconds, NULL), "calls/s");
    } else if (strcmp(name, "unary64x512") == 0) {
        print(name, measure_calls(channel, 512, 64, seconds, NULL), "calls/s");
    } else if (strcmp(name, "unary4096x64") == 0) {
        print(name, measure_calls(channel, 64, 4096, seconds, NULL), "calls/s");
    } else if (strcmp(name, "stream64") == 0) {
        print(name, measure_stream(channel, 64, seconds), "messages/s");
    } else if (strcmp(name, "stream65536") == 0) {
        print(name, measure_stream(channel, 65536, seconds) * 65536 / 1e9, "GB/s");
    } else {
        printf("unsupported\n");
        status = UNSUPPORTED;
    }
    alm_channel_close(&channel);
    alm_server_destroy(&server);
    alm_rpc_destroy(&rpc);
    return status;
}

// --- both ----------------------------------------------------------------------------------------

// One key for server and client, made by whoever comes first, in the file of --key-file.
static void take_key(const char *path, alm_keypair *ret)
{
    alm_status st;
    if (access(path, F_OK) != 0) {
        check(alm_keypair_generate(ret, &st), &st);
        check(alm_keypair_save(ret, path, &st), &st);
    }
    check(alm_keypair_load(path, ret, &st), &st);
}

static int wait_for_end(alm_server *server)
{
    int signal_number;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    printf("ready %s\n", alm_server_endpoint(server, 0));
    fflush(stdout);
    sigwait(&ends, &signal_number);
    alm_server_destroy(&server);
    return 0;
}

int main(int argc, char **argv)
{
    alm_keypair keypair = {0};
    bool has_key = argc > 1 && strcmp(argv[1], "--curve") == 0;
    if (has_key) {
        const char *path = getenv("ALMANAC_BENCH_KEY");
        take_key(path != NULL ? path : "almanac-bench.key", &keypair);
        argv++;
        argc--;
    }
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 128 << 20);
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    const alm_keypair *key = has_key ? &keypair : NULL;
    if (argc == 3 && strcmp(argv[1], "server") == 0) {
        pthread_sigmask(SIG_BLOCK, &ends, NULL);
        alm_rpc *rpc = make_rpc(key);
        return wait_for_end(serve(rpc, argv[2], key, server_handlers, NULL));
    }
    if (argc == 4 && strcmp(argv[1], "hop") == 0) {
        pthread_sigmask(SIG_BLOCK, &ends, NULL);
        alm_rpc *rpc = make_rpc(key);
        return wait_for_end(serve(rpc, argv[2], key, hop_handlers, dial(rpc, argv[3])));
    }
    if (argc == 5 && strcmp(argv[1], "client") == 0) {
        return run_client(argv[2], key, argv[3], strtod(argv[4], NULL));
    }
    fprintf(stderr, "usage: almanac_peer [--curve] server|client|hop ...; see bench/README.md\n");
    return 2;
}
