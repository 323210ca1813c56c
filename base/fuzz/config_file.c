// Feeds bytes to the configuration as its file: it is taken or refused with a message that names
// the place, and what was taken prints as a file that is taken again with the same text.
#include "config_impl.h"

#include "alm/status.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const alm_option options[] = {
    {.name = "data-dir", .fallback = "/var/lib"},
    {.name = "port", .type = ALM_OPTION_INT, .min = 1, .max = 65535, .fallback = "7100"},
    {.name = "cache", .type = ALM_OPTION_BYTES},
    {.name = "wait", .type = ALM_OPTION_DURATION_MS},
    {.name = "fsync", .type = ALM_OPTION_BOOL, .fallback = "true"},
    {.name = "peer", .repeats = true},
};

#define PRINTED_MAX ((size_t)1 << 16)
#define INPUT_MAX   (PRINTED_MAX / 4)

// Loads text; whether it was taken, and how the configuration prints.
static bool load_and_print(alm_str text, char printed[PRINTED_MAX])
{
    alm_config *config = alm_config_create(options, ALM_ARRAY_LEN(options));
    ALM_ASSERT(config != NULL);
    alm_status st = ALM_STATUS_INIT;
    alm_code code = alm_config_take_file(config, "fuzz.conf", text, &st);
    if (code == ALM_OK) {
        FILE *out = fmemopen(printed, PRINTED_MAX, "w");
        ALM_ASSERT(out != NULL);
        alm_config_print(config, out);
        fclose(out);
    } else {
        ALM_ASSERT(code == ALM_INVALID_ARGUMENT && st.code == code);
        ALM_ASSERT(alm_str_starts_with(alm_str_from(st.message), ALM_STR("fuzz.conf:")));
        ALM_ASSERT(alm_utf8_valid_len(alm_str_from(st.message)) == strlen(st.message));
    }
    alm_config_destroy(&config);
    return code == ALM_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char first[PRINTED_MAX];
    static char second[PRINTED_MAX];
    if (size > INPUT_MAX) {
        return 0;
    }
    if (load_and_print((alm_str){.data = (const char *)data, .len = size}, first)) {
        ALM_ASSERT(load_and_print(alm_str_from(first), second));
        ALM_ASSERT(strcmp(first, second) == 0);
    }
    return 0;
}
