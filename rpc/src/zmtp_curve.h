// CurveZMQ (RFC 26): one connection's handshake and the sealing of its frames.
//
// The client speaks first: HELLO, WELCOME, INITIATE, READY. Each take_... is for the body of the
// command's frame and each write_... appends a whole frame. A false answer ends the connection.
// Nonces are counters that must grow, so nothing can be played back or put in another order.
#ifndef ALM_RPC_ZMTP_CURVE_H
#define ALM_RPC_ZMTP_CURVE_H

#include "port.h"
#include "zmtp_codec.h"

// What sealing adds to a frame: name, nonce, authenticator, flags.
#define ALM_ZMTP_SEAL_BYTES     (8 + 8 + 16 + 1)

// Flags within a seal, which are not the frame's own.
#define ALM_ZMTP_SEALED_MORE    0x01u
#define ALM_ZMTP_SEALED_COMMAND 0x02u

typedef struct alm_zmtp_curve alm_zmtp_curve;

// Must be called once before the rest; safe to repeat.
ALM_MUST_USE alm_code alm_zmtp_curve_start(alm_status *st);

// Whether the two keys are a pair.
bool alm_zmtp_curve_is_pair(const uint8_t public_key[ALM_CURVE_KEY_BYTES],
                            const uint8_t secret_key[ALM_CURVE_KEY_BYTES]);

// own: borrowed for the life of the connection. NULL: no memory.
ALM_MUST_USE alm_zmtp_curve *alm_zmtp_curve_create(const alm_port_curve *own, bool is_server);
void alm_zmtp_curve_destroy(alm_zmtp_curve **curve); // wipes; accepts NULL

void alm_zmtp_curve_write_hello(alm_zmtp_curve *curve, alm_buf *out);
bool alm_zmtp_curve_take_hello(alm_zmtp_curve *curve, alm_bytes body);
bool alm_zmtp_curve_write_welcome(alm_zmtp_curve *curve, alm_buf *out);
bool alm_zmtp_curve_take_welcome(alm_zmtp_curve *curve, alm_bytes body);
bool alm_zmtp_curve_write_initiate(alm_zmtp_curve *curve, alm_str metadata, alm_buf *out);

// Decrypts in place; the metadata is a view of body. *ret_is_denied: all is well but the policy
// does not want this client (and the answer is false).
bool alm_zmtp_curve_take_initiate(alm_zmtp_curve *curve, uint8_t *body, size_t len,
                                  alm_str *ret_metadata, bool *ret_is_denied);

// Both end the handshake: its keys are wiped.
void alm_zmtp_curve_write_ready(alm_zmtp_curve *curve, alm_str metadata, alm_buf *out);
bool alm_zmtp_curve_take_ready(alm_zmtp_curve *curve, uint8_t *body, size_t len,
                               alm_str *ret_metadata);

// ret: room for frame.len + ALM_ZMTP_SEAL_BYTES, a frame's body.
void alm_zmtp_curve_seal(alm_zmtp_curve *curve, uint8_t flags, alm_str frame, uint8_t *ret);

// In place.
bool alm_zmtp_curve_open(alm_zmtp_curve *curve, uint8_t *body, size_t len, uint8_t *ret_flags,
                         alm_str *ret_frame);

alm_str alm_zmtp_curve_user(const alm_zmtp_curve *curve); // "" until INITIATE; a view

#endif
