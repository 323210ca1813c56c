#include "cli_targets.h"

#include "cli_rows.h"
#include "cli_table.h"
#include "pace.h"
#include "value_text.h"

typedef enum target_column {
    COLUMN_INDICATOR,
    COLUMN_PLACE,
    COLUMN_HORIZON,
    COLUMN_BREAKDOWN,
    COLUMN_RELATION,
    COLUMN_TARGET,
    COLUMN_ACTUAL,
    COLUMN_UNIT,
    COLUMN_UNTIL,
    COLUMN_PROGRESS,
    COLUMN_TIME,
    COLUMN_PACE,
    COLUMN_SEASONAL,
    COLUMN_LEFT,
    COLUMN_RUN_RATE,
    COLUMN_GROWTH,
    COLUMN_EXPECTED,
    COLUMN_VERDICT,
    COLUMN_STATUS,
    COLUMN_SOURCE,
    COLUMN_WHY,
    COLUMN_COUNT
} target_column;

static const cli_column columns_zh[COLUMN_COUNT] = {
    [COLUMN_INDICATOR] = {.title = "指标", .shrinks = true, .keeps = true},
    [COLUMN_PLACE] = {.title = "地区", .keeps = true},
    [COLUMN_HORIZON] = {.title = "规划期", .keeps = true},
    [COLUMN_BREAKDOWN] = {.title = "分组", .shrinks = true},
    [COLUMN_RELATION] = {.title = "相对于", .shrinks = true},
    [COLUMN_TARGET] = {.title = "目标", .right = true, .keeps = true},
    [COLUMN_ACTUAL] = {.title = "已完成", .right = true, .keeps = true},
    [COLUMN_UNIT] = {.title = "单位", .close = true},
    [COLUMN_UNTIL] = {.title = "截至"},
    [COLUMN_PROGRESS] = {.title = "进度", .right = true, .keeps = true},
    [COLUMN_TIME] = {.title = "时间", .right = true},
    [COLUMN_PACE] = {.title = "进度比", .right = true},
    [COLUMN_SEASONAL] = {.title = "季节进度比", .right = true},
    [COLUMN_LEFT] = {.title = "尚差", .right = true},
    [COLUMN_RUN_RATE] = {.title = "尚需", .right = true},
    [COLUMN_GROWTH] = {.title = "需增长", .right = true},
    [COLUMN_EXPECTED] = {.title = "预计期末", .right = true},
    [COLUMN_VERDICT] = {.title = "判断", .keeps = true},
    [COLUMN_STATUS] = {.title = "状态"},
    [COLUMN_SOURCE] = {.title = "来源", .shrinks = true},
    [COLUMN_WHY] = {.title = "说明", .shrinks = true},
};

static const cli_column columns_en[COLUMN_COUNT] = {
    [COLUMN_INDICATOR] = {.title = "Indicator", .shrinks = true, .keeps = true},
    [COLUMN_PLACE] = {.title = "Place", .keeps = true},
    [COLUMN_HORIZON] = {.title = "Horizon", .keeps = true},
    [COLUMN_BREAKDOWN] = {.title = "Breakdown", .shrinks = true},
    [COLUMN_RELATION] = {.title = "Of", .shrinks = true},
    [COLUMN_TARGET] = {.title = "Target", .right = true, .keeps = true},
    [COLUMN_ACTUAL] = {.title = "Reached", .right = true, .keeps = true},
    [COLUMN_UNIT] = {.title = "Unit", .close = true},
    [COLUMN_UNTIL] = {.title = "Up to"},
    [COLUMN_PROGRESS] = {.title = "Progress", .right = true, .keeps = true},
    [COLUMN_TIME] = {.title = "Time", .right = true},
    [COLUMN_PACE] = {.title = "Pace", .right = true},
    [COLUMN_SEASONAL] = {.title = "Seasonal", .right = true},
    [COLUMN_LEFT] = {.title = "Left", .right = true},
    [COLUMN_RUN_RATE] = {.title = "Needs", .right = true},
    [COLUMN_GROWTH] = {.title = "Growth needed", .right = true},
    [COLUMN_EXPECTED] = {.title = "Expected", .right = true},
    [COLUMN_VERDICT] = {.title = "Verdict", .keeps = true},
    [COLUMN_STATUS] = {.title = "Status"},
    [COLUMN_SOURCE] = {.title = "Source", .shrinks = true},
    [COLUMN_WHY] = {.title = "Why", .shrinks = true},
};

typedef struct halves {
    char number[ALMANAC_VALUE_TEXT_MAX];
    char unit[ALM_UNIT_HALF_MAX];
} halves;

static bool is_progress(const almanac_row *row)
{
    return strcmp(row->measure, "target_progress") == 0;
}

static halves halves_of(const cli *self, const almanac_row *row)
{
    halves it;
    alm_value_halves(row, self->lang, it.number, it.unit);
    return it;
}

// In the unit of the target, which stands in a column of its own; "" where there is none.
static const char *figure_text(cli *self, const almanac_figure *figure)
{
    almanac_row row = alm_figure_row(figure);
    halves it = halves_of(self, &row);
    return row.has_number ? alm_arena_strdup(self->arena, alm_str_from(it.number)) : "";
}

