// Any text: what parses as a formula writes back to the same, and what its parts are is a quantity
// with a unit or said to be none.
#include "alm/formula.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_whole(const alm_formula *formula, alm_buf *buf)
{
    alm_buf_init(buf, 0);
    alm_formula_format(formula, formula->node_count - 1, buf);
    ALM_ASSERT(!buf->failed);
}

// Of the bytes of its name: amounts, quotients, ratios, indices.
static alm_quantity quantity_of(const alm_formula_operand *operand)
{
    static const char *const units[] = {"CNY_E8", "persons_E4",  "CNY/persons", "percent",
                                        "pp",     "count_liang", "count_hu",    "index",
                                        "rank",   "mu"};
    unsigned sum = 0;
    for (size_t i = 0; i < operand->name.len; i++) {
        sum += (unsigned char)operand->name.data[i];
    }
    alm_indicator indicator = {.value_type =
                                   sum % 2 == 0 ? ALM_VALUE_TYPE_FLOW : ALM_VALUE_TYPE_STOCK};
    alm_code code =
        alm_unit_parse(alm_str_from(units[sum % ALM_ARRAY_LEN(units)]), &indicator.unit, NULL);
    ALM_ASSERT(code == ALM_OK);
    return alm_quantity_of(&indicator, operand->measure, ALM_FREQ_QUARTER, ALM_ACCUMULATION_PERIOD);
}

static void check_rules(const alm_formula *formula)
{
    alm_quantity operands[ALM_FORMULA_NODE_COUNT_MAX];
    alm_formula_rule rules[ALM_FORMULA_NODE_COUNT_MAX];
    alm_status st = ALM_STATUS_INIT;
    for (uint32_t i = 0; i < formula->operand_count; i++) {
        operands[i] = quantity_of(&formula->operands[i]);
    }
    if (alm_formula_rules(formula, operands, rules, &st) != ALM_OK) {
        ALM_ASSERT(st.code == ALM_FAILED_PRECONDITION && st.message[0] != '\0');
        return;
    }
    for (uint32_t i = 0; i < formula->node_count; i++) {
        ALM_ASSERT(alm_unit_valid(rules[i].out.unit));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_status st = ALM_STATUS_INIT;
    alm_formula formula;
    alm_formula again;
    alm_buf text;
    alm_buf twice;
    if (alm_formula_parse((alm_str){(const char *)data, size}, &formula, &st) != ALM_OK) {
        ALM_ASSERT(st.code == ALM_INVALID_ARGUMENT && st.message[0] != '\0');
        return 0;
    }
    write_whole(&formula, &text);
    if (alm_buf_view(&text).len <= ALM_FORMULA_BYTES_MAX) { // blanks make it longer
        ALM_ASSERT(alm_formula_parse(alm_buf_view(&text), &again, &st) == ALM_OK);
        write_whole(&again, &twice);
        ALM_ASSERT(alm_str_eq(alm_buf_view(&text), alm_buf_view(&twice)));
        alm_buf_deinit(&twice);
    }
    check_rules(&formula);
    alm_buf_deinit(&text);
    return 0;
}
