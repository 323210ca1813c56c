// A data file by itself, beside the store's own or without one: read, or made anew. It has no lock
// file; who uses it keeps others out, mostly by the folder's lock.
#ifndef ALM_STORAGE_LMDB_FILE_H
#define ALM_STORAGE_LMDB_FILE_H

#include "lmdb_store.h"

#define LMDB_PATH_BYTES_MAX 4096

typedef struct lmdb_file {
    char path[LMDB_PATH_BYTES_MAX];
    MDB_env *env; // NULL: closed
    MDB_dbi dbis[LMDB_DBI_COUNT];
    lmdb_txn txn;
    size_t pending_bytes; // put since the last commit
} lmdb_file;

// Opens a file for reading, with the databases before dbi_count, which must all be there, and
// begins a snapshot.
//
// ALM_DATA_LOSS  not a store
ALM_MUST_USE alm_code lmdb_file_open(const char *path, size_t map_bytes, int dbi_count,
                                     lmdb_file *ret, alm_status *st);
// Makes a file with all databases, empty, in place of one that is there.
ALM_MUST_USE alm_code lmdb_file_make(const char *path, size_t map_bytes, lmdb_file *ret,
                                     alm_status *st);
// As lmdb_put. Every now and then what was put is committed, so that the transaction stays small:
// views into the file do not outlive it.
ALM_MUST_USE alm_code lmdb_file_put(lmdb_file *file, lmdb_dbi dbi, const lmdb_key *key,
                                    alm_buf *value, unsigned flags, alm_status *st);
// Makes it durable, and closes it.
ALM_MUST_USE alm_code lmdb_file_finish(lmdb_file *file, alm_status *st);
void lmdb_file_close(lmdb_file *file); // accepts a closed one

// The bytes of the pages in use.
uint64_t lmdb_file_bytes(const lmdb_file *file);

// Makes what was renamed in the folder durable.
ALM_MUST_USE alm_code lmdb_dir_sync(const char *dir, alm_status *st);

#endif
