#include "json_lexer.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static size_t digits_from(alm_str text, size_t at)
{
    size_t end = at;
    while (end < text.len && is_digit(text.data[end])) {
        end++;
    }
    return end - at;
}

// --- numbers -------------------------------------------------------------------------------------

size_t alm_json_number_len(alm_str text)
{
    size_t at = text.len > 0 && text.data[0] == '-' ? 1 : 0;
    size_t whole = digits_from(text, at);
    if (whole == 0 || (whole > 1 && text.data[at] == '0')) {
        return 0;
    }
    at += whole;
    if (at < text.len && text.data[at] == '.') {
        size_t fraction = digits_from(text, at + 1);
        if (fraction == 0) {
            return 0;
        }
        at += 1 + fraction;
    }
    if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
        size_t sign = at + 1 < text.len && (text.data[at + 1] == '-' || text.data[at + 1] == '+');
        size_t exponent = digits_from(text, at + 1 + sign);
        if (exponent == 0) {
            return 0;
        }
        at += 1 + sign + exponent;
    }
    return at;
}

#define EXPONENT_MAX 1000000000 // farther than any text reaches

// The parts of a number: digits with the point taken out, and by how many places it moves.
typedef struct number_parts {
    bool negative;
    alm_str whole, fraction;
    int64_t exponent;
} number_parts;

static number_parts split_number(alm_str text)
{
    number_parts parts = {.negative = text.data[0] == '-'};
    size_t at = parts.negative ? 1 : 0;
    size_t len = digits_from(text, at);
    parts.whole = alm_str_slice(text, at, at + len);
    at += len;
    if (at < text.len && text.data[at] == '.') {
        len = digits_from(text, at + 1);
        parts.fraction = alm_str_slice(text, at + 1, at + 1 + len);
        at += 1 + len;
    }
    if (at < text.len) {
        bool is_negative = text.data[at + 1] == '-';
        at += is_negative || text.data[at + 1] == '+' ? 2 : 1;
        for (; at < text.len; at++) {
            parts.exponent = ALM_MIN(parts.exponent * 10 + (text.data[at] - '0'), EXPONENT_MAX);
        }
        parts.exponent = is_negative ? -parts.exponent : parts.exponent;
    }
    return parts;
}

static char digit_at(const number_parts *parts, size_t i)
{
    return i < parts->whole.len ? parts->whole.data[i] : parts->fraction.data[i - parts->whole.len];
}

static bool push_digit(uint64_t *value, unsigned digit)
{
    return !__builtin_mul_overflow(*value, UINT64_C(10), value) &&
           !__builtin_add_overflow(*value, digit, value);
}

alm_json_integer alm_json_to_integer(alm_str text, bool *ret_negative, uint64_t *ret_magnitude)
{
    number_parts parts = split_number(text);
    size_t count = parts.whole.len + parts.fraction.len;
    int64_t point = (int64_t)parts.whole.len + parts.exponent; // digits in front of it
    uint64_t value = 0;
    bool is_past = false;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)(digit_at(&parts, i) - '0');
        if ((int64_t)i >= point && digit != 0) {
            return ALM_JSON_NOT_INTEGER;
        }
        is_past = is_past || ((int64_t)i < point && !push_digit(&value, digit));
    }
    // Zeros behind the last digit: 64 bits are full after twenty.
    for (int64_t i = (int64_t)count; i < point && value != 0 && !is_past; i++) {
        is_past = !push_digit(&value, 0);
    }
    if (is_past) {
        return ALM_JSON_OVERFLOW;
    }
    *ret_negative = parts.negative;
    *ret_magnitude = value;
    return ALM_JSON_INTEGER;
}

// --- strings -------------------------------------------------------------------------------------

// The length of the escape at text[at], which is a backslash; 0: there is no such escape.
static size_t escape_len(alm_str text, size_t at)
{
    if (at + 1 >= text.len) {
        return 0;
    }
    char c = text.data[at + 1];
    if (c != 'u') {
        return memchr("\"\\/bfnrt", c, 8) != NULL ? 2 : 0;
    }
    if (text.len - at < 6) {
        return 0;
    }
    for (size_t i = 2; i < 6; i++) {
        if (hex_value(text.data[at + i]) < 0) {
            return 0;
        }
    }
    return 6;
}

static uint32_t unit_at(const char *escape)
{
    uint32_t unit = 0;
    for (int i = 2; i < 6; i++) {
        unit = unit << 4 | (uint32_t)hex_value(escape[i]);
    }
    return unit;
}

static size_t put_utf8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

static char plain_escape(char c)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *found = strchr(from, c);
    return found != NULL ? to[found - from] : c;
}

