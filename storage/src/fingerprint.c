#include "fingerprint.h"

#define XXH_INLINE_ALL // the length is known: half the time of a call
#include <xxhash.h>

uint64_t alm_fingerprint(uint32_t variant, const alm_obs *row)
{
    const alm_value *v = &row->value;
    uint64_t flags = (uint64_t)(uint8_t)v->number.exponent | (uint64_t)v->unit.measure << 8 |
                     (uint64_t)(uint8_t)v->unit.mult << 16 | (uint64_t)v->qualifier << 24 |
                     (uint64_t)v->status << 32 | (uint64_t)v->has_number << 40 |
                     (uint64_t)v->unit.per << 48 | (uint64_t)(uint8_t)v->unit.per_mult << 56;
    uint64_t fields[] = {(uint64_t)variant << 32 | row->place, alm_period_pack(row->period),
                         (uint64_t)v->number.mantissa, flags,
                         (uint64_t)row->source << 32 | (uint32_t)row->published};
    uint64_t hash = XXH3_64bits(fields, sizeof fields);
    return row->note.len == 0 ? hash : XXH3_64bits_withSeed(row->note.data, row->note.len, hash);
}
