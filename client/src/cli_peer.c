#include "cli_peer.h"

#include "cli_nearest.h"
#include "cli_source.h"
#include "client.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for what the server says");
}

int cli_peer_fail(cli *self, const alm_status *st)
{
    fprintf(self->err, "almanac: %s: %s\n", alm_code_name(st->code), st->message);
    if (st->field[0] != '\0') {
        fprintf(self->err, "  field: %s\n", st->field);
    }
    if (st->retry_after_ms > 0) {
        fprintf(self->err, "  retry after: %u ms\n", st->retry_after_ms);
    }
    return alm_code_exit(st->code);
}

// --- what the server says ------------------------------------------------------------------------

static alm_code ask(const cli_peer *peer, const char *method, const ProtobufCMessage *request,
                    ProtobufCMessage **ret, alm_status *st)
{
    alm_call_opts opts = {.timeout_ms = alm_config_int(peer->cli->config, "timeout")};
    alm_code code = alm_channel_call(peer->channel, &alm_service_reflection, method, &opts, request,
                                     peer->cli->arena, ret, st);
    if (code != ALM_OK) {
        alm_status_prefix(st, "%s: Reflection", peer->address);
    }
    return code;
}

bool cli_peer_open(cli *self, cli_peer *ret, int *ret_exit)
{
    Almanac__Internal__ListServicesRequest request;
    ProtobufCMessage *reply = NULL;
    alm_status st = ALM_STATUS_INIT;
    const char *server = cli_text(self, "server");
    *ret =
        (cli_peer){.cli = self, .address = server[0] != '\0' ? server : cli_text(self, "endpoint")};
    if (!cli_connect_to(self, ret->address, ret_exit)) {
        return false;
    }
    ret->channel = self->client->channel;
    almanac__internal__list_services_request__init(&request);
    if (ask(ret, "ListServices", &request.base, &reply, &st) != ALM_OK) {
        *ret_exit = cli_peer_fail(self, &st);
        return false;
    }
    ret->served = (const Almanac__Internal__ListServicesResponse *)reply;
    return true;
}

static alm_code learn_from_file(cli_peer *peer, const char *path, alm_status *st)
{
    cli_source source;
    alm_str set;
    alm_schema *schema = NULL;
    const char *text = alm_arena_printf(peer->cli->arena, "@%s", path);
    if (text == NULL) {
        return no_memory(st);
    }
    alm_code code = cli_source_open(path, text, &source, st);
    if (code == ALM_OK) {
        code = cli_source_whole(&source, &set, st);
        if (code == ALM_OK) {
            code = alm_schema_create(set, peer->cli->arena, &schema, st);
            if (code != ALM_OK) {
                alm_status_prefix(st, "%s", path);
            }
        }
    }
    cli_source_close(&source);
    peer->schema = schema;
    return code;
}

alm_code cli_peer_learn(cli_peer *peer, alm_status *st)
{
    Almanac__Internal__FileDescriptorsRequest request;
    ProtobufCMessage *reply = NULL;
    alm_schema *schema = NULL;
    const char *path = cli_text(peer->cli, "protoset");
    if (path[0] != '\0') {
        return learn_from_file(peer, path, st);
    }
    almanac__internal__file_descriptors_request__init(&request);
    ALM_TRY(ask(peer, "FileDescriptors", &request.base, &reply, st));
    const ProtobufCBinaryData *set =
        &((const Almanac__Internal__FileDescriptorsResponse *)reply)->file_descriptor_set;
    alm_str bytes = {.data = (const char *)set->data, .len = set->len};
    alm_code code = alm_schema_create(bytes, peer->cli->arena, &schema, st);
    if (code != ALM_OK) {
        return alm_status_prefix(st, "%s: its descriptors", peer->address);
    }
    peer->schema = schema;
    return ALM_OK;
}

// --- names ---------------------------------------------------------------------------------------

static alm_str last_part(alm_str name)
{
    for (size_t i = name.len; i > 0; i--) {
        if (name.data[i - 1] == '.') {
            return alm_str_slice(name, i, name.len);
        }
    }
    return name;
}

