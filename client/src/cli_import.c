#include "cli_import.h"

#include "cli_command.h"
#include "cli_csv.h"
#include "cli_json.h"
#include "cli_progress.h"
#include "cli_table.h"

#include <inttypes.h>

#define DEFECT_SHOWN_MAX 100 // of a file; `catalog quarantine` has them all

// One file while it is imported, and what came of it.
typedef struct imported {
    cli *self;
    const char *path;
    cli_progress progress;
    cli_table *defects;
    size_t defect_count; // all, shown or not
    almanac_import_result result;
} imported;

static const cli_column defect_columns[] = {
    {.title = "row", .right = true},
    {.title = "column", .right = true},
    {.title = "field"},
    {.title = "value", .shrinks = true},
    {.title = "reason"},
};

static void take_defect(void *arg, const almanac_defect *defect)
{
    imported *file = arg;
    if (file->defect_count++ >= DEFECT_SHOWN_MAX) {
        return;
    }
    alm_arena *arena = file->self->arena;
    cli_table_cell(file->defects, alm_arena_printf(arena, "%" PRIu64, defect->row));
    cli_table_cell(file->defects,
                   defect->column > 0 ? alm_arena_printf(arena, "%" PRIu32, defect->column) : "");
    cli_table_cell(file->defects, defect->field);
    cli_table_cell(file->defects, defect->value);
    cli_table_cell(
        file->defects,
        alm_arena_printf(arena, "%s%s", defect->warning ? "taken, but " : "", defect->reason));
}

static bool show_progress(void *arg, const almanac_progress *progress)
{
    imported *file = arg;
    cli_progress_show(&file->progress, progress);
    return true;
}

static void say_defects(imported *file)
{
    cli *self = file->self;
    size_t more = file->defect_count - ALM_MIN(file->defect_count, (size_t)DEFECT_SHOWN_MAX);
    if (file->defect_count > 0) {
        fprintf(self->err, "%s:\n", file->path);
        size_t width = self->err_is_terminal ? self->columns : 0;
        (void)cli_table_print(file->defects, self->err, width, false);
    }
    if (more + file->result.defects_not_listed > 0) {
        fprintf(self->err, "... and %" PRIu64 " more: almanac catalog quarantine lists them\n",
                (uint64_t)more + file->result.defects_not_listed);
    }
}

static bool was_replayed(const almanac_import_result *result)
{
    return result->pieces > 0 && result->pieces_replayed == result->pieces;
}

static void say_summary(cli *self, const imported *file, bool is_dry)
{
    const almanac_import_result *r = &file->result;
    const char *would =
        is_dry ? cli_say(self, "（试运行，未入库）", " (dry run, nothing stored)") : "";
    if (was_replayed(r)) {
        fprintf(self->out,
                cli_say(self, "%s：没有变化，此文件已导入过（批次 %s）\n",
                        "%s: nothing changed: this file was imported before (batch %s)\n"),
                file->path, r->batch_id);
        return;
    }
    fprintf(self->out,
            cli_say(self,
                    "%s：%" PRIu64 " 行，新增 %" PRIu64 "，修订 %" PRIu64 "，不变 %" PRIu64
                    "，隔离 %" PRIu64 "%s\n",
                    "%s: %" PRIu64 " rows, %" PRIu64 " added, %" PRIu64 " revised, %" PRIu64
                    " unchanged, %" PRIu64 " quarantined%s\n"),
            file->path, r->rows, r->added, r->revised, r->unchanged, r->quarantined, would);
}

static void write_json(cli_json *json, const imported *file)
{
    const almanac_import_result *r = &file->result;
    cli_json_object(json, NULL);
    cli_json_text(json, "file", file->path);
    cli_json_text(json, "batch_id", r->batch_id);
    cli_json_text(json, "encoding", r->encoding);
    cli_json_u64(json, "rows", r->rows);
    cli_json_u64(json, "added", r->added);
    cli_json_u64(json, "revised", r->revised);
    cli_json_u64(json, "unchanged", r->unchanged);
    cli_json_u64(json, "quarantined", r->quarantined);
    cli_json_u64(json, "sequence", r->sequence);
    cli_json_bool(json, "replayed", was_replayed(r));
    cli_json_end_object(json);
    cli_json_line(json);
}

static void write_csv_header(cli_csv *csv)
{
    static const char *const titles[] = {"file",     "batch_id", "encoding",  "rows",
                                         "added",    "revised",  "unchanged", "quarantined",
                                         "sequence", "replayed"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(titles); i++) {
        cli_csv_raw(csv, titles[i]);
    }
    cli_csv_end(csv);
}

