// Totals by groups of places, asked and told.
#include "alm/wire.h"

typedef Almanac__Internal__SumsRequest sums_request;
typedef Almanac__Internal__SumsResponse sums_response;

static alm_code exhausted(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "totals: out of memory");
}

static alm_code bad(alm_status *st, const char *column, const char *what)
{
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, column, "totals: %s: %s", column, what);
}

// --- groups --------------------------------------------------------------------------------------

alm_code alm_total_groups_write(const alm_total_groups *groups, alm_arena *arena,
                                sums_request *request, alm_status *st)
{
    size_t runs = groups->range_count;
    size_t spans = groups->span_count;
    ALM_ASSERT(groups->group_count <= ALM_TOTAL_GROUP_COUNT_MAX);
    request->unit = alm_unit_pack(groups->unit);
    request->groups = groups->group_count;
    request->n_skip = request->n_length = request->n_group = runs;
    request->n_span_place = request->n_span_from = request->n_span_to = spans;
    request->skip = alm_arena_alloc(arena, runs * sizeof *request->skip);
    request->length = alm_arena_alloc(arena, runs * sizeof *request->length);
    request->group = alm_arena_alloc(arena, runs * sizeof *request->group);
    request->span_place = alm_arena_alloc(arena, spans * sizeof *request->span_place);
    request->span_from = alm_arena_alloc(arena, spans * sizeof *request->span_from);
    request->span_to = alm_arena_alloc(arena, spans * sizeof *request->span_to);
    if (request->skip == NULL || request->length == NULL || request->group == NULL ||
        request->span_place == NULL || request->span_from == NULL || request->span_to == NULL) {
        return exhausted(st);
    }
    alm_place_id behind = 0;
    for (size_t i = 0; i < runs; i++) {
        const alm_group_range *range = &groups->ranges[i];
        request->skip[i] = range->from - behind;
        request->length[i] = range->to - range->from;
        request->group[i] = range->group;
        behind = range->to;
    }
    for (size_t i = 0; i < spans; i++) {
        request->span_place[i] = groups->spans[i].place;
        request->span_from[i] = groups->spans[i].from;
        request->span_to[i] = groups->spans[i].to;
    }
    return ALM_OK;
}

static alm_code groups_check(const sums_request *request, alm_status *st)
{
    if (request->n_length != request->n_skip || request->n_group != request->n_skip) {
        return bad(st, "length", "runs in columns of different lengths");
    }
    if (request->n_span_from != request->n_span_place ||
        request->n_span_to != request->n_span_place) {
        return bad(st, "span_from", "spans in columns of different lengths");
    }
    if (request->groups > ALM_TOTAL_GROUP_COUNT_MAX) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "groups",
                                    "totals: %u groups, at most %d are told", request->groups,
                                    ALM_TOTAL_GROUP_COUNT_MAX);
    }
    return ALM_OK;
}

alm_code alm_total_groups_read(const sums_request *request, alm_arena *arena, alm_total_groups *ret,
                               alm_status *st)
{
    ALM_TRY(groups_check(request, st));
    alm_group_range *ranges = alm_arena_alloc(arena, request->n_skip * sizeof *ranges);
    alm_member_span *spans = alm_arena_alloc(arena, request->n_span_place * sizeof *spans);
    if (ranges == NULL || spans == NULL) {
        return exhausted(st);
    }
    uint64_t at = 0;
    for (size_t i = 0; i < request->n_skip; i++) {
        uint64_t from = at + request->skip[i];
        at = from + request->length[i];
        if (at > ALM_PLACE_NONE) {
            return bad(st, "length", "runs pass the last place");
        }
        ranges[i] = (alm_group_range){(alm_place_id)from, (alm_place_id)at, request->group[i]};
    }
    for (size_t i = 0; i < request->n_span_place; i++) {
        spans[i] =
            (alm_member_span){request->span_place[i], request->span_from[i], request->span_to[i]};
    }
    *ret = (alm_total_groups){.ranges = ranges,
                              .range_count = request->n_skip,
                              .group_count = request->groups,
                              .spans = spans,
                              .span_count = request->n_span_place,
                              .unit = alm_unit_unpack(request->unit)};
    return ALM_OK;
}

