// The files of the repository as tidy sees them, and what it found.
//
// Everything lives in the arena of the repository. A rule takes the whole repository, so that the
// self-test can hand it a small one made of literals.
#ifndef TIDY_REPO_H
#define TIDY_REPO_H

#include "alm/arena.h"
#include "alm/buf.h"

typedef struct tidy_file {
    alm_str path; // from the root, with slashes
    alm_str text;
    alm_str code; // text with comments and the insides of literals blanked; same offsets
} tidy_file;

// A line of allow.txt: path, what is allowed there, and why.
typedef struct tidy_allowance {
    alm_str path;
    alm_str key;
    size_t offset; // in allow.txt
    bool used;
} tidy_allowance;

typedef struct tidy_repo {
    alm_arena *arena;
    tidy_file *files;
    size_t file_count;
    size_t file_cap;
    tidy_allowance *allowances;
    size_t allowance_count;
    size_t allowance_cap;
    alm_buf findings; // lines of "path:line: what and what to do"
    size_t finding_count;
} tidy_repo;

#define TIDY_ALLOW_PATH "tests/tidy/allow.txt"

void tidy_repo_init(tidy_repo *repo);
void tidy_repo_deinit(tidy_repo *repo);

// Copies both. Ends the program when memory runs out: this is a tool.
void tidy_repo_add(tidy_repo *repo, alm_str path, alm_str text);

// Adds every file below root but hidden folders, build trees and node_modules. False: told on
// stderr.
bool tidy_repo_load(tidy_repo *repo, const char *root);

// The file whose path ends with suffix, or NULL.
const tidy_file *tidy_repo_find(const tidy_repo *repo, const char *suffix_fmt, alm_str name);

bool tidy_is_c(const tidy_file *file); // .c or .h

// "base" of base/src/x.c, "services/storage" of services/storage/src/x.c; "" at the root.
alm_str tidy_folder_of(alm_str path);

// Tells of what stands at offset of file, unless allow.txt allows key there.
void tidy_found(tidy_repo *repo, const tidy_file *file, size_t offset, const char *key,
                const char *fmt, ...) ALM_PRINTF(5, 6);

// The next #include of file from *at on.
typedef struct tidy_include {
    alm_str name;
    size_t offset;
    bool is_quoted;
} tidy_include;
bool tidy_next_include(const tidy_file *file, size_t *at, tidy_include *ret);

// The next word (letters, digits, underscore) of text from *at on; *at is then its end.
bool tidy_next_word(alm_str text, size_t *at, alm_str *ret);

#endif
