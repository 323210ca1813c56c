// A small world for tests: a catalogue, a table of observations written as text, and the answers
// of a question as lines of text.
//
// Observations, one a line:
//   INDICATOR PLACE PERIOD MEASURE[.RELATION] VALUE UNIT [key=value]...
//   gdp 310105 2023 level 168.53 CNY_E8 q=about s=P pub=2024-01-20 src=report by=a=b acc=C note=x
// VALUE "-" is no number. Without pub the vintage is of 2024-01-01.
//
// Questions, one line:
//   i=gdp p=310105 t=2023 [m=level] [x=WORD]... [key=value]...
#ifndef ALM_AGGREGATION_TEST_WORLD_H
#define ALM_AGGREGATION_TEST_WORLD_H

#include "query_execute.h"
#include "test_totals.h"

#include "alm/alloc.h"
#include "alm/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct world_row {
    char variant[ALM_SERIES_KEY_BYTES_MAX];
    alm_obs obs;
} world_row;

typedef struct world {
    alm_catalog *catalog;
    alm_arena *arena;
    world_row *rows; // every vintage; heap
    size_t count, cap;
    world_row *scratch; // of one read; as large as rows, so that reads allocate nothing
    bool has_rows_only;
    bool has_no_top; // all rows are answered, whatever alm_fetch.top says
} world;

// --- catalogue ----------------------------------------------------------------------------------

static inline void world_die(const alm_status *st)
{
    fail_msg("%s: %s", alm_code_name(st->code), st->message);
}

static inline void world_init(world *w)
{
    alm_status st = ALM_STATUS_INIT;
    *w = (world){.arena = alm_arena_create(0)};
    assert_non_null(w->arena);
    if (alm_catalog_create(&w->catalog, &st) != ALM_OK) {
        world_die(&st);
    }
}

static inline void world_deinit(world *w)
{
    alm_catalog_destroy(&w->catalog);
    alm_arena_destroy(&w->arena);
    alm_free(w->rows);
    alm_free(w->scratch);
    w->scratch = NULL;
    w->rows = NULL;
    w->count = w->cap = 0;
}

static inline void world_forget(world *w)
{
    w->count = 0;
    alm_arena_reset(w->arena);
}

static inline void world_place(world *w, const char *code, alm_level level, const char *parent,
                               const char *name, const char *from, const char *to)
{
    alm_status st = ALM_STATUS_INIT;
    alm_place_id id;
    alm_place place = {
        .code = alm_str_from(code),
        .name_zh = alm_str_from(name),
        .level = level,
        .parent = alm_str_from(parent),
        .valid_from = ALM_DATE_NONE,
        .valid_to = ALM_DATE_MAX,
    };
    if (from[0] != '\0') {
        assert_int_equal(alm_date_parse(alm_str_from(from), &place.valid_from, NULL), ALM_OK);
    }
    if (to[0] != '\0') {
        assert_int_equal(alm_date_parse(alm_str_from(to), &place.valid_to, NULL), ALM_OK);
    }
    if (alm_catalog_add_place(w->catalog, &place, &id, &st) != ALM_OK) {
        world_die(&st);
    }
}

static inline void world_add_indicator(world *w, alm_indicator indicator, const char *code,
                                       const char *unit)
{
    alm_status st = ALM_STATUS_INIT;
    uint32_t id;
    indicator.code = indicator.name_zh = alm_str_from(code);
    assert_int_equal(alm_unit_parse(alm_str_from(unit), &indicator.unit, NULL), ALM_OK);
    if (alm_catalog_add_indicator(w->catalog, &indicator, &id, &st) != ALM_OK) {
        world_die(&st);
    }
}

static inline void world_indicator(world *w, const char *code, const char *unit,
                                   alm_value_type type, alm_aggregation over_places,
                                   alm_aggregation over_time, alm_direction direction,
                                   const char *numerator, const char *denominator)
{
    alm_indicator indicator = {
        .value_type = type,
        .over_places = over_places,
        .over_time = over_time,
        .direction = direction,
        .numerator = alm_str_from(numerator),
        .denominator = alm_str_from(denominator),
    };
    world_add_indicator(w, indicator, code, unit);
}

// A flow of money of which is said what it is.
static inline void world_defined(world *w, const char *code, const char *definition)
{
    alm_indicator indicator = {
        .value_type = ALM_VALUE_TYPE_FLOW,
        .over_places = ALM_AGGREGATION_SUM,
        .over_time = ALM_AGGREGATION_SUM,
        .direction = ALM_DIRECTION_UP,
        .definition = alm_str_from(definition),
    };
    world_add_indicator(w, indicator, code, "CNY_E8");
}

static inline void world_formula(world *w, const char *code, const char *unit, const char *formula)
{
    alm_indicator indicator = {
        .value_type = ALM_VALUE_TYPE_RATE,
        .over_places = ALM_AGGREGATION_RECOMPUTE,
        .over_time = ALM_AGGREGATION_RECOMPUTE,
        .direction = ALM_DIRECTION_UP,
        .formula = alm_str_from(formula),
    };
    world_add_indicator(w, indicator, code, unit);
}

