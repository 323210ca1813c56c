// backup, restore, and verify of what no almanac has open: the one part of the command line that
// knows the store itself. The library does not.
#include "cli_command.h"
#include "cli_facts.h"
#include "cli_progress.h"

#include "alm/store.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define PROBLEM_COUNT_MAX 1000
#define MAP_BYTES_MIN     ((size_t)64 << 30) // address space, not disk

// --- what is shown -------------------------------------------------------------------------------

static int show_backup(cli *self, const almanac_backup_result *b)
{
    const cli_fact facts[] = {
        {"sequence", "提交序号", "commits", b->sequence},
        {"observations", "数值（含各版本）", "observations, all vintages", b->observations},
        {"cells", "当前数值", "current values", b->cells},
        {"records", "记录", "records", b->records},
        {"bytes", "字节", "bytes", b->bytes},
    };
    cli_json json = {.out = self->out};
    switch (self->output) {
    case CLI_TABLE:
        fprintf(self->out, "%s  %s\n\n", b->at, b->hash);
        return cli_facts_table(self, facts, ALM_ARRAY_LEN(facts), true) ? 0 : cli_fail_memory(self);
    case CLI_CSV:
        cli_facts_csv(self, facts, ALM_ARRAY_LEN(facts), true);
        break;
    case CLI_JSON:
        cli_json_object(&json, NULL);
        cli_facts_json(&json, facts, ALM_ARRAY_LEN(facts), true);
        cli_json_text(&json, "at", b->at);
        cli_json_text(&json, "hash", b->hash);
        cli_json_end_object(&json);
        cli_json_line(&json);
        break;
    }
    return 0;
}

static int show_info(cli *self, const alm_backup_info *info)
{
    almanac_backup_result result = {.sequence = info->sequence,
                                    .observations = info->observations,
                                    .cells = info->cells,
                                    .records = info->records,
                                    .bytes = info->bytes};
    char at[ALM_TIMESTAMP_MAX];
    alm_clock_format_rfc3339(info->at_us, at);
    (void)snprintf(result.at, sizeof result.at, "%s", at);
    for (size_t i = 0; i < sizeof info->hash; i++) {
        (void)snprintf(result.hash + 2 * i, 3, "%02x", info->hash[i]);
    }
    return show_backup(self, &result);
}

static int fail(cli *self, const alm_status *st)
{
    fprintf(self->err, "almanac: %s\n", st->message);
    return alm_code_exit(st->code);
}

// --- backup --------------------------------------------------------------------------------------

static bool show_progress(void *arg, const almanac_progress *now)
{
    cli_progress_show(arg, now);
    return true;
}

int cli_backup(cli *self)
{
    int exit_code = 0;
    const char *const *words = NULL;
    (void)cli_positional(self, &words);
    if (!cli_connect(self, &exit_code)) {
        return exit_code;
    }
    almanac_error error;
    almanac_backup_result result;
    cli_progress progress;
    // The usual timeout is for questions; only one that was asked for bounds this.
    almanac_backup_opts opts = {.timeout_ms = alm_config_is_set(self->config, "timeout")
                                                  ? alm_config_int(self->config, "timeout")
                                                  : 0,
                                .on_progress = show_progress,
                                .arg = &progress};
    cli_progress_start(&progress, self->err_is_terminal ? self->err : NULL, alm_clock_system(),
                       words[0]);
    almanac_code code = almanac_backup_file(self->client, words[0], &opts, &result, &error);
    cli_progress_clear(&progress);
    return code == ALMANAC_OK ? show_backup(self, &result) : cli_fail(self, &error);
}

// --- a backup's file -----------------------------------------------------------------------------

typedef struct backup_file {
    FILE *file;
    const char *path;
    uint64_t bytes, bytes_total;
    cli_progress progress;
} backup_file;

static alm_code read_backup(void *arg, void *data, size_t len, size_t *ret_len, alm_status *st)
{
    backup_file *b = arg;
    *ret_len = fread(data, 1, len, b->file);
    b->bytes += *ret_len;
    return ferror(b->file) != 0 ? alm_status_from_errno(st, errno, b->path) : ALM_OK;
}

static void tell_backup(void *arg, uint64_t records, uint64_t of)
{
    backup_file *b = arg;
    (void)of;
    cli_progress_show(&b->progress, &(almanac_progress){.bytes_done = b->bytes,
                                                        .bytes_total = b->bytes_total,
                                                        .rows_done = records});
}

static alm_code open_backup(cli *self, const char *path, backup_file *ret, alm_status *st)
{
    struct stat info;
    *ret = (backup_file){.path = path, .file = fopen(path, "rb")};
    if (ret->file == NULL) {
        return alm_status_from_errno(st, errno, path);
    }
    if (fstat(fileno(ret->file), &info) == 0) {
        ret->bytes_total = (uint64_t)info.st_size;
    }
    cli_progress_start(&ret->progress, self->err_is_terminal ? self->err : NULL, alm_clock_system(),
                       path);
    return ALM_OK;
}

