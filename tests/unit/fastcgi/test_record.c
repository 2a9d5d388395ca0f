/* record: headers, pairs and whole replies, from any bytes. */
#include <stdio.h>
#include <string.h>

#include "fastcgi/record.h"
#include "unit.h"

static char room[512];
static struct buf out;

static const uint8_t *reply(void)
{
    return (const uint8_t *)room;
}

static void open_reply(size_t size)
{
    memset(room, 0x5a, sizeof room);
    buf_init(&out, room, size);
}

START_TEST(headers_are_read_as_they_are_written)
{
    static const uint16_t edges[] = {0, 1, 0xff, 0x100, 0x7fff, 0x8000, 0xffff};
    size_t count = sizeof edges / sizeof edges[0];
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            uint8_t bytes[RECORD_HEADER_BYTES];
            struct record r;
            record_print(bytes, RECORD_STDIN, edges[i], edges[j]);
            bytes[6] = 255;
            ck_assert(record_parse(bytes, &r));
            ck_assert_uint_eq(r.type, RECORD_STDIN);
            ck_assert_uint_eq(r.id, edges[i]);
            ck_assert_uint_eq(r.content, edges[j]);
            ck_assert_uint_eq(r.padding, 255);
        }
}
END_TEST

START_TEST(only_version_1_is_known)
{
    uint8_t bytes[RECORD_HEADER_BYTES] = {0};
    struct record r;
    for (int version = 0; version < 256; version++) {
        bytes[0] = (uint8_t)version;
        ck_assert(record_parse(bytes, &r) == (version == 1));
    }
}
END_TEST

/* Every pair of lengths, in both forms, whole and one byte short. */
START_TEST(pairs_end_where_they_say)
{
    static const size_t lengths[] = {0, 1, 127, 128, 300};
    static uint8_t bytes[1024];
    for (int i = 0; i < 100; i++) {
        size_t name = lengths[i % 5], value = lengths[i / 5 % 5], n = 0;
        bool long_name = name > 127 || i >= 50;
        bool long_value = value > 127 || i / 25 % 2 == 1;
        struct record_pair p;
        if (long_name) {
            bytes[n++] = 0x80;
            bytes[n++] = 0;
            bytes[n++] = (uint8_t)(name >> 8);
        }
        bytes[n++] = (uint8_t)name;
        if (long_value) {
            bytes[n++] = 0x80;
            bytes[n++] = 0;
            bytes[n++] = (uint8_t)(value >> 8);
        }
        bytes[n++] = (uint8_t)value;
        size_t head = n;
        n += name + value;
        ck_assert(record_parse_pair(bytes, n, &p));
        ck_assert_uint_eq(p.name_len, name);
        ck_assert_uint_eq(p.value_len, value);
        ck_assert_uint_eq(p.length, n);
        ck_assert_ptr_eq(p.name, bytes + head);
        ck_assert_ptr_eq(p.value, bytes + head + name);
        ck_assert(!record_parse_pair(bytes, n - 1, &p));
    }
}
END_TEST

START_TEST(lengths_that_add_up_past_any_number_are_refused)
{
    static const uint8_t two_gib[] = {0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 'A'};
    static const uint8_t value_lies[] = {1, 0xff, 0xff, 0xff, 0xff, 'A'};
    struct record_pair p;
    for (size_t n = 0; n <= sizeof two_gib; n++)
        ck_assert(!record_parse_pair(two_gib, n, &p));
    for (size_t n = 0; n <= sizeof value_lies; n++)
        ck_assert(!record_parse_pair(value_lies, n, &p));
}
END_TEST

START_TEST(pairs_are_read_as_they_are_written)
{
    static const size_t lengths[] = {0, 1, 127, 128, 129, 255, 256, 40000};
    static char name[40001], value[40001], bytes[80020];
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < 8; j++) {
            struct record_pair pair;
            struct buf pairs;
            memset(name, 'n', lengths[i]);
            memset(value, 'v', lengths[j]);
            name[lengths[i]] = value[lengths[j]] = '\0';
            buf_init(&pairs, bytes, sizeof bytes);
            record_put_pair(&pairs, name, value);
            ck_assert(!pairs.overflow);
            ck_assert(record_parse_pair((uint8_t *)bytes, pairs.len, &pair));
            ck_assert_uint_eq(pair.length, pairs.len);
            ck_assert_uint_eq(pair.name_len, lengths[i]);
            ck_assert_uint_eq(pair.value_len, lengths[j]);
            ck_assert_mem_eq(pair.name, name, lengths[i]);
            ck_assert_mem_eq(pair.value, value, lengths[j]);
        }
}
END_TEST

