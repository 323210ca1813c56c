#include "block.h"

#include "notes.h"

#define BLOCK_VERSION 2

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
    return (int64_t)value->qualifier | (int64_t)value->status << 4 |
           (value->has_number ? 1 << 8 : 0);
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
        FILL(row->value.unit.measure | (uint8_t)row->value.unit.mult << 8);
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
           (unsigned)(v->unit.measure != 0 || v->unit.mult != 0) << ALM_BLOCK_UNIT |
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

static const int64_t power_of_ten[] = {1,
                                       10,
                                       100,
                                       1000,
                                       10000,
                                       100000,
                                       1000000,
                                       10000000,
                                       100000000,
                                       1000000000,
                                       10000000000,
                                       100000000000,
                                       1000000000000,
                                       10000000000000,
                                       100000000000000,
                                       1000000000000000,
                                       10000000000000000,
                                       100000000000000000};

bool alm_block_power_of_ten(int power, int64_t *ret)
{
    bool is_there = power >= 0 && (size_t)power < ALM_ARRAY_LEN(power_of_ten);
    *ret = is_there ? power_of_ten[power] : 1;
    return is_there;
}

// Would the number have 18 digits at most?
static bool fits_scale(alm_decimal number, int scale)
{
    size_t shift = (size_t)(number.exponent - scale);
    int64_t mantissa = number.mantissa < 0 ? -number.mantissa : number.mantissa;
    return shift < ALM_ARRAY_LEN(power_of_ten) &&
           mantissa <= ALM_DECIMAL_MANTISSA_MAX / power_of_ten[shift];
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
        ret[i] = is_there ? number.mantissa * power_of_ten[number.exponent - scale] : 0;
    }
}

bool alm_block_unscale(int scale, alm_obs *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        alm_decimal *number = &rows[i].value.number;
        size_t shift = (size_t)(number->exponent - scale);
        if (number->mantissa == 0 || shift == 0) {
            continue;
        }
        if (shift >= ALM_ARRAY_LEN(power_of_ten) || number->mantissa % power_of_ten[shift] != 0) {
            return false;
        }
        number->mantissa /= power_of_ten[shift];
    }
    return true;
}

// --- over a base ---------------------------------------------------------------------------------

