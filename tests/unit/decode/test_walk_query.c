/* walk_query: each shape of paths, and members that come more than once, on
 * both sides of the borders of windows. queries_answer() has every decoder say
 * the same; what they have to say is here. */
#include <stdlib.h>

#define BODY_MAX (1 << 18)
#include "body.h"
#include "decode/window.h"
#include "queries.h"

static struct body b;

/* What is in the body, whole and cut. */
static void expect(const struct query_case *q, const char *wanted)
{
    struct program p;
    queries_compile(&p, q);
    for (size_t cut = 0; cut < 3; cut++) {
        const char *answer = queries_answer(&p, b.bytes, b.n, cut * b.n / 2);
        ck_assert_msg(strcmp(answer, wanted) == 0, "%s, not %s, of %.300s",
                      answer, wanted, b.bytes);
    }
    program_free(&p);
}

static void expect_of(const struct query_case *q, const char *text,
                      const char *wanted)
{
    b.n = 0;
    body_text(&b, text);
    expect(q, wanted);
}

START_TEST(paths_of_each_shape_are_followed)
{
    static const struct {
        struct query_case query;
        const char *body, *wanted;
    } cases[] = {
        {{"$", "", "n = sum(@)", ""}, "[1,2 , 3]", "{\"n\":6}"},
        {{"$", "", "n = count()", ""},
         "[1,\"a\\\"]\",[1,2],{\"b\":[]},null,true,[]]",
         "{\"n\":7}"},
        {{"$", "", "n = count(); copy v = a", ""},
         "[1]",
         "wrong_shape /a: the member is missing"},
        {{"$", "", "n = count()", ""}, "5", "wrong_shape not an array"},
        {{"$.a['']", "", "n = sum(@[''][''])", ""},
         "{\"a\":{\"\":[{\"\":{\"\":4}}]}}",
         "{\"n\":4}"},
        {{"$['q\"q']", "", "n = sum(@['b\\\\b'])", ""},
         "{\"k\":\"q\",\"q\\\"q\":[{\"b\\\\b\":1},{\"\\u0062\\u005cb\":2}]}",
         "{\"n\":3}"},
        {{"$['x\",\"y']", "", "n = count()", ""},
         "{\"k\":\"x\",\"y\":[1]}",
         "wrong_shape /x\",\"y: the member is missing"},
        {{"$[*].b[*].c", "", "n = sum(@.d)", ""},
         "[{\"b\":[{\"c\":[{\"d\":1}]},{\"c\":[]}]},{\"b\":[]}]",
         "{\"n\":1}"},
        {{"$[*].b[*].c", "", "n = sum(@.d)", ""},
         "[{\"b\":[{\"c\":[]},{\"c\":[{\"d\":1},{}]}]}]",
         "wrong_shape /0/b/1/c/1/d: the member is missing"},
        {{"$[*][*].b", "", "n = sum(@)", ""},
         "[[{\"b\":[1,2]}],[],[{\"b\":[3]}]]",
         "{\"n\":6}"},
        {{"$", "@.a == @.b", "n = count()", ""},
         "[{\"a\":[1,{\"x\":2}],\"b\":[ 1.0,{\"x\":2e0}]},{\"a\":[],\"b\":{}}]",
         "{\"n\":1}"},
        {{"$", "@.ok == true && @.value > 0", "", ""},
         "[{\"ok\":true,\"value\":2},{\"ok\":false,\"value\":5}]",
         "{\"sum\":4}"},
        {{"$", "", "n = min(1 / @.v)", "double"},
         "[{\"v\":0},{\"v\":2,\"x\":\"far from what may be read\"}]",
         "{\"n\":0.5}"},
        {{"$", "", "n = max(1 / @.v)", "double"},
         "[{\"v\":-0},{\"v\":2,\"x\":\"far from what may be read\"}]",
         "{\"n\":0.5}"},
        {{"$", "", "n = sum(@.a.x); m = sum(@.b.x); o = sum(@.b.y)", ""},
         "[{\"a\":{\"x\":1,\"y\":8},\"b\":{\"x\":2,\"y\":4}}]",
         "{\"n\":1,\"m\":2,\"o\":4}"},
        {{"$", "@ == @.a || @.a.b", "n = count()", ""},
         "[{\"a\":{\"b\":1}},{\"a\":1},2]",
         "{\"n\":1}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_of(&cases[i].query, cases[i].body, cases[i].wanted);
}
END_TEST

/* A name that no window holds, each character written in the longest way there
 * is; with one byte more it is another. */
START_TEST(the_longest_way_to_write_a_name)
{
    enum { LENGTH = 250 };
    char name[LENGTH + 1], members[LENGTH + 20];
    memset(name, 'b', LENGTH);
    name[LENGTH] = '\0';
    snprintf(members, sizeof members, "n = sum(@.%s)", name);
    const struct query_case q = {"$", "", members, "missing:zero"};
    for (int more = 0; more < 2; more++) {
        b.n = 0;
        body_text(&b, "[{\"");
        for (int i = 0; i < LENGTH; i++)
            body_text(&b, "\\u0062");
        body_fill(&b, 'b', (size_t)more);
        body_text(&b, "\":1}]");
        expect(&q, more == 0 ? "{\"n\":1}" : "{\"n\":0}");
    }
}
END_TEST

/* --- Members that come more than once. --- */

struct fragment {
    const char *text, *wanted;
};

/* In each order of two of them, and with each filler between and around, the
 * last is the one that counts. */
static void expect_last(const struct query_case *q, const char *before,
                        const struct fragment *fragments, size_t count,
                        const char *behind)
{
    for (size_t i = 0; i < count * count; i++)
        for (size_t filler = 0; filler < 4; filler++) {
            b.n = 0;
            body_fill(&b, ' ', filler == 1 ? WINDOW_MAX - 60 : 0);
            body_text(&b, before);
            body_text(&b, fragments[i / count].text);
            body_text(&b, ",");
            body_fill(&b, ' ', filler == 2 ? WINDOW_MAX : 0);
            body_text(&b, "\"filler\":\"");
            body_fill(&b, 'x', filler == 3 ? 2 * WINDOW_MAX : filler);
            body_text(&b, "\",");
            body_text(&b, fragments[i % count].text);
            body_text(&b, behind);
            expect(q, fragments[i % count].wanted);
        }
}

START_TEST(the_last_way_to_the_list_counts)
{
    static const struct query_case q = {"$.a.b", "", "n = sum(@.c)", ""};
    static const struct fragment fragments[] = {
        {"\"a\":{\"b\":[{\"c\":1}]}", "{\"n\":1}"},
        {"\"a\":{\"b\":[{\"c\":1},{}],\"b\":[{\"c\":2}]}", "{\"n\":2}"},
        {"\"a\":{\"b\":[{\"c\":\"\"}]}",
         "wrong_shape /a/b/0/c: not an integer that fits 64 bits"},
        {"\"a\":{\"b\":{}}", "wrong_shape /a/b: not an array"},
        {"\"a\":{\"b\":[{\"c\":9}],\"b\":7}", "wrong_shape /a/b: not an array"},
        {"\"\\u0061\":[{\"b\":[]}]", "wrong_shape /a/b: the member is missing"},
        {"\"a\":\"long, and no list\"",
         "wrong_shape /a/b: the member is missing"}};
    expect_last(&q, "{", fragments, sizeof fragments / sizeof fragments[0],
                "}");
}
END_TEST

START_TEST(the_last_member_of_an_item_counts)
{
    static const struct query_case q = {
        "$", "", "n = sum(@.c.d); m = sum(@.c.e)", "missing:zero"};
    static const struct fragment fragments[] = {
        {"\"c\":{\"d\":1}", "{\"n\":1,\"m\":0}"},
        {"\"c\":{\"d\":1,\"e\":3,\"d\":2}", "{\"n\":2,\"m\":3}"},
        {"\"c\":7", "{\"n\":0,\"m\":0}"},
        {"\"c\":[{\"d\":5}]", "{\"n\":0,\"m\":0}"},
        {"\"c\":{\"d\":[{\"d\":4}]}",
         "wrong_shape /0/c/d: not an integer that fits 64 bits"}};
    expect_last(&q, "[{", fragments, sizeof fragments / sizeof fragments[0],
                "}]");
}
END_TEST

START_TEST(the_last_inner_list_counts)
{
    static const struct query_case q = {"$.a[*].b.c", "",
                                        "n = sum(@); copy id = id", ""};
    static const struct fragment fragments[] = {
        {"\"b\":{\"c\":[1,2]}", "{\"id\":\"x\",\"n\":103}"},
        {"\"b\":{\"c\":[5,true],\"c\":[4]}", "{\"id\":\"x\",\"n\":104}"},
        {"\"b\":{}", "wrong_shape /a/1/b/c: the member is missing"},
        {"\"b\":{\"c\":null}", "wrong_shape /a/1/b/c: not an array"},
        {"\"b\":{\"c\":[3,{}]}",
         "wrong_shape /a/1/b/c/1: not an integer that fits 64 bits"}};
    expect_last(&q, "{\"id\":3,\"a\":[{\"b\":{\"c\":[100]}},{", fragments,
                sizeof fragments / sizeof fragments[0],
                "},{\"b\":{\"c\":[]}}],\"id\":\"x\"}");
}
END_TEST

START_TEST(inner_lists_that_are_not_there_follow_the_modes)
{
    struct query_case q = {"$[*].b", "", "n = count()", ""};
    static const char text[] = "[{\"b\":[1]},5,{\"b\":null},{\"c\":[]},[]]";
    expect_of(&q, text, "wrong_shape /1/b: the member is missing");
    q.modes = "missing:skip";
    expect_of(&q, text, "wrong_shape /2/b: not an array");
    q.modes = "missing:zero null:skip";
    expect_of(&q, text, "{\"n\":1}");
    q.modes = "missing:zero null:skip";
    expect_of(&q, "[{\"b\":5}]", "wrong_shape /0/b: not an array");
}
END_TEST

/* --- What is long, and what is many. --- */

START_TEST(strings_of_any_length_are_compared)
{
    static const size_t lengths[] = {1, 300, 500, 5000, 9000, 70000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct query_case q = {"$.a", "@.s == 'xxx' || @.s > 'xxxx'",
                               "n = count()", ""};
        b.n = 0;
        body_text(&b, "{\"a\":[{\"s\":\"");
        body_fill(&b, 'x', lengths[i]);
        body_text(&b, "\",\"t\":\"");
        body_fill(&b, 'x', lengths[i]);
        body_text(&b, "\"},{\"s\":\"xxx\"},{\"s\":\"w\"}]}");
        expect(&q, lengths[i] > 4 ? "{\"n\":2}" : "{\"n\":1}");
        q.where = "@.s == @.t";
        expect(&q, lengths[i] <= PROGRAM_KEEP_MAX
                       ? "{\"n\":1}"
                       : "wrong_shape /a/0/s: longer than 64 KB, and compared "
                         "with another");
    }
}
END_TEST

START_TEST(objects_of_any_length_are_kept)
{
    static const size_t lengths[] = {1, 9000, 60000, 66000};
    static const struct query_case q = {"$", "@ != @.a && @.a == @.b",
                                        "n = count()", ""};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        bool fits = 2 * lengths[i] + 40 <= PROGRAM_KEEP_MAX;
        b.n = 0;
        body_text(&b, "[{\"a\":[{\"c\":1},");
        body_fill(&b, ' ', lengths[i]);
        body_text(&b, "2],\"b\":[{\"c\":1},2");
        body_fill(&b, '\n', lengths[i]);
        body_text(&b, "]}]");
        expect(&q, fits ? "{\"n\":1}"
                        : "wrong_shape /0: longer than 64 KB, and compared "
                          "with another");
    }
}
END_TEST

/* Of 1 to 13 digits, with all that may stand between, over several windows. */
START_TEST(lists_of_numbers_are_added)
{
    static const char *const behind[] = {",", " ,", ", ", "\n,\t", ","};
    static const struct query_case q = {"$", "@ > 4", "n = sum(@); c = count()",
                                        ""};
    char text[64];
    long long sum = 0;
    unsigned count = 0;
    b.n = 0;
    body_text(&b, "[");
    for (unsigned i = 0; i < 4000; i++) {
        long long value = 1;
        for (unsigned digit = 1; digit < 1 + i % 13; digit++)
            value = value * 10 + (i + digit) % 10;
        value = i % 11 == 0 ? -value : i % 7 == 0 ? 0 : value;
        snprintf(text, sizeof text, "%lld%s", value, behind[i % 5]);
        body_text(&b, text);
        sum += value > 4 ? value : 0;
        count += value > 4;
    }
    body_text(&b, "5]");
    snprintf(text, sizeof text, "{\"n\":%lld,\"c\":%u}", sum + 5, count + 1);
    expect(&q, text);
    b.n--;
    body_text(&b, ".5,6");
    body_fill(&b, ' ', 100);
    body_text(&b, "]");
    expect(&q, "wrong_shape /4000: not an integer that fits 64 bits");
}
END_TEST

START_TEST(brackets_may_be_as_deep_as_scan_goes)
{
    static const struct query_case q = {"$", "@.a == @.b", "n = count()", ""};
    for (size_t more = 0; more < 2; more++) {
        b.n = 0;
        body_fill(&b, '[', SCAN_DEPTH_MAX + more);
        body_fill(&b, ']', SCAN_DEPTH_MAX + more);
        expect(&q, more == 0 ? "{\"n\":1}"
                             : "malformed_json nested deeper than max_depth");
    }
}
END_TEST

START_TEST(a_body_that_was_given_up_is_forgotten)
{
    static const struct query_case q = {"$", "@.a == @.b", "n = count()", ""};
    static const char given_up[] = "[{\"b\":[1],\"a\":[1,{\"x\":\"y";
    struct program p;
    queries_compile(&p, &q);
    struct payload *payload = payload_new_program(&p, 64, PAYLOAD_TYPED);
    for (size_t n = 0; n < sizeof given_up; n++) {
        static const char whole[] =
            "[{\"a\":[1],\"b\":[1]},{\"a\":[1]},{\"b\":[1],\"a\":[2]}]";
        char room[100];
        struct buf answer;
        struct fault fault;
        buf_init(&answer, room, sizeof room);
        payload_begin(payload);
        for (size_t i = 0; i < n; i++) /* so that scan goes over it */
            ck_assert(payload_feed(payload, (const uint8_t *)given_up + i, 1,
                                   &fault));
        ck_assert(!payload_finish(payload, &(struct tally){0}, &fault));
        queries_decode(payload, whole, sizeof whole - 1, 9, &answer);
        ck_assert_str_eq(room, "{\"n\":1}");
    }
    payload_free(&payload);
    program_free(&p);
}
END_TEST

START_TEST(many_paths_are_followed)
{
    char members[2000] = "n = sum(", wanted[64], text[32];
    unsigned sum = 0;
    b.n = 0;
    body_text(&b, "[{");
    for (unsigned i = 0; i < PROGRAM_SLOTS_MAX; i++) {
        snprintf(text, sizeof text, "%s@.%c%u.x", i == 0 ? "" : " + ",
                 'a' + i % 7, i * i);
        strcat(members, text);
        snprintf(text, sizeof text, "\"%c%u\":{\"x\":%u,\"y\":0},", 'a' + i % 7,
                 i * i, i);
        body_text(&b, text);
        sum += i;
    }
    body_text(&b, "\"z\":null}]");
    strcat(members, ")");
    const struct query_case q = {"$", "", members, ""};
    snprintf(wanted, sizeof wanted, "{\"n\":%u}", sum);
    expect(&q, wanted);
}
END_TEST

START_TEST(a_name_may_be_longer_than_windows_look_for)
{
    char name[PLAN_NAME_MAX + 10] = {0}, members[200];
    memset(name, 'n', sizeof name - 1);
    snprintf(members, sizeof members, "n = sum(%s)", name);
    const struct query_case q = {"$", "", members, ""};
    b.n = 0;
    body_text(&b, "[{\"");
    body_text(&b, name);
    body_text(&b, "\":5}]");
    expect(&q, "{\"n\":5}");
}
END_TEST

/* --- Bodies of lines. --- */

START_TEST(each_line_is_an_item)
{
    static const struct {
        struct query_case query;
        const char *body, *wanted;
    } cases[] = {
        {{"", "", "n = sum(v)", "lines"},
         "{\"v\":1}\n{\"v\":2}\n",
         "{\"n\":3}"},
        {{"", "", "n = sum(v)", "lines"},
         "\n \t\r\n{\"v\":1}\r\n\n {\"v\":2} ",
         "{\"n\":3}"},
        {{"", "", "n = count()", "lines"}, "", "{\"n\":0}"},
        {{"", "", "n = count()", "lines"}, "\n \n", "{\"n\":0}"},
        {{"", "", "n = count()", "lines"},
         "1\n\"a\"\n[1,[2]]\nnull\n{}\n-0.5e1",
         "{\"n\":6}"},
        {{"", "", "n = sum(@)", "lines"}, "1\n2\n3", "{\"n\":6}"},
        {{"", "", "n = sum(@)", "lines"},
         "1\n\n[2]\n3",
         "wrong_shape /1: line 3: not an integer that fits 64 bits"},
        {{"", "@ == @.a || @.b == 'x'", "n = count()", "lines"},
         "{\"b\":\"x\"}\n{\"b\":\"y\"}\n5\n{\"b\":\"\\u0078\"}",
         "{\"n\":2}"},
        {{"", "", "n = sum(a.b)", "lines missing:zero"},
         "{\"a\":{\"b\":4}}\n{\"a\":[]}\n{\"a\":{\"b\":1,\"b\":2}}",
         "{\"n\":6}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_of(&cases[i].query, cases[i].body, cases[i].wanted);
}
END_TEST

START_TEST(lines_may_be_longer_than_windows)
{
    static const struct query_case q = {"", "@.s != 'x'", "n = sum(v)",
                                        "lines"};
    b.n = 0;
    for (unsigned i = 0; i < 12; i++) {
        body_text(&b, "{\"v\":1,\"s\":\"");
        body_fill(&b, 'x', i * 1000);
        body_text(&b, "\",\"w\":[");
        body_fill(&b, ' ', i * 1000);
        body_text(&b, "],\"v\":2}\n");
        body_fill(&b, '\n', i % 3);
    }
    expect(&q, "{\"n\":24}");
}
END_TEST

/* Both decoders, cut at `cut`, say this of what is wrong with the body. */
static void expect_fault(const struct program *p, enum payload_decoder which,
                         size_t cut, const char *wanted)
{
    struct fault f = {.reason = ""};
    struct tally ignored;
    char said[200];
    struct payload *payload = payload_new_program(p, SCAN_DEPTH_MAX, which);
    const uint8_t *bytes = (const uint8_t *)b.bytes;
    payload_begin(payload);
    ck_assert(!(payload_feed(payload, bytes, cut, &f) &&
                payload_feed(payload, bytes + cut, b.n - cut, &f) &&
                payload_finish(payload, &ignored, &f)));
    snprintf(said, sizeof said, "%s at %llu, line %llu, column %llu", f.reason,
             (unsigned long long)f.offset, (unsigned long long)f.line,
             (unsigned long long)f.column);
    ck_assert_msg(strcmp(said, wanted) == 0, "decoder %d, cut at %zu: %s",
                  (int)which, cut, said);
    payload_free(&payload);
}

START_TEST(a_malformed_line_tells_where_it_is)
{
    static const struct query_case q = {"", "", "n = count()", "lines"};
    static const struct {
        const char *body, *wanted;
    } cases[] = {
        {"{}\n\n{\"a\":x}\n{}",
         "no value where one must be at 9, line 3, column 6"},
        {"{}\n[1,2\n]", "the document is not complete at 7, line 2, column 5"},
        {"[]\n5 5\n",
         "bytes after the end of the document at 5, line 2, column 3"},
        {"[]\n{\"a\":1}}",
         "bytes after the end of the document at 10, line 2, column 8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct program p;
        b.n = 0;
        body_text(&b, cases[i].body);
        queries_compile(&p, &q);
        for (size_t cut = 0; cut <= b.n; cut++) {
            expect_fault(&p, PAYLOAD_JSONC, cut, cases[i].wanted);
            expect_fault(&p, PAYLOAD_TYPED, cut, cases[i].wanted);
        }
        program_free(&p);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        paths_of_each_shape_are_followed,
        the_longest_way_to_write_a_name,
        the_last_way_to_the_list_counts,
        the_last_member_of_an_item_counts,
        the_last_inner_list_counts,
        inner_lists_that_are_not_there_follow_the_modes,
        strings_of_any_length_are_compared,
        objects_of_any_length_are_kept,
        lists_of_numbers_are_added,
        brackets_may_be_as_deep_as_scan_goes,
        a_body_that_was_given_up_is_forgotten,
        many_paths_are_followed,
        a_name_may_be_longer_than_windows_look_for,
        each_line_is_an_item,
        lines_may_be_longer_than_windows,
        a_malformed_line_tells_where_it_is};
    return UNIT_MAIN("walk_query", tests);
}
