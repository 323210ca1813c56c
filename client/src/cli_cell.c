#include "cli_cell.h"

#include <math.h>
#include <utf8proc.h>

size_t cli_width(alm_str text)
{
    size_t width = 0;
    uint32_t c = 0;
    for (size_t len; (len = alm_utf8_decode(text, &c)) > 0;
         text = alm_str_slice(text, len, text.len)) {
        int columns = utf8proc_charwidth((utf8proc_int32_t)c);
        width += columns > 0 ? (size_t)columns : 0;
    }
    return width;
}

static bool turns_direction(uint32_t c)
{
    return c == 0x200e || c == 0x200f || c == 0x061c || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

// What stands for the code point in a line; NULL: itself.
static const char *replacement(uint32_t c)
{
    if (c == '\n' || c == '\r' || c == '\t') {
        return " ";
    }
    bool is_control = c < 0x20 || (c >= 0x7f && c < 0xa0);
    bool ends_line = c == 0x2028 || c == 0x2029;
    return is_control || ends_line || turns_direction(c) ? "?" : NULL;
}

const char *cli_clean(alm_arena *arena, alm_str text)
{
    char *out = alm_arena_alloc(arena, text.len + 1); // a replacement is never longer
    if (out == NULL) {
        return NULL;
    }
    size_t at = 0;
    while (text.len > 0) {
        uint32_t c = 0;
        size_t len = alm_utf8_decode(text, &c);
        const char *instead = len > 0 ? replacement(c) : "?";
        len = len > 0 ? len : 1;
        if (instead != NULL) {
            out[at++] = instead[0];
        } else {
            memcpy(out + at, text.data, len);
            at += len;
        }
        text = alm_str_slice(text, len, text.len);
    }
    out[at] = '\0';
    return out;
}

const char *cli_shorten(alm_arena *arena, const char *text, size_t width)
{
    alm_str whole = alm_str_from(text);
    if (cli_width(whole) <= width) {
        return text;
    }
    size_t used = 0, bytes = 0;
    uint32_t c = 0;
    for (size_t len; (len = alm_utf8_decode(alm_str_slice(whole, bytes, whole.len), &c)) > 0;
         bytes += len) {
        size_t columns = cli_width(alm_str_slice(whole, bytes, bytes + len));
        if (used + columns + 1 > width) {
            break;
        }
        used += columns;
    }
    return alm_arena_printf(arena, "%.*s…", (int)bytes, text);
}

const char *cli_spark(alm_arena *arena, const double *values, size_t count)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const size_t bar_bytes = 3;
    const size_t top = ALM_ARRAY_LEN(bars) - 1;
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    char *out = alm_arena_alloc(arena, count * bar_bytes + 1);
    if (out == NULL) {
        return NULL;
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i])) {
            out[at++] = ' ';
            continue;
        }
        double height = most > least ? (values[i] - least) / (most - least) : 0.5;
        size_t bar = (size_t)(height * (double)top + 0.5);
        memcpy(out + at, bars[ALM_MIN(bar, top)], bar_bytes);
        at += bar_bytes;
    }
    out[at] = '\0';
    return out;
}
