#include "name_index.h"

#include "alm/alloc.h"

struct name_entry {
    const char *data;
    uint32_t len;
    uint32_t hash;
    uint32_t number;
    uint32_t next; // older entry of the same bucket, or NAME_INDEX_END
};

// FNV-1a; the multiplication at the end brings the high bits down to where the bucket is taken.
static uint32_t hash_of(alm_str word)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.data[i];
        hash ^= c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
        hash *= UINT64_C(0x100000001b3);
    }
    return (uint32_t)((hash ^ (hash >> 32)) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

void name_index_deinit(name_index *index)
{
    alm_free(index->entries);
    alm_free(index->heads);
    *index = (name_index){0};
}

static uint32_t *bucket_of(const name_index *index, uint32_t hash)
{
    return &index->heads[hash & (index->head_count - 1)];
}

static void link_entry(name_index *index, uint32_t at)
{
    uint32_t *head = bucket_of(index, index->entries[at].hash);
    index->entries[at].next = *head;
    *head = at;
}

bool name_index_reserve(name_index *index, size_t count)
{
    if (count <= index->entry_cap) {
        return true;
    }
    if (count >= NAME_INDEX_END) {
        return false;
    }
    size_t head_count = ALM_MAX(index->head_count, (size_t)16);
    while (head_count < count) {
        head_count *= 2;
    }
    // The entries stay good when the heads cannot be had: a larger block with the same contents.
    name_entry *entries = alm_realloc(index->entries, count * sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    index->entries = entries;
    uint32_t *heads = alm_alloc(head_count * sizeof *heads);
    if (heads == NULL) {
        return false;
    }
    alm_free(index->heads);
    index->heads = heads;
    index->head_count = head_count;
    index->entry_cap = count;
    memset(heads, 0xff, head_count * sizeof *heads); // every bucket NAME_INDEX_END
    for (size_t i = 0; i < index->entry_count; i++) {
        link_entry(index, (uint32_t)i);
    }
    return true;
}

bool name_index_add(name_index *index, alm_str word, uint32_t number)
{
    ALM_ASSERT(word.len <= UINT32_MAX);
    if (index->entry_count == index->entry_cap &&
        !name_index_reserve(index, ALM_MAX(index->entry_cap * 2, (size_t)16))) {
        return false;
    }
    uint32_t at = (uint32_t)index->entry_count++;
    index->entries[at] = (name_entry){
        .data = word.data, .len = (uint32_t)word.len, .hash = hash_of(word), .number = number};
    link_entry(index, at);
    return true;
}

void name_index_pop(name_index *index)
{
    ALM_ASSERT(index->entry_count > 0);
    const name_entry *last = &index->entries[--index->entry_count];
    uint32_t *head = bucket_of(index, last->hash);
    ALM_ASSERT(*head == index->entry_count);
    *head = last->next;
}

bool name_index_next(const name_index *index, alm_str word, bool nocase, uint32_t *at,
                     uint32_t *ret_number)
{
    if (index->entry_count == 0) {
        return false;
    }
    uint32_t hash = hash_of(word);
    uint32_t next = *at == NAME_INDEX_END ? *bucket_of(index, hash) : index->entries[*at].next;
    for (; next != NAME_INDEX_END; next = index->entries[next].next) {
        const name_entry *entry = &index->entries[next];
        alm_str found = {entry->data, entry->len};
        if (entry->hash == hash &&
            (nocase ? alm_str_eq_nocase(found, word) : alm_str_eq(found, word))) {
            *at = next;
            *ret_number = entry->number;
            return true;
        }
    }
    return false;
}

bool name_index_find(const name_index *index, alm_str word, uint32_t *ret_number)
{
    uint32_t at = NAME_INDEX_END;
    return name_index_next(index, word, false, &at, ret_number);
}
