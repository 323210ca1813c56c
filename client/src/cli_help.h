// Help, made from the table of commands.
#ifndef ALM_CLI_HELP_H
#define ALM_CLI_HELP_H

#include "cli_command.h"

void cli_help_overview(FILE *out);
void cli_help_command(const cli_command *command, FILE *out);

#endif