static inline void world_source(world *w, const char *code, int precedence)
{
    alm_status st = ALM_STATUS_INIT;
    uint32_t id;
    alm_source source = {
        .code = alm_str_from(code),
        .title = alm_str_from(code),
        .publisher = ALM_STR("Statistics Bureau"),
        .published = ALM_DATE_NONE,
        .precedence = precedence,
    };
    if (alm_catalog_add_source(w->catalog, &source, &id, &st) != ALM_OK) {
        world_die(&st);
    }
}

static inline void world_finish(world *w)
{
    alm_status st = ALM_STATUS_INIT;
    if (alm_catalog_finish(w->catalog, &st) != ALM_OK) {
        world_die(&st);
    }
}

// Shanghai with some districts (one merged away), towns and a park; one indicator of each kind.
static inline void world_init_shanghai(world *w)
{
    world_init(w);
    world_place(w, "310000", ALM_LEVEL_PROVINCE, "", "上海市", "", "");
    world_place(w, "310101", ALM_LEVEL_DISTRICT, "310000", "黄浦区", "", "");
    world_place(w, "310104", ALM_LEVEL_DISTRICT, "310000", "徐汇区", "", "");
    world_place(w, "310105", ALM_LEVEL_DISTRICT, "310000", "长宁区", "", "");
    world_place(w, "310106", ALM_LEVEL_DISTRICT, "310000", "静安区", "", "");
    world_place(w, "310108", ALM_LEVEL_DISTRICT, "310000", "闸北区", "", "2015-11-03");
    world_place(w, "310105001", ALM_LEVEL_TOWN, "310105", "华阳路街道", "", "");
    world_place(w, "310105002", ALM_LEVEL_TOWN, "310105", "江苏路街道", "", "");
    world_place(w, "L310105001", ALM_LEVEL_LOCAL, "310105", "虹桥开发区", "", "");
    world_indicator(w, "gdp", "CNY_E8", ALM_VALUE_TYPE_FLOW, ALM_AGGREGATION_SUM,
                    ALM_AGGREGATION_SUM, ALM_DIRECTION_UP, "", "");
    world_indicator(w, "pop", "persons_E4", ALM_VALUE_TYPE_STOCK, ALM_AGGREGATION_SUM,
                    ALM_AGGREGATION_NONE, ALM_DIRECTION_NEUTRAL, "", "");
    world_indicator(w, "housing", "count_tao", ALM_VALUE_TYPE_STOCK, ALM_AGGREGATION_SUM,
                    ALM_AGGREGATION_NONE, ALM_DIRECTION_UP, "", "");
    world_indicator(w, "gdp_pc", "CNY", ALM_VALUE_TYPE_RATE, ALM_AGGREGATION_RECOMPUTE,
                    ALM_AGGREGATION_REFUSE, ALM_DIRECTION_UP, "gdp", "pop");
    world_indicator(w, "gdp_per_head", "CNY_E4/persons_E1", ALM_VALUE_TYPE_RATE,
                    ALM_AGGREGATION_RECOMPUTE, ALM_AGGREGATION_REFUSE, ALM_DIRECTION_UP, "gdp",
                    "pop");
    world_indicator(w, "gdp_per_place", "CNY_E4/m2", ALM_VALUE_TYPE_RATE, ALM_AGGREGATION_RECOMPUTE,
                    ALM_AGGREGATION_REFUSE, ALM_DIRECTION_UP, "gdp", "pop");
    world_indicator(w, "urban", "persons_E4", ALM_VALUE_TYPE_STOCK, ALM_AGGREGATION_SUM,
                    ALM_AGGREGATION_NONE, ALM_DIRECTION_UP, "", "");
    world_indicator(w, "urban_rate", "percent", ALM_VALUE_TYPE_RATE, ALM_AGGREGATION_RECOMPUTE,
                    ALM_AGGREGATION_REFUSE, ALM_DIRECTION_UP, "urban", "pop");
    world_indicator(w, "pm25", "index", ALM_VALUE_TYPE_INDEX, ALM_AGGREGATION_AVERAGE,
                    ALM_AGGREGATION_AVERAGE, ALM_DIRECTION_DOWN, "", "");
    world_indicator(w, "heat", "index", ALM_VALUE_TYPE_INDEX, ALM_AGGREGATION_MAX,
                    ALM_AGGREGATION_MAX, ALM_DIRECTION_DOWN, "", "");
    world_indicator(w, "score", "index", ALM_VALUE_TYPE_INDEX, ALM_AGGREGATION_REFUSE,
                    ALM_AGGREGATION_REFUSE, ALM_DIRECTION_UP, "", "");
    world_indicator(w, "cost", "CNY_E8", ALM_VALUE_TYPE_FLOW, ALM_AGGREGATION_SUM,
                    ALM_AGGREGATION_SUM, ALM_DIRECTION_DOWN, "", "");
    world_indicator(w, "green", "m2_E4", ALM_VALUE_TYPE_STOCK, ALM_AGGREGATION_SUM,
                    ALM_AGGREGATION_NONE, ALM_DIRECTION_UP, "", "");
    world_defined(w, "output", "value added; growth is at constant prices");
    world_formula(w, "gdp_each", "CNY/persons", "gdp / pop");
    world_formula(w, "gdp_each_of_city", "percent", "gdp_each / gdp_each@parent");
    world_source(w, "report", 10);
    world_source(w, "yearbook", 20);
    world_finish(w);
}

