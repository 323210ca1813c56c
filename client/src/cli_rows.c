#include "cli_rows.h"

#include "cli_cell.h"
#include "cli_pace.h"
#include "cli_table.h"
#include "cli_targets.h"
#include "value_text.h"

#include <inttypes.h>
#include <math.h>

// --- table ---------------------------------------------------------------------------------------

typedef enum row_column {
    COLUMN_INDICATOR,
    COLUMN_PLACE,
    COLUMN_PERIOD,
    COLUMN_MEASURE,
    COLUMN_ACCUMULATION,
    COLUMN_BREAKDOWN,
    COLUMN_RELATION,
    COLUMN_VALUE,
    COLUMN_UNIT,
    COLUMN_ORIGIN,
    COLUMN_STATUS,
    COLUMN_MEMBERS,
    COLUMN_SOURCE,
    COLUMN_PUBLISHED,
    COLUMN_NOTE,
    COLUMN_COUNT
} row_column;

static const cli_column columns_zh[COLUMN_COUNT] = {
    [COLUMN_INDICATOR] = {.title = "指标", .shrinks = true, .keeps = true},
    [COLUMN_PLACE] = {.title = "地区", .keeps = true},
    [COLUMN_PERIOD] = {.title = "时期", .keeps = true},
    [COLUMN_MEASURE] = {.title = "口径", .shrinks = true},
    [COLUMN_ACCUMULATION] = {.title = "累计"},
    [COLUMN_BREAKDOWN] = {.title = "分组", .shrinks = true},
    [COLUMN_RELATION] = {.title = "相对于", .shrinks = true},
    [COLUMN_VALUE] = {.title = "数值", .right = true, .keeps = true},
    [COLUMN_UNIT] = {.title = "单位", .close = true},
    [COLUMN_ORIGIN] = {.title = "推算"},
    [COLUMN_STATUS] = {.title = "状态"},
    [COLUMN_MEMBERS] = {.title = "成员", .right = true},
    [COLUMN_SOURCE] = {.title = "来源", .shrinks = true},
    [COLUMN_PUBLISHED] = {.title = "发布"},
    [COLUMN_NOTE] = {.title = "说明", .shrinks = true},
};

static const cli_column columns_en[COLUMN_COUNT] = {
    [COLUMN_INDICATOR] = {.title = "Indicator", .shrinks = true, .keeps = true},
    [COLUMN_PLACE] = {.title = "Place", .keeps = true},
    [COLUMN_PERIOD] = {.title = "Period", .keeps = true},
    [COLUMN_MEASURE] = {.title = "Measure", .shrinks = true},
    [COLUMN_ACCUMULATION] = {.title = "Over"},
    [COLUMN_BREAKDOWN] = {.title = "Breakdown", .shrinks = true},
    [COLUMN_RELATION] = {.title = "Of", .shrinks = true},
    [COLUMN_VALUE] = {.title = "Value", .right = true, .keeps = true},
    [COLUMN_UNIT] = {.title = "Unit", .close = true},
    [COLUMN_ORIGIN] = {.title = "Origin"},
    [COLUMN_STATUS] = {.title = "Status"},
    [COLUMN_MEMBERS] = {.title = "Members", .right = true},
    [COLUMN_SOURCE] = {.title = "Source", .shrinks = true},
    [COLUMN_PUBLISHED] = {.title = "Published"},
    [COLUMN_NOTE] = {.title = "Note", .shrinks = true},
};

const char *cli_row_status(cli *self, const almanac_row *row)
{
    return row->status == 'A' ? ""
                              : alm_arena_printf(self->arena, "%c %s", row->status,
                                                 almanac_status_label(row->status, self->lang));
}

// "14/16": members that are there, of those there should be.
static const char *members_text(cli *self, const almanac_row *row)
{
    bool has_members = row->of_count > 0 || row->of_expected > 0;
    return has_members ? alm_arena_printf(self->arena, "%" PRIu32 "/%" PRIu32, row->of_count,
                                          row->of_expected)
                       : "";
}

static const char *note_text(cli *self, const almanac_row *row)
{
    bool has_both = row->reason[0] != '\0' && row->note[0] != '\0';
    return has_both ? alm_arena_printf(self->arena, "%s; %s", row->reason, row->note)
           : row->reason[0] != '\0' ? row->reason
                                    : row->note;
}

// What was computed, unless the measure says it: growth_yoy of pc1 alone.
static const char *origin_text(cli *self, const almanac_row *row)
{
    static const char *const told[] = {"level", "count_of_change", "cumulative_level"};
    bool is_told = true;
    for (size_t i = 0; i < ALM_ARRAY_LEN(told); i++) {
        is_told &= strcmp(row->measure, told[i]) != 0;
    }
    if (row->origin != ALMANAC_COMPUTED) {
        return "";
    }
    bool says_words = row->transform[0] != '\0' && strcmp(row->transform, "rollup") != 0 &&
                      (!is_told || strchr(row->transform, ' ') != NULL);
    return says_words ? row->transform : cli_say(self, "推算", "computed");
}

