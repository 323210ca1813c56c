// The twin: a list of all rows ever committed, and which of them are of one cell.
#include "model.h"

bool twin_init(world *w)
{
    twin *t = &w->twin;
    t->cell_count = (size_t)w->shape.variant_count * w->shape.period_count * w->shape.place_max;
    t->rows = alm_calloc(ROW_COUNT_MAX, sizeof *t->rows);
    t->cells = alm_calloc(t->cell_count, sizeof *t->cells);
    t->commits = alm_calloc(COMMIT_COUNT_MAX, sizeof *t->commits);
    t->places = alm_calloc(w->shape.place_max, sizeof *t->places);
    CHECK(w, t->rows != NULL && t->cells != NULL && t->commits != NULL && t->places != NULL,
          "out of memory");
    for (size_t i = 0; i < t->cell_count; i++) {
        t->cells[i] = NONE;
    }
    return true;
}

void twin_deinit(world *w)
{
    alm_free(w->twin.rows);
    alm_free(w->twin.cells);
    alm_free(w->twin.commits);
    alm_free(w->twin.places);
    alm_free(w->twin.quarantine);
}

size_t twin_cell(const world *w, uint32_t variant, uint32_t period, alm_place_id place)
{
    return ((size_t)variant * w->shape.period_count + period) * w->shape.place_max + place;
}

uint32_t twin_period(const world *w, const alm_obs *obs)
{
    const alm_period *periods = w->periods[w->variants[obs->variant].freq];
    uint32_t i = 0;
    while (!alm_period_eq(periods[i], obs->period)) {
        i++;
    }
    return i;
}

// --- what wins, and what is the same -------------------------------------------------------------

static int32_t precedence_of(const world *w, uint32_t source)
{
    return source == ALM_SOURCE_NONE ? 0 : w->twin.sources[source].precedence;
}

static bool beats(const world *w, const alm_obs *a, const alm_obs *b)
{
    if (precedence_of(w, a->source) != precedence_of(w, b->source)) {
        return precedence_of(w, a->source) > precedence_of(w, b->source);
    }
    if (a->published != b->published) {
        return a->published > b->published;
    }
    if (a->sequence != b->sequence) {
        return a->sequence > b->sequence;
    }
    return a->source < b->source;
}

bool twin_same_value(const alm_obs *a, const alm_obs *b)
{
    const alm_value *x = &a->value;
    const alm_value *y = &b->value;
    return x->has_number == y->has_number && x->number.mantissa == y->number.mantissa &&
           x->number.exponent == y->number.exponent && x->unit.measure == y->unit.measure &&
           x->unit.mult == y->unit.mult && x->qualifier == y->qualifier && x->status == y->status &&
           alm_str_eq(a->note, b->note);
}

bool twin_admits(const alm_read *read, const alm_obs *obs)
{
    bool ok = read->source_count == 0;
    for (size_t i = 0; i < read->source_count; i++) {
        ok = ok || read->sources[i] == obs->source;
    }
    bool is_newest = read->as_of == ALM_DATE_MAX && read->today != 0;
    return ok && obs->published <= (is_newest ? read->today : read->as_of) &&
           (read->at_sequence == 0 || obs->sequence <= read->at_sequence);
}

// What the source said of the cell last, as far as the read admits it; had_value: and whether it
// had given a value.
static const alm_obs *last_word(const world *w, const alm_read *read, size_t cell, uint32_t source,
                                bool *had_value)
{
    const alm_obs *last = NULL;
    *had_value = false;
    for (size_t at = w->twin.cells[cell]; at != NONE; at = w->twin.rows[at].next) {
        const alm_obs *obs = &w->twin.rows[at].obs;
        if (obs->source == source && twin_admits(read, obs)) {
            *had_value = *had_value || obs->value.status != ALM_OBS_STATUS_WITHDRAWN;
            last = last == NULL || obs->published > last->published ? obs : last;
        }
    }
    return last;
}

// Words in the order they count in: those that stand by what beats what, then withdrawals of a
// value by their day, then withdrawals of none.
static bool counts_more(const world *w, const alm_obs *a, bool a_had, const alm_obs *b, bool b_had)
{
    bool is_a_out = a->value.status == ALM_OBS_STATUS_WITHDRAWN;
    bool is_b_out = b->value.status == ALM_OBS_STATUS_WITHDRAWN;
    if (is_a_out != is_b_out) {
        return is_b_out;
    }
    if (!is_a_out) {
        return beats(w, a, b);
    }
    if (a_had != b_had) {
        return a_had;
    }
    if (a->published != b->published) {
        return a->published > b->published;
    }
    return a->sequence != b->sequence ? a->sequence > b->sequence : a->source < b->source;
}

