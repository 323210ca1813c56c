#include "spool.h"

#include "alm/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static alm_code open_temporary(int *ret_fd, alm_status *st)
{
    const char *folder = getenv("TMPDIR");
    folder = folder != NULL && folder[0] != '\0' ? folder : "/tmp";
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        return alm_status_from_errno(st, errno, "temporary file");
    }
    *ret_fd = fd;
    return ALM_OK;
}

static alm_code write_all(int fd, const uint8_t *data, size_t size, alm_status *st)
{
    while (size > 0) {
        ssize_t done = write(fd, data, size);
        if (done < 0 && errno != EINTR) {
            return alm_status_from_errno(st, errno, "temporary file");
        }
        size_t written = done > 0 ? (size_t)done : 0;
        data += written;
        size -= written;
    }
    return ALM_OK;
}

static alm_code copy(int from, int to, uint64_t *ret_size, alm_status *st)
{
    uint8_t block[65536];
    *ret_size = 0;
    for (;;) {
        ssize_t got = read(from, block, sizeof block);
        if (got < 0 && errno != EINTR) {
            return alm_status_from_errno(st, errno, "standard input");
        }
        if (got == 0) {
            return ALM_OK;
        }
        if (got > 0) {
            ALM_TRY(write_all(to, block, (size_t)got, st));
            *ret_size += (uint64_t)got;
        }
    }
}

static alm_code spool_stream(alm_spool *spool, alm_status *st)
{
    int fd = -1;
    ALM_TRY(open_temporary(&fd, st));
    uint64_t size = 0;
    alm_code code = copy(spool->fd, fd, &size, st);
    alm_spool_close(spool); // the stream
    *spool = (alm_spool){.fd = fd, .owns_fd = true, .size = size};
    return code;
}

alm_code alm_spool_open(const char *path, alm_spool *ret, alm_status *st)
{
    bool is_stdin = alm_str_eq(alm_str_from(path), ALM_STR("-"));
    alm_spool spool = {.fd = STDIN_FILENO, .owns_fd = !is_stdin};
    if (!is_stdin) {
        spool.fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    struct stat info;
    if (spool.fd < 0 || fstat(spool.fd, &info) != 0) {
        alm_code code = alm_status_from_errno(st, errno, path);
        alm_spool_close(&spool);
        return code;
    }
    alm_code code = ALM_OK;
    if (S_ISDIR(info.st_mode)) {
        code = alm_status_set(st, ALM_INVALID_ARGUMENT, "%s is a folder", path);
    } else if (S_ISREG(info.st_mode)) {
        off_t at = lseek(spool.fd, 0, SEEK_CUR);
        spool.start = at > 0 ? at : 0;
        spool.size = info.st_size > spool.start ? (uint64_t)(info.st_size - spool.start) : 0;
    } else {
        code = spool_stream(&spool, st);
    }
    if (code != ALM_OK) {
        alm_spool_close(&spool);
        return code;
    }
    *ret = spool;
    return ALM_OK;
}

void alm_spool_close(alm_spool *spool)
{
    if (spool->owns_fd && spool->fd >= 0) {
        (void)close(spool->fd);
    }
    spool->fd = -1;
}

alm_code alm_spool_read(alm_spool *spool, void *out, size_t size, size_t *ret_got, alm_status *st)
{
    for (;;) {
        ssize_t got = pread(spool->fd, out, size, spool->start + (off_t)spool->at);
        if (got >= 0) {
            spool->at += (uint64_t)got;
            *ret_got = (size_t)got;
            return ALM_OK;
        }
        if (errno != EINTR) {
            return alm_status_from_errno(st, errno, "read");
        }
    }
}

void alm_spool_rewind(alm_spool *spool)
{
    spool->at = 0;
}
