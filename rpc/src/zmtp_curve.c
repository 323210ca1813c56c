#include "zmtp_curve.h"

#include "alm/alloc.h"

#include <endian.h>
#include <sodium.h>

#define KEY                ALM_CURVE_KEY_BYTES
#define MAC                crypto_box_MACBYTES
#define COUNTER_BYTES      8
#define RANDOM_BYTES       16 // of a long nonce
#define COOKIE_BYTES       96
#define ZEROS_BYTES        64 // what HELLO seals

#define HELLO_BYTES        200
#define HELLO_KEY_AT       80
#define HELLO_NONCE_AT     112
#define HELLO_BOX_AT       120
#define WELCOME_BYTES      168
#define WELCOME_NONCE_AT   8
#define WELCOME_BOX_AT     24
#define WELCOME_PLAIN      (KEY + COOKIE_BYTES)
#define INITIATE_COOKIE_AT 9
#define INITIATE_NONCE_AT  (INITIATE_COOKIE_AT + COOKIE_BYTES)
#define INITIATE_BOX_AT    (INITIATE_NONCE_AT + COUNTER_BYTES)
#define VOUCH_PLAIN        (2 * KEY)
#define VOUCH_BYTES        (RANDOM_BYTES + MAC + VOUCH_PLAIN)
#define INITIATE_FIXED     (KEY + VOUCH_BYTES) // sealed, before the metadata
#define READY_NONCE_AT     6
#define READY_BOX_AT       14
#define MESSAGE_NONCE_AT   8
#define MESSAGE_BOX_AT     16
#define METADATA_BYTES_MAX 512 // of ours

_Static_assert(crypto_box_PUBLICKEYBYTES == KEY && crypto_box_SECRETKEYBYTES == KEY &&
                   crypto_box_BEFORENMBYTES == KEY,
               "CURVE's keys");
_Static_assert(ALM_ZMTP_SEAL_BYTES == MESSAGE_BOX_AT + MAC + 1, "what a seal adds");
_Static_assert(WELCOME_BOX_AT + MAC + WELCOME_PLAIN == WELCOME_BYTES, "WELCOME's layout");
_Static_assert(HELLO_BOX_AT + MAC + ZEROS_BYTES == HELLO_BYTES, "HELLO's layout");

// What is forgotten when the handshake ends.
typedef struct handshake {
    uint8_t short_public[KEY]; // this connection's pair
    uint8_t short_secret[KEY];
    uint8_t peer_short[KEY];
    uint8_t cookie[COOKIE_BYTES];
} handshake;

struct alm_zmtp_curve {
    const alm_port_curve *own;
    handshake *handshake;
    bool is_server;
    uint8_t key[KEY];      // of this connection's traffic
    uint64_t counter;      // of the last box sealed
    uint64_t counter_seen; // of the last box opened
    char user[ALM_USER_BYTES_MAX];
};

alm_code alm_zmtp_curve_start(alm_status *st)
{
    return sodium_init() >= 0 ? ALM_OK
                              : alm_status_set(st, ALM_INTERNAL, "libsodium does not start");
}

bool alm_zmtp_curve_is_pair(const uint8_t public_key[KEY], const uint8_t secret_key[KEY])
{
    uint8_t derived[KEY];
    return crypto_scalarmult_base(derived, secret_key) == 0 &&
           sodium_memcmp(derived, public_key, KEY) == 0;
}

alm_zmtp_curve *alm_zmtp_curve_create(const alm_port_curve *own, bool is_server)
{
    alm_zmtp_curve *curve = alm_calloc(1, sizeof *curve);
    handshake *made = alm_calloc(1, sizeof *made);
    if (curve == NULL || made == NULL) {
        alm_free(curve);
        alm_free(made);
        return NULL;
    }
    *curve = (alm_zmtp_curve){.own = own, .handshake = made, .is_server = is_server};
    crypto_box_keypair(made->short_public, made->short_secret);
    return curve;
}

static void forget_handshake(alm_zmtp_curve *curve)
{
    if (curve->handshake != NULL) {
        sodium_memzero(curve->handshake, sizeof *curve->handshake);
        alm_free(curve->handshake);
        curve->handshake = NULL;
    }
}

void alm_zmtp_curve_destroy(alm_zmtp_curve **curve)
{
    if (*curve != NULL) {
        forget_handshake(*curve);
        sodium_memzero(*curve, sizeof **curve);
        alm_free(*curve);
        *curve = NULL;
    }
}

alm_str alm_zmtp_curve_user(const alm_zmtp_curve *curve)
{
    return alm_str_from(curve->user);
}

// --- nonces --------------------------------------------------------------------------------------

typedef struct nonce {
    uint8_t bytes[crypto_box_NONCEBYTES];
} nonce;

