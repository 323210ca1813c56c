#include "observation_rows.h"

#include "cell_index.h"

#include "alm/limits.h"

// A publication day this far ahead of today is a slip of the pen more often than not.
#define PUBLISHED_AHEAD_DAYS_MAX 2

// What makes a variant, in the numbers of this piece.
typedef struct variant_key {
    uint32_t indicator, breakdown, relation;
    uint8_t freq, accumulation, measure, unused;
} variant_key;
_Static_assert(sizeof(variant_key) == 16, "compared and hashed as bytes: no padding");

#define VARIANT_NONE     UINT32_MAX
#define VARIANT_TOO_LONG (UINT32_MAX - 1)

struct obs_reader {
    obs_cells *cells;
    const alm_catalog *catalog;
    const alm_place_tree *places;
    alm_date today;
    alm_arena *arena;
    interner variant_keys;
    uint32_t *variant_of_key; // by number of the key: index into variants
    size_t variant_of_key_cap;
    interner variants; // canonical texts; out.variants
    variant_key last_key;
    uint32_t last_variant; // of last_key; VARIANT_NONE: no key yet
    cell_index index;
    size_t row_cap;
    obs_rows out;
};

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                          "no memory for the piece; send a smaller one");
}

alm_code obs_reader_create(obs_cells *cells, const alm_catalog *catalog, alm_date today,
                           size_t row_count_max, alm_arena *arena, obs_reader **ret, alm_status *st)
{
    obs_reader *r = alm_arena_calloc(arena, 1, sizeof *r);
    if (r == NULL) {
        return no_memory(st);
    }
    *r = (obs_reader){.cells = cells,
                      .catalog = catalog,
                      .places = alm_catalog_places(catalog),
                      .today = today,
                      .arena = arena,
                      .last_variant = VARIANT_NONE,
                      .row_cap = row_count_max};
    interner_init(&r->variant_keys, arena);
    interner_init(&r->variants, arena);
    int value_column = cells->header->column_of[OBS_VALUE];
    r->out.value_column = (uint32_t)(value_column + 1);
    r->out.value_name = cells->header->names[value_column]; // required, so it is there
    r->out.rows = alm_arena_calloc(arena, row_count_max, sizeof *r->out.rows);
    r->out.row_numbers = alm_arena_calloc(arena, row_count_max, sizeof *r->out.row_numbers);
    r->out.records = alm_arena_calloc(arena, row_count_max, sizeof *r->out.records);
    if (r->out.rows == NULL || r->out.row_numbers == NULL || r->out.records == NULL ||
        !cell_index_init(&r->index, row_count_max, arena)) {
        return no_memory(st);
    }
    *ret = r;
    return ALM_OK;
}

const obs_rows *obs_reader_rows(const obs_reader *r)
{
    return &r->out;
}

// --- place, period and publication --------------------------------------------------------------

static void report_place_period(obs_reader *r, const obs_row *row, const alm_place *place)
{
    char day[ALM_PERIOD_TEXT_MAX];
    bool has_ended = place->valid_to != ALM_DATE_MAX &&
                     place->valid_to < alm_period_first_day(row->cells[OBS_PERIOD]->value.period);
    alm_date_format(has_ended ? place->valid_to : place->valid_from, day);
    if (has_ended && place->successor_count > 0) {
        obs_cells_defect(r->cells, row, OBS_PLACE, "%.*s (%.*s) ended on %s; %.*s came after it",
                         ALM_STR_ARGS(place->code), ALM_STR_ARGS(place->name_zh), day,
                         ALM_STR_ARGS(place->successors[0]));
        return;
    }
    obs_cells_defect(r->cells, row, OBS_PLACE,
                     "%.*s (%.*s) %s on %s, so it has no value in that "
                     "period",
                     ALM_STR_ARGS(place->code), ALM_STR_ARGS(place->name_zh),
                     has_ended ? "ended" : "began", day);
}

// A place has values in every period it existed in, if only for a part.
static void check_place(obs_reader *r, const obs_row *row)
{
    if (!obs_row_says(row, OBS_PLACE) || !obs_row_says(row, OBS_PERIOD)) {
        return;
    }
    const alm_place *place = alm_place_tree_get(r->places, row->cells[OBS_PLACE]->value.id);
    if (place->valid_from == ALM_DATE_NONE && place->valid_to == ALM_DATE_MAX) {
        return;
    }
    alm_period period = row->cells[OBS_PERIOD]->value.period;
    if (alm_period_last_day(period) < place->valid_from ||
        alm_period_first_day(period) > place->valid_to) {
        report_place_period(r, row, place);
    }
}

