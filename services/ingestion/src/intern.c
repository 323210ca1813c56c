#include "intern.h"

#include <xxhash.h>

#define SLOT_COUNT_FIRST 64

void interner_init(interner *in, alm_arena *arena)
{
    *in = (interner){.arena = arena};
}

// The slot that holds the text, or the empty one where it belongs.
static uint32_t *slot_of(const interner *in, alm_str text)
{
    size_t mask = in->slot_count - 1;
    size_t at = (size_t)XXH3_64bits(text.data, text.len) & mask;
    while (in->slots[at] != 0 && !alm_str_eq(in->texts[in->slots[at] - 1], text)) {
        at = (at + 1) & mask;
    }
    return &in->slots[at];
}

// Keeps at least half of the slots empty.
static bool make_room(interner *in)
{
    if (in->slot_count > 0 && (size_t)in->count + 1 <= in->slot_count / 2) {
        return true;
    }
    size_t slot_count = in->slot_count == 0 ? SLOT_COUNT_FIRST : in->slot_count * 2;
    uint32_t *slots = alm_arena_calloc(in->arena, slot_count, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    in->slots = slots;
    in->slot_count = slot_count;
    for (uint32_t i = 0; i < in->count; i++) {
        *slot_of(in, in->texts[i]) = i + 1;
    }
    return true;
}

bool intern(interner *in, alm_str text, uint32_t *ret, bool *ret_new)
{
    if (!make_room(in)) {
        return false;
    }
    uint32_t *slot = slot_of(in, text);
    bool is_new = *slot == 0;
    if (is_new) {
        void *texts = in->texts;
        char *copy = alm_arena_strdup(in->arena, text);
        if (copy == NULL || !alm_arena_grow(in->arena, &texts, &in->text_cap, (size_t)in->count + 1,
                                            sizeof *in->texts)) {
            return false;
        }
        in->texts = texts;
        in->texts[in->count] = (alm_str){copy, text.len};
        *slot = ++in->count;
    }
    *ret = *slot - 1;
    if (ret_new != NULL) {
        *ret_new = is_new;
    }
    return true;
}

uint32_t interner_find(const interner *in, alm_str text)
{
    uint32_t slot = in->slot_count > 0 ? *slot_of(in, text) : 0;
    return slot > 0 ? slot - 1 : UINT32_MAX;
}
