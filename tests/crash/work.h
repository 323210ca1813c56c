// What the writers do, from a seed: step n is the same in every process. A step is a batch (new
// cells, a revision, a withdrawal, a change of the catalogue) or something else a store can be
// asked to do; the table in work.c names them, and a new kind is a row there.
//
// Every batch publishes on a day of its own, so a row tells which batch it came from, and what is
// in it follows from seed, batch and cell: whoever reads a store can judge it without a copy.
#ifndef CRASH_WORK_H
#define CRASH_WORK_H

#include "alm/store.h"

#define WORK_VARIANT_COUNT 6
#define WORK_PLACE_COUNT   16
#define WORK_ROW_COUNT_MAX (WORK_VARIANT_COUNT * WORK_PLACE_COUNT)
#define WORK_TEXT_MAX      32
#define WORK_NOTE_MAX      3000 // of one row of a batch: its slice and its log are long values
#define WORK_SOURCE_COUNT  2    // that are there from the start

typedef struct work_step work_step;

// Step n, made ready. Texts and rows live in it: do not move it.
typedef struct work_item {
    uint64_t seed;
    uint32_t n;
    const work_step *step;
    alm_batch batch; // of a step that is one
    alm_obs rows[WORK_ROW_COUNT_MAX];
    alm_indicator indicator;
    alm_place place;
    alm_source sources[2];
    char id[WORK_TEXT_MAX], code[WORK_TEXT_MAX], text[WORK_TEXT_MAX];
    char notes[WORK_ROW_COUNT_MAX][WORK_TEXT_MAX], long_note[WORK_NOTE_MAX];
} work_item;

struct work_step {
    const char *name;
    uint32_t weight; // how often, of the sum of all
    // A batch: fills it in. NULL: no batch.
    void (*fill)(work_item *item);
    // No batch: does it. Whatever it does, no observation may change.
    alm_code (*run)(alm_store *store, const char *dir, const work_item *item, alm_status *st);
};

// The tables and the sources that all steps build on. Once, on a new store.
ALM_MUST_USE alm_code work_prepare(alm_store *store, alm_status *st);

void work_item_make(work_item *item, uint64_t seed, uint32_t n);
// Does step n. *ret is of a batch; untouched by other steps.
ALM_MUST_USE alm_code work_item_run(const work_item *item, alm_store *store, const char *dir,
                                    alm_arena *arena, alm_commit_result *ret, alm_status *st);

static inline bool work_is_batch(const work_item *item)
{
    return item->step->fill != NULL;
}

// --- judging -------------------------------------------------------------------------------------

// Of which batch a row is, told by its date; UINT32_MAX: of none.
uint32_t work_batch_of(const alm_obs *row);
// Of which step the cell is: of that step the first row may be, later ones are its revisions.
uint32_t work_day_of(const alm_obs *row);
extern const alm_str work_variants[WORK_VARIANT_COUNT]; // canonical texts
// The index of a canonical text; WORK_VARIANT_COUNT: none of ours.
uint32_t work_variant_of(alm_str text);
// "" when the row holds what its batch put there; else what differs.
const char *work_row_defect(uint64_t seed, uint32_t variant, const alm_obs *row);
// A number for a cell: the sum over a batch's rows tells whether it is whole.
uint64_t work_cell_mark(uint32_t variant, const alm_obs *row);
// "s12" is the source that batch 12 brought; UINT32_MAX: none of those.
uint32_t work_batch_of_source(alm_str code);
// "batch-12" is 12; UINT32_MAX: no batch of ours.
uint32_t work_batch_of_id(alm_str id);

#endif
