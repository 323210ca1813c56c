// Configuration: one table of options; flag beats environment beats file beats default.
//
// Option "data-dir" is the flag --data-dir VALUE or --data-dir=VALUE, the variable
// ALMANAC_DATA_DIR, and the line `data-dir = VALUE` of the file named by --config or
// ALMANAC_CONFIG. Unknown flags, flags with two values, unknown or doubled keys of the file and
// values out of range are errors that name them, also where a stronger source would have won.
//
// An option that repeats takes a flag or a line for each value, and words separated by spaces
// from the environment. The strongest source that has any gives them all. An empty variable
// counts as unset, as compose files leave it.
#ifndef ALM_CONFIG_H
#define ALM_CONFIG_H

#include "alm/status.h"
#include "alm/str.h"

#include <stddef.h>
#include <stdio.h>

typedef enum alm_option_type {
    ALM_OPTION_TEXT,
    ALM_OPTION_BOOL,        // a bare flag sets it, --no-NAME clears it; true or false elsewhere
    ALM_OPTION_INT,         // within [min, max]
    ALM_OPTION_BYTES,       // 64, 4k, 16M, 1G, 1T (powers of 1024)
    ALM_OPTION_DURATION_MS, // 250ms, 5s, 2m, 1h
} alm_option_type;

typedef struct alm_option {
    const char *name; // lower case with dashes
    alm_option_type type;
    const char *fallback;    // default; NULL: required where help says so, else unset
    const char *placeholder; // "DIR" in the help; NULL for a flag
    const char *help;        // one line
    int64_t min, max;        // of numbers; both 0: no bound
    char letter;             // short flag, 0 for none
    bool repeats;            // may be given many times; see alm_config_values
    bool secret;             // alm_config_print says that it is set, not to what
} alm_option;

typedef struct alm_config alm_config;

// Parses argv[1..]; flags stop at "--". What is not a flag is a positional argument. --config,
// --help, --version and --print-config are always known; see the questions below. With --help or
// --version neither environment nor file is read.
//
//   options  borrowed until destroy; names of at most 55 bytes; a wrong fallback is asserted
//
// ALM_INVALID_ARGUMENT  unknown flag or key, a missing or malformed value; the message names it
// ALM_NOT_FOUND         the file named by --config cannot be read
// ALM_RESOURCE_EXHAUSTED out of memory
ALM_MUST_USE alm_code alm_config_load(const alm_option *options, size_t option_count, int argc,
                                      char *const *argv, alm_config **ret, alm_status *st);
void alm_config_destroy(alm_config **config);

// Views, valid until destroy. name must be in the table, and of the type asked for (asserted).
// Unset: NULL, false or 0.
const char *alm_config_text(const alm_config *config, const char *name); // NULL: unset
bool alm_config_bool(const alm_config *config, const char *name);
int64_t alm_config_int(const alm_config *config, const char *name);   // int, bytes, duration in ms
bool alm_config_is_set(const alm_config *config, const char *name);   // by other than the default
bool alm_config_is_given(const alm_config *config, const char *name); // on the command line
size_t alm_config_values(const alm_config *config, const char *name, const char *const **ret);

size_t alm_config_positional(const alm_config *config, const char *const **ret);

bool alm_config_wants_help(const alm_config *config);
bool alm_config_wants_version(const alm_config *config);
bool alm_config_wants_print(const alm_config *config);

// The options of the table as help text, and every value under its origin, in the format of the
// file.
void alm_config_print_help(const alm_option *options, size_t option_count, FILE *out);
void alm_config_print(const alm_config *config, FILE *out);

#endif
