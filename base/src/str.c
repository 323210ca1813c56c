#include "alm/str.h"

int alm_str_cmp(alm_str a, alm_str b)
{
    size_t common = ALM_MIN(a.len, b.len);
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order != 0) {
        return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool alm_str_eq_nocase(alm_str a, alm_str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (to_lower(a.data[i]) != to_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

bool alm_str_starts_with(alm_str s, alm_str prefix)
{
    return prefix.len <= s.len && alm_str_eq(alm_str_slice(s, 0, prefix.len), prefix);
}

bool alm_str_ends_with(alm_str s, alm_str suffix)
{
    return suffix.len <= s.len && alm_str_eq(alm_str_slice(s, s.len - suffix.len, s.len), suffix);
}

static const alm_str wide_spaces[] = {
    {.data = "\xe3\x80\x80", .len = 3}, // U+3000 ideographic space
    {.data = "\xc2\xa0", .len = 2},     // U+00A0 no-break space
};

static bool is_ascii_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// Each wide space begins with a lead byte, so it cannot match inside another code point.
static size_t space_at_start(alm_str s)
{
    if (s.len > 0 && is_ascii_space(s.data[0])) {
        return 1;
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(wide_spaces); i++) {
        if (alm_str_starts_with(s, wide_spaces[i])) {
            return wide_spaces[i].len;
        }
    }
    return 0;
}

static size_t space_at_end(alm_str s)
{
    if (s.len > 0 && is_ascii_space(s.data[s.len - 1])) {
        return 1;
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(wide_spaces); i++) {
        if (alm_str_ends_with(s, wide_spaces[i])) {
            return wide_spaces[i].len;
        }
    }
    return 0;
}

alm_str alm_str_trim(alm_str s)
{
    for (size_t n; (n = space_at_start(s)) > 0;) {
        s = alm_str_slice(s, n, s.len);
    }
    for (size_t n; (n = space_at_end(s)) > 0;) {
        s.len -= n;
    }
    return s;
}

size_t alm_str_find(alm_str s, alm_str needle)
{
    if (needle.len == 0) {
        return 0;
    }
    const char *hit = s.len == 0 ? NULL : memmem(s.data, s.len, needle.data, needle.len);
    return hit == NULL ? SIZE_MAX : (size_t)(hit - s.data);
}

size_t alm_str_find_char(alm_str s, char c)
{
    const char *hit = s.len == 0 ? NULL : memchr(s.data, c, s.len);
    return hit == NULL ? SIZE_MAX : (size_t)(hit - s.data);
}

// What *rest points at when its last part was taken: an empty text that can be told from an empty
// whole or an empty last part by its address.
static const char split_end[1];

bool alm_str_split(alm_str *rest, char sep, alm_str *ret_part)
{
    if (rest->data == split_end) {
        return false;
    }
    size_t at = alm_str_find_char(*rest, sep);
    if (at == SIZE_MAX) {
        *ret_part = *rest;
        *rest = (alm_str){.data = split_end, .len = 0};
        return true;
    }
    *ret_part = alm_str_slice(*rest, 0, at);
    *rest = alm_str_slice(*rest, at + 1, rest->len);
    return true;
}

bool alm_str_to_i64(alm_str s, int64_t *ret)
{
    bool negative = s.len > 0 && s.data[0] == '-';
    bool has_sign = negative || (s.len > 0 && s.data[0] == '+');
    size_t at = has_sign ? 1 : 0;
    if (at == s.len) {
        return false;
    }
    // Counts away from zero with the sign on, so that INT64_MIN needs no special case.
    int64_t value = 0;
    for (; at < s.len; at++) {
        if (s.data[at] < '0' || s.data[at] > '9') {
            return false;
        }
        int digit = s.data[at] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value)) {
            return false;
        }
    }
    *ret = value;
    return true;
}
