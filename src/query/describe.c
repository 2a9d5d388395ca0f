/* describe: see describe.h. */
#include "query/describe.h"

#include "base/number_text.h"
#include "query/lexer.h"

static void put_name(const struct program_name *name, struct buf *out)
{
    if (name->n > 0 && lexer_name_length(name->bytes) == name->n) {
        buf_char(out, '.');
        buf_add(out, name->bytes, name->n);
        return;
    }
    buf_char(out, '[');
    program_print_text(out, name->bytes, name->n);
    buf_char(out, ']');
}

void describe_slot(const struct program *p, size_t slot, struct buf *out)
{
    const struct program_slot *s = &p->slots[slot];
    buf_char(out, s->document ? '$' : '@');
    for (size_t i = 0; i < s->count; i++)
        put_name(&s->names[i], out);
}

void describe_list(const struct program *p, struct buf *out)
{
    buf_char(out, '$');
    for (size_t i = 0; i < p->step_count; i++)
        if (p->steps[i].each)
            buf_str(out, "[*]");
        else
            put_name(&p->steps[i].name, out);
}

void describe_uses(const struct program *p, size_t slot, struct buf *out)
{
    static const struct {
        uint8_t use;
        const char *text;
    } uses[] = {{PROGRAM_NUMBER, "a number"},
                {PROGRAM_MATCH, "compared with a literal"},
                {PROGRAM_KEEP, "compared with another path"},
                {PROGRAM_COPY, "copied"}};
    size_t start = out->len;
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++)
        if ((p->slots[slot].uses & uses[i].use) != 0)
            buf_printf(out, "%s%s", out->len > start ? ", " : "", uses[i].text);
    if (out->len == start)
        buf_str(out, "whether it is there");
}

void describe_literal(const struct value *literal, struct buf *out)
{
    static const char *const words[] = {
        [VALUE_NULL] = "null", [VALUE_FALSE] = "false", [VALUE_TRUE] = "true"};
    char text[NUMBER_TEXT_MAX];
    if (literal->kind == VALUE_STRING)
        program_print_text(out, literal->text, literal->n);
    else if (literal->kind != VALUE_NUMBER)
        buf_str(out, words[literal->kind]);
    else if (literal->text != NULL)
        buf_add(out, literal->text, literal->n);
    else
        buf_add(out, text, number_text_int64(literal->number.exact, text));
}

static void put_comparison(const struct program *p, const struct program_op *op,
                           struct buf *out)
{
    static const char *const signs[] = {
        [VALUE_EQ] = "==", [VALUE_NE] = "!=", [VALUE_LE] = "<=",
        [VALUE_GE] = ">=", [VALUE_LT] = "<",  [VALUE_GT] = ">"};
    buf_str(out, "compare ");
    describe_slot(p, op->slot, out);
    buf_printf(out, " %s ", signs[op->comparison]);
    if (op->code == PROGRAM_PATHS)
        describe_slot(p, op->other, out);
    else
        describe_literal(&p->literals[op->other], out);
}

void describe_op(const struct program *p, const struct program_op *op,
                 struct buf *out)
{
    static const char *const words[] = {
        [PROGRAM_HAS] = "has ",          [PROGRAM_NOT] = "not",
        [PROGRAM_AND] = "and",           [PROGRAM_OR] = "or",
        [PROGRAM_READ] = "read ",        [PROGRAM_CONST] = "constant ",
        [PROGRAM_NEGATE] = "negate",     [PROGRAM_ADD] = "add",
        [PROGRAM_SUBTRACT] = "subtract", [PROGRAM_MULTIPLY] = "multiply",
        [PROGRAM_DIVIDE] = "divide"};
    if (op->code == PROGRAM_FIXED) {
        buf_str(out, op->slot != 0 ? "always true" : "always false");
        return;
    }
    if (op->code == PROGRAM_LITERAL || op->code == PROGRAM_PATHS) {
        put_comparison(p, op, out);
        return;
    }
    buf_str(out, words[op->code]);
    if (op->code == PROGRAM_HAS || op->code == PROGRAM_READ)
        describe_slot(p, op->slot, out);
    if (op->code == PROGRAM_CONST)
        describe_literal(&p->literals[op->other], out);
}
