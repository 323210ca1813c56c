#include "text.h"

#include <errno.h>
#include <iconv.h>

static const struct {
    const char *name;
    text_encoding encoding;
} encodings[] = {
    {"", TEXT_UNDECIDED},  {"utf-8", TEXT_UTF8},     {"gb18030", TEXT_GB18030}, {"utf8", TEXT_UTF8},
    {"gbk", TEXT_GB18030}, {"gb2312", TEXT_GB18030}, {"utf-8-sig", TEXT_UTF8},
};

alm_code text_encoding_parse(alm_str name, text_encoding *ret, alm_status *st)
{
    for (size_t i = 0; i < ALM_ARRAY_LEN(encodings); i++) {
        if (alm_str_eq_nocase(name, alm_str_from(encodings[i].name))) {
            *ret = encodings[i].encoding;
            return ALM_OK;
        }
    }
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "encoding",
                                "encoding '%.*s' is not known; it is utf-8 or gb18030",
                                ALM_STR_ARGS(name));
}

const char *text_encoding_name(text_encoding encoding)
{
    return encodings[encoding].name;
}

bool text_is_ascii(alm_str s)
{
    size_t i = 0;
    for (; i + 8 <= s.len; i += 8) {
        uint64_t word;
        memcpy(&word, s.data + i, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0) {
            return false;
        }
    }
    for (; i < s.len; i++) {
        if ((s.data[i] & 0x80) != 0) {
            return false;
        }
    }
    return true;
}

// --- finding out --------------------------------------------------------------------------------

static bool between(uint8_t byte, uint8_t low, uint8_t high)
{
    return byte >= low && byte <= high;
}

// Bytes of the GB18030 character at the front; 0: none. By form only: a form without a character is
// found when the cell is converted.
static size_t gb18030_char_len(alm_str s)
{
    const uint8_t *b = (const uint8_t *)s.data;
    if (s.len >= 1 && b[0] < 0x80) {
        return 1;
    }
    if (s.len < 2 || !between(b[0], 0x81, 0xFE)) {
        return 0;
    }
    if (between(b[1], 0x40, 0xFE) && b[1] != 0x7F) {
        return 2;
    }
    bool has_four = s.len >= 4 && between(b[1], '0', '9') && between(b[2], 0x81, 0xFE) &&
                    between(b[3], '0', '9');
    return has_four ? 4 : 0;
}

static bool is_gb18030(alm_str s)
{
    while (s.len > 0) {
        size_t len = gb18030_char_len(s);
        if (len == 0) {
            return false;
        }
        s = alm_str_slice(s, len, s.len);
    }
    return true;
}

typedef struct vote_count {
    size_t utf8, gb18030;
} vote_count;

// Neither encoding uses the bytes of a comma or a line end inside a character.
static void count_votes(alm_str text, vote_count *votes)
{
    alm_str line, cell;
    while (alm_str_split(&text, '\n', &line)) {
        while (!text_is_ascii(line) && alm_str_split(&line, ',', &cell)) {
            if (!text_is_ascii(cell)) {
                votes->utf8 += alm_utf8_valid_len(cell) == cell.len;
                votes->gb18030 += is_gb18030(cell);
            }
        }
    }
}

static alm_code take_mark(alm_str *header, text_encoding *ret, alm_status *st)
{
    alm_str gb_mark = ALM_STR("\x84\x31\x95\x33");
    alm_str utf8_mark = ALM_STR("\xEF\xBB\xBF");
    *ret = TEXT_UNDECIDED;
    if (alm_str_starts_with(*header, ALM_STR("\xFF\xFE")) ||
        alm_str_starts_with(*header, ALM_STR("\xFE\xFF"))) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "encoding",
                                    "the file is UTF-16; save it as \"CSV UTF-8\" and import that");
    }
    if (alm_str_starts_with(*header, utf8_mark)) {
        *header = alm_str_slice(*header, utf8_mark.len, header->len);
        *ret = TEXT_UTF8;
    } else if (alm_str_starts_with(*header, gb_mark)) {
        *header = alm_str_slice(*header, gb_mark.len, header->len);
        *ret = TEXT_GB18030;
    }
    return ALM_OK;
}

alm_code text_encoding_find(text_encoding told, alm_str *header, alm_str records,
                            text_encoding *ret, alm_status *st)
{
    text_encoding marked;
    ALM_TRY(take_mark(header, &marked, st));
    if (told != TEXT_UNDECIDED && marked != TEXT_UNDECIDED && told != marked) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "encoding",
                                    "the file starts with the mark of %s, but encoding %s was told",
                                    text_encoding_name(marked), text_encoding_name(told));
    }
    *ret = told != TEXT_UNDECIDED ? told : marked;
    if (*ret != TEXT_UNDECIDED) {
        return ALM_OK;
    }
    bool header_is_ascii = text_is_ascii(*header);
    if (!header_is_ascii && alm_utf8_valid_len(*header) == header->len) {
        *ret = TEXT_UTF8;
    } else if (!header_is_ascii || !text_is_ascii(records)) {
        vote_count votes = {0};
        count_votes(*header, &votes);
        count_votes(records, &votes);
        *ret = votes.gb18030 > votes.utf8 ? TEXT_GB18030 : TEXT_UTF8;
    }
    return ALM_OK;
}

