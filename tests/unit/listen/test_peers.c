/* peers: two lists, and who may connect. */
#include <arpa/inet.h>
#include <string.h>

#include "listen/peers.h"
#include "unit.h"

static struct peers peers;
static char why[256];

static bool open_lists(const char *allow, const char *servers)
{
    struct buf out;
    buf_init(&out, why, sizeof why);
    return peers_open(&peers, allow, servers, &out);
}

static bool may(const char *address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        return peers_may_connect(&peers, (struct sockaddr *)&v4);
    ck_assert_int_eq(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
    return peers_may_connect(&peers, (struct sockaddr *)&v6);
}

START_TEST(without_lists_everybody_may)
{
    ck_assert(open_lists("", NULL));
    ck_assert(may("192.0.2.1"));
    ck_assert(may("::1"));
}
END_TEST

START_TEST(one_list_is_enough)
{
    ck_assert(open_lists("192.0.2.0/24 ::1", NULL));
    ck_assert(may("192.0.2.1"));
    ck_assert(may("::1"));
    ck_assert(!may("192.0.3.1"));
    ck_assert(open_lists("", "192.0.2.1,192.0.2.3"));
    ck_assert(may("192.0.2.3"));
    ck_assert(!may("192.0.2.2"));
    ck_assert(!may("::1"));
}
END_TEST

START_TEST(a_peer_has_to_be_in_both)
{
    ck_assert(open_lists("192.0.2.1 192.0.2.2", "192.0.2.2,192.0.2.3"));
    ck_assert(!may("192.0.2.1"));
    ck_assert(may("192.0.2.2"));
    ck_assert(!may("192.0.2.3"));
}
END_TEST

START_TEST(a_unix_socket_is_not_concerned)
{
    const struct sockaddr local = {.sa_family = AF_UNIX};
    ck_assert(open_lists("192.0.2.1", "192.0.2.2"));
    ck_assert(peers_may_connect(&peers, &local));
}
END_TEST

START_TEST(what_is_no_list_is_told)
{
    ck_assert(!open_lists("localhost", NULL));
    ck_assert_ptr_null(strstr(why, PEERS_VARIABLE));
    ck_assert(!open_lists("localhost", "192.0.2.1"));
    ck_assert(!open_lists("192.0.2.1", "localhost"));
    ck_assert_ptr_nonnull(strstr(why, PEERS_VARIABLE));
    ck_assert(!open_lists("", "")); /* nobody at all is a mistake */
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {without_lists_everybody_may,
                                  one_list_is_enough, a_peer_has_to_be_in_both,
                                  a_unix_socket_is_not_concerned,
                                  what_is_no_list_is_told};
    return UNIT_MAIN("peers", tests);
}
