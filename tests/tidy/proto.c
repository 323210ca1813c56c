#include "rules.h"

#include <stdio.h>

#define DEPTH_MAX     16
#define STATEMENT_MAX 32 // tokens kept of one statement; a field's type is among the first
#define NAME_MAX      256

typedef struct message {
    const char *name; // with package and outer messages
    const tidy_file *file;
    size_t offset;
} message;

// A field's type as written, and where: what it means is known once all files were read.
typedef struct use {
    size_t message;
    alm_str type;
} use;

typedef struct graph {
    tidy_repo *repo;
    message *messages;
    size_t message_count;
    size_t message_cap;
    use *uses;
    size_t use_count;
    size_t use_cap;
} graph;

typedef enum scope_kind { SCOPE_MESSAGE, SCOPE_ONEOF, SCOPE_OTHER } scope_kind;

typedef struct scope {
    scope_kind kind;
    size_t message; // of a message or the message around a oneof
} scope;

typedef struct parser {
    graph *graph;
    const tidy_file *file;
    size_t at;
    alm_str package;
    scope scopes[DEPTH_MAX];
    size_t depth;
} parser;

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

static bool next_token(parser *in, alm_str *ret)
{
    alm_str code = in->file->code;
    while (in->at < code.len && (code.data[in->at] == ' ' || code.data[in->at] == '\n' ||
                                 code.data[in->at] == '\t' || code.data[in->at] == '\r')) {
        in->at++;
    }
    if (in->at >= code.len) {
        return false;
    }
    size_t start = in->at;
    while (in->at < code.len && is_name_char(code.data[in->at])) {
        in->at++;
    }
    in->at += in->at == start ? 1 : 0;
    *ret = alm_str_slice(code, start, in->at);
    return true;
}

// The tokens up to ; { or }, which is *ret_end.
static bool next_statement(parser *in, alm_str tokens[STATEMENT_MAX], size_t *ret_count,
                           char *ret_end)
{
    *ret_count = 0;
    for (alm_str token; next_token(in, &token);) {
        char c = token.data[0];
        if (c == ';' || c == '{' || c == '}') {
            *ret_end = c;
            return true;
        }
        if (*ret_count < STATEMENT_MAX) {
            tokens[(*ret_count)++] = token;
        }
    }
    return false;
}

static size_t add_message(parser *in, alm_str name)
{
    graph *g = in->graph;
    void *array = g->messages;
    bool ok = alm_arena_grow(g->repo->arena, &array, &g->message_cap, g->message_count + 1,
                             sizeof *g->messages);
    ALM_ASSERT(ok);
    g->messages = array;
    bool is_nested = in->depth > 0 && in->scopes[in->depth - 1].kind == SCOPE_MESSAGE;
    alm_str outer =
        is_nested ? alm_str_from(g->messages[in->scopes[in->depth - 1].message].name) : in->package;
    const char *full =
        alm_arena_printf(g->repo->arena, "%.*s.%.*s", ALM_STR_ARGS(outer), ALM_STR_ARGS(name));
    ALM_ASSERT(full != NULL);
    g->messages[g->message_count] =
        (message){full, in->file, (size_t)(name.data - in->file->code.data)};
    return g->message_count++;
}

static void add_use(graph *g, size_t message_index, alm_str type)
{
    void *array = g->uses;
    bool ok =
        alm_arena_grow(g->repo->arena, &array, &g->use_cap, g->use_count + 1, sizeof *g->uses);
    ALM_ASSERT(ok);
    g->uses = array;
    g->uses[g->use_count++] = (use){message_index, type};
}

static void open_scope(parser *in, const alm_str *tokens, size_t count)
{
    ALM_ASSERT(in->depth < DEPTH_MAX);
    scope opened = {.kind = SCOPE_OTHER};
    if (count >= 2 && alm_str_eq(tokens[0], ALM_STR("message"))) {
        opened.kind = SCOPE_MESSAGE;
        opened.message = add_message(in, tokens[1]);
    } else if (count >= 2 && alm_str_eq(tokens[0], ALM_STR("oneof")) && in->depth > 0) {
        opened.kind = SCOPE_ONEOF;
        opened.message = in->scopes[in->depth - 1].message;
    }
    in->scopes[in->depth++] = opened;
}

static bool is_no_field(alm_str first)
{
    return alm_str_eq(first, ALM_STR("option")) || alm_str_eq(first, ALM_STR("reserved")) ||
           alm_str_eq(first, ALM_STR("extensions"));
}

