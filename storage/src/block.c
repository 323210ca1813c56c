// Blocks read: opened, and their rows, numbers, flags and places taken out.
#include "block_bytes.h"

const int64_t alm_block_powers[ALM_BLOCK_POWER_COUNT] = {1,
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
    bool is_there = power >= 0 && (size_t)power < ALM_BLOCK_POWER_COUNT;
    *ret = is_there ? alm_block_powers[power] : 1;
    return is_there;
}

bool alm_block_unscale(int scale, alm_obs *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        alm_decimal *number = &rows[i].value.number;
        size_t shift = (size_t)(number->exponent - scale);
        if (number->mantissa == 0 || shift == 0) {
            continue;
        }
        if (shift >= ALM_BLOCK_POWER_COUNT || number->mantissa % alm_block_powers[shift] != 0) {
            return false;
        }
        number->mantissa /= alm_block_powers[shift];
    }
    return true;
}

// --- opening -------------------------------------------------------------------------------------

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a block of rows");
}

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
    size_t factors = (block->count + ALM_BLOCK_FACTOR_ROWS - 1) / ALM_BLOCK_FACTOR_ROWS;
    alm_column *column = &block->columns[ALM_BLOCK_MANTISSA];
    *column = (alm_column){.count = block->count};
    return alm_frames_open(r, factors, &block->factors) &&
           alm_frames_open(r, block->count, &column->numbers);
}

static alm_code open_columns(alm_reader *r, alm_block *block, alm_block_offsets *ret_at,
                             alm_status *st)
{
    for (int c = 0; c < ALM_BLOCK_COLUMN_COUNT; c++) {
        bool is_over = c == ALM_BLOCK_MANTISSA && block->base != NULL;
        size_t from = r->at;
        if (is_over ? !open_over_base(r, block)
                    : !alm_column_open(r, block->count, &block->columns[c])) {
            return malformed(st, "a column");
        }
        if (c == ALM_BLOCK_MANTISSA) {
            ret_at->numbers_from = from;
            ret_at->numbers_to = r->at;
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

alm_code alm_block_open_at(alm_str bytes, size_t count_max, const alm_base *base, alm_arena *arena,
                           alm_block *ret, alm_block_offsets *ret_at, alm_status *st)
{
    alm_reader r = alm_reader_of(bytes.data, bytes.len);
    *ret = (alm_block){0};
    if (alm_read_u8(&r) != ALM_BLOCK_VERSION) {
        return malformed(st, "its version");
    }
    ret->count = alm_read_varint(&r);
    if (r.failed || ret->count > count_max) {
        return malformed(st, "the number of rows");
    }
    ALM_TRY(open_notes(&r, arena, ret, st));
    ALM_TRY(open_scale(&r, ret, st));
    ret_at->base = r.at;
    ALM_TRY(open_base(&r, base, ret, st));
    ALM_TRY(open_columns(&r, ret, ret_at, st));
    return open_sums(&r, ret, st);
}

alm_code alm_block_open(alm_str bytes, size_t count_max, const alm_base *base, alm_arena *arena,
                        alm_block *ret, alm_status *st)
{
    alm_block_offsets unused;
    return alm_block_open_at(bytes, count_max, base, arena, ret, &unused, st);
}

// --- rows ----------------------------------------------------------------------------------------

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
        alm_unit unit = alm_unit_unpack((uint32_t)v);
        if (v < 0 || v > UINT32_MAX || (v != 0 && !alm_unit_valid(unit))) {
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
        size_t end = ALM_MIN(to, (row / ALM_BLOCK_FACTOR_ROWS + 1) * ALM_BLOCK_FACTOR_ROWS);
        int64_t at = run.value + (int64_t)(row - run.row) - (int64_t)base->first;
        if (at >= 0 && (size_t)at < base->count) { // others have no base
            size_t known = ALM_MIN(end - row, base->count - (size_t)at);
            uint32_t factor = (uint32_t)factors[row / ALM_BLOCK_FACTOR_ROWS - factor_from];
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
    size_t factor_from = from / ALM_BLOCK_FACTOR_ROWS;
    alm_frames_range(&block->factors, factor_from, (to - 1) / ALM_BLOCK_FACTOR_ROWS + 1, factors);
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
        size_t end =
            ALM_MIN(to, (from / ALM_BLOCK_FACTOR_ROWS + FACTOR_STEP) * ALM_BLOCK_FACTOR_ROWS);
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

alm_code alm_block_get_when(alm_block *block, size_t row, alm_obs *ret, alm_status *st)
{
    static const int columns[] = {ALM_BLOCK_SOURCE, ALM_BLOCK_PUBLISHED, ALM_BLOCK_SEQUENCE};
    *ret = (alm_obs){0};
    for (size_t i = 0; i < ALM_ARRAY_LEN(columns); i++) {
        int64_t value = alm_column_get(&block->columns[columns[i]], row);
        if (!alm_block_set(columns[i], &value, 1, NULL, 0, ret)) {
            return malformed(st, "a row");
        }
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
