// Steps that read: what the twin has, cell by cell, against what the store shows.
#include "model.h"

#include "alm/limits.h"

// --- what the twin has ---------------------------------------------------------------------------

typedef struct row_list {
    alm_obs *of; // variant: of the world
    size_t count, cap;
} row_list;

static void add_row(world *w, row_list *r, const alm_obs *obs)
{
    if (r->count == r->cap) {
        alm_obs *old = r->of;
        r->cap = r->cap * 2 + 64;
        r->of = world_alloc(w->work, r->cap, sizeof *r->of);
        if (r->count > 0) {
            memcpy(r->of, old, r->count * sizeof *r->of);
        }
    }
    r->of[r->count++] = *obs;
}

static bool wants_variant(const alm_read *read, const world_variant *v)
{
    bool ok = read->indicator_count == 0;
    for (size_t i = 0; i < read->indicator_count; i++) {
        alm_str code = read->indicators[i];
        ok = ok || (code.len == 4 && code.data[3] == (char)('0' + v->indicator));
    }
    bool is_freq = read->freq == ALM_FREQ_NONE ||
                   read->freq == (v->freq == 0 ? ALM_FREQ_ANNUAL : ALM_FREQ_MONTH);
    return ok && is_freq && (read->measures == 0 || (read->measures >> v->measure & 1) == 1) &&
           (read->accumulation == ALM_ACCUMULATION_NONE || read->accumulation == v->accumulation) &&
           (alm_str_eq(read->breakdown, ALM_STR("*")) || alm_str_eq(read->breakdown, v->breakdown));
}

static bool wants_place(const alm_read *read, alm_place_id place)
{
    bool ok = read->all_places;
    for (size_t i = 0; i < read->place_count && !ok; i++) {
        ok = read->places[i] == place;
    }
    return ok;
}

static bool wants_period(const alm_read *read, alm_period p)
{
    bool ok = read->period_count == 0 && (read->all_periods || read->last > 0);
    for (size_t i = 0; i < read->period_count && !ok; i++) {
        alm_period from = read->from[i];
        alm_period to = read->to[i];
        bool is_from =
            from.freq == ALM_FREQ_NONE ||
            (from.freq == p.freq && from.length == p.length && p.ordinal >= from.ordinal);
        bool is_to = to.freq == ALM_FREQ_NONE ||
                     (to.freq == p.freq && to.length == p.length && p.ordinal <= to.ordinal);
        ok = is_from && is_to;
    }
    return ok;
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int vintage_cmp(const void *a, const void *b)
{
    const alm_obs *x = a;
    const alm_obs *y = b;
    int order = COMPARE(x->published, y->published);
    order = order != 0 ? order : COMPARE(x->sequence, y->sequence);
    return order != 0 ? order : COMPARE(x->source, y->source);
}

static void add_cell(world *w, const alm_read *read, size_t cell, const alm_obs *winner,
                     row_list *out)
{
    if (!read->all_vintages) {
        if (read->without_value || winner->value.status != ALM_OBS_STATUS_WITHDRAWN) {
            add_row(w, out, winner);
        }
        return;
    }
    size_t from = out->count;
    for (size_t at = w->twin.cells[cell]; at != NONE; at = w->twin.rows[at].next) {
        if (twin_admits(read, &w->twin.rows[at].obs)) {
            add_row(w, out, &w->twin.rows[at].obs);
        }
    }
    qsort(out->of + from, out->count - from, sizeof *out->of, vintage_cmp);
}

// Of each wanted cell of the variant the winner, NULL where there is none or it is too old for
// `last`. By period and place.
static const alm_obs **find_winners(world *w, const alm_read *read, uint32_t v)
{
    uint32_t places = w->twin.place_count;
    uint32_t periods = w->shape.period_count;
    const alm_obs **winners = world_alloc(w->work, (size_t)periods * places, sizeof *winners);
    for (uint32_t place = 0; place < places; place++) {
        uint32_t found = 0;
        for (uint32_t p = periods; p > 0 && wants_place(read, place); p--) {
            if (!wants_period(read, w->periods[w->variants[v].freq][p - 1])) {
                continue;
            }
            const alm_obs *winner = twin_winner(w, read, twin_cell(w, v, p - 1, place));
            bool is_value = winner != NULL &&
                            (read->without_value || !alm_obs_status_missing(winner->value.status));
            if (read->last == 0 || (is_value && found < read->last)) {
                winners[(size_t)(p - 1) * places + place] = winner;
                found += is_value;
            }
        }
    }
    return winners;
}

// Do fewer than `top` cells of the slice and the unit come before the number?
static bool is_first(const alm_obs *slice, size_t count, const alm_value *v, alm_top top)
{
    uint32_t before = 0;
    for (size_t i = 0; i < count; i++) {
        const alm_value *other = &slice[i].value;
        int order = alm_decimal_cmp(other->number, v->number);
        before += other->has_number && alm_unit_eq(other->unit, v->unit) &&
                  (top.is_lowest ? order < 0 : order > 0);
    }
    return before < top.count;
}

// Does some unit of the slice have `top` cells with a number?
static bool has_enough(const alm_obs *slice, size_t count, alm_top top)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t alike = 0;
        for (size_t k = 0; k < count; k++) {
            alike +=
                slice[k].value.has_number && alm_unit_eq(slice[k].value.unit, slice[i].value.unit);
        }
        if (slice[i].value.has_number && alike >= top.count) {
            return true;
        }
    }
    return false;
}

