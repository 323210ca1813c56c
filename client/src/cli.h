// What the parts of the command line share: where it writes, how, and whom it asks.
//
// Data goes to `out`, talk to `err`. A command returns its exit code: 0, or almanac_code_exit of
// what went wrong.
#ifndef ALM_CLI_H
#define ALM_CLI_H

#include "almanac.h"

#include "alm/arena.h"
#include "alm/config.h"
#include "alm/str.h"

#include <stdio.h>

typedef enum cli_output { CLI_TABLE, CLI_CSV, CLI_JSON } cli_output;

typedef struct cli_command cli_command;

typedef struct cli {
    FILE *out, *err;
    bool out_is_terminal, err_is_terminal;
    size_t columns; // of the terminal; 0: not a terminal, lines may be as long as they are
    bool color;
    almanac_lang lang;
    cli_output output;
    const cli_command *command;
    alm_config *config;     // the command's options
    alm_arena *arena;       // lives as long as the command runs
    almanac_client *client; // see cli_connect
} cli;

#define CLI_EXIT_USAGE 2

// The whole program. Streams and terminal facts of `self` are set by the caller, the rest is zero.
int cli_run(cli *self, int argc, char *const *argv);

// Opens the client on first use. False: it said why on err; return *ret_exit.
bool cli_connect(cli *self, int *ret_exit);
bool cli_connect_to(cli *self, const char *endpoint, int *ret_exit); // not at --endpoint

// Says in one line what went wrong and what to do about it. Returns the exit code.
int cli_fail(cli *self, const almanac_error *error);
int cli_fail_usage(cli *self, const char *fmt, ...) ALM_PRINTF(2, 3);
int cli_fail_memory(cli *self);

// Options of the command.
const char *cli_text(const cli *self, const char *option); // "" when unset
size_t cli_positional(const cli *self, const char *const **ret);

// zh or en by the language. Either may be a format; the compiler checks both.
__attribute__((format_arg(2), format_arg(3))) const char *cli_say(const cli *self, const char *zh,
                                                                  const char *en);

#endif
