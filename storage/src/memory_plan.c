#include "memory_plan.h"

typedef struct plan_ctx {
    const memory_store *store;
    const alm_checked_batch *in;
    alm_arena *arena;
    memory_plan *plan;
    alm_tally tally;
} plan_ctx;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the commit");
}

// --- entries -------------------------------------------------------------------------------------

// Entries as they will be: those of the batch so far, by code, each an index into plan->entries.
typedef struct overlay {
    memory_index by_code[ALM_ENTRY_SOURCE + 1];
} overlay;

static alm_code encode_entry(plan_ctx *ctx, const alm_entry *entry, alm_str *ret, alm_status *st)
{
    alm_buf buf;
    alm_buf_init(&buf, 0);
    alm_entry_encode(entry, &buf);
    char *copy = buf.failed ? NULL : alm_arena_strdup(ctx->arena, alm_buf_view(&buf));
    *ret = (alm_str){.data = copy, .len = buf.len};
    alm_buf_deinit(&buf);
    return copy != NULL ? ALM_OK : no_memory(st);
}

// The entry's bytes before this one of the batch. False: the code is new.
static bool find_old(const plan_ctx *ctx, const overlay *over, alm_entry_kind kind, alm_str code,
                     uint32_t *ret_id, alm_str *ret)
{
    uint32_t at;
    const memory_texts *stored = &ctx->store->entries[kind];
    if (memory_index_find(&over->by_code[kind], code, &at)) {
        *ret_id = ctx->plan->entries[at].id;
        *ret = ctx->plan->entries[at].bytes;
        return true;
    }
    if (memory_index_find(&stored->numbers, code, ret_id)) {
        *ret = stored->of[*ret_id];
        return true;
    }
    return false;
}

static alm_code add_entry(plan_ctx *ctx, overlay *over, const memory_planned_entry *entry,
                          alm_status *st)
{
    memory_plan *plan = ctx->plan;
    if (!alm_arena_grow(ctx->arena, (void **)&plan->entries, &plan->entry_cap,
                        plan->entry_count + 1, sizeof *plan->entries) ||
        !memory_index_reserve(&over->by_code[entry->kind], 1)) {
        return no_memory(st);
    }
    memory_index_put(&over->by_code[entry->kind], entry->code, (uint32_t)plan->entry_count);
    plan->entries[plan->entry_count++] = *entry;
    return ALM_OK;
}

static alm_code plan_entry(plan_ctx *ctx, overlay *over, const alm_entry *entry, alm_status *st)
{
    alm_str old;
    memory_planned_entry planned = {.kind = entry->kind, .code = alm_entry_code(entry)};
    alm_commit_result *result = ctx->tally.result;
    ALM_TRY(encode_entry(ctx, entry, &planned.bytes, st));
    if (find_old(ctx, over, entry->kind, planned.code, &planned.id, &old)) {
        if (alm_str_eq(old, planned.bytes)) {
            result->catalog_unchanged++;
            return ALM_OK;
        }
        result->catalog_changed++;
    } else {
        uint64_t *count = &ctx->plan->counts[entry->kind];
        if (*count >= ALM_PLACE_COUNT_MAX) {
            return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                                  "more than %d entries of one kind (%s)", ALM_PLACE_COUNT_MAX,
                                  alm_entry_kind_word(entry->kind));
        }
        planned.id = (uint32_t)(*count)++;
        result->catalog_added++;
    }
    planned.precedence = entry->kind == ALM_ENTRY_SOURCE ? entry->source.precedence : 0;
    return add_entry(ctx, over, &planned, st);
}

static alm_code plan_each_entry(plan_ctx *ctx, overlay *over, alm_status *st)
{
    const alm_batch *batch = ctx->in->batch;
    for (size_t k = 0; k < ALM_ARRAY_LEN(alm_entry_kinds); k++) {
        alm_entry_kind kind = alm_entry_kinds[k];
        ctx->plan->counts[kind] = ctx->store->entries[kind].count;
        for (size_t i = 0; i < alm_batch_entry_count(batch, kind); i++) {
            alm_entry entry = alm_batch_entry(batch, kind, i);
            ALM_TRY(plan_entry(ctx, over, &entry, st));
        }
    }
    return ALM_OK;
}

