// A backup as a stream of bytes: every record of a store, by database and key, in one state. It is
// written and read from front to end, in bounded memory, and knows nothing of LMDB.
//
//   header   "ALMBACK1"; u32 format of the store; u64 sequence; u64 microseconds since 1970;
//            u64 observations; u64 cells; u64 records
//   data     frames, each u32 length and so many bytes; the last is empty. All frames together are
//            the records, by database and key: u8 database, varint length and bytes of the key,
//            varint length and bytes of the value without its checksum
//   trailer  "ALMBEND1"; u64 records; u64 bytes of all frames; 16 bytes XXH3-128, big-endian, of
//            everything before
//
// XXH3-128 because it finds every accident at the speed of the disk. It does not tell a forgery:
// keep backups where only those may write who may write the store.
#ifndef ALM_STORAGE_BACKUP_H
#define ALM_STORAGE_BACKUP_H

#include "alm/store.h"

// --- writing -------------------------------------------------------------------------------------

typedef struct alm_backup_writer alm_backup_writer;

// Writes the header: format, sequence, at_us, observations, cells and records of info.
ALM_MUST_USE alm_code alm_backup_begin(const alm_backup_info *info, const alm_backup_sink *sink,
                                       alm_backup_writer **ret, alm_status *st);
ALM_MUST_USE alm_code alm_backup_put(alm_backup_writer *writer, uint8_t database, alm_str key,
                                     alm_str value, alm_status *st);
// Writes the trailer. *ret: the header's, and what came of it.
ALM_MUST_USE alm_code alm_backup_end(alm_backup_writer *writer, alm_backup_info *ret,
                                     alm_status *st);
void alm_backup_writer_destroy(alm_backup_writer **writer);

// --- reading -------------------------------------------------------------------------------------

typedef struct alm_backup_reader alm_backup_reader;

typedef struct alm_backup_record { // valid until the next is asked for
    uint8_t database;
    alm_str key, value;
} alm_backup_record;

// Reads the header into *ret_info.
//
// ALM_DATA_LOSS  not a backup
ALM_MUST_USE alm_code alm_backup_open(const alm_backup_source *source, alm_backup_reader **ret,
                                      alm_backup_info *ret_info, alm_status *st);
// *ret_found false: the end, and the trailer fits all that was read. Only then *ret_info, which may
// be NULL, is filled.
//
// ALM_DATA_LOSS  cut short, or damaged
ALM_MUST_USE alm_code alm_backup_next(alm_backup_reader *reader, bool *ret_found,
                                      alm_backup_record *ret, alm_backup_info *ret_info,
                                      alm_status *st);
void alm_backup_reader_destroy(alm_backup_reader **reader);

#endif
