/* parser: what is a query and what is none, and where the mistake is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/parser.h"
#include "query/path.h"
#include "unit.h"

static struct program program;
static struct lexer_error error;

static void begin(enum program_numbers numbers)
{
    program = (struct program){.numbers = numbers};
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char *const conditions[] = {
    "@.a",
    " @.a ",
    "\t@\n.a\r",
    "@",
    "@.a.b.c",
    "@ .a",
    "@['a']",
    "@[\"a\"]",
    "@[ 'a' ]",
    "@['']",
    "@['any \"name\"']",
    "@[\"it's\"]",
    "@['it\\'s']",
    "@['\\u00e9\\ud83d\\ude00\\n\\/']",
    "@['\\ud800\\udc00\\uDBFF\\uDFFF\\ud7ff\\ue000']",
    "@.\xc3\xa9",
    "@._a1",
    "@.true",
    "@.True",
    "a",
    "a.b.c",
    "truth",
    "nullable == null",
    "@.a==1",
    "@.a == 'x'",
    "1 == @.a",
    "1 == 1",
    "true == false",
    "'a' < \"b\"",
    "@ == @",
    "@.a <= @.b",
    "@.a >= -0",
    "@.a != -1.5e-3",
    "@.a < 1E+2",
    "@.a==0",
    "!@.a",
    "! @.a",
    "!(@.a == 1)",
    "!(!(@.a))",
    "((@.a))",
    "@.a && @.b || @.c && !@.d",
    "@.a&&@.b||@.c",
    "a==1&&b=='x'||!c",
    "@.a == null || @.b == true",
};

START_TEST(conditions_are_taken)
{
    for (size_t i = 0; i < COUNT(conditions); i++) {
        begin(PROGRAM_INT64);
        bool ok = parser_where(&program, conditions[i], &error);
        ck_assert_msg(ok, "%s: column %zu: %s", conditions[i], error.column,
                      error.message);
        ck_assert_uint_gt(program.where.to, program.where.from);
        program_free(&program);
    }
}
END_TEST

struct mistake {
    const char *text;
    size_t column;
    const char *part; /* of the message */
};

/* The message has the part, and the mistake is where it should be. */
static void check(const struct mistake *m, bool ok)
{
    ck_assert_msg(!ok, "%s is taken", m->text);
    ck_assert_msg(error.column == m->column && strstr(error.message, m->part),
                  "%s: column %zu: %s", m->text, error.column, error.message);
    program_free(&program);
}

