/* plan: a name is a name however it is written. */
#include <stdio.h>
#include <string.h>

#include "decode/plan.h"
#include "unit.h"

/* As written between its quotes, behind `before`. */
static bool is_name(const char *name, const char *before, const char *written)
{
    char text[200];
    struct plan_node node;
    plan_name(&node, name, strlen(name));
    int n = snprintf(text, sizeof text, "%s\"%s\"", before, written);
    const uint8_t *from = (const uint8_t *)text, *quote = from + n - 1;
    bool text_is = plan_is_text(&node, quote - strlen(written), quote);
    ck_assert(plan_is_name(&node, from, quote) == text_is);
    if (quote - from >= 6 && text_is)
        ck_assert(plan_may_end(&node, quote));
    if (quote - from >= (ptrdiff_t)strlen(name) + 2)
        ck_assert(plan_is_plain(&node, quote) ==
                  (text_is && strcmp(name, written) == 0 &&
                   strchr(name, '\\') == NULL));
    if (node.simple && quote - from >= (ptrdiff_t)plan_reach(&node))
        ck_assert_msg(plan_is_escaped(&node, quote) == text_is, "%s",
                      (const char *)from);
    return text_is;
}

START_TEST(escapes_are_what_they_stand_for)
{
    static const struct {
        const char *name, *written;
        bool same;
    } cases[] = {
        {"value", "value", true},
        {"value", "valu\\u0065", true},
        {"value", "\\u0076\\u0061\\u006c\\u0075\\u0065", true},
        {"value", "\\u0056alue", false},
        {"value", "value\\u0000", false},
        {"value", "\\u0000value", false},
        {"value", "valu", false},
        {"value", "xvalue", false},
        {"value", "\\\"value", false},
        {"value", "", false},
        {"\"\\/\b\f\n\r\t", "\\\"\\\\\\/\\b\\f\\n\\r\\t", true},
        {"/", "\\/", true},
        {"/", "\\\\/", false},
        {"\\", "\\\\", true},
        {"\\", "\\\\\\\\", false},
        {"\xc3\xa9", "\\u00E9", true},
        {"\xe2\x82\xac", "\\u20Ac", true},
        {"\xf0\x9d\x84\x9e", "\\uD834\\uDd1e", true},
        {"\xf0\x9d\x84\x9e"
         "ab",
         "\\uD834\\uDd1eab", true},
        {"\xf0\x9d\x84\x9e", "\\uD834x\\uDd1e", false},
        /* Half of a pair is no U+FFFD, nor any other character. */
        {"\xef\xbf\xbd", "\\ufffd", true},
        {"\xef\xbf\xbd", "\\ud834", false},
        {"\xef\xbf\xbd", "\\udd1e", false},
        {"\xef\xbf\xbd\xf0\x9d\x84\x9e", "\\ud834\\ud834\\udd1e", false},
        {"\xef\xbf\xbd\n", "\\ud834\\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(is_name(cases[i].name, "", cases[i].written) ==
                          cases[i].same,
                      "%s", cases[i].written);
        ck_assert_msg(is_name(cases[i].name, "{\"\\\\\":\"x\\\"\",",
                              cases[i].written) == cases[i].same,
                      "%s, behind others", cases[i].written);
    }
}
END_TEST

/* Behind many bytes, also such as look like a part of the name. */
static bool is_simple_name(const char *name, const char *written)
{
    static const char *const befores[] = {
        "[{\"----------------------------------------------\":1},{",
        "[{\"------------------------------------\":\"\\\\u00\",",
        "[{\"------------------------------------\":\"\\\\u006\",",
        "[{\"--------------------------------\":\"\\u0061\\n\",",
        "[{\"-----------------------------------------\":\"\\\"\",",
    };
    bool is = is_name(name, "", written);
    for (size_t i = 0; i < sizeof befores / sizeof befores[0]; i++)
        ck_assert(is_name(name, befores[i], written) == is);
    return is;
}

START_TEST(a_name_may_be_escaped_in_every_way)
{
    static const char *const names[] = {"a", "ab", "a1", "61", "u00"};
    static const char *const parts[] = {
        "a",       "b",       "1",       "\\u0061", "\\u0062", "\\u0031",
        "\\u0036", "\\u00e1", "\\u0161", "\\u005C", "\\u005c", "\\\\",
        "\\\"",    "\\n",     "u00",     "6",       "u0061",   "\\u0030"};
    const size_t count = sizeof parts / sizeof parts[0];
    int same = 0;
    for (size_t index = 0; index < count * count * count; index++) {
        char written[80] = "";
        for (size_t rest = index; rest > 0; rest = (rest - 1) / count)
            strcat(written, parts[(rest - 1) % count]);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            same += is_simple_name(names[i], written);
    }
    ck_assert_int_eq(same, 2 + 4 + 4 + 4 + 1);
}
END_TEST

