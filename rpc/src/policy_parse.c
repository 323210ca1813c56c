#include "policy.h"

#include "alm/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

// --- names of things -----------------------------------------------------------------------------

bool alm_role_from(alm_str name, alm_role *ret)
{
    for (int i = 0; i < ALM_ROLE_COUNT; i++) {
        alm_role role = (alm_role)i;
        if (alm_str_eq(name, alm_str_from(alm_role_name(role)))) {
            *ret = role;
            return true;
        }
    }
    return false;
}

bool alm_policy_name_is_valid(alm_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && (c == '\0' || strchr("._-@", c) == NULL)) {
            return false;
        }
    }
    return name.len > 0 && name.len < ALM_USER_BYTES_MAX;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

// Days from 1970-01-01 to the first of January.
static int32_t year_day(int year)
{
    int before = year - 1;
    return (year - 1970) * 365 + (before / 4 - before / 100 + before / 400) - 477;
}

static bool to_number(alm_str text, int *ret)
{
    *ret = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        *ret = *ret * 10 + (text.data[i] - '0');
    }
    return true;
}

bool alm_day_from_text(alm_str text, int32_t *ret)
{
    int year, month, day;
    if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-' ||
        !to_number(alm_str_slice(text, 0, 4), &year) ||
        !to_number(alm_str_slice(text, 5, 7), &month) ||
        !to_number(alm_str_slice(text, 8, 10), &day) || year < 1970 || month < 1 || month > 12 ||
        day < 1 || day > month_days(year, month)) {
        return false;
    }
    *ret = year_day(year) + day - 1;
    for (int i = 1; i < month; i++) {
        *ret += month_days(year, i);
    }
    return true;
}

void alm_day_to_text(int32_t day, char ret[ALM_DATE_TEXT_BYTES])
{
    ALM_ASSERT(day >= 0 && day < year_day(10000));
    int year = 1970 + day / 366;
    while (year_day(year + 1) <= day) {
        year++;
    }
    int rest = day - year_day(year);
    int month = 1;
    while (rest >= month_days(year, month)) {
        rest -= month_days(year, month++);
    }
    char text[48];
    snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, rest + 1);
    memcpy(ret, text, ALM_DATE_TEXT_BYTES);
}

// --- a line --------------------------------------------------------------------------------------

// The next word, empty at the end.
static alm_str take_word(alm_str *rest)
{
    *rest = alm_str_trim(*rest);
    size_t len = 0;
    while (len < rest->len && rest->data[len] != ' ' && rest->data[len] != '\t') {
        len++;
    }
    alm_str word = alm_str_slice(*rest, 0, len);
    *rest = alm_str_slice(*rest, len, rest->len);
    return word;
}

static alm_code expected(alm_status *st, const char *what, alm_str found)
{
    bool is_end = found.len == 0;
    alm_str shown = is_end ? ALM_STR("the end of the line") : found;
    shown.len = ALM_MIN(shown.len, (size_t)64);
    return alm_status_set(st, ALM_INVALID_ARGUMENT, "expected %s, found %s%.*s%s", what,
                          is_end ? "" : "`", ALM_STR_ARGS(shown), is_end ? "" : "`");
}

static bool hash_from_hex(alm_str text, uint8_t ret[ALM_TOKEN_HASH_BYTES])
{
    size_t len = 0;
    return text.len == (size_t)2 * ALM_TOKEN_HASH_BYTES &&
           sodium_hex2bin(ret, ALM_TOKEN_HASH_BYTES, text.data, text.len, NULL, &len, NULL) == 0 &&
           len == ALM_TOKEN_HASH_BYTES;
}

static alm_code take_id(alm_str *rest, alm_policy_entry *entry, alm_status *st)
{
    alm_str kind = take_word(rest);
    entry->is_token = alm_str_eq(kind, ALM_STR("token"));
    if (!entry->is_token && !alm_str_eq(kind, ALM_STR("key"))) {
        return expected(st, "`key` or `token`", kind);
    }
    alm_str id = take_word(rest);
    if (entry->is_token) {
        return hash_from_hex(id, entry->id)
                   ? ALM_OK
                   : alm_status_set(st, ALM_INVALID_ARGUMENT,
                                    "expected the token's SHA-256, 64 hexadecimal digits");
    }
    return alm_key_from_text(id, entry->id)
               ? ALM_OK
               : alm_status_set(st, ALM_INVALID_ARGUMENT,
                                "expected a public key, 40 letters of Z85");
}

static alm_code take_end(alm_str *rest, alm_policy_entry *entry, alm_status *st)
{
    entry->until_day = ALM_DAY_NEVER;
    alm_str word = take_word(rest);
    if (entry->is_token && alm_str_eq(word, ALM_STR("until"))) {
        alm_str date = take_word(rest);
        if (!alm_day_from_text(date, &entry->until_day)) {
            return expected(st, "a day as 2026-11-24", date);
        }
        word = take_word(rest);
    }
    return word.len == 0
               ? ALM_OK
               : expected(
                     st, entry->is_token ? "`until` or the end of the line" : "the end of the line",
                     word);
}