static const struct mistake wrong_conditions[] = {
    {"", 1, "expected @, a name, or a literal, found the end"},
    {"  ", 3, "found the end"},
    {"#", 1, "found #"},
    {"$.a", 1, "$ stands only in array and copy"},
    {"@.a == $.b", 8, "may come after the list"},
    {"@.", 3, "expected a name after the point, found the end"},
    {"@. a", 3, "a name after the point"},
    {"@.1", 3, "a name after the point, found 1"},
    {"@..a", 2, ".. is not supported"},
    {"@.*", 3, "wildcard"},
    {"@[*]", 3, "[*] stands only in array"},
    {"@[0]", 3, "indexes are not supported"},
    {"@[-1]", 3, "indexes are not supported"},
    {"@[1:2]", 3, "slices are not supported"},
    {"@[:2]", 3, "slices are not supported"},
    {"@[?@.a]", 3, "filters in a path"},
    {"@['a','b']", 6, "several selectors"},
    {"@['a'", 6, "expected ]"},
    {"@[a]", 3, "expected a name in quotes, found a"},
    {"@['a]", 3, "without its closing '"},
    {"@[\"a]", 3, "without its closing \""},
    {"@['a\\x']", 6, "expected one of b f n r t"},
    {"@['\\\"']", 5, "expected one of b f n r t"},
    {"@['\\u12g4']", 6, "four hexadecimal digits"},
    {"@['\\ud800']", 10, "second half of a surrogate pair"},
    {"@['\\ud800\\u0041']", 10, "second half of a surrogate pair"},
    {"@['\\ud800\\udbff']", 10, "second half of a surrogate pair"},
    {"@['\\udbff\\ue000']", 10, "second half of a surrogate pair"},
    {"@['\\udc00']", 6, "without the first"},
    {"@['\\udfff']", 6, "without the first"},
    {"(@.a == )", 9, "expected"},
    {"(@.a ==", 8, "expected"},
    {"(", 2, "expected"},
    {"!(@.a && )", 10, "expected"},
    {"((@.a == 1) || @.)", 18, "a name after the point"},
    {"@['\t']", 4, "a control character"},
    {"@['\xff']", 4, "not UTF-8"},
    {"@.a.b.c.d.e.f.g.h.i", 19, "more than 8 names"},
    {"a['b']", 2, "[ follows no short name"},
    {"a.true", 3, "true is no name here: write @.a.true"},
    {"True", 1, "True is no name here: write @.True"},
    {"@ == True", 6, "True is no name here"},
    {"NULL == 1", 1, "NULL is no name here"},
    {"a.", 3, "expected a name, found the end"},
    {"length(@.a) > 1", 1, "length(): the functions of RFC 9535 are not"},
    {"match(@.a, 'x')", 1, "match(): the functions of RFC 9535 are not"},
    {"foo(@.a)", 1, "foo(): conditions have no functions"},
    {"sum(@.a) > 1", 1, "sum(): conditions have no functions"},
    {"true", 1, "a literal alone is no condition"},
    {"1", 1, "a literal alone"},
    {"'a'", 1, "a literal alone"},
    {"@.a && 1", 8, "a literal alone"},
    {"true == false && false", 18, "a literal alone"},
    {"@.a = 1", 5, "write =="},
    {"@.a === 1", 7, "found ="},
    {"@.a ==", 7, "found the end"},
    {"@.a == == 1", 8, "found ="},
    {"@.a == 1 == 2", 10, "expected a comparison, &&, || or the end"},
    {"@.a & @.b", 5, "write &&"},
    {"@.a | @.b", 5, "write ||"},
    {"@.a and @.b", 5, "expected a comparison, &&, || or the end, found and"},
    {"@.a + 1 == 2", 5, "arithmetic stands only in results"},
    {"@.a - 1 == 2", 5, "arithmetic stands only in results"},
    {"@.a * 2", 5, "arithmetic stands only in results"},
    {"@.a == 1 + 1", 10, "arithmetic stands only in results"},
    {"@.a == -@.b", 9, "expected a digit"},
    {"@.a &&", 7, "found the end"},
    {"@.a || || @.b", 8, "found |"},
    {"(@.a", 5, "expected &&, || or )"},
    {"@.a)", 4, "found )"},
    {"()", 2, "found )"},
    {"(@.a) == 1", 7, "found ="},
    {"!", 2, "( or a path after !"},
    {"!1", 2, "( or a path after !"},
    {"!!@.a", 2, "( or a path after !"},
    {"!@.a == 1", 6, "write !(... == ...)"},
    {"@.a == +1", 8, "found +"},
    {"@.a == - 1", 9, "expected a digit, found "},
    {"@.a == --1", 9, "expected a digit, found -"},
    {"@.a == .1", 8, "found ."},
    {"@.a == -.1", 9, "expected a digit"},
    {"@.a == 00", 8, "no 0 before other digits"},
    {"@.a == 01", 8, "no 0 before other digits"},
    {"@.a == 1.", 10, "a digit after the point"},
    {"@.a == 1.e1", 10, "a digit after the point"},
    {"@.a == 1e", 10, "a digit of the exponent"},
    {"@.a == 1e-", 11, "a digit of the exponent"},
    {"@.a == 1eE1", 10, "a digit of the exponent"},
    {"@.a == 1e+-1", 11, "a digit of the exponent"},
    {"@.a == 1e2.3", 11, "found ."},
    {"@.a == 1e2e3", 11, "found e3"},
    {"@.a == 'x", 8, "without its closing '"},
    {"@.a @.b", 5, "found @"},
};

START_TEST(mistakes_in_conditions_are_found)
{
    for (size_t i = 0; i < COUNT(wrong_conditions); i++) {
        const struct mistake *m = &wrong_conditions[i];
        begin(PROGRAM_DOUBLE);
        check(m, parser_where(&program, m->text, &error));
    }
}
END_TEST

static const char *const results[] = {
    "count()",
    "count( )",
    "count(@.a)",
    "sum(@)",
    "sum(@.a)",
    " sum ( @.a ) ",
    "sum(a)",
    "sum(price.amount * quantity)",
    "sum(-a)",
    "sum(--a)",
    "sum(- -1)",
    "sum(a-1)",
    "sum(a - -1)",
    "sum((a+b)*(c-d))",
    "min(a)",
    "max(@['b c'])",
    "sum(9223372036854775807)",
    "sum(-9223372036854775808)",
    "sum(sum)",
    "max(min.count)",
};

