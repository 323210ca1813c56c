#include "alm/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const char *const level_names[] = {"debug", "info", "warn", "error", "off"};
static const char *const format_names[] = {"logfmt", "json"};

void alm_log_init(alm_log *log, const char *service)
{
    *log = (alm_log){
        .fd = STDERR_FILENO,
        .level = ALM_LOG_INFO,
        .format = ALM_LOG_LOGFMT,
        .clock = alm_clock_system(),
    };
    (void)snprintf(log->service, sizeof log->service, "%s", service);
}

static bool find_name(const char *const *names, size_t count, alm_str name, size_t *ret)
{
    for (size_t i = 0; i < count; i++) {
        if (alm_str_eq(name, alm_str_from(names[i]))) {
            *ret = i;
            return true;
        }
    }
    return false;
}

bool alm_log_level_from(alm_str name, alm_log_level *ret)
{
    size_t index;
    if (!find_name(level_names, ALM_ARRAY_LEN(level_names), name, &index)) {
        return false;
    }
    *ret = (alm_log_level)index;
    return true;
}

bool alm_log_format_from(alm_str name, alm_log_format *ret)
{
    size_t index;
    if (!find_name(format_names, ALM_ARRAY_LEN(format_names), name, &index)) {
        return false;
    }
    *ret = (alm_log_format)index;
    return true;
}

#define TAIL_MAX 16 // `,"cut":true}` and the newline

// One line in the making. Appends past the limit do nothing but set cut.
typedef struct line {
    alm_log_format format;
    size_t len;
    size_t limit; // leaves room for the tail
    bool cut;
    char data[ALM_LOG_LINE_MAX];
} line;

static bool put(line *out, const char *data, size_t len)
{
    if (out->cut || len > out->limit - out->len) {
        out->cut = true;
        return false;
    }
    memcpy(out->data + out->len, data, len);
    out->len += len;
    return true;
}

ALM_PRINTF(2, 3) static bool put_format(line *out, const char *fmt, ...)
{
    char text[64];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    ALM_ASSERT(len >= 0 && (size_t)len < sizeof text);
    return put(out, text, (size_t)len);
}

// Writes the code point at the start of text, escaped where it could end the line or the quotes,
// or move a terminal's cursor; *ret_len is what it took of text. The escapes are JSON's, and
// logfmt borrows them.
static bool put_code_point(line *out, alm_str text, size_t *ret_len)
{
    uint32_t point;
    size_t len = alm_utf8_decode(text, &point);
    *ret_len = ALM_MAX(len, 1);
    if (len == 0) {
        return put(out, "\\ufffd", 6);
    }
    switch (point) {
    case '"':
        return put(out, "\\\"", 2);
    case '\\':
        return put(out, "\\\\", 2);
    case '\n':
        return put(out, "\\n", 2);
    case '\r':
        return put(out, "\\r", 2);
    case '\t':
        return put(out, "\\t", 2);
    default:
        break;
    }
    bool is_control = point < 0x20 || (point >= 0x7f && point < 0xa0);
    bool ends_line = point == 0x2028 || point == 0x2029;
    if (is_control || ends_line) {
        return put_format(out, "\\u%04" PRIx32, point);
    }
    return put(out, text.data, len);
}

// A text that does not fit is written as far as it does, quotes and all.
static void put_quoted(line *out, alm_str text)
{
    if (!put(out, "\"\"", 2)) {
        return;
    }
    out->len--;
    out->limit--;
    for (size_t at = 0, len; at < text.len; at += len) {
        if (!put_code_point(out, alm_str_slice(text, at, text.len), &len)) {
            break;
        }
    }
    out->limit++;
    out->data[out->len++] = '"';
}

static bool is_bare(alm_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f) {
            return false;
        }
    }
    return text.len > 0;
}

static void put_text(line *out, alm_str text)
{
    if (out->format == ALM_LOG_LOGFMT && is_bare(text) && text.len <= out->limit - out->len) {
        (void)put(out, text.data, text.len);
    } else {
        put_quoted(out, text);
    }
}

