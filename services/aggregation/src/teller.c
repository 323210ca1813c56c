#include "teller.h"

#include "alm/limits.h"

// X(column, type): what differs from row to row.
#define EACH_MAP(X)                                                                                \
    X(place, uint32_t)                                                                             \
    X(period, uint32_t)                                                                            \
    X(source, uint32_t)                                                                            \
    X(published, uint32_t)                                                                         \
    X(note, uint32_t)                                                                              \
    X(reason, uint32_t)                                                                            \
    X(mantissa, int64_t)                                                                           \
    X(exponent, int32_t)                                                                           \
    X(has_number, uint32_t)                                                                        \
    X(bounds, uint32_t)                                                                            \
    X(lower, double)                                                                               \
    X(upper, double)                                                                               \
    X(qualifier, uint32_t)                                                                         \
    X(status, uint32_t)                                                                            \
    X(of_count, uint32_t)                                                                          \
    X(of_expected, uint32_t)

struct alm_teller {
    const alm_query_plan *plan;
    const alm_answer_sink *sink;
    alm_told_common common;
    alm_result_writer *writer; // NULL: to be asked for
    size_t most, room, count;
    alm_result_columns columns; // common ones are set once the writer is known
    const alm_text_list *codes; // of all the plan's places, if most of them come once; else NULL
    bool has_codes;             // the block has them, from this index on:
    uint32_t first_code;
    // Indexes of texts that the row before had:
    bool is_first;
    alm_place_id last_place;
    uint32_t place_index;
    alm_period last_period;
    uint32_t period_index;
    uint32_t last_source, source_index;
    alm_date last_published;
    uint32_t published_index;
    alm_str last_reason; // not "", unless there was none yet
    uint32_t reason_index;
#define EACH_MEMBER(name, type) type *name;
    EACH_MAP(EACH_MEMBER)
#undef EACH_MEMBER
};

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for the answer");
}

// Will nearly every place of the plan have a row, and that in nearly every block?
static bool wants_codes(const alm_query_plan *plan, size_t most)
{
    size_t places = plan->places.count;
    bool is_by_place = plan->order == ALMANAC__V1__ORDER__ORDER_KEY;
    return places > 0 && places == plan->whole_count && places <= most &&
           places <= ALM_RESULT_BLOCK_ROW_COUNT && (!is_by_place || most / places == 1);
}

alm_code alm_teller_make(const alm_query_plan *plan, const alm_answer_sink *sink, size_t most,
                         alm_arena *arena, alm_teller **ret, alm_status *st)
{
    ALM_ASSERT(sink->writer != NULL);
    alm_teller *teller = alm_arena_calloc(arena, 1, sizeof *teller);
    if (teller == NULL) {
        return no_memory(st);
    }
    teller->plan = plan;
    teller->sink = sink;
    teller->most = ALM_MIN(ALM_MAX(most, (size_t)1), (size_t)ALM_RESULT_BLOCK_ROW_COUNT);
#define EACH_MAKE(name, type)                                                                      \
    teller->name = alm_arena_alloc(arena, teller->most * sizeof(type));                            \
    if (teller->name == NULL) {                                                                    \
        return no_memory(st);                                                                      \
    }
    EACH_MAP(EACH_MAKE)
#undef EACH_MAKE
    *ret = teller;
    return wants_codes(plan, most) ? alm_query_plan_codes(plan, arena, &teller->codes, st) : ALM_OK;
}

alm_code alm_teller_flush(alm_teller *teller, alm_status *st)
{
    if (teller->writer == NULL) {
        return ALM_OK;
    }
    teller->columns.count = teller->count;
#define EACH_VIEW(name, type) teller->columns.name.each = teller->name;
    EACH_MAP(EACH_VIEW)
#undef EACH_VIEW
    ALM_TRY(alm_result_writer_columns(teller->writer, &teller->columns, st));
    teller->writer = NULL;
    teller->count = 0;
    teller->room = 0;
    return ALM_OK;
}

alm_code alm_teller_begin(alm_teller *teller, const alm_told_common *common, alm_status *st)
{
    ALM_TRY(alm_teller_flush(teller, st));
    teller->common = *common;
    return ALM_OK;
}

