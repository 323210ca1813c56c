// Makes the files of the full-size workload (see workload.h) as `almanac import` takes them.
//
//   generate indicators COUNT                       the catalogue file
//   generate observations PLACES COUNT MONTHS       the observations, release by release from
//   2015-01
#include "workload.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void indicators_write(long count)
{
    puts("code,name_zh,name_en,unit,value_type,over_places,theme");
    for (long i = 0; i < count; i++) {
        const kind *k = workload_kind(i);
        printf("bench_%03ld,%s%ld,%s %ld,%s,%s,%s,bench\n", i, k->name_zh, i, k->name_en, i,
               k->unit, k->value_type, k->adds ? "sum" : "none");
    }
}

static void row_write(long indicator, const place *p, size_t place_index, long month, long months,
                      const char *published)
{
    cell c;
    if (workload_cell(indicator, p, place_index, month, months, &c)) {
        printf("bench_%03ld,%s,%04ld-%02ld,%.*f,%s,%c,%s\n", indicator, p->code,
               FIRST_YEAR + month / 12, month % 12 + 1, c.decimals, c.value,
               workload_kind(indicator)->unit, c.status, published);
    }
}

static void observations_write(const char *places_path, long count, long months)
{
    const place *places;
    size_t place_count = workload_places_read(places_path, &places);
    puts("indicator,place,period,value,unit,status,published");
    for (long month = 0; month < months; month++) {
        char published[64]; // the twentieth of the next month
        long next = month + 1;
        snprintf(published, sizeof published, "%04ld-%02ld-20", FIRST_YEAR + next / 12,
                 next % 12 + 1);
        for (long indicator = 0; indicator < count; indicator++) {
            for (size_t i = 0; i < place_count; i++) {
                row_write(indicator, &places[i], i, month, months, published);
            }
        }
    }
}

static long number(const char *text, long max)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (*end != '\0' || value < 1 || value > max) {
        fprintf(stderr, "generate: %s is not a number from 1 to %ld\n", text, max);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    static char out[1 << 20];
    setvbuf(stdout, out, _IOFBF, sizeof out);
    if (argc == 3 && strcmp(argv[1], "indicators") == 0) {
        indicators_write(number(argv[2], 1000));
    } else if (argc == 5 && strcmp(argv[1], "observations") == 0) {
        observations_write(argv[2], number(argv[3], 1000), number(argv[4], 1200));
    } else {
        fputs("usage: generate indicators COUNT\n"
              "       generate observations PLACES COUNT MONTHS\n",
              stderr);
        return 2;
    }
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}
