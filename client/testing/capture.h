// A stream whose text a test can look at.
#ifndef ALM_CAPTURE_H
#define ALM_CAPTURE_H

#include <stddef.h>
#include <stdio.h>

typedef struct capture {
    FILE *stream;
    char *text; // valid after capture_close
    size_t size;
} capture;

void capture_open(capture *c);
const char *capture_close(capture *c); // the text; until capture_free
void capture_free(capture *c);

#endif
