#include "rules.h"

#include <stdio.h>

typedef struct word_row {
    const char *word;
    const char *advice;
    bool bare; // also where it is not called: a function handed on, or a flag
} word_row;

static const char heap_advice[] = "use alm_alloc and its kin or an arena: tests make those fail";
static const char copy_advice[] = "use snprintf, alm_buf or memcpy of a known length";
static const char number_advice[] = "use alm_str_to_i64, which tells what is no number";
static const char wait_advice[] = "wait on what you wait for: poll with a deadline";
static const char shell_advice[] = "a shell reads what you quote; call the library or posix_spawn";
static const char sync_advice[] = "acknowledged means durable: this flag loses commits in a crash";

static const word_row words[] = {
    {"malloc", heap_advice, true},
    {"calloc", heap_advice, true},
    {"realloc", heap_advice, true},
    {"free", heap_advice, true},
    {"strdup", heap_advice, true},
    {"strndup", heap_advice, true},
    {"asprintf", heap_advice, true},
    {"vasprintf", heap_advice, true},
    {"strcpy", copy_advice, true},
    {"strcat", copy_advice, true},
    {"strncpy", copy_advice, true},
    {"strncat", copy_advice, true},
    {"sprintf", copy_advice, true},
    {"vsprintf", copy_advice, true},
    {"gets", "use fgets or alm_buf: gets cannot know its room", false},
    {"strtok", "use alm_str_split, which leaves the text whole", true},
    {"atoi", number_advice, true},
    {"atol", number_advice, true},
    {"atoll", number_advice, true},
    {"atof", number_advice, true},
    {"system", shell_advice, false},
    {"popen", shell_advice, false},
    {"fork", "a child would share sockets, locks and the store; use posix_spawn", false},
    {"sleep", wait_advice, false},
    {"usleep", wait_advice, false},
    {"nanosleep", wait_advice, false},
    {"MDB_NOSYNC", sync_advice, true},
    {"MDB_NOMETASYNC", sync_advice, true},
    {"MDB_MAPASYNC", sync_advice, true},
    {"MDB_WRITEMAP", "a stray write would reach the file past every checksum", true},
};

static const word_row *row_of(alm_str word)
{
    for (size_t i = 0; i < ALM_ARRAY_LEN(words); i++) {
        if (alm_str_eq(word, alm_str_from(words[i].word))) {
            return &words[i];
        }
    }
    return NULL;
}

// A field of that name is somebody's own: allocator->free, .free = x.
static bool is_field(alm_str code, size_t start)
{
    while (start > 0 && (code.data[start - 1] == ' ' || code.data[start - 1] == '\n')) {
        start--;
    }
    bool after_dot = start > 0 && code.data[start - 1] == '.';
    bool after_arrow = start > 1 && code.data[start - 1] == '>' && code.data[start - 2] == '-';
    return after_dot || after_arrow;
}

static bool is_call(alm_str code, size_t end)
{
    while (end < code.len && (code.data[end] == ' ' || code.data[end] == '\n')) {
        end++;
    }
    return end < code.len && code.data[end] == '(';
}

static bool is_in_include(alm_str code, size_t start)
{
    while (start > 0 && code.data[start - 1] != '\n') {
        start--;
    }
    alm_str line = alm_str_trim(alm_str_slice(code, start, code.len));
    return alm_str_starts_with(line, ALM_STR("#include"));
}

void tidy_check_words(tidy_repo *repo)
{
    for (size_t i = 0; i < repo->file_count; i++) {
        const tidy_file *file = &repo->files[i];
        if (!tidy_is_c(file)) {
            continue;
        }
        size_t at = 0;
        for (alm_str word; tidy_next_word(file->code, &at, &word);) {
            const word_row *row = row_of(word);
            size_t start = at - word.len;
            if (row != NULL && (row->bare || is_call(file->code, at)) &&
                !is_field(file->code, start) && !is_in_include(file->code, start)) {
                tidy_found(repo, file, start, row->word, "%s: %s", row->word, row->advice);
            }
        }
    }
}
