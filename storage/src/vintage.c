#include "vintage.h"

#include <stdlib.h>

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

bool alm_precedence_knows(const alm_precedence *precedence, uint32_t source)
{
    return source == ALM_SOURCE_NONE || source < precedence->count;
}

alm_code alm_precedence_require(const alm_precedence *precedence, const alm_obs *row,
                                alm_status *st)
{
    return alm_precedence_knows(precedence, row->source)
               ? ALM_OK
               : alm_status_set(st, ALM_DATA_LOSS, "a stored row has the unknown source %u",
                                row->source);
}

static int32_t precedence_of(const alm_precedence *precedence, uint32_t source)
{
    ALM_ASSERT(alm_precedence_knows(precedence, source));
    return source == ALM_SOURCE_NONE ? 0 : precedence->of[source];
}

static bool has_source(const alm_vintage_filter *filter, uint32_t source)
{
    size_t low = 0;
    size_t high = filter->source_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (filter->sources[middle] < source) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < filter->source_count && filter->sources[low] == source;
}

bool alm_vintage_admitted(const alm_vintage_filter *filter, const alm_obs *vintage)
{
    return vintage->published <= filter->as_of && vintage->sequence <= filter->at_sequence &&
           (filter->source_count == 0 || has_source(filter, vintage->source));
}

// > 0: a wins over b, if both take part.
static int compare(const alm_precedence *precedence, const alm_obs *a, const alm_obs *b)
{
    int32_t of_a = precedence_of(precedence, a->source);
    int32_t of_b = precedence_of(precedence, b->source);
    if (of_a != of_b) {
        return COMPARE(of_a, of_b);
    }
    if (a->published != b->published) {
        return COMPARE(a->published, b->published);
    }
    if (a->sequence != b->sequence) {
        return COMPARE(a->sequence, b->sequence);
    }
    return COMPARE(b->source, a->source);
}

bool alm_vintage_same(const alm_obs *a, const alm_obs *b)
{
    return a->source == b->source && a->published == b->published;
}

int alm_vintage_source_order(const alm_obs *a, const alm_obs *b)
{
    int order = COMPARE(a->source, b->source);
    if (order == 0) {
        order = COMPARE(a->published, b->published);
    }
    return order != 0 ? order : COMPARE(a->sequence, b->sequence);
}

static int by_source(const void *a, const void *b)
{
    return alm_vintage_source_order(*(const alm_obs *const *)a, *(const alm_obs *const *)b);
}

void alm_vintage_sort(const alm_obs **rows, size_t count)
{
    size_t i = 1;
    while (i < count && alm_vintage_source_order(rows[i - 1], rows[i]) <= 0) {
        i++;
    }
    if (i < count) { // most cells have few, and they stand in order
        qsort(rows, count, sizeof *rows, by_source);
    }
}

static bool is_withdrawal(const alm_obs *row)
{
    return row->value.status == ALM_OBS_STATUS_WITHDRAWN;
}

bool alm_vintage_takes_back(const alm_obs *withdrawal, const alm_obs *vintage)
{
    return vintage->source == withdrawal->source && !is_withdrawal(vintage) &&
           vintage->published < withdrawal->published;
}

// What a source said of a cell.
typedef struct source_word {
    const alm_obs *last; // NULL: nothing
    bool had_value;
} source_word;

// The words of the sources, as they compete.
typedef struct contest {
    const alm_precedence *precedence;
    const alm_obs *valid; // NULL: none
    source_word withdrawn;
} contest;

// Did a take the cell's value away rather than b? That is who took the last one.
static bool took_away(const source_word *a, const source_word *b)
{
    if (a->had_value != b->had_value) {
        return a->had_value;
    }
    int order = COMPARE(a->last->published, b->last->published);
    if (order == 0) {
        order = COMPARE(a->last->sequence, b->last->sequence);
    }
    return order != 0 ? order > 0 : a->last->source < b->last->source;
}

static void compete(contest *c, const source_word *word)
{
    if (word->last == NULL) {
        return;
    }
    if (is_withdrawal(word->last)) {
        bool is_better = c->withdrawn.last == NULL || took_away(word, &c->withdrawn);
        c->withdrawn = is_better ? *word : c->withdrawn;
    } else if (c->valid == NULL || compare(c->precedence, word->last, c->valid) > 0) {
        c->valid = word->last;
    }
}

const alm_obs *alm_vintage_choose(const alm_precedence *precedence,
                                  const alm_vintage_filter *filter, const alm_obs *const *rows,
                                  size_t count)
{
    contest c = {.precedence = precedence};
    source_word word = {0}; // of the source at hand
    for (size_t i = 0; i < count; i++) {
        if (filter != NULL && !alm_vintage_admitted(filter, rows[i])) {
            continue;
        }
        if (word.last != NULL && word.last->source != rows[i]->source) {
            compete(&c, &word);
            word = (source_word){0};
        }
        word.last = rows[i];
        word.had_value |= !is_withdrawal(rows[i]);
    }
    compete(&c, &word);
    return c.valid != NULL ? c.valid : c.withdrawn.last;
}

int alm_vintage_order(const void *a, const void *b)
{
    const alm_obs *x = a;
    const alm_obs *y = b;
    int order = COMPARE(x->place, y->place);
    if (order == 0) {
        order = COMPARE(x->published, y->published);
    }
    if (order == 0) {
        order = COMPARE(x->sequence, y->sequence);
    }
    return order != 0 ? order : COMPARE(x->source, y->source);
}
