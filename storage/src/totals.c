#include "totals.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the totals of a slice");
}

static alm_code damaged(alm_status *st, const char *what)
{
    return alm_status_set(st, ALM_DATA_LOSS, "a slice is damaged: %s", what);
}

// --- the members of a day ------------------------------------------------------------------------

// The first range that ends behind the place.
static size_t range_behind(const alm_group_range *ranges, size_t count, uint64_t place)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges[middle].to <= place) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool alm_groups_have(const alm_total_groups *groups, uint64_t from, uint64_t to)
{
    size_t at = range_behind(groups->ranges, groups->range_count, from);
    return at < groups->range_count && groups->ranges[at].from < to;
}

static void put_range(alm_group_range *out, size_t *count, alm_place_id from, alm_place_id to,
                      uint32_t group)
{
    if (from < to) {
        out[(*count)++] = (alm_group_range){from, to, group};
    }
}

// Cuts those out of the ranges that are no members on the day.
static alm_code cut_ranges(alm_adder *adder, alm_date day, alm_status *st)
{
    const alm_total_groups *groups = adder->groups;
    size_t count = 0;
    size_t s = 0;
    alm_group_range *out =
        alm_arena_alloc(adder->arena, (groups->range_count + 2 * groups->span_count) * sizeof *out);
    if (out == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < groups->range_count; i++) {
        alm_group_range range = groups->ranges[i];
        while (s < groups->span_count && groups->spans[s].place < range.from) {
            s++;
        }
        for (; s < groups->span_count && groups->spans[s].place < range.to; s++) {
            const alm_member_span *span = &groups->spans[s];
            if (day < span->from || day > span->to) {
                put_range(out, &count, range.from, span->place, range.group);
                put_range(out, &count, span->place, span->place + 1, ALM_GROUP_NONE);
                range.from = span->place + 1;
            }
        }
        put_range(out, &count, range.from, range.to, range.group);
    }
    adder->ranges = out;
    adder->range_count = count;
    return ALM_OK;
}

alm_code alm_adder_begin(alm_adder *adder, const alm_total_groups *groups, alm_period period,
                         alm_arena *arena, alm_status *st)
{
    *adder = (alm_adder){.groups = groups,
                         .arena = arena,
                         .ranges = groups->ranges,
                         .range_count = groups->range_count};
    adder->totals = alm_arena_calloc(arena, groups->group_count, sizeof *adder->totals);
    if (adder->totals == NULL) {
        return no_memory(st);
    }
    return groups->span_count > 0 ? cut_ranges(adder, alm_period_last_day(period), st) : ALM_OK;
}

// --- who is missing ------------------------------------------------------------------------------

static alm_code miss(alm_adder *adder, alm_place_id from, alm_place_id to, alm_status *st)
{
    size_t count = adder->missing_count;
    void *missing = adder->missing;
    if (count > 0 && adder->missing[count - 1].to == from) {
        adder->missing[count - 1].to = to;
        return ALM_OK;
    }
    if (!alm_arena_grow(adder->arena, &missing, &adder->missing_cap, count + 1,
                        sizeof *adder->missing)) {
        return no_memory(st);
    }
    adder->missing = missing;
    adder->missing[adder->missing_count++] = (alm_place_range){from, to};
    return ALM_OK;
}

// Members before the place that were not told have no cell. The range at hand then ends behind it.
static alm_code pass_until(alm_adder *adder, alm_place_id place, alm_status *st)
{
    while (adder->at < adder->range_count) {
        const alm_group_range *range = &adder->ranges[adder->at];
        alm_place_id from = ALM_MAX(adder->next, range->from);
        alm_place_id to = ALM_MIN(range->to, place);
        if (from < to && range->group != ALM_GROUP_NONE) {
            ALM_TRY(miss(adder, from, to, st));
        }
        adder->next = ALM_MAX(from, to);
        if (range->to > place) {
            break;
        }
        adder->at++;
    }
    return ALM_OK;
}

