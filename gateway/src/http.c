#include "http.h"

#include "metrics.h"

#include "alm/alloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

enum {
    CONNECTION_COUNT_MAX = 256,
    CONNECTION_COUNT_PER_IP = 64,
    CONNECTION_MEMORY_BYTES = 16384,
    CONNECTION_IDLE_S = 5,
    // libmicrohttpd's timeout restarts with every byte, so a client that drips holds on for ever.
    // Ours counts from the connection's start.
    CONNECTION_LIFE_MS = 10000,
    BODY_BYTES_MAX = 1 << 20,
    THREAD_COUNT = 2,
};

typedef struct connection {
    struct connection *next;
    struct MHD_Connection *mhd;
    int64_t started_ms;
} connection;

struct alm_http {
    const gateway *g;
    struct MHD_Daemon *daemon;
    atomic_bool draining;
    pthread_mutex_t mutex; // guards connections, stop
    pthread_cond_t wake;
    connection *connections;
    bool stop;
    pthread_t reaper;
};

// --- answers
// ----------------------------------------------------------------------------------------

static enum MHD_Result answer(struct MHD_Connection *mhd, unsigned code, const char *type,
                              const char *text, size_t len)
{
    // libmicrohttpd copies, whatever its parameter's type says.
    union {
        const char *in;
        void *out;
    } body = {.in = text};
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, body.out, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) {
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    enum MHD_Result result = MHD_queue_response(mhd, code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *mhd, unsigned code, const char *text)
{
    return answer(mhd, code, "text/plain; charset=utf-8", text, strlen(text));
}

static enum MHD_Result answer_buf(struct MHD_Connection *mhd, unsigned code, const char *type,
                                  alm_buf *buf)
{
    enum MHD_Result result =
        buf->failed ? answer_text(mhd, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n")
                    : answer(mhd, code, type, alm_buf_view(buf).data, buf->len);
    alm_buf_deinit(buf);
    return result;
}

static enum MHD_Result answer_ready(alm_http *http, struct MHD_Connection *mhd)
{
    alm_buf buf;
    alm_buf_init(&buf, BODY_BYTES_MAX);
    bool ready = metrics_ready(http->g, &buf);
    if (atomic_load(&http->draining)) {
        ready = false;
        alm_buf_str(&buf, ALM_STR("[-]gateway draining\n"));
    }
    return answer_buf(mhd, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
                      "text/plain; charset=utf-8", &buf);
}

static enum MHD_Result answer_metrics(alm_http *http, struct MHD_Connection *mhd)
{
    alm_buf buf;
    alm_buf_init(&buf, BODY_BYTES_MAX);
    metrics_write(http->g, &buf);
    return answer_buf(mhd, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &buf);
}

static enum MHD_Result handle(void *self, struct MHD_Connection *mhd, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    alm_http *http = self;
    (void)version;
    (void)upload;
    (void)state;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        *upload_size = 0;
        return answer_text(mhd, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are answered\n");
    }
    if (strcmp(url, "/healthz") == 0) {
        return answer_text(mhd, MHD_HTTP_OK, "ok\n");
    }
    if (strcmp(url, "/readyz") == 0) {
        return answer_ready(http, mhd);
    }
    if (strcmp(url, "/metrics") == 0) {
        return answer_metrics(http, mhd);
    }
    return answer_text(mhd, MHD_HTTP_NOT_FOUND,
                       "not found; there are /healthz, /readyz and /metrics\n");
}

// --- connections
// ------------------------------------------------------------------------------------

static void connection_add(alm_http *http, struct MHD_Connection *mhd)
{
    connection *c = alm_calloc(1, sizeof *c);
    if (c == NULL) {
        return; // libmicrohttpd's own timeout still holds
    }
    c->mhd = mhd;
    c->started_ms = alm_clock_mono_ms(&http->g->ctx->clock);
    pthread_mutex_lock(&http->mutex);
    c->next = http->connections;
    http->connections = c;
    pthread_mutex_unlock(&http->mutex);
}

static void connection_remove(alm_http *http, const struct MHD_Connection *mhd)
{
    pthread_mutex_lock(&http->mutex);
    for (connection **at = &http->connections; *at != NULL; at = &(*at)->next) {
        if ((*at)->mhd == mhd) {
            connection *gone = *at;
            *at = gone->next;
            alm_free(gone);
            break;
        }
    }
    pthread_mutex_unlock(&http->mutex);
}

static void notify(void *self, struct MHD_Connection *mhd, void **context,
                   enum MHD_ConnectionNotificationCode code)
{
    (void)context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_add(self, mhd);
    } else {
        connection_remove(self, mhd);
    }
}

// Cuts what has lived too long. The mutex is held over the shutdown, so that libmicrohttpd cannot
// have closed the descriptor meanwhile: it tells us first, and waits for the mutex.
static void connections_cut(alm_http *http)
{
    int64_t now = alm_clock_mono_ms(&http->g->ctx->clock);
    for (connection *c = http->connections; c != NULL; c = c->next) {
        const union MHD_ConnectionInfo *info =
            now - c->started_ms > CONNECTION_LIFE_MS
                ? MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD)
                : NULL;
        if (info != NULL) {
            shutdown(info->connect_fd, SHUT_RDWR);
        }
    }
}

