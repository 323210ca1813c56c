#include "prescan.h"

#include "alm/buf.h"
#include "alm/limits.h"
#include "alm/message_bytes.h"
#include "alm/rpc.h"

// What protobuf-c keeps of each field while it parses a message, past the first sixteen, in blocks
// that double: at most twice 32 bytes a field.
#define SCANNED_FIELD_BYTES ((size_t)64)
#define ALIGN_BYTES         ((size_t)16) // what the arena may add to an allocation

typedef enum wire_type {
    WIRE_VARINT = 0,
    WIRE_64BIT = 1,
    WIRE_LENGTH = 2,
    WIRE_32BIT = 5,
} wire_type;

#define SEEN_WORDS 4 // message fields past the 256th of a message are not watched

typedef struct scan_level {
    const ProtobufCMessageDescriptor *type;
    size_t end; // of the message, in the whole
    uint64_t seen[SEEN_WORDS];
} scan_level;

typedef struct scan {
    alm_reader r;
    size_t cost;
    size_t element_count;
    scan_level levels[ALM_RPC_UNPACK_DEPTH_MAX];
    size_t depth; // levels in use
    alm_status *st;
} scan;

typedef struct scan_field {
    const ProtobufCFieldDescriptor *field; // NULL: unknown
    unsigned index;
    uint32_t number;
    wire_type wire;
    alm_str value; // of WIRE_LENGTH
} scan_field;

static alm_code malformed(scan *s, const char *what)
{
    return alm_status_set(s->st, ALM_INVALID_ARGUMENT, "%s: %s at byte %zu",
                          s->levels[s->depth - 1].type->name, what, s->r.at);
}

static alm_code push(scan *s, const ProtobufCMessageDescriptor *type, size_t end)
{
    if (s->depth == ALM_RPC_UNPACK_DEPTH_MAX) {
        return malformed(s, "messages nested too deep");
    }
    s->levels[s->depth++] = (scan_level){.type = type, .end = end};
    s->cost += type->sizeof_message + ALIGN_BYTES;
    return ALM_OK;
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *type,
                                                  uint32_t number, unsigned *ret_index)
{
    unsigned low = 0;
    unsigned high = type->n_fields;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (type->fields[middle].id < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret_index = low;
    bool is_found = low < type->n_fields && type->fields[low].id == number;
    return is_found ? &type->fields[low] : NULL;
}

// Wire bytes of a varint, whose value may be any: unpacking cuts it.
static bool skip_varint(alm_reader *r)
{
    for (size_t i = 0; i < 10 && alm_reader_left(r) > 0; i++) {
        if (alm_read_u8(r) < 0x80) {
            return true;
        }
    }
    return false;
}

// A tag of at most five bytes, cut to 32 bits as protobuf-c does.
static bool read_tag(alm_reader *r, uint64_t *ret)
{
    *ret = 0;
    for (unsigned i = 0; i < 5 && alm_reader_left(r) > 0; i++) {
        uint8_t byte = alm_read_u8(r);
        *ret |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

static alm_code read_value(scan *s, const scan_level *level, scan_field *f)
{
    size_t left = level->end - s->r.at;
    uint64_t len = 0;
    switch (f->wire) {
    case WIRE_VARINT:
        return skip_varint(&s->r) ? ALM_OK : malformed(s, "a bad varint");
    case WIRE_64BIT:
        len = 8;
        break;
    case WIRE_32BIT:
        len = 4;
        break;
    case WIRE_LENGTH:
        if (!read_tag(&s->r, &len)) {
            return malformed(s, "a bad length");
        }
        left = level->end >= s->r.at ? level->end - s->r.at : 0;
        break;
    default:
        return malformed(s, "an unknown wire type");
    }
    if (len > left) {
        return malformed(s, "a value past the end");
    }
    f->value = alm_read_bytes(&s->r, (size_t)len);
    return ALM_OK;
}

static alm_code read_field(scan *s, const scan_level *level, scan_field *ret)
{
    uint64_t tag;
    if (!read_tag(&s->r, &tag)) {
        return malformed(s, "a bad tag");
    }
    *ret = (scan_field){.number = (uint32_t)(tag >> 3), .wire = (wire_type)(tag & 7)};
    if (ret->number == 0) { // protobuf-c takes it if the tag is longer than it must be
        return malformed(s, "a field of number 0");
    }
    ret->field = find_field(level->type, ret->number, &ret->index);
    ALM_TRY(read_value(s, level, ret));
    return s->r.at <= level->end ? ALM_OK : malformed(s, "a value past the end");
}

static size_t element_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 4;
    }
}

// Elements of a packed field, none of them smaller than a byte.
static size_t packed_count(const ProtobufCFieldDescriptor *field, alm_str value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return value.len / 4;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return value.len / 8;
    default:
        break;
    }
    size_t count = 0;
    for (size_t i = 0; i < value.len; i++) {
        count += (uint8_t)value.data[i] < 0x80;
    }
    return count;
}

