#include "answer_order.h"

#include "alm/alloc.h"
#include "byte_sort.h"
#include "convert.h"

#include <stdlib.h>

#define RANK_WITHOUT_NUMBER UINT64_MAX
#define SHORT_MAX           INT64_C(999999999999999) // numbers of 15 digits have their own doubles

typedef struct sorter {
    const alm_answers *answers;
    const alm_query_plan *plan;
    const alm_indicator *indicator;
    bool is_by_value, is_descending;
    bool is_alike; // numbers are compared as mantissas of this exponent
    int8_t finest;
    bool has_long; // a number may share its double with another
    // The unit of the row before, and what rows of its kind are compared in:
    uint32_t variant;
    alm_unit unit, common;
    bool has_common;
    alm_cell_index kinds; // to their numbers
    uint32_t *kind_order; // of each number
    alm_answer_key *keys;
    size_t count, most;
    bool is_sorted;
    bool is_in_places; // but for their numbers they are
    bool is_heap;      // the first is the last in order
} sorter;

static alm_code no_memory(const sorter *it, alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory to order %zu rows",
                          alm_answers_count(it->answers));
}

// --- kinds --------------------------------------------------------------------------------------

typedef struct ranked_text {
    alm_str text;
    uint32_t id;
} ranked_text;

static int by_text(const void *a, const void *b)
{
    return alm_str_cmp(((const ranked_text *)a)->text, ((const ranked_text *)b)->text);
}

static uint32_t *rank_variants(const alm_answers *answers)
{
    size_t count = answers->variants->count;
    ranked_text *texts = alm_arena_calloc(answers->arena, count, sizeof *texts);
    uint32_t *ranks = alm_arena_calloc(answers->arena, count, sizeof *ranks);
    if (texts == NULL || ranks == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        texts[i] = (ranked_text){alm_variant_table_get(answers->variants, i)->text, i};
    }
    if (count > 0) {
        qsort(texts, count, sizeof *texts, by_text);
    }
    for (uint32_t i = 0; i < count; i++) {
        ranks[texts[i].id] = i;
    }
    return ranks;
}

typedef struct kind {
    uint64_t period;
    uint32_t variant; // by text
    bool computed;
    uint32_t number;
} kind;

static int by_kind(const void *a, const void *b)
{
    const kind *x = a;
    const kind *y = b;
    if (x->period != y->period) {
        return x->period < y->period ? -1 : 1;
    }
    if (x->variant != y->variant) {
        return x->variant < y->variant ? -1 : 1;
    }
    return (int)x->computed - (int)y->computed;
}

typedef struct kind_list {
    sorter *it;
    const uint32_t *variant_ranks;
    kind *of;
    size_t count, cap;
} kind_list;

static uint64_t period_order(alm_period period)
{
    return period.freq == ALM_FREQ_NONE ? 0 : alm_period_pack(period);
}

static alm_code add_kind(kind_list *list, alm_period period, uint32_t variant, bool computed,
                         alm_status *st)
{
    sorter *it = list->it;
    uint32_t fresh = (uint32_t)list->count;
    uint32_t at;
    ALM_TRY(alm_cell_index_add(&it->kinds, period_order(period),
                               (uint64_t)variant << 1 | (uint64_t)computed, fresh, &at, st));
    if (at != fresh) {
        return ALM_OK;
    }
    void *of = list->of;
    if (!alm_arena_grow(it->answers->arena, &of, &list->cap, list->count + 1, sizeof *list->of)) {
        return no_memory(it, st);
    }
    list->of = of;
    list->of[list->count++] =
        (kind){period_order(period), list->variant_ranks[variant], computed, fresh};
    return ALM_OK;
}

static bool is_computed(const alm_answer *answer)
{
    return answer->extra != NULL && answer->extra->computed;
}

static alm_code find_kinds(sorter *it, alm_status *st)
{
    const alm_answers *answers = it->answers;
    kind_list list = {.it = it, .variant_ranks = rank_variants(answers)};
    if (list.variant_ranks == NULL) {
        return no_memory(it, st);
    }
    ALM_TRY(alm_cell_index_init(&it->kinds, answers->arena, st));
    for (size_t i = 0; answers->cells != NULL && i < answers->cells->run_count; i++) {
        const alm_cell_run *run = &answers->cells->runs[i];
        ALM_TRY(add_kind(&list, run->period, run->variant, false, st));
    }
    for (size_t i = 0; i < answers->count; i++) {
        const alm_answer *answer = alm_answers_get(answers, i);
        ALM_TRY(add_kind(&list, answer->obs.period, answer->obs.variant, is_computed(answer), st));
    }
    it->kind_order = alm_arena_calloc(answers->arena, list.count, sizeof *it->kind_order);
    if (it->kind_order == NULL) {
        return no_memory(it, st);
    }
    if (list.count > 0) {
        qsort(list.of, list.count, sizeof *list.of, by_kind);
    }
    for (uint32_t i = 0; i < list.count; i++) {
        it->kind_order[list.of[i].number] = i;
    }
    return ALM_OK;
}

