#include "answer.h"

#include "alm/alloc.h"
#include "alm/limits.h"
#include "convert.h"

#include <stdlib.h>

void alm_answers_init(alm_answers *answers, alm_arena *arena, const alm_variant_table *variants)
{
    *answers = (alm_answers){.arena = arena, .variants = variants};
}

static alm_answer *slot(alm_answers *answers)
{
    if (answers->count == answers->chunk_count * ALM_ANSWER_CHUNK) {
        void *chunks = answers->chunks;
        alm_answer *chunk = alm_arena_alloc(answers->arena, ALM_ANSWER_CHUNK * sizeof *chunk);
        if (chunk == NULL ||
            !alm_arena_grow(answers->arena, &chunks, &answers->chunk_cap, answers->chunk_count + 1,
                            sizeof(answers->chunks[0]))) {
            return NULL;
        }
        answers->chunks = chunks;
        answers->chunks[answers->chunk_count++] = chunk;
    }
    return &answers->chunks[answers->count / ALM_ANSWER_CHUNK][answers->count % ALM_ANSWER_CHUNK];
}

static alm_code append(alm_answers *answers, const alm_obs *obs, const alm_answer_extra *extra,
                       alm_status *st)
{
    if (answers->count == ALM_QUERY_CELL_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "the answer has more than %d rows, the limit; ask for fewer places "
                              "or periods",
                              ALM_QUERY_CELL_COUNT_MAX);
    }
    alm_answer *answer = slot(answers);
    if (answer == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for %zu rows",
                              answers->count + 1);
    }
    *answer = (alm_answer){*obs, extra};
    answers->count++;
    return ALM_OK;
}

alm_code alm_answers_add_published(alm_answers *answers, const alm_obs *obs, alm_status *st)
{
    return append(answers, obs, NULL, st);
}

alm_code alm_answers_add(alm_answers *answers, const alm_obs *obs, const alm_answer_extra *extra,
                         alm_status *st)
{
    alm_answer_extra *copy = alm_arena_alloc(answers->arena, sizeof *copy);
    if (copy == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for %zu rows",
                              answers->count + 1);
    }
    *copy = *extra;
    return append(answers, obs, copy, st);
}

// --- order --------------------------------------------------------------------------------------

// Most comparisons are over with the rank: of an order by value the bits of the nearest double,
// which rise with it; else nothing. Rows without a number come last, whichever way the others run.
typedef struct sort_key {
    uint64_t rank;
    uint32_t place; // its index among the places that are asked; others follow by id
    uint32_t row;
} sort_key;

#define RANK_WITHOUT_NUMBER UINT64_MAX
#define SHORT_MAX           INT64_C(999999999999999) // numbers of 15 digits have their own doubles

typedef struct sorter {
    const alm_answers *answers;
    const alm_query_plan *plan;
    const alm_indicator *indicator;
    uint32_t *variant_ranks; // by text
    bool is_by_value, is_descending;
    bool has_long; // a number may share its double with another
    // The unit of the row before, and what rows of its kind are compared in:
    uint32_t variant;
    alm_unit unit, common;
    bool has_common;
    sort_key *keys;
    size_t count;
} sorter;

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
    qsort(texts, count, sizeof *texts, by_text);
    for (uint32_t i = 0; i < count; i++) {
        ranks[texts[i].id] = i;
    }
    return ranks;
}

static void find_common_unit(sorter *it, uint32_t variant, alm_unit unit)
{
    alm_unit own = it->indicator->unit;
    alm_measure measure = alm_variant_table_get(it->answers->variants, variant)->variant.measure;
    it->variant = variant;
    it->unit = unit;
    it->has_common = alm_measure_common_unit(measure, own, &it->common);
    // A target may be an amount or a rate; amounts compare in the indicator's unit.
    if (!it->has_common && alm_unit_convertible(unit, own)) {
        it->common = own;
        it->has_common = true;
    }
    // What is computed may have a unit of its own: an index of a level.
    it->has_common = it->has_common && alm_unit_convertible(unit, it->common);
}