static const char *const double_results[] = {"mean(@.a)",
                                             "sum(a/2)",
                                             "sum(a*1.5)",
                                             "sum(1e3*a)",
                                             "min(a/b/c)",
                                             "sum(-0*a)",
                                             "sum(9223372036854775808)"};

START_TEST(results_are_taken)
{
    for (size_t i = 0; i < COUNT(results); i++) {
        begin(i % 2 == 0 ? PROGRAM_INT64 : PROGRAM_DOUBLE);
        ck_assert_msg(parser_result(&program, "r", results[i], &error),
                      "%s: column %zu: %s", results[i], error.column,
                      error.message);
        program_free(&program);
    }
    for (size_t i = 0; i < COUNT(double_results); i++) {
        begin(PROGRAM_DOUBLE);
        ck_assert_msg(parser_result(&program, "r", double_results[i], &error),
                      "%s: column %zu: %s", double_results[i], error.column,
                      error.message);
        program_free(&program);
    }
}
END_TEST

static const struct mistake wrong_results[] = {
    {"", 1, "expected sum(...), count(), min(...), max(...) or mean(...)"},
    {"@.a * 2", 1, "expected sum(...)"},
    {"42", 1, "expected sum(...)"},
    {"a", 1, "expected sum(...)"},
    {"som(a)", 1, "som(): no such function; did you mean sum?"},
    {"Count()", 1, "did you mean count?"},
    {"average(a)", 1, "average(): no such function"},
    {"length(a)", 1, "functions of RFC 9535 are not supported"},
    {"value(a)", 1, "functions of RFC 9535 are not supported"},
    {"sum()", 5, "expected @, a name, a number, - or (, found )"},
    {"sum(a", 6, "expected an operator or ), found the end"},
    {"sum(a))", 7, "the end: a result is one function"},
    {"sum(a) * 2", 8, "a result is one function"},
    {"sum(a) / count()", 8, "a result is one function"},
    {"sum(sum(a))", 5, "no function stands inside another"},
    {"sum(a b)", 7, "expected an operator or ), found b"},
    {"sum(a, b)", 6, "found ,"},
    {"sum(a == 1)", 7, "found ="},
    {"sum($.a)", 5, "$ stands only in array and copy"},
    {"sum('1')", 5, "a string is no number"},
    {"sum(true)", 5, "true is no name here: write @.true"},
    {"sum(a *)", 8, "found )"},
    {"sum(* a)", 5, "found *"},
    {"sum(+a)", 5, "found +"},
    {"sum((a)", 8, "expected an operator or )"},
    {"sum(a % 2)", 7, "found %"},
    {"sum(a / 2)", 7, "/ needs numbers = double"},
    {"mean(a)", 1, "mean needs numbers = double"},
    {"sum(a * 1.5)", 9, "an integer of 64 bits"},
    {"sum(a * 1e2)", 9, "an integer of 64 bits"},
    {"sum(9223372036854775808)", 5, "an integer of 64 bits"},
    {"sum(-9223372036854775809)", 5, "an integer of 64 bits"},
    {"sum(01)", 5, "no 0 before other digits"},
};

START_TEST(mistakes_in_results_are_found)
{
    for (size_t i = 0; i < COUNT(wrong_results); i++) {
        const struct mistake *m = &wrong_results[i];
        begin(PROGRAM_INT64);
        check(m, parser_result(&program, "r", m->text, &error));
    }
    begin(PROGRAM_DOUBLE);
    ck_assert(!parser_result(&program, "r", "sum(1e400)", &error));
    ck_assert_str_eq(error.message, "the constant is beyond all doubles");
    program_free(&program);
}
END_TEST

/* --- Lists and copies. --- */

/* The steps of a program, as /name and [*]. */
static const char *steps(void)
{
    static char text[256];
    text[0] = '\0';
    for (size_t i = 0; i < program.step_count; i++) {
        const struct program_step *s = &program.steps[i];
        strcat(text, s->each ? "[*]" : "/");
        if (!s->each)
            strcat(text, s->name.bytes);
    }
    return text;
}

static const struct {
    const char *text, *steps;
} arrays[] = {
    {"$", ""},
    {"$ ", ""},
    {"$.items", "/items"},
    {"$ .a ['b']", "/a/b"},
    {"$.order.lines", "/order/lines"},
    {"$['any name'].x", "/any name/x"},
    {"$.orders[*].lines", "/orders[*]/lines"},
    {"$[*].lines", "[*]/lines"},
    {"$[*][ * ].a", "[*][*]/a"},
    {"$.true", "/true"},
    {"items", "/items"},
    {"order.lines", "/order/lines"},
    /* Names as they are. */
    {"my-items", "/my-items"},
    {"a.b-c", "/a.b-c"},
    {"a.", "/a."},
    {"true", "/true"},
    {"a.null", "/a.null"},
    {"$ref", "/$ref"},
    {"items[*]", "/items[*]"},
    {"1.2", "/1.2"},
    {"@.a", "/@.a"},
};

