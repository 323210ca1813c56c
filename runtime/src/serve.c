#include "alm/module.h"

#include <stdio.h>
#include <string.h>

enum { ADDRESS_MAX = 512 };

static alm_code addresses_bind(alm_server *server, const char *list, alm_status *st)
{
    alm_str rest = alm_str_from(list);
    alm_str part;
    while (alm_str_split(&rest, ',', &part)) {
        char address[ADDRESS_MAX];
        part = alm_str_trim(part);
        if (part.len == 0 || part.len >= sizeof address) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "bind",
                                        "--bind %s: an address between the commas is empty or too "
                                        "long",
                                        list);
        }
        memcpy(address, part.data, part.len);
        address[part.len] = '\0';
        ALM_TRY(alm_server_bind(server, address, st));
    }
    return ALM_OK;
}

alm_code alm_module_serve(const alm_module_ctx *ctx, const alm_module_service *service,
                          alm_server **ret, alm_status *st)
{
    alm_server_opts opts = {
        .name = service->name,
        .allow_plaintext = ctx->allow_plaintext,
        .keypair = ctx->keypair,
        .policy = ctx->policy,
    };
    alm_server *server = NULL;
    ALM_TRY(alm_server_create(ctx->rpc, &opts, &server, st));
    alm_code code = alm_server_add(server, service->def, service->handlers, service->self, st);
    for (size_t i = 0; code == ALM_OK && i < service->forward_count; i++) {
        alm_server_forward(server, service->def, &service->forwards[i]);
    }
    for (size_t i = 0; code == ALM_OK && i < service->look_count; i++) {
        alm_server_look_first(server, service->def, &service->looks[i]);
    }
    if (code == ALM_OK) {
        code = addresses_bind(server, ctx->bind, st);
    }
    if (code == ALM_OK) {
        code = alm_server_start(server, st);
    }
    if (code != ALM_OK) {
        alm_server_destroy(&server);
        return code;
    }
    *ret = server;
    return ALM_OK;
}