// --- totals in columns ---------------------------------------------------------------------------

static int64_t low_of(__int128 v)
{
    return (int64_t)(uint64_t)v;
}

static int64_t high_of(__int128 v)
{
    return (int64_t)((v - low_of(v)) >> 64);
}

static __int128 whole(int64_t high, int64_t low)
{
    return (__int128)((unsigned __int128)(__int128)high << 64) + low;
}

enum {
    FLAG_INEXACT = 1,
    FLAG_OPEN_BELOW = 2,
    FLAG_OPEN_ABOVE = 4,
    FLAG_NOT_OVER = 8,
    FLAG_NOT_UNDER = 16,
    FLAG_TOO_LARGE = 32,
    FLAGS_ALL = 63
};

static uint32_t flags_of(const alm_total *t)
{
    return (t->is_inexact ? FLAG_INEXACT : 0U) | (t->is_open_below ? FLAG_OPEN_BELOW : 0U) |
           (t->is_open_above ? FLAG_OPEN_ABOVE : 0U) | (t->is_not_over ? FLAG_NOT_OVER : 0U) |
           (t->is_not_under ? FLAG_NOT_UNDER : 0U) | (t->is_too_large ? FLAG_TOO_LARGE : 0U);
}

// X(column, element type, what it says of total t)
#define TOTAL_COLUMNS(X)                                                                           \
    X(number, int64_t, low_of(t->number))                                                          \
    X(number_high, int64_t, high_of(t->number))                                                    \
    X(below, int64_t, low_of(t->below))                                                            \
    X(below_high, int64_t, high_of(t->below))                                                      \
    X(above, int64_t, low_of(t->above))                                                            \
    X(above_high, int64_t, high_of(t->above))                                                      \
    X(scale, int32_t, t->scale)                                                                    \
    X(exponent, int32_t, t->exponent)                                                              \
    X(present, uint32_t, t->present)                                                               \
    X(source, uint32_t, t->source)                                                                 \
    X(published, int32_t, t->published)                                                            \
    X(status, uint32_t, t->status)                                                                 \
    X(flags, uint32_t, flags_of(t))

// One after the other, so that a column that is the same everywhere, as most are, ends up as one
// element.
#define COLUMN_WRITE(column, type, value)                                                          \
    static bool put_##column(const alm_slice_totals *slices, size_t count, uint32_t groups,        \
                             alm_arena *arena, sums_response *response)                            \
    {                                                                                              \
        size_t at = 0;                                                                             \
        bool varies = false;                                                                       \
        type *column = alm_arena_alloc(arena, count * groups * sizeof *column);                    \
        if (column == NULL) {                                                                      \
            return false;                                                                          \
        }                                                                                          \
        for (size_t s = 0; s < count; s++) {                                                       \
            for (uint32_t g = 0; g < groups; g++) {                                                \
                const alm_total *t = &slices[s].totals[g];                                         \
                column[at] = (value);                                                              \
                varies |= column[at] != column[0];                                                 \
                at++;                                                                              \
            }                                                                                      \
        }                                                                                          \
        response->column = column;                                                                 \
        response->n_##column = varies ? at : at > 0 && column[0] != 0;                             \
        return true;                                                                               \
    }
TOTAL_COLUMNS(COLUMN_WRITE)
#undef COLUMN_WRITE