// --- observations -------------------------------------------------------------------------------

static inline void world_put(world *w, const world_row *row)
{
    if (w->count == w->cap) {
        w->cap = w->cap == 0 ? 256 : w->cap * 2;
        w->rows = alm_realloc(w->rows, w->cap * sizeof *w->rows);
        w->scratch = alm_realloc(w->scratch, w->cap * sizeof *w->scratch);
        assert_non_null(w->rows);
        assert_non_null(w->scratch);
    }
    w->rows[w->count] = *row;
    w->rows[w->count].obs.sequence = w->count + 1;
    w->count++;
}

// The next space-separated word of *text; false at its end.
static inline bool world_word(char **text, char **ret)
{
    while (**text == ' ') {
        (*text)++;
    }
    *ret = *text;
    while (**text != ' ' && **text != '\0') {
        (*text)++;
    }
    if (**text == ' ') {
        *(*text)++ = '\0';
    }
    return (*ret)[0] != '\0';
}

static inline void world_key(world *w, const char *word, world_row *row, char *accumulation,
                             const char **breakdown)
{
    alm_str value = alm_str_from(strchr(word, '=') + 1);
    if (strncmp(word, "q=", 2) == 0) {
        assert_true(alm_qualifier_parse(value, &row->obs.value.qualifier));
    } else if (strncmp(word, "s=", 2) == 0) {
        assert_true(alm_obs_status_parse(value, &row->obs.value.status));
    } else if (strncmp(word, "pub=", 4) == 0) {
        assert_int_equal(alm_date_parse(value, &row->obs.published, NULL), ALM_OK);
    } else if (strncmp(word, "src=", 4) == 0) {
        row->obs.source = alm_catalog_find_source(w->catalog, value);
        assert_int_not_equal(row->obs.source, ALM_CATALOG_NONE);
    } else if (strncmp(word, "acc=", 4) == 0) {
        *accumulation = value.data[0];
    } else if (strncmp(word, "by=", 3) == 0) {
        *breakdown = value.data;
    } else if (strncmp(word, "note=", 5) == 0) {
        row->obs.note = (alm_str){alm_arena_strdup(w->arena, value), value.len};
    } else {
        fail_msg("unknown key in %s", word);
    }
}

static inline void world_add(world *w, const char *line)
{
    char text[512];
    char *rest = text;
    char *words[6];
    assert_true(strlen(line) < sizeof text);
    memcpy(text, line, strlen(line) + 1);
    for (size_t i = 0; i < 6; i++) {
        if (!world_word(&rest, &words[i])) {
            fail_msg("observation \"%s\" has %zu words", line, i);
        }
    }
    world_row row = {.obs = {.source = ALM_SOURCE_NONE}};
    row.obs.published = alm_date_from_ymd(2024, 1, 1);
    row.obs.place = alm_place_tree_find(alm_catalog_places(w->catalog), alm_str_from(words[1]));
    assert_int_not_equal(row.obs.place, ALM_PLACE_NONE);
    assert_int_equal(alm_period_parse(alm_str_from(words[2]), &row.obs.period, NULL), ALM_OK);
    row.obs.value.has_number = strcmp(words[4], "-") != 0;
    if (row.obs.value.has_number) {
        assert_int_equal(alm_decimal_parse(alm_str_from(words[4]), &row.obs.value.number, NULL),
                         ALM_OK);
    }
    assert_int_equal(alm_unit_parse(alm_str_from(words[5]), &row.obs.value.unit, NULL), ALM_OK);
    char accumulation = 'P';
    const char *breakdown = "_T";
    char *word;
    while (world_word(&rest, &word)) {
        world_key(w, word, &row, &accumulation, &breakdown);
    }
    char *relation = strchr(words[3], '.');
    if (relation != NULL) {
        *relation++ = '\0';
    }
    snprintf(row.variant, sizeof row.variant, "%c.%s.%c.%s.%s.%s",
             alm_freq_letter((alm_freq)row.obs.period.freq), words[0], accumulation, words[3],
             relation == NULL ? "_Z" : relation, breakdown);
    alm_variant check;
    alm_status st = ALM_STATUS_INIT;
    if (alm_variant_decode(alm_str_from(row.variant), &check, &st) != ALM_OK) {
        world_die(&st);
    }
    world_put(w, &row);
}

// --- the reader: every row is looked at, nothing is clever --------------------------------------

