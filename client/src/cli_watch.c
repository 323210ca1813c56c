#include "cli_ask.h"
#include "cli_command.h"
#include "cli_rows.h"

#include <inttypes.h>

// Which series have changed; what they say now is to be asked for.
static void show_left_out(cli *self, const almanac_change *change)
{
    for (size_t i = 0; i < change->variant_count; i++) {
        fprintf(self->out, "%s\n", change->variants[i]);
    }
    fprintf(self->out,
            cli_say(self, "最多 %" PRIu64 " 行未列出，请重新查询以上序列\n",
                    "at most %" PRIu64 " rows are not listed: query these series again\n"),
            change->rows_not_listed);
}

static void show_header(cli *self, const almanac_change *change)
{
    if (change->at[0] == '\0') { // what a standing question begins with
        fprintf(self->out, "#%" PRIu64 "\n", change->sequence);
        return;
    }
    fprintf(self->out, "#%" PRIu64 "  %s  +%" PRIu64 " ~%" PRIu64 "%s  %s\n", change->sequence,
            change->at, change->added, change->revised,
            change->catalog_changed ? cli_say(self, "  目录有变", "  catalogue changed") : "",
            change->batch_id);
}

static bool show_table(cli *self, const almanac_change *change)
{
    show_header(self, change);
    if (change->row_count > 0) {
        cli_names names = cli_names_of(self, change->rows, change->row_count);
        if (!cli_rows_table(self, change->rows, change->row_count, &names, false)) {
            return false;
        }
    }
    if (change->rows_left_out) {
        show_left_out(self, change);
    } else if (change->rows_not_listed > 0) {
        fprintf(self->out,
                cli_say(self, "……另有 %" PRIu64 " 行\n", "... and %" PRIu64 " more rows\n"),
                change->rows_not_listed);
    }
    fputc('\n', self->out);
    return true;
}

// One object a line.
static void show_json(cli *self, const almanac_change *change)
{
    cli_json json = {.out = self->out};
    cli_json_object(&json, NULL);
    cli_json_u64(&json, "sequence", change->sequence);
    cli_json_text(&json, "at", change->at);
    cli_json_text(&json, "batch_id", change->batch_id);
    cli_json_u64(&json, "added", change->added);
    cli_json_u64(&json, "revised", change->revised);
    cli_json_bool(&json, "catalog_changed", change->catalog_changed);
    cli_json_array(&json, "series");
    for (size_t i = 0; i < change->variant_count; i++) {
        cli_json_text(&json, NULL, change->variants[i]);
    }
    cli_json_end_array(&json);
    cli_json_array(&json, "rows");
    for (size_t i = 0; i < change->row_count; i++) {
        cli_row_json(&json, &change->rows[i]);
    }
    cli_json_end_array(&json);
    cli_json_item_errors(&json, change->errors, change->error_count);
    cli_json_u64(&json, "rows_not_listed", change->rows_not_listed);
    cli_json_bool(&json, "rows_left_out", change->rows_left_out);
    cli_json_end_object(&json);
    cli_json_line(&json);
}

static bool show_csv(cli *self, const almanac_change *change)
{
    cli_csv csv = {.out = self->out};
    for (size_t i = 0; i < change->row_count; i++) {
        cli_row_csv(&csv, &change->rows[i], false);
    }
    if (change->rows_not_listed > 0) {
        fprintf(self->err, "almanac: #%" PRIu64 ": %" PRIu64 " more rows\n", change->sequence,
                change->rows_not_listed);
    }
    return true;
}

static bool show(cli *self, const almanac_change *change)
{
    cli_say_item_errors(self, change->errors, change->error_count);
    switch (self->output) {
    case CLI_TABLE:
        return show_table(self, change);
    case CLI_CSV:
        return show_csv(self, change);
    case CLI_JSON:
        show_json(self, change);
        return true;
    }
    return true;
}

static int follow(cli *self, almanac_watch *watch)
{
    almanac_error error;
    const almanac_change *change = NULL;
    cli_csv csv = {.out = self->out};
    if (self->output == CLI_CSV) {
        cli_rows_csv_header(&csv, false);
    }
    for (;;) {
        (void)fflush(self->out); // whoever reads on in a pipe wants it now
        if (almanac_watch_next(watch, &change, &error) != ALMANAC_OK) {
            return cli_fail(self, &error);
        }
        if (change == NULL || ferror(self->out) != 0) {
            return 0;
        }
        if (!show(self, change)) {
            return cli_fail_memory(self);
        }
    }
}

// Of what goes with a question alone the first that was given; NULL: none.
static const char *question_option(cli *self)
{
    static const char *const texts[] = {"measure", "accumulation", "frequency", "group-by",
                                        "unit",    "order",        "as-of"};
    static const char *const lists[] = {"by", "transform", "source"};
    const char *const *values;
    for (size_t i = 0; i < ALM_ARRAY_LEN(texts); i++) {
        if (cli_text(self, texts[i])[0] != '\0') {
            return texts[i];
        }
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(lists); i++) {
        if (alm_config_values(self->config, lists[i], &values) > 0) {
            return lists[i];
        }
    }
    return alm_config_int(self->config, "limit") != 0          ? "limit"
           : alm_config_int(self->config, "min-sequence") != 0 ? "min-sequence"
           : alm_config_bool(self->config, "incomplete")       ? "incomplete"
                                                               : NULL;
}

// False: said, see *ret_exit.
static bool ask_watch(cli *self, almanac_query *question, almanac_watch_query *ret, int *ret_exit)
{
    const char *const *words = NULL;
    size_t count = cli_positional(self, &words);
    const char *option = question_option(self);
    *ret = (almanac_watch_query){.from_sequence =
                                     (uint64_t)alm_config_int(self->config, "from-sequence")};
    if (cli_text(self, "period")[0] != '\0') {
        ret->query = question;
        return cli_ask(self, question, ret_exit);
    }
    if (option != NULL) {
        *ret_exit = cli_fail_usage(self, "--%s is of a question, which needs --period", option);
        return false;
    }
    ret->places = cli_text(self, "place");
    if (!cli_split_words(self, words, count, &ret->indicators, &ret->indicator_count)) {
        *ret_exit = cli_fail_memory(self);
        return false;
    }
    return true;
}

int cli_watch(cli *self)
{
    almanac_query question;
    almanac_watch_query query;
    int exit_code = 0;
    if (!ask_watch(self, &question, &query, &exit_code) || !cli_connect(self, &exit_code)) {
        return exit_code;
    }
    almanac_error error;
    almanac_watch *watch = NULL;
    if (almanac_watch_open(self->client, &query, &watch, &error) != ALMANAC_OK) {
        return cli_fail(self, &error);
    }
    exit_code = follow(self, watch);
    almanac_watch_close(&watch);
    return exit_code;
}
