// How the cancellation of a call reaches the calls made on its behalf.
#ifndef ALM_RPC_CALL_HOOK_H
#define ALM_RPC_CALL_HOOK_H

#include "alm/server.h"

#define ALM_REQUEST_ID_MAX 64 // with the NUL

typedef struct alm_call_hook alm_call_hook;
struct alm_call_hook {
    alm_call_hook *prev, *next;
    // Called once at most, by any thread, with the process' lock held.
    void (*cancel)(void *arg);
    void *arg;
};

// Both with the process' lock held. False: the call is cancelled already and the hook was not
// added.
ALM_MUST_USE bool alm_call_hook_add(alm_call *call, alm_call_hook *hook);
// Accepts one whose cancel was called. Must be removed before the call is over.
void alm_call_hook_remove(alm_call *call, alm_call_hook *hook);

// With the process' lock held: what alm_call_send_soon left to be sent is, since its handler waits.
void alm_call_flush(alm_call *call);

int64_t alm_call_deadline_us(const alm_call *call); // ALM_NEVER_US: none

// What calls made for it are told of it. The id: "" if its trace says it and it was not asked for
// here. The trace, of one that is passed on: "" if there is none yet, since its client gave none
// and nobody writes it down here: it begins where it is asked for.
const char *alm_call_told_request_id(const alm_call *call);
const char *alm_call_told_traceparent(alm_call *call);

#endif
