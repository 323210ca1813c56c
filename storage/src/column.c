#include "column.h"

enum { TAG_FRAMES_MAX = 3, TAG_DICTIONARY = 4, TAG_SPARSE = 5, TAG_GAPS = 6 };

// A row in so many may be other than expected for the sparse forms to be looked at.
#define ODD_SHARE 6

static int64_t plus(int64_t a, uint64_t b)
{
    return (int64_t)((uint64_t)a + b);
}

// --- dictionary ----------------------------------------------------------------------------------

typedef struct dictionary {
    int64_t values[ALM_COLUMN_DICTIONARY_MAX]; // ascending
    size_t count;
} dictionary;

static size_t dictionary_find(const dictionary *d, int64_t v)
{
    size_t at = 0;
    while (at < d->count && d->values[at] < v) {
        at++;
    }
    return at;
}

// False: too many different values.
static bool dictionary_of(const int64_t *values, size_t count, dictionary *ret)
{
    ret->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && values[i] == values[i - 1]) {
            continue;
        }
        size_t at = dictionary_find(ret, values[i]);
        if (at < ret->count && ret->values[at] == values[i]) {
            continue;
        }
        if (ret->count == ALM_COLUMN_DICTIONARY_MAX) {
            return false;
        }
        memmove(ret->values + at + 1, ret->values + at, (ret->count - at) * sizeof *ret->values);
        ret->values[at] = values[i];
        ret->count++;
    }
    return true;
}

// Puts the indices into scratch. Returns what all takes, about.
static size_t plan_dictionary(const dictionary *d, const int64_t *values, size_t count,
                              int64_t *scratch, alm_frames_plan *ret)
{
    for (size_t i = 0; i < count; i++) {
        scratch[i] = i > 0 && values[i] == values[i - 1] ? scratch[i - 1]
                                                         : (int64_t)dictionary_find(d, values[i]);
    }
    *ret = alm_frames_plan_of(scratch, count);
    return 2 + 5 * d->count + ret->bytes;
}

static void put_dictionary(const dictionary *d, const alm_frames_plan *plan, const int64_t *indices,
                           size_t count, alm_buf *out)
{
    alm_buf_u8(out, TAG_DICTIONARY);
    alm_buf_u8(out, (uint8_t)d->count);
    for (size_t i = 0; i < d->count; i++) {
        alm_buf_svarint(out, d->values[i]);
    }
    alm_frames_put(plan, indices, count, out);
}

// --- odd rows ------------------------------------------------------------------------------------

// Lists in scratch: rows first, what they hold behind them. count / ODD_SHARE of each at most.
typedef struct odd_rows {
    int64_t base;
    int64_t *rows, *values;
    size_t count, max;
} odd_rows;

static odd_rows odd_rows_in(int64_t *scratch, size_t count, int64_t base)
{
    size_t max = count / ODD_SHARE;
    return (odd_rows){.base = base, .rows = scratch, .values = scratch + max, .max = max};
}

static bool odd_rows_add(odd_rows *odd, size_t row, int64_t value)
{
    if (odd->count == odd->max) {
        return false;
    }
    odd->rows[odd->count] = (int64_t)row;
    odd->values[odd->count++] = value;
    return true;
}

// The value that most rows hold, if there is one (Boyer and Moore's vote), as far as some of them
// tell.
static int64_t majority_of(const int64_t *values, size_t count)
{
    int64_t candidate = values[0];
    size_t votes = 0;
    for (size_t i = 0; i < count; i += 1 + count / 256) {
        if (votes == 0) {
            candidate = values[i];
        }
        votes = values[i] == candidate ? votes + 1 : votes - 1;
    }
    return candidate;
}

// False: too many rows are other than most.
static bool sparse_rows(const int64_t *values, size_t count, int64_t *scratch, odd_rows *ret)
{
    *ret = odd_rows_in(scratch, count, majority_of(values, count));
    for (size_t i = 0; i < count; i++) {
        if (values[i] != ret->base && !odd_rows_add(ret, i, values[i])) {
            return false;
        }
    }
    return ret->count > 0;
}

