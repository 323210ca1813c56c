// Steps that ask the smaller questions, and those that look after the store.
#include "model.h"

// --- change feed ---------------------------------------------------------------------------------

static bool is_shown(const world *w, const alm_change *change, const alm_obs *want)
{
    for (size_t i = 0; i < change->obs_count; i++) {
        const alm_obs *got = &change->obs[i];
        if (got->place == want->place && alm_period_eq(got->period, want->period) &&
            got->source == want->source && got->published == want->published &&
            got->sequence == want->sequence && got->variant < change->variant_count &&
            alm_str_eq(change->variants[got->variant], w->variants[want->variant].text)) {
            return twin_same_value(got, want);
        }
    }
    return false;
}

#define SHOWN_ROW_COUNT_MAX 400 // of a large commit only these are looked for

// From which commit on the feed has rows, once what is put off has been done.
static uint64_t feed_from(const world *w)
{
    const twin *t = &w->twin;
    size_t from = 1;
    size_t last = t->commit_count; // with rows the feed tells
    while (last > 0 &&
           (t->commits[last - 1].is_bulk || t->commits[last - 1].to == t->commits[last - 1].from)) {
        last--;
    }
    if (w->shape.feed_commits != 0 && t->commit_count > w->shape.feed_commits) {
        from = ALM_MIN(t->commit_count - w->shape.feed_commits, last) + 1;
    }
    return from;
}

static bool check_feed_from(world *w, const alm_store_stats *stats, bool is_compact)
{
    uint64_t want = feed_from(w);
    CHECK(w, stats->feed_from <= want && (!is_compact || stats->feed_from == want),
          "the feed has rows from %llu on, not %llu", (unsigned long long)stats->feed_from,
          (unsigned long long)want);
    return true;
}

// Rows may leave between a look at the figures and one at the change.
static bool check_has_rows(world *w, const alm_change *got, const alm_store_stats *before)
{
    alm_store_stats after;
    CHECK_OK(w, alm_store_stats_get(w->store, &after, &w->st));
    TRY(check_feed_from(w, &after, false));
    bool may = !w->twin.commits[got->sequence - 1].is_bulk && got->sequence >= before->feed_from;
    bool must = may && got->sequence >= after.feed_from;
    CHECK(w, got->has_rows ? may : !must, "change %llu has rows: %d",
          (unsigned long long)got->sequence, got->has_rows);
    return true;
}

static bool same_change(world *w, const alm_change *got, uint64_t sequence)
{
    const twin_change *want = &w->twin.commits[sequence - 1];
    CHECK(w, got->sequence == sequence, "change %llu", (unsigned long long)got->sequence);
    CHECK(w, alm_str_eq(got->batch_id, alm_str_from(want->id)), "another batch");
    CHECK(w,
          got->added == want->added && got->revised == want->revised &&
              got->catalog_changed == want->catalog_changed,
          "%llu added, %llu revised", (unsigned long long)got->added,
          (unsigned long long)got->revised);
    if (!got->has_rows) {
        CHECK(w, got->obs_count == 0, "%zu rows that are not told", got->obs_count);
        return true;
    }
    CHECK(w, got->obs_count == want->to - want->from, "%zu rows, not %zu", got->obs_count,
          want->to - want->from);
    for (size_t i = want->from; i < ALM_MIN(want->to, want->from + SHOWN_ROW_COUNT_MAX); i++) {
        CHECK(w, is_shown(w, got, &w->twin.rows[i].obs), "row %zu is not in change %llu",
              i - want->from, (unsigned long long)sequence);
    }
    return true;
}

bool step_change(world *w)
{
    alm_change change;
    alm_store_stats stats;
    CHECK_OK(w, alm_store_stats_get(w->store, &stats, &w->st));
    uint64_t from = below(w, (uint32_t)w->twin.commit_count + 3);
    w->st = ALM_STATUS_INIT;
    alm_code code = alm_store_change(w->store, from, w->work, &change, &w->st);
    if (from > w->twin.commit_count) {
        CHECK(w, code == ALM_NOT_FOUND, "%s", alm_code_name(code));
        return true;
    }
    CHECK(w, code == ALM_OK, "%s: %s", alm_code_name(code), w->st.message);
    return same_change(w, &change, ALM_MAX(from, UINT64_C(1))) &&
           check_has_rows(w, &change, &stats);
}

