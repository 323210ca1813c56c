// Formulas: what is computed of several indicators, written as people write it.
//
//   gdp / resident_population                per head: units are divided as numbers are
//   1 - secondary_industry / gdp             a number alone is a ratio: 1 is 100 %
//   gdp / gdp@parent - gdp / gdp@310000      of another place; "parent" is the one above
//   revenue[industry=software] / revenue[_T] of a breakdown; _T: the total
//   (1 + gdp.growth_yoy) / (1 + pc1(cpi)) - 1    of another measure; transforms of one series
//   gdp / ma(resident_population, 2)         per head of the average population
//   constant(gdp, 2020) / pop                at prices of a year; deflator(gdp, 2020)
//   gdp / last(resident_population)          of the newest whole period of its own frequency
//
// + - * / (also × ÷) bind as usual. A name is a code or, in Chinese or in quotes, a name of the
// catalogue; "-" belongs to codes, so that a minus needs a blank beside it. Values meet in the same
// period and accumulation: nothing is interpolated, and what misses an operand is missing.
// docs/TRANSFORMS.md defines it all.
#ifndef ALM_FORMULA_H
#define ALM_FORMULA_H

#include "alm/arena.h"
#include "alm/buf.h"
#include "alm/step.h"

#define ALM_FORMULA_BYTES_MAX      1000
#define ALM_FORMULA_NODE_COUNT_MAX 64
#define ALM_FORMULA_DEPTH_MAX      32

typedef enum alm_formula_op {
    ALM_FORMULA_NUMBER,
    ALM_FORMULA_OPERAND,
    ALM_FORMULA_TRANSFORM, // of `left`
    ALM_FORMULA_NEGATE,    // of `left`
    ALM_FORMULA_ADD,
    ALM_FORMULA_SUBTRACT,
    ALM_FORMULA_MULTIPLY,
    ALM_FORMULA_DIVIDE,
    ALM_FORMULA_PRICES, // of `left` by its growth, `right`
} alm_formula_op;

typedef struct alm_formula_node {
    alm_formula_op op;
    uint32_t left, right; // nodes, with smaller numbers
    alm_decimal number;
    uint32_t operand;
    alm_transform transform; // TRANSFORM: of the stages change, index and average, without a whole;
                             // PRICES: of that stage
} alm_formula_node;

typedef struct alm_formula_operand {
    alm_str name;        // as it was written, without quotes
    alm_measure measure; // LEVEL unless it is said
    alm_str breakdown;   // as it was written; empty: the one that is asked
    alm_str place;       // empty: the one that is asked
    bool is_parent;      // the one above it
    bool is_last;
} alm_formula_operand;

// A value; views into the text.
typedef struct alm_formula {
    alm_formula_node nodes[ALM_FORMULA_NODE_COUNT_MAX]; // the last is the whole
    uint32_t node_count;
    alm_formula_operand operands[ALM_FORMULA_NODE_COUNT_MAX]; // in order; one may come twice
    uint32_t operand_count;                                   // > 0
} alm_formula;

// Is the text, which is no code or name, meant as a formula?
bool alm_formula_is_meant(alm_str text);

// ALM_INVALID_ARGUMENT  malformed, too long or too deep, no operand; the message shows where
ALM_MUST_USE alm_code alm_formula_parse(alm_str text, alm_formula *ret, alm_status *st);

// Appends the part that a node is, as it parses back: blanks around operators, no parentheses that
// are not needed.
void alm_formula_format(const alm_formula *formula, uint32_t node, alm_buf *buf);

// What a node makes of its inputs.
typedef struct alm_formula_rule {
    alm_quantity out;
    bool is_number;           // made of numbers alone
    double left_by, right_by; // inputs times these go together; + and -
    double by;                // the result times this is in the unit of out; * and /
    alm_step step;            // TRANSFORM, PRICES
} alm_formula_rule;

// What each node is, given what the operands are: rules as many as nodes. Frequency and
// accumulation are those of the operands.
//
// ALM_FAILED_PRECONDITION  units that do not go together; a transform that does not apply. The
//                          message shows the part
ALM_MUST_USE alm_code alm_formula_rules(const alm_formula *formula, const alm_quantity *operands,
                                        alm_formula_rule *ret, alm_status *st);

// Cells of an operand on an axis, in the unit of its quantity.
typedef struct alm_formula_source {
    void *self;
    alm_code (*load)(void *self, uint32_t operand, alm_axis axis, alm_grid *ret, alm_status *st);
} alm_formula_source;

// The periods that the operands are looked at in for outputs on an axis: as many axes as nodes.
//
// ALM_RESOURCE_EXHAUSTED, ALM_FAILED_PRECONDITION  as alm_step_reach
ALM_MUST_USE alm_code alm_formula_reach(const alm_formula *formula, const alm_formula_rule *rules,
                                        alm_axis out, alm_axis *ret, alm_status *st);

// Computes every node's grid: ret as many as nodes, the last is the whole. A node's axis is what
// alm_formula_reach says of it.
//
// Of a source: what it says. ALM_RESOURCE_EXHAUSTED: the arena is full
ALM_MUST_USE alm_code alm_formula_run(const alm_formula *formula, const alm_formula_rule *rules,
                                      const alm_axis *axes, size_t series_count,
                                      const alm_formula_source *source, alm_arena *arena,
                                      alm_grid *ret, alm_status *st);

// The node that a missing cell of the whole is missing for: *node and *t are where to look, and are
// moved on to it. What it is missing for is its own gap there, or the operand's.
void alm_formula_blame(const alm_formula *formula, const alm_formula_rule *rules,
                       const alm_grid *grids, size_t series, uint32_t *node, uint32_t *t);

#endif