START_TEST(a_list_is_named)
{
    for (size_t i = 0; i < COUNT(arrays); i++) {
        begin(PROGRAM_INT64);
        ck_assert_msg(path_array(&program, arrays[i].text, &error), "%s: %s",
                      arrays[i].text, error.message);
        ck_assert_str_eq(steps(), arrays[i].steps);
        program_free(&program);
    }
}
END_TEST

static const struct mistake wrong_arrays[] = {
    {"$.", 3, "a name after the point"},
    {"$.a[*]", 7, "leave out the [*] at its end"},
    {"$[*]", 5, "leave out the [*] at its end"},
    {"$.a b", 5, "expected a point, [ or the end, found b"},
    {"$..a", 2, ".. is not supported"},
    {"$.a[0]", 5, "indexes are not supported"},
    {"$.a[1:2].b", 5, "slices are not supported"},
    {"$.a[?@.b]", 5, "filters in a path"},
    {"$.a.*", 5, "wildcard"},
    {"$[*].a[*].b[*].c[*].d[*].e", 23, "more than 4 [*]"},
    {"$.a.b.c.d.e.f.g.h.i", 19, "more than 8 names"},
    {"a.b.c.d.e.f.g.h.i", 17, "more than 8 names"},
};

START_TEST(mistakes_in_lists_are_found)
{
    for (size_t i = 0; i < COUNT(wrong_arrays); i++) {
        begin(PROGRAM_INT64);
        check(&wrong_arrays[i],
              path_array(&program, wrong_arrays[i].text, &error));
    }
}
END_TEST

static const struct mistake wrong_copies[] = {
    {"", 1, "expected $ or a name"},
    {"@.id", 1, "a copy is of the document"},
    {"$", 2, "expected a point or ["},
    {"$.a[*].b", 5, "[*] stands only in array"},
    {"$.a[0]", 5, "indexes are not supported"},
    {"order-id", 6, "expected a point or the end, found -"},
    {"true", 1, "true is no name here: write $.true"},
    {"a['b']", 2, "begin the path with $"},
    {"1", 1, "found 1"},
};

START_TEST(copies_are_of_the_document)
{
    begin(PROGRAM_INT64);
    int first = path_copy(&program, "$.order.id", &error);
    ck_assert_int_ge(first, 0);
    ck_assert_int_eq(path_copy(&program, "order.id", &error), first);
    ck_assert_int_eq(path_copy(&program, " $['order']['id'] ", &error), first);
    ck_assert_uint_eq(program.slot_count, 1);
    ck_assert(program.slots[0].document);
    /* The same names from an item are another path. */
    ck_assert(parser_result(&program, "r", "sum(order.id)", &error));
    ck_assert_uint_eq(program.slot_count, 2);
    program_free(&program);
    for (size_t i = 0; i < COUNT(wrong_copies); i++) {
        begin(PROGRAM_INT64);
        check(&wrong_copies[i],
              path_copy(&program, wrong_copies[i].text, &error) >= 0);
    }
}
END_TEST

/* --- What follows from the texts. --- */

START_TEST(each_different_path_has_one_slot)
{
    begin(PROGRAM_INT64);
    ck_assert(parser_where(
        &program, "@.a == 'x' || @['a'] < 'y' || a == b || b", &error));
    ck_assert(parser_result(&program, "r", "sum(@.\xc3\xa9 * a)", &error));
    ck_assert(parser_result(&program, "s", "sum(@['\\u00e9'])", &error));
    ck_assert_uint_eq(program.slot_count, 3);
    ck_assert_uint_eq(program.slots[0].uses,
                      PROGRAM_MATCH | PROGRAM_KEEP | PROGRAM_NUMBER);
    ck_assert_uint_eq(program.slots[1].uses, PROGRAM_KEEP);
    ck_assert_uint_eq(program.slots[2].uses, PROGRAM_NUMBER);
    ck_assert_uint_eq(program.match_count, 2);
    program_free(&program);
}
END_TEST

START_TEST(one_comparison_has_one_match)
{
    begin(PROGRAM_INT64);
    ck_assert(
        parser_where(&program, "a == 'x' || 'x' != a || b == 'x'", &error));
    ck_assert_uint_eq(program.match_count, 2);
    program_free(&program);
}
END_TEST

