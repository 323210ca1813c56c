#include "alm/auth.h"

#include "alm/file.h"
#include "secret_file.h"
#include "z85.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

_Static_assert(crypto_box_PUBLICKEYBYTES == ALM_CURVE_KEY_BYTES, "Curve25519");
_Static_assert(crypto_box_SECRETKEYBYTES == ALM_CURVE_KEY_BYTES, "Curve25519");
_Static_assert(crypto_hash_sha256_BYTES == ALM_TOKEN_HASH_BYTES, "SHA-256");

#define TOKEN_PREFIX       "alm_"
#define TOKEN_RANDOM_BYTES 32

static alm_code start_sodium(alm_status *st)
{
    return sodium_init() >= 0
               ? ALM_OK
               : alm_status_set(st, ALM_INTERNAL, "the system gives no random numbers");
}

// --- keys ----------------------------------------------------------------------------------------

alm_code alm_keypair_generate(alm_keypair *ret, alm_status *st)
{
    ALM_TRY(start_sodium(st));
    int answer = crypto_box_keypair(ret->public_key, ret->secret_key);
    ALM_ASSERT(answer == 0);
    return ALM_OK;
}

void alm_keypair_wipe(alm_keypair *pair)
{
    sodium_memzero(pair, sizeof *pair);
}

void alm_key_to_text(const uint8_t key[ALM_CURVE_KEY_BYTES], char ret[ALM_KEY_TEXT_BYTES])
{
    alm_z85_encode(key, ALM_CURVE_KEY_BYTES, ret);
}

bool alm_key_from_text(alm_str text, uint8_t ret[ALM_CURVE_KEY_BYTES])
{
    return alm_z85_decode(text, ret, ALM_CURVE_KEY_BYTES);
}

static alm_code public_path(const char *path, char ret[PATH_MAX], alm_status *st)
{
    int len = snprintf(ret, PATH_MAX, "%s.pub", path);
    return len > 0 && len < PATH_MAX
               ? ALM_OK
               : alm_status_set(st, ALM_INVALID_ARGUMENT, "the name of the key file is too long");
}

static alm_code save_secret(const alm_keypair *pair, const char *path, alm_status *st)
{
    char public_text[ALM_KEY_TEXT_BYTES], secret_text[ALM_KEY_TEXT_BYTES];
    alm_key_to_text(pair->public_key, public_text);
    alm_key_to_text(pair->secret_key, secret_text);
    char text[ALM_SECRET_FILE_BYTES_MAX];
    int len =
        snprintf(text, sizeof text, "# A key of Almanac: keep it secret\npublic %s\nsecret %s\n",
                 public_text, secret_text);
    alm_code code =
        alm_secret_file_create(path, 0600, (alm_str){.data = text, .len = (size_t)len}, st);
    sodium_memzero(text, sizeof text);
    sodium_memzero(secret_text, sizeof secret_text);
    return code;
}

alm_code alm_keypair_save(const alm_keypair *pair, const char *path, alm_status *st)
{
    char beside[PATH_MAX];
    ALM_TRY(public_path(path, beside, st));
    ALM_TRY(save_secret(pair, path, st));
    char text[ALM_KEY_TEXT_BYTES + 1];
    alm_key_to_text(pair->public_key, text);
    text[ALM_KEY_TEXT_BYTES - 1] = '\n';
    alm_str line = {.data = text, .len = ALM_KEY_TEXT_BYTES};
    alm_code code = alm_secret_file_create(beside, 0644, line, st);
    if (code != ALM_OK) {
        unlink(path);
        return code;
    }
    (void)alm_file_sync_name(path); // the content is on the disk; not all file systems do this
    return ALM_OK;
}

void alm_keypair_discard(const char *path)
{
    char beside[PATH_MAX];
    if (public_path(path, beside, NULL) == ALM_OK) {
        unlink(beside);
    }
    unlink(path);
}

// "public KEY" into a key; the line is not quoted, it may be the secret's.
static alm_code take_part(alm_str *rest, const char *name, alm_str word,
                          uint8_t ret[ALM_CURVE_KEY_BYTES], alm_status *st)
{
    alm_str line = {0};
    while (alm_str_split(rest, '\n', &line) && (line.len == 0 || line.data[0] == '#')) {}
    bool is_part = alm_str_starts_with(line, word);
    if (!is_part || !alm_key_from_text(alm_str_slice(line, word.len, line.len), ret)) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "%s is no key file: expected `%.*s` and 40 letters of Z85", name,
                              ALM_STR_ARGS(alm_str_trim(word)));
    }
    return ALM_OK;
}

