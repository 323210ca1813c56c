#include "zap.h"

#include "alm/alloc.h"
#include "sync.h"

#include <stdio.h>
#include <utlist.h>
#include <zmq.h>

#define ENDPOINT        "inproc://zeromq.zap.01"
#define STOP_ENDPOINT   "inproc://alm.zap.stop"
#define FIELD_COUNT     7   // version, request id, domain, address, identity, mechanism, key
#define FIELD_BYTES_MAX 256 // RFC 27: 255 for each, and we send none longer

struct alm_zap_domain {
    alm_zap_domain *prev, *next;
    char name[32];
    alm_port_admit admit;
    void *arg;
};

struct alm_zap {
    pthread_mutex_t lock; // guards domains and id_last; held while admit runs
    alm_zap_domain *domains;
    uint64_t id_last;
    void *requests; // the thread's
    void *stopped;  // the thread's end of a pair
    void *stop;
    pthread_t thread;
};

typedef struct zap_request {
    char bytes[FIELD_COUNT][FIELD_BYTES_MAX];
    alm_str fields[FIELD_COUNT];
} zap_request;

// Takes a whole message. False: other than seven fields, or one too long.
static bool take_request(void *socket, zap_request *ret)
{
    size_t count = 0;
    bool is_right = true;
    for (int more = 1; more != 0;) {
        char extra[1];
        bool is_field = count < FIELD_COUNT;
        int got = zmq_recv(socket, is_field ? ret->bytes[count] : extra,
                           is_field ? FIELD_BYTES_MAX : sizeof extra, 0);
        size_t size = sizeof more;
        if (got < 0 || zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) != 0) {
            return false;
        }
        is_right = is_right && is_field && got < FIELD_BYTES_MAX;
        if (is_right) {
            ret->fields[count] = (alm_str){.data = ret->bytes[count], .len = (size_t)got};
        }
        count++;
    }
    return is_right && count == FIELD_COUNT;
}

static bool admit(alm_zap *self, const zap_request *request, char ret_user[ALM_USER_BYTES_MAX])
{
    const alm_str *field = request->fields;
    if (!alm_str_eq(field[0], ALM_STR("1.0")) || !alm_str_eq(field[5], ALM_STR("CURVE")) ||
        field[6].len != ALM_CURVE_KEY_BYTES) {
        return false;
    }
    bool is_admitted = false;
    alm_lock(&self->lock);
    alm_zap_domain *domain;
    DL_FOREACH(self->domains, domain)
    {
        if (alm_str_eq(field[2], alm_str_from(domain->name))) {
            is_admitted = domain->admit == NULL ||
                          domain->admit(domain->arg, (const uint8_t *)field[6].data, ret_user);
            break;
        }
    }
    alm_unlock(&self->lock);
    return is_admitted;
}

static void answer(alm_zap *self)
{
    zap_request request = {0};
    char user[ALM_USER_BYTES_MAX] = "";
    bool is_admitted = take_request(self->requests, &request) && admit(self, &request, user);
    const alm_str fields[] = {
        ALM_STR("1.0"),
        request.fields[1],
        is_admitted ? ALM_STR("200") : ALM_STR("400"),
        is_admitted ? ALM_STR("OK") : ALM_STR("not admitted"),
        alm_str_from(is_admitted ? user : ""),
        ALM_STR(""), // metadata
    };
    for (size_t i = 0; i < ALM_ARRAY_LEN(fields); i++) {
        int flags = i + 1 < ALM_ARRAY_LEN(fields) ? ZMQ_SNDMORE : 0;
        (void)zmq_send(self->requests, fields[i].data, fields[i].len, flags);
    }
}

static void *run(void *arg)
{
    alm_zap *self = arg;
    zmq_pollitem_t items[] = {
        {.socket = self->requests, .events = ZMQ_POLLIN},
        {.socket = self->stopped, .events = ZMQ_POLLIN},
    };
    while (items[1].revents == 0) {
        if (zmq_poll(items, (int)ALM_ARRAY_LEN(items), -1) > 0 && items[0].revents != 0) {
            answer(self);
        }
    }
    return NULL;
}

static void close_sockets(alm_zap *self)
{
    void *const sockets[] = {self->requests, self->stopped, self->stop};
    for (size_t i = 0; i < ALM_ARRAY_LEN(sockets); i++) {
        if (sockets[i] != NULL) {
            int linger_ms = 0;
            zmq_setsockopt(sockets[i], ZMQ_LINGER, &linger_ms, sizeof linger_ms);
            zmq_close(sockets[i]);
        }
    }
}

static bool open_sockets(alm_zap *self, void *ctx)
{
    self->requests = zmq_socket(ctx, ZMQ_REP);
    self->stopped = zmq_socket(ctx, ZMQ_PAIR);
    self->stop = zmq_socket(ctx, ZMQ_PAIR);
    return self->requests != NULL && self->stopped != NULL && self->stop != NULL &&
           zmq_bind(self->requests, ENDPOINT) == 0 && zmq_bind(self->stopped, STOP_ENDPOINT) == 0 &&
           zmq_connect(self->stop, STOP_ENDPOINT) == 0;
}

alm_code alm_zap_start(void *ctx, alm_zap **ret, alm_status *st)
{
    alm_zap *self = alm_calloc(1, sizeof *self);
    if (self == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to answer ZAP");
    }
    alm_code code =
        open_sockets(self, ctx)
            ? ALM_OK
            : alm_status_set(st, ALM_UNAVAILABLE, "answering ZAP: %s", zmq_strerror(zmq_errno()));
    pthread_mutex_init(&self->lock, NULL);
    if (code == ALM_OK) {
        code = alm_thread_start(&self->thread, run, self, st);
    }
    if (code != ALM_OK) {
        close_sockets(self);
        pthread_mutex_destroy(&self->lock);
        alm_free(self);
        return code;
    }
    *ret = self;
    return ALM_OK;
}

void alm_zap_stop(alm_zap **zap)
{
    alm_zap *self = *zap;
    if (self != NULL) {
        ALM_ASSERT(self->domains == NULL);
        (void)zmq_send(self->stop, "", 0, 0);
        pthread_join(self->thread, NULL);
        close_sockets(self);
        pthread_mutex_destroy(&self->lock);
        alm_free(self);
        *zap = NULL;
    }
}

alm_code alm_zap_domain_add(alm_zap *zap, alm_port_admit may, void *arg, alm_zap_domain **ret,
                            alm_status *st)
{
    alm_zap_domain *domain = alm_calloc(1, sizeof *domain);
    if (domain == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a ZAP domain");
    }
    domain->admit = may;
    domain->arg = arg;
    alm_lock(&zap->lock);
    snprintf(domain->name, sizeof domain->name, "alm-%llu", (unsigned long long)++zap->id_last);
    DL_APPEND(zap->domains, domain);
    alm_unlock(&zap->lock);
    *ret = domain;
    return ALM_OK;
}

void alm_zap_domain_remove(alm_zap *zap, alm_zap_domain **domain)
{
    if (*domain != NULL) {
        alm_lock(&zap->lock);
        DL_DELETE(zap->domains, *domain);
        alm_unlock(&zap->lock);
        alm_free(*domain);
        *domain = NULL;
    }
}

const char *alm_zap_domain_name(const alm_zap_domain *domain)
{
    return domain->name;
}