static uint32_t kind_of(const sorter *it, alm_period period, uint32_t variant, bool computed)
{
    uint32_t number = alm_cell_index_find(&it->kinds, period_order(period),
                                          (uint64_t)variant << 1 | (uint64_t)computed);
    ALM_ASSERT(number != ALM_CELL_NONE);
    return it->kind_order[number];
}

// --- numbers ------------------------------------------------------------------------------------

// False: numbers in the unit have none in common with others, and are compared as they are.
static bool common_unit(const alm_indicator *indicator, alm_measure measure, alm_unit unit,
                        alm_unit *ret)
{
    bool has_common = alm_measure_common_unit(measure, indicator->unit, ret);
    // A target may be an amount or a rate; amounts compare in the indicator's unit.
    if (!has_common && alm_unit_convertible(unit, indicator->unit)) {
        *ret = indicator->unit;
        has_common = true;
    }
    // What is computed may have a unit of its own: an index of a level.
    return has_common && alm_unit_convertible(unit, *ret);
}

bool alm_answer_order_is_plain(const alm_indicator *indicator, alm_measure measure, alm_unit unit)
{
    alm_unit common;
    return !common_unit(indicator, measure, unit, &common) || alm_unit_eq(unit, common);
}

static void find_common_unit(sorter *it, uint32_t variant, alm_unit unit)
{
    alm_measure measure = alm_variant_table_get(it->answers->variants, variant)->variant.measure;
    it->variant = variant;
    it->unit = unit;
    it->has_common = common_unit(it->indicator, measure, unit, &it->common);
}

// False: the row has none.
static bool number_of(sorter *it, uint32_t variant, const alm_value *value, alm_decimal *ret)
{
    if (!value->has_number) {
        return false;
    }
    if (variant != it->variant || !alm_unit_eq(value->unit, it->unit)) {
        find_common_unit(it, variant, value->unit);
    }
    if (it->has_common) {
        return alm_number_in_unit(value, it->common, ret, NULL) == ALM_OK;
    }
    *ret = value->number;
    return true;
}

// Takes the numbers of a run into one that is as large and as fine as any of them.
static void widen(const alm_obs_columns *rows, alm_decimal *largest, int8_t *finest)
{
    for (size_t i = 0; i < rows->count; i++) {
        int64_t mantissa = ALM_OBS_AT(rows, mantissa, i);
        int8_t exponent = (int8_t)ALM_OBS_AT(rows, exponent, i);
        largest->mantissa = ALM_MAX(largest->mantissa, mantissa < 0 ? -mantissa : mantissa);
        largest->exponent = ALM_MAX(largest->exponent, exponent);
        *finest = ALM_MIN(*finest, exponent);
    }
}

// Are numbers in the unit compared in it, or in one that is a power of ten of it and holds all?
static bool compares_as_it_is(const sorter *it, alm_decimal largest, int8_t finest)
{
    alm_unit same = it->common;
    alm_decimal converted;
    same.mult = it->unit.mult;
    if (!it->has_common) {
        return true;
    }
    alm_decimal least = {1, finest};
    return alm_unit_eq(same, it->unit) &&
           alm_unit_convert(largest, it->unit, it->common, &converted, NULL) == ALM_OK &&
           alm_unit_convert(least, it->unit, it->common, &converted, NULL) == ALM_OK;
}

// Are all numbers in one unit, in which they can be compared, and do they fit one exponent?
static bool are_alike(sorter *it)
{
    const alm_cells *cells = it->answers->cells;
    if (cells == NULL || cells->run_count == 0) {
        return false;
    }
    const alm_cell_run *first = &cells->runs[0];
    alm_decimal largest = {0, ALM_DECIMAL_EXPONENT_MIN};
    alm_decimal fitted;
    it->finest = ALM_DECIMAL_EXPONENT_MAX;
    for (size_t i = 0; i < it->answers->count; i++) {
        if (alm_answers_get(it->answers, i)->obs.value.has_number) {
            return false;
        }
    }
    for (size_t i = 0; i < cells->run_count; i++) {
        const alm_cell_run *run = &cells->runs[i];
        if (run->rows.each_unit || run->variant != first->variant ||
            !alm_unit_eq(run->rows.unit[0], first->rows.unit[0])) {
            return false;
        }
        widen(&run->rows, &largest, &it->finest);
    }
    find_common_unit(it, first->variant, first->rows.unit[0]);
    return compares_as_it_is(it, largest, it->finest) &&
           alm_decimal_rescale(largest, it->finest, &fitted, NULL) == ALM_OK;
}

