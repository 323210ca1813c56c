#include "client.h"

#include "alm/alloc.h"

#include <string.h>

#define CONNECT_MS_DEFAULT 3000

#define ALMANAC_CODE_CHECK(name, number, http, exit, text, retry)                                  \
    _Static_assert(ALMANAC_##name == (int)ALM_##name, "the public codes are ours");
ALM_CODE_MAP(ALMANAC_CODE_CHECK)

_Static_assert(sizeof(((almanac_error *)0)->field) == ALM_STATUS_FIELD_MAX, "copied whole");
_Static_assert(sizeof(((almanac_error *)0)->message) == ALM_STATUS_MESSAGE_MAX, "copied whole");

almanac_code alm_client_answer(alm_code code, const alm_status *st, almanac_error *error)
{
    if (code != ALM_OK && error != NULL) {
        error->code = (almanac_code)code;
        error->retry_after_ms = st->retry_after_ms;
        memcpy(error->field, st->field, sizeof error->field);
        memcpy(error->message, st->message, sizeof error->message);
    }
    return (almanac_code)code;
}

void alm_client_saw(almanac_client *client, uint64_t sequence)
{
    alm_seen_note(&client->seen, sequence, client->clock.mono_us(client->clock.self));
}

alm_code alm_client_code(uint32_t number)
{
    alm_code code = ALM_UNKNOWN;
    return alm_code_from_number(number, &code) ? code : ALM_UNKNOWN;
}

const char *almanac_code_name(almanac_code code)
{
    return alm_code_name(alm_client_code((uint32_t)code));
}

int almanac_code_exit(almanac_code code)
{
    return alm_code_exit(alm_client_code((uint32_t)code));
}

const char *almanac_version(void)
{
    return ALM_VERSION;
}

static alm_code wait_until_there(almanac_client *client, int64_t connect_ms, bool has_key,
                                 alm_status *st)
{
    if (connect_ms < 0) {
        return ALM_OK;
    }
    int64_t wait_ms = connect_ms == 0 ? CONNECT_MS_DEFAULT : connect_ms;
    alm_code code = alm_channel_wait_ready(client->channel, wait_ms, st);
    if (code == ALM_DEADLINE_EXCEEDED || code == ALM_UNAVAILABLE) {
        alm_status why = *st;
        return alm_status_set_field(st, ALM_UNAVAILABLE, "endpoint", "no almanac%s: %s",
                                    has_key ? " that takes our key and has the one we expect" : "",
                                    why.message);
    }
    return code;
}

typedef struct secrets {
    alm_keypair keypair;
    uint8_t server_key[ALM_CURVE_KEY_BYTES];
    char token[ALM_TOKEN_TEXT_BYTES];
} secrets;

static bool is_given(const char *file)
{
    return file != NULL && file[0] != '\0';
}

static alm_code load_identity(const almanac_client_opts *opts, secrets *s, alm_rpc_identity *ret,
                              alm_status *st)
{
    if (is_given(opts->key_file)) {
        ALM_TRY(alm_keypair_load(opts->key_file, &s->keypair, st));
        ret->keypair = &s->keypair;
    }
    if (is_given(opts->server_key)) {
        ALM_TRY(alm_public_key_load(opts->server_key, s->server_key, st));
        ret->server_key = s->server_key;
        if (ret->keypair == NULL) { // who is known by a token needs no key of their own to encrypt
            ALM_TRY(alm_keypair_generate(&s->keypair, st));
            ret->keypair = &s->keypair;
        }
    }
    if (is_given(opts->token_file)) {
        ALM_TRY(alm_token_load(opts->token_file, s->token, st));
        ret->token = s->token;
    }
    return ALM_OK;
}

static alm_code create_rpc(const almanac_client_opts *opts, alm_rpc **ret, alm_status *st)
{
    secrets s = {0};
    alm_rpc_opts rpc_opts = {0};
    alm_code code = load_identity(opts, &s, &rpc_opts.identity, st);
    if (code == ALM_OK) {
        code = alm_rpc_create(&rpc_opts, ret, st);
    }
    explicit_bzero(&s, sizeof s);
    return code;
}

static alm_code open_client(const char *endpoint, const almanac_client_opts *opts,
                            almanac_client **ret_client, alm_status *st)
{
    static const almanac_client_opts usual = {0};
    opts = opts != NULL ? opts : &usual;
    endpoint = endpoint != NULL ? endpoint : ALMANAC_ENDPOINT_DEFAULT;
    almanac_client *client = alm_calloc(1, sizeof *client);
    if (client == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "client: out of memory");
    }
    client->timeout_ms = opts->timeout_ms;
    client->clock = alm_clock_system();
    alm_code code = create_rpc(opts, &client->rpc, st);
    if (code == ALM_OK) {
        code = alm_channel_open(client->rpc, endpoint, NULL, &client->channel, st);
    }
    if (code == ALM_OK) {
        bool has_key = is_given(opts->key_file) || is_given(opts->server_key);
        code = wait_until_there(client, opts->connect_ms, has_key, st);
    }
    if (code != ALM_OK) {
        almanac_client_close(&client);
        return code;
    }
    *ret_client = client;
    return ALM_OK;
}

almanac_code almanac_client_open(const char *endpoint, const almanac_client_opts *opts,
                                 almanac_client **ret_client, almanac_error *error)
{
    alm_status st = ALM_STATUS_INIT;
    return alm_client_answer(open_client(endpoint, opts, ret_client, &st), &st, error);
}

void almanac_client_close(almanac_client **client)
{
    if (*client == NULL) {
        return;
    }
    if ((*client)->channel != NULL) {
        alm_channel_close(&(*client)->channel);
    }
    if ((*client)->rpc != NULL) {
        alm_rpc_destroy(&(*client)->rpc);
    }
    alm_free(*client);
    *client = NULL;
}
