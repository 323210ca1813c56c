#include "cli_source.h"

#include <errno.h>
#include <string.h>

alm_code cli_source_open(const char *name, const char *text, cli_source *ret, alm_status *st)
{
    *ret = (cli_source){.name = name};
    alm_buf_init(&ret->buf, CLI_SOURCE_BYTES_MAX);
    if (strcmp(text, "-") == 0) {
        ret->name = "standard input";
        ret->in = stdin;
    } else if (text[0] == '@') {
        ret->name = text + 1;
        ret->in = fopen(text + 1, "rb");
    } else {
        // fmemopen only reads through the pointer it is given.
        ret->in = fmemopen((void *)(uintptr_t)text, strlen(text), "rb");
    }
    return ret->in != NULL ? ALM_OK : alm_status_from_errno(st, errno, ret->name);
}

void cli_source_close(cli_source *source)
{
    if (source->in != NULL && source->in != stdin) {
        (void)fclose(source->in);
    }
    alm_buf_deinit(&source->buf);
    source->in = NULL;
}

static alm_code check(const cli_source *source, alm_status *st)
{
    if (ferror(source->in) != 0) {
        return alm_status_from_errno(st, errno, source->name);
    }
    if (source->buf.failed) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s: more than %zu bytes", source->name,
                              CLI_SOURCE_BYTES_MAX);
    }
    return ALM_OK;
}

alm_code cli_source_whole(cli_source *source, alm_str *ret, alm_status *st)
{
    size_t got = 1;
    alm_buf_reset(&source->buf);
    while (got > 0 && !source->buf.failed) {
        uint8_t chunk[4096];
        got = fread(chunk, 1, sizeof chunk, source->in);
        alm_buf_append(&source->buf, chunk, got);
    }
    ALM_TRY(check(source, st));
    *ret = alm_buf_view(&source->buf);
    return ALM_OK;
}

alm_code cli_source_line(cli_source *source, alm_str *ret, bool *ret_more, alm_status *st)
{
    int c = 0;
    do {
        alm_buf_reset(&source->buf);
        while ((c = getc(source->in)) != EOF && c != '\n' && !source->buf.failed) {
            alm_buf_char(&source->buf, (char)c);
        }
        ALM_TRY(check(source, st));
        source->line++;
        *ret = alm_buf_view(&source->buf);
    } while (c != EOF && alm_str_trim(*ret).len == 0);
    *ret_more = alm_str_trim(*ret).len > 0;
    return ALM_OK;
}
