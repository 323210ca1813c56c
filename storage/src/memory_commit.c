// A commit: plan it, copy what is to stay, then publish all of it at once.
#include "memory_plan.h"
#include "record.h"

// What is to stay, copied into the store's arena and not seen by anybody yet.
typedef struct kept {
    memory_commit commit;
    alm_str batch_id, answer;
    alm_str *codes, *entries; // of the plan's entries
    alm_str *quarantine;
} kept;

typedef struct commit_ctx {
    memory_store *store;
    const alm_checked_batch *in;
    memory_plan plan;
    kept kept;
    alm_commit_result *result;
} commit_ctx;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the commit");
}

// A commit is what changes what a reader can see, and quarantined rows.
static bool is_commit(const commit_ctx *ctx)
{
    return ctx->plan.row_count > 0 || ctx->plan.entry_count > 0 ||
           ctx->in->batch->quarantine_count > 0;
}

// --- copying what is to stay ---------------------------------------------------------------------

static bool keep_text(alm_arena *arena, alm_str text, alm_str *ret)
{
    char *copy = alm_arena_strdup(arena, text);
    *ret = (alm_str){.data = copy, .len = text.len};
    return copy != NULL;
}

// The answer to a repetition.
static bool keep_answer(commit_ctx *ctx)
{
    alm_buf buf;
    alm_batch_record record = {.digest = ctx->in->batch->digest, .result = *ctx->result};
    alm_buf_init(&buf, 0);
    alm_batch_record_encode(&record, &buf);
    bool ok = !buf.failed && keep_text(ctx->store->arena, alm_buf_view(&buf), &ctx->kept.answer);
    alm_buf_deinit(&buf);
    return ok;
}

static bool keep_entries(commit_ctx *ctx)
{
    alm_arena *arena = ctx->store->arena;
    const memory_plan *plan = &ctx->plan;
    ctx->kept.codes = alm_arena_calloc(arena, plan->entry_count, sizeof *ctx->kept.codes);
    ctx->kept.entries = alm_arena_calloc(arena, plan->entry_count, sizeof *ctx->kept.entries);
    bool ok = ctx->kept.codes != NULL && ctx->kept.entries != NULL;
    for (size_t i = 0; ok && i < plan->entry_count; i++) {
        ok = keep_text(arena, plan->entries[i].code, &ctx->kept.codes[i]) &&
             keep_text(arena, plan->entries[i].bytes, &ctx->kept.entries[i]);
    }
    return ok;
}

static bool keep_quarantine(commit_ctx *ctx, int64_t now_us)
{
    const alm_batch *batch = ctx->in->batch;
    alm_arena *arena = ctx->store->arena;
    alm_buf buf;
    alm_buf_init(&buf, 0);
    ctx->kept.quarantine =
        alm_arena_calloc(arena, batch->quarantine_count, sizeof *ctx->kept.quarantine);
    bool ok = ctx->kept.quarantine != NULL;
    for (size_t i = 0; ok && i < batch->quarantine_count; i++) {
        alm_quarantined row = batch->quarantine[i];
        row.batch_id = batch->id;
        row.at_us = now_us;
        alm_buf_reset(&buf);
        alm_quarantined_encode(&row, &buf);
        ok = !buf.failed && keep_text(arena, alm_buf_view(&buf), &ctx->kept.quarantine[i]);
    }
    alm_buf_deinit(&buf);
    return ok;
}

static bool keep_rows(commit_ctx *ctx)
{
    alm_arena *arena = ctx->store->arena;
    const memory_plan *plan = &ctx->plan;
    alm_obs *rows = alm_arena_calloc(arena, plan->row_count, sizeof *rows);
    alm_str *variants = alm_arena_calloc(arena, plan->variant_count, sizeof *variants);
    bool ok = rows != NULL && variants != NULL;
    for (size_t i = 0; ok && i < plan->variant_count; i++) {
        ok = keep_text(arena, plan->variants[i].text, &variants[i]);
    }
    for (size_t i = 0; ok && i < plan->row_count; i++) {
        rows[i] = plan->rows[i];
        ok = keep_text(arena, plan->rows[i].note, &rows[i].note);
    }
    ctx->kept.commit.rows = rows;
    ctx->kept.commit.row_count = plan->row_count;
    ctx->kept.commit.variants = variants;
    ctx->kept.commit.variant_count = plan->variant_count;
    return ok;
}

