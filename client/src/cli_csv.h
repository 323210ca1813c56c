// CSV for pipes: RFC 4180 with line feeds, and nothing a spreadsheet would run.
#ifndef ALM_CLI_CSV_H
#define ALM_CLI_CSV_H

#include <stddef.h>
#include <stdio.h>

typedef struct cli_csv {
    FILE *out;
    size_t column; // of the next field in its record
} cli_csv;

// Text from people: a leading = + - @ TAB or CR gets an apostrophe in front.
void cli_csv_text(cli_csv *csv, const char *text);
// What this program wrote itself: a number, a code word, a title.
void cli_csv_raw(cli_csv *csv, const char *text);
void cli_csv_double(cli_csv *csv, double value); // empty when infinite
void cli_csv_u64(cli_csv *csv, unsigned long long value);
void cli_csv_end(cli_csv *csv); // of the record

// The shortest text that reads back as the same double, in a buffer of CLI_DOUBLE_TEXT_MAX bytes.
#define CLI_DOUBLE_TEXT_MAX 32
void cli_double_text(double value, char *out);

#endif
