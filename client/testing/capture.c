#include "capture.h"

#include "alm/assert.h"

#include <stdlib.h>

void capture_open(capture *c)
{
    *c = (capture){0};
    c->stream = open_memstream(&c->text, &c->size);
    ALM_ASSERT(c->stream != NULL);
}

const char *capture_close(capture *c)
{
    if (c->stream != NULL) {
        (void)fclose(c->stream);
        c->stream = NULL;
    }
    return c->text;
}

void capture_free(capture *c)
{
    (void)capture_close(c);
    free(c->text); // libc's own, from open_memstream
    c->text = NULL;
}