static nonce counter_nonce(const char prefix[RANDOM_BYTES + 1],
                           const uint8_t counter[COUNTER_BYTES])
{
    nonce made;
    memcpy(made.bytes, prefix, crypto_box_NONCEBYTES - COUNTER_BYTES);
    memcpy(made.bytes + crypto_box_NONCEBYTES - COUNTER_BYTES, counter, COUNTER_BYTES);
    return made;
}

static nonce random_nonce(const char prefix[COUNTER_BYTES + 1], const uint8_t random[RANDOM_BYTES])
{
    nonce made;
    memcpy(made.bytes, prefix, crypto_box_NONCEBYTES - RANDOM_BYTES);
    memcpy(made.bytes + crypto_box_NONCEBYTES - RANDOM_BYTES, random, RANDOM_BYTES);
    return made;
}

static void next_counter(alm_zmtp_curve *curve, uint8_t ret[COUNTER_BYTES])
{
    uint64_t counter = htobe64(++curve->counter);
    memcpy(ret, &counter, sizeof counter);
}

// Called after the box was opened, so that only the peer itself moves the counter.
static bool accept_counter(alm_zmtp_curve *curve, const uint8_t at[COUNTER_BYTES])
{
    uint64_t counter;
    memcpy(&counter, at, sizeof counter);
    counter = be64toh(counter);
    if (counter <= curve->counter_seen) {
        return false;
    }
    curve->counter_seen = counter;
    return true;
}

// --- the handshake -------------------------------------------------------------------------------

static bool has_name(const uint8_t *body, alm_str name)
{
    return body[0] == name.len && memcmp(body + 1, name.data, name.len) == 0;
}

void alm_zmtp_curve_write_hello(alm_zmtp_curve *curve, alm_buf *out)
{
    static const uint8_t zeros[ZEROS_BYTES];
    const handshake *hs = curve->handshake;
    uint8_t hello[HELLO_BYTES] = "\x05HELLO\x01"; // version 1.0, then zeros
    memcpy(hello + HELLO_KEY_AT, hs->short_public, KEY);
    next_counter(curve, hello + HELLO_NONCE_AT);
    nonce n = counter_nonce("CurveZMQHELLO---", hello + HELLO_NONCE_AT);
    if (crypto_box_easy(hello + HELLO_BOX_AT, zeros, sizeof zeros, n.bytes, curve->own->server_key,
                        hs->short_secret) != 0) {
        out->failed = true; // a server key that is no point of the curve
        return;
    }
    uint8_t header[ALM_ZMTP_HEADER_BYTES_MAX];
    alm_buf_append(out, header, alm_zmtp_header_write(ALM_ZMTP_COMMAND, sizeof hello, header));
    alm_buf_append(out, hello, sizeof hello);
}

bool alm_zmtp_curve_take_hello(alm_zmtp_curve *curve, alm_bytes body)
{
    handshake *hs = curve->handshake;
    const uint8_t *hello = body.data;
    if (body.len != HELLO_BYTES || !has_name(hello, ALM_STR("HELLO")) || hello[6] != 1 ||
        hello[7] != 0) {
        return false;
    }
    memcpy(hs->peer_short, hello + HELLO_KEY_AT, KEY);
    uint8_t zeros[ZEROS_BYTES];
    nonce n = counter_nonce("CurveZMQHELLO---", hello + HELLO_NONCE_AT);
    return crypto_box_open_easy(zeros, hello + HELLO_BOX_AT, MAC + ZEROS_BYTES, n.bytes,
                                hs->peer_short, curve->own->secret_key) == 0 &&
           accept_counter(curve, hello + HELLO_NONCE_AT);
}

// The RFC's cookie holds the server's state, sealed, so that a server need not keep any. Ours keeps
// it with the connection, and its cookie is random bytes that must come back.
bool alm_zmtp_curve_write_welcome(alm_zmtp_curve *curve, alm_buf *out)
{
    handshake *hs = curve->handshake;
    randombytes_buf(hs->cookie, sizeof hs->cookie);
    uint8_t plain[WELCOME_PLAIN];
    memcpy(plain, hs->short_public, KEY);
    memcpy(plain + KEY, hs->cookie, COOKIE_BYTES);
    uint8_t welcome[WELCOME_BYTES] = "\x07WELCOME";
    randombytes_buf(welcome + WELCOME_NONCE_AT, RANDOM_BYTES);
    nonce n = random_nonce("WELCOME-", welcome + WELCOME_NONCE_AT);
    if (crypto_box_easy(welcome + WELCOME_BOX_AT, plain, sizeof plain, n.bytes, hs->peer_short,
                        curve->own->secret_key) != 0 ||
        crypto_box_beforenm(curve->key, hs->peer_short, hs->short_secret) != 0) {
        return false;
    }
    uint8_t header[ALM_ZMTP_HEADER_BYTES_MAX];
    alm_buf_append(out, header, alm_zmtp_header_write(ALM_ZMTP_COMMAND, sizeof welcome, header));
    alm_buf_append(out, welcome, sizeof welcome);
    return true;
}

