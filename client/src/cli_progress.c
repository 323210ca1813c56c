#include "cli_progress.h"

#include "alm/assert.h"

#include <inttypes.h>

#define BAR_WIDTH   24
#define REDRAW_MS   100
#define NEVER_SHOWN (-1)

void cli_progress_text(const char *label, const almanac_progress *now, int64_t elapsed_ms,
                       char *out)
{
    double share = now->bytes_total > 0 ? (double)now->bytes_done / (double)now->bytes_total : 1.0;
    share = ALM_MIN(share, 1.0);
    char bar[BAR_WIDTH + 1];
    for (int i = 0; i < BAR_WIDTH; i++) {
        bar[i] = i < (int)(share * BAR_WIDTH) ? '#' : '.';
    }
    bar[BAR_WIDTH] = '\0';
    double seconds = (double)ALM_MAX(elapsed_ms, 1) / 1000.0;
    // Past an hour the estimate is no more than that anyway.
    int64_t left_s = share > 0 ? (int64_t)(seconds * (1.0 - share) / share + 0.5) : 0;
    left_s = ALM_MIN(left_s, (int64_t)99 * 60 + 59);
    (void)snprintf(out, CLI_PROGRESS_TEXT_MAX,
                   "%.60s [%s] %3d%%  %.1f MB  %.0f rows/s  %" PRId64 ":%02" PRId64 " left", label,
                   bar, (int)(share * 100), (double)now->bytes_done / 1e6,
                   (double)now->rows_done / seconds, left_s / 60, left_s % 60);
}

void cli_progress_start(cli_progress *progress, FILE *out, alm_clock clock, const char *label)
{
    *progress = (cli_progress){.out = out,
                               .label = label,
                               .clock = clock,
                               .start_ms = alm_clock_mono_ms(&clock),
                               .shown_ms = NEVER_SHOWN};
}

void cli_progress_show(cli_progress *progress, const almanac_progress *now)
{
    int64_t now_ms = alm_clock_mono_ms(&progress->clock);
    bool is_due = progress->shown_ms == NEVER_SHOWN || now_ms - progress->shown_ms >= REDRAW_MS;
    if (progress->out == NULL || !is_due) {
        return;
    }
    char text[CLI_PROGRESS_TEXT_MAX];
    cli_progress_text(progress->label, now, now_ms - progress->start_ms, text);
    fprintf(progress->out, "\r%s\033[K", text);
    (void)fflush(progress->out);
    progress->shown_ms = now_ms;
}

void cli_progress_clear(cli_progress *progress)
{
    if (progress->out != NULL && progress->shown_ms != NEVER_SHOWN) {
        fprintf(progress->out, "\r\033[K");
        (void)fflush(progress->out);
    }
    progress->shown_ms = NEVER_SHOWN;
}
