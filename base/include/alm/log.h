// Structured logs: one line an event, a stable event name first, then keys.
//
//   alm_log_info(log, "storage.commit", ALM_KV_U64("rows", n), ALM_KV_MS("took_ms", us));
//   ts=2026-11-24T06:30:00.123Z level=info svc=storage event=storage.commit rows=12 took_ms=3.1
//
// Threading: a log may be shared; a line is written by one write(2).
// Never log a secret, a token or a whole message. User text is escaped.
#ifndef ALM_LOG_H
#define ALM_LOG_H

#include "alm/clock.h"
#include "alm/status.h"
#include "alm/str.h"

#include <stddef.h>

typedef enum alm_log_level {
    ALM_LOG_DEBUG,
    ALM_LOG_INFO,
    ALM_LOG_WARN,
    ALM_LOG_ERROR,
    ALM_LOG_OFF
} alm_log_level;
typedef enum alm_log_format { ALM_LOG_LOGFMT, ALM_LOG_JSON } alm_log_format;

typedef struct alm_log {
    int fd; // where lines go, usually 2
    alm_log_level level;
    alm_log_format format;
    alm_clock clock;
    char service[32];
} alm_log;

#define ALM_LOG_LINE_MAX 4096 // longer lines are cut and say so with cut=true

void alm_log_init(alm_log *log, const char *service);
bool alm_log_level_from(alm_str name, alm_log_level *ret);   // debug, info, warn, error, off
bool alm_log_format_from(alm_str name, alm_log_format *ret); // logfmt, json

typedef enum alm_kv_type {
    ALM_KV_TYPE_STR,
    ALM_KV_TYPE_I64,
    ALM_KV_TYPE_U64,
    ALM_KV_TYPE_US,
    ALM_KV_TYPE_BOOL
} alm_kv_type;
typedef struct alm_kv {
    const char *key;
    alm_kv_type type;
    alm_str text;
    int64_t number;
} alm_kv;

#define ALM_KV_STR(k, v)                                                                           \
    ((alm_kv){.key = (k), .type = ALM_KV_TYPE_STR, .text = (v)}) /* v: alm_str */
#define ALM_KV_CSTR(k, v) ((alm_kv){.key = (k), .type = ALM_KV_TYPE_STR, .text = alm_str_from(v)})
#define ALM_KV_I64(k, v)  ((alm_kv){.key = (k), .type = ALM_KV_TYPE_I64, .number = (v)})
#define ALM_KV_U64(k, v)  ((alm_kv){.key = (k), .type = ALM_KV_TYPE_U64, .number = (int64_t)(v)})
#define ALM_KV_MS(k, us)  ((alm_kv){.key = (k), .type = ALM_KV_TYPE_US, .number = (us)})
#define ALM_KV_BOOL(k, v) ((alm_kv){.key = (k), .type = ALM_KV_TYPE_BOOL, .number = (v) ? 1 : 0})

// Whether such a line is written. log may be NULL: none is.
static inline bool alm_log_writes(const alm_log *log, alm_log_level level)
{
    return log != NULL && level >= log->level;
}

// Through the macros the values are evaluated only for a line that is written, log itself twice.
void alm_log_event(const alm_log *log, alm_log_level level, const char *event, const alm_kv *kvs,
                   size_t kv_count);

#define ALM_LOG_AT_(log, level, event, ...)                                                        \
    (alm_log_writes((log), (level))                                                                \
         ? alm_log_event((log), (level), (event), (const alm_kv[]){__VA_ARGS__},                   \
                         sizeof((const alm_kv[]){__VA_ARGS__}) / sizeof(alm_kv))                   \
         : (void)0)
#define alm_log_debug(log, event, ...) ALM_LOG_AT_(log, ALM_LOG_DEBUG, event, __VA_ARGS__)
#define alm_log_info(log, event, ...)  ALM_LOG_AT_(log, ALM_LOG_INFO, event, __VA_ARGS__)
#define alm_log_warn(log, event, ...)  ALM_LOG_AT_(log, ALM_LOG_WARN, event, __VA_ARGS__)
#define alm_log_error(log, event, ...) ALM_LOG_AT_(log, ALM_LOG_ERROR, event, __VA_ARGS__)

// Code and message of a failure, two keys.
#define ALM_KV_STATUS(st)                                                                          \
    ALM_KV_CSTR("code", alm_code_name((st)->code)), ALM_KV_CSTR("error", (st)->message)

#endif