// Of the slice that begins with row `from`, what alm_read.top leaves.
static void keep_top(world *w, row_list *out, size_t from, alm_top top)
{
    size_t count = out->count - from;
    if (top.count == 0 || count == 0) {
        return;
    }
    alm_obs *slice = world_alloc(w->work, count, sizeof *slice);
    memcpy(slice, out->of + from, count * sizeof *slice);
    bool is_enough = has_enough(slice, count, top);
    out->count = from;
    for (size_t i = 0; i < count; i++) {
        const alm_value *v = &slice[i].value;
        if (v->has_number ? is_first(slice, count, v, top) : !is_enough) {
            out->of[out->count++] = slice[i];
        }
    }
}

static row_list expect_variant(world *w, const alm_read *read, uint32_t v)
{
    row_list out = {0};
    if (!wants_variant(read, &w->variants[v])) {
        return out;
    }
    uint32_t places = w->twin.place_count;
    const alm_obs **winners = find_winners(w, read, v);
    for (uint32_t p = 0; p < w->shape.period_count; p++) {
        size_t from = out.count;
        for (uint32_t place = 0; place < places; place++) {
            const alm_obs *winner = winners[(size_t)p * places + place];
            if (winner != NULL) {
                add_cell(w, read, twin_cell(w, v, p, place), winner, &out);
            }
        }
        keep_top(w, &out, from, read->top);
    }
    return out;
}

// --- what the store shows ------------------------------------------------------------------------

typedef struct shown {
    world *w;
    row_list by_variant[VARIANT_COUNT_MAX];
    uint32_t last;            // the variant visited last
    bool (*meddle)(world *w); // what is done to the store at the first visit; NULL: nothing
    bool is_meddled;
    bool is_broken; // a variant that came before, or none of the world's
} shown;

static alm_code show(void *arg, alm_str text, const alm_obs_columns *given, alm_status *st)
{
    shown *s = arg;
    (void)st;
    uint32_t v = 0;
    while (v < s->w->shape.variant_count && !alm_str_eq(text, s->w->variants[v].text)) {
        v++;
    }
    s->is_broken = s->is_broken || v == s->w->shape.variant_count || given->count == 0 ||
                   (v != s->last && s->by_variant[v].count > 0);
    for (size_t i = 0; i < given->count && !s->is_broken; i++) {
        alm_obs obs = alm_obs_at(given, i);
        s->is_broken = s->is_broken || obs.variant != 0;
        obs.variant = v;
        obs.note = world_text(s->w->work, "%.*s", ALM_STR_ARGS(obs.note));
        add_row(s->w, &s->by_variant[v], &obs);
    }
    s->last = v;
    if (s->meddle != NULL && !s->is_meddled) {
        s->is_meddled = true;
        return s->meddle(s->w) ? ALM_OK : ALM_ABORTED;
    }
    return ALM_OK;
}

static bool same_row(world *w, const alm_obs *got, const alm_obs *want)
{
    CHECK(w, got->place == want->place && alm_period_eq(got->period, want->period),
          "place %u period %d, not place %u period %d", got->place, got->period.ordinal,
          want->place, want->period.ordinal);
    CHECK(w,
          got->source == want->source && got->published == want->published &&
              got->sequence == want->sequence,
          "place %u period %d: source %u of day %d at %llu, not source %u of day %d at %llu",
          got->place, got->period.ordinal, got->source, got->published,
          (unsigned long long)got->sequence, want->source, want->published,
          (unsigned long long)want->sequence);
    CHECK(w, twin_same_value(got, want), "place %u period %d: another value", got->place,
          got->period.ordinal);
    return true;
}