static void close_backup(backup_file *b)
{
    cli_progress_clear(&b->progress);
    (void)fclose(b->file);
}

int cli_restore(cli *self)
{
    backup_file file;
    alm_backup_info info;
    alm_status st = ALM_STATUS_INIT;
    const char *const *words = NULL;
    (void)cli_positional(self, &words);
    if (open_backup(self, words[0], &file, &st) != ALM_OK) {
        return fail(self, &st);
    }
    alm_store_opts opts = {.bytes_max = ALM_MAX(MAP_BYTES_MIN, 8 * (size_t)file.bytes_total)};
    alm_backup_source source = {.arg = &file, .read = read_backup, .progress = tell_backup};
    alm_code code = alm_store_restore(&source, words[1], &opts, &info, &st);
    close_backup(&file);
    return code == ALM_OK ? show_info(self, &info) : fail(self, &st);
}

// --- verify --------------------------------------------------------------------------------------

static int verify_backup(cli *self, const char *path)
{
    backup_file file;
    alm_backup_info info;
    alm_status st = ALM_STATUS_INIT;
    if (open_backup(self, path, &file, &st) != ALM_OK) {
        return fail(self, &st);
    }
    alm_backup_source source = {.arg = &file, .read = read_backup, .progress = tell_backup};
    alm_code code = alm_store_backup_check(&source, &info, &st);
    close_backup(&file);
    return code == ALM_OK ? show_info(self, &info) : fail(self, &st);
}

typedef struct problem_list {
    alm_arena *arena;
    const char **texts;
    size_t count;
} problem_list;

static void add_problem(void *arg, alm_str text)
{
    problem_list *list = arg;
    char *copy = list->count < PROBLEM_COUNT_MAX ? alm_arena_strdup(list->arena, text) : NULL;
    if (copy != NULL) {
        list->texts[list->count++] = copy;
    }
}

static int verify_dir(cli *self, const char *dir)
{
    alm_verify_result result;
    alm_status st = ALM_STATUS_INIT;
    problem_list list = {.arena = self->arena,
                         .texts = alm_arena_calloc(self->arena, PROBLEM_COUNT_MAX, sizeof(char *))};
    if (list.texts == NULL) {
        return cli_fail_memory(self);
    }
    if (alm_store_verify_dir(dir, NULL, add_problem, &list, &result, &st) != ALM_OK) {
        return fail(self, &st);
    }
    almanac_verification verification = {.clean = result.problems == 0,
                                         .problems = list.texts,
                                         .problem_count = list.count,
                                         .problems_not_listed = result.problems - list.count,
                                         .log_records = result.log_records,
                                         .observations = result.observations,
                                         .slices = result.slices,
                                         .cells = result.cells};
    return cli_show_verification(self, &verification);
}

static void say_problem(void *arg, alm_str text)
{
    const cli *self = arg;
    fprintf(self->err, "almanac: %.*s\n", ALM_STR_ARGS(text));
}

static int rebuild_dir(cli *self, const char *dir)
{
    alm_rebuild_result result;
    alm_status st = ALM_STATUS_INIT;
    if (alm_store_rebuild(dir, NULL, say_problem, self, &result, &st) != ALM_OK) {
        return fail(self, &st);
    }
    const cli_fact facts[] = {
        {"observations", "数值（含各版本）", "observations, all vintages", result.observations},
        {"cells", "当前数值", "current values", result.cells},
        {"slices", "切片", "slices", result.slices},
        {"damaged", "损坏的记录", "damaged records", result.damaged},
        {"recovered", "取自日志", "rows taken from the log", result.recovered},
        {"lost", "丢失", "rows lost", result.lost},
    };
    int exit_code = result.lost == 0 ? 0 : almanac_code_exit(ALMANAC_DATA_LOSS);
    cli_json json = {.out = self->out};
    switch (self->output) {
    case CLI_TABLE:
        return cli_facts_table(self, facts, ALM_ARRAY_LEN(facts), true) ? exit_code
                                                                        : cli_fail_memory(self);
    case CLI_CSV:
        cli_facts_csv(self, facts, ALM_ARRAY_LEN(facts), true);
        break;
    case CLI_JSON:
        cli_json_object(&json, NULL);
        cli_facts_json(&json, facts, ALM_ARRAY_LEN(facts), true);
        cli_json_end_object(&json);
        cli_json_line(&json);
        break;
    }
    return exit_code;
}

int cli_verify_path(cli *self, const char *path)
{
    struct stat info;
    alm_status st = ALM_STATUS_INIT;
    if (stat(path, &info) != 0) {
        (void)alm_status_from_errno(&st, errno, path);
        return fail(self, &st);
    }
    if (alm_config_bool(self->config, "rebuild")) {
        return rebuild_dir(self, path);
    }
    return S_ISDIR(info.st_mode) ? verify_dir(self, path) : verify_backup(self, path);
}
