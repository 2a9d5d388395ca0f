/* ping: which requests are checks, and what they are answered. */
#include <string.h>

#include "unit.h"
#include "worker/ping.h"

static bool is(const char *setting, const char *method, const char *path)
{
    return ping_is(setting, method, path, strlen(path));
}

START_TEST(get_and_head_of_that_path_are)
{
    ck_assert(is("/ping", "GET", "/ping"));
    ck_assert(is("/ping", "HEAD", "/ping"));
    ck_assert(is("/", "GET", "/"));
    ck_assert(ping_is("/ping", "GET", "/ping?", 5)); /* not terminated */
}
END_TEST

START_TEST(nothing_else_is)
{
    ck_assert(!is("/ping", "POST", "/ping"));
    ck_assert(!is("/ping", "get", "/ping"));
    ck_assert(!is("/ping", "", "/ping"));
    ck_assert(!is("/ping", NULL, "/ping"));
    ck_assert(!is("/ping", "GET", "/pinG"));
    ck_assert(!is("/ping", "GET", "/pin"));
    ck_assert(!is("/ping", "GET", "/ping/"));
    ck_assert(!is("/ping", "GET", ""));
    ck_assert(!is("", "GET", ""));
    ck_assert(!is("", "GET", "/"));
}
END_TEST

START_TEST(they_are_answered)
{
    char text[512];
    struct buf out;
    buf_init(&out, text, sizeof text);
    ping_print(&out, true, false);
    ck_assert_str_eq(text,
                     "Status: 200 OK\r\nContent-Type: application/json\r\n"
                     "Content-Length: 11\r\nCache-Control: no-store\r\n"
                     "\r\n{\"ok\":true}");
    buf_init(&out, text, sizeof text);
    ping_print(&out, false, true);
    ck_assert_str_eq(text, "Status: 503 Service Unavailable\r\n"
                           "Content-Type: application/json\r\n"
                           "Content-Length: 12\r\nCache-Control: no-store\r\n"
                           "\r\n");
    ck_assert_uint_eq(out.len, strlen(text));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {get_and_head_of_that_path_are,
                                  nothing_else_is, they_are_answered};
    return UNIT_MAIN("ping", tests);
}
