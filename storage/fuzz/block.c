// Any bytes as a block: a status, or rows that come out of a second round trip as they are, and add
// up to what they are.
#include "block.h"
#include "chunk.h"
#include "sums.h"

#include "alm/arena.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLACE_END ALM_PLACE_NONE

// Three ranges with borders that are places of the block: all up to one, one place alone behind a
// hole, and all from another on.
static void make_ranges(alm_block *block, alm_place_range ranges[3])
{
    alm_place_id a = alm_block_place(block, block->count / 3);
    alm_place_id b = alm_block_place(block, block->count / 2);
    alm_place_id first = ALM_MIN(ALM_MIN(a, b), PLACE_END - 3);
    alm_place_id last = ALM_MIN(ALM_MAX(a, b), PLACE_END - 1);
    ranges[0] = (alm_place_range){0, first};
    ranges[1] = (alm_place_range){first + 1, first + 2};
    ranges[2] = (alm_place_range){ALM_MAX(last, first + 2), PLACE_END};
}

// Damaged sums may be wrong, but are added up without harm.
static void add_hostile(alm_block *block)
{
    alm_place_range ranges[3];
    alm_sum sums[3] = {{0}};
    if (block->count > 0 && alm_block_can_sum(block)) {
        make_ranges(block, ranges);
        alm_code code = alm_block_add_sums(block, 0, PLACE_END, ranges, 3, sums, NULL);
        ALM_ASSERT(code == ALM_OK || code == ALM_OUT_OF_RANGE || code == ALM_DATA_LOSS);
    }
}

// Withdrawals are looked for in the order of places, which these need not be in.
static void find_withdrawals(alm_block *block, alm_arena *arena)
{
    size_t *found;
    size_t count;
    alm_obs middle;
    if (block->count == 0 || alm_block_get_when(block, block->count / 2, &middle, NULL) != ALM_OK) {
        return;
    }
    alm_place_id last = alm_block_place(block, block->count - 1);
    alm_place_id places[] = {alm_block_place(block, 0), alm_block_place(block, block->count / 2),
                             ALM_MIN(last, ALM_PLACE_NONE - 1)};
    alm_vintage_filter filter = {.as_of = middle.published, .at_sequence = middle.sequence};
    size_t place_count = places[0] < places[1] && places[1] < places[2] ? 3 : 1;
    places[0] = ALM_MIN(places[0], ALM_PLACE_NONE - 1);
    alm_code code =
        alm_withdrawals_find(block, places, place_count, &filter, arena, &found, &count, NULL);
    ALM_ASSERT(code == ALM_OK || code == ALM_DATA_LOSS);
    for (size_t i = 0; code == ALM_OK && i < count; i++) {
        ALM_ASSERT(found[i] < place_count && (i == 0 || found[i - 1] < found[i]));
    }
}

static bool can_check(const alm_obs *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool is_withdrawn = rows[i].value.status == ALM_OBS_STATUS_WITHDRAWN;
        if ((is_withdrawn && rows[i].value.has_number) ||
            (i > 0 && rows[i].place <= rows[i - 1].place)) {
            return false;
        }
    }
    return count > 0;
}

static void check_sums(alm_block *block, const alm_obs *rows)
{
    alm_place_range ranges[3];
    alm_sum sums[3] = {{0}};
    if (!can_check(rows, block->count) || !alm_block_can_sum(block)) {
        return;
    }
    make_ranges(block, ranges);
    alm_code code = alm_block_add_sums(block, 0, PLACE_END, ranges, 3, sums, NULL);
    ALM_ASSERT(code == ALM_OK || code == ALM_OUT_OF_RANGE);
    if (code != ALM_OK) { // more than 18 digits
        return;
    }
    size_t at = 0;
    for (size_t r = 0; r < 3; r++) {
        __int128 number = 0;
        uint64_t count = 0;
        uint32_t statuses = 0;
        while (at < block->count && rows[at].place < ranges[r].from) {
            at++;
        }
        for (; at < block->count && rows[at].place < ranges[r].to; at++) {
            int64_t power = 1;
            if (rows[at].value.has_number) {
                alm_decimal d = rows[at].value.number;
                ALM_ASSERT(alm_block_power_of_ten(d.exponent - block->scale, &power));
                number += (__int128)d.mantissa * power;
                count++;
            }
            if (rows[at].value.status != ALM_OBS_STATUS_WITHDRAWN) {
                statuses |= UINT32_C(1) << rows[at].value.status;
            }
        }
        ALM_ASSERT(number == sums[r].number && count == sums[r].count);
        ALM_ASSERT(statuses == sums[r].statuses);
    }
}

static void round_trip(alm_block *block, alm_arena *arena)
{
    alm_buf buf;
    alm_block again;
    alm_obs *rows = alm_arena_calloc(arena, block->count, sizeof *rows);
    alm_obs *copies = alm_arena_calloc(arena, block->count, sizeof *copies);
    if (rows == NULL || copies == NULL ||
        alm_block_get(block, 0, block->count, rows, NULL) != ALM_OK) {
        return;
    }
    alm_buf_init(&buf, 0);
    ALM_ASSERT(alm_block_encode(rows, block->count, NULL, arena, &buf, NULL) == ALM_OK);
    ALM_ASSERT(alm_block_open(alm_buf_view(&buf), block->count, NULL, arena, &again, NULL) ==
               ALM_OK);
    ALM_ASSERT(alm_block_get(&again, 0, again.count, copies, NULL) == ALM_OK);
    for (size_t i = 0; i < block->count; i++) {
        alm_value value = rows[i].value; // without a number, digits do not count
        int64_t mantissa = value.has_number ? value.number.mantissa : 0;
        ALM_ASSERT(copies[i].value.number.mantissa == mantissa);
        ALM_ASSERT(rows[i].place == copies[i].place && rows[i].sequence == copies[i].sequence);
        ALM_ASSERT(alm_str_eq(rows[i].note, copies[i].note));
    }
    check_sums(&again, copies);
    alm_buf_deinit(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_block block;
    alm_str bytes = {.data = (const char *)data, .len = size};
    alm_arena *arena = alm_arena_create(0);
    if (arena != NULL && alm_block_open(bytes, 4096, NULL, arena, &block, NULL) == ALM_OK) {
        add_hostile(&block);
        find_withdrawals(&block, arena);
        round_trip(&block, arena);
    }
    alm_arena_destroy(&arena);
    return 0;
}