// False: not strictly ascending, or too many gaps.
static bool gap_rows(const int64_t *values, size_t count, int64_t *scratch, odd_rows *ret)
{
    *ret = odd_rows_in(scratch, count, values[0]);
    for (size_t i = 1; i < count; i++) {
        bool is_gap = values[i] != plus(values[i - 1], 1);
        if (values[i] <= values[i - 1] ||
            (is_gap && !odd_rows_add(ret, i, plus(values[i], -(uint64_t)values[0] - i)))) {
            return false;
        }
    }
    return ret->count > 0;
}

static size_t odd_rows_bytes(const odd_rows *odd)
{
    return 8 + alm_frames_plan_of(odd->rows, odd->count).bytes +
           alm_frames_plan_of(odd->values, odd->count).bytes;
}

static void encode_odd_rows(uint8_t tag, const odd_rows *odd, alm_buf *out)
{
    alm_buf_u8(out, tag);
    alm_buf_svarint(out, odd->base);
    alm_buf_varint(out, odd->count);
    alm_frames_encode(odd->rows, odd->count, out);
    alm_frames_encode(odd->values, odd->count, out);
}

// --- encoding ------------------------------------------------------------------------------------

void alm_column_encode(const int64_t *values, size_t count, int64_t *scratch, alm_buf *out)
{
    odd_rows odd;
    dictionary d;
    alm_frames_plan plain = alm_frames_plan_of(values, count), few;
    if (plain.is_constant) {
        alm_frames_put(&plain, values, count, out);
        return;
    }
    if (gap_rows(values, count, scratch, &odd) && odd_rows_bytes(&odd) < plain.bytes) {
        encode_odd_rows(TAG_GAPS, &odd, out);
        return;
    }
    size_t sparse_bytes =
        sparse_rows(values, count, scratch, &odd) ? odd_rows_bytes(&odd) : SIZE_MAX;
    size_t few_bytes = SIZE_MAX;
    if (dictionary_of(values, count, &d)) {
        few_bytes = plan_dictionary(&d, values, count, scratch, &few);
    }
    if (sparse_bytes < ALM_MIN(plain.bytes, few_bytes)) {
        (void)!sparse_rows(values, count, scratch, &odd); // indices stand there now
        encode_odd_rows(TAG_SPARSE, &odd, out);
    } else if (few_bytes < plain.bytes) {
        put_dictionary(&d, &few, scratch, count, out);
    } else {
        alm_frames_put(&plain, values, count, out);
    }
}

// --- opening -------------------------------------------------------------------------------------

static bool open_dictionary(alm_reader *r, alm_column *column)
{
    column->form = ALM_COLUMN_DICTIONARY;
    column->dictionary_count = alm_read_u8(r);
    if (column->dictionary_count < 2 || column->dictionary_count > ALM_COLUMN_DICTIONARY_MAX) {
        return false;
    }
    for (size_t i = 0; i < column->dictionary_count; i++) {
        column->dictionary[i] = alm_read_svarint(r);
    }
    return alm_frames_open(r, column->count, &column->numbers);
}

static bool open_odd_rows(alm_reader *r, alm_column_form form, alm_column *column)
{
    column->form = form;
    column->base = alm_read_svarint(r);
    uint64_t count = alm_read_varint(r);
    return count > 0 && count < column->count && alm_frames_open(r, count, &column->odd) &&
           alm_frames_open(r, count, &column->numbers);
}

static bool open_form(alm_reader *r, alm_column *ret)
{
    uint8_t tag = alm_reader_left(r) > 0 ? r->data[r->at] : 0;
    if (tag <= TAG_FRAMES_MAX) {
        return alm_frames_open(r, ret->count, &ret->numbers);
    }
    (void)alm_read_u8(r);
    switch (tag) {
    case TAG_DICTIONARY:
        return open_dictionary(r, ret);
    case TAG_SPARSE:
        return open_odd_rows(r, ALM_COLUMN_SPARSE, ret);
    case TAG_GAPS:
        return open_odd_rows(r, ALM_COLUMN_GAPS, ret);
    default:
        return false;
    }
}

