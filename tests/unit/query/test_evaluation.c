/* evaluation: what programs come to, in each decoder. */
#include <stdlib.h>

#include "queries.h"

struct row {
    struct query_case query;
    const char *body, *answer;
};

/* Every row, with its body cut in two at every place. */
static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct program p;
        const char *body = rows[i].body;
        size_t n = strlen(body);
        queries_compile(&p, &rows[i].query);
        for (size_t cut = 0; cut <= n; cut++) {
            const char *answer = queries_answer(&p, body, n, cut);
            ck_assert_msg(strcmp(answer, rows[i].answer) == 0,
                          "%s | %s of %s gives\n%s and not\n%s",
                          rows[i].query.where, rows[i].query.members, body,
                          answer, rows[i].answer);
        }
        program_free(&p);
    }
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

/* Members of a case: array, where, results and copies, modes. */
static const struct row shapes[] = {
    {{"items", "", "", ""},
     "{\"items\":[{\"value\":3},{\"value\":4}]}",
     "{\"sum\":14}"},
    {{"$", "", "s = sum(a)", ""}, "[{\"a\":1},{\"a\":2}]", "{\"s\":3}"},
    {{"$", "", "s = sum(@)", ""}, "[1,2,3]", "{\"s\":6}"},
    {{"$", "", "s = sum(@)", ""}, " [ ] ", "{\"s\":0}"},
    {{"$.lines.data", "", "t = sum(amount)", ""},
     "{\"lines\":{\"data\":[{\"amount\":5}]}}",
     "{\"t\":5}"},
    {{"hits.hits", "", "t = sum(_source.amount)", ""},
     "{\"hits\":{\"hits\":[{\"_source\":{\"amount\":5}}]}}",
     "{\"t\":5}"},
    {{"$.orders[*].lines", "", "t = sum(n); c = count()", ""},
     "{\"orders\":[{\"lines\":[{\"n\":1},{\"n\":2}]},{\"lines\":[]},"
     "{\"lines\":[{\"n\":4}]}]}",
     "{\"t\":7,\"c\":3}"},
    {{"$[*][*].a", "", "t = sum(@)", ""},
     "[[{\"a\":[1,2]}],[],[{\"a\":[4]}]]",
     "{\"t\":7}"},
    {{"$.a[*].b[*].c[*].d[*].e", "", "t = sum(@)", ""},
     "{\"a\":[{\"b\":[{\"c\":[{\"d\":[{\"e\":[1,2]}]}]}]}]}",
     "{\"t\":3}"},
    {{"$", "", "s = sum(@['a b'])", ""}, "[{\"a b\":7}]", "{\"s\":7}"},
    {{"$", "", "s = sum(@['\\u0000'])", ""},
     "[{\"\\u0000\":7,\"\\u0001\":8}]",
     "{\"s\":7}"},
    {{"$", "", "s = sum(a)", ""}, "[{\"\\u0061\":7}]", "{\"s\":7}"},
};

START_TEST(paths_are_followed)
{
    CHECK(shapes);
}
END_TEST

