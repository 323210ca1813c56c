#include "vintage.h"

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

bool alm_precedence_knows(const alm_precedence *precedence, uint32_t source)
{
    return source == ALM_SOURCE_NONE || source < precedence->count;
}

static int32_t precedence_of(const alm_precedence *precedence, uint32_t source)
{
    ALM_ASSERT(alm_precedence_knows(precedence, source));
    return source == ALM_SOURCE_NONE ? 0 : precedence->of[source];
}

int alm_vintage_cmp(const alm_precedence *precedence, const alm_obs *a, const alm_obs *b)
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