bool alm_column_open(alm_reader *r, size_t count, alm_column *ret)
{
    size_t from = r->at;
    *ret = (alm_column){.count = count};
    bool is_good = open_form(r, ret);
    ret->bytes = (alm_str){(const char *)r->data + from, r->at - from};
    return is_good;
}

// --- reading -------------------------------------------------------------------------------------

bool alm_column_constant(const alm_column *column)
{
    return column->form == ALM_COLUMN_FRAMES && !column->numbers.is_packed;
}

// An index out of range can only come of damage; it gives what no field can hold.
static int64_t look_up(const alm_column *column, int64_t index)
{
    return index >= 0 && index < column->dictionary_count ? column->dictionary[index] : INT64_MIN;
}

static int64_t get_sparse(alm_column *column, size_t row)
{
    size_t at = alm_frames_find(&column->odd, (int64_t)row);
    bool is_odd = at < column->odd.count && alm_frames_get(&column->odd, at) == (int64_t)row;
    return is_odd ? alm_frames_get(&column->numbers, at) : column->base;
}

static int64_t get_behind_gaps(alm_column *column, size_t row)
{
    size_t gaps = alm_frames_find(&column->odd, (int64_t)row + 1);
    int64_t left_out = gaps > 0 ? alm_frames_get(&column->numbers, gaps - 1) : 0;
    return plus(column->base, row + (uint64_t)left_out);
}

int64_t alm_column_get(alm_column *column, size_t row)
{
    ALM_ASSERT(row < column->count);
    switch (column->form) {
    case ALM_COLUMN_FRAMES:
        return alm_frames_get(&column->numbers, row);
    case ALM_COLUMN_DICTIONARY:
        return look_up(column, alm_frames_get(&column->numbers, row));
    case ALM_COLUMN_SPARSE:
        return get_sparse(column, row);
    case ALM_COLUMN_GAPS:
        break;
    }
    return get_behind_gaps(column, row);
}

// *at is one more than the index of the next odd row.
size_t alm_column_odd(alm_column *column, size_t from, size_t to, size_t *at,
                      int64_t ret_rows[ALM_COLUMN_ODD_COUNT],
                      int64_t ret_values[ALM_COLUMN_ODD_COUNT])
{
    size_t next = *at > 0 ? *at - 1 : alm_frames_find(&column->odd, (int64_t)from);
    size_t count = ALM_MIN(column->odd.count - next, (size_t)ALM_COLUMN_ODD_COUNT);
    size_t kept = 0;
    alm_frames_range(&column->odd, next, next + count, ret_rows);
    alm_frames_range(&column->numbers, next, next + count, ret_values);
    // Behind the range; before it only if rows do not ascend, which is damage.
    while (kept < count && ret_rows[kept] >= (int64_t)from && ret_rows[kept] < (int64_t)to) {
        kept++;
    }
    *at = 1 + (kept < count ? column->odd.count : next + count);
    return kept;
}

static void range_sparse(alm_column *column, size_t from, size_t to, int64_t *ret)
{
    int64_t rows[ALM_COLUMN_ODD_COUNT], values[ALM_COLUMN_ODD_COUNT];
    size_t at = 0;
    size_t count;
    for (size_t i = 0; i < to - from; i++) {
        ret[i] = column->base;
    }
    while ((count = alm_column_odd(column, from, to, &at, rows, values)) > 0) {
        for (size_t i = 0; i < count; i++) {
            ret[rows[i] - (int64_t)from] = values[i];
        }
    }
}

