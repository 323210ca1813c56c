// Claims against others of their kind: a publication and the one before it, a total and its parts,
// a rank and the peers' values.
#include "convert.h"
#include "reconcile_run.h"

#define RANK_UNIT ((alm_unit){.measure = ALM_MEASURE_UNIT_RANK})

// --- publications of one cell -------------------------------------------------------------------

static bool is_figure(const alm_obs *row)
{
    return row->value.has_number && !alm_obs_status_missing(row->value.status);
}

static alm_code hold_against(alm_reconciliation *it, const alm_obs *later, const alm_obs *earlier,
                             alm_status *st)
{
    alm_finding f = alm_finding_of(it, later, ALMANAC__V1__CHECK__CHECK_PUBLICATION);
    bool is_later = later->published > earlier->published;
    alm_sum_claim claim = {.claimed = alm_figure_of(&later->value, 1),
                           .computed = alm_reconcile_figure(earlier, later->value.unit),
                           .is_comparable = alm_reconcile_is_other_scope(later) ||
                                            alm_reconcile_is_other_scope(earlier),
                           .otherwise = is_later ? ALM_VERDICT_REVISED : ALM_VERDICT_UNEXPLAINED};
    f.judged = alm_judge_sum(&claim);
    if (!claim.computed.has) {
        f.judged.lack = ALM_LACK_UNITS;
    }
    f.earlier = earlier;
    f.whole = earlier->value;
    f.told.all_exact = earlier->value.qualifier == ALM_QUALIFIER_EXACT;
    f.told.is_sum = true;
    f.told.finest = earlier->value.number.exponent + alm_unit_power(earlier->value.unit) -
                    alm_unit_power(later->value.unit);
    return alm_findings_add(it, &f, st);
}

alm_code alm_reconcile_cell(alm_reconciliation *it, alm_cell_rows cell, alm_status *st)
{
    const alm_obs *earlier = NULL;
    for (size_t i = 0; i < cell.count; i++) {
        const alm_obs *row = &cell.rows[i];
        if (!is_figure(row)) {
            continue;
        }
        if (earlier != NULL) {
            ALM_TRY(hold_against(it, row, earlier, st));
        }
        earlier = row;
    }
    return ALM_OK;
}

// --- totals -------------------------------------------------------------------------------------

typedef struct part_sum {
    alm_figure sum;
    int finest; // the finest digit of the parts, in the total's unit
    bool all_exact;
    uint32_t count, expected;
    alm_place_id missing; // one without a value
} part_sum;

static part_sum empty_sum(const alm_obs *total)
{
    return (part_sum){.sum = {.has = true},
                      .finest = total->value.number.exponent,
                      .all_exact = true,
                      .missing = ALM_PLACE_NONE};
}

static bool add_part(part_sum *sum, const alm_obs *part, alm_unit unit)
{
    alm_figure figure = alm_reconcile_figure(part, unit);
    sum->expected++;
    if (!figure.has) {
        return false;
    }
    int digit =
        part->value.number.exponent + alm_unit_power(part->value.unit) - alm_unit_power(unit);
    sum->sum = alm_figure_add(sum->sum, figure);
    sum->finest = ALM_MIN(sum->finest, digit);
    sum->all_exact &= part->value.qualifier == ALM_QUALIFIER_EXACT;
    sum->count++;
    return true;
}

static void judge_sum(const alm_obs *total, const part_sum *sum, alm_finding *f)
{
    alm_sum_claim claim = {.claimed = alm_figure_of(&total->value, 1),
                           .computed = sum->sum,
                           .is_comparable = alm_reconcile_is_other_scope(total),
                           .otherwise = ALM_VERDICT_UNEXPLAINED};
    f->judged = alm_judge_sum(&claim);
    f->told.finest = sum->finest;
    f->told.is_sum = true;
    f->told.all_exact = sum->all_exact;
    f->implied_told = f->told;
    f->implied_told.all_exact &= total->value.qualifier == ALM_QUALIFIER_EXACT;
    f->of_count = sum->count;
    f->of_expected = sum->expected;
}

