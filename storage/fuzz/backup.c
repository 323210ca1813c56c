// Any bytes as a backup.
#include "backup.h"

#include "alm/assert.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct input {
    const uint8_t *data;
    size_t len, at;
} input;

static alm_code read_input(void *arg, void *data, size_t len, size_t *ret_len, alm_status *st)
{
    input *in = arg;
    (void)st;
    *ret_len = ALM_MIN(ALM_MIN(len, in->len - in->at), (size_t)1 + len / 2);
    if (*ret_len > 0) {
        memcpy(data, in->data + in->at, *ret_len);
    }
    in->at += *ret_len;
    return ALM_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_backup_info info;
    input in = {.data = data, .len = size};
    alm_backup_source source = {.arg = &in, .read = read_input};
    if (alm_store_backup_check(&source, &info, NULL) == ALM_OK) {
        ALM_ASSERT(info.bytes == size);
    }
    return 0;
}
