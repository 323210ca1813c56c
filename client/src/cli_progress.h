// A progress line on a terminal; nothing anywhere else.
#ifndef ALM_CLI_PROGRESS_H
#define ALM_CLI_PROGRESS_H

#include "almanac.h"

#include "alm/clock.h"

#include <stdio.h>

typedef struct cli_progress {
    FILE *out; // NULL: silent
    const char *label;
    alm_clock clock;
    int64_t start_ms, shown_ms;
} cli_progress;

void cli_progress_start(cli_progress *progress, FILE *out, alm_clock clock, const char *label);
// Redraws at most ten times a second.
void cli_progress_show(cli_progress *progress, const almanac_progress *now);
void cli_progress_clear(cli_progress *progress);

// "report.csv [#####.....]  50%  12.3 MB  35000 rows/s  0:12 left", in a buffer of
// CLI_PROGRESS_TEXT_MAX bytes. elapsed_ms: since the start.
#define CLI_PROGRESS_TEXT_MAX 256
void cli_progress_text(const char *label, const almanac_progress *now, int64_t elapsed_ms,
                       char *out);

#endif
