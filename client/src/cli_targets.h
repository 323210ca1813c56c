// Targets as a table: one line a target, with what was reached and whether that is on time.
#ifndef ALM_CLI_TARGETS_H
#define ALM_CLI_TARGETS_H

#include "cli.h"
#include "cli_names.h"

// rows: targets, each followed by its progress. False: out of memory.
bool cli_targets_table(cli *self, const almanac_row *rows, size_t count, const cli_names *names);

#endif
