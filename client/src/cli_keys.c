// keys and token: who one is, and whom an almanac lets in. Nothing here connects.
#include "cli_command.h"

#include "alm/auth.h"
#include "alm/clock.h"
#include "cli_cell.h"
#include "cli_csv.h"
#include "cli_json.h"
#include "cli_table.h"

#include <string.h>

static int fail(cli *self, const alm_status *st)
{
    almanac_error error = {.code = (almanac_code)st->code};
    snprintf(error.message, sizeof error.message, "%s", st->message);
    snprintf(error.field, sizeof error.field, "%s", st->field);
    return cli_fail(self, &error);
}

static int fail_missing(cli *self, const char *option, const char *what)
{
    return cli_fail_usage(self, "give --%s: %s", option, what);
}

static bool take_role(cli *self, alm_role *ret, int *ret_exit)
{
    const char *role = cli_text(self, "role");
    if (role[0] == '\0') {
        *ret_exit = fail_missing(self, "role", "reader, writer, admin or service");
        return false;
    }
    if (!alm_role_from(alm_str_from(role), ret) || *ret == ALM_ROLE_NONE) {
        *ret_exit =
            cli_fail_usage(self, "--role %s: there are reader, writer, admin and service", role);
        return false;
    }
    return true;
}

static bool take_name(cli *self, char ret[ALM_USER_BYTES_MAX], int *ret_exit)
{
    alm_str name = alm_str_from(cli_text(self, "name"));
    if (name.len == 0) {
        *ret_exit = fail_missing(self, "name", "who it is for");
        return false;
    }
    if (!alm_policy_name_is_valid(name)) {
        const char *shown = cli_clean(self->arena, name);
        *ret_exit = cli_fail_usage(self, "--name %s: expected " ALM_POLICY_NAME_EXPECTED,
                                   shown != NULL ? shown : "");
        return false;
    }
    memcpy(ret, name.data, name.len + 1);
    return true;
}

static bool take_until(cli *self, int32_t *ret, int *ret_exit)
{
    const char *until = self->command->has_until ? cli_text(self, "until") : "";
    const alm_clock clock = alm_clock_system();
    *ret = ALM_DAY_NEVER;
    if (until[0] == '\0') {
        return true;
    }
    if (!alm_day_from_text(alm_str_from(until), ret)) {
        *ret_exit = cli_fail_usage(self, "--until %s: not a day as 2026-12-31", until);
        return false;
    }
    int32_t today = alm_clock_today(&clock);
    if (*ret < today) {
        char text[ALM_DATE_TEXT_BYTES];
        alm_day_to_text(today, text);
        *ret_exit = cli_fail_usage(self, "--until %s: that day is past, today is %s", until, text);
        return false;
    }
    return true;
}

// Role, name and last day of a new entry. False: *ret_exit says why.
static bool take_entry(cli *self, alm_policy_entry *ret, int *ret_exit)
{
    return take_role(self, &ret->role, ret_exit) && take_name(self, ret->name, ret_exit) &&
           take_until(self, &ret->until_day, ret_exit);
}

// Adds the entry to --policy, or prints its line to be added.
static int publish(cli *self, const alm_policy_entry *entry)
{
    alm_status st = ALM_STATUS_INIT;
    const char *path = cli_text(self, "policy");
    if (path[0] == '\0') {
        char line[ALM_POLICY_LINE_BYTES_MAX];
        alm_policy_line(entry, line);
        fprintf(self->err, "add this line to the almanac's policy:\n");
        fputs(line, self->command->has_until ? self->err : self->out);
        return 0;
    }
    if (alm_policy_add(path, entry, &st) != ALM_OK) {
        return fail(self, &st);
    }
    fprintf(self->err, "%s: %s is %s %s now\n", path, entry->name, alm_role_article(entry->role),
            alm_role_name(entry->role));
    return 0;
}

