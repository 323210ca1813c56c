#include "client.h"

#include "alm/alloc.h"

#include <netdb.h>
#include <stdio.h>

#define RESOLVE_PAUSE_US 100000 // between two kicks of one channel

alm_code alm_resolve(const alm_target_name *name, char (**ret)[ALM_ADDRESS_BYTES_MAX],
                     size_t *ret_count, alm_status *st)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int error = getaddrinfo(name->host, name->port, &hints, &list);
    if (error != 0) {
        return alm_status_set(st, ALM_UNAVAILABLE, "%s: %s", name->host, gai_strerror(error));
    }
    size_t count = 0;
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        count++;
    }
    count = ALM_MIN(count, (size_t)ALM_RPC_CONNECTION_COUNT_MAX);
    char(*addresses)[ALM_ADDRESS_BYTES_MAX] = alm_calloc(count, sizeof *addresses);
    size_t filled = 0;
    for (const struct addrinfo *at = list; at != NULL && filled < count && addresses != NULL;
         at = at->ai_next) {
        char host[NI_MAXHOST];
        if (getnameinfo(at->ai_addr, at->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST) !=
            0) {
            continue;
        }
        bool is_v6 = at->ai_family == AF_INET6;
        int len = snprintf(addresses[filled], sizeof *addresses,
                           is_v6 ? "tcp://[%s]:%s" : "tcp://%s:%s", host, name->port);
        filled += len > 0 && len < ALM_ADDRESS_BYTES_MAX;
    }
    freeaddrinfo(list);
    if (addresses == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for %zu addresses", count);
    }
    *ret = addresses;
    *ret_count = filled;
    return ALM_OK;
}

static alm_connection *find_connection(alm_channel *channel, const char *address)
{
    alm_connection *connection;
    DL_FOREACH(channel->connections, connection)
    {
        if (strcmp(connection->address, address) == 0) {
            return connection;
        }
    }
    return NULL;
}

static void set_wanted(alm_channel *channel, const char *address)
{
    alm_connection *connection = find_connection(channel, address);
    alm_status st;
    if (connection != NULL) {
        connection->is_wanted = true;
    } else if (alm_connection_add(channel, address, &connection, &st) != ALM_OK) {
        alm_channel_note_error(channel, st.message);
    }
}

static void unwant_all(alm_channel *channel)
{
    alm_connection *connection;
    DL_FOREACH(channel->connections, connection)
    {
        connection->is_wanted = connection->is_static;
    }
}

struct alm_resolver {
    pthread_t thread;
    alm_client *client;
    // Held by the thread while it takes what it has found to the client, and by the client's end.
    // Order: this lock, then the client's.
    pthread_mutex_t lock;
    bool is_orphan; // guarded by lock: there is no client any more
    // Guarded by the client's lock:
    pthread_cond_t work;
    bool is_out;            // at a name server, holding no lock
    alm_channel *channel;   // retained while out
    alm_target_name *names; // a copy of the channel's
    size_t name_count;
};

static void resolver_free(alm_resolver *resolver)
{
    alm_free(resolver->names);
    pthread_cond_destroy(&resolver->work);
    pthread_mutex_destroy(&resolver->lock);
    alm_free(resolver);
}

// The addresses of all names. One that cannot be resolved spoils the whole: its channel keeps the
// addresses it had.
typedef struct answer {
    char (*addresses)[ALM_ADDRESS_BYTES_MAX];
    size_t count;
    alm_code code;
    alm_status st;
} answer;

static alm_code append(answer *all, const alm_target_name *name)
{
    char(*found)[ALM_ADDRESS_BYTES_MAX];
    size_t count = 0;
    ALM_TRY(alm_resolve(name, &found, &count, &all->st));
    void *grown = alm_realloc(all->addresses, (all->count + count) * sizeof *found);
    if (grown == NULL) {
        alm_free(found);
        return alm_status_set(&all->st, ALM_RESOURCE_EXHAUSTED, "no memory for addresses");
    }
    all->addresses = grown;
    memcpy(all->addresses + all->count, found, count * sizeof *found);
    all->count += count;
    alm_free(found);
    return ALM_OK;
}

// Without any lock.
static answer ask(const alm_target_name *names, size_t count)
{
    answer all = {.st = ALM_STATUS_INIT};
    for (size_t i = 0; i < count && all.code == ALM_OK; i++) {
        all.code = append(&all, &names[i]);
    }
    return all;
}

