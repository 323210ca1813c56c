// What files need that libc does not do in one call.
#ifndef ALM_FILE_H
#define ALM_FILE_H

// Brings the name of a file that was made or renamed to the disk; its content is the caller's to
// sync. Returns 0, or errno of what failed; EINVAL: the file system does not do this.
int alm_file_sync_name(const char *path);

#endif
