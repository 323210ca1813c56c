// Names for the codes in an answer, asked of the catalogue. Where it does not know, or does not
// answer, the code stands for itself: names are a kindness, not a part of the answer.
#ifndef ALM_CLI_NAMES_H
#define ALM_CLI_NAMES_H

#include "cli.h"

typedef struct cli_name {
    const char *code;
    const char *name;  // in the language of the command line; NULL: not known
    const char *theme; // of an indicator
} cli_name;

typedef struct cli_names {
    cli_name *indicators, *places; // sorted by code
    size_t indicator_count, place_count;
} cli_names;

// The names that `count` rows need; in self's arena. Without memory it knows nothing.
cli_names cli_names_of(cli *self, const almanac_row *rows, size_t count);

const char *cli_indicator_name(const cli_names *names, const char *code);
const char *cli_indicator_theme(const cli_names *names, const char *code); // "" if not known
const char *cli_place_name(const cli_names *names, const char *code);

// "[indicator][@place][/measure]" with names: "上海市 同比增长". NULL: out of memory.
const char *cli_relation_text(cli *self, const cli_names *names, const char *relation);

#endif
