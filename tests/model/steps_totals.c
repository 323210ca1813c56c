// Totals by groups of places against the rows of the same read.
#include "model.h"

#include "totals_check.h"

static alm_total_groups draw_groups(world *w)
{
    uint32_t places = w->twin.place_count + 3;
    alm_total_groups groups = {
        .group_count = 1 + below(w, 4),
        .unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = (int8_t)(one_in(w, 3) ? 4 : 8)}};
    alm_group_range *ranges = world_alloc(w->work, places, sizeof *ranges);
    alm_member_span *spans = world_alloc(w->work, places, sizeof *spans);
    uint32_t longest = one_in(w, 3) ? 4 : places;
    for (alm_place_id at = below(w, 3); at < places;) {
        alm_place_id to = at + 1 + below(w, longest);
        ranges[groups.range_count++] = (alm_group_range){at, to, below(w, groups.group_count)};
        at = to + (one_in(w, 2) ? below(w, 4) : 0);
    }
    for (alm_place_id place = 0; place < places && one_in(w, 2); place += 1 + below(w, 9)) {
        const alm_period *periods = w->periods[below(w, FREQ_COUNT)];
        alm_date day = alm_period_last_day(periods[below(w, w->shape.period_count)]);
        spans[groups.span_count++] = (alm_member_span){place, one_in(w, 2) ? day : ALM_DATE_NONE,
                                                       one_in(w, 2) ? day + 200 : ALM_DATE_MAX};
    }
    groups.ranges = ranges;
    groups.spans = spans;
    return groups;
}

static void commit_meanwhile(void *arg)
{
    world *w = arg;
    (void)step_few(w);
}

bool step_totals(world *w)
{
    alm_read read = {.breakdown = ALM_STR("*"), .all_periods = true, .as_of = ALM_DATE_MAX};
    alm_total_groups groups = draw_groups(w);
    totals_check check = {.groups = &groups, .place_count = w->twin.place_count + 3};
    alm_period range = w->periods[below(w, FREQ_COUNT)][below(w, w->shape.period_count)];
    if (one_in(w, 2)) {
        read.from = &range;
        read.to = &range;
        read.period_count = 1;
    }
    if (one_in(w, 4)) {
        read.as_of = 19000 + (int)below(w, w->shape.day_count + 2) - 1;
    }
    if (one_in(w, 4) && w->twin.commit_count > 0) {
        read.at_sequence = 1 + below(w, (uint32_t)w->twin.commit_count);
    }
    read.last = one_in(w, 6) ? 1 + below(w, 3) : 0;
    if (one_in(w, 6)) {
        check.meddle = commit_meanwhile;
        check.meddle_arg = w;
    }
    check_totals(&check, w->store, read);
    TRY(w->failure[0] == '\0'); // of meddling
    CHECK(w, check.why[0] == '\0', "%s", check.why);
    w->reads++;
    return true;
}

bool step_totals_refused(world *w)
{
    alm_read read = {.all_periods = true, .as_of = ALM_DATE_MAX};
    alm_group_range ranges[] = {{0, 2, 0}, {2, 3, 1}};
    alm_member_span spans[] = {{0, 1, 2}, {1, 1, 2}};
    alm_total_groups groups = {.ranges = ranges,
                               .range_count = 2,
                               .group_count = 2,
                               .spans = spans,
                               .span_count = 2,
                               .unit = {.measure = ALM_MEASURE_UNIT_CNY}};
    totals_check check = {.groups = &groups, .place_count = 9};
    switch (below(w, 6)) {
    case 0:
        ranges[1].from = 1;
        break;
    case 1:
        ranges[1].to = 2;
        break;
    case 2:
        groups.group_count = 1;
        break;
    case 3:
        spans[1].place = 0;
        break;
    case 4:
        read.without_value = true;
        break;
    default:
        groups.unit = (alm_unit){.measure = 250};
        break;
    }
    alm_code code =
        alm_store_totals(w->store, &read, &groups, check_take_totals, &check, NULL, &w->st);
    CHECK(w, code == ALM_INVALID_ARGUMENT, "%s", alm_code_name(code));
    CHECK(w, check.count[1] == 0, "visited");
    return true;
}
