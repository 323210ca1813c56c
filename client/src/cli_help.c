#include "cli_help.h"

#include "cli_transforms.h"

#define LINE_MAX_COLUMNS 90

// Text in lines of at most LINE_MAX_COLUMNS, broken at spaces.
static void print_wrapped(const char *text, FILE *out)
{
    alm_str rest = alm_str_from(text);
    size_t column = 0;
    for (alm_str word; alm_str_split(&rest, ' ', &word);) {
        if (column > 0 && column + 1 + word.len > LINE_MAX_COLUMNS) {
            fputc('\n', out);
            column = 0;
        }
        fprintf(out, "%s%.*s", column > 0 ? " " : "", ALM_STR_ARGS(word));
        column += word.len + (column > 0 ? 1 : 0);
    }
    fputc('\n', out);
}

void cli_help_overview(FILE *out)
{
    fprintf(out, "Asks an almanac of indicators questions, and feeds it.\n\n"
                 "Usage: almanac COMMAND [arguments] [options]\n\nCommands:\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        fprintf(out, "  %-12s%s\n", cli_commands[i].name, cli_commands[i].summary);
    }
    fprintf(out, "\nOptions of every command:\n");
    alm_config_print_help(cli_global_options, cli_global_option_count, out);
    fprintf(out, "\nalmanac help COMMAND shows the arguments of a command, with examples.\n"
                 "Exit codes: 0 done, 2 wrong usage or input, 3 not found, 4 unavailable or too "
                 "slow,\n5 data damaged, 1 anything else.\n");
}

void cli_help_command(const cli_command *command, FILE *out)
{
    fprintf(out, "almanac %s: %s\n\nUsage: almanac %s%s%s\n\n", command->name, command->summary,
            command->name, command->usage[0] != '\0' ? " " : "", command->usage);
    print_wrapped(command->details, out);
    if (command->option_count > 0) {
        fprintf(out, "\nOptions:\n");
        alm_config_print_help(command->options, command->option_count, out);
    }
    if (command->example_count > 0) {
        fprintf(out, "\nExamples:\n");
    }
    for (size_t i = 0; i < command->example_count; i++) {
        fprintf(out, "  %s\n      %s\n", command->examples[i].line, command->examples[i].meaning);
    }
    fprintf(out, "\nalmanac help shows the options of every command.\n");
}

int cli_help(cli *self)
{
    const char *const *words = NULL;
    if (cli_positional(self, &words) == 0) {
        cli_help_overview(self->out);
        return 0;
    }
    if (strcmp(words[0], "transforms") == 0) {
        cli_transforms_print(self->out);
        return 0;
    }
    const cli_command *command = cli_command_find(alm_str_from(words[0]));
    if (command == NULL) {
        const char *nearest = cli_command_nearest(alm_str_from(words[0]));
        return cli_fail_usage(self, "unknown command %s%s%s", words[0],
                              nearest != NULL ? ": did you mean " : "",
                              nearest != NULL ? nearest : "");
    }
    cli_help_command(command, self->out);
    return 0;
}
