// File systems of our own: in a mount namespace that ends with the process, on memory, so that
// nothing is left behind however the process ends.
#ifndef CRASH_DISK_H
#define CRASH_DISK_H

#include <stdbool.h>
#include <stddef.h>

typedef struct disk {
    char base[64];    // the folder of all of it, a tmpfs
    char mounted[96]; // the file system to use
    char device[32];  // /dev/loopN; "" for a tmpfs
    int loop_fd;
} disk;

// A namespace of our own. False: this machine does not allow it; told on stderr.
bool disk_namespace(void);

// A tmpfs of that size at d->mounted. False: not allowed; told on stderr.
bool disk_open_tmpfs(disk *d, size_t bytes);
// An ext4 of that size, on a loop device over a file in memory.
bool disk_open_ext4(disk *d, size_t bytes);
// One whose device has room for fewer bytes than it says: past those, writes and syncs fail by EIO.
bool disk_open_thin(disk *d, size_t bytes, size_t real_bytes);
// From here on it has room for all.
void disk_mend(const disk *d);
void disk_close(disk *d);

// The power fails: what did not reach the device is gone. Whoever uses the file system gets errors
// until disk_mount.
void disk_cut(const disk *d);
void disk_unmount(const disk *d); // nobody may have a file open there
void disk_mount(const disk *d);   // the journal is replayed

#endif