static alm_code begin_block(alm_teller *teller, alm_status *st)
{
    const alm_told_common *common = &teller->common;
    alm_result_columns *columns = &teller->columns;
    const char *code = common->accumulation == ALM_ACCUMULATION_NONE
                           ? ""
                           : alm_accumulation_code(common->accumulation);
    alm_result_writer *writer;
    ALM_TRY(teller->sink->writer(teller->sink->self, &writer, st));
    *columns = (alm_result_columns){.count = 0};
    ALM_TRY(alm_result_writer_text(writer, common->indicator, &columns->indicator.all, st));
    ALM_TRY(alm_result_writer_text(writer, common->measure, &columns->measure.all, st));
    ALM_TRY(alm_result_writer_text(writer, alm_str_from(code), &columns->accumulation.all, st));
    ALM_TRY(alm_result_writer_text(writer, common->breakdown, &columns->breakdown.all, st));
    ALM_TRY(alm_result_writer_text(writer, common->relation, &columns->relation.all, st));
    ALM_TRY(alm_result_writer_text(writer, common->transform, &columns->transform.all, st));
    ALM_TRY(alm_result_writer_unit(writer, common->unit, &columns->unit.all, st));
    columns->origin.all = common->computed ? ALMANAC__V1__ORIGIN__ORIGIN_COMPUTED
                                           : ALMANAC__V1__ORIGIN__ORIGIN_PUBLISHED;
    teller->writer = writer;
    teller->room = ALM_MIN(alm_result_writer_room(writer), teller->most);
    teller->is_first = true;
    teller->last_reason = (alm_str){0};
    ALM_ASSERT(teller->room > 0);
    teller->has_codes = teller->codes != NULL && teller->codes->count <= teller->room;
    return teller->has_codes
               ? alm_result_writer_texts(writer, teller->codes, &teller->first_code, st)
               : ALM_OK;
}

static alm_code find_place(alm_teller *teller, alm_place_id place, alm_status *st)
{
    const alm_query_plan *plan = teller->plan;
    uint32_t at = teller->has_codes ? alm_query_plan_place_index(plan, place) : ALM_PLACE_NONE;
    teller->last_place = place;
    if (at != ALM_PLACE_NONE) {
        teller->place_index = teller->first_code + at;
        return ALM_OK;
    }
    alm_str code = alm_place_tree_get(plan->tree, place)->code;
    return alm_result_writer_text(teller->writer, code, &teller->place_index, st);
}

static alm_code find_period(alm_teller *teller, alm_period period, alm_status *st)
{
    teller->last_period = period;
    return alm_result_writer_period(teller->writer, period, &teller->period_index, st);
}

static alm_code find_source(alm_teller *teller, uint32_t source, alm_status *st)
{
    const alm_catalog *catalog = teller->plan->catalog;
    bool is_known = source < alm_catalog_source_count(catalog);
    alm_str code = is_known ? alm_catalog_source(catalog, source)->code : (alm_str){0};
    teller->last_source = source;
    return alm_result_writer_text(teller->writer, code, &teller->source_index, st);
}

static alm_code find_published(alm_teller *teller, alm_date published, alm_status *st)
{
    teller->last_published = published;
    return alm_result_writer_date(teller->writer, published, &teller->published_index, st);
}

// The codes and dates of a row, of which most are those of the row before.

static alm_code place_put(alm_teller *teller, size_t i, alm_place_id place, alm_status *st)
{
    if (teller->is_first || place != teller->last_place) {
        ALM_TRY(find_place(teller, place, st));
    }
    teller->place[i] = teller->place_index;
    return ALM_OK;
}

static alm_code period_put(alm_teller *teller, size_t i, alm_period period, alm_status *st)
{
    if (teller->is_first || !alm_period_eq(period, teller->last_period)) {
        ALM_TRY(find_period(teller, period, st));
    }
    teller->period[i] = teller->period_index;
    return ALM_OK;
}

static alm_code publication_put(alm_teller *teller, size_t i, uint32_t source, alm_date published,
                                alm_status *st)
{
    if (teller->is_first || source != teller->last_source) {
        ALM_TRY(find_source(teller, source, st));
    }
    if (teller->is_first || published != teller->last_published) {
        ALM_TRY(find_published(teller, published, st));
    }
    teller->source[i] = teller->source_index;
    teller->published[i] = teller->published_index;
    return ALM_OK;
}

static alm_code find_reason(alm_teller *teller, alm_str reason, uint32_t *ret, alm_status *st)
{
    const alm_str *last = &teller->last_reason;
    if (reason.data != last->data || reason.len != last->len) {
        ALM_TRY(alm_result_writer_text(teller->writer, reason, &teller->reason_index, st));
        teller->last_reason = reason;
    }
    *ret = teller->reason_index;
    return ALM_OK;
}

static alm_code find_remarks(alm_teller *teller, const alm_told_row *row, alm_status *st)
{
    size_t i = teller->count;
    teller->note[i] = 0;
    teller->reason[i] = 0;
    if (row->note.len > 0) {
        ALM_TRY(alm_result_writer_text(teller->writer, row->note, &teller->note[i], st));
    }
    return row->reason.len == 0 ? ALM_OK : find_reason(teller, row->reason, &teller->reason[i], st);
}