// The code point of the \u escape, or pair of them, at text[at]. Returns its length in text; 0:
// half a pair.
static size_t decode_units(alm_str text, size_t at, uint32_t *ret)
{
    uint32_t unit = unit_at(text.data + at);
    if (unit < 0xd800 || unit > 0xdfff) {
        *ret = unit;
        return 6;
    }
    bool has_second = unit < 0xdc00 && text.len - at >= 12 && text.data[at + 6] == '\\' &&
                      text.data[at + 7] == 'u';
    uint32_t low = has_second ? unit_at(text.data + at + 6) : 0;
    if (low < 0xdc00 || low > 0xdfff) {
        return 0;
    }
    *ret = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    return 12;
}

bool alm_json_unescape(alm_str text, char *out, size_t *ret_len)
{
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        if (text.data[at] != '\\') {
            out[len++] = text.data[at++];
        } else if (text.data[at + 1] != 'u') {
            out[len++] = plain_escape(text.data[at + 1]);
            at += 2;
        } else {
            uint32_t c = 0;
            size_t taken = decode_units(text, at, &c);
            if (taken == 0) {
                return false;
            }
            len += put_utf8(c, out + len);
            at += taken;
        }
    }
    out[len] = '\0';
    *ret_len = len;
    return true;
}

// --- tokens --------------------------------------------------------------------------------------

static void set_bad(alm_json_lexer *lexer, size_t at, const char *fault)
{
    lexer->kind = ALM_JSON_BAD;
    lexer->fault = fault;
    lexer->text = alm_str_slice(lexer->input, at, ALM_MIN(at + 1, lexer->input.len));
    lexer->at = at;
}

static void read_string(alm_json_lexer *lexer, size_t start)
{
    alm_str input = lexer->input;
    size_t at = start + 1;
    lexer->has_escapes = false;
    while (at < input.len && input.data[at] != '"') {
        if ((unsigned char)input.data[at] < 0x20) {
            set_bad(lexer, at, "a control character in a string must be escaped");
            return;
        }
        size_t step = input.data[at] == '\\' ? escape_len(input, at) : 1;
        if (step == 0) {
            set_bad(lexer, at, "no such escape in JSON");
            return;
        }
        lexer->has_escapes = lexer->has_escapes || input.data[at] == '\\';
        at += step;
    }
    if (at >= input.len) {
        set_bad(lexer, start, "the string does not end");
        return;
    }
    lexer->kind = ALM_JSON_STRING;
    lexer->text = alm_str_slice(input, start + 1, at);
    lexer->at = at + 1;
}

static bool is_word_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '.' || c == '+' || c == '-';
}

static void read_word(alm_json_lexer *lexer, size_t start)
{
    size_t end = start;
    while (end < lexer->input.len && is_word_char(lexer->input.data[end])) {
        end++;
    }
    alm_str word = alm_str_slice(lexer->input, start, end);
    if (word.len == 0) {
        set_bad(lexer, start, "not JSON");
        return;
    }
    lexer->text = word;
    lexer->at = end;
    if (alm_json_number_len(word) == word.len) {
        lexer->kind = ALM_JSON_NUMBER;
    } else if (alm_str_eq(word, ALM_STR("true"))) {
        lexer->kind = ALM_JSON_TRUE;
    } else if (alm_str_eq(word, ALM_STR("false"))) {
        lexer->kind = ALM_JSON_FALSE;
    } else if (alm_str_eq(word, ALM_STR("null"))) {
        lexer->kind = ALM_JSON_NULL;
    } else {
        lexer->kind = ALM_JSON_BAD;
        lexer->fault = "neither a JSON number nor true, false or null; text needs quotes";
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void alm_json_next(alm_json_lexer *lexer)
{
    if (lexer->kind == ALM_JSON_BAD) {
        return;
    }
    size_t at = lexer->at;
    while (at < lexer->input.len && is_space(lexer->input.data[at])) {
        at++;
    }
    if (at >= lexer->input.len) {
        lexer->kind = ALM_JSON_END;
        lexer->text = alm_str_slice(lexer->input, lexer->input.len, lexer->input.len);
        lexer->at = at;
        return;
    }
    char c = lexer->input.data[at];
    if (c == '"') {
        read_string(lexer, at);
    } else if (c != '\0' && strchr("{}[],:", c) != NULL) {
        lexer->kind = (alm_json_kind)c;
        lexer->text = alm_str_slice(lexer->input, at, at + 1);
        lexer->at = at + 1;
    } else {
        read_word(lexer, at);
    }
}

alm_json_lexer alm_json_lexer_of(alm_str input)
{
    alm_json_lexer lexer = {.input = input, .kind = ALM_JSON_COMMA};
    alm_json_next(&lexer);
    return lexer;
}

void alm_json_position(const alm_json_lexer *lexer, size_t *ret_line, size_t *ret_column)
{
    // An empty token, the end for one, stands somewhere too; only an empty input has no address.
    size_t start = lexer->text.data != NULL ? (size_t)(lexer->text.data - lexer->input.data) : 0;
    *ret_line = 1;
    size_t line_start = 0;
    for (size_t i = 0; i < start; i++) {
        if (lexer->input.data[i] == '\n') {
            ++*ret_line;
            line_start = i + 1;
        }
    }
    *ret_column = start - line_start + 1;
}
