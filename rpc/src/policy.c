// A policy is a table that does not change, behind a lock that is held to read it; a reload makes
// another and swaps. What is looked up are a public key, which is no secret, and a token's hash:
// what the time of a search could tell of it is of no use, since nobody can make a text for a hash.
// The last comparison takes the same time all the same.
#include "policy.h"

#include "alm/alloc.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

struct alm_policy {
    pthread_rwlock_t lock; // guards table
    alm_policy_table *table;
    char *path; // NULL: not from a file
};

static int compare_ids(const void *a, const void *b)
{
    const alm_policy_entry *left = *(alm_policy_entry *const *)a;
    const alm_policy_entry *right = *(alm_policy_entry *const *)b;
    return left->is_token != right->is_token ? (left->is_token ? 1 : -1)
                                             : memcmp(left->id, right->id, sizeof left->id);
}

static int compare_names(const void *a, const void *b)
{
    const alm_policy_entry *left = *(alm_policy_entry *const *)a;
    const alm_policy_entry *right = *(alm_policy_entry *const *)b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : (left->is_token ? 1 : 0) - (right->is_token ? 1 : 0);
}

// The first of the name's keys, or where tokens of it begin if there are none.
static const alm_policy_entry *find_name(const alm_policy_table *table, alm_str name)
{
    size_t from = 0, to = table->count;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (alm_str_cmp(alm_str_from(table->by_name[mid]->name), name) < 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    bool is_found =
        from < table->count && alm_str_eq(alm_str_from(table->by_name[from]->name), name);
    return is_found ? table->by_name[from] : NULL;
}

static const alm_policy_entry *find_id(const alm_policy_table *table, bool is_token,
                                       const uint8_t id[32])
{
    alm_policy_entry wanted = {.is_token = is_token};
    memcpy(wanted.id, id, sizeof wanted.id);
    const alm_policy_entry *key = &wanted;
    if (table->count == 0) {
        return NULL;
    }
    alm_policy_entry *const *at =
        bsearch(&key, table->by_id, table->count, sizeof(alm_policy_entry *), compare_ids);
    return at != NULL && sodium_memcmp((*at)->id, id, sizeof wanted.id) == 0 ? *at : NULL;
}

alm_code alm_policy_table_index(alm_policy_table *table, const char *name, alm_status *st)
{
    size_t count = table->count > 0 ? table->count : 1;
    table->by_id = alm_calloc(count, sizeof(alm_policy_entry *));
    table->by_name = alm_calloc(count, sizeof(alm_policy_entry *));
    if (table->by_id == NULL || table->by_name == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for %s", name);
    }
    for (size_t i = 0; i < table->count; i++) {
        table->by_id[i] = table->by_name[i] = &table->entries[i];
    }
    qsort(table->by_id, table->count, sizeof(alm_policy_entry *), compare_ids);
    qsort(table->by_name, table->count, sizeof(alm_policy_entry *), compare_names);
    for (size_t i = 1; i < table->count; i++) {
        const alm_policy_entry *a = table->by_id[i - 1], *b = table->by_id[i];
        if (compare_ids(&a, &b) == 0) {
            return alm_status_set(st, ALM_INVALID_ARGUMENT, "%s:%u: this %s stands in line %u too",
                                  name, ALM_MAX(a->line, b->line), a->is_token ? "token" : "key",
                                  ALM_MIN(a->line, b->line));
        }
        a = table->by_name[i - 1], b = table->by_name[i];
        if (strcmp(a->name, b->name) == 0 && a->role != b->role) {
            return alm_status_set(st, ALM_INVALID_ARGUMENT,
                                  "%s:%u: %s is %s here and %s in line %u: a name has one role",
                                  name, b->line, b->name, alm_role_name(b->role),
                                  alm_role_name(a->role), a->line);
        }
    }
    return ALM_OK;
}

static alm_code create(alm_policy_table *table, const char *path, alm_policy **ret, alm_status *st)
{
    alm_policy *self = alm_calloc(1, sizeof *self);
    char *copy = path != NULL ? alm_strdup(path) : NULL;
    if (self == NULL || (path != NULL && copy == NULL)) {
        alm_free(self);
        alm_free(copy);
        alm_policy_table_destroy(&table);
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a policy");
    }
    self->table = table;
    self->path = copy;
    pthread_rwlock_init(&self->lock, NULL);
    *ret = self;
    return ALM_OK;
}

alm_code alm_policy_load(const char *path, alm_policy **ret, alm_status *st)
{
    alm_policy_table *table = NULL;
    ALM_TRY(alm_policy_table_load(path, &table, st));
    return create(table, path, ret, st);
}

alm_code alm_policy_parse(alm_str text, const char *name, alm_policy **ret, alm_status *st)
{
    alm_policy_table *table = NULL;
    ALM_TRY(alm_policy_table_parse(text, name, &table, st));
    return create(table, NULL, ret, st);
}

void alm_policy_destroy(alm_policy **policy)
{
    if (*policy != NULL) {
        alm_policy_table_destroy(&(*policy)->table);
        pthread_rwlock_destroy(&(*policy)->lock);
        alm_free((*policy)->path);
        alm_free(*policy);
        *policy = NULL;
    }
}

static void read_lock(alm_policy *policy)
{
    int error = pthread_rwlock_rdlock(&policy->lock);
    ALM_ASSERT(error == 0);
}

static void unlock(alm_policy *policy)
{
    int error = pthread_rwlock_unlock(&policy->lock);
    ALM_ASSERT(error == 0);
}

alm_code alm_policy_reload(alm_policy *policy, alm_status *st)
{
    if (policy->path == NULL) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION, "this policy is not from a file");
    }
    alm_policy_table *table = NULL;
    ALM_TRY(alm_policy_table_load(policy->path, &table, st));
    int error = pthread_rwlock_wrlock(&policy->lock);
    ALM_ASSERT(error == 0);
    alm_policy_table *old = policy->table;
    policy->table = table;
    unlock(policy);
    alm_policy_table_destroy(&old);
    return ALM_OK;
}

