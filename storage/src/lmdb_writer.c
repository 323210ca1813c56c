// Group commit: a caller queues its batch. If nobody is writing, it takes all that is queued, puts
// it into one transaction and syncs once; while it syncs the next group gathers, and one of those
// who wait writes that. So a lone caller hands nothing to another thread, which would have to wake
// up for it, and whose cache does not hold the rows.
#include "lmdb_fold.h"
#include "lmdb_trim.h"

#include "alm/alloc.h"

#define GROUP_BATCH_COUNT_MAX      256
#define GROUP_ROW_COUNT_MAX        (2 * (size_t)ALM_COMMIT_ROW_COUNT_MAX)
// Commits whose rows leave the log beside a group (more than it adds, so that a log that had to
// wait catches up), and when that is asked for.
#define TRIM_BESIDE_COUNT(batches) (2 * (batches) + 2)
#define TRIM_ASKED_COUNT           512

// Lives on the stack of the caller, who waits. Who writes uses the caller's arena meanwhile.
struct lmdb_request {
    lmdb_request *next;
    const alm_checked_batch *batch; // NULL: fold
    const lmdb_fold *fold;          // NULL too: trim
    alm_arena *arena;
    alm_commit_result result;
    size_t most; // changes of a part that the batch touched
    size_t trimmed;
    alm_code code;
    alm_status status;
    bool is_done; // guarded by the store's mutex
};

// --- one group -----------------------------------------------------------------------------------

// What became of an attempt to put a group into one transaction.
typedef enum outcome {
    OUTCOME_DONE,  // every request has its answer
    OUTCOME_SPLIT, // nothing is stored: try the requests one by one
} outcome;

// Errors after which what we acknowledge may not be what is on the disk.
static bool breaks_store(alm_code code)
{
    return code == ALM_UNAVAILABLE || code == ALM_INTERNAL;
}

static void mark_broken(lmdb_store *store, const alm_status *why)
{
    pthread_mutex_lock(&store->mutex);
    store->is_broken = true;
    store->broken = *why;
    pthread_mutex_unlock(&store->mutex);
}

static void fail_all(lmdb_request *const *group, size_t count, const alm_status *why)
{
    for (size_t i = 0; i < count; i++) {
        if (group[i]->code == ALM_OK) {
            group[i]->code = alm_status_copy(&group[i]->status, why);
        }
    }
}

static bool is_trim(const lmdb_request *r)
{
    return r->batch == NULL && r->fold == NULL;
}

// Applies each batch. A batch that fails before it wrote anything fails alone.
static outcome apply_all(lmdb_store *store, const lmdb_txn *txn, lmdb_request *const *group,
                         size_t count, alm_head *head, bool *ret_wrote)
{
    int64_t now_us = store->clock.wall_us(store->clock.self);
    for (size_t i = 0; i < count; i++) {
        lmdb_request *r = group[i];
        lmdb_applied applied = {.wrote = true};
        if (is_trim(r)) {
            continue;
        }
        r->status = ALM_STATUS_INIT;
        r->code = r->fold != NULL ? lmdb_fold_put(txn, r->fold, &r->status)
                                  : lmdb_apply(txn, r->batch, now_us, r->arena, head, &r->result,
                                               &applied, &r->status);
        if (r->code != ALM_OK && applied.wrote) {
            return OUTCOME_SPLIT;
        }
        r->most = applied.most;
        *ret_wrote = *ret_wrote || applied.wrote;
    }
    return OUTCOME_DONE;
}

// Lets old rows leave the log beside what the group does.
static alm_code trim_beside(lmdb_store *store, const lmdb_txn *txn, lmdb_request *const *group,
                            size_t count, alm_head *head, bool *wrote, alm_status *st)
{
    size_t most = 0;
    lmdb_trimmed trimmed;
    for (size_t i = 0; i < count; i++) {
        most = is_trim(group[i]) ? TRIM_ASKED_COUNT : most;
        store->trim_is_blocked = store->trim_is_blocked && group[i]->fold == NULL;
    }
    if (most == 0 && *wrote && !store->trim_is_blocked) {
        most = TRIM_BESIDE_COUNT(count);
    }
    if (most == 0) {
        return ALM_OK;
    }
    ALM_TRY(lmdb_trim(txn, &store->feed, most, head, &trimmed, st));
    store->trim_is_blocked = trimmed.blocked_at != 0;
    *wrote = *wrote || trimmed.count > 0;
    for (size_t i = 0; i < count; i++) {
        group[i]->trimmed = trimmed.count;
    }
    return ALM_OK;
}

