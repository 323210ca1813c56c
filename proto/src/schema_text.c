// A symbol as it would stand in a .proto file. Comments are the only part of the set that may be
// any text; what a terminal could take for a command is replaced in them.
#include "schema_impl.h"

#include "alm/limits.h"
#include "field.h"

#include <stdio.h>

#define DEPTH_MAX          (ALM_SCHEMA_NAME_BYTES_MAX / 2 + 1) // of names in names
#define COMMENT_BYTES_MAX  72                                  // of one behind its line
#define RESERVED_TO_MAX    ((1 << 29) - 1)
#define PATH_LEN_EXTRA_MAX 2

// One message or enum that is open.
typedef struct level {
    const alm_schema_node *node;
    size_t child_next; // in schema->nodes
} level;

typedef struct writer {
    const alm_schema *schema;
    alm_buf *out;
    size_t indent;
} writer;

static void start_line(const writer *w)
{
    for (size_t i = 0; i < w->indent; i++) {
        alm_buf_str(w->out, ALM_STR("  "));
    }
}

// --- comments ------------------------------------------------------------------------------------

// The comments of what the node holds in list at position; list 0: of the node.
static const Almanac__Schema__Location *find_comments(const alm_schema_node *node, int32_t list,
                                                      size_t position)
{
    const Almanac__Schema__SourceInfo *info = node->file->source_code_info;
    int32_t end[PATH_LEN_EXTRA_MAX] = {list, (int32_t)position};
    size_t extra = list != 0 ? PATH_LEN_EXTRA_MAX : 0;
    for (size_t i = 0; info != NULL && i < info->n_location; i++) {
        const Almanac__Schema__Location *at = info->location[i];
        if (at->n_path == node->path_len + extra &&
            memcmp(at->path, node->path, node->path_len * sizeof *at->path) == 0 &&
            (extra == 0 || memcmp(at->path + node->path_len, end, sizeof end) == 0)) {
            return at;
        }
    }
    return NULL;
}

static void write_clean(alm_buf *out, alm_str text)
{
    while (text.len > 0) {
        uint32_t c = 0;
        size_t len = alm_utf8_decode(text, &c);
        bool is_bad = len == 0 || (c < 0x20 && c != '\t') || (c >= 0x7f && c < 0xa0);
        len = len == 0 ? 1 : len;
        alm_buf_str(out, is_bad ? ALM_STR("?") : alm_str_slice(text, 0, len));
        text = alm_str_slice(text, len, text.len);
    }
}

static alm_str comment_of(const char *text)
{
    alm_str whole = alm_str_from(text);
    while (whole.len > 0 &&
           (whole.data[whole.len - 1] == '\n' || whole.data[whole.len - 1] == ' ')) {
        whole.len--;
    }
    return whole;
}

static void write_comment_lines(const writer *w, const char *text)
{
    alm_str rest = comment_of(text);
    for (alm_str line; rest.len > 0 && alm_str_split(&rest, '\n', &line);) {
        start_line(w);
        alm_buf_str(w->out, ALM_STR("//"));
        write_clean(w->out, line);
        alm_buf_char(w->out, '\n');
    }
}

static bool fits_behind(const char *text)
{
    alm_str comment = comment_of(text);
    return comment.len <= COMMENT_BYTES_MAX && alm_str_find_char(comment, '\n') == SIZE_MAX;
}

// What stands above an element, also a comment behind it that is too long for there.
static void write_above(const writer *w, const Almanac__Schema__Location *comments)
{
    if (comments == NULL) {
        return;
    }
    write_comment_lines(w, comments->leading_comments);
    if (!fits_behind(comments->trailing_comments)) {
        write_comment_lines(w, comments->trailing_comments);
    }
}

static void end_line(const writer *w, const Almanac__Schema__Location *comments)
{
    if (comments != NULL && fits_behind(comments->trailing_comments) &&
        comment_of(comments->trailing_comments).len > 0) {
        alm_buf_str(w->out, ALM_STR(" //"));
        write_clean(w->out, comment_of(comments->trailing_comments));
    }
    alm_buf_char(w->out, '\n');
}

// --- types ---------------------------------------------------------------------------------------

// Whether something from inner on, up to but without outer, begins as the name does.
static bool is_hidden(const writer *w, const alm_schema_node *inner, const alm_schema_node *outer,
                      alm_str name)
{
    size_t dot = alm_str_find_char(name, '.');
    alm_str first = dot == SIZE_MAX ? name : alm_str_slice(name, 0, dot);
    for (const alm_schema_node *scope = inner; scope != outer; scope = scope->parent) {
        char full[ALM_SCHEMA_NAME_BYTES_MAX * 2 + 2];
        (void)snprintf(full, sizeof full, "%s.%.*s", scope->name, ALM_STR_ARGS(first));
        if (alm_schema_node_of(w->schema, alm_str_from(full)) != NULL) {
            return true;
        }
    }
    return false;
}

