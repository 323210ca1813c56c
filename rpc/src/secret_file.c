#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static alm_code check_file(int fd, const char *path, bool is_secret, alm_status *st)
{
    struct stat about;
    if (fstat(fd, &about) != 0) {
        return alm_status_from_errno(st, errno, path);
    }
    if (!S_ISREG(about.st_mode)) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%s is not a regular file", path);
    }
    if (is_secret && (about.st_mode & 077) != 0) {
        return alm_status_set(st, ALM_PERMISSION_DENIED,
                              "%s has mode %04o, but only its owner may read a secret: chmod 600",
                              path, (unsigned)about.st_mode & 07777);
    }
    if (about.st_size > ALM_SECRET_FILE_BYTES_MAX) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%s has more than %d bytes", path,
                              ALM_SECRET_FILE_BYTES_MAX);
    }
    return ALM_OK;
}

alm_code alm_secret_file_read(const char *path, bool is_secret, char ret[ALM_SECRET_FILE_BYTES_MAX],
                              size_t *ret_len, alm_status *st)
{
    // Not to wait for the other end of a FIFO.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return alm_status_from_errno(st, errno, path);
    }
    alm_code code = check_file(fd, path, is_secret, st);
    size_t len = 0;
    while (code == ALM_OK && len < ALM_SECRET_FILE_BYTES_MAX) {
        ssize_t got = read(fd, ret + len, ALM_SECRET_FILE_BYTES_MAX - len);
        if (got == 0) {
            break;
        }
        if (got > 0) {
            len += (size_t)got;
        } else if (errno != EINTR) {
            code = alm_status_from_errno(st, errno, path);
        }
    }
    close(fd);
    *ret_len = len;
    return code;
}

static bool write_all(int fd, alm_str text)
{
    while (text.len > 0) {
        ssize_t put = write(fd, text.data, text.len);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        text = alm_str_slice(text, put > 0 ? (size_t)put : 0, text.len);
    }
    return true;
}

alm_code alm_secret_file_create(const char *path, unsigned mode, alm_str text, alm_status *st)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        return errno == EEXIST ? alm_status_set(st, ALM_ALREADY_EXISTS, "%s is there already", path)
                               : alm_status_from_errno(st, errno, path);
    }
    bool is_written = fchmod(fd, mode) == 0 && write_all(fd, text) && fsync(fd) == 0;
    int error = errno;
    if (close(fd) != 0 && is_written) {
        is_written = false;
        error = errno;
    }
    if (!is_written) {
        unlink(path);
        return alm_status_from_errno(st, error, path);
    }
    return ALM_OK;
}
