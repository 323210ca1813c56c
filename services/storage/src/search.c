#include "search.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool holds_at(alm_str text, size_t at, alm_str word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (lower(text.data[at + i]) != lower(word.data[i])) {
            return false;
        }
    }
    return true;
}

static bool holds(alm_str text, alm_str word)
{
    for (size_t at = 0; at + word.len <= text.len; at++) {
        if (holds_at(text, at, word)) {
            return true;
        }
    }
    return false;
}

static size_t space_len(alm_str s)
{
    static const alm_str wide = {"\xe3\x80\x80", 3}; // U+3000
    if (s.len == 0) {
        return 0;
    }
    if (alm_str_starts_with(s, wide)) {
        return wide.len;
    }
    return s.data[0] == ' ' || s.data[0] == '\t' || s.data[0] == '\n' || s.data[0] == '\r' ? 1 : 0;
}

static bool next_word(alm_str *rest, alm_str *ret)
{
    *rest = alm_str_trim(*rest);
    size_t len = 0;
    while (len < rest->len && space_len(alm_str_slice(*rest, len, rest->len)) == 0) {
        len++;
    }
    *ret = alm_str_slice(*rest, 0, len);
    *rest = alm_str_slice(*rest, len, rest->len);
    return len > 0;
}

bool search_texts(alm_str words, const alm_str *texts, size_t count)
{
    alm_str word;
    while (next_word(&words, &word)) {
        bool found = false;
        for (size_t i = 0; !found && i < count; i++) {
            found = holds(texts[i], word);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

bool search_has_words(alm_str words)
{
    alm_str word;
    return next_word(&words, &word);
}