// False: the row has none.
static bool number_of(sorter *it, uint32_t row, alm_decimal *ret)
{
    const alm_obs *obs = &alm_answers_get(it->answers, row)->obs;
    if (!obs->value.has_number) {
        return false;
    }
    if (obs->variant != it->variant || !alm_unit_eq(obs->value.unit, it->unit)) {
        find_common_unit(it, obs->variant, obs->value.unit);
    }
    if (it->has_common) {
        return alm_number_in_unit(&obs->value, it->common, ret, NULL) == ALM_OK;
    }
    *ret = obs->value.number;
    return true;
}

static uint64_t rank_of(sorter *it, uint32_t row)
{
    alm_decimal number;
    if (!it->is_by_value) {
        return 0;
    }
    if (!number_of(it, row, &number)) {
        return RANK_WITHOUT_NUMBER;
    }
    it->has_long |= number.mantissa > SHORT_MAX || number.mantissa < -SHORT_MAX;
    double nearest = alm_decimal_to_double(number);
    int64_t bits;
    memcpy(&bits, &nearest, sizeof bits);
    // Without a sign the bits rise with the number, with one they fall.
    uint64_t rising = (uint64_t)bits ^ (bits < 0 ? UINT64_MAX : UINT64_C(1) << 63);
    return it->is_descending ? ~rising : rising;
}

static int compare_numbers(sorter *it, uint32_t a, uint32_t b)
{
    alm_decimal x;
    alm_decimal y;
    if (!number_of(it, a, &x) || !number_of(it, b, &y)) {
        return 0;
    }
    return it->is_descending ? alm_decimal_cmp(y, x) : alm_decimal_cmp(x, y);
}

static uint64_t period_order(const alm_answer *answer)
{
    return answer->obs.period.freq == ALM_FREQ_NONE ? 0 : alm_period_pack(answer->obs.period);
}

// Published before computed.
static uint64_t variant_order(const sorter *it, const alm_answer *answer)
{
    bool is_computed = answer->extra != NULL && answer->extra->computed;
    return (uint64_t)it->variant_ranks[answer->obs.variant] * 2 + is_computed;
}

static int by_key(const void *a, const void *b, void *arg)
{
    sorter *it = arg;
    const sort_key *x = a;
    const sort_key *y = b;
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
    const alm_answer *p = alm_answers_get(it->answers, x->row);
    const alm_answer *q = alm_answers_get(it->answers, y->row);
    uint64_t p_order = period_order(p);
    uint64_t q_order = period_order(q);
    if (p_order == q_order) {
        p_order = variant_order(it, p);
        q_order = variant_order(it, q);
    }
    if (p_order != q_order) {
        return p_order < q_order ? -1 : 1;
    }
    return x->row < y->row ? -1 : x->row > y->row;
}

// Moves a key down a heap whose first is the last in order.
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
        sort_key held = it->keys[at];
        it->keys[at] = it->keys[child];
        it->keys[child] = held;
        at = child;
    }
}

static void make_heap(sorter *it)
{
    for (size_t k = it->count / 2; k-- > 0;) {
        sift_down(it, k);
    }
}

uint32_t alm_answer_place_order(const alm_query_plan *plan, alm_place_id place)
{
    uint32_t index = alm_query_plan_place_index(plan, place);
    return index != ALM_PLACE_NONE ? index : (uint32_t)plan->places.count + place;
}

// Rows beyond the first `most` take the place of the last of these, unless they come behind it.
static void choose(sorter *it, size_t most)
{
    const alm_answers *answers = it->answers;
    bool is_sorted = true;
    for (uint32_t i = 0; i < answers->count; i++) {
        sort_key key = {
            .rank = rank_of(it, i),
            .place = alm_answer_place_order(it->plan, alm_answers_get(answers, i)->obs.place),
            .row = i,
        };
        if (it->count < most) {
            is_sorted = is_sorted && (i == 0 || by_key(&it->keys[it->count - 1], &key, it) < 0);
            it->keys[it->count++] = key;
            continue;
        }
        if (i == most) {
            make_heap(it);
        }
        if (by_key(&key, &it->keys[0], it) < 0) {
            it->keys[0] = key;
            sift_down(it, 0);
        }
        is_sorted = false;
    }
    if (!is_sorted) {
        qsort_r(it->keys, it->count, sizeof it->keys[0], by_key, it);
    }
}

