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
static void cut_ranges(const alm_total_groups *groups, alm_date day, alm_total_plans *plans)
{
    size_t s = 0;
    plans->range_count = 0;
    for (size_t i = 0; i < groups->range_count; i++) {
        alm_group_range range = groups->ranges[i];
        while (s < groups->span_count && groups->spans[s].place < range.from) {
            s++;
        }
        for (; s < groups->span_count && groups->spans[s].place < range.to; s++) {
            const alm_member_span *span = &groups->spans[s];
            if (day < span->from || day > span->to) {
                put_range(plans->ranges, &plans->range_count, range.from, span->place, range.group);
                put_range(plans->ranges, &plans->range_count, span->place, span->place + 1,
                          ALM_GROUP_NONE);
                range.from = span->place + 1;
            }
        }
        put_range(plans->ranges, &plans->range_count, range.from, range.to, range.group);
    }
}

static bool same_members(const alm_total_groups *groups, alm_date a, alm_date b)
{
    bool is_same = true;
    for (size_t i = 0; i < groups->span_count; i++) {
        const alm_member_span *span = &groups->spans[i];
        is_same &= (a < span->from || a > span->to) == (b < span->from || b > span->to);
    }
    return is_same;
}

// The ranges of the day, unless those at hand are the same.
static alm_code find_ranges(alm_total_plans *plans, const alm_total_groups *groups, alm_date day,
                            alm_status *st)
{
    if (plans->members > 0 && same_members(groups, plans->day, day)) {
        return ALM_OK;
    }
    if (plans->ranges == NULL) {
        size_t most = groups->range_count + 2 * groups->span_count;
        plans->ranges = alm_arena_alloc(plans->arena, most * sizeof *plans->ranges);
        if (plans->ranges == NULL) {
            return no_memory(st);
        }
    }
    cut_ranges(groups, day, plans);
    plans->members++;
    plans->day = day;
    return ALM_OK;
}

