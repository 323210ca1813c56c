// The full-size workload: monthly values of every place of a places file, the same for the same
// arguments, so that runs and machines can be compared.
//
// Four kinds of indicator take turns: money with two decimals, a count, an index with one decimal,
// money per head with two decimals. A value is a trend times a season times noise of 2 percent. Of
// the cells, 0.5 percent are missing, 1 percent estimated, and those of the last three months
// provisional.
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PLACE_COUNT_MAX = 100000, CODE_MAX = 16, FIRST_YEAR = 2015, PROVISIONAL_MONTHS = 3 };

typedef struct kind {
    const char *name_zh, *name_en, *unit, *value_type;
    int decimals;
    double base;
    bool adds; // over places: its values are sums
} kind;

typedef struct place {
    char code[CODE_MAX];
    uint32_t number; // see place.h
    double scale;    // a country is larger than a town
} place;

typedef struct cell {
    double value;
    int64_t scaled; // the value in units of its last decimal, rounded as printf would
    int decimals;
    char status; // A normal, E estimated, P provisional
} cell;

const kind *workload_kind(long indicator);

// Reads what script/fetch-places writes, parents before children. The places stay in a table of
// this module; returns how many there are and ends the program if the file cannot be used.
size_t workload_places_read(const char *path, const place **ret_places);

// The value of a place, by its position in the file, in a month counted from January of
// FIRST_YEAR, of a workload that is `months` long. False: it is missing.
bool workload_cell(long indicator, const place *p, size_t place_index, long month, long months,
                   cell *ret);

uint64_t workload_mix(uint64_t x); // well mixed bits of x; for what else has to look random

#endif
