#include "deltas.h"

#include "pack.h"

enum { FORM_PLAIN = 0, FORM_DIFFERENCES = 1, FORM_LAGGED = 2 };

// Differences are taken modulo 2^64, so that any two int64 have one.
static int64_t minus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

// --- encoding ------------------------------------------------------------------------------------

// values[i] - values[i - lag] for the numbers from..to-1; lag 0: the values.
typedef struct list {
    const int64_t *values;
    size_t from, to, lag;
} list;

static int64_t list_get(const list *l, size_t i)
{
    return l->lag == 0 ? l->values[i] : minus(l->values[i], l->values[i - l->lag]);
}

typedef struct list_plan {
    int64_t lowest;
    unsigned width;
    size_t bits_bytes;
} list_plan;

static list_plan plan_list(const list *l)
{
    int64_t low = 0;
    int64_t high = 0;
    for (size_t i = l->from; i < l->to; i++) {
        int64_t v = list_get(l, i);
        low = i == l->from ? v : ALM_MIN(low, v);
        high = i == l->from ? v : ALM_MAX(high, v);
    }
    unsigned width = alm_width_of((uint64_t)minus(high, low));
    return (list_plan){
        .lowest = low, .width = width, .bits_bytes = alm_bits_bytes(l->to - l->from, width)};
}

static void encode_list(const list *l, uint64_t *scratch, alm_buf *out)
{
    list_plan plan = plan_list(l);
    alm_buf_svarint(out, plan.lowest);
    alm_buf_u8(out, (uint8_t)plan.width);
    uint8_t *bits = alm_buf_reserve(out, plan.bits_bytes);
    if (bits == NULL) {
        return;
    }
    for (size_t i = l->from; i < l->to; i++) {
        scratch[i - l->from] = (uint64_t)minus(list_get(l, i), plan.lowest);
    }
    alm_bits_pack(scratch, l->to - l->from, plan.width, bits);
    out->len += plan.bits_bytes;
}

// What a list takes beside its bits, about.
#define LIST_BYTES 4

void alm_deltas_encode(const int64_t *values, size_t count, unsigned lag, uint64_t *scratch,
                       alm_buf *out)
{
    ALM_ASSERT(count >= 1 && lag <= ALM_DELTAS_LAG_MAX);
    list all = {.values = values, .to = count};
    list steps = {.values = values, .from = 1, .to = count, .lag = 1};
    list first_steps = {.values = values, .from = 1, .to = lag, .lag = 1};
    list years = {.values = values, .from = lag, .to = count, .lag = lag};
    size_t plain_bytes = plan_list(&all).bits_bytes;
    size_t step_bytes = plan_list(&steps).bits_bytes + LIST_BYTES;
    size_t year_bytes = SIZE_MAX;
    if (lag >= 2 && count > lag) {
        year_bytes =
            plan_list(&first_steps).bits_bytes + plan_list(&years).bits_bytes + 2 * LIST_BYTES;
    }
    if (year_bytes < ALM_MIN(plain_bytes, step_bytes)) {
        alm_buf_u8(out, FORM_LAGGED);
        alm_buf_u8(out, (uint8_t)lag);
        alm_buf_svarint(out, values[0]);
        encode_list(&first_steps, scratch, out);
        encode_list(&years, scratch, out);
    } else if (step_bytes < plain_bytes) {
        alm_buf_u8(out, FORM_DIFFERENCES);
        alm_buf_svarint(out, values[0]);
        encode_list(&steps, scratch, out);
    } else {
        alm_buf_u8(out, FORM_PLAIN);
        encode_list(&all, scratch, out);
    }
}

// --- decoding ------------------------------------------------------------------------------------

static bool decode_list(alm_reader *r, size_t count, int64_t *ret)
{
    int64_t lowest = alm_read_svarint(r);
    uint8_t width = alm_read_u8(r);
    if (r->failed || width > 64) {
        return false;
    }
    const uint8_t *bits = r->data + r->at;
    size_t left = alm_reader_left(r); // what stands behind the list may be read, too
    (void)alm_read_bytes(r, alm_bits_bytes(count, width));
    if (r->failed) {
        return false;
    }
    alm_bits_unpack(bits, left, 0, count, width, lowest, ret);
    return true;
}

static void add_up(int64_t *values, size_t from, size_t to, size_t lag)
{
    for (size_t i = from; i < to; i++) {
        values[i] = plus(values[i], values[i - lag]);
    }
}

static bool decode_lagged(alm_reader *r, size_t count, int64_t *ret)
{
    uint8_t lag = alm_read_u8(r);
    ret[0] = alm_read_svarint(r);
    if (lag < 2 || lag >= count || !decode_list(r, (size_t)lag - 1, ret + 1) ||
        !decode_list(r, count - lag, ret + lag)) {
        return false;
    }
    add_up(ret, 1, lag, 1);
    add_up(ret, lag, count, lag);
    return true;
}

bool alm_deltas_decode(alm_reader *r, size_t count, int64_t *ret)
{
    switch (alm_read_u8(r)) {
    case FORM_PLAIN:
        return decode_list(r, count, ret);
    case FORM_DIFFERENCES:
        ret[0] = alm_read_svarint(r);
        if (!decode_list(r, count - 1, ret + 1)) {
            return false;
        }
        add_up(ret, 1, count, 1);
        return true;
    case FORM_LAGGED:
        return decode_lagged(r, count, ret);
    default:
        return false;
    }
}
