// Reads the files that store_generate makes, for peers whose engine reads none.
#ifndef BENCH_STORE_CSV_H
#define BENCH_STORE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One at a time: they share a buffer.
typedef struct csv_file {
    const char *at, *end; // what is left in the buffer
    const char *begin;    // of the buffer, which holds the file from this byte on:
    size_t offset;
    const char *path;
    int fd;
} csv_file;

typedef struct csv_row {
    int32_t indicator;
    uint32_t place;
    int32_t period;
    int64_t value_e2; // hundredths
    int64_t mantissa; // the value's digits as they were written, so many of them decimals:
    int decimals;     // 0..2
    char status;
    int32_t publication; // 0 where the file has none
} csv_row;

void csv_open(csv_file *file, const char *path); // ends the program if it cannot be read
void csv_close(csv_file *file);
bool csv_next(csv_file *file, csv_row *ret); // false at the end

#endif
