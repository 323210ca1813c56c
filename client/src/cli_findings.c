#include "cli_findings.h"

#include "cli_csv.h"
#include "cli_json.h"
#include "cli_rows.h"

#include <math.h>

// An infinity, which is not written, where nothing was computed.
static double tolerance_of(const almanac_finding *finding)
{
    return finding->computed.has_number ? finding->tolerance : (double)INFINITY;
}

static void csv_figure(cli_csv *csv, const almanac_row *row)
{
    char number[ALMANAC_NUMBER_TEXT_MAX] = "";
    if (row->has_number) {
        almanac_number_text(row->mantissa, row->exponent, '\0', number);
    }
    cli_csv_raw(csv, number);
    cli_csv_raw(csv, row->unit);
    cli_csv_raw(csv, row->has_number || row->qualifier != 0 ? almanac_qualifier_code(row->qualifier)
                                                            : "");
    cli_csv_double(csv, row->lower);
    cli_csv_double(csv, row->upper);
}

static void csv_finding(cli_csv *csv, const almanac_finding *finding)
{
    const almanac_row *claim = &finding->claim;
    const char *const cell[] = {claim->indicator, claim->place,        claim->period,
                                claim->measure,   claim->accumulation, claim->breakdown,
                                claim->relation};
    const char *const implied[] = {finding->implied.indicator, finding->implied.place,
                                   finding->implied.period, finding->implied.measure};
    for (size_t i = 0; i < ALM_ARRAY_LEN(cell); i++) {
        cli_csv_text(csv, cell[i]);
    }
    csv_figure(csv, claim);
    cli_csv_text(csv, claim->source);
    cli_csv_text(csv, claim->published);
    cli_csv_raw(csv, almanac_check_code(finding->check));
    cli_csv_raw(csv, almanac_verdict_code(finding->verdict));
    csv_figure(csv, &finding->computed);
    cli_csv_double(csv, tolerance_of(finding));
    cli_csv_raw(csv, almanac_implied_code(finding->implies));
    for (size_t i = 0; i < ALM_ARRAY_LEN(implied); i++) {
        cli_csv_text(csv, implied[i]);
    }
    csv_figure(csv, &finding->implied);
    cli_csv_text(csv, finding->why_zh);
    cli_csv_text(csv, finding->why_en);
    cli_csv_end(csv);
}

#define FIGURE_TITLES(prefix)                                                                      \
    prefix "value", prefix "unit", prefix "qualifier", prefix "lower", prefix "upper"

void cli_findings_csv(cli *self, const almanac_reconciliation *answer)
{
    static const char *const titles[] = {
        "indicator",
        "place",
        "period",
        "measure",
        "accumulation",
        "breakdown",
        "relation",
        FIGURE_TITLES(""),
        "source",
        "published",
        "check",
        "verdict",
        FIGURE_TITLES("computed_"),
        "tolerance",
        "implied",
        "implied_indicator",
        "implied_place",
        "implied_period",
        "implied_measure",
        FIGURE_TITLES("implied_"),
        "why_zh",
        "why_en",
    };
    cli_csv csv = {.out = self->out};
    for (size_t i = 0; i < ALM_ARRAY_LEN(titles); i++) {
        cli_csv_raw(&csv, titles[i]);
    }
    cli_csv_end(&csv);
    for (size_t i = 0; i < answer->finding_count; i++) {
        csv_finding(&csv, &answer->findings[i]);
    }
}

static void json_figure(cli_json *json, const char *key, const almanac_row *row)
{
    char number[ALMANAC_NUMBER_TEXT_MAX];
    cli_json_object(json, key);
    if (row->has_number) {
        almanac_number_text(row->mantissa, row->exponent, '\0', number);
        cli_json_number(json, "value", number);
    } else {
        cli_json_null(json, "value");
    }
    cli_json_text(json, "unit", row->unit);
    cli_json_text(json, "qualifier", almanac_qualifier_code(row->qualifier));
    cli_json_double(json, "lower", row->lower);
    cli_json_double(json, "upper", row->upper);
    cli_json_end_object(json);
}

static void json_implied(cli_json *json, const almanac_finding *finding)
{
    if (finding->implies == 0) {
        cli_json_null(json, "implied");
        return;
    }
    cli_json_object(json, "implied");
    cli_json_text(json, "what", almanac_implied_code(finding->implies));
    cli_json_text(json, "indicator", finding->implied.indicator);
    cli_json_text(json, "place", finding->implied.place);
    cli_json_text(json, "period", finding->implied.period);
    cli_json_text(json, "measure", finding->implied.measure);
    json_figure(json, "figure", &finding->implied);
    cli_json_end_object(json);
}

static void json_finding(cli_json *json, const almanac_finding *finding)
{
    const almanac_row *claim = &finding->claim;
    cli_json_object(json, NULL);
    cli_json_text(json, "indicator", claim->indicator);
    cli_json_text(json, "place", claim->place);
    cli_json_text(json, "period", claim->period);
    cli_json_text(json, "measure", claim->measure);
    cli_json_text(json, "accumulation", claim->accumulation);
    cli_json_text(json, "breakdown", claim->breakdown);
    cli_json_text(json, "relation", claim->relation);
    json_figure(json, "claimed", claim);
    cli_json_text(json, "source", claim->source);
    cli_json_text(json, "published", claim->published);
    cli_json_text(json, "check", almanac_check_code(finding->check));
    cli_json_text(json, "verdict", almanac_verdict_code(finding->verdict));
    if (finding->computed.has_number) {
        json_figure(json, "computed", &finding->computed);
    } else {
        cli_json_null(json, "computed");
    }
    cli_json_double(json, "tolerance", tolerance_of(finding));
    json_implied(json, finding);
    cli_json_text(json, "why_zh", finding->why_zh);
    cli_json_text(json, "why_en", finding->why_en);
    cli_json_end_object(json);
}

void cli_findings_json(cli *self, const almanac_reconciliation *answer)
{
    cli_json json = {.out = self->out};
    cli_json_object(&json, NULL);
    cli_json_array(&json, "findings");
    for (size_t i = 0; i < answer->finding_count; i++) {
        cli_json_line(&json);
        json_finding(&json, &answer->findings[i]);
    }
    cli_json_end_array(&json);
    cli_json_item_errors(&json, answer->errors, answer->error_count);
    cli_json_u64(&json, "match", answer->match_count);
    cli_json_u64(&json, "not_judged", answer->unjudged_count);
    cli_json_u64(&json, "doubtful", answer->doubt_count);
    cli_json_end_object(&json);
    cli_json_line(&json);
}