const alm_obs *twin_winner(const world *w, const alm_read *read, size_t cell)
{
    const alm_obs *best = NULL;
    bool best_had = false;
    for (uint32_t i = 0; i <= w->twin.source_count; i++) {
        bool had_value;
        uint32_t source = i < w->twin.source_count ? i : ALM_SOURCE_NONE;
        const alm_obs *word = last_word(w, read, cell, source, &had_value);
        if (word != NULL && (best == NULL || counts_more(w, word, had_value, best, best_had))) {
            best = word;
            best_had = had_value;
        }
    }
    return best;
}

bool twin_has_rows(const world *w, uint32_t indicator)
{
    for (size_t i = 0; i < w->twin.row_count; i++) {
        if (w->variants[w->twin.rows[i].obs.variant].indicator == indicator) {
            return true;
        }
    }
    return false;
}

// --- rows ----------------------------------------------------------------------------------------

static bool takes_back(const alm_obs *withdrawal, const alm_obs *row)
{
    return row->source == withdrawal->source && row->published < withdrawal->published &&
           row->value.status != ALM_OBS_STATUS_WITHDRAWN;
}

// Of a row that was just taken: does it withdraw what neither the cell nor the batch has?
static bool withdraws_nothing(const world *w, const draft *d, const twin_row *row)
{
    if (row->obs.value.status != ALM_OBS_STATUS_WITHDRAWN) {
        return false;
    }
    for (size_t at = row->next; at != NONE; at = w->twin.rows[at].next) {
        if (takes_back(&row->obs, &w->twin.rows[at].obs)) {
            return false;
        }
    }
    for (size_t i = 0; i < d->row_count; i++) {
        const alm_obs *other = &d->rows[i];
        if (other->variant == row->obs.variant && other->place == row->obs.place &&
            alm_period_eq(other->period, row->obs.period) && takes_back(&row->obs, other)) {
            return false;
        }
    }
    return true;
}

static void take_row(world *w, const draft *d, size_t i, expected *e)
{
    twin *t = &w->twin;
    twin_row new_row = {.obs = d->rows[i]};
    if (!new_row.obs.value.has_number) {
        new_row.obs.value.number = (alm_decimal){0};
    }
    new_row.obs.sequence = t->commit_count + 1;
    new_row.cell = twin_cell(w, d->rows[i].variant, twin_period(w, &d->rows[i]), d->rows[i].place);
    new_row.next = t->cells[new_row.cell];
    for (size_t at = new_row.next; at != NONE; at = t->rows[at].next) {
        const alm_obs *known = &t->rows[at].obs;
        if (known->source == new_row.obs.source && known->published == new_row.obs.published) {
            if (twin_same_value(known, &new_row.obs)) {
                e->unchanged++;
            } else {
                e->conflicts[e->conflict_count++] = i;
            }
            return;
        }
    }
    e->added += new_row.next == NONE;
    e->revised += new_row.next != NONE;
    t->cells[new_row.cell] = t->row_count;
    t->rows[t->row_count++] = new_row;
    if (withdraws_nothing(w, d, &new_row)) {
        e->withdrew_nothing[e->withdrew_nothing_count++] = i;
    }
}

static void drop_rows(world *w, size_t from)
{
    twin *t = &w->twin;
    while (t->row_count > from) {
        const twin_row *last = &t->rows[--t->row_count];
        t->cells[last->cell] = last->next;
    }
}

// --- entries -------------------------------------------------------------------------------------

static bool same_texts(const alm_str *a, size_t a_count, const alm_str *b, size_t b_count)
{
    for (size_t i = 0; i < a_count && a_count == b_count; i++) {
        if (!alm_str_eq(a[i], b[i])) {
            return false;
        }
    }
    return a_count == b_count;
}

static bool same_place(const alm_place *a, const alm_place *b)
{
    return alm_str_eq(a->name_zh, b->name_zh) && a->level == b->level &&
           alm_str_eq(a->parent, b->parent) && a->valid_from == b->valid_from &&
           a->valid_to == b->valid_to &&
           same_texts(a->successors, a->successor_count, b->successors, b->successor_count) &&
           same_texts(a->aliases, a->alias_count, b->aliases, b->alias_count);
}