static void write_csv(cli_csv *csv, const imported *file)
{
    const almanac_import_result *r = &file->result;
    cli_csv_text(csv, file->path);
    cli_csv_text(csv, r->batch_id);
    cli_csv_text(csv, r->encoding);
    cli_csv_u64(csv, r->rows);
    cli_csv_u64(csv, r->added);
    cli_csv_u64(csv, r->revised);
    cli_csv_u64(csv, r->unchanged);
    cli_csv_u64(csv, r->quarantined);
    cli_csv_u64(csv, r->sequence);
    cli_csv_raw(csv, was_replayed(r) ? "true" : "false");
    cli_csv_end(csv);
}

static void show(cli *self, const imported *file, bool is_dry)
{
    cli_csv csv = {.out = self->out};
    cli_json json = {.out = self->out};
    switch (self->output) {
    case CLI_TABLE:
        say_summary(self, file, is_dry);
        break;
    case CLI_CSV:
        write_csv(&csv, file);
        break;
    case CLI_JSON:
        write_json(&json, file);
        break;
    }
}

static int import_one(cli *self, const char *path, almanac_import_opts opts, bool *ret_goes_on)
{
    imported file = {.self = self, .path = path};
    almanac_error error;
    file.defects = cli_table_create(self->arena, defect_columns, ALM_ARRAY_LEN(defect_columns));
    if (alm_config_is_given(self->config, "timeout")) { // whoever sets it does not wait longer
        opts.piece_timeout_ms = alm_config_int(self->config, "timeout");
    }
    opts.arg = &file;
    opts.on_defect = take_defect;
    opts.on_progress = show_progress;
    cli_progress_start(&file.progress, self->err_is_terminal ? self->err : NULL, alm_clock_system(),
                       path);
    almanac_code code = almanac_import_file(self->client, path, &opts, &file.result, &error);
    cli_progress_clear(&file.progress);
    say_defects(&file);
    if (code != ALMANAC_OK) {
        if (file.result.pieces > 0) { // what was stored before it went wrong stays
            show(self, &file, opts.dry_run);
        }
        *ret_goes_on = code == ALMANAC_INVALID_ARGUMENT || code == ALMANAC_NOT_FOUND ||
                       code == ALMANAC_PERMISSION_DENIED;
        fprintf(self->err, "%s: ", path);
        return cli_fail(self, &error);
    }
    show(self, &file, opts.dry_run);
    return file.result.quarantined > 0 ? CLI_EXIT_USAGE : 0;
}

int cli_import_files(cli *self, const char *const *paths, size_t count,
                     const almanac_import_opts *opts)
{
    int worst = 0;
    bool goes_on = true;
    if (!cli_connect(self, &worst)) {
        return worst;
    }
    cli_csv csv = {.out = self->out};
    if (self->output == CLI_CSV) {
        write_csv_header(&csv);
    }
    for (size_t i = 0; i < count && goes_on; i++) {
        int exit_code = import_one(self, paths[i], *opts, &goes_on);
        worst = ALM_MAX(worst, exit_code);
    }
    return worst;
}

static almanac_import_kind kind_of(const cli *self)
{
    static const char *const kinds[] = {
        [ALMANAC_IMPORT_OBSERVATIONS] = "observations",
        [ALMANAC_IMPORT_INDICATORS] = "indicators",
        [ALMANAC_IMPORT_PLACES] = "places",
        [ALMANAC_IMPORT_TARGETS] = "targets",
        [ALMANAC_IMPORT_SOURCES] = "sources",
    };
    const char *word = cli_text(self, "kind");
    size_t i = 0;
    while (i + 1 < ALM_ARRAY_LEN(kinds) && strcmp(kinds[i], word) != 0) {
        i++;
    }
    ALM_ASSERT(strcmp(kinds[i], word) == 0); // a listed word, checked before
    return (almanac_import_kind)i;
}

int cli_import(cli *self)
{
    const char *const *paths = NULL;
    size_t count = cli_positional(self, &paths);
    almanac_import_opts opts = {.kind = kind_of(self),
                                .dry_run = alm_config_bool(self->config, "dry-run"),
                                .batch_id = cli_text(self, "batch-id"),
                                .encoding = cli_text(self, "encoding"),
                                .place = cli_text(self, "place"),
                                .period = cli_text(self, "period"),
                                .published = cli_text(self, "published"),
                                .source = cli_text(self, "source")};
    if (opts.batch_id[0] != '\0' && count > 1) {
        return cli_fail_usage(self, "--batch-id names one file, not %zu", count);
    }
    return cli_import_files(self, paths, count, &opts);
}
