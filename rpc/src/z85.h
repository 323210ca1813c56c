// Z85, ZeroMQ RFC 32: four bytes are five letters that can be pasted anywhere.
#ifndef ALM_RPC_Z85_H
#define ALM_RPC_Z85_H

#include "alm/str.h"

// len: a multiple of 4. Writes len / 4 * 5 letters and a NUL.
void alm_z85_encode(const uint8_t *data, size_t len, char *ret);

// len: of what is expected, a multiple of 4. False: other than len / 4 * 5 letters, a letter that
// is none, or five that say more than four bytes hold; ret is then undefined.
bool alm_z85_decode(alm_str text, uint8_t *ret, size_t len);

#endif
