#include "alm/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int alm_file_sync_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];
    int len = snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path + 1) : 1,
                       slash != NULL ? path : ".");
    if (len < 0 || (size_t)len >= sizeof folder) {
        return ENAMETOOLONG;
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int error = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return error;
}