static alm_code put_slices(const alm_slice_totals *slices, size_t count, alm_arena *arena,
                           sums_response *response, alm_status *st)
{
    response->variants = alm_arena_calloc(arena, count, sizeof *response->variants);
    response->period = alm_arena_alloc(arena, count * sizeof *response->period);
    response->missing = alm_arena_alloc(arena, count * sizeof *response->missing);
    if (response->variants == NULL || response->period == NULL || response->missing == NULL) {
        return exhausted(st);
    }
    for (size_t s = 0; s < count; s++) {
        bool is_same = s > 0 && alm_str_eq(slices[s].variant, slices[s - 1].variant);
        response->variants[s] = alm_arena_strdup(arena, is_same ? (alm_str){0} : slices[s].variant);
        response->period[s] = alm_period_pack(slices[s].period);
        response->missing[s] = (uint32_t)slices[s].missing_count;
        response->n_missing_from += slices[s].missing_count;
        if (response->variants[s] == NULL) {
            return exhausted(st);
        }
    }
    response->n_variants = response->n_period = response->n_missing = count;
    return ALM_OK;
}

static alm_code put_missing(const alm_slice_totals *slices, size_t count, alm_arena *arena,
                            sums_response *response, alm_status *st)
{
    size_t at = 0;
    size_t runs = response->n_missing_from;
    response->n_missing_length = runs;
    response->missing_from = alm_arena_alloc(arena, runs * sizeof *response->missing_from);
    response->missing_length = alm_arena_alloc(arena, runs * sizeof *response->missing_length);
    if (response->missing_from == NULL || response->missing_length == NULL) {
        return exhausted(st);
    }
    for (size_t s = 0; s < count; s++) {
        for (size_t i = 0; i < slices[s].missing_count; i++) {
            alm_place_range range = slices[s].missing[i];
            response->missing_from[at] = range.from;
            response->missing_length[at++] = range.to - range.from;
        }
    }
    return ALM_OK;
}

alm_code alm_slice_totals_write(const alm_slice_totals *slices, size_t count, uint32_t group_count,
                                alm_arena *arena, sums_response *response, alm_status *st)
{
    ALM_TRY(put_slices(slices, count, arena, response, st));
    ALM_TRY(put_missing(slices, count, arena, response, st));
#define COLUMN_PUT(column, type, value)                                                            \
    if (!put_##column(slices, count, group_count, arena, response)) {                              \
        return exhausted(st);                                                                      \
    }
    TOTAL_COLUMNS(COLUMN_PUT)
#undef COLUMN_PUT
    return ALM_OK;
}

// --- and back ------------------------------------------------------------------------------------

#define AT(column, i) (m->n_##column == 0 ? 0 : m->column[m->n_##column == 1 ? 0 : (i)])

