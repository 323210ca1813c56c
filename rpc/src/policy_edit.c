// Changes of the policy's file: another is written beside it and renamed over it, so that a server
// that reads finds the one or the other. The new file's name is the lock, too.
#include "policy.h"

#include "alm/alloc.h"
#include "alm/buf.h"
#include "alm/file.h"
#include "secret_file.h"

#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

size_t alm_policy_line(const alm_policy_entry *entry, char ret[ALM_POLICY_LINE_BYTES_MAX])
{
    char id[2 * ALM_TOKEN_HASH_BYTES + 1], until[ALM_DATE_TEXT_BYTES] = "";
    if (entry->is_token) {
        sodium_bin2hex(id, sizeof id, entry->id, sizeof entry->id);
    } else {
        alm_key_to_text(entry->id, id);
    }
    if (entry->until_day != ALM_DAY_NEVER) {
        alm_day_to_text(entry->until_day, until);
    }
    int len = snprintf(ret, ALM_POLICY_LINE_BYTES_MAX, "%s %s %s %s%s%s\n",
                       entry->is_token ? "token" : "key", id, alm_role_name(entry->role),
                       entry->name, until[0] != '\0' ? " until " : "", until);
    ALM_ASSERT(len > 0 && len < ALM_POLICY_LINE_BYTES_MAX);
    return (size_t)len;
}

static alm_code replace(const char *path, const char *fresh, alm_str text, unsigned mode,
                        alm_status *st)
{
    alm_policy_table *table = NULL;
    ALM_TRY(alm_policy_table_parse(text, path, &table, st));
    alm_policy_table_destroy(&table);
    int error = 0;
    // The file is there, empty, as the lock; its content is made under a name of its own.
    char content[PATH_MAX];
    int len = snprintf(content, sizeof content, "%s.%ld", fresh, (long)getpid());
    if (len < 0 || (size_t)len >= sizeof content) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "the name of the policy file is too long");
    }
    ALM_TRY(alm_secret_file_create(content, mode, text, st));
    if (rename(content, path) != 0) {
        error = errno;
        unlink(content);
        return alm_status_from_errno(st, error, path);
    }
    (void)alm_file_sync_name(path); // the content is on the disk; not all file systems do this
    return ALM_OK;
}

typedef alm_code edit_fn(void *arg, alm_str old, alm_buf *fresh, alm_status *st);

static alm_code edit_locked(const char *path, const char *lock, edit_fn *edit, void *arg,
                            alm_status *st)
{
    char *data = NULL;
    size_t len = 0;
    struct stat about = {.st_mode = 0600};
    if (stat(path, &about) == 0) {
        ALM_TRY(alm_policy_file_read(path, &data, &len, st));
    } else if (errno != ENOENT) {
        return alm_status_from_errno(st, errno, path);
    }
    alm_buf fresh;
    alm_buf_init(&fresh, ALM_POLICY_FILE_BYTES_MAX);
    alm_code code = edit(arg, (alm_str){.data = data, .len = len}, &fresh, st);
    if (code == ALM_OK && fresh.failed) {
        code = alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s would have more than %zu bytes", path,
                              ALM_POLICY_FILE_BYTES_MAX);
    }
    if (code == ALM_OK) {
        code = replace(path, lock, alm_buf_view(&fresh), about.st_mode & 0777, st);
    }
    alm_buf_deinit(&fresh);
    alm_free(data);
    return code;
}

static alm_code edit_file(const char *path, edit_fn *edit, void *arg, alm_status *st)
{
    char lock[PATH_MAX];
    int len = snprintf(lock, sizeof lock, "%s.new", path);
    if (len < 0 || (size_t)len >= sizeof lock) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "the name of the policy file is too long");
    }
    alm_code code = alm_secret_file_create(lock, 0600, (alm_str){0}, st);
    if (code == ALM_ALREADY_EXISTS) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "%s is there: somebody changes the policy now, or died doing so and "
                              "it can be removed",
                              lock);
    }
    ALM_TRY(code);
    code = edit_locked(path, lock, edit, arg, st);
    unlink(lock);
    return code;
}

static alm_code append_line(void *arg, alm_str old, alm_buf *fresh, alm_status *st)
{
    (void)st;
    char line[ALM_POLICY_LINE_BYTES_MAX];
    size_t len = alm_policy_line(arg, line);
    alm_buf_str(fresh, old);
    if (old.len > 0 && old.data[old.len - 1] != '\n') {
        alm_buf_char(fresh, '\n');
    }
    alm_buf_append(fresh, line, len);
    return ALM_OK;
}

alm_code alm_policy_add(const char *path, const alm_policy_entry *entry, alm_status *st)
{
    alm_policy_entry copy = *entry;
    if (!alm_policy_name_is_valid(alm_str_from(copy.name))) { // it could bring a line of its own
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "name",
                                    "expected " ALM_POLICY_NAME_EXPECTED);
    }
    return edit_file(path, append_line, &copy, st);
}

typedef struct revocation {
    alm_str name;
    size_t count;
} revocation;

static alm_code drop_tokens(void *arg, alm_str old, alm_buf *fresh, alm_status *st)
{
    revocation *self = arg;
    for (alm_str line, rest = old; rest.len > 0 && alm_str_split(&rest, '\n', &line);) {
        bool is_entry = false;
        alm_policy_entry entry;
        ALM_TRY(alm_policy_line_parse(line, &is_entry, &entry, st));
        if (is_entry && entry.is_token && alm_str_eq(alm_str_from(entry.name), self->name)) {
            self->count++;
        } else {
            alm_buf_str(fresh, line);
            alm_buf_char(fresh, '\n');
        }
    }
    return self->count > 0
               ? ALM_OK
               : alm_status_set(st, ALM_NOT_FOUND, "%.*s has no token", ALM_STR_ARGS(self->name));
}

alm_code alm_policy_revoke_tokens(const char *path, alm_str name, size_t *ret_count, alm_status *st)
{
    revocation self = {.name = name};
    ALM_TRY(edit_file(path, drop_tokens, &self, st));
    *ret_count = self.count;
    return ALM_OK;
}
