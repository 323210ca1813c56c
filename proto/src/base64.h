// Base64 (RFC 4648).
#ifndef ALM_PROTO_BASE64_H
#define ALM_PROTO_BASE64_H

#include "alm/buf.h"
#include "alm/str.h"

void alm_base64_encode(alm_bytes bytes, alm_buf *out); // padded

// Bytes that text of len stands for at most.
size_t alm_base64_decoded_max(size_t len);

// Takes the usual and the URL's alphabet, with padding or without. out has room for
// alm_base64_decoded_max(text.len) bytes. False: another character, a length that cannot be, or
// bits behind the last byte.
bool alm_base64_decode(alm_str text, uint8_t *out, size_t *ret_len);

#endif
