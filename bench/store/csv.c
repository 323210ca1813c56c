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

static int64_t take_digits(csv_file *file, int *ret_count)
{
    int64_t value = 0;
    *ret_count = 0;
    while (file->at < file->end && *file->at >= '0' && *file->at <= '9') {
        value = value * 10 + (*file->at++ - '0');
        ++*ret_count;
    }
    return value;
}

static bool take_char(csv_file *file, char c)
{
    bool is_there = file->at < file->end && *file->at == c;
    file->at += is_there ? 1 : 0;
    return is_there;
}

static int64_t take_number(csv_file *file)
{
    int digit_count;
    int64_t value = take_digits(file, &digit_count);
    if (digit_count == 0) {
        peer_die("a number is missing at byte %td of the file", file->at - file->data);
    }
    take_char(file, ',');
    return value;
}

static void take_value(csv_file *file, csv_row *ret)
{
    static const int64_t powers[] = {1, 10, 100};
    int digit_count;
    ret->mantissa = take_digits(file, &digit_count);
    ret->decimals = 0;
    if (take_char(file, '.')) {
        int64_t fraction = take_digits(file, &ret->decimals);
        if (ret->decimals > 2) {
            peer_die("more than two decimals at byte %td of the file", file->at - file->data);
        }
        ret->mantissa = ret->mantissa * powers[ret->decimals] + fraction;
    }
    ret->value_e2 = ret->mantissa * powers[2 - ret->decimals];
    take_char(file, ',');
}

bool csv_next(csv_file *file, csv_row *ret)
{
    if (file->at >= file->end) {
        return false;
    }
    ret->indicator = (int32_t)take_number(file);
    ret->place = (uint32_t)take_number(file);
    ret->period = (int32_t)take_number(file);
    take_value(file, ret);
    if (file->at >= file->end) {
        peer_die("the file ends within a row");
    }
    ret->status = *file->at++;
    ret->publication = take_char(file, ',') ? (int32_t)take_number(file) : 0;
    if (!take_char(file, '\n')) {
        peer_die("a row does not end at byte %td of the file", file->at - file->data);
    }
    return true;
}
