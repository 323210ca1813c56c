// Batches: drawn, sent to the store, and held against what the twin expects.
#include "model.h"

// --- drawing -------------------------------------------------------------------------------------

draft draft_make(world *w)
{
    draft d = {.digest = below(w, 1000), .is_bulk = one_in(w, 8)};
    snprintf(d.id, sizeof d.id, "batch-%llu", (unsigned long long)++w->batches);
    return d;
}

// Most values are few, so that rows meet their like.
void draft_value(world *w, alm_obs *obs)
{
    static const char *const notes[] = {"", "", "", "初步核算", "以年鉴为准"};
    alm_value *v = &obs->value;
    *v = (alm_value){.number = {.mantissa = below(w, w->shape.value_count), .exponent = -2},
                     .unit = {.measure = ALM_MEASURE_UNIT_CNY,
                              .mult = one_in(w, 9) && !w->shape.is_uniform ? 4 : 8},
                     .has_number = true};
    if (one_in(w, 9) && !w->shape.is_uniform) {
        v->number.mantissa *= -INT64_C(900000000000001);
        v->number.exponent = (int8_t)(below(w, 3) - 1);
    }
    v->qualifier = one_in(w, 9) ? (alm_qualifier)below(w, ALM_QUALIFIER_COUNT) : 0;
    v->status = one_in(w, 9) ? ALM_OBS_STATUS_PROVISIONAL : ALM_OBS_STATUS_NORMAL;
    if (one_in(w, 9)) {
        v->has_number = false; // the number stays behind, and must not count
        v->status = one_in(w, 2) ? ALM_OBS_STATUS_MISSING_SUPPRESSED : ALM_OBS_STATUS_WITHDRAWN;
    }
    obs->note = alm_str_from(notes[below(w, ALM_ARRAY_LEN(notes))]);
}

alm_obs draft_row(world *w)
{
    uint32_t v = below(w, w->shape.variant_count);
    bool has_source = w->twin.source_count > 0 && !one_in(w, 3);
    alm_obs obs = {.variant = v,
                   .place = world_place(w),
                   .period = w->periods[w->variants[v].freq][below(w, w->shape.period_count)],
                   .source = has_source ? below(w, w->twin.source_count) : ALM_SOURCE_NONE,
                   .published = 19000 + (int)below(w, w->shape.day_count)};
    draft_value(w, &obs);
    return obs;
}

void draft_add(world *w, draft *d, alm_obs obs)
{
    if (d->row_count == d->row_cap) {
        alm_obs *old = d->rows;
        d->row_cap = d->row_cap * 2 + 16;
        d->rows = world_alloc(w->work, d->row_cap, sizeof *d->rows);
        if (d->row_count > 0) {
            memcpy(d->rows, old, d->row_count * sizeof *d->rows);
        }
    }
    d->rows[d->row_count++] = obs;
}

// --- sending -------------------------------------------------------------------------------------

// The batch's table: the world's variants from some place on, and then some of them once more. Rows
// name either.
static void make_table(world *w, const draft *d, alm_batch *batch)
{
    size_t count = w->shape.variant_count;
    size_t twice = one_in(w, 4) ? below(w, (uint32_t)count) + 1 : 0;
    size_t first = below(w, (uint32_t)count);
    alm_str *table = world_alloc(w->work, count + twice, sizeof *table);
    alm_obs *rows = world_alloc(w->work, d->row_count, sizeof *rows);
    for (size_t i = 0; i < count + twice; i++) {
        table[i] = w->variants[(first + i) % count].text;
    }
    for (size_t i = 0; i < d->row_count; i++) {
        size_t at = (d->rows[i].variant + count - first) % count;
        rows[i] = d->rows[i];
        rows[i].variant = (uint32_t)(at < twice && one_in(w, 2) ? at + count : at);
    }
    batch->variants = table;
    batch->variant_count = count + twice;
    batch->obs = rows;
    batch->obs_count = d->row_count;
}

static alm_batch make_batch(world *w, const draft *d)
{
    alm_batch batch = {.id = alm_str_from(d->id),
                       .digest = d->digest,
                       .places = d->places,
                       .place_count = d->place_count,
                       .sources = d->sources,
                       .source_count = d->source_count,
                       .indicators = d->indicators,
                       .indicator_count = d->indicator_count,
                       .quarantine_count = d->quarantine_count,
                       .dry_run = d->dry_run,
                       .is_bulk = d->is_bulk};
    if (d->row_count > 0) { // else the variants' indicators need not be there yet
        make_table(w, d, &batch);
    }
    alm_quarantined *bad = world_alloc(w->work, d->quarantine_count, sizeof *bad);
    for (size_t i = 0; i < d->quarantine_count; i++) {
        bad[i] = (alm_quarantined){.row = d->quarantine_first + i, .reason = ALM_STR("bad")};
    }
    batch.quarantine = bad;
    return batch;
}

