// Between the messages of proto/ and the structs of model/: the only place that knows both.
//
// From a message: everything is validated (the bytes came from outside); text is viewed, not
// copied, so results live as long as the message and the arena. To a message: text is copied into
// the arena. Every function answers ALM_RESOURCE_EXHAUSTED when the arena is full.
#ifndef ALM_WIRE_H
#define ALM_WIRE_H

#include "alm/catalog.h"
#include "alm/observation.h"
#include "alm/pace.h"
#include "alm/slice_totals.h"

#include "almanac/internal/storage.pb-c.h"
#include "almanac/v1/common.pb-c.h"

// ALM_INVALID_ARGUMENT  a number that is no enum's, a malformed date or unit; field is set
ALM_MUST_USE alm_code alm_indicator_from_proto(const Almanac__V1__Indicator *message,
                                               alm_arena *arena, alm_indicator *ret,
                                               alm_status *st);
ALM_MUST_USE alm_code alm_place_from_proto(const Almanac__V1__Place *message, alm_arena *arena,
                                           alm_place *ret, alm_status *st);
ALM_MUST_USE alm_code alm_source_from_proto(const Almanac__V1__Source *message, alm_arena *arena,
                                            alm_source *ret, alm_status *st);
ALM_MUST_USE alm_code alm_indicator_to_proto(const alm_indicator *entry, alm_arena *arena,
                                             Almanac__V1__Indicator **ret, alm_status *st);
ALM_MUST_USE alm_code alm_place_to_proto(const alm_place *entry, alm_arena *arena,
                                         Almanac__V1__Place **ret, alm_status *st);
ALM_MUST_USE alm_code alm_source_to_proto(const alm_source *entry, alm_arena *arena,
                                          Almanac__V1__Source **ret, alm_status *st);

// Rows to columns. variants: canonical text; rows[i].variant indexes it. row_numbers: NULL or count
// numbers. Columns that are constant are sent once, columns of zeros not at all.
ALM_MUST_USE alm_code alm_obs_block_write(const alm_str *variants, size_t variant_count,
                                          const alm_obs *rows, size_t count,
                                          const uint32_t *row_numbers, alm_arena *arena,
                                          Almanac__Internal__ObservationBlock **ret,
                                          alm_status *st);

// The same of columns. Those that a message has in the same form are viewed, not copied: they must
// live as long as the message is used.
ALM_MUST_USE alm_code alm_obs_block_write_columns(const alm_str *variants, size_t variant_count,
                                                  const alm_obs_columns *columns,
                                                  const uint32_t *row_numbers, alm_arena *arena,
                                                  Almanac__Internal__ObservationBlock **ret,
                                                  alm_status *st);

// The block's columns, checked, and its table of variants. They view the block, and live in the
// arena where they had to be decoded.
//
// ALM_INVALID_ARGUMENT  a column of a wrong length, an index past a table, a malformed variant,
// period,
//                       unit, number or flag, a row without publication date; names column and row
ALM_MUST_USE alm_code alm_obs_block_columns(const Almanac__Internal__ObservationBlock *block,
                                            alm_arena *arena, alm_str **ret_variants,
                                            size_t *ret_variant_count, alm_obs_columns *ret,
                                            alm_status *st);
// The same as rows.
ALM_MUST_USE alm_code alm_obs_block_read(const Almanac__Internal__ObservationBlock *block,
                                         alm_arena *arena, alm_str **ret_variants,
                                         size_t *ret_variant_count, alm_obs **ret_rows,
                                         size_t *ret_count, alm_status *st);

// --- totals --------------------------------------------------------------------------------------

// The groups' part of a request. There are at most ALM_TOTAL_GROUP_COUNT_MAX (asserted).
ALM_MUST_USE alm_code alm_total_groups_write(const alm_total_groups *groups, alm_arena *arena,
                                             Almanac__Internal__SumsRequest *request,
                                             alm_status *st);
// ALM_INVALID_ARGUMENT  columns of different lengths, runs past the last place, too many groups
ALM_MUST_USE alm_code alm_total_groups_read(const Almanac__Internal__SumsRequest *request,
                                            alm_arena *arena, alm_total_groups *ret,
                                            alm_status *st);

// The slices' part of an answer; each has group_count totals.
ALM_MUST_USE alm_code alm_slice_totals_write(const alm_slice_totals *slices, size_t count,
                                             uint32_t group_count, alm_arena *arena,
                                             Almanac__Internal__SumsResponse *response,
                                             alm_status *st);
// ALM_INVALID_ARGUMENT  a column of a wrong length, a malformed variant, period or total, runs that
//                       do not ascend
ALM_MUST_USE alm_code alm_slice_totals_read(const Almanac__Internal__SumsResponse *response,
                                            uint32_t group_count, alm_arena *arena,
                                            alm_slice_totals **ret, size_t *ret_count,
                                            alm_status *st);

// --- result rows
// ------------------------------------------------------------------------------------

// A number told beside a row, or why there is none.
typedef struct alm_row_figure {
    alm_value value; // its status does not travel: it is the row's
    alm_interval interval;
    const char *reason; // "" where there is a number
} alm_row_figure;

// Of a row of target progress: whether it is on time.
typedef struct alm_row_pace {
    alm_pace_verdict verdict;
    const char *why;
    alm_period until; // up to where it was reached; freq NONE: not known
    alm_freq per;     // of the run-rate: for each month ...; NONE where there is none
    alm_row_figure figures[ALM_PACE_FIGURE_COUNT];
} alm_row_pace;

