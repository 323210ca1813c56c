#include "sums.h"

static alm_code too_large(alm_status *st)
{
    return alm_status_set(st, ALM_OUT_OF_RANGE, "a sum has more than 18 digits; read the slice");
}

// Both have 18 digits at most, so that they fit into 64 bits together.
static alm_code add(int64_t *sum, int64_t number, alm_status *st)
{
    int64_t both;
    if (__builtin_add_overflow(*sum, number, &both) || both > ALM_DECIMAL_MANTISSA_MAX ||
        both < -ALM_DECIMAL_MANTISSA_MAX) {
        return too_large(st);
    }
    *sum = both;
    return ALM_OK;
}

static void add_flags(uint16_t flags, uint64_t cells, alm_sum *sum)
{
    if (cells > 0) {
        sum->count += alm_cell_has_number(flags) ? cells : 0;
        sum->statuses |= UINT32_C(1) << alm_cell_status(flags);
        sum->qualifiers |= UINT32_C(1) << alm_cell_qualifier(flags);
    }
}

// --- vectors -------------------------------------------------------------------------------------

alm_code alm_vector_sums(const alm_vector *slice, const alm_place_range *ranges, size_t count,
                         alm_sum *ret, alm_status *st)
{
    size_t at = 0;
    for (size_t r = 0; r < count; r++) {
        ret[r] = (alm_sum){0};
        while (at < slice->count && slice->places[at] < ranges[r].from) {
            at++;
        }
        for (; at < slice->count && slice->places[at] < ranges[r].to; at++) {
            uint16_t flags = slice->flags != NULL ? slice->flags[at] : slice->common_flags;
            ALM_TRY(add(&ret[r].number, slice->numbers[at], st));
            add_flags(flags, 1, &ret[r]);
        }
    }
    return ALM_OK;
}

// --- blocks --------------------------------------------------------------------------------------

bool alm_block_can_sum(const alm_block *block)
{
    const alm_column *flags = &block->columns[ALM_BLOCK_FLAGS];
    return block->has_sums && alm_column_constant(&block->columns[ALM_BLOCK_UNIT]) &&
           (alm_column_constant(flags) || flags->form == ALM_COLUMN_SPARSE);
}

// Numbers between two borders, kept for the range behind a border among them, and the sums that
// were decoded with one.
typedef struct frame {
    size_t index; // SIZE_MAX: none yet
    int64_t numbers[ALM_BLOCK_SUM_ROWS];
    size_t sums_from, sums_to;
    int64_t sums[ALM_PACK_FRAME];
} frame;

// Adds sums from..to-1. False: it takes more than 64 bits.
static bool add_whole(alm_block *block, frame *f, size_t from, size_t to, int64_t *sum)
{
    bool fits = true;
    for (size_t i = from; i < to; i++) {
        if (i < f->sums_from || i >= f->sums_to) {
            f->sums_from = i / ALM_PACK_FRAME * ALM_PACK_FRAME;
            f->sums_to = ALM_MIN(f->sums_from + ALM_PACK_FRAME, block->sums.count);
            alm_frames_range(&block->sums, f->sums_from, f->sums_to, f->sums);
        }
        fits = !__builtin_add_overflow(*sum, f->sums[i - f->sums_from], sum) && fits;
    }
    return fits;
}

// What rows of one frame add up to; the encoder saw to it that it fits, and damage may wrap.
static int64_t part_of_frame(alm_block *block, frame *f, size_t from, size_t to)
{
    uint64_t sum = 0;
    size_t index = from / ALM_BLOCK_SUM_ROWS;
    size_t first = index * ALM_BLOCK_SUM_ROWS;
    if (from < to && f->index != index) {
        size_t end = ALM_MIN(first + ALM_BLOCK_SUM_ROWS, block->count);
        alm_block_numbers(block, first, end, f->numbers);
        f->index = index;
    }
    for (size_t i = from; i < to; i++) {
        sum += (uint64_t)f->numbers[i - first];
    }
    return (int64_t)sum;
}