static alm_date published_on(obs_reader *r, const obs_row *row)
{
    bool is_known = obs_row_good(row, OBS_PUBLISHED) && obs_row_good(row, OBS_SOURCE);
    if (!is_known) {
        return ALM_DATE_NONE;
    }
    alm_date day = row->cells[OBS_PUBLISHED]->value.date;
    uint32_t source = row->cells[OBS_SOURCE]->value.id;
    if (day == ALM_DATE_NONE && source != ALM_SOURCE_NONE) {
        day = alm_catalog_source(r->catalog, source)->published;
    }
    if (day == ALM_DATE_NONE) {
        obs_cells_defect(r->cells, row, OBS_PUBLISHED,
                         "publication date is missing; give it here, by --published, or by a "
                         "source that has one");
    } else if (day > r->today + PUBLISHED_AHEAD_DAYS_MAX) {
        char text[ALM_PERIOD_TEXT_MAX];
        alm_date_format(day, text);
        obs_cells_warning(r->cells, row, OBS_PUBLISHED, "publication date %s is in the future",
                          text);
    }
    return day;
}

// --- unit ---------------------------------------------------------------------------------------

static const alm_indicator *indicator_of(const obs_reader *r, const obs_row *row)
{
    return obs_row_says(row, OBS_INDICATOR)
               ? alm_catalog_indicator(r->catalog, row->cells[OBS_INDICATOR]->value.id)
               : NULL;
}

// The unit a measure has where none is given; NONE: it must be given.
static alm_unit unit_by_measure(alm_measure measure)
{
    switch (measure) {
    case ALM_MEASURE_GROWTH_YOY:
    case ALM_MEASURE_GROWTH_POP:
    case ALM_MEASURE_GROWTH_AVG:
    case ALM_MEASURE_GROWTH_CUMULATIVE:
    case ALM_MEASURE_SHARE_OF:
    case ALM_MEASURE_COVERAGE:
    case ALM_MEASURE_CONTRIBUTION_SHARE:
        return (alm_unit){.measure = ALM_MEASURE_UNIT_PERCENT};
    case ALM_MEASURE_PP_CHANGE:
    case ALM_MEASURE_CONTRIBUTION_PP:
        return (alm_unit){.measure = ALM_MEASURE_UNIT_PP};
    case ALM_MEASURE_RANK:
        return (alm_unit){.measure = ALM_MEASURE_UNIT_RANK};
    case ALM_MEASURE_MILESTONE:
        return (alm_unit){.measure = ALM_MEASURE_UNIT_ORDINAL};
    case ALM_MEASURE_RATIO:
    case ALM_MEASURE_LEVEL:
    case ALM_MEASURE_TARGET:
    case ALM_MEASURE_COUNT_OF_CHANGE:
    case ALM_MEASURE_CUMULATIVE_LEVEL:
    case ALM_MEASURE_NONE:
        break;
    }
    return (alm_unit){0};
}

static void report_unit_missing(obs_reader *r, const obs_row *row, const alm_indicator *indicator)
{
    char code[ALM_UNIT_TEXT_MAX];
    alm_unit_code(indicator->unit, code);
    obs_cells_defect(r->cells, row, OBS_UNIT, "unit is missing; indicator %.*s is kept in %s",
                     ALM_STR_ARGS(indicator->code), code);
}

static void check_dimension(obs_reader *r, const obs_row *row, const alm_indicator *indicator,
                            alm_measure measure, alm_unit unit)
{
    if (alm_measure_takes_unit(measure, indicator->unit, unit)) {
        return;
    }
    alm_dimension wants = alm_measure_dimension(measure, alm_unit_dimension(indicator->unit));
    char code[ALM_UNIT_TEXT_MAX];
    char kept[ALM_UNIT_TEXT_MAX];
    alm_unit_code(unit, code);
    alm_unit_code(indicator->unit, kept);
    obs_cells_defect(r->cells, row, OBS_UNIT, "unit %s is %s, but %s of %.*s is %s", code,
                     alm_dimension_name(alm_unit_dimension(unit)), alm_measure_code(measure),
                     ALM_STR_ARGS(indicator->code),
                     wants == ALM_DIMENSION_QUOTIENT ? kept : alm_dimension_name(wants));
}

