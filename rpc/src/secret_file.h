// Small files that hold a secret, read and written with care.
#ifndef ALM_RPC_SECRET_FILE_H
#define ALM_RPC_SECRET_FILE_H

#include "alm/status.h"
#include "alm/str.h"

#define ALM_SECRET_FILE_BYTES_MAX 1024

// Reads a whole file. is_secret: it must be a regular file nobody but its owner can read.
// *ret_len: bytes; the caller wipes ret.
//
// ALM_NOT_FOUND, ALM_PERMISSION_DENIED, ALM_INVALID_ARGUMENT (too large, not a file)
ALM_MUST_USE alm_code alm_secret_file_read(const char *path, bool is_secret,
                                           char ret[ALM_SECRET_FILE_BYTES_MAX], size_t *ret_len,
                                           alm_status *st);

// Makes the file, which must not be there, and brings it to the disk. On failure it is not there.
ALM_MUST_USE alm_code alm_secret_file_create(const char *path, unsigned mode, alm_str text,
                                             alm_status *st);

#endif
