// A transform that parses is written as a text that parses to the same, and reads back the same.
#include "alm/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_status st = ALM_STATUS_INIT;
    alm_transform transform;
    alm_transform again;
    if (alm_transform_parse((alm_str){(const char *)data, size}, &transform, &st) != ALM_OK) {
        ALM_ASSERT(st.message[0] != '\0');
        return 0;
    }
    alm_buf text;
    alm_buf second;
    alm_buf_init(&text, 0);
    alm_buf_init(&second, 0);
    alm_transform_format(&transform, &text);
    ALM_ASSERT(!text.failed);
    ALM_ASSERT(alm_transform_parse(alm_buf_view(&text), &again, NULL) == ALM_OK);
    ALM_ASSERT(again.op == transform.op);
    alm_transform_format(&again, &second);
    ALM_ASSERT(alm_str_eq(alm_buf_view(&text), alm_buf_view(&second)));
    alm_buf_deinit(&text);
    alm_buf_deinit(&second);
    return 0;
}
