#include "cli_transforms.h"

#include <string.h>

const cli_transform cli_transforms[] = {
    {"places", "rollup", "made of the places below, in the groups of --group-by"},
    {"places", "target", "progress towards targets, whether on time; stands alone"},
    {"frequency", "to:FREQUENCY[/METHOD]", "in another: A S T Q M W; by sum avg eop min or max"},
    {"accumulation", "to:P|C", "of the period alone, or from 1 January to its end"},
    {"prices", "constant:YEAR", "at prices of the year, by growth at constant prices"},
    {"prices", "deflator:YEAR", "what prices did since, the year being 100"},
    {"ratio", "share[:INDICATOR@PLACE]", "of the parent place, or of what is named, percent"},
    {"change", "lin", "as it is"},
    {"change", "chg", "change from the period before"},
    {"change", "ch1", "change from a year before"},
    {"change", "pch", "growth on the period before, percent"},
    {"change", "pc1", "growth on a year before, percent"},
    {"change", "pca", "growth on the period before at annual rate, percent"},
    {"change", "cch", "the same, continuously compounded"},
    {"change", "cca", "the same at annual rate"},
    {"change", "log", "natural logarithm"},
    {"change", "chy", "change from the end of last year"},
    {"change", "pcy", "growth on the end of last year, percent"},
    {"change", "cagr:YEARS", "average annual growth, percent"},
    {"change", "contribution_pp[:INDICATOR@PLACE]",
     "to the whole's growth on a year before, points"},
    {"change", "contribution_share[:INDICATOR@PLACE]",
     "of the whole's change from a year before, percent"},
    {"index", "index:PERIOD", "the base period is 100"},
    {"average", "ma:PERIODS", "average of the newest periods"},
    {"rank", "rank[:PLACES]", "among the places of the same parent and level, or those named"},
    {"rank", "percentile[:PLACES]", "peers that are worse, percent"},
};
const size_t cli_transform_count = sizeof cli_transforms / sizeof *cli_transforms;

void cli_transforms_print(FILE *out)
{
    fprintf(out,
            "The words of --transform, in the order in which they are applied, whichever order "
            "they\nare given in: one of each group.\n");
    const char *stage = "";
    for (size_t i = 0; i < cli_transform_count; i++) {
        const cli_transform *it = &cli_transforms[i];
        if (strcmp(it->stage, stage) != 0) {
            stage = it->stage;
            fprintf(out, "\n%s\n", stage);
        }
        fprintf(out, "  %-37s%s\n", it->word, it->meaning);
    }
    fprintf(out, "\ngrowth and yoy are other words for pc1, pop for pch.\n");
}
