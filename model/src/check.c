#include "check.h"

#include "alm/limits.h"
#include "alm/series.h"

static bool is_code_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

bool alm_code_valid(alm_str code)
{
    if (code.len == 0 || code.len > ALM_CODE_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < code.len; i++) {
        if (!is_code_char(code.data[i])) {
            return false;
        }
    }
    return !alm_str_eq(code, ALM_STR("_T")) && !alm_str_eq(code, ALM_STR("_Z"));
}

alm_code alm_check_code(alm_str code, const char *field, alm_status *st)
{
    if (alm_code_valid(code)) {
        return ALM_OK;
    }
    if (code.len == 0) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field, "%s is empty", field);
    }
    if (code.len > ALM_CODE_BYTES_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field,
                                    "%s '%.*s...' is %zu bytes long, at most %d are allowed", field,
                                    SHOWN_ARGS(code), code.len, ALM_CODE_BYTES_MAX);
    }
    if (code.data[0] == '_' && code.len == 2) {
        return alm_status_set_field(
            st, ALM_INVALID_ARGUMENT, field,
            "%s '%.*s' is reserved: _T and _Z mean total and not applicable", field,
            SHOWN_ARGS(code));
    }
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field,
                                "%s '%.*s' is not a code: only A-Z, a-z, 0-9, _ and - are allowed",
                                field, SHOWN_ARGS(code));
}

static bool has_control(alm_str text, bool multi_line)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool break_or_tab = c == '\n' || c == '\r' || c == '\t';
        if ((c < 0x20 || c == 0x7f) && !(multi_line && break_or_tab)) {
            return true;
        }
    }
    return false;
}

alm_code alm_check_text(alm_str text, const char *field, size_t max_bytes, bool multi_line,
                        alm_status *st)
{
    if (text.len > max_bytes) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field,
                                    "%s '%.*s...' is %zu bytes long, at most %zu are allowed",
                                    field, SHOWN_ARGS(text), text.len, max_bytes);
    }
    size_t valid_len = alm_utf8_valid_len(text);
    if (valid_len < text.len) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field,
                                    "%s is not UTF-8: byte 0x%02x at offset %zu", field,
                                    (unsigned char)text.data[valid_len], valid_len);
    }
    if (has_control(text, multi_line)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field,
                                    "%s '%.*s' holds a control character", field, SHOWN_ARGS(text));
    }
    return ALM_OK;
}

alm_code alm_check_name(alm_str name, const char *field, alm_status *st)
{
    if (alm_str_trim(name).len == 0) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, field, "%s is empty", field);
    }
    return alm_check_text(name, field, ALM_NAME_BYTES_MAX, false, st);
}

alm_code alm_check_aliases(const alm_str *aliases, size_t count, alm_status *st)
{
    if (count > ALM_ALIAS_COUNT_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "aliases",
                                    "aliases holds %zu names, at most %d are allowed", count,
                                    ALM_ALIAS_COUNT_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        ALM_TRY(alm_check_name(aliases[i], "aliases", st));
    }
    return ALM_OK;
}