static const struct row faults[] = {
    {{"items", "", "s = sum(a)", ""},
     "[]",
     "wrong_shape /items: the member is missing"},
    {{"$.a.b", "", "s = sum(a)", ""},
     "{\"a\":5}",
     "wrong_shape /a/b: the member is missing"},
    {{"items", "", "s = sum(a)", ""},
     "{\"items\":{}}",
     "wrong_shape /items: not an array"},
    {{"items", "", "s = sum(a)", "null:skip missing:skip"},
     "{\"items\":null}",
     "wrong_shape /items: not an array"},
    {{"items", "", "s = sum(a)", "missing:skip"},
     "{}",
     "wrong_shape /items: the member is missing"},
    {{"$", "", "s = sum(a)", ""}, "{}", "wrong_shape not an array"},
    {{"$.o[*].l", "", "s = sum(a.b)", ""},
     "{\"o\":[{\"l\":[]},{\"l\":[{\"a\":{\"b\":1}},{\"a\":{}}]}]}",
     "wrong_shape /o/1/l/1/a/b: the member is missing"},
    {{"$.o[*].l", "", "s = sum(a)", ""},
     "{\"o\":[{\"l\":[]},{}]}",
     "wrong_shape /o/1/l: the member is missing"},
    {{"$.o[*].l", "", "s = sum(a)", ""},
     "{\"o\":[{\"l\":null}]}",
     "wrong_shape /o/0/l: not an array"},
    {{"$.o[*].l", "", "s = sum(a)", ""},
     "{\"o\":5}",
     "wrong_shape /o: not an array"},
    {{"$.o[*].l", "", "s = sum(a)", "missing:zero"},
     "{\"o\":[{},5,{\"l\":[]}]}",
     "{\"s\":0}"},
    {{"$.o[*].l", "", "s = sum(a)", "null:zero"},
     "{\"o\":[{\"l\":null}]}",
     "{\"s\":0}"},
    {{"$.o[*].l", "", "s = sum(a)", "null:skip"},
     "{\"o\":[{}]}",
     "wrong_shape /o/0/l: the member is missing"},
    {{"$.o[*].l", "", "s = sum(a)", "missing:skip null:skip"},
     "{\"o\":[{\"l\":5}]}",
     "wrong_shape /o/0/l: not an array"},
    {{"$", "", "s = sum(a)", ""},
     "[{\"a\":1},{\"a\":true}]",
     "wrong_shape /1/a: not an integer that fits 64 bits"},
    {{"$", "", "s = sum(a)", "double"},
     "[{\"a\":[]}]",
     "wrong_shape /0/a: not a number"},
    {{"$", "", "s = sum(@['x/y~z'])", ""},
     "[{}]",
     "wrong_shape /0/x~1y~0z: the member is missing"},
    {{"$", "", "s = sum(@)", ""},
     "[1,{}]",
     "wrong_shape /1: not an integer that fits 64 bits"},
    {{"$", "", "s = sum(b) ; t = sum(a)", ""},
     "[{\"a\":{},\"b\":{}}]",
     "wrong_shape /0/b: not an integer that fits 64 bits"},
    {{"$", "", "s = sum(a)", ""},
     "[{\"a\":1.0}]",
     "wrong_shape /0/a: not an integer that fits 64 bits"},
    {{"$", "", "s = sum(a)", ""},
     "[{\"a\":9223372036854775808}]",
     "wrong_shape /0/a: not an integer that fits 64 bits"},
};

START_TEST(what_is_wrong_is_told_with_its_place)
{
    CHECK(faults);
    struct program p;
    queries_compile(&p, &faults[0].query);
    const char *answer = queries_answer(&p, "[{\"a\":true},]", 13, 5);
    ck_assert_msg(strncmp(answer, "malformed_json", 14) == 0, "%s", answer);
    program_free(&p);
}
END_TEST