bool step_wait(world *w)
{
    uint64_t newest = w->twin.commit_count;
    CHECK_OK(w, alm_store_wait(w->store, newest - below(w, 2), 0, &w->st));
    alm_code code = alm_store_wait(w->store, newest + 1, 0, &w->st);
    CHECK(w, code == ALM_DEADLINE_EXCEEDED, "%s", alm_code_name(code));
    return true;
}

// --- series and figures --------------------------------------------------------------------------

// What there is of a variant, and at how many of the places asked for (NULL: all) there is any.
// False: nothing at all was ever stored.
static bool survey_asked(const world *w, uint32_t v, const bool *asked, alm_series_info *ret)
{
    bool exists = false;
    const alm_read now = {.as_of = ALM_DATE_MAX};
    *ret = (alm_series_info){.variant = w->variants[v].text};
    for (alm_place_id place = 0; place < w->twin.place_count; place++) {
        bool has_cell = false;
        for (uint32_t p = 0; p < w->shape.period_count; p++) {
            const alm_obs *winner = twin_winner(w, &now, twin_cell(w, v, p, place));
            exists = exists || winner != NULL;
            if (winner == NULL || winner->value.status == ALM_OBS_STATUS_WITHDRAWN) {
                continue;
            }
            bool is_first = ret->cell_count == 0 || alm_period_cmp(winner->period, ret->first) < 0;
            bool is_last = ret->cell_count == 0 || alm_period_cmp(winner->period, ret->last) > 0;
            ret->first = is_first ? winner->period : ret->first;
            ret->last = is_last ? winner->period : ret->last;
            ret->cell_count++;
            has_cell = true;
        }
        ret->place_count += has_cell;
        ret->asked_place_count += has_cell && (asked == NULL || asked[place]);
    }
    return exists;
}

static bool survey(const world *w, uint32_t v, alm_series_info *ret)
{
    return survey_asked(w, v, NULL, ret);
}

static bool same_info(const alm_series_info *a, const alm_series_info *b)
{
    return a->place_count == b->place_count && a->cell_count == b->cell_count &&
           a->asked_place_count == b->asked_place_count && alm_period_eq(a->first, b->first) &&
           alm_period_eq(a->last, b->last);
}

typedef struct listing {
    world *w;
    bool seen[VARIANT_COUNT_MAX];
    size_t count; // entries or rows visited
    bool differs;
} listing;

static alm_code list_series(void *arg, const alm_series_info *info, alm_status *st)
{
    listing *l = arg;
    (void)st;
    for (uint32_t v = 0; v < l->w->shape.variant_count; v++) {
        alm_series_info want;
        if (alm_str_eq(info->variant, l->w->variants[v].text)) {
            bool exists = survey(l->w, v, &want);
            l->differs = l->differs || l->seen[v] || !exists || !same_info(info, &want);
            l->seen[v] = true;
        }
    }
    l->count++;
    return ALM_OK;
}

static size_t count_variants(const world *w, uint64_t *ret_cells)
{
    size_t count = 0;
    *ret_cells = 0;
    for (uint32_t v = 0; v < w->shape.variant_count; v++) {
        alm_series_info info;
        count += survey(w, v, &info);
        *ret_cells += info.cell_count;
    }
    return count;
}

bool step_series(world *w)
{
    listing l = {.w = w};
    uint64_t cells;
    CHECK_OK(w, alm_store_visit_series(w->store, list_series, &l, &w->st));
    CHECK(w, !l.differs, "a series differs");
    CHECK(w, l.count == count_variants(w, &cells), "%zu series", l.count);
    return true;
}

// --- finding -------------------------------------------------------------------------------------

typedef struct search {
    world *w;
    alm_series_query query;
    bool *asked; // by place
    bool seen[VARIANT_COUNT_MAX];
    bool differs;
} search;

static bool wants(const search *s, uint32_t v)
{
    const world_variant *variant = &s->w->variants[v];
    const alm_series_query *q = &s->query;
    alm_str code = world_text(s->w->work, "ind%u", variant->indicator);
    bool is_any = alm_str_eq(q->breakdown, ALM_STR("*"));
    bool is_dimension = alm_str_eq(q->breakdown, ALM_STR("industry=*"));
    return (q->indicator_count == 0 || alm_str_eq(q->indicators[0], code)) &&
           (q->measures == 0 || (q->measures >> variant->measure & 1) != 0) &&
           (q->accumulation == ALM_ACCUMULATION_NONE || q->accumulation == variant->accumulation) &&
           (q->freq == ALM_FREQ_NONE || (q->freq == ALM_FREQ_ANNUAL) == (variant->freq == 0)) &&
           (is_any || (is_dimension ? variant->breakdown.len > 0
                                    : alm_str_eq(q->breakdown, variant->breakdown)));
}

