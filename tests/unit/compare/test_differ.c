/* differ: what two documents differ in, and where. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/differ.h"
#include "unit.h"

static const char *const kind_names[] = {
    "not",  "form",   "rounded", "number", "text",
    "type", "length", "missing", "extra",  "no memory"};

static void expect(const char *a, const char *b, enum differ kind,
                   const char *pointer)
{
    struct tree x, y;
    struct difference d;
    ck_assert_int_eq(tree_read(&x, a, strlen(a)), TREE_READ);
    ck_assert_int_eq(tree_read(&y, b, strlen(b)), TREE_READ);
    bool same = differ(x.root, y.root, &d);
    ck_assert_msg(d.kind == kind && strcmp(d.pointer, pointer) == 0,
                  "%s and %s: %s at \"%s\"", a, b, kind_names[d.kind],
                  d.pointer);
    ck_assert(same == (kind == DIFFER_NOT));
    tree_free(&x);
    tree_free(&y);
}

START_TEST(numbers_are_compared_by_value_and_form)
{
    static const struct {
        const char *a, *b;
        enum differ kind;
    } rows[] = {
        {"0", "0", DIFFER_NOT},
        {"0", "-0", DIFFER_FORM},
        {"0", "0.000", DIFFER_FORM},
        {"0", "0e400", DIFFER_FORM},
        {"0", "-0.0e-7", DIFFER_FORM},
        {"1", "1.0", DIFFER_FORM},
        {"1", "10e-1", DIFFER_FORM},
        {"1", "0.1E+1", DIFFER_FORM},
        {"1", "0.001e3", DIFFER_FORM},
        {"100", "1e2", DIFFER_FORM},
        {"1005", "100.5e1", DIFFER_FORM},
        {"1050", "10.50e2", DIFFER_FORM},
        {"-100.50", "-1.005e2", DIFFER_FORM},
        {"123456789012345678901234567890", "12345678901234567890123456789e1",
         DIFFER_FORM},
        {"1e400", "10e399", DIFFER_FORM},
        {"1", "-1", DIFFER_NUMBER},
        {"1", "2", DIFFER_NUMBER},
        {"1", "10", DIFFER_NUMBER},
        {"1", "0.1", DIFFER_NUMBER},
        {"0", "5e-324", DIFFER_NUMBER},
        {"0", "1e-400", DIFFER_ROUNDED},
        {"9007199254740992", "9007199254740993", DIFFER_ROUNDED},
        {"9007199254740993", "9007199254740994", DIFFER_NUMBER},
        {"0.1", "0.1000000000000000055511151231257827", DIFFER_ROUNDED},
        {"1e400", "1e401", DIFFER_ROUNDED},
        {"123456789012345678901234567890", "123456789012345678901234567891",
         DIFFER_ROUNDED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(differ_numbers(rows[i].a, rows[i].b) == rows[i].kind,
                      "%s and %s", rows[i].a, rows[i].b);
        ck_assert(differ_numbers(rows[i].b, rows[i].a) == rows[i].kind);
        expect(rows[i].a, rows[i].b, rows[i].kind, "");
    }
}
END_TEST

START_TEST(equal_documents_are_equal)
{
    expect("null", "null", DIFFER_NOT, "");
    expect("[]", " [ ] ", DIFFER_NOT, "");
    expect("{\"a\":1,\"b\":[2,{\"c\":null}]}",
           "{ \"b\" : [2, {\"c\":null}], \"a\":1 }", DIFFER_NOT, "");
    expect("\"A\\u00e9\"", "\"\\u0041\xc3\xa9\"", DIFFER_NOT, "");
    expect("{\"\\u0061\":1}", "{\"a\":1}", DIFFER_NOT, "");
}
END_TEST

START_TEST(of_doubled_members_the_last_counts)
{
    expect("{\"a\":1,\"a\":2}", "{\"a\":2}", DIFFER_NOT, "");
    expect("{\"a\":2,\"b\":0,\"a\":1}", "{\"a\":2,\"b\":0}", DIFFER_NUMBER,
           "/a");
    expect("{\"a\":3,\"a\":1,\"a\":2,\"b\":7}", "{\"b\":7,\"a\":1,\"a\":2}",
           DIFFER_NOT, "");
}
END_TEST

START_TEST(the_first_difference_has_a_place)
{
    expect("{\"a\":{\"b\":[1,2,3]}}", "{\"a\":{\"b\":[1,5,4]}}", DIFFER_NUMBER,
           "/a/b/1");
    expect("{\"a/b\":{\"m~n\":1}}", "{\"a/b\":{\"m~n\":\"1\"}}", DIFFER_TYPE,
           "/a~1b/m~0n");
    expect("[1,2]", "[1,2,3]", DIFFER_LENGTH, "");
    expect("[[1],[1,2]]", "[[1],[1]]", DIFFER_LENGTH, "/1");
    expect("{\"a\":1}", "{\"a\":1,\"b\":2}", DIFFER_MISSING, "/b");
    expect("{\"a\":1,\"b\":2}", "{\"a\":1}", DIFFER_EXTRA, "/b");
    expect("{}", "{\"a\":1}", DIFFER_MISSING, "/a");
    expect("{\"ab\":1}", "{\"a\":1}", DIFFER_MISSING, "/a");
    expect("true", "false", DIFFER_TYPE, "");
    expect("null", "0", DIFFER_TYPE, "");
    expect("{\"a\":\"x\"}", "{\"a\":\"y\"}", DIFFER_TEXT, "/a");
    expect("\"a\\u0000b\"", "\"a\\u0000c\"", DIFFER_TEXT, "");
    expect("\"a\"", "\"a\\u0000\"", DIFFER_TEXT, "");
}
END_TEST

START_TEST(a_long_pointer_is_cut)
{
    char a[600], b[600];
    struct tree x, y;
    struct difference d;
    char name[301];
    memset(name, 'n', 300);
    name[300] = '\0';
    snprintf(a, sizeof a, "{\"%s\":{\"a\":1}}", name);
    snprintf(b, sizeof b, "{\"%s\":{\"a\":2}}", name);
    ck_assert_int_eq(tree_read(&x, a, strlen(a)), TREE_READ);
    ck_assert_int_eq(tree_read(&y, b, strlen(b)), TREE_READ);
    ck_assert(!differ(x.root, y.root, &d));
    ck_assert_int_eq(d.kind, DIFFER_NUMBER);
    ck_assert_uint_eq(strlen(d.pointer), DIFFER_POINTER_MAX - 1);
    tree_free(&x);
    tree_free(&y);
}
END_TEST

/* A hundred thousand members: a comparison of each with each would take ages,
 * and the depth is the largest a tree has. */
