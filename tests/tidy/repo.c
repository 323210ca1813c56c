#include "repo.h"

#include <fts.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

void tidy_repo_init(tidy_repo *repo)
{
    *repo = (tidy_repo){.arena = alm_arena_create(0)};
    ALM_ASSERT(repo->arena != NULL);
    alm_buf_init(&repo->findings, 0);
}

void tidy_repo_deinit(tidy_repo *repo)
{
    alm_buf_deinit(&repo->findings);
    alm_arena_destroy(&repo->arena);
}

static void blank(char *from, char *to)
{
    for (; from < to; from++) {
        *from = *from == '\n' ? '\n' : ' ';
    }
}

// The end of the comment or literal that begins at at, or at itself if none does.
static char *skip_unread(char *at, const char *end)
{
    char *it = at;
    if (end - at >= 2 && at[0] == '/' && at[1] == '/') {
        while (it < end && *it != '\n') {
            it++;
        }
    } else if (end - at >= 2 && at[0] == '/' && at[1] == '*') {
        for (it += 2; it < end && !(it[-1] == '*' && it[0] == '/' && it - at > 2); it++) {}
        it += it < end ? 1 : 0;
    } else if (*at == '"' || *at == '\'') {
        for (it++; it < end && *it != *at && *it != '\n'; it++) {
            it += *it == '\\' && end - it > 1 ? 1 : 0;
        }
        it += it < end ? 1 : 0;
    }
    return it;
}

static alm_str code_of(alm_arena *arena, alm_str text)
{
    char *code = alm_arena_strdup(arena, text);
    ALM_ASSERT(code != NULL);
    const char *end = code + text.len;
    for (char *at = code; at < end;) {
        char *after = skip_unread(at, end);
        if (after == at) {
            at++;
            continue;
        }
        bool is_literal = *at != '/';
        blank(is_literal ? at + 1 : at, is_literal ? after - 1 : after);
        at = after;
    }
    return (alm_str){.data = code, .len = text.len};
}

void tidy_repo_add(tidy_repo *repo, alm_str path, alm_str text)
{
    void *files = repo->files;
    bool ok = alm_arena_grow(repo->arena, &files, &repo->file_cap, repo->file_count + 1,
                             sizeof *repo->files);
    ALM_ASSERT(ok);
    repo->files = files;
    const char *path_copy = alm_arena_strdup(repo->arena, path);
    const char *text_copy = alm_arena_strdup(repo->arena, text);
    ALM_ASSERT(path_copy != NULL && text_copy != NULL);
    repo->files[repo->file_count++] = (tidy_file){
        .path = {path_copy, path.len},
        .text = {text_copy, text.len},
        .code = code_of(repo->arena, text),
    };
}

// Nobody's source: what is hidden, built or fetched.
static bool is_skipped_folder(const char *name)
{
    return name[0] == '.' || strcmp(name, "build") == 0 || strcmp(name, "node_modules") == 0 ||
           strcmp(name, "dist") == 0 || strcmp(name, "corpus") == 0;
}

static bool is_source(alm_str path)
{
    static const char *const endings[] = {
        ".c",  ".h",  ".proto", ".cmake", ".md",   ".json", ".yml",           ".sh",
        ".py", ".js", ".ts",    ".css",   ".html", ".R",    "CMakeLists.txt", "tidy/allow.txt"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(endings); i++) {
        if (alm_str_ends_with(path, alm_str_from(endings[i]))) {
            return true;
        }
    }
    return alm_str_starts_with(path, ALM_STR("script/"));
}