alm_code alm_adder_end(alm_adder *adder, alm_period period, alm_slice_totals *ret, alm_status *st)
{
    ALM_TRY(pass_until(adder, ALM_PLACE_NONE, st));
    *ret = (alm_slice_totals){.period = period,
                              .totals = adder->has_cells ? adder->totals : NULL,
                              .missing = adder->missing,
                              .missing_count = adder->missing_count};
    return ALM_OK;
}

// --- row by row ----------------------------------------------------------------------------------

static alm_code add_row(alm_adder *adder, const alm_obs *row, alm_status *st)
{
    if (row->value.status == ALM_OBS_STATUS_WITHDRAWN) {
        return ALM_OK;
    }
    ALM_TRY(pass_until(adder, row->place, st));
    if (adder->at == adder->range_count || row->place < adder->ranges[adder->at].from) {
        return ALM_OK;
    }
    uint32_t group = adder->ranges[adder->at].group;
    alm_told told = {row->source, row->published};
    adder->has_cells = true;
    adder->next = row->place + 1;
    return group == ALM_GROUP_NONE ||
                   alm_total_add(&adder->totals[group], &row->value, adder->groups->unit, told)
               ? ALM_OK
               : miss(adder, row->place, row->place + 1, st);
}

alm_code alm_adder_rows(alm_adder *adder, const alm_obs *rows, size_t count, alm_status *st)
{
    for (size_t i = 0; i < count; i++) {
        ALM_TRY(add_row(adder, &rows[i], st));
    }
    return ALM_OK;
}

static alm_code add_block_rows(alm_adder *adder, alm_block *block, alm_status *st)
{
    const alm_group_range *last = &adder->ranges[adder->range_count - 1];
    size_t from = alm_block_find_place(block, 0, adder->ranges[adder->at].from);
    size_t to = alm_block_find_place(block, from, last->to);
    alm_obs *rows = alm_arena_alloc(adder->arena, (to - from) * sizeof *rows);
    if (rows == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_block_get(block, from, to, rows, st));
    return alm_adder_rows(adder, rows, to - from, st);
}

// --- a block at a time ---------------------------------------------------------------------------

// Where a column is other than in most rows. Odd rows are asked for in ascending order.
typedef struct odd_rows {
    int64_t common;
    int64_t *rows, *values;
    size_t count, at;
} odd_rows;

enum { ODD_FLAGS, ODD_EXPONENT, ODD_PUBLISHED, ODD_COUNT };

// A block whose rows mostly differ in their numbers alone.
typedef struct adding {
    alm_adder *adder;
    alm_block *block;
    odd_rows odd[ODD_COUNT];
    int64_t next_odd; // the first odd row that was not added yet
    alm_obs common;   // all that most rows share
    alm_total_like like;
    int64_t factor; // of a number at its exponent, to stand at the block's scale
    uint32_t group; // that is added to: what is not in its total yet
    __int128 sum;
    uint32_t count;
    size_t window; // the first row of numbers; SIZE_MAX: none
    int64_t numbers[ALM_PACK_FRAME];
    size_t sums_from, sums_to;
    int64_t sums[ALM_PACK_FRAME];
} adding;

// *ret_is_good false: the column has a form in which most rows are not alike.
static alm_code find_odd(alm_block *block, int column, alm_arena *arena, odd_rows *ret,
                         bool *ret_is_good, alm_status *st)
{
    alm_column *c = &block->columns[column];
    *ret = (odd_rows){0};
    *ret_is_good = alm_column_constant(c) || c->form == ALM_COLUMN_SPARSE;
    if (!*ret_is_good) {
        return ALM_OK;
    }
    if (alm_column_constant(c)) {
        ret->common = alm_column_get(c, 0);
        return ALM_OK;
    }
    ret->common = c->base;
    ret->count = c->odd.count;
    ret->rows = alm_arena_alloc(arena, ret->count * sizeof *ret->rows);
    ret->values = alm_arena_alloc(arena, ret->count * sizeof *ret->values);
    if (ret->rows == NULL || ret->values == NULL) {
        return no_memory(st);
    }
    alm_frames_range(&c->odd, 0, ret->count, ret->rows);
    alm_frames_range(&c->numbers, 0, ret->count, ret->values);
    return ALM_OK;
}