static bool admit(alm_policy *policy, bool is_token, const uint8_t id[32], int32_t today,
                  char ret_user[ALM_USER_BYTES_MAX], alm_role *ret_role)
{
    read_lock(policy);
    const alm_policy_entry *entry = find_id(policy->table, is_token, id);
    bool is_admitted = entry != NULL && today <= entry->until_day;
    if (is_admitted) {
        memcpy(ret_user, entry->name, sizeof entry->name);
        *ret_role = entry->role;
    }
    unlock(policy);
    return is_admitted;
}

bool alm_policy_admit_key(alm_policy *policy, const uint8_t key[ALM_CURVE_KEY_BYTES],
                          char ret_user[ALM_USER_BYTES_MAX], alm_role *ret_role)
{
    return admit(policy, false, key, 0, ret_user, ret_role);
}

bool alm_policy_admit_token(alm_policy *policy, alm_str token, int32_t today,
                            char ret_user[ALM_USER_BYTES_MAX], alm_role *ret_role)
{
    uint8_t hash[ALM_TOKEN_HASH_BYTES];
    if (token.len != ALM_TOKEN_TEXT_BYTES - 1) {
        return false; // not worth a hash, whatever its size
    }
    alm_token_hash(token, hash);
    return admit(policy, true, hash, today, ret_user, ret_role);
}

alm_role alm_policy_role_of(alm_policy *policy, alm_str user)
{
    read_lock(policy);
    const alm_policy_entry *entry = find_name(policy->table, user);
    alm_role role = entry != NULL && !entry->is_token ? entry->role : ALM_ROLE_NONE;
    unlock(policy);
    return role;
}

static bool has_any(alm_policy *policy, bool is_token)
{
    bool has = false;
    read_lock(policy);
    for (size_t i = 0; i < policy->table->count && !has; i++) {
        has = policy->table->entries[i].is_token == is_token;
    }
    unlock(policy);
    return has;
}

bool alm_policy_has_keys(alm_policy *policy)
{
    return has_any(policy, false);
}

bool alm_policy_has_tokens(alm_policy *policy)
{
    return has_any(policy, true);
}

void alm_policy_each(alm_policy *policy, void (*visit)(void *arg, const alm_policy_entry *entry),
                     void *arg)
{
    read_lock(policy);
    for (size_t i = 0; i < policy->table->count; i++) {
        visit(arg, &policy->table->entries[i]);
    }
    unlock(policy);
}
