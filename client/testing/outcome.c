#include "outcome.h"

#include "alm/assert.h"
#include "cli.h"

#include <stdint.h>

static int add(char **argv, int argc, const char *const *args)
{
    for (; args != NULL && *args != NULL; args++) {
        ALM_ASSERT(argc <= OUTCOME_ARGUMENT_MAX);
        argv[argc++] = (char *)(uintptr_t)*args;
    }
    return argc;
}

void outcome_run(outcome *ret, const char *const *args, const char *const *more)
{
    char program[] = "almanac";
    char *argv[OUTCOME_ARGUMENT_MAX + 2] = {program};
    int argc = add(argv, add(argv, 1, args), more);
    capture_open(&ret->out);
    capture_open(&ret->err);
    cli self = {.out = ret->out.stream, .err = ret->err.stream};
    ret->exit_code = cli_run(&self, argc, argv);
    (void)capture_close(&ret->out);
    (void)capture_close(&ret->err);
}

void outcome_free(outcome *done)
{
    capture_free(&done->out);
    capture_free(&done->err);
}