static void *reap(void *self)
{
    alm_http *http = self;
    pthread_mutex_lock(&http->mutex);
    while (!http->stop) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1;
        pthread_cond_timedwait(&http->wake, &http->mutex, &until);
        connections_cut(http);
    }
    pthread_mutex_unlock(&http->mutex);
    return NULL;
}

// --- start and stop
// ---------------------------------------------------------------------------------

static alm_code address_parse(const char *address, struct sockaddr_storage *ret, bool *ret_loopback,
                              alm_status *st)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
    const char *colon = strrchr(address, ':');
    char host[INET6_ADDRSTRLEN + 2] = "";
    int64_t port = -1;
    memset(ret, 0, sizeof *ret);
    if (colon != NULL && (size_t)(colon - address) < sizeof host &&
        alm_str_to_i64(alm_str_from(colon + 1), &port) && port >= 0 && port <= 65535) {
        bool bracketed = address[0] == '[' && colon > address + 1 && colon[-1] == ']';
        size_t len = (size_t)(colon - address) - (bracketed ? 2 : 0);
        memcpy(host, address + bracketed, len);
        if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
            v4->sin_family = AF_INET;
            v4->sin_port = htons((uint16_t)port);
            *ret_loopback = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
            return ALM_OK;
        }
        if (bracketed && inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
            v6->sin6_family = AF_INET6;
            v6->sin6_port = htons((uint16_t)port);
            *ret_loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
            return ALM_OK;
        }
    }
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "http",
                                "--http %s: expected ADDRESS:PORT, such as 127.0.0.1:7180",
                                address);
}

static alm_code daemon_start(alm_http *http, const char *address, const struct sockaddr_storage *at,
                             alm_status *st)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ITC;
    if (at->ss_family == AF_INET6) {
        flags |= MHD_USE_IPv6;
    }
    errno = 0;
    http->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, http, MHD_OPTION_SOCK_ADDR, at, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTION_COUNT_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)CONNECTION_COUNT_PER_IP, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_IDLE_S,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREAD_COUNT, MHD_OPTION_NOTIFY_CONNECTION, notify,
        http, MHD_OPTION_END);
    if (http->daemon == NULL) {
        alm_code code = errno == EADDRINUSE ? ALM_ALREADY_EXISTS : ALM_UNAVAILABLE;
        return alm_status_set_field(st, code, "http", "cannot listen at %s: %s", address,
                                    errno != 0 ? strerror(errno) : "libmicrohttpd refused");
    }
    return ALM_OK;
}

alm_code alm_http_start(const gateway *g, const char *address, alm_http **ret, alm_status *st)
{
    struct sockaddr_storage at;
    bool loopback = false;
    ALM_TRY(address_parse(address, &at, &loopback, st));
    if (!loopback && !g->ctx->allow_plaintext) {
        return alm_status_set_field(st, ALM_FAILED_PRECONDITION, "http",
                                    "--http %s is beyond loopback and not encrypted; say "
                                    "--allow-plaintext if the network is private",
                                    address);
    }
    alm_http *http = alm_calloc(1, sizeof *http);
    if (http == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "http: out of memory");
    }
    http->g = g;
    pthread_mutex_init(&http->mutex, NULL);
    pthread_cond_init(&http->wake, NULL);
    if (pthread_create(&http->reaper, NULL, reap, http) != 0) {
        pthread_cond_destroy(&http->wake);
        pthread_mutex_destroy(&http->mutex);
        alm_free(http);
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "http: no thread to be had");
    }
    alm_code code = daemon_start(http, address, &at, st);
    if (code != ALM_OK) {
        alm_http_stop(&http);
        return code;
    }
    *ret = http;
    return ALM_OK;
}

void alm_http_stop(alm_http **http)
{
    if (*http == NULL) {
        return;
    }
    if ((*http)->daemon != NULL) {
        MHD_stop_daemon((*http)->daemon);
    }
    pthread_mutex_lock(&(*http)->mutex);
    (*http)->stop = true;
    pthread_cond_signal(&(*http)->wake);
    pthread_mutex_unlock(&(*http)->mutex);
    pthread_join((*http)->reaper, NULL);
    pthread_cond_destroy(&(*http)->wake);
    pthread_mutex_destroy(&(*http)->mutex);
    alm_free(*http);
    *http = NULL;
}

void alm_http_set_draining(alm_http *http)
{
    atomic_store(&http->draining, true);
}

unsigned alm_http_port(const alm_http *http)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info == NULL ? 0 : info->port;
}
