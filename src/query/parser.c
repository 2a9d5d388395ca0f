/* parser: see parser.h. */
#include "query/parser.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/spelling.h"
#include "query/path.h"

static const char *const functions[] = {"sum", "count", "min", "max", "mean"};
#define FUNCTIONS (sizeof functions / sizeof functions[0])

static bool is_function_of_the_standard(const char *name, size_t n)
{
    static const char *const names[] = {"length", "count", "match", "search",
                                        "value"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == n && memcmp(names[i], name, n) == 0)
            return true;
    return false;
}

/* A word before a parenthesis is a function: how long is it? 0: it is none. */
static size_t function_length(const char *at)
{
    size_t n = lexer_name_length(at);
    return at[n + strspn(at + n, " \t\n\r")] == '(' ? n : 0;
}

/* --- Conditions. --- */

static bool logical_or(struct lexer *l);

static bool add_op(struct lexer *l, struct program_op op)
{
    return program_op(l->program, op) >= 0 || lexer_no_memory(l);
}

/* One side of a comparison. */
struct side {
    const char *at;
    bool literal;
    int slot;
    struct value value;
};

static bool literal_word(struct lexer *l, struct side *side)
{
    static const struct {
        const char *word;
        enum value_kind kind;
    } words[] = {
        {"true", VALUE_TRUE}, {"false", VALUE_FALSE}, {"null", VALUE_NULL}};
    size_t n = lexer_name_length(l->at);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i].word) == n &&
            memcmp(words[i].word, l->at, n) == 0) {
            side->literal = true;
            side->value.kind = words[i].kind;
            l->at += n;
            return true;
        }
    return false;
}

static bool literal_string(struct lexer *l, struct side *side)
{
    struct program_name characters;
    side->literal = true;
    if (!lexer_string(l, &characters))
        return false;
    side->value = (struct value){
        .kind = VALUE_STRING, .text = characters.bytes, .n = characters.n};
    return true;
}

static bool comparable(struct lexer *l, struct side *side)
{
    size_t n = function_length(l->at);
    *side = (struct side){.at = l->at};
    if (n > 0)
        return lexer_fail(l, l->at, "%.*s(): %s", (int)(n < 40 ? n : 40), l->at,
                          is_function_of_the_standard(l->at, n)
                              ? "the functions of RFC 9535 are not supported"
                              : "conditions have no functions");
    if (*l->at == '"' || *l->at == '\'')
        return literal_string(l, side);
    if (*l->at == '-' || isdigit((unsigned char)*l->at)) {
        side->literal = true;
        return lexer_number(l, &side->value);
    }
    return literal_word(l, side) ||
           path_of_item(l, "@, a name, or a literal", 0, &side->slot);
}

static bool take_comparison(struct lexer *l, enum value_comparison *c)
{
    static const char *const words[] = {
        [VALUE_EQ] = "==", [VALUE_NE] = "!=", [VALUE_LE] = "<=",
        [VALUE_GE] = ">=", [VALUE_LT] = "<",  [VALUE_GT] = ">"};
    static const enum value_comparison order[] = {VALUE_EQ, VALUE_NE, VALUE_LE,
                                                  VALUE_GE, VALUE_LT, VALUE_GT};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (lexer_take(l, words[order[i]])) {
            *c = order[i];
            return true;
        }
    return false;
}

static bool fixed(struct lexer *l, bool truth)
{
    return add_op(l, (struct program_op){.code = PROGRAM_FIXED, .slot = truth});
}

/* Both sides are literals: what they give is known. */
static bool compare_literals(struct lexer *l, const struct side *a,
                             enum value_comparison c, const struct side *b)
{
    const struct value *x = &a->value, *y = &b->value;
    if (x->kind != y->kind)
        return fixed(l, value_holds(c, false));
    if (x->kind == VALUE_NUMBER)
        return fixed(l, value_holds_in_order(
                            c, value_compare_numbers(&x->number, &y->number)));
    if (x->kind != VALUE_STRING)
        return fixed(l, value_holds(c, true));
    size_t n = x->n < y->n ? x->n : y->n;
    int order = memcmp(x->text, y->text, n);
    if (order == 0)
        order = (x->n > y->n) - (x->n < y->n);
    return fixed(l, value_holds_in_order(c, order));
}

