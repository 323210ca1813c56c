// reconcile: what was published against what is stored.
#include "cli_ask.h"
#include "cli_command.h"
#include "cli_findings.h"
#include "cli_rows.h"
#include "cli_table.h"

#include <math.h>

// --- the question --------------------------------------------------------------------------------

static bool ask(cli *self, almanac_query *ret, int *ret_exit)
{
    const char *const *words = NULL;
    size_t count = cli_positional(self, &words);
    *ret = (almanac_query){
        .places = cli_text(self, "place"),
        .periods = cli_text(self, "period"),
        .breakdown = cli_breakdown(self),
        .measure = cli_text(self, "measure"),
        .accumulation = cli_text(self, "accumulation"),
        .frequency = cli_text(self, "frequency"),
        .as_of = cli_text(self, "as-of"),
    };
    ret->source_count = alm_config_values(self->config, "source", &ret->sources);
    if (!cli_split_words(self, words, count, &ret->indicators, &ret->indicator_count) ||
        ret->breakdown == NULL) {
        *ret_exit = cli_fail_memory(self);
        return false;
    }
    bool is_whole = ret->indicator_count > 0 && ret->places[0] != '\0' && ret->periods[0] != '\0';
    if (!is_whole) {
        *ret_exit = cli_fail_usage(self, "needs an indicator (or *), --place and --period");
    }
    return is_whole;
}

// --- table ---------------------------------------------------------------------------------------

// The bound with one digit more than its number, away from it: what is told is never too narrow.
static const char *bound_text(cli *self, double bound, int32_t exponent, double (*away)(double))
{
    int decimals = exponent < 0 ? 1 - exponent : exponent == 0 ? 1 : 0;
    double scale = pow(10, decimals);
    double slack = away == floor ? 1e-6 : -1e-6; // of binary numbers
    const char *text =
        alm_arena_printf(self->arena, "%.*f", decimals, away(bound * scale + slack) / scale);
    return text != NULL ? text : "";
}

static const char *bounds_text(cli *self, const almanac_row *row)
{
    if (!row->has_number || (isinf(row->lower) && isinf(row->upper))) {
        return "";
    }
    const char *lower = isinf(row->lower) ? "" : bound_text(self, row->lower, row->exponent, floor);
    const char *upper = isinf(row->upper) ? "" : bound_text(self, row->upper, row->exponent, ceil);
    return isinf(row->upper)   ? alm_arena_printf(self->arena, "≥ %s", lower)
           : isinf(row->lower) ? alm_arena_printf(self->arena, "≤ %s", upper)
                               : alm_arena_printf(self->arena, "[%s, %s]", lower, upper);
}

static const char *value_text(cli *self, const almanac_row *row, bool shows_nothing)
{
    char text[ALMANAC_VALUE_TEXT_MAX];
    if (!row->has_number && !shows_nothing) {
        return "";
    }
    (void)almanac_value_text(row, self->lang, text);
    return alm_arena_strdup(self->arena, alm_str_from(text));
}

// "growth, year on year, year to date": what a value of the indicator is claimed to be.
static const char *measure_text(cli *self, const cli_names *names, const almanac_row *claim)
{
    const char *relation = cli_relation_text(self, names, claim->relation);
    bool is_cumulative = strcmp(claim->accumulation, "C") == 0;
    return relation == NULL
               ? NULL
               : alm_arena_printf(
                     self->arena, "%s%s%s%s%s%s", almanac_measure_label(claim->measure, self->lang),
                     is_cumulative ? cli_say(self, "，年初至今", ", year to date") : "",
                     relation[0] != '\0' ? cli_say(self, "：", ": ") : "", relation,
                     claim->breakdown[0] != '\0' ? ", " : "", claim->breakdown);
}

static const cli_column columns_zh[] = {
    {.title = "指标", .shrinks = true, .keeps = true},
    {.title = "口径", .shrinks = true},
    {.title = "发布值", .right = true, .keeps = true},
    {.title = "来源", .shrinks = true},
    {.title = "结论", .keeps = true},
    {.title = "计算值", .right = true},
    {.title = "推算"},
    {.title = "推算值", .right = true},
    {.title = "范围"},
    {.title = "说明", .shrinks = true},
};
static const cli_column columns_en[] = {
    {.title = "Indicator", .shrinks = true, .keeps = true},
    {.title = "Measure", .shrinks = true},
    {.title = "Published", .right = true, .keeps = true},
    {.title = "Source", .shrinks = true},
    {.title = "Verdict", .keeps = true},
    {.title = "Computed", .right = true},
    {.title = "Implied"},
    {.title = "Figure", .right = true},
    {.title = "Bounds"},
    {.title = "Why", .shrinks = true},
};

