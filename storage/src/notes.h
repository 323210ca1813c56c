// Distinct notes and their numbers, from 1; 0 is no note.
#ifndef ALM_STORAGE_NOTES_H
#define ALM_STORAGE_NOTES_H

#include "alm/arena.h"

typedef struct alm_notes {
    alm_str *notes; // of number i + 1; in the arena
    size_t count, cap;
    uint32_t *slots; // index + 1 into notes, by open addressing; 0: free
    size_t slot_count;
} alm_notes;

// The number of the note, which is borrowed; an empty one is none. False: no memory.
ALM_MUST_USE bool alm_notes_add(alm_notes *notes, alm_str note, alm_arena *arena, int64_t *ret);

#endif