static alm_code check_text(scan *s, const scan_field *f)
{
    bool is_text = alm_utf8_valid_len(f->value) == f->value.len;
    if (!is_text || alm_str_find_char(f->value, '\0') != SIZE_MAX) {
        const char *what = is_text ? "holds a NUL" : "is not UTF-8";
        return alm_status_set_field(s->st, ALM_INVALID_ARGUMENT, f->field->name, "%s.%s %s",
                                    s->levels[s->depth - 1].type->name, f->field->name, what);
    }
    return ALM_OK;
}

// Steps into a message. A field that holds one message must not come twice: protobuf-c would merge
// the two, which costs more with every further one.
static alm_code enter_message(scan *s, scan_level *level, const scan_field *f)
{
    if (f->field->label != PROTOBUF_C_LABEL_REPEATED && f->index < SEEN_WORDS * 64) {
        uint64_t bit = UINT64_C(1) << (f->index % 64);
        if ((level->seen[f->index / 64] & bit) != 0) {
            return malformed(s, "a second value of a message field");
        }
        level->seen[f->index / 64] |= bit;
    }
    size_t end = s->r.at;
    s->r.at -= f->value.len;
    return push(s, f->field->descriptor, end);
}

static alm_code take_field(scan *s, scan_level *level, const scan_field *f)
{
    const ProtobufCFieldDescriptor *field = f->field;
    s->cost += SCANNED_FIELD_BYTES;
    s->element_count++;
    if (field == NULL) {
        s->cost += sizeof(ProtobufCMessageUnknownField) + f->value.len + 10 + ALIGN_BYTES;
        return ALM_OK;
    }
    bool is_repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    bool has_length = f->wire == WIRE_LENGTH;
    bool is_text = field->type == PROTOBUF_C_TYPE_STRING;
    bool is_bytes = field->type == PROTOBUF_C_TYPE_BYTES;
    bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE;
    if (is_repeated) {
        bool is_packed = has_length && !is_text && !is_bytes && !is_message;
        size_t count = is_packed ? packed_count(field, f->value) : 1;
        s->cost += count * element_size(field) + ALIGN_BYTES;
        s->element_count += count > 1 ? count - 1 : 0;
    }
    if (is_text && has_length) {
        s->cost += f->value.len + 1 + ALIGN_BYTES;
        return check_text(s, f);
    }
    if (is_bytes && has_length) {
        s->cost += f->value.len + ALIGN_BYTES;
    }
    return is_message && has_length ? enter_message(s, level, f) : ALM_OK;
}

static alm_code check_bounds(const scan *s, const ProtobufCMessageDescriptor *type,
                             size_t element_count_max)
{
    if (s->element_count > element_count_max) {
        return alm_status_set(s->st, ALM_RESOURCE_EXHAUSTED,
                              "%s: at least %zu elements pass the limit of %zu", type->name,
                              s->element_count, element_count_max);
    }
    if (s->cost > ALM_RPC_UNPACK_BYTES_MAX) {
        return alm_status_set(s->st, ALM_RESOURCE_EXHAUSTED,
                              "%s: %zu bytes would take more than %zu in memory", type->name,
                              s->r.len, ALM_RPC_UNPACK_BYTES_MAX);
    }
    return ALM_OK;
}

alm_code alm_prescan(const ProtobufCMessageDescriptor *type, alm_str wire, size_t element_count_max,
                     size_t *ret_cost_bytes, alm_status *st)
{
    scan s; // the levels, which are most of it, are set as they come into use
    s.r = alm_reader_of(wire.data, wire.len);
    s.cost = 0;
    s.element_count = 0;
    s.depth = 0;
    s.st = st;
    ALM_TRY(push(&s, type, wire.len));
    while (s.depth > 0) {
        scan_level *level = &s.levels[s.depth - 1];
        if (s.r.at == level->end) {
            s.depth--;
            continue;
        }
        scan_field field = {0};
        ALM_TRY(read_field(&s, level, &field));
        ALM_TRY(take_field(&s, level, &field));
        ALM_TRY(check_bounds(&s, type, element_count_max));
    }
    *ret_cost_bytes = s.cost;
    return ALM_OK;
}

static void *arena_alloc(void *arena, size_t size)
{
    return alm_arena_alloc(arena, size);
}

static void arena_free(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

ProtobufCAllocator alm_arena_protobuf(alm_arena *arena)
{
    return (ProtobufCAllocator){.alloc = arena_alloc, .free = arena_free, .allocator_data = arena};
}

alm_code alm_message_unpack(const ProtobufCMessageDescriptor *type, alm_str wire,
                            size_t element_count_max, alm_arena *arena, ProtobufCMessage **ret,
                            alm_status *st)
{
    size_t cost;
    ALM_TRY(alm_prescan(type, wire, element_count_max, &cost, st));
    bool is_full;
    ProtobufCMessage *message = alm_message_from_bytes(type, wire, arena, &is_full);
    if (message == NULL && is_full) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s: no memory to unpack %zu bytes",
                              type->name, wire.len);
    }
    if (message == NULL) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%s: %zu bytes that are no such message",
                              type->name, wire.len);
    }
    *ret = message;
    return ALM_OK;
}
