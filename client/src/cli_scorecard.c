// A place's year: one line an indicator, grouped by theme.
#include "cli_command.h"
#include "cli_rows.h"
#include "cli_table.h"
#include "value_text.h"

#include <stdlib.h>

// What stands in one line. Measures that have a column of their own (growth, share, rank, target)
// join the line of the level; any other statement about the indicator gets a line of its own.
typedef struct score_line {
    const char *indicator, *breakdown, *theme;
    const almanac_row *value;                 // NULL: only its growth, share or rank is known
    const char *growth, *share, *rank, *goal; // texts; "" for none
    size_t order;                             // of appearance
} score_line;

typedef struct scorecard {
    cli *self;
    const almanac_row *rows; // of all answers
    size_t row_count;
    cli_names names;
    score_line *lines;
    size_t line_count, line_cap;
    bool failed; // out of memory
} scorecard;

static bool is_measure(const almanac_row *row, const char *code)
{
    return strcmp(row->measure, code) == 0;
}

static score_line *new_line(scorecard *card, const almanac_row *row)
{
    void *lines = card->lines;
    if (!alm_arena_grow(card->self->arena, &lines, &card->line_cap, card->line_count + 1,
                        sizeof *card->lines)) {
        card->failed = true;
        return NULL;
    }
    card->lines = lines;
    score_line *line = &card->lines[card->line_count];
    *line = (score_line){.indicator = row->indicator,
                         .breakdown = row->breakdown,
                         .theme = cli_indicator_theme(&card->names, row->indicator),
                         .growth = "",
                         .share = "",
                         .rank = "",
                         .goal = "",
                         .order = card->line_count};
    card->line_count++;
    return line;
}

// The line of the level; answers come indicator by indicator, so the newest lines are looked at
// first.
static score_line *level_line(scorecard *card, const almanac_row *row)
{
    for (size_t i = card->line_count; i > 0; i--) {
        score_line *line = &card->lines[i - 1];
        bool is_level = line->value == NULL || is_measure(line->value, "level");
        if (is_level && strcmp(line->indicator, row->indicator) == 0 &&
            strcmp(line->breakdown, row->breakdown) == 0) {
            return line;
        }
    }
    return new_line(card, row);
}

static const char *joined(scorecard *card, const char *before, const char *text)
{
    const char *both =
        before[0] == '\0' ? text : alm_arena_printf(card->self->arena, "%s; %s", before, text);
    card->failed = card->failed || both == NULL;
    return both != NULL ? both : "";
}

// "领先（上海市 同比增长）"
static const char *text_of(scorecard *card, const almanac_row *row)
{
    cli *self = card->self;
    char value[ALMANAC_VALUE_TEXT_MAX];
    almanac_value_text(row, self->lang, value);
    const char *relation = cli_relation_text(self, &card->names, row->relation);
    bool has_relation = relation != NULL && relation[0] != '\0';
    const char *open = has_relation ? cli_say(self, "（", " (") : "";
    const char *shut = has_relation ? cli_say(self, "）", ")") : "";
    return alm_arena_printf(self->arena, "%s%s%s%s", value, open, has_relation ? relation : "",
                            shut);
}

static void take_published(scorecard *card, const almanac_row *row)
{
    bool has_column =
        is_measure(row, "growth_yoy") || is_measure(row, "share_of") || is_measure(row, "rank");
    if (!has_column && !is_measure(row, "level")) {
        score_line *line = new_line(card, row);
        if (line != NULL) {
            line->value = row;
        }
        return;
    }
    score_line *line = level_line(card, row);
    if (line == NULL) {
        return;
    }
    if (is_measure(row, "level")) {
        // The second level of a period is its other accumulation: a line of its own.
        line = line->value == NULL ? line : new_line(card, row);
        if (line != NULL) {
            line->value = row;
        }
        return;
    }
    const char **cell = is_measure(row, "growth_yoy") ? &line->growth
                        : is_measure(row, "rank")     ? &line->rank
                                                      : &line->share;
    *cell = joined(card, *cell, text_of(card, row));
}