// Rows of a factor.
#define FACTOR_ROWS ALM_PACK_FRAME

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
    for (size_t from = 0; from < count; from += FACTOR_ROWS) {
        size_t to = ALM_MIN(from + FACTOR_ROWS, count);
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
    alm_buf_u8(out, BLOCK_VERSION);
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

// --- reading -------------------------------------------------------------------------------------

static alm_code malformed(alm_status *st, const char *what)
{
    return alm_status_set(st, ALM_DATA_LOSS, "a block of rows is damaged: %s", what);
}

static alm_code open_notes(alm_reader *r, alm_arena *arena, alm_block *block, alm_status *st)
{
    uint64_t count = alm_read_varint(r);
    if (r->failed || count > block->count) {
        return malformed(st, "the number of notes");
    }
    if (count == 0) {
        return ALM_OK;
    }
    alm_str *notes = alm_arena_alloc(arena, count * sizeof *notes);
    if (notes == NULL) {
        return no_memory(st);
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t len = alm_read_varint(r);
        notes[i] = alm_read_bytes(r, len);
        if (r->failed || len == 0) {
            return malformed(st, "a note");
        }
    }
    block->notes = notes;
    block->note_count = count;
    return ALM_OK;
}

static alm_code open_scale(alm_reader *r, alm_block *block, alm_status *st)
{
    uint8_t is_scaled = alm_read_u8(r);
    int64_t scale = alm_read_svarint(r);
    if (r->failed || is_scaled > 1 || scale < ALM_DECIMAL_EXPONENT_MIN ||
        scale > ALM_DECIMAL_EXPONENT_MAX) {
        return malformed(st, "its scale");
    }
    block->is_scaled = is_scaled != 0;
    block->scale = (int8_t)scale;
    return ALM_OK;
}

static alm_code open_base(alm_reader *r, const alm_base *base, alm_block *block, alm_status *st)
{
    block->base_id = alm_read_u32(r);
    if (r->failed || (block->base_id != 0 && (!block->is_scaled || block->count == 0))) {
        return malformed(st, "its base");
    }
    if (block->base_id != 0 && (base == NULL || base->id != block->base_id)) {
        return malformed(st, "it is over another base");
    }
    block->base = block->base_id != 0 ? base : NULL;
    return ALM_OK;
}

static bool open_over_base(alm_reader *r, alm_block *block)
{
    size_t factors = (block->count + FACTOR_ROWS - 1) / FACTOR_ROWS;
    alm_column *column = &block->columns[ALM_BLOCK_MANTISSA];
    *column = (alm_column){.count = block->count};
    return alm_frames_open(r, factors, &block->factors) &&
           alm_frames_open(r, block->count, &column->numbers);
}

// Where a part of a block stands in its bytes.
typedef struct span {
    size_t from, to;
} span;

// Columns only; *ret_numbers: of the mantissas.
static alm_code open_columns(alm_reader *r, alm_block *block, span *ret_numbers, alm_status *st)
{
    for (int c = 0; c < ALM_BLOCK_COLUMN_COUNT; c++) {
        bool is_over = c == ALM_BLOCK_MANTISSA && block->base != NULL;
        size_t from = r->at;
        if (is_over ? !open_over_base(r, block)
                    : !alm_column_open(r, block->count, &block->columns[c])) {
            return malformed(st, "a column");
        }
        if (c == ALM_BLOCK_MANTISSA) {
            *ret_numbers = (span){.from = from, .to = r->at};
        }
    }
    return ALM_OK;
}

static alm_code open_sums(alm_reader *r, alm_block *block, alm_status *st)
{
    uint8_t has_sums = alm_read_u8(r);
    block->has_sums = has_sums == 1;
    if (r->failed || has_sums > 1 ||
        (block->has_sums && (!block->is_scaled || block->count == 0)) ||
        (block->has_sums &&
         !alm_frames_open(r, (block->count - 1) / ALM_BLOCK_SUM_ROWS + 1, &block->sums))) {
        return malformed(st, "its sums");
    }
    return alm_reader_left(r) == 0 ? ALM_OK : malformed(st, "bytes after its end");
}

// *ret_base_at: where the base's id stands.
static alm_code open_block(alm_str bytes, size_t count_max, const alm_base *base, alm_arena *arena,
                           alm_block *ret, size_t *ret_base_at, span *ret_numbers, alm_status *st)
{
    alm_reader r = alm_reader_of(bytes.data, bytes.len);
    *ret = (alm_block){0};
    if (alm_read_u8(&r) != BLOCK_VERSION) {
        return malformed(st, "its version");
    }
    ret->count = alm_read_varint(&r);
    if (r.failed || ret->count > count_max) {
        return malformed(st, "the number of rows");
    }
    ALM_TRY(open_notes(&r, arena, ret, st));
    ALM_TRY(open_scale(&r, ret, st));
    *ret_base_at = r.at;
    ALM_TRY(open_base(&r, base, ret, st));
    ALM_TRY(open_columns(&r, ret, ret_numbers, st));
    return open_sums(&r, ret, st);
}

alm_code alm_block_open(alm_str bytes, size_t count_max, const alm_base *base, alm_arena *arena,
                        alm_block *ret, alm_status *st)
{
    size_t base_at;
    span numbers;
    return open_block(bytes, count_max, base, arena, ret, &base_at, &numbers, st);
}

alm_code alm_block_rebase(alm_str bytes, size_t count_max, const alm_base *old,
                          const alm_base *base, alm_arena *scratch, alm_buf *out, alm_status *st)
{
    alm_block block;
    size_t base_at;
    span numbers;
    ALM_TRY(open_block(bytes, count_max, old, scratch, &block, &base_at, &numbers, st));
    alm_block_draft draft = {.count = block.count};
    if (!add_lists(&draft, 0, scratch)) {
        return no_memory(st);
    }
    size_t begin = out->len;
    alm_column_range(&block.columns[ALM_BLOCK_PLACE], 0, block.count,
                     draft.columns[ALM_BLOCK_PLACE]);
    alm_block_numbers(&block, 0, block.count, draft.columns[ALM_BLOCK_MANTISSA]);
    alm_buf_append(out, bytes.data, numbers.from);
    put_u32_at(out, begin + base_at, 0);
    encode_numbers(&draft, block.is_scaled ? base : NULL, begin + base_at, out);
    alm_buf_append(out, bytes.data + numbers.to, bytes.len - numbers.to);
    return out->failed ? no_memory(st) : ALM_OK;
}

#define SET(valid, assign)                                                                         \
    for (size_t i = 0; i < count; i++) {                                                           \
        int64_t v = values[i];                                                                     \
        if (!(valid)) {                                                                            \
            return false;                                                                          \
        }                                                                                          \
        alm_obs *row = &rows[i];                                                                   \
        assign;                                                                                    \
    }                                                                                              \
    return true

static bool set_period(const int64_t *values, size_t count, alm_obs *rows)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && values[i] == values[i - 1]) {
            rows[i].period = rows[i - 1].period;
        } else if (values[i] < 0 || !alm_period_unpack((uint64_t)values[i], &rows[i].period)) {
            return false;
        }
    }
    return true;
}