static alm_code take_found(void *arg, const alm_series_info *info, alm_status *st)
{
    search *s = arg;
    (void)st;
    for (uint32_t v = 0; v < s->w->shape.variant_count; v++) {
        alm_series_info want;
        if (alm_str_eq(info->variant, s->w->variants[v].text)) {
            bool exists = survey_asked(s->w, v, s->asked, &want);
            s->differs =
                s->differs || s->seen[v] || !exists || !wants(s, v) || !same_info(info, &want);
            s->seen[v] = true;
        }
    }
    return ALM_OK;
}

static void draw_places(search *s)
{
    world *w = s->w;
    uint32_t count = w->twin.place_count;
    uint32_t step = 1 + below(w, one_in(w, 2) ? 3 : count);
    alm_place_id *places = world_alloc(w->work, count, sizeof *places);
    s->asked = world_alloc(w->work, count, sizeof *s->asked);
    for (uint32_t place = world_place(w); place < count; place += step) {
        places[s->query.place_count++] = place;
        s->asked[place] = true;
    }
    s->query.places = places;
}

static search draw_search(world *w)
{
    static const char *const breakdowns[] = {"*", "*", "", "industry=*", "industry=software"};
    search s = {.w = w};
    alm_str *indicator = world_alloc(w->work, 1, sizeof *indicator);
    *indicator = world_text(w->work, "ind%u", below(w, INDICATOR_COUNT + 1));
    s.query = (alm_series_query){
        .indicators = indicator,
        .indicator_count = one_in(w, 3),
        .measures = one_in(w, 4) ? 1U << ALM_MEASURE_LEVEL : 0,
        .accumulation = one_in(w, 4) ? ALM_ACCUMULATION_CUMULATIVE : ALM_ACCUMULATION_NONE,
        .freq = one_in(w, 4) ? ALM_FREQ_MONTH : ALM_FREQ_NONE,
        .breakdown = alm_str_from(breakdowns[below(w, ALM_ARRAY_LEN(breakdowns))]),
        .all_places = one_in(w, 3)};
    if (!s.query.all_places) {
        draw_places(&s);
    }
    return s;
}

bool step_find(world *w)
{
    search s = draw_search(w);
    CHECK_OK(w, alm_store_find_series(w->store, &s.query, take_found, &s, &w->st));
    CHECK(w, !s.differs, "a series that was found differs");
    for (uint32_t v = 0; v < w->shape.variant_count; v++) {
        alm_series_info info;
        bool exists = survey_asked(w, v, s.asked, &info);
        bool has = s.query.all_places ? exists : info.asked_place_count > 0;
        CHECK(w, s.seen[v] == (has && wants(&s, v)), "variant %u is found: %d", v, s.seen[v]);
    }
    return true;
}

bool step_figures(world *w)
{
    alm_store_stats s;
    uint64_t cells;
    const twin *t = &w->twin;
    size_t variants = count_variants(w, &cells);
    CHECK_OK(w, alm_store_stats_get(w->store, &s, &w->st));
    CHECK(w, s.sequence == t->commit_count && s.catalog_sequence == t->catalog_sequence,
          "sequences %llu and %llu", (unsigned long long)s.sequence,
          (unsigned long long)s.catalog_sequence);
    CHECK(w, s.observations == t->row_count && s.cells == cells && s.series_variants == variants,
          "%llu rows in %llu cells of %llu variants, not %zu in %llu of %zu",
          (unsigned long long)s.observations, (unsigned long long)s.cells,
          (unsigned long long)s.series_variants, t->row_count, (unsigned long long)cells, variants);
    CHECK(w,
          s.places == t->place_count && s.sources == t->source_count &&
              s.indicators == INDICATOR_COUNT && s.quarantined == t->quarantine_count,
          "%llu places, %llu sources, %llu quarantined", (unsigned long long)s.places,
          (unsigned long long)s.sources, (unsigned long long)s.quarantined);
    return true;
}

// --- catalogue and quarantine --------------------------------------------------------------------

static bool same_texts(const alm_str *a, size_t a_count, const alm_str *b, size_t b_count)
{
    bool ok = a_count == b_count;
    for (size_t i = 0; ok && i < a_count; i++) {
        ok = alm_str_eq(a[i], b[i]);
    }
    return ok;
}