// What is behind the scope's name and a dot, or nothing.
static alm_str inside_of(const char *scope, alm_str full)
{
    alm_str prefix = alm_str_from(scope);
    bool is_inside = prefix.len > 0 && full.len > prefix.len + 1 && full.data[prefix.len] == '.' &&
                     alm_str_starts_with(full, prefix);
    return is_inside ? alm_str_slice(full, prefix.len + 1, full.len) : ALM_STR("");
}

// As people write it: from the innermost message around node, or the package, that holds the type.
static void write_type(const writer *w, const alm_schema_node *node, const char *type)
{
    alm_str full = alm_str_from(type + 1); // behind its dot, see alm_schema_resolve
    const alm_schema_node *scope = node;
    alm_str inside = inside_of(scope->name, full);
    while (inside.len == 0 && scope != NULL) {
        scope = scope->parent;
        inside = inside_of(scope != NULL ? scope->name : node->package, full);
    }
    bool is_plain = inside.len > 0 && !is_hidden(w, node, scope, inside);
    alm_buf_str(w->out, is_plain ? inside : full);
}

// --- messages ------------------------------------------------------------------------------------

static const ProtobufCFieldDescriptor *descriptor_of(const alm_schema_node *node,
                                                     const Almanac__Schema__Field *field)
{
    return protobuf_c_message_descriptor_get_field(node->message_descriptor,
                                                   (unsigned)field->number);
}

static void write_field(const writer *w, const alm_schema_node *node, size_t position)
{
    const Almanac__Schema__Field *field = node->message->field[position];
    const ProtobufCFieldDescriptor *descriptor = descriptor_of(node, field);
    const Almanac__Schema__Location *comments =
        find_comments(node, ALM_SCHEMA_MESSAGE_FIELD, position);
    bool is_repeated = descriptor->label == PROTOBUF_C_LABEL_REPEATED;
    write_above(w, comments);
    start_line(w);
    alm_buf_printf(w->out, "%s",
                   is_repeated              ? "repeated "
                   : field->proto3_optional ? "optional "
                                            : "");
    if (descriptor->descriptor != NULL) {
        write_type(w, node, field->type_name);
    } else {
        alm_buf_str(w->out, alm_str_from(alm_field_kind(descriptor)));
    }
    alm_buf_printf(w->out, " %s = %d", field->name, field->number);
    const Almanac__Schema__FieldOptions *options = field->options;
    bool is_unpacked = options != NULL && options->has_packed && !options->packed;
    bool is_deprecated = options != NULL && options->deprecated;
    if (is_unpacked || is_deprecated) {
        alm_buf_printf(w->out, " [%s%s%s]", is_unpacked ? "packed = false" : "",
                       is_unpacked && is_deprecated ? ", " : "",
                       is_deprecated ? "deprecated = true" : "");
    }
    alm_buf_char(w->out, ';');
    end_line(w, comments);
}

static bool is_member(const Almanac__Schema__Field *field, int32_t oneof)
{
    return field->has_oneof_index && !field->proto3_optional && field->oneof_index == oneof;
}

static void write_oneof(writer *w, const alm_schema_node *node, int32_t oneof, size_t first)
{
    const Almanac__Schema__Message *message = node->message;
    const Almanac__Schema__Location *comments =
        find_comments(node, ALM_SCHEMA_MESSAGE_ONEOF, (size_t)oneof);
    write_above(w, comments);
    start_line(w);
    alm_buf_printf(w->out, "oneof %s {", message->oneof_decl[oneof]->name);
    end_line(w, comments);
    w->indent++;
    for (size_t i = first; i < message->n_field; i++) {
        if (is_member(message->field[i], oneof)) {
            write_field(w, node, i);
        }
    }
    w->indent--;
    start_line(w);
    alm_buf_str(w->out, ALM_STR("}\n"));
}

static bool is_first_member(const Almanac__Schema__Message *message, size_t position)
{
    for (size_t i = 0; i < position; i++) {
        if (is_member(message->field[i], message->field[position]->oneof_index)) {
            return false;
        }
    }
    return true;
}

static void write_fields(writer *w, const alm_schema_node *node)
{
    const Almanac__Schema__Message *message = node->message;
    for (size_t i = 0; i < message->n_field; i++) {
        const Almanac__Schema__Field *field = message->field[i];
        if (!is_member(field, field->oneof_index)) {
            write_field(w, node, i);
        } else if (is_first_member(message, i)) {
            write_oneof(w, node, field->oneof_index, i);
        }
    }
}

// A message's ranges end behind their last number, an enum's with it.
static void write_reserved(const writer *w, Almanac__Schema__ReservedRange *const *ranges,
                           size_t count, int32_t past)
{
    for (size_t i = 0; i < count; i++) {
        int64_t last = (int64_t)ranges[i]->end - past;
        start_line(w);
        alm_buf_printf(w->out, "reserved %d", ranges[i]->start);
        if (last >= RESERVED_TO_MAX) {
            alm_buf_str(w->out, ALM_STR(" to max"));
        } else if (last != ranges[i]->start) {
            alm_buf_printf(w->out, " to %lld", (long long)last);
        }
        alm_buf_str(w->out, ALM_STR(";\n"));
    }
}