// The keys are on the heap: an answer of the largest size needs much of the arena itself.
static alm_code sort(const alm_answers *answers, const alm_query_plan *plan,
                     const alm_indicator *indicator, sorter *ret, alm_status *st)
{
    size_t most = plan->limit == 0 ? answers->count : ALM_MIN(answers->count, plan->limit);
    *ret = (sorter){
        .answers = answers,
        .plan = plan,
        .indicator = indicator,
        .variant_ranks = rank_variants(answers),
        .is_by_value = plan->order != ALMANAC__V1__ORDER__ORDER_KEY,
        .is_descending = plan->order == ALMANAC__V1__ORDER__ORDER_VALUE_DESC,
        .variant = UINT32_MAX,
        .keys = alm_calloc(most, sizeof *ret->keys),
    };
    if (ret->keys == NULL || ret->variant_ranks == NULL) {
        alm_free(ret->keys);
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory to order %zu rows",
                              answers->count);
    }
    choose(ret, most);
    return ALM_OK;
}

// --- telling ------------------------------------------------------------------------------------

static void drop_number(alm_result_row *row, const char *reason)
{
    row->value.has_number = false;
    row->value.number = (alm_decimal){0};
    row->interval = alm_value_interval(&row->value);
    row->reason = alm_str_from(reason);
}

// The unit that was asked, for values of the indicator's own dimension; growth stays percent.
// False: it is theirs already, or they keep their own.
static bool is_to_convert(const alm_query_plan *plan, const alm_indicator *indicator,
                          alm_measure measure, alm_unit unit, alm_unit *ret)
{
    *ret = plan->unit_choice == ALM_UNIT_GIVEN ? plan->unit : indicator->unit;
    alm_dimension dimension = alm_measure_dimension(measure, alm_unit_dimension(indicator->unit));
    return plan->unit_choice != ALM_UNIT_AS_PUBLISHED && dimension == alm_unit_dimension(*ret) &&
           !alm_unit_eq(unit, *ret);
}

static void convert(const alm_query_plan *plan, const alm_indicator *indicator, alm_measure measure,
                    alm_result_row *row)
{
    alm_unit to;
    if (!row->value.has_number || !is_to_convert(plan, indicator, measure, row->value.unit, &to)) {
        return;
    }
    alm_decimal number;
    bool converts = alm_unit_convertible(row->value.unit, to);
    if (!converts && row->computed) {
        return; // it has a unit of its own: points, of percent
    }
    if (!converts) {
        drop_number(row, "the published unit does not convert to the unit asked");
    } else if (alm_number_in_unit(&row->value, to, &number, NULL) != ALM_OK) {
        drop_number(row, "the number does not fit in the unit asked");
    } else {
        row->interval = alm_interval_scale(row->interval, alm_unit_factor(row->value.unit, to));
        row->value.number = number;
        row->value.unit = to;
    }
}

const char *alm_answer_missing(const alm_catalog *catalog, const alm_obs *obs, alm_arena *arena)
{
    if (!alm_obs_status_missing(obs->value.status)) {
        return "";
    }
    const char *label = alm_obs_status_label(obs->value.status, ALM_LANG_EN);
    if (obs->value.status != ALM_OBS_STATUS_WITHDRAWN) {
        return label;
    }
    char day[ALM_PERIOD_TEXT_MAX];
    bool has_source = obs->source < alm_catalog_source_count(catalog);
    alm_str by = has_source ? alm_catalog_source(catalog, obs->source)->code : (alm_str){0};
    (void)alm_date_format(obs->published, day);
    return alm_arena_printf(arena, "%s%s%.*s on %s", label, has_source ? " by " : "",
                            ALM_STR_ARGS(by), day);
}

