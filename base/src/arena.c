#include "alm/arena.h"

#include "alm/alloc.h"
#include "alm/limits.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>

// Under AddressSanitizer what was not handed out is poisoned, and so is a gap behind each block:
// a read past an arena block is then caught as one past a heap block is.
#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif

#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(memory, size)   ASAN_POISON_MEMORY_REGION((memory), (size))
#define UNPOISON(memory, size) ASAN_UNPOISON_MEMORY_REGION((memory), (size))
#define BLOCK_GAP              16
#else
#define POISON(memory, size)   ((void)(memory), (void)(size))
#define UNPOISON(memory, size) ((void)(memory), (void)(size))
#define BLOCK_GAP              0
#endif

#define BLOCK_ALIGN     16
#define CHUNK_BYTES_MIN ((size_t)4 << 10)
#define CHUNK_BYTES_MAX ((size_t)1 << 20) // chunks double up to this

typedef struct chunk {
    struct chunk *next; // older
    size_t size;        // of data
    size_t used;
    alignas(BLOCK_ALIGN) uint8_t data[];
} chunk;

typedef struct hook {
    struct hook *next; // registered earlier
    void (*fn)(void *arg);
    void *arg;
} hook;

struct alm_arena {
    size_t max_bytes;
    size_t held_bytes; // from the heap, with headers and this struct
    size_t used_bytes; // handed out since the last reset
    size_t next_size;  // of the next ordinary chunk's data
    chunk *chunks;     // the first is the one that is filled
    hook *hooks;       // the first was registered last; they live in the chunks
};

alm_arena *alm_arena_create(size_t max_bytes)
{
    alm_arena *arena = alm_alloc(sizeof *arena);
    if (arena == NULL) {
        return NULL;
    }
    *arena = (alm_arena){
        .max_bytes = max_bytes == 0 ? ALM_ARENA_BYTES_MAX : max_bytes,
        .held_bytes = sizeof *arena,
        .next_size = CHUNK_BYTES_MIN - sizeof(chunk),
    };
    return arena;
}

static void chunk_free(alm_arena *arena, chunk *it)
{
    UNPOISON(it->data, it->size);
    arena->held_bytes -= sizeof *it + it->size;
    alm_free(it);
}

// One at a time off the list: a hook may itself use the arena.
static void run_hooks(alm_arena *arena)
{
    while (arena->hooks != NULL) {
        hook *last = arena->hooks;
        arena->hooks = last->next;
        last->fn(last->arg);
    }
}

void alm_arena_destroy(alm_arena **arena)
{
    alm_arena *it = *arena;
    if (it == NULL) {
        return;
    }
    run_hooks(it);
    while (it->chunks != NULL) {
        chunk *first = it->chunks;
        it->chunks = first->next;
        chunk_free(it, first);
    }
    alm_free(it);
    *arena = NULL;
}

void alm_arena_reset(alm_arena *arena)
{
    run_hooks(arena);
    chunk *kept = NULL;
    while (arena->chunks != NULL) {
        chunk *first = arena->chunks;
        arena->chunks = first->next;
        // The first ordinary chunk is the largest; one huge block is not worth holding on to.
        if (kept == NULL && first->size < CHUNK_BYTES_MAX) {
            kept = first;
        } else {
            chunk_free(arena, first);
        }
    }
    if (kept != NULL) {
        kept->next = NULL;
        kept->used = 0;
        POISON(kept->data, kept->size);
    }
    arena->chunks = kept;
    arena->used_bytes = 0;
}

// A chunk whose data holds at least need bytes, or NULL.
static chunk *chunk_create(alm_arena *arena, size_t need)
{
    size_t budget = arena->max_bytes - ALM_MIN(arena->held_bytes, arena->max_bytes);
    if (budget < sizeof(chunk) || need > budget - sizeof(chunk)) {
        return NULL;
    }
    size_t size = ALM_MIN(ALM_MAX(need, arena->next_size), budget - sizeof(chunk));
    chunk *it = alm_alloc(sizeof *it + size);
    if (it == NULL) {
        return NULL;
    }
    it->next = NULL;
    it->size = size;
    it->used = 0;
    POISON(it->data, it->size);
    arena->held_bytes += sizeof *it + size;
    return it;
}