static void apply(alm_channel *channel, const answer *all)
{
    if (all->code != ALM_OK) {
        alm_channel_note_error(channel, all->st.message);
        return;
    }
    if (channel->is_closed) {
        return;
    }
    unwant_all(channel);
    for (size_t i = 0; i < all->count; i++) {
        set_wanted(channel, all->addresses[i]);
    }
    alm_client_wake(channel->client);
}

static alm_channel *find_due(alm_client *client, int64_t now_us, int64_t *ret_until_us)
{
    alm_channel *channel;
    *ret_until_us = ALM_NEVER_US;
    DL_FOREACH(client->channels, channel)
    {
        if (channel->name_count == 0 || channel->is_closed) {
            continue;
        }
        if (channel->resolve_us <= now_us) {
            return channel;
        }
        *ret_until_us = ALM_MIN(*ret_until_us, channel->resolve_us);
    }
    return NULL;
}

// With the client's lock held: waits for a channel that is due and takes its names along. False:
// the client stops.
static bool take_job(alm_resolver *resolver)
{
    alm_client *client = resolver->client;
    while (!client->is_stopping) {
        int64_t now_us = alm_rpc_now_us(client->rpc);
        int64_t until_us;
        alm_channel *channel = find_due(client, now_us, &until_us);
        if (channel == NULL) {
            int64_t wait_us = until_us == ALM_NEVER_US ? ALM_NEVER_US : until_us - now_us;
            alm_cond_wait_us(&resolver->work, client->lock, wait_us);
            continue;
        }
        channel->resolve_us = now_us + channel->resolve_ms * 1000;
        size_t size = channel->name_count * sizeof *channel->names;
        alm_target_name *names = alm_realloc(resolver->names, size);
        if (names != NULL) {
            memcpy(names, channel->names, size);
            channel->ref_count++;
            resolver->names = names;
            resolver->name_count = channel->name_count;
            resolver->channel = channel;
            resolver->is_out = true;
            return true;
        }
    }
    return false;
}

static void *run(void *arg)
{
    alm_resolver *resolver = arg;
    alm_client *client = resolver->client;
    alm_lock(client->lock);
    while (take_job(resolver)) {
        alm_unlock(client->lock);
        answer all = ask(resolver->names, resolver->name_count);
        alm_lock(&resolver->lock);
        if (resolver->is_orphan) {
            alm_unlock(&resolver->lock);
            alm_free(all.addresses);
            resolver_free(resolver);
            return NULL;
        }
        alm_lock(client->lock);
        alm_unlock(&resolver->lock);
        apply(resolver->channel, &all);
        alm_channel_release(resolver->channel);
        resolver->channel = NULL;
        resolver->is_out = false;
        alm_free(all.addresses);
    }
    alm_unlock(client->lock);
    return NULL;
}

alm_code alm_resolver_start(alm_client *client, alm_resolver **ret, alm_status *st)
{
    if (*ret != NULL) {
        return ALM_OK;
    }
    alm_resolver *resolver = alm_calloc(1, sizeof *resolver);
    if (resolver == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a resolver");
    }
    resolver->client = client;
    pthread_mutex_init(&resolver->lock, NULL);
    alm_cond_init(&resolver->work);
    alm_code code = alm_thread_start(&resolver->thread, run, resolver, st);
    if (code != ALM_OK) {
        resolver_free(resolver);
        return code;
    }
    *ret = resolver;
    return ALM_OK;
}

void alm_resolver_stop(alm_resolver **resolver)
{
    alm_resolver *self = *resolver;
    if (self == NULL) {
        return;
    }
    alm_client *client = self->client;
    alm_lock(&self->lock);
    alm_lock(client->lock);
    ALM_ASSERT(client->is_stopping);
    pthread_cond_broadcast(&self->work);
    bool is_out = self->is_out;
    if (is_out) {
        self->is_orphan = true;
        alm_channel_release(self->channel);
        pthread_detach(self->thread);
    }
    alm_unlock(client->lock);
    alm_unlock(&self->lock); // an orphan may be gone from here on
    if (!is_out) {
        pthread_join(self->thread, NULL);
        resolver_free(self);
    }
    *resolver = NULL;
}

void alm_resolver_wake(alm_resolver *resolver)
{
    if (resolver != NULL) {
        pthread_cond_broadcast(&resolver->work);
    }
}

void alm_resolver_kick(alm_channel *channel)
{
    if (channel->name_count > 0) {
        int64_t soon_us = alm_rpc_now_us(channel->client->rpc) + RESOLVE_PAUSE_US;
        channel->resolve_us = ALM_MIN(channel->resolve_us, soon_us);
        alm_resolver_wake(channel->client->resolver);
    }
}