#define SIGN (UINT64_C(1) << 63)

static uint64_t rank_of(sorter *it, uint32_t variant, const alm_value *value)
{
    alm_decimal number;
    if (!it->is_by_value) {
        return 0;
    }
    if (it->is_alike && value->has_number) {
        alm_code code = alm_decimal_rescale(value->number, it->finest, &number, NULL);
        ALM_ASSERT(code == ALM_OK);
        uint64_t rising = (uint64_t)number.mantissa ^ SIGN;
        return it->is_descending ? ~rising : rising;
    }
    if (!number_of(it, variant, value, &number)) {
        return RANK_WITHOUT_NUMBER;
    }
    it->has_long |= number.mantissa > SHORT_MAX || number.mantissa < -SHORT_MAX;
    double nearest = alm_decimal_to_double(number);
    int64_t bits;
    memcpy(&bits, &nearest, sizeof bits);
    // Without a sign the bits rise with the number, with one they fall.
    uint64_t rising = (uint64_t)bits ^ (bits < 0 ? UINT64_MAX : SIGN);
    return it->is_descending ? ~rising : rising;
}

static int compare_numbers(sorter *it, uint32_t a, uint32_t b)
{
    alm_decimal x;
    alm_decimal y;
    alm_obs p = alm_answers_obs(it->answers, a);
    alm_obs q = alm_answers_obs(it->answers, b);
    if (!number_of(it, p.variant, &p.value, &x) || !number_of(it, q.variant, &q.value, &y)) {
        return 0;
    }
    return it->is_descending ? alm_decimal_cmp(y, x) : alm_decimal_cmp(x, y);
}

// --- choosing -----------------------------------------------------------------------------------

static int by_key(const void *a, const void *b, void *arg)
{
    sorter *it = arg;
    const alm_answer_key *x = a;
    const alm_answer_key *y = b;
    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    int order = it->has_long ? compare_numbers(it, x->row, y->row) : 0;
    if (order != 0) {
        return order;
    }
    if (x->place != y->place) {
        return x->place < y->place ? -1 : 1;
    }
    if (x->kind != y->kind) {
        return x->kind < y->kind ? -1 : 1;
    }
    return x->row < y->row ? -1 : x->row > y->row;
}

// Moves a key down the heap.
static void sift_down(sorter *it, size_t at)
{
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= it->count) {
            return;
        }
        child += child + 1 < it->count && by_key(&it->keys[child], &it->keys[child + 1], it) < 0;
        if (by_key(&it->keys[at], &it->keys[child], it) >= 0) {
            return;
        }
        alm_answer_key held = it->keys[at];
        it->keys[at] = it->keys[child];
        it->keys[child] = held;
        at = child;
    }
}

// Rows beyond the first `most` take the place of the last of these, unless they come behind it.
static void offer(sorter *it, alm_answer_key key)
{
    if (it->count < it->most) {
        const alm_answer_key *last = it->count == 0 ? NULL : &it->keys[it->count - 1];
        it->is_sorted = it->is_sorted && (last == NULL || by_key(last, &key, it) < 0);
        it->is_in_places =
            it->is_in_places && (last == NULL || last->place < key.place ||
                                 (last->place == key.place && last->kind <= key.kind));
        it->keys[it->count++] = key;
        return;
    }
    if (!it->is_heap) {
        for (size_t k = it->count / 2; k-- > 0;) {
            sift_down(it, k);
        }
        it->is_heap = true;
        it->is_sorted = false;
    }
    if (by_key(&key, &it->keys[0], it) < 0) {
        it->keys[0] = key;
        sift_down(it, 0);
    }
}

// Of a run whose numbers all stand at one exponent in one unit: the number of the last in order of
// those that were chosen, as a mantissa at that exponent. Rows beyond it need not be offered.
// False: there is no such number.
static bool last_of_run(const sorter *it, const alm_cell_run *run, int64_t *ret)
{
    const alm_obs_columns *rows = &run->rows;
    bool is_alike = it->is_heap && it->is_by_value && !rows->each_unit && !rows->each_exponent;
    if (!is_alike || it->keys[0].rank == RANK_WITHOUT_NUMBER) {
        return false;
    }
    alm_obs last = alm_answers_obs(it->answers, it->keys[0].row);
    *ret = last.value.number.mantissa;
    return last.variant == run->variant && alm_unit_eq(last.value.unit, rows->unit[0]) &&
           last.value.number.exponent == rows->exponent[0];
}

