#include "work.h"

#include "random.h"

#include <stdio.h>

#define DAY_FIRST       500000 // ordinal of batch 0's own period
#define PUBLISHED_FIRST 19723  // batch n publishes n days later
#define DAYS_KEPT       300    // a revision goes at most so many batches back

#define TEXT(literal)                                                                              \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }
const alm_str work_variants[WORK_VARIANT_COUNT] = {
    TEXT("D.gdp.P.level._Z._T"),
    TEXT("D.gdp.P.level._Z.industry=software"),
    TEXT("D.gdp.P.level._Z.industry=retail"),
    TEXT("D.tax.P.level._Z._T"),
    TEXT("D.tax.P.level._Z.industry=software"),
    TEXT("D.tax.P.level._Z.industry=retail"),
};
static const char *const source_codes[WORK_SOURCE_COUNT] = {"bulletin", "yearbook"};

static uint64_t mix_of(uint64_t seed, uint32_t n, uint64_t what)
{
    return crash_mix(crash_mix(seed ^ ((uint64_t)n << 32)) ^ what);
}

// --- rows ----------------------------------------------------------------------------------------

static uint64_t cell_of(uint32_t variant, alm_place_id place, int32_t ordinal)
{
    return (uint64_t)(uint32_t)ordinal << 32 | variant << 16 | place;
}

// Whose note is long: the first cell's of every eighth batch.
static bool has_long_note(uint32_t n, uint32_t variant, alm_place_id place)
{
    return n % 8 == 0 && variant == 0 && place == 0;
}

static void write_note(char *out, uint32_t n, uint64_t mix, bool is_long)
{
    size_t len = 0;
    out[0] = '\0';
    while (is_long && len + WORK_TEXT_MAX < WORK_NOTE_MAX) {
        mix = crash_mix(mix);
        len += (size_t)snprintf(out + len, WORK_TEXT_MAX, "%llx ", (unsigned long long)mix);
    }
    if (!is_long && mix % 4 == 0) {
        snprintf(out, WORK_TEXT_MAX, "批次%u，以年鉴为准 %u", n, (unsigned)(mix >> 8) % 100);
    }
}

// What batch n says about a cell; the note is written to `note`, which has room for it.
static alm_obs row_of(uint64_t seed, uint32_t n, bool withdrawn, uint32_t variant,
                      alm_place_id place, int32_t ordinal, char *note)
{
    uint64_t mix = mix_of(seed, n, cell_of(variant, place, ordinal));
    alm_obs row = {.variant = variant,
                   .place = place,
                   .period = {.freq = ALM_FREQ_DAY, .length = 1, .ordinal = ordinal},
                   .value = {.number = {.mantissa = (int64_t)(mix % 100000000), .exponent = -2},
                             .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
                             .has_number = true},
                   .source = n % 3 < WORK_SOURCE_COUNT ? n % 3 : ALM_SOURCE_NONE,
                   .published = PUBLISHED_FIRST + (alm_date)n};
    if (withdrawn) {
        row.value.number = (alm_decimal){0};
        row.value.has_number = false;
        row.value.status = ALM_OBS_STATUS_WITHDRAWN;
    }
    write_note(note, n, mix, has_long_note(n, variant, place));
    row.note = alm_str_from(note);
    return row;
}

static void add_row(work_item *item, bool withdrawn, uint32_t variant, alm_place_id place,
                    int32_t ordinal)
{
    size_t i = item->batch.obs_count++;
    char *note = has_long_note(item->n, variant, place) ? item->long_note : item->notes[i];
    item->rows[i] = row_of(item->seed, item->n, withdrawn, variant, place, ordinal, note);
}

// Which of a new batch's cells there are: some variants in full.
static bool has_cell(uint64_t seed, uint32_t n, uint32_t variant, alm_place_id place)
{
    uint64_t mix = mix_of(seed, n, 1);
    bool has_variant = (mix >> variant & 1) != 0 || variant == n % WORK_VARIANT_COUNT;
    return has_variant && place <= (mix >> 16) % WORK_PLACE_COUNT;
}

static void set_rows(work_item *item)
{
    item->batch.variants = work_variants;
    item->batch.variant_count = WORK_VARIANT_COUNT;
    item->batch.obs = item->rows;
}

// --- steps ---------------------------------------------------------------------------------------

static void fill_commit(work_item *item)
{
    set_rows(item);
    for (uint32_t v = 0; v < WORK_VARIANT_COUNT; v++) {
        for (alm_place_id p = 0; p < WORK_PLACE_COUNT; p++) {
            if (has_cell(item->seed, item->n, v, p)) {
                add_row(item, false, v, p, DAY_FIRST + (int32_t)item->n);
            }
        }
    }
}