static const struct row modes[] = {
    {{"$", "", "s = sum(a); c = count()", "missing:zero"},
     "[{},{\"a\":1},5]",
     "{\"s\":1,\"c\":3}"},
    {{"$", "", "s = sum(a); c = count()", "missing:skip"},
     "[{},{\"a\":1},5]",
     "{\"s\":1,\"c\":1}"},
    {{"$", "", "s = sum(a); c = count()", "null:zero"},
     "[{\"a\":null},{\"a\":1}]",
     "{\"s\":1,\"c\":2}"},
    {{"$", "", "s = sum(a); c = count()", "null:skip"},
     "[{\"a\":null},{\"a\":1}]",
     "{\"s\":1,\"c\":1}"},
    {{"$", "", "s = sum(a)", "null:skip"},
     "[{}]",
     "wrong_shape /0/a: the member is missing"},
    {{"$", "", "s = sum(a)", "missing:skip"},
     "[{\"a\":null}]",
     "wrong_shape /0/a: not an integer that fits 64 bits"},
    /* One member that is skipped drops the whole item. */
    {{"$", "", "s = sum(a); t = sum(b)", "missing:skip"},
     "[{\"a\":1},{\"a\":2,\"b\":true},{\"b\":true}]",
     "wrong_shape /1/b: not an integer that fits 64 bits"},
    {{"$", "", "s = sum(a); t = sum(b)", "missing:skip"},
     "[{\"a\":1},{\"b\":true},{\"a\":4,\"b\":8}]",
     "{\"s\":4,\"t\":8}"},
    /* Only arithmetic reads: count() and conditions do not. */
    {{"$", "", "c = count()", ""}, "[{},null,1]", "{\"c\":3}"},
    {{"$", "@.a > 1", "c = count()", ""},
     "[{},null,{\"a\":\"x\"},{\"a\":2}]",
     "{\"c\":1}"},
    {{"$", "", "c = count(a)", ""},
     "[{}]",
     "wrong_shape /0/a: the member is missing"},
    /* What where drops is never looked at. */
    {{"$", "@.ok == true", "s = sum(a)", ""},
     "[{\"ok\":true,\"a\":1},{\"ok\":false},{\"a\":{}},{\"ok\":1,\"a\":7}]",
     "{\"s\":1}"},
    {{"$", "", "s = sum(a)", "number"},
     "[{\"a\":\"12\"},{\"a\":3}]",
     "{\"s\":15}"},
    {{"$", "", "s = sum(a)", "number"},
     "[{\"a\":\"\\u0031\\u0032\"}]",
     "{\"s\":12}"},
    {{"$", "", "s = sum(a)", "number"},
     "[{\"a\":\"199.00\"}]",
     "wrong_shape /0/a: not an integer that fits 64 bits"},
    {{"$", "", "s = sum(a)", "number double"},
     "[{\"a\":\"199.00\"}]",
     "{\"s\":199}"},
    {{"$", "", "s = sum(a)", "number double"},
     "[{\"a\":\" 1\"}]",
     "wrong_shape /0/a: not a number"},
    {{"$", "", "s = sum(a)", "number double"},
     "[{\"a\":\"\"}]",
     "wrong_shape /0/a: not a number"},
    {{"$", "", "s = sum(a)", "double"},
     "[{\"a\":\"1\"}]",
     "wrong_shape /0/a: not a number"},
    {{"$", "@.a == 12", "c = count()", "number"},
     "[{\"a\":\"12\"}]",
     "{\"c\":0}"},
};

START_TEST(modes_rule_what_arithmetic_reads)
{
    CHECK(modes);
}
END_TEST