// SDMX writes the power of ten beside the unit; one of both may carry it.
static alm_unit apply_mult(obs_reader *r, const obs_row *row, alm_unit unit)
{
    if (!obs_row_says(row, OBS_UNIT_MULT) || row->cells[OBS_UNIT_MULT]->value.number == 0) {
        return unit;
    }
    int32_t mult = row->cells[OBS_UNIT_MULT]->value.number;
    if (unit.mult != 0) {
        char code[ALM_UNIT_TEXT_MAX];
        alm_unit_code(unit, code);
        obs_cells_defect(r->cells, row, OBS_UNIT_MULT,
                         "unit %s has a power of ten already, so this must be 0 or blank", code);
    } else if (mult < ALM_UNIT_MULT_MIN || mult > ALM_UNIT_MULT_MAX ||
               !alm_unit_valid((alm_unit){.measure = unit.measure,
                                          .mult = (int8_t)mult,
                                          .per = unit.per,
                                          .per_mult = unit.per_mult})) {
        obs_cells_defect(r->cells, row, OBS_UNIT_MULT,
                         "power of ten %d is outside %d..%d or not for this unit", mult,
                         ALM_UNIT_MULT_MIN, ALM_UNIT_MULT_MAX);
    } else {
        unit.mult = (int8_t)mult;
    }
    return unit;
}

static alm_unit unit_of(obs_reader *r, const obs_row *row, bool has_number)
{
    const alm_indicator *indicator = indicator_of(r, row);
    if (!obs_row_good(row, OBS_UNIT) || !obs_row_good(row, OBS_MEASURE) || indicator == NULL) {
        return (alm_unit){0};
    }
    alm_measure measure = row->cells[OBS_MEASURE]->value.measure;
    alm_unit unit = row->cells[OBS_UNIT]->value.unit;
    if (row->cells[OBS_UNIT]->blank) {
        unit = unit_by_measure(measure);
        if (unit.measure == ALM_MEASURE_UNIT_NONE && !has_number) {
            return indicator->unit; // nothing is measured in it
        }
        if (unit.measure == ALM_MEASURE_UNIT_NONE) {
            report_unit_missing(r, row, indicator);
            return unit;
        }
    }
    check_dimension(r, row, indicator, measure, unit);
    return apply_mult(r, row, unit);
}

// --- number, qualifier, status ------------------------------------------------------------------

static bool is_for_ranks(alm_qualifier qualifier)
{
    return qualifier == ALM_QUALIFIER_LEADING || qualifier == ALM_QUALIFIER_TOP_GROUP;
}

static void check_blank_value(obs_reader *r, const obs_row *row, const alm_value *value)
{
    bool is_known = obs_row_good(row, OBS_STATUS) && obs_row_good(row, OBS_QUALIFIER) &&
                    obs_row_good(row, OBS_MEASURE);
    bool is_rank = is_known && row->cells[OBS_MEASURE]->value.measure == ALM_MEASURE_RANK;
    if (is_known && !alm_obs_status_missing(value->status) &&
        !(is_rank && is_for_ranks(value->qualifier))) {
        obs_cells_defect(r->cells, row, OBS_VALUE,
                         "value is blank; give it, or a status that says why it is missing "
                         "(M, Q, O, L; W withdraws)");
    }
}

static void check_number(obs_reader *r, const obs_row *row, alm_str text, alm_value *value)
{
    alm_status why = ALM_STATUS_INIT;
    if (cell_decimal(text, &value->number, &why) != ALM_OK) {
        obs_cells_defect(r->cells, row, OBS_VALUE, "%s", why.message);
        return;
    }
    value->has_number = true;
    if (obs_row_good(row, OBS_STATUS) && alm_obs_status_missing(value->status)) {
        obs_cells_defect(r->cells, row, OBS_VALUE,
                         "status %c says that there is no value, but one is given",
                         alm_obs_status_letter(value->status));
    }
    bool is_rank = obs_row_good(row, OBS_MEASURE) &&
                   row->cells[OBS_MEASURE]->value.measure == ALM_MEASURE_RANK;
    alm_decimal whole = alm_decimal_normalize(value->number);
    if (is_rank && (whole.mantissa <= 0 || whole.exponent < 0)) {
        obs_cells_defect(r->cells, row, OBS_VALUE, "a rank is a whole number from 1 on");
    }
}