// Some cells of some earlier batch, whatever that one was; where it brought no rows they are new.
static void fill_vintages(work_item *item, bool withdrawn)
{
    uint64_t mix = mix_of(item->seed, item->n, 2);
    uint32_t back = 1 + (uint32_t)(mix % ALM_MIN(item->n + 1, DAYS_KEPT));
    uint32_t of = item->n >= back ? item->n - back : 0;
    set_rows(item);
    for (uint32_t v = 0; v < WORK_VARIANT_COUNT; v++) {
        for (alm_place_id p = 0; p < WORK_PLACE_COUNT; p++) {
            bool is_wanted = (mix_of(item->seed, item->n, 16 + p) & 3) == 0 || (v == 0 && p == 0);
            if (is_wanted && (has_cell(item->seed, of, v, p) || (v == 0 && p == 0))) {
                add_row(item, withdrawn, v, p, DAY_FIRST + (int32_t)of);
            }
        }
    }
}

static void fill_revision(work_item *item)
{
    fill_vintages(item, false);
}

static void fill_withdrawal(work_item *item)
{
    fill_vintages(item, true);
}

static alm_indicator indicator_of(const char *code, alm_str name_en)
{
    return (alm_indicator){.code = alm_str_from(code),
                           .name_zh = ALM_STR("指标"),
                           .name_en = name_en,
                           .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
                           .value_type = ALM_VALUE_TYPE_FLOW,
                           .over_places = ALM_AGGREGATION_SUM,
                           .over_time = ALM_AGGREGATION_SUM};
}

static alm_place place_of(alm_str code, alm_str name)
{
    return (alm_place){.code = code,
                       .name_zh = name,
                       .level = ALM_LEVEL_PROVINCE,
                       .valid_from = ALM_DATE_NONE,
                       .valid_to = ALM_DATE_MAX};
}

static alm_source source_of(alm_str code, alm_str title, int32_t precedence)
{
    return (alm_source){
        .code = code, .title = title, .published = ALM_DATE_NONE, .precedence = precedence};
}

// Renames what is there, changes which source wins, and brings a source of its own.
static void fill_catalog(work_item *item)
{
    snprintf(item->text, sizeof item->text, "as of %u", item->n);
    snprintf(item->code, sizeof item->code, "s%u", item->n);
    alm_str text = alm_str_from(item->text);
    item->indicator = indicator_of("gdp", text);
    item->place = place_of(ALM_STR("10"), text);
    item->sources[0] = source_of(alm_str_from(source_codes[0]), text, (int32_t)(item->n % 5) - 2);
    item->sources[1] = source_of(alm_str_from(item->code), text, 0);
    item->batch.indicators = &item->indicator;
    item->batch.indicator_count = 1;
    item->batch.places = &item->place;
    item->batch.place_count = 1;
    item->batch.sources = item->sources;
    item->batch.source_count = ALM_ARRAY_LEN(item->sources);
}

// A reader beside the writers, which must find everything sound at any moment.
static alm_code run_verify(alm_store *store, const char *dir, const work_item *item, alm_status *st)
{
    alm_verify_result result;
    (void)dir;
    (void)item;
    ALM_TRY(alm_store_verify(store, NULL, NULL, &result, st));
    return result.problems == 0 ? ALM_OK
                                : alm_status_set(st, ALM_DATA_LOSS, "verify found %llu problems",
                                                 (unsigned long long)result.problems);
}

static alm_code run_compact(alm_store *store, const char *dir, const work_item *item,
                            alm_status *st)
{
    (void)dir;
    (void)item;
    return alm_store_compact(store, st);
}

static alm_code count_bytes(void *arg, const void *data, size_t len, alm_status *st)
{
    uint64_t *bytes = arg;
    (void)data;
    (void)st;
    *bytes += len;
    return ALM_OK;
}

static alm_code run_backup(alm_store *store, const char *dir, const work_item *item, alm_status *st)
{
    uint64_t bytes = 0;
    alm_backup_info info;
    alm_backup_sink sink = {.arg = &bytes, .write = count_bytes};
    (void)dir;
    (void)item;
    ALM_TRY(alm_store_backup(store, &sink, &info, st));
    return bytes == info.bytes
               ? ALM_OK
               : alm_status_set(st, ALM_DATA_LOSS, "a backup of %llu bytes says it has %llu",
                                (unsigned long long)bytes, (unsigned long long)info.bytes);
}

static const work_step steps[] = {
    {"commit", 60, fill_commit, NULL},        {"revision", 25, fill_revision, NULL},
    {"withdrawal", 8, fill_withdrawal, NULL}, {"catalogue", 6, fill_catalog, NULL},
    {"verify", 1, NULL, run_verify},          {"compact", 2, NULL, run_compact},
    {"backup", 1, NULL, run_backup},
};

static const work_step *step_of(uint64_t seed, uint32_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < ALM_ARRAY_LEN(steps); i++) {
        sum += steps[i].weight;
    }
    uint64_t at = mix_of(seed, n, 3) % sum;
    size_t i = 0;
    while (at >= steps[i].weight) {
        at -= steps[i++].weight;
    }
    return &steps[i];
}