START_TEST(an_end_carries_its_status)
{
    open_reply(sizeof room);
    record_put_end(&out, 0x1234, RECORD_UNKNOWN_ROLE);
    ck_assert_uint_eq(out.len, 16);
    ck_assert_mem_eq(room, "\1\3\x12\x34\0\10\0\0\0\0\0\0\3\0\0\0", 16);
}
END_TEST

START_TEST(an_unknown_type_is_named)
{
    open_reply(sizeof room);
    record_put_unknown_type(&out, 200);
    ck_assert_uint_eq(out.len, 16);
    ck_assert_mem_eq(room, "\1\13\0\0\0\10\0\0\xc8\0\0\0\0\0\0\0", 16);
}
END_TEST

static void ask(const char *query, size_t n)
{
    const struct record_values values = {4294967295U, 7};
    open_reply(sizeof room);
    record_put_values(&out, (const uint8_t *)query, n, &values);
    ck_assert(!out.overflow);
    ck_assert_uint_eq(reply()[1], RECORD_GET_VALUES_RESULT);
    ck_assert_uint_eq(out.len, 8u + reply()[5]);
}

#define CONNS "\16\0FCGI_MAX_CONNS"
#define REQS "\15\0FCGI_MAX_REQS"
#define MPXS "\17\0FCGI_MPXS_CONNS"

START_TEST(values_that_are_known_are_told)
{
    static const char all[] = MPXS "\1\3Xabc" REQS CONNS "\4\0FCGI";
    ask(all, sizeof all - 1);
    ck_assert_mem_eq(room + 8,
                     "\16\12FCGI_MAX_CONNS4294967295"
                     "\15\1FCGI_MAX_REQS7\17\1FCGI_MPXS_CONNS0",
                     out.len - 8);
}
END_TEST

START_TEST(nothing_known_gets_an_empty_answer)
{
    ask("", 0);
    ck_assert_uint_eq(out.len, 8);
    ask("\16\0fcgi_max_conns", 16); /* names are compared by case */
    ck_assert_uint_eq(out.len, 8);
    ask("\17\0FCGI_MAX_CONNS2", 17);
    ck_assert_uint_eq(out.len, 8);
}
END_TEST

START_TEST(a_query_that_is_cut_is_answered_as_far_as_it_goes)
{
    static const char query[] = CONNS REQS;
    for (size_t n = 0; n < sizeof query; n++) {
        char copy[sizeof query];
        memcpy(copy, query, n);
        ask(copy, n);
        size_t pairs = n >= 31 ? 26 + 16 : n >= 16 ? 26 : 0;
        ck_assert_uint_eq(out.len, 8 + pairs);
    }
}
END_TEST

/* libfcgi's own answer to this one writes past 64 bytes of its stack. */
START_TEST(a_name_asked_for_a_hundred_times_is_told_once)
{
    static char query[100 * 17];
    for (size_t i = 0; i < 100; i++)
        memcpy(query + 17 * i, MPXS, 17);
    ask(query, sizeof query);
    ck_assert_uint_eq(out.len, 8 + 18);
}
END_TEST

START_TEST(a_reply_that_does_not_fit_is_stated)
{
    for (size_t size = 1; size <= 16; size++) {
        open_reply(size);
        record_put_end(&out, 1, RECORD_REQUEST_COMPLETE);
        ck_assert(out.overflow);
        ck_assert_int_eq(room[size], 0x5a);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        headers_are_read_as_they_are_written,
        only_version_1_is_known,
        pairs_end_where_they_say,
        lengths_that_add_up_past_any_number_are_refused,
        pairs_are_read_as_they_are_written,
        an_end_carries_its_status,
        an_unknown_type_is_named,
        values_that_are_known_are_told,
        nothing_known_gets_an_empty_answer,
        a_query_that_is_cut_is_answered_as_far_as_it_goes,
        a_name_asked_for_a_hundred_times_is_told_once,
        a_reply_that_does_not_fit_is_stated};
    return UNIT_MAIN("record", tests);
}
