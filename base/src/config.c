#include "alm/config.h"

#include "config_file.h"
#include "config_impl.h"
#include "config_value.h"

#include "alm/alloc.h"
#include "alm/distance.h"
#include "alm/limits.h"

#include <stdio.h>
#include <stdlib.h>

const alm_option alm_config_builtins[ALM_BUILTIN_COUNT] = {
    [ALM_BUILTIN_CONFIG] = {.name = "config",
                            .placeholder = "FILE",
                            .help = "read settings from FILE, lines of key = value"},
    [ALM_BUILTIN_HELP] = {.name = "help",
                          .type = ALM_OPTION_BOOL,
                          .help = "show this help",
                          .letter = 'h'},
    [ALM_BUILTIN_VERSION] = {.name = "version",
                             .type = ALM_OPTION_BOOL,
                             .help = "show the version"},
    [ALM_BUILTIN_PRINT] = {.name = "print-config",
                           .type = ALM_OPTION_BOOL,
                           .help = "show every setting and where it came from"},
};

alm_config *alm_config_create(const alm_option *options, size_t option_count)
{
    alm_arena *arena = alm_arena_create(0);
    if (arena == NULL) {
        return NULL;
    }
    alm_config *config = alm_arena_calloc(arena, 1, sizeof *config);
    size_t count = option_count + ALM_BUILTIN_COUNT;
    alm_config_entry *entries = alm_arena_calloc(arena, count, sizeof *entries);
    if (config == NULL || entries == NULL) {
        alm_arena_destroy(&arena);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        entries[i].option = i < option_count ? &options[i] : &alm_config_builtins[i - option_count];
    }
    config->arena = arena;
    config->entries = entries;
    config->entry_count = count;
    return config;
}

void alm_config_destroy(alm_config **config)
{
    if (*config == NULL) {
        return;
    }
    alm_arena *arena = (*config)->arena; // holds the configuration itself
    *config = NULL;
    alm_arena_destroy(&arena);
}

static alm_code out_of_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "configuration: out of memory");
}

// NULL if the table has no such option. The table comes first, so it may take over a built-in.
static alm_config_entry *find_entry(const alm_config *config, alm_str name)
{
    for (size_t i = 0; i < config->entry_count; i++) {
        if (alm_str_eq(name, alm_str_from(config->entries[i].option->name))) {
            return &config->entries[i];
        }
    }
    return NULL;
}

static alm_config_entry *find_letter(const alm_config *config, char letter)
{
    for (size_t i = 0; i < config->entry_count; i++) {
        if (config->entries[i].option->letter == letter) {
            return &config->entries[i];
        }
    }
    return NULL;
}

static alm_config_entry *builtin(const alm_config *config, size_t which)
{
    return find_entry(config, alm_str_from(alm_config_builtins[which].name));
}

// Two flags with two values for one option would mean that one is dropped without a word.
static alm_code check_second(const alm_config_entry *entry, alm_str text, int64_t number,
                             alm_status *st)
{
    const alm_option *option = entry->option;
    const char *first = entry->texts[0];
    bool is_same = option->type == ALM_OPTION_TEXT ? alm_str_eq(alm_str_from(first), text)
                                                   : entry->number == number;
    if (is_same) {
        return ALM_OK;
    }
    return option->secret ? alm_status_set_field(st, ALM_INVALID_ARGUMENT, option->name,
                                                 "--%s is given twice", option->name)
                          : alm_status_set_field(st, ALM_INVALID_ARGUMENT, option->name,
                                                 "--%s is given twice: %s and %.*s", option->name,
                                                 first, ALM_STR_ARGS(text));
}

// Checks the text and keeps it, unless a stronger origin has spoken. One of equal strength is
// added to or replaced.
static alm_code set(alm_config *config, alm_config_entry *entry, alm_config_origin origin,
                    const char *label, alm_str text, alm_status *st)
{
    int64_t number;
    ALM_TRY(alm_option_read(entry->option, text, label, &number, st));
    if (origin < entry->origin) {
        return ALM_OK;
    }
    if (origin == ALM_CONFIG_FLAG && entry->origin == origin && !entry->option->repeats) {
        ALM_TRY(check_second(entry, text, number, st));
    }
    size_t kept = origin == entry->origin && entry->option->repeats ? entry->count : 0;
    void *texts = entry->texts;
    if (!alm_arena_grow(config->arena, &texts, &entry->cap, kept + 1, sizeof *entry->texts)) {
        return out_of_memory(st);
    }
    entry->texts = texts;
    char *copy = alm_arena_strdup(config->arena, text);
    if (copy == NULL) {
        return out_of_memory(st);
    }
    entry->texts[kept] = copy;
    entry->count = kept + 1;
    entry->number = number;
    entry->origin = origin;
    return ALM_OK;
}