static inline bool world_matches(const world *w, const alm_fetch *f, const world_row *row)
{
    alm_variant v;
    assert_int_equal(alm_variant_decode(alm_str_from(row->variant), &v, NULL), ALM_OK);
    bool good = f->indicator_count == 0;
    for (size_t i = 0; i < f->indicator_count; i++) {
        good |= alm_str_eq(f->indicators[i], v.indicator);
    }
    good &= f->measures == 0 || (f->measures & ALM_MEASURE_BIT(v.measure)) != 0;
    good &= f->accumulation == ALM_ACCUMULATION_NONE || f->accumulation == v.accumulation;
    good &= f->freq == ALM_FREQ_NONE || f->freq == v.freq;
    const char *breakdown = strrchr(row->variant, '.') + 1;
    good &= alm_str_eq(f->breakdown, ALM_STR("*")) ||
            alm_str_eq(f->breakdown, alm_str_from(strcmp(breakdown, "_T") == 0 ? "" : breakdown));
    bool has_place = f->all_places;
    for (size_t i = 0; i < f->place_count; i++) {
        assert_true(i == 0 || f->places[i] > f->places[i - 1]);
        has_place |= f->places[i] == row->obs.place;
    }
    bool has_source = f->source_count == 0;
    for (size_t i = 0; i < f->source_count; i++) {
        has_source |= f->sources[i] == row->obs.source;
    }
    (void)w;
    bool is_later = f->today != 0 && f->as_of == ALM_DATE_MAX && row->obs.published > f->today;
    return good && has_place && has_source && row->obs.published <= f->as_of && !is_later &&
           alm_period_expr_matches(&f->periods, row->obs.period);
}

static inline int world_precedence(const world *w, const alm_obs *obs)
{
    return obs->source == ALM_SOURCE_NONE ? 0
                                          : alm_catalog_source(w->catalog, obs->source)->precedence;
}

static inline bool world_same_cell(const world_row *a, const world_row *b)
{
    return strcmp(a->variant, b->variant) == 0 && a->obs.place == b->obs.place &&
           alm_period_eq(a->obs.period, b->obs.period);
}

static inline bool world_is_withdrawn(const alm_obs *obs)
{
    return obs->value.status == ALM_OBS_STATUS_WITHDRAWN;
}

// What a source said last beats what others did, if it is no withdrawal.
static inline bool world_beats(const world *w, const alm_obs *a, const alm_obs *b)
{
    int x = world_precedence(w, a);
    int y = world_precedence(w, b);
    if (world_is_withdrawn(a) != world_is_withdrawn(b)) {
        return world_is_withdrawn(b);
    }
    if (x != y) {
        return x > y;
    }
    return a->published != b->published ? a->published > b->published : a->sequence > b->sequence;
}

// Is it what its source said last of the cell?
static inline bool world_is_word(const world *w, const alm_fetch *fetch, const world_row *row)
{
    for (size_t i = 0; i < w->count; i++) {
        const world_row *other = &w->rows[i];
        if (world_same_cell(other, row) && other->obs.source == row->obs.source &&
            other->obs.published > row->obs.published && world_matches(w, fetch, other)) {
            return false;
        }
    }
    return true;
}

static inline int world_order(const void *a, const void *b)
{
    const world_row *x = a;
    const world_row *y = b;
    int order = strcmp(x->variant, y->variant);
    if (order == 0) {
        order = alm_period_cmp(x->obs.period, y->obs.period);
    }
    return order != 0 ? order : x->obs.place < y->obs.place ? -1 : x->obs.place > y->obs.place;
}

static inline bool world_counts(const alm_fetch *fetch, const alm_obs *obs)
{
    return fetch->without_value || !alm_obs_status_missing(obs->value.status);
}

// Marks with variant 1 what is not among the newest of its series.
static inline void world_keep_last(const alm_fetch *fetch, world_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t newer = 0;
        for (size_t k = 0; k < count; k++) {
            newer += world_counts(fetch, &rows[k].obs) &&
                     strcmp(rows[k].variant, rows[i].variant) == 0 &&
                     rows[k].obs.place == rows[i].obs.place &&
                     alm_period_cmp(rows[k].obs.period, rows[i].obs.period) > 0;
        }
        rows[i].obs.variant = newer >= fetch->periods.last || !world_counts(fetch, &rows[i].obs);
    }
}

// Room for the columns of one row, which they view.
typedef struct world_row_columns {
    alm_obs_columns columns;
#define WORLD_COLUMN_HELD(name, type) type name;
    ALM_OBS_COLUMN_MAP(WORLD_COLUMN_HELD)
#undef WORLD_COLUMN_HELD
    alm_str notes[2];
} world_row_columns;

static inline void world_row_columns_set(world_row_columns *it, const alm_obs *row)
{
    const alm_value *value = &row->value;
    it->variant = row->variant;
    it->place = row->place;
    it->period = row->period;
    it->mantissa = value->has_number ? value->number.mantissa : 0;
    it->exponent = value->has_number ? value->number.exponent : 0;
    it->unit = value->unit;
    it->flags = alm_obs_flags(value);
    it->source = row->source;
    it->published = row->published;
    it->note = row->note.len > 0;
    it->sequence = row->sequence;
    it->notes[0] = (alm_str){0};
    it->notes[1] = row->note;
    it->columns = (alm_obs_columns){.count = 1, .notes = it->notes};
#define WORLD_COLUMN_VIEW(name, type) it->columns.name = &it->name;
    ALM_OBS_COLUMN_MAP(WORLD_COLUMN_VIEW)
#undef WORLD_COLUMN_VIEW
}

