/* fieldlist: which headers may be named, and which values passed on. */
#include "base/fieldlist.h"

#include <string.h>

#include "unit.h"

START_TEST(names_of_headers_are_taken)
{
    static const char *const lists[] = {
        "",
        "   ",
        "X-Tenant",
        " X-Tenant  Accept-Language ",
        "Cookie Authorization",
        "x!#$%&'*+.^_`|~9",
        "a123456789012345678901234567890123456789012345678901234567890123"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        char room[200];
        struct buf why;
        buf_init(&why, room, sizeof room);
        ck_assert_msg(fieldlist_check(lists[i], &why), "%s: %s", lists[i],
                      room);
        ck_assert_str_eq(room, "");
    }
}
END_TEST

START_TEST(others_are_refused_and_told)
{
    static const char *const cases[][2] = {
        {"X-Tenant,X-User", "X-Tenant,X-User: not the name of a header"},
        {"X-A \"b\"", "\"b\": not the name"},
        {"X:", "X:: not the name"},
        {"a\tb", "not the name"},
        {"\xc3\xa9", "not the name"},
        {"host", "host: a copy has its own"},
        {"X-A CONTENT-LENGTH", "CONTENT-LENGTH: a copy has its own"},
        {"transfer-encoding", "a copy has its own"},
        {"Tallyd-Shadow", "a copy has its own"},
        {"x-request-id", "a copy has its own"},
        {"Accept-Encoding", "a copy has its own"},
        {"a1234567890123456789012345678901234567890123456789012345678901234",
         "at most 64 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char room[200];
        struct buf why;
        buf_init(&why, room, sizeof room);
        ck_assert_msg(!fieldlist_check(cases[i][0], &why), "%s", cases[i][0]);
        ck_assert_msg(strstr(room, cases[i][1]) != NULL, "%s", room);
    }
}
END_TEST

START_TEST(names_come_one_after_the_other)
{
    const char *at = "  X-Tenant  b ", *name;
    size_t n;
    char variable[FIELDLIST_NAME_MAX + 6];
    name = fieldlist_next(&at, &n);
    ck_assert_uint_eq(n, 8);
    fieldlist_variable(name, n, variable);
    ck_assert_str_eq(variable, "HTTP_X_TENANT");
    name = fieldlist_next(&at, &n);
    fieldlist_variable(name, n, variable);
    ck_assert_str_eq(variable, "HTTP_B");
    ck_assert_ptr_null(fieldlist_next(&at, &n));
    ck_assert_ptr_null(fieldlist_next(&at, &n));
}
END_TEST

START_TEST(the_longest_name_fits)
{
    char name[FIELDLIST_NAME_MAX], variable[FIELDLIST_NAME_MAX + 6];
    memset(name, 'z', sizeof name);
    fieldlist_variable(name, sizeof name, variable);
    ck_assert_uint_eq(strlen(variable), FIELDLIST_NAME_MAX + 5);
    ck_assert_int_eq(variable[FIELDLIST_NAME_MAX + 4], 'Z');
}
END_TEST

START_TEST(no_value_ends_its_line)
{
    ck_assert(fieldlist_is_value(""));
    ck_assert(fieldlist_is_value("a b\t\"c\" \xff\xc3\xa9"));
    for (char c = 1; c < 32; c++) {
        const char value[] = {'a', c, 'b', '\0'};
        ck_assert_int_eq(fieldlist_is_value(value), c == '\t');
    }
    ck_assert(!fieldlist_is_value("\x7f"));
    ck_assert(!fieldlist_is_value("a\r\nHost: b"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        names_of_headers_are_taken, others_are_refused_and_told,
        names_come_one_after_the_other, the_longest_name_fits,
        no_value_ends_its_line};
    return UNIT_MAIN("fieldlist", tests);
}
