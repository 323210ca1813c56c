// The policy's table: what is read from its file, in the file's order and in those of searches.
#ifndef ALM_RPC_POLICY_H
#define ALM_RPC_POLICY_H

#include "alm/auth.h"

typedef struct alm_policy_table {
    alm_policy_entry *entries; // in the order of lines
    size_t count;
    alm_policy_entry **by_id;   // keys, then tokens, each by their bytes
    alm_policy_entry **by_name; // a name's keys before its tokens
} alm_policy_table;

// Errors as of alm_policy_load and alm_policy_parse.
ALM_MUST_USE alm_code alm_policy_table_load(const char *path, alm_policy_table **ret,
                                            alm_status *st);
ALM_MUST_USE alm_code alm_policy_table_parse(alm_str text, const char *name, alm_policy_table **ret,
                                             alm_status *st);
void alm_policy_table_destroy(alm_policy_table **table); // accepts NULL

// Sorts, and refuses what stands twice and names of two roles.
ALM_MUST_USE alm_code alm_policy_table_index(alm_policy_table *table, const char *name,
                                             alm_status *st);

// Reads the whole file. The caller frees *ret_data. Errors as of alm_policy_load.
ALM_MUST_USE alm_code alm_policy_file_read(const char *path, char **ret_data, size_t *ret_len,
                                           alm_status *st);

// The entry of one line. Empty lines and comments: *ret_is_entry is false. The message says what
// was expected, not where.
ALM_MUST_USE alm_code alm_policy_line_parse(alm_str line, bool *ret_is_entry, alm_policy_entry *ret,
                                            alm_status *st);

#endif
