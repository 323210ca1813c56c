// Who may call: key pairs for CURVE, tokens, and the policy that names them and their roles.
//
// Secrets are never printed, logged or quoted in an error. Whoever holds an alm_keypair or a token
// wipes it.
#ifndef ALM_AUTH_H
#define ALM_AUTH_H

#include "alm/limits.h"
#include "alm/role.h"
#include "alm/status.h"
#include "alm/str.h"

#include <stddef.h>
#include <stdint.h>

#define ALM_CURVE_KEY_BYTES  32
#define ALM_USER_BYTES_MAX   64 // with the NUL
#define ALM_KEY_TEXT_BYTES   41 // Z85 (RFC 32) of a key, with the NUL
#define ALM_TOKEN_TEXT_BYTES 48 // "alm_" and 43 letters of base64url, with the NUL
#define ALM_TOKEN_HASH_BYTES 32
#define ALM_DATE_TEXT_BYTES  11 // "2026-11-24", with the NUL
#define ALM_DAY_NEVER        INT32_MAX

bool alm_role_from(alm_str name, alm_role *ret); // "reader"

// --- keys ----------------------------------------------------------------------------------------

// Curve25519, raw.
typedef struct alm_keypair {
    uint8_t public_key[ALM_CURVE_KEY_BYTES];
    uint8_t secret_key[ALM_CURVE_KEY_BYTES];
} alm_keypair;

// ALM_INTERNAL  the system gives no randomness
ALM_MUST_USE alm_code alm_keypair_generate(alm_keypair *ret, alm_status *st);
void alm_keypair_wipe(alm_keypair *pair);

void alm_key_to_text(const uint8_t key[ALM_CURVE_KEY_BYTES], char ret[ALM_KEY_TEXT_BYTES]);
bool alm_key_from_text(alm_str text, uint8_t ret[ALM_CURVE_KEY_BYTES]);

// The secret part as a file of mode 0600, the public one beside it as PATH.pub. Both are on the
// disk when this returns, or neither is there.
//
// ALM_ALREADY_EXISTS  one of the two is there: keys are not written over
// others               from the system
ALM_MUST_USE alm_code alm_keypair_save(const alm_keypair *pair, const char *path, alm_status *st);

// Takes both files away again, for who made them a moment ago and could not go on.
void alm_keypair_discard(const char *path);

// ALM_NOT_FOUND            no such file
// ALM_PERMISSION_DENIED    group or others can read it, or we cannot
// ALM_INVALID_ARGUMENT     not such a file, or its parts are not of one pair
ALM_MUST_USE alm_code alm_keypair_load(const char *path, alm_keypair *ret, alm_status *st);

// What alm_keypair_load does with the file's bytes. name is for errors.
ALM_MUST_USE alm_code alm_keypair_parse(alm_str text, const char *name, alm_keypair *ret,
                                        alm_status *st);

// From a .pub file. Errors as of alm_keypair_load; anybody may read it.
ALM_MUST_USE alm_code alm_public_key_load(const char *path, uint8_t ret[ALM_CURVE_KEY_BYTES],
                                          alm_status *st);

// --- tokens --------------------------------------------------------------------------------------

ALM_MUST_USE alm_code alm_token_generate(char ret[ALM_TOKEN_TEXT_BYTES], alm_status *st);
void alm_token_hash(alm_str text, uint8_t ret[ALM_TOKEN_HASH_BYTES]); // SHA-256
void alm_token_wipe(char token[ALM_TOKEN_TEXT_BYTES]);

// From a file that holds it on its only line. Errors as of alm_keypair_load.
ALM_MUST_USE alm_code alm_token_load(const char *path, char ret[ALM_TOKEN_TEXT_BYTES],
                                     alm_status *st);

// --- days ----------------------------------------------------------------------------------------

bool alm_day_from_text(alm_str text, int32_t *ret); // "2026-11-24": days since 1970; 1970..9999
void alm_day_to_text(int32_t day, char ret[ALM_DATE_TEXT_BYTES]);

// --- the policy ----------------------------------------------------------------------------------

