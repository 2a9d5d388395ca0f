/* rate_bound: the limit keeps its promise at every rate, and is no larger than
 * it has to be. The distribution is summed up here, term by term. */
#include <math.h>

#include "compare/rate_bound.h"
#include "unit.h"

/* P(X <= k), X binomial. */
static long double at_most(unsigned k, unsigned n, long double p)
{
    long double term = powl(1 - p, (long double)n), sum = term;
    for (unsigned i = 0; i < k; i++) {
        term *= (long double)(n - i) / (long double)(i + 1) * p / (1 - p);
        sum += term;
    }
    return sum;
}

START_TEST(it_is_where_five_percent_are_left)
{
    for (unsigned n = 1; n <= 300; n += 1 + n / 7)
        for (unsigned k = 0; k < n; k += 1 + k / 5) {
            long double left =
                at_most(k, n, (long double)rate_bound_upper(k, n));
            ck_assert_msg(left <= 0.05L && left > 0.05L * (1 - 1e-5L),
                          "%u of %u: %.12Lf", k, n, left);
        }
}
END_TEST

/* The guarantee itself: whatever the rate, at most 5 % of the samples lead to a
 * limit below it. */
START_TEST(no_rate_is_missed_too_often)
{
    for (unsigned n = 1; n <= 60; n += 7)
        for (int step = 1; step < 200; step++) {
            long double p = (long double)step / 200, missed = 0;
            for (unsigned k = 0; k <= n; k++)
                if ((long double)rate_bound_upper(k, n) < p)
                    missed +=
                        at_most(k, n, p) - (k == 0 ? 0 : at_most(k - 1, n, p));
            ck_assert_msg(missed <= 0.05L + 1e-12L, "n %u, p %.3Lf: %.6Lf", n,
                          p, missed);
        }
}
END_TEST

START_TEST(nothing_found_is_the_rule_of_three)
{
    ck_assert_double_eq_tol(rate_bound_upper(0, 1), 0.95, 1e-8);
    ck_assert_double_eq_tol(rate_bound_upper(0, 100), 0.0295130, 1e-6);
    for (uint64_t n = 1000; n < UINT64_C(1000000000000); n *= 10) {
        double nth = rate_bound_upper(0, n) * (double)n;
        ck_assert_double_lt(nth, 2.99574);
        ck_assert_double_gt(nth, 2.99);
    }
}
END_TEST

START_TEST(edges)
{
    ck_assert_double_eq(rate_bound_upper(0, 0), 1);
    ck_assert_double_eq(rate_bound_upper(1, 1), 1);
    ck_assert_double_eq(rate_bound_upper(1000000, 1000000), 1);
    ck_assert_double_lt(rate_bound_upper(999999, 1000000), 1);
}
END_TEST

/* Of many, the normal distribution is near (1.6448536 is its 95th part of a
 * hundred), and the limit grows with k and falls with n. */
START_TEST(large_samples)
{
    static const uint64_t sizes[] = {10000, 1000000, 1000000000};
    for (int i = 0; i < 3; i++) {
        double n = (double)sizes[i], before = 0;
        for (uint64_t k = 1; k < sizes[i]; k = k * 3 + 1) {
            double p = (double)k / n, bound = rate_bound_upper(k, sizes[i]);
            ck_assert(bound > before && bound > p && bound <= 1);
            ck_assert(rate_bound_upper(k, sizes[i] * 2) < bound);
            if (k > 1000 && p < 0.5)
                ck_assert_double_eq_tol((bound - p) / sqrt(p * (1 - p) / n),
                                        1.6448536, 0.06);
            before = bound;
        }
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        it_is_where_five_percent_are_left,
        no_rate_is_missed_too_often,
        nothing_found_is_the_rule_of_three,
        edges,
        large_samples,
    };
    return UNIT_MAIN("rate_bound", tests);
}
