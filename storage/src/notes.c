#include "notes.h"

#include <xxhash.h>

// The slot the note is in, or the free one where it would be.
static size_t slot_of(const alm_notes *notes, alm_str note)
{
    size_t slot = XXH3_64bits(note.data, note.len) & (notes->slot_count - 1);
    while (notes->slots[slot] != 0 && !alm_str_eq(notes->notes[notes->slots[slot] - 1], note)) {
        slot = (slot + 1) & (notes->slot_count - 1);
    }
    return slot;
}

#define SLOT_COUNT_MIN 16

// Keeps half of the slots free.
static bool reserve_slots(alm_notes *notes, alm_arena *arena)
{
    if (2 * notes->count < notes->slot_count) {
        return true;
    }
    size_t count = ALM_MAX((size_t)SLOT_COUNT_MIN, 2 * notes->slot_count);
    uint32_t *slots = alm_arena_calloc(arena, count, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    notes->slots = slots;
    notes->slot_count = count;
    for (size_t i = 0; i < notes->count; i++) {
        slots[slot_of(notes, notes->notes[i])] = (uint32_t)i + 1;
    }
    return true;
}

bool alm_notes_add(alm_notes *notes, alm_str note, alm_arena *arena, int64_t *ret)
{
    *ret = 0;
    if (note.len == 0) {
        return true;
    }
    if (!reserve_slots(notes, arena)) {
        return false;
    }
    size_t slot = slot_of(notes, note);
    if (notes->slots[slot] == 0) {
        if (!alm_arena_grow(arena, (void **)&notes->notes, &notes->cap, notes->count + 1,
                            sizeof *notes->notes)) {
            return false;
        }
        notes->notes[notes->count++] = note;
        notes->slots[slot] = (uint32_t)notes->count;
    }
    *ret = notes->slots[slot];
    return true;
}
