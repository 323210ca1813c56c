// Checks that every catalogue entry shares. Messages name the field as its column is named, so that
// ingestion can point to it. Internal to model/.
#ifndef ALM_MODEL_CHECK_H
#define ALM_MODEL_CHECK_H

#include "alm/status.h"
#include "alm/str.h"

// What a message quotes of text a user gave: enough to recognise it, not enough to drown the rest.
#define SHOWN_BYTES_MAX 64
static inline alm_str shown(alm_str text)
{
    return alm_str_slice(text, 0, ALM_MIN(text.len, (size_t)SHOWN_BYTES_MAX));
}
#define SHOWN_ARGS(text) ALM_STR_ARGS(shown(text))

// ALM_INVALID_ARGUMENT  not a code (alm_code_valid); the message shows it and says why
ALM_MUST_USE alm_code alm_check_code(alm_str code, const char *field, alm_status *st);

// ALM_INVALID_ARGUMENT  longer than max_bytes, not UTF-8, or with control characters; line breaks
// and
//                       tabs are allowed in prose (multi_line). Empty text passes.
ALM_MUST_USE alm_code alm_check_text(alm_str text, const char *field, size_t max_bytes,
                                     bool multi_line, alm_status *st);

// ALM_INVALID_ARGUMENT  empty, or not a good one-line name
ALM_MUST_USE alm_code alm_check_name(alm_str name, const char *field, alm_status *st);

// ALM_INVALID_ARGUMENT  too many, an empty one, or not a good one-line name
ALM_MUST_USE alm_code alm_check_aliases(const alm_str *aliases, size_t count, alm_status *st);

#endif
