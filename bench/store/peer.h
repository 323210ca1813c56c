// One engine behind the command line that all peers of the benchmark of the store have: each is a
// `peer`, a table of what it does, and a main that hands it to peer_main. What is measured, how
// often, and what an answer is, stands in ../README.md.
//
// A peer ends the program with peer_die when its engine fails; it may keep its state in globals.
#ifndef BENCH_STORE_PEER_H
#define BENCH_STORE_PEER_H

#include "alm/assert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum peer_case {
    CASE_LATEST,              // period, value and status of the newest period of a series
    CASE_SERIES,              // the same of all its periods
    CASE_DISTRICTS,           // place, value and status of all districts in one period
    CASE_RANK,                // the same, largest value first, then by place
    CASE_RANK_NUMBER,         // place and rank, 1 for the largest, of all districts in one period
    CASE_TOWNS_PROVINCE,      // the sum of its towns for each province in one period
    CASE_TOWNS_PROVINCE_YEAR, // the same for each year: all periods
    CASE_GROWTH,              // value / value a year before - 1: all districts and periods
    CASE_TOPTEN,              // the ten largest values of one period, then by indicator and place
    CASE_PLACE,               // all indicators of one place in one period
    CASE_ASOF,                // as CASE_DISTRICTS, as known at a publication
    CASE_COUNT
} peer_case;

typedef struct question { // each case takes what it needs of it
    int32_t indicator;
    uint32_t place;      // see ../src/place.h
    int32_t period;      // yyyymm
    int32_t publication; // 0 is the load, 1 and up are revisions
} question;

// What was answered so far, told row by row. `key` is what the row is about, see the functions
// below; `value_e2` is the value in hundredths.
typedef struct answer {
    uint64_t row_count;
    uint64_t digest;
    uint64_t question_index;
    uint64_t position; // of the row within its answer, where rows have an order; else 0
    bool is_ordered;
} answer;

void answer_row(answer *a, uint64_t key, int64_t value_e2, char status); // status 0: none is asked
void answer_ratio(answer *a, uint64_t key, double ratio);

static inline uint64_t key_of(uint64_t major,
                              uint64_t minor) // (place, period), (province, year)...
{
    return major << 32 | minor;
}

static inline int64_t value_to_e2(double value)
{
    return (int64_t)(value * 100 + (value < 0 ? -0.5 : 0.5));
}

typedef struct load_times {
    double durable_s; // all is stored and would survive a power cut
    double merged_s;  // and is in the state in which questions are asked: indexed, merged, sorted
} load_times;

// Of one that only answers, everything between `close` and `ask` is NULL.
typedef struct peer {
    // The name to report with that option of the command line, or without one (NULL); NULL: there
    // is no such option. Called once, before everything else.
    const char *(*name)(const char *option);
    void (*open)(const char *folder); // an absolute path; the folder is there, at first empty
    void (*close)(void);
    void (*load)(const char *csv_path, load_times *ret); // into an empty store
    // On disk after the load: all that holds observations, logs left out. *ret_largest is the part
    // of the largest of several layouts, 0 where there is only one.
    int64_t (*bytes)(int64_t *ret_largest);
    void (*release)(const char *csv_path); // adds a month; durable and readable when it returns
    void (*revise)(const char *csv_path);  // adds the publications after the load's, for CASE_ASOF
    // How many values there are and their sum in hundredths; period 0: of all. Not timed.
    void (*total)(int32_t indicator, int32_t period, int64_t *ret_count, int64_t *ret_sum_e2);
    // Timed: when it returns, every value of the answer can be read by address in this process.
    // False: the peer cannot answer such a question.
    bool (*ask)(peer_case c, const question *q);
    void (*tell)(peer_case c, const question *q, answer *a); // the last answer; not timed
} peer;

int peer_main(const peer *self, int argc, char **argv);
void peer_die(const char *fmt, ...) ALM_PRINTF(1, 2) __attribute__((noreturn));
double peer_now_s(void); // monotonic

// The keys of rows, by case: LATEST and SERIES the period; DISTRICTS, the RANKs and ASOF the place;
// TOWNS_PROVINCE the province's position as place.h has it; TOWNS_PROVINCE_YEAR key_of(province,
// year); GROWTH key_of(place, period); TOPTEN key_of(indicator, place); PLACE the indicator. The
// value of RANK_NUMBER is the rank.

#endif