// A target is about whatever is said of the indicator: its level, or what was new in the period.
static score_line *target_line(scorecard *card, const almanac_row *row)
{
    for (size_t i = 0; i < card->line_count; i++) {
        score_line *line = &card->lines[i];
        if (strcmp(line->indicator, row->indicator) == 0 &&
            strcmp(line->breakdown, row->breakdown) == 0) {
            return line;
        }
    }
    return new_line(card, row);
}

// Planned values and progress towards them, as "15,000 套 @2021/2025 → 11.8%".
static void take_target(scorecard *card, const almanac_row *row)
{
    char value[ALMANAC_VALUE_TEXT_MAX];
    score_line *line = target_line(card, row);
    if (line == NULL) {
        return;
    }
    almanac_value_text(row, card->self->lang, value);
    if (is_measure(row, "target")) {
        line->goal = joined(card, line->goal,
                            alm_arena_printf(card->self->arena, "%s @%s", value, row->period));
    } else if (row->has_number) {
        const char *text = alm_arena_printf(card->self->arena, "%s → %s", line->goal, value);
        card->failed = card->failed || text == NULL;
        line->goal = text != NULL ? text : "";
    }
}

// Growth that nobody published, where levels tell it.
static void take_growth(scorecard *card, const almanac_row *row)
{
    bool is_computed = row->origin == ALMANAC_COMPUTED && row->has_number;
    for (size_t i = 0; is_computed && i < card->line_count; i++) {
        score_line *line = &card->lines[i];
        bool is_level = line->value != NULL && is_measure(line->value, "level") &&
                        strcmp(line->value->accumulation, row->accumulation) == 0 &&
                        strcmp(line->value->period, row->period) == 0;
        if (is_level && line->growth[0] == '\0' && strcmp(line->indicator, row->indicator) == 0 &&
            strcmp(line->breakdown, row->breakdown) == 0) {
            const char *text = alm_arena_printf(card->self->arena, "%s*", text_of(card, row));
            card->failed = card->failed || text == NULL;
            line->growth = text != NULL ? text : "";
        }
    }
}

