// Who may call what: keys over tcp, tokens over everything.
#include "world.h"

#include "alm/auth.h"

#include <sys/stat.h>
#include <unistd.h>

#define POLICY_BYTES_MAX 2048

typedef struct guarded {
    world *w;
    echo_server echo;
    alm_keypair server, reader, writer, stranger;
    char token[ALM_TOKEN_TEXT_BYTES];
    char path[96]; // of the policy
    alm_policy *policy;
} guarded;

static size_t key_line(char *at, const alm_keypair *pair, const char *role, const char *name)
{
    char text[ALM_KEY_TEXT_BYTES];
    alm_key_to_text(pair->public_key, text);
    return (size_t)snprintf(at, 128, "key %s %s %s\n", text, role, name);
}

static void write_policy(const guarded *g, bool has_writer, bool has_token)
{
    char text[POLICY_BYTES_MAX];
    size_t len = key_line(text, &g->reader, "reader", "wang");
    if (has_writer) {
        len += key_line(text + len, &g->writer, "writer", "li");
    }
    uint8_t hash[ALM_TOKEN_HASH_BYTES];
    alm_token_hash(alm_str_from(g->token), hash);
    len += has_token ? (size_t)snprintf(text + len, 8, "token ") : 0;
    for (size_t i = 0; i < sizeof hash && has_token; i++) {
        len += (size_t)snprintf(text + len, 3, "%02x", (unsigned)hash[i]);
    }
    len += has_token ? (size_t)snprintf(text + len, 32, " writer robot\n") : 0;
    FILE *file = fopen(g->path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
}

static void guard(guarded *g, world *w)
{
    *g = (guarded){.w = w, .echo.name = "guarded"};
    alm_keypair *const pairs[] = {&g->server, &g->reader, &g->writer, &g->stranger};
    for (size_t i = 0; i < ALM_ARRAY_LEN(pairs); i++) {
        assert_code(ALM_OK, alm_keypair_generate(pairs[i], &w->st));
    }
    assert_code(ALM_OK, alm_token_generate(g->token, &w->st));
    snprintf(g->path, sizeof g->path, "%s/policy", w->dir);
    umask(077);
    write_policy(g, true, true);
    assert_code(ALM_OK, alm_policy_load(g->path, &g->policy, &w->st));
    const alm_server_opts opts = {.name = g->echo.name, .keypair = &g->server, .policy = g->policy};
    char address[ECHO_ADDRESS_MAX];
    world_address(w, address);
    echo_start(&g->echo, w->rpc, address, &opts);
}

static void unguard(guarded *g)
{
    echo_stop(&g->echo);
    alm_policy_destroy(&g->policy);
    unlink(g->path);
}

static alm_channel *open_as(guarded *g, const alm_keypair *pair, const char *token)
{
    world *w = g->w;
    alm_channel *channel = NULL;
    const alm_rpc_identity identity = {
        .keypair = pair, .server_key = g->server.public_key, .token = token};
    const alm_channel_opts opts = {.identity = &identity};
    assert_code(ALM_OK, alm_channel_open(w->rpc, g->echo.address, &opts, &channel, &w->st));
    return channel;
}

// Fail needs no role, Say a reader, Count a writer.
static alm_code call(guarded *g, alm_channel *channel, const char *method)
{
    world *w = g->w;
    alm_call_opts opts = {.timeout_ms = WORLD_WAIT_MS};
    alm_arena_reset(w->arena);
    w->st = ALM_STATUS_INIT;
    if (strcmp(method, "Count") == 0) {
        alm_stream *stream = world_count(w, channel, 1, 0, &opts);
        while (world_next(w, stream) != NULL) {}
        alm_stream_close(&stream);
        return w->st.code;
    }
    if (strcmp(method, "Say") == 0) {
        (void)world_say(w, channel, "who am I", &opts);
        return w->st.code;
    }
    Almanac__Test__FailRequest request;
    almanac__test__fail_request__init(&request);
    ProtobufCMessage *reply = NULL;
    return alm_channel_call(channel, &echo_service, method, &opts, &request.base, w->arena, &reply,
                            &w->st);
}

static void tokens_open_what_their_role_may(void **state)
{
    world *w = *state;
    guarded g;
    guard(&g, w);
    const bool has_keys = strcmp(w->scheme, "tcp") == 0;
    alm_channel *nobody = open_as(&g, has_keys ? &g.reader : NULL, NULL);
    alm_channel *robot = open_as(&g, has_keys ? &g.reader : NULL, g.token);
    alm_channel *liar = open_as(&g, has_keys ? &g.reader : NULL, "alm_not-a-token-at-all");
    assert_code(ALM_OK, call(&g, nobody, "Fail"));
    if (!has_keys) { // within the machine the file's mode has let it in, and nothing else is asked
        assert_code(ALM_OK, call(&g, nobody, "Count"));
    }
    assert_code(ALM_OK, call(&g, robot, "Say"));
    assert_code(ALM_OK, call(&g, robot, "Count"));
    assert_code(ALM_UNAUTHENTICATED, call(&g, liar, "Say"));
    assert_null(strstr(w->st.message, "not-a-token")); // secrets are not repeated
    alm_channel_close(&nobody);
    alm_channel_close(&robot);
    alm_channel_close(&liar);
    unguard(&g);
}

static void keys_open_what_their_role_may(void **state)
{
    world *w = *state;
    if (strcmp(w->scheme, "tcp") != 0) {
        return; // only what leaves the machine is encrypted, and so only there are keys shown
    }
    guarded g;
    guard(&g, w);
    alm_channel *reader = open_as(&g, &g.reader, NULL);
    alm_channel *writer = open_as(&g, &g.writer, NULL);
    assert_code(ALM_OK, call(&g, reader, "Say"));
    assert_code(ALM_PERMISSION_DENIED, call(&g, reader, "Count"));
    assert_non_null(strstr(w->st.message, "wang"));
    assert_code(ALM_OK, call(&g, writer, "Count"));
    write_policy(&g, false, true); // a reload counts for connections that stand
    assert_code(ALM_OK, alm_policy_reload(g.policy, &w->st));
    assert_code(ALM_UNAUTHENTICATED, call(&g, writer, "Count"));
    assert_code(ALM_OK, call(&g, reader, "Say"));
    alm_channel_close(&reader);
    alm_channel_close(&writer);
    unguard(&g);
}

static void strangers_do_not_get_in(void **state)
{
    world *w = *state;
    if (strcmp(w->scheme, "tcp") != 0) {
        return;
    }
    guarded g;
    guard(&g, w);
    alm_channel *by_token = open_as(&g, &g.stranger, g.token);
    alm_channel *unknown = open_as(&g, &g.stranger, NULL);
    assert_code(ALM_OK, call(&g, by_token, "Count")); // where there are tokens any key may connect,
    assert_code(ALM_UNAUTHENTICATED, call(&g, unknown, "Say")); // and is nobody by itself
    alm_channel_close(&by_token);
    alm_channel_close(&unknown);
    write_policy(&g, true, false);
    assert_code(ALM_OK, alm_policy_reload(g.policy, &w->st));
    alm_channel *stranger = open_as(&g, &g.stranger, NULL);
    alm_channel *plain = world_open(w, g.echo.address);
    assert_code(ALM_DEADLINE_EXCEEDED, alm_channel_wait_ready(stranger, 300, &w->st));
    assert_code(ALM_DEADLINE_EXCEEDED, alm_channel_wait_ready(plain, 300, &w->st));
    alm_channel *reader = open_as(&g, &g.reader, NULL);
    assert_code(ALM_OK, call(&g, reader, "Say"));
    alm_channel_close(&stranger);
    alm_channel_close(&plain);
    alm_channel_close(&reader);
    unguard(&g);
}

// The call Sum's handler uses its arena again for each message, and the call is logged after that.
static void sum_as(guarded *g, const char *token)
{
    world *w = g->w;
    alm_channel *channel = open_as(g, strcmp(w->scheme, "tcp") == 0 ? &g->stranger : NULL, token);
    alm_stream *stream = NULL;
    uint8_t padding[256];
    memset(padding, 'x', sizeof padding);
    Almanac__Test__CountResponse message;
    almanac__test__count_response__init(&message);
    message.padding = (ProtobufCBinaryData){.len = sizeof padding, .data = padding};
    assert_code(ALM_OK,
                alm_stream_open(channel, &echo_service, "Sum", NULL, NULL, &stream, &w->st));
    assert_code(ALM_OK, alm_stream_send(stream, &message.base, &w->st));
    assert_code(ALM_OK, alm_stream_finish(stream, &w->st));
    ProtobufCMessage *answer = NULL;
    assert_code(ALM_OK, alm_stream_next(stream, w->arena, &answer, &w->st));
    alm_stream_close(&stream);
    alm_channel_close(&channel);
}

static void a_bearer_is_known_to_the_end_of_the_call(void **state)
{
    world *w = *state;
    guarded g;
    world_log_start(w);
    guard(&g, w);
    sum_as(&g, g.token);
    unguard(&g);
    const char *text = world_log_text(w);
    const char *line = strstr(text, "method=Sum");
    if (line == NULL || strstr(line, " user=robot ") == NULL) {
        fail_msg("robot's call is not in the log: %s", text);
    }
    assert_null(strstr(text, g.token));
}

world_group conform_auth(void)
{
    static const struct CMUnitTest tests[] = {
        WORLD_TEST(tokens_open_what_their_role_may),
        WORLD_TEST(keys_open_what_their_role_may),
        WORLD_TEST(strangers_do_not_get_in),
        WORLD_TEST(a_bearer_is_known_to_the_end_of_the_call),
    };
    return (world_group){.tests = tests, .count = ALM_ARRAY_LEN(tests)};
}
