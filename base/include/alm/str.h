// Text and bytes as pointer and length, by value, non-owning. `const char *` is for libc's edges.
#ifndef ALM_STR_H
#define ALM_STR_H

#include "alm/assert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct alm_str {
    const char *data; // not NUL-terminated; may be NULL when len is 0
    size_t len;       // bytes
} alm_str;

typedef struct alm_bytes {
    const uint8_t *data;
    size_t len;
} alm_bytes;

#define ALM_STR(literal) ((alm_str){.data = "" literal, .len = sizeof(literal) - 1})

// printf: "%.*s", ALM_STR_ARGS(s)
#define ALM_STR_ARGS(s)  (int)ALM_MIN((s).len, (size_t)INT32_MAX), (s).data != NULL ? (s).data : ""

static inline alm_str alm_str_from(const char *text) // NULL gives the empty string
{
    return (alm_str){.data = text, .len = text != NULL ? strlen(text) : 0};
}

static inline bool alm_str_eq(alm_str a, alm_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline alm_str alm_str_slice(alm_str s, size_t from, size_t to)
{
    ALM_ASSERT(from <= to && to <= s.len);
    // The empty text may be NULL, which not even 0 may be added to.
    return (alm_str){.data = s.len == 0 ? s.data : s.data + from, .len = to - from};
}

int alm_str_cmp(alm_str a, alm_str b);        // by bytes; a prefix comes first
bool alm_str_eq_nocase(alm_str a, alm_str b); // ASCII letters only
bool alm_str_starts_with(alm_str s, alm_str prefix);
bool alm_str_ends_with(alm_str s, alm_str suffix);
alm_str alm_str_trim(alm_str s);                // ASCII white space, U+3000 and U+00A0
size_t alm_str_find(alm_str s, alm_str needle); // SIZE_MAX if absent; empty needle: 0
size_t alm_str_find_char(alm_str s, char c);    // SIZE_MAX if absent

// Takes the part before the first sep off the front of *rest. False when *rest was exhausted.
// Start with *rest = the whole; an empty whole yields one empty part.
bool alm_str_split(alm_str *rest, char sep, alm_str *ret_part);

// Decimal digits with an optional sign, nothing else. False: empty, other bytes, or overflow.
bool alm_str_to_i64(alm_str s, int64_t *ret);

// The first byte offset that is not well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms,
// at most U+10FFFF); s.len when all is well.
size_t alm_utf8_valid_len(alm_str s);

// Decodes one code point of well-formed UTF-8 at s.data and returns its length in bytes (1..4);
// 0 when s is empty or malformed there.
size_t alm_utf8_decode(alm_str s, uint32_t *ret_code_point);

#endif
