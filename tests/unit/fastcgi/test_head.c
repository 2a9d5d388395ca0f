/* head and record: the start of a request, whole, cut anywhere, or wrong. */
#include <string.h>

#include "fastcgi/head.h"
#include "fastcgi/record.h"
#include "unit.h"

static uint8_t params[4096];
static uint8_t bytes[8192];
static size_t length;

static const struct head_limits limits = {.max_params = 200,
                                          .max_param_count = 4};

static void put(uint8_t type, uint16_t id, const void *content, size_t n,
                uint8_t padding)
{
    record_print(bytes + length, (enum record_type)type, id, (uint16_t)n);
    bytes[length + 6] = padding;
    length += RECORD_HEADER_BYTES;
    if (n > 0)
        memcpy(bytes + length, content, n);
    memset(bytes + length + n, 0xee, padding);
    length += n + padding;
}

static void put_begin(uint8_t role, uint8_t flags)
{
    const uint8_t body[8] = {0, role, flags};
    put(RECORD_BEGIN_REQUEST, 7, body, sizeof body, 0);
}

/* Feed all bytes in pieces of `step`; the state they lead to. */
static enum head_state feed(struct head *h, size_t step)
{
    enum head_state state = HEAD_MORE;
    head_begin(h, &limits, params);
    for (size_t at = 0; at < length && state == HEAD_MORE;) {
        size_t n = length - at < step ? length - at : step, used = 0;
        /* What is not used is given again, with more behind it. */
        while (state == HEAD_MORE && at + n <= length) {
            state = head_feed(h, bytes + at, n, &used);
            at += used;
            if (used == n)
                break;
            if (state == HEAD_MORE && at + n - used == length)
                return state;
            n = n - used + (at + n - used < length ? 1 : 0);
        }
    }
    return state;
}

static void expect(enum head_state wanted)
{
    struct head h;
    for (size_t step = 1; step <= length; step++)
        ck_assert_int_eq(feed(&h, step), wanted);
}

START_TEST(a_head_may_be_cut_anywhere)
{
    struct head h;
    length = 0;
    put_begin(RECORD_RESPONDER, 1);
    put(RECORD_PARAMS, 7, "\1\2Axy", 5, 3);
    put(RECORD_PARAMS, 7, "\1\0B", 3, 255);
    put(RECORD_PARAMS, 7, NULL, 0, 9);
    for (size_t step = 1; step <= length; step++) {
        ck_assert_int_eq(feed(&h, step), HEAD_READY);
        ck_assert_uint_eq(h.id, 7);
        ck_assert(h.keep);
        ck_assert_uint_eq(h.params_len, 8);
        ck_assert_mem_eq(params, "\1\2Axy\1\0B", 8);
    }
}
END_TEST

START_TEST(no_parameters_are_complete)
{
    length = 0;
    put_begin(RECORD_RESPONDER, 0);
    put(RECORD_PARAMS, 7, NULL, 0, 0);
    expect(HEAD_READY);
}
END_TEST

START_TEST(other_roles_are_known_as_such)
{
    length = 0;
    put_begin(2, 0);
    expect(HEAD_WRONG_ROLE);
}
END_TEST

START_TEST(another_version_is_refused)
{
    length = 0;
    put_begin(RECORD_RESPONDER, 0);
    bytes[0] = 2;
    expect(HEAD_REFUSED);
}
END_TEST

START_TEST(begin_must_have_its_size_and_an_id)
{
    length = 0;
    put(RECORD_BEGIN_REQUEST, 7, "\0\1\0\0\0\0\0", 7, 0);
    expect(HEAD_REFUSED);
    length = 0;
    put(RECORD_BEGIN_REQUEST, 0, "\0\1\0\0\0\0\0\0", 8, 0);
    struct head h;
    enum head_state state = feed(&h, length);
    ck_assert(state == HEAD_REFUSED || state == HEAD_UNKNOWN_TYPE);
}
END_TEST

START_TEST(parameters_without_a_begin_are_refused)
{
    length = 0;
    put(RECORD_PARAMS, 7, "\1\1ab", 4, 0);
    expect(HEAD_REFUSED);
}
END_TEST

START_TEST(lengths_beyond_the_stream_are_refused)
{
    static const char *const pairs[] = {"\1\2Ax", "\x7f\1A",
                                        "\xff\xff\xff\xff\1A", "\1"};
    static const size_t sizes[] = {4, 3, 6, 1};
    for (int i = 0; i < 4; i++) {
        length = 0;
        put_begin(RECORD_RESPONDER, 0);
        put(RECORD_PARAMS, 7, pairs[i], sizes[i], 0);
        put(RECORD_PARAMS, 7, NULL, 0, 0);
        expect(HEAD_REFUSED);
    }
}
END_TEST

