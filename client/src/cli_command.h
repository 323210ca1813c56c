// The one table of commands: parsing, help, completion and the manual page come from it.
#ifndef ALM_CLI_COMMAND_H
#define ALM_CLI_COMMAND_H

#include "cli.h"

typedef struct cli_example {
    const char *line;    // what to type
    const char *meaning; // what it does
} cli_example;

struct cli_command {
    const char *name;
    const char *usage;   // its arguments: "INDICATOR[,...] --place EXPR [options]"
    const char *summary; // one line
    const char *details; // one paragraph
    const char *words;   // what may stand first after it: "bash|zsh|fish"; NULL: no fixed words
    bool takes_files;
    size_t positional_min, positional_max;
    const alm_option
        *options;        // beside the global ones; a placeholder of the form a|b|c is the list
    size_t option_count; // of values it takes
    const cli_example *examples;
    size_t example_count;
    int (*run)(cli *self);
    bool has_until; // of token: its entries may end, and its output is the token itself
    // Of the shorthands of query.
    const char *transform; // a word; NULL: none
    const char *period;    // when --period is not given; NULL: it must be
};

extern const cli_command cli_commands[];
extern const size_t cli_command_count;
extern const alm_option cli_global_options[];
extern const size_t cli_global_option_count;

const cli_command *cli_command_find(alm_str name); // NULL: no such command

// The command most likely meant, or NULL.
const char *cli_command_nearest(alm_str name);

// Is the option's placeholder a list of the values it takes?
bool cli_option_has_choices(const alm_option *option);
#define CLI_MORE_CHOICES "|..." // ends a list of examples: other values are taken, too

// The commands.
int cli_import(cli *self);
int cli_query(cli *self);
int cli_explain(cli *self);
int cli_reconcile(cli *self);
int cli_scorecard(cli *self);
int cli_search(cli *self);
int cli_catalog(cli *self);
int cli_watch(cli *self);
int cli_status(cli *self);
int cli_verify(cli *self);
int cli_verify_path(cli *self, const char *path); // a backup, or a folder nobody has open
int cli_backup(cli *self);
int cli_restore(cli *self);
int cli_keys(cli *self);
int cli_token(cli *self);
int cli_rpc(cli *self);
int cli_version(cli *self);
int cli_completion(cli *self);
int cli_manual(cli *self);
int cli_help(cli *self);

#endif