bool cli_peer_split(alm_str word, alm_str *ret_service, alm_str *ret_method)
{
    size_t slash = alm_str_find_char(word, '/');
    *ret_method = slash == SIZE_MAX ? last_part(word) : alm_str_slice(word, slash + 1, word.len);
    size_t left = word.len - ret_method->len;
    *ret_service = alm_str_slice(word, 0, left > 0 ? left - 1 : 0);
    return ret_service->len > 0 && ret_method->len > 0;
}

// Fails with the nearest of the names, or with all of them where none is near. names is ended here.
static alm_code fail_unknown(const char *who, const char *what, alm_str name, alm_buf *names,
                             alm_status *st)
{
    alm_buf_char(names, '\0');
    const char *all = names->failed ? "" : (const char *)names->data;
    alm_str near = cli_nearest_of(name, all);
    return alm_status_set(st, ALM_NOT_FOUND, "%s %s %.*s: %s %.*s%s", who, what, ALM_STR_ARGS(name),
                          near.len > 0 ? "did you mean" : "one of",
                          ALM_STR_ARGS(near.len > 0 ? near : alm_str_from(all)),
                          near.len > 0 ? "?" : "");
}

static void add_name(alm_buf *names, alm_str name)
{
    alm_buf_str(names, names->len > 0 ? ALM_STR("|") : ALM_STR(""));
    alm_buf_str(names, name);
}

// The names as a list for cli_nearest_of: in full if that is how the word is written.
static void add_service(alm_buf *names, alm_str word, const char *full)
{
    bool is_full = alm_str_find_char(word, '.') != SIZE_MAX;
    alm_str name = alm_str_from(full);
    add_name(names, is_full ? name : last_part(name));
}

static bool is_called(const char *full, alm_str name)
{
    alm_str whole = alm_str_from(full);
    return alm_str_eq(whole, name) || alm_str_eq(last_part(whole), name);
}

static const Almanac__Internal__ServiceInfo *find_served(const cli_peer *peer, alm_str name)
{
    for (size_t i = 0; i < peer->served->n_services; i++) {
        if (is_called(peer->served->services[i]->name, name)) {
            return peer->served->services[i];
        }
    }
    return NULL;
}

alm_code cli_peer_service(const cli_peer *peer, alm_str name,
                          const Almanac__Internal__ServiceInfo **ret, alm_status *st)
{
    *ret = find_served(peer, name);
    if (*ret != NULL) {
        return ALM_OK;
    }
    alm_buf names;
    alm_buf_init(&names, 0);
    for (size_t i = 0; i < peer->served->n_services; i++) {
        add_service(&names, name, peer->served->services[i]->name);
    }
    alm_code code = fail_unknown(peer->address, "serves no", name, &names, st);
    alm_buf_deinit(&names);
    return code;
}

const alm_symbol *cli_peer_service_symbol(const cli_peer *peer, alm_str name, bool is_served)
{
    size_t count = 0;
    const alm_symbol *symbols = alm_schema_symbols(peer->schema, &count);
    const Almanac__Internal__ServiceInfo *info = find_served(peer, name);
    if (info == NULL && is_served) {
        return NULL;
    }
    name = info != NULL ? alm_str_from(info->name) : name;
    for (size_t i = 0; i < count; i++) {
        if (symbols[i].kind == ALM_SYMBOL_SERVICE && is_called(symbols[i].name, name)) {
            return &symbols[i];
        }
    }
    return NULL;
}

// "" when none is near. Lives in the command line's arena.
static alm_str nearest_symbol(const cli_peer *peer, alm_str word)
{
    size_t count = 0;
    const alm_symbol *symbols = alm_schema_symbols(peer->schema, &count);
    alm_buf names;
    alm_buf_init(&names, 0);
    for (size_t i = 0; i < count; i++) {
        add_service(&names, word, symbols[i].name);
    }
    alm_buf_char(&names, '\0');
    alm_str near = names.failed ? ALM_STR("") : cli_nearest_of(word, (const char *)names.data);
    const char *copy = alm_arena_strdup(peer->cli->arena, near);
    alm_buf_deinit(&names);
    return alm_str_from(copy);
}

