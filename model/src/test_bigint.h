// Whole numbers of up to 180 digits by schoolbook arithmetic on nine-digit limbs: the slow, obvious
// twin that decimal and unit arithmetic is held against. Overflow stops the test.
#ifndef ALM_MODEL_TEST_BIGINT_H
#define ALM_MODEL_TEST_BIGINT_H

#include "alm/assert.h"

#include <stdbool.h>
#include <stdint.h>

#define BIG_LIMB_COUNT 20
#define BIG_BASE       1000000000u

typedef struct big {
    uint32_t limb[BIG_LIMB_COUNT]; // least significant first
    bool negative;                 // never for zero
} big;

static inline bool big_is_zero(const big *a)
{
    for (int i = 0; i < BIG_LIMB_COUNT; i++) {
        if (a->limb[i] != 0) {
            return false;
        }
    }
    return true;
}

static inline big big_of(__int128 v)
{
    big r = {.negative = v < 0};
    unsigned __int128 rest = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;
    for (int i = 0; rest > 0; i++) {
        r.limb[i] = (uint32_t)(rest % BIG_BASE);
        rest /= BIG_BASE;
    }
    return r;
}

static inline int big_cmp_magnitude(const big *a, const big *b)
{
    for (int i = BIG_LIMB_COUNT - 1; i >= 0; i--) {
        if (a->limb[i] != b->limb[i]) {
            return a->limb[i] < b->limb[i] ? -1 : 1;
        }
    }
    return 0;
}

static inline int big_cmp(big a, big b)
{
    if (a.negative != b.negative) {
        return a.negative ? -1 : 1;
    }
    int order = big_cmp_magnitude(&a, &b);
    return a.negative ? -order : order;
}

static inline big big_negate(big a)
{
    a.negative = !a.negative && !big_is_zero(&a);
    return a;
}

static inline big big_abs(big a)
{
    a.negative = false;
    return a;
}

static inline big big_add(big a, big b)
{
    if (a.negative == b.negative) {
        uint32_t carry = 0;
        for (int i = 0; i < BIG_LIMB_COUNT; i++) {
            uint32_t sum = a.limb[i] + b.limb[i] + carry;
            carry = sum >= BIG_BASE;
            a.limb[i] = carry ? sum - BIG_BASE : sum;
        }
        ALM_ASSERT(carry == 0);
        return a;
    }
    if (big_cmp_magnitude(&a, &b) < 0) {
        big swap = a;
        a = b;
        b = swap;
    }
    uint32_t borrow = 0;
    for (int i = 0; i < BIG_LIMB_COUNT; i++) {
        uint32_t take = b.limb[i] + borrow;
        borrow = a.limb[i] < take;
        a.limb[i] = a.limb[i] + (borrow ? BIG_BASE : 0) - take;
    }
    a.negative = a.negative && !big_is_zero(&a);
    return a;
}

static inline big big_sub(big a, big b)
{
    return big_add(a, big_negate(b));
}

static inline big big_mul(big a, big b)
{
    big r = {0};
    for (int i = 0; i < BIG_LIMB_COUNT; i++) {
        uint64_t carry = 0;
        for (int j = 0; a.limb[i] != 0 && (i + j < BIG_LIMB_COUNT || carry > 0); j++) {
            ALM_ASSERT(i + j < BIG_LIMB_COUNT);
            uint64_t sum = r.limb[i + j] + (uint64_t)a.limb[i] * b.limb[j] + carry;
            r.limb[i + j] = (uint32_t)(sum % BIG_BASE);
            carry = sum / BIG_BASE;
        }
        for (int j = BIG_LIMB_COUNT - i; a.limb[i] != 0 && j < BIG_LIMB_COUNT; j++) {
            ALM_ASSERT(b.limb[j] == 0);
        }
    }
    r.negative = a.negative != b.negative && !big_is_zero(&r);
    return r;
}

// v x 10^power, power >= 0.
static inline big big_scaled(__int128 v, int power)
{
    big r = big_of(v);
    ALM_ASSERT(power >= 0);
    for (; power >= 9; power -= 9) {
        ALM_ASSERT(r.limb[BIG_LIMB_COUNT - 1] == 0);
        for (int i = BIG_LIMB_COUNT - 1; i > 0; i--) {
            r.limb[i] = r.limb[i - 1];
        }
        r.limb[0] = 0;
    }
    __int128 factor = 1;
    for (; power > 0; power--) {
        factor *= 10;
    }
    return big_mul(r, big_of(factor));
}

// Is q = num / den rounded half to even? den > 0. By the definition, without dividing: twice the
// rest is smaller than the divisor, or as large and q is even.
static inline bool big_is_rounded_quotient(big num, big den, int64_t q)
{
    big rest = big_abs(big_sub(num, big_mul(big_of(q), den)));
    int order = big_cmp(big_add(rest, rest), den);
    return order < 0 || (order == 0 && q % 2 == 0);
}

// Is num / den, rounded half to even, more than 18 digits? den > 0.
static inline bool big_quotient_too_large(big num, big den)
{
    big twice = big_add(big_abs(num), big_abs(num));
    big bound = big_mul(big_of((__int128)2 * INT64_C(1000000000000000000) - 1), den);
    return big_cmp(twice, bound) >= 0;
}

#endif
