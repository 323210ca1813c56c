// A check in a process of its own: LMDB follows what its pages say, and damaged ones can end the
// process that reads them. What the check finds comes back through a pipe.
#ifndef ALM_STORAGE_APART_H
#define ALM_STORAGE_APART_H

#include "alm/store.h"

typedef void (*alm_problem)(void *arg, alm_str text);

typedef struct alm_apart {
    void *arg;
    alm_code (*check)(void *arg, alm_problem problem, void *problem_arg, alm_verify_result *ret,
                      alm_status *st);
} alm_apart;

// The child is a fork, so that no thread may hold a lock that the check needs, and no store may be
// open. A signal that ended it is a problem like any other.
ALM_MUST_USE alm_code alm_apart_run(const alm_apart *apart, alm_problem problem, void *problem_arg,
                                    alm_verify_result *ret, alm_status *st);

#endif