// Only those who asked for it: the others go on without.
static void fail_trim(lmdb_request *const *group, size_t count, const alm_status *why)
{
    for (size_t i = 0; i < count; i++) {
        if (is_trim(group[i])) {
            group[i]->code = alm_status_copy(&group[i]->status, why);
            group[i]->trimmed = 0;
        }
    }
}

static alm_code commit_with_head(lmdb_store *store, lmdb_txn *txn, const alm_head *head,
                                 alm_status *st)
{
    alm_buf scratch;
    alm_buf_init(&scratch, 0);
    alm_code code = lmdb_head_put(txn, head, &scratch, st);
    alm_buf_deinit(&scratch);
    if (code == ALM_OK) {
        code = lmdb_commit(store, txn, st);
    }
    if (code == ALM_OK) {
        lmdb_dir_note_sequence(store, head->sequence);
    }
    return code;
}

static bool is_ripe(const lmdb_request *r)
{
    return r->batch != NULL && r->most >= LMDB_FOLD_CHANGE_COUNT;
}

// What keeps a log that is late from being trimmed is to be folded. Under the mutex.
static void ask_for_trim(lmdb_store *store, const alm_head *head)
{
    uint64_t before;
    if (store->trim_is_blocked && lmdb_trim_is_late(head, &store->feed, &before) &&
        before > store->fold_before + store->feed.commits / 2) {
        store->fold_before = before;
        store->fold_wanted = true;
    }
}

static void publish(lmdb_store *store, const alm_head *head, lmdb_request *const *group,
                    size_t count)
{
    pthread_mutex_lock(&store->mutex);
    store->sequence = head->sequence;
    store->commit_groups++;
    lmdb_note_commit(store);
    for (size_t i = 0; i < count; i++) {
        store->commits += group[i]->batch != NULL;
        store->fold_wanted = store->fold_wanted || is_ripe(group[i]);
    }
    ask_for_trim(store, head);
    if (store->fold_wanted) {
        pthread_cond_signal(&store->ripe);
    }
    pthread_mutex_unlock(&store->mutex);
}

// Of which nothing may stay.
static bool is_dry_run(const lmdb_request *r)
{
    return r->batch != NULL && r->batch->batch->dry_run;
}

static alm_code begin(lmdb_store *store, lmdb_txn *txn, alm_head *head, alm_status *st)
{
    ALM_TRY(lmdb_begin_write(store, txn, st));
    return lmdb_head_get(txn, head, st);
}

static outcome try_group(lmdb_store *store, lmdb_request *const *group, size_t count, bool trims)
{
    lmdb_txn txn = {0};
    alm_head head;
    alm_status st = ALM_STATUS_INIT;
    bool wrote = false;
    alm_code code = begin(store, &txn, &head, &st);
    if (code == ALM_OK && apply_all(store, &txn, group, count, &head, &wrote) == OUTCOME_SPLIT) {
        lmdb_abort(&txn);
        return count > 1 ? OUTCOME_SPLIT : OUTCOME_DONE;
    }
    if (code == ALM_OK && trims && !is_dry_run(group[0]) &&
        trim_beside(store, &txn, group, count, &head, &wrote, &st) != ALM_OK) {
        lmdb_abort(&txn);
        fail_trim(group, count, &st);
        return try_group(store, group, count, false);
    }
    if (code == ALM_OK && wrote && !is_dry_run(group[0])) {
        code = commit_with_head(store, &txn, &head, &st);
        if (code == ALM_OK) {
            publish(store, &head, group, count);
        } else if (breaks_store(code)) {
            mark_broken(store, &st);
        }
    }
    lmdb_abort(&txn);
    if (code != ALM_OK && count > 1 && !breaks_store(code)) {
        return OUTCOME_SPLIT;
    }
    if (code != ALM_OK) {
        fail_all(group, count, &st);
    }
    return OUTCOME_DONE;
}

static alm_code refuse(const lmdb_store *store, alm_status *st)
{
    if (store->is_broken) {
        return alm_status_set(st, ALM_UNAVAILABLE,
                              "the store takes no commits since an error (%s); restart it",
                              store->broken.message);
    }
    return alm_status_set(st, ALM_UNAVAILABLE, "the store is closing");
}

static bool is_broken(lmdb_store *store)
{
    pthread_mutex_lock(&store->mutex);
    bool broken = store->is_broken;
    pthread_mutex_unlock(&store->mutex);
    return broken;
}

// One by one, until one breaks the store.
static void run_each(lmdb_store *store, lmdb_request *const *group, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        group[i]->code = ALM_OK;
        if (is_broken(store)) {
            group[i]->code = refuse(store, &group[i]->status);
        } else {
            (void)try_group(store, &group[i], 1, true);
        }
    }
}

