#include "result_texts.h"

#include <xxhash.h>

enum { BYTES_MIN = 256, SLOT_COUNT_MIN = 64 };

static void slot_put(alm_result_texts *texts, alm_result_slot it)
{
    size_t mask = texts->slot_count - 1;
    size_t at = it.hash & mask;
    while (texts->slots[at].index != 0) {
        at = (at + 1) & mask;
    }
    texts->slots[at] = it;
}

static bool slots_grow(alm_result_texts *texts)
{
    size_t old_count = texts->slot_count;
    alm_result_slot *old = texts->slots;
    size_t count = ALM_MAX(old_count * 4, (size_t)SLOT_COUNT_MIN);
    alm_result_slot *slots = alm_arena_calloc(texts->arena, count, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    texts->slots = slots;
    texts->slot_count = count;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].index != 0) {
            slot_put(texts, old[i]);
        }
    }
    return true;
}

// Room for so many more texts and their bytes, line feeds among them.
static bool reserve(alm_result_texts *texts, size_t len, size_t count)
{
    void *bytes = texts->bytes;
    void *ends = texts->ends;
    size_t all = texts->len + len;
    ALM_ASSERT(all < UINT32_MAX);
    if (!alm_arena_grow(texts->arena, &bytes, &texts->cap, ALM_MAX(all + 1, (size_t)BYTES_MIN),
                        1)) {
        return false;
    }
    texts->bytes = bytes;
    if (!alm_arena_grow(texts->arena, &ends, &texts->end_cap, texts->count + count,
                        sizeof *texts->ends)) {
        return false;
    }
    texts->ends = ends;
    return true;
}

static bool append(alm_result_texts *texts, alm_str text)
{
    if (!reserve(texts, text.len + 1, 1)) {
        return false;
    }
    if (text.len > 0) {
        memcpy(texts->bytes + texts->len, text.data, text.len);
    }
    texts->len += text.len + 1;
    texts->bytes[texts->len - 1] = '\n';
    texts->bytes[texts->len] = '\0';
    texts->ends[texts->count++] = (uint32_t)texts->len - 1;
    return true;
}

bool alm_result_texts_init(alm_result_texts *texts, alm_arena *arena)
{
    *texts = (alm_result_texts){.arena = arena};
    return append(texts, ALM_STR("")) && slots_grow(texts);
}

bool alm_result_texts_is(const alm_result_texts *texts, uint32_t index, alm_str text)
{
    ALM_ASSERT(index < texts->count);
    size_t from = index == 0 ? 0 : texts->ends[index - 1] + 1;
    return texts->ends[index] - from == text.len &&
           (text.len == 0 || memcmp(texts->bytes + from, text.data, text.len) == 0);
}

bool alm_result_texts_index(alm_result_texts *texts, alm_str text, uint32_t *ret)
{
    if (text.len == 0) {
        *ret = 0;
        return true;
    }
    uint32_t hash = (uint32_t)XXH3_64bits(text.data, text.len);
    size_t mask = texts->slot_count - 1;
    for (size_t at = hash & mask; texts->slots[at].index != 0; at = (at + 1) & mask) {
        alm_result_slot it = texts->slots[at];
        if (it.hash == hash && alm_result_texts_is(texts, it.index - 1, text)) {
            *ret = it.index - 1;
            return true;
        }
    }
    if ((texts->count * 2 > texts->slot_count && !slots_grow(texts)) || !append(texts, text)) {
        return false;
    }
    *ret = (uint32_t)texts->count - 1;
    slot_put(texts, (alm_result_slot){hash, *ret + 1});
    return true;
}

bool alm_result_texts_append(alm_result_texts *texts, const alm_text_list *list, uint32_t *ret)
{
    *ret = (uint32_t)texts->count;
    if (list->count == 0) {
        return true;
    }
    size_t len = (size_t)list->ends[list->count - 1] + 1;
    if (!reserve(texts, len, list->count)) {
        return false;
    }
    memcpy(texts->bytes + texts->len, list->bytes, len);
    for (size_t i = 0; i < list->count; i++) {
        texts->ends[texts->count + i] = (uint32_t)texts->len + list->ends[i];
    }
    texts->len += len;
    texts->count += list->count;
    texts->bytes[texts->len] = '\0';
    return true;
}

// --- numbers -------------------------------------------------------------------------------------

// A number whose text is remembered, else *ret_memo is where it will be.
static bool is_known(alm_result_memo *memos, uint64_t number, alm_result_memo **ret_memo,
                     uint32_t *ret)
{
    // Periods and days that follow each other have places of their own.
    alm_result_memo *it = &memos[(number ^ number >> 48) & (ALM_RESULT_MEMO_COUNT - 1)];
    *ret_memo = it;
    if (it->index == 0 || it->number != number) {
        return false;
    }
    *ret = it->index - 1;
    return true;
}

static bool remember(alm_result_texts *texts, const char *text, uint64_t number,
                     alm_result_memo *memo, uint32_t *ret)
{
    if (!alm_result_texts_index(texts, alm_str_from(text), ret)) {
        return false;
    }
    *memo = (alm_result_memo){number, *ret + 1};
    return true;
}

bool alm_result_texts_period(alm_result_texts *texts, alm_period period, uint32_t *ret)
{
    uint64_t number =
        (uint64_t)period.freq << 48 | (uint64_t)period.length << 32 | (uint32_t)period.ordinal;
    char text[ALM_PERIOD_TEXT_MAX];
    alm_result_memo *memo;
    if (is_known(texts->periods, number, &memo, ret)) {
        return true;
    }
    alm_period_format(period, text);
    return remember(texts, text, number, memo, ret);
}

bool alm_result_texts_date(alm_result_texts *texts, alm_date date, uint32_t *ret)
{
    char text[ALM_PERIOD_TEXT_MAX];
    alm_result_memo *memo;
    if (is_known(texts->dates, (uint32_t)date, &memo, ret)) {
        return true;
    }
    alm_date_format(date, text);
    return remember(texts, text, (uint32_t)date, memo, ret);
}

bool alm_result_texts_unit(alm_result_texts *texts, alm_unit unit, uint32_t *ret)
{
    char text[ALM_UNIT_TEXT_MAX] = "";
    alm_result_memo *memo;
    if (is_known(texts->units, alm_unit_pack(unit), &memo, ret)) {
        return true;
    }
    if (unit.measure != ALM_MEASURE_UNIT_NONE) {
        alm_unit_code(unit, text);
    }
    return remember(texts, text, alm_unit_pack(unit), memo, ret);
}
