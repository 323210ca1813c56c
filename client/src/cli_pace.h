// The pace of a target as CSV and as JSON, with every field.
#ifndef ALM_CLI_PACE_H
#define ALM_CLI_PACE_H

#include "almanac.h"

#include "cli_csv.h"
#include "cli_json.h"

void cli_pace_csv_header(cli_csv *csv);
void cli_pace_csv(cli_csv *csv, const almanac_pace *pace);    // NULL: empty fields
void cli_pace_json(cli_json *json, const almanac_pace *pace); // a member "pace"

#endif