static void add_row(cli *self, cli_table *table, const almanac_row *row, const cli_names *names)
{
    char number[ALMANAC_VALUE_TEXT_MAX];
    char unit[ALM_UNIT_HALF_MAX];
    alm_value_halves(row, self->lang, number, unit);
    bool is_level = strcmp(row->measure, "level") == 0;
    bool is_cumulative = strcmp(row->accumulation, "C") == 0;
    const char *cells[COLUMN_COUNT] = {
        [COLUMN_INDICATOR] = cli_indicator_name(names, row->indicator),
        [COLUMN_PLACE] = cli_place_name(names, row->place),
        [COLUMN_PERIOD] = row->period,
        [COLUMN_MEASURE] = is_level ? "" : almanac_measure_label(row->measure, self->lang),
        [COLUMN_ACCUMULATION] = is_cumulative ? cli_say(self, "年初至今", "year to date") : "",
        [COLUMN_BREAKDOWN] = row->breakdown,
        [COLUMN_RELATION] = cli_relation_text(self, names, row->relation),
        [COLUMN_VALUE] = number,
        [COLUMN_UNIT] = unit,
        [COLUMN_ORIGIN] = origin_text(self, row),
        [COLUMN_STATUS] = cli_row_status(self, row),
        [COLUMN_MEMBERS] = members_text(self, row),
        [COLUMN_SOURCE] = row->source,
        [COLUMN_PUBLISHED] = row->published,
        [COLUMN_NOTE] = note_text(self, row),
    };
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        cli_table_cell(table, cells[i]);
    }
}

// --- sparklines ----------------------------------------------------------------------------------

#define SPARK_PERIOD_MIN 3
#define SPARK_SERIES_MAX 20

static bool is_same_series(const almanac_row *a, const almanac_row *b)
{
    return strcmp(a->indicator, b->indicator) == 0 && strcmp(a->place, b->place) == 0 &&
           strcmp(a->measure, b->measure) == 0 && strcmp(a->accumulation, b->accumulation) == 0 &&
           strcmp(a->breakdown, b->breakdown) == 0 && strcmp(a->relation, b->relation) == 0 &&
           strcmp(a->unit, b->unit) == 0 && strlen(a->period) == strlen(b->period);
}

double cli_row_double(const almanac_row *row)
{
    return row->has_number ? (double)row->mantissa * pow(10.0, row->exponent) : (double)NAN;
}

static void add_spark(cli *self, cli_table *table, const almanac_row *rows, size_t count,
                      const cli_names *names)
{
    double *values = alm_arena_calloc(self->arena, count, sizeof *values);
    if (values == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        values[i] = cli_row_double(&rows[i]);
    }
    const almanac_row *first = &rows[0], *last = &rows[count - 1];
    cli_table_cell(table,
                   alm_arena_printf(self->arena, "%s %s %s", cli_place_name(names, first->place),
                                    cli_indicator_name(names, first->indicator), first->breakdown));
    cli_table_cell(table, cli_spark(self->arena, values, count));
    cli_table_cell(table, alm_arena_printf(self->arena, "%s – %s", first->period, last->period));
}

// A line for each run of rows of one series.
static bool print_sparks(cli *self, const almanac_row *rows, size_t count, const cli_names *names)
{
    const cli_column columns[] = {{.title = cli_say(self, "序列", "Series")},
                                  {.title = cli_say(self, "走势", "Trend")},
                                  {.title = cli_say(self, "时期", "Periods")}};
    cli_table *table = cli_table_create(self->arena, columns, ALM_ARRAY_LEN(columns));
    if (table == NULL) {
        return false;
    }
    for (size_t from = 0, to = 0; from < count && cli_table_rows(table) < SPARK_SERIES_MAX;
         from = to) {
        for (to = from + 1; to < count && is_same_series(&rows[from], &rows[to]); to++) {}
        if (to - from >= SPARK_PERIOD_MIN) {
            add_spark(self, table, &rows[from], to - from, names);
        }
    }
    if (cli_table_rows(table) == 0) {
        return true;
    }
    fputc('\n', self->out);
    return cli_table_print(table, self->out, self->columns, self->color);
}

bool cli_rows_table(cli *self, const almanac_row *rows, size_t count, const cli_names *names,
                    bool with_spark)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].pace != NULL) {
            return cli_targets_table(self, rows, count, names);
        }
    }
    const cli_column *columns = self->lang == ALMANAC_ZH ? columns_zh : columns_en;
    cli_table *table = cli_table_create(self->arena, columns, COLUMN_COUNT);
    for (size_t i = 0; i < count; i++) {
        add_row(self, table, &rows[i], names);
    }
    if (!cli_table_print(table, self->out, self->columns, self->color)) {
        return false;
    }
    return !with_spark || !self->out_is_terminal || print_sparks(self, rows, count, names);
}

