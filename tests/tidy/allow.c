#include "allow.h"

static void take_allowance(tidy_repo *repo, const tidy_file *file, alm_str line, size_t offset)
{
    alm_str rest = line;
    alm_str path = ALM_STR("");
    alm_str key = ALM_STR("");
    (void)alm_str_split(&rest, ' ', &path);
    (void)alm_str_split(&rest, ' ', &key);
    if (path.len == 0 || key.len == 0 || alm_str_trim(rest).len == 0) {
        tidy_found(repo, file, offset, "allowance",
                   "an exception needs a path, what it allows and a reason, in this order");
        return;
    }
    void *array = repo->allowances;
    bool ok = alm_arena_grow(repo->arena, &array, &repo->allowance_cap, repo->allowance_count + 1,
                             sizeof *repo->allowances);
    ALM_ASSERT(ok);
    repo->allowances = array;
    repo->allowances[repo->allowance_count++] =
        (tidy_allowance){.path = path, .key = key, .offset = offset};
}

void tidy_read_allowances(tidy_repo *repo)
{
    const tidy_file *file = tidy_repo_find(repo, "", ALM_STR(TIDY_ALLOW_PATH));
    if (file == NULL) {
        return;
    }
    alm_str rest = file->text;
    for (alm_str line; alm_str_split(&rest, '\n', &line);) {
        if (line.len > 0 && line.data[0] != '#') {
            take_allowance(repo, file, line, (size_t)(line.data - file->text.data));
        }
    }
}

void tidy_check_allowances(tidy_repo *repo)
{
    const tidy_file *file = tidy_repo_find(repo, "", ALM_STR(TIDY_ALLOW_PATH));
    for (size_t i = 0; i < repo->allowance_count; i++) {
        const tidy_allowance *it = &repo->allowances[i];
        if (!it->used) {
            tidy_found(repo, file, it->offset, "allowance",
                       "nothing in %.*s needs \"%.*s\" any more; remove the line",
                       ALM_STR_ARGS(it->path), ALM_STR_ARGS(it->key));
        }
    }
}