static const struct row numbers[] = {
    {{"$", "", "s = sum(@)", ""},
     "[9223372036854775807]",
     "{\"s\":9223372036854775807}"},
    {{"$", "", "s = sum(@)", ""},
     "[9223372036854775807,1]",
     "out_of_range s does not fit a 64-bit integer"},
    {{"$", "", "s = sum(@)", ""},
     "[-9223372036854775808]",
     "{\"s\":-9223372036854775808}"},
    {{"$", "", "s = sum(-@)", ""},
     "[-9223372036854775808]",
     "out_of_range s does not fit a 64-bit integer"},
    {{"$", "", "s = sum(@)", ""},
     "[9223372036854775807,1,-1]",
     "{\"s\":9223372036854775807}"},
    {{"$", "", "s = sum(@ * @ - @ * @ + 1)", ""},
     "[9223372036854775807]",
     "{\"s\":1}"},
    {{"$", "", "s = sum(@ * @ * @)", ""},
     "[9223372036854775807]",
     "out_of_range s does not fit a 64-bit integer"},
    {{"$", "", "s = sum(@ * @ * 2)", ""},
     "[-9223372036854775808,0]",
     "out_of_range s does not fit a 64-bit integer"},
    {{"$", "", "c = count(); s = sum(@ * @ * @); t = sum(@)", ""},
     "[9223372036854775807]",
     "out_of_range s does not fit a 64-bit integer"},
    {{"$", "", "c = count(@ * @ * @)", ""},
     "[9223372036854775807]",
     "out_of_range c does not fit a 64-bit integer"},
    {{"$", "", "a = min(@); b = max(@)", ""}, "[3,-1,7]", "{\"a\":-1,\"b\":7}"},
    {{"$", "", "a = min(@); b = max(@)", ""}, "[]", "{\"a\":null,\"b\":null}"},
    {{"$", "", "a = max(-@)", ""},
     "[-9223372036854775808,1]",
     "out_of_range a does not fit a 64-bit integer"},
    {{"$", "", "s = sum(a * b + 2 * (a - b) - -3)", ""},
     "[{\"a\":5,\"b\":7}]",
     "{\"s\":34}"},
    {{"$", "", "s = sum(2 - 3 - 4)", ""}, "[null]", "{\"s\":-5}"},
    {{"$", "", "s = sum(@)", ""}, "[-0]", "{\"s\":0}"},
    /* Doubles, as JavaScript has them. */
    {{"$", "", "s = sum(@)", "double"},
     "[0.1,0.2,0.3]",
     "{\"s\":0.6000000000000001}"},
    {{"$", "", "s = sum(@ / 3)", "double"},
     "[1,1]",
     "{\"s\":0.6666666666666666}"},
    {{"$", "", "s = sum(6 / 2 / 3)", "double"}, "[1]", "{\"s\":1}"},
    {{"$", "", "s = sum(@)", "double"},
     "[9007199254740993]",
     "{\"s\":9007199254740992}"},
    {{"$", "", "m = mean(@)", "double"},
     "[1,2,4]",
     "{\"m\":2.3333333333333335}"},
    {{"$", "", "m = mean(@)", "double"}, "[]", "{\"m\":null}"},
    {{"$", "", "s = sum(@ / @)", "double"},
     "[0]",
     "out_of_range s does not fit a finite double"},
    {{"$", "", "s = sum(1 / @)", "double"},
     "[0]",
     "out_of_range s does not fit a finite double"},
    {{"$", "", "s = sum(@)", "double"},
     "[1e308,1e308]",
     "out_of_range s does not fit a finite double"},
    {{"$", "", "s = sum(@ - @)", "double"},
     "[1e400]",
     "out_of_range s does not fit a finite double"},
    {{"$", "", "s = sum(@)", "double"},
     "[1e308,1e308,-1e308,-1e308]",
     "out_of_range s does not fit a finite double"},
    {{"$", "", "a = min(@); b = max(-@)", "double"},
     "[1e400,3]",
     "{\"a\":3,\"b\":-3}"},
    {{"$", "", "a = min(1 / @)", "double"}, "[0,2]", "{\"a\":0.5}"},
    {{"$", "", "a = min(@ - @)", "double"},
     "[1,1e400]",
     "out_of_range a does not fit a finite double"},
    /* Math.min(0, -0) is -0, of which 1 / x tells. */
    {{"$", "", "a = min(@); b = max(@); s = sum(@)", "double"},
     "[0,-0]",
     "{\"a\":0,\"b\":0,\"s\":0}"},
};

START_TEST(arithmetic_is_exact_or_that_of_javascript)
{
    CHECK(numbers);
}
END_TEST