// --- decoding -----------------------------------------------------------------------------------

void text_decoder_init(text_decoder *decoder, text_encoding encoding, alm_arena *arena)
{
    *decoder = (text_decoder){.encoding = encoding, .arena = arena};
}

static void close_iconv(void *handle)
{
    iconv_close((iconv_t)handle);
}

static alm_code open_iconv(text_decoder *decoder, alm_status *st)
{
    if (decoder->iconv != NULL) {
        return ALM_OK;
    }
    iconv_t handle = iconv_open("UTF-8", "GB18030");
    if (handle == (iconv_t)-1) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "this system cannot convert GB18030 (%s); save the file as UTF-8",
                              strerror(errno));
    }
    if (!alm_arena_on_reset(decoder->arena, close_iconv, handle)) {
        iconv_close(handle);
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to convert GB18030");
    }
    decoder->iconv = handle;
    return ALM_OK;
}

static alm_code wrong_byte(alm_str raw, size_t at, text_encoding encoding, alm_status *st)
{
    return alm_status_set(st, ALM_INVALID_ARGUMENT, "byte %zu (0x%02X) is not %s", at + 1,
                          (unsigned)(uint8_t)raw.data[at],
                          encoding == TEXT_GB18030 ? "GB18030" : "UTF-8");
}

static alm_code decode_gb18030(text_decoder *decoder, alm_str raw, alm_str *ret, alm_status *st)
{
    ALM_TRY(open_iconv(decoder, st));
    size_t cap = 2 * raw.len; // no character doubles its bytes
    char *out = alm_arena_alloc(decoder->arena, cap);
    if (out == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to convert GB18030");
    }
    iconv_t handle = (iconv_t)decoder->iconv;
    char *from = (char *)(uintptr_t)raw.data; // iconv reads only
    size_t from_left = raw.len;
    char *to = out;
    size_t to_left = cap;
    iconv(handle, NULL, NULL, NULL, NULL);
    if (iconv(handle, &from, &from_left, &to, &to_left) == (size_t)-1) {
        ALM_ASSERT(from_left > 0);
        return wrong_byte(raw, raw.len - from_left, TEXT_GB18030, st);
    }
    *ret = (alm_str){out, cap - to_left};
    return ALM_OK;
}

alm_code text_decode(text_decoder *decoder, alm_str raw, alm_str *ret, alm_status *st)
{
    *ret = raw;
    if (text_is_ascii(raw)) {
        return ALM_OK;
    }
    if (decoder->encoding == TEXT_GB18030) {
        return decode_gb18030(decoder, raw, ret, st);
    }
    size_t valid_len = alm_utf8_valid_len(raw);
    return valid_len == raw.len ? ALM_OK : wrong_byte(raw, valid_len, TEXT_UTF8, st);
}

// --- showing ------------------------------------------------------------------------------------

// One character, or one byte as \xNN, to out. Returns the bytes taken from s.
static size_t show_one(alm_str s, char out[5], size_t *ret_len)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t code_point = 0;
    size_t len = alm_utf8_decode(s, &code_point);
    if (len > 0 && code_point >= 0x20 && code_point != 0x7F) {
        memcpy(out, s.data, len);
        *ret_len = len;
        return len;
    }
    uint8_t byte = (uint8_t)s.data[0];
    memcpy(out, (char[]){'\\', 'x', digits[byte >> 4], digits[byte & 15]}, 4);
    *ret_len = 4;
    return 1;
}

alm_str text_show(alm_str utf8_or_not, alm_arena *arena)
{
    char *out = alm_arena_alloc(arena, TEXT_SHOWN_BYTES_MAX + 3);
    if (out == NULL) {
        return (alm_str){0};
    }
    size_t len = 0;
    while (utf8_or_not.len > 0) {
        char one[5];
        size_t one_len;
        size_t taken = show_one(utf8_or_not, one, &one_len);
        if (len + one_len > TEXT_SHOWN_BYTES_MAX) {
            memcpy(out + len, "...", 3);
            return (alm_str){out, len + 3};
        }
        memcpy(out + len, one, one_len);
        len += one_len;
        utf8_or_not = alm_str_slice(utf8_or_not, taken, utf8_or_not.len);
    }
    return (alm_str){out, len};
}
