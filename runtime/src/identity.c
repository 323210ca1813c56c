#include "identity.h"

#include <string.h>

const alm_option alm_identity_options[ALM_IDENTITY_OPTION_COUNT] = {
    {.name = "key-file",
     .type = ALM_OPTION_TEXT,
     .fallback = "",
     .placeholder = "FILE",
     .help = "this service's key pair (almanac keys new): encrypts every tcp connection"},
    {.name = "server-key",
     .type = ALM_OPTION_TEXT,
     .fallback = "",
     .placeholder = "FILE",
     .help = "the public key of the services it calls; without it they have the same key"},
    {.name = "policy",
     .type = ALM_OPTION_TEXT,
     .fallback = "",
     .placeholder = "FILE",
     .help = "who may connect and call what; read again on SIGHUP"},
    {.name = "token-file",
     .type = ALM_OPTION_TEXT,
     .fallback = "",
     .placeholder = "FILE",
     .help = "the token to show to the services it calls"},
};

static alm_code load(alm_identity *id, const alm_config *config, alm_status *st)
{
    const char *key_file = alm_config_text(config, "key-file");
    const char *server_key = alm_config_text(config, "server-key");
    const char *policy = alm_config_text(config, "policy");
    const char *token_file = alm_config_text(config, "token-file");
    if (key_file[0] != '\0') {
        ALM_TRY(alm_keypair_load(key_file, &id->keypair, st));
        id->has_keypair = true;
    }
    if (server_key[0] != '\0') {
        if (!id->has_keypair) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "server-key",
                                        "--server-key needs --key-file");
        }
        ALM_TRY(alm_public_key_load(server_key, id->server_key, st));
        id->has_server_key = true;
    }
    if (token_file[0] != '\0') {
        ALM_TRY(alm_token_load(token_file, id->token, st));
    }
    return policy[0] != '\0' ? alm_policy_load(policy, &id->policy, st) : ALM_OK;
}

alm_code alm_identity_open(alm_identity *ret, const alm_config *config, alm_status *st)
{
    *ret = (alm_identity){0};
    alm_code code = load(ret, config, st);
    if (code != ALM_OK) {
        alm_identity_close(ret);
    }
    return code;
}

void alm_identity_close(alm_identity *identity)
{
    alm_policy_destroy(&identity->policy);
    alm_keypair_wipe(&identity->keypair);
    alm_token_wipe(identity->token);
    *identity = (alm_identity){0};
}

alm_rpc_identity alm_identity_view(const alm_identity *identity)
{
    return (alm_rpc_identity){
        .keypair = identity->has_keypair ? &identity->keypair : NULL,
        .server_key = identity->has_server_key ? identity->server_key : NULL,
        .token = identity->token,
    };
}