static alm_code lengths_check(const sums_response *m, size_t totals, alm_status *st)
{
    if (m->n_period != m->n_variants || m->n_missing != m->n_variants) {
        return bad(st, "period", "slices in columns of different lengths");
    }
    if (m->n_missing_length != m->n_missing_from) {
        return bad(st, "missing_length", "runs in columns of different lengths");
    }
#define COLUMN_CHECK(column, type, value)                                                          \
    if (m->n_##column > 1 && m->n_##column != totals) {                                            \
        return bad(st, #column, "a column of a wrong length");                                     \
    }
    TOTAL_COLUMNS(COLUMN_CHECK)
#undef COLUMN_CHECK
    return ALM_OK;
}

static bool is_exponent(int32_t v)
{
    return v >= ALM_DECIMAL_EXPONENT_MIN && v <= ALM_DECIMAL_EXPONENT_MAX;
}

static alm_code total_in(const sums_response *m, size_t i, alm_total *ret, alm_status *st)
{
    int32_t scale = AT(scale, i);
    int32_t exponent = AT(exponent, i);
    uint32_t status = AT(status, i);
    uint32_t flags = AT(flags, i);
    int32_t published = AT(published, i);
    uint32_t present = AT(present, i);
    if (!is_exponent(exponent) || scale > exponent || scale < INT8_MIN) {
        return bad(st, "scale", "it stands for nothing");
    }
    if (status >= ALM_OBS_STATUS_COUNT || flags > FLAGS_ALL) {
        return bad(st, "status", "it stands for nothing");
    }
    if (present > 0 && (published == ALM_DATE_NONE || published == ALM_DATE_MAX)) {
        return bad(st, "published", "it stands for nothing");
    }
    *ret = (alm_total){.number = whole(AT(number_high, i), AT(number, i)),
                       .below = whole(AT(below_high, i), AT(below, i)),
                       .above = whole(AT(above_high, i), AT(above, i)),
                       .present = present,
                       .source = AT(source, i),
                       .published = published,
                       .scale = (int8_t)scale,
                       .exponent = (int8_t)exponent,
                       .status = (uint8_t)status,
                       .is_inexact = (flags & FLAG_INEXACT) != 0,
                       .is_open_below = (flags & FLAG_OPEN_BELOW) != 0,
                       .is_open_above = (flags & FLAG_OPEN_ABOVE) != 0,
                       .is_not_over = (flags & FLAG_NOT_OVER) != 0,
                       .is_not_under = (flags & FLAG_NOT_UNDER) != 0,
                       .is_too_large = (flags & FLAG_TOO_LARGE) != 0};
    return ALM_OK;
}

// The next count runs from *at on.
static alm_code missing_in(const sums_response *m, size_t *at, size_t count, alm_arena *arena,
                           alm_slice_totals *ret, alm_status *st)
{
    if (count > m->n_missing_from - *at) {
        return bad(st, "missing", "more runs than there are");
    }
    alm_place_range *ranges = alm_arena_alloc(arena, count * sizeof *ranges);
    if (ranges == NULL) {
        return exhausted(st);
    }
    for (size_t i = 0; i < count; i++, (*at)++) {
        alm_place_id from = m->missing_from[*at];
        uint32_t length = m->missing_length[*at];
        bool ascends = i == 0 || from >= ranges[i - 1].to;
        if (!ascends || length == 0 || length > ALM_PLACE_NONE - from) {
            return bad(st, "missing_from", "runs do not ascend");
        }
        ranges[i] = (alm_place_range){from, from + length};
    }
    ret->missing = ranges;
    ret->missing_count = count;
    return ALM_OK;
}

static alm_code variant_in(const sums_response *m, size_t s, alm_slice_totals *slices,
                           alm_status *st)
{
    alm_variant variant;
    slices[s].variant = alm_str_from(m->variants[s]);
    if (slices[s].variant.len == 0 && s > 0) {
        slices[s].variant = slices[s - 1].variant;
        return ALM_OK;
    }
    return alm_variant_decode(slices[s].variant, &variant, st);
}

alm_code alm_slice_totals_read(const sums_response *m, uint32_t group_count, alm_arena *arena,
                               alm_slice_totals **ret, size_t *ret_count, alm_status *st)
{
    size_t count = m->n_variants;
    ALM_TRY(lengths_check(m, count * group_count, st));
    alm_slice_totals *slices = alm_arena_calloc(arena, count, sizeof *slices);
    alm_total *totals = alm_arena_calloc(arena, count * group_count, sizeof *totals);
    if (slices == NULL || totals == NULL) {
        return exhausted(st);
    }
    size_t at = 0;
    for (size_t s = 0; s < count; s++) {
        slices[s].totals = totals + s * group_count;
        ALM_TRY(variant_in(m, s, slices, st));
        if (!alm_period_unpack(m->period[s], &slices[s].period)) {
            return bad(st, "period", "it stands for nothing");
        }
        ALM_TRY(missing_in(m, &at, m->missing[s], arena, &slices[s], st));
    }
    for (size_t i = 0; i < count * group_count; i++) {
        ALM_TRY(total_in(m, i, &totals[i], st));
    }
    *ret = slices;
    *ret_count = count;
    return ALM_OK;
}
