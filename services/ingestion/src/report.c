#include "report.h"

#include "text.h"

#include "alm/limits.h"
#include "alm/status.h"

#include <stdio.h>
#include <stdlib.h>

// Listed defects must fit one answer; half of it leaves room for the rest and for the estimate.
#define DEFECT_BYTES_MAX   (ALM_RPC_MESSAGE_BYTES_MAX / 2)
#define DEFECT_BYTES_FIXED 32 // row, column, tags and lengths

void report_init(report *r, alm_arena *arena)
{
    *r = (report){.arena = arena};
    interner_init(&r->reasons, arena);
}

void report_row_begin(report *r, uint64_t row, alm_str record)
{
    r->row = (set_aside){.row = row, .record = record};
    r->row_is_bad = false;
}

static alm_str keep_reason(report *r, alm_str reason)
{
    uint32_t number;
    if (!intern(&r->reasons, reason, &number, NULL)) {
        r->failed = true;
        return (alm_str){0};
    }
    return r->reasons.texts[number];
}

static void list_defect(report *r, defect d)
{
    size_t bytes = DEFECT_BYTES_FIXED + d.field.len + d.reason.len + TEXT_SHOWN_BYTES_MAX;
    if (r->defect_count == ALM_IMPORT_DEFECT_COUNT_MAX ||
        r->defect_bytes + bytes > DEFECT_BYTES_MAX) {
        r->defects_not_listed++;
        return;
    }
    void *defects = r->defects;
    if (!alm_arena_grow(r->arena, &defects, &r->defect_cap, r->defect_count + 1,
                        sizeof *r->defects)) {
        r->failed = true;
        return;
    }
    r->defects = defects;
    d.value = text_show(d.value, r->arena);
    r->defects[r->defect_count++] = d;
    r->defect_bytes += bytes - TEXT_SHOWN_BYTES_MAX + d.value.len;
}

// The quarantine keeps one reason a row: "field: reason; field: reason".
static void add_to_row(report *r, const defect *d)
{
    if (!r->row_is_bad) {
        r->row.column = d->column;
        r->row.field = d->field;
        r->row.reason = d->reason;
        r->row_is_bad = true;
        return;
    }
    char both[2 * ALM_STATUS_MESSAGE_MAX];
    int len = snprintf(both, sizeof both, "%.*s; %.*s: %.*s", ALM_STR_ARGS(r->row.reason),
                       ALM_STR_ARGS(d->field), ALM_STR_ARGS(d->reason));
    if (len > 0 && (size_t)len < sizeof both) { // the first ones say enough when there are too many
        r->row.reason = keep_reason(r, (alm_str){both, (size_t)len});
    }
}

void report_add(report *r, size_t column, alm_str field, alm_str value, bool warning,
                const char *fmt, va_list args)
{
    // alm_status carries the cutting and the escaping of what is quoted.
    char text[ALM_STATUS_MESSAGE_MAX];
    vsnprintf(text, sizeof text, fmt, args);
    alm_status st = ALM_STATUS_INIT;
    alm_status_set(&st, ALM_INVALID_ARGUMENT, "%s", text);
    defect d = {.row = r->row.row,
                .column = (uint32_t)column,
                .field = field,
                .value = value,
                .reason = keep_reason(r, alm_str_from(st.message)),
                .warning = warning};
    if (!warning) {
        add_to_row(r, &d);
    }
    list_defect(r, d);
}

void report_defect(report *r, size_t column, alm_str field, alm_str value, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    report_add(r, column, field, value, false, fmt, args);
    va_end(args);
}

void report_warning(report *r, size_t column, alm_str field, alm_str value, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    report_add(r, column, field, value, true, fmt, args);
    va_end(args);
}

bool report_row_end(report *r)
{
    if (!r->row_is_bad) {
        return true;
    }
    void *rows = r->set_aside;
    if (!alm_arena_grow(r->arena, &rows, &r->set_aside_cap, r->set_aside_count + 1,
                        sizeof *r->set_aside)) {
        r->failed = true;
        return false;
    }
    r->set_aside = rows;
    r->set_aside[r->set_aside_count++] = r->row;
    return false;
}

// Rows of one number keep the order of their columns, which is the order they were found in but for
// rows that were looked at twice.
static int cmp_defect(const void *a, const void *b)
{
    const defect *x = a;
    const defect *y = b;
    if (x->row != y->row) {
        return x->row < y->row ? -1 : 1;
    }
    return (x->column > y->column) - (x->column < y->column);
}

static int cmp_set_aside(const void *a, const void *b)
{
    const set_aside *x = a;
    const set_aside *y = b;
    return (x->row > y->row) - (x->row < y->row);
}

void report_sort(report *r)
{
    if (r->defect_count > 0) {
        qsort(r->defects, r->defect_count, sizeof *r->defects, cmp_defect);
    }
    if (r->set_aside_count > 0) {
        qsort(r->set_aside, r->set_aside_count, sizeof *r->set_aside, cmp_set_aside);
    }
}
