// What is left of a store after a process dies, the power fails, a disk fills up, a call fails or a
// file is damaged. Each run is a word:
//
//   crash_test RUN [--cycles N] [--seed N] [--control] [--shim LIBRARY] [--only PART]
//
// Exit status: 0 all well, 1 a promise was broken, 2 wrong usage, 77 not possible on this machine.
#include "children.h"
#include "runs.h"

#include "alm/clock.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

typedef struct run_row {
    const char *name;
    int (*run)(const rig_opts *opts);
    uint32_t cycles; // unless told
} run_row;

static const run_row runs[] = {
    {"damage", run_damage, 400}, {"faults", run_faults, 1}, {"full", run_full, 1},
    {"kill", run_kill, 50},      {"lies", run_lies, 1},     {"power", run_power, 50},
};

static int child_busy(char **words, int count)
{
    volatile uint64_t turns = 0;
    (void)words;
    (void)count;
    for (;;) {
        turns++;
    }
    return 0;
}

typedef struct child_row {
    const char *name;
    int (*run)(char **words, int count);
} child_row;

static const child_row children[] = {
    {"busy", child_busy},   {"check", child_check},   {"fault", child_fault},
    {"judge", child_judge}, {"starve", child_starve}, {"writer", child_writer},
};

uint64_t child_number(const char *word)
{
    char *end;
    uint64_t number = strtoull(word, &end, 10);
    if (*word == '\0' || *end != '\0') {
        fprintf(stderr, "%s is not a number\n", word);
        exit(2);
    }
    return number;
}

// The value of "--name VALUE" at words[*at], or NULL.
static const char *value_of(char **words, int count, int *at, const char *name)
{
    bool is_it = strcmp(words[*at], name) == 0 && *at + 1 < count;
    return is_it ? words[++*at] : NULL;
}

static bool parse(char **words, int count, rig_opts *opts)
{
    for (int i = 0; i < count; i++) {
        const char *value;
        if (strcmp(words[i], "--control") == 0) {
            opts->is_control = true;
        } else if ((value = value_of(words, count, &i, "--cycles")) != NULL) {
            opts->cycles = (uint32_t)child_number(value);
        } else if ((value = value_of(words, count, &i, "--seed")) != NULL) {
            opts->seed = child_number(value);
        } else if ((value = value_of(words, count, &i, "--shim")) != NULL) {
            opts->shim = value;
        } else if ((value = value_of(words, count, &i, "--only")) != NULL) {
            opts->detail = value;
        } else {
            fprintf(stderr, "what is %s?\n", words[i]);
            return false;
        }
    }
    return true;
}

static int start_run(const run_row *row, char **words, int count)
{
    alm_clock clock = alm_clock_system();
    const char *seed = getenv("ALM_TEST_SEED");
    rig_opts opts = {.cycles = row->cycles,
                     .detail = "",
                     .seed = seed != NULL ? child_number(seed)
                                          : (uint64_t)clock.wall_us(clock.self) % 1000000007};
    if (!parse(words, count, &opts)) {
        return 2;
    }
    int status = row->run(&opts);
    if (status != RIG_SKIPPED) {
        printf("%s: seed %llu (--seed, ALM_TEST_SEED)\n", row->name, (unsigned long long)opts.seed);
    }
    return status;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < ALM_ARRAY_LEN(children); i++) {
        if (strcmp(argv[1], children[i].name) == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            return children[i].run(argv + 2, argc - 2);
        }
    }
    for (size_t i = 0; argc > 1 && i < ALM_ARRAY_LEN(runs); i++) {
        if (strcmp(argv[1], runs[i].name) == 0) {
            return start_run(&runs[i], argv + 2, argc - 2);
        }
    }
    fprintf(stderr, "usage: crash_test RUN [--cycles N] [--seed N] [--control] [--shim LIBRARY] "
                    "[--only PART]\n");
    return 2;
}