static alm_code keep(commit_ctx *ctx, alm_status *st)
{
    memory_commit *commit = &ctx->kept.commit;
    *commit = (memory_commit){.at_us = ctx->store->clock.wall_us(ctx->store->clock.self),
                              .added = ctx->result->added,
                              .revised = ctx->result->revised,
                              .catalog_changed = ctx->plan.entry_count > 0,
                              .is_bulk = ctx->in->batch->is_bulk};
    bool ok = keep_text(ctx->store->arena, ctx->in->batch->id, &ctx->kept.batch_id) &&
              keep_answer(ctx) && keep_entries(ctx) && keep_quarantine(ctx, commit->at_us) &&
              keep_rows(ctx);
    commit->batch_id = ctx->kept.batch_id;
    return ok ? ALM_OK : no_memory(st);
}

// --- room ----------------------------------------------------------------------------------------

static bool reserve_texts(memory_texts *texts, size_t more)
{
    return memory_grow((void **)&texts->of, &texts->cap, texts->count + more, sizeof *texts->of) &&
           memory_index_reserve(&texts->numbers, more);
}

static bool reserve_entries(commit_ctx *ctx)
{
    memory_store *store = ctx->store;
    bool ok = memory_grow((void **)&store->precedence, &store->precedence_cap,
                          ctx->plan.counts[ALM_ENTRY_SOURCE], sizeof *store->precedence);
    for (size_t k = 0; ok && k < ALM_ARRAY_LEN(alm_entry_kinds); k++) {
        memory_texts *entries = &store->entries[alm_entry_kinds[k]];
        ok = reserve_texts(entries, ctx->plan.counts[alm_entry_kinds[k]] - entries->count);
    }
    return ok;
}

// New variants have a place here already; nobody finds them while they are not counted.
static bool reserve_variants(commit_ctx *ctx)
{
    memory_variants *variants = &ctx->store->variants;
    const memory_plan *plan = &ctx->plan;
    bool ok = memory_grow((void **)&variants->of, &variants->cap,
                          variants->count + plan->variant_count, sizeof *variants->of) &&
              memory_index_reserve(&variants->ids, plan->variant_count);
    for (size_t i = 0; ok && i < plan->variant_count; i++) {
        memory_variant *variant = &variants->of[plan->variants[i].number];
        ok = memory_grow((void **)&variant->vintages, &variant->cap,
                         variant->count + plan->variants[i].count, sizeof *variant->vintages);
    }
    return ok;
}

static bool reserve_all(commit_ctx *ctx)
{
    memory_store *store = ctx->store;
    return reserve_texts(&store->batches, 1) &&
           reserve_texts(&store->quarantine, ctx->in->batch->quarantine_count) &&
           reserve_entries(ctx) && reserve_variants(ctx) &&
           memory_grow((void **)&store->commits.of, &store->commits.cap, store->commits.count + 1,
                       sizeof *store->commits.of);
}

// --- publishing: nothing below can fail ----------------------------------------------------------

static void publish_entries(commit_ctx *ctx)
{
    memory_store *store = ctx->store;
    for (size_t i = 0; i < ctx->plan.entry_count; i++) {
        const memory_planned_entry *planned = &ctx->plan.entries[i];
        memory_texts *entries = &store->entries[planned->kind];
        entries->of[planned->id] = ctx->kept.entries[i];
        if (planned->id == entries->count) {
            memory_index_put(&entries->numbers, ctx->kept.codes[i], planned->id);
            entries->count++;
        }
        if (planned->kind == ALM_ENTRY_SOURCE) {
            store->precedence[planned->id] = planned->precedence;
        }
    }
}

static void publish_variants(commit_ctx *ctx)
{
    memory_variants *variants = &ctx->store->variants;
    for (size_t i = 0; i < ctx->plan.variant_count; i++) {
        uint32_t number = ctx->plan.variants[i].number;
        if (number == variants->count) {
            variants->of[number].text = ctx->kept.commit.variants[i];
            memory_index_put(&variants->ids, ctx->kept.commit.variants[i], number);
            variants->count++;
        }
    }
}

// From behind, so that nothing is overwritten. Rows go behind the vintages of their cell, whose
// order is put right when all are there.
static void merge_vintages(memory_variant *variant, const alm_obs *rows, size_t count)
{
    size_t old = variant->count;
    size_t at = old + count;
    while (count > 0) {
        bool is_old = old > 0 && memory_cell_cmp(variant->vintages[old - 1], &rows[count - 1]) > 0;
        variant->vintages[--at] = is_old ? variant->vintages[--old] : &rows[--count];
        variant->count += !is_old;
    }
}

