#include "presence.h"

#define VERSION 1

typedef enum form {
    FORM_LIST = 1,
    FORM_RUNS = 2,
    FORM_BITS = 3,
} form;

// --- sets ----------------------------------------------------------------------------------------

uint64_t alm_place_set_count(const alm_place_set *set)
{
    return alm_place_set_common(set, set);
}

uint64_t alm_place_set_common(const alm_place_set *a, const alm_place_set *b)
{
    uint64_t count = 0;
    for (size_t i = 0; i < ALM_PLACE_SET_WORDS; i++) {
        count += (uint64_t)__builtin_popcountll(a->words[i] & b->words[i]);
    }
    return count;
}

// The first place from `from` on that is in the set, or is not; ALM_PLACE_SET_COUNT: none.
static uint32_t next(const alm_place_set *set, uint32_t from, bool is_in)
{
    while (from < ALM_PLACE_SET_COUNT) {
        uint64_t word = is_in ? set->words[from / 64] : ~set->words[from / 64];
        word >>= from % 64;
        if (word != 0) {
            return from + (uint32_t)__builtin_ctzll(word);
        }
        from = (from / 64 + 1) * 64;
    }
    return ALM_PLACE_SET_COUNT;
}

static void add_run(alm_place_set *set, uint32_t from, uint32_t to)
{
    while (from < to) {
        uint32_t end = ALM_MIN(to, (from / 64 + 1) * 64);
        uint64_t bits = end - from == 64 ? UINT64_MAX : (UINT64_C(1) << (end - from)) - 1;
        set->words[from / 64] |= bits << from % 64;
        from = end;
    }
}

static uint32_t count_runs(const alm_place_set *set)
{
    uint32_t runs = 0;
    uint64_t before = 0; // the last bit of the word before
    for (size_t i = 0; i < ALM_PLACE_SET_WORDS; i++) {
        uint64_t word = set->words[i];
        runs += (uint32_t)__builtin_popcountll(word & ~(word << 1 | before));
        before = word >> 63;
    }
    return runs;
}

// --- encoding ------------------------------------------------------------------------------------

static void put_list(const alm_place_set *set, uint64_t count, alm_buf *out)
{
    uint32_t behind = 0;
    alm_buf_u8(out, FORM_LIST);
    alm_buf_varint(out, count);
    for (uint32_t at = next(set, 0, true); at < ALM_PLACE_SET_COUNT; at = next(set, at + 1, true)) {
        alm_buf_varint(out, at - behind);
        behind = at + 1;
    }
}

static void put_runs(const alm_place_set *set, uint32_t count, alm_buf *out)
{
    uint32_t end = 0;
    alm_buf_u8(out, FORM_RUNS);
    alm_buf_varint(out, count);
    for (uint32_t at = next(set, 0, true); at < ALM_PLACE_SET_COUNT; at = next(set, end, true)) {
        alm_buf_varint(out, at - end);
        end = next(set, at, false);
        alm_buf_varint(out, end - at);
    }
}

static size_t bits_len(const alm_place_set *set)
{
    size_t len = ALM_PLACE_SET_COUNT / 8;
    while (len > 0 && (set->words[(len - 1) / 8] >> (len - 1) % 8 * 8 & 0xff) == 0) {
        len--;
    }
    return len;
}

static void put_bits(const alm_place_set *set, size_t len, alm_buf *out)
{
    alm_buf_u8(out, FORM_BITS);
    for (size_t i = 0; i < len; i++) {
        alm_buf_u8(out, (uint8_t)(set->words[i / 8] >> i % 8 * 8));
    }
}

static void put_places(const alm_place_set *set, alm_buf *out)
{
    size_t from = out->len;
    uint64_t count = alm_place_set_count(set);
    uint32_t runs = count_runs(set);
    size_t bits = bits_len(set);
    if (ALM_MIN(count, (uint64_t)runs * 2) >= bits) {
        put_bits(set, bits, out);
        return;
    }
    if (count <= (uint64_t)runs * 2) {
        put_list(set, count, out);
    } else {
        put_runs(set, runs, out);
    }
    if (out->len - from > bits + 1) { // distances of two bytes
        out->len = from;
        put_bits(set, bits, out);
    }
}

