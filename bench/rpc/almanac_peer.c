// Our side of the benchmark of calls; its command line is in ../README.md. The lone call and the
// streams wait in the thread of their caller, as those of services do; calls of which many are
// outstanding tell by events how they end, as gRPC's do through a completion queue.
#include "alm/alloc.h"
#include "alm/channel.h"
#include "alm/message.h"
#include "bench_echo.pb-c.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNSUPPORTED = 3, THREADS_MAX = 512, BUCKET_COUNT = 100000, STREAM_SIZE_MAX = 1 << 20 };

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

typedef struct sending {
    Almanac__Bench__Payload payload;
    uint64_t left;
} sending;

static void send_on(void *arg, alm_call *call)
{
    sending *s = arg;
    alm_status st = ALM_STATUS_INIT;
    bool is_sent = true;
    while (s->left > 0 && is_sent) {
        if (alm_call_try_send(call, &s->payload.base, &is_sent, &st) != ALM_OK) {
            alm_call_end(call, &st);
            return;
        }
        s->left -= is_sent ? 1 : 0;
    }
    if (s->left == 0) {
        alm_call_end(call, &st);
    }
}

static alm_code download(void *self, alm_call *call, const ProtobufCMessage *request,
                         alm_status *st)
{
    (void)self;
    static const alm_call_events events = {.on_room = send_on};
    const Almanac__Bench__DownloadRequest *asked = (const Almanac__Bench__DownloadRequest *)request;
    if (asked->size > STREAM_SIZE_MAX) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "a size of %u", asked->size);
    }
    sending *s = alm_arena_calloc(alm_call_arena(call), 1, sizeof *s);
    almanac__bench__payload__init(&s->payload);
    s->payload.body.len = asked->size;
    s->payload.body.data = alm_arena_calloc(alm_call_arena(call), 1, asked->size);
    s->left = asked->count == 0 ? UINT64_MAX : asked->count;
    return alm_call_defer(call, &events, s, st);
}

static const alm_handler handlers[] = {unary, chat, download};
static const alm_handler no_handlers[] = {NULL, NULL, NULL};

// upstream: whom to pass calls on to; NULL: they are answered here.
static alm_server *serve(alm_rpc *rpc, const char *address, const alm_keypair *keypair,
                         alm_channel *upstream)
{
    alm_status st;
    alm_server *server;
    const alm_server_opts opts = {
        .name = "bench", .thread_count_max = THREADS_MAX, .keypair = keypair};
    check(alm_server_create(rpc, &opts, &server, &st), &st);
    check(alm_server_add(server, &echo, upstream != NULL ? no_handlers : handlers, NULL, &st), &st);
    for (size_t i = 0; i < ALM_ARRAY_LEN(methods) && upstream != NULL; i++) {
        alm_server_forward(server, &echo,
                           &(alm_forward_opts){.method = methods[i].name,
                                               .channel = upstream,
                                               .to_service = &echo,
                                               .to_method = methods[i].name});
    }
    if (upstream == NULL) {
        alm_server_run_inline(server, &echo, "Unary");
        alm_server_run_inline(server, &echo, "Download");
    }
    check(alm_server_bind(server, address, &st), &st);
    check(alm_server_start(server, &st), &st);
    return server;
}

// --- the client ----------------------------------------------------------------------------------

enum { WARMS_UP, MEASURES, IS_OVER }; // phases

// Calls of which each is followed by the next. Events come one at a time, so they count alone.
typedef struct callers {
    alm_channel *channel;
    Almanac__Bench__Payload payload;
    atomic_int phase;
    atomic_int left; // that have not ended
    uint64_t calls;
} callers;

static int64_t now_us(void)
{
    alm_clock clock = alm_clock_system();
    return clock.mono_us(clock.self);
}

static void sleep_us(int64_t us)
{
    poll(NULL, 0, (int)(us / 1000)); // how long is measured is the clock's to say
}

static void payload_init(Almanac__Bench__Payload *payload, size_t size)
{
    almanac__bench__payload__init(payload);
    payload->body.len = size;
    payload->body.data = alm_calloc(1, size);
}

static void start_next(callers *all);

static void on_end(void *arg, alm_stream *stream, const alm_status *st, alm_str answer)
{
    (void)stream;
    callers *all = arg;
    check(st->code, st);
    check(answer.len > all->payload.body.len ? ALM_OK : ALM_INTERNAL, st);
    int phase = atomic_load_explicit(&all->phase, memory_order_relaxed);
    all->calls += phase == MEASURES ? 1 : 0;
    if (phase == IS_OVER) {
        atomic_fetch_sub(&all->left, 1);
    } else {
        start_next(all);
    }
}

static void start_next(callers *all)
{
    static const alm_stream_events events = {.on_end = on_end};
    alm_status st;
    check(alm_stream_start(all->channel, &echo, "Unary", NULL, &all->payload.base, &events, all,
                           NULL, &st),
          &st);
}

// Calls a second, with so many outstanding on one channel.
static double measure_calls(alm_channel *channel, int outstanding, size_t size, double seconds)
{
    callers all = {.channel = channel};
    payload_init(&all.payload, size);
    atomic_store(&all.left, outstanding);
    for (int i = 0; i < outstanding; i++) {
        start_next(&all);
    }
    sleep_us(warm_up_us);
    int64_t start_us = now_us();
    atomic_store(&all.phase, MEASURES);
    sleep_us((int64_t)(seconds * 1e6));
    atomic_store(&all.phase, IS_OVER);
    int64_t took_us = now_us() - start_us;
    while (atomic_load(&all.left) > 0) {
        sleep_us(1000);
    }
    alm_free(all.payload.body.data);
    return (double)all.calls * 1e6 / (double)took_us;
}

