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
        {"\xf0\x9d\x84\x9e", "\\uD834x\\uDd1e", false},
        {"\xef\xbf\xbd", "\\ud834", true},
        {"\xef\xbf\xbd", "\\udd1e", true},
        {"\xef\xbf\xbd\xf0\x9d\x84\x9e", "\\ud834\\ud834\\udd1e", true},
        {"\xef\xbf\xbd\n", "\\ud834\\n", true},
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

START_TEST(most_other_names_are_known_by_their_last_byte)
{
    struct plan plan;
    static const char text[] = "x,{\"tab\\t\"";
    ck_assert(plan_make(&plan, "items", "value"));
    const uint8_t *quote = (const uint8_t *)text + sizeof text - 2;
    ck_assert(!plan_may_end(&plan.node[1], quote));
    ck_assert(plan_make(&plan, "items", "tab\t"));
    ck_assert(plan_may_end(&plan.node[1], quote));
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
        most_other_names_are_known_by_their_last_byte,
        names_of_one_kind_are_looked_for_once,
        every_string_is_looked_at_when_names_are_many};
    return UNIT_MAIN("plan", tests);
}
