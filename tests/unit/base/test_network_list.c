/* network_list: addresses and networks, and who is in them. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/network_list.h"
#include "unit.h"

static struct network_list list;
static char room[200]; /* what was wrong */

static bool parse(const char *text)
{
    struct buf why;
    buf_init(&why, room, sizeof room);
    bool ok = network_list_parse(text, &list, &why);
    ck_assert(ok == (why.len == 0));
    return ok;
}

static bool has(const char *address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(7)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(7)};
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        return network_list_has(&list, (struct sockaddr *)&v4);
    ck_assert_int_eq(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
    return network_list_has(&list, (struct sockaddr *)&v6);
}

START_TEST(what_is_written_well_is_taken)
{
    static const char *const good[] = {"192.0.2.7",
                                       "10.0.0.0/8",
                                       "0.0.0.0/0",
                                       "::/0",
                                       "::1",
                                       "2001:db8::/32",
                                       "fe80::/10",
                                       "192.0.2.7/32",
                                       "::1/128",
                                       " 10.0.0.1 ::1",
                                       "1.2.3.4,5.6.7.8, ::1\t",
                                       "10.1.0.0/16"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(parse(good[i]), "%s", good[i]);
}
END_TEST

START_TEST(what_is_not_is_refused)
{
    static const char *const bad[] = {
        "",
        " ,",
        "localhost",
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "10.0.0.0/8x",
        "10.0.0.0/0008",
        "10.0.0.1/8",
        "::1/64",
        "10.0.0",
        "10.0.0.0/8/8",
        "[::1]",
        "1.2.3.4:80",
        "/8",
        "010.0.0.1.5",
        "1.2.3.4 x",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!parse(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(their_number_is_limited)
{
    char text[(NETWORK_LIST_MAX + 1) * 4 + 1] = "";
    for (int i = 0; i < NETWORK_LIST_MAX; i++)
        strcat(text, "::1 ");
    ck_assert(parse(text));
    ck_assert_uint_eq(list.count, NETWORK_LIST_MAX);
    ck_assert(!parse(strcat(text, "::2")));
    ck_assert_ptr_nonnull(strstr(room, "one too many"));
}
END_TEST

START_TEST(every_bit_of_a_network_counts)
{
    for (unsigned bits = 0; bits <= 32; bits++) {
        char text[64];
        struct in_addr in = {htonl(bits == 0 ? 0 : 0xffffffff << (32 - bits))};
        snprintf(text, sizeof text, "%s/%u", inet_ntoa(in), bits);
        ck_assert_msg(parse(text), "%s", text);
        ck_assert(has(inet_ntoa(in)));
        ck_assert(has("255.255.255.255"));
        for (unsigned bit = 0; bit < 32; bit++) {
            struct in_addr other = {in.s_addr ^ htonl(1U << (31 - bit))};
            ck_assert_msg(has(inet_ntoa(other)) == (bit >= bits), "%s, bit %u",
                          text, bit);
        }
    }
    ck_assert(parse("2001:db8:8000::/33"));
    ck_assert(has("2001:db8:8000::1"));
    ck_assert(has("2001:db8:ffff::1"));
    ck_assert(!has("2001:db8:7fff::1"));
    ck_assert(!has("2001:db9:8000::1"));
}
END_TEST

/* As a socket for IPv4 and IPv6 has it. */
START_TEST(an_ipv4_address_within_ipv6_is_the_same)
{
    ck_assert(parse("192.0.2.0/24"));
    ck_assert(has("::ffff:192.0.2.9"));
    ck_assert(!has("::ffff:192.0.3.9"));
    ck_assert(!has("::192.0.2.9"));
    ck_assert(parse("::ffff:192.0.2.9"));
    ck_assert(has("192.0.2.9"));
    ck_assert(parse("0.0.0.0/0"));
    ck_assert(has("192.0.2.9"));
    ck_assert(!has("::1"));
    ck_assert(parse("::/0"));
    ck_assert(has("192.0.2.9"));
}
END_TEST

START_TEST(who_has_no_address_is_in_no_list)
{
    const struct sockaddr local = {.sa_family = AF_UNIX};
    ck_assert(parse("::/0"));
    ck_assert(!network_list_has(&list, &local));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_is_written_well_is_taken,
                                  what_is_not_is_refused,
                                  their_number_is_limited,
                                  every_bit_of_a_network_counts,
                                  an_ipv4_address_within_ipv6_is_the_same,
                                  who_has_no_address_is_in_no_list};
    return UNIT_MAIN("network_list", tests);
}
