#include "digest.h"

#include <string.h>
#include <xxhash.h>

// With its length, so that no array or text runs into the next.
static uint64_t add_bytes(uint64_t digest, const void *data, size_t len)
{
    digest = XXH3_64bits_withSeed(&len, sizeof len, digest);
    return len == 0 ? digest : XXH3_64bits_withSeed(data, len, digest);
}

static uint64_t add_text(uint64_t digest, const char *text)
{
    return add_bytes(digest, text, strlen(text));
}

// The columns whose cells say what a row is of, and its number.
static uint64_t add_block(uint64_t digest, const Almanac__V1__ResultBlock *block)
{
#define COLUMN(column)                                                                             \
    digest = add_bytes(digest, block->column, block->n_##column * sizeof *block->column);
    COLUMN(indicator)
    COLUMN(place)
    COLUMN(period)
    COLUMN(measure)
    COLUMN(accumulation)
    COLUMN(breakdown)
    COLUMN(relation)
    COLUMN(unit)
    COLUMN(mantissa)
    COLUMN(exponent)
    COLUMN(has_number)
    COLUMN(status)
    COLUMN(origin)
#undef COLUMN
    for (size_t i = 0; i < block->n_strings; i++) {
        digest = add_text(digest, block->strings[i]);
    }
    return add_bytes(digest, &block->rows, sizeof block->rows);
}

uint64_t digest_add(uint64_t digest, const Almanac__V1__QueryResponse *message)
{
    if (message->block != NULL) {
        digest = add_block(digest, message->block);
    }
    for (size_t i = 0; i < message->n_errors; i++) {
        digest = add_text(digest, message->errors[i]->item);
        digest = add_text(digest, message->errors[i]->message);
    }
    size_t parts[] = {message->block != NULL, message->n_errors};
    return add_bytes(digest, parts, sizeof parts);
}
