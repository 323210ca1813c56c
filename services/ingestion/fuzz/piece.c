// Any file as a piece of any kind against a small catalogue: every row is taken, doubled or set
// aside, what is taken is valid, what is told is UTF-8 and names a row of the file. The first byte
// picks the kind, the rest is the file.
#include "testing.h"

#include "alm/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_report(const piece_result *r)
{
    for (size_t i = 0; i < r->report.defect_count; i++) {
        const defect *d = &r->report.defects[i];
        ALM_ASSERT(d->row >= 2);
        ALM_ASSERT(d->reason.len > 0);
        ALM_ASSERT(alm_utf8_valid_len(d->reason) == d->reason.len);
        ALM_ASSERT(alm_utf8_valid_len(d->value) == d->value.len);
        ALM_ASSERT(alm_utf8_valid_len(d->field) == d->field.len);
        ALM_ASSERT(d->value.len <= TEXT_SHOWN_BYTES_MAX + 3);
        ALM_ASSERT(i == 0 || r->report.defects[i - 1].row <= d->row);
    }
    for (size_t i = 0; i < r->report.set_aside_count; i++) {
        ALM_ASSERT(r->report.set_aside[i].reason.len > 0);
        ALM_ASSERT(i == 0 || r->report.set_aside[i - 1].row < r->report.set_aside[i].row);
    }
}

static void check_observation(const obs_rows *rows, size_t i, const alm_catalog *catalog)
{
    const alm_obs *o = &rows->rows[i];
    alm_variant variant;
    ALM_ASSERT(o->variant < rows->variant_count);
    ALM_ASSERT(alm_variant_decode(rows->variants[o->variant], &variant, NULL) == ALM_OK);
    ALM_ASSERT(o->place < alm_place_tree_count(alm_catalog_places(catalog)));
    ALM_ASSERT(alm_period_valid(o->period));
    ALM_ASSERT(variant.freq == (alm_freq)o->period.freq);
    ALM_ASSERT(alm_unit_valid(o->value.unit));
    ALM_ASSERT(o->source == ALM_SOURCE_NONE || o->source < alm_catalog_source_count(catalog));
    ALM_ASSERT(o->published != ALM_DATE_NONE);
    ALM_ASSERT(alm_utf8_valid_len(o->note) == o->note.len);
    ALM_ASSERT(o->note.len <= ALM_TEXT_BYTES_MAX);
    ALM_ASSERT(!o->value.has_number || !alm_obs_status_missing(o->value.status));
}

static void check_result(const piece_result *r, const alm_catalog *catalog)
{
    check_report(r);
    size_t taken = r->catalog.count + r->catalog.doubled;
    if (r->observations != NULL) {
        taken = r->observations->count + r->observations->doubled;
        for (size_t i = 0; i < r->observations->count; i++) {
            check_observation(r->observations, i, catalog);
        }
    }
    ALM_ASSERT(r->rows == taken + r->report.set_aside_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    alm_str text = {(const char *)data + 1, size - 1};
    size_t end = ALM_MIN(alm_str_find_char(text, '\n'), text.len);
    piece p = {.kind = (piece_kind)(data[0] % (PIECE_SOURCES + 1)),
               .header = alm_str_slice(text, 0, end),
               .records = alm_str_slice(text, ALM_MIN(end + 1, text.len), text.len),
               .first_row = 2};
    static alm_catalog *catalog; // built once: it takes longer than a run
    catalog = catalog != NULL ? catalog : test_catalog();
    alm_arena *arena = alm_arena_create(0);
    ALM_ASSERT(arena != NULL && catalog != NULL);
    piece_result result;
    alm_status st = ALM_STATUS_INIT;
    if (piece_check(&p, catalog, TEST_TODAY, arena, &result, &st) == ALM_OK) {
        check_result(&result, catalog);
    } else {
        ALM_ASSERT(st.code == ALM_INVALID_ARGUMENT && st.message[0] != '\0');
    }
    alm_arena_destroy(&arena);
    return 0;
}