// Do fewer than fetch->top cells of the slice and the unit come before the row? One without a
// number comes behind all units.
static inline bool world_is_first(const alm_fetch *fetch, const world_row *rows, size_t count,
                                  const world_row *row)
{
    const alm_value *v = &row->obs.value;
    for (size_t i = 0; i < count; i++) {
        alm_unit unit = v->has_number ? v->unit : rows[i].obs.value.unit;
        size_t before = 0;
        for (size_t k = 0; k < count; k++) {
            const alm_value *other = &rows[k].obs.value;
            int order = alm_decimal_cmp(other->number, v->number);
            bool is_before = !v->has_number || (fetch->top_is_lowest ? order < 0 : order > 0);
            before += rows[k].obs.variant != 1 && strcmp(rows[k].variant, row->variant) == 0 &&
                      alm_period_eq(rows[k].obs.period, row->obs.period) && other->has_number &&
                      alm_unit_eq(other->unit, unit) && is_before;
        }
        if (before >= fetch->top) {
            return false;
        }
    }
    return true;
}

// Marks with variant 2 what is not among the first of its slice.
static inline void world_keep_first(const alm_fetch *fetch, world_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].obs.variant == 0 && !world_is_first(fetch, rows, count, &rows[i])) {
            rows[i].obs.variant = 2;
        }
    }
}

static inline alm_code world_read(void *self, const alm_fetch *fetch, alm_row_visit visit,
                                  void *arg, alm_status *st)
{
    world *w = self;
    world_row *rows = w->scratch;
    size_t count = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (!world_matches(w, fetch, &w->rows[i]) ||
            (!fetch->all_vintages && !world_is_word(w, fetch, &w->rows[i]))) {
            continue;
        }
        size_t at = 0;
        while (!fetch->all_vintages && at < count && !world_same_cell(&rows[at], &w->rows[i])) {
            at++;
        }
        at = fetch->all_vintages ? count : at;
        if (at == count) {
            rows[count++] = w->rows[i];
        } else if (world_beats(w, &w->rows[i].obs, &rows[at].obs)) {
            rows[at] = w->rows[i];
        }
    }
    if (count > 0) {
        qsort(rows, count, sizeof *rows, world_order);
    }
    if (fetch->periods.kind == ALM_PERIOD_EXPR_LAST) {
        world_keep_last(fetch, rows, count);
    }
    for (size_t i = 0; i < count && !fetch->all_vintages && !fetch->without_value; i++) {
        rows[i].obs.variant |= world_is_withdrawn(&rows[i].obs);
    }
    if (fetch->top > 0 && !w->has_no_top) {
        world_keep_first(fetch, rows, count);
    }
    alm_code code = ALM_OK;
    for (size_t i = 0; i < count && code == ALM_OK; i++) {
        alm_str variant = alm_str_from(rows[i].variant);
        bool is_out = rows[i].obs.variant != 0;
        rows[i].obs.variant = 0;
        world_row_columns alone;
        world_row_columns_set(&alone, &rows[i].obs);
        if (!is_out) {
            code = visit(arg, &variant, 1, &alone.columns, st);
        }
    }
    return code;
}

static inline alm_code world_totals(void *self, const alm_fetch *fetch,
                                    const alm_total_groups *groups, alm_totals_visit visit,
                                    void *arg, const alm_read_beside *beside, alm_status *st)
{
    alm_row_reader rows = {.self = self, .read = world_read};
    return totals_of_rows(&rows, fetch, groups, visit, arg, beside, st);
}

static inline alm_row_reader world_reader(world *w)
{
    return (alm_row_reader){
        .self = w, .read = world_read, .totals = w->has_rows_only ? NULL : world_totals};
}

// --- questions ----------------------------------------------------------------------------------

typedef struct world_question {
    Almanac__V1__QueryRequest request;
    char text[512];
    char *indicators[8];
    char *sources[8];
    char *transforms[8];
} world_question;

static inline int64_t world_number(const char *text)
{
    int64_t number;
    if (!alm_str_to_i64(alm_str_from(text), &number)) {
        fail_msg("%s is no number", text);
    }
    return number;
}

static inline void world_ask(world_question *q, const char *line)
{
    almanac__v1__query_request__init(&q->request);
    assert_true(strlen(line) < sizeof q->text);
    memcpy(q->text, line, strlen(line) + 1);
    char *rest = q->text;
    char *word;
    q->request.indicators = q->indicators;
    q->request.sources = q->sources;
    q->request.transforms = q->transforms;
    while (world_word(&rest, &word)) {
        char *value = strchr(word, '=');
        if (value == NULL) {
            fail_msg("no key in %s", word);
            return;
        }
        *value++ = '\0';
        if (strcmp(word, "i") == 0) {
            for (char *blank = strchr(value, '~'); blank != NULL; blank = strchr(value, '~')) {
                *blank = ' '; // of a formula
            }
            q->indicators[q->request.n_indicators++] = value;
        } else if (strcmp(word, "p") == 0) {
            q->request.places = value;
        } else if (strcmp(word, "t") == 0) {
            q->request.periods = value;
        } else if (strcmp(word, "m") == 0) {
            q->request.measure = value;
        } else if (strcmp(word, "x") == 0) {
            q->transforms[q->request.n_transforms++] = value;
        } else if (strcmp(word, "by") == 0) {
            q->request.breakdown = value;
        } else if (strcmp(word, "acc") == 0) {
            q->request.accumulation = value;
        } else if (strcmp(word, "freq") == 0) {
            q->request.frequency = value;
        } else if (strcmp(word, "today") == 0) {
            assert_int_equal(alm_date_parse(alm_str_from(value), &q->request.today, NULL), ALM_OK);
        } else if (strcmp(word, "as_of") == 0) {
            q->request.as_of = value;
        } else if (strcmp(word, "src") == 0) {
            q->sources[q->request.n_sources++] = value;
        } else if (strcmp(word, "group") == 0) {
            q->request.group_by = value;
        } else if (strcmp(word, "unit") == 0) {
            q->request.unit = value;
        } else if (strcmp(word, "order") == 0) {
            q->request.order = (Almanac__V1__Order)world_number(value);
        } else if (strcmp(word, "limit") == 0) {
            q->request.limit = (uint32_t)world_number(value);
        } else if (strcmp(word, "min") == 0) {
            q->request.min_sequence = (uint64_t)world_number(value);
        } else if (strcmp(word, "at") == 0) {
            q->request.at_sequence = (uint64_t)world_number(value);
        } else if (strcmp(word, "incomplete") == 0) {
            q->request.incomplete = true;
        } else {
            fail_msg("unknown key %s", word);
        }
    }
}