/* The match of a slot with a string; a comparison like an earlier one has its
 * match. */
static int match_of(struct program *p, uint8_t slot, const struct value *v,
                    int *literal)
{
    for (size_t i = 0; i < p->match_count; i++) {
        const struct value *known = &p->literals[p->matches[i].literal];
        *literal = p->matches[i].literal;
        if (p->matches[i].slot == slot && known->n == v->n &&
            memcmp(known->text, v->text, v->n) == 0)
            return (int)i;
    }
    *literal = program_literal(p, v);
    return *literal < 0 ? -1 : program_match(p, slot, (uint16_t)*literal);
}

static bool compare_literal(struct lexer *l, int slot, enum value_comparison c,
                            const struct value *v)
{
    struct program *p = l->program;
    int literal, match = 0;
    if (v->kind == VALUE_STRING)
        match = match_of(p, (uint8_t)slot, v, &literal);
    else
        literal = program_literal(p, v);
    if (literal < 0 || match < 0)
        return lexer_no_memory(l);
    p->slots[slot].uses |= PROGRAM_MATCH;
    return add_op(l, (struct program_op){.code = PROGRAM_LITERAL,
                                         .comparison = (uint8_t)c,
                                         .slot = (uint8_t)slot,
                                         .other = (uint16_t)literal,
                                         .match = (uint16_t)match});
}

static enum value_comparison turned(enum value_comparison c)
{
    static const enum value_comparison other[] = {
        [VALUE_EQ] = VALUE_EQ, [VALUE_NE] = VALUE_NE, [VALUE_LT] = VALUE_GT,
        [VALUE_LE] = VALUE_GE, [VALUE_GT] = VALUE_LT, [VALUE_GE] = VALUE_LE};
    return other[c];
}

static bool compare(struct lexer *l, const struct side *a,
                    enum value_comparison c, const struct side *b)
{
    struct program *p = l->program;
    if (a->literal && b->literal)
        return compare_literals(l, a, c, b);
    if (b->literal)
        return compare_literal(l, a->slot, c, &b->value);
    if (a->literal)
        return compare_literal(l, b->slot, turned(c), &a->value);
    if (a->slot == b->slot)
        return fixed(l, value_holds(c, true));
    p->slots[a->slot].uses |= PROGRAM_KEEP;
    p->slots[b->slot].uses |= PROGRAM_KEEP;
    return add_op(l, (struct program_op){.code = PROGRAM_PATHS,
                                         .comparison = (uint8_t)c,
                                         .slot = (uint8_t)a->slot,
                                         .other = (uint16_t)b->slot});
}

/* A path alone, or a comparison. */
static bool comparison_or_test(struct lexer *l)
{
    struct side a, b;
    enum value_comparison c;
    if (!comparable(l, &a))
        return false;
    const char *behind = l->at;
    lexer_blanks(l);
    if (take_comparison(l, &c)) {
        lexer_blanks(l);
        return comparable(l, &b) && compare(l, &a, c, &b);
    }
    if (*l->at == '=')
        return lexer_fail(l, l->at, "= compares nothing: write ==");
    if (a.literal)
        return lexer_fail(l, a.at,
                          "a literal alone is no condition: compare "
                          "it with something");
    l->at = behind;
    return add_op(
        l, (struct program_op){.code = PROGRAM_HAS, .slot = (uint8_t)a.slot});
}

/* What stands in parentheses, behind the first; `expected` at the second. */
static bool nested(struct lexer *l, bool (*inner)(struct lexer *),
                   const char *expected)
{
    if (!lexer_nest(l))
        return false;
    lexer_blanks(l);
    if (!inner(l))
        return false;
    lexer_blanks(l);
    l->nesting--;
    return lexer_take(l, ")") || lexer_expected(l, expected);
}

static bool parenthesized(struct lexer *l)
{
    return nested(l, logical_or, "&&, || or )");
}