static size_t gap_runs(alm_column *column, size_t from, size_t to, alm_column_run *ret,
                       size_t *ret_to)
{
    int64_t rows[ALM_COLUMN_RUN_COUNT], left_out[ALM_COLUMN_RUN_COUNT];
    size_t gap = alm_frames_find(&column->odd, (int64_t)from + 1);
    size_t most = ALM_MIN((size_t)ALM_COLUMN_RUN_COUNT, 4 + (to - from) / 16); // in a short range
    size_t gaps = ALM_MIN(column->odd.count - gap, most);
    size_t count = 1;
    int64_t before = gap > 0 ? alm_frames_get(&column->numbers, gap - 1) : 0;
    alm_frames_range(&column->odd, gap, gap + gaps, rows);
    alm_frames_range(&column->numbers, gap, gap + gaps, left_out);
    ret[0] = (alm_column_run){.row = from, .value = plus(column->base, from + (uint64_t)before)};
    *ret_to = to;
    for (size_t i = 0; i < gaps && rows[i] < (int64_t)to; i++) {
        bool is_last = i + 1 == most; // its run may be cut short by a gap that was not looked at
        int64_t least = (int64_t)ret[count - 1].row + 1;
        if (is_last || rows[i] < least) {
            *ret_to = (size_t)ALM_MAX(rows[i], least); // rows that do not ascend are damaged
            break;
        }
        ret[count++] = (alm_column_run){
            .row = (size_t)rows[i],
            .value = plus(column->base, (uint64_t)rows[i] + (uint64_t)left_out[i])};
    }
    return count;
}

static void range_behind_gaps(alm_column *column, size_t from, size_t to, int64_t *ret)
{
    alm_column_run runs[ALM_COLUMN_RUN_COUNT];
    while (from < to) {
        size_t behind;
        size_t count = gap_runs(column, from, to, runs, &behind);
        for (size_t r = 0; r < count; r++) {
            size_t end = r + 1 < count ? runs[r + 1].row : behind;
            int64_t value = runs[r].value;
            for (size_t i = 0; i < end - runs[r].row; i++) {
                ret[i] = plus(value, i);
            }
            ret += end - runs[r].row;
        }
        from = behind;
    }
}

void alm_column_range(alm_column *column, size_t from, size_t to, int64_t *ret)
{
    ALM_ASSERT(from <= to && to <= column->count);
    switch (column->form) {
    case ALM_COLUMN_FRAMES:
        alm_frames_range(&column->numbers, from, to, ret);
        break;
    case ALM_COLUMN_DICTIONARY:
        alm_frames_range(&column->numbers, from, to, ret);
        for (size_t i = 0; i < to - from; i++) {
            ret[i] = look_up(column, ret[i]);
        }
        break;
    case ALM_COLUMN_SPARSE:
        range_sparse(column, from, to, ret);
        break;
    case ALM_COLUMN_GAPS:
        range_behind_gaps(column, from, to, ret);
        break;
    }
}

// Runs of a column that has them by frames, or not at all.
static size_t frame_runs(alm_column *column, size_t from, size_t to, alm_column_run *ret,
                         size_t *ret_to)
{
    size_t count = 0;
    size_t row = from;
    const alm_frames *numbers = &column->numbers;
    while (row < to && count < ALM_COLUMN_RUN_COUNT) {
        size_t frame = row / ALM_PACK_FRAME;
        bool is_regular = column->form == ALM_COLUMN_FRAMES && numbers->is_packed &&
                          numbers->is_sloped && numbers->widths[frame] == 0;
        ret[count++] = (alm_column_run){.row = row, .value = alm_column_get(column, row)};
        row = is_regular ? ALM_MIN((frame + 1) * ALM_PACK_FRAME, to) : row + 1;
    }
    *ret_to = row;
    return count;
}

size_t alm_column_runs(alm_column *column, size_t from, size_t to,
                       alm_column_run ret[ALM_COLUMN_RUN_COUNT], size_t *ret_to)
{
    ALM_ASSERT(from < to && to <= column->count);
    return column->form == ALM_COLUMN_GAPS ? gap_runs(column, from, to, ret, ret_to)
                                           : frame_runs(column, from, to, ret, ret_to);
}

// What the first row behind a gap holds.
static int64_t behind_gap(const alm_column *column, int64_t row, int64_t left_out)
{
    return plus(column->base, (uint64_t)row + (uint64_t)left_out);
}