void alm_presence_encode(const alm_presence *presence, alm_buf *out)
{
    alm_buf_u8(out, VERSION);
    alm_buf_varint(out, presence->cells);
    if (presence->cells > 0) {
        alm_buf_u64(out, presence->first);
        alm_buf_u64(out, presence->last);
        put_places(&presence->places, out);
    }
}

// --- decoding ------------------------------------------------------------------------------------

static bool get_list(alm_reader *r, alm_place_set *ret)
{
    uint64_t behind = 0;
    uint64_t count = alm_read_varint(r);
    for (uint64_t i = 0; i < count && !r->failed; i++) {
        uint64_t gap = alm_read_varint(r);
        if (gap >= ALM_PLACE_SET_COUNT - behind) {
            return false;
        }
        alm_place_set_add(ret, (alm_place_id)(behind + gap));
        behind += gap + 1;
    }
    return !r->failed;
}

static bool get_runs(alm_reader *r, alm_place_set *ret)
{
    uint64_t end = 0;
    uint64_t count = alm_read_varint(r);
    for (uint64_t i = 0; i < count && !r->failed; i++) {
        uint64_t gap = alm_read_varint(r);
        uint64_t len = alm_read_varint(r);
        if (len == 0 || gap >= ALM_PLACE_SET_COUNT - end || len > ALM_PLACE_SET_COUNT - end - gap) {
            return false;
        }
        add_run(ret, (uint32_t)(end + gap), (uint32_t)(end + gap + len));
        end += gap + len;
    }
    return !r->failed;
}

static bool get_bits(alm_reader *r, alm_place_set *ret)
{
    size_t len = alm_reader_left(r);
    if (len > ALM_PLACE_SET_COUNT / 8) {
        return false;
    }
    alm_str bytes = alm_read_bytes(r, len);
    for (size_t i = 0; i < bytes.len; i++) {
        ret->words[i / 8] |= (uint64_t)(uint8_t)bytes.data[i] << i % 8 * 8;
    }
    return true;
}

static bool get_places(alm_reader *r, alm_place_set *ret)
{
    switch (alm_read_u8(r)) {
    case FORM_LIST:
        return get_list(r, ret);
    case FORM_RUNS:
        return get_runs(r, ret);
    case FORM_BITS:
        return get_bits(r, ret);
    default:
        return false;
    }
}

alm_code alm_presence_decode(alm_str bytes, alm_presence *ret, alm_status *st)
{
    alm_reader r = alm_reader_of(bytes.data, bytes.len);
    memset(ret, 0, sizeof *ret);
    bool ok = alm_read_u8(&r) == VERSION;
    ret->cells = alm_read_varint(&r);
    if (ok && ret->cells > 0) {
        ret->first = alm_read_u64(&r);
        ret->last = alm_read_u64(&r);
        ok = get_places(&r, &ret->places) && ret->first <= ret->last;
    }
    return ok && !r.failed && alm_reader_left(&r) == 0
               ? ALM_OK
               : alm_status_set(st, ALM_DATA_LOSS, "what places have is damaged");
}

// --- making --------------------------------------------------------------------------------------

void alm_presence_add(alm_presence *presence, uint64_t period, const alm_place_set *places,
                      uint64_t cells)
{
    if (cells == 0) {
        return;
    }
    presence->first = presence->cells == 0 ? period : ALM_MIN(presence->first, period);
    presence->last = ALM_MAX(presence->last, period);
    presence->cells += cells;
    for (size_t i = 0; i < ALM_PLACE_SET_WORDS; i++) {
        presence->places.words[i] |= places->words[i];
    }
}

uint64_t alm_presence_of_chunk(const alm_chunk *chunk, alm_place_set *ret)
{
    uint64_t cells = 0;
    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < chunk->winner_count; i++) {
        uint32_t at = chunk->winners[i].place % ALM_PLACE_SET_COUNT;
        uint64_t has = chunk->winners[i].value.status != ALM_OBS_STATUS_WITHDRAWN;
        ret->words[at / 64] |= has << at % 64;
        cells += has;
    }
    return cells;
}

uint64_t alm_presence_of_block(alm_block *block, alm_place_set *ret)
{
    uint64_t cells = 0;
    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < block->count; i++) {
        if (alm_block_status(block, i) != ALM_OBS_STATUS_WITHDRAWN) {
            alm_place_set_add(ret, alm_block_place(block, i));
            cells++;
        }
    }
    return cells;
}
