#include "alm/runner.h"

#include "identity.h"
#include "order.h"
#include "rpc_limits.h"

#include "alm/alloc.h"
#include "alm/limits.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum {
    ADDRESS_MAX = 512,
    HEALTH_TIMEOUT_MS = 2000,
    DESCRIPTORS_WANTED = 4 * ALM_RPC_PEER_COUNT_MAX, // connections, files and calls to others
};

static const alm_option common_options[] = {
    {.name = "log-level",
     .type = ALM_OPTION_TEXT,
     .fallback = "info",
     .placeholder = "LEVEL",
     .help = "debug, info, warn, error or off"},
    {.name = "log-format",
     .type = ALM_OPTION_TEXT,
     .fallback = "logfmt",
     .placeholder = "FORMAT",
     .help = "logfmt or json"},
    {.name = "drain-timeout",
     .type = ALM_OPTION_DURATION_MS,
     .fallback = "10s",
     .placeholder = "TIME",
     .help = "how long calls in progress may take after SIGTERM"},
    {.name = "allow-plaintext",
     .type = ALM_OPTION_BOOL,
     .fallback = "false",
     .help = "bind tcp beyond loopback without encryption (inside a private network)"},
    {.name = "health",
     .type = ALM_OPTION_BOOL,
     .fallback = "false",
     .help = "ask the running service at --bind; exit 0 if it serves, 4 if not"},
};

static const alm_option peer_options[] = {
    {.name = "storage",
     .type = ALM_OPTION_TEXT,
     .fallback = "tcp://127.0.0.1:7102",
     .placeholder = "ADDRESS",
     .help = "where the storage service is"},
    {.name = "ingestion",
     .type = ALM_OPTION_TEXT,
     .fallback = "tcp://127.0.0.1:7101",
     .placeholder = "ADDRESS",
     .help = "where the ingestion service is"},
    {.name = "aggregation",
     .type = ALM_OPTION_TEXT,
     .fallback = "tcp://127.0.0.1:7103",
     .placeholder = "ADDRESS",
     .help = "where the aggregation workers are; a name may stand for many"},
};

typedef struct started_module {
    const alm_module *module;
    void *self;
    alm_module_ctx ctx;
    char bind[ADDRESS_MAX];
} started_module;

typedef struct runner {
    const alm_runner_opts *opts;
    const alm_module *order[ALM_RUNNER_MODULE_COUNT_MAX];
    size_t module_count;
    alm_option *options; // the runner's and every module's
    size_t option_count;
    alm_config *config;
    alm_log log;
    alm_identity identity;
    alm_rpc *rpc;
    started_module started[ALM_RUNNER_MODULE_COUNT_MAX];
    size_t started_count;
} runner;

// --- options
// ----------------------------------------------------------------------------------------

static const alm_module *door_module(const runner *r)
{
    for (size_t i = 0; i < r->module_count; i++) {
        if (r->opts->in_process_door == NULL ||
            strcmp(r->order[i]->name, r->opts->in_process_door) == 0) {
            return r->order[i];
        }
    }
    ALM_ASSERT(!"the door is one of the modules");
    return NULL;
}

static void options_append(runner *r, const alm_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        r->options[r->option_count++] = options[i];
    }
}

static alm_code options_collect(runner *r, alm_status *st)
{
    size_t count = ALM_ARRAY_LEN(common_options) + ALM_ARRAY_LEN(peer_options) +
                   ALM_IDENTITY_OPTION_COUNT + ALM_LIMIT_OPTION_COUNT + 1;
    for (size_t i = 0; i < r->module_count; i++) {
        count += r->order[i]->option_count;
    }
    r->options = alm_calloc(count, sizeof *r->options);
    if (r->options == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory");
    }
    alm_option bind = {.name = "bind",
                       .type = ALM_OPTION_TEXT,
                       .fallback = door_module(r)->bind,
                       .placeholder = "ADDRESS",
                       .help = "where to listen; commas between several"};
    options_append(r, &bind, 1);
    options_append(r, alm_identity_options, ALM_IDENTITY_OPTION_COUNT);
    for (size_t i = 0; i < r->module_count; i++) {
        options_append(r, r->order[i]->options, r->order[i]->option_count);
    }
    if (r->opts->in_process_door == NULL && r->order[0]->needs != NULL) {
        options_append(r, peer_options, ALM_ARRAY_LEN(peer_options));
    }
    options_append(r, common_options, ALM_ARRAY_LEN(common_options));
    options_append(r, alm_limit_options, ALM_LIMIT_OPTION_COUNT);
    return ALM_OK;
}

