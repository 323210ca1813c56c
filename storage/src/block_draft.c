// Blocks written: rows made columns, and columns bytes.
#include "block_bytes.h"
#include "notes.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a block of rows");
}

static alm_code note_column(const alm_obs *rows, size_t count, alm_notes *notes, int64_t *ret,
                            alm_arena *scratch, alm_status *st)
{
    for (size_t i = 0; i < count; i++) {
        if (!alm_notes_add(notes, rows[i].note, scratch, &ret[i])) {
            return no_memory(st);
        }
    }
    return ALM_OK;
}

// --- columns of rows -----------------------------------------------------------------------------

int64_t alm_block_flags(const alm_value *value)
{
    return alm_obs_flags(value);
}

#define FILL(expr)                                                                                 \
    for (size_t i = 0; i < count; i++) {                                                           \
        const alm_obs *row = &rows[i];                                                             \
        ret[i] = (int64_t)(expr);                                                                  \
    }                                                                                              \
    break

static void period_column(const alm_obs *rows, size_t count, int64_t *ret)
{
    for (size_t i = 0; i < count; i++) { // neighbours mostly share theirs
        bool is_same = i > 0 && alm_period_eq(rows[i].period, rows[i - 1].period);
        ret[i] = is_same ? ret[i - 1] : (int64_t)alm_period_pack(rows[i].period);
    }
}

static void get_column(const alm_obs *rows, size_t count, int column, int64_t *ret)
{
    switch (column) {
    case ALM_BLOCK_VARIANT:
        FILL(row->variant);
    case ALM_BLOCK_PLACE:
        FILL(row->place);
    case ALM_BLOCK_PERIOD:
        period_column(rows, count, ret);
        break;
    case ALM_BLOCK_MANTISSA:
        FILL(row->value.has_number ? row->value.number.mantissa : 0);
    case ALM_BLOCK_EXPONENT:
        FILL(row->value.has_number ? row->value.number.exponent : 0);
    case ALM_BLOCK_UNIT:
        FILL(alm_unit_pack(row->value.unit));
    case ALM_BLOCK_FLAGS:
        FILL(alm_block_flags(&row->value));
    case ALM_BLOCK_SOURCE:
        FILL((uint32_t)(row->source + 1));
    case ALM_BLOCK_PUBLISHED:
        FILL(row->published);
    default:
        ALM_ASSERT(column == ALM_BLOCK_SEQUENCE);
        FILL(row->sequence);
    }
}

// What all rows have in common.
typedef struct survey {
    unsigned differing;  // a bit for each column, set where some row is not as the first
    bool has_note;       // some row
    int lowest, highest; // exponent of the rows with a number; the lowest is above if none has
    uint64_t most;       // no number's mantissa is more than this above 0, or below -1
} survey;

#define ROW_WORDS (sizeof(alm_obs) / sizeof(uint64_t))
_Static_assert(sizeof(alm_obs) == ROW_WORDS * sizeof(uint64_t), "rows are looked at word by word");

// A row whose every bit tells whether that bit is other than the first row's in any of them. What
// stands between fields tells nothing.
ALM_WIDE static alm_obs differences_of(const alm_obs *rows, size_t count)
{
    alm_obs ret;
    uint64_t first[ROW_WORDS] = {0}, differing[ROW_WORDS] = {0};
    if (count > 0) {
        memcpy(first, rows, sizeof first);
    }
    for (size_t i = 1; i < count; i++) {
        uint64_t row[ROW_WORDS];
        memcpy(row, &rows[i], sizeof row);
        for (size_t w = 0; w < ROW_WORDS; w++) {
            differing[w] |= row[w] ^ first[w];
        }
    }
    memcpy(&ret, differing, sizeof ret);
    return ret;
}

// Where only some rows have a number, the exponents of the others count as 0, whatever they say.
static unsigned differing_columns(const alm_obs *d)
{
    const alm_period *p = &d->period;
    const alm_value *v = &d->value;
    return (unsigned)(d->variant != 0) << ALM_BLOCK_VARIANT |
           (unsigned)(d->place != 0) << ALM_BLOCK_PLACE |
           (unsigned)(p->freq != 0 || p->length != 0 || p->ordinal != 0) << ALM_BLOCK_PERIOD |
           (unsigned)(v->number.mantissa != 0) << ALM_BLOCK_MANTISSA |
           (unsigned)(v->number.exponent != 0 || v->has_number) << ALM_BLOCK_EXPONENT |
           (unsigned)(alm_unit_pack(v->unit) != 0) << ALM_BLOCK_UNIT |
           (unsigned)(v->qualifier != 0 || v->status != 0 || v->has_number) << ALM_BLOCK_FLAGS |
           (unsigned)(d->source != 0) << ALM_BLOCK_SOURCE |
           (unsigned)(d->published != 0) << ALM_BLOCK_PUBLISHED |
           (unsigned)(d->sequence != 0) << ALM_BLOCK_SEQUENCE;
}

