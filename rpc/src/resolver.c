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

// What the resolver works on without the lock: a copy, since the channel may be closed meanwhile.
typedef struct resolver_job {
    alm_channel *channel; // retained
    alm_target_name *names;
    size_t name_count;
} resolver_job;

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

// Without the lock. A name that cannot be resolved keeps the addresses it had.
static void work(alm_client *client, const resolver_job *job)
{
    alm_channel *channel = job->channel;
    alm_status st = ALM_STATUS_INIT;
    char(*found[16])[ALM_ADDRESS_BYTES_MAX] = {0};
    size_t counts[16] = {0};
    size_t name_count = ALM_MIN(job->name_count, ALM_ARRAY_LEN(found));
    alm_code code = ALM_OK;
    for (size_t i = 0; i < name_count && code == ALM_OK; i++) {
        code = alm_resolve(&job->names[i], &found[i], &counts[i], &st);
    }
    alm_lock(&client->lock);
    if (code != ALM_OK) {
        alm_channel_note_error(channel, st.message);
    } else if (!channel->is_closed) {
        unwant_all(channel);
        for (size_t i = 0; i < name_count; i++) {
            for (size_t j = 0; j < counts[i]; j++) {
                set_wanted(channel, found[i][j]);
            }
        }
        alm_client_wake(client);
    }
    alm_unlock(&client->lock);
    for (size_t i = 0; i < name_count; i++) {
        alm_free(found[i]);
    }
}

static void *run(void *arg)
{
    alm_client *client = arg;
    alm_lock(&client->lock);
    while (!client->is_stopping) {
        int64_t now_us = alm_rpc_now_us(client->rpc);
        int64_t until_us;
        alm_channel *channel = find_due(client, now_us, &until_us);
        if (channel == NULL) {
            int64_t wait_us = until_us == ALM_NEVER_US ? ALM_NEVER_US : until_us - now_us;
            alm_cond_wait_us(&client->resolver_work, &client->lock, wait_us);
            continue;
        }
        channel->resolve_us = now_us + channel->resolve_ms * 1000;
        channel->ref_count++; // its names stay as they are, and so stay valid
        resolver_job job = {channel, channel->names, channel->name_count};
        alm_unlock(&client->lock);
        work(client, &job);
        alm_lock(&client->lock);
        alm_channel_release(channel);
    }
    alm_unlock(&client->lock);
    return NULL;
}

alm_code alm_resolver_start(alm_client *client, alm_status *st)
{
    if (!client->has_resolver) {
        ALM_TRY(alm_thread_start(&client->resolver, run, client, st));
        client->has_resolver = true;
    }
    return ALM_OK;
}

void alm_resolver_kick(alm_channel *channel)
{
    if (channel->name_count > 0) {
        int64_t soon_us = alm_rpc_now_us(channel->client->rpc) + RESOLVE_PAUSE_US;
        channel->resolve_us = ALM_MIN(channel->resolve_us, soon_us);
        pthread_cond_broadcast(&channel->client->resolver_work);
    }
}
