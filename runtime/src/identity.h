// Who a process is and whom it lets in: keys, token and policy from the files the options name.
#ifndef ALM_RUNTIME_IDENTITY_H
#define ALM_RUNTIME_IDENTITY_H

#include "alm/auth.h"
#include "alm/config.h"
#include "alm/rpc.h"

typedef struct alm_identity {
    alm_keypair keypair;
    bool has_keypair;
    uint8_t server_key[ALM_CURVE_KEY_BYTES];
    bool has_server_key;
    char token[ALM_TOKEN_TEXT_BYTES];
    alm_policy *policy; // NULL: none
} alm_identity;

#define ALM_IDENTITY_OPTION_COUNT 4
extern const alm_option alm_identity_options[ALM_IDENTITY_OPTION_COUNT];

// On failure there is nothing to close. Errors as the loading functions of alm/auth.h, with the
// option in front.
ALM_MUST_USE alm_code alm_identity_open(alm_identity *ret, const alm_config *config,
                                        alm_status *st);
void alm_identity_close(alm_identity *identity);

// Views of it, for alm_rpc_opts.
alm_rpc_identity alm_identity_view(const alm_identity *identity);

#endif