START_TEST(there_are_at_most_32_paths)
{
    char text[512] = "";
    for (int i = 0; i < 32; i++)
        sprintf(text + strlen(text), "%sm%d", i == 0 ? "" : "&&", i);
    begin(PROGRAM_INT64);
    ck_assert(parser_where(&program, text, &error));
    program_free(&program);
    strcat(text, " && one.more");
    begin(PROGRAM_INT64);
    ck_assert(!parser_where(&program, text, &error));
    ck_assert_str_eq(error.message, "more than 32 different paths");
    ck_assert_uint_eq(error.column, strlen(text) - 7);
    program_free(&program);
}
END_TEST

/* `open` and `close` `n` times each around `inner`. */
static bool nested(const char *open, const char *inner, const char *close,
                   int n)
{
    char text[1024] = "";
    for (int i = 0; i < n; i++)
        strcat(text, open);
    strcat(text, inner);
    for (int i = 0; i < n; i++)
        strcat(text, close);
    begin(PROGRAM_INT64);
    bool ok = parser_where(&program, text, &error);
    program_free(&program);
    return ok;
}

START_TEST(nesting_is_bounded)
{
    ck_assert(nested("(", "a", ")", 64));
    ck_assert(!nested("(", "a", ")", 65));
    ck_assert_str_eq(error.message, "nested deeper than 64 levels");
    ck_assert(nested("!(", "a", ")", 64));
    ck_assert(!nested("!(", "a", ")", 65));
    /* It is the depth that is refused, not what is missing within. */
    ck_assert(!nested("(", "", ")", 65));
    ck_assert_str_eq(error.message, "nested deeper than 64 levels");
}
END_TEST

START_TEST(a_text_is_bounded)
{
    char *text = malloc(5000);
    memset(text, ' ', 5000);
    memcpy(text, "@.a", 3);
    text[4096] = '\0';
    begin(PROGRAM_INT64);
    ck_assert(parser_where(&program, text, &error));
    program_free(&program);
    text[4096] = ' ';
    text[4097] = '\0';
    begin(PROGRAM_INT64);
    ck_assert(!parser_where(&program, text, &error));
    ck_assert_str_eq(error.message, "longer than 4096 bytes");
    program_free(&program);
    free(text);
}
END_TEST

/* --- Any bytes. --- */

/* Pieces that make texts which are nearly right. */
static const char *const pieces[] = {
    "@",   ".",      "a",    "b",   "[",   "'",  "\"",       "]",
    "(",   ")",      "!",    "==",  "!=",  "<=", "<",        "&&",
    "||",  " ",      "1",    "-",   "0.5", "e",  "*",        "/",
    "sum", "$",      "true", "\\",  "\\u", "d8", "\xff",     "+",
    ",",   "count(", "min(", "[*]", "..",  "?",  "\xc3\xa9", "null"};

START_TEST(no_text_is_too_wrong)
{
    unsigned seed = 1;
    unsigned taken = 0;
    for (int round = 0; round < 200000; round++) {
        char text[128] = "";
        int count = rand_r(&seed) % 14;
        for (int i = 0; i < count; i++)
            strcat(text, pieces[(size_t)rand_r(&seed) % COUNT(pieces)]);
        for (int which = 0; which < 4; which++) {
            begin(round % 2 == 0 ? PROGRAM_INT64 : PROGRAM_DOUBLE);
            bool ok = which == 0   ? parser_where(&program, text, &error)
                      : which == 1 ? parser_result(&program, "r", text, &error)
                      : which == 2 ? path_array(&program, text, &error)
                                   : path_copy(&program, text, &error) >= 0;
            taken += ok && which < 2;
            EXPECT(ok == (error.message[0] == '\0'));
            EXPECT(ok ||
                   (error.column >= 1 && error.column <= strlen(text) + 1));
            program_free(&program);
        }
    }
    ck_assert_uint_gt(taken, 100);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {conditions_are_taken,
                                  mistakes_in_conditions_are_found,
                                  results_are_taken,
                                  mistakes_in_results_are_found,
                                  a_list_is_named,
                                  mistakes_in_lists_are_found,
                                  copies_are_of_the_document,
                                  each_different_path_has_one_slot,
                                  one_comparison_has_one_match,
                                  there_are_at_most_32_paths,
                                  nesting_is_bounded,
                                  a_text_is_bounded,
                                  no_text_is_too_wrong};
    return UNIT_MAIN("parser", tests);
}
