// rpc: what a server serves, what its messages are, and calls of it, all by its Reflection.
#include "cli_rpc.h"

#include "cli_command.h"
#include "cli_csv.h"
#include "cli_json.h"
#include "cli_peer.h"
#include "cli_table.h"

// --- list ----------------------------------------------------------------------------------------

// The services that are shown: all, or one.
typedef struct selection {
    Almanac__Internal__ServiceInfo *const *services;
    size_t count;
} selection;

static bool list_table(cli *self, selection shown)
{
    const cli_column columns[] = {{.title = cli_say(self, "方法", "Method"), .keeps = true},
                                  {.title = cli_say(self, "类型", "Kind")},
                                  {.title = cli_say(self, "角色", "Role")},
                                  {.title = cli_say(self, "重试", "Repeat")}};
    cli_table *table = cli_table_create(self->arena, columns, ALM_ARRAY_LEN(columns));
    for (size_t i = 0; i < shown.count; i++) {
        const Almanac__Internal__ServiceInfo *service = shown.services[i];
        cli_table_section(table, service->name);
        for (size_t m = 0; m < service->n_methods; m++) {
            cli_table_cell(table, service->methods[m]->name);
            cli_table_cell(table, cli_peer_kind(service->methods[m]));
            cli_table_cell(table, service->methods[m]->role);
            cli_table_cell(table, cli_peer_repeat(service->methods[m]));
        }
    }
    return cli_table_print(table, self->out, self->columns, self->color);
}

static void list_csv(cli *self, selection shown)
{
    static const char *const titles[] = {"service", "method",  "kind",    "role",
                                         "repeat",  "request", "response"};
    cli_csv csv = {.out = self->out};
    for (size_t i = 0; i < ALM_ARRAY_LEN(titles); i++) {
        cli_csv_raw(&csv, titles[i]);
    }
    cli_csv_end(&csv);
    for (size_t i = 0; i < shown.count; i++) {
        for (size_t m = 0; m < shown.services[i]->n_methods; m++) {
            const Almanac__Internal__MethodInfo *method = shown.services[i]->methods[m];
            cli_csv_text(&csv, shown.services[i]->name);
            cli_csv_text(&csv, method->name);
            cli_csv_raw(&csv, cli_peer_kind(method));
            cli_csv_text(&csv, method->role);
            cli_csv_raw(&csv, cli_peer_repeat(method));
            cli_csv_text(&csv, method->request);
            cli_csv_text(&csv, method->response);
            cli_csv_end(&csv);
        }
    }
}

static void list_json(cli *self, selection shown)
{
    cli_json json = {.out = self->out};
    cli_json_object(&json, NULL);
    cli_json_array(&json, "services");
    for (size_t i = 0; i < shown.count; i++) {
        cli_json_object(&json, NULL);
        cli_json_text(&json, "name", shown.services[i]->name);
        cli_json_array(&json, "methods");
        for (size_t m = 0; m < shown.services[i]->n_methods; m++) {
            const Almanac__Internal__MethodInfo *method = shown.services[i]->methods[m];
            cli_json_object(&json, NULL);
            cli_json_text(&json, "name", method->name);
            cli_json_text(&json, "kind", cli_peer_kind(method));
            cli_json_text(&json, "role", method->role);
            cli_json_text(&json, "repeat", cli_peer_repeat(method));
            cli_json_text(&json, "request", method->request);
            cli_json_text(&json, "response", method->response);
            cli_json_end_object(&json);
        }
        cli_json_end_array(&json);
        cli_json_end_object(&json);
    }
    cli_json_end_array(&json);
    cli_json_end_object(&json);
    cli_json_line(&json);
}

static int list(cli *self, const cli_peer *peer, const char *name)
{
    alm_status st = ALM_STATUS_INIT;
    const Almanac__Internal__ServiceInfo *one = NULL;
    selection shown = {peer->served->services, peer->served->n_services};
    if (name != NULL) {
        if (cli_peer_service(peer, alm_str_from(name), &one, &st) != ALM_OK) {
            return cli_peer_fail(self, &st);
        }
        for (size_t i = 0; i < shown.count; i++) {
            if (shown.services[i] == one) {
                shown = (selection){&shown.services[i], 1};
            }
        }
    }
    switch (self->output) {
    case CLI_TABLE:
        return list_table(self, shown) ? 0 : cli_fail_memory(self);
    case CLI_CSV:
        list_csv(self, shown);
        break;
    case CLI_JSON:
        list_json(self, shown);
        break;
    }
    return 0;
}

// --- describe ------------------------------------------------------------------------------------

static alm_code write_symbol(const cli_peer *peer, const alm_symbol *symbol, const alm_str *method,
                             alm_buf *out, alm_status *st)
{
    const char *package = alm_schema_package(peer->schema, symbol);
    alm_buf_printf(out, "// %s%s%s\n\n", alm_schema_file(peer->schema, symbol),
                   package[0] != '\0' ? ", package " : "", package);
    if (method == NULL) {
        alm_schema_write(peer->schema, symbol, out);
    } else {
        unsigned index = 0;
        ALM_TRY(cli_peer_method(symbol->service, *method, &index, st));
        alm_schema_write_method(peer->schema, symbol, index, out);
    }
    return out->failed ? alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the text")
                       : ALM_OK;
}

// A symbol, or a method of a service. What is served comes before a type of the same short name.
static alm_code describe_word(const cli_peer *peer, alm_str word, alm_buf *out, alm_status *st)
{
    alm_str service, method;
    const alm_symbol *symbol = cli_peer_service_symbol(peer, word, true);
    alm_code code = symbol != NULL ? ALM_OK : cli_peer_symbol(peer, word, &symbol, st);
    if (code == ALM_OK) {
        return write_symbol(peer, symbol, NULL, out, st);
    }
    bool has_parts = cli_peer_split(word, &service, &method);
    symbol = has_parts ? cli_peer_service_symbol(peer, service, false) : NULL;
    return symbol != NULL ? write_symbol(peer, symbol, &method, out, st) : code;
}

static int describe(cli *self, cli_peer *peer, const char *word)
{
    alm_status st = ALM_STATUS_INIT;
    alm_buf out;
    alm_buf_init(&out, 0);
    alm_code code = cli_peer_learn(peer, &st);
    if (code == ALM_OK) {
        code = describe_word(peer, alm_str_from(word), &out, &st);
    }
    if (code == ALM_OK) {
        (void)fwrite(out.data, 1, out.len, self->out);
    }
    alm_buf_deinit(&out);
    return code == ALM_OK ? 0 : cli_peer_fail(self, &st);
}

int cli_rpc(cli *self)
{
    const char *const *words = NULL;
    size_t count = cli_positional(self, &words);
    bool is_list = strcmp(words[0], "list") == 0;
    bool is_call = strcmp(words[0], "call") == 0;
    if (!is_list && count < 2) {
        return cli_fail_usage(self, "rpc %s: name %s", words[0],
                              is_call ? "the method, as SERVICE.METHOD"
                                      : "a service, a method, a message or an enum");
    }
    cli_peer peer;
    int exit_code = 0;
    if (!cli_peer_open(self, &peer, &exit_code)) {
        return exit_code;
    }
    if (is_list) {
        return list(self, &peer, count > 1 ? words[1] : NULL);
    }
    return is_call ? cli_rpc_call(self, &peer, words[1]) : describe(self, &peer, words[1]);
}
