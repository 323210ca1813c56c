// The parts of this program that run as processes of their own: what main's table knows.
#ifndef CRASH_CHILDREN_H
#define CRASH_CHILDREN_H

#include <stdint.h>

// The words after the name; the exit status.
int child_writer(char **words, int count);
int child_check(char **words, int count);
int child_fault(char **words, int count);
int child_judge(char **words, int count);
int child_starve(char **words, int count);

uint64_t child_number(const char *word);

#endif