START_TEST(large_documents_are_no_trouble)
{
    enum { MEMBERS = 100000 };
    size_t room = (size_t)MEMBERS * 24;
    char *a = malloc(room), *b = malloc(room);
    size_t n = 0, m = 0;
    for (int i = 0; i < MEMBERS; i++) {
        n += (size_t)snprintf(a + n, room - n, "%s\"k%d\":1",
                              i == 0 ? "{" : ",", i);
        m += (size_t)snprintf(b + m, room - m, "%s\"k%d\":1",
                              i == 0 ? "{" : ",", MEMBERS - 1 - i);
    }
    snprintf(a + n, room - n, "}");
    snprintf(b + m, room - m, "}");
    expect(a, b, DIFFER_NOT, "");
    memset(a, '[', TREE_DEPTH_MAX);
    memset(a + TREE_DEPTH_MAX, ']', TREE_DEPTH_MAX);
    a[2 * TREE_DEPTH_MAX] = '\0';
    expect(a, a, DIFFER_NOT, "");
    free(a);
    free(b);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        numbers_are_compared_by_value_and_form,
        equal_documents_are_equal,
        of_doubled_members_the_last_counts,
        the_first_difference_has_a_place,
        a_long_pointer_is_cut,
        large_documents_are_no_trouble,
    };
    return UNIT_MAIN("differ", tests);
}