/* The head is ready, over this limit or none, and has `kept` bytes. */
static void expect_excess(const char *limit, size_t kept)
{
    for (size_t step = 1; step <= length; step++) {
        struct head h;
        params[limits.max_params] = 0xaa;
        ck_assert_int_eq(feed(&h, step), HEAD_READY);
        ck_assert_uint_eq(h.params_len, kept);
        ck_assert_uint_eq(params[limits.max_params], 0xaa);
        ck_assert((h.excess == NULL) == (limit == NULL));
        if (limit != NULL)
            ck_assert_ptr_nonnull(strstr(h.excess, limit));
    }
}

START_TEST(bytes_are_limited)
{
    uint8_t many[300] = {1, 100, 'A'};
    memcpy(many + 103, "\1\136B", 3); /* up to the last byte, */
    length = 0;
    put_begin(RECORD_RESPONDER, 0);
    put(RECORD_PARAMS, 7, many, 200, 0);
    put(RECORD_PARAMS, 7, NULL, 0, 0);
    expect_excess(NULL, 200);
    length -= RECORD_HEADER_BYTES; /* and beyond it */
    put(RECORD_PARAMS, 7, many, 1, 3);
    put(RECORD_PARAMS, 7, NULL, 0, 0);
    expect_excess("max_params", 200);
    /* One that is cut is none; what it says of its length may be a lie. */
    many[104] = 0x7f;
    length = 0;
    put_begin(RECORD_RESPONDER, 0);
    put(RECORD_PARAMS, 7, many, sizeof many, 0);
    put(RECORD_PARAMS, 7, many, sizeof many, 9);
    put(RECORD_PARAMS, 7, NULL, 0, 0);
    expect_excess("max_params", 103);
}
END_TEST

START_TEST(parameters_are_limited)
{
    static const uint8_t pairs[] = "\1\0A\1\0B\1\0C\1\0D\1\0E\1\0F\1\1G";
    for (size_t count = 4; count <= 6; count++) {
        length = 0;
        put_begin(RECORD_RESPONDER, 0);
        put(RECORD_PARAMS, 7, pairs, 3 * count, 0);
        put(RECORD_PARAMS, 7, NULL, 0, 0);
        expect_excess(count == 4 ? NULL : "max_param_count", 12);
    }
    length = 0; /* a lie behind those that fit */
    put_begin(RECORD_RESPONDER, 0);
    put(RECORD_PARAMS, 7, pairs, sizeof pairs - 1, 0);
    put(RECORD_PARAMS, 7, NULL, 0, 0);
    expect(HEAD_REFUSED);
}
END_TEST

START_TEST(management_stands_between_requests)
{
    struct head h;
    length = 0;
    put(RECORD_GET_VALUES, 0, "\16\0FCGI_MAX_CONNS", 16, 0);
    ck_assert_int_eq(feed(&h, length), HEAD_VALUES);
    ck_assert_uint_eq(h.params_len, 16);
    length = 0;
    put(99, 0, "abc", 3, 0);
    ck_assert_int_eq(feed(&h, length), HEAD_UNKNOWN_TYPE);
    ck_assert_uint_eq(h.type, 99);
}
END_TEST

START_TEST(values_are_told_once_each)
{
    char room[256];
    struct buf out;
    uint8_t query[400];
    size_t n = 0;
    const struct record_values values = {512, 8};
    for (int i = 0; i < 20; i++) {
        memcpy(query + n, "\15\0FCGI_MAX_REQS", 15);
        n += 15;
    }
    buf_init(&out, room, sizeof room);
    record_put_values(&out, query, n, &values);
    ck_assert(!out.overflow);
    ck_assert_int_eq(room[1], RECORD_GET_VALUES_RESULT);
    ck_assert_ptr_nonnull(memmem(room, out.len, "FCGI_MAX_REQS8", 14));
    char *first = memmem(room, out.len, "FCGI_MAX_REQS", 13);
    ck_assert_ptr_null(memmem(first + 1, out.len - (size_t)(first + 1 - room),
                              "FCGI_MAX_REQS", 13));
}
END_TEST

START_TEST(pairs_have_short_and_long_lengths)
{
    struct record_pair p;
    static uint8_t pair[400] = "\1\x80\0\1\54A";
    ck_assert(record_parse_pair(pair, 6 + 300, &p));
    ck_assert_uint_eq(p.name_len, 1);
    ck_assert_uint_eq(p.value_len, 300);
    ck_assert_uint_eq(p.length, 6 + 300);
    ck_assert(!record_parse_pair(pair, 6 + 299, &p));
    for (size_t n = 0; n < 6; n++)
        ck_assert(!record_parse_pair(pair, n, &p));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_head_may_be_cut_anywhere,
                                  no_parameters_are_complete,
                                  other_roles_are_known_as_such,
                                  another_version_is_refused,
                                  begin_must_have_its_size_and_an_id,
                                  parameters_without_a_begin_are_refused,
                                  lengths_beyond_the_stream_are_refused,
                                  bytes_are_limited,
                                  parameters_are_limited,
                                  management_stands_between_requests,
                                  values_are_told_once_each,
                                  pairs_have_short_and_long_lengths};
    return UNIT_MAIN("head", tests);
}
