// The storage and the aggregation module in one process, a fresh store a test, and what its tests
// commit and ask. Places have the ids 0 to 3: 310000, 310104, 310105, 310105001.
#ifndef ALM_TESTS_QUERY_SERVICES_H
#define ALM_TESTS_QUERY_SERVICES_H

#include "alm/aggregation_module.h"
#include "alm/storage_module.h"
#include "alm/wire.h"

#include "almanac/internal/aggregation.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define TIMEOUT_MS 20000

typedef struct fixture {
    char dir[64];
    char storage_address[64], aggregation_address[64];
    alm_log log;
    alm_config *config, *aggregation_config;
    alm_rpc *rpc;
    alm_module_ctx storage_ctx, aggregation_ctx;
    void *storage, *aggregation;
    alm_channel *to_storage, *to_aggregation;
    alm_arena *arena;
    uint64_t batches;
} fixture;

extern const char *services_scheme; // of their addresses: inproc unless set

void die(const alm_status *st);
int set_up(void **state);
int tear_down(void **state);

// --- writing -------------------------------------------------------------------------------------

// Under a batch id of its own; returns the sequence.
uint64_t commit(fixture *f, Almanac__Internal__CommitRequest *request);
Almanac__V1__Place *new_place(fixture *f, const char *code, const char *parent,
                              Almanac__V1__Level level);
void commit_catalog(fixture *f); // four places, gdp and pop, the source report
alm_obs observe(alm_place_id place, int32_t year, int64_t hundredths, uint32_t source);
uint64_t commit_rows(fixture *f, const char *variant, const alm_obs *rows, size_t count);

// --- asking --------------------------------------------------------------------------------------

void ask_gdp(Almanac__V1__QueryRequest *request, char **indicators, size_t count,
             const char *places, const char *periods);

typedef struct answer {
    Almanac__V1__ResultBlock *blocks[64];
    size_t block_count;
    Almanac__V1__ItemError *errors[8];
    size_t error_count;
    size_t rows;
    alm_status st;
} answer;

void execute(fixture *f, const Almanac__V1__QueryRequest *request, answer *ret);

uint32_t at(const uint32_t *column, size_t count, size_t rows, size_t i);

// Of a column of a block: what row i has.
#define AT(block, column, i)                                                                       \
    at((const uint32_t *)(block)->column, (block)->n_##column, (block)->rows, (i))
#define WIDE_AT(block, column, i)                                                                  \
    ((block)->n_##column == 0 ? 0 : (block)->column[(block)->n_##column == 1 ? 0 : (i)])

void assert_text(const Almanac__V1__ResultBlock *block, uint32_t index, const char *want);

#endif
