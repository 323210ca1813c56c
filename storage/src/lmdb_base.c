// Bases of parts, decoded once: a record that is the same as when it was decoded is not looked at
// again, and in one and the same snapshot not even looked for.
#include "lmdb_store.h"

#include "alm/alloc.h"

#define BASE_COUNT 32

typedef struct known_base {
    uint32_t variant, chunk;
    uint64_t checksum; // of the record it was decoded from
    alm_arena *arena;  // NULL: nothing is known
    alm_base base;
    size_t snapshot; // LMDB's number of the one that was looked into; 0: none
    bool is_there;   // in it
} known_base;

struct lmdb_bases {
    known_base known[BASE_COUNT];
};

lmdb_bases *lmdb_bases_create(void)
{
    return alm_calloc(1, sizeof(lmdb_bases));
}

void lmdb_bases_destroy(lmdb_bases **bases)
{
    for (size_t i = 0; *bases != NULL && i < BASE_COUNT; i++) {
        alm_arena_destroy(&(*bases)->known[i].arena);
    }
    alm_free(*bases);
    *bases = NULL;
}

void lmdb_bases_renew(lmdb_bases *bases)
{
    for (size_t i = 0; i < BASE_COUNT; i++) {
        bases->known[i].snapshot = 0;
    }
}

static alm_code decode(known_base *known, alm_str bytes, alm_status *st)
{
    alm_place_id first = known->chunk << LMDB_CHUNK_BITS;
    if (known->arena == NULL) {
        known->arena = alm_arena_create(0);
    }
    if (known->arena == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the base of a part");
    }
    alm_arena_reset(known->arena);
    return alm_base_decode(bytes, first, LMDB_CHUNK_PLACES, known->arena, &known->base, st);
}

// As lmdb_base_get, looking for the record.
static alm_code look_for(const lmdb_txn *txn, uint32_t variant, uint32_t chunk, known_base *known,
                         bool *ret_found, alm_status *st)
{
    bool is_same;
    alm_str bytes;
    bool is_known = known->arena != NULL && known->variant == variant && known->chunk == chunk;
    lmdb_key key = lmdb_key_of_pair(variant, chunk);
    uint64_t checksum = is_known ? known->checksum : 0;
    ALM_TRY(lmdb_get_unless(txn, LMDB_BASE, &key, &checksum, ret_found, &is_same, &bytes, st));
    if (*ret_found && (!is_known || !is_same)) {
        known->checksum = checksum;
        known->variant = variant;
        known->chunk = chunk;
        alm_code code = decode(known, bytes, st);
        if (code != ALM_OK) {
            alm_arena_destroy(&known->arena);
            return code;
        }
    } else if (!*ret_found && !is_known) {
        alm_arena_destroy(&known->arena); // another part's
        known->variant = variant;
        known->chunk = chunk;
    }
    return ALM_OK;
}

alm_code lmdb_base_get(const lmdb_txn *txn, uint32_t variant, uint32_t chunk, const alm_base **ret,
                       alm_status *st)
{
    known_base *known = &txn->bases->known[(variant * 7 + chunk) % BASE_COUNT];
    // What a write transaction shows moves on with what it does.
    size_t snapshot = txn->key_sums == NULL ? mdb_txn_id(txn->txn) : 0;
    bool is_own = known->variant == variant && known->chunk == chunk;
    *ret = NULL;
    if (snapshot == 0 || known->snapshot != snapshot || !is_own) {
        bool found;
        known->snapshot = 0;
        ALM_TRY(look_for(txn, variant, chunk, known, &found, st));
        known->snapshot = snapshot;
        known->is_there = found;
    }
    if (known->is_there) {
        *ret = &known->base;
    }
    return ALM_OK;
}

alm_code lmdb_base_put(const lmdb_txn *txn, uint32_t variant, uint32_t chunk, const alm_base *base,
                       alm_status *st)
{
    alm_buf buf;
    lmdb_key key = lmdb_key_of_pair(variant, chunk);
    alm_buf_init(&buf, 0);
    alm_base_encode(base, &buf);
    alm_code code =
        buf.failed ? alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the base of a part")
                   : lmdb_put(txn, LMDB_BASE, &key, &buf, 0, st);
    alm_buf_deinit(&buf);
    return code;
}
