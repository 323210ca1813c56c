// Counts what is taken from the heap through alm/alloc.h and not given back: the linker puts these
// in front (--wrap).
#include "heap.h"

#include "alm/alloc.h"

#include <stdbool.h>

static long live;

void *__real_alm_alloc(size_t size);
void *__real_alm_calloc(size_t count, size_t size);
void *__real_alm_realloc(void *old, size_t size);
char *__real_alm_strdup(const char *text);
void __real_alm_free(void *memory);

void *__wrap_alm_alloc(size_t size);
void *__wrap_alm_calloc(size_t count, size_t size);
void *__wrap_alm_realloc(void *old, size_t size);
char *__wrap_alm_strdup(const char *text);
void __wrap_alm_free(void *memory);

void *__wrap_alm_alloc(size_t size)
{
    void *memory = __real_alm_alloc(size);
    live += memory != NULL ? 1 : 0;
    return memory;
}

void *__wrap_alm_calloc(size_t count, size_t size)
{
    void *memory = __real_alm_calloc(count, size);
    live += memory != NULL ? 1 : 0;
    return memory;
}

void *__wrap_alm_realloc(void *old, size_t size)
{
    bool is_new = old == NULL;
    void *memory = __real_alm_realloc(old, size);
    live += is_new && memory != NULL ? 1 : 0;
    return memory;
}

char *__wrap_alm_strdup(const char *text)
{
    char *copy = __real_alm_strdup(text);
    live += copy != NULL ? 1 : 0;
    return copy;
}

void __wrap_alm_free(void *memory)
{
    live -= memory != NULL ? 1 : 0;
    __real_alm_free(memory);
}

long sim_heap_live(void)
{
    return live;
}
