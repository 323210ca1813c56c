#include "rules.h"

#include <stdio.h>

// Which folder may include whose headers; its own always. "*" is all but tests.
typedef struct arrow_row {
    const char *folder;
    const char *may; // words
} arrow_row;

static const arrow_row arrows[] = {
    {"base", ""},
    {"model", "base"},
    {"proto", "base"},
    {"rpc", "base proto"},
    {"runtime", "base proto rpc"},
    {"storage", "base model"},
    {"services/common", "base model proto rpc runtime"},
    {"services/ingestion", "base model proto rpc runtime services/common"},
    {"services/aggregation", "base model proto rpc runtime services/common"},
    {"services/storage", "base model proto rpc runtime services/common storage"},
    {"gateway", "base model proto rpc runtime services/common"},
    {"client", "base proto rpc storage"},
    {"app", "*"},
    {"tests", "*"},
    {"bench", "*"},
    {"examples", "*"},
};

// Libraries that show through one folder only.
typedef struct library_row {
    const char *header;
    const char *folder;
} library_row;

static const library_row libraries[] = {
    {"zmq.h", "rpc"},
    {"lmdb.h", "storage"},
    {"microhttpd.h", "gateway"},
};

static const arrow_row *row_of(alm_str folder)
{
    for (size_t i = 0; i < ALM_ARRAY_LEN(arrows); i++) {
        if (alm_str_eq(folder, alm_str_from(arrows[i].folder))) {
            return &arrows[i];
        }
    }
    return NULL;
}

static bool may_include(const arrow_row *row, alm_str owner)
{
    if (alm_str_eq(owner, alm_str_from(row->folder))) {
        return true;
    }
    if (strcmp(row->may, "*") == 0) {
        return !alm_str_eq(owner, ALM_STR("tests"));
    }
    alm_str rest = alm_str_from(row->may);
    for (alm_str one; alm_str_split(&rest, ' ', &one);) {
        if (one.len > 0 && alm_str_eq(one, owner)) {
            return true;
        }
    }
    return false;
}

static void check_library(tidy_repo *repo, const tidy_file *file, const arrow_row *row,
                          const tidy_include *include)
{
    for (size_t i = 0; i < ALM_ARRAY_LEN(libraries); i++) {
        if (alm_str_eq(include->name, alm_str_from(libraries[i].header)) &&
            strcmp(row->folder, libraries[i].folder) != 0) {
            tidy_found(repo, file, include->offset, libraries[i].header,
                       "only %s/ includes %s; ask it through its own header", libraries[i].folder,
                       libraries[i].header);
        }
    }
}

static bool is_beside(const tidy_repo *repo, const tidy_file *file, alm_str name)
{
    alm_str folder = tidy_folder_of(file->path);
    for (size_t i = 0; i < repo->file_count; i++) {
        alm_str path = repo->files[i].path;
        if (alm_str_eq(tidy_folder_of(path), folder) && alm_str_ends_with(path, name) &&
            path.len > name.len && path.data[path.len - name.len - 1] == '/') {
            return true;
        }
    }
    return false;
}

static void check_include(tidy_repo *repo, const tidy_file *file, const arrow_row *row,
                          const tidy_include *include)
{
    char key[256];
    (void)snprintf(key, sizeof key, "%.*s", ALM_STR_ARGS(include->name));
    if (alm_str_find(include->name, ALM_STR("../")) != SIZE_MAX) {
        tidy_found(repo, file, include->offset, key,
                   "\"%s\" climbs out of its folder; include a public header of the module", key);
        return;
    }
    const tidy_file *header = tidy_repo_find(repo, "/include/", include->name);
    bool is_generated = alm_str_ends_with(include->name, ALM_STR(".pb-c.h"));
    if (header != NULL || is_generated) {
        alm_str owner = is_generated ? ALM_STR("proto") : tidy_folder_of(header->path);
        if (!may_include(row, owner)) {
            tidy_found(repo, file, include->offset, key,
                       "%s/ may not include %s of %.*s/; it may use: %s", row->folder, key,
                       ALM_STR_ARGS(owner), row->may[0] == '\0' ? "libc" : row->may);
        }
    } else if (include->is_quoted && !is_beside(repo, file, include->name)) {
        tidy_found(repo, file, include->offset, key,
                   "no header %s in this module or in any include/; is it private to another one?",
                   key);
    }
    check_library(repo, file, row, include);
}

void tidy_check_arrows(tidy_repo *repo)
{
    for (size_t i = 0; i < repo->file_count; i++) {
        const tidy_file *file = &repo->files[i];
        if (!tidy_is_c(file)) {
            continue;
        }
        alm_str folder = tidy_folder_of(file->path);
        const arrow_row *row = row_of(folder);
        if (row == NULL) {
            tidy_found(repo, file, 0, "folder",
                       "folder \"%.*s\" has no row in tests/tidy/arrows.c; say there what it may "
                       "include",
                       ALM_STR_ARGS(folder));
            continue;
        }
        size_t at = 0;
        for (tidy_include include; tidy_next_include(file, &at, &include);) {
            check_include(repo, file, row, &include);
        }
    }
}
