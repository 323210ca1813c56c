// Reading and writing formulas.
#include "alm/formula.h"

#include <stdio.h>

typedef struct parser {
    alm_str text;
    alm_str rest;
    uint32_t depth;
    alm_formula *formula;
    alm_status *st;
} parser;

static alm_code parse_sum(parser *p, uint32_t *ret);

// --- tokens --------------------------------------------------------------------------------------

static void skip_blanks(parser *p)
{
    p->rest = alm_str_trim(p->rest);
}

// "at the end", or "at \"/ pop\"".
static alm_code fail(parser *p, const char *what)
{
    enum { SHOWN = 24 };
    alm_str rest = p->rest;
    alm_str shown = alm_str_slice(
        rest, 0, alm_utf8_valid_len(alm_str_slice(rest, 0, ALM_MIN(rest.len, (size_t)SHOWN))));
    if (rest.len == 0) {
        return alm_status_set(p->st, ALM_INVALID_ARGUMENT, "formula \"%.*s\": %s at its end",
                              ALM_STR_ARGS(p->text), what);
    }
    return alm_status_set(p->st, ALM_INVALID_ARGUMENT, "formula \"%.*s\": %s at \"%.*s%s\"",
                          ALM_STR_ARGS(p->text), what, ALM_STR_ARGS(shown),
                          shown.len < rest.len ? "..." : "");
}

static bool take(parser *p, const char *mark)
{
    skip_blanks(p);
    alm_str text = alm_str_from(mark);
    if (!alm_str_starts_with(p->rest, text)) {
        return false;
    }
    p->rest = alm_str_slice(p->rest, text.len, p->rest.len);
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Codes, and names in other letters than ASCII; blanks, × and ÷ are none.
static bool is_name_at(alm_str text, size_t i)
{
    char c = text.data[i];
    bool is_ascii =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '-';
    alm_str rest = alm_str_slice(text, i, text.len);
    bool is_blank = alm_str_trim(rest).data != rest.data;
    return is_ascii ||
           ((unsigned char)c >= 0x80 && !is_blank && !alm_str_starts_with(rest, ALM_STR("×")) &&
            !alm_str_starts_with(rest, ALM_STR("÷")));
}

static bool is_number(alm_str name)
{
    size_t digits = 0;
    while (digits < name.len && is_digit(name.data[digits])) {
        digits++;
    }
    return name.len > 0 && digits == name.len;
}

// May it stand without quotes?
static bool is_plain_name(alm_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!is_name_at(name, i)) {
            return false;
        }
    }
    return name.len > 0 && name.data[0] != '-' && !is_number(name);
}

static alm_str take_name(parser *p)
{
    size_t len = 0;
    while (len < p->rest.len && is_name_at(p->rest, len)) {
        len++;
    }
    alm_str name = alm_str_slice(p->rest, 0, len);
    p->rest = alm_str_slice(p->rest, len, p->rest.len);
    return name;
}

// What stands up to the mark, which is taken as well. False: there is none.
static bool take_until(parser *p, const char *mark, alm_str *ret)
{
    size_t at = alm_str_find(p->rest, alm_str_from(mark));
    if (at == SIZE_MAX) {
        return false;
    }
    *ret = alm_str_trim(alm_str_slice(p->rest, 0, at));
    p->rest = alm_str_slice(p->rest, at + 1, p->rest.len);
    return true;
}

// --- nodes ---------------------------------------------------------------------------------------

static alm_code add_node(parser *p, alm_formula_node node, uint32_t *ret)
{
    alm_formula *f = p->formula;
    if (f->node_count == ALM_FORMULA_NODE_COUNT_MAX) {
        return fail(p, "it has more than 64 parts");
    }
    f->nodes[f->node_count] = node;
    *ret = f->node_count++;
    return ALM_OK;
}

static alm_code add_operand(parser *p, const alm_formula_operand *operand, uint32_t *ret)
{
    alm_formula *f = p->formula;
    alm_formula_node node = {.op = ALM_FORMULA_OPERAND, .operand = f->operand_count};
    ALM_TRY(add_node(p, node, ret));
    f->operands[f->operand_count++] = *operand;
    return ALM_OK;
}