static bool set_unit(const int64_t *values, size_t count, alm_obs *rows)
{
    for (size_t i = 0; i < count; i++) {
        int64_t v = values[i];
        alm_unit unit = {.measure = (uint8_t)v, .mult = (int8_t)(uint8_t)(v >> 8)};
        if (v < 0 || v > UINT16_MAX || (v != 0 && !alm_unit_valid(unit))) {
            return false;
        }
        rows[i].value.unit = unit;
    }
    return true;
}

bool alm_block_flags_set(int64_t flags, alm_value *value)
{
    if (flags < 0 || flags > 0x1ff || (flags & 0xf) >= ALM_QUALIFIER_COUNT ||
        (flags >> 4 & 0xf) >= ALM_OBS_STATUS_COUNT) {
        return false;
    }
    value->qualifier = (alm_qualifier)(flags & 0xf);
    value->status = (alm_obs_status)(flags >> 4 & 0xf);
    value->has_number = alm_block_flags_have_number(flags);
    return true;
}

static bool set_flags(const int64_t *values, size_t count, alm_obs *rows)
{
    for (size_t i = 0; i < count; i++) {
        if (!alm_block_flags_set(values[i], &rows[i].value)) {
            return false;
        }
    }
    return true;
}

bool alm_block_set(int column, const int64_t *values, size_t count, const alm_str *notes,
                   size_t note_count, alm_obs *rows)
{
    switch (column) {
    case ALM_BLOCK_VARIANT:
        SET(v >= 0 && v <= UINT32_MAX, row->variant = (uint32_t)v);
    case ALM_BLOCK_PLACE:
        SET(v >= 0 && v <= UINT32_MAX, row->place = (alm_place_id)v);
    case ALM_BLOCK_PERIOD:
        return set_period(values, count, rows);
    case ALM_BLOCK_MANTISSA:
        SET(v >= -ALM_DECIMAL_MANTISSA_MAX && v <= ALM_DECIMAL_MANTISSA_MAX,
            row->value.number.mantissa = v);
    case ALM_BLOCK_EXPONENT:
        SET(v >= ALM_DECIMAL_EXPONENT_MIN && v <= ALM_DECIMAL_EXPONENT_MAX,
            row->value.number.exponent = (int8_t)v);
    case ALM_BLOCK_UNIT:
        return set_unit(values, count, rows);
    case ALM_BLOCK_FLAGS:
        return set_flags(values, count, rows);
    case ALM_BLOCK_SOURCE:
        SET(v >= 0 && v <= UINT32_MAX, row->source = (uint32_t)v - 1);
    case ALM_BLOCK_PUBLISHED:
        SET(v > ALM_DATE_NONE && v < ALM_DATE_MAX, row->published = (alm_date)v);
    case ALM_BLOCK_SEQUENCE:
        SET(v >= 0, row->sequence = (uint64_t)v);
    default:
        ALM_ASSERT(column == ALM_BLOCK_NOTE);
        SET(v >= 0 && (uint64_t)v <= note_count, row->note = v > 0 ? notes[v - 1] : (alm_str){0});
    }
}

