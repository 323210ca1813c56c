#include "image.h"

#include "alm/alloc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES   4096
#define SECTOR_BYTES 512
#define TREE_TRIES   10000

const char *damage_kind_name(damage_kind kind)
{
    static const char *const names[DAMAGE_KIND_COUNT] = {"bit", "page", "sector", "cut"};
    return names[kind];
}

// --- files ---------------------------------------------------------------------------------------

// Up to where something was written: holes at the end are left out.
static size_t data_end(int fd, size_t bytes)
{
    off_t end = 0;
    for (off_t at = 0; (at = lseek(fd, at, SEEK_DATA)) >= 0 && at < (off_t)bytes;) {
        at = lseek(fd, at, SEEK_HOLE);
        end = at;
    }
    return ALM_MIN((size_t)end, bytes);
}

static void read_file(image_file *file, int dir_fd)
{
    struct stat info;
    int fd = openat(dir_fd, file->name, O_RDONLY | O_CLOEXEC);
    ALM_ASSERT(fd >= 0 && fstat(fd, &info) == 0);
    file->bytes = (size_t)info.st_size;
    file->len = data_end(fd, file->bytes);
    file->data = alm_alloc(file->len);
    ALM_ASSERT(file->data != NULL);
    ALM_ASSERT(pread(fd, file->data, file->len, 0) == (ssize_t)file->len);
    close(fd);
}

void image_read(image *img, const char *dir)
{
    DIR *folder = opendir(dir);
    ALM_ASSERT(folder != NULL);
    *img = (image){0};
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_type != DT_REG || strstr(entry->d_name, "lock") != NULL) {
            continue;
        }
        ALM_ASSERT(img->count < IMAGE_FILE_MAX);
        image_file *file = &img->files[img->count++];
        snprintf(file->name, sizeof file->name, "%s", entry->d_name);
        read_file(file, dirfd(folder));
    }
    closedir(folder);
}

void image_deinit(image *img)
{
    for (size_t i = 0; i < img->count; i++) {
        alm_free(img->files[i].data);
    }
    *img = (image){0};
}

// --- where ---------------------------------------------------------------------------------------

size_t image_bytes(const image *img)
{
    size_t sum = 0;
    for (size_t i = 0; i < img->count; i++) {
        sum += img->files[i].len;
    }
    return sum;
}

// A file by its weight, but small ones now and then as well.
static size_t choose_file(const image *img, crash_random *random)
{
    size_t i = 0;
    if (crash_random_below(random, 20) == 0) {
        return (size_t)crash_random_below(random, img->count);
    }
    size_t at = (size_t)crash_random_below(random, image_bytes(img));
    while (at >= img->files[i].len) {
        at -= img->files[i++].len;
    }
    return i;
}

// A page of a tree of LMDB: it says its own number, and that it is a branch, a leaf or a meta page.
static bool is_tree_page(const image_file *file, size_t page)
{
    uint64_t number;
    uint16_t kind;
    const uint8_t *at = file->data + page * PAGE_BYTES;
    memcpy(&number, at, sizeof number);
    memcpy(&kind, at + 10, sizeof kind);
    return number == page && (kind == 1 || kind == 2 || kind == 8);
}

static uint16_t number_at(const uint8_t *page, size_t at)
{
    uint16_t v;
    memcpy(&v, page + at, sizeof v);
    return v;
}

// Half of them in the header and the offsets.
static size_t choose_in_page(const uint8_t *page, crash_random *random)
{
    size_t head = ALM_MIN((size_t)number_at(page, 12) + 1, (size_t)PAGE_BYTES);
    return (size_t)crash_random_below(random,
                                      crash_random_below(random, 2) == 0 ? head : PAGE_BYTES);
}

// 0: no leaf, or the key is none.
static size_t choose_in_key(const uint8_t *page, crash_random *random)
{
    size_t count = (number_at(page, 12) - 16U) / 2;
    if (number_at(page, 10) != 2 || count == 0) {
        return 0;
    }
    size_t node = number_at(page, 16 + 2 * (size_t)crash_random_below(random, count));
    size_t len = node + 8 < PAGE_BYTES ? number_at(page, node + 6) : 0;
    size_t at = len > 0 ? node + 8 + (size_t)crash_random_below(random, len) : 0;
    return at < PAGE_BYTES ? at : 0;
}

static bool choose_in_tree(const image *img, damage *d, damage_aim aim, crash_random *random)
{
    for (int i = 0; i < TREE_TRIES; i++) {
        d->file = choose_file(img, random);
        const image_file *file = &img->files[d->file];
        if (file->len < PAGE_BYTES) {
            continue;
        }
        size_t page = (size_t)crash_random_below(random, file->len / PAGE_BYTES);
        const uint8_t *bytes = file->data + page * PAGE_BYTES;
        if (is_tree_page(file, page)) {
            size_t at =
                aim == AIM_KEYS ? choose_in_key(bytes, random) : choose_in_page(bytes, random);
            d->at = page * PAGE_BYTES + at;
            if (at > 0 || aim == AIM_TREE) {
                return true;
            }
        }
    }
    return false;
}

damage damage_choose(const image *img, damage_kind kind, damage_aim aim, crash_random *random)
{
    damage d = {.kind = kind};
    if (aim == AIM_ANYWHERE || !choose_in_tree(img, &d, aim, random)) {
        d.file = choose_file(img, random);
        d.at = (size_t)crash_random_below(random, img->files[d.file].len);
    }
    size_t unit = kind == DAMAGE_PAGE ? PAGE_BYTES : kind == DAMAGE_SECTOR ? SECTOR_BYTES : 1;
    d.at -= d.at % unit;
    d.len = ALM_MIN(unit, img->files[d.file].len - d.at);
    d.bit = (uint8_t)crash_random_below(random, 8);
    d.seed = crash_random_next(random);
    return d;
}

// --- damaging ------------------------------------------------------------------------------------

static void damage_bytes(const damage *d, uint8_t *bytes)
{
    crash_random random = {.state = d->seed};
    for (size_t i = 0; i < d->len; i++) {
        switch (d->kind) {
        case DAMAGE_BIT:
            bytes[i] ^= (uint8_t)(1 << d->bit);
            break;
        case DAMAGE_PAGE:
            bytes[i] = 0;
            break;
        default:
            bytes[i] = (uint8_t)crash_random_next(&random);
            break;
        }
    }
}

static void write_at(int fd, const uint8_t *data, size_t len, size_t at)
{
    ALM_ASSERT(pwrite(fd, data, len, (off_t)at) == (ssize_t)len);
}

void image_write(const image *img, const damage *d, const char *dir)
{
    int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ALM_ASSERT(folder >= 0);
    for (size_t i = 0; i < img->count; i++) {
        uint8_t bytes[PAGE_BYTES];
        const image_file *file = &img->files[i];
        size_t size = file->bytes;
        int fd = openat(folder, file->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ALM_ASSERT(fd >= 0);
        write_at(fd, file->data, file->len, 0);
        if (i == d->file && d->kind == DAMAGE_CUT) {
            size = d->at;
        } else if (i == d->file) {
            memcpy(bytes, file->data + d->at, d->len);
            damage_bytes(d, bytes);
            write_at(fd, bytes, d->len, d->at);
        }
        ALM_ASSERT(ftruncate(fd, (off_t)size) == 0);
        close(fd);
    }
    close(folder);
}