static alm_code plan_entries(plan_ctx *ctx, const alm_stored_catalog *stored, alm_status *st)
{
    overlay over = {0};
    ALM_TRY(alm_catalog_check(ctx->in->batch, stored, ctx->arena, st));
    alm_code code = plan_each_entry(ctx, &over, st);
    for (size_t i = 0; i < ALM_ARRAY_LEN(over.by_code); i++) {
        memory_index_deinit(&over.by_code[i]);
    }
    return code;
}

// --- rows ----------------------------------------------------------------------------------------

// The catalogue as rows find it: stored, or in the batch.
typedef struct wider_catalog {
    const alm_stored_catalog *stored;
    const alm_batch *batch;
} wider_catalog;

static alm_code find_wider(const void *arg, alm_entry_kind kind, alm_str code, alm_arena *arena,
                           bool *ret_found, alm_entry *ret, alm_status *st)
{
    const wider_catalog *wider = arg;
    for (size_t i = 0; i < alm_batch_entry_count(wider->batch, kind); i++) {
        *ret = alm_batch_entry(wider->batch, kind, i);
        if (alm_str_eq(alm_entry_code(ret), code)) {
            *ret_found = true;
            return ALM_OK;
        }
    }
    return wider->stored->find(wider->stored->arg, kind, code, arena, ret_found, ret, st);
}

static alm_code check_rows(plan_ctx *ctx, const alm_stored_catalog *stored, alm_status *st)
{
    wider_catalog wider = {.stored = stored, .batch = ctx->in->batch};
    alm_stored_catalog catalog = {.arg = &wider, .find = find_wider};
    return alm_rows_check(ctx->in, ctx->plan->counts[ALM_ENTRY_PLACE],
                          ctx->plan->counts[ALM_ENTRY_SOURCE], &catalog, ctx->arena, st);
}

// Rows of one variant, and where they go.
typedef struct variant_run {
    alm_str text;
    const memory_variant *stored; // NULL: none yet
    uint32_t number;
    bool is_planned; // it stands at the end of plan->variants
} variant_run;

static variant_run run_of(const plan_ctx *ctx, uint32_t index)
{
    const memory_variants *variants = &ctx->store->variants;
    variant_run run = {.text = ctx->in->batch->variants[index]};
    if (memory_index_find(&variants->ids, run.text, &run.number)) {
        run.stored = &variants->of[run.number];
    } else {
        run.number = (uint32_t)variants->count;
        for (size_t i = 0; i < ctx->plan->variant_count; i++) {
            run.number += ctx->plan->variants[i].number >= variants->count;
        }
    }
    return run;
}

static alm_code take_row(plan_ctx *ctx, variant_run *run, const alm_obs *row, alm_status *st)
{
    memory_plan *plan = ctx->plan;
    if (!alm_arena_grow(ctx->arena, (void **)&plan->variants, &plan->variant_cap,
                        plan->variant_count + 1, sizeof *plan->variants) ||
        !alm_arena_grow(ctx->arena, (void **)&plan->rows, &plan->row_cap, plan->row_count + 1,
                        sizeof *plan->rows)) {
        return no_memory(st);
    }
    if (!run->is_planned) {
        run->is_planned = true;
        plan->variants[plan->variant_count++] = (memory_planned_variant){
            .text = run->text, .number = run->number, .from = plan->row_count};
    }
    plan->variants[plan->variant_count - 1].count++;
    plan->rows[plan->row_count] = *row;
    plan->rows[plan->row_count++].variant = (uint32_t)plan->variant_count - 1;
    return ALM_OK;
}

// The cell's vintage of the same source and publication, stored or taken since `taken_from`.
static const alm_obs *find_known(const plan_ctx *ctx, const variant_run *run, size_t from,
                                 size_t to, size_t taken_from, const alm_obs *row)
{
    for (size_t i = from; i < to; i++) {
        if (alm_vintage_same(run->stored->vintages[i], row)) {
            return run->stored->vintages[i];
        }
    }
    for (size_t i = taken_from; i < ctx->plan->row_count; i++) {
        if (alm_vintage_same(&ctx->plan->rows[i], row)) {
            return &ctx->plan->rows[i];
        }
    }
    return NULL;
}

