#include "guard.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

alm_code guard_check(const char *dir, lmdb_pages_info *ret, alm_status *st)
{
    struct stat info;
    char path[160];
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        return ALM_OK;
    }
    alm_code code = lmdb_pages_check(fd, (uint64_t)info.st_size, NULL, ret, st);
    close(fd);
    return code;
}
