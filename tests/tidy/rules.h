// The rules. Each tells what it finds by tidy_found.
#ifndef TIDY_RULES_H
#define TIDY_RULES_H

#include "repo.h"

void tidy_check_arrows(tidy_repo *repo); // who includes whom
void tidy_check_words(tidy_repo *repo);  // calls that are not ours to make
void tidy_check_layout(tidy_repo *repo); // columns, tabs, white space, conflict marks
void tidy_check_dead(tidy_repo *repo);   // files that nothing builds or includes
void tidy_check_proto(tidy_repo *repo);  // messages that contain themselves

// All of them, with the exceptions of allow.txt.
void tidy_check_all(tidy_repo *repo);

#endif
