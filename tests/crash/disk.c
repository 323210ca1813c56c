#include "disk.h"

#include "alm/assert.h"

#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

// EXT4_IOC_SHUTDOWN, with EXT4_GOING_FLAGS_NOLOGFLUSH: the journal is not written out first.
#define IOC_SHUTDOWN  _IOR('X', 125, uint32_t)
#define NO_LOG_FLUSH  UINT32_C(2)
#define MKFS          "/sbin/mkfs.ext4"
#define LOOP_TRIES    20
#define UNMOUNT_TRIES 200
#define IMAGE_SPARE   ((size_t)4 << 20) // of the tmpfs around an image

static bool missing(const char *what)
{
    fprintf(stderr, "not possible here: %s: %s\n", what, strerror(errno));
    return false;
}

bool disk_namespace(void)
{
    if (unshare(CLONE_NEWNS) != 0) {
        return missing("a mount namespace of our own");
    }
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 || missing("private mounts");
}

// --- memory --------------------------------------------------------------------------------------

static bool mount_tmpfs(const char *at, size_t bytes)
{
    char options[48];
    snprintf(options, sizeof options, "size=%zu", bytes);
    return mount("tmpfs", at, "tmpfs", 0, options) == 0 || missing("mounting a tmpfs");
}

static bool open_base(disk *d, size_t bytes)
{
    *d = (disk){.loop_fd = -1};
    snprintf(d->base, sizeof d->base, "/tmp/alm_disk_XXXXXX");
    ALM_ASSERT(mkdtemp(d->base) != NULL);
    if (!mount_tmpfs(d->base, bytes)) {
        rmdir(d->base);
        return false;
    }
    return true;
}

bool disk_open_tmpfs(disk *d, size_t bytes)
{
    if (!open_base(d, bytes)) {
        return false;
    }
    snprintf(d->mounted, sizeof d->mounted, "%s", d->base);
    return true;
}

// --- a device ------------------------------------------------------------------------------------

// The device is given back by the kernel when its last user is gone.
static bool attach(disk *d, int image)
{
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0) {
        return missing("/dev/loop-control");
    }
    struct loop_config config = {.fd = (uint32_t)image, .info.lo_flags = LO_FLAGS_AUTOCLEAR};
    for (int i = 0; i < LOOP_TRIES && d->loop_fd < 0; i++) { // others look for a free one as well
        int number = ioctl(control, LOOP_CTL_GET_FREE);
        snprintf(d->device, sizeof d->device, "/dev/loop%d", number);
        d->loop_fd = number < 0 ? -1 : open(d->device, O_RDWR | O_CLOEXEC);
        if (d->loop_fd >= 0 && ioctl(d->loop_fd, LOOP_CONFIGURE, &config) != 0) {
            close(d->loop_fd);
            d->loop_fd = -1;
        }
    }
    close(control);
    return d->loop_fd >= 0 || missing("a loop device");
}

static bool make_file_system(const char *image)
{
    const char *const words[] = {MKFS,  "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0",
                                 image, NULL};
    if (access(MKFS, X_OK) != 0) {
        return missing(MKFS);
    }
    return proc_run(words) == 0 || missing(MKFS);
}

static bool make_image(disk *d, size_t bytes)
{
    char image[96];
    snprintf(image, sizeof image, "%s/image", d->base);
    int fd = open(image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ALM_ASSERT(fd >= 0 && ftruncate(fd, (off_t)bytes) == 0);
    bool ok = make_file_system(image) && attach(d, fd);
    close(fd);
    return ok;
}

bool disk_open_ext4(disk *d, size_t bytes)
{
    return disk_open_thin(d, bytes, bytes + IMAGE_SPARE);
}

void disk_mend(const disk *d)
{
    ALM_ASSERT(mount("tmpfs", d->base, "tmpfs", MS_REMOUNT, "size=1g") == 0);
}

bool disk_open_thin(disk *d, size_t bytes, size_t real_bytes)
{
    if (!open_base(d, real_bytes)) {
        return false;
    }
    snprintf(d->mounted, sizeof d->mounted, "%s/mounted", d->base);
    ALM_ASSERT(mkdir(d->mounted, 0700) == 0);
    bool ok = make_image(d, bytes) &&
              (mount(d->device, d->mounted, "ext4", 0, NULL) == 0 || missing("mounting an ext4"));
    if (!ok) {
        disk_close(d);
    }
    return ok;
}

void disk_close(disk *d)
{
    if (d->device[0] != '\0') {
        (void)umount2(d->mounted, MNT_DETACH);
    }
    if (d->loop_fd >= 0) {
        close(d->loop_fd);
    }
    (void)umount2(d->base, MNT_DETACH);
    rmdir(d->base);
    *d = (disk){.loop_fd = -1};
}

// --- power ---------------------------------------------------------------------------------------

void disk_cut(const disk *d)
{
    uint32_t flags = NO_LOG_FLUSH;
    int fd = open(d->mounted, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ALM_ASSERT(fd >= 0);
    ALM_ASSERT(ioctl(fd, IOC_SHUTDOWN, &flags) == 0);
    close(fd);
}

void disk_unmount(const disk *d)
{
    int tries = 0;
    while (umount(d->mounted) != 0) {
        ALM_ASSERT(errno == EBUSY && tries++ < UNMOUNT_TRIES); // killed processes take a moment
        proc_pause_us(5000);
    }
}

void disk_mount(const disk *d)
{
    if (mount(d->device, d->mounted, "ext4", 0, NULL) != 0) {
        perror("mounting again");
        abort();
    }
}
