// Assertions: for our own bugs. Bytes from a wire, a disk or a user get a status instead.
#ifndef ALM_ASSERT_H
#define ALM_ASSERT_H

#define ALM_MUST_USE              __attribute__((warn_unused_result))
#define ALM_PRINTF(fmt_at, va_at) __attribute__((format(printf, fmt_at, va_at)))
#define ALM_COLD                  __attribute__((cold)) // a call of it is not the usual way

#define ALM_MIN(a, b)             ((a) < (b) ? (a) : (b))
#define ALM_MAX(a, b)             ((a) > (b) ? (a) : (b))
#define ALM_ARRAY_LEN(xs)         (sizeof(xs) / sizeof((xs)[0]))

_Noreturn void alm_assert_fail(const char *expr, const char *file, int line);

// Stays on in release builds; keep the condition cheap.
#define ALM_ASSERT(cond) ((cond) ? (void)0 : alm_assert_fail(#cond, __FILE__, __LINE__))

// For costly checks: debug builds only.
#ifdef NDEBUG
#define ALM_DCHECK(cond) ((void)0)
#else
#define ALM_DCHECK(cond) ALM_ASSERT(cond)
#endif

#endif
