/* arithmetic: see arithmetic.h. */
#include "query/arithmetic.h"

#include <math.h>

#include "base/number_text.h"

/* Of 128 bits; without the builtin, whose function not every runtime has. */
static bool multiply_overflows(__int128 a, __int128 b, __int128 *product)
{
    const unsigned __int128 most = (unsigned __int128)1 << 127;
    if (a == (int64_t)a && b == (int64_t)b) { /* mostly, and no division */
        *product = a * b;
        return false;
    }
    bool negative = (a < 0) != (b < 0);
    unsigned __int128 x = a < 0 ? -(unsigned __int128)a : (unsigned __int128)a;
    unsigned __int128 y = b < 0 ? -(unsigned __int128)b : (unsigned __int128)b;
    unsigned __int128 limit = negative ? most : most - 1;
    if (x != 0 && y > limit / x)
        return true;
    *product = (__int128)(negative ? -(x * y) : x * y);
    return false;
}

/* False: beyond 128 bits. */
static bool apply_exact(enum program_code code, __int128 *a, __int128 b)
{
    if (code == PROGRAM_ADD)
        return !__builtin_add_overflow(*a, b, a);
    if (code == PROGRAM_SUBTRACT)
        return !__builtin_sub_overflow(*a, b, a);
    return !multiply_overflows(*a, b, a);
}

static void apply_approx(enum program_code code, double *a, double b)
{
    if (code == PROGRAM_ADD)
        *a = *a + b;
    else if (code == PROGRAM_SUBTRACT)
        *a = *a - b;
    else if (code == PROGRAM_MULTIPLY)
        *a = *a * b;
    else
        *a = *a / b;
}

/* One kind of number is copied by itself: what has been written in halves is
 * not read as a whole, for which a processor would wait. */
static bool calculate_exact(const struct program *p, struct program_range range,
                            const struct value_number *read, __int128 *value)
{
    __int128 stack[PROGRAM_STACK_MAX];
    size_t top = 0;
    for (size_t i = range.from; i < range.to; i++) {
        const struct program_op *op = &p->ops[i];
        if (op->code == PROGRAM_READ) {
            stack[top++] = read[op->slot].exact;
        } else if (op->code == PROGRAM_CONST) {
            stack[top++] = p->literals[op->other].number.exact;
        } else if (op->code == PROGRAM_NEGATE) {
            if (__builtin_sub_overflow((__int128)0, stack[top - 1],
                                       &stack[top - 1]))
                return false;
        } else {
            top--;
            if (!apply_exact((enum program_code)op->code, &stack[top - 1],
                             stack[top]))
                return false;
        }
    }
    if (top > 0)
        *value = stack[0];
    return true;
}

static void calculate_approx(const struct program *p,
                             struct program_range range,
                             const struct value_number *read, double *value)
{
    double stack[PROGRAM_STACK_MAX];
    size_t top = 0;
    for (size_t i = range.from; i < range.to; i++) {
        const struct program_op *op = &p->ops[i];
        if (op->code == PROGRAM_READ) {
            stack[top++] = read[op->slot].approx;
        } else if (op->code == PROGRAM_CONST) {
            stack[top++] = p->literals[op->other].number.approx;
        } else if (op->code == PROGRAM_NEGATE) {
            stack[top - 1] = -stack[top - 1];
        } else {
            top--;
            apply_approx((enum program_code)op->code, &stack[top - 1],
                         stack[top]);
        }
    }
    if (top > 0)
        *value = stack[0];
}

/* A literal's or a path's number. NULL: it is another operation. */
static const struct value_number *side_of(const struct program *p,
                                          const struct program_op *op,
                                          const struct value_number *read)
{
    return op->code == PROGRAM_READ    ? &read[op->slot]
           : op->code == PROGRAM_CONST ? &p->literals[op->other].number
                                       : NULL;
}

struct arithmetic_argument
arithmetic_argument_of(const struct program *p, size_t result,
                       const struct value_number *read)
{
    static const struct value_number one = {true, 1, 1};
    const struct program_result *r = &p->results[result];
    struct arithmetic_argument a = {
        .form = ARITHMETIC_ANY, .program = p, .result = r, .read = read};
    uint32_t n = r->range.to - r->range.from;
    if (n == 0)
        a.form = ARITHMETIC_NONE;
    if (n != 1 && n != 3)
        return a;
    const struct program_op *op = &p->ops[r->range.from];
    a.left = side_of(p, op, read);
    a.right = n == 1 ? &one : side_of(p, op + 1, read);
    a.code = n == 1 ? PROGRAM_MULTIPLY : op[2].code;
    if (a.right != NULL)
        a.form = ARITHMETIC_TWO;
    if (a.form == ARITHMETIC_TWO && a.code == PROGRAM_MULTIPLY &&
        r->function == PROGRAM_SUM && p->numbers == PROGRAM_INT64)
        a.form = ARITHMETIC_PRODUCTS;
    return a;
}