static alm_code sum_rows(alm_block *block, frame *f, size_t from, size_t to, int64_t *sum,
                         alm_status *st)
{
    size_t whole_from = (from + ALM_BLOCK_SUM_ROWS - 1) / ALM_BLOCK_SUM_ROWS;
    size_t whole_to =
        to == block->count ? block->sums.count : ALM_MAX(whole_from, to / ALM_BLOCK_SUM_ROWS);
    int64_t whole = 0;
    if (whole_from * ALM_BLOCK_SUM_ROWS > to) { // all in one frame
        return add(sum, part_of_frame(block, f, from, to), st);
    }
    if (!add_whole(block, f, whole_from, whole_to, &whole)) {
        return too_large(st);
    }
    ALM_TRY(add(sum, part_of_frame(block, f, from, whole_from * ALM_BLOCK_SUM_ROWS), st));
    ALM_TRY(add(sum, whole, st));
    return to == block->count
               ? ALM_OK
               : add(sum, part_of_frame(block, f, whole_to * ALM_BLOCK_SUM_ROWS, to), st);
}

// Where counting flags stands: the odd rows left, of a sparse column.
typedef struct odd_flags {
    int64_t good; // flags that were found to be valid; -1: none yet
    int64_t rows[ALM_COLUMN_ODD_COUNT], values[ALM_COLUMN_ODD_COUNT];
    size_t count, next; // of those at hand
    size_t at;          // of alm_column_odd
    bool is_over;
} odd_flags;

// Is there an odd row before `to`? Then it is at rows[next].
static bool next_odd(alm_column *column, odd_flags *odd, size_t to)
{
    if (odd->next == odd->count && !odd->is_over) {
        odd->count = alm_column_odd(column, 0, column->count, &odd->at, odd->rows, odd->values);
        odd->next = 0;
        odd->is_over = odd->count == 0;
    }
    return odd->next < odd->count && odd->rows[odd->next] < (int64_t)to;
}

static bool are_flags(odd_flags *odd, int64_t flags)
{
    alm_value unused;
    if (flags == odd->good) {
        return true;
    }
    odd->good = alm_block_flags_set(flags, &unused) ? flags : -1;
    return odd->good != -1;
}

static bool sum_flags(alm_block *block, odd_flags *odd, size_t from, size_t to, alm_sum *sum)
{
    alm_column *column = &block->columns[ALM_BLOCK_FLAGS];
    bool is_sparse = column->form == ALM_COLUMN_SPARSE;
    int64_t common = is_sparse ? column->base : alm_column_get(column, 0);
    uint64_t cells = to - from;
    while (is_sparse && next_odd(column, odd, to)) {
        int64_t row = odd->rows[odd->next];
        int64_t flags = odd->values[odd->next++];
        if (row < (int64_t)from) {
            continue;
        }
        if (!are_flags(odd, flags) || cells == 0) {
            return false;
        }
        bool is_cell = alm_cell_status((uint16_t)flags) != ALM_OBS_STATUS_WITHDRAWN;
        add_flags((uint16_t)flags, is_cell ? 1 : 0, sum);
        cells--;
    }
    bool is_cell = alm_cell_status((uint16_t)common) != ALM_OBS_STATUS_WITHDRAWN;
    add_flags((uint16_t)common, is_cell ? cells : 0, sum);
    return are_flags(odd, common);
}

alm_code alm_block_add_sums(alm_block *block, alm_place_id from, alm_place_id to,
                            const alm_place_range *ranges, size_t count, alm_sum *sums,
                            alm_status *st)
{
    frame f;
    f.index = SIZE_MAX;
    f.sums_from = f.sums_to = 0;
    odd_flags odd;
    odd.good = -1;
    odd.count = odd.next = odd.at = 0;
    odd.is_over = false;
    alm_column_finder places;
    alm_column_finder_init(&places, &block->columns[ALM_BLOCK_PLACE]);
    size_t end = 0;
    alm_place_id end_place = from; // end is the first row that is not before it, or 0
    for (size_t r = 0; r < count && ranges[r].from < to; r++) {
        alm_place_id first = ALM_MAX(ranges[r].from, from);
        alm_place_id last = ALM_MIN(ranges[r].to, to);
        if (first >= last) {
            continue;
        }
        size_t row = end;
        if (first != end_place || end == 0) {
            row = alm_column_find_next(&places, first);
            row = ALM_MAX(row, end);
        }
        end = alm_column_find_next(&places, last);
        end = ALM_MAX(end, row);
        end_place = last;
        ALM_TRY(sum_rows(block, &f, row, end, &sums[r].number, st));
        if (!sum_flags(block, &odd, row, end, &sums[r])) {
            return alm_status_set(st, ALM_DATA_LOSS, "a slice is damaged: flags");
        }
    }
    return ALM_OK;
}