alm_code alm_policy_line_parse(alm_str line, bool *ret_is_entry, alm_policy_entry *ret,
                               alm_status *st)
{
    alm_str rest = alm_str_trim(line);
    *ret_is_entry = rest.len > 0 && rest.data[0] != '#';
    if (!*ret_is_entry) {
        return ALM_OK;
    }
    *ret = (alm_policy_entry){0};
    // Longer than any that is right, so that nothing has to be said of its parts.
    if (rest.len >= ALM_POLICY_LINE_BYTES_MAX) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "expected at most %d bytes in a line",
                              ALM_POLICY_LINE_BYTES_MAX - 1);
    }
    ALM_TRY(take_id(&rest, ret, st));
    alm_str role = take_word(&rest);
    if (!alm_role_from(role, &ret->role) || ret->role == ALM_ROLE_NONE) {
        return expected(st, "a role: reader, writer, admin or service", role);
    }
    alm_str name = take_word(&rest);
    if (!alm_policy_name_is_valid(name)) {
        return expected(st, ALM_POLICY_NAME_EXPECTED, name);
    }
    memcpy(ret->name, name.data, name.len);
    return take_end(&rest, ret, st);
}

// --- the file ------------------------------------------------------------------------------------

void alm_policy_table_destroy(alm_policy_table **table)
{
    if (*table != NULL) {
        alm_free((*table)->entries);
        alm_free((*table)->by_id);
        alm_free((*table)->by_name);
        alm_free(*table);
        *table = NULL;
    }
}

static alm_code add(alm_policy_table *table, size_t *cap, const alm_policy_entry *entry,
                    alm_status *st)
{
    if (table->count == ALM_POLICY_ENTRY_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "more than %d keys and tokens",
                              ALM_POLICY_ENTRY_COUNT_MAX);
    }
    if (table->count == *cap) {
        size_t wanted = *cap > 0 ? *cap * 2 : 16;
        alm_policy_entry *more = alm_realloc(table->entries, wanted * sizeof *more);
        if (more == NULL) {
            return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory");
        }
        table->entries = more;
        *cap = wanted;
    }
    table->entries[table->count++] = *entry;
    return ALM_OK;
}

static alm_code fill(alm_policy_table *table, alm_str text, const char *name, alm_status *st)
{
    size_t cap = 0;
    uint32_t number = 0;
    alm_str rest = text;
    for (alm_str line; alm_str_split(&rest, '\n', &line);) {
        number++;
        bool is_entry = false;
        alm_policy_entry entry;
        alm_code code = alm_policy_line_parse(line, &is_entry, &entry, st);
        if (code == ALM_OK && is_entry) {
            entry.line = number;
            code = add(table, &cap, &entry, st);
        }
        if (code != ALM_OK) {
            (void)alm_status_prefix(st, "%s:%u", name, number);
            return code;
        }
    }
    return alm_policy_table_index(table, name, st);
}

alm_code alm_policy_table_parse(alm_str text, const char *name, alm_policy_table **ret,
                                alm_status *st)
{
    if (text.len > ALM_POLICY_FILE_BYTES_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s has more than %zu bytes", name,
                              ALM_POLICY_FILE_BYTES_MAX);
    }
    alm_policy_table *table = alm_calloc(1, sizeof *table);
    if (table == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for %s", name);
    }
    alm_code code = fill(table, text, name, st);
    if (code != ALM_OK) {
        alm_policy_table_destroy(&table);
        return code;
    }
    *ret = table;
    return ALM_OK;
}

static alm_code read_open(int fd, const char *path, char **ret_data, size_t *ret_len,
                          alm_status *st)
{
    struct stat about;
    if (fstat(fd, &about) != 0) {
        return alm_status_from_errno(st, errno, path);
    }
    if (!S_ISREG(about.st_mode)) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%s is not a regular file", path);
    }
    if ((about.st_mode & 022) != 0) {
        return alm_status_set(st, ALM_PERMISSION_DENIED,
                              "%s has mode %04o, but only its owner may write a policy", path,
                              (unsigned)about.st_mode & 07777);
    }
    // One more than is allowed, so that too much is seen.
    char *data = alm_alloc(ALM_MIN((size_t)about.st_size, ALM_POLICY_FILE_BYTES_MAX) + 1);
    if (data == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for %s", path);
    }
    size_t max = ALM_MIN((size_t)about.st_size, ALM_POLICY_FILE_BYTES_MAX) + 1, len = 0;
    ssize_t got = 1;
    while (len < max && got != 0) {
        got = read(fd, data + len, max - len);
        if (got < 0 && errno != EINTR) {
            alm_code code = alm_status_from_errno(st, errno, path);
            alm_free(data);
            return code;
        }
        len += got > 0 ? (size_t)got : 0;
    }
    *ret_data = data;
    *ret_len = len;
    return ALM_OK;
}

alm_code alm_policy_file_read(const char *path, char **ret_data, size_t *ret_len, alm_status *st)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return alm_status_from_errno(st, errno, path);
    }
    alm_code code = read_open(fd, path, ret_data, ret_len, st);
    close(fd);
    return code;
}

alm_code alm_policy_table_load(const char *path, alm_policy_table **ret, alm_status *st)
{
    char *data = NULL;
    size_t len = 0;
    ALM_TRY(alm_policy_file_read(path, &data, &len, st));
    alm_code code = alm_policy_table_parse((alm_str){.data = data, .len = len}, path, ret, st);
    alm_free(data);
    return code;
}
