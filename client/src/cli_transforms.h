// The words of --transform, for help and the manual. The model, which the client does not include,
// has its own; a test holds them against each other (tests/agree/client_words_test.c).
#ifndef ALM_CLI_TRANSFORMS_H
#define ALM_CLI_TRANSFORMS_H

#include <stddef.h>
#include <stdio.h>

typedef struct cli_transform {
    const char *stage;   // a question has one word of each; applied in the order of the table
    const char *word;    // as it is typed
    const char *meaning; // what comes out
} cli_transform;

extern const cli_transform cli_transforms[];
extern const size_t cli_transform_count;

void cli_transforms_print(FILE *out);

#endif