ALM_WIDE static survey survey_of(const alm_obs *rows, size_t count)
{
    alm_obs differing = differences_of(rows, count);
    survey ret = {.differing = differing_columns(&differing),
                  .has_note = count > 0 && (rows[0].note.len | differing.note.len) != 0,
                  .lowest = ALM_DECIMAL_EXPONENT_MAX + 1,
                  .highest = ALM_DECIMAL_EXPONENT_MIN};
    for (size_t i = 0; i < count; i++) {
        const alm_value *v = &rows[i].value;
        int low = v->has_number ? v->number.exponent : ALM_DECIMAL_EXPONENT_MAX + 1;
        int high = v->has_number ? v->number.exponent : ALM_DECIMAL_EXPONENT_MIN;
        ret.lowest = ALM_MIN(ret.lowest, low);
        ret.highest = ALM_MAX(ret.highest, high);
        ret.most |= (uint64_t)(v->number.mantissa ^ (v->number.mantissa >> 63));
    }
    return ret;
}

// --- scale ---------------------------------------------------------------------------------------

// Would the number have 18 digits at most?
static bool fits_scale(alm_decimal number, int scale)
{
    size_t shift = (size_t)(number.exponent - scale);
    int64_t mantissa = number.mantissa < 0 ? -number.mantissa : number.mantissa;
    return shift < ALM_BLOCK_POWER_COUNT &&
           mantissa <= ALM_DECIMAL_MANTISSA_MAX / alm_block_powers[shift];
}

// The lowest exponent of the rows' numbers. False: they do not all fit at it.
static bool scale_of(const alm_obs *rows, size_t count, const survey *of, int *ret)
{
    *ret = of->lowest > ALM_DECIMAL_EXPONENT_MAX ? 0 : of->lowest;
    alm_decimal largest = {.mantissa = (int64_t)ALM_MIN(of->most + 1, (uint64_t)INT64_MAX),
                           .exponent = (int8_t)of->highest};
    if (of->highest < of->lowest || fits_scale(largest, *ret)) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (rows[i].value.has_number && !fits_scale(rows[i].value.number, *ret)) {
            return false;
        }
    }
    return true;
}

static void scale_column(const alm_obs *rows, size_t count, int scale, int64_t *ret)
{
    for (size_t i = 0; i < count; i++) {
        alm_decimal number = rows[i].value.number;
        bool is_there = rows[i].value.has_number;
        ret[i] = is_there ? number.mantissa * alm_block_powers[number.exponent - scale] : 0;
    }
}

// --- over a base ---------------------------------------------------------------------------------

static uint32_t base_value(const alm_base *base, int64_t place)
{
    int64_t at = place - (int64_t)base->first;
    return at >= 0 && at < (int64_t)base->count ? base->values[at] : 0;
}

// What the numbers of a few rows are to their base, as a whole.
static uint32_t factor_of(const alm_base *base, const int64_t *places, const int64_t *numbers,
                          size_t count)
{
    double sum = 0;
    double base_sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)numbers[i];
        base_sum += base_value(base, places[i]);
    }
    double factor = base_sum > 0 ? sum / base_sum * (1 << ALM_BASE_SHIFT) : 0;
    return factor >= 1 && factor <= UINT32_MAX ? (uint32_t)factor : 0;
}

// Appends numbers over the base, if that is shorter than without. left and factors have room for
// count numbers. False: it is not, nothing was written.
static bool encode_over_base(const alm_base *base, const int64_t *places, const int64_t *numbers,
                             size_t count, int64_t *left, int64_t *factors, alm_buf *out)
{
    size_t factor_count = 0;
    for (size_t from = 0; from < count; from += ALM_BLOCK_FACTOR_ROWS) {
        size_t to = ALM_MIN(from + ALM_BLOCK_FACTOR_ROWS, count);
        uint32_t factor = factor_of(base, places + from, numbers + from, to - from);
        for (size_t i = from; i < to; i++) {
            left[i] = numbers[i] - alm_base_like(base_value(base, places[i]), factor);
        }
        factors[factor_count++] = factor;
    }
    alm_frames_plan left_plan = alm_frames_plan_of(left, count);
    alm_frames_plan factor_plan = alm_frames_plan_of(factors, factor_count);
    if (left_plan.bytes + factor_plan.bytes >= alm_frames_plan_of(numbers, count).bytes) {
        return false;
    }
    alm_frames_put(&factor_plan, factors, factor_count, out);
    alm_frames_put(&left_plan, left, count, out);
    return true;
}