static const struct row conditions[] = {
    {{"$", "@ == 'A'", "c = count()", ""},
     "[\"A\",\"\\u0041\",\"a\",65]",
     "{\"c\":2}"},
    {{"$", "@ < 'b'", "c = count()", ""},
     "[\"a\",\"b\",\"\",\"\\u0062a\",1]",
     "{\"c\":2}"},
    {{"$", "@ > '\\uffff'", "c = count()", ""},
     "[\"\\ud83d\\ude00\",\"\\uffff\",\"a\"]",
     "{\"c\":1}"},
    {{"$", "@.a == @.b", "c = count()", ""},
     "[{\"a\":\"x\",\"b\":\"\\u0078\"},{\"a\":1,\"b\":1.0},{},{\"a\":null},"
     "{\"a\":null,\"b\":null},{\"a\":1,\"b\":\"1\"},{\"a\":[1],\"b\":[ 1 ]}]",
     "{\"c\":5}"},
    {{"$", "@.a < @.b", "c = count()", ""},
     "[{\"a\":1,\"b\":2},{\"a\":\"a\",\"b\":\"b\"},{\"a\":1,\"b\":\"2\"},{},"
     "{\"a\":null,\"b\":null},{\"a\":[1],\"b\":[2]}]",
     "{\"c\":2}"},
    {{"$", "@.a <= @.b", "c = count()", ""},
     "[{\"a\":null,\"b\":null},{\"a\":[1],\"b\":[1]},{}]",
     "{\"c\":3}"},
    {{"$", "@ == 9007199254740993", "c = count()", ""},
     "[9007199254740993,9007199254740992,9007199254740992.0]",
     "{\"c\":2}"},
    {{"$", "@ >= 0.5", "c = count()", ""}, "[0.5,1,0,\"1\",0.49]", "{\"c\":2}"},
    {{"$", "@ == null", "c = count()", ""},
     "[null,0,false,\"\",[]]",
     "{\"c\":1}"},
    {{"$", "@.a", "c = count()", ""},
     "[{\"a\":null},{\"a\":false},{},[],1]",
     "{\"c\":2}"},
    {{"$", "!@.a || @.a == 1 && @.b == 2", "c = count()", ""},
     "[{},{\"a\":1},{\"a\":1,\"b\":2},{\"b\":2}]",
     "{\"c\":3}"},
    {{"$", "1 == 1", "c = count()", ""}, "[1]", "{\"c\":1}"},
    {{"$", "'a' > 'b' || 1 < 2", "c = count()", ""}, "[1]", "{\"c\":1}"},
    {{"$", "'a' < 'ab' && 'ab' > 'a' && 'ab' <= 'ab'", "c = count()", ""},
     "[1]",
     "{\"c\":1}"},
    {{"$", "'ab' < 'a' || 'a' == 'ab'", "c = count()", ""}, "[1]", "{\"c\":0}"},
    {{"$", "@ < @", "c = count()", ""}, "[1]", "{\"c\":0}"},
    {{"$", "10 > @.a", "c = count()", ""},
     "[{\"a\":9},{\"a\":10}]",
     "{\"c\":1}"},
    /* Of an item that is no object every member is absent. */
    {{"$", "@.a == @.b", "c = count()", ""}, "[1,[],\"x\"]", "{\"c\":3}"},
    {{"$", "@['0'] == 5", "c = count()", ""}, "[[5,6]]", "{\"c\":0}"},
};

START_TEST(conditions_compare_as_the_standard_says)
{
    CHECK(conditions);
}
END_TEST

static const struct row doubled[] = {
    {{"$.o.l", "", "s = sum(@)", ""},
     "{\"o\":{\"l\":[1,true],\"l\":[4]}}",
     "{\"s\":4}"},
    {{"$.o.l", "", "s = sum(@)", ""},
     "{\"o\":{\"l\":[1]},\"o\":{\"l\":[4]}}",
     "{\"s\":4}"},
    {{"$.o.l", "", "s = sum(@)", ""},
     "{\"o\":{\"l\":[1]},\"o\":{}}",
     "wrong_shape /o/l: the member is missing"},
    {{"$[*].l", "", "s = sum(@)", ""},
     "[{\"l\":[1]},{\"l\":[2],\"l\":[4]},{\"l\":5,\"l\":[8]}]",
     "{\"s\":13}"},
    {{"$", "", "s = sum(a.b)", ""}, "[{\"a\":{\"b\":1,\"b\":2}}]", "{\"s\":2}"},
    {{"$", "", "s = sum(a.b)", "missing:zero"},
     "[{\"a\":{\"b\":1},\"a\":{}}]",
     "{\"s\":0}"},
    {{"$", "@.a == 'x'", "c = count()", ""},
     "[{\"a\":\"x\",\"a\":\"y\"},{\"a\":1,\"\\u0061\":\"x\"}]",
     "{\"c\":1}"},
    {{"$.l", "", "copy id = o.id; c = count()", ""},
     "{\"o\":{\"id\":1,\"id\":2},\"l\":[]}",
     "{\"id\":2,\"c\":0}"},
};

START_TEST(the_last_of_several_members_counts)
{
    CHECK(doubled);
}
END_TEST