/* Behind a !. */
static bool negated(struct lexer *l)
{
    int slot;
    enum value_comparison c;
    lexer_blanks(l);
    if (lexer_take(l, "(")) {
        if (!parenthesized(l))
            return false;
    } else {
        if (!path_of_item(l, "( or a path after !", 0, &slot))
            return false;
        const char *behind = l->at;
        lexer_blanks(l);
        if (take_comparison(l, &c))
            return lexer_fail(l, behind + strspn(behind, " \t\n\r"),
                              "! stands before a path or ( alone: write "
                              "!(... == ...)");
        l->at = behind;
        if (!add_op(l, (struct program_op){.code = PROGRAM_HAS,
                                           .slot = (uint8_t)slot}))
            return false;
    }
    return add_op(l, (struct program_op){.code = PROGRAM_NOT});
}

static bool basic(struct lexer *l)
{
    if (lexer_take(l, "("))
        return parenthesized(l);
    return lexer_take(l, "!") ? negated(l) : comparison_or_test(l);
}

struct operator
{
    const char *word;
    enum program_code code;
};

/* operand *(S word S operand), of `n` words. */
static bool chain(struct lexer *l, bool (*operand)(struct lexer *),
                  const struct operator* words, size_t n)
{
    if (!operand(l))
        return false;
    for (;;) {
        const char *before = l->at;
        lexer_blanks(l);
        const char *at = l->at;
        size_t i = 0;
        while (i < n && !lexer_take(l, words[i].word))
            i++;
        if (i == n) {
            l->at = before;
            return true;
        }
        if (words[i].code == PROGRAM_DIVIDE &&
            l->program->numbers == PROGRAM_INT64)
            return lexer_fail(l, at, "/ needs numbers = double");
        lexer_blanks(l);
        if (!operand(l) ||
            !add_op(l, (struct program_op){.code = (uint8_t)words[i].code}))
            return false;
    }
}

static bool logical_and(struct lexer *l)
{
    static const struct operator words[] = {{"&&", PROGRAM_AND}};
    return chain(l, basic, words, sizeof words / sizeof words[0]);
}

static bool logical_or(struct lexer *l)
{
    static const struct operator words[] = {{"||", PROGRAM_OR}};
    return chain(l, logical_and, words, sizeof words / sizeof words[0]);
}

/* What stands where a condition should go on or end. */
static bool unfinished_condition(struct lexer *l)
{
    if (*l->at == '&' || *l->at == '|')
        return lexer_fail(l, l->at, "one %c is no operator: write %c%c", *l->at,
                          *l->at, *l->at);
    if (*l->at != '\0' && strchr("+-*/", *l->at) != NULL)
        return lexer_fail(l, l->at,
                          "arithmetic stands only in results, not in "
                          "conditions");
    return lexer_expected(l, "a comparison, &&, || or the end");
}

bool parser_where(struct program *p, const char *text,
                  struct lexer_error *error)
{
    struct lexer l;
    size_t from = p->op_count;
    if (!lexer_begin(&l, text, p, error))
        return false;
    lexer_blanks(&l);
    if (!logical_or(&l))
        return false;
    lexer_blanks(&l);
    p->where = (struct program_range){(uint32_t)from, (uint32_t)p->op_count};
    return *l.at == '\0' || unfinished_condition(&l);
}

/* --- Results. --- */

static bool sum(struct lexer *l);

static bool constant(struct lexer *l)
{
    struct value v;
    const char *at = l->at;
    if (!lexer_number(l, &v))
        return false;
    if (l->program->numbers == PROGRAM_INT64 && !v.number.integer)
        return lexer_fail(l, at,
                          "with numbers = int64 a constant is an "
                          "integer of 64 bits");
    if (!isfinite(v.number.approx))
        return lexer_fail(l, at, "the constant is beyond all doubles");
    int literal = program_literal(l->program, &v);
    return literal < 0
               ? lexer_no_memory(l)
               : add_op(l, (struct program_op){.code = PROGRAM_CONST,
                                               .other = (uint16_t)literal});
}

static bool factor(struct lexer *l);

static bool negative(struct lexer *l)
{
    if (isdigit((unsigned char)l->at[1]))
        return constant(l);
    l->at++;
    lexer_blanks(l);
    if (!lexer_nest(l) || !factor(l))
        return false;
    l->nesting--;
    return add_op(l, (struct program_op){.code = PROGRAM_NEGATE});
}

