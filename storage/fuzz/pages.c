// Any bytes as a data file of LMDB: sound or refused, and counted to the last page.
#include "lmdb_pages.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Looks at every byte it is given.
static alm_code look(void *arg, alm_str database, alm_bytes key, alm_bytes value, alm_status *st)
{
    uint64_t *sum = arg;
    (void)st;
    for (size_t i = 0; i < key.len; i++) {
        *sum += key.data[i];
    }
    for (size_t i = 0; value.data != NULL && i < value.len; i++) {
        *sum += value.data[i];
    }
    *sum += database.len;
    return ALM_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t sum = 0;
    lmdb_pages_visitor visitor = {.arg = &sum, .record = look};
    lmdb_pages_info info = {0};
    alm_status st = ALM_STATUS_INIT;
    int fd = memfd_create("pages", MFD_CLOEXEC);
    if (fd >= 0 && write(fd, data, size) == (ssize_t)size) {
        alm_code code = lmdb_pages_check(fd, size, &visitor, &info, &st);
        ALM_ASSERT(code == ALM_OK || code == ALM_DATA_LOSS || code == ALM_RESOURCE_EXHAUSTED);
        uint64_t known = info.branch + info.leaf + info.overflow + info.unused + info.lost;
        ALM_ASSERT(code != ALM_OK || size == 0 || info.pages == known + 2);
    }
    if (fd >= 0) {
        close(fd);
    }
    return 0;
}