static bool add_from_disk(tidy_repo *repo, const char *name, alm_str path)
{
    FILE *in = fopen(name, "re");
    if (in == NULL) {
        perror(name);
        return false;
    }
    alm_buf buf;
    alm_buf_init(&buf, 0);
    size_t got = 0;
    do {
        uint8_t *room = alm_buf_reserve(&buf, 1 << 16);
        ALM_ASSERT(room != NULL);
        got = fread(room, 1, 1 << 16, in);
        buf.len += got;
    } while (got > 0);
    bool ok = !ferror(in);
    fclose(in);
    tidy_repo_add(repo, path, alm_buf_view(&buf));
    alm_buf_deinit(&buf);
    return ok;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

bool tidy_repo_load(tidy_repo *repo, const char *root)
{
    char *roots[] = {alm_arena_strdup(repo->arena, alm_str_from(root)), NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    if (walk == NULL) {
        perror(root);
        return false;
    }
    bool ok = true;
    size_t prefix_len = strlen(root) + 1;
    for (FTSENT *entry; (entry = fts_read(walk)) != NULL;) {
        if (entry->fts_info == FTS_D && entry->fts_level > 0 &&
            is_skipped_folder(entry->fts_name)) {
            fts_set(walk, entry, FTS_SKIP);
        } else if (entry->fts_info == FTS_F) {
            alm_str path = alm_str_from(entry->fts_path + prefix_len);
            ok = (!is_source(path) || add_from_disk(repo, entry->fts_path, path)) && ok;
        } else if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR) {
            fprintf(stderr, "%s: %s\n", entry->fts_path, strerror(entry->fts_errno));
            ok = false;
        }
    }
    fts_close(walk);
    return ok;
}

const tidy_file *tidy_repo_find(const tidy_repo *repo, const char *suffix_fmt, alm_str name)
{
    char suffix[512];
    (void)snprintf(suffix, sizeof suffix, "%s%.*s", suffix_fmt, ALM_STR_ARGS(name));
    for (size_t i = 0; i < repo->file_count; i++) {
        if (alm_str_ends_with(repo->files[i].path, alm_str_from(suffix))) {
            return &repo->files[i];
        }
    }
    return NULL;
}

bool tidy_is_c(const tidy_file *file)
{
    return alm_str_ends_with(file->path, ALM_STR(".c")) ||
           alm_str_ends_with(file->path, ALM_STR(".h"));
}

alm_str tidy_folder_of(alm_str path)
{
    size_t slash = alm_str_find_char(path, '/');
    if (slash == SIZE_MAX) {
        return ALM_STR("");
    }
    if (alm_str_starts_with(path, ALM_STR("services/"))) {
        size_t more = alm_str_find_char(alm_str_slice(path, slash + 1, path.len), '/');
        slash = more == SIZE_MAX ? slash : slash + 1 + more;
    }
    return alm_str_slice(path, 0, slash);
}

static bool is_allowed(tidy_repo *repo, alm_str path, alm_str key)
{
    for (size_t i = 0; i < repo->allowance_count; i++) {
        tidy_allowance *it = &repo->allowances[i];
        if (alm_str_eq(it->path, path) && alm_str_eq(it->key, key)) {
            it->used = true;
            return true;
        }
    }
    return false;
}

void tidy_found(tidy_repo *repo, const tidy_file *file, size_t offset, const char *key,
                const char *fmt, ...)
{
    if (is_allowed(repo, file->path, alm_str_from(key))) {
        return;
    }
    size_t line = 1;
    for (size_t i = 0; i < offset && i < file->text.len; i++) {
        line += file->text.data[i] == '\n';
    }
    alm_buf_printf(&repo->findings, "%.*s:%zu: ", ALM_STR_ARGS(file->path), line);
    va_list args;
    va_start(args, fmt);
    alm_buf_vprintf(&repo->findings, fmt, args);
    va_end(args);
    alm_buf_char(&repo->findings, '\n');
    repo->finding_count++;
}

bool tidy_next_include(const tidy_file *file, size_t *at, tidy_include *ret)
{
    while (*at < file->code.len) {
        alm_str rest = alm_str_slice(file->code, *at, file->code.len);
        size_t newline = alm_str_find_char(rest, '\n');
        size_t end = newline == SIZE_MAX ? file->code.len : *at + newline;
        size_t start = *at;
        *at = end + 1;
        alm_str line = alm_str_trim(alm_str_slice(file->code, start, end));
        size_t word_end = 0;
        alm_str word;
        if (!alm_str_starts_with(line, ALM_STR("#")) || !tidy_next_word(line, &word_end, &word) ||
            !alm_str_eq(word, ALM_STR("include"))) {
            continue;
        }
        // Read from the text: the name is blanked in the code.
        alm_str name = alm_str_slice(file->text, start, end);
        size_t quote = alm_str_find_char(name, '"');
        size_t open = quote != SIZE_MAX ? quote : alm_str_find_char(name, '<');
        if (open == SIZE_MAX) {
            continue;
        }
        name = alm_str_slice(name, open + 1, name.len);
        size_t close = alm_str_find_char(name, quote != SIZE_MAX ? '"' : '>');
        if (close != SIZE_MAX) {
            *ret = (tidy_include){alm_str_slice(name, 0, close), start, quote != SIZE_MAX};
            return true;
        }
    }
    return false;
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool tidy_next_word(alm_str text, size_t *at, alm_str *ret)
{
    while (*at < text.len && !is_word_char(text.data[*at])) {
        ++*at;
    }
    size_t start = *at;
    while (*at < text.len && is_word_char(text.data[*at])) {
        ++*at;
    }
    *ret = alm_str_slice(text, start, *at);
    return ret->len > 0;
}
