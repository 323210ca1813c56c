// Rows of an answer as a table, as CSV and as JSON.
#ifndef ALM_CLI_ROWS_H
#define ALM_CLI_ROWS_H

#include "cli.h"
#include "cli_csv.h"
#include "cli_json.h"
#include "cli_names.h"

// The rows as a table on self->out, with a sparkline for each series of three periods or more where
// with_spark and the output is a terminal. False: out of memory.
bool cli_rows_table(cli *self, const almanac_row *rows, size_t count, const cli_names *names,
                    bool with_spark);

// with_pace: columns of target progress behind the others; empty in rows without.
void cli_rows_csv_header(cli_csv *csv, bool with_pace);
void cli_row_csv(cli_csv *csv, const almanac_row *row, bool with_pace);
void cli_row_json(cli_json *json, const almanac_row *row); // an object, with a pace if it has one

// What was wrong with single indicators: says it, and returns the exit code of the first, or 0; as
// the member "errors".
int cli_say_item_errors(cli *self, const almanac_item_error *errors, size_t count);
void cli_json_item_errors(cli_json *json, const almanac_item_error *errors, size_t count);

const char *cli_row_status(cli *self, const almanac_row *row); // "P provisional"; "" for normal

// Value for drawing only: what is shown are the digits.
double cli_row_double(const almanac_row *row); // NAN when missing

#endif
