#include "metrics.h"

#include "almanac/internal/storage.pb-c.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static void family(alm_buf *out, const char *name, const char *type, const char *help)
{
    alm_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

// --- calls of the gateway's own server
// --------------------------------------------------------------

static void calls_visit(void *arg, const alm_method_stats *stats)
{
    for (int code = 0; code < ALM_CODE_COUNT; code++) {
        if (stats->finished[code] > 0) {
            alm_buf_printf(arg,
                           "almanac_rpc_calls_total{service=\"%s\",method=\"%s\",code=\"%s\"} "
                           "%" PRIu64 "\n",
                           stats->service, stats->method, alm_code_name((alm_code)code),
                           stats->finished[code]);
        }
    }
}

static void in_progress_visit(void *arg, const alm_method_stats *stats)
{
    uint64_t finished = 0;
    for (int code = 0; code < ALM_CODE_COUNT; code++) {
        finished += stats->finished[code];
    }
    alm_buf_printf(arg, "almanac_rpc_calls_in_progress{service=\"%s\",method=\"%s\"} %" PRIu64 "\n",
                   stats->service, stats->method,
                   stats->started > finished ? stats->started - finished : 0);
}

static void sent_visit(void *arg, const alm_method_stats *stats)
{
    alm_buf_printf(arg, "almanac_rpc_sent_bytes_total{service=\"%s\",method=\"%s\"} %" PRIu64 "\n",
                   stats->service, stats->method, stats->bytes_sent);
}

static void latency_visit(void *arg, const alm_method_stats *stats)
{
    alm_buf *out = arg;
    uint64_t cumulative = 0;
    for (size_t i = 0; i < ALM_LATENCY_BUCKET_COUNT; i++) {
        char bound[32] = "+Inf";
        if (i + 1 < ALM_LATENCY_BUCKET_COUNT) {
            snprintf(bound, sizeof bound, "%g", (double)alm_latency_bounds_us[i] / 1e6);
        }
        cumulative += stats->latency[i];
        alm_buf_printf(out,
                       "almanac_rpc_latency_seconds_bucket{service=\"%s\",method=\"%s\",le=\"%s\"} "
                       "%" PRIu64 "\n",
                       stats->service, stats->method, bound, cumulative);
    }
    alm_buf_printf(out, "almanac_rpc_latency_seconds_sum{service=\"%s\",method=\"%s\"} %.6f\n",
                   stats->service, stats->method, (double)stats->latency_us_sum / 1e6);
    alm_buf_printf(out,
                   "almanac_rpc_latency_seconds_count{service=\"%s\",method=\"%s\"} %" PRIu64 "\n",
                   stats->service, stats->method, cumulative);
}

static void calls_write(const gateway *g, alm_buf *out)
{
    family(out, "almanac_rpc_calls_total", "counter", "Calls answered, by status code.");
    alm_server_stats(g->server, calls_visit, out);
    family(out, "almanac_rpc_calls_in_progress", "gauge", "Calls being worked on.");
    alm_server_stats(g->server, in_progress_visit, out);
    family(out, "almanac_rpc_sent_bytes_total", "counter", "Bytes of messages sent to clients.");
    alm_server_stats(g->server, sent_visit, out);
    family(out, "almanac_rpc_latency_seconds", "histogram",
           "Time from a call's arrival until its answer leaves.");
    alm_server_stats(g->server, latency_visit, out);
}

// --- services behind the gateway
// --------------------------------------------------------------------

static void backends_write(const gateway *g, alm_buf *out)
{
    gateway_backend backends[GATEWAY_BACKEND_COUNT];
    gateway_backend_count counts[GATEWAY_BACKEND_COUNT];
    gateway_backends(g, backends);
    for (size_t i = 0; i < GATEWAY_BACKEND_COUNT; i++) {
        counts[i] = gateway_backend_state(backends[i].channel);
    }
    family(out, "almanac_backend_connections", "gauge", "Addresses of a service, by state.");
    for (size_t i = 0; i < GATEWAY_BACKEND_COUNT; i++) {
        alm_buf_printf(out,
                       "almanac_backend_connections{service=\"%s\",state=\"healthy\"} %u\n"
                       "almanac_backend_connections{service=\"%s\",state=\"unhealthy\"} %u\n",
                       backends[i].name, counts[i].healthy, backends[i].name, counts[i].unhealthy);
    }
    family(out, "almanac_backend_calls_total", "counter", "Calls made to a service.");
    for (size_t i = 0; i < GATEWAY_BACKEND_COUNT; i++) {
        alm_buf_printf(out, "almanac_backend_calls_total{service=\"%s\"} %" PRIu64 "\n",
                       backends[i].name, counts[i].calls);
    }
    family(out, "almanac_backend_failures_total", "counter", "Calls to a service that failed.");
    for (size_t i = 0; i < GATEWAY_BACKEND_COUNT; i++) {
        alm_buf_printf(out, "almanac_backend_failures_total{service=\"%s\"} %" PRIu64 "\n",
                       backends[i].name, counts[i].failures);
    }
    family(out, "almanac_backend_outstanding_calls", "gauge", "Calls a service is working on.");
    for (size_t i = 0; i < GATEWAY_BACKEND_COUNT; i++) {
        alm_buf_printf(out, "almanac_backend_outstanding_calls{service=\"%s\"} %u\n",
                       backends[i].name, counts[i].outstanding);
    }
}

static void gauge(alm_buf *out, const char *name, const char *help, uint64_t value)
{
    family(out, name, "gauge", help);
    alm_buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

static void counter(alm_buf *out, const char *name, const char *help, uint64_t value)
{
    family(out, name, "counter", help);
    alm_buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

// What the store does beside answering.
static void care_write(const Almanac__Internal__HeadResponse *head, alm_buf *out)
{
    family(out, "almanac_store_part_bytes", "gauge",
           "Bytes of the store's file, by what is there.");
    for (size_t i = 0; i < head->n_parts; i++) {
        alm_buf_printf(out, "almanac_store_part_bytes{part=\"%s\"} %" PRIu64 "\n",
                       head->parts[i]->name, head->parts[i]->bytes);
    }
    gauge(out, "almanac_store_parts_waiting", "Parts whose series are not folded yet.",
          head->parts_waiting);
    gauge(out, "almanac_store_queued_commits", "Commits that wait for the writer.", head->queued);
    family(out, "almanac_store_oldest_snapshot_seconds", "gauge",
           "How long the oldest snapshot has been held at least while commits went on.");
    alm_buf_printf(out, "almanac_store_oldest_snapshot_seconds %.3f\n",
                   (double)head->oldest_snapshot_us / 1e6);
    counter(out, "almanac_store_commits_total", "Commits since storage started.", head->commits);
    counter(out, "almanac_store_commit_groups_total", "Groups they were written in.",
            head->commit_groups);
    counter(out, "almanac_store_folds_total", "Parts folded into series.", head->folds);
    family(out, "almanac_store_last_fold_timestamp_seconds", "gauge",
           "When the last part was folded; 0: not since storage started.");
    alm_buf_printf(out, "almanac_store_last_fold_timestamp_seconds %.3f\n",
                   (double)head->folded_at_us / 1e6);
    family(out, "almanac_store_sync_seconds", "summary",
           "Time to make one transaction durable, fsync included.");
    alm_buf_printf(out,
                   "almanac_store_sync_seconds_sum %.6f\n"
                   "almanac_store_sync_seconds_count %" PRIu64 "\n",
                   (double)head->sync_us / 1e6, head->syncs);
}

static void hedges_write(const gateway *g, alm_buf *out)
{
    counter(out, "almanac_query_hedges_total",
            "Late fragments of questions that another worker was asked too.",
            atomic_load(&g->hedge_count));
}

static void store_write(const gateway *g, alm_buf *out)
{
    Almanac__Internal__HeadRequest request = ALMANAC__INTERNAL__HEAD_REQUEST__INIT;
    request.with_parts = true;
    alm_call_opts opts = {.timeout_ms = 1000, .fail_fast = true};
    ProtobufCMessage *reply;
    alm_arena *arena = alm_arena_create(0);
    if (arena == NULL) {
        return;
    }
    if (alm_channel_call(g->storage, &alm_service_storage, "Head", &opts, &request.base, arena,
                         &reply, NULL) == ALM_OK) {
        const Almanac__Internal__HeadResponse *head =
            (const Almanac__Internal__HeadResponse *)reply;
        gauge(out, "almanac_store_sequence", "Number of the newest commit.", head->sequence);
        gauge(out, "almanac_store_observations", "Vintages stored.", head->observations);
        gauge(out, "almanac_store_cells", "Current values.", head->cells);
        gauge(out, "almanac_store_series_variants", "Series without regard to the place.",
              head->series_variants);
        gauge(out, "almanac_store_places", "Places in the catalogue.", head->places);
        gauge(out, "almanac_store_indicators", "Indicators in the catalogue.", head->indicators);
        gauge(out, "almanac_store_quarantined_rows", "Rows that could not be taken.",
              head->quarantined);
        gauge(out, "almanac_store_used_bytes", "Bytes of the store's file in use.",
              head->bytes_used);
        gauge(out, "almanac_store_max_bytes", "Bytes the store's file may grow to.",
              head->bytes_max);
        gauge(out, "almanac_store_snapshots",
              "Snapshots held now by reads, backups and verifications.", head->snapshots);
        gauge(out, "almanac_store_oldest_snapshot_lag", "Commits since the oldest snapshot began.",
              head->oldest_snapshot_lag);
        care_write(head, out);
    }
    alm_arena_destroy(&arena);
}

// --- the process
// ------------------------------------------------------------------------------------

static uint64_t open_fds(void)
{
    uint64_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL) {
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    closedir(dir);
    return count;
}

static uint64_t resident_bytes(void)
{
    char line[128];
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) {
        return 0;
    }
    bool got = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    // Pages: of the program, and of those the resident ones.
    alm_str rest = alm_str_from(got ? line : "");
    alm_str size;
    alm_str resident;
    int64_t page_count;
    bool is_read = alm_str_split(&rest, ' ', &size) && alm_str_split(&rest, ' ', &resident) &&
                   alm_str_to_i64(resident, &page_count);
    return is_read ? (uint64_t)page_count * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void process_write(const gateway *g, alm_buf *out)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    family(out, "process_cpu_seconds_total", "counter", "User and system time.");
    alm_buf_printf(out, "process_cpu_seconds_total %.3f\n",
                   (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    gauge(out, "process_resident_memory_bytes", "Resident memory.", resident_bytes());
    gauge(out, "process_open_fds", "Open file descriptors.", open_fds());
    gauge(out, "process_start_time_seconds", "Start, seconds since 1970.",
          (uint64_t)(g->started_us / 1000000));
}

void metrics_write(const gateway *g, alm_buf *out)
{
    family(out, "almanac_build_info", "gauge", "1, labelled with the version.");
    alm_buf_printf(out, "almanac_build_info{version=\"%s\"} 1\n", ALM_VERSION);
    calls_write(g, out);
    backends_write(g, out);
    hedges_write(g, out);
    store_write(g, out);
    process_write(g, out);
}

bool metrics_ready(const gateway *g, alm_buf *out)
{
    bool ready = true;
    gateway_backend backends[GATEWAY_BACKEND_COUNT];
    gateway_backends(g, backends);
    for (size_t i = 0; i < GATEWAY_BACKEND_COUNT; i++) {
        bool up = gateway_backend_state(backends[i].channel).healthy > 0;
        alm_buf_printf(out, "[%c]%s %s\n", up ? '+' : '-', backends[i].name,
                       up ? "ok" : "unreachable");
        ready = ready && up;
    }
    return ready;
}
