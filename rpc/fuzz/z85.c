// Any text as Z85: refused, or the same letters when it is written again; and any bytes there and
// back.
#include "z85.h"

#include "alm/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(alm_str text)
{
    size_t len = text.len / 5 * 4;
    uint8_t *bytes = alm_alloc(len);
    char *again = alm_alloc(text.len + 1);
    ALM_ASSERT(bytes != NULL && again != NULL);
    bool is_z85 = alm_z85_decode(text, bytes, len);
    ALM_ASSERT(!is_z85 || text.len % 5 == 0);
    if (is_z85) {
        alm_z85_encode(bytes, len, again);
        ALM_ASSERT(alm_str_eq(alm_str_from(again), text));
    }
    alm_free(bytes);
    alm_free(again);
}

static void check_bytes(const uint8_t *data, size_t len)
{
    char *text = alm_alloc(len / 4 * 5 + 1);
    uint8_t *again = alm_alloc(len);
    ALM_ASSERT(text != NULL && again != NULL);
    alm_z85_encode(data, len, text);
    bool is_z85 = alm_z85_decode(alm_str_from(text), again, len);
    ALM_ASSERT(is_z85 && memcmp(again, data, len) == 0);
    alm_free(text);
    alm_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_text((alm_str){.data = (const char *)data, .len = size});
    check_bytes(data, size / 4 * 4);
    return 0;
}
