#include "workload.h"

#include "place.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const kind kinds[] = {
    {"产值", "Output", "CNY_E8", "flow", 2, 12.5, true},
    {"企业数", "Enterprises", "count_jia", "stock", 0, 600.0, true},
    {"价格指数", "Price index", "index", "index", 1, 102.0, false},
    {"人均收入", "Income per head", "CNY", "rate", 2, 5800.0, false},
};

static place places[PLACE_COUNT_MAX];

uint64_t workload_mix(uint64_t x) // splitmix64
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static double unit_interval(uint64_t x)
{
    return (double)(x >> 11) / (double)(UINT64_C(1) << 53);
}

const kind *workload_kind(long indicator)
{
    return &kinds[indicator % (long)(sizeof kinds / sizeof kinds[0])];
}

static void give_up(const char *path, const char *line)
{
    fprintf(stderr, "generate: %s: what is to be made of this line? %s", path, line);
    exit(1);
}

// The number of a place by the code of its parent. Siblings stand together and the parents of a
// level in the same order, so that the parent is the last one or comes soon after it.
static bool number_find(const char *parent, size_t count, uint32_t *ret)
{
    static size_t parent_index;
    static uint32_t position;
    for (size_t steps = 0; steps < count; steps++) {
        if (strcmp(places[parent_index].code, parent) == 0) {
            uint32_t level = (places[parent_index].number >> LEVEL_SHIFT) + 1;
            *ret = place_child(places[parent_index].number, ++position);
            return level <= LEVEL_TOWN && position <= place_fields[level].max;
        }
        parent_index = (parent_index + 1) % count;
        position = 0;
    }
    return false;
}

// Takes one line: code, name, level, parent.
static void place_take(const char *path, const char *line, size_t index)
{
    static const struct {
        const char *text;
        double scale;
    } levels[] = {
        {",country,", 41000}, {",province,", 1300}, {",city,", 120},
        {",district,", 14},   {",town,", 1},
    };
    place *p = &places[index];
    size_t len = strcspn(line, ",");
    if (len >= CODE_MAX || index == PLACE_COUNT_MAX) {
        give_up(path, line);
    }
    memcpy(p->code, line, len);
    p->code[len] = '\0';
    for (size_t level = 0; level < sizeof levels / sizeof levels[0]; level++) {
        const char *at = strstr(line, levels[level].text);
        if (at == NULL) {
            continue;
        }
        char parent[CODE_MAX] = "";
        at += strlen(levels[level].text);
        len = strcspn(at, ",\r\n");
        memcpy(parent, at, len < CODE_MAX ? len : CODE_MAX - 1);
        p->scale = levels[level].scale;
        if (level == 0 ? index != 0
                       : !number_find(parent, index, &p->number) ||
                             p->number <= places[index - 1].number) {
            give_up(path, line); // no parent, too many children, or out of order
        }
        return;
    }
    give_up(path, line);
}

size_t workload_places_read(const char *path, const place **ret_places)
{
    char line[1024];
    size_t count = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    for (bool is_header = true; fgets(line, sizeof line, file) != NULL; is_header = false) {
        if (!is_header && strcspn(line, ",") > 0) {
            place_take(path, line, count++);
        }
    }
    fclose(file);
    *ret_places = places;
    return count;
}

static double season_of(long month)
{
    static const double pi = 3.14159265358979323846;
    static double seasons[12]; // 0: not computed yet
    double *season = &seasons[month % 12];
    if (*season == 0) {
        *season = 1.0 + 0.1 * sin(2 * pi * (double)(month % 12) / 12.0);
    }
    return *season;
}

// The nearest integer to value x 10^decimals, by the exact value of the double as printf takes it.
static int64_t scale_value(double value, int decimals)
{
    static const double powers[] = {1, 10, 100};
    double product = value * powers[decimals];
    double below = floor(product);
    if (fabs(product - below - 0.5) > 1e-6) {
        return (int64_t)below + (product - below > 0.5 ? 1 : 0);
    }
    char text[64]; // so near to a half that the product's own rounding might tell
    snprintf(text, sizeof text, "%.*f", decimals, value);
    return llround(strtod(text, NULL) * powers[decimals]);
}

bool workload_cell(long indicator, const place *p, size_t place_index, long month, long months,
                   cell *ret)
{
    const kind *k = workload_kind(indicator);
    uint64_t own = (uint64_t)indicator << 48 ^ (uint64_t)place_index;
    uint64_t seed =
        workload_mix((uint64_t)indicator << 48 ^ (uint64_t)place_index << 16 ^ (uint64_t)month);
    if (seed % 1000 < 5) {
        return false;
    }
    double scale = k->adds ? p->scale * (0.2 + 1.6 * unit_interval(workload_mix(own)))
                           : 0.8 + 0.4 * unit_interval(workload_mix(own));
    double trend = 1.0 + 0.004 * (double)month;
    double noise = 1.0 + 0.02 * (2 * unit_interval(workload_mix(seed)) - 1);
    ret->value = k->base * scale * trend * season_of(month) * noise;
    ret->decimals = k->decimals;
    ret->scaled = scale_value(ret->value, k->decimals);
    ret->status = month >= months - PROVISIONAL_MONTHS              ? 'P'
                  : workload_mix(seed ^ UINT64_C(0xe57)) % 100 == 0 ? 'E'
                                                                    : 'A';
    return true;
}