static alm_code reason_of(const alm_answers *answers, const alm_query_plan *plan,
                          const alm_answer *answer, alm_str *ret, alm_status *st)
{
    *ret = (alm_str){0};
    if (answer->extra != NULL && answer->extra->reason[0] != '\0') {
        *ret = alm_str_from(answer->extra->reason);
    } else if (!answer->obs.value.has_number) {
        const char *text = alm_answer_missing(plan->catalog, &answer->obs, answers->arena);
        if (text == NULL) {
            return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for a reason");
        }
        *ret = alm_str_from(text);
    }
    return ALM_OK;
}

// A value computed of a target is the progress towards it, a rank in percent a percentile; no
// series of the store has these measures.
static alm_str measure_of(const alm_variant_entry *entry, bool computed, alm_unit unit)
{
    if (entry->variant.measure == ALM_MEASURE_TARGET && computed) {
        return ALM_STR("target_progress");
    }
    if (entry->variant.measure == ALM_MEASURE_RANK && unit.measure == ALM_MEASURE_UNIT_PERCENT) {
        return ALM_STR("percentile");
    }
    return alm_str_from(alm_measure_code(entry->variant.measure));
}

bool alm_answers_common(const alm_answers *answers, const alm_query_plan *plan,
                        const alm_indicator *indicator, const alm_obs *row, bool computed,
                        alm_told_common *ret)
{
    const alm_variant_entry *entry = alm_variant_table_get(answers->variants, row->variant);
    alm_unit to;
    *ret = (alm_told_common){
        .measure = measure_of(entry, computed, row->value.unit),
        .breakdown = entry->breakdown,
        .relation = entry->relation,
        .transform = computed ? plan->transforms_text : (alm_str){0},
        .accumulation = entry->variant.accumulation,
        .unit = row->value.unit,
        .computed = computed,
    };
    return !is_to_convert(plan, indicator, entry->variant.measure, row->value.unit, &to);
}

static alm_result_row row_of(const alm_answers *answers, const alm_query_plan *plan,
                             const alm_indicator *indicator, const alm_answer *answer)
{
    const alm_obs *obs = &answer->obs;
    const alm_answer_extra *extra = answer->extra;
    const alm_variant_entry *entry = alm_variant_table_get(answers->variants, obs->variant);
    alm_result_row row = {
        .place = alm_place_tree_get(plan->tree, obs->place)->code,
        .measure = measure_of(entry, extra != NULL && extra->computed, obs->value.unit),
        .breakdown = entry->breakdown,
        .relation = entry->relation,
        .accumulation = entry->variant.accumulation,
        .period = obs->period,
        .value = obs->value,
        .interval = extra != NULL ? extra->interval : alm_value_interval(&obs->value),
        .computed = extra != NULL && extra->computed,
        .published = obs->published,
        .note = obs->note,
        .transform = extra != NULL && extra->computed ? plan->transforms_text : (alm_str){0},
        .of_count = extra == NULL ? 0 : extra->of_count,
        .of_expected = extra == NULL ? 0 : extra->of_expected,
        .pace = extra == NULL ? NULL : extra->pace,
    };
    if (obs->source < alm_catalog_source_count(plan->catalog)) {
        row.source = alm_catalog_source(plan->catalog, obs->source)->code;
    }
    convert(plan, indicator, entry->variant.measure, &row);
    return row;
}

alm_code alm_answers_tell(const alm_answers *answers, const alm_query_plan *plan,
                          const alm_indicator *indicator, alm_str label,
                          const alm_answer_sink *sink, alm_status *st)
{
    if (answers->count == 0) {
        return ALM_OK;
    }
    sorter order;
    ALM_TRY(sort(answers, plan, indicator, &order, st));
    alm_code code = ALM_OK;
    for (size_t i = 0; i < order.count && code == ALM_OK; i++) {
        const alm_answer *answer = alm_answers_get(answers, order.keys[i].row);
        alm_result_row row = row_of(answers, plan, indicator, answer);
        row.indicator = label;
        code = row.reason.len > 0 ? ALM_OK : reason_of(answers, plan, answer, &row.reason, st);
        if (code == ALM_OK) {
            code = sink->row(sink->self, &row, st);
        }
    }
    alm_free(order.keys);
    return code;
}
