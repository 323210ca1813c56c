// Any bytes as a QueryRequest over a small catalogue: planned, and answered from a table of no
// rows.
#include "query_execute.h"

#include "alm/limits.h"

#include <protobuf-c/protobuf-c.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static alm_catalog *make_catalog(void)
{
    alm_catalog *catalog = NULL;
    uint32_t id;
    alm_place_id place_id;
    static const struct {
        const char *code, *parent;
        alm_level level;
    } places[] = {
        {"310000", "", ALM_LEVEL_PROVINCE},       {"310104", "310000", ALM_LEVEL_DISTRICT},
        {"310105", "310000", ALM_LEVEL_DISTRICT}, {"310105001", "310105", ALM_LEVEL_TOWN},
        {"310105002", "310105", ALM_LEVEL_TOWN},  {"L310105001", "310105", ALM_LEVEL_LOCAL},
    };
    bool is_good = alm_catalog_create(&catalog, NULL) == ALM_OK;
    for (size_t i = 0; i < ALM_ARRAY_LEN(places) && is_good; i++) {
        alm_place place = {
            .code = alm_str_from(places[i].code),
            .name_zh = alm_str_from(places[i].code),
            .level = places[i].level,
            .parent = alm_str_from(places[i].parent),
            .valid_from = ALM_DATE_NONE,
            .valid_to = ALM_DATE_MAX,
        };
        is_good = alm_catalog_add_place(catalog, &place, &place_id, NULL) == ALM_OK;
    }
    alm_indicator indicators[] = {
        {.code = ALM_STR("gdp"),
         .name_zh = ALM_STR("地区生产总值"),
         .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
         .value_type = ALM_VALUE_TYPE_FLOW,
         .over_places = ALM_AGGREGATION_SUM,
         .over_time = ALM_AGGREGATION_SUM,
         .definition = ALM_STR("按不变价")},
        {.code = ALM_STR("pop"),
         .name_zh = ALM_STR("人口"),
         .unit = {.measure = ALM_MEASURE_UNIT_PERSONS, .mult = 4},
         .value_type = ALM_VALUE_TYPE_STOCK,
         .over_places = ALM_AGGREGATION_SUM},
        {.code = ALM_STR("gdp_pc"),
         .name_zh = ALM_STR("人均"),
         .unit = {.measure = ALM_MEASURE_UNIT_CNY},
         .value_type = ALM_VALUE_TYPE_RATE,
         .over_places = ALM_AGGREGATION_RECOMPUTE,
         .numerator = ALM_STR("gdp"),
         .denominator = ALM_STR("pop")},
    };
    for (size_t i = 0; i < ALM_ARRAY_LEN(indicators) && is_good; i++) {
        is_good = alm_catalog_add_indicator(catalog, &indicators[i], &id, NULL) == ALM_OK;
    }
    ALM_ASSERT(is_good);
    ALM_ASSERT(alm_catalog_finish(catalog, NULL) == ALM_OK);
    return catalog;
}

static alm_code read_nothing(void *self, const alm_fetch *fetch, alm_row_visit visit, void *arg,
                             alm_status *st)
{
    (void)self;
    (void)visit;
    (void)arg;
    (void)st;
    for (size_t i = 1; i < fetch->place_count; i++) {
        ALM_ASSERT(fetch->places[i] > fetch->places[i - 1]);
    }
    return ALM_OK;
}

// Where there are no rows there are no numbers.
static alm_code check_row(void *self, const alm_result_row *row, alm_status *st)
{
    (void)self;
    (void)st;
    ALM_ASSERT(!row->value.has_number);
    ALM_ASSERT(row->reason.len > 0);
    return ALM_OK;
}

static alm_code check_fault(void *self, alm_str item, const alm_status *why, alm_status *st)
{
    (void)self;
    (void)item;
    (void)st;
    ALM_ASSERT(why->code != ALM_OK);
    ALM_ASSERT(why->message[0] != '\0');
    return ALM_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static alm_catalog *catalog;
    if (catalog == NULL) {
        catalog = make_catalog();
    }
    Almanac__V1__QueryRequest *request = almanac__v1__query_request__unpack(NULL, size, data);
    if (request == NULL) {
        return 0;
    }
    alm_arena *arena = alm_arena_create(0);
    alm_status st = ALM_STATUS_INIT;
    alm_query_plan plan;
    ALM_ASSERT(arena != NULL);
    if (alm_query_plan_make(request, catalog, NULL, arena, &plan, &st) == ALM_OK) {
        alm_row_reader reader = {.read = read_nothing};
        alm_answer_sink sink = {NULL, check_row, check_fault, NULL};
        alm_code code = alm_query_execute(&plan, &reader, &sink, arena, &st);
        ALM_ASSERT(code == ALM_OK || st.message[0] != '\0');
    } else {
        ALM_ASSERT(st.message[0] != '\0');
    }
    alm_arena_destroy(&arena);
    almanac__v1__query_request__free_unpacked(request, NULL);
    return 0;
}
