// What is imported, as something that can be read twice: a regular file as it is, anything else
// copied to an unnamed temporary file first.
#ifndef ALM_SPOOL_H
#define ALM_SPOOL_H

#include "alm/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct alm_spool {
    int fd;
    bool owns_fd;
    int64_t start; // where the content begins: standard input may have been read from before
    uint64_t size;
    uint64_t at; // bytes read since the rewind
} alm_spool;

// path "-": standard input.
//
// ALM_NOT_FOUND, ALM_PERMISSION_DENIED, ALM_INVALID_ARGUMENT (a folder)  the path cannot be read
// ALM_RESOURCE_EXHAUSTED  no room for the temporary file
ALM_MUST_USE alm_code alm_spool_open(const char *path, alm_spool *ret, alm_status *st);
void alm_spool_close(alm_spool *spool);

// *ret_got 0 is the end.
ALM_MUST_USE alm_code alm_spool_read(alm_spool *spool, void *out, size_t size, size_t *ret_got,
                                     alm_status *st);
void alm_spool_rewind(alm_spool *spool);

#endif
