// What the parts of the configuration share: the loaded values and the options every program has.
#ifndef ALM_CONFIG_IMPL_H
#define ALM_CONFIG_IMPL_H

#include "alm/arena.h"
#include "alm/config.h"

// In order of strength: a value of a stronger origin stays when a weaker one comes.
typedef enum alm_config_origin {
    ALM_CONFIG_UNSET,
    ALM_CONFIG_DEFAULT,
    ALM_CONFIG_FILE,
    ALM_CONFIG_ENVIRONMENT,
    ALM_CONFIG_FLAG,
} alm_config_origin;

typedef struct alm_config_entry {
    const alm_option *option; // borrowed
    alm_config_origin origin;
    const char **texts; // in the arena; the last one counts unless the option repeats
    size_t count;
    size_t cap;
    int64_t number; // of the last text
} alm_config_entry;

struct alm_config {
    alm_arena *arena;
    alm_config_entry *entries; // the table's, then the built-in ones
    size_t entry_count;
    const char **positional;
    size_t positional_count;
    size_t positional_cap;
};

enum {
    ALM_BUILTIN_CONFIG,
    ALM_BUILTIN_HELP,
    ALM_BUILTIN_VERSION,
    ALM_BUILTIN_PRINT,
    ALM_BUILTIN_COUNT
};
extern const alm_option alm_config_builtins[ALM_BUILTIN_COUNT];

// "data-dir" -> "ALMANAC_DATA_DIR".
#define ALM_CONFIG_VARIABLE_MAX 64
void alm_config_variable(const alm_option *option, char ret[ALM_CONFIG_VARIABLE_MAX]);

// Takes the settings of a file's text. path is for messages.
ALM_MUST_USE alm_code alm_config_take_file(alm_config *config, const char *path, alm_str text,
                                           alm_status *st);

// An empty configuration of the table, nothing loaded. NULL: out of memory.
ALM_MUST_USE alm_config *alm_config_create(const alm_option *options, size_t option_count);

#endif
