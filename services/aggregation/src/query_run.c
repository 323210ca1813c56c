#include "query_run.h"

#include <stdarg.h>
#include <stdio.h>

alm_code alm_query_run_no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                          "out of memory for the answer; ask for fewer places or periods");
}

alm_code alm_query_run_init(alm_query_run *run, const alm_query_plan *plan,
                            const alm_query_item *item, const alm_row_reader *reader,
                            alm_arena *arena, alm_status *st)
{
    *run = (alm_query_run){
        .plan = plan,
        .indicator = item->indicator,
        .derived = item->derived,
        .label = alm_query_item_label(item),
        .reader = reader,
        .is_named = !plan->every,
        .arena = arena,
    };
    ALM_TRY(alm_variant_table_init(&run->variants, arena, st));
    ALM_TRY(alm_cells_init(&run->cells, arena, &run->variants, st));
    alm_answers_init(&run->answers, arena, &run->variants);
    return ALM_OK;
}

// Of the indicator, whatever else the fetch says already.
static void fetch_fill(alm_fetch *fetch, const alm_indicator *indicator, uint32_t measures,
                       const alm_place_id *places, size_t place_count,
                       const alm_period_expr *periods)
{
    fetch->indicators = &indicator->code;
    fetch->indicator_count = 1;
    fetch->measures = measures;
    fetch->places = places;
    fetch->place_count = place_count;
    fetch->periods = *periods;
    fetch->without_value = periods->kind != ALM_PERIOD_EXPR_LAST;
}

alm_fetch alm_query_run_fetch_made(const alm_query_run *run, uint32_t measures,
                                   const alm_place_id *places, size_t place_count,
                                   const alm_period_expr *periods)
{
    alm_fetch fetch = alm_query_plan_fetch(run->plan);
    fetch_fill(&fetch, run->indicator, measures, places, place_count, periods);
    return fetch;
}

static alm_code fetch_cells(alm_query_run *run, alm_fetch *fetch, const alm_indicator *indicator,
                            uint32_t measures, const alm_place_id *places, size_t place_count,
                            const alm_period_expr *periods, alm_status *st)
{
    bool is_nothing =
        place_count == 0 || (periods->kind == ALM_PERIOD_EXPR_RANGES && periods->range_count == 0);
    if (is_nothing) {
        return ALM_OK;
    }
    fetch_fill(fetch, indicator, measures, places, place_count, periods);
    return run->reader->read(run->reader->self, fetch, alm_cells_visit, &run->cells, st);
}

alm_code alm_query_run_fetch(alm_query_run *run, uint32_t measures, const alm_place_id *places,
                             size_t place_count, const alm_period_expr *periods, alm_status *st)
{
    alm_fetch fetch = alm_query_plan_fetch(run->plan);
    return fetch_cells(run, &fetch, run->indicator, measures, places, place_count, periods, st);
}

alm_code alm_query_run_fetch_every(alm_query_run *run, uint32_t measures,
                                   const alm_place_id *places, size_t place_count,
                                   const alm_period_expr *periods, alm_status *st)
{
    alm_fetch fetch = alm_query_plan_fetch(run->plan);
    fetch.freq = ALM_FREQ_NONE;
    fetch.accumulation = ALM_ACCUMULATION_NONE;
    return fetch_cells(run, &fetch, run->indicator, measures, places, place_count, periods, st);
}

alm_code alm_query_run_fetch_of(alm_query_run *run, const alm_indicator *indicator,
                                uint32_t measures, alm_str breakdown, alm_freq freq,
                                const alm_place_list *places, const alm_period_expr *periods,
                                alm_status *st)
{
    alm_fetch fetch = alm_query_plan_fetch(run->plan);
    fetch.breakdown = breakdown;
    fetch.accumulation = ALM_ACCUMULATION_NONE;
    fetch.freq = freq;
    return fetch_cells(run, &fetch, indicator, measures, places->ids, places->count, periods, st);
}

alm_code alm_query_run_missing_variant(alm_query_run *run, alm_measure measure, alm_freq freq,
                                       uint32_t *ret, alm_status *st)
{
    for (uint32_t i = 0; i < run->variants.count; i++) {
        const alm_variant *variant = &alm_variant_table_get(&run->variants, i)->variant;
        if (variant->measure == measure && variant->freq == freq &&
            alm_str_eq(variant->indicator, run->indicator->code)) {
            *ret = i;
            return ALM_OK;
        }
    }
    alm_variant variant = {
        .freq = freq,
        .indicator = run->indicator->code,
        .accumulation = run->plan->accumulation == ALM_ACCUMULATION_NONE ? ALM_ACCUMULATION_PERIOD
                                                                         : run->plan->accumulation,
        .measure = measure,
    };
    if (!alm_str_eq(run->plan->breakdown, ALM_STR("*"))) {
        ALM_TRY(alm_breakdowns_parse(run->plan->breakdown, variant.breakdowns,
                                     &variant.breakdown_count, st));
    }
    return alm_variant_table_add(&run->variants, &variant, ret, st);
}