static const struct row copies[] = {
    {{"$.l", "", "copy id = $.id; c = count()", ""},
     "{\"id\":\"a\\u0041\\n\\\"\",\"l\":[1]}",
     "{\"id\":\"a\\u0041\\n\\\"\",\"c\":1}"},
    {{"$.l", "", "c = count(); copy id = $.id", ""},
     "{\"id\":-0.50e+1,\"l\":[1]}",
     "{\"id\":-0.50e+1,\"c\":1}"},
    {{"$.l", "", "copy a = a; copy b = b; copy d = d; c = count()", ""},
     "{\"l\":[],\"b\":false,\"a\":true,\"d\":null}",
     "{\"a\":true,\"b\":false,\"d\":null,\"c\":0}"},
    {{"$.l", "", "copy id = a.id; c = count()", ""},
     "{\"l\":[],\"a\":{}}",
     "wrong_shape /a/id: the member is missing"},
    {{"$.l", "", "copy id = a.id; c = count()", "missing:zero"},
     "{\"l\":[],\"a\":5}",
     "{\"c\":0}"},
    {{"$.l", "", "copy id = a; c = count()", "null:skip"},
     "{\"l\":[],\"a\":null}",
     "{\"id\":null,\"c\":0}"},
    {{"$.l", "", "copy id = a; c = count()", ""},
     "{\"l\":[],\"a\":[]}",
     "wrong_shape /a: a list or an object, and to be copied"},
    {{"$.l", "", "copy id = a; c = count()", ""},
     "{\"l\":[],\"a\":{}}",
     "wrong_shape /a: a list or an object, and to be copied"},
    /* The list comes first, and a result that does not fit last. */
    {{"$.l", "", "copy id = a; s = sum(@)", ""},
     "{\"l\":[true],\"a\":{}}",
     "wrong_shape /l/0: not an integer that fits 64 bits"},
    {{"$.l", "", "copy id = a; s = sum(@ * @)", ""},
     "{\"l\":[9223372036854775807],\"a\":{}}",
     "wrong_shape /a: a list or an object, and to be copied"},
};

START_TEST(copies_are_as_they_stand_in_the_body)
{
    CHECK(copies);
}
END_TEST

/* `part` 64 times, a path, and as many parentheses. */
static const char *nested(const char *part, char *text)
{
    text[0] = '\0';
    for (int i = 0; i < PROGRAM_NESTING_MAX; i++)
        strcat(text, part);
    strcat(text, "@.a");
    memset(text + strlen(text), ')', PROGRAM_NESTING_MAX + 1);
    text[strlen(part) * PROGRAM_NESTING_MAX + 3 + PROGRAM_NESTING_MAX] = '\0';
    return text;
}

START_TEST(the_deepest_nesting_is_evaluated)
{
    char where[1024], member[1024] = "s = sum(";
    nested("0+1*(", member + strlen(member));
    strcat(member, ")");
    const struct row row[] = {{{"$", nested("!@.a||@.a&&(", where), member, ""},
                               "[{\"a\":42},{}]",
                               "wrong_shape /1/a: the member is missing"},
                              {{"$", nested("@.b||@.a&&(", where), member, ""},
                               "[{\"a\":42},{}]",
                               "{\"s\":42}"}};
    check(row + 1, 1);
    nested("!@.a||@.a&&(", where);
    check(row, 1);
}
END_TEST

static const struct row lines[] = {
    {{NULL, "", "s = sum(a); c = count()", "lines"},
     "{\"a\":1}\n{\"a\":2}\n",
     "{\"s\":3,\"c\":2}"},
    {{NULL, "", "s = sum(a)", "lines"},
     "{\"a\":1}\r\n\n \t\r\n{\"a\":2}",
     "{\"s\":3}"},
    {{NULL, "", "s = sum(@)", "lines"}, "1\n 2 \n3", "{\"s\":6}"},
    {{NULL, "", "s = sum(@); m = max(@)", "lines"}, "", "{\"s\":0,\"m\":null}"},
    {{NULL, "", "s = sum(a)", "lines"},
     "{\"a\":1}\n\n{\"a\":true}\n",
     "wrong_shape /1/a: line 3: not an integer that fits 64 bits"},
    {{NULL, "@.l == 'x'", "c = count()", "lines"},
     "{\"l\":\"x\"}\n[]\nnull\n",
     "{\"c\":1}"},
};

