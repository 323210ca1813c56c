#include "order.h"

#include <stdio.h>
#include <string.h>

static bool among(const alm_module *const *modules, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(modules[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

// A need is met when it has started, or is no module of this process.
static bool needs_met(const alm_module *module, const alm_module *const *modules, size_t count,
                      const alm_module *const *started, size_t started_count)
{
    for (const char *const *need = module->needs; need != NULL && *need != NULL; need++) {
        if (among(modules, count, *need) && !among(started, started_count, *need)) {
            return false;
        }
    }
    return true;
}

alm_code alm_module_order(const alm_module *const *modules, const alm_module **ret,
                          size_t *ret_count, alm_status *st)
{
    size_t count = 0;
    size_t started = 0;
    while (modules[count] != NULL) {
        count++;
    }
    while (started < count) {
        size_t before = started;
        for (size_t i = 0; i < count; i++) {
            if (!among(ret, started, modules[i]->name) &&
                needs_met(modules[i], modules, count, ret, started)) {
                ret[started++] = modules[i];
            }
        }
        if (started == before) {
            for (size_t i = 0; i < count; i++) {
                if (!among(ret, started, modules[i]->name)) {
                    return alm_status_set(st, ALM_INVALID_ARGUMENT,
                                          "module %s needs a module that needs it",
                                          modules[i]->name);
                }
            }
        }
    }
    *ret_count = count;
    return ALM_OK;
}

alm_code alm_probe_address(const char *bind, char *out, size_t size, alm_status *st)
{
    static const char *const anywhere[] = {"tcp://0.0.0.0:", "tcp://*:", "tcp://[::]:"};
    size_t len = strcspn(bind, ",");
    const char *host = "";
    for (size_t i = 0; i < ALM_ARRAY_LEN(anywhere); i++) {
        size_t prefix = strlen(anywhere[i]);
        if (len >= prefix && memcmp(bind, anywhere[i], prefix) == 0) {
            host = "tcp://127.0.0.1:";
            bind += prefix;
            len -= prefix;
            break;
        }
    }
    int written = snprintf(out, size, "%s%.*s", host, (int)len, bind);
    if (written < 0 || (size_t)written >= size) {
        return alm_status_set(st, ALM_OUT_OF_RANGE, "address %s is too long", bind);
    }
    return ALM_OK;
}
