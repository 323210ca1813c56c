#include "alm/service_def.h"

#include "almanac/internal/aggregation.pb-c.h"
#include "almanac/internal/health.pb-c.h"
#include "almanac/internal/ingestion.pb-c.h"
#include "almanac/internal/reflection.pb-c.h"
#include "almanac/internal/stats.pb-c.h"
#include "almanac/internal/storage.pb-c.h"
#include "almanac/v1/gateway.pb-c.h"

#define UNARY   ALM_METHOD_UNARY
#define STREAM  ALM_METHOD_SERVER_STREAM
#define SAFE    ALM_REPEAT_SAFE
#define KEYED   ALM_REPEAT_KEYED
#define NONE    ALM_ROLE_NONE
#define READER  ALM_ROLE_READER
#define WRITER  ALM_ROLE_WRITER
#define ADMIN   ALM_ROLE_ADMIN
#define SERVICE ALM_ROLE_SERVICE

// The key of Import and Commit is the batch id. A catalogue loaded twice is the same catalogue.
static const alm_method_def gateway_methods[] = {
    {"Query", STREAM, SAFE, READER},     {"Explain", UNARY, SAFE, READER},
    {"Import", UNARY, KEYED, WRITER},    {"Catalog", STREAM, SAFE, READER},
    {"Watch", STREAM, SAFE, READER},     {"Status", UNARY, SAFE, READER},
    {"Verify", UNARY, SAFE, ADMIN},      {"Backup", STREAM, SAFE, ADMIN},
    {"Reconcile", STREAM, SAFE, READER},
};
static const alm_method_def storage_methods[] = {
    {"Commit", UNARY, KEYED, SERVICE},      {"Read", STREAM, SAFE, SERVICE},
    {"LoadCatalog", STREAM, SAFE, SERVICE}, {"Catalog", STREAM, SAFE, SERVICE},
    {"Watch", STREAM, SAFE, SERVICE},       {"Head", UNARY, SAFE, SERVICE},
    {"Verify", UNARY, SAFE, SERVICE},       {"Backup", STREAM, SAFE, SERVICE},
    {"Sums", STREAM, SAFE, SERVICE},
};
static const alm_method_def ingestion_methods[] = {{"Import", UNARY, KEYED, SERVICE}};
static const alm_method_def aggregation_methods[] = {{"Execute", STREAM, SAFE, SERVICE},
                                                     {"Explain", UNARY, SAFE, SERVICE},
                                                     {"Watch", STREAM, SAFE, SERVICE},
                                                     {"Plan", UNARY, SAFE, SERVICE},
                                                     {"Reconcile", STREAM, SAFE, SERVICE}};
static const alm_method_def health_methods[] = {{"Check", UNARY, SAFE, NONE},
                                                {"Watch", STREAM, SAFE, NONE}};
static const alm_method_def reflection_methods[] = {{"ListServices", UNARY, SAFE, READER},
                                                    {"DescribeMessage", UNARY, SAFE, READER},
                                                    {"FileDescriptors", UNARY, SAFE, READER}};
static const alm_method_def stats_methods[] = {{"Get", UNARY, SAFE, READER}};

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
const alm_service_def alm_service_stats = {&almanac__internal__stats__descriptor, stats_methods};
