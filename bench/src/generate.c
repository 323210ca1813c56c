// Makes the files of the full-size workload: monthly values of every place of a places file, the
// same for the same arguments, so that runs and machines can be compared.
//
//   generate indicators COUNT                       the catalogue file
//   generate observations PLACES COUNT MONTHS       the observations, release by release from
//   2015-01
//
// Four kinds of indicator take turns: money with two decimals, a count, an index with one decimal,
// money per head with two decimals. A value is a trend times a season times noise of 2 percent. Of
// the cells, 0.5 percent are missing, 1 percent estimated, and those of the last three months
// provisional.
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACE_COUNT_MAX = 100000, CODE_MAX = 16, FIRST_YEAR = 2015, PROVISIONAL_MONTHS = 3 };

typedef struct kind {
    const char *name_zh, *name_en, *unit, *value_type;
    int decimals;
    double base;
} kind;

static const kind kinds[] = {
    {"产值", "Output", "CNY_E4", "flow", 2, 5000.0},
    {"企业数", "Enterprises", "count_jia", "stock", 0, 900.0},
    {"价格指数", "Price index", "index", "index", 1, 102.0},
    {"人均收入", "Income per head", "CNY", "rate", 2, 3200.0},
};

typedef struct place {
    char code[CODE_MAX];
    double scale; // a country is larger than a town
} place;

static uint64_t mix(uint64_t x) // splitmix64
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static double unit_interval(uint64_t x)
{
    return (double)(x >> 11) / (double)(UINT64_C(1) << 53);
}

static const kind *kind_of(long indicator)
{
    return &kinds[indicator % (long)(sizeof kinds / sizeof kinds[0])];
}

static void indicators_write(long count)
{
    puts("code,name_zh,name_en,unit,value_type,over_places,theme");
    for (long i = 0; i < count; i++) {
        const kind *k = kind_of(i);
        bool adds = strcmp(k->value_type, "flow") == 0 || strcmp(k->value_type, "stock") == 0;
        printf("bench_%03ld,%s%ld,%s %ld,%s,%s,%s,bench\n", i, k->name_zh, i, k->name_en, i,
               k->unit, k->value_type, adds ? "sum" : "none");
    }
}

// Reads codes and levels: the first and third column of what script/fetch-places writes.
static size_t places_read(const char *path, place *places)
{
    char line[1024];
    size_t count = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    for (bool header = true; fgets(line, sizeof line, file) != NULL; header = false) {
        size_t len = strcspn(line, ",");
        if (header || len == 0 || len >= CODE_MAX || count == PLACE_COUNT_MAX) {
            continue;
        }
        memcpy(places[count].code, line, len);
        places[count].code[len] = '\0';
        places[count].scale = strstr(line, ",town,") != NULL       ? 1
                              : strstr(line, ",district,") != NULL ? 14
                              : strstr(line, ",city,") != NULL     ? 120
                              : strstr(line, ",province,") != NULL ? 1300
                                                                   : 41000;
        count++;
    }
    fclose(file);
    return count;
}

static void row_write(long indicator, const place *p, size_t place_index, long month, long months,
                      const char *published)
{
    static const double pi = 3.14159265358979323846;
    const kind *k = kind_of(indicator);
    uint64_t seed = mix((uint64_t)indicator << 48 ^ (uint64_t)place_index << 16 ^ (uint64_t)month);
    uint64_t own = mix((uint64_t)indicator << 48 ^ (uint64_t)place_index);
    if (seed % 1000 < 5) {
        return; // missing
    }
    double scale = strcmp(k->value_type, "flow") == 0 || strcmp(k->value_type, "stock") == 0
                       ? p->scale * (0.2 + 1.6 * unit_interval(own))
                       : 0.8 + 0.4 * unit_interval(own);
    double trend = 1.0 + 0.004 * (double)month;
    double season = 1.0 + 0.1 * sin(2 * pi * (double)(month % 12) / 12.0);
    double noise = 1.0 + 0.02 * (2 * unit_interval(mix(seed)) - 1);
    const char *status = month >= months - PROVISIONAL_MONTHS     ? "P"
                         : mix(seed ^ UINT64_C(0xe57)) % 100 == 0 ? "E"
                                                                  : "A";
    printf("bench_%03ld,%s,%04ld-%02ld,%.*f,%s,%s,%s\n", indicator, p->code,
           FIRST_YEAR + month / 12, month % 12 + 1, k->decimals,
           k->base * scale * trend * season * noise, k->unit, status, published);
}

static void observations_write(const char *places_path, long count, long months)
{
    place *places = calloc(PLACE_COUNT_MAX, sizeof *places);
    if (places == NULL) {
        perror("places");
        exit(1);
    }
    size_t place_count = places_read(places_path, places);
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
    free(places);
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
