/* address: what a listen setting may be. */
#include <arpa/inet.h>
#include <string.h>

#include "base/address.h"
#include "unit.h"

START_TEST(a_path_is_a_unix_socket)
{
    struct address a;
    ck_assert(address_parse("/run/x.sock", &a));
    ck_assert_int_eq(a.sock.any.sa_family, AF_UNIX);
    ck_assert_str_eq(a.sock.un.sun_path, "/run/x.sock");
}
END_TEST

START_TEST(a_path_must_fit)
{
    struct address a;
    char path[120];
    memset(path, 'p', sizeof path);
    path[0] = '/';
    path[107] = '\0';
    ck_assert(address_parse(path, &a));
    path[107] = 'p';
    path[108] = '\0';
    ck_assert(!address_parse(path, &a));
}
END_TEST

START_TEST(numbers_are_addresses_with_ports)
{
    struct address a;
    ck_assert(address_parse("127.0.0.1:9000", &a));
    ck_assert_int_eq(a.sock.v4.sin_family, AF_INET);
    ck_assert_uint_eq(ntohs(a.sock.v4.sin_port), 9000);
    ck_assert(address_parse("[::1]:65535", &a));
    ck_assert_int_eq(a.sock.v6.sin6_family, AF_INET6);
    ck_assert_uint_eq(ntohs(a.sock.v6.sin6_port), 65535);
    ck_assert(address_parse("*:1", &a));
    ck_assert_int_eq(a.sock.v6.sin6_family, AF_INET6);
}
END_TEST

START_TEST(anything_else_is_none)
{
    static const char *const bad[] = {
        "",
        "run/x.sock",
        "9000",
        "localhost:9000",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0x1",
        "127.0.0.1:65536",
        "[::1]",
        "[::1]9000",
        "::1:9000",
        "[127.0.0.1]:1",
        "127.1:9000",
        "1.2.3.4.5:1",
        "*",
        "*:-1",
        "*: 1",
        "[::1%lo]:1x",
    };
    struct address a;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!address_parse(bad[i], &a), "%s", bad[i]);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_path_is_a_unix_socket, a_path_must_fit,
                                  numbers_are_addresses_with_ports,
                                  anything_else_is_none};
    return UNIT_MAIN("address", tests);
}