static void add_finding(cli *self, cli_table *table, const cli_names *names,
                        const almanac_finding *finding)
{
    const char *why = cli_say(self, finding->why_zh, finding->why_en);
    bool is_narrow = self->columns > 0; // a sentence gets a line of its own
    const char *const cells[] = {
        cli_indicator_name(names, finding->claim.indicator),
        measure_text(self, names, &finding->claim),
        value_text(self, &finding->claim, true),
        finding->claim.source,
        almanac_verdict_label(finding->verdict, self->lang),
        value_text(self, &finding->computed, false),
        almanac_implied_label(finding->implies, self->lang),
        value_text(self, &finding->implied, false),
        bounds_text(self, &finding->implied),
        is_narrow ? "" : why,
    };
    _Static_assert(ALM_ARRAY_LEN(cells) == ALM_ARRAY_LEN(columns_zh), "one for each");
    for (size_t i = 0; i < ALM_ARRAY_LEN(cells); i++) {
        cli_table_cell(table, cells[i]);
    }
    if (is_narrow) {
        cli_table_note(table, why);
    }
}

static void add_heading(cli *self, cli_table *table, const cli_names *names, const almanac_row *row)
{
    cli_table_section(table,
                      alm_arena_printf(self->arena, "%s %s  %s", cli_place_name(names, row->place),
                                       row->place, row->period));
}

static cli_names names_of(cli *self, const almanac_reconciliation *answer)
{
    almanac_row *rows = alm_arena_calloc(self->arena, answer->finding_count, sizeof *rows);
    if (rows == NULL) {
        return (cli_names){0};
    }
    for (size_t i = 0; i < answer->finding_count; i++) {
        rows[i] = answer->findings[i].claim;
    }
    return cli_names_of(self, rows, answer->finding_count);
}

static bool show_table(cli *self, const almanac_reconciliation *answer)
{
    const cli_column *columns = self->lang == ALMANAC_ZH ? columns_zh : columns_en;
    cli_names names = names_of(self, answer);
    cli_table *table = cli_table_create(self->arena, columns, ALM_ARRAY_LEN(columns_zh));
    for (size_t i = 0; i < answer->finding_count; i++) {
        const almanac_row *claim = &answer->findings[i].claim;
        bool is_new = i == 0 || strcmp(claim->place, answer->findings[i - 1].claim.place) != 0 ||
                      strcmp(claim->period, answer->findings[i - 1].claim.period) != 0;
        if (is_new) {
            add_heading(self, table, &names, claim);
        }
        add_finding(self, table, &names, &answer->findings[i]);
    }
    if (!cli_table_print(table, self->out, self->columns, self->color)) {
        return false;
    }
    fprintf(self->out,
            cli_say(self, "\n相符 %zu 项，未判定 %zu 项，存疑 %zu 项\n",
                    "\n%zu match, %zu not judged, %zu doubtful\n"),
            answer->match_count, answer->unjudged_count, answer->doubt_count);
    return true;
}

// --- the command ---------------------------------------------------------------------------------

static int show(cli *self, const almanac_reconciliation *answer)
{
    int exit_code = cli_say_item_errors(self, answer->errors, answer->error_count);
    switch (self->output) {
    case CLI_TABLE:
        if (answer->finding_count == 0 && exit_code == 0) {
            fprintf(self->err, "%s\n",
                    cli_say(self, "没有可以核对的发布值",
                            "nothing published that could be held "
                            "against anything"));
        } else if (answer->finding_count > 0 && !show_table(self, answer)) {
            return cli_fail_memory(self);
        }
        break;
    case CLI_CSV:
        cli_findings_csv(self, answer);
        break;
    case CLI_JSON:
        cli_findings_json(self, answer);
        break;
    }
    return exit_code;
}

int cli_reconcile(cli *self)
{
    almanac_query query;
    int exit_code = 0;
    if (!ask(self, &query, &exit_code) || !cli_connect(self, &exit_code)) {
        return exit_code;
    }
    almanac_error error;
    almanac_reconciliation *answer = NULL;
    if (almanac_reconciliation_get(self->client, &query, &answer, &error) != ALMANAC_OK) {
        return cli_fail(self, &error);
    }
    exit_code = show(self, answer);
    almanac_reconciliation_free(&answer);
    return exit_code;
}
