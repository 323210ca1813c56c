#include "rules.h"

#include "allow.h"

void tidy_check_all(tidy_repo *repo)
{
    tidy_read_allowances(repo);
    tidy_check_arrows(repo);
    tidy_check_words(repo);
    tidy_check_layout(repo);
    tidy_check_dead(repo);
    tidy_check_proto(repo);
    tidy_check_allowances(repo);
}