alm_code alm_query_run_sibling_of(alm_query_run *run, uint32_t variant, alm_str indicator,
                                  uint32_t *ret, alm_status *st)
{
    alm_variant other = alm_variant_table_get(&run->variants, variant)->variant;
    other.indicator = indicator;
    return alm_variant_table_add(&run->variants, &other, ret, st);
}

alm_code alm_query_run_text(alm_query_run *run, const char **ret, alm_status *st, const char *fmt,
                            ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = len < 0 ? NULL : alm_arena_alloc(run->arena, (size_t)len + 1);
    if (text != NULL) {
        (void)vsnprintf(text, (size_t)len + 1, fmt, again);
    }
    va_end(again);
    *ret = text;
    return text == NULL ? alm_query_run_no_memory(st) : ALM_OK;
}

// Appends the parts to the text.
static alm_code name_one(alm_query_run *run, alm_named *named, const alm_str *parts, size_t count,
                         alm_status *st)
{
    size_t len = named->len;
    void *text = (void *)(uintptr_t)named->text; // grown only from what was grown before
    for (size_t i = 0; i < count; i++) {
        len += parts[i].len;
    }
    if (!alm_arena_grow(run->arena, &text, &named->cap, len + 1, 1)) {
        return alm_query_run_no_memory(st);
    }
    char *end = (char *)text + named->len;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > 0) {
            memcpy(end, parts[i].data, parts[i].len);
            end += parts[i].len;
        }
    }
    *end = '\0';
    named->text = text;
    named->len = len;
    return ALM_OK;
}

static alm_code name(alm_query_run *run, alm_named *named, alm_str label, alm_str behind,
                     alm_status *st)
{
    size_t count = named->count++;
    alm_str comma = count > 0 ? ALM_STR(", ") : ALM_STR("");
    alm_str blank = behind.len > 0 ? ALM_STR(" ") : ALM_STR("");
    if (count > ALM_NAMED_MAX) {
        return ALM_OK;
    }
    if (count == ALM_NAMED_MAX) {
        return name_one(run, named, (alm_str[]){comma, ALM_STR("...")}, 2, st);
    }
    return name_one(run, named, (alm_str[]){comma, label, blank, behind}, 4, st);
}

alm_code alm_query_run_name_place(alm_query_run *run, alm_place_id id, alm_named *named,
                                  alm_status *st)
{
    const alm_place *place = alm_place_tree_get(run->plan->tree, id);
    return name(run, named, place->code, place->name_zh, st);
}

alm_code alm_query_run_name_period(alm_query_run *run, alm_period period, alm_named *named,
                                   alm_status *st)
{
    char label[ALM_PERIOD_TEXT_MAX];
    (void)alm_period_format(period, label);
    return name(run, named, alm_str_from(label), (alm_str){0}, st);
}

static alm_code why_unpublished(alm_query_run *run, alm_measure measure, alm_period period,
                                const char **ret, alm_status *st)
{
    alm_unpublished *it = &run->unpublished[(uint32_t)period.ordinal % ALM_UNPUBLISHED_COUNT];
    char label[ALM_PERIOD_TEXT_MAX];
    if (it->reason == NULL || it->measure != measure || !alm_period_eq(it->period, period)) {
        (void)alm_period_format(period, label);
        ALM_TRY(alm_query_run_text(run, &it->reason, st, "no %s for %s", alm_measure_code(measure),
                                   label));
        it->measure = measure;
        it->period = period;
    }
    *ret = it->reason;
    return ALM_OK;
}

alm_code alm_query_run_why_missing(alm_query_run *run, const alm_obs *row, alm_measure measure,
                                   alm_place_id place, alm_period period, const char **ret,
                                   alm_status *st)
{
    char label[ALM_PERIOD_TEXT_MAX];
    char where[ALM_CODE_BYTES_MAX + 8] = "";
    if (row == NULL && place == ALM_PLACE_NONE) {
        return why_unpublished(run, measure, period, ret, st);
    }
    (void)alm_period_format(period, label);
    if (place != ALM_PLACE_NONE) {
        alm_str code = alm_place_tree_get(run->plan->tree, place)->code;
        (void)snprintf(where, sizeof where, "%.*s in ", ALM_STR_ARGS(code));
    }
    const char *code = alm_measure_code(measure);
    if (row == NULL) {
        return alm_query_run_text(run, ret, st, "no %s for %s%s", code, where, label);
    }
    const char *status = alm_answer_missing(run->plan->catalog, row, run->arena);
    if (status == NULL) {
        return alm_query_run_no_memory(st);
    }
    return alm_query_run_text(run, ret, st, "%s for %s%s: %s", code, where, label,
                              status[0] != '\0' ? status : "published without a number");
}