static void run_group(lmdb_store *store, lmdb_request *const *group, size_t count)
{
    alm_status st = ALM_STATUS_INIT;
    int64_t from_us = store->clock.mono_us(store->clock.self);
    if (!is_dry_run(group[0]) && lmdb_check_held(store, &st) != ALM_OK) {
        fail_all(group, count, &st);
        return;
    }
    outcome first = try_group(store, group, count, true);
    alm_log_debug(store->log, "store.commit_group", ALM_KV_U64("batches", count),
                  ALM_KV_BOOL("split", first == OUTCOME_SPLIT),
                  ALM_KV_MS("took_ms", store->clock.mono_us(store->clock.self) - from_us));
    if (first == OUTCOME_SPLIT) {
        run_each(store, group, count);
    }
}

// --- taking turns --------------------------------------------------------------------------------

// Takes off the queue what goes into one transaction. A dry run goes alone, since it is undone.
static size_t take_group(lmdb_store *store, lmdb_request **group)
{
    size_t count = 0;
    size_t rows = 0;
    while (store->queue != NULL && count < GROUP_BATCH_COUNT_MAX) {
        lmdb_request *r = store->queue;
        bool is_alone = is_dry_run(r);
        rows += r->batch != NULL ? r->batch->batch->obs_count : 0;
        if (count > 0 && (is_alone || rows > GROUP_ROW_COUNT_MAX)) {
            break;
        }
        group[count++] = r;
        store->queue = r->next;
        if (is_alone) {
            break;
        }
    }
    if (store->queue == NULL) {
        store->queue_end = &store->queue;
    }
    return count;
}

static void run_or_refuse(lmdb_store *store, lmdb_request *const *group, size_t count)
{
    if (store->is_broken) { // by an earlier group
        alm_status st = ALM_STATUS_INIT;
        (void)refuse(store, &st);
        fail_all(group, count, &st);
        return;
    }
    pthread_mutex_unlock(&store->mutex);
    run_group(store, group, count);
    lmdb_tend_readers(store);
    pthread_mutex_lock(&store->mutex);
}

// Writes one group. Under the mutex, which is given up meanwhile.
static void take_turn(lmdb_store *store)
{
    lmdb_request *group[GROUP_BATCH_COUNT_MAX];
    store->is_writing = true;
    size_t count = take_group(store, group);
    ALM_ASSERT(count > 0); // the caller's own request, at least
    run_or_refuse(store, group, count);
    for (size_t i = 0; i < count; i++) {
        group[i]->is_done = true;
    }
    store->is_writing = false;
    pthread_cond_broadcast(&store->done);
}

// Queues the request and sees to it that it is answered.
static alm_code ask(lmdb_store *store, lmdb_request *request, alm_status *st)
{
    pthread_mutex_lock(&store->mutex);
    if (store->is_broken || store->stopping) {
        alm_code code = refuse(store, st);
        pthread_mutex_unlock(&store->mutex);
        return code;
    }
    *store->queue_end = request;
    store->queue_end = &request->next;
    while (!request->is_done) {
        if (store->is_writing) {
            pthread_cond_wait(&store->done, &store->mutex);
        } else {
            take_turn(store);
        }
    }
    pthread_mutex_unlock(&store->mutex);
    return request->code == ALM_OK ? ALM_OK : alm_status_copy(st, &request->status);
}

uint64_t lmdb_writer_queued(const lmdb_store *store)
{
    uint64_t count = 0;
    for (const lmdb_request *r = store->queue; r != NULL; r = r->next) {
        count += r->fold == NULL;
    }
    return count;
}

alm_code lmdb_writer_commit(alm_store *store, const alm_checked_batch *batch, alm_arena *arena,
                            alm_commit_result *ret, alm_status *st)
{
    lmdb_request request = {.batch = batch, .arena = arena, .status = ALM_STATUS_INIT};
    ALM_TRY(ask(lmdb_of(store), &request, st));
    *ret = request.result;
    return ALM_OK;
}

alm_code lmdb_writer_fold(lmdb_store *store, const lmdb_fold *fold, alm_status *st)
{
    lmdb_request request = {.fold = fold, .status = ALM_STATUS_INIT};
    return ask(store, &request, st);
}

alm_code lmdb_writer_trim(lmdb_store *store, alm_status *st)
{
    lmdb_request request;
    do {
        request = (lmdb_request){.status = ALM_STATUS_INIT};
        ALM_TRY(ask(store, &request, st));
    } while (request.trimmed > 0);
    return ALM_OK;
}

void lmdb_writer_stop(lmdb_store *store)
{
    pthread_mutex_lock(&store->mutex);
    store->stopping = true;
    pthread_cond_broadcast(&store->done);
    while (store->queue != NULL || store->is_writing) {
        pthread_cond_wait(&store->done, &store->mutex);
    }
    pthread_mutex_unlock(&store->mutex);
}
