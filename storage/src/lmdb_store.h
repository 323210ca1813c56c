// The LMDB engine: what its files share.
//
//   lmdb_dir      the folder: lock, file system, length of the data file, sequence acknowledged
//   lmdb_check    the data file before it is opened: pages (lmdb_pages), checksums, keys
//   lmdb_env      open and close, format stamp, transactions
//   lmdb_record   keys, checksummed values, scans
//   lmdb_writer   the queue and who writes it: group commit
//   lmdb_apply    one batch into a write transaction
//   lmdb_catalog  entries: find and write; lmdb_entries visits them
//   lmdb_variant  variants and their chunks; lmdb_variant_table has them in memory
//   lmdb_presence what places have
//   lmdb_base     what slices are packed over
//   lmdb_part     which slices changed since their series were folded
//   lmdb_fold     folds slices into groups of series; lmdb_folder is the thread that does
//   lmdb_trim     rows leave the log
//   lmdb_reader   vectors; lmdb_place gives the rows of one place
//   lmdb_readers  snapshots that are held, and what they keep
//   lmdb_read     reads and totals, with lmdb_cells; lmdb_series, lmdb_feed and lmdb_stats answer
//                the smaller questions
//   lmdb_verify   everything against the log
#ifndef ALM_STORAGE_LMDB_STORE_H
#define ALM_STORAGE_LMDB_STORE_H

#include "catalog_check.h"
#include "engine.h"
#include "lmdb_pages.h"
#include "lmdb_record.h"
#include "record.h"
#include "chunk.h"

#include <pthread.h>

typedef struct lmdb_request lmdb_request;
typedef struct lmdb_fold lmdb_fold;
typedef struct lmdb_variant_table lmdb_variant_table;

// What the log keeps rows of: as many commits, and as many bytes.
typedef struct lmdb_retention {
    uint64_t commits, bytes;
} lmdb_retention;

// What was seen of the data file before it was opened.
typedef struct lmdb_found {
    uint64_t key_sums[LMDB_DBI_COUNT];
    uint64_t damaged;               // records whose checksum does not fit, of those in the tree
    char labels[8][LMDB_LABEL_MAX]; // the first of them
} lmdb_found;

// When transactions were committed: one a second, and the latest.
typedef struct lmdb_moment {
    uint64_t txn;
    int64_t at_us;
} lmdb_moment;
#define LMDB_MOMENT_COUNT 256
typedef struct lmdb_timeline {
    lmdb_moment moments[LMDB_MOMENT_COUNT]; // a ring
    uint64_t count;                         // ever put there
    lmdb_moment latest;
} lmdb_timeline;

// What a read needs. To touch fresh memory takes longer than most reads.
typedef struct lmdb_read_memory {
    alm_arena *plan;   // as long as the read
    alm_arena *step;   // as long as one visit
    alm_arena *chunk;  // as long as one chunk
    lmdb_bases *bases; // that were decoded by reads before
} lmdb_read_memory;
#define LMDB_IDLE_COUNT 8 // kept for the next reads, of at most 6 MiB each

typedef struct lmdb_store {
    alm_store base;
    MDB_env *env;
    MDB_dbi dbis[LMDB_DBI_COUNT];
    bool has_dbis; // they are open
    int lock_fd;
    int sequence_fd;
    size_t map_bytes;
    size_t page_bytes;
    unsigned map_percent_told;         // the writer's
    size_t file_bytes;                 // the data file is at least this long; the writer's
    uint64_t key_sums[LMDB_DBI_COUNT]; // of the write transaction
    lmdb_found found;
    int64_t tended_us; // when readers were looked at; the writer's
    alm_clock clock;
    const alm_log *log;
    lmdb_retention feed;
    lmdb_variant_table *variants;
    bool trim_is_blocked;  // until something is folded; the writer's
    uint64_t held_max;     // bytes of pages that snapshots may keep
    uint64_t held_look_at; // how long the file is when what they keep is looked at; the writer's
    int64_t held_told_us;  // the writer's

    pthread_t folder;
    bool has_folder;
    // Guards everything below: the queue and what waiters look at.
    pthread_mutex_t mutex;
    pthread_cond_t done; // requests were answered, the sequence grew, a fold ended
    pthread_cond_t ripe; // there may be something to fold, or stopping
    bool fold_wanted;
    uint64_t fold_before;            // parts with changes as old as this are ripe too
    uint64_t fold_asked, fold_ended; // rounds that were asked for, and are over
    alm_status fold_failed;          // of the last round
    lmdb_request *queue, **queue_end;
    bool is_writing;   // somebody: the fields above that are "the writer's" are his
    uint64_t held_txn; // snapshots up to this one are to end; 0: none
    bool stopping;
    bool is_broken; // an I/O error: nothing is acknowledged any more
    alm_status broken;
    MDB_env *beside; // to read after LMDB gave up `env`; NULL until then
    MDB_dbi beside_dbis[LMDB_DBI_COUNT];
    uint64_t sequence; // durable
    uint64_t commits, commit_groups, folds;
    int64_t folded_at_us;    // wall clock; 0: never
    uint64_t syncs, sync_us; // transactions made durable, and how long that took
    lmdb_timeline timeline;
    lmdb_read_memory idle[LMDB_IDLE_COUNT];
    size_t idle_count;
} lmdb_store;