static int new_key(cli *self, const char *path)
{
    alm_policy_entry entry = {0};
    int exit_code = 0;
    bool has_entry = cli_text(self, "role")[0] != '\0' || cli_text(self, "name")[0] != '\0' ||
                     cli_text(self, "policy")[0] != '\0';
    if (has_entry && !take_entry(self, &entry, &exit_code)) {
        return exit_code;
    }
    alm_status st = ALM_STATUS_INIT;
    alm_keypair pair;
    alm_code code = alm_keypair_generate(&pair, &st);
    if (code == ALM_OK) {
        code = alm_keypair_save(&pair, path, &st);
    }
    if (code != ALM_OK) {
        return fail(self, &st);
    }
    memcpy(entry.id, pair.public_key, sizeof pair.public_key);
    alm_keypair_wipe(&pair);
    if (has_entry) {
        exit_code = publish(self, &entry);
    }
    if (exit_code != 0) {
        alm_keypair_discard(path); // the same command must be right once what failed is mended
        return exit_code;
    }
    fprintf(self->err, "%s: keep it to yourself; %s.pub is for others\n", path, path);
    return 0;
}

static int show_key(cli *self, const char *path)
{
    alm_status st = ALM_STATUS_INIT;
    uint8_t key[ALM_CURVE_KEY_BYTES];
    char text[ALM_KEY_TEXT_BYTES];
    alm_str name = alm_str_from(path);
    alm_code code = ALM_OK;
    if (alm_str_ends_with(name, ALM_STR(".pub"))) {
        code = alm_public_key_load(path, key, &st);
    } else {
        alm_keypair pair;
        code = alm_keypair_load(path, &pair, &st);
        if (code == ALM_OK) {
            memcpy(key, pair.public_key, sizeof key);
            alm_keypair_wipe(&pair);
        }
    }
    if (code != ALM_OK) {
        return fail(self, &st);
    }
    alm_key_to_text(key, text);
    fprintf(self->out, "%s\n", text);
    return 0;
}

int cli_keys(cli *self)
{
    const char *const *words;
    size_t count = cli_positional(self, &words);
    if (count < 2) {
        return cli_fail_usage(self, "keys %s: name the file", words[0]);
    }
    return strcmp(words[0], "new") == 0 ? new_key(self, words[1]) : show_key(self, words[1]);
}

static int new_token(cli *self)
{
    alm_policy_entry entry = {.is_token = true};
    int exit_code = 0;
    if (!take_entry(self, &entry, &exit_code)) {
        return exit_code;
    }
    alm_status st = ALM_STATUS_INIT;
    char token[ALM_TOKEN_TEXT_BYTES];
    if (alm_token_generate(token, &st) != ALM_OK) {
        return fail(self, &st);
    }
    alm_token_hash(alm_str_from(token), entry.id);
    exit_code = publish(self, &entry);
    if (exit_code == 0) {
        fprintf(self->out, "%s\n", token); // once; the policy has only its hash
    }
    alm_token_wipe(token);
    return exit_code;
}

// The last day as text; "" if there is none.
static const char *until_text(const alm_policy_entry *entry, char ret[ALM_DATE_TEXT_BYTES])
{
    ret[0] = '\0';
    if (entry->until_day != ALM_DAY_NEVER) {
        alm_day_to_text(entry->until_day, ret);
    }
    return ret;
}

static void add_cells(void *arg, const alm_policy_entry *entry)
{
    char until[ALM_DATE_TEXT_BYTES];
    if (entry->is_token) {
        cli_table_cell(arg, entry->name);
        cli_table_cell(arg, alm_role_name(entry->role));
        cli_table_cell(arg, until_text(entry, until));
    }
}

static void add_record(void *arg, const alm_policy_entry *entry)
{
    char until[ALM_DATE_TEXT_BYTES];
    if (entry->is_token) {
        cli_csv_text(arg, entry->name);
        cli_csv_raw(arg, alm_role_name(entry->role));
        cli_csv_raw(arg, until_text(entry, until));
        cli_csv_end(arg);
    }
}