// Parts are missing, or may be: what is left for them, unless there is less than nothing.
static void leave_rest(const alm_obs *total, const part_sum *sum, alm_finding *f)
{
    alm_figure rest = alm_figure_sub(alm_figure_of(&total->value, 1), sum->sum);
    if (rest.interval.upper < 0) {
        f->judged.verdict = ALM_VERDICT_UNEXPLAINED;
        return;
    }
    f->judged.verdict = ALM_VERDICT_NOT_JUDGED;
    f->judged.lack = ALM_LACK_SOME;
    f->judged.power = 0;
    f->judged.figure = rest;
    f->judged.implied = ALM_IMPLIED_REMAINDER;
}

static alm_code judge_children(alm_reconciliation *it, const alm_obs *total, alm_status *st)
{
    alm_finding f = alm_finding_of(it, total, ALMANAC__V1__CHECK__CHECK_PARTS);
    alm_place_list children;
    part_sum sum = empty_sum(total);
    ALM_TRY(alm_reconcile_children(it, total->place, alm_period_last_day(total->period), &children,
                                   st));
    for (size_t i = 0; i < children.count; i++) {
        const alm_obs *part = alm_reconcile_stands(it, total->variant, children.ids[i],
                                                   total->period, it->plan->as_of);
        if (!add_part(&sum, part, total->value.unit)) {
            sum.missing = children.ids[i];
        }
    }
    if (sum.count == 0) {
        return ALM_OK;
    }
    judge_sum(total, &sum, &f);
    if (sum.count < sum.expected) {
        leave_rest(total, &sum, &f);
        f.implied_of.place = sum.expected - sum.count == 1 ? sum.missing : total->place;
    }
    return alm_findings_add(it, &f, st);
}

// Nothing says whether the members of a dimension are all of them: less than the total may be a
// list that is not full.
static alm_code judge_dimension(alm_reconciliation *it, const alm_obs *total,
                                const alm_member *members, size_t count, alm_status *st)
{
    alm_finding f = alm_finding_of(it, total, ALMANAC__V1__CHECK__CHECK_BREAKDOWN);
    part_sum sum = empty_sum(total);
    for (size_t i = 0; i < count; i++) {
        const alm_obs *part =
            alm_reconcile_stands(it, members[i].id, total->place, total->period, it->plan->as_of);
        if (part != NULL) {
            (void)add_part(&sum, part, total->value.unit);
        }
    }
    if (sum.count == 0) {
        return ALM_OK;
    }
    judge_sum(total, &sum, &f);
    f.members = members[0].variant->breakdowns[0].dimension;
    bool explains =
        f.judged.verdict == ALM_VERDICT_MATCH || f.judged.verdict == ALM_VERDICT_UNIT_SLIP;
    if (sum.count < sum.expected || !explains) {
        leave_rest(total, &sum, &f);
    }
    return alm_findings_add(it, &f, st);
}

