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

typedef struct sort_key {
    alm_decimal number; // in the measure's common unit, of an order by value
    bool has_number;
    bool is_descending;
    uint32_t row;
    uint64_t place_order;
    uint64_t period;
    uint64_t variant; // rank of the variant's text, then published before computed
} sort_key;

static int by_key(const void *a, const void *b)
{
    const sort_key *x = a;
    const sort_key *y = b;
    if (x->place_order != y->place_order) {
        return x->place_order < y->place_order ? -1 : 1;
    }
    if (x->period != y->period) {
        return x->period < y->period ? -1 : 1;
    }
    if (x->variant != y->variant) {
        return x->variant < y->variant ? -1 : 1;
    }
    return x->row < y->row ? -1 : x->row > y->row;
}

// Rows without a number come last, whichever way the others run.
static int by_value(const void *a, const void *b)
{
    const sort_key *x = a;
    const sort_key *y = b;
    if (x->has_number != y->has_number) {
        return x->has_number ? -1 : 1;
    }
    int order = x->has_number ? alm_decimal_cmp(x->number, y->number) : 0;
    if (order == 0) {
        return by_key(a, b);
    }
    return x->is_descending ? -order : order;
}

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

static void take_number(const alm_answers *answers, const alm_answer *answer,
                        const alm_indicator *indicator, sort_key *key)
{
    const alm_variant_entry *entry = alm_variant_table_get(answers->variants, answer->obs.variant);
    alm_unit common = indicator->unit;
    key->has_number = answer->obs.value.has_number;
    key->number = answer->obs.value.number;
    // A target may be an amount or a rate; amounts compare in the indicator's unit.
    bool has_common = alm_measure_common_unit(entry->variant.measure, indicator->unit, &common);
    if (!has_common && alm_unit_convertible(answer->obs.value.unit, indicator->unit)) {
        common = indicator->unit;
        has_common = true;
    }
    // What is computed may have a unit of its own: an index of a level.
    has_common &= alm_unit_convertible(answer->obs.value.unit, common);
    if (key->has_number && has_common) {
        key->has_number =
            alm_number_in_unit(&answer->obs.value, common, &key->number, NULL) == ALM_OK;
    }
}

// On the heap: an answer of the largest size needs a third of the arena for its order alone.
static alm_code sort(const alm_answers *answers, const alm_query_plan *plan,
                     const alm_indicator *indicator, sort_key **ret, alm_status *st)
{
    sort_key *keys = alm_calloc(answers->count, sizeof *keys);
    uint32_t *ranks = rank_variants(answers);
    if (keys == NULL || ranks == NULL) {
        alm_free(keys);
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory to order %zu rows",
                              answers->count);
    }
    bool orders_values = plan->order != ALMANAC__V1__ORDER__ORDER_KEY;
    for (uint32_t i = 0; i < answers->count; i++) {
        const alm_answer *answer = alm_answers_get(answers, i);
        uint32_t order = alm_query_plan_place_index(plan, answer->obs.place);
        bool is_computed = answer->extra != NULL && answer->extra->computed;
        keys[i] = (sort_key){
            .is_descending = plan->order == ALMANAC__V1__ORDER__ORDER_VALUE_DESC,
            .row = i,
            // Groups of a roll-up need not be places that were asked: they follow by id.
            .place_order =
                order != ALM_PLACE_NONE ? order : (UINT64_C(1) << 32) + answer->obs.place,
            .period =
                answer->obs.period.freq == ALM_FREQ_NONE ? 0 : alm_period_pack(answer->obs.period),
            .variant = (uint64_t)ranks[answer->obs.variant] * 2 + is_computed,
        };
        if (orders_values) {
            take_number(answers, answer, indicator, &keys[i]);
        }
    }
    qsort(keys, answers->count, sizeof *keys, orders_values ? by_value : by_key);
    *ret = keys;
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
static void convert(const alm_query_plan *plan, const alm_indicator *indicator, alm_measure measure,
                    alm_result_row *row)
{
    alm_unit to = plan->unit_choice == ALM_UNIT_GIVEN ? plan->unit : indicator->unit;
    alm_dimension dimension = alm_measure_dimension(measure, alm_unit_dimension(indicator->unit));
    bool applies = plan->unit_choice != ALM_UNIT_AS_PUBLISHED && row->value.has_number &&
                   dimension == alm_unit_dimension(to);
    if (!applies || alm_unit_eq(row->value.unit, to)) {
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
static alm_str measure_of(const alm_variant_entry *entry, const alm_answer_extra *extra,
                          alm_unit unit)
{
    if (entry->variant.measure == ALM_MEASURE_TARGET && extra != NULL && extra->computed) {
        return ALM_STR("target_progress");
    }
    if (entry->variant.measure == ALM_MEASURE_RANK && unit.measure == ALM_MEASURE_UNIT_PERCENT) {
        return ALM_STR("percentile");
    }
    return alm_str_from(alm_measure_code(entry->variant.measure));
}

static alm_result_row row_of(const alm_answers *answers, const alm_query_plan *plan,
                             const alm_indicator *indicator, const alm_answer *answer)
{
    const alm_obs *obs = &answer->obs;
    const alm_answer_extra *extra = answer->extra;
    const alm_variant_entry *entry = alm_variant_table_get(answers->variants, obs->variant);
    alm_result_row row = {
        .place = alm_place_tree_get(plan->tree, obs->place)->code,
        .measure = measure_of(entry, extra, obs->value.unit),
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
    sort_key *keys = NULL;
    ALM_TRY(sort(answers, plan, indicator, &keys, st));
    size_t count = plan->limit == 0 ? answers->count : ALM_MIN(answers->count, plan->limit);
    alm_code code = ALM_OK;
    for (size_t i = 0; i < count && code == ALM_OK; i++) {
        const alm_answer *answer = alm_answers_get(answers, keys[i].row);
        alm_result_row row = row_of(answers, plan, indicator, answer);
        row.indicator = label;
        code = row.reason.len > 0 ? ALM_OK : reason_of(answers, plan, answer, &row.reason, st);
        if (code == ALM_OK) {
            code = sink->row(sink->self, &row, st);
        }
    }
    alm_free(keys);
    return code;
}