static bool same_answer(world *w, const alm_commit_result *got, const expected *want, bool replayed)
{
    CHECK(w, got->replayed == replayed, "replayed %d", got->replayed);
    CHECK(w, got->sequence == want->sequence, "sequence %llu, not %llu",
          (unsigned long long)got->sequence, (unsigned long long)want->sequence);
    CHECK(w,
          got->added == want->added && got->revised == want->revised &&
              got->unchanged == want->unchanged,
          "%llu added, %llu revised, %llu unchanged; not %llu, %llu, %llu",
          (unsigned long long)got->added, (unsigned long long)got->revised,
          (unsigned long long)got->unchanged, (unsigned long long)want->added,
          (unsigned long long)want->revised, (unsigned long long)want->unchanged);
    CHECK(w,
          got->catalog_added == want->catalog_added &&
              got->catalog_changed == want->catalog_changed &&
              got->catalog_unchanged == want->catalog_unchanged,
          "entries: %llu added, %llu changed, %llu unchanged; not %llu, %llu, %llu",
          (unsigned long long)got->catalog_added, (unsigned long long)got->catalog_changed,
          (unsigned long long)got->catalog_unchanged, (unsigned long long)want->catalog_added,
          (unsigned long long)want->catalog_changed, (unsigned long long)want->catalog_unchanged);
    CHECK(w, got->conflict_count == want->conflict_count, "%zu conflicts, not %zu",
          got->conflict_count, want->conflict_count);
    for (size_t i = 0; i < want->conflict_count; i++) {
        CHECK(w, got->conflicts[i].row == want->conflicts[i], "conflict %zu is row %zu, not %zu", i,
              got->conflicts[i].row, want->conflicts[i]);
        CHECK(w, got->conflicts[i].reason.len > 0, "conflict %zu has no reason", i);
    }
    CHECK(w, got->withdrew_nothing_count == want->withdrew_nothing_count,
          "%zu rows withdrew nothing, not %zu", got->withdrew_nothing_count,
          want->withdrew_nothing_count);
    for (size_t i = 0; i < want->withdrew_nothing_count; i++) {
        CHECK(w, got->withdrew_nothing[i] == want->withdrew_nothing[i],
              "row %zu withdrew nothing, not %zu", got->withdrew_nothing[i],
              want->withdrew_nothing[i]);
    }
    return true;
}

bool draft_send(world *w, const draft *d, const expected *want, bool replayed)
{
    alm_commit_result got;
    alm_batch batch = make_batch(w, d);
    w->st = ALM_STATUS_INIT;
    alm_code code = alm_store_commit(w->store, &batch, w->work, &got, &w->st);
    CHECK(w, code == d->want, "%s, not %s: %s", alm_code_name(code), alm_code_name(d->want),
          w->st.message);
    return d->want != ALM_OK || same_answer(w, &got, want, replayed);
}

// --- known batches -------------------------------------------------------------------------------

#define KNOWN_ROW_COUNT_MAX 200

static void *copy_array(alm_arena *arena, const void *from, size_t count, size_t size)
{
    void *copy = world_alloc(arena, count, size);
    if (count > 0) {
        memcpy(copy, from, count * size);
    }
    return copy;
}

static void remember(world *w, const draft *d, const expected *e)
{
    if (d->row_count > KNOWN_ROW_COUNT_MAX) {
        return;
    }
    known_batch *known = &w->known[w->known_count++ % BATCH_COUNT_MAX];
    if (known->arena == NULL) {
        known->arena = alm_arena_create(0);
    } else {
        alm_arena_reset(known->arena);
    }
    known->draft = *d;
    known->draft.rows = copy_array(known->arena, d->rows, d->row_count, sizeof *d->rows);
    known->draft.places = copy_array(known->arena, d->places, d->place_count, sizeof *d->places);
    known->draft.sources =
        copy_array(known->arena, d->sources, d->source_count, sizeof *d->sources);
    known->draft.indicators =
        copy_array(known->arena, d->indicators, d->indicator_count, sizeof *d->indicators);
    known->answer = *e;
    known->answer.conflicts =
        copy_array(known->arena, e->conflicts, e->conflict_count, sizeof *e->conflicts);
    known->answer.withdrew_nothing = copy_array(
        known->arena, e->withdrew_nothing, e->withdrew_nothing_count, sizeof *e->withdrew_nothing);
}

static bool has_room(world *w, const draft *d)
{
    w->finished = w->finished || w->twin.row_count + d->row_count > ROW_COUNT_MAX ||
                  w->twin.commit_count + 1 >= COMMIT_COUNT_MAX;
    return !w->finished;
}

bool draft_commit(world *w, draft *d)
{
    if (!has_room(w, d)) {
        return true;
    }
    if (one_in(w, 8)) {
        d->dry_run = true;
        expected trial = twin_commit(w, d, false, w->work);
        TRY(draft_send(w, d, &trial, false));
        d->dry_run = false;
        if (one_in(w, 2)) {
            return true;
        }
    }
    expected want = twin_commit(w, d, true, w->work);
    TRY(draft_send(w, d, &want, false));
    remember(w, d, &want);
    return !one_in(w, 8) || draft_send(w, d, &want, true);
}
