#include "alm/status.h"

#include "alm/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// What the header tells clang's analyzer about them is for callers.
#undef alm_status_set
#undef alm_status_set_field

// The status is data for a wire and a terminal: what the caller quotes may be neither UTF-8 nor
// printable. Replacing byte by byte keeps the length.
static void make_presentable(char *text, size_t len)
{
    size_t at = 0;
    while ((at += alm_utf8_valid_len((alm_str){text + at, len - at})) < len) {
        text[at] = '?';
    }
    for (at = 0; at < len; at++) {
        unsigned char byte = (unsigned char)text[at];
        bool is_control = byte < 0x20 || byte == 0x7f;
        if (is_control && byte != '\n' && byte != '\t') {
            text[at] = '?';
        }
    }
}

// Ends text with "..." so that it fits in size bytes with its NUL and no code point is split.
static void cut_with_dots(char *text, size_t size)
{
    size_t len = size - sizeof "...";
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) {
        len--;
    }
    memcpy(text + len, "...", sizeof "...");
}

// Takes the result of a snprintf into text; a negative one is a format libc refused.
static void finish_text(char *text, size_t size, int printed, alm_code code)
{
    if (printed < 0) {
        printed = snprintf(text, size, "%s", alm_code_text(code));
    }
    size_t len = (size_t)printed;
    if (len >= size) {
        cut_with_dots(text, size);
        len = strlen(text);
    }
    make_presentable(text, len);
}

// Through a buffer of its own, since an argument may be the old message.
ALM_PRINTF(3, 0)
static void set_message(alm_status *st, alm_code code, const char *fmt, va_list args)
{
    char text[ALM_STATUS_MESSAGE_MAX];
    int printed = vsnprintf(text, sizeof text, fmt, args);
    finish_text(text, sizeof text, printed, code);
    st->code = code;
    st->retry_after_ms = 0;
    memcpy(st->message, text, sizeof text);
}

alm_code alm_status_set(alm_status *st, alm_code code, const char *fmt, ...)
{
    ALM_ASSERT(code != ALM_OK);
    if (st == NULL) {
        return code;
    }
    va_list args;
    va_start(args, fmt);
    set_message(st, code, fmt, args);
    va_end(args);
    st->field[0] = '\0';
    return code;
}

alm_code alm_status_set_field(alm_status *st, alm_code code, const char *field, const char *fmt,
                              ...)
{
    ALM_ASSERT(code != ALM_OK);
    ALM_ASSERT(field != NULL);
    if (st == NULL) {
        return code;
    }
    char name[ALM_STATUS_FIELD_MAX];
    finish_text(name, sizeof name, snprintf(name, sizeof name, "%s", field), code);

    va_list args;
    va_start(args, fmt);
    set_message(st, code, fmt, args);
    va_end(args);
    memcpy(st->field, name, sizeof name);
    return code;
}

alm_code alm_status_in_field(alm_code code, const char *field, alm_status *st)
{
    if (code != ALM_OK && st != NULL) {
        (void)snprintf(st->field, sizeof st->field, "%s", field);
    }
    return code;
}

alm_code alm_status_prefix(alm_status *st, const char *fmt, ...)
{
    if (st == NULL) {
        return ALM_UNKNOWN;
    }
    char text[2 * ALM_STATUS_MESSAGE_MAX];
    va_list args;
    va_start(args, fmt);
    int printed = vsnprintf(text, ALM_STATUS_MESSAGE_MAX, fmt, args);
    va_end(args);
    finish_text(text, ALM_STATUS_MESSAGE_MAX, printed, st->code);

    size_t len = strlen(text);
    printed = snprintf(text + len, sizeof text - len, ": %s", st->message);
    finish_text(text, sizeof st->message, (int)len + printed, st->code);
    memcpy(st->message, text, sizeof st->message);
    return st->code;
}

alm_code alm_status_copy(alm_status *to, const alm_status *from)
{
    if (to != NULL && to != from) {
        *to = *from;
    }
    return from->code;
}

static alm_code code_of_errno(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENXIO:
    case ENODEV:
        return ALM_NOT_FOUND;
    case EEXIST:
        return ALM_ALREADY_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return ALM_PERMISSION_DENIED;
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
        return ALM_RESOURCE_EXHAUSTED;
    case EINVAL:
    case ENAMETOOLONG:
    case EBADMSG:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
        return ALM_INVALID_ARGUMENT;
    case EAGAIN:
    case EINTR:
    case EBUSY:
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return ALM_UNAVAILABLE;
    case ETIMEDOUT:
        return ALM_DEADLINE_EXCEEDED;
    case ECANCELED:
        return ALM_CANCELLED;
    case EADDRINUSE:
    case EISDIR:
    case ENOTEMPTY:
        return ALM_FAILED_PRECONDITION;
    case ENOSYS:
    case EOPNOTSUPP:
        return ALM_UNIMPLEMENTED;
    case EIO:
        return ALM_DATA_LOSS;
    default:
        return ALM_UNKNOWN;
    }
}

alm_code alm_status_from_errno(alm_status *st, int error, const char *what)
{
    ALM_ASSERT(error > 0);
    // GNU's strerror_r answers a constant or fills the buffer; either way it is thread-safe.
    char space[128];
    const char *text = strerror_r(error, space, sizeof space);
    return alm_status_set(st, code_of_errno(error), "%s: %s", what, text);
}

typedef struct code_row {
    const char *name;
    const char *text;
    int http;
    int exit;
    bool retryable;
} code_row;

static const code_row code_rows[] = {
#define ROW(name, number, http, exit, text, retry) [number] = {#name, text, http, exit, retry},
    ALM_CODE_MAP(ROW)
#undef ROW
};
_Static_assert(ALM_ARRAY_LEN(code_rows) == ALM_CODE_COUNT, "one row a code");

static const code_row *row_of(alm_code code)
{
    bool known = (unsigned)code < ALM_CODE_COUNT;
    return &code_rows[known ? code : ALM_UNKNOWN];
}

const char *alm_code_name(alm_code code)
{
    return row_of(code)->name;
}

const char *alm_code_text(alm_code code)
{
    return row_of(code)->text;
}

int alm_code_http(alm_code code)
{
    return row_of(code)->http;
}

int alm_code_exit(alm_code code)
{
    return row_of(code)->exit;
}

bool alm_code_retryable(alm_code code)
{
    return row_of(code)->retryable;
}

bool alm_code_from_number(uint32_t number, alm_code *ret)
{
    if (number >= ALM_CODE_COUNT) {
        return false;
    }
    *ret = (alm_code)number;
    return true;
}