// --- answers as text ----------------------------------------------------------------------------

static inline void world_put_figure(alm_buf *lines, const char *name, const alm_row_figure *figure)
{
    char number[ALM_DECIMAL_TEXT_MAX];
    char unit[ALM_UNIT_TEXT_MAX];
    alm_unit_code(figure->value.unit, unit);
    alm_decimal_format(figure->value.number, 0, number);
    assert_string_equal(figure->reason, "");
    assert_true(figure->interval.lower <= figure->interval.upper);
    alm_buf_printf(lines, "  %s %s %s", name, number, unit);
    if (figure->value.qualifier != ALM_QUALIFIER_EXACT) {
        alm_buf_printf(lines, " %s", alm_qualifier_code(figure->value.qualifier));
    }
    alm_buf_printf(lines, " [%.7g, %.7g]\n", figure->interval.lower, figure->interval.upper);
}

// A line for the verdict, one for each figure: "  pace 1.04 ratio [1.04, 1.05]", and one for
// neighbours that have no number for one reason: "  run_rate, expected - -- the horizon is over".
static inline void world_put_pace(alm_buf *lines, const alm_row_pace *pace)
{
    static const char *const names[] = {
#define WORLD_NAME(name, member) #member,
        ALM_PACE_FIGURE_MAP(WORLD_NAME)
#undef WORLD_NAME
    };
    char until[ALM_PERIOD_TEXT_MAX];
    alm_period_format(pace->until, until);
    alm_buf_printf(lines, "  %s", alm_pace_verdict_code(pace->verdict));
    if (until[0] != '\0') {
        alm_buf_printf(lines, " to %s", until);
    }
    if (pace->per != ALM_FREQ_NONE) {
        alm_buf_printf(lines, " per %c", alm_freq_letter(pace->per));
    }
    assert_true(pace->why[0] != '\0');
    alm_buf_printf(lines, " -- %s\n", pace->why);
    for (size_t i = 0; i < ALM_ARRAY_LEN(names); i++) {
        const alm_row_figure *figure = &pace->figures[i];
        if (figure->value.has_number) {
            world_put_figure(lines, names[i], figure);
            continue;
        }
        assert_true(figure->reason[0] != '\0');
        alm_buf_printf(lines, "  %s", names[i]);
        while (i + 1 < ALM_ARRAY_LEN(names) &&
               strcmp(pace->figures[i + 1].reason, figure->reason) == 0) {
            alm_buf_printf(lines, ", %s", names[++i]);
        }
        alm_buf_printf(lines, " - -- %s\n", figure->reason);
    }
}

// place period measure[.relation] P|C number unit [qualifier] [status] [lower, upper] [n/m] [--
// reason]
static inline alm_code world_take_row(void *self, const alm_result_row *row, alm_status *st)
{
    (void)st;
    alm_buf *lines = self;
    char period[ALM_PERIOD_TEXT_MAX];
    char number[ALM_DECIMAL_TEXT_MAX] = "-";
    char unit[ALM_UNIT_TEXT_MAX];
    alm_period_format(row->period, period);
    alm_unit_code(row->value.unit, unit);
    if (row->value.has_number) {
        alm_decimal_format(row->value.number, 0, number);
    } else {
        // What is missing is never zero, and always says why.
        assert_true(row->reason.len > 0 || !row->computed);
        assert_true(row->interval.lower < 0 && row->interval.upper > 0);
    }
    alm_buf_printf(lines, "%.*s %s %.*s%s%.*s%s%s%.*s %s %s %s", ALM_STR_ARGS(row->place), period,
                   ALM_STR_ARGS(row->measure), row->relation.len > 0 ? "." : "",
                   ALM_STR_ARGS(row->relation),
                   row->accumulation == ALM_ACCUMULATION_CUMULATIVE ? " acc=C" : "",
                   row->breakdown.len > 0 ? " by " : "", ALM_STR_ARGS(row->breakdown),
                   row->computed ? "C" : "P", number, unit);
    if (row->value.qualifier != ALM_QUALIFIER_EXACT) {
        alm_buf_printf(lines, " %s", alm_qualifier_code(row->value.qualifier));
    }
    if (row->value.status != ALM_OBS_STATUS_NORMAL) {
        alm_buf_printf(lines, " %c", alm_obs_status_letter(row->value.status));
    }
    if (row->value.has_number && row->computed) {
        alm_buf_printf(lines, " [%.7g, %.7g]", row->interval.lower, row->interval.upper);
    }
    if (row->of_expected > 0 || row->of_count > 0) {
        alm_buf_printf(lines, " %u/%u", row->of_count, row->of_expected);
    }
    if (row->reason.len > 0) {
        alm_buf_printf(lines, " -- %.*s", ALM_STR_ARGS(row->reason));
    }
    alm_buf_char(lines, '\n');
    if (row->pace != NULL) {
        world_put_pace(lines, row->pace);
    }
    return ALM_OK;
}