#define STEP 256

// Adds the base to what is left of neighbouring places, as far as each factor goes.
static void add_base_run(const alm_base *base, const int64_t *factors, size_t factor_from,
                         alm_column_run run, size_t to, int64_t *numbers)
{
    for (size_t row = run.row; row < to;) {
        size_t end = ALM_MIN(to, (row / FACTOR_ROWS + 1) * FACTOR_ROWS);
        int64_t at = run.value + (int64_t)(row - run.row) - (int64_t)base->first;
        if (at >= 0 && (size_t)at < base->count) { // others have no base
            size_t known = ALM_MIN(end - row, base->count - (size_t)at);
            uint32_t factor = (uint32_t)factors[row / FACTOR_ROWS - factor_from];
            alm_base_add(base->values + at, factor, known, numbers + (row - run.row));
        }
        row = end;
    }
}

#define FACTOR_STEP 64

// Rows of FACTOR_STEP factors at most.
static void add_base(alm_block *block, size_t from, size_t to, int64_t *numbers)
{
    int64_t factors[FACTOR_STEP];
    alm_column_run runs[ALM_COLUMN_RUN_COUNT];
    size_t factor_from = from / FACTOR_ROWS;
    alm_frames_range(&block->factors, factor_from, (to - 1) / FACTOR_ROWS + 1, factors);
    for (size_t row = from; row < to;) {
        size_t behind;
        size_t count = alm_column_runs(&block->columns[ALM_BLOCK_PLACE], row, to, runs, &behind);
        for (size_t r = 0; r < count; r++) {
            size_t end = r + 1 < count ? runs[r + 1].row : behind;
            add_base_run(block->base, factors, factor_from, runs[r], end,
                         numbers + (runs[r].row - from));
        }
        row = behind;
    }
}

void alm_block_numbers(alm_block *block, size_t from, size_t to, int64_t *ret)
{
    alm_column *column = &block->columns[ALM_BLOCK_MANTISSA];
    alm_column_range(column, from, to, ret);
    while (block->base != NULL && from < to) {
        size_t end = ALM_MIN(to, (from / FACTOR_ROWS + FACTOR_STEP) * FACTOR_ROWS);
        add_base(block, from, end, ret);
        ret += end - from;
        from = end;
    }
}

// Flags of rows that mostly have the same. False: damaged.
static bool sparse_flags(alm_column *column, size_t from, size_t to, uint16_t *ret)
{
    alm_value unused;
    int64_t rows[ALM_COLUMN_ODD_COUNT], values[ALM_COLUMN_ODD_COUNT];
    size_t at = 0;
    size_t count;
    if (!alm_block_flags_set(column->base, &unused)) {
        return false;
    }
    for (size_t i = 0; i < to - from; i++) {
        ret[i] = (uint16_t)column->base;
    }
    while ((count = alm_column_odd(column, from, to, &at, rows, values)) > 0) {
        for (size_t i = 0; i < count; i++) {
            if (!alm_block_flags_set(values[i], &unused)) {
                return false;
            }
            ret[rows[i] - (int64_t)from] = (uint16_t)values[i];
        }
    }
    return true;
}

bool alm_block_cell_flags(alm_block *block, size_t from, size_t to, uint16_t *ret)
{
    int64_t values[STEP];
    alm_value unused;
    int64_t seen = -1; // good
    alm_column *column = &block->columns[ALM_BLOCK_FLAGS];
    if (column->form == ALM_COLUMN_SPARSE) {
        return sparse_flags(column, from, to, ret);
    }
    for (size_t row = from; row < to; row += STEP) {
        size_t end = ALM_MIN(to, row + STEP);
        alm_column_range(column, row, end, values);
        for (size_t i = 0; i < end - row; i++) {
            if (values[i] != seen && !alm_block_flags_set(values[i], &unused)) {
                return false;
            }
            seen = values[i];
            ret[row - from + i] = (uint16_t)values[i];
        }
    }
    return true;
}

