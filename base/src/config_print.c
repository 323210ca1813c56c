#include "config_file.h"
#include "config_impl.h"

#define HELP_COLUMNS     100
#define FLAG_COLUMNS_MAX 34 // a longer flag has its help on the next line

// "-o, --output FORMAT", in a buffer of the caller's.
static int format_flag(const alm_option *option, char *ret, size_t size)
{
    char letter[] = "    ";
    if (option->letter != '\0') {
        letter[0] = '-';
        letter[1] = option->letter;
        letter[2] = ',';
    }
    bool is_bool = option->type == ALM_OPTION_BOOL;
    bool is_on = is_bool && option->fallback != NULL &&
                 alm_str_eq_nocase(alm_str_from(option->fallback), ALM_STR("true"));
    const char *placeholder = is_bool ? "" : option->placeholder;
    placeholder = placeholder != NULL ? placeholder : "VALUE";
    bool is_open = alm_str_ends_with(alm_str_from(placeholder), ALM_STR("..."));
    return snprintf(ret, size, "  %s--%s%s%s%s%s", letter, is_on ? "[no-]" : "", option->name,
                    is_bool ? "" : " ", placeholder, option->repeats && !is_open ? "..." : "");
}

// "(default 7100; ALMANAC_PORT)", or nothing.
static int format_notes(const alm_option *option, bool has_variable, char *ret, size_t size)
{
    char variable[ALM_CONFIG_VARIABLE_MAX] = "";
    if (has_variable) {
        alm_config_variable(option, variable);
    }
    bool shows_default = option->fallback != NULL && option->fallback[0] != '\0' && !option->secret;
    if (!shows_default && !has_variable) {
        ret[0] = '\0';
        return 0;
    }
    return snprintf(ret, size, "(%s%s%s%s)", shows_default ? "default " : "",
                    shows_default ? option->fallback : "",
                    shows_default && has_variable ? "; " : "", variable);
}

static void print_option(const alm_option *option, bool has_variable, int column, FILE *out)
{
    char flag[256];
    char notes[512];
    int flag_len = format_flag(option, flag, sizeof flag);
    int notes_len = format_notes(option, has_variable, notes, sizeof notes);
    const char *help = option->help != NULL ? option->help : "";

    if (flag_len > column - 2) {
        fprintf(out, "%s\n%*s%s", flag, column, "", help);
    } else {
        fprintf(out, "%-*s%s", column, flag, help);
    }
    bool fits = column + (int)strlen(help) + 1 + notes_len <= HELP_COLUMNS;
    if (notes_len > 0 && fits) {
        fprintf(out, "%s%s", help[0] == '\0' ? "" : " ", notes);
    } else if (notes_len > 0) {
        fprintf(out, "\n%*s%s", column, "", notes);
    }
    fputc('\n', out);
}

static bool in_table(const alm_option *options, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

void alm_config_print_help(const alm_option *options, size_t option_count, FILE *out)
{
    int column = 0;
    char flag[256];
    for (size_t i = 0; i < option_count + ALM_BUILTIN_COUNT; i++) {
        const alm_option *option =
            i < option_count ? &options[i] : &alm_config_builtins[i - option_count];
        int width = format_flag(option, flag, sizeof flag) + 2;
        column = width <= FLAG_COLUMNS_MAX ? ALM_MAX(column, width) : column;
    }
    for (size_t i = 0; i < option_count; i++) {
        print_option(&options[i], true, column, out);
    }
    for (size_t i = 0; i < ALM_BUILTIN_COUNT; i++) {
        if (!in_table(options, option_count, alm_config_builtins[i].name)) {
            print_option(&alm_config_builtins[i], i == ALM_BUILTIN_CONFIG, column, out);
        }
    }
}

// What a line of a file cannot hold is told, not printed: the output is a file to load again.
static void print_value(const alm_config_entry *entry, const char *text, FILE *out)
{
    const char *name = entry->option->name;
    if (entry->option->secret) {
        fprintf(out, "# %s is set and not shown\n", name);
    } else if (!alm_config_file_can_hold(alm_str_from(text))) {
        fprintf(out, "# %s holds bytes that a file cannot\n", name);
    } else {
        fprintf(out, "%s = %s\n", name, text);
    }
}

static void print_origin(const alm_config *config, alm_config_origin origin, const char *title,
                         FILE *out)
{
    bool is_first = true;
    for (size_t i = 0; i < config->entry_count - ALM_BUILTIN_COUNT; i++) {
        const alm_config_entry *entry = &config->entries[i];
        if (entry->origin != origin) {
            continue;
        }
        if (is_first) {
            fprintf(out, "# %s\n", title);
            is_first = false;
        }
        if (entry->count == 0) {
            fprintf(out, "# %s =\n", entry->option->name);
        }
        for (size_t n = 0; n < entry->count; n++) {
            print_value(entry, entry->texts[n], out);
        }
    }
}

void alm_config_print(const alm_config *config, FILE *out)
{
    print_origin(config, ALM_CONFIG_FLAG, "from the command line", out);
    print_origin(config, ALM_CONFIG_ENVIRONMENT, "from the environment", out);
    print_origin(config, ALM_CONFIG_FILE, "from the file", out);
    print_origin(config, ALM_CONFIG_DEFAULT, "defaults", out);
    print_origin(config, ALM_CONFIG_UNSET, "not set", out);
}
