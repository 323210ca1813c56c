#include "cli.h"
#include "cli_command.h"
#include "cli_help.h"
#include "cli_nearest.h"

#include <stdarg.h>
#include <stdlib.h>

#define CONNECT_MS_MAX 3000
#define OPTION_MAX     32

// --- what went wrong -----------------------------------------------------------------------------

static void say_name(const cli *self)
{
    bool has_command = self->command != NULL;
    fprintf(self->err, "almanac%s%s: ", has_command ? " " : "",
            has_command ? self->command->name : "");
}

int cli_fail(cli *self, const almanac_error *error)
{
    bool is_away = error->code == ALMANAC_UNAVAILABLE && strcmp(error->field, "endpoint") == 0;
    fprintf(self->err, "almanac: %s%s\n", error->message,
            is_away ? "; is it running (./script/run starts one), are address and keys right?"
                    : "");
    return almanac_code_exit(error->code);
}

int cli_fail_usage(cli *self, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say_name(self);
    vfprintf(self->err, fmt, args);
    va_end(args);
    bool has_command = self->command != NULL;
    fprintf(self->err, "; see almanac help%s%s\n", has_command ? " " : "",
            has_command ? self->command->name : "");
    return CLI_EXIT_USAGE;
}

int cli_fail_memory(cli *self)
{
    say_name(self);
    fprintf(self->err, "the answer is too large to show as a table: narrow the question or use "
                       "--output csv\n");
    return almanac_code_exit(ALMANAC_RESOURCE_EXHAUSTED);
}

// --- options -------------------------------------------------------------------------------------

const char *cli_text(const cli *self, const char *option)
{
    const char *text = alm_config_text(self->config, option);
    return text != NULL ? text : "";
}

size_t cli_positional(const cli *self, const char *const **ret)
{
    return alm_config_positional(self->config, ret);
}

const char *cli_say(const cli *self, const char *zh, const char *en)
{
    return self->lang == ALMANAC_ZH ? zh : en;
}

static bool takes_value(alm_str arg)
{
    if (alm_str_eq(arg, ALM_STR("--config"))) { // known to every program
        return true;
    }
    for (size_t i = 0; i < cli_global_option_count; i++) {
        const alm_option *option = &cli_global_options[i];
        alm_str name = alm_str_from(option->name);
        bool is_long = arg.len == name.len + 2 && alm_str_ends_with(arg, name);
        bool is_short = arg.len == 2 && option->letter != '\0' && arg.data[1] == option->letter;
        if ((is_long || is_short) && option->type != ALM_OPTION_BOOL) {
            return true;
        }
    }
    return false;
}

// Where the command stands: global options may come before it. argc if it does not.
static int command_index(int argc, char *const *argv)
{
    for (int i = 1; i < argc; i++) {
        alm_str arg = alm_str_from(argv[i]);
        if (arg.len == 0 || arg.data[0] != '-') {
            return i;
        }
        i += takes_value(arg) ? 1 : 0;
    }
    return argc;
}

static bool is_listed(alm_str word, const char *list)
{
    alm_str rest = alm_str_from(list);
    for (alm_str part; alm_str_split(&rest, '|', &part);) {
        if (alm_str_eq(part, word)) {
            return true;
        }
    }
    return false;
}

// "--lang fr: one of zh|en". False: said.
static bool check_choice(cli *self, const alm_option *option)
{
    const char *value = cli_text(self, option->name);
    bool is_open = option->placeholder != NULL &&
                   alm_str_ends_with(alm_str_from(option->placeholder), ALM_STR(CLI_MORE_CHOICES));
    if (!cli_option_has_choices(option) || is_open || value[0] == '\0' ||
        is_listed(alm_str_from(value), option->placeholder)) {
        return true;
    }
    alm_str near = cli_nearest_of(alm_str_from(value), option->placeholder);
    if (near.len > 0) {
        (void)cli_fail_usage(self, "--%s %s: did you mean %.*s?", option->name, value,
                             ALM_STR_ARGS(near));
    } else {
        (void)cli_fail_usage(self, "--%s %s: one of %s", option->name, value, option->placeholder);
    }
    return false;
}

static almanac_lang language(const cli *self)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *text = cli_text(self, "lang");
    for (size_t i = 0; i < ALM_ARRAY_LEN(variables) && text[0] == '\0'; i++) {
        const char *value = getenv(variables[i]);
        text = value != NULL ? value : "";
    }
    return alm_str_starts_with(alm_str_from(text), ALM_STR("zh")) ? ALMANAC_ZH : ALMANAC_EN;
}

static void take_settings(cli *self)
{
    const char *no_color = getenv("NO_COLOR");
    const char *output = cli_text(self, "output");
    self->lang = language(self);
    self->color = self->out_is_terminal && !alm_config_bool(self->config, "no-color") &&
                  (no_color == NULL || no_color[0] == '\0');
    self->output = strcmp(output, "csv") == 0    ? CLI_CSV
                   : strcmp(output, "json") == 0 ? CLI_JSON
                                                 : CLI_TABLE;
}

static bool check_words(cli *self)
{
    const char *const *words = NULL;
    size_t count = cli_positional(self, &words);
    if (count < self->command->positional_min) {
        (void)cli_fail_usage(self, "needs %s", self->command->usage);
        return false;
    }
    if (count > self->command->positional_max) {
        (void)cli_fail_usage(self, "%s is too much", words[self->command->positional_max]);
        return false;
    }
    const char *list = self->command->words;
    if (count > 0 && list != NULL && !is_listed(alm_str_from(words[0]), list)) {
        alm_str near = cli_nearest_of(alm_str_from(words[0]), list);
        (void)cli_fail_usage(self, near.len > 0 ? "%s: did you mean %.*s?" : "%s: one of %.*s",
                             words[0], ALM_STR_ARGS(near.len > 0 ? near : alm_str_from(list)));
        return false;
    }
    return true;
}