static int64_t odd_value(odd_rows *odd, int64_t row)
{
    while (odd->at < odd->count && odd->rows[odd->at] < row) {
        odd->at++;
    }
    return odd->at < odd->count && odd->rows[odd->at] == row ? odd->values[odd->at] : odd->common;
}

// Goes on to the first row from `row` on that is odd; INT64_MAX: none.
static void find_next_odd(adding *it, int64_t row)
{
    it->next_odd = INT64_MAX;
    for (int i = 0; i < ODD_COUNT; i++) {
        odd_rows *odd = &it->odd[i];
        (void)odd_value(odd, row);
        it->next_odd =
            odd->at < odd->count ? ALM_MIN(it->next_odd, odd->rows[odd->at]) : it->next_odd;
    }
}

static bool set_odd(int64_t flags, int64_t exponent, int64_t published, alm_obs *ret)
{
    return alm_block_set(ALM_BLOCK_FLAGS, &flags, 1, NULL, 0, ret) &&
           alm_block_set(ALM_BLOCK_EXPONENT, &exponent, 1, NULL, 0, ret) &&
           alm_block_set(ALM_BLOCK_PUBLISHED, &published, 1, NULL, 0, ret);
}

// *ret_can: the block is one that can be added up as a whole.
static alm_code make_adding(alm_adder *adder, alm_block *block, adding *ret, bool *ret_can,
                            alm_status *st)
{
    static const int columns[ODD_COUNT] = {ALM_BLOCK_FLAGS, ALM_BLOCK_EXPONENT,
                                           ALM_BLOCK_PUBLISHED};
    alm_column *unit = &block->columns[ALM_BLOCK_UNIT];
    alm_column *source = &block->columns[ALM_BLOCK_SOURCE];
    *ret_can = block->has_sums && alm_column_constant(unit) && alm_column_constant(source);
    ret->adder = adder;
    ret->block = block;
    ret->common = (alm_obs){0};
    ret->group = ALM_GROUP_NONE;
    ret->sum = 0;
    ret->count = 0;
    ret->window = SIZE_MAX;
    ret->next_odd = -1; // nothing was looked at
    ret->sums_from = ret->sums_to = 0;
    for (int i = 0; i < ODD_COUNT && *ret_can; i++) {
        ALM_TRY(find_odd(block, columns[i], adder->arena, &ret->odd[i], ret_can, st));
    }
    if (!*ret_can) {
        return ALM_OK;
    }
    int64_t units = alm_column_get(unit, 0);
    int64_t sources = alm_column_get(source, 0);
    if (!alm_block_set(ALM_BLOCK_UNIT, &units, 1, NULL, 0, &ret->common) ||
        !alm_block_set(ALM_BLOCK_SOURCE, &sources, 1, NULL, 0, &ret->common) ||
        !set_odd(ret->odd[ODD_FLAGS].common, ret->odd[ODD_EXPONENT].common,
                 ret->odd[ODD_PUBLISHED].common, &ret->common)) {
        return damaged(st, "what its rows share");
    }
    const alm_value *value = &ret->common.value;
    *ret_can = alm_block_power_of_ten(value->number.exponent - block->scale, &ret->factor) &&
               alm_total_like_of(value, adder->groups->unit, &ret->like);
    return ALM_OK;
}

static int64_t number_at(adding *it, size_t row)
{
    size_t first = row / ALM_PACK_FRAME * ALM_PACK_FRAME;
    if (it->window != first) {
        alm_block_numbers(it->block, first, ALM_MIN(first + ALM_PACK_FRAME, it->block->count),
                          it->numbers);
        it->window = first;
    }
    return it->numbers[row - first];
}

