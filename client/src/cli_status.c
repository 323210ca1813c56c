// status, verify and version.
#include "cli_command.h"
#include "cli_facts.h"
#include "cli_table.h"

#include <inttypes.h>

static bool show_services(cli *self, const almanac_report *report)
{
    const cli_column columns[] = {
        {.title = cli_say(self, "服务", "Service"), .keeps = true},
        {.title = cli_say(self, "地址", "Address")},
        {.title = cli_say(self, "状态", "State")},
        {.title = cli_say(self, "在途", "Now"), .right = true},
        {.title = cli_say(self, "调用", "Calls"), .right = true},
        {.title = cli_say(self, "失败", "Failures"), .right = true},
    };
    cli_table *table = cli_table_create(self->arena, columns, ALM_ARRAY_LEN(columns));
    for (size_t i = 0; i < report->service_count; i++) {
        const almanac_service *service = &report->services[i];
        cli_table_cell(table, service->name);
        cli_table_cell(table, service->endpoint);
        cli_table_cell(table, service->state);
        cli_table_cell(table, cli_grouped(self, service->outstanding));
        cli_table_cell(table, cli_grouped(self, service->calls));
        cli_table_cell(table, cli_grouped(self, service->failures));
    }
    fprintf(self->out, "almanac %s\n\n", report->version);
    bool done = cli_table_print(table, self->out, self->columns, self->color);
    fputc('\n', self->out);
    return done;
}

static void write_report_json(cli *self, const almanac_report *report, const cli_fact *facts,
                              size_t count)
{
    cli_json json = {.out = self->out};
    cli_json_object(&json, NULL);
    cli_json_text(&json, "version", report->version);
    cli_facts_json(&json, facts, count, report->has_store);
    cli_json_array(&json, "services");
    for (size_t i = 0; i < report->service_count; i++) {
        const almanac_service *service = &report->services[i];
        cli_json_object(&json, NULL);
        cli_json_text(&json, "name", service->name);
        cli_json_text(&json, "endpoint", service->endpoint);
        cli_json_text(&json, "state", service->state);
        cli_json_u64(&json, "outstanding", service->outstanding);
        cli_json_u64(&json, "calls", service->calls);
        cli_json_u64(&json, "failures", service->failures);
        cli_json_end_object(&json);
    }
    cli_json_end_array(&json);
    cli_json_object(&json, "limits");
    for (size_t i = 0; i < report->limit_count; i++) {
        cli_json_u64(&json, report->limits[i].name, report->limits[i].value);
    }
    cli_json_end_object(&json);
    cli_json_end_object(&json);
    cli_json_line(&json);
}

// Bytes of a part, as a figure; false: of a part that this program does not know.
static bool part_fact(const almanac_store_part *part, cli_fact *ret)
{
    static const struct {
        const char *name;
        cli_fact fact;
    } known[] = {
        {"log", {"bytes_log", "　日志", "  log", 0}},
        {"slices", {"bytes_slices", "　切片", "  slices", 0}},
        {"vintages", {"bytes_vintages", "　旧版本", "  older vintages", 0}},
        {"series", {"bytes_series", "　序列", "  series", 0}},
        {"bases", {"bytes_bases", "　基准", "  bases", 0}},
        {"catalog", {"bytes_catalog", "　目录", "  catalogue", 0}},
        {"other", {"bytes_other", "　其他", "  other", 0}},
        {"free", {"bytes_free", "　空闲", "  free", 0}},
    };
    for (size_t i = 0; i < ALM_ARRAY_LEN(known); i++) {
        if (strcmp(known[i].name, part->name) == 0) {
            *ret = known[i].fact;
            ret->value = part->bytes;
            return true;
        }
    }
    return false;
}

#define FACT_COUNT_MAX 32

static size_t add_parts(const almanac_report *report, cli_fact *facts, size_t count)
{
    for (size_t i = 0; i < report->part_count && count < FACT_COUNT_MAX; i++) {
        count += part_fact(&report->parts[i], &facts[count]);
    }
    return count;
}

