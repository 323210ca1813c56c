// Almanac as its users have it: questions by libalmanac on one connection to a gateway, which
// run.sh starts with its workers and a storage service over a store that store_almanac_peer loaded.
// The gateway's address is in ALMANAC_ENDPOINT; FOLDER is not looked at.
//
// Growth comes as percent of two decimals, the other peers' as ratios: each is held against the
// levels, asked beside, and the ratio of the levels is told.
#include "peer.h"
#include "place.h"

#include "alm/alloc.h"
#include "almanac.h"

#include <inttypes.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 1 << 20, TOP = 10 };

#define COUNTRY   "000000"
#define DISTRICTS COUNTRY "/**@district"
#define TOWNS     COUNTRY "/**@town"

typedef struct row {
    uint32_t indicator, place; // the numbers in their codes
    uint32_t period;           // yyyymm, or yyyy
    int32_t exponent;
    int64_t mantissa;
    char status;
} row;

typedef struct row_list {
    row *rows; // room for ROWS_MAX; those without a number are left out
    size_t count;
} row_list;

static almanac_client *client;
static row_list answered, levels;
static uint32_t *numbers; // of the texts of a block
static size_t number_cap;

static const char *name_of(const char *option)
{
    return option == NULL ? "almanac" : NULL;
}

static void client_open(const char *folder)
{
    almanac_error error;
    (void)folder;
    if (almanac_client_open(getenv("ALMANAC_ENDPOINT"), NULL, &client, &error) != ALMANAC_OK) {
        peer_die("%s", error.message);
    }
    answered.rows = alm_alloc(ROWS_MAX * sizeof(row));
    levels.rows = alm_alloc(ROWS_MAX * sizeof(row));
    if (answered.rows == NULL || levels.rows == NULL) {
        peer_die("no memory");
    }
}

static void client_close(void)
{
    alm_free(answered.rows);
    alm_free(levels.rows);
    alm_free(numbers);
    almanac_client_close(&client);
}

// --- asking --------------------------------------------------------------------------------------

static uint32_t number_in(const char *text)
{
    uint32_t number = 0;
    for (; *text != '\0'; text++) {
        if (*text >= '0' && *text <= '9') {
            number = number * 10 + (uint32_t)(*text - '0');
        }
    }
    return number;
}

// Those in the texts of a block.
static const uint32_t *numbers_in(const almanac_block *block)
{
    if (block->text_count > number_cap) {
        alm_free(numbers);
        number_cap = block->text_count;
        numbers = alm_alloc(number_cap * sizeof *numbers);
        if (numbers == NULL) {
            peer_die("no memory");
        }
    }
    for (size_t i = 0; i < block->text_count; i++) {
        numbers[i] = number_in(block->texts[i]);
    }
    return numbers;
}

// is_computed: what was published beside is left out.
static void take(row_list *list, const almanac_block *block, bool is_computed)
{
    const uint32_t *number_of = numbers_in(block);
    if (list->count + block->row_count > ROWS_MAX) {
        peer_die("more than %d rows", ROWS_MAX);
    }
#define AT(column) block->column.values[i * block->column.stride]
    for (size_t i = 0; i < block->row_count; i++) {
        bool is_asked = !is_computed || AT(origin) == ALMANAC_COMPUTED;
        if (is_asked && AT(has_number) != 0) {
            list->rows[list->count++] = (row){.indicator = number_of[AT(indicator)],
                                              .place = number_of[AT(place)],
                                              .period = number_of[AT(period)],
                                              .mantissa = AT(mantissa),
                                              .exponent = AT(exponent),
                                              .status = (char)AT(status)};
        }
    }
#undef AT
}

static void query(const almanac_query *q, row_list *list)
{
    almanac_rows *rows;
    const almanac_block *block;
    const almanac_item_error *errors;
    almanac_error error;
    almanac_code code = almanac_query_open(client, q, &rows, &error);
    list->count = 0;
    if (code != ALMANAC_OK) {
        peer_die("%s", error.message);
    }
    while ((code = almanac_rows_next_block(rows, &block, &error)) == ALMANAC_OK && block != NULL) {
        take(list, block, q->transform_count > 0);
    }
    if (code != ALMANAC_OK) {
        peer_die("%s", error.message);
    }
    if (almanac_rows_errors(rows, &errors) > 0) {
        peer_die("%s: %s", errors[0].item, errors[0].message);
    }
    almanac_rows_close(&rows);
}

// What each case asks: words besides the question's own indicator, place and period.
typedef struct form {
    const char *places, *periods; // NULL: the question's
    const char *transforms[2];
    size_t transform_count;
    const char *group_by;
    almanac_order order;
    uint32_t limit;
    bool is_of_all; // indicators
} form;

static const form forms[CASE_COUNT] = {
    [CASE_LATEST] = {.periods = "latest"},
    [CASE_SERIES] = {.periods = "all"},
    [CASE_DISTRICTS] = {.places = DISTRICTS},
    [CASE_RANK] = {.places = DISTRICTS, .order = ALMANAC_ORDER_VALUE_DESC},
    [CASE_RANK_NUMBER] = {.places = DISTRICTS,
                          .transforms = {"rank:" DISTRICTS},
                          .transform_count = 1},
    [CASE_TOWNS_PROVINCE] = {.places = TOWNS,
                             .transforms = {"rollup"},
                             .transform_count = 1,
                             .group_by = "province"},
    [CASE_TOWNS_PROVINCE_YEAR] = {.places = TOWNS,
                                  .periods = "all",
                                  .transforms = {"rollup", "to:A"},
                                  .transform_count = 2,
                                  .group_by = "province"},
    [CASE_GROWTH] = {.places = DISTRICTS,
                     .periods = "all",
                     .transforms = {"pc1"},
                     .transform_count = 1},
    [CASE_TOPTEN] = {.places = COUNTRY "," COUNTRY "/**",
                     .order = ALMANAC_ORDER_VALUE_DESC,
                     .limit = TOP,
                     .is_of_all = true},
    [CASE_PLACE] = {.is_of_all = true},
};

