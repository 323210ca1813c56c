// What the stores of older formats that are kept here were filled with, and a store as text. It
// compiles against the storage module of commit a0988e3 (format 1) as well, which made them:
// README.md says how.
#ifndef ALM_TESTS_UPGRADE_SAMPLE_H
#define ALM_TESTS_UPGRADE_SAMPLE_H

#include "store_fixture.h"

#define SAMPLE_BATCH_COUNT 10
#define SAMPLE_TOWN_COUNT  8300 // more than a slice's chunk of format 1 had places
#define SAMPLE_FIRST_TOWN  6

static const alm_str sample_variants[] = {{"A.gdp.P.level._Z._T", 19},
                                          {"A.gdp.P.level._Z.industry=software", 34},
                                          {"A.tax.P.level._Z._T", 19},
                                          {"M.tax.C.level._Z._T", 19},
                                          {"A.pop.P.level._Z._T", 19}};

typedef struct sample_rows {
    alm_obs *rows;
    size_t count;
} sample_rows;

static inline uint64_t sample_mix(uint64_t a, uint64_t b)
{
    uint64_t v = (a + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ (b + 7) * UINT64_C(0xd6e8feb86659fd93);
    v ^= v >> 32;
    return v * UINT64_C(0xd6e8feb86659fd93) >> 20;
}

static inline char *sample_text(fixture *f, const char *fmt, ...) ALM_PRINTF(2, 3);

static inline char *sample_text(fixture *f, const char *fmt, ...)
{
    char buf[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(buf, sizeof buf, fmt, args);
    va_end(args);
    char *copy = alm_arena_strdup(f->arena, alm_str_from(buf));
    assert_non_null(copy);
    return copy;
}

static inline alm_obs *sample_add(sample_rows *out, alm_obs row)
{
    out->rows[out->count] = row;
    return &out->rows[out->count++];
}

// --- entries -------------------------------------------------------------------------------------

static inline void sample_catalog(fixture *f, alm_batch *batch)
{
    static alm_str aliases[] = {{"长宁", 6}, {"Changning", 9}};
    static alm_str successors[] = {{"310101", 6}, {"310105", 6}};
    alm_indicator *indicators = alm_arena_calloc(f->arena, 3, sizeof *indicators);
    alm_place *places = alm_arena_calloc(f->arena, SAMPLE_FIRST_TOWN, sizeof *places);
    alm_source *sources = alm_arena_calloc(f->arena, 3, sizeof *sources);
    indicators[0] = an_indicator("gdp");
    indicators[0].definition = text("按市场价格计算的地区生产活动最终成果");
    indicators[1] = an_indicator("tax");
    indicators[2] = an_indicator("pop");
    indicators[2].value_type = ALM_VALUE_TYPE_STOCK;
    indicators[2].over_time = ALM_AGGREGATION_NONE;
    places[0] = a_place("31", ALM_LEVEL_PROVINCE, "");
    places[1] = a_place("3101", ALM_LEVEL_CITY, "31");
    places[2] = a_place("310101", ALM_LEVEL_DISTRICT, "3101");
    places[3] = a_place("310105", ALM_LEVEL_DISTRICT, "3101");
    places[3].aliases = aliases;
    places[3].alias_count = 2;
    places[4] = a_place("310103", ALM_LEVEL_DISTRICT, "3101");
    places[4].valid_from = -3000;
    places[4].valid_to = 15000;
    places[4].successors = successors;
    places[4].successor_count = 2;
    places[5] = a_place("L310105001", ALM_LEVEL_LOCAL, "310105");
    sources[0] = a_source("bulletin", 0);
    sources[1] = a_source("yearbook", 10);
    sources[2] = a_source("report", -5);
    sources[2].publisher = text("统计局");
    sources[2].address = text("https://example.org/report");
    *batch = (alm_batch){.indicators = indicators,
                         .indicator_count = 3,
                         .places = places,
                         .place_count = SAMPLE_FIRST_TOWN,
                         .sources = sources,
                         .source_count = 3};
}

static inline void sample_towns(fixture *f, alm_batch *batch)
{
    alm_place *places = alm_arena_calloc(f->arena, SAMPLE_TOWN_COUNT, sizeof *places);
    for (unsigned i = 0; i < SAMPLE_TOWN_COUNT; i++) {
        places[i] = a_place(sample_text(f, "310105%05u", i), ALM_LEVEL_TOWN, "310105");
    }
    *batch = (alm_batch){.places = places, .place_count = SAMPLE_TOWN_COUNT};
}

// The bulletin comes to weigh more than the yearbook; a place ends and gets successors.
static inline void sample_changes(fixture *f, alm_batch *batch)
{
    static alm_str successors[] = {{"310105", 6}};
    alm_place *place = alm_arena_calloc(f->arena, 1, sizeof *place);
    alm_source *source = alm_arena_calloc(f->arena, 1, sizeof *source);
    *source = a_source("bulletin", 20);
    *place = a_place("L310105001", ALM_LEVEL_LOCAL, "310105");
    place->valid_to = 19000;
    place->successors = successors;
    place->successor_count = 1;
    *batch = (alm_batch){.places = place, .place_count = 1, .sources = source, .source_count = 1};
}

// --- rows ----------------------------------------------------------------------------------------

static inline void sample_years(fixture *f, sample_rows *out, int day)
{
    for (int year = 1960; year < 2024; year++) {
        for (unsigned i = 0; i < 12; i++) {
            uint64_t v = sample_mix((uint64_t)year, i);
            if (day > 1 && v % 5 != 0) {
                continue; // a revision of some
            }
            alm_obs row = a_row(i % 3, i / 3, year, (int64_t)(v % 10000000) + day, day);
            row.source = (uint32_t)(v % 4) == 3 ? ALM_SOURCE_NONE : (uint32_t)(v % 4);
            row.note = v % 7 == 0
                           ? text(sample_text(f, "第%u版，%u年公报", (unsigned)day, (unsigned)year))
                           : (alm_str){0};
            sample_add(out, row);
        }
    }
}

static inline void sample_months(sample_rows *out)
{
    for (int month = 0; month < 48; month++) {
        for (unsigned place = 1; place < 5; place++) {
            alm_obs *row =
                sample_add(out, a_row(3, place, 0,
                                      (int64_t)(sample_mix((uint64_t)month, place) % 1000000), 3));
            row->period =
                (alm_period){.freq = ALM_FREQ_MONTH, .length = 1, .ordinal = 2020 * 12 + month};
        }
    }
}

static inline void sample_dense(sample_rows *out, unsigned step, int day, uint32_t source)
{
    for (int year = 2020; year < 2022; year++) {
        for (unsigned i = 0; i < SAMPLE_TOWN_COUNT; i += step) {
            alm_obs *row = sample_add(out, a_row(4, SAMPLE_FIRST_TOWN + i, year,
                                                 (int64_t)(i * 7 % 5000) + year + day * 3, day));
            row->value.number.exponent = 0;
            row->source = source;
        }
    }
}

// All qualifiers and statuses, digits of all lengths.
static inline void sample_odd(sample_rows *out)
{
    static const int64_t digits[] = {0, 1, -1, 12345678901234567, -999999999999999999, 10};
    for (unsigned i = 0; i < 40; i++) {
        alm_obs *row = sample_add(out, a_row(1, 5, 1900 + (int)i, digits[i % 6], 5));
        row->value.number.exponent = (int8_t)((int)(i % 9) - 5);
        row->value.qualifier = (alm_qualifier)(i % ALM_QUALIFIER_COUNT);
        row->value.status = (alm_obs_status)(i % ALM_OBS_STATUS_WITHDRAWN);
        row->value.has_number = row->value.status < ALM_OBS_STATUS_MISSING;
        if (!row->value.has_number) {
            row->value.number = (alm_decimal){0};
            row->value.qualifier = ALM_QUALIFIER_EXACT;
        }
    }
}

static inline void sample_withdrawals(sample_rows *out)
{
    for (int year = 1970; year < 1990; year++) {
        sample_add(out, a_withdrawal(a_row(0, (unsigned)year % 4, year, 0, 1), 40));
    }
}

static inline void sample_quarantine(alm_batch *batch)
{
    static alm_quarantined rows[3];
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        rows[i] = (alm_quarantined){.file_name = text("公报.csv"),
                                    .row = 10 + i,
                                    .column = (uint32_t)i,
                                    .field = text("value"),
                                    .reason = text("not a number"),
                                    .record = text("310105,2023,一百多")};
    }
    batch->quarantine = rows;
    batch->quarantine_count = ALM_ARRAY_LEN(rows);
}

// --- batches -------------------------------------------------------------------------------------

static inline void sample_fill(fixture *f, unsigned number, sample_rows *rows, alm_batch *batch)
{
    switch (number) {
    case 0:
        sample_catalog(f, batch);
        break;
    case 1:
        sample_towns(f, batch);
        break;
    case 2:
        sample_years(f, rows, 1);
        break;
    case 3:
        sample_years(f, rows, 2); // revisions
        break;
    case 4:
        sample_months(rows);
        break;
    case 5:
        sample_dense(rows, 1, 1, 0);
        break;
    case 6:
        sample_dense(rows, 9, 2, 1);
        break;
    case 7: // nothing new, a conflict, and what could not be taken
        sample_months(rows);
        rows->rows[0].value.number.mantissa++;
        sample_quarantine(batch);
        break;
    case 8:
        sample_changes(f, batch);
        sample_odd(rows);
        break;
    default:
        sample_withdrawals(rows);
        break;
    }
}

static inline alm_batch sample_batch(fixture *f, unsigned number)
{
    alm_batch batch = {0};
    sample_rows rows = {.rows = alm_arena_calloc(f->arena, 20000, sizeof(alm_obs))};
    assert_non_null(rows.rows);
    sample_fill(f, number, &rows, &batch);
    batch.id = text(sample_text(f, "sample-%u", number));
    batch.digest = 1000 + number;
    batch.variants = sample_variants;
    batch.variant_count = ALM_ARRAY_LEN(sample_variants);
    batch.obs = rows.rows;
    batch.obs_count = rows.count;
    return batch;
}

static inline void sample_print_result(FILE *out, unsigned number, const alm_commit_result *r)
{
    fprintf(
        out,
        "batch %u sequence=%llu added=%llu revised=%llu unchanged=%llu catalog=%llu,%llu,%llu\n",
        number, (unsigned long long)r->sequence, (unsigned long long)r->added,
        (unsigned long long)r->revised, (unsigned long long)r->unchanged,
        (unsigned long long)r->catalog_added, (unsigned long long)r->catalog_changed,
        (unsigned long long)r->catalog_unchanged);
    for (size_t i = 0; i < r->conflict_count; i++) {
        fprintf(out, "  conflict row=%zu %.*s\n", r->conflicts[i].row,
                ALM_STR_ARGS(r->conflicts[i].reason));
    }
}

// Commits every batch, or asks for the answers again, and prints the answers.
static inline void sample_commit(fixture *f, FILE *out)
{
    for (unsigned i = 0; i < SAMPLE_BATCH_COUNT; i++) {
        alm_commit_result result;
        ASSERT_OK(f, try_commit(f, sample_batch(f, i), &result));
        sample_print_result(out, i, &result);
    }
}

// --- a store as text -----------------------------------------------------------------------------

// Long lists are printed as their first lines, and the number and a hash of all.
typedef struct dump_list {
    FILE *out;
    const char *name;
    uint64_t count, hash;
} dump_list;

#define DUMP_LINE_COUNT 40

static inline void dump_line(dump_list *list, const char *fmt, ...) ALM_PRINTF(2, 3);

static inline void dump_line(dump_list *list, const char *fmt, ...)
{
    static char line[16384];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    for (int i = 0; i < len && i < (int)sizeof line - 1; i++) {
        list->hash = (list->hash ^ (uint8_t)line[i]) * UINT64_C(0x100000001b3); // FNV-1a
    }
    if (list->count++ < DUMP_LINE_COUNT) {
        fprintf(list->out, "%s %s\n", list->name, line);
    }
}

static inline dump_list dump_begin(FILE *out, const char *name)
{
    return (dump_list){.out = out, .name = name, .hash = UINT64_C(0xcbf29ce484222325)};
}

static inline void dump_end(dump_list *list)
{
    fprintf(list->out, "%s: %llu lines, hash %016llx\n", list->name,
            (unsigned long long)list->count, (unsigned long long)list->hash);
}

static inline void dump_row(dump_list *list, alm_str variant, const alm_obs *row)
{
    char period[ALM_PERIOD_TEXT_MAX];
    alm_period_format(row->period, period);
    dump_line(
        list, "%.*s %u %s %llde%d unit=%u,%d q=%d s=%d n=%d source=%d published=%d seq=%llu %.*s",
        ALM_STR_ARGS(variant), row->place, period, (long long)row->value.number.mantissa,
        row->value.number.exponent, row->value.unit.measure, row->value.unit.mult,
        (int)row->value.qualifier, (int)row->value.status, row->value.has_number, (int)row->source,
        row->published, (unsigned long long)row->sequence, ALM_STR_ARGS(row->note));
}

static inline alm_code dump_rows(void *arg, alm_str variant, const alm_obs_columns *rows,
                                 alm_status *st)
{
    (void)st;
    for (size_t i = 0; i < rows->count; i++) {
        const alm_obs row = alm_obs_at(rows, i);
        dump_row(arg, variant, &row);
    }
    return ALM_OK;
}

static inline void dump_read(fixture *f, FILE *out, const char *name, alm_read read)
{
    uint64_t sequence;
    dump_list list = dump_begin(out, name);
    ASSERT_OK(f, alm_store_read(f->store, &read, dump_rows, &list, &sequence, &f->st));
    dump_end(&list);
}

static inline alm_code dump_indicator(void *arg, uint32_t id, const alm_indicator *e,
                                      alm_status *st)
{
    (void)st;
    dump_line(arg, "indicator %u %.*s %.*s %.*s unit=%u,%d %d %d %d %d %.*s aliases=%zu", id,
              ALM_STR_ARGS(e->code), ALM_STR_ARGS(e->name_zh), ALM_STR_ARGS(e->name_en),
              e->unit.measure, e->unit.mult, (int)e->value_type, (int)e->over_places,
              (int)e->over_time, (int)e->direction, ALM_STR_ARGS(e->definition), e->alias_count);
    return ALM_OK;
}

static inline alm_code dump_place(void *arg, alm_place_id id, const alm_place *e, alm_status *st)
{
    alm_str none = {0};
    (void)st;
    dump_line(arg, "place %u %.*s %.*s %d %.*s %d..%d successors=%zu %.*s aliases=%zu %.*s", id,
              ALM_STR_ARGS(e->code), ALM_STR_ARGS(e->name_zh), (int)e->level,
              ALM_STR_ARGS(e->parent), e->valid_from, e->valid_to, e->successor_count,
              ALM_STR_ARGS(e->successor_count > 0 ? e->successors[0] : none), e->alias_count,
              ALM_STR_ARGS(e->alias_count > 0 ? e->aliases[0] : none));
    return ALM_OK;
}

static inline alm_code dump_source(void *arg, uint32_t id, const alm_source *e, alm_status *st)
{
    (void)st;
    dump_line(arg, "source %u %.*s %.*s %.*s %d %.*s %d %.*s", id, ALM_STR_ARGS(e->code),
              ALM_STR_ARGS(e->title), ALM_STR_ARGS(e->publisher), e->published,
              ALM_STR_ARGS(e->address), e->precedence, ALM_STR_ARGS(e->note));
    return ALM_OK;
}

// Lines of series, by text: formats visit them in orders of their own.
#define SERIES_LINE_COUNT 64
typedef struct series_lines {
    char lines[SERIES_LINE_COUNT][200];
    size_t count;
} series_lines;

static inline alm_code take_series(void *arg, const alm_series_info *info, alm_status *st)
{
    series_lines *list = arg;
    char first[ALM_PERIOD_TEXT_MAX];
    char last[ALM_PERIOD_TEXT_MAX];
    (void)st;
    assert_true(list->count < SERIES_LINE_COUNT);
    alm_period_format(info->first, first);
    alm_period_format(info->last, last);
    snprintf(list->lines[list->count++], sizeof list->lines[0],
             "%.*s places=%llu cells=%llu %s..%s", ALM_STR_ARGS(info->variant),
             (unsigned long long)info->place_count, (unsigned long long)info->cell_count, first,
             last);
    return ALM_OK;
}

static inline int series_line_cmp(const void *a, const void *b)
{
    return strcmp(a, b);
}

static inline void dump_series(fixture *f, FILE *out)
{
    static series_lines list;
    dump_list series = dump_begin(out, "series");
    list.count = 0;
    ASSERT_OK(f, alm_store_visit_series(f->store, take_series, &list, &f->st));
    qsort(list.lines, list.count, sizeof list.lines[0], series_line_cmp);
    for (size_t i = 0; i < list.count; i++) {
        dump_line(&series, "%s", list.lines[i]);
    }
    dump_end(&series);
}

static inline alm_code dump_quarantined(void *arg, const alm_quarantined *row, alm_status *st)
{
    (void)st;
    dump_line(arg, "%.*s %.*s %llu %u %.*s %.*s %.*s %lld", ALM_STR_ARGS(row->batch_id),
              ALM_STR_ARGS(row->file_name), (unsigned long long)row->row, row->column,
              ALM_STR_ARGS(row->field), ALM_STR_ARGS(row->reason), ALM_STR_ARGS(row->record),
              (long long)row->at_us);
    return ALM_OK;
}

static inline void dump_change(dump_list *list, const alm_change *change)
{
    dump_line(list, "%llu %.*s %lld added=%llu revised=%llu catalog=%d variants=%zu rows=%zu",
              (unsigned long long)change->sequence, ALM_STR_ARGS(change->batch_id),
              (long long)change->at_us, (unsigned long long)change->added,
              (unsigned long long)change->revised, change->catalog_changed, change->variant_count,
              change->obs_count);
    for (size_t i = 0; i < change->obs_count; i++) {
        dump_row(list, change->variants[change->obs[i].variant], &change->obs[i]);
    }
}

static inline void dump_feed(fixture *f, FILE *out, uint64_t sequence)
{
    dump_list list = dump_begin(out, "change");
    for (uint64_t i = 1; i <= sequence; i++) {
        alm_change change;
        ASSERT_OK(f, alm_store_change(f->store, i, f->arena, &change, &f->st));
        dump_change(&list, &change);
    }
    dump_end(&list);
}

static inline void dump_catalog(fixture *f, FILE *out)
{
    uint64_t sequence;
    dump_list list = dump_begin(out, "catalog");
    alm_catalog_visitor visitor = {
        .arg = &list, .indicator = dump_indicator, .place = dump_place, .source = dump_source};
    ASSERT_OK(f, alm_store_visit_catalog(f->store, &visitor, &sequence, &f->st));
    dump_end(&list);
    fprintf(out, "catalog sequence %llu\n", (unsigned long long)sequence);
}

// Everything that a store answers.
static inline void sample_dump(fixture *f, FILE *out)
{
    alm_store_stats stats;
    alm_read read = read_all();
    dump_list quarantine = dump_begin(out, "quarantine");
    dump_catalog(f, out);
    dump_series(f, out);
    ASSERT_OK(f, alm_store_visit_quarantine(f->store, dump_quarantined, &quarantine, &f->st));
    dump_end(&quarantine);
    dump_read(f, out, "current", read);
    read.as_of = 19723 + 1;
    dump_read(f, out, "as_of", read);
    read.as_of = ALM_DATE_MAX;
    read.at_sequence = 6;
    dump_read(f, out, "at_sequence", read);
    read.at_sequence = 0;
    read.last = 3;
    dump_read(f, out, "last", read);
    read.last = 0;
    read.all_vintages = true;
    dump_read(f, out, "vintages", read);
    ASSERT_OK(f, alm_store_stats_get(f->store, &stats, &f->st));
    fprintf(out,
            "stats sequence=%llu observations=%llu cells=%llu variants=%llu quarantined=%llu\n",
            (unsigned long long)stats.sequence, (unsigned long long)stats.observations,
            (unsigned long long)stats.cells, (unsigned long long)stats.series_variants,
            (unsigned long long)stats.quarantined);
    dump_feed(f, out, stats.sequence);
}

#endif