// 5, 0.5, 12%
static alm_code parse_number(parser *p, uint32_t *ret)
{
    size_t len = 0;
    while (len < p->rest.len && (is_digit(p->rest.data[len]) || p->rest.data[len] == '.')) {
        len++;
    }
    alm_formula_node node = {.op = ALM_FORMULA_NUMBER};
    if (alm_decimal_parse(alm_str_slice(p->rest, 0, len), &node.number, NULL) != ALM_OK) {
        return fail(p, "this is no number,");
    }
    p->rest = alm_str_slice(p->rest, len, p->rest.len);
    if (take(p, "%") && alm_decimal_shift(node.number, -2, &node.number, NULL) != ALM_OK) {
        return fail(p, "the number is too small");
    }
    return add_node(p, node, ret);
}

// .growth_yoy [industry=software] @310000
static alm_code parse_operand(parser *p, alm_str name, uint32_t *ret)
{
    alm_formula_operand operand = {.name = name, .measure = ALM_MEASURE_LEVEL};
    if (alm_str_starts_with(p->rest, ALM_STR("."))) {
        p->rest = alm_str_slice(p->rest, 1, p->rest.len);
        alm_str measure = take_name(p);
        if (!alm_measure_parse(measure, &operand.measure)) {
            return alm_status_set(p->st, ALM_INVALID_ARGUMENT,
                                  "formula \"%.*s\": \"%.*s\" of %.*s is no measure",
                                  ALM_STR_ARGS(p->text), ALM_STR_ARGS(measure), ALM_STR_ARGS(name));
        }
    }
    if (take(p, "[") && (!take_until(p, "]", &operand.breakdown) || operand.breakdown.len == 0)) {
        return fail(p, "a breakdown such as [industry=software] is expected");
    }
    if (take(p, "@")) {
        skip_blanks(p);
        operand.place = take_name(p);
        if (operand.place.len == 0) {
            return fail(p, "a place or \"parent\" is expected");
        }
        operand.is_parent = alm_str_eq(operand.place, ALM_STR("parent"));
        operand.place = operand.is_parent ? (alm_str){0} : operand.place;
    }
    return add_operand(p, &operand, ret);
}

// last(x)
static alm_code parse_last(parser *p, uint32_t *ret)
{
    uint32_t inner;
    ALM_TRY(parse_sum(p, &inner));
    alm_formula_node *node = &p->formula->nodes[inner];
    if (node->op != ALM_FORMULA_OPERAND) {
        return fail(p, "last() is of one indicator,");
    }
    p->formula->operands[node->operand].is_last = true;
    *ret = inner;
    return take(p, ")") ? ALM_OK : fail(p, "\")\" is expected");
}

// The word and its argument as of a transform: "ma:2".
static alm_code read_transform(parser *p, alm_str word, alm_str argument, alm_transform *ret)
{
    char text[64];
    int len = snprintf(text, sizeof text, "%.*s%s%.*s", ALM_STR_ARGS(word),
                       argument.len > 0 ? ":" : "", ALM_STR_ARGS(argument));
    if (len < 0 || (size_t)len >= sizeof text) {
        return fail(p, "a transform is expected");
    }
    alm_status why = ALM_STATUS_INIT;
    if (alm_transform_parse((alm_str){text, (size_t)len}, ret, &why) != ALM_OK) {
        return alm_status_set(p->st, ALM_INVALID_ARGUMENT, "formula \"%.*s\": %s",
                              ALM_STR_ARGS(p->text), why.message);
    }
    alm_stage stage = alm_transform_stage(ret->op);
    bool is_of_series = stage == ALM_STAGE_PRICES || stage == ALM_STAGE_CHANGE ||
                        stage == ALM_STAGE_INDEX || stage == ALM_STAGE_AVERAGE;
    if (!is_of_series || alm_transform_has_whole(ret->op)) {
        return alm_status_set(p->st, ALM_INVALID_ARGUMENT,
                              "formula \"%.*s\": %.*s is not computed of one series alone; in a "
                              "formula stand last, constant, deflator, changes, index and ma",
                              ALM_STR_ARGS(p->text), ALM_STR_ARGS(word));
    }
    return ALM_OK;
}

// Of an indicator its published growth stands beside it.
static alm_code add_growth(parser *p, alm_formula_node *node)
{
    const alm_formula_node *left = &p->formula->nodes[node->left];
    const alm_formula_operand *level = &p->formula->operands[left->operand];
    if (left->op != ALM_FORMULA_OPERAND || level->is_last || level->measure != ALM_MEASURE_LEVEL) {
        return fail(p, "constant() and deflator() are of the level of one indicator,");
    }
    alm_formula_operand growth = *level;
    growth.measure = ALM_MEASURE_GROWTH_YOY;
    node->op = ALM_FORMULA_PRICES;
    return add_operand(p, &growth, &node->right);
}