static inline lmdb_store *lmdb_of(alm_store *store)
{
    return (lmdb_store *)store;
}

// --- lmdb_env ------------------------------------------------------------------------------------

// A snapshot. Retries once after clearing dead readers. It may be of another environment than the
// one before, so its databases are those of *ret. ALM_UNAVAILABLE: no reader slot is free.
ALM_MUST_USE alm_code lmdb_begin_read(lmdb_store *store, lmdb_txn *ret, alm_status *st);
ALM_MUST_USE alm_code lmdb_begin_write(lmdb_store *store, lmdb_txn *ret, alm_status *st);
size_t lmdb_map_bytes(size_t asked); // for a file that is read or written as a whole
void lmdb_abort(lmdb_txn *txn);      // ends a snapshot too; accepts an ended one
// Durable when it returns. The transaction is over either way. ALM_UNAVAILABLE: nobody knows
// whether it will be there when the store is opened again, and nothing may be committed until then.
ALM_MUST_USE alm_code lmdb_commit(lmdb_store *store, lmdb_txn *txn, alm_status *st);

// From here on a map is nearly full.
#define LMDB_MAP_ALARM_PERCENT 80
static inline unsigned lmdb_map_percent(uint64_t used, uint64_t map)
{
    return (unsigned)(used / (map / 100 + 1));
}

// The record of the head also holds the sums of keys (lmdb_txn), which a write transaction begins
// with and which lmdb_head_put puts there as it has them.
ALM_MUST_USE alm_code lmdb_head_get(const lmdb_txn *txn, alm_head *ret, alm_status *st);
ALM_MUST_USE alm_code lmdb_head_put(const lmdb_txn *txn, const alm_head *head, alm_buf *scratch,
                                    alm_status *st);

// --- lmdb_format ---------------------------------------------------------------------------------

#define LMDB_FORMAT_VERSION 3

ALM_MUST_USE alm_code lmdb_format_put(const lmdb_txn *txn, alm_buf *scratch, alm_status *st);
// *ret_writer views the map. ALM_DATA_LOSS: no stamp, or a damaged one.
ALM_MUST_USE alm_code lmdb_format_get(const lmdb_txn *txn, uint32_t *ret_version,
                                      alm_str *ret_writer, alm_status *st);
// ALM_FAILED_PRECONDITION: another format than ours.
ALM_MUST_USE alm_code lmdb_format_check(const lmdb_txn *txn, alm_status *st);
// Can a store of this format be made anew (lmdb_rebuild.h)?
bool lmdb_format_can_rebuild(uint32_t version);

// Makes a data file of format 1 into one of ours, written beside it and put in its place when it is
// whole; the old one stays as data.mdb.format1. Does nothing to any other file. The folder is
// locked.
//
// ALM_RESOURCE_EXHAUSTED   the disk has too little room
// ALM_FAILED_PRECONDITION  a file stands where the old one is to stay
// ALM_DATA_LOSS            the old file is damaged; it is as it was
ALM_MUST_USE alm_code lmdb_migrate(lmdb_store *store, const char *dir, alm_status *st);

// --- lmdb_dir ------------------------------------------------------------------------------------

#define LMDB_DATA_NAME "data.mdb" // LMDB's own
#define LMDB_LOCK_NAME "almanac.lock"

// What errno says of a file. An I/O error is ALM_UNAVAILABLE.
ALM_MUST_USE alm_code lmdb_file_failed(alm_status *st, int error, const char *path);

