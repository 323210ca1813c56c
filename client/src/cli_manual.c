// almanac(1) in mdoc, made from the table of commands.
#include "cli_command.h"
#include "cli_transforms.h"

// Text that mdoc must not read as a request or an escape.
static void print_text(const char *text, FILE *out)
{
    if (text[0] == '.' || text[0] == '\'') {
        fputs("\\&", out);
    }
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\\') {
            fputs("\\e", out);
        } else {
            fputc(*c, out);
        }
    }
}

// An argument of a macro that may hold spaces.
static void print_argument(const char *text, FILE *out)
{
    fputc('"', out);
    for (const char *c = text; *c != '\0'; c++) {
        fputs(*c == '"' ? "\"\"" : *c == '\\' ? "\\e" : "", out);
        if (*c != '"' && *c != '\\') {
            fputc(*c, out);
        }
    }
    fputc('"', out);
}

// Sentences end a line in mdoc.
static void print_sentences(const char *text, FILE *out)
{
    alm_str rest = alm_str_from(text);
    for (size_t end; (end = alm_str_find(rest, ALM_STR(". "))) != SIZE_MAX;
         rest = alm_str_slice(rest, end + 2, rest.len)) {
        fprintf(out, "%.*s.\n", (int)end, rest.data);
    }
    fprintf(out, "%.*s\n", ALM_STR_ARGS(rest));
}

static void print_option(const alm_option *option, FILE *out)
{
    fprintf(out, ".It ");
    if (option->letter != '\0') {
        fprintf(out, "Fl %c , ", option->letter);
    }
    fprintf(out, "Fl -%s", option->name);
    if (option->type != ALM_OPTION_BOOL) {
        fprintf(out, " Ar ");
        print_argument(option->placeholder, out);
    }
    fprintf(out, "\n");
    print_text(option->help, out);
    if (option->fallback != NULL && option->fallback[0] != '\0') {
        fprintf(out, " (default: %s)", option->fallback);
    }
    fprintf(out, ".%s\n", option->repeats ? "\nMay be given several times." : "");
}

static void print_options(const alm_option *options, size_t count, FILE *out)
{
    fprintf(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < count; i++) {
        print_option(&options[i], out);
    }
    fprintf(out, ".El\n");
}

static void print_command(const cli_command *command, FILE *out)
{
    fprintf(out, ".Ss %s\n.Nm\n.Cm %s\n", command->name, command->name);
    if (command->usage[0] != '\0') {
        fprintf(out, ".Ar ");
        print_argument(command->usage, out);
        fprintf(out, "\n");
    }
    fprintf(out, ".Pp\n");
    print_sentences(command->details, out);
    if (command->option_count > 0) {
        print_options(command->options, command->option_count, out);
    }
}

// Shorthands share the options of query.
static bool repeats_query(const cli_command *command)
{
    const cli_command *query = cli_command_find(ALM_STR("query"));
    return command != query && command->options == query->options;
}

static void print_commands(FILE *out)
{
    for (size_t i = 0; i < cli_command_count; i++) {
        cli_command command = cli_commands[i];
        bool is_shorthand = repeats_query(&cli_commands[i]);
        command.option_count = is_shorthand ? 0 : command.option_count;
        print_command(&command, out);
        if (is_shorthand) {
            fprintf(out, "Takes the options of\n.Cm query .\n");
        }
    }
}

static void print_transforms(FILE *out)
{
    fprintf(out, ".Sh TRANSFORMS\n"
                 "The words of\n.Fl -transform ,\n"
                 "in the order in which they are applied, whichever order they are given in.\n"
                 "A question has one of each group at most.\n"
                 ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < cli_transform_count; i++) {
        const cli_transform *it = &cli_transforms[i];
        fprintf(out, ".It Cm ");
        print_argument(it->word, out);
        fprintf(out, "\n%s: ", it->stage);
        print_text(it->meaning, out);
        fprintf(out, ".\n");
    }
    fprintf(out, ".El\n");
}

static void print_examples(FILE *out)
{
    for (size_t i = 0; i < cli_command_count; i++) {
        for (size_t j = 0; j < cli_commands[i].example_count; j++) {
            const cli_example *example = &cli_commands[i].examples[j];
            fprintf(out, "%s:\n.Bd -literal -offset indent\n", example->meaning);
            print_text(example->line, out);
            fprintf(out, "\n.Ed\n.Pp\n");
        }
    }
}

int cli_manual(cli *self)
{
    FILE *out = self->out;
    fprintf(out, ".Dd November 24, 2026\n.Dt ALMANAC 1\n.Os\n"
                 ".Sh NAME\n.Nm almanac\n.Nd ask an almanac of indicators, and feed it\n"
                 ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar argument ...\n.Op Ar option ...\n"
                 ".Sh DESCRIPTION\n"
                 "Talks to an almanac, which keeps what cities, districts and statistics offices\n"
                 "publish about themselves and answers questions about it.\n"
                 ".Pp\n"
                 "Data goes to standard output, talk to standard error.\n"
                 "Options may stand anywhere, and each can be given by a variable:\n"
                 ".Fl -endpoint\n"
                 "by\n"
                 ".Ev ALMANAC_ENDPOINT .\n"
                 ".Pp\n"
                 "Every command takes these options:\n");
    print_options(cli_global_options, cli_global_option_count, out);
    fprintf(out, ".Sh COMMANDS\n");
    print_commands(out);
    print_transforms(out);
    fprintf(out, ".Sh OUTPUT\n"
                 "CSV has one header row, follows RFC 4180, and has a line a value with the "
                 "columns\n"
                 "indicator, place, period, measure, accumulation, breakdown, relation, value,\n"
                 "unit, qualifier, status, lower, upper, origin, source, published, of_count,\n"
                 "of_expected, reason, note, sequence and transform.\n"
                 "Columns are added at the end only.\n"
                 "A question of targets has more, filled in rows of target_progress:\n"
                 "verdict, why, until, per, and for each of actual, left, time, pace,\n"
                 "pace_seasonal, run_rate, growth_required and expected the number and its\n"
                 "_unit, _qualifier, _lower, _upper and, where it has none, _reason.\n"
                 "An empty lower or upper is an open end.\n"
                 "Text that a spreadsheet would take for a formula has an apostrophe in front.\n"
                 ".Pp\n"
                 "JSON holds the same names, those of a target in an object pace;\n"
                 "numbers are written with the digits they were published with.\n"
                 ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n"
                 ".It Ev ALMANAC_ENDPOINT\nwhere the almanac is.\n"
                 ".It Ev NO_COLOR\nno colours, if it is not empty.\n"
                 ".It Ev LANG , LC_MESSAGES , LC_ALL\nthe language of tables.\n"
                 ".It Ev TMPDIR\nwhere an imported stream is kept while it is read.\n.El\n"
                 ".Sh EXIT STATUS\n.Bl -tag -width Ds\n"
                 ".It 0\ndone.\n"
                 ".It 1\nany other failure.\n"
                 ".It 2\nwrong usage or input; of an import: some rows were not taken.\n"
                 ".It 3\nnot found.\n"
                 ".It 4\nunavailable, too slow, or a limit was reached.\n"
                 ".It 5\ndata damaged.\n.El\n"
                 ".Sh EXAMPLES\n");
    print_examples(out);
    fprintf(out, "See\n.Nm\n.Cm help\n.Ar command\nfor the examples of one command.\n");
    return 0;
}