static int64_t stored_sum(adding *it, size_t index)
{
    if (index < it->sums_from || index >= it->sums_to) {
        it->sums_from = index / ALM_PACK_FRAME * ALM_PACK_FRAME;
        it->sums_to = ALM_MIN(it->sums_from + ALM_PACK_FRAME, it->block->sums.count);
        alm_frames_range(&it->block->sums, it->sums_from, it->sums_to, it->sums);
    }
    return it->sums[index - it->sums_from];
}

// Of rows that have a stored sum it is taken, and of no more rows numbers are added in 64 bits: the
// encoder saw to it that they fit, and damage may wrap.
static __int128 sum_rows(adding *it, size_t from, size_t to)
{
    __int128 sum = 0;
    while (from < to) {
        size_t index = from / ALM_BLOCK_SUM_ROWS;
        size_t end = ALM_MIN((index + 1) * ALM_BLOCK_SUM_ROWS, it->block->count);
        size_t behind = ALM_MIN(to, end);
        if (from == index * ALM_BLOCK_SUM_ROWS && behind == end) {
            sum += stored_sum(it, index);
        } else {
            uint64_t part = (uint64_t)number_at(it, from);
            const int64_t *numbers = it->numbers - it->window;
            for (size_t i = from + 1; i < behind; i++) {
                part += (uint64_t)numbers[i];
            }
            sum += (int64_t)part;
        }
        from = behind;
    }
    return sum;
}

// What was added up of a group goes into its total.
static alm_code flush(adding *it, alm_status *st)
{
    if (it->count > 0) {
        if (it->sum % it->factor != 0) {
            return damaged(st, "a number at a finer digit than it has");
        }
        alm_total_add_like(&it->adder->totals[it->group], &it->like, it->sum / it->factor,
                           it->count, (alm_told){it->common.source, it->common.published});
    }
    it->sum = 0;
    it->count = 0;
    return ALM_OK;
}

// A row that is not as most are.
static alm_code add_odd(adding *it, int64_t at, alm_place_id place, alm_status *st)
{
    alm_adder *adder = it->adder;
    alm_obs row = it->common;
    if (!set_odd(odd_value(&it->odd[ODD_FLAGS], at), odd_value(&it->odd[ODD_EXPONENT], at),
                 odd_value(&it->odd[ODD_PUBLISHED], at), &row)) {
        return damaged(st, "a row");
    }
    int64_t number = number_at(it, (size_t)at);
    row.value.number.mantissa = number;
    adder->has_cells |= row.value.status != ALM_OBS_STATUS_WITHDRAWN;
    if (it->group == ALM_GROUP_NONE) {
        return ALM_OK;
    }
    if (!row.value.has_number) {
        it->sum -= number;
        return miss(adder, place, place + 1, st);
    }
    if (!alm_block_unscale(it->block->scale, &row, 1)) {
        return damaged(st, "a number at a finer digit than it has");
    }
    it->sum -= number;
    alm_total *total = &adder->totals[it->group];
    alm_told told = {row.source, row.published};
    if (row.value.qualifier == it->like.qualifier &&
        row.value.number.exponent == it->common.value.number.exponent) {
        alm_total_like like = it->like;
        like.status = (uint8_t)row.value.status;
        alm_total_add_like(total, &like, row.value.number.mantissa, 1, told);
        return ALM_OK;
    }
    return alm_total_add(total, &row.value, adder->groups->unit, told)
               ? ALM_OK
               : miss(adder, place, place + 1, st);
}

// Rows from..to-1 are the cells of as many places from `place` on, all of one group.
static alm_code add_segment(adding *it, size_t from, size_t to, alm_place_id place, uint32_t group,
                            alm_status *st)
{
    size_t odd_count = 0;
    if (group != it->group) {
        ALM_TRY(flush(it, st));
        it->group = group;
    }
    if (it->next_odd < (int64_t)from) {
        find_next_odd(it, (int64_t)from);
    }
    for (; it->next_odd < (int64_t)to; find_next_odd(it, it->next_odd + 1)) {
        size_t behind = (size_t)it->next_odd - from;
        ALM_TRY(add_odd(it, it->next_odd, place + (alm_place_id)behind, st));
        odd_count++;
    }
    it->adder->has_cells |= to - from > odd_count;
    if (group != ALM_GROUP_NONE) {
        it->sum += sum_rows(it, from, to);
        it->count += (uint32_t)(to - from - odd_count);
    }
    return ALM_OK;
}

