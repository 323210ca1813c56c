// A text as search compares it: NFKC with case folded. Text that is not UTF-8 stays as it is but
// for the case of ASCII letters.
#ifndef STORAGE_SEARCH_FOLD_H
#define STORAGE_SEARCH_FOLD_H

#include "alm/arena.h"
#include "alm/buf.h"

// Appends; a full buffer shows in out->failed.
void search_fold(alm_str text, alm_buf *out);

// Takes the next character off the text: its code point, or the byte where it is not UTF-8.
uint32_t search_next_char(alm_str *text);

#endif