bool alm_zmtp_curve_take_welcome(alm_zmtp_curve *curve, alm_bytes body)
{
    handshake *hs = curve->handshake;
    if (body.len != WELCOME_BYTES || !has_name(body.data, ALM_STR("WELCOME"))) {
        return false;
    }
    uint8_t plain[WELCOME_PLAIN];
    nonce n = random_nonce("WELCOME-", body.data + WELCOME_NONCE_AT);
    if (crypto_box_open_easy(plain, body.data + WELCOME_BOX_AT, MAC + sizeof plain, n.bytes,
                             curve->own->server_key, hs->short_secret) != 0) {
        return false;
    }
    memcpy(hs->peer_short, plain, KEY);
    memcpy(hs->cookie, plain + KEY, COOKIE_BYTES);
    return crypto_box_beforenm(curve->key, hs->peer_short, hs->short_secret) == 0;
}

// The client's long-term key says that the short-term one is its own, to this server only.
static bool write_vouch(const alm_zmtp_curve *curve, uint8_t ret[VOUCH_BYTES])
{
    const handshake *hs = curve->handshake;
    uint8_t plain[VOUCH_PLAIN];
    memcpy(plain, hs->short_public, KEY);
    memcpy(plain + KEY, curve->own->server_key, KEY);
    randombytes_buf(ret, RANDOM_BYTES);
    nonce n = random_nonce("VOUCH---", ret);
    return crypto_box_easy(ret + RANDOM_BYTES, plain, sizeof plain, n.bytes, hs->peer_short,
                           curve->own->secret_key) == 0;
}

static bool is_vouch_good(const alm_zmtp_curve *curve, const uint8_t client_key[KEY],
                          const uint8_t vouch[VOUCH_BYTES])
{
    const handshake *hs = curve->handshake;
    uint8_t plain[VOUCH_PLAIN];
    nonce n = random_nonce("VOUCH---", vouch);
    return crypto_box_open_easy(plain, vouch + RANDOM_BYTES, MAC + sizeof plain, n.bytes,
                                client_key, hs->short_secret) == 0 &&
           sodium_memcmp(plain, hs->peer_short, KEY) == 0 &&
           sodium_memcmp(plain + KEY, curve->own->public_key, KEY) == 0;
}

bool alm_zmtp_curve_write_initiate(alm_zmtp_curve *curve, alm_str metadata, alm_buf *out)
{
    ALM_ASSERT(metadata.len <= METADATA_BYTES_MAX);
    uint8_t plain[INITIATE_FIXED + METADATA_BYTES_MAX];
    memcpy(plain, curve->own->public_key, KEY);
    if (!write_vouch(curve, plain + KEY)) {
        return false;
    }
    memcpy(plain + INITIATE_FIXED, metadata.data, metadata.len);
    size_t plain_len = INITIATE_FIXED + metadata.len;
    uint8_t initiate[INITIATE_BOX_AT + MAC + sizeof plain];
    memcpy(initiate, "\x08INITIATE", INITIATE_COOKIE_AT);
    memcpy(initiate + INITIATE_COOKIE_AT, curve->handshake->cookie, COOKIE_BYTES);
    next_counter(curve, initiate + INITIATE_NONCE_AT);
    nonce n = counter_nonce("CurveZMQINITIATE", initiate + INITIATE_NONCE_AT);
    crypto_box_easy_afternm(initiate + INITIATE_BOX_AT, plain, plain_len, n.bytes, curve->key);
    size_t len = INITIATE_BOX_AT + MAC + plain_len;
    uint8_t header[ALM_ZMTP_HEADER_BYTES_MAX];
    alm_buf_append(out, header, alm_zmtp_header_write(ALM_ZMTP_COMMAND, len, header));
    alm_buf_append(out, initiate, len);
    return true;
}