// Rows from `row` on hold places place..end-1.
static alm_code add_run(adding *it, size_t row, alm_place_id place, alm_place_id end,
                        alm_status *st)
{
    alm_adder *adder = it->adder;
    while (place < end) {
        ALM_TRY(pass_until(adder, place, st));
        if (adder->at == adder->range_count) {
            return ALM_OK;
        }
        const alm_group_range *range = &adder->ranges[adder->at];
        alm_place_id from = ALM_MAX(place, range->from);
        alm_place_id to = ALM_MIN(end, range->to);
        if (from >= end) {
            return ALM_OK;
        }
        row += from - place;
        ALM_TRY(add_segment(it, row, row + (to - from), from, range->group, st));
        row += to - from;
        adder->next = to;
        place = to;
    }
    return ALM_OK;
}

static alm_code add_runs(adding *it, alm_status *st)
{
    alm_block *block = it->block;
    alm_column_run runs[ALM_COLUMN_RUN_COUNT];
    int64_t least = 0;
    size_t behind;
    for (size_t from = 0; from < block->count; from = behind) {
        size_t count =
            alm_column_runs(&block->columns[ALM_BLOCK_PLACE], from, block->count, runs, &behind);
        for (size_t r = 0; r < count; r++) {
            int64_t n = (int64_t)((r + 1 < count ? runs[r + 1].row : behind) - runs[r].row);
            if (runs[r].value < least || runs[r].value > (int64_t)UINT32_MAX - n) {
                return damaged(st, "its places");
            }
            least = runs[r].value + n;
            ALM_TRY(add_run(it, runs[r].row, (alm_place_id)runs[r].value, (alm_place_id)least, st));
        }
    }
    return flush(it, st);
}

alm_code alm_adder_block(alm_adder *adder, alm_block *block, alm_status *st)
{
    bool can;
    adding it;
    if (block->count == 0 || adder->at == adder->range_count) {
        return ALM_OK;
    }
    ALM_TRY(make_adding(adder, block, &it, &can, st));
    return can ? add_runs(&it, st) : add_block_rows(adder, block, st);
}

// --- rows of a read ------------------------------------------------------------------------------

alm_code alm_row_totals_end(alm_row_totals *it, alm_status *st)
{
    alm_slice_totals slice;
    if (!it->is_open) {
        return ALM_OK;
    }
    it->is_open = false;
    ALM_TRY(alm_adder_end(&it->adder, it->period, &slice, st));
    slice.variant = it->variant;
    return slice.totals == NULL ? ALM_OK : it->visit(it->arg, &slice, st);
}

static alm_code open_slice(alm_row_totals *it, alm_str variant, alm_period period, alm_status *st)
{
    ALM_TRY(alm_row_totals_end(it, st));
    alm_arena_reset(it->arena);
    it->variant = (alm_str){.data = alm_arena_strdup(it->arena, variant), .len = variant.len};
    if (it->variant.data == NULL) {
        return no_memory(st);
    }
    it->period = period;
    it->is_open = true;
    return alm_adder_begin(&it->adder, it->groups, period, it->arena, st);
}

alm_code alm_row_totals_take(void *arg, alm_str variant, const alm_obs_columns *rows,
                             alm_status *st)
{
    alm_row_totals *it = arg;
    bool is_same = it->is_open && alm_str_eq(it->variant, variant);
    for (size_t i = 0; i < rows->count; i++) {
        alm_obs row = alm_obs_at(rows, i);
        if (!is_same || !alm_period_eq(it->period, row.period)) {
            ALM_TRY(open_slice(it, variant, row.period, st));
            is_same = true;
        }
        ALM_TRY(add_row(&it->adder, &row, st));
    }
    return ALM_OK;
}