// Which of the first count options the user most likely meant, or NULL.
static const char *nearest_name(const alm_config *config, size_t count, alm_str name)
{
    const char *nearest = NULL;
    size_t least = 3; // two slips are a typo, three are another word
    for (size_t i = 0; i < count; i++) {
        alm_str known = alm_str_from(config->entries[i].option->name);
        size_t distance = name.len > 2 ? alm_edit_distance(name, known) : least;
        if (distance < least) {
            least = distance;
            nearest = config->entries[i].option->name;
        }
    }
    return nearest;
}

static alm_code unknown_name(const alm_config *config, const char *where, const char *dashes,
                             alm_str name, alm_status *st)
{
    bool is_flag = dashes[0] != '\0';
    // The built-in ones, at the end, mean nothing in a file.
    size_t count = config->entry_count - (is_flag ? 0 : ALM_BUILTIN_COUNT);
    const char *nearest = nearest_name(config, count, name);
    return alm_status_set_field(
        st, ALM_INVALID_ARGUMENT, is_flag ? "flag" : "config", "%sunknown %s %s%.*s%s%s%s", where,
        is_flag ? "flag" : "key", dashes, ALM_STR_ARGS(name),
        nearest == NULL ? (is_flag ? "; --help lists them" : "") : "; did you mean ",
        nearest == NULL ? "" : dashes, nearest == NULL ? "" : nearest);
}

// The command line in the making of a configuration.
typedef struct args {
    int count;
    char *const *values;
    int at; // the next one
} args;

static alm_code take_next_value(args *in, const alm_option *option, const char *label,
                                alm_str *ret_value, alm_status *st)
{
    const char *placeholder = option->placeholder != NULL ? option->placeholder : "VALUE";
    if (in->at >= in->count) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, option->name,
                                    "%s needs a value: --%s %s", label, option->name, placeholder);
    }
    // More likely the value was forgotten than that it looks like a flag.
    *ret_value = alm_str_from(in->values[in->at]);
    if (alm_str_starts_with(*ret_value, ALM_STR("--"))) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, option->name,
                                    "%s needs a value before %.*s; write --%s=%.*s if that is it",
                                    label, ALM_STR_ARGS(*ret_value), option->name,
                                    ALM_STR_ARGS(*ret_value));
    }
    in->at++;
    return ALM_OK;
}

// --name, --name VALUE, --name=VALUE or --no-name; body is without the dashes.
static alm_code take_long_flag(alm_config *config, args *in, alm_str body, alm_status *st)
{
    size_t equals = alm_str_find_char(body, '=');
    bool has_value = equals != SIZE_MAX;
    alm_str name = has_value ? alm_str_slice(body, 0, equals) : body;
    alm_config_entry *entry = find_entry(config, name);
    bool clears = false;
    if (entry == NULL && alm_str_starts_with(name, ALM_STR("no-"))) {
        entry = find_entry(config, alm_str_slice(name, 3, name.len));
        clears = entry != NULL && entry->option->type == ALM_OPTION_BOOL && !has_value;
        entry = clears ? entry : NULL;
    }
    if (entry == NULL) {
        return unknown_name(config, "", "--", name, st);
    }
    char label[ALM_CONFIG_VARIABLE_MAX + 2];
    (void)snprintf(label, sizeof label, "--%s", entry->option->name);
    alm_str value = clears ? ALM_STR("false") : ALM_STR("true");
    if (has_value) {
        value = alm_str_slice(body, equals + 1, body.len);
    } else if (entry->option->type != ALM_OPTION_BOOL) {
        ALM_TRY(take_next_value(in, entry->option, label, &value, st));
    }
    return set(config, entry, ALM_CONFIG_FLAG, label, value, st);
}

// -v, -vq of two flags without values, -o VALUE or -oVALUE; letters is without the dash.
static alm_code take_short_flags(alm_config *config, args *in, alm_str letters, alm_status *st)
{
    for (size_t i = 0; i < letters.len; i++) {
        alm_config_entry *entry = find_letter(config, letters.data[i]);
        if (entry == NULL) {
            return unknown_name(config, "", "-", alm_str_slice(letters, i, letters.len), st);
        }
        const char label[] = {'-', letters.data[i], '\0'};
        bool is_bool = entry->option->type == ALM_OPTION_BOOL;
        alm_str value = is_bool ? ALM_STR("true") : alm_str_slice(letters, i + 1, letters.len);
        if (value.len == 0) {
            ALM_TRY(take_next_value(in, entry->option, label, &value, st));
        }
        ALM_TRY(set(config, entry, ALM_CONFIG_FLAG, label, value, st));
        if (!is_bool) {
            break;
        }
    }
    return ALM_OK;
}