typedef struct alm_result_row {
    alm_str indicator, place, measure, breakdown, relation; // codes
    alm_str transform;                                      // words; "" for none
    alm_accumulation accumulation;
    alm_period period;
    alm_value value;
    alm_interval interval;
    bool computed;
    alm_str source; // code; "" if not said
    alm_date published;
    alm_str note;
    alm_str reason; // why there is no number, or what to mind
    uint32_t of_count, of_expected;
    const alm_row_pace *pace; // of target progress; NULL: of all else
} alm_result_row;

// Gathers rows into blocks of at most ALM_RESULT_BLOCK_ROW_COUNT, of which at most
// ALM_RESULT_BLOCK_PACE_COUNT have a pace. Everything lives in the arena. Rows come one by one
// (_add) or many at once in columns (_columns), in any mixture:
//
//   size_t count = ALM_MIN(left, alm_result_writer_room(writer));
//   alm_result_columns columns = {.count = count, .place.each = places, .mantissa.each = mantissas,
//                                 .exponent.all = -2, .has_number.all = 1};
//   ALM_TRY(alm_result_writer_text(writer, ALM_STR("gdp"), &columns.indicator.all, st));
//   ALM_TRY(alm_result_writer_unit(writer, unit, &columns.unit.all, st));
//   ...
//   ALM_TRY(alm_result_writer_columns(writer, &columns, st));
//
// A column in which every row is the same costs nothing a row, here and on the wire.
// After a failure a writer is of no more use.
typedef struct alm_result_writer alm_result_writer;
ALM_MUST_USE alm_code alm_result_writer_create(alm_arena *arena, uint64_t sequence,
                                               alm_result_writer **ret, alm_status *st);
ALM_MUST_USE alm_code alm_result_writer_add(alm_result_writer *writer, const alm_result_row *row,
                                            alm_status *st);

// The index of a text in the table of the block that is being filled, which keeps a copy; good
// until the block is taken. "" is 0. A text is in the table once, however often it is asked for.
ALM_MUST_USE alm_code alm_result_writer_text(alm_result_writer *writer, alm_str text, uint32_t *ret,
                                             alm_status *st);

// Texts put together once for many blocks.
typedef struct alm_text_list {
    const char *bytes;    // a line feed behind each
    const uint32_t *ends; // where each one's line feed is
    size_t count;
} alm_text_list;
// In the arena. Texts have no line feeds, and less than 4 GB together (asserted).
ALM_MUST_USE alm_code alm_text_list_make(const alm_str *texts, size_t count, alm_arena *arena,
                                         alm_text_list *ret, alm_status *st);
// The index of a list's first text in the table, where all of it is put; the others follow. They
// are not looked up, so that one of them may be there twice.
ALM_MUST_USE alm_code alm_result_writer_texts(alm_result_writer *writer, const alm_text_list *list,
                                              uint32_t *ret, alm_status *st);

// Of what a period, a date (ALM_DATE_NONE: "") and a unit (none: "") are written as.
ALM_MUST_USE alm_code alm_result_writer_period(alm_result_writer *writer, alm_period period,
                                               uint32_t *ret, alm_status *st);
ALM_MUST_USE alm_code alm_result_writer_date(alm_result_writer *writer, alm_date date,
                                             uint32_t *ret, alm_status *st);
ALM_MUST_USE alm_code alm_result_writer_unit(alm_result_writer *writer, alm_unit unit,
                                             uint32_t *ret, alm_status *st);

// each: an element a row, read during the call; NULL: every row has `all`.
typedef struct alm_result_column {
    const uint32_t *each;
    uint32_t all;
} alm_result_column;
typedef struct alm_result_doubles {
    const double *each;
    double all;
} alm_result_doubles;

// Rows without paces; what is left zero is zero or "" in every row.
typedef struct alm_result_columns {
    size_t count; // rows; at most the writer's room
    // Indexes of texts.
    alm_result_column indicator, place, period, measure, accumulation, breakdown, relation,
        transform, unit, source, published, note, reason;
    struct {
        const int64_t *each;
        int64_t all;
    } mantissa; // 0 where there is no number
    struct {
        const int32_t *each;
        int32_t all;
    } exponent;                   // likewise
    alm_result_column has_number; // 0 or 1
    // Almanac__V1__Bounds: of a published number as alm_result_bounds says; computed ones are
    // mostly told, in lower and upper, which are 0 in all other rows.
    alm_result_column bounds;
    alm_result_doubles lower, upper;
    alm_result_column qualifier, status, origin; // numbers: alm_qualifier, alm_obs_status, Origin
    alm_result_column of_count, of_expected;
} alm_result_columns;
ALM_MUST_USE alm_code alm_result_writer_columns(alm_result_writer *writer,
                                                const alm_result_columns *columns, alm_status *st);

// How the interval of a value travels: TOLD unless the reader makes the same two doubles of the
// number, to the bit.
Almanac__V1__Bounds alm_result_bounds(const alm_value *value, alm_interval interval);

bool alm_result_writer_full(const alm_result_writer *writer);   // no room, or no more paces
size_t alm_result_writer_room(const alm_result_writer *writer); // rows that can still come
size_t alm_result_writer_rows(const alm_result_writer *writer);
// The block gathered so far; the writer starts the next one.
ALM_MUST_USE alm_code alm_result_writer_take(alm_result_writer *writer,
                                             Almanac__V1__ResultBlock **ret, alm_status *st);

#endif