static void sort_cells(memory_variant *variant, const alm_obs *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || memory_cell_cmp(&rows[i - 1], &rows[i]) != 0) {
            size_t from = memory_cell_find(variant, alm_period_pack(rows[i].period), rows[i].place);
            alm_vintage_sort(variant->vintages + from, memory_cell_end(variant, from) - from);
        }
    }
}

static void publish_rows(commit_ctx *ctx)
{
    const memory_commit *commit = &ctx->kept.commit;
    for (size_t i = 0; i < ctx->plan.variant_count; i++) {
        const memory_planned_variant *planned = &ctx->plan.variants[i];
        memory_variant *variant = &ctx->store->variants.of[planned->number];
        merge_vintages(variant, commit->rows + planned->from, planned->count);
        sort_cells(variant, commit->rows + planned->from, planned->count);
    }
    ctx->store->observations += commit->row_count;
}

static uint64_t feed_bytes(const memory_commit *commit)
{
    return commit->is_bulk ? 0 : commit->row_count * sizeof *commit->rows;
}

// The change feed tells the rows of old commits no more.
static void trim_feed(memory_store *store)
{
    while (store->commits.count - store->feed_trimmed > store->feed_commits &&
           store->feed_bytes > store->feed_bytes_max) {
        store->feed_bytes -= feed_bytes(&store->commits.of[store->feed_trimmed++]);
    }
}

static void publish_commit(commit_ctx *ctx)
{
    memory_store *store = ctx->store;
    publish_entries(ctx);
    publish_variants(ctx);
    publish_rows(ctx);
    for (size_t i = 0; i < ctx->in->batch->quarantine_count; i++) {
        store->quarantine.of[store->quarantine.count++] = ctx->kept.quarantine[i];
    }
    store->commits.of[store->commits.count++] = ctx->kept.commit;
    store->feed_bytes += feed_bytes(&ctx->kept.commit);
    trim_feed(store);
    if (ctx->plan.entry_count > 0) {
        store->catalog_sequence = store->commits.count;
    }
}

static alm_code publish(commit_ctx *ctx, alm_status *st)
{
    memory_store *store = ctx->store;
    pthread_mutex_lock(&store->mutex);
    bool ok = reserve_all(ctx);
    store->bytes_used = alm_arena_used(store->arena);
    if (ok) {
        memory_texts *batches = &store->batches;
        memory_index_put(&batches->numbers, ctx->kept.batch_id, (uint32_t)batches->count);
        batches->of[batches->count++] = ctx->kept.answer;
        if (is_commit(ctx)) {
            publish_commit(ctx);
            pthread_cond_broadcast(&store->grown);
        }
    }
    pthread_mutex_unlock(&store->mutex);
    return ok ? ALM_OK : no_memory(st);
}

// --- a batch -------------------------------------------------------------------------------------

static alm_code commit_new(commit_ctx *ctx, alm_arena *work, alm_arena *answer, alm_status *st)
{
    ALM_TRY(memory_plan_make(ctx->store, ctx->in, work, answer, &ctx->plan, ctx->result, st));
    if (ctx->in->batch->dry_run) {
        return ALM_OK;
    }
    if (is_commit(ctx)) {
        ctx->result->sequence = ctx->store->commits.count + 1;
    }
    ALM_TRY(keep(ctx, st));
    return publish(ctx, st);
}

static alm_code commit_under_lock(memory_store *store, const alm_checked_batch *in,
                                  alm_arena *answer, alm_commit_result *result, alm_status *st)
{
    uint32_t number;
    if (memory_index_find(&store->batches.numbers, in->batch->id, &number)) {
        return alm_batch_replay(store->batches.of[number], in->batch, answer, result, st);
    }
    commit_ctx ctx = {.store = store, .in = in, .result = result};
    alm_arena *work = alm_arena_create((size_t)1 << 30);
    alm_code code = work == NULL ? no_memory(st) : commit_new(&ctx, work, answer, st);
    alm_arena_destroy(&work);
    return code;
}

alm_code memory_commit_batch(alm_store *base, const alm_checked_batch *batch, alm_arena *arena,
                             alm_commit_result *ret, alm_status *st)
{
    memory_store *store = memory_of(base);
    alm_commit_result result = {0};
    pthread_mutex_lock(&store->writing);
    alm_code code = commit_under_lock(store, batch, arena, &result, st);
    pthread_mutex_unlock(&store->writing);
    if (code == ALM_OK) {
        *ret = result;
    }
    return code;
}
