// Figures with names, in every form of output.
#ifndef ALM_CLI_FACTS_H
#define ALM_CLI_FACTS_H

#include "cli.h"
#include "cli_json.h"

typedef struct cli_fact {
    const char *key, *zh, *en;
    uint64_t value;
} cli_fact;

// "1,234,567"; in the arena.
const char *cli_grouped(cli *self, uint64_t value);

// What is not known is no number: a dash, an empty cell, null. table: false, no memory.
bool cli_facts_table(cli *self, const cli_fact *facts, size_t count, bool is_known);
void cli_facts_csv(cli *self, const cli_fact *facts, size_t count, bool is_known);
void cli_facts_json(cli_json *json, const cli_fact *facts, size_t count, bool is_known);

// What verify found. Returns the exit code.
int cli_show_verification(cli *self, const almanac_verification *v);

#endif
