// A place as the peers of the benchmark of the store know it: a number that carries level and tree
// position.
//
//     bits 28..30  level: 0 country, 1 province, 2 city, 3 district, 4 town
//     bits 22..27  province, counted from 1 within the country; 0 for the country itself
//     bits 16..21  city, counted from 1 within its province; 0 above
//     bits  9..15  district, counted from 1 within its city; 0 above
//     bits  0..8   town, counted from 1 within its district; 0 above
//
// So the order of numbers is the order by level and tree position, a level is one range, and so are
// the places of a level below one place: a roll-up needs no join. Bit 31 is free, for engines whose
// integers have a sign.
#ifndef BENCH_PLACE_H
#define BENCH_PLACE_H

#include <stdint.h>

enum place_level { LEVEL_COUNTRY, LEVEL_PROVINCE, LEVEL_CITY, LEVEL_DISTRICT, LEVEL_TOWN };

enum { LEVEL_SHIFT = 28, PROVINCE_SHIFT = 22, CITY_SHIFT = 16, DISTRICT_SHIFT = 9, TOWN_SHIFT = 0 };

// Where the position of a place of that level within its parent stands, and its largest value.
static const struct place_field {
    int shift;
    uint32_t max;
} place_fields[] = {
    {0, 0}, {PROVINCE_SHIFT, 63}, {CITY_SHIFT, 63}, {DISTRICT_SHIFT, 127}, {TOWN_SHIFT, 511}};

static inline uint32_t place_level_first(enum place_level level) // no number of the level is less
{
    return (uint32_t)level << LEVEL_SHIFT;
}

static inline uint32_t place_level_end(enum place_level level) // all numbers of the level are less
{
    return ((uint32_t)level + 1) << LEVEL_SHIFT;
}

static inline uint32_t place_child(uint32_t parent, uint32_t position) // position: from 1
{
    uint32_t level = (parent >> LEVEL_SHIFT) + 1;
    return (parent + (UINT32_C(1) << LEVEL_SHIFT)) | position << place_fields[level].shift;
}

#endif
