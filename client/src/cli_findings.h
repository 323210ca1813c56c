// Findings as CSV and as JSON.
#ifndef ALM_CLI_FINDINGS_H
#define ALM_CLI_FINDINGS_H

#include "cli.h"

void cli_findings_csv(cli *self, const almanac_reconciliation *answer);
void cli_findings_json(cli *self, const almanac_reconciliation *answer);

#endif
