#include "alm/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void alm_assert_fail(const char *expr, const char *file, int line)
{
    // No stdio buffer: the heap may be what is broken.
    (void)dprintf(STDERR_FILENO, "%s:%d: assertion failed: %s\n", file, line, expr);
    abort();
}