// --- whole blocks --------------------------------------------------------------------------------

static bool add_list(alm_block_draft *d, int column, alm_arena *scratch)
{
    d->columns[column] = alm_arena_alloc(scratch, d->count * sizeof(int64_t));
    return d->columns[column] != NULL;
}

// Lists for the columns that differ, and those of places and mantissas.
static bool add_lists(alm_block_draft *d, unsigned differing, alm_arena *scratch)
{
    for (int c = 0; c < ALM_BLOCK_COLUMN_COUNT; c++) {
        bool is_wanted = differing >> c & 1 || c == ALM_BLOCK_PLACE || c == ALM_BLOCK_MANTISSA;
        if (is_wanted && !add_list(d, c, scratch)) {
            return false;
        }
    }
    d->indices = alm_arena_alloc(scratch, d->count * sizeof *d->indices);
    d->left = alm_arena_alloc(scratch, d->count * sizeof *d->left);
    d->sums = alm_arena_alloc(scratch, (d->count / ALM_BLOCK_SUM_ROWS + 1) * sizeof *d->sums);
    return d->indices != NULL && d->left != NULL && d->sums != NULL;
}

// So many rows are in the cache while their columns are taken one by one.
#define TILE_ROWS 256

static void fill_columns(alm_block_draft *d, const alm_obs *rows)
{
    for (size_t from = 0; from < d->count; from += TILE_ROWS) {
        size_t count = ALM_MIN(d->count - from, (size_t)TILE_ROWS);
        for (int c = 0; c < ALM_BLOCK_NOTE; c++) {
            if (c == ALM_BLOCK_MANTISSA && d->is_scaled) {
                scale_column(rows + from, count, d->scale, d->columns[c] + from);
            } else if (d->columns[c] != NULL) {
                get_column(rows + from, count, c, d->columns[c] + from);
            }
        }
    }
    for (int c = 0; c < ALM_BLOCK_NOTE && d->count > 0; c++) {
        if (d->columns[c] == NULL) {
            get_column(rows, 1, c, &d->common[c]);
        }
    }
}

// Below so many rows they are as quickly added up.
#define SUM_COUNT_MIN  (2 * ALM_BLOCK_SUM_ROWS)
// So many of these fit into 64 bits.
#define SUM_NUMBER_MAX (INT64_MAX / ALM_BLOCK_SUM_ROWS)

// Adds up the mantissas. False: they are few, or too large.
static bool add_up(alm_block_draft *d)
{
    const int64_t *numbers = d->columns[ALM_BLOCK_MANTISSA];
    if (d->count < SUM_COUNT_MIN) {
        return false;
    }
    for (size_t i = 0; i < d->count; i++) {
        int64_t v = numbers[i];
        if (v > SUM_NUMBER_MAX || v < -SUM_NUMBER_MAX) {
            return false;
        }
        int64_t *sum = &d->sums[i / ALM_BLOCK_SUM_ROWS];
        *sum = i % ALM_BLOCK_SUM_ROWS == 0 ? v : *sum + v;
    }
    return true;
}

static void put_u32_at(alm_buf *out, size_t at, uint32_t v)
{
    for (size_t i = 0; i < sizeof v && !out->failed; i++) {
        out->data[at + i] = (uint8_t)(v >> (8 * i));
    }
}

// Appends the mantissa column, and says at base_at over which base it is.
static void encode_numbers(const alm_block_draft *d, const alm_base *base, size_t base_at,
                           alm_buf *out)
{
    const int64_t *numbers = d->columns[ALM_BLOCK_MANTISSA];
    bool is_over = base != NULL && d->count > 1 &&
                   encode_over_base(base, d->columns[ALM_BLOCK_PLACE], numbers, d->count, d->left,
                                    d->indices, out);
    if (is_over) {
        put_u32_at(out, base_at, base->id);
    } else {
        alm_column_encode(numbers, d->count, d->indices, out);
    }
}

