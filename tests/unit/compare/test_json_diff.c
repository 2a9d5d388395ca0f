/* json_diff: what two documents differ in, and where. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/json_diff.h"
#include "unit.h"

static const char *const kind_names[] = {
    "not",  "form",   "rounded", "number", "text",
    "type", "length", "missing", "extra",  "no memory"};

static_assert(sizeof kind_names / sizeof kind_names[0] ==
                  JSON_DIFF_NO_MEMORY + 1,
              "every kind has a name");

static void expect(const char *a, const char *b, enum json_diff kind,
                   const char *pointer)
{
    struct json_tree x, y;
    struct difference d;
    ck_assert_int_eq(json_tree_read(&x, a, strlen(a)), JSON_TREE_READ);
    ck_assert_int_eq(json_tree_read(&y, b, strlen(b)), JSON_TREE_READ);
    bool same = json_diff(x.root, y.root, &d);
    ck_assert_msg(d.kind == kind && strcmp(d.pointer, pointer) == 0,
                  "%s and %s: %s at \"%s\"", a, b, kind_names[d.kind],
                  d.pointer);
    ck_assert(same == (kind == JSON_DIFF_NOT));
    json_tree_free(&x);
    json_tree_free(&y);
}

START_TEST(numbers_are_compared_by_value_and_form)
{
    static const struct {
        const char *a, *b;
        enum json_diff kind;
    } rows[] = {
        {"0", "0", JSON_DIFF_NOT},
        {"0", "-0", JSON_DIFF_FORM},
        {"0", "0.000", JSON_DIFF_FORM},
        {"0", "0e400", JSON_DIFF_FORM},
        {"0", "-0.0e-7", JSON_DIFF_FORM},
        {"1", "1.0", JSON_DIFF_FORM},
        {"1", "10e-1", JSON_DIFF_FORM},
        {"1", "0.1E+1", JSON_DIFF_FORM},
        {"1", "0.001e3", JSON_DIFF_FORM},
        {"100", "1e2", JSON_DIFF_FORM},
        {"1005", "100.5e1", JSON_DIFF_FORM},
        {"1050", "10.50e2", JSON_DIFF_FORM},
        {"-100.50", "-1.005e2", JSON_DIFF_FORM},
        {"123456789012345678901234567890", "12345678901234567890123456789e1",
         JSON_DIFF_FORM},
        {"1e400", "10e399", JSON_DIFF_FORM},
        {"1", "-1", JSON_DIFF_NUMBER},
        {"1", "2", JSON_DIFF_NUMBER},
        {"1", "10", JSON_DIFF_NUMBER},
        {"1", "0.1", JSON_DIFF_NUMBER},
        {"0", "5e-324", JSON_DIFF_NUMBER},
        {"0", "1e-400", JSON_DIFF_ROUNDED},
        {"9007199254740992", "9007199254740993", JSON_DIFF_ROUNDED},
        {"9007199254740993", "9007199254740994", JSON_DIFF_NUMBER},
        {"0.1", "0.1000000000000000055511151231257827", JSON_DIFF_ROUNDED},
        {"1e400", "1e401", JSON_DIFF_ROUNDED},
        {"123456789012345678901234567890", "123456789012345678901234567891",
         JSON_DIFF_ROUNDED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(json_diff_numbers(rows[i].a, rows[i].b) == rows[i].kind,
                      "%s and %s", rows[i].a, rows[i].b);
        ck_assert(json_diff_numbers(rows[i].b, rows[i].a) == rows[i].kind);
        expect(rows[i].a, rows[i].b, rows[i].kind, "");
    }
}
END_TEST

START_TEST(equal_documents_are_equal)
{
    expect("null", "null", JSON_DIFF_NOT, "");
    expect("[]", " [ ] ", JSON_DIFF_NOT, "");
    expect("{\"a\":1,\"b\":[2,{\"c\":null}]}",
           "{ \"b\" : [2, {\"c\":null}], \"a\":1 }", JSON_DIFF_NOT, "");
    expect("\"A\\u00e9\"", "\"\\u0041\xc3\xa9\"", JSON_DIFF_NOT, "");
    expect("{\"\\u0061\":1}", "{\"a\":1}", JSON_DIFF_NOT, "");
}
END_TEST

START_TEST(of_doubled_members_the_last_counts)
{
    expect("{\"a\":1,\"a\":2}", "{\"a\":2}", JSON_DIFF_NOT, "");
    expect("{\"a\":2,\"b\":0,\"a\":1}", "{\"a\":2,\"b\":0}", JSON_DIFF_NUMBER,
           "/a");
    expect("{\"a\":3,\"a\":1,\"a\":2,\"b\":7}", "{\"b\":7,\"a\":1,\"a\":2}",
           JSON_DIFF_NOT, "");
}
END_TEST

START_TEST(the_first_difference_has_a_place)
{
    expect("{\"a\":{\"b\":[1,2,3]}}", "{\"a\":{\"b\":[1,5,4]}}",
           JSON_DIFF_NUMBER, "/a/b/1");
    expect("{\"a/b\":{\"m~n\":1}}", "{\"a/b\":{\"m~n\":\"1\"}}", JSON_DIFF_TYPE,
           "/a~1b/m~0n");
    expect("[1,2]", "[1,2,3]", JSON_DIFF_LENGTH, "");
    expect("[[1],[1,2]]", "[[1],[1]]", JSON_DIFF_LENGTH, "/1");
    expect("{\"a\":1}", "{\"a\":1,\"b\":2}", JSON_DIFF_MISSING, "/b");
    expect("{\"a\":1,\"b\":2}", "{\"a\":1}", JSON_DIFF_EXTRA, "/b");
    expect("{}", "{\"a\":1}", JSON_DIFF_MISSING, "/a");
    expect("{\"ab\":1}", "{\"a\":1}", JSON_DIFF_MISSING, "/a");
    expect("true", "false", JSON_DIFF_TYPE, "");
    expect("null", "0", JSON_DIFF_TYPE, "");
    expect("{\"a\":\"x\"}", "{\"a\":\"y\"}", JSON_DIFF_TEXT, "/a");
    expect("\"a\\u0000b\"", "\"a\\u0000c\"", JSON_DIFF_TEXT, "");
    expect("\"a\"", "\"a\\u0000\"", JSON_DIFF_TEXT, "");
}
END_TEST

START_TEST(a_long_pointer_is_cut)
{
    char a[600], b[600];
    struct json_tree x, y;
    struct difference d;
    char name[301];
    memset(name, 'n', 300);
    name[300] = '\0';
    snprintf(a, sizeof a, "{\"%s\":{\"a\":1}}", name);
    snprintf(b, sizeof b, "{\"%s\":{\"a\":2}}", name);
    ck_assert_int_eq(json_tree_read(&x, a, strlen(a)), JSON_TREE_READ);
    ck_assert_int_eq(json_tree_read(&y, b, strlen(b)), JSON_TREE_READ);
    ck_assert(!json_diff(x.root, y.root, &d));
    ck_assert_int_eq(d.kind, JSON_DIFF_NUMBER);
    ck_assert_uint_eq(strlen(d.pointer), JSON_DIFF_POINTER_MAX - 1);
    json_tree_free(&x);
    json_tree_free(&y);
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
    expect(a, b, JSON_DIFF_NOT, "");
    memset(a, '[', JSON_TREE_DEPTH_MAX);
    memset(a + JSON_TREE_DEPTH_MAX, ']', JSON_TREE_DEPTH_MAX);
    a[2 * JSON_TREE_DEPTH_MAX] = '\0';
    expect(a, a, JSON_DIFF_NOT, "");
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
    return UNIT_MAIN("json_diff", tests);
}
