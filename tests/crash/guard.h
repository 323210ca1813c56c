// The check of LMDB's pages that the store is to make when it opens; here it is made beside it.
#ifndef CRASH_GUARD_H
#define CRASH_GUARD_H

#include "lmdb_pages.h"

// ALM_OK where there is no data file of LMDB. ret may be NULL.
ALM_MUST_USE alm_code guard_check(const char *dir, lmdb_pages_info *ret, alm_status *st);

#endif
