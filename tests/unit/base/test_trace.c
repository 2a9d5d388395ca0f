/* trace: request ids and trace contexts taken over, or made. */
#include <stdbool.h>
#include <string.h>

#include "base/trace.h"
#include "unit.h"

#define PARENT_REST "-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define PARENT "00" PARENT_REST

static uint8_t random_bytes[TRACE_RANDOM_BYTES];

static struct trace make(const char *id, const char *parent, const char *state)
{
    struct trace t;
    for (size_t i = 0; i < sizeof random_bytes; i++)
        random_bytes[i] = (uint8_t)(i * 37 + 11);
    trace_make(&t, id, parent, state, random_bytes);
    return t;
}

static bool is_lower_hex(const char *text, size_t n)
{
    return strspn(text, "0123456789abcdef") >= n;
}

START_TEST(a_good_request_id_is_taken_over)
{
    struct trace t = make("order-7.b_x", NULL, NULL);
    ck_assert_str_eq(t.request_id, "order-7.b_x");
}
END_TEST

START_TEST(a_bad_request_id_is_replaced)
{
    char longest[TRACE_ID_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[TRACE_ID_MAX + 1] = '\0';
    const char *const bad[] = {NULL,   "",     "a b",  "a\r\nSet-Cookie: x",
                               "\x80", "a\tb", longest};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct trace t = make(bad[i], NULL, NULL);
        ck_assert_uint_eq(strlen(t.request_id), 32);
        ck_assert(is_lower_hex(t.request_id, 32));
    }
    longest[TRACE_ID_MAX] = '\0';
    ck_assert_str_eq(make(longest, NULL, NULL).request_id, longest);
}
END_TEST

START_TEST(a_good_parent_keeps_its_trace)
{
    struct trace t = make(NULL, PARENT, "vendor=1");
    ck_assert_int_eq(strncmp(t.parent, PARENT, 35), 0);
    ck_assert_int_eq(strncmp(t.child, PARENT, 35), 0);
    ck_assert_uint_eq(strlen(t.child), TRACE_PARENT_LEN);
    ck_assert_str_ne(t.child, PARENT);
    ck_assert_str_eq(t.child + 52, "-01");
    ck_assert_str_eq(t.state, "vendor=1");
}
END_TEST

START_TEST(a_bad_parent_starts_a_trace)
{
    const char *const bad[] = {
        NULL,
        "",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
        "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
        PARENT "-more",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct trace t = make(NULL, bad[i], "vendor=1");
        ck_assert_uint_eq(strlen(t.parent), TRACE_PARENT_LEN);
        ck_assert(strncmp(t.parent + 3, &PARENT[3], 32) != 0);
        ck_assert(is_lower_hex(t.parent + 3, 32));
        ck_assert_int_eq(strncmp(t.parent, t.child, 35), 0);
        ck_assert_str_eq(t.state, ""); /* it belongs to the parent */
    }
}
END_TEST

START_TEST(a_later_version_is_read_as_the_first)
{
    /* Trace Context, 4.3: it may be longer, after one more dash. */
    struct trace t = make(NULL, "cc" PARENT_REST "-what-the-future-holds", "");
    ck_assert_int_eq(strncmp(t.parent + 3, &PARENT[3], 32), 0);
    ck_assert_uint_eq(strlen(t.parent), TRACE_PARENT_LEN);
    ck_assert_int_eq(strncmp(t.child, PARENT, 35), 0);
    ck_assert_uint_eq(strlen(t.child), TRACE_PARENT_LEN);
    t = make(NULL, "cc" PARENT_REST, "");
    ck_assert_int_eq(strncmp(t.child, PARENT, 35), 0);
    t = make(NULL, "cc" PARENT_REST ".x", "");
    ck_assert(strncmp(t.child, PARENT, 35) != 0);
}
END_TEST