static bool is_label(alm_str first)
{
    return alm_str_eq(first, ALM_STR("repeated")) || alm_str_eq(first, ALM_STR("optional")) ||
           alm_str_eq(first, ALM_STR("required"));
}

// [label] Type name = 1, or map<Key, Type> name = 1.
static void take_field(parser *in, const alm_str *tokens, size_t count)
{
    if (in->depth == 0 || in->scopes[in->depth - 1].kind == SCOPE_OTHER || count < 3 ||
        is_no_field(tokens[0])) {
        return;
    }
    size_t message_index = in->scopes[in->depth - 1].message;
    if (alm_str_eq(tokens[0], ALM_STR("map"))) {
        if (count > 4) {
            add_use(in->graph, message_index, tokens[4]);
        }
    } else {
        add_use(in->graph, message_index, tokens[is_label(tokens[0]) ? 1 : 0]);
    }
}

static void parse(graph *g, const tidy_file *file)
{
    parser in = {.graph = g, .file = file, .package = ALM_STR("")};
    alm_str tokens[STATEMENT_MAX];
    size_t count;
    char end;
    while (next_statement(&in, tokens, &count, &end)) {
        if (end == '{') {
            open_scope(&in, tokens, count);
        } else if (end == '}') {
            in.depth -= in.depth > 0 ? 1 : 0;
        } else if (in.depth == 0 && count == 2 && alm_str_eq(tokens[0], ALM_STR("package"))) {
            in.package = tokens[1];
        } else {
            take_field(&in, tokens, count);
        }
    }
}

static size_t find_message(const graph *g, const char *name)
{
    for (size_t i = 0; i < g->message_count; i++) {
        if (strcmp(g->messages[i].name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

// Looks the type up from the innermost scope outwards, as protoc does. SIZE_MAX: a scalar or enum.
static size_t resolve(const graph *g, const use *it)
{
    char name[NAME_MAX];
    alm_str scope_name = alm_str_from(g->messages[it->message].name);
    bool is_absolute = it->type.data[0] == '.';
    alm_str type = alm_str_slice(it->type, is_absolute ? 1 : 0, it->type.len);
    while (!is_absolute && scope_name.len > 0) {
        (void)snprintf(name, sizeof name, "%.*s.%.*s", ALM_STR_ARGS(scope_name),
                       ALM_STR_ARGS(type));
        size_t found = find_message(g, name);
        if (found != SIZE_MAX) {
            return found;
        }
        while (scope_name.len > 0 && scope_name.data[--scope_name.len] != '.') {}
    }
    (void)snprintf(name, sizeof name, "%.*s", ALM_STR_ARGS(type));
    return find_message(g, name);
}

// Warshall: reach[i * n + j] becomes true where a path leads from i to j.
static void close_paths(bool *reach, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; reach[i * n + k] && j < n; j++) {
                reach[i * n + j] = reach[i * n + j] || reach[k * n + j];
            }
        }
    }
}

static void tell_cycle(const graph *g, const bool *edges, const bool *reach, size_t i)
{
    size_t n = g->message_count;
    size_t via = 0;
    while (!(edges[i * n + via] && (via == i || reach[via * n + i]))) {
        via++;
    }
    tidy_found(g->repo, g->messages[i].file, g->messages[i].offset, g->messages[i].name,
               "message %s contains itself%s%s; unpacking recurses as deep as a peer likes, so "
               "make it a list with indexes",
               g->messages[i].name, via == i ? "" : " through ",
               via == i ? "" : g->messages[via].name);
}

void tidy_check_proto(tidy_repo *repo)
{
    graph g = {.repo = repo};
    for (size_t i = 0; i < repo->file_count; i++) {
        if (alm_str_ends_with(repo->files[i].path, ALM_STR(".proto"))) {
            parse(&g, &repo->files[i]);
        }
    }
    size_t n = g.message_count;
    bool *edges = alm_arena_calloc(repo->arena, n * n, sizeof *edges);
    bool *reach = alm_arena_calloc(repo->arena, n * n, sizeof *reach);
    ALM_ASSERT(edges != NULL && reach != NULL);
    for (size_t i = 0; i < g.use_count; i++) {
        size_t target = resolve(&g, &g.uses[i]);
        if (target != SIZE_MAX) {
            edges[g.uses[i].message * n + target] = true;
        }
    }
    memcpy(reach, edges, n * n);
    close_paths(reach, n);
    for (size_t i = 0; i < n; i++) {
        if (reach[i * n + i]) {
            tell_cycle(&g, edges, reach, i);
        }
    }
}
