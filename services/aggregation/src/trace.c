#include "trace.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for an explanation");
}

static bool keep(alm_arena *arena, alm_str *text)
{
    text->data = text->len == 0 ? "" : alm_arena_strdup(arena, *text);
    return text->data != NULL;
}

static bool keep_cell(alm_arena *arena, alm_trace_cell *cell)
{
    return keep(arena, &cell->indicator) && keep(arena, &cell->breakdown) &&
           keep(arena, &cell->relation);
}

static bool keep_words(alm_arena *arena, alm_trace_words *words)
{
    words->zh = alm_arena_strdup(arena, alm_str_from(words->zh == NULL ? "" : words->zh));
    words->en = alm_arena_strdup(arena, alm_str_from(words->en == NULL ? "" : words->en));
    return words->zh != NULL && words->en != NULL;
}

alm_code alm_trace_add(alm_trace *it, const alm_trace_node *node, alm_status *st)
{
    void *nodes = it->nodes;
    if (!alm_arena_grow(it->arena, &nodes, &it->cap, it->count + 1, sizeof *node)) {
        return no_memory(st);
    }
    it->nodes = nodes;
    alm_trace_node *copy = &it->nodes[it->count++];
    *copy = *node;
    copy->depth = it->depth;
    bool is_good = keep_cell(it->arena, &copy->cell) && keep(it->arena, &copy->note) &&
                   keep_words(it->arena, &copy->words);
    return is_good ? ALM_OK : no_memory(st);
}

alm_code alm_trace_rename(alm_trace *it, size_t node, const alm_trace_cell *cell, alm_status *st)
{
    ALM_ASSERT(node < it->count);
    it->nodes[node].cell = *cell;
    return keep_cell(it->arena, &it->nodes[node].cell) ? ALM_OK : no_memory(st);
}

alm_code alm_trace_observation(alm_trace *it, const alm_trace_cell *cell, const alm_obs *obs,
                               alm_unit unit, alm_status *st)
{
    alm_trace_node node = {
        .kind = ALM_TRACE_OBSERVATION,
        .cell = *cell,
        .value = obs->value,
        .interval = alm_value_interval(&obs->value),
        .unit = unit,
        .source = obs->source,
        .published = obs->published,
        .sequence = obs->sequence,
        .note = obs->note,
    };
    return alm_trace_add(it, &node, st);
}

alm_code alm_trace_missing(alm_trace *it, const alm_trace_cell *cell, alm_status *st)
{
    alm_trace_node node = {
        .kind = ALM_TRACE_MISSING,
        .cell = *cell,
        .value = {.status = ALM_OBS_STATUS_MISSING_UNSPECIFIED},
        .source = ALM_SOURCE_NONE,
        .published = ALM_DATE_NONE,
    };
    node.interval = alm_value_interval(&node.value);
    return alm_trace_add(it, &node, st);
}

alm_code alm_trace_computed(alm_trace *it, const alm_trace_cell *cell, alm_trace_words words,
                            const alm_grid *grid, size_t at, alm_unit unit, alm_status *st)
{
    alm_trace_node node = {
        .kind = cell->measure == ALM_MEASURE_NONE ? ALM_TRACE_PART : ALM_TRACE_COMPUTED,
        .cell = *cell,
        .words = words,
        .source = ALM_SOURCE_NONE,
        .published = ALM_DATE_NONE,
    };
    alm_grid_value(grid, at, unit, &node.value, &node.interval);
    return alm_trace_add(it, &node, st);
}

alm_trace_cell alm_trace_cell_of(const alm_variant_entry *entry, alm_place_id place,
                                 alm_period period)
{
    return (alm_trace_cell){
        .indicator = entry->variant.indicator,
        .breakdown = entry->breakdown,
        .relation = entry->relation,
        .measure = entry->variant.measure,
        .accumulation = entry->variant.accumulation,
        .place = place,
        .period = period,
    };
}

bool alm_trace_list_takes(const alm_trace *it, alm_trace_list *list)
{
    bool takes = list->noted < ALM_TRACE_LIST_COUNT_MAX && it->count < ALM_TRACE_NODE_COUNT_MAX;
    list->noted += takes;
    list->more += !takes;
    return takes;
}

alm_code alm_trace_list_end(alm_trace *it, const alm_trace_list *list, alm_status *st)
{
    if (list->more == 0) {
        return ALM_OK;
    }
    alm_trace_node node = {.kind = ALM_TRACE_REMARK,
                           .source = ALM_SOURCE_NONE,
                           .published = ALM_DATE_NONE,
                           .words = {
                               alm_arena_printf(it->arena, "另有%zu项未列出", list->more),
                               alm_arena_printf(it->arena, "%zu more are not listed", list->more),
                           }};
    return node.words.zh == NULL || node.words.en == NULL ? no_memory(st)
                                                          : alm_trace_add(it, &node, st);
}
