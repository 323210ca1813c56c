#include "alm/service_def.h"

#include "almanac/internal/aggregation.pb-c.h"
#include "almanac/internal/health.pb-c.h"
#include "almanac/internal/ingestion.pb-c.h"
#include "almanac/internal/reflection.pb-c.h"
#include "almanac/internal/storage.pb-c.h"
#include "almanac/v1/gateway.pb-c.h"

#define UNARY  ALM_METHOD_UNARY
#define STREAM ALM_METHOD_SERVER_STREAM

// Import and Commit carry a batch id, so a repetition is answered from the first.
static const alm_method_def gateway_methods[] = {
    {"Query", STREAM, true},   {"Explain", UNARY, true}, {"Import", UNARY, true},
    {"Catalog", STREAM, true}, {"Watch", STREAM, true},  {"Status", UNARY, true},
    {"Verify", UNARY, true},
};
static const alm_method_def storage_methods[] = {
    {"Commit", UNARY, true},   {"Read", STREAM, true},  {"LoadCatalog", STREAM, true},
    {"Catalog", STREAM, true}, {"Watch", STREAM, true}, {"Head", UNARY, true},
    {"Verify", UNARY, true},
};
static const alm_method_def ingestion_methods[] = {{"Import", UNARY, true}};
static const alm_method_def aggregation_methods[] = {{"Execute", STREAM, true},
                                                     {"Explain", UNARY, true},
                                                     {"Watch", STREAM, true},
                                                     {"Plan", UNARY, true}};
static const alm_method_def health_methods[] = {{"Check", UNARY, true}, {"Watch", STREAM, true}};
static const alm_method_def reflection_methods[] = {{"ListServices", UNARY, true},
                                                    {"DescribeMessage", UNARY, true}};

const alm_service_def alm_service_gateway = {&almanac__v1__gateway__descriptor, gateway_methods};
const alm_service_def alm_service_storage = {&almanac__internal__storage__descriptor,
                                             storage_methods};
const alm_service_def alm_service_ingestion = {&almanac__internal__ingestion__descriptor,
                                               ingestion_methods};
const alm_service_def alm_service_aggregation = {&almanac__internal__aggregation__descriptor,
                                                 aggregation_methods};
const alm_service_def alm_service_health = {&almanac__internal__health__descriptor, health_methods};
const alm_service_def alm_service_reflection = {&almanac__internal__reflection__descriptor,
                                                reflection_methods};
