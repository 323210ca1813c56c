// What the cells of one column have meant so far. A file says the same few things again and again,
// so most cells are answered by one comparison with the cell before or one look into a table.
#ifndef ALM_INGESTION_MEMO_H
#define ALM_INGESTION_MEMO_H

#include "cells.h"

typedef struct memo_entry {
    alm_str raw;        // the cell's bytes as in the file; borrowed
    const char *reason; // why it means nothing; NULL: value holds
    bool known;         // false: the entry is empty
    bool blank;         // the cell says nothing; value is what is assumed then
    cell_value value;
} memo_entry;

// A table where each text has one place; a newcomer takes it. Forgetting costs time only.
typedef struct memo {
    memo_entry *entries;
    size_t mask;
    memo_entry *last; // the one given last
} memo;

// entry_count: a power of two. False: the arena is exhausted.
ALM_MUST_USE bool memo_init(memo *m, size_t entry_count, alm_arena *arena);

// The entry of the text: the known one, or an empty one that the caller fills (raw is set).
memo_entry *memo_at(memo *m, alm_str raw);

#endif
