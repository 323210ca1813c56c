#include "csv.h"

#include "peer.h"

#include <endian.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BLOCK_BYTES 64

// A bit for each byte that ends a field or a line, or is a decimal point.
static uint64_t ends_in(const char *block)
{
    uint64_t ends = 0;
#ifdef __SSE2__
    for (int i = 0; i < BLOCK_BYTES; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(block + i));
        __m128i found = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')),
                                                  _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'))),
                                     _mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')));
        ends |= (uint64_t)(unsigned)_mm_movemask_epi8(found) << i;
    }
#else
    for (int i = 0; i < BLOCK_BYTES; i++) {
        ends |= (uint64_t)(block[i] == ',' || block[i] == '\n' || block[i] == '.') << i;
    }
#endif
    return ends;
}

// --- the file ------------------------------------------------------------------------------------

#define ROW_BYTES_MAX 256
#define BUFFER_BYTES  ((size_t)1 << 20)

// Read, not mapped: a page that is met for the first time costs more than to copy it. Zeros stand
// behind what was read, and a line before it, for numbers and rows are looked at eight and 64 bytes
// at a time.
static char buffer[BLOCK_BYTES + BUFFER_BYTES + BLOCK_BYTES];

static void fill(csv_file *file)
{
    char *begin = buffer + BLOCK_BYTES;
    size_t left = (size_t)(file->end - file->at);
    ssize_t count = 1;
    file->offset += (size_t)(file->at - file->begin);
    memmove(begin, file->at, left);
    while (left < BUFFER_BYTES && count > 0) {
        count = read(file->fd, begin + left, BUFFER_BYTES - left);
        if (count < 0) {
            peer_die("%s: cannot be read", file->path);
        }
        left += (size_t)count;
    }
    memset(begin + left, 0, BLOCK_BYTES);
    file->at = begin;
    file->end = begin + left;
    if (left > 0 && left < BUFFER_BYTES && file->end[-1] != '\n') {
        peer_die("%s: it does not end with a line", file->path);
    }
}

void csv_open(csv_file *file, const char *path)
{
    *file = (csv_file){.at = buffer + BLOCK_BYTES,
                       .end = buffer + BLOCK_BYTES,
                       .begin = buffer + BLOCK_BYTES,
                       .path = path,
                       .fd = open(path, O_RDONLY)};
    if (file->fd < 0) {
        peer_die("%s: cannot be read", path);
    }
    fill(file);
    const char *header_end = memchr(file->at, '\n', (size_t)(file->end - file->at));
    if (header_end == NULL) {
        peer_die("%s: it has no header", path);
    }
    file->at = header_end + 1;
}

void csv_close(csv_file *file)
{
    close(file->fd);
}

// --- rows ----------------------------------------------------------------------------------------

// Where a row is read: kept in registers.
typedef struct place_in_row {
    const char *at;    // what is left
    const char *block; // the bytes that are looked at
    uint64_t ends;     // in them
    const csv_file *file;
} place_in_row;

_Noreturn static void bad(const csv_file *file, const char *what, const char *at)
{
    peer_die("%s at byte %zu of %s", what, file->offset + (size_t)(at - file->begin), file->path);
}

// What was read ends with one, or with a part of a row that is not begun.
static inline const char *next_end(place_in_row *p)
{
    while (p->ends == 0) {
        p->block += BLOCK_BYTES;
        if (p->block >= p->file->end) {
            bad(p->file, "a row does not end", p->at);
        }
        p->ends = ends_in(p->block);
    }
    const char *end = p->block + __builtin_ctzll(p->ends);
    p->ends &= p->ends - 1;
    return end;
}

// The number that the 1 to 8 digits before `end` are, all at once: where a loop over them ends
// would be guessed wrong nearly every time.
static inline uint64_t few_digits(const csv_file *file, const char *end, unsigned count)
{
    uint64_t bytes;
    unsigned before = 8 * (8 - count); // bits of what stands before them
    memcpy(&bytes, end - sizeof bytes, sizeof bytes);
    bytes = ((le64toh(bytes) ^ UINT64_C(0x3030303030303030)) >> before) << before;
    if (((bytes | (bytes + UINT64_C(0x7676767676767676))) & UINT64_C(0x8080808080808080)) != 0) {
        bad(file, "a number is not one", end - count);
    }
    bytes = bytes * 10 + (bytes >> 8); // pairs, then fours, then all
    bytes =
        (bytes & UINT64_C(0x00ff00ff00ff00ff)) * 100 + (bytes >> 16 & UINT64_C(0x000000ff000000ff));
    return (bytes & UINT32_C(0xffff)) * 10000 + (bytes >> 32 & UINT32_C(0xffff));
}

static inline int64_t number(const csv_file *file, const char *begin, const char *end)
{
    size_t count = (size_t)(end - begin);
    if (count == 0 || count > 16) {
        bad(file, "a number has no digits, or more than 16,", begin);
    }
    if (count <= 8) {
        return (int64_t)few_digits(file, end, (unsigned)count);
    }
    uint64_t high = few_digits(file, end - 8, (unsigned)count - 8);
    return (int64_t)(high * 100000000 + few_digits(file, end, 8));
}

// Takes a number and the character behind it, which is given.
static inline int64_t take_number(place_in_row *p, char behind)
{
    const char *end = next_end(p);
    if (*end != behind) {
        bad(p->file, "a number does not end", end);
    }
    int64_t ret = number(p->file, p->at, end);
    p->at = end + 1;
    return ret;
}

static inline void take_value(place_in_row *p, csv_row *ret)
{
    static const int64_t powers[] = {1, 10, 100};
    const char *end = next_end(p);
    ret->mantissa = number(p->file, p->at, end);
    ret->decimals = 0;
    if (*end == '.') {
        const char *point = end;
        end = next_end(p);
        if (end - point > 3) {
            bad(p->file, "more than two decimals", point);
        }
        ret->decimals = (int)(end - point) - 1;
        ret->mantissa = ret->mantissa * powers[ret->decimals] + number(p->file, point + 1, end);
    }
    ret->value_e2 = ret->mantissa * powers[2 - ret->decimals];
    p->at = end + 1;
}

// Most rows have fewer bytes than are looked at, so from each row's begin on: where the next look
// begins within a row would be guessed wrong, too.
bool csv_next(csv_file *file, csv_row *ret)
{
    if (file->end - file->at < ROW_BYTES_MAX) {
        fill(file);
    }
    if (file->at == file->end) {
        return false;
    }
    place_in_row p = {.at = file->at, .block = file->at, .ends = ends_in(file->at), .file = file};
    ret->indicator = (int32_t)take_number(&p, ',');
    ret->place = (uint32_t)take_number(&p, ',');
    ret->period = (int32_t)take_number(&p, ',');
    take_value(&p, ret);
    ret->status = *p.at;
    const char *end = next_end(&p);
    if (end != p.at + 1) {
        bad(file, "a status is not one letter", p.at);
    }
    p.at = end + 1;
    ret->publication = *end == ',' ? (int32_t)take_number(&p, '\n') : 0;
    file->at = p.at;
    return true;
}
