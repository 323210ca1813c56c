// One status type for the whole project, with gRPC's seventeen codes and their numbers.
//
// A fallible function returns alm_code and takes a last, nullable alm_status *st. It writes st
// only on failure, with the offending value in the message. Upper layers add context in front
// (alm_status_prefix), they never replace.
#ifndef ALM_STATUS_H
#define ALM_STATUS_H

#include "alm/assert.h"

#include <stdbool.h>
#include <stdint.h>

// X(name, number, HTTP status, exit code of the command line, text, worth a retry)
//
// Numbers: grpc/doc/statuscodes.md. HTTP: google.rpc.Code. Exit codes: 1 error, 2 wrong usage or
// input, 3 not found, 4 unavailable or too slow, 5 data damaged.
#define ALM_CODE_MAP(X)                                                                            \
    X(OK, 0, 200, 0, "ok", false)                                                                  \
    X(CANCELLED, 1, 499, 1, "cancelled by the caller", false)                                      \
    X(UNKNOWN, 2, 500, 1, "unknown error", false)                                                  \
    X(INVALID_ARGUMENT, 3, 400, 2, "invalid argument", false)                                      \
    X(DEADLINE_EXCEEDED, 4, 504, 4, "deadline exceeded", false)                                    \
    X(NOT_FOUND, 5, 404, 3, "not found", false)                                                    \
    X(ALREADY_EXISTS, 6, 409, 1, "already exists", false)                                          \
    X(PERMISSION_DENIED, 7, 403, 1, "permission denied", false)                                    \
    X(RESOURCE_EXHAUSTED, 8, 429, 4, "a limit was reached", false)                                 \
    X(FAILED_PRECONDITION, 9, 400, 1, "not in a state for this", false)                            \
    X(ABORTED, 10, 409, 1, "aborted", false)                                                       \
    X(OUT_OF_RANGE, 11, 400, 2, "out of range", false)                                             \
    X(UNIMPLEMENTED, 12, 501, 1, "not implemented", false)                                         \
    X(INTERNAL, 13, 500, 1, "internal error", false)                                               \
    X(UNAVAILABLE, 14, 503, 4, "unavailable", true)                                                \
    X(DATA_LOSS, 15, 500, 5, "data damaged", false)                                                \
    X(UNAUTHENTICATED, 16, 401, 1, "not authenticated", false)

typedef enum alm_code {
#define ALM_CODE_ENUM(name, number, http, exit, text, retry) ALM_##name = number,
    ALM_CODE_MAP(ALM_CODE_ENUM)
#undef ALM_CODE_ENUM
} alm_code;

#define ALM_CODE_COUNT         17
#define ALM_STATUS_MESSAGE_MAX 512
#define ALM_STATUS_FIELD_MAX   96

// Caller-owned; no allocation. Start with ALM_STATUS_INIT.
typedef struct alm_status {
    alm_code code;
    uint32_t retry_after_ms;          // 0: not said
    char field[ALM_STATUS_FIELD_MAX]; // what the error is about ("place", "row 7 column 3"); "" if
                                      // none
    char message[ALM_STATUS_MESSAGE_MAX]; // UTF-8, NUL-terminated, cut with "..." when too long
} alm_status;

#define ALM_STATUS_INIT ((alm_status){.code = ALM_OK})

// Sets code and message and returns code, so that `return alm_status_set(st, ...)` reads well.
// st may be NULL; code must not be ALM_OK. What is quoted may be any bytes, and the old message:
// malformed UTF-8 and control characters other than newline and tab become '?'.
ALM_COLD alm_code alm_status_set(alm_status *st, alm_code code, const char *fmt, ...)
    ALM_PRINTF(3, 4);

// As alm_status_set, and names the field the error is about.
ALM_COLD alm_code alm_status_set_field(alm_status *st, alm_code code, const char *field,
                                       const char *fmt, ...) ALM_PRINTF(4, 5);

// Names the field an error of `code` is about, whatever was named before. Returns the code; ALM_OK
// changes nothing.
alm_code alm_status_in_field(alm_code code, const char *field, alm_status *st);

// clang's analyzer does not look into status.c. Told that a failure returns its code, it follows
// callers on the paths that exist.
#ifdef __clang_analyzer__
#define alm_status_set(st, code, ...) (alm_status_set((st), (code), __VA_ARGS__), (code))
#define alm_status_set_field(st, code, ...)                                                        \
    (alm_status_set_field((st), (code), __VA_ARGS__), (code))
#endif

// Puts "prefix: " in front of the message. Returns the status' code, so it can be returned. st may
// be NULL, and the answer is then ALM_UNKNOWN: where st is optional keep the code of the call.
ALM_COLD alm_code alm_status_prefix(alm_status *st, const char *fmt, ...) ALM_PRINTF(2, 3);

// Copies *from to *to if to is not NULL. Returns from's code.
alm_code alm_status_copy(alm_status *to, const alm_status *from);

// Translates errno (a positive number) at the edge to libc; what names the operation.
alm_code alm_status_from_errno(alm_status *st, int error, const char *what);

const char *alm_code_name(alm_code code);                  // "NOT_FOUND"; "UNKNOWN" for a stranger
const char *alm_code_text(alm_code code);                  // "not found"
int alm_code_http(alm_code code);                          // 404
int alm_code_exit(alm_code code);                          // exit code of the command line
bool alm_code_retryable(alm_code code);                    // a later try may succeed unchanged
bool alm_code_from_number(uint32_t number, alm_code *ret); // false: no such code

// Plain propagation. Where something must be undone use `goto done`.
#define ALM_TRY(expr)                                                                              \
    do {                                                                                           \
        alm_code try_code_ = (expr);                                                               \
        if (try_code_ != ALM_OK) {                                                                 \
            return try_code_;                                                                      \
        }                                                                                          \
    } while (0)

#endif
