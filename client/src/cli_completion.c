// Completion scripts, made from the table of commands.
#include "cli_command.h"

typedef struct option_list {
    const alm_option *options;
    size_t count;
} option_list;

static option_list global_options(void)
{
    return (option_list){cli_global_options, cli_global_option_count};
}

static option_list options_of(const cli_command *command)
{
    return (option_list){command->options, command->option_count};
}

// a|b|c with other separators.
static void print_choices(const char *list, char separator, FILE *out)
{
    for (const char *c = list; *c != '\0' && strcmp(c, CLI_MORE_CHOICES) != 0; c++) {
        fputc(*c == '|' ? separator : *c, out);
    }
}

static bool takes_value(const alm_option *option)
{
    return option->type != ALM_OPTION_BOOL;
}

// Text inside single quotes of a shell; brackets and colons are special to zsh.
static void print_quoted(const char *text, const char *special, FILE *out)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'') {
            fputs("'\\''", out);
        } else {
            fprintf(out, "%s%c", strchr(special, *c) != NULL ? "\\" : "", *c);
        }
    }
}

// --- bash ----------------------------------------------------------------------------------------

static void print_bash_values(option_list list, FILE *out)
{
    for (size_t i = 0; i < list.count; i++) {
        if (cli_option_has_choices(&list.options[i])) {
            fprintf(out, "    --%s) words='", list.options[i].name);
            print_choices(list.options[i].placeholder, ' ', out);
            fprintf(out, "' ;;\n");
        }
    }
}

static void print_bash_flags(option_list list, FILE *out)
{
    for (size_t i = 0; i < list.count; i++) {
        fprintf(out, " --%s", list.options[i].name);
    }
}

static void print_bash_command(const cli_command *command, FILE *out)
{
    fprintf(out, "    %s) words='", command->name);
    if (command->words != NULL) {
        print_choices(command->words, ' ', out);
    }
    print_bash_flags(options_of(command), out);
    fprintf(out, "'%s ;;\n", command->takes_files ? "; files=1" : "");
}

static void print_bash_values_of_all(FILE *out)
{
    fprintf(out, "  case \"$command $previous\" in\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        const cli_command *command = &cli_commands[i];
        for (size_t j = 0; j < command->option_count; j++) {
            if (cli_option_has_choices(&command->options[j])) {
                fprintf(out, "    '%s --%s') words='", command->name, command->options[j].name);
                print_choices(command->options[j].placeholder, ' ', out);
                fprintf(out, "' ;;\n");
            }
        }
    }
    fprintf(out, "  esac\n");
}

static void print_bash(FILE *out)
{
    fprintf(out, "# bash completion for almanac; source it.\n"
                 "_almanac() {\n"
                 "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
                 "  local command= words= files= i\n"
                 "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
                 "    [[ ${COMP_WORDS[i]} != -* ]] && { command=${COMP_WORDS[i]}; break; }\n"
                 "  done\n"
                 "  case $previous in\n");
    print_bash_values(global_options(), out);
    fprintf(out, "  esac\n");
    print_bash_values_of_all(out);
    fprintf(out, "  if [[ -z $words ]]; then\n"
                 "    case $command in\n    '') words='");
    for (size_t i = 0; i < cli_command_count; i++) {
        fprintf(out, "%s ", cli_commands[i].name);
    }
    fprintf(out, "' ;;\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        print_bash_command(&cli_commands[i], out);
    }
    fprintf(out, "    esac\n    words+='");
    print_bash_flags(global_options(), out);
    fprintf(out, " --help'\n"
                 "  fi\n"
                 "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                 "  [[ -n $files && $current != -* ]] && "
                 "COMPREPLY+=($(compgen -f -- \"$current\"))\n"
                 "}\n"
                 "complete -o filenames -F _almanac almanac\n");
}

// --- zsh -----------------------------------------------------------------------------------------