void work_item_make(work_item *item, uint64_t seed, uint32_t n)
{
    *item = (work_item){.seed = seed, .n = n, .step = step_of(seed, n)};
    snprintf(item->id, sizeof item->id, "batch-%u", n);
    item->batch.id = alm_str_from(item->id);
    item->batch.digest = mix_of(seed, n, 4);
    if (work_is_batch(item)) {
        item->step->fill(item);
    }
}

alm_code work_item_run(const work_item *item, alm_store *store, const char *dir, alm_arena *arena,
                       alm_commit_result *ret, alm_status *st)
{
    return work_is_batch(item) ? alm_store_commit(store, &item->batch, arena, ret, st)
                               : item->step->run(store, dir, item, st);
}

alm_code work_prepare(alm_store *store, alm_status *st)
{
    alm_commit_result result;
    char codes[WORK_PLACE_COUNT][WORK_TEXT_MAX];
    alm_place places[WORK_PLACE_COUNT];
    alm_source sources[WORK_SOURCE_COUNT];
    alm_indicator indicators[] = {indicator_of("gdp", ALM_STR("first")),
                                  indicator_of("tax", ALM_STR("first"))};
    for (unsigned i = 0; i < WORK_PLACE_COUNT; i++) {
        snprintf(codes[i], sizeof codes[i], "%u", 10 + i);
        places[i] = place_of(alm_str_from(codes[i]), ALM_STR("first"));
    }
    for (size_t i = 0; i < WORK_SOURCE_COUNT; i++) {
        sources[i] = source_of(alm_str_from(source_codes[i]), ALM_STR("first"), 0);
    }
    alm_batch batch = {.id = ALM_STR("first"),
                       .indicators = indicators,
                       .indicator_count = ALM_ARRAY_LEN(indicators),
                       .places = places,
                       .place_count = WORK_PLACE_COUNT,
                       .sources = sources,
                       .source_count = WORK_SOURCE_COUNT};
    alm_arena *arena = alm_arena_create(0);
    if (arena == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory");
    }
    alm_code code = alm_store_commit(store, &batch, arena, &result, st);
    alm_arena_destroy(&arena);
    return code;
}

// --- judging -------------------------------------------------------------------------------------

uint32_t work_batch_of(const alm_obs *row)
{
    return row->published < PUBLISHED_FIRST ? UINT32_MAX
                                            : (uint32_t)(row->published - PUBLISHED_FIRST);
}

uint32_t work_day_of(const alm_obs *row)
{
    return row->period.ordinal < DAY_FIRST ? UINT32_MAX
                                           : (uint32_t)(row->period.ordinal - DAY_FIRST);
}

uint32_t work_variant_of(alm_str text)
{
    uint32_t i = 0;
    while (i < WORK_VARIANT_COUNT && !alm_str_eq(text, work_variants[i])) {
        i++;
    }
    return i;
}

const char *work_row_defect(uint64_t seed, uint32_t variant, const alm_obs *row)
{
    char note[WORK_NOTE_MAX];
    uint32_t n = work_batch_of(row);
    if (n == UINT32_MAX || variant >= WORK_VARIANT_COUNT || row->place >= WORK_PLACE_COUNT) {
        return "a row that nobody wrote";
    }
    bool withdrawn = step_of(seed, n)->fill == fill_withdrawal;
    alm_obs want = row_of(seed, n, withdrawn, variant, row->place, row->period.ordinal, note);
    const alm_value *v = &row->value;
    if (v->number.mantissa != want.value.number.mantissa ||
        v->number.exponent != want.value.number.exponent ||
        v->has_number != want.value.has_number || v->status != want.value.status ||
        v->qualifier != want.value.qualifier || !alm_unit_eq(v->unit, want.value.unit)) {
        return "another value";
    }
    if (row->period.freq != ALM_FREQ_DAY || row->period.length != 1) {
        return "another period";
    }
    if (row->source != want.source) {
        return "another source";
    }
    return alm_str_eq(row->note, want.note) ? "" : "another note";
}

uint64_t work_cell_mark(uint32_t variant, const alm_obs *row)
{
    return crash_mix(cell_of(variant, row->place, row->period.ordinal));
}

static uint32_t number_after(alm_str text, alm_str prefix)
{
    int64_t number;
    if (!alm_str_starts_with(text, prefix) ||
        !alm_str_to_i64(alm_str_slice(text, prefix.len, text.len), &number) || number < 0 ||
        number >= UINT32_MAX) {
        return UINT32_MAX;
    }
    return (uint32_t)number;
}

uint32_t work_batch_of_source(alm_str code)
{
    return number_after(code, ALM_STR("s"));
}

uint32_t work_batch_of_id(alm_str id)
{
    return number_after(id, ALM_STR("batch-"));
}