// What meddle does comes too late for the answer.
static bool compare_meddled(world *w, const alm_read *read, bool (*meddle)(world *w))
{
    uint64_t sequence = NONE;
    uint64_t want_sequence = read->at_sequence != 0 ? read->at_sequence : w->twin.commit_count;
    row_list wants[VARIANT_COUNT_MAX];
    shown s = {.w = w, .meddle = meddle};
    for (uint32_t v = 0; v < w->shape.variant_count; v++) {
        wants[v] = expect_variant(w, read, v);
    }
    w->st = ALM_STATUS_INIT;
    alm_code code = alm_store_read(w->store, read, show, &s, &sequence, &w->st);
    TRY(w->failure[0] == '\0'); // of meddling
    CHECK(w, code == ALM_OK, "%s: %s", alm_code_name(code), w->st.message);
    CHECK(w, !s.is_broken, "a variant twice, an unknown one, or one without rows");
    CHECK(w, sequence == want_sequence, "sequence %llu, not %llu", (unsigned long long)sequence,
          (unsigned long long)want_sequence);
    for (uint32_t v = 0; v < w->shape.variant_count; v++) {
        const row_list *got = &s.by_variant[v];
        row_list want = wants[v];
        for (size_t i = 0; i < ALM_MIN(got->count, want.count); i++) {
            TRY(same_row(w, &got->of[i], &want.of[i]));
        }
        CHECK(w, got->count == want.count, "variant %u: %zu rows, not %zu", v, got->count,
              want.count);
        w->rows_compared += want.count;
    }
    w->reads++;
    return true;
}

static bool compare_read(world *w, const alm_read *read)
{
    return compare_meddled(w, read, NULL);
}

// --- drawing -------------------------------------------------------------------------------------

static int place_cmp(const void *a, const void *b)
{
    alm_place_id x = *(const alm_place_id *)a;
    alm_place_id y = *(const alm_place_id *)b;
    return COMPARE(x, y);
}

// About so many; one of them may not be there.
static void draw_places(world *w, alm_read *read, uint32_t count)
{
    alm_place_id *places = world_alloc(w->work, count + 1, sizeof *places);
    for (uint32_t i = 0; i < count; i++) {
        places[i] = one_in(w, 40) ? w->shape.place_max + 9 : world_place(w);
    }
    if (count > 1) {
        qsort(places, count, sizeof *places, place_cmp);
    }
    size_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || places[i] != places[i - 1]) {
            places[kept++] = places[i];
        }
    }
    read->all_places = false;
    read->places = places;
    read->place_count = kept;
}

static alm_period any_period(world *w, int freq)
{
    alm_period p = w->periods[freq][below(w, w->shape.period_count)];
    p.ordinal += one_in(w, 5) ? (int)below(w, 5) - 2 : 0;
    return p;
}

static void draw_ranges(world *w, alm_read *read, uint32_t count)
{
    alm_period *from = world_alloc(w->work, count, sizeof *from);
    alm_period *to = world_alloc(w->work, count, sizeof *to);
    for (uint32_t i = 0; i < count; i++) {
        int freq = (int)below(w, FREQ_COUNT);
        from[i] = any_period(w, freq);
        to[i] = from[i];
        to[i].ordinal += (int)below(w, w->shape.period_count + 1) - 1; // may be none
        from[i] = one_in(w, 4) ? (alm_period){0} : from[i];
        to[i] = one_in(w, 4) ? (alm_period){0} : to[i];
    }
    read->from = from;
    read->to = to;
    read->period_count = count;
    read->all_periods = one_in(w, 2); // ranges go before it
}