START_TEST(every_letter_has_its_escape)
{
    for (unsigned c = ' '; c < 0x80; c++)
        for (unsigned other = ' '; other < 0x80; other++) {
            const char name[] = {'x', (char)c, '\0'};
            char written[20];
            sprintf(written, other % 2 == 0 ? "x\\u%04x" : "x\\u%04X", other);
            ck_assert(is_simple_name(name, written) == (c == other));
        }
}
END_TEST

START_TEST(only_names_of_one_form_and_its_escapes_are_simple)
{
    struct plan_node node;
    for (unsigned c = 1; c < 256; c++) {
        const char name[] = {'x', (char)c, 'y', '\0'};
        plan_name(&node, name, 3);
        ck_assert(node.simple ==
                  (c >= ' ' && c < 0x80 && strchr("\"\\/", (int)c) == NULL));
    }
}
END_TEST

START_TEST(what_is_before_the_start_is_not_looked_at)
{
    static const char text[] = "\\\"value\"";
    const uint8_t *from = (const uint8_t *)text;
    struct plan_node node;
    plan_name(&node, "value", 5);
    ck_assert(!plan_is_name(&node, from, from + 7));
    ck_assert(plan_is_name(&node, from + 1, from + 7));
}
END_TEST

START_TEST(most_other_names_are_known_by_their_last_byte)
{
    struct plan plan;
    static const char text[] = "x,{\"tab\\t\"";
    ck_assert(plan_make(&plan, "items", "value"));
    const uint8_t *quote = (const uint8_t *)text + sizeof text - 2;
    ck_assert(!plan_may_end(&plan.field, quote));
    ck_assert(plan_make(&plan, "items", "tab\t"));
    ck_assert(plan_may_end(&plan.field, quote));
}
END_TEST

START_TEST(names_of_one_kind_are_looked_for_once)
{
    struct plan plan;
    char longest[PLAN_NAME_MAX + 2];
    ck_assert(plan_make(&plan, "items", "value"));
    ck_assert_uint_eq(plan.probes, 2);
    ck_assert_uint_eq(plan.probe[0].first, 'i');
    ck_assert_uint_eq(plan.probe[1].length, 5);
    ck_assert(plan_make(&plan, "abc", "axx"));
    ck_assert_uint_eq(plan.probes, 1);
    ck_assert(!plan_make(&plan, "", "axx"));
    memset(longest, 'x', sizeof longest);
    longest[PLAN_NAME_MAX] = '\0';
    ck_assert(plan_make(&plan, longest, "axx"));
    longest[PLAN_NAME_MAX] = 'x';
    longest[PLAN_NAME_MAX + 1] = '\0';
    ck_assert(!plan_make(&plan, longest, "axx"));
    ck_assert(!plan_make(&plan, "x\",\"y", "axx"));
}
END_TEST

START_TEST(every_string_is_looked_at_when_names_are_many)
{
    struct plan plan = {.depth = 1};
    struct plan_node node;
    static const char letters[] = "abcdefgh";
    ck_assert_uint_eq(PLAN_PROBES_MAX, 8);
    for (int twice = 0; twice < 2; twice++)
        for (size_t i = 0; i < PLAN_PROBES_MAX; i++) {
            plan_name(&node, letters + i, 1);
            plan_look_for(&plan, &node);
            ck_assert(!plan.every);
        }
    plan_name(&node, "ab", 2);
    plan_look_for(&plan, &node);
    ck_assert(plan.every);
    plan = (struct plan){.depth = 1};
    plan_name(&node, "", 0);
    plan_look_for(&plan, &node);
    ck_assert(plan.every);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        escapes_are_what_they_stand_for,
        a_name_may_be_escaped_in_every_way,
        every_letter_has_its_escape,
        only_names_of_one_form_and_its_escapes_are_simple,
        what_is_before_the_start_is_not_looked_at,
        most_other_names_are_known_by_their_last_byte,
        names_of_one_kind_are_looked_for_once,
        every_string_is_looked_at_when_names_are_many};
    return UNIT_MAIN("plan", tests);
}