alm_code alm_adder_begin(alm_adder *adder, const alm_total_groups *groups, alm_total_plans *plans,
                         alm_period period, alm_arena *arena, alm_status *st)
{
    ALM_TRY(find_ranges(plans, groups, alm_period_last_day(period), st));
    *adder = (alm_adder){.groups = groups,
                         .plans = plans,
                         .arena = arena,
                         .ranges = plans->ranges,
                         .range_count = plans->range_count};
    adder->totals = alm_arena_calloc(arena, groups->group_count, sizeof *adder->totals);
    return adder->totals == NULL ? no_memory(st) : ALM_OK;
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

static alm_code add_block_rows(alm_adder *adder, alm_block *block, alm_arena *scratch,
                               alm_status *st)
{
    const alm_group_range *last = &adder->ranges[adder->range_count - 1];
    size_t from = alm_block_find_place(block, 0, adder->ranges[adder->at].from);
    size_t to = alm_block_find_place(block, from, last->to);
    alm_obs *rows = alm_arena_alloc(scratch, (to - from) * sizeof *rows);
    if (rows == NULL) {
        return no_memory(st);
    }
    ALM_TRY(alm_block_get(block, from, to, rows, st));
    return alm_adder_rows(adder, rows, to - from, st);
}

// --- which rows are whose -----------------------------------------------------------------------

static bool grow(alm_arena *arena, void *array, size_t *cap, size_t need, size_t elem_size)
{
    void *grown;
    memcpy(&grown, array, sizeof grown);
    if (!alm_arena_grow(arena, &grown, cap, need, elem_size)) {
        return false;
    }
    memcpy(array, &grown, sizeof grown);
    return true;
}

// So many rows that are no members are rather left out of a span than let end it.
#define LEFT_OUT_MAX 16

static bool put_span(alm_total_plan *plan, size_t from, size_t to, uint32_t group, alm_arena *arena)
{
    alm_total_span *last = plan->span_count > 0 ? &plan->spans[plan->span_count - 1] : NULL;
    if (last != NULL && last->group == group && from - last->to <= LEFT_OUT_MAX) {
        if (!grow(arena, &plan->left_out, &plan->left_out_cap,
                  plan->left_out_count + from - last->to, sizeof *plan->left_out)) {
            return false;
        }
        for (size_t row = last->to; row < from; row++) {
            plan->left_out[plan->left_out_count++] = (uint32_t)row;
        }
        last->to = to;
        last->left_out_to = plan->left_out_count;
        return true;
    }
    if (!grow(arena, &plan->spans, &plan->span_cap, plan->span_count + 1, sizeof *plan->spans)) {
        return false;
    }
    plan->spans[plan->span_count++] = (alm_total_span){
        .from = from, .to = to, .group = group, .left_out_to = plan->left_out_count};
    return true;
}

static bool put_rows(alm_total_plan *plan, size_t from, size_t to, uint32_t group, alm_arena *arena)
{
    if (group != ALM_GROUP_NONE) {
        return put_span(plan, from, to, group, arena);
    }
    if (!grow(arena, &plan->outside, &plan->outside_cap, plan->outside_count + 1,
              sizeof *plan->outside)) {
        return false;
    }
    plan->outside[plan->outside_count++] = (alm_total_span){.from = from, .to = to};
    return true;
}

// Rows from `row` on hold places place..end-1.
static alm_code plan_run(alm_adder *walk, alm_total_plan *plan, size_t row, alm_place_id place,
                         alm_place_id end, alm_status *st)
{
    while (place < end) {
        ALM_TRY(pass_until(walk, place, st));
        if (walk->at == walk->range_count) {
            return ALM_OK;
        }
        const alm_group_range *range = &walk->ranges[walk->at];
        bool is_before = place < range->from;
        alm_place_id behind = ALM_MIN(end, is_before ? range->from : range->to);
        size_t count = behind - place;
        if (!is_before) {
            if (!put_rows(plan, row, row + count, range->group, walk->arena)) {
                return no_memory(st);
            }
            walk->next = behind;
        }
        row += count;
        place = behind;
    }
    return ALM_OK;
}

static alm_code plan_runs(alm_adder *walk, alm_block *block, alm_total_plan *plan, alm_status *st)
{
    alm_column_run runs[ALM_COLUMN_RUN_COUNT];
    size_t behind;
    for (size_t from = 0; from < block->count; from = behind) {
        size_t count =
            alm_column_runs(&block->columns[ALM_BLOCK_PLACE], from, block->count, runs, &behind);
        for (size_t r = 0; r < count; r++) {
            size_t n = (r + 1 < count ? runs[r + 1].row : behind) - runs[r].row;
            if (runs[r].value < (int64_t)plan->behind ||
                runs[r].value > (int64_t)(ALM_PLACE_NONE - n)) {
                return damaged(st, "its places");
            }
            plan->behind = (alm_place_id)(runs[r].value + (int64_t)n);
            ALM_TRY(
                plan_run(walk, plan, runs[r].row, (alm_place_id)runs[r].value, plan->behind, st));
        }
    }
    return ALM_OK;
}

// Goes through the block as row by row. The adder stands before its first place.
static alm_code fill_plan(const alm_adder *adder, alm_block *block, alm_total_plan *plan,
                          alm_status *st)
{
    alm_adder walk = *adder;
    walk.arena = adder->plans->arena;
    walk.missing = plan->missing;
    walk.missing_cap = plan->missing_cap;
    walk.missing_count = plan->span_count = plan->left_out_count = plan->outside_count = 0;
    plan->behind = 0;
    ALM_TRY(plan_runs(&walk, block, plan, st));
    plan->missing = walk.missing;
    plan->missing_cap = walk.missing_cap;
    plan->missing_count = walk.missing_count;
    plan->at = walk.at;
    plan->next = walk.next;
    return ALM_OK;
}

static bool is_plan_of(const alm_total_plan *plan, const alm_adder *adder, const alm_block *block)
{
    return plan->members == adder->plans->members && plan->row_count == block->count &&
           alm_str_eq((alm_str){plan->bytes, plan->bytes_len},
                      block->columns[ALM_BLOCK_PLACE].bytes);
}

static alm_code make_plan(const alm_adder *adder, alm_block *block, alm_total_plan *plan,
                          alm_status *st)
{
    alm_arena *arena = adder->plans->arena;
    alm_str bytes = block->columns[ALM_BLOCK_PLACE].bytes;
    plan->members = 0;
    if (!grow(arena, &plan->bytes, &plan->bytes_cap, bytes.len, 1)) {
        return no_memory(st);
    }
    memcpy(plan->bytes, bytes.data, bytes.len);
    plan->bytes_len = bytes.len;
    plan->row_count = block->count;
    ALM_TRY(fill_plan(adder, block, plan, st));
    plan->members = adder->plans->members;
    return ALM_OK;
}

// Members before the block are told, and *ret says what becomes of its rows.
static alm_code find_plan(alm_adder *adder, alm_block *block, const alm_total_plan **ret,
                          alm_status *st)
{
    int64_t first = alm_column_get(&block->columns[ALM_BLOCK_PLACE], 0);
    if (first < (int64_t)adder->behind || first >= ALM_PLACE_NONE) {
        return damaged(st, "its places");
    }
    size_t chunk = (size_t)first / ALM_BULK_PLACE_COUNT;
    alm_total_plan *plan = &adder->plans->of[chunk % ALM_TOTAL_PLAN_COUNT];
    ALM_TRY(pass_until(adder, (alm_place_id)first, st));
    if (!is_plan_of(plan, adder, block)) {
        ALM_TRY(make_plan(adder, block, plan, st));
    }
    *ret = plan;
    return ALM_OK;
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
    const alm_total_plan *plan;
    size_t missing; // of the plan's that were told
    odd_rows odd[ODD_COUNT];
    int odd_columns[ODD_COUNT]; // those that have odd rows
    int odd_count;
    int64_t next_odd; // the first odd row that was not added yet
    alm_obs common;   // all that most rows share
    alm_total_like like;
    int64_t factor; // of a number at its exponent, to stand at the block's scale
    uint32_t group; // that is added to: what is not in its total yet
    __int128 sum;
    size_t count;                          // of rows that are as most,
    uint32_t others[ALM_OBS_STATUS_COUNT]; // and of those that differ in their status alone
    size_t numbers_from, numbers_to;       // rows whose numbers are at hand
    const int64_t *numbers;
    int64_t few[ALM_BLOCK_SUM_ROWS];
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

// The odd rows before it are passed by.
static void pass_odd(odd_rows *odd, int64_t row)
{
    while (odd->at < odd->count && odd->rows[odd->at] < row) {
        odd->at++;
    }
}

static int64_t odd_value(odd_rows *odd, int64_t row)
{
    pass_odd(odd, row);
    return odd->at < odd->count && odd->rows[odd->at] == row ? odd->values[odd->at] : odd->common;
}

// Goes on to the first row from `row` on that is odd; INT64_MAX: none.
static void find_next_odd(adding *it, int64_t row)
{
    it->next_odd = INT64_MAX;
    for (int i = 0; i < it->odd_count; i++) {
        odd_rows *odd = &it->odd[it->odd_columns[i]];
        pass_odd(odd, row);
        if (odd->at < odd->count) {
            it->next_odd = ALM_MIN(it->next_odd, odd->rows[odd->at]);
        }
    }
}

static bool set_odd(int64_t flags, int64_t exponent, int64_t published, alm_obs *ret)
{
    return alm_block_set(ALM_BLOCK_FLAGS, &flags, 1, NULL, 0, ret) &&
           alm_block_set(ALM_BLOCK_EXPONENT, &exponent, 1, NULL, 0, ret) &&
           alm_block_set(ALM_BLOCK_PUBLISHED, &published, 1, NULL, 0, ret);
}

// *ret_can: the block is one that can be added up as a whole.
static alm_code make_adding(alm_adder *adder, alm_block *block, alm_arena *scratch, adding *ret,
                            bool *ret_can, alm_status *st)
{
    static const int columns[ODD_COUNT] = {ALM_BLOCK_FLAGS, ALM_BLOCK_EXPONENT,
                                           ALM_BLOCK_PUBLISHED};
    alm_column *unit = &block->columns[ALM_BLOCK_UNIT];
    alm_column *source = &block->columns[ALM_BLOCK_SOURCE];
    *ret_can = block->has_sums && alm_column_constant(unit) && alm_column_constant(source);
    ret->adder = adder;
    ret->block = block;
    ret->common = (alm_obs){0};
    ret->missing = 0;
    ret->numbers_from = ret->numbers_to = 0;
    ret->sums_from = ret->sums_to = 0;
    ret->odd_count = 0;
    for (int i = 0; i < ODD_COUNT && *ret_can; i++) {
        ALM_TRY(find_odd(block, columns[i], scratch, &ret->odd[i], ret_can, st));
        ret->odd_columns[ret->odd_count] = i;
        ret->odd_count += ret->odd[i].count > 0;
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

// Where a number in so many is asked for by itself, all are read at once.
#define DENSE_SHARE 64

static alm_code read_numbers(adding *it, alm_status *st)
{
    alm_total_plans *plans = it->adder->plans;
    size_t singles = it->plan->left_out_count + 2 * it->plan->span_count;
    if (singles < it->block->count / DENSE_SHARE) {
        return ALM_OK;
    }
    if (!grow(plans->arena, &plans->numbers, &plans->number_cap, it->block->count,
              sizeof *plans->numbers)) {
        return no_memory(st);
    }
    alm_block_numbers(it->block, 0, it->block->count, plans->numbers);
    it->numbers = plans->numbers;
    it->numbers_to = it->block->count;
    return ALM_OK;
}

// The number of a row, and of its neighbours with the same stored sum.
static const int64_t *numbers_at(adding *it, size_t row)
{
    if (row < it->numbers_from || row >= it->numbers_to) {
        it->numbers_from = row / ALM_BLOCK_SUM_ROWS * ALM_BLOCK_SUM_ROWS;
        it->numbers_to = ALM_MIN(it->numbers_from + ALM_BLOCK_SUM_ROWS, it->block->count);
        alm_block_numbers(it->block, it->numbers_from, it->numbers_to, it->few);
        it->numbers = it->few;
    }
    return it->numbers + (row - it->numbers_from);
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
            uint64_t part = 0;
            const int64_t *numbers = numbers_at(it, from);
            for (size_t i = 0; i < behind - from; i++) {
                part += (uint64_t)numbers[i];
            }
            sum += (int64_t)part;
        }
        from = behind;
    }
    return sum;
}

// What was added up of a group goes into its total. Of which status a number is does not matter.
static alm_code flush(adding *it, alm_status *st)
{
    alm_total_like like = it->like;
    __int128 sum = it->sum / it->factor;
    if (it->sum % it->factor != 0) {
        return damaged(st, "a number at a finer digit than it has");
    }
    it->others[like.status] += (uint32_t)it->count;
    for (int status = 0; status < ALM_OBS_STATUS_COUNT; status++) {
        if (it->others[status] > 0) {
            like.status = (uint8_t)status;
            it->adder->has_cells = true;
            alm_total_add_like(&it->adder->totals[it->group], &like, sum, it->others[status],
                               (alm_told){it->common.source, it->common.published});
            sum = 0;
        }
    }
    return ALM_OK;
}

// Tells of the members between the rows that are missing before the place.
static alm_code miss_until(adding *it, alm_place_id place, alm_status *st)
{
    const alm_total_plan *plan = it->plan;
    for (; it->missing < plan->missing_count; it->missing++) {
        const alm_place_range *range = &plan->missing[it->missing];
        if (range->from >= place) {
            break;
        }
        ALM_TRY(miss(it->adder, range->from, range->to, st));
    }
    return ALM_OK;
}

static alm_code miss_row(adding *it, size_t row, alm_status *st)
{
    alm_place_id place = alm_block_place(it->block, row);
    ALM_TRY(miss_until(it, place, st));
    return miss(it->adder, place, place + 1, st);
}

// Does the row differ from most in its status alone?
static bool has_other_status(adding *it, size_t at, alm_obs_status *ret)
{
    alm_value value = it->common.value;
    bool is_alike = alm_block_flags_set(odd_value(&it->odd[ODD_FLAGS], (int64_t)at), &value);
    for (int i = ODD_FLAGS + 1; i < ODD_COUNT; i++) {
        is_alike &= odd_value(&it->odd[i], (int64_t)at) == it->odd[i].common;
    }
    *ret = value.status;
    return is_alike && value.has_number && value.qualifier == it->like.qualifier &&
           value.status != ALM_OBS_STATUS_WITHDRAWN;
}

// A member that is not as most are: it is taken out of the sum, and added by itself.
static alm_code add_odd(adding *it, size_t at, alm_status *st)
{
    alm_adder *adder = it->adder;
    alm_obs row = it->common;
    alm_obs_status status;
    if (has_other_status(it, at, &status)) {
        it->others[status]++;
        it->count--;
        return ALM_OK;
    }
    if (!set_odd(odd_value(&it->odd[ODD_FLAGS], (int64_t)at),
                 odd_value(&it->odd[ODD_EXPONENT], (int64_t)at),
                 odd_value(&it->odd[ODD_PUBLISHED], (int64_t)at), &row)) {
        return damaged(st, "a row");
    }
    int64_t number = *numbers_at(it, at);
    row.value.number.mantissa = number;
    adder->has_cells |= row.value.status != ALM_OBS_STATUS_WITHDRAWN;
    it->sum -= number;
    it->count--;
    if (!row.value.has_number) {
        return miss_row(it, at, st);
    }
    if (!alm_block_unscale(it->block->scale, &row, 1)) {
        return damaged(st, "a number at a finer digit than it has");
    }
    alm_total *total = &adder->totals[it->group];
    alm_told told = {row.source, row.published};
    if (row.value.qualifier == it->like.qualifier &&
        row.value.number.exponent == it->common.value.number.exponent) {
        alm_total_like like = it->like;
        like.status = (uint8_t)row.value.status;
        alm_total_add_like(total, &like, row.value.number.mantissa, 1, told);
        return ALM_OK;
    }
    return alm_total_add(total, &row.value, adder->groups->unit, told) ? ALM_OK
                                                                       : miss_row(it, at, st);
}

// left_out: rows of the span, ascending.
static alm_code add_span(adding *it, const alm_total_span *span, const uint32_t *left_out,
                         size_t left_out_count, alm_status *st)
{
    it->group = span->group;
    it->count = span->to - span->from - left_out_count;
    memset(it->others, 0, sizeof it->others);
    it->sum = sum_rows(it, span->from, span->to);
    for (size_t i = 0; i < left_out_count; i++) {
        it->sum -= *numbers_at(it, left_out[i]);
    }
    size_t out = 0;
    if (it->next_odd < (int64_t)span->from) {
        find_next_odd(it, (int64_t)span->from);
    }
    for (; it->next_odd < (int64_t)span->to; find_next_odd(it, it->next_odd + 1)) {
        size_t row = (size_t)it->next_odd;
        while (out < left_out_count && left_out[out] < row) {
            out++;
        }
        if (out == left_out_count || left_out[out] != row) {
            ALM_TRY(add_odd(it, row, st));
        }
    }
    return flush(it, st);
}

// Is some row of places that are no members a cell? Only looked at where no member has one.
static alm_code look_outside(adding *it, alm_status *st)
{
    const alm_total_plan *plan = it->plan;
    for (size_t i = 0; i < plan->outside_count && !it->adder->has_cells; i++) {
        for (size_t row = plan->outside[i].from; row < plan->outside[i].to; row++) {
            uint16_t flags;
            if (!alm_block_cell_flags(it->block, row, row + 1, &flags)) {
                return damaged(st, "a row");
            }
            it->adder->has_cells |= alm_cell_status(flags) != ALM_OBS_STATUS_WITHDRAWN;
        }
    }
    return ALM_OK;
}

static alm_code add_spans(adding *it, alm_status *st)
{
    const alm_total_plan *plan = it->plan;
    size_t left_out = 0;
    ALM_TRY(read_numbers(it, st));
    find_next_odd(it, 0);
    for (size_t i = 0; i < plan->span_count; i++) {
        const alm_total_span *span = &plan->spans[i];
        ALM_TRY(add_span(it, span, plan->left_out + left_out, span->left_out_to - left_out, st));
        left_out = span->left_out_to;
    }
    ALM_TRY(look_outside(it, st));
    ALM_TRY(miss_until(it, ALM_PLACE_NONE, st));
    it->adder->at = plan->at;
    it->adder->next = plan->next;
    it->adder->behind = plan->behind;
    return ALM_OK;
}

alm_code alm_adder_block(alm_adder *adder, alm_block *block, alm_arena *scratch, alm_status *st)
{
    bool can;
    adding it;
    if (block->count == 0 || adder->at == adder->range_count) {
        return ALM_OK;
    }
    ALM_TRY(make_adding(adder, block, scratch, &it, &can, st));
    if (!can) {
        return add_block_rows(adder, block, scratch, st);
    }
    ALM_TRY(find_plan(adder, block, &it.plan, st));
    return add_spans(&it, st);
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
    return alm_adder_begin(&it->adder, it->groups, &it->plans, period, it->arena, st);
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
