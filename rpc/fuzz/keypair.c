// Any key file: it is a pair or it is refused in words.
#include "alm/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_keypair pair;
    alm_status st = ALM_STATUS_INIT;
    alm_str text = {.data = (const char *)data, .len = size};
    if (alm_keypair_parse(text, "key", &pair, &st) != ALM_OK) {
        ALM_ASSERT(st.code == ALM_INVALID_ARGUMENT && st.message[0] != '\0');
    }
    return 0;
}