// Makes the folder if need be, refuses network file systems, takes the lock, which store->lock_fd
// holds until closed, and checks the data file.
ALM_MUST_USE alm_code lmdb_dir_open(lmdb_store *store, const char *dir, alm_status *st);
// The first half of it: whatever the data file is like.
ALM_MUST_USE alm_code lmdb_dir_lock(lmdb_store *store, const char *dir, alm_status *st);
// Looks whether the data file is as long as its meta page says, and checks its pages; no file is
// well. LMDB does not have it open. Again after another file was put there.
ALM_MUST_USE alm_code lmdb_dir_check(lmdb_store *store, const char *dir, alm_status *st);
// Makes the data file at least as long as its meta page says and some more, so that a shorter one
// is known to be damaged: LMDB does not write pages that it frees again in one transaction.
void lmdb_dir_grow(lmdb_store *store);

// Compares the sequence found with the one last acknowledged, which stands in a file of its own:
// LMDB's meta pages carry no checksum, and a flipped bit can make an older snapshot the newest.
// ALM_DATA_LOSS: what was acknowledged is gone, or that file is damaged.
ALM_MUST_USE alm_code lmdb_dir_check_sequence(lmdb_store *store, const char *dir, alm_status *st);
// The same of a store that is not open and ends at that sequence; nothing is made.
ALM_MUST_USE alm_code lmdb_dir_verify_sequence(const char *dir, uint64_t sequence, alm_status *st);
// Not synced: after a loss of power it may lag, which only weakens the check.
void lmdb_dir_note_sequence(const lmdb_store *store, uint64_t sequence);

// --- lmdb_check ----------------------------------------------------------------------------------

// Looks at the pages of a data file, which nobody writes to, and sets store->found. It says in the
// log how far it is once a second.
//
// ALM_DATA_LOSS            damaged; the message names the page and what is wrong with it
// ALM_RESOURCE_EXHAUSTED   no memory: a bit for each page
ALM_MUST_USE alm_code lmdb_check_pages(lmdb_store *store, int fd, uint64_t file_bytes,
                                       const char *path, alm_status *st);
// Compares the keys that were found with the sums that were written, and warns of damaged values.
// ALM_DATA_LOSS: a key is damaged, gone or too many; the message names its database and, if there
// is one, the damaged record.
ALM_MUST_USE alm_code lmdb_check_keys(lmdb_store *store, const lmdb_txn *txn,
                                      const uint64_t *written, alm_status *st);

// --- lmdb_writer ---------------------------------------------------------------------------------

// Refuses requests from now on, and waits until those that are queued are answered.
void lmdb_writer_stop(lmdb_store *store);
// Puts what was folded into the next group, and waits for it.
ALM_MUST_USE alm_code lmdb_writer_fold(lmdb_store *store, const lmdb_fold *fold, alm_status *st);
// Lets rows leave the log, some at a time, until none may.
ALM_MUST_USE alm_code lmdb_writer_trim(lmdb_store *store, alm_status *st);
uint64_t lmdb_writer_queued(const lmdb_store *store); // batches that wait; the mutex is held
alm_code lmdb_writer_commit(alm_store *store, const alm_checked_batch *batch, alm_arena *arena,
                            alm_commit_result *ret, alm_status *st);

// --- lmdb_apply ----------------------------------------------------------------------------------

typedef struct lmdb_applied {
    bool wrote;  // the transaction holds the batch, or on failure a part of it
    size_t most; // changes of a part that the batch touched
} lmdb_applied;

// Puts one batch into the transaction and moves *head on. *ret_applied is set on failure too.
ALM_MUST_USE alm_code lmdb_apply(const lmdb_txn *txn, const alm_checked_batch *batch,
                                 int64_t now_us, alm_arena *arena, alm_head *head,
                                 alm_commit_result *ret, lmdb_applied *ret_applied, alm_status *st);

// --- lmdb_part -----------------------------------------------------------------------------------

// A slice that a batch changed.
typedef struct lmdb_touched {
    lmdb_slice_key *keys;
    size_t count, cap;
} lmdb_touched;

// Notes in their parts that the slices changed. *ret_most: the most changes of a part.
ALM_MUST_USE alm_code lmdb_parts_touch(const lmdb_txn *txn, lmdb_touched *touched,
                                       uint64_t sequence, alm_arena *scratch, size_t *ret_most,
                                       alm_status *st);
