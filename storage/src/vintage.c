#include "vintage.h"

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static bool is_known(const alm_precedence *precedence, uint32_t source)
{
    return source == ALM_SOURCE_NONE || source < precedence->count;
}

alm_code alm_precedence_require(const alm_precedence *precedence, const alm_obs *row,
                                alm_status *st)
{
    return is_known(precedence, row->source)
               ? ALM_OK
               : alm_status_set(st, ALM_DATA_LOSS, "a stored row has the unknown source %u",
                                row->source);
}

static int32_t precedence_of(const alm_precedence *precedence, uint32_t source)
{
    ALM_ASSERT(is_known(precedence, source));
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

static bool is_admitted(const alm_vintage_filter *filter, const alm_obs *row)
{
    return filter == NULL || alm_vintage_admitted(filter, row);
}

static bool is_withdrawal(const alm_obs *row)
{
    return row->value.status == ALM_OBS_STATUS_WITHDRAWN;
}

// Is it what its source said last?
static bool is_latest(const alm_vintage_filter *filter, const alm_obs *const *rows, size_t count,
                      const alm_obs *row)
{
    for (size_t i = count; i > 0; i--) {
        const alm_obs *other = rows[i - 1];
        bool is_later = other->published > row->published ||
                        (other->published == row->published && other->sequence > row->sequence);
        if (other->source == row->source && is_later && is_admitted(filter, other)) {
            return false;
        }
    }
    return true;
}

const alm_obs *alm_vintage_choose(const alm_precedence *precedence,
                                  const alm_vintage_filter *filter, const alm_obs *const *rows,
                                  size_t count)
{
    const alm_obs *best = NULL;  // by the order alone
    const alm_obs *valid = NULL; // of the sources that are in
    bool has_withdrawal = false;
    for (size_t i = 0; i < count; i++) {
        if (is_admitted(filter, rows[i])) {
            has_withdrawal |= is_withdrawal(rows[i]);
            best = best == NULL || compare(precedence, rows[i], best) > 0 ? rows[i] : best;
        }
    }
    // Newest first, as rows mostly come: the first that is valid beats most of the others.
    for (size_t i = count; has_withdrawal && i > 0; i--) {
        const alm_obs *row = rows[i - 1];
        if (!is_withdrawal(row) && is_admitted(filter, row) &&
            (valid == NULL || compare(precedence, row, valid) > 0) &&
            is_latest(filter, rows, count, row)) {
            valid = row;
        }
    }
    return valid != NULL ? valid : best;
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