static alm_code take_parts(alm_str text, const char *name, alm_keypair *ret, alm_status *st)
{
    alm_str rest = text;
    ALM_TRY(take_part(&rest, name, ALM_STR("public "), ret->public_key, st));
    ALM_TRY(take_part(&rest, name, ALM_STR("secret "), ret->secret_key, st));
    if (alm_str_trim(rest).len > 0) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%s has more than a key pair", name);
    }
    uint8_t public_key[ALM_CURVE_KEY_BYTES];
    if (crypto_scalarmult_base(public_key, ret->secret_key) != 0 ||
        memcmp(public_key, ret->public_key, sizeof public_key) != 0) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "%s: the public and the secret part are not of one pair", name);
    }
    return ALM_OK;
}

alm_code alm_keypair_parse(alm_str text, const char *name, alm_keypair *ret, alm_status *st)
{
    ALM_TRY(start_sodium(st));
    alm_code code = take_parts(text, name, ret, st);
    if (code != ALM_OK) {
        alm_keypair_wipe(ret);
    }
    return code;
}

alm_code alm_keypair_load(const char *path, alm_keypair *ret, alm_status *st)
{
    char text[ALM_SECRET_FILE_BYTES_MAX];
    size_t len = 0;
    alm_code code = alm_secret_file_read(path, true, text, &len, st);
    if (code == ALM_OK) {
        code = alm_keypair_parse((alm_str){.data = text, .len = len}, path, ret, st);
    }
    sodium_memzero(text, sizeof text);
    return code;
}

alm_code alm_public_key_load(const char *path, uint8_t ret[ALM_CURVE_KEY_BYTES], alm_status *st)
{
    char text[ALM_SECRET_FILE_BYTES_MAX];
    size_t len = 0;
    alm_code code = alm_secret_file_read(path, false, text, &len, st);
    if (code == ALM_OK &&
        !alm_key_from_text(alm_str_trim((alm_str){.data = text, .len = len}), ret)) {
        code = alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "%s holds no public key: expected 40 letters of Z85", path);
    }
    sodium_memzero(text, sizeof text); // it may be a secret's file, named by mistake
    return code;
}

// --- tokens --------------------------------------------------------------------------------------

alm_code alm_token_generate(char ret[ALM_TOKEN_TEXT_BYTES], alm_status *st)
{
    ALM_TRY(start_sodium(st));
    uint8_t random[TOKEN_RANDOM_BYTES];
    randombytes_buf(random, sizeof random);
    size_t prefix_len = sizeof TOKEN_PREFIX - 1;
    memcpy(ret, TOKEN_PREFIX, prefix_len);
    sodium_bin2base64(ret + prefix_len, ALM_TOKEN_TEXT_BYTES - prefix_len, random, sizeof random,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(random, sizeof random);
    return ALM_OK;
}

void alm_token_hash(alm_str text, uint8_t ret[ALM_TOKEN_HASH_BYTES])
{
    crypto_hash_sha256(ret, (const uint8_t *)(text.data != NULL ? text.data : ""), text.len);
}

void alm_token_wipe(char token[ALM_TOKEN_TEXT_BYTES])
{
    sodium_memzero(token, ALM_TOKEN_TEXT_BYTES);
}

alm_code alm_token_load(const char *path, char ret[ALM_TOKEN_TEXT_BYTES], alm_status *st)
{
    char text[ALM_SECRET_FILE_BYTES_MAX];
    size_t len = 0;
    alm_code code = alm_secret_file_read(path, true, text, &len, st);
    alm_str token = alm_str_trim((alm_str){.data = text, .len = len});
    bool is_token = token.len == ALM_TOKEN_TEXT_BYTES - 1 &&
                    alm_str_starts_with(token, ALM_STR(TOKEN_PREFIX)) &&
                    memchr(token.data, '\0', token.len) == NULL;
    if (code == ALM_OK && !is_token) {
        code = alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "%s holds no token: expected " TOKEN_PREFIX " and 43 letters", path);
    }
    if (code == ALM_OK) {
        memcpy(ret, token.data, token.len);
        ret[token.len] = '\0';
    }
    sodium_memzero(text, sizeof text);
    return code;
}