static alm_code read_value(obs_reader *r, const obs_row *row, alm_value *ret, alm_status *st)
{
    *ret = (alm_value){.qualifier = row->cells[OBS_QUALIFIER]->value.qualifier,
                       .status = row->cells[OBS_STATUS]->value.status};
    alm_str text;
    bool is_text;
    ALM_TRY(obs_cells_text(r->cells, row, OBS_VALUE, &text, &is_text, st));
    bool is_blank = is_text && text.len == 0;
    if (is_blank) {
        check_blank_value(r, row, ret);
    } else if (is_text) {
        check_number(r, row, text, ret);
    }
    if (obs_row_says(row, OBS_QUALIFIER) && obs_row_good(row, OBS_MEASURE) &&
        is_for_ranks(ret->qualifier) &&
        row->cells[OBS_MEASURE]->value.measure != ALM_MEASURE_RANK) {
        obs_cells_defect(r->cells, row, OBS_QUALIFIER, "%s is said of ranks; the measure is %s",
                         alm_qualifier_code(ret->qualifier),
                         alm_measure_code(row->cells[OBS_MEASURE]->value.measure));
    }
    ret->unit = unit_of(r, row, !is_blank);
    return ALM_OK;
}

static alm_code read_note(obs_reader *r, const obs_row *row, alm_str *ret, alm_status *st)
{
    bool is_text;
    ALM_TRY(obs_cells_text(r->cells, row, OBS_NOTE, ret, &is_text, st));
    if (is_text && ret->len > ALM_TEXT_BYTES_MAX) {
        obs_cells_defect(r->cells, row, OBS_NOTE, "the note has %zu bytes, at most %d are kept",
                         ret->len, ALM_TEXT_BYTES_MAX);
    }
    return ALM_OK;
}

// --- variant ------------------------------------------------------------------------------------

// What a growth rate or a level relates to is in its definition.
static bool has_relation(alm_measure measure)
{
    switch (measure) {
    case ALM_MEASURE_NONE:
    case ALM_MEASURE_LEVEL:
    case ALM_MEASURE_CUMULATIVE_LEVEL:
    case ALM_MEASURE_COUNT_OF_CHANGE:
    case ALM_MEASURE_GROWTH_YOY:
    case ALM_MEASURE_GROWTH_POP:
    case ALM_MEASURE_GROWTH_AVG:
    case ALM_MEASURE_GROWTH_CUMULATIVE:
        return false;
    case ALM_MEASURE_PP_CHANGE:
    case ALM_MEASURE_SHARE_OF:
    case ALM_MEASURE_RANK:
    case ALM_MEASURE_TARGET:
    case ALM_MEASURE_COVERAGE:
    case ALM_MEASURE_CONTRIBUTION_PP:
    case ALM_MEASURE_CONTRIBUTION_SHARE:
    case ALM_MEASURE_MILESTONE:
    case ALM_MEASURE_RATIO:
        return true;
    }
    return false;
}

static void check_relation(obs_reader *r, const obs_row *row)
{
    if (!obs_row_says(row, OBS_RELATION) || !obs_row_good(row, OBS_MEASURE)) {
        return;
    }
    alm_measure measure = row->cells[OBS_MEASURE]->value.measure;
    if (row->cells[OBS_RELATION]->value.id != 0 && !has_relation(measure)) {
        obs_cells_defect(r->cells, row, OBS_RELATION,
                         "%s relates to nothing; a relation is for shares, ranks, contributions "
                         "and the like",
                         alm_measure_code(measure));
    }
}

static alm_code encode_variant(obs_reader *r, const variant_key *key, alm_str *ret, alm_status *st)
{
    alm_variant variant = {
        .freq = (alm_freq)key->freq,
        .indicator = alm_catalog_indicator(r->catalog, key->indicator)->code,
        .accumulation = (alm_accumulation)key->accumulation,
        .measure = (alm_measure)key->measure,
    };
    ALM_TRY(
        alm_relation_parse(r->cells->ctx.relations.texts[key->relation], &variant.relation, st));
    if (alm_str_eq(variant.relation.indicator, variant.indicator)) {
        variant.relation.indicator = (alm_str){0}; // what an empty one means
    }
    ALM_TRY(alm_breakdowns_parse(r->cells->ctx.breakdowns.texts[key->breakdown], variant.breakdowns,
                                 &variant.breakdown_count, st));
    return alm_variant_encode(&variant, r->arena, ret, st);
}

// The variant of a key that is new. Several keys may say the same.
static alm_code add_key(obs_reader *r, const variant_key *key, uint32_t *ret, alm_status *st)
{
    alm_str text = {0};
    alm_code code = encode_variant(r, key, &text, st);
    if (code == ALM_OUT_OF_RANGE) {
        *ret = VARIANT_TOO_LONG;
        return ALM_OK;
    }
    ALM_TRY(code);
    if (!intern(&r->variants, text, ret, NULL)) {
        return no_memory(st);
    }
    r->out.variants = r->variants.texts;
    r->out.variant_count = r->variants.count;
    return ALM_OK;
}

