#include "rules.h"

#define COLUMNS_MAX 100

static size_t code_point_count(alm_str line)
{
    size_t count = 0;
    for (size_t i = 0; i < line.len; i++) {
        count += ((unsigned char)line.data[i] & 0xc0) != 0x80;
    }
    return count;
}

static bool is_conflict_mark(alm_str line)
{
    static const char *const marks[] = {"<<<<<<< ", "||||||| ", ">>>>>>> "};
    for (size_t i = 0; i < ALM_ARRAY_LEN(marks); i++) {
        if (alm_str_starts_with(line, alm_str_from(marks[i]))) {
            return true;
        }
    }
    return false;
}

static void check_line(tidy_repo *repo, const tidy_file *file, alm_str line, size_t offset)
{
    bool is_c = tidy_is_c(file);
    bool is_prose = alm_str_ends_with(file->path, ALM_STR(".md")); // two spaces break a line there
    size_t columns = code_point_count(line);
    if (is_c && columns > COLUMNS_MAX) {
        tidy_found(repo, file, offset, "columns", "%zu columns; break the line before %d", columns,
                   COLUMNS_MAX);
    }
    if (!is_prose && alm_str_find_char(line, '\t') != SIZE_MAX) {
        tidy_found(repo, file, offset, "tabs",
                   "a tab; indent by spaces, and write \\t in a literal");
    }
    char last = line.len == 0 ? 'x' : line.data[line.len - 1];
    if (last == '\r') {
        tidy_found(repo, file, offset, "newlines", "a carriage return; end lines by newline alone");
    } else if (!is_prose && (last == ' ' || last == '\t')) {
        tidy_found(repo, file, offset, "space", "white space at the end of the line; remove it");
    }
    if (is_conflict_mark(line)) {
        tidy_found(repo, file, offset, "conflict", "a mark of a merge conflict; resolve it");
    }
}

void tidy_check_layout(tidy_repo *repo)
{
    for (size_t i = 0; i < repo->file_count; i++) {
        const tidy_file *file = &repo->files[i];
        alm_str rest = file->text;
        for (alm_str line; alm_str_split(&rest, '\n', &line);) {
            check_line(repo, file, line, (size_t)(line.data - file->text.data));
        }
        size_t valid = alm_utf8_valid_len(file->text);
        if (valid < file->text.len) {
            tidy_found(repo, file, valid, "utf8", "not UTF-8; save the file as UTF-8");
        }
        if (file->text.len > 0 && file->text.data[file->text.len - 1] != '\n') {
            tidy_found(repo, file, file->text.len, "newlines", "no newline at the end; add one");
        }
    }
}