static bool same_indicator(const alm_indicator *a, const alm_indicator *b)
{
    return alm_str_eq(a->name_zh, b->name_zh) && a->unit.measure == b->unit.measure &&
           a->unit.mult == b->unit.mult;
}

static bool same_source(const alm_source *a, const alm_source *b)
{
    return a->precedence == b->precedence && alm_str_eq(a->title, b->title);
}

// Codes end in the number of the entry, which is its id too: entries come in order.
static uint32_t number_of(alm_str code)
{
    uint32_t number = 0;
    for (size_t i = 0; i < code.len; i++) {
        bool is_digit = code.data[i] >= '0' && code.data[i] <= '9';
        number = is_digit ? number * 10 + (uint32_t)(code.data[i] - '0') : 0;
    }
    return number;
}

static void count_entry(expected *e, bool is_new, bool is_same)
{
    e->catalog_added += is_new;
    e->catalog_unchanged += !is_new && is_same;
    e->catalog_changed += !is_new && !is_same;
}

static void take_entries(world *w, const draft *d, expected *e)
{
    twin *t = &w->twin;
    for (size_t i = 0; i < d->indicator_count; i++) {
        uint32_t id = number_of(d->indicators[i].code);
        bool is_new = t->indicators[id].code.len == 0;
        count_entry(e, is_new, same_indicator(&t->indicators[id], &d->indicators[i]));
        t->indicators[id] = d->indicators[i];
    }
    for (size_t i = 0; i < d->place_count; i++) {
        uint32_t id = number_of(d->places[i].code);
        bool is_new = id >= t->place_count;
        count_entry(e, is_new, !is_new && same_place(&t->places[id], &d->places[i]));
        t->places[id] = d->places[i];
        t->place_count = ALM_MAX(t->place_count, id + 1);
    }
    for (size_t i = 0; i < d->source_count; i++) {
        uint32_t id = number_of(d->sources[i].code);
        bool is_new = id >= t->source_count;
        count_entry(e, is_new, !is_new && same_source(&t->sources[id], &d->sources[i]));
        t->sources[id] = d->sources[i];
        t->source_count = ALM_MAX(t->source_count, id + 1);
    }
}

// --- a batch -------------------------------------------------------------------------------------

static void take_quarantine(world *w, const draft *d)
{
    twin *t = &w->twin;
    size_t need = t->quarantine_count + d->quarantine_count;
    if (need > t->quarantine_cap) {
        t->quarantine_cap = need * 2;
        t->quarantine = alm_realloc(t->quarantine, t->quarantine_cap * sizeof *t->quarantine);
    }
    for (size_t i = 0; i < d->quarantine_count; i++) {
        t->quarantine[t->quarantine_count++] = d->quarantine_first + i;
    }
}

static void note_commit(world *w, const draft *d, const expected *e, size_t from)
{
    twin *t = &w->twin;
    bool catalog_changed = e->catalog_added + e->catalog_changed > 0;
    twin_change *c = &t->commits[t->commit_count++];
    *c = (twin_change){.from = from,
                       .to = t->row_count,
                       .added = e->added,
                       .revised = e->revised,
                       .catalog_changed = catalog_changed,
                       .is_bulk = d->is_bulk};
    memcpy(c->id, d->id, sizeof c->id);
    if (catalog_changed) {
        t->catalog_sequence = t->commit_count;
    }
    take_quarantine(w, d);
}

expected twin_commit(world *w, const draft *d, bool keep, alm_arena *arena)
{
    twin *t = &w->twin;
    expected e = {.conflicts = world_alloc(arena, d->row_count, sizeof *e.conflicts),
                  .withdrew_nothing = world_alloc(arena, d->row_count, sizeof *e.withdrew_nothing)};
    size_t rows_before = t->row_count;
    twin before = *t;
    alm_place *places = NULL;
    if (!keep && d->place_count > 0) {
        places = world_alloc(w->work, t->place_count, sizeof *places);
        memcpy(places, t->places, t->place_count * sizeof *places);
    }
    take_entries(w, d, &e);
    for (size_t i = 0; i < d->row_count; i++) {
        take_row(w, d, i, &e);
    }
    if (!keep) {
        drop_rows(w, rows_before);
        *t = before;
        if (places != NULL) {
            memcpy(t->places, places, t->place_count * sizeof *places);
        }
        return e;
    }
    if (t->row_count > rows_before || e.catalog_added + e.catalog_changed > 0 ||
        d->quarantine_count > 0) {
        note_commit(w, d, &e, rows_before);
        e.sequence = t->commit_count;
    }
    return e;
}
