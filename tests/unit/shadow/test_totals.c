/* totals: several pools come to one sum, and no other text is taken for it. */
#include "shadow/totals.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static struct totals_pool pool(uint64_t number, uint64_t sampled,
                               uint64_t equal)
{
    return (struct totals_pool){.number = number,
                                .pid = 7,
                                .counted = {.counts[TOTALS_sampled] = sampled,
                                            .kinds[PARITY_equal] = equal}};
}

static void expect_sum(const struct totals *t, uint64_t sampled, uint64_t equal)
{
    struct totals_set sum;
    totals_sum(t, &sum);
    ck_assert_uint_eq(sum.counts[TOTALS_sampled], sampled);
    ck_assert_uint_eq(sum.kinds[PARITY_equal], equal);
}

static void update(struct totals *t, struct totals_pool p, int64_t now)
{
    totals_update(t, &p, now);
}

START_TEST(pools_that_follow_each_other_are_added_up)
{
    struct totals t;
    totals_begin(&t, 100);
    expect_sum(&t, 0, 0);
    update(&t, pool(1, 5, 4), 110);
    update(&t, pool(1, 6, 5), 120);
    update(&t, pool(1, 6, 5), 130); /* what was saved already */
    expect_sum(&t, 6, 5);
    ck_assert_uint_eq(t.pools, 1);
    update(&t, pool(2, 1, 0), 140);
    expect_sum(&t, 7, 5);
    update(&t, pool(2, 10, 9), 150);
    expect_sum(&t, 16, 14);
    ck_assert_uint_eq(t.pools, 2);
    ck_assert_int_eq(t.began, 100);
    ck_assert_int_eq(t.saved, 150);
}
END_TEST

START_TEST(a_reset_begins_in_the_middle_of_a_pool)
{
    struct totals t;
    totals_begin(&t, 100);
    update(&t, pool(1, 5, 4), 110);
    update(&t, pool(2, 10, 9), 120);
    totals_reset(&t, 130);
    expect_sum(&t, 0, 0);
    ck_assert_int_eq(t.began, 130);
    ck_assert_uint_eq(t.pools, 1);
    update(&t, pool(2, 12, 10), 140);
    expect_sum(&t, 2, 1);
    update(&t, pool(3, 1, 1), 150);
    expect_sum(&t, 3, 2);
    ck_assert_uint_eq(t.pools, 2);
    totals_begin(&t, 200);
    totals_reset(&t, 210); /* nobody has counted yet */
    ck_assert_uint_eq(t.pools, 0);
    update(&t, pool(4, 3, 3), 220);
    expect_sum(&t, 3, 3);
    ck_assert_uint_eq(t.pools, 1);
}
END_TEST

START_TEST(counters_that_go_back_do_not_wrap)
{
    struct totals t;
    totals_begin(&t, 0);
    update(&t, pool(1, 10, 10), 1);
    totals_reset(&t, 2);
    update(&t, pool(1, 3, 10), 3);
    expect_sum(&t, 3, 0);
}
END_TEST

static void fill(struct totals *t)
{
    totals_begin(t, 1000);
    t->saved = 2000;
    t->pools = 3;
    t->pool = UINT64_MAX;
    t->pid = INT32_MAX;
    struct totals_set *const sets[] = {&t->past, &t->base, &t->now};
    for (int s = 0; s < 3; s++) {
        for (int i = 0; i < TOTALS_COUNT; i++)
            sets[s]->counts[i] = UINT64_MAX - (uint64_t)(s * 100 + i);
        for (int k = 0; k < PARITY_COUNT; k++)
            sets[s]->kinds[k] = UINT64_MAX - (uint64_t)(s * 1000 + k);
    }
}

START_TEST(what_is_printed_is_read)
{
    static char text[TOTALS_TEXT_MAX];
    struct totals t, again;
    struct buf out;
    char why[80];
    fill(&t); /* the longest there can be */
    for (int turn = 0; turn < 2; turn++) {
        buf_init(&out, text, sizeof text);
        totals_print(&t, &out);
        ck_assert(!out.overflow);
        ck_assert_msg(totals_read(&again, text, out.len, why, sizeof why), "%s",
                      why);
        ck_assert_mem_eq(&t, &again, sizeof t);
        totals_begin(&t, 5);
    }
}
END_TEST

/* Cut anywhere, or with any bit of it turned. */
START_TEST(what_was_damaged_is_refused)
{
    char text[1024], why[80];
    struct totals t, again;
    struct buf out;
    totals_begin(&t, 1000);
    update(&t, pool(77, 42, 40), 1010);
    buf_init(&out, text, sizeof text);
    totals_print(&t, &out);
    for (size_t n = 0; n < out.len; n++) {
        ck_assert(!totals_read(&again, text, n, why, sizeof why));
        ck_assert_str_ne(why, "");
    }
    for (size_t i = 0; i < 8 * out.len; i++) {
        text[i / 8] ^= (char)(1 << i % 8);
        ck_assert_msg(!totals_read(&again, text, out.len, why, sizeof why),
                      "bit %zu of %s", i, text);
        text[i / 8] ^= (char)(1 << i % 8);
    }
    text[out.len] = '\n';
    ck_assert(!totals_read(&again, text, out.len + 1, why, sizeof why));
    ck_assert(totals_read(&again, text, out.len, why, sizeof why));
}
END_TEST

START_TEST(anything_else_is_refused)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "no totals"},
        {"root:x:0:0::/root:/bin/sh\n", "no totals"},
        {"tallyd-shadow-totals 2\nbegan 1\n", "no totals"},
        {"tallyd-shadow-totals 1\n", "cut"},
        {"tallyd-shadow-totals 1\nbegan\n", "makes no sense"},
        {"tallyd-shadow-totals 1\nbegan \n", "makes no sense"},
        {"tallyd-shadow-totals 1\n 1\n", "makes no sense"},
        {"tallyd-shadow-totals 1\nbegan -1\n", "makes no sense"},
        {"tallyd-shadow-totals 1\nbegan 1 \n", "makes no sense"},
        {"tallyd-shadow-totals 1\nbegan 18446744073709551616\n",
         "makes no sense"},
        {"tallyd-shadow-totals 1\nbegan 99999999999999999999999999\n",
         "makes no sense"},
        {"tallyd-shadow-totals 1\nnow.kind.nothing 1\n", "another version"},
        {"tallyd-shadow-totals 1\nnow.nothing 1\n", "another version"},
        {"tallyd-shadow-totals 1\nelse 1\n", "another version"},
        {"tallyd-shadow-totals 1\ncheck 1\n", "changed"},
    };
    char why[80];
    struct totals t;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert(!totals_read(&t, cases[i].text, strlen(cases[i].text), why,
                               sizeof why));
        ck_assert_msg(strstr(why, cases[i].why) != NULL, "%s: %s",
                      cases[i].text, why);
    }
    char text[200]; /* a name without end */
    memset(text, 'x', sizeof text);
    memcpy(text, "tallyd-shadow-totals 1\n", 23);
    text[sizeof text - 1] = '\n';
    ck_assert(!totals_read(&t, text, sizeof text, why, sizeof why));
    ck_assert(!totals_read(&t, "tallyd-shadow-totals 1\n\0\0 1\n", 28, why,
                           sizeof why));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {pools_that_follow_each_other_are_added_up,
                                  a_reset_begins_in_the_middle_of_a_pool,
                                  counters_that_go_back_do_not_wrap,
                                  what_is_printed_is_read,
                                  what_was_damaged_is_refused,
                                  anything_else_is_refused};
    return UNIT_MAIN("totals", tests);
}
