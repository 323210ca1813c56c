#include "csv.h"

#include "peer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void csv_open(csv_file *file, const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &info) != 0 || info.st_size == 0) {
        peer_die("%s: cannot be read", path);
    }
    file->size_bytes = (size_t)info.st_size;
    void *data = mmap(NULL, file->size_bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (data == MAP_FAILED) {
        peer_die("%s: cannot be mapped", path);
    }
    close(fd);
    file->data = data;
    file->end = file->data + file->size_bytes;
    if (file->end[-1] != '\n') {
        peer_die("%s: it does not end with a line", path);
    }
    const char *header_end = memchr(file->data, '\n', file->size_bytes);
    file->at = header_end != NULL ? header_end + 1 : file->end;
}

void csv_close(csv_file *file)
{
    union {
        const char *borrowed;
        void *owned;
    } data = {.borrowed = file->data};
    munmap(data.owned, file->size_bytes);
}

static int64_t take_digits(const char **at, int *ret_count)
{
    const char *c = *at;
    int64_t value = 0;
    while (*c >= '0' && *c <= '9') {
        value = value * 10 + (*c++ - '0');
    }
    *ret_count = (int)(c - *at);
    *at = c;
    return value;
}

static bool take_char(const char **at, char c)
{
    bool is_there = **at == c;
    *at += is_there;
    return is_there;
}

static int64_t take_number(const csv_file *file, const char **at)
{
    int digit_count;
    int64_t value = take_digits(at, &digit_count);
    if (digit_count == 0) {
        peer_die("a number is missing at byte %td of the file", *at - file->data);
    }
    take_char(at, ',');
    return value;
}

static void take_value(const csv_file *file, const char **at, csv_row *ret)
{
    static const int64_t powers[] = {1, 10, 100};
    int digit_count;
    ret->mantissa = take_digits(at, &digit_count);
    ret->decimals = 0;
    if (take_char(at, '.')) {
        int64_t fraction = take_digits(at, &ret->decimals);
        if (ret->decimals > 2) {
            peer_die("more than two decimals at byte %td of the file", *at - file->data);
        }
        ret->mantissa = ret->mantissa * powers[ret->decimals] + fraction;
    }
    ret->value_e2 = ret->mantissa * powers[2 - ret->decimals];
    take_char(at, ',');
}

// The file's last byte ends a line, so that each loop ends in the file.
bool csv_next(csv_file *file, csv_row *ret)
{
    const char *at = file->at;
    if (at >= file->end) {
        return false;
    }
    ret->indicator = (int32_t)take_number(file, &at);
    ret->place = (uint32_t)take_number(file, &at);
    ret->period = (int32_t)take_number(file, &at);
    take_value(file, &at, ret);
    ret->status = *at;
    at += *at != '\n';
    ret->publication = take_char(&at, ',') ? (int32_t)take_number(file, &at) : 0;
    if (!take_char(&at, '\n')) {
        peer_die("a row does not end at byte %td of the file", at - file->data);
    }
    file->at = at;
    return true;
}
