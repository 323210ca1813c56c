// What a run of the command line printed, said and ended with, for tests.
#ifndef ALM_OUTCOME_H
#define ALM_OUTCOME_H

#include "capture.h"

#define OUTCOME_ARGUMENT_MAX 32

typedef struct outcome {
    capture out, err;
    int exit_code;
} outcome;

// args end with NULL, after at most OUTCOME_ARGUMENT_MAX; so does more, which follows them; NULL:
// nothing does.
void outcome_run(outcome *ret, const char *const *args, const char *const *more);
void outcome_free(outcome *done);

#endif