// An unknown part has no changes.
ALM_MUST_USE alm_code lmdb_part_get(const lmdb_txn *txn, uint32_t variant, uint32_t chunk,
                                    alm_arena *arena, alm_part *ret, alm_status *st);
ALM_MUST_USE alm_code lmdb_part_put(const lmdb_txn *txn, uint32_t variant, uint32_t chunk,
                                    const alm_part *part, alm_status *st);

// --- lmdb_base -----------------------------------------------------------------------------------

lmdb_bases *lmdb_bases_create(void); // NULL: no memory
void lmdb_bases_destroy(lmdb_bases **bases);
// To be used in another snapshot, which may be of another environment: they are looked for again.
void lmdb_bases_renew(lmdb_bases *bases);
// *ret is NULL if the part has none, and valid until the transaction ends or some thirty others are
// asked for.
ALM_MUST_USE alm_code lmdb_base_get(const lmdb_txn *txn, uint32_t variant, uint32_t chunk,
                                    const alm_base **ret, alm_status *st);
ALM_MUST_USE alm_code lmdb_base_put(const lmdb_txn *txn, uint32_t variant, uint32_t chunk,
                                    const alm_base *base, alm_status *st);

// --- lmdb_folder ---------------------------------------------------------------------------------

ALM_MUST_USE alm_code lmdb_folder_start(lmdb_store *store, alm_status *st);
void lmdb_folder_stop(lmdb_store *store);
// Folds every part that has any change, and waits until it is done.
alm_code lmdb_compact(alm_store *store, alm_status *st);

// --- lmdb_catalog --------------------------------------------------------------------------------

typedef struct lmdb_catalog_change {
    uint64_t added, changed, unchanged;
    bool precedence_changed; // of a source that was known
} lmdb_catalog_change;

alm_stored_catalog lmdb_stored_catalog(const lmdb_txn *txn); // valid as long as txn
// Writes them, and moves the counts of *head on.
ALM_MUST_USE alm_code lmdb_catalog_put(const lmdb_txn *txn, const alm_batch *batch,
                                       alm_arena *arena, alm_head *head, lmdb_catalog_change *ret,
                                       alm_status *st);
ALM_MUST_USE alm_code lmdb_entry_find(const lmdb_txn *txn, alm_entry_kind kind, alm_str code,
                                      bool *ret_found, uint32_t *ret_id, alm_status *st);
// By source id, as the catalogue in this transaction has it; in the arena.
ALM_MUST_USE alm_code lmdb_precedence_get(const lmdb_txn *txn, alm_arena *arena,
                                          alm_precedence *ret, alm_status *st);
alm_code lmdb_entries_visit(alm_store *store, const uint32_t *ids, size_t count,
                            const alm_catalog_visitor *visitor, alm_status *st);
alm_code lmdb_catalog_visit(alm_store *store, const alm_catalog_visitor *visitor,
                            uint64_t *ret_catalog_sequence, alm_status *st);

// --- reads ---------------------------------------------------------------------------------------

// Ids of an indicator's variants, ascending; all of the store's with indicator empty. Appended.
typedef struct lmdb_ids {
    uint32_t *ids;
    size_t count, cap;
} lmdb_ids;
ALM_MUST_USE alm_code lmdb_variants_of(const lmdb_txn *txn, alm_str indicator, alm_arena *arena,
                                       lmdb_ids *ids, alm_status *st);
ALM_MUST_USE alm_code lmdb_variant_text(const lmdb_txn *txn, uint32_t variant, alm_arena *arena,
                                        alm_str *ret, alm_status *st);
// Decodes the chunk under the key; an absent one is empty. Rows view the map.
ALM_MUST_USE alm_code lmdb_chunk_get(const lmdb_txn *txn, lmdb_slice_key key,
                                     const alm_precedence *precedence, alm_arena *arena,
                                     alm_chunk *ret, alm_status *st);

alm_code lmdb_read(alm_store *store, const alm_read *read, alm_read_visit visit, void *arg,
                   uint64_t *ret_sequence, alm_status *st);
ALM_MUST_USE alm_code lmdb_totals(alm_store *store, const alm_read *read, alm_row_totals *totals,
                                  uint64_t *ret_sequence, alm_status *st);
