// Small reads are answered where their request is read: a snapshot waits for nobody, and so few
// cells are found in microseconds.
#include "storage_service.h"

#define PLACE_COUNT_MAX     16
#define INDICATOR_COUNT_MAX 4
#define CELL_COUNT_MAX      1024 // places times periods
#define PERIODS_UNKNOWN     256  // counted where the request does not say how many

static size_t periods_of(const alm_read *read)
{
    size_t count = 0;
    if (read->last > 0) {
        return read->last;
    }
    for (size_t i = 0; i < read->period_count; i++) {
        int64_t from = read->from[i].ordinal;
        int64_t to = read->to[i].ordinal;
        bool is_closed =
            read->from[i].freq != ALM_FREQ_NONE && read->to[i].freq != ALM_FREQ_NONE && from <= to;
        count += is_closed ? (size_t)ALM_MIN(to - from + 1, CELL_COUNT_MAX) : PERIODS_UNKNOWN;
    }
    return read->all_periods ? ALM_MAX(count, (size_t)PERIODS_UNKNOWN) : count;
}

static bool is_small(const alm_read *read)
{
    return !read->all_places && !read->all_vintages && read->place_count <= PLACE_COUNT_MAX &&
           read->indicator_count > 0 && read->indicator_count <= INDICATOR_COUNT_MAX &&
           !alm_str_eq(read->breakdown, ALM_STR("*")) &&
           read->place_count * periods_of(read) <= CELL_COUNT_MAX;
}

// An answer is sent when it is whole, as long as it is small.
typedef struct small_answer {
    const alm_read *read;
    alm_store *store;
    alm_arena *arena;
    storage_state state;
    size_t count, bytes;
    bool is_large; // more than the request let expect: a thread answers it
    alm_str messages[ALM_LOOK_ANSWER_COUNT_MAX];
} small_answer;

static alm_code too_large(small_answer *answer, alm_status *st)
{
    answer->is_large = true;
    return alm_status_set(st, ALM_OUT_OF_RANGE, "the answer is too large for a look");
}

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a read");
}

// Packed, since rows are views of what is gone after the visit. rows: NULL: none, where there are
// none at all.
static alm_code keep_message(small_answer *answer, alm_str variant, const alm_obs_columns *rows,
                             alm_status *st)
{
    Almanac__Internal__ReadResponse message;
    ALM_TRY(storage_read_message(answer->store, &answer->state, variant, rows, answer->arena,
                                 &message, st));
    size_t size = protobuf_c_message_get_packed_size(&message.base);
    answer->bytes += size;
    if (answer->bytes > ALM_LOOK_ANSWER_BYTES_MAX) {
        return too_large(answer, st);
    }
    char *packed = alm_arena_alloc(answer->arena, size);
    if (packed == NULL) {
        return no_memory(st);
    }
    (void)protobuf_c_message_pack(&message.base, (uint8_t *)packed);
    answer->messages[answer->count++] = (alm_str){.data = packed, .len = size};
    return ALM_OK;
}

static alm_code keep_rows(void *arg, alm_str variant, const alm_obs_columns *rows, alm_status *st)
{
    small_answer *answer = arg;
    if (answer->count == ALM_LOOK_ANSWER_COUNT_MAX || rows->count > CELL_COUNT_MAX) {
        return too_large(answer, st);
    }
    return keep_message(answer, variant, rows, st);
}

static alm_code keep_answer(small_answer *answer, alm_status *st)
{
    ALM_TRY(alm_store_read(answer->store, answer->read, keep_rows, answer, &answer->state.sequence,
                           st));
    return answer->count == 0 ? keep_message(answer, ALM_STR(""), NULL, st) : ALM_OK;
}

alm_code storage_look_at_read(void *self, alm_call *call, const ProtobufCMessage *message,
                              alm_look_verdict *ret, alm_status *st)
{
    const storage_service *service = self;
    const Almanac__Internal__ReadRequest *request = (const Almanac__Internal__ReadRequest *)message;
    alm_arena *arena = alm_call_arena(call);
    alm_read read;
    ALM_TRY(storage_read_from(request, arena, &read, st));
    if (!is_small(&read) ||
        alm_store_wait(service->store, request->min_sequence, 0, NULL) != ALM_OK) {
        return ALM_OK;
    }
    small_answer *answer = alm_arena_alloc(arena, sizeof *answer);
    if (answer == NULL) {
        return no_memory(st);
    }
    *answer = (small_answer){.read = &read, .store = service->store, .arena = arena};
    alm_code code = keep_answer(answer, st);
    if (answer->is_large) {
        return ALM_OK;
    }
    ALM_TRY(code);
    for (size_t i = 0; i < answer->count; i++) {
        ALM_TRY(alm_call_send_packed(call, answer->messages[i], st));
    }
    *ret = ALM_LOOK_DONE;
    return ALM_OK;
}
