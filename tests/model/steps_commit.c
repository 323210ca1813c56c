// Steps that commit rows.
#include "model.h"

bool step_few(world *w)
{
    draft d = draft_make(w);
    uint32_t count = 1 + below(w, w->shape.rows_few);
    for (uint32_t i = 0; i < count; i++) {
        alm_obs obs = draft_row(w);
        if (i > 0 && one_in(w, 4)) { // once more, or another value for it, or another source
            obs = d.rows[below(w, i)];
            if (one_in(w, 2)) {
                draft_value(w, &obs);
            }
            if (one_in(w, 3)) {
                obs.source = draft_row(w).source;
            }
        }
        draft_add(w, &d, obs);
    }
    return draft_commit(w, &d);
}

// All periods of one place, as a yearbook's table of one district comes.
bool step_history(world *w)
{
    draft d = draft_make(w);
    alm_obs like = draft_row(w);
    for (uint32_t v = 0; v < w->shape.variant_count; v++) {
        if (one_in(w, 3)) {
            continue;
        }
        for (uint32_t p = 0; p < w->shape.period_count; p++) {
            alm_obs obs = like;
            obs.variant = v;
            obs.period = w->periods[w->variants[v].freq][p];
            draft_value(w, &obs);
            draft_add(w, &d, obs);
        }
    }
    return draft_commit(w, &d);
}

// One period over all places, as a release comes; in any order, some missing.
bool step_release(world *w)
{
    draft d = draft_make(w);
    alm_obs like = draft_row(w);
    uint32_t count = w->twin.place_count;
    uint32_t first = below(w, count);
    for (uint32_t i = 0; i < count; i++) {
        alm_obs obs = like;
        obs.place = one_in(w, 50) ? below(w, count) : (first + i) % count;
        if (!one_in(w, 20)) {
            draft_value(w, &obs);
            draft_add(w, &d, obs);
        }
    }
    return draft_commit(w, &d);
}

static const alm_obs *any_row(world *w)
{
    return w->twin.row_count == 0 ? NULL : &w->twin.rows[below(w, (uint32_t)w->twin.row_count)].obs;
}

// Another value for what was said before: on a later day, or on the same (a conflict).
bool step_revise(world *w)
{
    draft d = draft_make(w);
    uint32_t count = 1 + below(w, 4);
    for (uint32_t i = 0; i < count && any_row(w) != NULL; i++) {
        alm_obs obs = *any_row(w);
        obs.published += one_in(w, 4) ? 0 : 1 + (int)below(w, w->shape.day_count);
        draft_value(w, &obs);
        draft_add(w, &d, obs);
    }
    return draft_commit(w, &d);
}

bool step_withdraw(world *w)
{
    draft d = draft_make(w);
    uint32_t count = 1 + below(w, 3);
    for (uint32_t i = 0; i < count && any_row(w) != NULL; i++) {
        alm_obs obs = *any_row(w);
        obs.published += (int)below(w, 3);
        obs.value.has_number = false;
        obs.value.status = ALM_OBS_STATUS_WITHDRAWN;
        draft_add(w, &d, obs);
    }
    return draft_commit(w, &d);
}

// A batch of rows, an entry they lean on, and what could not be taken.
bool step_everything(world *w)
{
    draft d = draft_make(w);
    twin *t = &w->twin;
    if (t->place_count < w->shape.place_max) {
        d.places = world_alloc(w->arena, 1, sizeof *d.places);
        d.place_count = 1;
        d.places[0] = (alm_place){.code = world_text(w->arena, "p%u", t->place_count),
                                  .name_zh = ALM_STR("new"),
                                  .level = ALM_LEVEL_TOWN,
                                  .parent = ALM_STR("p0"),
                                  .valid_from = ALM_DATE_NONE,
                                  .valid_to = ALM_DATE_MAX};
        alm_obs obs = draft_row(w);
        obs.place = t->place_count;
        draft_add(w, &d, obs);
    }
    draft_add(w, &d, draft_row(w));
    d.quarantine_first = w->batches * 1000;
    d.quarantine_count = below(w, 3);
    return draft_commit(w, &d);
}

// A known batch again, in whole or as a dry run; or its id with other content.
bool step_replay(world *w)
{
    size_t count = ALM_MIN(w->known_count, (size_t)BATCH_COUNT_MAX);
    if (count == 0) {
        return true;
    }
    const known_batch *known = &w->known[below(w, (uint32_t)count)];
    draft d = known->draft;
    d.dry_run = one_in(w, 3);
    if (one_in(w, 4)) {
        d.digest++;
        d.want = ALM_ALREADY_EXISTS;
    }
    return draft_send(w, &d, &known->answer, true);
}

// A good row and a bad one: nothing is stored, which later steps would see.
bool step_refused(world *w)
{
    draft d = draft_make(w);
    draft_add(w, &d, draft_row(w));
    alm_obs bad = draft_row(w);
    switch (below(w, 5)) {
    case 0:
        bad.place = w->twin.place_count;
        break;
    case 1:
        bad.source = w->twin.source_count;
        break;
    case 2:
        bad.published = ALM_DATE_NONE;
        break;
    case 3:
        bad.value.has_number = true;
        bad.value.status = ALM_OBS_STATUS_MISSING;
        break;
    default:
        bad.note = ALM_STR("\xff");
        break;
    }
    draft_add(w, &d, bad);
    d.quarantine_count = below(w, 2);
    d.want = ALM_INVALID_ARGUMENT;
    return draft_send(w, &d, NULL, false);
}
