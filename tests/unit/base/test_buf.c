/* buf and clock: text that never overflows, time that never goes back. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "unit.h"

START_TEST(text_is_appended_and_terminated)
{
    char room[32];
    struct buf b;
    buf_init(&b, room, sizeof room);
    ck_assert_str_eq(room, "");
    buf_str(&b, "ab");
    buf_char(&b, 'c');
    buf_printf(&b, "-%d", 42);
    ck_assert_str_eq(room, "abc-42");
    ck_assert_uint_eq(b.len, 6);
    ck_assert(!b.overflow);
}
END_TEST

START_TEST(what_does_not_fit_is_stated)
{
    for (size_t size = 1; size < 12; size++) {
        char room[16];
        struct buf b;
        memset(room, 'z', sizeof room);
        buf_init(&b, room, size);
        buf_str(&b, "0123");
        buf_printf(&b, "%s", "456789");
        ck_assert(b.overflow == (size < 11));
        ck_assert_uint_lt(b.len, size);
        ck_assert_uint_eq(strlen(room), b.len);
        ck_assert_int_eq(room[size], 'z');
    }
}
END_TEST

START_TEST(numbers_are_those_of_printf)
{
    char room[32], wanted[32];
    struct buf b;
    uint64_t value = 0;
    for (int i = 0; i < 64 * 3; i++) {
        buf_init(&b, room, sizeof room);
        buf_uint(&b, value);
        snprintf(wanted, sizeof wanted, "%" PRIu64, value);
        ck_assert_str_eq(room, wanted);
        /* 0, then each power of two, one less and one more; at last the most */
        value = ((uint64_t)1 << i / 3) + (uint64_t)(i % 3) - 1;
    }
    buf_init(&b, room, sizeof room);
    buf_uint(&b, UINT64_MAX);
    ck_assert_str_eq(room, "18446744073709551615");
    buf_init(&b, room, 20);
    buf_uint(&b, UINT64_MAX);
    ck_assert(b.overflow);
}
END_TEST

START_TEST(time_does_not_go_back)
{
    int64_t before = clock_now();
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_now();
        ck_assert_int_ge(now, before);
        before = now;
    }
    ck_assert_int_gt(clock_wall(), INT64_C(1700000000) * CLOCK_SECOND);
}
END_TEST

START_TEST(waits_are_rounded_up_and_bounded)
{
    ck_assert_int_eq(clock_poll_ms(CLOCK_NEVER, 5), -1);
    ck_assert_int_eq(clock_poll_ms(5, 5), 0);
    ck_assert_int_eq(clock_poll_ms(4, 5), 0);
    ck_assert_int_eq(clock_poll_ms(6, 5), 1);
    ck_assert_int_eq(clock_poll_ms(CLOCK_MS, 0), 1);
    ck_assert_int_eq(clock_poll_ms(CLOCK_MS + 1, 0), 2);
    ck_assert_int_eq(clock_poll_ms(CLOCK_NEVER - 1, 0), INT_MAX);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        text_is_appended_and_terminated, what_does_not_fit_is_stated,
        numbers_are_those_of_printf, time_does_not_go_back,
        waits_are_rounded_up_and_bounded};
    return UNIT_MAIN("buf", tests);
}