// Makes room for a row.
static alm_code make_room(alm_teller *teller, alm_status *st)
{
    if (teller->count < teller->room) {
        return ALM_OK;
    }
    ALM_TRY(alm_teller_flush(teller, st));
    return begin_block(teller, st);
}

alm_code alm_teller_add(alm_teller *teller, const alm_told_row *row, alm_status *st)
{
    ALM_TRY(make_room(teller, st));
    size_t i = teller->count;
    ALM_TRY(place_put(teller, i, row->place, st));
    ALM_TRY(period_put(teller, i, row->period, st));
    ALM_TRY(publication_put(teller, i, row->source, row->published, st));
    ALM_TRY(find_remarks(teller, row, st));
    teller->is_first = false;
    teller->count++;
    bool is_told = row->bounds == ALMANAC__V1__BOUNDS__BOUNDS_TOLD;
    teller->mantissa[i] = row->has_number ? row->number.mantissa : 0;
    teller->exponent[i] = row->has_number ? row->number.exponent : 0;
    teller->has_number[i] = row->has_number;
    teller->bounds[i] = row->bounds;
    teller->lower[i] = is_told ? row->interval.lower : 0;
    teller->upper[i] = is_told ? row->interval.upper : 0;
    teller->qualifier[i] = row->qualifier;
    teller->status[i] = row->status;
    teller->of_count[i] = row->of_count;
    teller->of_expected[i] = row->of_expected;
    return ALM_OK;
}

static void fill(uint32_t *column, size_t count, uint32_t value)
{
    for (size_t i = 0; i < count; i++) {
        column[i] = value;
    }
}

// Of cells that there is room for: all but their numbers and keys.
static alm_code cells_put(alm_teller *teller, const alm_grid *grid, size_t cell, size_t count,
                          const alm_told_remarks *remarks, alm_status *st)
{
    size_t from = teller->count;
    const uint8_t *flags = grid->flags + cell;
    uint32_t reason = 0;
    if (remarks->reason.len > 0) {
        ALM_TRY(find_reason(teller, remarks->reason, &reason, st));
    }
    for (size_t i = 0; i < count; i++) {
        teller->status[from + i] = alm_cell_flags_status(flags[i]);
        teller->qualifier[from + i] = alm_cell_flags_qualifier(flags[i]);
    }
    memcpy(teller->lower + from, grid->lower + cell, count * sizeof *teller->lower);
    memcpy(teller->upper + from, grid->upper + cell, count * sizeof *teller->upper);
    fill(teller->has_number + from, count, 1);
    fill(teller->bounds + from, count, ALMANAC__V1__BOUNDS__BOUNDS_TOLD);
    fill(teller->note + from, count, 0);
    fill(teller->reason + from, count, reason);
    fill(teller->of_count + from, count, remarks->of_count);
    fill(teller->of_expected + from, count, remarks->of_expected);
    return ALM_OK;
}

static alm_code cell_keys_put(alm_teller *teller, alm_place_id place, const alm_grid *grid,
                              size_t cell, size_t count, alm_status *st)
{
    size_t from = teller->count;
    uint32_t t = (uint32_t)(cell % grid->axis.count);
    for (size_t i = 0; i < count; i++) {
        uint64_t newest = grid->newest[cell + i];
        ALM_TRY(place_put(teller, from + i, place, st));
        ALM_TRY(period_put(teller, from + i, alm_axis_at(grid->axis, t + (uint32_t)i), st));
        ALM_TRY(publication_put(teller, from + i, alm_newest_source(newest),
                                alm_newest_published(newest), st));
        teller->is_first = false;
    }
    return ALM_OK;
}

alm_code alm_teller_add_cells(alm_teller *teller, alm_place_id place, const alm_grid *grid,
                              size_t cell, size_t count, const alm_told_remarks *remarks,
                              size_t *ret_count, alm_status *st)
{
    size_t end = cell + count;
    size_t told, most;
    ALM_ASSERT(cell % grid->axis.count + count <= grid->axis.count);
    *ret_count = 0;
    do {
        ALM_TRY(make_room(teller, st));
        size_t from = teller->count;
        most = ALM_MIN(end - cell, teller->room - from);
        told = alm_grid_numbers(grid, cell, most, teller->mantissa + from, teller->exponent + from);
        ALM_TRY(cells_put(teller, grid, cell, told, remarks, st));
        ALM_TRY(cell_keys_put(teller, place, grid, cell, told, st));
        teller->count += told;
        cell += told;
        *ret_count += told;
    } while (cell < end && told == most);
    return ALM_OK;
}