// By theme, those without one last; then as they came.
static int by_theme(const void *a, const void *b)
{
    const score_line *x = a, *y = b;
    bool x_has = x->theme[0] != '\0', y_has = y->theme[0] != '\0';
    if (x_has != y_has) {
        return x_has ? -1 : 1;
    }
    int order = strcmp(x->theme, y->theme);
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

// "引进重点项目数 · 新增 · 2023": the name, and what sets the line apart from others of it.
static const char *name_of(scorecard *card, const score_line *line)
{
    cli *self = card->self;
    const almanac_row *row = line->value;
    const char *name = cli_indicator_name(&card->names, line->indicator);
    if (row == NULL) {
        return alm_arena_printf(self->arena, "  %s%s%s", name,
                                line->breakdown[0] != '\0' ? " · " : "", line->breakdown);
    }
    bool is_level = is_measure(row, "level");
    bool is_asked = strcmp(row->period, cli_text(self, "period")) == 0;
    bool is_cumulative = strcmp(row->accumulation, "C") == 0;
    const char *parts[] = {
        line->breakdown, is_level ? "" : almanac_measure_label(row->measure, self->lang),
        cli_relation_text(self, &card->names, row->relation), is_asked ? "" : row->period,
        is_cumulative ? cli_say(self, "年初至今", "year to date") : ""};
    const char *all = alm_arena_printf(self->arena, "  %s", name);
    for (size_t i = 0; i < ALM_ARRAY_LEN(parts) && all != NULL; i++) {
        bool is_said = parts[i] != NULL && parts[i][0] != '\0';
        all = is_said ? alm_arena_printf(self->arena, "%s · %s", all, parts[i]) : all;
    }
    return all;
}

static void add_line(scorecard *card, cli_table *table, const score_line *line)
{
    char number[ALMANAC_VALUE_TEXT_MAX] = "—";
    char unit[ALM_UNIT_HALF_MAX] = "";
    char status[2] = "";
    if (line->value != NULL) {
        alm_value_halves(line->value, card->self->lang, number, unit);
        status[0] = line->value->status != 'A' ? line->value->status : '\0';
    }
    const char *const cells[] = {line->growth, line->share, line->rank, line->goal};
    cli_table_cell(table, name_of(card, line));
    cli_table_cell(table, number);
    cli_table_cell(table, unit);
    cli_table_cell(table, status);
    for (size_t i = 0; i < ALM_ARRAY_LEN(cells); i++) {
        cli_table_cell(table, cells[i][0] != '\0' ? cells[i] : "—");
    }
    cli_table_cell(table, line->value != NULL ? line->value->source : "");
}

static bool print_card(scorecard *card)
{
    cli *self = card->self;
    const cli_column columns[] = {
        {.title = cli_say(self, "指标", "Indicator"), .shrinks = true},
        {.title = cli_say(self, "数值", "Value"), .right = true},
        {.title = cli_say(self, "单位", "Unit"), .close = true},
        {.title = cli_say(self, "状态", "St")},
        {.title = cli_say(self, "增长", "Growth"), .right = true},
        {.title = cli_say(self, "占比", "Share"), .shrinks = true},
        {.title = cli_say(self, "排名", "Rank"), .shrinks = true},
        {.title = cli_say(self, "目标", "Target"), .shrinks = true},
        {.title = cli_say(self, "来源", "Source"), .shrinks = true},
    };
    cli_table *table = cli_table_create(self->arena, columns, ALM_ARRAY_LEN(columns));
    qsort(card->lines, card->line_count, sizeof *card->lines, by_theme);
    for (size_t i = 0; table != NULL && i < card->line_count; i++) {
        const score_line *line = &card->lines[i];
        if (i == 0 || strcmp(line->theme, card->lines[i - 1].theme) != 0) {
            cli_table_section(table, line->theme[0] != '\0' ? line->theme
                                                            : cli_say(self, "其他", "other"));
        }
        add_line(card, table, line);
    }
    fprintf(self->out, "%s %s  %s\n\n", cli_place_name(&card->names, cli_text(self, "place")),
            cli_text(self, "place"), cli_text(self, "period"));
    return !card->failed && cli_table_print(table, self->out, self->columns, self->color);
}

// --- asking --------------------------------------------------------------------------------------

typedef enum answer_kind {
    ANSWER_PUBLISHED,
    ANSWER_TARGETS,
    ANSWER_GROWTH,
    ANSWER_COUNT
} answer_kind;

typedef struct answer {
    almanac_rows *handle; // keeps the rows
    const almanac_row *rows;
    size_t count;
} answer;

static almanac_code ask(cli *self, answer_kind kind, answer *ret, almanac_error *error)
{
    static const char *const everything[] = {"*"};
    almanac_query query = {.indicators = everything,
                           .indicator_count = 1,
                           .places = cli_text(self, "place"),
                           .periods = cli_text(self, "period"),
                           .breakdown = "*",
                           .as_of = cli_text(self, "as-of")};
    query.measure = kind == ANSWER_PUBLISHED ? "*" : "";
    static const char *const words[ANSWER_COUNT] = {
        [ANSWER_TARGETS] = "target", [ANSWER_GROWTH] = "pc1"};
    query.transforms = &words[kind];
    query.transform_count = words[kind] != NULL;
    almanac_code code = almanac_query_open(self->client, &query, &ret->handle, error);
    return code == ALMANAC_OK ? almanac_rows_all(ret->handle, &ret->rows, &ret->count, error)
                              : code;
}

// One array of all rows, for their names.
static bool gather(scorecard *card, const answer *answers)
{
    size_t count = 0;
    for (size_t i = 0; i < ANSWER_COUNT; i++) {
        count += answers[i].count;
    }
    almanac_row *rows = alm_arena_calloc(card->self->arena, count, sizeof *rows);
    if (rows == NULL) {
        return false;
    }
    for (size_t i = 0; i < ANSWER_COUNT; i++) {
        for (size_t j = 0; j < answers[i].count; j++) {
            rows[card->row_count++] = answers[i].rows[j];
        }
    }
    card->rows = rows;
    card->names = cli_names_of(card->self, rows, count);
    return true;
}

static bool show_table(scorecard *card, const answer *answers)
{
    if (!gather(card, answers)) {
        return false;
    }
    for (size_t i = 0; i < answers[ANSWER_PUBLISHED].count; i++) {
        const almanac_row *row = &answers[ANSWER_PUBLISHED].rows[i];
        if (!is_measure(row, "target")) { // comes again with its progress
            take_published(card, row);
        }
    }
    for (size_t i = 0; i < answers[ANSWER_TARGETS].count; i++) {
        take_target(card, &answers[ANSWER_TARGETS].rows[i]);
    }
    for (size_t i = 0; i < answers[ANSWER_GROWTH].count; i++) {
        take_growth(card, &answers[ANSWER_GROWTH].rows[i]);
    }
    if (card->line_count == 0) {
        fprintf(card->self->err, "%s\n",
                cli_say(card->self, "该地区该时期没有数值", "no values for this place and period"));
        return true;
    }
    return print_card(card);
}

static void show_csv(cli *self, const answer *answers)
{
    cli_csv csv = {.out = self->out};
    cli_rows_csv_header(&csv, false);
    for (size_t i = 0; i < ANSWER_COUNT; i++) {
        for (size_t j = 0; j < answers[i].count; j++) {
            cli_row_csv(&csv, &answers[i].rows[j], false);
        }
    }
}

static void show_json(cli *self, const answer *answers)
{
    static const char *const keys[ANSWER_COUNT] = {"published", "targets", "growth"};
    cli_json json = {.out = self->out};
    cli_json_object(&json, NULL);
    cli_json_text(&json, "place", cli_text(self, "place"));
    cli_json_text(&json, "period", cli_text(self, "period"));
    for (size_t i = 0; i < ANSWER_COUNT; i++) {
        cli_json_array(&json, keys[i]);
        for (size_t j = 0; j < answers[i].count; j++) {
            cli_json_line(&json);
            cli_row_json(&json, &answers[i].rows[j]);
        }
        cli_json_end_array(&json);
    }
    cli_json_end_object(&json);
    cli_json_line(&json);
}

static int show(cli *self, const answer *answers)
{
    scorecard card = {.self = self};
    switch (self->output) {
    case CLI_TABLE:
        return show_table(&card, answers) ? 0 : cli_fail_memory(self);
    case CLI_CSV:
        show_csv(self, answers);
        return 0;
    case CLI_JSON:
        show_json(self, answers);
        return 0;
    }
    return 0;
}

// A line joins what is said of an indicator, so that all of it must be of one place and one period:
// an expression for several would put the growth of one year next to the level of another.
static bool is_one_place(const char *expr)
{
    return strpbrk(expr, ",*~") == NULL;
}

static bool is_one_period(const char *expr)
{
    bool is_label = expr[0] >= '0' && expr[0] <= '9'; // not latest, last:N or all
    return is_label && strchr(expr, ',') == NULL && strstr(expr, "..") == NULL;
}

int cli_scorecard(cli *self)
{
    int exit_code = 0;
    const char *place = cli_text(self, "place");
    const char *period = cli_text(self, "period");
    if (place[0] == '\0' || period[0] == '\0') {
        return cli_fail_usage(self, "needs --place and --period");
    }
    if (!is_one_place(place)) {
        return cli_fail_usage(self, "--place %s: a scorecard is of one place, such as 310105",
                              place);
    }
    if (!is_one_period(period)) {
        return cli_fail_usage(self, "--period %s: a scorecard is of one period, such as 2023",
                              period);
    }
    if (!cli_connect(self, &exit_code)) {
        return exit_code;
    }
    answer answers[ANSWER_COUNT] = {0};
    almanac_error error = {0};
    almanac_code code = ALMANAC_OK;
    for (size_t i = 0; i < ANSWER_COUNT && code == ALMANAC_OK; i++) {
        code = ask(self, (answer_kind)i, &answers[i], &error);
    }
    exit_code = code == ALMANAC_OK ? show(self, answers) : cli_fail(self, &error);
    for (size_t i = 0; i < ANSWER_COUNT; i++) {
        almanac_rows_close(&answers[i].handle);
    }
    return exit_code;
}