static void draw_variants(world *w, alm_read *read)
{
    static const alm_str codes[] = {{"ind0", 4}, {"ind1", 4}, {"ind2", 4}, {"ind7", 4}, {"", 0}};
    static const alm_str breakdowns[] = {{"", 0}, {"industry=software", 17}, {"a=b", 3}};
    if (one_in(w, 2)) {
        uint32_t first = below(w, ALM_ARRAY_LEN(codes));
        read->indicators = codes + first;
        read->indicator_count = 1 + below(w, ALM_ARRAY_LEN(codes) - first);
    }
    read->breakdown = one_in(w, 3) ? breakdowns[below(w, 3)] : ALM_STR("*");
    read->freq = one_in(w, 6) ? (alm_freq)below(w, ALM_FREQ_DAY + 1) : ALM_FREQ_NONE;
    read->measures = one_in(w, 6) ? 1u << ALM_MEASURE_LEVEL | 1u << ALM_MEASURE_RANK : 0;
    read->accumulation = one_in(w, 6) ? ALM_ACCUMULATION_CUMULATIVE : ALM_ACCUMULATION_NONE;
}

static void draw_state(world *w, alm_read *read)
{
    read->as_of = one_in(w, 3) ? 19000 + (int)below(w, w->shape.day_count + 2) - 1 : ALM_DATE_MAX;
    read->today = one_in(w, 3) ? 19000 + (int)below(w, w->shape.day_count + 2) - 1 : 0;
    if (one_in(w, 3) && w->twin.commit_count > 0) {
        read->at_sequence = 1 + below(w, (uint32_t)w->twin.commit_count);
    }
    if (one_in(w, 4)) {
        uint32_t *sources = world_alloc(w->work, 3, sizeof *sources);
        read->sources = sources;
        read->source_count = 1 + below(w, 3);
        for (size_t i = 0; i < read->source_count; i++) {
            sources[i] = one_in(w, 3) ? ALM_SOURCE_NONE : below(w, w->shape.source_max + 1);
        }
    }
    read->without_value = one_in(w, 3);
    read->all_vintages = one_in(w, 5);
    if (!read->all_vintages && one_in(w, 3)) {
        read->top = (alm_top){1 + below(w, 6), one_in(w, 2)};
    }
}

static alm_read draw_read(world *w)
{
    alm_read read = {.all_places = true, .all_periods = true};
    draw_variants(w, &read);
    draw_state(w, &read);
    return read;
}

static void draw_last(world *w, alm_read *read)
{
    if (one_in(w, 3)) {
        read->last = one_in(w, 9) ? UINT32_MAX : 1 + below(w, 4);
        read->all_periods = one_in(w, 2);
    }
}

bool step_read(world *w)
{
    alm_read read = draw_read(w);
    if (one_in(w, 2)) {
        draw_places(w, &read, below(w, 9));
    }
    if (one_in(w, 2)) {
        draw_ranges(w, &read, 1 + below(w, 3));
    }
    draw_last(w, &read);
    return compare_read(w, &read);
}

// Few places, all their periods: a series.
bool step_read_places(world *w)
{
    alm_read read = draw_read(w);
    draw_places(w, &read, 1 + below(w, 3));
    draw_last(w, &read);
    return compare_read(w, &read);
}

// All places of few periods: slices.
bool step_read_periods(world *w)
{
    alm_read read = draw_read(w);
    if (one_in(w, 3)) {
        draw_places(w, &read, w->twin.place_count / 2);
    }
    draw_ranges(w, &read, 1);
    return compare_read(w, &read);
}

bool step_read_refused(world *w)
{
    shown s = {.w = w};
    const alm_place_id descending[] = {1, 0};
    alm_read read = draw_read(w);
    alm_code want = ALM_OUT_OF_RANGE;
    if (one_in(w, 2)) {
        read.at_sequence = w->twin.commit_count + 1 + below(w, 9);
    } else if (one_in(w, 3)) {
        read.top.count = read.all_vintages ? 1 : ALM_TOP_COUNT_MAX + 1;
        want = ALM_INVALID_ARGUMENT;
    } else {
        read.all_places = false;
        read.places = descending;
        read.place_count = 2;
        want = ALM_INVALID_ARGUMENT;
    }
    alm_code code = alm_store_read(w->store, &read, show, &s, NULL, &w->st);
    CHECK(w, code == want, "%s, not %s", alm_code_name(code), alm_code_name(want));
    return true;
}

// Rows and precedences change while the answer is shown.
bool step_read_meddled(world *w)
{
    alm_read read = draw_read(w);
    if (one_in(w, 4)) {
        draw_ranges(w, &read, 1);
    }
    draw_last(w, &read);
    return compare_meddled(w, &read, one_in(w, 2) ? step_sources : step_few);
}
