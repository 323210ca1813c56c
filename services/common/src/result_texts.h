// The table of texts of a result block: each text once, found again by its hash.
#ifndef ALM_RESULT_TEXTS_H
#define ALM_RESULT_TEXTS_H

#include "alm/arena.h"
#include "alm/period.h"
#include "alm/unit.h"
#include "alm/wire.h"

#define ALM_RESULT_MEMO_COUNT 256 // a power of two

typedef struct alm_result_slot {
    uint32_t hash;
    uint32_t index; // of a text, + 1; 0 is free
} alm_result_slot;

// What a number was printed as: rows have few periods, dates and units.
typedef struct alm_result_memo {
    uint64_t number;
    uint32_t index; // as of a slot
} alm_result_memo;

typedef struct alm_result_texts {
    alm_arena *arena; // everything lives there
    char *bytes;      // the texts, a line feed behind each, and a NUL
    size_t len, cap;  // without the NUL
    uint32_t *ends;   // where each one's line feed is
    size_t count, end_cap;
    alm_result_slot *slots; // open addressing
    size_t slot_count;
    alm_result_memo periods[ALM_RESULT_MEMO_COUNT], dates[ALM_RESULT_MEMO_COUNT],
        units[ALM_RESULT_MEMO_COUNT];
} alm_result_texts;

// All functions here: false when the arena is full.

// A table whose text 0 is "".
ALM_MUST_USE bool alm_result_texts_init(alm_result_texts *texts, alm_arena *arena);
ALM_MUST_USE bool alm_result_texts_index(alm_result_texts *texts, alm_str text, uint32_t *ret);
ALM_MUST_USE bool alm_result_texts_period(alm_result_texts *texts, alm_period period,
                                          uint32_t *ret);
ALM_MUST_USE bool alm_result_texts_date(alm_result_texts *texts, alm_date date, uint32_t *ret);
ALM_MUST_USE bool alm_result_texts_unit(alm_result_texts *texts, alm_unit unit, uint32_t *ret);

// All of a list, behind what is there; the index of its first. They are not found by _index.
ALM_MUST_USE bool alm_result_texts_append(alm_result_texts *texts, const alm_text_list *list,
                                          uint32_t *ret);

// Is it that text?
bool alm_result_texts_is(const alm_result_texts *texts, uint32_t index, alm_str text);

#endif
