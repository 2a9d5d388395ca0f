/* host_list: which Host a request may have. */
#include "base/host_list.h"

#include <string.h>

#include "unit.h"

START_TEST(names_are_a_list)
{
    static const char *const lists[] = {"", "  ", "a", " pool.example\tB-2_c ",
                                        "localhost"};
    static const char *const others[] = {
        "a:80",
        "a,b",
        "[::1]",
        "http://a",
        "a \xc3\xa9",
        "a/b",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "a"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "a"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "a"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    char room[200];
    struct buf why;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        buf_init(&why, room, sizeof room);
        ck_assert_msg(host_list_check(lists[i], &why), "%s: %s", lists[i],
                      room);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        buf_init(&why, room, sizeof room);
        ck_assert_msg(!host_list_check(others[i], &why), "%s", others[i]);
        ck_assert_ptr_nonnull(strstr(room, "is no name of a host"));
    }
}
END_TEST

START_TEST(a_foreign_name_leads_nowhere_on_loopback)
{
    static const struct {
        const char *listen, *hosts, *host;
        bool allowed;
    } cases[] = {
        {"127.0.0.1:9180", "", "evil.example", false},
        {"127.0.0.1:9180", "", "evil.example:9180", false},
        {"127.9.9.9:9180", "", "evil.example", false},
        {"[::1]:9180", "", "evil.example", false},
        {"127.0.0.1:9180", "", "localhost.evil.example", false},
        {"127.0.0.1:9180", "", "127.0.0.1.evil.example", false},
        {"127.0.0.1:9180", "", "", false},
        {"127.0.0.1:9180", "", "[evil.example]:80", false},
        {"127.0.0.1:9180", "", NULL, true},
        {"127.0.0.1:9180", "", "localhost", true},
        {"127.0.0.1:9180", "", "LocalHost:9180", true},
        {"127.0.0.1:9180", "", "localhost.", true},
        {"127.0.0.1:9180", "", "127.0.0.1:9180", true},
        {"127.0.0.1:9180", "", "10.1.2.3", true},
        {"127.0.0.1:9180", "", "[::1]:9180", true},
        {"127.0.0.1:9180", "", "[fe80::1]", true},
        {"127.0.0.1:9180", "pool.example", "Pool.Example:9180", true},
        {"127.0.0.1:9180", "a pool.example", "pool.example.", true},
        {"127.0.0.1:9180", "pool.example", "pool.exampl", false},
        {"127.0.0.1:9180", "pool.example", "pool.example.org", false},
        /* Where others come by name, names count once they are set. */
        {"10.0.0.1:9180", "", "evil.example", true},
        {"*:9180", "", "pool.example", true},
        {"/run/status.sock", "", "evil.example", true},
        {"10.0.0.1:9180", "pool.example", "evil.example", false},
        {"10.0.0.1:9180", "pool.example", "10.0.0.1", true},
        {"/run/status.sock", "pool.example", "evil.example", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(host_list_allows(cases[i].listen, cases[i].hosts,
                                       cases[i].host) == cases[i].allowed,
                      "%s, \"%s\", %s", cases[i].listen, cases[i].hosts,
                      cases[i].host == NULL ? "-" : cases[i].host);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {names_are_a_list,
                                  a_foreign_name_leads_nowhere_on_loopback};
    return UNIT_MAIN("host_list", tests);
}