// Room for need bytes. An ordinary chunk becomes the one to fill; one that a single block takes
// up goes behind, so that what is free in front is not wasted.
static chunk *chunk_for(alm_arena *arena, size_t need)
{
    chunk *first = arena->chunks;
    if (first != NULL && need <= first->size - first->used) {
        return first;
    }
    chunk *fresh = chunk_create(arena, need);
    if (fresh == NULL) {
        return NULL;
    }
    bool is_ordinary = need <= arena->next_size;
    if (first != NULL && !is_ordinary) {
        fresh->next = first->next;
        first->next = fresh;
        return fresh;
    }
    fresh->next = first;
    arena->chunks = fresh;
    if (is_ordinary) {
        size_t whole = arena->next_size + sizeof(chunk);
        arena->next_size = ALM_MIN(whole * 2, CHUNK_BYTES_MAX) - sizeof(chunk);
    }
    return fresh;
}

void *alm_arena_alloc(alm_arena *arena, size_t size)
{
    if (size > arena->max_bytes || size > SIZE_MAX - BLOCK_ALIGN - BLOCK_GAP) {
        return NULL;
    }
    // A block of no bytes takes a slot, so that its pointer is its own.
    size_t rounded = (ALM_MAX(size, 1) + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
    size_t need = rounded + BLOCK_GAP;
    chunk *it = chunk_for(arena, need);
    if (it == NULL) {
        return NULL;
    }
    uint8_t *block = it->data + it->used;
    it->used += need;
    arena->used_bytes += rounded;
    UNPOISON(block, size);
    return block;
}

void *alm_arena_calloc(alm_arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        return NULL;
    }
    void *block = alm_arena_alloc(arena, total);
    return block == NULL ? NULL : memset(block, 0, total);
}

char *alm_arena_strdup(alm_arena *arena, alm_str text)
{
    if (text.len == SIZE_MAX) {
        return NULL;
    }
    char *copy = alm_arena_alloc(arena, text.len + 1);
    if (copy == NULL) {
        return NULL;
    }
    if (text.len > 0) {
        memcpy(copy, text.data, text.len);
    }
    copy[text.len] = '\0';
    return copy;
}

char *alm_arena_printf(alm_arena *arena, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = len < 0 ? NULL : alm_arena_alloc(arena, (size_t)len + 1);
    if (text != NULL) {
        (void)vsnprintf(text, (size_t)len + 1, fmt, again);
    }
    va_end(again);
    return text;
}

bool alm_arena_grow(alm_arena *arena, void **array, size_t *cap, size_t need, size_t elem_size)
{
    if (need <= *cap) {
        return true;
    }
    size_t doubled = *cap > SIZE_MAX / 2 ? SIZE_MAX : *cap * 2;
    size_t grown = ALM_MAX(ALM_MAX(need, doubled), 8);
    size_t bytes;
    void *block = NULL;
    if (!__builtin_mul_overflow(grown, elem_size, &bytes)) {
        block = alm_arena_alloc(arena, bytes);
    }
    if (block == NULL) {
        return false;
    }
    if (*cap > 0) {
        memcpy(block, *array, *cap * elem_size);
    }
    *array = block;
    *cap = grown;
    return true;
}

bool alm_arena_on_reset(alm_arena *arena, void (*fn)(void *arg), void *arg)
{
    ALM_ASSERT(fn != NULL);
    hook *it = alm_arena_alloc(arena, sizeof *it);
    if (it == NULL) {
        return false;
    }
    *it = (hook){.next = arena->hooks, .fn = fn, .arg = arg};
    arena->hooks = it;
    return true;
}

size_t alm_arena_used(const alm_arena *arena)
{
    return arena->used_bytes;
}