// pc1(x), ma(x, 2)
static alm_code parse_call(parser *p, alm_str word, uint32_t *ret)
{
    alm_formula_node node = {.op = ALM_FORMULA_TRANSFORM};
    alm_str argument = {0};
    if (alm_str_eq(word, ALM_STR("last"))) {
        return parse_last(p, ret);
    }
    ALM_TRY(parse_sum(p, &node.left));
    if (take(p, ",") && (!take_until(p, ")", &argument) || argument.len == 0)) {
        return fail(p, "an argument and \")\" are expected");
    }
    if (argument.len == 0 && !take(p, ")")) {
        return fail(p, "\")\" is expected");
    }
    ALM_TRY(read_transform(p, word, argument, &node.transform));
    if (alm_transform_stage(node.transform.op) == ALM_STAGE_PRICES) {
        ALM_TRY(add_growth(p, &node));
    }
    return add_node(p, node, ret);
}

static alm_code parse_primary(parser *p, uint32_t *ret)
{
    alm_str name;
    if (take(p, "(")) {
        ALM_TRY(parse_sum(p, ret));
        return take(p, ")") ? ALM_OK : fail(p, "\")\" is expected");
    }
    if (take(p, "\"")) {
        return take_until(p, "\"", &name) && name.len > 0 ? parse_operand(p, name, ret)
                                                          : fail(p, "a name is expected");
    }
    alm_str before = p->rest;
    name = take_name(p);
    if (is_number(name)) {
        p->rest = before;
        return parse_number(p, ret);
    }
    if (!is_plain_name(name)) {
        p->rest = before;
        return fail(p, "an indicator, a number or \"(\" is expected");
    }
    return take(p, "(") ? parse_call(p, name, ret) : parse_operand(p, name, ret);
}

static alm_code parse_factor(parser *p, uint32_t *ret)
{
    if (p->depth == ALM_FORMULA_DEPTH_MAX) {
        return fail(p, "it is more than 32 deep");
    }
    p->depth++;
    skip_blanks(p);
    if (take(p, "-")) {
        alm_formula_node node = {.op = ALM_FORMULA_NEGATE};
        ALM_TRY(parse_factor(p, &node.left));
        ALM_TRY(add_node(p, node, ret));
    } else {
        ALM_TRY(parse_primary(p, ret));
    }
    p->depth--;
    return ALM_OK;
}

static alm_code parse_product(parser *p, uint32_t *ret)
{
    ALM_TRY(parse_factor(p, ret));
    for (;;) {
        alm_formula_node node = {.left = *ret};
        if (take(p, "*") || take(p, "×")) {
            node.op = ALM_FORMULA_MULTIPLY;
        } else if (take(p, "/") || take(p, "÷")) {
            node.op = ALM_FORMULA_DIVIDE;
        } else {
            return ALM_OK;
        }
        ALM_TRY(parse_factor(p, &node.right));
        ALM_TRY(add_node(p, node, ret));
    }
}

static alm_code parse_sum(parser *p, uint32_t *ret)
{
    ALM_TRY(parse_product(p, ret));
    for (;;) {
        alm_formula_node node = {.left = *ret};
        if (take(p, "+")) {
            node.op = ALM_FORMULA_ADD;
        } else if (take(p, "-")) {
            node.op = ALM_FORMULA_SUBTRACT;
        } else {
            return ALM_OK;
        }
        ALM_TRY(parse_product(p, &node.right));
        ALM_TRY(add_node(p, node, ret));
    }
}

bool alm_formula_is_meant(alm_str text)
{
    static const char *const marks[] = {"/", "*", "+", "×", "÷", " - ", "@", "["};
    for (size_t i = 0; i < ALM_ARRAY_LEN(marks); i++) {
        if (alm_str_find(text, alm_str_from(marks[i])) != SIZE_MAX) {
            return true;
        }
    }
    // A call, and no name with a remark: "GDP (regional)".
    size_t call = alm_str_find(text, ALM_STR("("));
    return call != SIZE_MAX && (call == 0 || is_name_at(text, call - 1));
}

alm_code alm_formula_parse(alm_str text, alm_formula *ret, alm_status *st)
{
    parser p = {.text = alm_str_trim(text), .formula = ret, .st = st};
    uint32_t whole = 0;
    *ret = (alm_formula){0};
    p.rest = p.text;
    if (p.text.len > ALM_FORMULA_BYTES_MAX || alm_utf8_valid_len(p.text) != p.text.len) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "a formula is UTF-8 text of at most %d bytes", ALM_FORMULA_BYTES_MAX);
    }
    ALM_TRY(parse_sum(&p, &whole));
    skip_blanks(&p);
    if (p.rest.len > 0) {
        return fail(&p, "an operator is expected");
    }
    if (ret->operand_count == 0) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "formula \"%.*s\" names no indicator",
                              ALM_STR_ARGS(p.text));
    }
    ALM_ASSERT(whole == ret->node_count - 1);
    return ALM_OK;
}