static void offer_run(sorter *it, const alm_cell_run *run)
{
    const alm_obs_columns *rows = &run->rows;
    uint32_t number = kind_of(it, run->period, run->variant, false);
    int64_t last = 0;
    bool has_last = last_of_run(it, run, &last);
    for (size_t i = 0; i < rows->count; i++) {
        int64_t mantissa = ALM_OBS_AT(rows, mantissa, i);
        bool is_beyond = it->is_descending ? mantissa < last : mantissa > last;
        if (has_last && is_beyond) {
            continue;
        }
        alm_obs row = alm_obs_at(rows, i);
        offer(it, (alm_answer_key){
                      .rank = rank_of(it, run->variant, &row.value),
                      .place = alm_answer_place_order(it->plan, row.place),
                      .kind = number,
                      .row = (uint32_t)(run->first + i),
                  });
        has_last = last_of_run(it, run, &last);
    }
}

static void offer_all(sorter *it)
{
    const alm_answers *answers = it->answers;
    size_t first = answers->cells == NULL ? 0 : answers->cells->count;
    for (size_t i = 0; answers->cells != NULL && i < answers->cells->run_count; i++) {
        offer_run(it, &answers->cells->runs[i]);
    }
    for (size_t i = 0; i < answers->count; i++) {
        const alm_answer *answer = alm_answers_get(answers, i);
        const alm_obs *obs = &answer->obs;
        offer(it, (alm_answer_key){
                      .rank = rank_of(it, obs->variant, &obs->value),
                      .place = alm_answer_place_order(it->plan, obs->place),
                      .kind = kind_of(it, obs->period, obs->variant, is_computed(answer)),
                      .row = (uint32_t)(first + i),
                  });
    }
}

// --- sorting ------------------------------------------------------------------------------------

ALM_BYTE_SORT(sort_by_kind, alm_answer_key, kind)
ALM_BYTE_SORT(sort_by_place, alm_answer_key, place)
ALM_BYTE_SORT(sort_by_rank, alm_answer_key, rank)

// What keys are compared by, the last first. Rows are in their order already.
static void sort_by_bytes(sorter *it, alm_answer_key *room)
{
    alm_answer_key *from = it->keys;
    alm_answer_key *to = room;
    if (!it->is_in_places) {
        sort_by_kind(&from, &to, it->count);
        sort_by_place(&from, &to, it->count);
    }
    sort_by_rank(&from, &to, it->count);
    if (from != it->keys) {
        memcpy(it->keys, from, it->count * sizeof *from);
    }
}

static void sort(sorter *it)
{
    bool is_radix = it->count >= ALM_BYTE_SORT_COUNT_MIN && !it->has_long && !it->is_heap;
    alm_answer_key *room = is_radix ? alm_alloc(it->count * sizeof *room) : NULL;
    if (room != NULL) {
        sort_by_bytes(it, room);
    } else {
        qsort_r(it->keys, it->count, sizeof it->keys[0], by_key, it);
    }
    alm_free(room);
}

alm_code alm_answer_order_make(const alm_answers *answers, const alm_query_plan *plan,
                               const alm_indicator *indicator, alm_answer_order *ret,
                               alm_status *st)
{
    size_t all = alm_answers_count(answers);
    // In the arena: its index is released with it.
    sorter *it = alm_arena_calloc(answers->arena, 1, sizeof *it);
    *ret = (alm_answer_order){.keys = NULL};
    if (it == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory to order %zu rows", all);
    }
    it->answers = answers;
    it->plan = plan;
    it->indicator = indicator;
    it->is_by_value = plan->order != ALMANAC__V1__ORDER__ORDER_KEY;
    it->is_descending = plan->order == ALMANAC__V1__ORDER__ORDER_VALUE_DESC;
    it->variant = UINT32_MAX;
    it->most = plan->limit == 0 ? all : ALM_MIN(all, plan->limit);
    it->is_sorted = true;
    it->is_in_places = true;
    it->is_alike = it->is_by_value && are_alike(it);
    ALM_TRY(find_kinds(it, st));
    it->keys = alm_alloc(it->most * sizeof *it->keys);
    if (it->keys == NULL) {
        return no_memory(it, st);
    }
    offer_all(it);
    if (!it->is_sorted) {
        sort(it);
    }
    *ret = (alm_answer_order){.keys = it->keys, .count = it->count};
    return ALM_OK;
}