/* Trace Context, 3.2.2.5.2 and 4.3: all but `sampled` leave as zero. */
START_TEST(flags_nobody_knows_are_not_passed_on)
{
    static const char *const flags[][2] = {
        {"00", "00"}, {"01", "01"}, {"ff", "01"}, {"fe", "00"}, {"09", "01"}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        char parent[] = PARENT;
        memcpy(parent + 53, flags[i][0], 2);
        ck_assert_str_eq(make(NULL, parent, NULL).child + 53, flags[i][1]);
    }
}
END_TEST

START_TEST(every_cut_of_a_parent_is_bad)
{
    for (size_t n = 0; n < TRACE_PARENT_LEN; n++) {
        char cut[] = PARENT;
        cut[n] = '\0';
        struct trace t = make(NULL, cut, NULL);
        ck_assert(strncmp(t.parent + 3, &PARENT[3], 32) != 0);
        cut[n] = '\xff';
        t = make(NULL, cut, NULL);
        ck_assert(strncmp(t.parent, PARENT, TRACE_PARENT_LEN) != 0);
        ck_assert(is_lower_hex(t.parent + 3, 32));
    }
}
END_TEST

START_TEST(other_randomness_makes_other_names)
{
    struct trace a = make(NULL, NULL, NULL), b;
    for (size_t bit = 0; bit < 8 * TRACE_RANDOM_BYTES; bit++) {
        uint8_t one = (uint8_t)(1u << bit % 8);
        random_bytes[bit / 8] ^= one;
        trace_make(&b, NULL, NULL, NULL, random_bytes);
        random_bytes[bit / 8] ^= one;
        ck_assert(strcmp(a.request_id, b.request_id) != 0 ||
                  strcmp(a.child, b.child) != 0);
    }
    /* What the client is told and what goes downstream do not share bytes. */
    ck_assert_ptr_null(strstr(a.parent + 3, a.request_id));
}
END_TEST

START_TEST(only_harmless_bytes_make_a_request_id)
{
    for (int c = 1; c < 256; c++) {
        const char id[] = {'a', (char)c, 'b', '\0'};
        struct trace t = make(id, NULL, NULL);
        bool harmless = c < 0x80 && (c == '-' || c == '_' || c == '.' ||
                                     strchr(":+/=@0123456789", c) != NULL ||
                                     ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'));
        ck_assert_msg((strcmp(t.request_id, id) == 0) == harmless, "0x%02x", c);
    }
}
END_TEST

START_TEST(the_longest_state_fits)
{
    char longest[TRACE_STATE_MAX + 1];
    memset(longest, 'a', sizeof longest);
    longest[TRACE_STATE_MAX] = '\0';
    ck_assert_str_eq(make(NULL, PARENT, longest).state, longest);
    for (int c = 1; c < 256; c++) {
        const char state[] = {'a', '=', (char)c, '\0'};
        bool printable = c >= 0x20 && c < 0x7f;
        ck_assert_int_eq(make(NULL, PARENT, state).state[0] != '\0', printable);
    }
}
END_TEST

START_TEST(a_bad_state_is_dropped)
{
    char longest[TRACE_STATE_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[TRACE_STATE_MAX + 1] = '\0';
    ck_assert_str_eq(make(NULL, PARENT, longest).state, "");
    ck_assert_str_eq(make(NULL, PARENT, "a=1\r\nX: y").state, "");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_good_request_id_is_taken_over,
                                  a_bad_request_id_is_replaced,
                                  a_good_parent_keeps_its_trace,
                                  a_bad_parent_starts_a_trace,
                                  a_later_version_is_read_as_the_first,
                                  flags_nobody_knows_are_not_passed_on,
                                  every_cut_of_a_parent_is_bad,
                                  other_randomness_makes_other_names,
                                  only_harmless_bytes_make_a_request_id,
                                  the_longest_state_fits,
                                  a_bad_state_is_dropped};
    return UNIT_MAIN("trace", tests);
}
