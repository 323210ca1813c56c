// allow.txt: one exception a line, `path what why...`.
#ifndef TIDY_ALLOW_H
#define TIDY_ALLOW_H

#include "repo.h"

// Takes the lines of allow.txt; a line without a reason is told of and allows nothing.
void tidy_read_allowances(tidy_repo *repo);

// Tells of lines that allowed nothing. Call it after all rules.
void tidy_check_allowances(tidy_repo *repo);

#endif
