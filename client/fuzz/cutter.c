// Goal: whatever the bytes, header, pieces and omissions are the whole file, row by row.
// Method: the check of testing/cutter_check, with a reading step taken from the input.
#include "cutter_check.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    size_t step = (size_t)data[0] % 64 + 1;
    const char *wrong = cutter_check((alm_bytes){data + 1, size - 1}, step);
    if (wrong != NULL) {
        (void)fprintf(stderr, "cutter: %s\n", wrong);
        abort();
    }
    return 0;
}
