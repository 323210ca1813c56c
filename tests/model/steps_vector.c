// Steps that ask for series and slices as columns.
#include "model.h"

// The cells the twin has: winners that were not withdrawn.
typedef struct cells {
    const alm_obs **of;
    size_t count;
} cells;

static void add_cell(cells *c, const world *w, const alm_read *read, size_t cell)
{
    const alm_obs *winner = twin_winner(w, read, cell);
    if (winner != NULL && winner->value.status != ALM_OBS_STATUS_WITHDRAWN) {
        c->of[c->count++] = winner;
    }
}

// Numbers of several units are no vector. What has no common exponent is not either, and how much
// an engine tries is its own.
static bool has_several_units(const cells *c)
{
    const alm_unit *first = NULL;
    for (size_t i = 0; i < c->count; i++) {
        const alm_value *v = &c->of[i]->value;
        if (v->has_number && first != NULL && !alm_unit_eq(*first, v->unit)) {
            return true;
        }
        first = v->has_number ? &v->unit : first;
    }
    return false;
}

static bool same_cell(world *w, const alm_vector *got, size_t i, const alm_obs *want)
{
    const alm_value *v = &want->value;
    uint16_t flags = got->flags != NULL ? got->flags[i] : got->common_flags;
    CHECK(w,
          alm_cell_qualifier(flags) == v->qualifier && alm_cell_status(flags) == v->status &&
              alm_cell_has_number(flags) == v->has_number,
          "cell %zu: flags %x", i, flags);
    CHECK(w,
          got->periods != NULL ? alm_period_eq(got->periods[i], want->period)
                               : got->places[i] == want->place,
          "cell %zu is of another period or place", i);
    if (!v->has_number) {
        CHECK(w, got->numbers[i] == 0, "cell %zu: a number that is not there", i);
        return true;
    }
    alm_decimal number = {.mantissa = got->numbers[i], .exponent = got->exponent};
    CHECK(w, alm_decimal_cmp(number, v->number) == 0, "cell %zu: %lld x 10^%d", i,
          (long long)number.mantissa, number.exponent);
    CHECK(w, alm_unit_eq(got->unit, v->unit), "cell %zu: another unit", i);
    return true;
}

static bool same_vector(world *w, alm_code code, const alm_vector *got, const cells *want,
                        const alm_read *read)
{
    if (code == ALM_FAILED_PRECONDITION) {
        CHECK(w, !w->shape.is_uniform, "%s", w->st.message);
        return true;
    }
    CHECK(w, code == ALM_OK, "%s: %s", alm_code_name(code), w->st.message);
    CHECK(w, !has_several_units(want), "a vector of several units");
    uint64_t sequence = read->at_sequence != 0 ? read->at_sequence : w->twin.commit_count;
    CHECK(w, got->sequence == sequence, "sequence %llu", (unsigned long long)got->sequence);
    for (size_t i = 0; i < ALM_MIN(got->count, want->count); i++) {
        TRY(same_cell(w, got, i, want->of[i]));
    }
    CHECK(w, got->count == want->count, "%zu cells, not %zu", got->count, want->count);
    return true;
}

// Now, or what was known then; *ret_as_of for the one, the read for the other.
static const alm_as_of *draw_state(world *w, alm_read *read, alm_as_of *room)
{
    *read = (alm_read){.as_of = ALM_DATE_MAX};
    if (one_in(w, 2)) {
        return NULL;
    }
    read->as_of = one_in(w, 3) ? ALM_DATE_MAX : 19000 + (int)below(w, w->shape.day_count + 2) - 1;
    read->at_sequence = one_in(w, 2) ? 1 + below(w, (uint32_t)w->twin.commit_count) : 0;
    *room = (alm_as_of){.published = read->as_of, .sequence = read->at_sequence};
    return room;
}

bool step_vector_series(world *w)
{
    alm_read read;
    alm_as_of room;
    alm_vector got;
    uint32_t v = below(w, w->shape.variant_count);
    alm_place_id place = one_in(w, 20) ? w->shape.place_max + 1 : world_place(w);
    const alm_as_of *as_of = draw_state(w, &read, &room);
    cells want = {.of = world_alloc(w->work, w->shape.period_count, sizeof *want.of)};
    for (uint32_t p = 0; p < w->shape.period_count && place < w->shape.place_max; p++) {
        add_cell(&want, w, &read, twin_cell(w, v, p, place));
    }
    w->st = ALM_STATUS_INIT;
    alm_code code = alm_store_series(w->reader, w->variants[v].text, place, as_of, &got, &w->st);
    return same_vector(w, code, &got, &want, &read);
}

bool step_vector_slice(world *w)
{
    alm_read read;
    alm_as_of room;
    alm_vector got;
    uint32_t v = below(w, w->shape.variant_count);
    uint32_t p = below(w, w->shape.period_count);
    bool is_all = one_in(w, 2);
    alm_place_id from = is_all ? 0 : world_place(w);
    alm_place_id to = is_all ? ALM_PLACE_NONE : from + below(w, 2 * w->twin.place_count);
    const alm_as_of *as_of = draw_state(w, &read, &room);
    cells want = {.of = world_alloc(w->work, w->twin.place_count, sizeof *want.of)};
    for (alm_place_id place = from; place < to && place < w->twin.place_count; place++) {
        add_cell(&want, w, &read, twin_cell(w, v, p, place));
    }
    w->st = ALM_STATUS_INIT;
    alm_code code =
        alm_store_slice(w->reader, w->variants[v].text, w->periods[w->variants[v].freq][p], from,
                        to, as_of, &got, &w->st);
    return same_vector(w, code, &got, &want, &read);
}
