// The words with which a request narrows series, as the model knows them: measure, breakdown,
// accumulation, frequency. What an empty word stands for is the caller's to say.
#ifndef ALM_SERIES_WORDS_H
#define ALM_SERIES_WORDS_H

#include "alm/arena.h"
#include "alm/series.h"

typedef struct alm_series_words {
    alm_measure measure;           // NONE: all
    alm_accumulation accumulation; // NONE: both
    alm_freq freq;                 // NONE: all
    alm_str breakdown;             // "": totals; "*": all; else canonical, "a=b+c=d"; in the arena
} alm_series_words;

// measure: a code, "*" for all. breakdown: "" or "_T" for totals, "*" for all, else pairs in any
// order. accumulation: "P", "C", "" for both. frequency: a letter of SDMX, "" for all.
//
// ALM_INVALID_ARGUMENT    a word that is not known; field and value are named
// ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code alm_series_words_parse(const char *measure, const char *breakdown,
                                             const char *accumulation, const char *frequency,
                                             alm_arena *arena, alm_series_words *ret,
                                             alm_status *st);

#endif
