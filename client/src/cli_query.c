// query and its shorthands, and explain.
#include "cli_ask.h"
#include "cli_command.h"
#include "cli_rows.h"
#include "cli_table.h"

static int say_item_errors(cli *self, const almanac_rows *rows)
{
    const almanac_item_error *errors = NULL;
    size_t count = almanac_rows_errors(rows, &errors);
    return cli_say_item_errors(self, errors, count);
}

static int show_table(cli *self, almanac_rows *answer)
{
    const almanac_row *rows = NULL;
    size_t count = 0;
    almanac_error error;
    if (almanac_rows_all(answer, &rows, &count, &error) != ALMANAC_OK) {
        return cli_fail(self, &error);
    }
    int exit_code = say_item_errors(self, answer);
    if (count == 0 && exit_code != 0) {
        return exit_code;
    }
    if (count == 0) {
        fprintf(self->err, "%s\n",
                cli_say(self, "没有符合条件的数值；almanac catalog series 列出已有序列",
                        "no values; almanac catalog series lists what there is"));
        return exit_code;
    }
    cli_names names = cli_names_of(self, rows, count);
    return cli_rows_table(self, rows, count, &names, true) ? exit_code : cli_fail_memory(self);
}

static bool asks_targets(const almanac_query *query)
{
    bool asks = false;
    for (size_t i = 0; i < query->transform_count; i++) {
        asks = asks || strcmp(query->transforms[i], "target") == 0;
    }
    return asks;
}

static int show_csv(cli *self, almanac_rows *answer, bool with_pace)
{
    cli_csv csv = {.out = self->out};
    almanac_error error;
    const almanac_row *row = NULL;
    cli_rows_csv_header(&csv, with_pace);
    for (;;) {
        if (almanac_rows_next(answer, &row, &error) != ALMANAC_OK) {
            return cli_fail(self, &error);
        }
        if (row == NULL) {
            return say_item_errors(self, answer);
        }
        cli_row_csv(&csv, row, with_pace);
    }
}

static void write_item_errors(cli_json *json, const almanac_rows *answer)
{
    const almanac_item_error *errors = NULL;
    size_t count = almanac_rows_errors(answer, &errors);
    cli_json_item_errors(json, errors, count);
}

// A failure on the way leaves the JSON unfinished, so that nobody takes a part for the whole.
static int show_json(cli *self, almanac_rows *answer)
{
    cli_json json = {.out = self->out};
    almanac_error error;
    const almanac_row *row = NULL;
    cli_json_object(&json, NULL);
    cli_json_array(&json, "rows");
    for (;;) {
        if (almanac_rows_next(answer, &row, &error) != ALMANAC_OK) {
            fputc('\n', self->out);
            return cli_fail(self, &error);
        }
        if (row == NULL) {
            break;
        }
        cli_json_line(&json);
        cli_row_json(&json, row);
    }
    cli_json_end_array(&json);
    write_item_errors(&json, answer);
    cli_json_end_object(&json);
    cli_json_line(&json);
    return say_item_errors(self, answer);
}

int cli_query(cli *self)
{
    almanac_query query;
    int exit_code = 0;
    if (!cli_ask(self, &query, &exit_code) || !cli_connect(self, &exit_code)) {
        return exit_code;
    }
    almanac_error error;
    almanac_rows *answer = NULL;
    if (almanac_query_open(self->client, &query, &answer, &error) != ALMANAC_OK) {
        return cli_fail(self, &error);
    }
    switch (self->output) {
    case CLI_TABLE:
        exit_code = show_table(self, answer);
        break;
    case CLI_CSV:
        exit_code = show_csv(self, answer, asks_targets(&query));
        break;
    case CLI_JSON:
        exit_code = show_json(self, answer);
        break;
    }
    almanac_rows_close(&answer);
    return exit_code;
}

// --- explain -------------------------------------------------------------------------------------

#define INDENT_MAX 32

// A gateway of an older version says it in English only.
static const char *say_step(const cli *self, const char *zh, const char *en)
{
    return zh[0] == '\0' ? en : cli_say(self, zh, en);
}

// "400,000 (10 thousand yuan) = 40.0 (100 million yuan)"
static const char *step_value(cli *self, const almanac_step *step)
{
    const char *value = say_step(self, step->value_zh, step->value);
    const char *converted = say_step(self, step->converted_zh, step->converted);
    return converted[0] == '\0' ? value
                                : alm_arena_printf(self->arena, "%s = %s", value, converted);
}