static void print_zsh_option(const alm_option *option, FILE *out)
{
    fprintf(out, " \\\n        '%s--%s%s[", option->repeats ? "*" : "", option->name,
            takes_value(option) ? "=" : "");
    print_quoted(option->help, "[]", out);
    fprintf(out, "]");
    if (cli_option_has_choices(option)) {
        fprintf(out, ":value:(");
        // A colon separates parts of the specification.
        const char *c = option->placeholder;
        for (; *c != '\0' && strcmp(c, CLI_MORE_CHOICES) != 0; c++) {
            fprintf(out, "%s%c", *c == ':' ? "\\" : "", *c == '|' ? ' ' : *c);
        }
        fprintf(out, ")");
    } else if (takes_value(option)) {
        fprintf(out, ":");
        print_quoted(option->placeholder, ":", out);
        fprintf(out, ": ");
    }
    fprintf(out, "'");
}

static void print_zsh_command(const cli_command *command, FILE *out)
{
    fprintf(out, "    %s)\n      _arguments $globals", command->name);
    for (size_t i = 0; i < command->option_count; i++) {
        print_zsh_option(&command->options[i], out);
    }
    if (command->words != NULL) {
        fprintf(out, " \\\n        '1:what:(");
        print_choices(command->words, ' ', out);
        fprintf(out, ")'");
    }
    if (command->takes_files) {
        fprintf(out, " \\\n        '*:file:_files'");
    }
    fprintf(out, "\n      ;;\n");
}

static void print_zsh(FILE *out)
{
    fprintf(out, "#compdef almanac\n"
                 "_almanac() {\n"
                 "  local -a commands globals\n"
                 "  commands=(\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        fprintf(out, "    '%s:", cli_commands[i].name);
        print_quoted(cli_commands[i].summary, ":", out);
        fprintf(out, "'\n");
    }
    fprintf(out, "  )\n  globals=(");
    for (size_t i = 0; i < cli_global_option_count; i++) {
        print_zsh_option(&cli_global_options[i], out);
    }
    fprintf(out, "\n  )\n"
                 "  if (( CURRENT == 2 )); then\n"
                 "    _describe command commands\n"
                 "    return\n"
                 "  fi\n"
                 "  local command=$words[2]\n"
                 "  shift words\n"
                 "  (( CURRENT-- ))\n"
                 "  case $command in\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        print_zsh_command(&cli_commands[i], out);
    }
    fprintf(out, "  esac\n}\n_almanac \"$@\"\n");
}

// --- fish ----------------------------------------------------------------------------------------

static void print_fish_option(const alm_option *option, const char *command, FILE *out)
{
    fprintf(out, "complete -c almanac");
    if (command != NULL) {
        fprintf(out, " -n '__fish_seen_subcommand_from %s'", command);
    }
    fprintf(out, " -l %s", option->name);
    if (option->letter != '\0') {
        fprintf(out, " -s %c", option->letter);
    }
    if (cli_option_has_choices(option)) {
        fprintf(out, " -x -a '");
        print_choices(option->placeholder, ' ', out);
        fprintf(out, "'");
    } else if (takes_value(option)) {
        fprintf(out, " -x");
    }
    fprintf(out, " -d '");
    print_quoted(option->help, "\\", out);
    fprintf(out, "'\n");
}

static void print_fish(FILE *out)
{
    fprintf(out, "# fish completion for almanac\ncomplete -c almanac -f\n");
    for (size_t i = 0; i < cli_global_option_count; i++) {
        print_fish_option(&cli_global_options[i], NULL, out);
    }
    for (size_t i = 0; i < cli_command_count; i++) {
        const cli_command *command = &cli_commands[i];
        fprintf(out, "complete -c almanac -n __fish_use_subcommand -a %s -d '", command->name);
        print_quoted(command->summary, "\\", out);
        fprintf(out, "'\n");
        for (size_t j = 0; j < command->option_count; j++) {
            print_fish_option(&command->options[j], command->name, out);
        }
        if (command->words != NULL) {
            fprintf(out, "complete -c almanac -n '__fish_seen_subcommand_from %s' -a '",
                    command->name);
            print_choices(command->words, ' ', out);
            fprintf(out, "'\n");
        }
        if (command->takes_files) {
            fprintf(out, "complete -c almanac -n '__fish_seen_subcommand_from %s' -F\n",
                    command->name);
        }
    }
}

int cli_completion(cli *self)
{
    const char *const *words = NULL;
    (void)cli_positional(self, &words);
    if (strcmp(words[0], "bash") == 0) {
        print_bash(self->out);
    } else if (strcmp(words[0], "zsh") == 0) {
        print_zsh(self->out);
    } else {
        print_fish(self->out);
    }
    return 0;
}