START_TEST(a_line_is_an_item)
{
    CHECK(lines);
}
END_TEST

START_TEST(a_bad_line_is_told_by_its_number)
{
    static const char body[] = "{\"a\":1}\n\n{\"a\":true}\n {\"a\":2,}\n5\n";
    static const struct query_case query = {NULL, "", "s = sum(a)", "lines"};
    struct program p;
    queries_compile(&p, &query);
    for (size_t cut = 0; cut <= strlen(body); cut++) {
        struct payload *payload =
            payload_new_program(&p, SCAN_DEPTH_MAX, PAYLOAD_JSONC);
        const uint8_t *bytes = (const uint8_t *)body;
        struct fault f;
        payload_begin(payload);
        ck_assert(
            !(payload_feed(payload, bytes, cut, &f) &&
              payload_feed(payload, bytes + cut, strlen(body) - cut, &f)));
        ck_assert_int_eq(f.what, OUTCOME_malformed_json);
        ck_assert_uint_eq(f.line, 4);
        ck_assert_uint_eq(f.column, 9);
        ck_assert_uint_eq(f.offset, 28);
        payload_free(&payload);
    }
    program_free(&p);
}
END_TEST

/* A body with a string of `n` letters between two texts. */
static char *with_string(const char *before, size_t n, const char *behind)
{
    size_t first = strlen(before);
    char *body = malloc(first + n + strlen(behind) + 1);
    strcpy(body, before);
    memset(body + first, 'x', n);
    strcpy(body + first + n, behind);
    return body;
}

static void expect_start(const struct query_case *c, char *body,
                         const char *start)
{
    struct program p;
    queries_compile(&p, c);
    const char *answer = queries_answer(&p, body, strlen(body), 7);
    ck_assert_msg(strncmp(answer, start, strlen(start)) == 0, "%.200s", answer);
    program_free(&p);
    free(body);
}

START_TEST(what_has_to_be_kept_is_bounded)
{
    static const struct query_case copy = {"$.l", "", "copy a = a; c = count()",
                                           ""};
    static const struct query_case two = {"$", "@.a == @.b", "c = count()", ""};
    static const struct query_case one = {"$", "@.a == 'x'", "c = count()", ""};
    expect_start(&copy, with_string("{\"a\":\"", 1022, "\",\"l\":[]}"),
                 "{\"a\":\"xxx");
    expect_start(&copy, with_string("{\"a\":\"", 1023, "\",\"l\":[]}"),
                 "wrong_shape /a: longer than 1 KB");
    expect_start(&two, with_string("[{\"a\":\"", 65536, "\"}]"), "{\"c\":0}");
    expect_start(&two, with_string("[{\"a\":\"", 65537, "\"}]"),
                 "wrong_shape /0/a: longer than 64 KB");
    expect_start(&two, with_string("[{\"b\":[\"", 65532, "\"]}]"), "{\"c\":0}");
    expect_start(&two, with_string("[{\"b\":[\"", 65533, "\"]}]"),
                 "wrong_shape /0/b: longer than 64 KB");
    expect_start(&one, with_string("[{\"a\":\"", 200000, "\"}]"), "{\"c\":0}");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {paths_are_followed,
                                  what_is_wrong_is_told_with_its_place,
                                  modes_rule_what_arithmetic_reads,
                                  arithmetic_is_exact_or_that_of_javascript,
                                  conditions_compare_as_the_standard_says,
                                  the_last_of_several_members_counts,
                                  copies_are_as_they_stand_in_the_body,
                                  the_deepest_nesting_is_evaluated,
                                  a_line_is_an_item,
                                  a_bad_line_is_told_by_its_number,
                                  what_has_to_be_kept_is_bounded};
    return UNIT_MAIN("evaluation", tests);
}