// --- writing -------------------------------------------------------------------------------------

static int precedence(alm_formula_op op)
{
    switch (op) {
    case ALM_FORMULA_ADD:
    case ALM_FORMULA_SUBTRACT:
        return 1;
    case ALM_FORMULA_MULTIPLY:
    case ALM_FORMULA_DIVIDE:
        return 2;
    case ALM_FORMULA_NEGATE:
        return 3;
    default:
        return 4;
    }
}

static void put_part(const alm_formula *f, uint32_t node, int at_least, alm_buf *buf)
{
    bool is_apart = precedence(f->nodes[node].op) < at_least;
    alm_buf_str(buf, is_apart ? ALM_STR("(") : (alm_str){0});
    alm_formula_format(f, node, buf);
    alm_buf_str(buf, is_apart ? ALM_STR(")") : (alm_str){0});
}

static void put_operand(const alm_formula_operand *operand, alm_buf *buf)
{
    bool is_plain = is_plain_name(operand->name);
    alm_buf_str(buf, operand->is_last ? ALM_STR("last(") : (alm_str){0});
    alm_buf_str(buf, is_plain ? (alm_str){0} : ALM_STR("\""));
    alm_buf_str(buf, operand->name);
    alm_buf_str(buf, is_plain ? (alm_str){0} : ALM_STR("\""));
    if (operand->measure != ALM_MEASURE_LEVEL) {
        alm_buf_printf(buf, ".%s", alm_measure_code(operand->measure));
    }
    if (operand->breakdown.len > 0) {
        alm_buf_str(buf, ALM_STR("["));
        alm_buf_str(buf, operand->breakdown); // any bytes
        alm_buf_str(buf, ALM_STR("]"));
    }
    if (operand->is_parent || operand->place.len > 0) {
        alm_str place = operand->is_parent ? ALM_STR("parent") : operand->place;
        alm_buf_printf(buf, "@%.*s", ALM_STR_ARGS(place));
    }
    alm_buf_str(buf, operand->is_last ? ALM_STR(")") : (alm_str){0});
}

static void put_call(const alm_formula *f, const alm_formula_node *node, alm_buf *buf)
{
    alm_buf word;
    alm_buf_init(&word, 0);
    alm_transform_format(&node->transform, &word);
    alm_str text = alm_buf_view(&word);
    size_t colon = alm_str_find(text, ALM_STR(":"));
    size_t end = ALM_MIN(colon, text.len);
    alm_buf_printf(buf, "%.*s(", ALM_STR_ARGS(alm_str_slice(text, 0, end)));
    alm_formula_format(f, node->left, buf);
    if (end < text.len) {
        alm_buf_printf(buf, ", %.*s", ALM_STR_ARGS(alm_str_slice(text, end + 1, text.len)));
    }
    alm_buf_str(buf, ALM_STR(")"));
    alm_buf_deinit(&word);
}

void alm_formula_format(const alm_formula *formula, uint32_t node, alm_buf *buf)
{
    static const char *const signs[] = {
        [ALM_FORMULA_ADD] = " + ",
        [ALM_FORMULA_SUBTRACT] = " - ",
        [ALM_FORMULA_MULTIPLY] = " * ",
        [ALM_FORMULA_DIVIDE] = " / ",
    };
    const alm_formula_node *it = &formula->nodes[node];
    int own = precedence(it->op);
    char number[ALM_DECIMAL_TEXT_MAX];
    switch (it->op) {
    case ALM_FORMULA_NUMBER:
        alm_decimal_format(it->number, 0, number);
        alm_buf_str(buf, alm_str_from(number));
        break;
    case ALM_FORMULA_OPERAND:
        put_operand(&formula->operands[it->operand], buf);
        break;
    case ALM_FORMULA_TRANSFORM:
    case ALM_FORMULA_PRICES:
        put_call(formula, it, buf);
        break;
    case ALM_FORMULA_NEGATE:
        alm_buf_str(buf, ALM_STR("- "));
        put_part(formula, it->left, own, buf);
        break;
    default:
        put_part(formula, it->left, own, buf);
        alm_buf_str(buf, alm_str_from(signs[it->op]));
        put_part(formula, it->right, own + 1, buf);
        break;
    }
}
