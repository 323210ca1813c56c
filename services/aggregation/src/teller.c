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
    // Indexes of texts that the row before had:
    bool is_first;
    alm_place_id last_place;
    uint32_t place_index;
    alm_period last_period;
    uint32_t period_index;
    uint32_t last_source, source_index;
    alm_date last_published;
    uint32_t published_index;
#define EACH_MEMBER(name, type) type *name;
    EACH_MAP(EACH_MEMBER)
#undef EACH_MEMBER
};

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for the answer");
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
    return ALM_OK;
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
    ALM_ASSERT(teller->room > 0);
    return ALM_OK;
}

static alm_code find_place(alm_teller *teller, alm_place_id place, alm_status *st)
{
    alm_str code = alm_place_tree_get(teller->plan->tree, place)->code;
    teller->last_place = place;
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

// The texts of a row, of which most are those of the row before.
static alm_code find_texts(alm_teller *teller, const alm_told_row *row, alm_status *st)
{
    size_t i = teller->count;
    bool is_first = teller->is_first;
    if (is_first || row->place != teller->last_place) {
        ALM_TRY(find_place(teller, row->place, st));
    }
    if (is_first || !alm_period_eq(row->period, teller->last_period)) {
        ALM_TRY(find_period(teller, row->period, st));
    }
    if (is_first || row->source != teller->last_source) {
        ALM_TRY(find_source(teller, row->source, st));
    }
    if (is_first || row->published != teller->last_published) {
        ALM_TRY(find_published(teller, row->published, st));
    }
    teller->is_first = false;
    teller->place[i] = teller->place_index;
    teller->period[i] = teller->period_index;
    teller->source[i] = teller->source_index;
    teller->published[i] = teller->published_index;
    teller->note[i] = 0;
    teller->reason[i] = 0;
    if (row->note.len > 0) {
        ALM_TRY(alm_result_writer_text(teller->writer, row->note, &teller->note[i], st));
    }
    return row->reason.len == 0
               ? ALM_OK
               : alm_result_writer_text(teller->writer, row->reason, &teller->reason[i], st);
}

alm_code alm_teller_add(alm_teller *teller, const alm_told_row *row, alm_status *st)
{
    if (teller->count == teller->room) {
        ALM_TRY(alm_teller_flush(teller, st));
        ALM_TRY(begin_block(teller, st));
    }
    ALM_TRY(find_texts(teller, row, st));
    size_t i = teller->count++;
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