static int show_report(cli *self, const almanac_report *report)
{
    const cli_fact always[] = {
        {"sequence", "提交序号", "commits", report->sequence},
        {"observations", "数值（含各版本）", "observations, all vintages", report->observations},
        {"cells", "当前数值", "current values", report->cells},
        {"indicators", "指标", "indicators", report->indicators},
        {"places", "地区", "places", report->places},
        {"sources", "来源", "sources", report->sources},
        {"series_variants", "序列种类", "kinds of series", report->series_variants},
        {"quarantined", "隔离行", "rows in quarantine", report->quarantined},
        {"bytes_max", "最大字节", "bytes at most", report->bytes_max},
        {"queued", "待写提交", "commits waiting", report->queued},
        {"parts_waiting", "待折叠", "parts to fold", report->parts_waiting},
        {"oldest_snapshot_ms", "最久快照（毫秒）", "oldest snapshot, ms",
         report->oldest_snapshot_ms},
        {"bytes_used", "已用字节", "bytes used", report->bytes_used},
    };
    cli_fact facts[FACT_COUNT_MAX];
    memcpy(facts, always, sizeof always);
    size_t count = add_parts(report, facts, ALM_ARRAY_LEN(always));
    switch (self->output) {
    case CLI_TABLE:
        return show_services(self, report) && cli_facts_table(self, facts, count, report->has_store)
                   ? 0
                   : cli_fail_memory(self);
    case CLI_CSV:
        cli_facts_csv(self, facts, count, report->has_store);
        break;
    case CLI_JSON:
        write_report_json(self, report, facts, count);
        break;
    }
    return 0;
}

int cli_status(cli *self)
{
    int exit_code = 0;
    if (!cli_connect(self, &exit_code)) {
        return exit_code;
    }
    almanac_error error;
    almanac_report *report = NULL;
    if (almanac_report_get(self->client, &report, &error) != ALMANAC_OK) {
        return cli_fail(self, &error);
    }
    exit_code = show_report(self, report);
    almanac_report_free(&report);
    return exit_code;
}

static void write_verification_json(cli *self, const almanac_verification *v, const cli_fact *facts,
                                    size_t count)
{
    cli_json json = {.out = self->out};
    cli_json_object(&json, NULL);
    cli_json_bool(&json, "clean", v->clean);
    cli_facts_json(&json, facts, count, true);
    cli_json_array(&json, "problems");
    for (size_t i = 0; i < v->problem_count; i++) {
        cli_json_text(&json, NULL, v->problems[i]);
    }
    cli_json_end_array(&json);
    cli_json_u64(&json, "problems_not_listed", v->problems_not_listed);
    cli_json_end_object(&json);
    cli_json_line(&json);
}

static void say_problems(cli *self, const almanac_verification *v)
{
    for (size_t i = 0; i < v->problem_count; i++) {
        fprintf(self->err, "almanac: %s\n", v->problems[i]);
    }
    if (v->problems_not_listed > 0) {
        fprintf(self->err, "... and %" PRIu64 " more\n", v->problems_not_listed);
    }
}

int cli_show_verification(cli *self, const almanac_verification *v)
{
    const cli_fact facts[] = {
        {"log_records", "日志记录", "records of the log", v->log_records},
        {"observations", "数值（含各版本）", "observations, all vintages", v->observations},
        {"slices", "切片", "slices", v->slices},
        {"cells", "当前数值", "current values", v->cells},
    };
    int exit_code = v->clean ? 0 : almanac_code_exit(ALMANAC_DATA_LOSS);
    switch (self->output) {
    case CLI_TABLE:
        say_problems(self, v);
        fprintf(self->out, "%s\n\n",
                v->clean ? cli_say(self, "完好", "clean") : cli_say(self, "有损坏", "damaged"));
        return cli_facts_table(self, facts, ALM_ARRAY_LEN(facts), true) ? exit_code
                                                                        : cli_fail_memory(self);
    case CLI_CSV:
        say_problems(self, v);
        cli_facts_csv(self, facts, ALM_ARRAY_LEN(facts), true);
        break;
    case CLI_JSON:
        write_verification_json(self, v, facts, ALM_ARRAY_LEN(facts));
        break;
    }
    return exit_code;
}

int cli_verify(cli *self)
{
    int exit_code = 0;
    const char *const *words = NULL;
    if (cli_positional(self, &words) > 0) {
        return cli_verify_path(self, words[0]);
    }
    if (alm_config_bool(self->config, "rebuild")) {
        return cli_fail_usage(self, "--rebuild needs DIR, of a store that is not open");
    }
    if (!cli_connect(self, &exit_code)) {
        return exit_code;
    }
    almanac_error error;
    almanac_verification *verification = NULL;
    // The usual timeout is for questions; only one that was asked for bounds this.
    int64_t timeout_ms =
        alm_config_is_set(self->config, "timeout") ? alm_config_int(self->config, "timeout") : 0;
    if (almanac_verification_get(self->client, timeout_ms, &verification, &error) != ALMANAC_OK) {
        return cli_fail(self, &error);
    }
    exit_code = cli_show_verification(self, verification);
    almanac_verification_free(&verification);
    return exit_code;
}

int cli_version(cli *self)
{
    fprintf(self->out, "almanac %s\n", almanac_version());
    return 0;
}
