// From the options of a command to a query.
#ifndef ALM_CLI_ASK_H
#define ALM_CLI_ASK_H

#include "cli.h"

// Splits the words given and each at its commas; empty parts are left out. In self's arena. False:
// out of memory.
bool cli_split_words(cli *self, const char *const *words, size_t count, const char *const **ret,
                     size_t *ret_count);

// --by a=b --by c=d is the breakdown a=b+c=d; "" without. NULL: out of memory.
const char *cli_breakdown(cli *self);

// The query the options of a query command ask for; views into self. False: said, see *ret_exit.
bool cli_ask(cli *self, almanac_query *ret, int *ret_exit);

#endif
