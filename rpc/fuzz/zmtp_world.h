// What the fuzz entries of the ZMTP connection share: fixed keys, and random numbers that are the
// same in every run, so that an input with CURVE in it means the same tomorrow.
#ifndef ALM_RPC_ZMTP_WORLD_H
#define ALM_RPC_ZMTP_WORLD_H

#include "zmtp_conn.h"

#include <sodium.h>
#include <stdio.h>

#define WORLD_USER "ana"

static uint64_t world_random; // set it to begin anew

static inline const char *world_random_name(void)
{
    return "the same in every run";
}

static inline uint32_t world_random_next(void)
{
    uint64_t v = world_random += UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(v >> 32);
}

static inline void world_random_fill(void *const ret, const size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)ret)[i] = (uint8_t)world_random_next();
    }
}

// Before anything else of libsodium.
static inline void world_begin(void)
{
    static randombytes_implementation same = {.implementation_name = world_random_name,
                                              .random = world_random_next,
                                              .buf = world_random_fill};
    static bool has_begun;
    if (!has_begun) {
        has_begun = true;
        int code = randombytes_set_implementation(&same);
        ALM_ASSERT(code == 0);
        code = sodium_init();
        ALM_ASSERT(code == 0);
    }
}

static inline void world_keys(alm_port_role role, uint8_t ret_public[ALM_CURVE_KEY_BYTES],
                              uint8_t ret_secret[ALM_CURVE_KEY_BYTES])
{
    memset(ret_secret, role == ALM_PORT_LISTENS ? 0x51 : 0xc1, ALM_CURVE_KEY_BYTES);
    int code = crypto_scalarmult_base(ret_public, ret_secret);
    ALM_ASSERT(code == 0);
}

static inline bool world_admit(void *arg, const uint8_t key[ALM_CURVE_KEY_BYTES],
                               char ret_user[ALM_USER_BYTES_MAX])
{
    const alm_port_curve *dialler = arg;
    snprintf(ret_user, ALM_USER_BYTES_MAX, WORLD_USER);
    return memcmp(key, dialler->public_key, ALM_CURVE_KEY_BYTES) == 0;
}

// One side of a port, with CURVE or without.
static inline void world_shared(alm_port_role role, bool has_curve, size_t frame_bytes_max,
                                alm_zmtp_shared *ret)
{
    static alm_port_curve curves[2]; // by role
    world_begin();
    if (!curves[0].is_on) {
        alm_port_curve *listens = &curves[ALM_PORT_LISTENS], *dials = &curves[ALM_PORT_DIALS];
        world_keys(ALM_PORT_LISTENS, listens->public_key, listens->secret_key);
        world_keys(ALM_PORT_DIALS, dials->public_key, dials->secret_key);
        memcpy(dials->server_key, listens->public_key, ALM_CURVE_KEY_BYTES);
        listens->admit = world_admit;
        listens->admit_arg = dials;
        listens->is_on = dials->is_on = true;
    }
    const alm_port_opts opts = {.role = role,
                                .frame_bytes_max = frame_bytes_max,
                                .curve = has_curve ? &curves[role] : NULL};
    alm_code code = alm_zmtp_shared_init(ret, &opts, NULL);
    ALM_ASSERT(code == ALM_OK);
}

// FNV-1a: to compare what came of two runs.
static inline uint64_t world_sum(uint64_t sum, alm_str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        sum = (sum ^ (uint8_t)bytes.data[i]) * UINT64_C(0x100000001b3);
    }
    return sum;
}

// A view lies in a block, also an empty one.
static inline bool world_lies_in(alm_str view, const uint8_t *block, size_t len)
{
    const uint8_t *start = (const uint8_t *)view.data;
    return block != NULL && start >= block && view.len <= len &&
           (size_t)(start - block) <= len - view.len;
}

// What a connection may hold: one frame, and what a handshake takes. In proportion to what came,
// not to what was promised.
static inline void world_check_memory(const alm_zmtp_conn *conn, size_t came)
{
    const size_t slack = 3 * 8192, least = 4096;
    ALM_ASSERT(conn->part_len <= conn->part_cap);
    ALM_ASSERT(conn->part_cap + conn->shared->spare_cap <= conn->shared->frame_bytes_max + slack);
    ALM_ASSERT(conn->part_cap <= ALM_MAX(2 * came, least));
}

#endif