static alm_code log_configure(runner *r, alm_status *st)
{
    const char *level = alm_config_text(r->config, "log-level");
    const char *format = alm_config_text(r->config, "log-format");
    const char *name = r->opts->in_process_door != NULL ? r->opts->program : r->order[0]->name;
    alm_log_init(&r->log, name);
    if (!alm_log_level_from(alm_str_from(level), &r->log.level)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "log-level",
                                    "--log-level %s: use debug, info, warn, error or off", level);
    }
    if (!alm_log_format_from(alm_str_from(format), &r->log.format)) {
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "log-format",
                                    "--log-format %s: use logfmt or json", format);
    }
    return ALM_OK;
}

// --- modules
// ----------------------------------------------------------------------------------------

static const char *peer_address(const runner *r, const char *name)
{
    if (r->opts->in_process_door == NULL) {
        return r->order[0]->needs == NULL ? NULL : alm_config_text(r->config, name);
    }
    // Names of this process, so they live as long as it does.
    static const struct {
        const char *name, *address;
    } table[] = {{"storage", "inproc://almanac.storage"},
                 {"ingestion", "inproc://almanac.ingestion"},
                 {"aggregation", "inproc://almanac.aggregation"},
                 {"gateway", "inproc://almanac.gateway"}};
    for (size_t i = 0; i < ALM_ARRAY_LEN(table); i++) {
        if (strcmp(table[i].name, name) == 0) {
            return table[i].address;
        }
    }
    return NULL;
}

static alm_code bind_compose(const runner *r, started_module *m, alm_status *st)
{
    const char *door = m->module == door_module(r) ? alm_config_text(r->config, "bind") : "";
    const char *inner = r->opts->in_process_door == NULL ? "" : peer_address(r, m->module->name);
    const char *comma = door[0] != '\0' && inner[0] != '\0' ? "," : "";
    int written = snprintf(m->bind, sizeof m->bind, "%s%s%s", door, comma, inner);
    if (written < 0 || (size_t)written >= sizeof m->bind) {
        return alm_status_set_field(st, ALM_OUT_OF_RANGE, "bind", "--bind is longer than %d bytes",
                                    ADDRESS_MAX);
    }
    return ALM_OK;
}

static alm_code module_start(runner *r, const alm_module *module, alm_status *st)
{
    started_module *m = &r->started[r->started_count];
    m->module = module;
    ALM_TRY(bind_compose(r, m, st));
    m->ctx = (alm_module_ctx){
        .rpc = r->rpc,
        .log = &r->log,
        .clock = alm_clock_system(),
        .config = r->config,
        .endpoints = {.storage = peer_address(r, "storage"),
                      .ingestion = peer_address(r, "ingestion"),
                      .aggregation = peer_address(r, "aggregation")},
        .bind = m->bind,
        .allow_plaintext = alm_config_bool(r->config, "allow-plaintext"),
        .keypair = r->identity.has_keypair ? &r->identity.keypair : NULL,
        .policy = r->identity.policy,
    };
    if (module->start(&m->ctx, &m->self, st) != ALM_OK) {
        return alm_status_prefix(st, "%s", module->name);
    }
    r->started_count++;
    return ALM_OK;
}

static void modules_stop(runner *r, int64_t timeout_ms)
{
    int64_t until = alm_clock_mono_ms(&r->log.clock) + timeout_ms;
    while (r->started_count > 0) {
        started_module *m = &r->started[--r->started_count];
        int64_t left = until - alm_clock_mono_ms(&r->log.clock);
        m->module->stop(m->self, ALM_MAX(left, 0));
    }
}

static alm_rpc_opts rpc_opts(const runner *r)
{
    return (alm_rpc_opts){
        .log = &r->log,
        .limits = alm_rpc_limits_of(r->config),
        .identity = alm_identity_view(&r->identity),
    };
}

static alm_code modules_start(runner *r, alm_status *st)
{
    const alm_rpc_opts opts = rpc_opts(r);
    ALM_TRY(alm_rpc_create(&opts, &r->rpc, st));
    for (size_t i = 0; i < r->module_count; i++) {
        ALM_TRY(module_start(r, r->order[i], st));
    }
    for (size_t i = 0; i < r->started_count; i++) {
        const started_module *m = &r->started[i];
        alm_log_info(&r->log, "ready", ALM_KV_CSTR("module", m->module->name),
                     ALM_KV_CSTR("address", alm_server_endpoint(m->module->server(m->self), 0)));
    }
    return ALM_OK;
}

// --- running
// ----------------------------------------------------------------------------------------

static alm_code health_ask(runner *r, alm_status *st)
{
    char address[ADDRESS_MAX];
    const alm_rpc_opts opts = rpc_opts(r);
    ALM_TRY(alm_probe_address(alm_config_text(r->config, "bind"), address, sizeof address, st));
    ALM_TRY(alm_rpc_create(&opts, &r->rpc, st));
    return alm_health_check(r->rpc, address, "", HEALTH_TIMEOUT_MS, st);
}