static bool factor(struct lexer *l)
{
    int slot;
    size_t n = function_length(l->at);
    if (*l->at == '-')
        return negative(l);
    if (lexer_take(l, "("))
        return nested(l, sum, "an operator or )");
    if (isdigit((unsigned char)*l->at))
        return constant(l);
    if (*l->at == '"' || *l->at == '\'')
        return lexer_fail(l, l->at, "a string is no number");
    if (n > 0)
        return lexer_fail(l, l->at, "%.*s(): no function stands inside another",
                          (int)(n < 40 ? n : 40), l->at);
    return path_of_item(l, "@, a name, a number, - or (", PROGRAM_NUMBER,
                        &slot) &&
           add_op(l, (struct program_op){.code = PROGRAM_READ,
                                         .slot = (uint8_t)slot});
}

static bool product(struct lexer *l)
{
    static const struct operator words[] = {{"*", PROGRAM_MULTIPLY},
                                            {"/", PROGRAM_DIVIDE}};
    return chain(l, factor, words, sizeof words / sizeof words[0]);
}

static bool sum(struct lexer *l)
{
    static const struct operator words[] = {{"+", PROGRAM_ADD},
                                            {"-", PROGRAM_SUBTRACT}};
    return chain(l, product, words, sizeof words / sizeof words[0]);
}

/* No function of ours: what might have been meant? */
static bool unknown_function(struct lexer *l, size_t n)
{
    char name[64];
    const char *near = NULL;
    size_t best = SPELLING_FAR;
    snprintf(name, sizeof name, "%.*s", (int)n, l->at);
    if (is_function_of_the_standard(l->at, n))
        return lexer_fail(l, l->at,
                          "%s(): the functions of RFC 9535 are not "
                          "supported",
                          name);
    for (size_t i = 0; i < FUNCTIONS; i++)
        if (spelling_distance(name, functions[i]) < best) {
            best = spelling_distance(name, functions[i]);
            near = functions[i];
        }
    return lexer_fail(l, l->at, "%.40s(): no such function%s%s%s", name,
                      near == NULL ? "" : "; did you mean ",
                      near == NULL ? "" : near, near == NULL ? "" : "?");
}

static bool function(struct lexer *l, enum program_function *which)
{
    size_t n = function_length(l->at), i = 0;
    if (n == 0)
        return lexer_expected(l, "sum(...), count(), min(...), max(...) or "
                                 "mean(...)");
    while (i < FUNCTIONS &&
           (strlen(functions[i]) != n || memcmp(functions[i], l->at, n) != 0))
        i++;
    if (i == FUNCTIONS)
        return unknown_function(l, n);
    *which = (enum program_function)i;
    if (*which == PROGRAM_MEAN && l->program->numbers == PROGRAM_INT64)
        return lexer_fail(l, l->at, "mean needs numbers = double");
    l->at += n;
    return true;
}

/* function "(" [sum] ")" and no more. */
static bool call(struct lexer *l, enum program_function *which)
{
    lexer_blanks(l);
    if (!function(l, which))
        return false;
    lexer_blanks(l);
    lexer_take(l, "(");
    lexer_blanks(l);
    if (*which != PROGRAM_COUNT || *l->at != ')')
        if (!sum(l))
            return false;
    lexer_blanks(l);
    if (!lexer_take(l, ")"))
        return lexer_expected(l, "an operator or )");
    lexer_blanks(l);
    return *l->at == '\0' ||
           lexer_expected(l, "the end: a result is one function");
}

bool parser_result(struct program *p, const char *name, const char *text,
                   struct lexer_error *error)
{
    struct lexer l;
    struct program_result *r = &p->results[p->result_count];
    r->range.from = (uint32_t)p->op_count;
    if (!lexer_begin(&l, text, p, error) || !call(&l, &r->function))
        return false;
    r->range.to = (uint32_t)p->op_count;
    r->name = program_keep(p, name, strlen(name));
    p->result_count++;
    return (r->name != NULL && program_quote(p, name, &r->quoted)) ||
           lexer_no_memory(&l);
}

const char *parser_function_name(enum program_function f)
{
    return functions[f];
}