static bool check_choices(cli *self, const alm_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!check_choice(self, &options[i])) {
            return false;
        }
    }
    return true;
}

// An empty text would read as if the option had not been given: a question narrowed by an empty
// variable of a script would be asked of everything.
static bool check_not_empty(cli *self, const alm_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *const *values;
        const char *name = options[i].name;
        if (options[i].type != ALM_OPTION_TEXT || !alm_config_is_given(self->config, name)) {
            continue;
        }
        for (size_t k = alm_config_values(self->config, name, &values); k > 0; k--) {
            if (values[k - 1][0] == '\0') {
                (void)cli_fail_usage(self, "--%s is empty", name);
                return false;
            }
        }
    }
    return true;
}

// --- running -------------------------------------------------------------------------------------

bool cli_connect_to(cli *self, const char *endpoint, int *ret_exit)
{
    if (self->client != NULL) {
        return true;
    }
    almanac_error error;
    int64_t timeout_ms = alm_config_int(self->config, "timeout");
    almanac_client_opts opts = {.timeout_ms = timeout_ms,
                                .connect_ms = ALM_MIN(timeout_ms, CONNECT_MS_MAX),
                                .key_file = cli_text(self, "key-file"),
                                .server_key = cli_text(self, "server-key"),
                                .token_file = cli_text(self, "token-file")};
    if (almanac_client_open(endpoint, &opts, &self->client, &error) != ALMANAC_OK) {
        *ret_exit = cli_fail(self, &error);
        return false;
    }
    return true;
}

bool cli_connect(cli *self, int *ret_exit)
{
    return cli_connect_to(self, cli_text(self, "endpoint"), ret_exit);
}

static int run_command(cli *self, const alm_option *options, size_t option_count)
{
    if (alm_config_wants_help(self->config)) {
        cli_help_command(self->command, self->out);
        return 0;
    }
    if (alm_config_wants_version(self->config)) {
        return cli_version(self);
    }
    if (alm_config_wants_print(self->config)) {
        alm_config_print(self->config, self->out);
        return 0;
    }
    if (!check_not_empty(self, self->command->options, self->command->option_count) ||
        !check_choices(self, options, option_count) || !check_words(self)) {
        return CLI_EXIT_USAGE;
    }
    take_settings(self);
    return self->command->run(self);
}

// argv without the command's name, so that the options of either side of it are read together.
static int run_with_options(cli *self, int argc, char *const *argv)
{
    alm_option options[OPTION_MAX];
    size_t count = cli_global_option_count + self->command->option_count;
    ALM_ASSERT(count <= OPTION_MAX);
    memcpy(options, cli_global_options, cli_global_option_count * sizeof options[0]);
    if (self->command->option_count > 0) {
        memcpy(options + cli_global_option_count, self->command->options,
               self->command->option_count * sizeof options[0]);
    }
    alm_status st = ALM_STATUS_INIT;
    alm_code code = alm_config_load(options, count, argc, argv, &self->config, &st);
    if (code != ALM_OK) {
        (void)cli_fail_usage(self, "%s", st.message);
        return alm_code_exit(code);
    }
    int exit_code = run_command(self, options, count);
    alm_config_destroy(&self->config);
    return exit_code;
}

static int run_without_command(cli *self, int argc, char *const *argv)
{
    for (int i = 1; i < argc; i++) {
        alm_str arg = alm_str_from(argv[i]);
        if (alm_str_eq(arg, ALM_STR("--help")) || alm_str_eq(arg, ALM_STR("-h"))) {
            cli_help_overview(self->out);
            return 0;
        }
        if (alm_str_eq(arg, ALM_STR("--version"))) {
            return cli_version(self);
        }
    }
    cli_help_overview(self->err);
    return CLI_EXIT_USAGE;
}

static int unknown_command(cli *self, const char *name)
{
    const char *nearest = cli_command_nearest(alm_str_from(name));
    if (nearest != NULL) {
        return cli_fail_usage(self, "unknown command %s: did you mean %s?", name, nearest);
    }
    return cli_fail_usage(self, "unknown command %s", name);
}

static int run_named(cli *self, int index, int argc, char *const *argv)
{
    self->command = cli_command_find(alm_str_from(argv[index]));
    if (self->command == NULL) {
        return unknown_command(self, argv[index]);
    }
    char **rest = alm_arena_calloc(self->arena, (size_t)argc, sizeof *rest);
    if (rest == NULL) {
        return cli_fail_memory(self);
    }
    int count = 0;
    for (int i = 0; i < argc; i++) {
        if (i != index) {
            rest[count++] = argv[i];
        }
    }
    return run_with_options(self, count, rest);
}

// What could not be written is a failure too, unless one has been told already.
static int finish(cli *self, int exit_code)
{
    if ((fflush(self->out) != 0 || ferror(self->out) != 0) && exit_code == 0) {
        say_name(self);
        fprintf(self->err, "the output could not be written\n");
        return almanac_code_exit(ALMANAC_UNKNOWN);
    }
    return exit_code;
}

int cli_run(cli *self, int argc, char *const *argv)
{
    self->arena = alm_arena_create(0);
    if (self->arena == NULL) {
        return cli_fail_memory(self);
    }
    int index = command_index(argc, argv);
    int exit_code =
        index < argc ? run_named(self, index, argc, argv) : run_without_command(self, argc, argv);
    almanac_client_close(&self->client);
    alm_arena_destroy(&self->arena);
    return finish(self, exit_code);
}
