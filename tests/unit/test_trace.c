/* trace: request ids and trace contexts taken over, or made. */
#include <string.h>

#include "domain/trace.h"
#include "unit.h"

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

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
        ck_assert(strncmp(t.parent + 3, PARENT + 3, 32) != 0);
        ck_assert(is_lower_hex(t.parent + 3, 32));
        ck_assert_int_eq(strncmp(t.parent, t.child, 35), 0);
        ck_assert_str_eq(t.state, ""); /* it belongs to the parent */
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
    const TTest *const tests[] = {
        a_good_request_id_is_taken_over, a_bad_request_id_is_replaced,
        a_good_parent_keeps_its_trace, a_bad_parent_starts_a_trace,
        a_bad_state_is_dropped};
    return UNIT_MAIN("trace", tests);
}