static alm_code find_variant(obs_reader *r, const variant_key *key, uint32_t *ret, alm_status *st)
{
    uint32_t number;
    bool is_new;
    alm_str bytes = {(const char *)key, sizeof *key};
    void *table = r->variant_of_key;
    if (!intern(&r->variant_keys, bytes, &number, &is_new) ||
        !alm_arena_grow(r->arena, &table, &r->variant_of_key_cap, (size_t)number + 1,
                        sizeof *r->variant_of_key)) {
        return no_memory(st);
    }
    r->variant_of_key = table;
    if (is_new) {
        ALM_TRY(add_key(r, key, &r->variant_of_key[number], st));
    }
    *ret = r->variant_of_key[number];
    return ALM_OK;
}

static alm_code variant_of(obs_reader *r, const obs_row *row, uint32_t *ret, alm_status *st)
{
    const memo_entry *const *cells = row->cells;
    variant_key key = {.indicator = cells[OBS_INDICATOR]->value.id,
                       .breakdown = cells[OBS_BREAKDOWN]->value.id,
                       .relation = cells[OBS_RELATION]->value.id,
                       .freq = cells[OBS_PERIOD]->value.period.freq,
                       .accumulation = (uint8_t)cells[OBS_ACCUMULATION]->value.accumulation,
                       .measure = (uint8_t)cells[OBS_MEASURE]->value.measure};
    if (r->last_variant == VARIANT_NONE || memcmp(&key, &r->last_key, sizeof key) != 0) {
        ALM_TRY(find_variant(r, &key, &r->last_variant, st));
        r->last_key = key;
    }
    *ret = r->last_variant;
    return ALM_OK;
}

// --- the row ------------------------------------------------------------------------------------

static bool same_value(const alm_obs *a, const alm_obs *b)
{
    const alm_value *x = &a->value;
    const alm_value *y = &b->value;
    return x->has_number == y->has_number && x->number.mantissa == y->number.mantissa &&
           x->number.exponent == y->number.exponent && alm_unit_eq(x->unit, y->unit) &&
           x->qualifier == y->qualifier && x->status == y->status && alm_str_eq(a->note, b->note);
}

// The row at out.count is complete. Counts it in, unless a row before it has said the same cell.
static void keep_or_report(obs_reader *r, const obs_row *row)
{
    size_t at = r->out.count;
    size_t other = cell_index_put(&r->index, r->out.rows, at);
    if (other == at) {
        r->out.count++;
        return;
    }
    if (same_value(&r->out.rows[other], &r->out.rows[at])) {
        r->out.doubled++;
        obs_cells_warning(r->cells, row, OBS_VALUE, "duplicate of row %u",
                          r->out.row_numbers[other]);
        return;
    }
    char value[ALM_VALUE_TEXT_MAX];
    alm_value_format(&r->out.rows[other].value, ALM_LANG_ZH, value);
    obs_cells_defect(r->cells, row, OBS_VALUE,
                     "row %u gives the same cell another value, status or note (%s)",
                     r->out.row_numbers[other], value);
}

static alm_code take_good(obs_reader *r, const obs_row *row, alm_obs obs, alm_status *st)
{
    ALM_TRY(variant_of(r, row, &obs.variant, st));
    if (obs.variant == VARIANT_TOO_LONG) {
        obs_cells_defect(r->cells, row, OBS_BREAKDOWN,
                         "indicator, relation and breakdown together are too long for a series; "
                         "%d bytes is the most",
                         ALM_SERIES_KEY_BYTES_MAX);
        return ALM_OK;
    }
    ALM_ASSERT(r->out.count < r->row_cap);
    obs.place = row->cells[OBS_PLACE]->value.id;
    obs.period = row->cells[OBS_PERIOD]->value.period;
    obs.source = row->cells[OBS_SOURCE]->value.id;
    r->out.rows[r->out.count] = obs;
    r->out.row_numbers[r->out.count] = (uint32_t)row->record->row;
    r->out.records[r->out.count] = row->record->raw;
    keep_or_report(r, row);
    return ALM_OK;
}

alm_code obs_reader_take(obs_reader *r, const csv_record *record, alm_status *st)
{
    obs_row row;
    ALM_TRY(obs_cells_read(r->cells, record, &row, st));
    alm_obs obs = {0};
    check_place(r, &row);
    ALM_TRY(read_value(r, &row, &obs.value, st));
    ALM_TRY(read_note(r, &row, &obs.note, st));
    check_relation(r, &row);
    obs.published = published_on(r, &row);
    return r->cells->report->row_is_bad ? ALM_OK : take_good(r, &row, obs, st);
}