static void query_form(const form *f, const question *q, row_list *list)
{
    char indicator[16], place[16], period[16];
    const char *indicators[] = {f->is_of_all ? "*" : indicator};
    snprintf(indicator, sizeof indicator, "i%03" PRId32, q->indicator);
    snprintf(place, sizeof place, "%06" PRIu32, q->place);
    snprintf(period, sizeof period, "%04" PRId32 "-%02" PRId32, q->period / 100, q->period % 100);
    const almanac_query asked = {.indicators = indicators,
                                 .indicator_count = 1,
                                 .places = f->places != NULL ? f->places : place,
                                 .periods = f->periods != NULL ? f->periods : period,
                                 .transforms = f->transforms,
                                 .transform_count = f->transform_count,
                                 .group_by = f->group_by,
                                 .order = f->order,
                                 .limit = f->limit,
                                 .incomplete = f->group_by != NULL};
    query(&asked, list);
}

static int64_t value_e2(const row *r)
{
    int64_t value = r->mantissa;
    for (int32_t e = -2; e < r->exponent; e++) {
        value *= 10;
    }
    return value;
}

static int by_value(const void *a, const void *b)
{
    const row *x = a, *y = b;
    int64_t x_e2 = value_e2(x), y_e2 = value_e2(y);
    if (x_e2 != y_e2) {
        return x_e2 > y_e2 ? -1 : 1;
    }
    uint64_t x_key = key_of(x->indicator, x->place), y_key = key_of(y->indicator, y->place);
    return (x_key > y_key) - (x_key < y_key);
}

static bool ask(peer_case c, const question *q)
{
    if (forms[c].places == NULL && forms[c].periods == NULL && !forms[c].is_of_all) {
        return false;
    }
    query_form(&forms[c], q, &answered);
    if (c == CASE_TOPTEN) { // of the tops of all indicators
        qsort(answered.rows, answered.count, sizeof *answered.rows, by_value);
        answered.count = ALM_MIN(answered.count, (size_t)TOP);
    }
    return true;
}

// --- telling -------------------------------------------------------------------------------------

static int by_cell(const void *a, const void *b)
{
    const row *x = a, *y = b;
    uint64_t x_key = key_of(x->place, x->period), y_key = key_of(y->place, y->period);
    return (x_key > y_key) - (x_key < y_key);
}

// The level in hundredths of one of the cells in `levels`.
static int64_t level_of(uint32_t place, uint32_t period)
{
    row key = {.place = place, .period = period};
    const row *found = bsearch(&key, levels.rows, levels.count, sizeof key, by_cell);
    if (found == NULL) {
        peer_die("place %" PRIu32 " has an answer in %" PRIu32 " and no level", place, period);
    }
    return value_e2(found);
}

static void tell_growth(const question *q, answer *a)
{
    static const form of_levels = {.places = DISTRICTS, .periods = "all"};
    query_form(&of_levels, q, &levels);
    qsort(levels.rows, levels.count, sizeof *levels.rows, by_cell);
    for (size_t i = 0; i < answered.count; i++) {
        const row *r = &answered.rows[i];
        double unit = pow(10, r->exponent);
        double ratio =
            (double)level_of(r->place, r->period) / (double)level_of(r->place, r->period - 100) - 1;
        if (fabs((double)r->mantissa * unit - ratio * 100) > unit * 0.5000001) {
            peer_die("growth of place %" PRIu32 " in %" PRIu32 " is %g percent, not %" PRId64
                     "e%" PRId32,
                     r->place, r->period, ratio * 100, r->mantissa, r->exponent);
        }
        answer_ratio(a, key_of(r->place, r->period), ratio);
    }
}

static uint64_t key_in(peer_case c, const row *r)
{
    switch (c) {
    case CASE_LATEST:
    case CASE_SERIES:
        return r->period;
    case CASE_TOWNS_PROVINCE:
        return r->place >> PROVINCE_SHIFT & place_fields[LEVEL_PROVINCE].max;
    case CASE_TOWNS_PROVINCE_YEAR:
        return key_of(r->place >> PROVINCE_SHIFT & place_fields[LEVEL_PROVINCE].max, r->period);
    case CASE_TOPTEN:
        return key_of(r->indicator, r->place);
    case CASE_PLACE:
        return r->indicator;
    default:
        return r->place;
    }
}

static void tell(peer_case c, const question *q, answer *a)
{
    if (c == CASE_GROWTH) {
        tell_growth(q, a);
        return;
    }
    bool has_status =
        c != CASE_TOWNS_PROVINCE && c != CASE_TOWNS_PROVINCE_YEAR && c != CASE_RANK_NUMBER;
    for (size_t i = 0; i < answered.count; i++) {
        const row *r = &answered.rows[i];
        answer_row(a, key_in(c, r), value_e2(r), has_status ? r->status : '\0');
    }
}

int main(int argc, char **argv)
{
    static const peer self = {
        .name = name_of, .open = client_open, .close = client_close, .ask = ask, .tell = tell};
    mallopt(M_MMAP_THRESHOLD, 32 << 20); // memory is kept, as the services do
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    return peer_main(&self, argc, argv);
}