static void write_reserved_names(const writer *w, char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        start_line(w);
        alm_buf_str(w->out, ALM_STR("reserved \""));
        write_clean(w->out, alm_str_from(names[i]));
        alm_buf_str(w->out, ALM_STR("\";\n"));
    }
}

static void write_values(const writer *w, const alm_schema_node *node)
{
    const Almanac__Schema__Enum *type = node->enumeration;
    if (node->enum_descriptor->n_value_names > node->enum_descriptor->n_values) {
        start_line(w);
        alm_buf_str(w->out, ALM_STR("option allow_alias = true;\n"));
    }
    for (size_t i = 0; i < type->n_value; i++) {
        const Almanac__Schema__Location *comments = find_comments(node, ALM_SCHEMA_ENUM_VALUE, i);
        write_above(w, comments);
        start_line(w);
        alm_buf_printf(w->out, "%s = %d;", type->value[i]->name, type->value[i]->number);
        end_line(w, comments);
    }
    write_reserved(w, type->reserved_range, type->n_reserved_range, 0);
    write_reserved_names(w, type->reserved_name, type->n_reserved_name);
}

static void write_method(const writer *w, const alm_schema_node *node, size_t position)
{
    const Almanac__Schema__Method *method = node->service->method[position];
    const Almanac__Schema__Location *comments =
        find_comments(node, ALM_SCHEMA_SERVICE_METHOD, position);
    write_above(w, comments);
    start_line(w);
    alm_buf_printf(w->out, "rpc %s(%s", method->name, method->client_streaming ? "stream " : "");
    write_type(w, node, method->input_type);
    alm_buf_printf(w->out, ") returns (%s", method->server_streaming ? "stream " : "");
    write_type(w, node, method->output_type);
    alm_buf_str(w->out, ALM_STR(");"));
    end_line(w, comments);
}

static void open_node(writer *w, const alm_schema_node *node)
{
    static const char *const words[] = {[ALM_SYMBOL_MESSAGE] = "message",
                                        [ALM_SYMBOL_ENUM] = "enum",
                                        [ALM_SYMBOL_SERVICE] = "service"};
    const Almanac__Schema__Location *comments = find_comments(node, 0, 0);
    write_above(w, comments);
    start_line(w);
    alm_buf_printf(w->out, "%s %s {", words[node->kind], node->short_name);
    end_line(w, comments);
    w->indent++;
    switch (node->kind) {
    case ALM_SYMBOL_MESSAGE:
        write_fields(w, node);
        write_reserved(w, node->message->reserved_range, node->message->n_reserved_range, 1);
        write_reserved_names(w, node->message->reserved_name, node->message->n_reserved_name);
        break;
    case ALM_SYMBOL_ENUM:
        write_values(w, node);
        break;
    case ALM_SYMBOL_SERVICE:
        for (size_t i = 0; i < node->service->n_method; i++) {
            write_method(w, node, i);
        }
        break;
    }
}

static const alm_schema_node *next_child(const writer *w, level *at)
{
    while (at->child_next < w->schema->node_count) {
        const alm_schema_node *node = &w->schema->nodes[at->child_next++];
        if (node->parent == at->node) {
            return node;
        }
    }
    return NULL;
}

static const alm_schema_node *node_of(const alm_schema *schema, const alm_symbol *symbol)
{
    size_t position = (size_t)(symbol - schema->symbols);
    ALM_ASSERT(position < schema->node_count);
    return schema->by_name[position];
}

void alm_schema_write(const alm_schema *schema, const alm_symbol *symbol, alm_buf *out)
{
    writer w = {.schema = schema, .out = out};
    level levels[DEPTH_MAX] = {{.node = node_of(schema, symbol)}};
    size_t depth = 1;
    open_node(&w, levels[0].node);
    while (depth > 0) {
        const alm_schema_node *child = next_child(&w, &levels[depth - 1]);
        if (child != NULL) {
            ALM_ASSERT(depth < DEPTH_MAX);
            levels[depth++] = (level){.node = child};
            open_node(&w, child);
            continue;
        }
        depth--;
        w.indent--;
        start_line(&w);
        alm_buf_str(out, ALM_STR("}\n"));
    }
}

void alm_schema_write_method(const alm_schema *schema, const alm_symbol *service, unsigned method,
                             alm_buf *out)
{
    writer w = {.schema = schema, .out = out};
    const alm_schema_node *node = node_of(schema, service);
    ALM_ASSERT(node->kind == ALM_SYMBOL_SERVICE && method < node->service->n_method);
    write_method(&w, node, method);
}

const char *alm_schema_file(const alm_schema *schema, const alm_symbol *symbol)
{
    return node_of(schema, symbol)->file->name;
}

const char *alm_schema_package(const alm_schema *schema, const alm_symbol *symbol)
{
    return node_of(schema, symbol)->package;
}
