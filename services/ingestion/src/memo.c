#include "memo.h"

#include <xxhash.h>

bool memo_init(memo *m, size_t entry_count, alm_arena *arena)
{
    ALM_ASSERT(entry_count > 0 && (entry_count & (entry_count - 1)) == 0);
    m->entries = alm_arena_calloc(arena, entry_count, sizeof *m->entries);
    m->mask = entry_count - 1;
    m->last = m->entries;
    return m->entries != NULL;
}

memo_entry *memo_at(memo *m, alm_str raw)
{
    if (m->last->known && alm_str_eq(m->last->raw, raw)) {
        return m->last;
    }
    memo_entry *entry = &m->entries[(size_t)XXH3_64bits(raw.data, raw.len) & m->mask];
    if (!entry->known || !alm_str_eq(entry->raw, raw)) {
        *entry = (memo_entry){.raw = raw};
    }
    m->last = entry;
    return entry;
}