static const char *step_status(const cli *self, const almanac_step *step)
{
    bool is_normal = strcmp(step->status, "normal") == 0;
    return is_normal ? "" : say_step(self, step->status_zh, step->status);
}

static bool show_steps(cli *self, const almanac_explanation *explanation)
{
    const cli_column columns[] = {{.title = cli_say(self, "步骤", "Step"), .keeps = true},
                                  {.title = cli_say(self, "数值", "Value"), .right = true},
                                  {.title = cli_say(self, "区间", "Interval")},
                                  {.title = cli_say(self, "状态", "Status")},
                                  {.title = cli_say(self, "来源", "Source"), .shrinks = true},
                                  {.title = cli_say(self, "发布", "Published")},
                                  {.title = cli_say(self, "说明", "Note"), .shrinks = true}};
    cli_table *table = cli_table_create(self->arena, columns, ALM_ARRAY_LEN(columns));
    for (size_t i = 0; i < explanation->step_count; i++) {
        const almanac_step *step = &explanation->steps[i];
        int indent = (int)ALM_MIN(step->depth * 2, (uint32_t)INDENT_MAX);
        cli_table_cell(table, alm_arena_printf(self->arena, "%*s%s", indent, "",
                                               say_step(self, step->what_zh, step->what)));
        cli_table_cell(table, step_value(self, step));
        cli_table_cell(table, say_step(self, step->interval_zh, step->interval));
        cli_table_cell(table, step_status(self, step));
        cli_table_cell(table, step->source);
        cli_table_cell(table, step->published);
        cli_table_cell(table, step->note);
    }
    return cli_table_print(table, self->out, self->columns, self->color);
}

static void write_steps_csv(cli *self, const almanac_explanation *explanation)
{
    cli_csv csv = {.out = self->out};
    static const char *const titles[] = {"depth",    "kind",      "what",   "value",
                                         "interval", "status",    "source", "published",
                                         "note",     "converted", "loss"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(titles); i++) {
        cli_csv_raw(&csv, titles[i]);
    }
    cli_csv_end(&csv);
    for (size_t i = 0; i < explanation->step_count; i++) {
        const almanac_step *step = &explanation->steps[i];
        const char *const cells[] = {almanac_step_kind_code(step->kind),
                                     step->what,
                                     step->value,
                                     step->interval,
                                     step->status,
                                     step->source,
                                     step->published,
                                     step->note,
                                     step->converted,
                                     almanac_loss_code(step->loss)};
        cli_csv_u64(&csv, step->depth);
        for (size_t j = 0; j < ALM_ARRAY_LEN(cells); j++) {
            cli_csv_text(&csv, cells[j]);
        }
        cli_csv_end(&csv);
    }
}

static void write_steps_json(cli *self, const almanac_explanation *explanation)
{
    cli_json json = {.out = self->out};
    cli_json_object(&json, NULL);
    cli_json_array(&json, "steps");
    for (size_t i = 0; i < explanation->step_count; i++) {
        const almanac_step *step = &explanation->steps[i];
        cli_json_object(&json, NULL);
        cli_json_u64(&json, "depth", step->depth);
        cli_json_text(&json, "kind", almanac_step_kind_code(step->kind));
        cli_json_text(&json, "what", step->what);
        cli_json_text(&json, "value", step->value);
        cli_json_text(&json, "interval", step->interval);
        cli_json_text(&json, "status", step->status);
        cli_json_text(&json, "source", step->source);
        cli_json_text(&json, "published", step->published);
        cli_json_text(&json, "note", step->note);
        cli_json_text(&json, "converted", step->converted);
        cli_json_text(&json, "loss", almanac_loss_code(step->loss));
        cli_json_end_object(&json);
    }
    cli_json_end_array(&json);
    cli_json_end_object(&json);
    cli_json_line(&json);
}

int cli_explain(cli *self)
{
    almanac_query query;
    int exit_code = 0;
    if (!cli_ask(self, &query, &exit_code) || !cli_connect(self, &exit_code)) {
        return exit_code;
    }
    almanac_error error;
    almanac_explanation *explanation = NULL;
    if (almanac_explanation_get(self->client, &query, &explanation, &error) != ALMANAC_OK) {
        return cli_fail(self, &error);
    }
    switch (self->output) {
    case CLI_TABLE:
        exit_code = show_steps(self, explanation) ? 0 : cli_fail_memory(self);
        break;
    case CLI_CSV:
        write_steps_csv(self, explanation);
        break;
    case CLI_JSON:
        write_steps_json(self, explanation);
        break;
    }
    almanac_explanation_free(&explanation);
    return exit_code;
}
