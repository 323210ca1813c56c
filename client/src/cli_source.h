// What an option of a command names to be read: the text itself, @FILE, or - for standard input.
#ifndef ALM_CLI_SOURCE_H
#define ALM_CLI_SOURCE_H

#include "alm/buf.h"
#include "alm/status.h"

#include <stdio.h>

#define CLI_SOURCE_BYTES_MAX ((size_t)16 << 20) // of the whole, or of a line

typedef struct cli_source {
    FILE *in;
    const char *name; // for errors: "--json", the file, "standard input"
    size_t line;      // the last one given, from 1
    alm_buf buf;
} cli_source;

// text is borrowed. name: what it is called when it is the source itself.
//
// ALM_NOT_FOUND, ALM_PERMISSION_DENIED  the file
ALM_MUST_USE alm_code cli_source_open(const char *name, const char *text, cli_source *ret,
                                      alm_status *st);
void cli_source_close(cli_source *source); // also of one that was not opened but is zero

// All there is; valid until close. st too: reading failed, or CLI_SOURCE_BYTES_MAX.
ALM_MUST_USE alm_code cli_source_whole(cli_source *source, alm_str *ret, alm_status *st);

// The next line that is not blank, as soon as it is there; valid until the next call. *ret_more
// false: the end.
ALM_MUST_USE alm_code cli_source_line(cli_source *source, alm_str *ret, bool *ret_more,
                                      alm_status *st);

#endif
