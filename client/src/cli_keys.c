// keys and token: who one is, and whom an almanac lets in. Nothing here connects.
#include "cli_command.h"

#include "alm/auth.h"

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

// Role, name and last day of a new entry. False: *ret_exit says why.
static bool take_entry(cli *self, alm_policy_entry *ret, int *ret_exit)
{
    const char *role = cli_text(self, "role");
    const char *name = cli_text(self, "name");
    const char *until = self->command->has_until ? cli_text(self, "until") : "";
    ret->until_day = ALM_DAY_NEVER;
    if (role[0] == '\0' || name[0] == '\0') {
        *ret_exit = role[0] == '\0' ? fail_missing(self, "role", "reader, writer, admin or service")
                                    : fail_missing(self, "name", "who it is for");
        return false;
    }
    if (!alm_role_from(alm_str_from(role), &ret->role) || ret->role == ALM_ROLE_NONE) {
        *ret_exit =
            cli_fail_usage(self, "--role %s: there are reader, writer, admin and service", role);
        return false;
    }
    if (strlen(name) >= sizeof ret->name) {
        *ret_exit =
            cli_fail_usage(self, "--name %s: at most %zu bytes", name, sizeof ret->name - 1);
        return false;
    }
    snprintf(ret->name, sizeof ret->name, "%s", name);
    if (until[0] != '\0' && !alm_day_from_text(alm_str_from(until), &ret->until_day)) {
        *ret_exit = cli_fail_usage(self, "--until %s: not a day as 2026-12-31", until);
        return false;
    }
    return true;
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
    fprintf(self->err, "%s: %s is a %s now\n", path, entry->name, alm_role_name(entry->role));
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
    memcpy(entry.id, pair.public_key, sizeof pair.public_key);
    alm_keypair_wipe(&pair);
    if (code != ALM_OK) {
        return fail(self, &st);
    }
    fprintf(self->err, "%s: keep it to yourself; %s.pub is for others\n", path, path);
    return has_entry ? publish(self, &entry) : 0;
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

static void print_token(void *arg, const alm_policy_entry *entry)
{
    cli *self = arg;
    if (entry->is_token) {
        char day[ALM_DATE_TEXT_BYTES] = "";
        if (entry->until_day != ALM_DAY_NEVER) {
            alm_day_to_text(entry->until_day, day);
        }
        fprintf(self->out, "%s\t%s\t%s\n", entry->name, alm_role_name(entry->role), day);
    }
}

static int list_tokens(cli *self, const char *path)
{
    alm_status st = ALM_STATUS_INIT;
    alm_policy *policy = NULL;
    if (alm_policy_load(path, &policy, &st) != ALM_OK) {
        return fail(self, &st);
    }
    alm_policy_each(policy, print_token, self);
    alm_policy_destroy(&policy);
    return 0;
}

static int revoke_tokens(cli *self, const char *path, const char *name)
{
    alm_status st = ALM_STATUS_INIT;
    size_t count = 0;
    if (alm_policy_revoke_tokens(path, alm_str_from(name), &count, &st) != ALM_OK) {
        return fail(self, &st);
    }
    fprintf(self->err, "%s: %zu tokens of %s are gone; send the services SIGHUP\n", path, count,
            name);
    return 0;
}

int cli_token(cli *self)
{
    const char *const *words;
    size_t count = cli_positional(self, &words);
    const char *path = cli_text(self, "policy");
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