// --- CSV and JSON --------------------------------------------------------------------------------

void cli_rows_csv_header(cli_csv *csv, bool with_pace)
{
    static const char *const titles[] = {
        "indicator", "place",  "period",   "measure",   "accumulation", "breakdown",
        "relation",  "value",  "unit",     "qualifier", "status",       "lower",
        "upper",     "origin", "source",   "published", "of_count",     "of_expected",
        "reason",    "note",   "sequence", "transform",
    };
    for (size_t i = 0; i < ALM_ARRAY_LEN(titles); i++) {
        cli_csv_raw(csv, titles[i]);
    }
    if (with_pace) {
        cli_pace_csv_header(csv);
    }
    cli_csv_end(csv);
}

static const char *origin_code(const almanac_row *row)
{
    return row->origin == ALMANAC_COMPUTED ? "computed" : "published";
}

static void number_text(const almanac_row *row, char *out)
{
    out[0] = '\0';
    if (row->has_number) {
        almanac_number_text(row->mantissa, row->exponent, '\0', out);
    }
}

void cli_row_csv(cli_csv *csv, const almanac_row *row, bool with_pace)
{
    char number[ALMANAC_NUMBER_TEXT_MAX];
    const char status[] = {row->status, '\0'};
    number_text(row, number);
    cli_csv_text(csv, row->indicator);
    cli_csv_text(csv, row->place);
    cli_csv_text(csv, row->period);
    cli_csv_text(csv, row->measure);
    cli_csv_text(csv, row->accumulation);
    cli_csv_text(csv, row->breakdown);
    cli_csv_text(csv, row->relation);
    cli_csv_raw(csv, number);
    cli_csv_text(csv, row->unit);
    cli_csv_raw(csv, almanac_qualifier_code(row->qualifier));
    cli_csv_raw(csv, status);
    cli_csv_double(csv, row->lower);
    cli_csv_double(csv, row->upper);
    cli_csv_raw(csv, origin_code(row));
    cli_csv_text(csv, row->source);
    cli_csv_text(csv, row->published);
    cli_csv_u64(csv, row->of_count);
    cli_csv_u64(csv, row->of_expected);
    cli_csv_text(csv, row->reason);
    cli_csv_text(csv, row->note);
    cli_csv_u64(csv, row->sequence);
    cli_csv_text(csv, row->transform);
    if (with_pace) {
        cli_pace_csv(csv, row->pace);
    }
    cli_csv_end(csv);
}

void cli_row_json(cli_json *json, const almanac_row *row)
{
    char number[ALMANAC_NUMBER_TEXT_MAX];
    const char status[] = {row->status, '\0'};
    number_text(row, number);
    cli_json_object(json, NULL);
    cli_json_text(json, "indicator", row->indicator);
    cli_json_text(json, "place", row->place);
    cli_json_text(json, "period", row->period);
    cli_json_text(json, "measure", row->measure);
    cli_json_text(json, "accumulation", row->accumulation);
    cli_json_text(json, "breakdown", row->breakdown);
    cli_json_text(json, "relation", row->relation);
    cli_json_number(json, "value", row->has_number ? number : "null");
    cli_json_text(json, "unit", row->unit);
    cli_json_text(json, "qualifier", almanac_qualifier_code(row->qualifier));
    cli_json_text(json, "status", status);
    cli_json_double(json, "lower", row->lower);
    cli_json_double(json, "upper", row->upper);
    cli_json_text(json, "origin", origin_code(row));
    cli_json_text(json, "source", row->source);
    cli_json_text(json, "published", row->published);
    cli_json_u64(json, "of_count", row->of_count);
    cli_json_u64(json, "of_expected", row->of_expected);
    cli_json_text(json, "reason", row->reason);
    cli_json_text(json, "note", row->note);
    cli_json_u64(json, "sequence", row->sequence);
    cli_json_text(json, "transform", row->transform);
    if (row->pace != NULL) {
        cli_pace_json(json, row->pace);
    }
    cli_json_end_object(json);
}

// --- errors --------------------------------------------------------------------------------------

int cli_say_item_errors(cli *self, const almanac_item_error *errors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(self->err, "almanac: %s: %s\n", errors[i].item, errors[i].message);
    }
    return count > 0 ? almanac_code_exit(errors[0].code) : 0;
}

void cli_json_item_errors(cli_json *json, const almanac_item_error *errors, size_t count)
{
    cli_json_array(json, "errors");
    for (size_t i = 0; i < count; i++) {
        cli_json_object(json, NULL);
        cli_json_text(json, "item", errors[i].item);
        cli_json_text(json, "code", almanac_code_name(errors[i].code));
        cli_json_text(json, "message", errors[i].message);
        cli_json_end_object(json);
    }
    cli_json_end_array(json);
}