// With its unit where that is not the target's: "1.1 pp".
static const char *left_text(cli *self, const almanac_figure *figure, const char *unit)
{
    char text[ALMANAC_VALUE_TEXT_MAX];
    almanac_row row = alm_figure_row(figure);
    if (!row.has_number || strcmp(row.unit, unit) == 0) {
        return figure_text(self, figure);
    }
    almanac_value_text(&row, self->lang, text);
    return alm_arena_strdup(self->arena, alm_str_from(text));
}

static const char *period_word(const cli *self, const char *freq)
{
    switch (freq[0]) {
    case 'A':
        return cli_say(self, "年", "year");
    case 'S':
        return cli_say(self, "半年", "half");
    case 'T':
        return cli_say(self, "四个月", "third");
    case 'Q':
        return cli_say(self, "季", "quarter");
    case 'M':
        return cli_say(self, "月", "month");
    case 'W':
        return cli_say(self, "周", "week");
    case 'D':
        return cli_say(self, "日", "day");
    default:
        return freq;
    }
}

static const char *run_rate_text(cli *self, const almanac_pace *pace)
{
    const char *number = figure_text(self, &pace->run_rate);
    return number == NULL || number[0] == '\0'
               ? number
               : alm_arena_printf(self->arena, "%s/%s", number, period_word(self, pace->per));
}

static void put_pace(cli *self, const almanac_row *target, const almanac_pace *pace,
                     const char **cells)
{
    cells[COLUMN_ACTUAL] = pace->actual.has_number ? figure_text(self, &pace->actual) : "—";
    cells[COLUMN_UNTIL] = pace->until;
    cells[COLUMN_TIME] = figure_text(self, &pace->time);
    cells[COLUMN_PACE] = figure_text(self, &pace->pace);
    cells[COLUMN_SEASONAL] = figure_text(self, &pace->pace_seasonal);
    cells[COLUMN_LEFT] = left_text(self, &pace->left, target->unit);
    cells[COLUMN_RUN_RATE] = run_rate_text(self, pace);
    cells[COLUMN_GROWTH] = figure_text(self, &pace->growth_required);
    cells[COLUMN_EXPECTED] = figure_text(self, &pace->expected);
    cells[COLUMN_VERDICT] = almanac_pace_verdict_label(pace->verdict, self->lang);
    cells[COLUMN_WHY] = pace->why;
}

static void put_progress(cli *self, const almanac_row *target, const almanac_row *progress,
                         const char **cells)
{
    halves it = halves_of(self, progress);
    cells[COLUMN_PROGRESS] = alm_arena_strdup(self->arena, alm_str_from(it.number));
    if (progress->pace != NULL) {
        put_pace(self, target, progress->pace, cells);
    }
}

// target: or its progress, where a limit cut it off.
static void add_line(cli *self, cli_table *table, const almanac_row *target,
                     const almanac_row *progress, const cli_names *names)
{
    halves it = halves_of(self, target);
    const char *cells[COLUMN_COUNT];
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        cells[i] = "";
    }
    cells[COLUMN_INDICATOR] = cli_indicator_name(names, target->indicator);
    cells[COLUMN_PLACE] = cli_place_name(names, target->place);
    cells[COLUMN_HORIZON] = target->period;
    cells[COLUMN_BREAKDOWN] = target->breakdown;
    cells[COLUMN_RELATION] = cli_relation_text(self, names, target->relation);
    cells[COLUMN_TARGET] = is_progress(target) ? "—" : it.number;
    cells[COLUMN_UNIT] = is_progress(target) ? "" : it.unit;
    cells[COLUMN_STATUS] = cli_row_status(self, progress != NULL ? progress : target);
    cells[COLUMN_SOURCE] = target->source;
    cells[COLUMN_WHY] = target->reason;
    if (progress != NULL) {
        put_progress(self, target, progress, cells);
    }
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        cli_table_cell(table, cells[i]);
    }
}

static bool is_of_one(const almanac_row *a, const almanac_row *b)
{
    return is_progress(a) != is_progress(b) && strcmp(a->indicator, b->indicator) == 0 &&
           strcmp(a->place, b->place) == 0 && strcmp(a->period, b->period) == 0 &&
           strcmp(a->breakdown, b->breakdown) == 0 && strcmp(a->relation, b->relation) == 0 &&
           strcmp(a->accumulation, b->accumulation) == 0;
}

// A target's progress, or the other way round. Anywhere: rows may be ordered by value. It is mostly
// the next. NULL: a limit cut it off.
static const almanac_row *find_other(const almanac_row *rows, size_t count, size_t row)
{
    for (size_t i = 1; i < count; i++) {
        const almanac_row *other = &rows[(row + i) % count];
        if (is_of_one(&rows[row], other)) {
            return other;
        }
    }
    return NULL;
}

bool cli_targets_table(cli *self, const almanac_row *rows, size_t count, const cli_names *names)
{
    const cli_column *columns = self->lang == ALMANAC_ZH ? columns_zh : columns_en;
    cli_table *table = cli_table_create(self->arena, columns, COLUMN_COUNT);
    for (size_t i = 0; i < count; i++) {
        const almanac_row *row = &rows[i];
        const almanac_row *other = find_other(rows, count, i);
        if (!is_progress(row)) {
            add_line(self, table, row, other, names);
        } else if (other == NULL) {
            add_line(self, table, row, row, names);
        }
    }
    return cli_table_print(table, self->out, self->columns, self->color);
}