static inline alm_code world_take_fault(void *self, alm_str item, const alm_status *why,
                                        alm_status *st)
{
    (void)st;
    alm_buf *lines = self;
    alm_buf_printf(lines, "! %.*s %s %s\n", ALM_STR_ARGS(item), alm_code_name(why->code),
                   why->message);
    return ALM_OK;
}

// A sink before another: it also takes rows in columns, which the other gets one by one.
typedef struct world_columns {
    const alm_answer_sink *to;
    alm_arena *arena;
    alm_result_writer *writer; // NULL: no rows are held
} world_columns;

// What a column of `count` elements has of a row: one for all, one a row, or pairs of a value and
// how many rows have it.
static inline uint32_t world_element(const Almanac__V1__ResultBlock *block, const uint32_t *column,
                                     size_t count, size_t row)
{
    size_t pair = 0;
    if (count <= 1 || count == block->rows) {
        return count == 0 ? 0 : column[count == 1 ? 0 : row];
    }
    for (size_t left = row; left >= column[pair + 1]; pair += 2) {
        left -= column[pair + 1];
    }
    return column[pair];
}

static inline alm_str world_text(const Almanac__V1__ResultBlock *block, const uint32_t *column,
                                 size_t count, size_t row)
{
    uint32_t index = world_element(block, column, count, row);
    // Behind the line feed of the one before.
    uint32_t from = index == 0 ? 0 : block->text_ends[index - 1] + 1;
    return (alm_str){block->texts + from, block->text_ends[index] - from};
}

