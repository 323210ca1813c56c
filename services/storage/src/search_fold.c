#include "search_fold.h"

#include "alm/alloc.h"

#include <utf8proc.h>

// ASCII, or one of U+4E00..U+9FFF: folding leaves those as they are but for capitals, and most text
// is nothing else. Its length in bytes; 0: neither.
static size_t plain_len(alm_str text)
{
    const unsigned char *s = (const unsigned char *)text.data;
    if (s[0] < 0x80) {
        return 1;
    }
    bool is_han = text.len >= 3 && s[0] >= 0xe4 && s[0] <= 0xe9 && (s[0] != 0xe4 || s[1] >= 0xb8) &&
                  (s[1] & 0xc0) == 0x80 && (s[2] & 0xc0) == 0x80;
    return is_han ? 3 : 0;
}

static bool is_plain(alm_str text)
{
    size_t len = 1;
    while (text.len > 0 && (len = plain_len(text)) > 0) {
        text = alm_str_slice(text, len, text.len);
    }
    return len > 0;
}

static void fold_ascii(alm_str text, alm_buf *out)
{
    uint8_t *to = alm_buf_reserve(out, text.len);
    if (to == NULL) {
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        to[i] = (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    out->len += text.len;
}

#define FOLD_OPTIONS                                                                               \
    (UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE)

// Appends the characters, composed.
static void put_chars(utf8proc_int32_t *chars, utf8proc_ssize_t count, alm_buf *out)
{
    count = utf8proc_normalize_utf32(chars, count, FOLD_OPTIONS);
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        uint8_t *to = alm_buf_reserve(out, 4);
        if (to == NULL) {
            return;
        }
        out->len += (size_t)utf8proc_encode_char(chars[i], to);
    }
}

// False: not UTF-8; nothing is appended.
static bool fold_unicode(alm_str text, alm_buf *out)
{
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text.data;
    utf8proc_ssize_t len = (utf8proc_ssize_t)text.len;
    utf8proc_ssize_t count = utf8proc_decompose(bytes, len, NULL, 0, FOLD_OPTIONS);
    if (count <= 0) {
        return count == 0;
    }
    utf8proc_int32_t *chars = alm_calloc((size_t)count, sizeof *chars);
    if (chars == NULL) {
        out->failed = true;
        return true;
    }
    (void)utf8proc_decompose(bytes, len, chars, count, FOLD_OPTIONS);
    put_chars(chars, count, out);
    alm_free(chars);
    return true;
}

void search_fold(alm_str text, alm_buf *out)
{
    if (is_plain(text) || !fold_unicode(text, out)) {
        fold_ascii(text, out);
    }
}

uint32_t search_next_char(alm_str *text)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t len =
        utf8proc_iterate((const utf8proc_uint8_t *)text->data, (utf8proc_ssize_t)text->len, &c);
    if (len <= 0) {
        c = (unsigned char)text->data[0];
        len = 1;
    }
    *text = alm_str_slice(*text, (size_t)len, text->len);
    return (uint32_t)c;
}
