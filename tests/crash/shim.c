// A library to preload: calls that fail, or lie, where a test says so. The product has no hook.
//
// shim_no_sync set in the environment: nothing is ever flushed, and everything says it was.
// shim_arm: the n-th call of one kind from now fails.
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

static bool is_syncless;
static atomic_int armed;        // shim_call; SHIM_NONE: none
static _Atomic uint64_t calls;  // of the armed kind, since it was armed
static _Atomic uint64_t at;     // the one that fails
static atomic_bool for_ever;    // and all after it
static atomic_int with_error;   // errno; 0: it writes half of what it was to write
static _Atomic uint64_t failed; // calls

__attribute__((constructor)) static void start(void)
{
    is_syncless = getenv(SHIM_NO_SYNC) != NULL;
}

void shim_arm(shim_call call, uint64_t n, int error, int forever)
{
    atomic_store(&armed, SHIM_NONE);
    atomic_store(&calls, 0);
    atomic_store(&failed, 0);
    atomic_store(&at, n);
    atomic_store(&with_error, error);
    atomic_store(&for_ever, forever != 0);
    atomic_store(&armed, (int)call);
}

uint64_t shim_disarm(void)
{
    atomic_store(&armed, SHIM_NONE);
    return atomic_load(&failed);
}

uint64_t shim_calls(void)
{
    return atomic_load(&calls);
}

// stderr and pipes are the test's own.
static bool is_file(int fd)
{
    return fd > STDERR_FILENO && lseek(fd, 0, SEEK_CUR) >= 0;
}

static bool must_fail(shim_call call)
{
    if (atomic_load(&armed) != (int)call) {
        return false;
    }
    uint64_t n = atomic_fetch_add(&calls, 1) + 1;
    uint64_t failing = atomic_load(&at);
    bool fails = failing != 0 && (n == failing || (n > failing && atomic_load(&for_ever)));
    if (fails) {
        atomic_fetch_add(&failed, 1);
        errno = atomic_load(&with_error);
    }
    return fails;
}

// The next one of that name: libc's, or a sanitizer's.
#define NEXT(name, type)                                                                           \
    static _Atomic(type) next_##name;                                                              \
    static type real_##name(void)                                                                  \
    {                                                                                              \
        type it = atomic_load(&next_##name);                                                       \
        if (it == NULL) {                                                                          \
            *(void **)&it = dlsym(RTLD_NEXT, #name);                                               \
            atomic_store(&next_##name, it);                                                        \
        }                                                                                          \
        return it;                                                                                 \
    }

typedef int (*fd_fn)(int);
typedef ssize_t (*write_fn)(int, const void *, size_t);
typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off_t);
typedef ssize_t (*writev_fn)(int, const struct iovec *, int);
typedef ssize_t (*pwritev_fn)(int, const struct iovec *, int, off_t);
typedef int (*open_fn)(const char *, int, mode_t);
typedef int (*ftruncate_fn)(int, off_t);
typedef void *(*mmap_fn)(void *, size_t, int, int, int, off_t);
typedef int (*msync_fn)(void *, size_t, int);
typedef int (*range_fn)(int, off_t, off_t, unsigned);

NEXT(fsync, fd_fn)
NEXT(fdatasync, fd_fn)
NEXT(msync, msync_fn)
NEXT(sync_file_range, range_fn)
NEXT(write, write_fn)
NEXT(pwrite, pwrite_fn)
NEXT(writev, writev_fn)
NEXT(pwritev, pwritev_fn)
NEXT(open, open_fn)
NEXT(ftruncate, ftruncate_fn)
NEXT(mmap, mmap_fn)

// --- syncs ---------------------------------------------------------------------------------------

int fsync(int fd)
{
    return must_fail(SHIM_SYNC) ? -1 : is_syncless ? 0 : real_fsync()(fd);
}

int fdatasync(int fd)
{
    return must_fail(SHIM_SYNC) ? -1 : is_syncless ? 0 : real_fdatasync()(fd);
}

int msync(void *address, size_t len, int flags)
{
    return must_fail(SHIM_SYNC) ? -1 : is_syncless ? 0 : real_msync()(address, len, flags);
}

int sync_file_range(int fd, off_t offset, off_t len, unsigned flags)
{
    return is_syncless ? 0 : real_sync_file_range()(fd, offset, len, flags);
}

// --- writes --------------------------------------------------------------------------------------

ssize_t write(int fd, const void *data, size_t len)
{
    if (!is_file(fd) || !must_fail(SHIM_WRITE)) {
        return real_write()(fd, data, len);
    }
    return atomic_load(&with_error) != 0 ? -1 : real_write()(fd, data, len / 2);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    if (!must_fail(SHIM_WRITE)) {
        return real_pwrite()(fd, data, len, offset);
    }
    return atomic_load(&with_error) != 0 ? -1 : real_pwrite()(fd, data, len / 2, offset);
}

// A short one writes the first piece by half.
ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    if (!is_file(fd) || !must_fail(SHIM_WRITE)) {
        return real_writev()(fd, pieces, count);
    }
    return atomic_load(&with_error) != 0
               ? -1
               : real_write()(fd, pieces[0].iov_base, pieces[0].iov_len / 2);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    if (!must_fail(SHIM_WRITE)) {
        return real_pwritev()(fd, pieces, count, offset);
    }
    return atomic_load(&with_error) != 0
               ? -1
               : real_pwrite()(fd, pieces[0].iov_base, pieces[0].iov_len / 2, offset);
}

int ftruncate(int fd, off_t len)
{
    return must_fail(SHIM_TRUNCATE) ? -1 : real_ftruncate()(fd, len);
}

// --- files and maps ------------------------------------------------------------------------------

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    if (is_syncless) {
        flags &= ~(O_DSYNC | O_SYNC);
    }
    return must_fail(SHIM_OPEN) ? -1 : real_open()(path, flags, mode);
}

// Of files; memory that a thread or the heap asks for is another matter.
void *mmap(void *address, size_t len, int protection, int flags, int fd, off_t offset)
{
    if ((flags & MAP_ANONYMOUS) == 0 && fd >= 0 && must_fail(SHIM_MAP)) {
        return MAP_FAILED;
    }
    return real_mmap()(address, len, protection, flags, fd, offset);
}
