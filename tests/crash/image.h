// The files of a store, whatever they are, kept in memory: to put a copy on disk and damage it.
#ifndef CRASH_IMAGE_H
#define CRASH_IMAGE_H

#include "random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_FILE_MAX 16

typedef struct image_file {
    char name[256];
    size_t bytes; // of the file
    size_t len;   // of what stands in it; a hole follows
    uint8_t *data;
} image_file;

typedef struct image {
    image_file files[IMAGE_FILE_MAX];
    size_t count;
} image;

typedef enum damage_kind {
    DAMAGE_BIT,    // one is flipped
    DAMAGE_PAGE,   // one is zeros
    DAMAGE_SECTOR, // one holds anything
    DAMAGE_CUT,    // the file is shorter
    DAMAGE_KIND_COUNT
} damage_kind;

typedef struct damage {
    damage_kind kind;
    size_t file;
    size_t at, len; // bytes
    uint8_t bit;    // of DAMAGE_BIT
    uint64_t seed;  // of DAMAGE_SECTOR's bytes
} damage;

const char *damage_kind_name(damage_kind kind);

// Files without "lock" in their names: those hold nothing. Aborts when they cannot be read.
void image_read(image *img, const char *dir);
void image_deinit(image *img);
size_t image_bytes(const image *img);

// Where it strikes. Only for the last two does it know what a file looks like.
typedef enum damage_aim {
    AIM_ANYWHERE,
    AIM_TREE, // pages that hold a tree together, half the time their headers and offsets
    AIM_KEYS, // keys of leaves
} damage_aim;
damage damage_choose(const image *img, damage_kind kind, damage_aim aim, crash_random *random);
// Puts a damaged copy into an empty folder.
void image_write(const image *img, const damage *d, const char *dir);

#endif
