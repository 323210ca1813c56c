#include "config_file.h"

#include "alm/limits.h"

#include <errno.h>
#include <stdio.h>

alm_code alm_config_file_read(const char *path, alm_buf *buf, alm_status *st)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        goto failed;
    }
    uint8_t *room;
    do {
        room = alm_buf_reserve(buf, 4096);
        if (room != NULL) {
            buf->len += fread(room, 1, 4096, file);
        }
    } while (room != NULL && buf->len <= ALM_CONFIG_FILE_BYTES_MAX && !feof(file) && !ferror(file));
    if (ferror(file)) {
        goto failed;
    }
    fclose(file);
    if (room == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s: out of memory", path);
    }
    if (buf->len > ALM_CONFIG_FILE_BYTES_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "config",
                                    "%s: longer than %zu bytes, the most a configuration may be",
                                    path, ALM_CONFIG_FILE_BYTES_MAX);
    }
    return ALM_OK;

failed:
    (void)alm_status_from_errno(st, errno, path);
    if (file != NULL) {
        fclose(file);
    }
    if (st != NULL) {
        st->code = ALM_NOT_FOUND;
    }
    (void)alm_status_prefix(st, "cannot read the configuration");
    return ALM_NOT_FOUND;
}

// The offset of the first byte a line may not hold; the length if there is none.
static size_t good_len(alm_str text)
{
    size_t valid = alm_utf8_valid_len(text);
    for (size_t i = 0; i < valid; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return i;
        }
    }
    return valid;
}

static alm_code read_line(const char *path, alm_str text, alm_config_line *ret, alm_status *st)
{
    size_t good = good_len(text);
    if (good < text.len) {
        return alm_status_set_field(
            st, ALM_INVALID_ARGUMENT, "config",
            "%s:%zu: byte 0x%02x in column %zu is neither UTF-8 text nor a tab", path, ret->line,
            (unsigned char)text.data[good], good + 1);
    }
    size_t equals = alm_str_find_char(text, '=');
    if (equals == SIZE_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "config",
                                    "%s:%zu: \"%.*s\" is not of the form key = value", path,
                                    ret->line, ALM_STR_ARGS(text));
    }
    ret->key = alm_str_trim(alm_str_slice(text, 0, equals));
    ret->value = alm_str_trim(alm_str_slice(text, equals + 1, text.len));
    return ALM_OK;
}

alm_code alm_config_file_next(const char *path, alm_str *rest, size_t *line, bool *ret_found,
                              alm_config_line *ret, alm_status *st)
{
    static const alm_str byte_order_mark = {.data = "\xef\xbb\xbf", .len = 3};
    *ret_found = false;
    alm_str text;
    while (alm_str_split(rest, '\n', &text)) {
        ++*line;
        if (*line == 1 && alm_str_starts_with(text, byte_order_mark)) {
            text = alm_str_slice(text, byte_order_mark.len, text.len);
        }
        text = alm_str_trim(text);
        if (text.len > 0 && text.data[0] != '#') {
            ret->line = *line;
            *ret_found = true;
            return read_line(path, text, ret, st);
        }
    }
    return ALM_OK;
}

bool alm_config_file_can_hold(alm_str value)
{
    return good_len(value) == value.len && alm_str_eq(alm_str_trim(value), value);
}
