// A question between its words and its answer: the catalogue it is planned with, and the state of
// the store that all its reads see.
//
// It is planned with the catalogue at hand, and the first read tells whether that was new enough;
// if not, all is done once more with a newer one, at the state that was read. Where nothing is read
// before something is told, storage is asked for its head instead.
#ifndef ALM_SESSION_H
#define ALM_SESSION_H

#include "aggregation_service.h"
#include "storage_reader.h"

typedef struct alm_session {
    alm_aggregator *self;
    alm_call *call;
    alm_arena *arena;         // of the answer
    alm_catalog_ref *catalog; // the plan's
    alm_query_plan plan;
    alm_storage_reader storage;
} alm_session;

// Answers the question, from the start whenever it is called. Nothing leaves it before
// alm_session_check has succeeded, or a read has.
typedef alm_code (*alm_session_work)(void *arg, alm_session *session, alm_status *st);

// Plans the question and has it worked at, twice if the catalogue has changed. Then the session is
// checked, also if nothing was read: storage.at_sequence is the state that was answered.
//
//   arena  of the answer: the call's, or one for each answer of a call that has many
//   ret    lives as long as the arena, with which the catalogue is released
//
// Failures of alm_query_plan_make, which a newer catalogue has had its say in; of storage; of work.
ALM_MUST_USE alm_code alm_session_run(alm_aggregator *self, alm_call *call, alm_arena *arena,
                                      const Almanac__V1__QueryRequest *request,
                                      alm_session_work work, void *arg, alm_session *ret,
                                      alm_status *st);

// The same for who cannot wait: with the catalogue at hand, once, by work that reads what is kept.
//
// Any failure: it is to be done by alm_session_run, and nothing may have left.
ALM_MUST_USE alm_code alm_session_glance(alm_aggregator *self, alm_call *call,
                                         const Almanac__V1__QueryRequest *request,
                                         alm_session_work work, void *arg, alm_session *ret,
                                         alm_status *st);

// Within work: whether the catalogue is as new as the state that is answered. Costs a call where
// nothing was read yet. A failure is to be returned.
ALM_MUST_USE alm_code alm_session_check(alm_session *session, alm_status *st);

#endif