// The first member of the total's, or of what comes behind.
static size_t first_member(const alm_reconciliation *it, const alm_variant *total)
{
    size_t low = 0;
    size_t high = it->member_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (alm_member_order(it->members[middle].variant, total) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_same_dimension(const alm_member *a, const alm_member *b)
{
    return alm_str_eq(a->variant->breakdowns[0].dimension, b->variant->breakdowns[0].dimension);
}

static alm_code judge_dimensions(alm_reconciliation *it, const alm_obs *total, alm_status *st)
{
    const alm_variant *own = &alm_reconcile_entry(it, total)->variant;
    if (own->breakdown_count > 0) {
        return ALM_OK;
    }
    for (size_t i = first_member(it, own); i < it->member_count;) {
        const alm_member *first = &it->members[i];
        size_t end = i;
        if (alm_member_order(first->variant, own) != 0) {
            break;
        }
        while (end < it->member_count && alm_member_order(it->members[end].variant, own) == 0 &&
               is_same_dimension(first, &it->members[end])) {
            end++;
        }
        ALM_TRY(judge_dimension(it, total, first, end - i, st));
        i = end;
    }
    return ALM_OK;
}

alm_code alm_reconcile_total(alm_reconciliation *it, const alm_obs *claim, alm_status *st)
{
    alm_finding f = alm_finding_of(it, claim, ALMANAC__V1__CHECK__CHECK_PARTS);
    const alm_indicator *indicator = f.part_of.indicator;
    if (indicator == NULL || indicator->over_places != ALM_AGGREGATION_SUM) {
        return ALM_OK;
    }
    ALM_TRY(judge_children(it, claim, st));
    return judge_dimensions(it, claim, st);
}

// --- ranks --------------------------------------------------------------------------------------

static void count_peer(alm_figure own, alm_figure peer, bool lower_is_better, alm_rank_claim *rank)
{
    if (!peer.has) {
        rank->missing++;
        return;
    }
    double sign = lower_is_better ? -1 : 1;
    alm_interval a = alm_interval_scale(own.interval, sign);
    alm_interval b = alm_interval_scale(peer.interval, sign);
    rank->better += sign * peer.number > sign * own.number;
    rank->surely += b.lower > a.upper;
    rank->perhaps += b.lower <= a.upper && b.upper > a.lower;
}

static alm_code count_peers(alm_reconciliation *it, alm_finding *f, const alm_place_list *peers,
                            alm_rank_claim *rank, alm_status *st)
{
    const alm_indicator *indicator = f->part_of.indicator;
    const alm_obs *claim = f->claim;
    uint32_t variant;
    alm_unit unit;
    ALM_TRY(alm_reconcile_own_variant(it, claim, &variant, st));
    f->own_measure = alm_variant_table_get(&it->variants, variant)->variant.measure;
    if (!alm_measure_common_unit(f->own_measure, indicator->unit, &unit)) {
        return ALM_OK;
    }
    const alm_obs *own =
        alm_reconcile_stands(it, variant, claim->place, claim->period, it->plan->as_of);
    alm_figure mine = alm_reconcile_figure(own, unit);
    rank->has_own = mine.has;
    for (size_t i = 0; i < peers->count; i++) {
        const alm_obs *peer =
            alm_reconcile_stands(it, variant, peers->ids[i], claim->period, it->plan->as_of);
        if (peers->ids[i] != claim->place) {
            count_peer(mine, alm_reconcile_figure(peer, unit),
                       indicator->direction == ALM_DIRECTION_DOWN, rank);
        }
    }
    f->part = own == NULL ? (alm_value){0} : own->value;
    return ALM_OK;
}

alm_code alm_reconcile_rank(alm_reconciliation *it, const alm_obs *claim, alm_status *st)
{
    alm_finding f = alm_finding_of(it, claim, ALMANAC__V1__CHECK__CHECK_RANK);
    alm_rank_claim rank = {.claimed = alm_figure_of(&claim->value, 1)};
    alm_place_list peers;
    ALM_TRY(alm_reconcile_peers(it, claim, &peers, st));
    if (f.part_of.indicator != NULL) {
        ALM_TRY(count_peers(it, &f, &peers, &rank, st));
    }
    f.judged = alm_judge_rank(&rank);
    f.told = f.implied_told = (alm_telling){.unit = RANK_UNIT, .is_sum = true, .all_exact = true};
    f.of_expected = peers.count == 0 ? 0 : (uint32_t)peers.count - 1;
    f.of_count = f.of_expected - rank.missing;
    if (peers.count == 0) {
        f.judged.verdict = ALM_VERDICT_NOT_JUDGED;
        f.judged.lack = ALM_LACK_WHOLE;
        f.judged.implied = ALM_IMPLIED_NONE;
        f.judged.computed.has = false;
    } else if (f.of_count == 0) { // alone it is the first
        f.judged.implied = ALM_IMPLIED_NONE;
        f.judged.computed.has = false;
    }
    return alm_findings_add(it, &f, st);
}