static void encode_notes(const alm_block_draft *d, alm_buf *out)
{
    alm_buf_varint(out, d->note_count);
    for (size_t i = 0; i < d->note_count; i++) {
        alm_buf_varint(out, d->notes[i].len);
        alm_buf_str(out, d->notes[i]);
    }
}

static void encode_columns(const alm_block_draft *d, const alm_base *base, alm_buf *out)
{
    alm_buf_u8(out, d->is_scaled);
    alm_buf_svarint(out, d->is_scaled ? d->scale : 0);
    size_t base_at = out->len;
    alm_buf_u32(out, 0);
    for (int c = 0; c < ALM_BLOCK_COLUMN_COUNT; c++) {
        if (c == ALM_BLOCK_MANTISSA) {
            encode_numbers(d, d->is_scaled ? base : NULL, base_at, out);
        } else if (d->columns[c] != NULL) {
            alm_column_encode(d->columns[c], d->count, d->indices, out);
        } else {
            alm_frames_encode(&d->common[c], 1, out);
        }
    }
}

alm_code alm_block_draft_make(const alm_obs *rows, size_t count, alm_arena *scratch,
                              alm_block_draft *ret, alm_status *st)
{
    alm_notes notes = {0};
    survey of = survey_of(rows, count);
    *ret = (alm_block_draft){.count = count};
    if (!add_lists(ret, of.differing, scratch)) {
        return no_memory(st);
    }
    if (of.has_note) {
        if (!add_list(ret, ALM_BLOCK_NOTE, scratch)) {
            return no_memory(st);
        }
        ALM_TRY(note_column(rows, count, &notes, ret->columns[ALM_BLOCK_NOTE], scratch, st));
    }
    ret->notes = notes.notes;
    ret->note_count = notes.count;
    ret->is_scaled = scale_of(rows, count, &of, &ret->scale);
    fill_columns(ret, rows);
    ret->has_sums = ret->is_scaled && add_up(ret);
    return ALM_OK;
}

void alm_block_draft_set(alm_block_draft *draft, int column, int64_t value)
{
    ALM_ASSERT(column != ALM_BLOCK_PLACE && column != ALM_BLOCK_MANTISSA);
    draft->columns[column] = NULL;
    draft->common[column] = value;
}

alm_code alm_block_draft_put(const alm_block_draft *draft, const alm_base *base, alm_buf *out,
                             alm_status *st)
{
    alm_buf_u8(out, ALM_BLOCK_VERSION);
    alm_buf_varint(out, draft->count);
    encode_notes(draft, out);
    encode_columns(draft, base, out);
    alm_buf_u8(out, draft->has_sums);
    if (draft->has_sums) {
        alm_frames_encode(draft->sums, (draft->count - 1) / ALM_BLOCK_SUM_ROWS + 1, out);
    }
    return out->failed ? no_memory(st) : ALM_OK;
}

alm_code alm_block_encode(const alm_obs *rows, size_t count, const alm_base *base,
                          alm_arena *scratch, alm_buf *out, alm_status *st)
{
    alm_block_draft draft;
    ALM_TRY(alm_block_draft_make(rows, count, scratch, &draft, st));
    return alm_block_draft_put(&draft, base, out, st);
}

alm_code alm_block_rebase(alm_str bytes, size_t count_max, const alm_base *old,
                          const alm_base *base, alm_arena *scratch, alm_buf *out, alm_status *st)
{
    alm_block block;
    alm_block_offsets at;
    ALM_TRY(alm_block_open_at(bytes, count_max, old, scratch, &block, &at, st));
    alm_block_draft draft = {.count = block.count};
    if (!add_lists(&draft, 0, scratch)) {
        return no_memory(st);
    }
    size_t begin = out->len;
    alm_column_range(&block.columns[ALM_BLOCK_PLACE], 0, block.count,
                     draft.columns[ALM_BLOCK_PLACE]);
    alm_block_numbers(&block, 0, block.count, draft.columns[ALM_BLOCK_MANTISSA]);
    alm_buf_append(out, bytes.data, at.numbers_from);
    put_u32_at(out, begin + at.base, 0);
    encode_numbers(&draft, block.is_scaled ? base : NULL, begin + at.base, out);
    alm_buf_append(out, bytes.data + at.numbers_to, bytes.len - at.numbers_to);
    return out->failed ? no_memory(st) : ALM_OK;
}
