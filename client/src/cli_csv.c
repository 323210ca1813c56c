#include "cli_csv.h"

#include "alm/assert.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void cli_csv_raw(cli_csv *csv, const char *text)
{
    fputs(csv->column++ > 0 ? "," : "", csv->out);
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, csv->out);
        return;
    }
    fputc('"', csv->out);
    for (const char *c = text; *c != '\0'; c++) {
        fputs(*c == '"' ? "\"" : "", csv->out);
        fputc(*c, csv->out);
    }
    fputc('"', csv->out);
}

void cli_csv_text(cli_csv *csv, const char *text)
{
    bool is_formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
    if (!is_formula) {
        cli_csv_raw(csv, text);
        return;
    }
    // The apostrophe goes inside the quotes.
    fputs(csv->column++ > 0 ? ",\"'" : "\"'", csv->out);
    for (const char *c = text; *c != '\0'; c++) {
        fputs(*c == '"' ? "\"" : "", csv->out);
        fputc(*c, csv->out);
    }
    fputc('"', csv->out);
}

void cli_double_text(double value, char *out)
{
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(out, CLI_DOUBLE_TEXT_MAX, "%.*g", digits, value);
        if (strtod(out, NULL) == value) {
            return;
        }
    }
}

void cli_csv_double(cli_csv *csv, double value)
{
    char text[CLI_DOUBLE_TEXT_MAX] = "";
    if (isfinite(value)) {
        cli_double_text(value, text);
    }
    cli_csv_raw(csv, text);
}

void cli_csv_u64(cli_csv *csv, unsigned long long value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", value);
    cli_csv_raw(csv, text);
}

void cli_csv_end(cli_csv *csv)
{
    fputc('\n', csv->out);
    csv->column = 0;
}