// Microseconds of one call after the other, in its caller's thread.
static void measure_lone(alm_channel *channel, double seconds, uint32_t *histogram)
{
    alm_status st;
    alm_arena *arena = alm_arena_create(0);
    Almanac__Bench__Payload payload;
    payload_init(&payload, 64);
    int64_t from_us = now_us() + warm_up_us;
    int64_t until_us = from_us + (int64_t)(seconds * 1e6);
    for (int64_t start_us = now_us(), end_us; start_us < until_us; start_us = end_us) {
        ProtobufCMessage *reply;
        check(alm_channel_call(channel, &echo, "Unary", NULL, &payload.base, arena, &reply, &st),
              &st);
        alm_arena_reset(arena);
        end_us = now_us();
        if (start_us >= from_us) {
            histogram[ALM_MIN(end_us - start_us, BUCKET_COUNT - 1)]++;
        }
    }
    alm_free(payload.body.data);
    alm_arena_destroy(&arena);
}

typedef struct receiver {
    alm_arena *arena;
    int64_t from_us, until_us; // of what is measured
    int64_t start_us, end_us;  // as it came
    uint64_t count;
    uint32_t to_look; // messages until the clock is looked at
    uint32_t size;
    atomic_bool is_over;
} receiver;

static void look_at_clock(receiver *r)
{
    int64_t now = now_us();
    if (r->start_us == 0 && now >= r->from_us) {
        r->start_us = now;
        r->count = 0;
    } else if (r->start_us != 0 && now >= r->until_us && r->end_us == 0) {
        r->end_us = now;
        atomic_store(&r->is_over, true);
    }
    r->to_look = 64;
}

static void on_message(void *arg, alm_stream *stream, alm_str wire)
{
    receiver *r = arg;
    alm_status st;
    ProtobufCMessage *message;
    (void)stream;
    alm_arena_reset(r->arena);
    check(
        alm_message_unpack(&almanac__bench__payload__descriptor, wire, 16, r->arena, &message, &st),
        &st);
    check(((Almanac__Bench__Payload *)message)->body.len == r->size ? ALM_OK : ALM_INTERNAL, &st);
    r->count += r->end_us == 0 ? 1 : 0;
    if (--r->to_look == 0) {
        look_at_clock(r);
    }
}

static void on_stream_end(void *arg, alm_stream *stream, const alm_status *st, alm_str answer)
{
    (void)arg;
    (void)stream;
    (void)answer;
    check(st->code, st); // ends only if it fails
}

// Messages a second, each unpacked.
static double measure_stream(alm_channel *channel, uint32_t size, double seconds)
{
    static const alm_stream_events events = {.on_message = on_message, .on_end = on_stream_end};
    alm_status st = ALM_STATUS_INIT;
    alm_stream *stream;
    Almanac__Bench__DownloadRequest request;
    almanac__bench__download_request__init(&request);
    request.size = size;
    alm_call_opts opts = {.timeout_ms = -1};
    receiver r = {.arena = alm_arena_create(0), .to_look = 1, .size = size};
    r.from_us = now_us() + warm_up_us;
    r.until_us = r.from_us + (int64_t)(seconds * 1e6);
    check(alm_stream_start(channel, &echo, "Download", &opts, &request.base, &events, &r, &stream,
                           &st),
          &st);
    while (!atomic_load(&r.is_over)) {
        sleep_us(1000);
    }
    alm_stream_close(&stream);
    alm_arena_destroy(&r.arena);
    return (double)r.count * 1e6 / (double)(r.end_us - r.start_us);
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
    measure_lone(channel, seconds, histogram);
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
            double rate = measure_calls(dial(rpc, address), 8, 64, seconds);
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
    alm_server *server = is_own ? serve(rpc, address, NULL, NULL) : NULL;
    alm_channel *channel = dial(rpc, address);
    int status = 0;
    if (strcmp(name, "lone") == 0) {
        run_lone(channel, seconds);
    } else if (strcmp(name, "unary64x64") == 0) {
        print(name, measure_calls(channel, 64, 64, seconds), "calls/s");
    } else if (strcmp(name, "unary64x512") == 0) {
        print(name, measure_calls(channel, 512, 64, seconds), "calls/s");
    } else if (strcmp(name, "unary4096x64") == 0) {
        print(name, measure_calls(channel, 64, 4096, seconds), "calls/s");
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
        return wait_for_end(serve(rpc, argv[2], key, NULL));
    }
    if (argc == 4 && strcmp(argv[1], "hop") == 0) {
        pthread_sigmask(SIG_BLOCK, &ends, NULL);
        alm_rpc *rpc = make_rpc(key);
        return wait_for_end(serve(rpc, argv[2], key, dial(rpc, argv[3])));
    }
    if (argc == 5 && strcmp(argv[1], "client") == 0) {
        return run_client(argv[2], key, argv[3], strtod(argv[4], NULL));
    }
    fprintf(stderr, "usage: almanac_peer [--curve] server|client|hop ...; see bench/README.md\n");
    return 2;
}