static alm_code take_positional(alm_config *config, const char *text, alm_status *st)
{
    void *array = config->positional;
    if (!alm_arena_grow(config->arena, &array, &config->positional_cap,
                        config->positional_count + 1, sizeof *config->positional)) {
        return out_of_memory(st);
    }
    config->positional = array;
    char *copy = alm_arena_strdup(config->arena, alm_str_from(text));
    if (copy == NULL) {
        return out_of_memory(st);
    }
    config->positional[config->positional_count++] = copy;
    return ALM_OK;
}

static alm_code take_args(alm_config *config, int argc, char *const *argv, alm_status *st)
{
    args in = {.count = argc, .values = argv, .at = 1};
    bool flags_ended = false;
    while (in.at < in.count) {
        const char *text = in.values[in.at++];
        alm_str arg = alm_str_from(text);
        if (flags_ended || arg.len < 2 || arg.data[0] != '-') {
            ALM_TRY(take_positional(config, text, st));
        } else if (alm_str_eq(arg, ALM_STR("--"))) {
            flags_ended = true;
        } else if (arg.data[1] == '-') {
            ALM_TRY(take_long_flag(config, &in, alm_str_slice(arg, 2, arg.len), st));
        } else {
            ALM_TRY(take_short_flags(config, &in, alm_str_slice(arg, 1, arg.len), st));
        }
    }
    return ALM_OK;
}

void alm_config_variable(const alm_option *option, char ret[ALM_CONFIG_VARIABLE_MAX])
{
    int len = snprintf(ret, ALM_CONFIG_VARIABLE_MAX, "ALMANAC_%s", option->name);
    ALM_ASSERT(len > 0 && len < ALM_CONFIG_VARIABLE_MAX);
    for (char *c = ret; *c != '\0'; c++) {
        *c = *c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    }
}

// Asking for help is for the command line only; ALMANAC_HELP means nothing.
static bool is_question(const alm_config *config, const alm_config_entry *entry)
{
    size_t index = (size_t)(entry - config->entries);
    return index >= config->entry_count - ALM_BUILTIN_COUNT + ALM_BUILTIN_HELP;
}

static alm_code take_variable(alm_config *config, alm_config_entry *entry, alm_status *st)
{
    char name[ALM_CONFIG_VARIABLE_MAX];
    alm_config_variable(entry->option, name);
    alm_str rest = alm_str_trim(alm_str_from(getenv(name)));
    if (rest.len == 0) {
        return ALM_OK;
    }
    if (!entry->option->repeats) {
        return set(config, entry, ALM_CONFIG_ENVIRONMENT, name, rest, st);
    }
    for (alm_str part; alm_str_split(&rest, ' ', &part);) {
        if (part.len > 0) {
            ALM_TRY(set(config, entry, ALM_CONFIG_ENVIRONMENT, name, part, st));
        }
    }
    return ALM_OK;
}

static alm_code take_environment(alm_config *config, alm_status *st)
{
    for (size_t i = 0; i < config->entry_count; i++) {
        if (!is_question(config, &config->entries[i])) {
            ALM_TRY(take_variable(config, &config->entries[i], st));
        }
    }
    return ALM_OK;
}

static alm_code take_line(alm_config *config, const char *path, const alm_config_line *line,
                          size_t *first_lines, alm_status *st)
{
    char where[ALM_STATUS_MESSAGE_MAX / 2];
    (void)snprintf(where, sizeof where, "%s:%zu: ", path, line->line);
    alm_config_entry *entry = find_entry(config, line->key);
    bool is_known = entry != NULL && !is_question(config, entry) &&
                    entry->option != &alm_config_builtins[ALM_BUILTIN_CONFIG];
    if (!is_known) {
        return unknown_name(config, where, "", line->key, st);
    }
    size_t *first_line = &first_lines[entry - config->entries];
    if (*first_line != 0 && !entry->option->repeats) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, entry->option->name,
                                    "%s%s is already set in line %zu", where, entry->option->name,
                                    *first_line);
    }
    *first_line = line->line;
    char label[ALM_STATUS_MESSAGE_MAX];
    (void)snprintf(label, sizeof label, "%s%s", where, entry->option->name);
    return set(config, entry, ALM_CONFIG_FILE, label, line->value, st);
}