static void put_key(line *out, const char *key)
{
    bool is_first = out->len == 0;
    if (out->format == ALM_LOG_JSON) {
        (void)put(out, is_first ? "{\"" : ",\"", 2);
        (void)put(out, key, strlen(key));
        (void)put(out, "\":", 2);
    } else {
        (void)put(out, " ", is_first ? 0 : 1);
        (void)put(out, key, strlen(key));
        (void)put(out, "=", 1);
    }
}

// Microseconds as milliseconds, without a float and without idle zeros: 3100 is 3.1.
static void put_ms(line *out, int64_t us)
{
    uint64_t size = us < 0 ? -(uint64_t)us : (uint64_t)us;
    (void)put_format(out, "%s%" PRIu64, us < 0 ? "-" : "", size / 1000);
    unsigned rest = (unsigned)(size % 1000);
    if (rest != 0) {
        char digits[8];
        int len = snprintf(digits, sizeof digits, ".%03u", rest);
        while (digits[len - 1] == '0') {
            len--;
        }
        (void)put(out, digits, (size_t)len);
    }
}

static void put_value(line *out, const alm_kv *kv)
{
    switch (kv->type) {
    case ALM_KV_TYPE_STR:
        put_text(out, kv->text);
        break;
    case ALM_KV_TYPE_I64:
        (void)put_format(out, "%" PRId64, kv->number);
        break;
    case ALM_KV_TYPE_U64:
        (void)put_format(out, "%" PRIu64, (uint64_t)kv->number);
        break;
    case ALM_KV_TYPE_US:
        put_ms(out, kv->number);
        break;
    case ALM_KV_TYPE_BOOL:
        (void)put_format(out, "%s", kv->number != 0 ? "true" : "false");
        break;
    }
}

// A pair goes in whole, or as a text cut inside its quotes; a key without a value never does.
static void put_pair(line *out, const alm_kv *kv)
{
    if (out->cut) {
        return;
    }
    size_t before = out->len;
    put_key(out, kv->key);
    size_t with_key = out->len;
    bool key_fits = !out->cut;
    put_value(out, kv);
    bool is_cut_text = key_fits && kv->type == ALM_KV_TYPE_STR && out->len > with_key;
    if (out->cut && !is_cut_text) {
        out->len = before;
    }
}

static void put_tail(line *out)
{
    out->limit = sizeof out->data;
    bool was_cut = out->cut;
    out->cut = false;
    if (was_cut) {
        put_pair(out, &ALM_KV_BOOL("cut", true));
    }
    bool is_json = out->format == ALM_LOG_JSON;
    (void)put(out, is_json ? "}\n" : "\n", is_json ? 2 : 1);
    ALM_ASSERT(!out->cut);
}

void alm_log_event(const alm_log *log, alm_log_level level, const char *event, const alm_kv *kvs,
                   size_t kv_count)
{
    ALM_ASSERT(level < ALM_LOG_OFF);
    if (!alm_log_writes(log, level)) {
        return;
    }
    int errno_before = errno;
    line out;
    out.format = log->format;
    out.len = 0;
    out.limit = sizeof out.data - TAIL_MAX;
    out.cut = false;

    char ts[ALM_TIMESTAMP_MAX];
    alm_clock_format_rfc3339(log->clock.wall_us(log->clock.self), ts);
    put_pair(&out, &ALM_KV_CSTR("ts", ts));
    put_pair(&out, &ALM_KV_CSTR("level", level_names[level]));
    put_pair(&out, &ALM_KV_CSTR("svc", log->service));
    put_pair(&out, &ALM_KV_CSTR("event", event));
    for (size_t i = 0; i < kv_count; i++) {
        put_pair(&out, &kvs[i]);
    }
    put_tail(&out);

    // A log that cannot be written must not stop the work it tells of.
    while (write(log->fd, out.data, out.len) < 0 && errno == EINTR) {}
    errno = errno_before;
}