void lmdb_read_memory_destroy(lmdb_store *store); // of no read any more
alm_code lmdb_reader_open(alm_store *store, alm_store_reader **ret, alm_status *st);
void lmdb_reader_close(alm_store_reader *reader);
alm_code lmdb_reader_series(alm_store_reader *reader, alm_str variant, alm_place_id place,
                            const alm_as_of *as_of, alm_vector *ret, alm_status *st);
alm_code lmdb_reader_slice(alm_store_reader *reader, alm_str variant, alm_period period,
                           alm_place_id from, alm_place_id to, const alm_as_of *as_of,
                           alm_vector *ret, alm_status *st);
alm_code lmdb_reader_sums(alm_store_reader *reader, alm_str variant, alm_period period,
                          const alm_place_range *ranges, size_t count, alm_sum *sums,
                          alm_vector *frame, bool *ret_done, alm_status *st);
alm_code lmdb_series_find(alm_store *store, const alm_series_query *query, alm_series_visit visit,
                          void *arg, alm_status *st);
alm_code lmdb_quarantine_visit(alm_store *store,
                               alm_code (*visit)(void *arg, const alm_quarantined *row,
                                                 alm_status *st),
                               void *arg, alm_status *st);
alm_code lmdb_feed_change(alm_store *store, uint64_t from_sequence, alm_arena *arena,
                          alm_change *ret, alm_status *st);
alm_code lmdb_feed_wait(alm_store *store, uint64_t sequence, int64_t timeout_ms, alm_status *st);

// --- lmdb_readers --------------------------------------------------------------------------------

typedef struct lmdb_readers {
    uint32_t live;
    uint64_t oldest; // transaction id; UINT64_MAX: none
    char line[96];   // process, thread and transaction of the oldest
} lmdb_readers;

// The oldest one's age, at least; 0: nothing was committed since it began.
int64_t lmdb_count_readers(lmdb_store *store, lmdb_readers *ret);
void lmdb_note_commit(lmdb_store *store); // the mutex is held
// Beside commits, once a minute at most: clears slots of dead readers, and warns of a snapshot that
// is held too long.
void lmdb_tend_readers(lmdb_store *store);
// Adds the free pages of transactions from `from` on. txn is a snapshot.
ALM_MUST_USE alm_code lmdb_count_free(const lmdb_txn *txn, uint64_t from, uint64_t *ret_pages,
                                      alm_status *st);
// Before a write transaction. ALM_RESOURCE_EXHAUSTED: an old snapshot keeps more than may be kept.
ALM_MUST_USE alm_code lmdb_check_held(lmdb_store *store, alm_status *st);
// Now and then in what reads long. ALM_ABORTED: the snapshot keeps so much that it has to end.
ALM_MUST_USE alm_code lmdb_may_go_on(lmdb_store *store, const lmdb_txn *txn, alm_status *st);

// --- lmdb_stats ----------------------------------------------------------------------------------

alm_code lmdb_sizes(alm_store *store, uint64_t *ret, alm_status *st);
alm_code lmdb_stats(alm_store *store, alm_store_stats *ret, alm_status *st);
alm_code lmdb_verify(alm_store *store, void (*problem)(void *arg, alm_str text), void *arg,
                     alm_verify_result *ret, alm_status *st);
// store: if somebody may commit meanwhile; otherwise NULL.
ALM_MUST_USE alm_code lmdb_verify_snapshot(lmdb_store *store, const lmdb_txn *txn,
                                           void (*problem)(void *arg, alm_str text), void *arg,
                                           alm_verify_result *ret, alm_status *st);
alm_code lmdb_verify_dir(const char *dir, const alm_store_opts *opts,
                         void (*problem)(void *arg, alm_str text), void *arg,
                         alm_verify_result *ret, alm_status *st);
alm_code lmdb_rebuild_dir(const char *dir, const alm_store_opts *opts,
                          void (*problem)(void *arg, alm_str text), void *arg,
                          alm_rebuild_result *ret, alm_status *st);

// --- lmdb_backup ---------------------------------------------------------------------------------

alm_code lmdb_backup(alm_store *store, const alm_backup_sink *sink, alm_backup_info *ret,
                     alm_status *st);
alm_code lmdb_restore(const alm_backup_source *source, const char *dir, const alm_store_opts *opts,
                      alm_backup_info *ret, alm_status *st);

#endif