static inline alm_result_row world_row_of(const Almanac__V1__ResultBlock *block, size_t i)
{
#define WORLD_TEXT(column) world_text(block, block->column, block->n_##column, i)
#define WORLD_WIDE(column)                                                                         \
    (block->n_##column == 0 ? 0 : block->column[block->n_##column == 1 ? 0 : i])
#define WORLD_NUMBER(column)                                                                       \
    world_element(block, (const uint32_t *)block->column, block->n_##column, i)
    alm_result_row row = {
        .indicator = WORLD_TEXT(indicator),
        .place = WORLD_TEXT(place),
        .measure = WORLD_TEXT(measure),
        .breakdown = WORLD_TEXT(breakdown),
        .relation = WORLD_TEXT(relation),
        .transform = WORLD_TEXT(transform),
        .accumulation = alm_str_eq(WORLD_TEXT(accumulation), ALM_STR("C"))
                            ? ALM_ACCUMULATION_CUMULATIVE
                            : ALM_ACCUMULATION_PERIOD,
        .value =
            {
                .number = {WORLD_WIDE(mantissa), (int8_t)WORLD_NUMBER(exponent)},
                .has_number = WORLD_NUMBER(has_number) != 0,
                .qualifier = (alm_qualifier)WORLD_NUMBER(qualifier),
                .status = (alm_obs_status)WORLD_NUMBER(status),
            },
        .interval = {WORLD_WIDE(lower), WORLD_WIDE(upper)},
        .computed = WORLD_NUMBER(origin) == ALMANAC__V1__ORIGIN__ORIGIN_COMPUTED,
        .source = WORLD_TEXT(source),
        .published = ALM_DATE_NONE,
        .note = WORLD_TEXT(note),
        .reason = WORLD_TEXT(reason),
        .of_count = WORLD_NUMBER(of_count),
        .of_expected = WORLD_NUMBER(of_expected),
    };
    alm_str period = WORLD_TEXT(period);
    alm_str unit = WORLD_TEXT(unit);
    alm_str published = WORLD_TEXT(published);
    assert_true(period.len == 0 || alm_period_parse(period, &row.period, NULL) == ALM_OK);
    assert_true(unit.len == 0 || alm_unit_parse(unit, &row.value.unit, NULL) == ALM_OK);
    assert_true(published.len == 0 || alm_date_parse(published, &row.published, NULL) == ALM_OK);
    alm_value digits = {.number = row.value.number, .has_number = row.value.has_number};
    double number = row.value.has_number ? alm_decimal_to_double(row.value.number) : 0;
    switch (WORLD_NUMBER(bounds)) {
    case ALMANAC__V1__BOUNDS__BOUNDS_DIGITS:
        row.interval = alm_value_interval(&digits);
        break;
    case ALMANAC__V1__BOUNDS__BOUNDS_NUMBER:
        row.interval = (alm_interval){number, number};
        break;
    default:
        break;
    }
    return row;
#undef WORLD_TEXT
#undef WORLD_NUMBER
#undef WORLD_WIDE
}

static inline alm_code world_pass_on(world_columns *it, alm_status *st)
{
    Almanac__V1__ResultBlock *block;
    if (it->writer == NULL) {
        return ALM_OK;
    }
    ALM_TRY(alm_result_writer_take(it->writer, &block, st));
    it->writer = NULL;
    assert_int_equal(block->n_pace, 0);
    for (size_t i = 0; i < block->rows; i++) {
        alm_result_row row = world_row_of(block, i);
        ALM_TRY(it->to->row(it->to->self, &row, st));
    }
    return ALM_OK;
}

static inline alm_code world_pass_row(void *self, const alm_result_row *row, alm_status *st)
{
    world_columns *it = self;
    ALM_TRY(world_pass_on(it, st));
    return it->to->row(it->to->self, row, st);
}

static inline alm_code world_pass_fault(void *self, alm_str item, const alm_status *why,
                                        alm_status *st)
{
    world_columns *it = self;
    ALM_TRY(world_pass_on(it, st));
    return it->to->fault(it->to->self, item, why, st);
}

static inline alm_code world_give_writer(void *self, alm_result_writer **ret, alm_status *st)
{
    world_columns *it = self;
    if (it->writer != NULL && alm_result_writer_full(it->writer)) {
        ALM_TRY(world_pass_on(it, st));
    }
    if (it->writer == NULL) {
        ALM_TRY(alm_result_writer_create(it->arena, 1, &it->writer, st));
    }
    *ret = it->writer;
    return ALM_OK;
}

// As alm_query_execute, with answers in columns where they come so.
static inline alm_code world_execute_columns(const alm_query_plan *plan,
                                             const alm_row_reader *reader,
                                             const alm_answer_sink *to, alm_arena *arena,
                                             alm_status *st)
{
    world_columns it = {to, arena, NULL};
    alm_answer_sink sink = {&it, world_pass_row, world_pass_fault, world_give_writer};
    ALM_TRY(alm_query_execute(plan, reader, &sink, arena, st));
    return world_pass_on(&it, st);
}

// Answers that come in columns are those that come one by one.
static inline void world_check_columns(const alm_query_plan *plan, const alm_row_reader *reader,
                                       alm_arena *arena, alm_str want)
{
    alm_buf lines;
    alm_status st = ALM_STATUS_INIT;
    alm_buf_init(&lines, 0);
    alm_answer_sink sink = {&lines, world_take_row, world_take_fault, NULL};
    assert_int_equal(world_execute_columns(plan, reader, &sink, arena, &st), ALM_OK);
    alm_str got = alm_buf_view(&lines);
    if (!alm_str_eq(got, want)) {
        print_error("in columns:\n%.*sone by one:\n%.*s", ALM_STR_ARGS(got), ALM_STR_ARGS(want));
    }
    assert_true(alm_str_eq(got, want));
    alm_buf_deinit(&lines);
}

// The answer as lines, or one line "CODE field: message" when the question as a whole fails;
// appended.
static inline void world_answer(world *w, const char *question, alm_buf *lines)
{
    size_t before = lines->len;
    world_question q;
    world_ask(&q, question);
    alm_arena *arena = alm_arena_create(0);
    alm_query_plan plan;
    alm_status st = ALM_STATUS_INIT;
    alm_code code = alm_query_plan_make(&q.request, w->catalog, NULL, arena, &plan, &st);
    if (code == ALM_OK) {
        alm_row_reader reader = world_reader(w);
        alm_answer_sink sink = {lines, world_take_row, world_take_fault, NULL};
        code = alm_query_execute(&plan, &reader, &sink, arena, &st);
        if (code == ALM_OK) {
            alm_str told = {(const char *)lines->data + before, lines->len - before};
            world_check_columns(&plan, &reader, arena, told);
        }
    }
    if (code != ALM_OK) {
        alm_buf_printf(lines, "%s %s: %s\n", alm_code_name(code), st.field, st.message);
    }
    alm_arena_destroy(&arena);
}

// Are the lines these? Shows both if they are not.
static inline void world_want(alm_buf *lines, const char *question, const char *want)
{
    alm_buf_char(lines, '\0');
    assert_false(lines->failed);
    const char *got = (const char *)lines->data;
    if (strcmp(got, want) != 0) {
        print_error("asked: %s\ngot:\n%swant:\n%s", question, got, want);
    }
    assert_string_equal(got, want);
}

// A table of examples: observations, a question, the lines it is answered with.
typedef struct world_example {
    const char *name;
    const char *rows[12];
    const char *question;
    const char *want; // lines
} world_example;

static inline void world_check_example(void **state)
{
    const world_example *example = *state;
    world w;
    world_init_shanghai(&w);
    for (size_t i = 0; i < ALM_ARRAY_LEN(example->rows) && example->rows[i] != NULL; i++) {
        world_add(&w, example->rows[i]);
    }
    alm_buf lines;
    alm_buf_init(&lines, 0);
    world_answer(&w, example->question, &lines);
    world_want(&lines, example->question, example->want);
    alm_buf_deinit(&lines);
    world_deinit(&w);
}

#endif
