#include "lmdb_store.h"

#include <stdlib.h>

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the parts of a variant");
}

alm_code lmdb_part_get(const lmdb_txn *txn, uint32_t variant, uint32_t chunk, alm_arena *arena,
                       alm_part *ret, alm_status *st)
{
    bool found;
    alm_str bytes;
    lmdb_key key = lmdb_key_of_pair(variant, chunk);
    *ret = (alm_part){0};
    ALM_TRY(lmdb_get(txn, LMDB_PART, &key, &found, &bytes, st));
    return found ? alm_part_decode(bytes, arena, ret, st) : ALM_OK;
}

alm_code lmdb_part_put(const lmdb_txn *txn, uint32_t variant, uint32_t chunk, const alm_part *part,
                       alm_status *st)
{
    alm_buf buf;
    lmdb_key key = lmdb_key_of_pair(variant, chunk);
    if (part->count == 0) {
        return lmdb_delete(txn, LMDB_PART, &key, st);
    }
    alm_buf_init(&buf, 0);
    alm_part_encode(part, &buf);
    alm_code code = buf.failed ? no_memory(st) : lmdb_put(txn, LMDB_PART, &key, &buf, 0, st);
    alm_buf_deinit(&buf);
    return code;
}

// --- touching ------------------------------------------------------------------------------------

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int by_part(const void *a, const void *b)
{
    const lmdb_slice_key *x = a;
    const lmdb_slice_key *y = b;
    int order = COMPARE(x->variant, y->variant);
    if (order == 0) {
        order = COMPARE(x->chunk, y->chunk);
    }
    return order != 0 ? order : COMPARE(x->period, y->period);
}

// The part's changes with those of a run of slices, all of one part and by period.
static alm_code merge(const alm_part *part, const lmdb_slice_key *keys, size_t count,
                      uint64_t sequence, alm_arena *scratch, alm_part *ret, alm_status *st)
{
    size_t total = 0;
    size_t old = 0;
    alm_part_change *changes = alm_arena_alloc(scratch, (part->count + count) * sizeof *changes);
    if (changes == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        while (old < part->count && part->changes[old].period < keys[i].period) {
            changes[total++] = part->changes[old++];
        }
        bool is_again = old < part->count && part->changes[old].period == keys[i].period;
        uint64_t first = is_again ? part->changes[old].first : sequence;
        old += is_again;
        if (total == 0 || changes[total - 1].period != keys[i].period) {
            changes[total++] =
                (alm_part_change){.period = keys[i].period, .first = first, .sequence = sequence};
        }
    }
    while (old < part->count) {
        changes[total++] = part->changes[old++];
    }
    *ret = (alm_part){.changes = changes, .count = total};
    return ALM_OK;
}

alm_code lmdb_parts_touch(const lmdb_txn *txn, lmdb_touched *touched, uint64_t sequence,
                          alm_arena *scratch, size_t *ret_most, alm_status *st)
{
    *ret_most = 0;
    if (touched->count > 1) {
        qsort(touched->keys, touched->count, sizeof *touched->keys, by_part);
    }
    for (size_t from = 0; from < touched->count;) {
        alm_part part, merged;
        const lmdb_slice_key *first = &touched->keys[from];
        size_t to = from + 1;
        while (to < touched->count && touched->keys[to].variant == first->variant &&
               touched->keys[to].chunk == first->chunk) {
            to++;
        }
        alm_arena_reset(scratch);
        ALM_TRY(lmdb_part_get(txn, first->variant, first->chunk, scratch, &part, st));
        ALM_TRY(merge(&part, first, to - from, sequence, scratch, &merged, st));
        ALM_TRY(lmdb_part_put(txn, first->variant, first->chunk, &merged, st));
        *ret_most = ALM_MAX(*ret_most, merged.count);
        from = to;
    }
    return ALM_OK;
}