static alm_code list_place(void *arg, alm_place_id id, const alm_place *got, alm_status *st)
{
    listing *l = arg;
    (void)st;
    if (id >= l->w->twin.place_count) {
        l->differs = true;
        return ALM_OK;
    }
    const alm_place *want = &l->w->twin.places[id];
    l->differs = l->differs || id != l->count || !alm_str_eq(got->code, want->code) ||
                 !alm_str_eq(got->name_zh, want->name_zh) ||
                 !alm_str_eq(got->parent, want->parent) || got->level != want->level ||
                 got->valid_from != want->valid_from || got->valid_to != want->valid_to ||
                 !same_texts(got->successors, got->successor_count, want->successors,
                             want->successor_count) ||
                 !same_texts(got->aliases, got->alias_count, want->aliases, want->alias_count);
    l->count++;
    return ALM_OK;
}

static alm_code list_source(void *arg, uint32_t id, const alm_source *got, alm_status *st)
{
    listing *l = arg;
    (void)st;
    if (id >= l->w->twin.source_count) {
        l->differs = true;
        return ALM_OK;
    }
    const alm_source *want = &l->w->twin.sources[id];
    l->differs = l->differs || !alm_str_eq(got->code, want->code) ||
                 !alm_str_eq(got->title, want->title) || got->precedence != want->precedence;
    return ALM_OK;
}

static alm_code list_indicator(void *arg, uint32_t id, const alm_indicator *got, alm_status *st)
{
    listing *l = arg;
    (void)st;
    if (id >= INDICATOR_COUNT) {
        l->differs = true;
        return ALM_OK;
    }
    const alm_indicator *want = &l->w->twin.indicators[id];
    l->differs = l->differs || !alm_str_eq(got->code, want->code) ||
                 !alm_str_eq(got->name_zh, want->name_zh) || !alm_unit_eq(got->unit, want->unit);
    return ALM_OK;
}

bool step_catalog(world *w)
{
    listing l = {.w = w};
    uint64_t sequence;
    alm_catalog_visitor visitor = {
        .arg = &l, .indicator = list_indicator, .place = list_place, .source = list_source};
    CHECK_OK(w, alm_store_visit_catalog(w->store, &visitor, &sequence, &w->st));
    CHECK(w, !l.differs && l.count == w->twin.place_count, "the catalogue differs");
    CHECK(w, sequence == w->twin.catalog_sequence, "catalogue sequence %llu",
          (unsigned long long)sequence);
    return true;
}

static alm_code list_quarantined(void *arg, const alm_quarantined *got, alm_status *st)
{
    listing *l = arg;
    (void)st;
    const twin *t = &l->w->twin;
    l->differs = l->differs || l->count >= t->quarantine_count ||
                 got->row != t->quarantine[l->count] || !alm_str_eq(got->reason, ALM_STR("bad"));
    l->count++;
    return ALM_OK;
}

bool step_quarantine(world *w)
{
    listing l = {.w = w};
    CHECK_OK(w, alm_store_visit_quarantine(w->store, list_quarantined, &l, &w->st));
    CHECK(w, !l.differs && l.count == w->twin.quarantine_count, "%zu quarantined rows", l.count);
    return true;
}

// --- care ----------------------------------------------------------------------------------------

static void note_problem(void *arg, alm_str text)
{
    world *w = arg;
    snprintf(w->st.message, sizeof w->st.message, "%.*s", ALM_STR_ARGS(text));
}

bool step_verify(world *w)
{
    alm_verify_result got;
    uint64_t cells;
    count_variants(w, &cells);
    CHECK_OK(w, alm_store_verify(w->store, note_problem, w, &got, &w->st));
    CHECK(w, got.problems == 0, "%llu problems: %s", (unsigned long long)got.problems,
          w->st.message);
    CHECK(w,
          got.log_records == w->twin.commit_count && got.observations == w->twin.row_count &&
              got.cells == cells,
          "%llu commits, %llu rows, %llu cells", (unsigned long long)got.log_records,
          (unsigned long long)got.observations, (unsigned long long)got.cells);
    return true;
}

bool step_compact(world *w)
{
    alm_store_stats stats;
    CHECK_OK(w, alm_store_compact(w->store, &w->st));
    CHECK_OK(w, alm_store_stats_get(w->store, &stats, &w->st));
    return check_feed_from(w, &stats, true);
}

bool step_reopen(world *w)
{
    return world_reopen(w);
}