// A row of the columns that are the same in all rows.
static bool common_row(alm_block *block, alm_obs *ret)
{
    *ret = (alm_obs){0};
    for (int c = 0; c < ALM_BLOCK_COLUMN_COUNT; c++) {
        alm_column *column = &block->columns[c];
        bool is_over = c == ALM_BLOCK_MANTISSA && block->base != NULL;
        if (alm_column_constant(column) && !is_over) {
            int64_t value = alm_column_get(column, 0);
            if (!alm_block_set(c, &value, 1, block->notes, block->note_count, ret)) {
                return false;
            }
        }
    }
    return true;
}

// The other columns of a few rows; common is in them already.
static bool set_others(alm_block *block, size_t from, size_t count, alm_obs *rows)
{
    int64_t values[STEP];
    for (int c = 0; c < ALM_BLOCK_COLUMN_COUNT; c++) {
        alm_column *column = &block->columns[c];
        if (c == ALM_BLOCK_MANTISSA) {
            alm_block_numbers(block, from, from + count, values);
        } else if (alm_column_constant(column)) {
            continue;
        } else {
            alm_column_range(column, from, from + count, values);
        }
        if (!alm_block_set(c, values, count, block->notes, block->note_count, rows)) {
            return false;
        }
    }
    return !block->is_scaled || alm_block_unscale(block->scale, rows, count);
}

alm_code alm_block_get(alm_block *block, size_t from, size_t to, alm_obs *ret, alm_status *st)
{
    ALM_ASSERT(from <= to && to <= block->count);
    alm_obs common;
    if (from == to) {
        return ALM_OK; // a block without rows has no common one
    }
    if (!common_row(block, &common)) {
        return malformed(st, "a constant column");
    }
    for (size_t row = from; row < to;) {
        size_t end = ALM_MIN(to, (row / STEP + 1) * STEP);
        alm_obs *rows = ret + (row - from);
        for (size_t i = 0; i < end - row; i++) {
            rows[i] = common;
        }
        if (!set_others(block, row, end - row, rows)) {
            return malformed(st, "a row");
        }
        row = end;
    }
    return ALM_OK;
}

bool alm_block_places(alm_block *block, size_t from, size_t to, alm_place_id *ret)
{
    alm_column_run runs[ALM_COLUMN_RUN_COUNT];
    int64_t least = 0;
    while (from < to) {
        size_t behind;
        size_t count = alm_column_runs(&block->columns[ALM_BLOCK_PLACE], from, to, runs, &behind);
        for (size_t r = 0; r < count; r++) {
            size_t n = (r + 1 < count ? runs[r + 1].row : behind) - runs[r].row;
            if (runs[r].value < least || runs[r].value > (int64_t)(UINT32_MAX - n)) {
                return false;
            }
            alm_place_id first = (alm_place_id)runs[r].value;
            for (size_t i = 0; i < n; i++) {
                ret[i] = first + (alm_place_id)i;
            }
            least = runs[r].value + (int64_t)n;
            ret += n;
        }
        from = behind;
    }
    return true;
}

size_t alm_block_find_place(alm_block *block, size_t from, alm_place_id place)
{
    return ALM_MAX(from, alm_column_find(&block->columns[ALM_BLOCK_PLACE], place));
}

alm_place_id alm_block_place(alm_block *block, size_t row)
{
    return (alm_place_id)alm_column_get(&block->columns[ALM_BLOCK_PLACE], row);
}

alm_obs_status alm_block_status(alm_block *block, size_t row)
{
    return (alm_obs_status)(alm_column_get(&block->columns[ALM_BLOCK_FLAGS], row) >> 4 & 0xf);
}
