// tidy DIR: checks what no compiler does. See rules.h for the rules and allow.txt for exceptions.
#include "rules.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIR\n", argv[0]);
        return 2;
    }
    tidy_repo repo;
    tidy_repo_init(&repo);
    bool loaded = tidy_repo_load(&repo, argv[1]);
    tidy_check_all(&repo);

    alm_str findings = alm_buf_view(&repo.findings);
    printf("%.*s%zu files looked at, %zu findings\n", ALM_STR_ARGS(findings), repo.file_count,
           repo.finding_count);
    bool is_good = loaded && repo.finding_count == 0 && repo.file_count > 0;
    tidy_repo_deinit(&repo);
    return is_good ? 0 : 1;
}