static void signals_block(sigset_t *ret)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_DFL); // nohup leaves it ignored, and what is ignored does not come
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    sigaddset(ret, SIGHUP);
    pthread_sigmask(SIG_BLOCK, ret, NULL);
}

// Each connection is a descriptor, and shells give 1024 where they might give more.
static void descriptors_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS_WANTED) {
        limit.rlim_cur = ALM_MIN(limit.rlim_max, (rlim_t)DESCRIPTORS_WANTED);
        (void)setrlimit(RLIMIT_NOFILE, &limit); // the listener waits when there is none left
    }
}

// A policy that cannot be read leaves the old one in force.
static void policy_reload(runner *r)
{
    alm_status st = ALM_STATUS_INIT;
    if (r->identity.policy == NULL) {
        return;
    }
    if (alm_policy_reload(r->identity.policy, &st) == ALM_OK) {
        alm_log_info(&r->log, "policy.reload", ALM_KV_CSTR("outcome", "in force"));
    } else {
        alm_log_warn(&r->log, "policy.reload", ALM_KV_CSTR("outcome", "the old one stays"),
                     ALM_KV_CSTR("error", st.message));
    }
}

static alm_code serve(runner *r, const sigset_t *signals, alm_status *st)
{
    int signal_number = 0;
    alm_code code = modules_start(r, st);
    if (code == ALM_OK) {
        while (sigwait(signals, &signal_number) == 0 && signal_number == SIGHUP) {
            policy_reload(r);
        }
        alm_log_info(&r->log, "drain", ALM_KV_CSTR("signal", strsignal(signal_number)));
        // From here on a second signal does what it does by default: end the process.
        pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    }
    modules_stop(r, code == ALM_OK ? alm_config_int(r->config, "drain-timeout") : 0);
    if (code == ALM_OK) {
        alm_log_info(&r->log, "stopped", ALM_KV_I64("exit", 0));
    }
    return code;
}

static void help_print(const runner *r)
{
    printf("usage: %s [OPTION]...\n%s\n\n", r->opts->program, r->opts->summary);
    alm_config_print_help(r->options, r->option_count, stdout);
}

// Without encryption nobody proves a key, and who the policy names is nobody.
static void warn_of_unused_keys(runner *r)
{
    alm_policy *policy = r->identity.policy;
    if (policy != NULL && !r->identity.has_keypair && alm_policy_has_keys(policy)) {
        alm_log_warn(&r->log, "policy.keys_unused",
                     ALM_KV_CSTR("why", "keys are proved only to who has a --key-file"));
    }
}

static alm_code run(runner *r, int argc, char **argv, alm_status *st)
{
    sigset_t signals;
    const char *const *positional;
    ALM_TRY(alm_module_order(r->opts->modules, r->order, &r->module_count, st));
    ALM_TRY(options_collect(r, st));
    ALM_TRY(alm_config_load(r->options, r->option_count, argc, argv, &r->config, st));
    if (alm_config_wants_help(r->config)) {
        help_print(r);
        return ALM_OK;
    }
    if (alm_config_wants_version(r->config)) {
        printf("%s %s\n", r->opts->program, ALM_VERSION);
        return ALM_OK;
    }
    if (alm_config_wants_print(r->config)) {
        alm_config_print(r->config, stdout);
        return ALM_OK;
    }
    if (alm_config_positional(r->config, &positional) > 0) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "unexpected argument %s; see --help",
                              positional[0]);
    }
    ALM_TRY(log_configure(r, st));
    ALM_TRY(alm_identity_open(&r->identity, r->config, st));
    if (alm_config_bool(r->config, "health")) {
        return health_ask(r, st);
    }
    warn_of_unused_keys(r);
    descriptors_raise();
    signals_block(&signals);
    return serve(r, &signals, st);
}

int alm_runner_main(const alm_runner_opts *opts, int argc, char **argv)
{
    runner r = {.opts = opts};
    alm_status st = ALM_STATUS_INIT;
    // Keep freed large blocks: giving every message's pages back to the kernel costs more than they
    // do.
    mallopt(M_MMAP_THRESHOLD, 32 << 20); // the most that glibc takes
    mallopt(M_TRIM_THRESHOLD, 128 << 20);
    alm_code code = run(&r, argc, argv, &st);
    if (code != ALM_OK) {
        fprintf(stderr, "%s: %s\n", opts->program, st.message);
    }
    alm_rpc_destroy(&r.rpc);
    alm_identity_close(&r.identity);
    alm_config_destroy(&r.config);
    alm_free(r.options);
    return alm_code_exit(code);
}
