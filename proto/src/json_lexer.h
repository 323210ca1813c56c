// JSON (RFC 8259) in tokens, without copying.
#ifndef ALM_PROTO_JSON_LEXER_H
#define ALM_PROTO_JSON_LEXER_H

#include "alm/arena.h"
#include "alm/str.h"

// The values of punctuation are the characters.
typedef enum alm_json_kind {
    ALM_JSON_END = 0,
    ALM_JSON_BAD, // not a token; lexer->fault says what was expected
    ALM_JSON_STRING,
    ALM_JSON_NUMBER,
    ALM_JSON_TRUE,
    ALM_JSON_FALSE,
    ALM_JSON_NULL,
    ALM_JSON_COMMA = ',',
    ALM_JSON_COLON = ':',
    ALM_JSON_ARRAY = '[',
    ALM_JSON_ARRAY_END = ']',
    ALM_JSON_OBJECT = '{',
    ALM_JSON_OBJECT_END = '}',
} alm_json_kind;

typedef struct alm_json_lexer {
    alm_str input;      // well-formed UTF-8
    size_t at;          // behind the token
    alm_json_kind kind; // of the token
    alm_str text;       // of the token; of a string without its quotes, escapes as they stand
    bool has_escapes;   // of a string
    const char *fault;
} alm_json_lexer;

// Stands at the first token. input must be UTF-8 and outlive the lexer.
alm_json_lexer alm_json_lexer_of(alm_str input);
void alm_json_next(alm_json_lexer *lexer); // stays at BAD and END

// Where the token begins, counted from 1, columns in bytes.
void alm_json_position(const alm_json_lexer *lexer, size_t *ret_line, size_t *ret_column);

// A string token's text without escapes, NUL-terminated, in out, which has room for text.len + 1
// bytes. *ret_len may count NULs. False: half of a surrogate pair.
bool alm_json_unescape(alm_str text, char *out, size_t *ret_len);

// The bytes of the number that text begins with; 0: it begins with none.
size_t alm_json_number_len(alm_str text);

typedef enum alm_json_integer {
    ALM_JSON_INTEGER,
    ALM_JSON_NOT_INTEGER, // it has a fraction
    ALM_JSON_OVERFLOW,    // its magnitude is past 64 bits
} alm_json_integer;

// Exactly, also 1e3 and 1.50e1. text: a number.
alm_json_integer alm_json_to_integer(alm_str text, bool *ret_negative, uint64_t *ret_magnitude);

#endif