static void add_object(void *arg, const alm_policy_entry *entry)
{
    char until[ALM_DATE_TEXT_BYTES];
    if (!entry->is_token) {
        return;
    }
    cli_json_line(arg);
    cli_json_object(arg, NULL);
    cli_json_text(arg, "name", entry->name);
    cli_json_text(arg, "role", alm_role_name(entry->role));
    if (until_text(entry, until)[0] != '\0') {
        cli_json_text(arg, "until", until);
    } else {
        cli_json_null(arg, "until");
    }
    cli_json_end_object(arg);
}

static bool print_table(cli *self, alm_policy *policy)
{
    const cli_column columns[] = {
        {.title = cli_say(self, "名称", "Name"), .keeps = true},
        {.title = cli_say(self, "角色", "Role"), .keeps = true},
        {.title = cli_say(self, "有效至", "Until")},
    };
    cli_table *table = cli_table_create(self->arena, columns, ALM_ARRAY_LEN(columns));
    alm_policy_each(policy, add_cells, table);
    return cli_table_print(table, self->out, self->columns, self->color);
}

static void write_csv(cli *self, alm_policy *policy)
{
    static const char *const titles[] = {"name", "role", "until"};
    cli_csv csv = {.out = self->out};
    for (size_t i = 0; i < ALM_ARRAY_LEN(titles); i++) {
        cli_csv_raw(&csv, titles[i]);
    }
    cli_csv_end(&csv);
    alm_policy_each(policy, add_record, &csv);
}

static void write_json(cli *self, alm_policy *policy)
{
    cli_json json = {.out = self->out};
    cli_json_object(&json, NULL);
    cli_json_array(&json, "tokens");
    alm_policy_each(policy, add_object, &json);
    cli_json_end_array(&json);
    cli_json_end_object(&json);
    cli_json_line(&json);
}

static int print_tokens(cli *self, alm_policy *policy)
{
    switch (self->output) {
    case CLI_TABLE:
        return print_table(self, policy) ? 0 : cli_fail_memory(self);
    case CLI_CSV:
        write_csv(self, policy);
        break;
    case CLI_JSON:
        write_json(self, policy);
        break;
    }
    return 0;
}

static int list_tokens(cli *self, const char *path)
{
    alm_status st = ALM_STATUS_INIT;
    alm_policy *policy = NULL;
    if (alm_policy_load(path, &policy, &st) != ALM_OK) {
        return fail(self, &st);
    }
    int exit_code = print_tokens(self, policy);
    alm_policy_destroy(&policy);
    return exit_code;
}

static int revoke_tokens(cli *self, const char *path, const char *name)
{
    alm_status st = ALM_STATUS_INIT;
    size_t count = 0;
    if (alm_policy_revoke_tokens(path, alm_str_from(name), &count, &st) != ALM_OK) {
        return fail(self, &st);
    }
    fprintf(self->err,
            "%s: no token of %s is good any more (%zu revoked); send the services SIGHUP\n", path,
            name, count);
    return 0;
}

int cli_token(cli *self)
{
    const char *const *words;
    size_t count = cli_positional(self, &words);
    const char *path = cli_text(self, "policy");
    if (count > 1 && strcmp(words[0], "revoke") != 0) {
        return cli_fail_usage(self, "token %s: \"%s\" has no meaning here%s", words[0], words[1],
                              strcmp(words[0], "new") == 0 ? "; --name says whose it is" : "");
    }
    if (strcmp(words[0], "new") == 0) {
        return new_token(self);
    }
    if (path[0] == '\0') {
        return fail_missing(self, "policy", "the file that has the tokens");
    }
    if (strcmp(words[0], "list") == 0) {
        return list_tokens(self, path);
    }
    return count == 2 ? revoke_tokens(self, path, words[1])
                      : cli_fail_usage(self, "token revoke: name whose");
}