// The row of v in rows that begin behind a gap up to which left_out is left out, and end at `end`.
static size_t row_behind(const alm_column *column, int64_t v, int64_t left_out, int64_t end)
{
    int64_t row = v < column->base ? 0 : plus(v, -(uint64_t)column->base - (uint64_t)left_out);
    row = ALM_MIN(row, end);
    return row < 0 || row > (int64_t)column->count ? column->count : (size_t)row;
}

static size_t find_behind_gaps(alm_column *column, int64_t v)
{
    size_t low = 0;
    size_t high = column->odd.count;
    while (low < high) { // the gaps whose first row holds no more than v
        size_t middle = low + (high - low) / 2;
        int64_t row = alm_frames_get(&column->odd, middle);
        int64_t left_out = alm_frames_get(&column->numbers, middle);
        if (behind_gap(column, row, left_out) <= v) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return row_behind(column, v, low > 0 ? alm_frames_get(&column->numbers, low - 1) : 0,
                      low < column->odd.count ? alm_frames_get(&column->odd, low)
                                              : (int64_t)column->count);
}

static size_t find_between(alm_column *column, size_t low, size_t high, int64_t v)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (alm_column_get(column, middle) < v) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t alm_column_find(alm_column *column, int64_t v)
{
    if (column->form == ALM_COLUMN_FRAMES) {
        return alm_frames_find(&column->numbers, v);
    }
    if (column->form == ALM_COLUMN_GAPS) {
        return find_behind_gaps(column, v);
    }
    return find_between(column, 0, column->count, v);
}

void alm_column_finder_init(alm_column_finder *finder, alm_column *column)
{
    finder->column = column;
    finder->row = 0;
    finder->from = finder->to = 0;
    finder->before = 0;
}

// From a row on that is not behind it: what is near is found first.
static size_t find_from(alm_column *column, size_t row, int64_t v)
{
    size_t low = row;
    size_t high = row;
    for (size_t step = 1; high < column->count && alm_column_get(column, high) < v; step *= 2) {
        low = high + 1;
        high = low + step;
    }
    return find_between(column, low, ALM_MIN(high, column->count), v);
}

// The next gaps, one frame of them.
static void decode_gaps(alm_column_finder *finder)
{
    alm_column *column = finder->column;
    size_t from = finder->to;
    size_t to = ALM_MIN(from + ALM_PACK_FRAME, column->odd.count);
    finder->before = from > finder->from ? finder->left_out[from - finder->from - 1] : 0;
    alm_frames_range(&column->odd, from, to, finder->rows);
    alm_frames_range(&column->numbers, from, to, finder->left_out);
    finder->from = from;
    finder->to = to;
}

size_t alm_column_find_next(alm_column_finder *finder, int64_t v)
{
    alm_column *column = finder->column;
    if (column->form == ALM_COLUMN_FRAMES && alm_frames_regular(&column->numbers)) {
        return alm_frames_find(&column->numbers, v);
    }
    if (column->form != ALM_COLUMN_GAPS) {
        finder->row = find_from(column, finder->row, v);
        return finder->row;
    }
    const int64_t *rows = finder->rows;
    const int64_t *left_out = finder->left_out;
    size_t last = finder->to - finder->from;
    while (finder->to < column->odd.count &&
           (last == 0 || behind_gap(column, rows[last - 1], left_out[last - 1]) <= v)) {
        decode_gaps(finder);
        last = finder->to - finder->from;
    }
    size_t low = 0;
    size_t high = last;
    while (low < high) { // the gaps whose first row holds no more than v
        size_t middle = low + (high - low) / 2;
        bool is_before = behind_gap(column, rows[middle], left_out[middle]) <= v;
        low = is_before ? middle + 1 : low;
        high = is_before ? high : middle;
    }
    // That no gap at hand is behind v only happens when there are no more.
    return row_behind(column, v, low > 0 ? left_out[low - 1] : finder->before,
                      low < last ? rows[low] : (int64_t)column->count);
}