// A text file, one line each; # at the start of a line makes it a comment (Z85 has # too):
//
//   key PUBLIC ROLE NAME                        PUBLIC: Z85
//   token SHA256 ROLE NAME [until YYYY-MM-DD]   SHA256: hex, of the token's text; the day counts
//
// A name is 1 to 63 of A-Z a-z 0-9 . _ - @ and may have several keys and tokens, all of one role.
typedef struct alm_policy_entry {
    bool is_token;
    alm_role role;
    uint8_t id[32];    // the public key, or the token's hash
    int32_t until_day; // the last one; ALM_DAY_NEVER: no end
    uint32_t line;
    char name[ALM_USER_BYTES_MAX];
} alm_policy_entry;

// Can a policy have it as a name? Then there is nothing in it that ends a word or a line.
bool alm_policy_name_is_valid(alm_str name);
#define ALM_POLICY_NAME_EXPECTED "a name: 1 to 63 of A-Z a-z 0-9 . _ - @"

// Threading: may be shared by any threads, also while it is reloaded.
typedef struct alm_policy alm_policy;

// path is kept for reload.
//
// ALM_NOT_FOUND            no such file
// ALM_PERMISSION_DENIED    it cannot be read, or group or others can write it
// ALM_INVALID_ARGUMENT     a line is wrong; the message begins with FILE:LINE
// ALM_RESOURCE_EXHAUSTED   more than ALM_POLICY_FILE_BYTES_MAX or ALM_POLICY_ENTRY_COUNT_MAX; heap
ALM_MUST_USE alm_code alm_policy_load(const char *path, alm_policy **ret, alm_status *st);

// From the file's bytes; it cannot be reloaded. name is for errors.
ALM_MUST_USE alm_code alm_policy_parse(alm_str text, const char *name, alm_policy **ret,
                                       alm_status *st);
void alm_policy_destroy(alm_policy **policy); // accepts NULL

// Reads the file again. On failure (as alm_policy_load) the old policy stays in force.
ALM_MUST_USE alm_code alm_policy_reload(alm_policy *policy, alm_status *st);

// False: not admitted; nothing is written. today: days since 1970, see alm_clock_today.
bool alm_policy_admit_key(alm_policy *policy, const uint8_t key[ALM_CURVE_KEY_BYTES],
                          char ret_user[ALM_USER_BYTES_MAX], alm_role *ret_role);
bool alm_policy_admit_token(alm_policy *policy, alm_str token, int32_t today,
                            char ret_user[ALM_USER_BYTES_MAX], alm_role *ret_role);

// The role of a name that has a key now: asked for each call, a reload counts at once for
// connections that stand. ALM_ROLE_NONE: no key has that name (any more).
alm_role alm_policy_role_of(alm_policy *policy, alm_str user);

bool alm_policy_has_keys(alm_policy *policy); // now, as is what follows
bool alm_policy_has_tokens(alm_policy *policy);

// In the file's order. The policy cannot be reloaded meanwhile; visit must not call it.
void alm_policy_each(alm_policy *policy, void (*visit)(void *arg, const alm_policy_entry *entry),
                     void *arg);

// --- changing the file ---------------------------------------------------------------------------

#define ALM_POLICY_LINE_BYTES_MAX 256 // with newline and NUL

// The entry's line, with its newline. Returns its length.
size_t alm_policy_line(const alm_policy_entry *entry, char ret[ALM_POLICY_LINE_BYTES_MAX]);

// Adds the entry to the file, which is made (mode 0600) if it is not there. Readers see the old
// file or the new one.
//
// ALM_INVALID_ARGUMENT      the name is none; or the file would be wrong with the entry, or is, and
//                           the message begins FILE:LINE
// ALM_FAILED_PRECONDITION   PATH.new is there: somebody else changes the file, or died doing so
ALM_MUST_USE alm_code alm_policy_add(const char *path, const alm_policy_entry *entry,
                                     alm_status *st);

// Takes the tokens of a name out of the file. Errors as of alm_policy_add.
//
// ALM_NOT_FOUND  it has none
ALM_MUST_USE alm_code alm_policy_revoke_tokens(const char *path, alm_str name, size_t *ret_count,
                                               alm_status *st);

#endif
