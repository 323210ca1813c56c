// Messages that came and wait to be read, in order, in as few blocks of memory as hold them.
//
// Threading: push and pop are guarded by the lock of the owner. What pop gave stays where it is
// while more is pushed, so it may be read without the lock.
#ifndef ALM_RPC_INBOX_H
#define ALM_RPC_INBOX_H

#include "alm/str.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct alm_inbox_block alm_inbox_block;

typedef struct alm_inbox { // starts as {0}
    alm_inbox_block *first, *last;
    size_t block_bytes; // of the last block that was made
} alm_inbox;

void alm_inbox_deinit(alm_inbox *inbox); // drops what was not read; as after {0}

bool alm_inbox_push(alm_inbox *inbox, alm_str message); // copies; false: no memory
bool alm_inbox_pop(alm_inbox *inbox, alm_str *ret);     // a view until the next pop or deinit

#endif
