#include "cli_pace.h"

#include "pace.h"

static void number_text(const almanac_figure *figure, char *out)
{
    out[0] = '\0';
    if (figure->has_number) {
        almanac_number_text(figure->mantissa, figure->exponent, '\0', out);
    }
}

// --- CSV -----------------------------------------------------------------------------------------

static const char *const pace_titles[] = {"verdict", "why", "until", "per"};

#define FIGURE_TITLES(name)                                                                        \
#name, #name "_unit", #name "_qualifier", #name "_lower", #name "_upper", #name "_reason",
static const char *const figure_titles[] = {ALM_PACE_FIGURES(FIGURE_TITLES)};
#undef FIGURE_TITLES

void cli_pace_csv_header(cli_csv *csv)
{
    for (size_t i = 0; i < ALM_ARRAY_LEN(pace_titles); i++) {
        cli_csv_raw(csv, pace_titles[i]);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(figure_titles); i++) {
        cli_csv_raw(csv, figure_titles[i]);
    }
}

static void put_figure(cli_csv *csv, const almanac_figure *figure)
{
    char number[ALMANAC_NUMBER_TEXT_MAX];
    number_text(figure, number);
    cli_csv_raw(csv, number);
    cli_csv_text(csv, figure->unit);
    cli_csv_raw(csv, almanac_qualifier_code(figure->qualifier));
    cli_csv_double(csv, figure->lower);
    cli_csv_double(csv, figure->upper);
    cli_csv_text(csv, figure->reason);
}

void cli_pace_csv(cli_csv *csv, const almanac_pace *pace)
{
    if (pace == NULL) {
        for (size_t i = 0; i < ALM_ARRAY_LEN(pace_titles) + ALM_ARRAY_LEN(figure_titles); i++) {
            cli_csv_raw(csv, "");
        }
        return;
    }
    cli_csv_raw(csv, almanac_pace_verdict_code(pace->verdict));
    cli_csv_text(csv, pace->why);
    cli_csv_text(csv, pace->until);
    cli_csv_text(csv, pace->per);
#define PUT_FIGURE(name) put_figure(csv, &pace->name);
    ALM_PACE_FIGURES(PUT_FIGURE)
#undef PUT_FIGURE
}

// --- JSON ----------------------------------------------------------------------------------------

static void add_figure(cli_json *json, const char *key, const almanac_figure *figure)
{
    char number[ALMANAC_NUMBER_TEXT_MAX];
    number_text(figure, number);
    cli_json_object(json, key);
    cli_json_number(json, "value", figure->has_number ? number : "null");
    cli_json_text(json, "unit", figure->unit);
    cli_json_text(json, "qualifier", almanac_qualifier_code(figure->qualifier));
    cli_json_double(json, "lower", figure->lower);
    cli_json_double(json, "upper", figure->upper);
    cli_json_text(json, "reason", figure->reason);
    cli_json_end_object(json);
}

void cli_pace_json(cli_json *json, const almanac_pace *pace)
{
    cli_json_object(json, "pace");
    cli_json_text(json, "verdict", almanac_pace_verdict_code(pace->verdict));
    cli_json_text(json, "why", pace->why);
    cli_json_text(json, "until", pace->until);
    cli_json_text(json, "per", pace->per);
#define ADD_FIGURE(name) add_figure(json, #name, &pace->name);
    ALM_PACE_FIGURES(ADD_FIGURE)
#undef ADD_FIGURE
    cli_json_end_object(json);
}