// Does a withdrawal take back a stored vintage of from..to-1, or another row of the batch?
static bool takes_back(const plan_ctx *ctx, const variant_run *run, size_t from, size_t to,
                       const alm_row_slot *slots, size_t count, const alm_obs *row)
{
    bool takes = false;
    for (size_t i = from; i < to && !takes; i++) {
        takes = alm_vintage_takes_back(row, run->stored->vintages[i]);
    }
    for (size_t i = 0; i < count && !takes; i++) {
        takes = alm_vintage_takes_back(row, &ctx->in->batch->obs[slots[i].row]);
    }
    return takes;
}

// The slots of one cell.
static alm_code plan_cell(plan_ctx *ctx, variant_run *run, uint64_t period,
                          const alm_row_slot *slots, size_t count, alm_status *st)
{
    size_t from = 0;
    size_t to = 0;
    size_t taken_from = ctx->plan->row_count;
    if (run->stored != NULL) {
        from = memory_cell_find(run->stored, period, slots[0].place);
        to = memory_cell_find(run->stored, period, slots[0].place + 1);
    }
    for (size_t i = 0; i < count; i++) {
        bool is_taken;
        alm_obs row = alm_tally_row(&ctx->tally, &ctx->in->batch->obs[slots[i].row]);
        const alm_obs *known = find_known(ctx, run, from, to, taken_from, &row);
        bool is_new = from == to && taken_from == ctx->plan->row_count;
        ALM_TRY(alm_tally_judge(&ctx->tally, slots[i].row, &row, known, is_new, &is_taken, st));
        if (!is_taken) {
            continue;
        }
        ALM_TRY(take_row(ctx, run, &row, st));
        if (row.value.status == ALM_OBS_STATUS_WITHDRAWN &&
            !takes_back(ctx, run, from, to, slots, count, &row)) {
            ALM_TRY(alm_tally_withdrew_nothing(&ctx->tally, slots[i].row, st));
        }
    }
    return ALM_OK;
}

static alm_code plan_slice(plan_ctx *ctx, variant_run *run, const alm_slice_slots *slice,
                           alm_status *st)
{
    const alm_row_slot *slots = ctx->in->slots;
    for (uint32_t from = slice->from; from < slice->to;) {
        uint32_t to = (uint32_t)alm_slots_cell_end(slots, from, slice->to);
        ALM_TRY(plan_cell(ctx, run, slice->period, slots + from, to - from, st));
        from = to;
    }
    return ALM_OK;
}

static alm_code plan_rows(plan_ctx *ctx, alm_status *st)
{
    variant_run run = {0};
    for (size_t i = 0; i < ctx->in->slice_count; i++) {
        const alm_slice_slots *slice = &ctx->in->slices[i];
        if (i == 0 || slice->variant != slice[-1].variant) {
            run = run_of(ctx, slice->variant);
        }
        ALM_TRY(plan_slice(ctx, &run, slice, st));
    }
    return ALM_OK;
}

alm_code memory_plan_make(const memory_store *store, const alm_checked_batch *batch,
                          alm_arena *arena, alm_arena *answer, memory_plan *ret,
                          alm_commit_result *result, alm_status *st)
{
    plan_ctx ctx = {
        .store = store,
        .in = batch,
        .arena = arena,
        .plan = ret,
        .tally = {.sequence = store->commits.count + 1, .arena = answer, .result = result}};
    alm_stored_catalog stored = memory_stored_catalog(store);
    *ret = (memory_plan){0};
    *result = (alm_commit_result){0};
    ALM_TRY(plan_entries(&ctx, &stored, st));
    ALM_TRY(check_rows(&ctx, &stored, st));
    ALM_TRY(plan_rows(&ctx, st));
    alm_tally_finish(&ctx.tally);
    return ALM_OK;
}
