// Makes the files of the benchmark of the store: the workload of ../src/workload.h as engines take
// it. Places are numbers as ../src/place.h lays them out, periods yyyymm, values decimal text.
//
//   store_generate observations PLACES INDICATORS MONTHS ORDER
//       indicator,place,period,value,status
//   store_generate release PLACES INDICATOR MONTH
//       the same columns of one month, counted from 1 = January 2015
//   store_generate revisions PLACES MONTHS
//       the same columns and publication: 1..24, ascending
//   store_generate questions PLACES INDICATORS MONTHS
//       case,indicator,place,period,publication; the questions of a case stand together
//
// ORDER is series (by indicator, place, period) or release (by period, indicator, place).
#include "place.h"
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PUBLICATIONS = 24, REVISED_ONE_IN = 20, ROW_MAX = 80 };

static char out[1 << 20];
static size_t out_len;

static void out_flush(void)
{
    if (fwrite(out, 1, out_len, stdout) != out_len) {
        perror("store_generate");
        exit(1);
    }
    out_len = 0;
}

static void put_number(int64_t value, int digits_min)
{
    char digits[24];
    int at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
        digits_min--;
    } while (value > 0 || digits_min > 0);
    memcpy(out + out_len, digits + at, sizeof digits - (size_t)at);
    out_len += sizeof digits - (size_t)at;
}

static void put_char(char c)
{
    out[out_len++] = c;
}

static int period_of(long month)
{
    return (int)((FIRST_YEAR + month / 12) * 100 + month % 12 + 1);
}

static void put_row(long indicator, const place *p, long month, const cell *c)
{
    static const int64_t powers[] = {1, 10, 100};
    if (out_len + ROW_MAX > sizeof out) {
        out_flush();
    }
    put_number(indicator, 1);
    put_char(',');
    put_number(p->number, 1);
    put_char(',');
    put_number(period_of(month), 1);
    put_char(',');
    put_number(c->scaled / powers[c->decimals], 1);
    if (c->decimals > 0) {
        put_char('.');
        put_number(c->scaled % powers[c->decimals], c->decimals);
    }
    put_char(',');
    put_char(c->status);
}

static void observation_write(long indicator, const place *places, size_t i, long month,
                              long months)
{
    cell c;
    if (workload_cell(indicator, &places[i], i, month, months, &c)) {
        put_row(indicator, &places[i], month, &c);
        put_char('\n');
    }
}

static void observations_write(const place *places, size_t place_count, long indicators,
                               long months, bool by_series)
{
    puts("indicator,place,period,value,status");
    if (by_series) {
        for (long indicator = 0; indicator < indicators; indicator++) {
            for (size_t i = 0; i < place_count; i++) {
                for (long month = 0; month < months; month++) {
                    observation_write(indicator, places, i, month, months);
                }
            }
        }
        return;
    }
    for (long month = 0; month < months; month++) {
        for (long indicator = 0; indicator < indicators; indicator++) {
            for (size_t i = 0; i < place_count; i++) {
                observation_write(indicator, places, i, month, months);
            }
        }
    }
}

static void release_write(const place *places, size_t place_count, long indicator, long month)
{
    puts("indicator,place,period,value,status");
    for (size_t i = 0; i < place_count; i++) {
        observation_write(indicator, places, i, month - 1, month);
    }
}

// Five percent of the first indicator's values, spread over the publications after the first. A
// value may be revised more than once; a revision moves it by up to one percent.
static void revisions_write(const place *places, size_t place_count, long months)
{
    puts("indicator,place,period,value,status,publication");
    for (int publication = 1; publication <= PUBLICATIONS; publication++) {
        for (size_t i = 0; i < place_count; i++) {
            for (long month = 0; month < months; month++) {
                uint64_t chance = workload_mix((uint64_t)publication << 48 ^ (uint64_t)i << 16 ^
                                               (uint64_t)month ^ UINT64_C(0x5e70000000000));
                cell c;
                if (chance % (REVISED_ONE_IN * PUBLICATIONS) != 0 ||
                    !workload_cell(0, &places[i], i, month, months, &c)) {
                    continue;
                }
                c.scaled += c.scaled / 100 * (int64_t)(chance >> 40 & 255) / 256 + 1;
                put_row(0, &places[i], month, &c);
                put_char(',');
                put_number(publication, 1);
                put_char('\n');
            }
        }
    }
}

// How often each case is asked, each time with other parameters where it has any.
static const struct {
    const char *name;
    int count;
} cases[] = {
    {"latest", 3000}, {"series", 1000},        {"districts", 100},
    {"rank", 100},    {"towns_province", 100}, {"towns_province_year", 5},
    {"growth", 5},    {"topten", 50},          {"place", 300},
    {"asof", 50},     {"rank_number", 100},
};

static void questions_write(const place *places, size_t place_count, long indicators, long months)
{
    puts("case,indicator,place,period,publication");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool is_of_revised = strcmp(cases[i].name, "asof") == 0;
        for (int j = 0; j < cases[i].count; j++) {
            uint64_t chance = workload_mix((uint64_t)i << 32 ^ (uint64_t)j);
            uint64_t chance2 = workload_mix(chance);
            printf("%s,%ld,%lu,%d,%d\n", cases[i].name,
                   is_of_revised ? 0 : (long)(chance % 1000 % (uint64_t)indicators),
                   (unsigned long)places[(chance >> 32) % place_count].number,
                   period_of((long)(chance2 % 1000 % (uint64_t)months)),
                   (int)((chance2 >> 32) % (PUBLICATIONS + 1)));
        }
    }
}

static long number(const char *text, long max)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (*end != '\0' || value < 0 || value > max) {
        fprintf(stderr, "store_generate: %s is not a number up to %ld\n", text, max);
        exit(2);
    }
    return value;
}

static bool is_call(int argc, char **argv, const char *what, int argc_wanted)
{
    return argc == argc_wanted && strcmp(argv[1], what) == 0;
}

int main(int argc, char **argv)
{
    enum { INDICATORS_MAX = 1000, MONTHS_MAX = 1200 };
    const place *places;
    size_t count = argc > 2 ? workload_places_read(argv[2], &places) : 0;
    bool is_series = argc == 6 && strcmp(argv[5], "series") == 0;
    bool is_release = argc == 6 && strcmp(argv[5], "release") == 0;
    if (is_call(argc, argv, "observations", 6) && (is_series || is_release)) {
        observations_write(places, count, number(argv[3], INDICATORS_MAX),
                           number(argv[4], MONTHS_MAX), is_series);
    } else if (is_call(argc, argv, "release", 5)) {
        release_write(places, count, number(argv[3], INDICATORS_MAX), number(argv[4], MONTHS_MAX));
    } else if (is_call(argc, argv, "revisions", 4)) {
        revisions_write(places, count, number(argv[3], MONTHS_MAX));
    } else if (is_call(argc, argv, "questions", 5)) {
        questions_write(places, count, number(argv[3], INDICATORS_MAX),
                        number(argv[4], MONTHS_MAX));
    } else {
        fputs("usage: store_generate observations PLACES INDICATORS MONTHS series|release\n"
              "       store_generate release PLACES INDICATOR MONTH\n"
              "       store_generate revisions PLACES MONTHS\n"
              "       store_generate questions PLACES INDICATORS MONTHS\n",
              stderr);
        return 2;
    }
    out_flush();
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}