alm_code alm_config_take_file(alm_config *config, const char *path, alm_str text, alm_status *st)
{
    // By entry: the line that set it, 0 for none.
    size_t *first_lines = alm_arena_calloc(config->arena, config->entry_count, sizeof *first_lines);
    if (first_lines == NULL) {
        return out_of_memory(st);
    }
    size_t line_number = 0;
    for (;;) {
        bool found;
        alm_config_line line;
        ALM_TRY(alm_config_file_next(path, &text, &line_number, &found, &line, st));
        if (!found) {
            return ALM_OK;
        }
        ALM_TRY(take_line(config, path, &line, first_lines, st));
    }
}

static alm_code take_named_file(alm_config *config, alm_status *st)
{
    const char *path = alm_config_text(config, alm_config_builtins[ALM_BUILTIN_CONFIG].name);
    if (path == NULL) {
        return ALM_OK;
    }
    alm_buf buf;
    alm_buf_init(&buf, ALM_CONFIG_FILE_BYTES_MAX + 4096);
    alm_code code = alm_config_file_read(path, &buf, st);
    if (code == ALM_OK) {
        code = alm_config_take_file(config, path, alm_buf_view(&buf), st);
    }
    alm_buf_deinit(&buf);
    return code;
}

static alm_code take_defaults(alm_config *config, alm_status *st)
{
    for (size_t i = 0; i < config->entry_count; i++) {
        alm_config_entry *entry = &config->entries[i];
        if (entry->origin == ALM_CONFIG_UNSET && entry->option->fallback != NULL) {
            alm_code code = set(config, entry, ALM_CONFIG_DEFAULT, entry->option->name,
                                alm_str_from(entry->option->fallback), st);
            ALM_ASSERT(code != ALM_INVALID_ARGUMENT); // a fallback is ours
            ALM_TRY(code);
        }
    }
    return ALM_OK;
}

static alm_code load_all(alm_config *config, int argc, char *const *argv, alm_status *st)
{
    ALM_TRY(take_args(config, argc, argv, st));
    // Help must be had also where the environment or the file is what is wrong.
    if (!alm_config_wants_help(config) && !alm_config_wants_version(config)) {
        ALM_TRY(take_environment(config, st));
        ALM_TRY(take_named_file(config, st));
    }
    return take_defaults(config, st);
}

alm_code alm_config_load(const alm_option *options, size_t option_count, int argc,
                         char *const *argv, alm_config **ret, alm_status *st)
{
    alm_config *config = alm_config_create(options, option_count);
    if (config == NULL) {
        return out_of_memory(st);
    }
    alm_code code = load_all(config, argc, argv, st);
    if (code != ALM_OK) {
        alm_config_destroy(&config);
        return code;
    }
    *ret = config;
    return ALM_OK;
}

static const alm_config_entry *entry_of(const alm_config *config, const char *name)
{
    const alm_config_entry *entry = find_entry(config, alm_str_from(name));
    ALM_ASSERT(entry != NULL); // a name that is not in the table
    return entry;
}

const char *alm_config_text(const alm_config *config, const char *name)
{
    const alm_config_entry *entry = entry_of(config, name);
    return entry->count == 0 ? NULL : entry->texts[entry->count - 1];
}

bool alm_config_bool(const alm_config *config, const char *name)
{
    const alm_config_entry *entry = entry_of(config, name);
    ALM_ASSERT(entry->option->type == ALM_OPTION_BOOL);
    return entry->number != 0;
}

int64_t alm_config_int(const alm_config *config, const char *name)
{
    const alm_config_entry *entry = entry_of(config, name);
    ALM_ASSERT(entry->option->type != ALM_OPTION_TEXT);
    ALM_ASSERT(entry->option->type != ALM_OPTION_BOOL);
    return entry->number;
}

bool alm_config_is_set(const alm_config *config, const char *name)
{
    return entry_of(config, name)->origin > ALM_CONFIG_DEFAULT;
}

bool alm_config_is_given(const alm_config *config, const char *name)
{
    return entry_of(config, name)->origin == ALM_CONFIG_FLAG;
}

size_t alm_config_values(const alm_config *config, const char *name, const char *const **ret)
{
    const alm_config_entry *entry = entry_of(config, name);
    *ret = (const char *const *)entry->texts;
    return entry->count;
}

size_t alm_config_positional(const alm_config *config, const char *const **ret)
{
    *ret = (const char *const *)config->positional;
    return config->positional_count;
}

bool alm_config_wants_help(const alm_config *config)
{
    return builtin(config, ALM_BUILTIN_HELP)->number != 0;
}

bool alm_config_wants_version(const alm_config *config)
{
    return builtin(config, ALM_BUILTIN_VERSION)->number != 0;
}

bool alm_config_wants_print(const alm_config *config)
{
    return builtin(config, ALM_BUILTIN_PRINT)->number != 0;
}