alm_code cli_peer_symbol(const cli_peer *peer, alm_str name, const alm_symbol **ret, alm_status *st)
{
    alm_str service, method;
    alm_code code = alm_schema_find(peer->schema, name, ret, st);
    if (code != ALM_NOT_FOUND) {
        return code;
    }
    alm_str near = nearest_symbol(peer, name);
    bool has_parts = near.len == 0 && cli_peer_split(name, &service, &method);
    if (has_parts) {
        near = nearest_symbol(peer, service);
    }
    if (near.len == 0) {
        return code; // st says it all
    }
    return alm_status_set(st, ALM_NOT_FOUND,
                          "no message, enum or service %.*s: did you mean %.*s%s%.*s?",
                          ALM_STR_ARGS(name), ALM_STR_ARGS(near), has_parts ? "." : "",
                          ALM_STR_ARGS(has_parts ? method : ALM_STR("")));
}

// The service with what the server says of its methods.
static const alm_service_def *complete(const cli_peer *peer, const alm_service_def *known,
                                       const Almanac__Internal__ServiceInfo *info)
{
    size_t count = known->descriptor->n_methods;
    alm_service_def *def = alm_arena_calloc(peer->cli->arena, 1, sizeof *def);
    alm_method_def *methods = alm_arena_calloc(peer->cli->arena, count, sizeof *methods);
    if (def == NULL || methods == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        methods[i] = known->methods[i];
        for (size_t m = 0; m < info->n_methods; m++) {
            const Almanac__Internal__MethodInfo *method = info->methods[m];
            if (strcmp(method->name, methods[i].name) == 0) {
                methods[i].repeat = method->idempotent ? ALM_REPEAT_SAFE
                                    : method->keyed    ? ALM_REPEAT_KEYED
                                                       : ALM_REPEAT_NEVER;
            }
        }
    }
    *def = (alm_service_def){.descriptor = known->descriptor, .methods = methods};
    return def;
}

alm_code cli_peer_method(const alm_service_def *service, alm_str name, unsigned *ret,
                         alm_status *st)
{
    const ProtobufCServiceDescriptor *descriptor = service->descriptor;
    alm_buf names;
    alm_buf_init(&names, 0);
    for (unsigned i = 0; i < descriptor->n_methods; i++) {
        if (alm_str_eq(alm_str_from(descriptor->methods[i].name), name)) {
            alm_buf_deinit(&names);
            *ret = i;
            return ALM_OK;
        }
        add_name(&names, alm_str_from(descriptor->methods[i].name));
    }
    alm_code code = fail_unknown(descriptor->name, "has no method", name, &names, st);
    alm_buf_deinit(&names);
    return code;
}

alm_code cli_peer_def(const cli_peer *peer, const Almanac__Internal__ServiceInfo *service,
                      const alm_service_def **ret, alm_status *st)
{
    const alm_symbol *symbol = NULL;
    alm_code code = alm_schema_find(peer->schema, alm_str_from(service->name), &symbol, NULL);
    if (code != ALM_OK || symbol->kind != ALM_SYMBOL_SERVICE) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "%s serves %s but the descriptors do not have it: give others by "
                              "--protoset",
                              peer->address, service->name);
    }
    *ret = complete(peer, symbol->service, service);
    return *ret != NULL ? ALM_OK : no_memory(st);
}

const char *cli_peer_repeat(const Almanac__Internal__MethodInfo *method)
{
    return method->idempotent ? "safe" : method->keyed ? "keyed" : "never";
}

const char *cli_peer_kind(const Almanac__Internal__MethodInfo *method)
{
    if (method->client_streaming) {
        return method->server_streaming ? "bidi stream" : "client stream";
    }
    return method->server_streaming ? "server stream" : "unary";
}
