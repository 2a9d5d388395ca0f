/* condition: see condition.h. */
#include "query/condition.h"

#include "query/equality.h"

static bool compare_literal(const struct program *p, const struct slots *s,
                            const struct program_op *op)
{
    const struct value *known = &p->literals[op->other];
    enum value_kind kind = slots_kind(s, op->slot);
    enum value_comparison c = (enum value_comparison)op->comparison;
    if (kind != known->kind)
        return value_holds(c, false);
    if (kind == VALUE_STRING)
        return value_holds_in_order(c, s->orders[op->match]);
    if (kind == VALUE_NUMBER)
        return value_holds_in_order(
            c, value_compare_numbers(&s->numbers[op->slot], &known->number));
    return value_holds(c, true);
}

static bool compare_paths(struct slots *s, const struct program_op *op)
{
    enum value_kind kind = slots_kind(s, op->slot);
    enum value_comparison c = (enum value_comparison)op->comparison;
    size_t an, bn;
    const char *a = slots_text(s, op->slot, &an);
    const char *b = slots_text(s, op->other, &bn);
    enum equality equal = EQUALITY_SAME;
    if (kind != slots_kind(s, op->other))
        return value_holds(c, false);
    if (kind == VALUE_NUMBER)
        return value_holds_in_order(
            c, value_compare_numbers(&s->numbers[op->slot],
                                     &s->numbers[op->other]));
    if (kind == VALUE_STRING)
        return value_holds_in_order(c, text_compare(a, an, b, bn));
    if (kind == VALUE_LIST || kind == VALUE_OBJECT)
        equal = equality_of(a, an, b, bn);
    s->no_memory = s->no_memory || equal == EQUALITY_NO_MEMORY;
    return value_holds(c, equal == EQUALITY_SAME);
}

/* An operation that is no operator. */
static inline bool test(const struct program *p, struct slots *s,
                        const struct program_op *op)
{
    switch ((enum program_code)op->code) {
    case PROGRAM_HAS:
        return slots_kind(s, op->slot) != VALUE_ABSENT;
    case PROGRAM_LITERAL:
        return compare_literal(p, s, op);
    case PROGRAM_PATHS:
        return compare_paths(s, op);
    default: /* PROGRAM_FIXED */
        return op->slot != 0;
    }
}

struct condition condition_of(const struct program *p)
{
    struct condition c = {.program = p, .form = CONDITION_ALL};
    for (size_t i = p->where.from; i < p->where.to; i++)
        if (p->ops[i].code == PROGRAM_NOT || p->ops[i].code == PROGRAM_OR)
            c.form = CONDITION_ANY;
    if (p->where.to - p->where.from != 1)
        return c;
    const struct program_op *op = &p->ops[p->where.from];
    if (op->code == PROGRAM_LITERAL &&
        p->literals[op->other].kind == VALUE_STRING &&
        (op->comparison == VALUE_EQ || op->comparison == VALUE_NE)) {
        c.form = CONDITION_TEXT;
        c.equal = op->comparison == VALUE_EQ;
        c.slot = op->slot;
        c.match = op->match;
    }
    return c;
}

static bool hold_all(const struct program *p, struct slots *s)
{
    for (size_t i = p->where.from; i < p->where.to; i++)
        if (p->ops[i].code != PROGRAM_AND && !test(p, s, &p->ops[i]))
            return false;
    return true;
}

bool condition_calculate(const struct condition *c, struct slots *s)
{
    const struct program *p = c->program;
    bool stack[PROGRAM_STACK_MAX];
    size_t top = 0;
    if (c->form == CONDITION_ALL)
        return hold_all(p, s);
    for (size_t i = p->where.from; i < p->where.to; i++) {
        const struct program_op *op = &p->ops[i];
        switch ((enum program_code)op->code) {
        case PROGRAM_NOT:
            stack[top - 1] = !stack[top - 1];
            break;
        case PROGRAM_AND:
            top--;
            stack[top - 1] = stack[top - 1] && stack[top];
            break;
        case PROGRAM_OR:
            top--;
            stack[top - 1] = stack[top - 1] || stack[top];
            break;
        default:
            stack[top++] = test(p, s, op);
        }
    }
    return stack[0];
}