/* Two numbers of 64 bits: the result is within 128. */
static __int128 two_exact(const struct arithmetic_argument *a)
{
    __int128 left = a->left->exact, right = a->right->exact;
    return a->code == PROGRAM_MULTIPLY ? left * right
           : a->code == PROGRAM_ADD    ? left + right
                                       : left - right;
}

/* False: beyond 128 bits. */
static bool exact_of(const struct arithmetic_argument *a, __int128 *value)
{
    if (a->form != ARITHMETIC_TWO)
        return calculate_exact(a->program, a->result->range, a->read, value);
    *value = two_exact(a);
    return true;
}

static void approx_of(const struct arithmetic_argument *a, double *value)
{
    if (a->form != ARITHMETIC_TWO) {
        calculate_approx(a->program, a->result->range, a->read, value);
        return;
    }
    *value = a->left->approx;
    apply_approx((enum program_code)a->code, value, a->right->approx);
}

/* --- What an item adds. --- */

/* Math.min and Math.max: NaN stays. Which of 0 and -0 it is nobody sees: both
 * are printed as 0. */
static double extreme(double a, double b, bool least)
{
    if (isnan(a) || isnan(b))
        return NAN;
    return (a < b) == least ? a : b;
}

static void add_exact(struct arithmetic_total *a, enum program_function f,
                      __int128 value)
{
    if (f == PROGRAM_SUM)
        a->overflow =
            a->overflow || __builtin_add_overflow(a->exact, value, &a->exact);
    else if (a->count == 0 || (f == PROGRAM_MIN && value < a->exact) ||
             (f == PROGRAM_MAX && value > a->exact))
        a->exact = value;
}

static void add_approx(struct arithmetic_total *a, enum program_function f,
                       double value)
{
    if (f == PROGRAM_SUM || f == PROGRAM_MEAN)
        a->approx = a->approx + value;
    else if (a->count == 0)
        a->approx = value;
    else
        a->approx = extreme(a->approx, value, f == PROGRAM_MIN);
}

void arithmetic_add_any(struct arithmetic_total *t,
                        const struct arithmetic_argument *a,
                        union arithmetic_number *value)
{
    enum program_function f = a->result->function;
    if (a->form == ARITHMETIC_NONE) {
        t->count++;
        return;
    }
    if (a->program->numbers == PROGRAM_INT64) {
        if (!exact_of(a, &value->exact))
            t->overflow = true;
        else if (f != PROGRAM_COUNT)
            add_exact(t, f, value->exact);
    } else {
        approx_of(a, &value->approx);
        if (f != PROGRAM_COUNT)
            add_approx(t, f, value->approx);
    }
    t->count++;
}

/* --- Text. --- */

bool arithmetic_print_number(const union arithmetic_number *n,
                             enum program_numbers numbers, struct buf *out)
{
    char text[NUMBER_TEXT_MAX];
    size_t len;
    if (numbers == PROGRAM_INT64 ? n->exact < INT64_MIN || n->exact > INT64_MAX
                                 : !isfinite(n->approx))
        return false;
    len = numbers == PROGRAM_INT64 ? number_text_int64((int64_t)n->exact, text)
                                   : number_text_double(n->approx, text);
    buf_add(out, text, len);
    return true;
}

bool arithmetic_print(const struct arithmetic_total *t, const struct program *p,
                      enum program_function f, struct buf *out)
{
    union arithmetic_number n;
    if (t->overflow)
        return false;
    if (f == PROGRAM_COUNT) {
        buf_uint(out, t->count);
        return true;
    }
    if (f != PROGRAM_SUM && t->count == 0) {
        buf_str(out, "null");
        return true;
    }
    if (p->numbers == PROGRAM_INT64)
        n.exact = t->exact;
    else
        n.approx = f == PROGRAM_MEAN ? t->approx / (double)t->count : t->approx;
    return arithmetic_print_number(&n, p->numbers, out);
}
