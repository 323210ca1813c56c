#include "inbox.h"

#include "alm/alloc.h"

#include <stdalign.h>
#include <stdint.h>

#define BLOCK_BYTES_MIN ((size_t)256)
#define BLOCK_BYTES_MAX ((size_t)64 << 10) // a message that is larger has its own block

struct alm_inbox_block {
    alm_inbox_block *next;
    size_t cap, written, read; // of data: entries of a size and that many bytes
    alignas(size_t) uint8_t data[];
};

void alm_inbox_deinit(alm_inbox *inbox)
{
    while (inbox->first != NULL) {
        alm_inbox_block *block = inbox->first;
        inbox->first = block->next;
        alm_free(block);
    }
    *inbox = (alm_inbox){0};
}

static size_t entry_size(size_t len)
{
    return (sizeof(size_t) + len + sizeof(size_t) - 1) / sizeof(size_t) * sizeof(size_t);
}

// Blocks double, so that a call with one small answer does not pay for a stream.
static bool add_block(alm_inbox *inbox, size_t need)
{
    size_t usual = ALM_MIN(ALM_MAX(inbox->block_bytes * 2, BLOCK_BYTES_MIN), BLOCK_BYTES_MAX);
    size_t cap = ALM_MAX(usual, need);
    alm_inbox_block *block = alm_alloc(sizeof *block + cap);
    if (block == NULL) {
        return false;
    }
    block->next = NULL;
    block->cap = cap;
    block->written = 0;
    block->read = 0;
    if (inbox->last != NULL) {
        inbox->last->next = block;
    } else {
        inbox->first = block;
    }
    inbox->last = block;
    inbox->block_bytes = usual;
    return true;
}

bool alm_inbox_push(alm_inbox *inbox, alm_str message)
{
    if (message.len > SIZE_MAX / 2) {
        return false;
    }
    size_t need = entry_size(message.len);
    const alm_inbox_block *last = inbox->last;
    if ((last == NULL || last->cap - last->written < need) && !add_block(inbox, need)) {
        return false;
    }
    uint8_t *at = inbox->last->data + inbox->last->written;
    memcpy(at, &message.len, sizeof message.len);
    if (message.len > 0) {
        memcpy(at + sizeof message.len, message.data, message.len);
    }
    inbox->last->written += need;
    return true;
}

// Nobody looks at what was given out of the block any more.
static void drop_read_block(alm_inbox *inbox)
{
    alm_inbox_block *block = inbox->first;
    if (block->next == NULL && block->cap <= BLOCK_BYTES_MAX) {
        block->written = 0;
        block->read = 0;
        return;
    }
    inbox->first = block->next;
    inbox->last = block->next != NULL ? inbox->last : NULL;
    alm_free(block);
}

bool alm_inbox_pop(alm_inbox *inbox, alm_str *ret)
{
    if (inbox->first != NULL && inbox->first->read == inbox->first->written) {
        drop_read_block(inbox);
    }
    alm_inbox_block *block = inbox->first;
    if (block == NULL || block->read == block->written) {
        return false;
    }
    size_t len;
    const uint8_t *at = block->data + block->read;
    memcpy(&len, at, sizeof len);
    *ret = (alm_str){.data = (const char *)at + sizeof len, .len = len};
    block->read += entry_size(len);
    return true;
}
