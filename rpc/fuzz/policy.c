// Any policy: what is taken, written again line by line, is the same policy.
#include "policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_policy_table *table = NULL;
    alm_status st = ALM_STATUS_INIT;
    alm_str text = {.data = (const char *)data, .len = size};
    if (alm_policy_table_parse(text, "policy", &table, &st) != ALM_OK) {
        ALM_ASSERT(st.code != ALM_OK && st.message[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < table->count; i++) {
        char line[ALM_POLICY_LINE_BYTES_MAX];
        size_t len = alm_policy_line(&table->entries[i], line);
        alm_policy_entry again;
        bool is_entry = false;
        alm_str written = {.data = line, .len = len};
        ALM_ASSERT(alm_policy_line_parse(written, &is_entry, &again, NULL) == ALM_OK && is_entry);
        char line_again[ALM_POLICY_LINE_BYTES_MAX];
        size_t len_again = alm_policy_line(&again, line_again);
        ALM_ASSERT(len_again == len && memcmp(line_again, line, len) == 0);
    }
    alm_policy_table_destroy(&table);
    return 0;
}
