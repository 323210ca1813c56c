// Steps that change the catalogue: places are added, renamed, ended, merged and split; sources gain
// and lose precedence; indicators change what may change.
#include "model.h"

// --- places --------------------------------------------------------------------------------------

static alm_place new_place(world *w, uint32_t id)
{
    uint32_t parent = below(w, 2); // 0 is a province, 1 a city
    return (alm_place){.code = world_text(w->arena, "p%u", id),
                       .name_zh = world_text(w->arena, "n%llu", (unsigned long long)++w->texts),
                       .level = parent == 0 && one_in(w, 2) ? ALM_LEVEL_CITY : ALM_LEVEL_TOWN,
                       .parent = world_text(w->arena, "p%u", parent),
                       .valid_from = (alm_date)below(w, 20000),
                       .valid_to = ALM_DATE_MAX};
}

static alm_str *new_texts(world *w, size_t count)
{
    return world_alloc(w->arena, count, sizeof(alm_str));
}

static alm_place ended(world *w, alm_place place, const alm_str *successors, size_t count)
{
    place.valid_to = 20000 + (int)below(w, 1000);
    place.successors = successors;
    place.successor_count = count;
    return place;
}

// Never the first two, which others stand below.
static const alm_place *any_place(world *w)
{
    return &w->twin.places[w->twin.place_count > 2 ? 2 + below(w, w->twin.place_count - 2) : 0];
}

static void rename_place(world *w, draft *d)
{
    alm_place place = *any_place(w);
    if (one_in(w, 2)) {
        place.name_zh = world_text(w->arena, "n%llu", (unsigned long long)++w->texts);
    } else {
        alm_str *alias = new_texts(w, 1);
        alias[0] = place.name_zh;
        place.aliases = alias;
        place.alias_count = 1;
    }
    d->places[d->place_count++] = place;
}

// Into two or three new ones.
static void split_place(world *w, draft *d)
{
    uint32_t count = 2 + below(w, 2);
    alm_str *successors = new_texts(w, count);
    for (uint32_t i = 0; i < count; i++) {
        alm_place place = new_place(w, w->twin.place_count + i);
        successors[i] = place.code;
        d->places[d->place_count++] = place;
    }
    d->places[d->place_count++] = ended(w, *any_place(w), successors, count);
}

// Two into one that others stand below.
static void merge_places(world *w, draft *d)
{
    alm_str *successor = new_texts(w, 1);
    successor[0] = w->twin.places[below(w, 2)].code;
    for (int i = 0; i < 2; i++) {
        const alm_place *place = any_place(w);
        if (!alm_str_eq(place->code, successor[0])) {
            d->places[d->place_count++] = ended(w, *place, successor, 1);
        }
    }
}

bool step_places(world *w)
{
    draft d = draft_make(w);
    d.places = world_alloc(w->arena, 8, sizeof *d.places);
    bool is_full = w->twin.place_count + 4 > w->shape.place_max;
    switch (below(w, 5)) {
    case 0:
        if (!is_full) {
            d.places[d.place_count++] = new_place(w, w->twin.place_count);
        }
        break;
    case 1:
        if (!is_full) {
            split_place(w, &d);
        }
        break;
    case 2:
        merge_places(w, &d);
        break;
    case 3:
        d.places[d.place_count++] = *any_place(w); // as it is
        break;
    default:
        rename_place(w, &d);
        break;
    }
    return draft_commit(w, &d);
}

// --- sources -------------------------------------------------------------------------------------

// A new source, or another precedence for one: all its cells may have another winner now. Rows may
// come with it.
bool step_sources(world *w)
{
    draft d = draft_make(w);
    uint32_t id = below(w, ALM_MIN(w->twin.source_count + 1, w->shape.source_max));
    d.sources = world_alloc(w->arena, 1, sizeof *d.sources);
    d.source_count = 1;
    d.sources[0] = (alm_source){.code = world_text(w->arena, "s%u", id),
                                .title = one_in(w, 5) ? ALM_STR("t") : ALM_STR("title"),
                                .published = ALM_DATE_NONE,
                                .precedence = (int32_t)below(w, 4) - 1};
    if (one_in(w, 3)) {
        alm_obs obs = draft_row(w);
        obs.source = id;
        draft_add(w, &d, obs);
    }
    return draft_commit(w, &d);
}

// --- indicators ----------------------------------------------------------------------------------

// Another name or power of ten always; another dimension while there are no observations.
bool step_indicators(world *w)
{
    draft d = draft_make(w);
    uint32_t id = below(w, INDICATOR_COUNT);
    d.indicators = world_alloc(w->arena, 1, sizeof *d.indicators);
    d.indicator_count = 1;
    d.indicators[0] = w->twin.indicators[id];
    alm_unit *unit = &d.indicators[0].unit;
    if (one_in(w, 3)) {
        bool is_money = unit->measure == ALM_MEASURE_UNIT_CNY;
        unit->measure = is_money ? ALM_MEASURE_UNIT_PERSONS : ALM_MEASURE_UNIT_CNY;
        if (twin_has_rows(w, id)) {
            d.want = ALM_FAILED_PRECONDITION;
            return draft_send(w, &d, NULL, false);
        }
    } else if (one_in(w, 2)) {
        unit->mult = one_in(w, 2) ? 4 : 8;
    } else {
        d.indicators[0].name_zh = one_in(w, 2) ? ALM_STR("i") : ALM_STR("j");
    }
    return draft_commit(w, &d);
}

// --- refused -------------------------------------------------------------------------------------

// A good entry and one that cannot stand, with a row: nothing is stored.
bool step_refused_entry(world *w)
{
    draft d = draft_make(w);
    d.places = world_alloc(w->arena, 2, sizeof *d.places);
    d.place_count = 2;
    d.places[0] = *any_place(w);
    d.places[0].name_zh = ALM_STR("never");
    d.places[1] = new_place(w, w->twin.place_count);
    d.want = ALM_INVALID_ARGUMENT;
    alm_str *stranger = new_texts(w, 1);
    stranger[0] = ALM_STR("nowhere");
    switch (below(w, 4)) {
    case 0:
        d.places[1].parent = stranger[0];
        break;
    case 1:
        d.places[1] = ended(w, d.places[1], stranger, 1);
        break;
    case 2:
        d.places[1].parent = w->twin.places[1].code;
        d.places[1].level = w->twin.places[1].level;
        break;
    default:
        d.places[1] = w->twin.places[0];
        d.places[1].level = ALM_LEVEL_COUNTRY;
        d.want = ALM_FAILED_PRECONDITION;
        break;
    }
    draft_add(w, &d, draft_row(w));
    return draft_send(w, &d, NULL, false);
}
