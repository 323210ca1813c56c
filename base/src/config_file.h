// The file of a configuration: `key = value` a line, `#` in front of a comment, nothing else. A
// value runs to the end of its line, without the white space around it.
#ifndef ALM_CONFIG_FILE_H
#define ALM_CONFIG_FILE_H

#include "alm/buf.h"
#include "alm/status.h"

// A setting of the file; the views live as long as its text. line counts from 1.
typedef struct alm_config_line {
    alm_str key;
    alm_str value;
    size_t line;
} alm_config_line;

// Reads the file into buf.
//
// ALM_NOT_FOUND           it cannot be read, for whatever reason libc names
// ALM_INVALID_ARGUMENT    it is longer than ALM_CONFIG_FILE_BYTES_MAX
// ALM_RESOURCE_EXHAUSTED  out of memory
ALM_MUST_USE alm_code alm_config_file_read(const char *path, alm_buf *buf, alm_status *st);

// Takes the next setting off the front of *rest; *line is the caller's count, 0 at first.
// *ret_found is false at the end. path is for the message.
//
// ALM_INVALID_ARGUMENT  not `key = value`, or not UTF-8, or a control character
ALM_MUST_USE alm_code alm_config_file_next(const char *path, alm_str *rest, size_t *line,
                                           bool *ret_found, alm_config_line *ret, alm_status *st);

// Whether a line can give value, to the byte.
bool alm_config_file_can_hold(alm_str value);

#endif
