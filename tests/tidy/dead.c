#include "rules.h"

#include <fnmatch.h>
#include <stdio.h>

static bool is_cmake_space(char c)
{
    return c == ' ' || c == '\n' || c == '(' || c == ')' || c == '"' || c == ';';
}

// The next argument of a CMake file, without quotes.
static bool next_argument(alm_str text, size_t *at, alm_str *ret)
{
    for (;;) {
        while (*at < text.len && is_cmake_space(text.data[*at])) {
            ++*at;
        }
        if (*at >= text.len || text.data[*at] != '#') {
            break;
        }
        while (*at < text.len && text.data[*at] != '\n') {
            ++*at;
        }
    }
    size_t start = *at;
    while (*at < text.len && !is_cmake_space(text.data[*at])) {
        ++*at;
    }
    *ret = alm_str_slice(text, start, *at);
    return ret->len > 0;
}

// Without a variable of a folder in front: ${CMAKE_SOURCE_DIR}/x is x.
static alm_str without_variable(alm_str argument)
{
    size_t brace = alm_str_starts_with(argument, ALM_STR("${"))
                       ? alm_str_find(argument, ALM_STR("}/"))
                       : SIZE_MAX;
    return brace == SIZE_MAX ? argument : alm_str_slice(argument, brace + 2, argument.len);
}

static bool is_list(const tidy_file *file)
{
    return alm_str_ends_with(file->path, ALM_STR("CMakeLists.txt")) ||
           alm_str_ends_with(file->path, ALM_STR(".cmake"));
}

// The folder that relative names of a list begin at, with its slash: functions are called anywhere.
static alm_str start_of(const tidy_file *list)
{
    bool is_root = alm_str_ends_with(list->path, ALM_STR(".cmake"));
    size_t len = is_root ? 0 : list->path.len - strlen("CMakeLists.txt");
    return alm_str_slice(list->path, 0, len);
}

// Whether the list names the file, or globs it, from its own folder or from the root.
static bool list_names(const tidy_file *list, alm_str path)
{
    alm_str start = start_of(list);
    bool is_below = alm_str_starts_with(path, start);
    char full[512];
    char pattern[512];
    (void)snprintf(full, sizeof full, "%.*s", ALM_STR_ARGS(path));
    size_t at = 0;
    for (alm_str argument; next_argument(list->text, &at, &argument);) {
        alm_str name = without_variable(argument);
        (void)snprintf(pattern, sizeof pattern, "%.*s", ALM_STR_ARGS(name));
        bool is_named = fnmatch(pattern, full, FNM_PATHNAME) == 0;
        if (is_named || (is_below && fnmatch(pattern, full + start.len, FNM_PATHNAME) == 0)) {
            return true;
        }
    }
    return false;
}

static bool is_named(const tidy_repo *repo, alm_str path)
{
    for (size_t i = 0; i < repo->file_count; i++) {
        if (is_list(&repo->files[i]) && list_names(&repo->files[i], path)) {
            return true;
        }
    }
    return false;
}

// Whether some list says command(name ...), or alm_module(... DIR name ...).
static bool is_declared(const tidy_repo *repo, const char *command, alm_str name)
{
    for (size_t i = 0; i < repo->file_count; i++) {
        if (!is_list(&repo->files[i])) {
            continue;
        }
        size_t at = 0;
        alm_str before = ALM_STR("");
        for (alm_str argument; next_argument(repo->files[i].text, &at, &argument);) {
            bool is_place =
                alm_str_eq(before, alm_str_from(command)) || alm_str_eq(before, ALM_STR("DIR"));
            if (is_place && alm_str_eq(argument, name)) {
                return true;
            }
            before = argument;
        }
    }
    return false;
}

// Directly in src/ or fuzz/ of a module, where alm_module looks for it, or a test in src/ or an
// entry in fuzz/, where alm_unit_tests and alm_fuzz_entries do. A main.c they leave out.
static bool is_globbed(const tidy_repo *repo, alm_str path)
{
    alm_str folder = tidy_folder_of(path);
    alm_str rest = alm_str_slice(path, ALM_MIN(folder.len + 1, path.len), path.len);
    bool in_src = alm_str_starts_with(rest, ALM_STR("src/"));
    bool in_fuzz = alm_str_starts_with(rest, ALM_STR("fuzz/"));
    if (!in_src && !in_fuzz) {
        return false;
    }
    alm_str name = alm_str_slice(rest, in_src ? 4 : 5, rest.len);
    bool is_main = in_src && alm_str_eq(name, ALM_STR("main.c"));
    if (alm_str_find_char(name, '/') != SIZE_MAX || is_main) {
        return false;
    }
    bool is_test = in_src && alm_str_ends_with(name, ALM_STR("_test.c"));
    return is_declared(repo, "alm_module", folder) ||
           (is_test && is_declared(repo, "alm_unit_tests", folder)) ||
           (in_fuzz && is_declared(repo, "alm_fuzz_entries", folder));
}

static alm_str base_name(alm_str path)
{
    for (size_t at; (at = alm_str_find_char(path, '/')) != SIZE_MAX;) {
        path = alm_str_slice(path, at + 1, path.len);
    }
    return path;
}

// By the last part of its name; who may include it is the arrows' business.
static bool is_included(const tidy_repo *repo, const tidy_file *header)
{
    for (size_t i = 0; i < repo->file_count; i++) {
        const tidy_file *file = &repo->files[i];
        if (file == header || !tidy_is_c(file)) {
            continue;
        }
        size_t at = 0;
        for (tidy_include include; tidy_next_include(file, &at, &include);) {
            if (alm_str_ends_with(header->path, include.name) &&
                alm_str_eq(base_name(include.name), base_name(header->path))) {
                return true;
            }
        }
    }
    return false;
}

// A folder of headers alone is a contract that is about to be filled.
static bool has_sources(const tidy_repo *repo, alm_str folder)
{
    for (size_t i = 0; i < repo->file_count; i++) {
        alm_str path = repo->files[i].path;
        if (alm_str_ends_with(path, ALM_STR(".c")) && alm_str_eq(tidy_folder_of(path), folder)) {
            return true;
        }
    }
    return false;
}

void tidy_check_dead(tidy_repo *repo)
{
    for (size_t i = 0; i < repo->file_count; i++) {
        const tidy_file *file = &repo->files[i];
        if (alm_str_ends_with(file->path, ALM_STR(".c"))) {
            if (!is_globbed(repo, file->path) && !is_named(repo, file->path)) {
                tidy_found(repo, file, 0, "dead",
                           "nothing builds this file; name it in a CMakeLists.txt or remove it");
            }
        } else if (alm_str_ends_with(file->path, ALM_STR(".h")) && !is_included(repo, file) &&
                   has_sources(repo, tidy_folder_of(file->path))) {
            tidy_found(repo, file, 0, "dead", "nothing includes this header; remove it");
        }
    }
}