bool alm_zmtp_curve_take_initiate(alm_zmtp_curve *curve, uint8_t *body, size_t len,
                                  alm_str *ret_metadata, bool *ret_is_denied)
{
    *ret_is_denied = false;
    if (len < INITIATE_BOX_AT + MAC + INITIATE_FIXED || !has_name(body, ALM_STR("INITIATE")) ||
        sodium_memcmp(body + INITIATE_COOKIE_AT, curve->handshake->cookie, COOKIE_BYTES) != 0) {
        return false;
    }
    uint8_t *plain = body + INITIATE_BOX_AT + MAC;
    nonce n = counter_nonce("CurveZMQINITIATE", body + INITIATE_NONCE_AT);
    if (crypto_box_open_detached_afternm(plain, plain, body + INITIATE_BOX_AT,
                                         len - INITIATE_BOX_AT - MAC, n.bytes, curve->key) != 0 ||
        !accept_counter(curve, body + INITIATE_NONCE_AT) ||
        !is_vouch_good(curve, plain, plain + KEY)) {
        return false;
    }
    const alm_port_curve *own = curve->own;
    *ret_is_denied = own->admit != NULL && !own->admit(own->admit_arg, plain, curve->user);
    *ret_metadata = (alm_str){.data = (const char *)plain + INITIATE_FIXED,
                              .len = len - INITIATE_BOX_AT - MAC - INITIATE_FIXED};
    return !*ret_is_denied;
}

void alm_zmtp_curve_write_ready(alm_zmtp_curve *curve, alm_str metadata, alm_buf *out)
{
    ALM_ASSERT(metadata.len <= METADATA_BYTES_MAX);
    uint8_t ready[READY_BOX_AT + MAC + METADATA_BYTES_MAX] = "\x05READY";
    next_counter(curve, ready + READY_NONCE_AT);
    nonce n = counter_nonce("CurveZMQREADY---", ready + READY_NONCE_AT);
    crypto_box_easy_afternm(ready + READY_BOX_AT, (const uint8_t *)metadata.data, metadata.len,
                            n.bytes, curve->key);
    forget_handshake(curve);
    size_t len = READY_BOX_AT + MAC + metadata.len;
    uint8_t header[ALM_ZMTP_HEADER_BYTES_MAX];
    alm_buf_append(out, header, alm_zmtp_header_write(ALM_ZMTP_COMMAND, len, header));
    alm_buf_append(out, ready, len);
}

bool alm_zmtp_curve_take_ready(alm_zmtp_curve *curve, uint8_t *body, size_t len,
                               alm_str *ret_metadata)
{
    if (len < READY_BOX_AT + MAC || !has_name(body, ALM_STR("READY"))) {
        return false;
    }
    uint8_t *plain = body + READY_BOX_AT + MAC;
    size_t plain_len = len - READY_BOX_AT - MAC;
    nonce n = counter_nonce("CurveZMQREADY---", body + READY_NONCE_AT);
    if (crypto_box_open_detached_afternm(plain, plain, body + READY_BOX_AT, plain_len, n.bytes,
                                         curve->key) != 0 ||
        !accept_counter(curve, body + READY_NONCE_AT)) {
        return false;
    }
    forget_handshake(curve);
    *ret_metadata = (alm_str){.data = (const char *)plain, .len = plain_len};
    return true;
}

// --- traffic -------------------------------------------------------------------------------------

static const char *message_prefix(bool is_from_server)
{
    return is_from_server ? "CurveZMQMESSAGES" : "CurveZMQMESSAGEC";
}

void alm_zmtp_curve_seal(alm_zmtp_curve *curve, uint8_t flags, alm_str frame, uint8_t *ret)
{
    memcpy(ret, "\x07MESSAGE", MESSAGE_NONCE_AT);
    next_counter(curve, ret + MESSAGE_NONCE_AT);
    nonce n = counter_nonce(message_prefix(curve->is_server), ret + MESSAGE_NONCE_AT);
    uint8_t *plain = ret + MESSAGE_BOX_AT + MAC;
    plain[0] = flags;
    if (frame.len > 0) {
        memcpy(plain + 1, frame.data, frame.len);
    }
    crypto_box_detached_afternm(plain, ret + MESSAGE_BOX_AT, plain, 1 + frame.len, n.bytes,
                                curve->key);
}

bool alm_zmtp_curve_open(alm_zmtp_curve *curve, uint8_t *body, size_t len, uint8_t *ret_flags,
                         alm_str *ret_frame)
{
    if (len < ALM_ZMTP_SEAL_BYTES || !has_name(body, ALM_STR("MESSAGE"))) {
        return false;
    }
    uint8_t *plain = body + MESSAGE_BOX_AT + MAC;
    nonce n = counter_nonce(message_prefix(!curve->is_server), body + MESSAGE_NONCE_AT);
    if (crypto_box_open_detached_afternm(plain, plain, body + MESSAGE_BOX_AT,
                                         len - MESSAGE_BOX_AT - MAC, n.bytes, curve->key) != 0 ||
        !accept_counter(curve, body + MESSAGE_NONCE_AT)) {
        return false;
    }
    *ret_flags = plain[0];
    *ret_frame = (alm_str){.data = (const char *)plain + 1, .len = len - ALM_ZMTP_SEAL_BYTES};
    return true;
}
