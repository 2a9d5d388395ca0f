/* rate_bound: see rate_bound.h. */
#include "compare/rate_bound.h"

#include <math.h>

#define CHANCE 0.05

/* What the arithmetic below may be wrong by; the limit is raised by that. */
#define SLACK 1e-9

#define TERMS_MAX 100000
#define TINY 1e-300

static double away_from_zero(double x)
{
    return fabs(x) < TINY ? TINY : x;
}

/* The continued fraction of the incomplete beta function (Abramowitz and
 * Stegun, 26.5.8), by Lentz's method; it needs some sqrt(max(a, b)) terms. */
static double fraction(double a, double b, double x)
{
    double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
    double value = d;
    for (int m = 1; m < TERMS_MAX; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / away_from_zero(1 + even * d);
        c = away_from_zero(1 + even / c);
        value *= c * d;
        double odd =
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / away_from_zero(1 + odd * d);
        c = away_from_zero(1 + odd / c);
        value *= c * d;
        if (fabs(c * d - 1) < 1e-15)
            break;
    }
    return value;
}

/* I_x(a, b); `y` is 1 - x, which cannot be had from x when x is near 1. */
static double beta(double a, double b, double x, double y)
{
    double front =
        exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y));
    if (x < (a + 1) / (a + b + 2))
        return front * fraction(a, b, x) / a;
    return 1 - front * fraction(b, a, y) / b;
}

/* The probability of k or fewer of n at the rate p (A & S, 26.5.24). */
static double at_most(double k, double n, double p)
{
    return 1 - beta(k + 1, n - k, p, 1 - p);
}

double rate_bound_upper(uint64_t k, uint64_t n)
{
    if (k >= n)
        return 1;
    if (k == 0)
        return -expm1(log(CHANCE) / (double)n) * (1 + SLACK);
    double low = (double)k / (double)n, high = 1;
    for (int i = 0; i < 200 && high - low > high * SLACK / 4; i++) {
        double middle = low + (high - low) / 2;
        if (at_most((double)k, (double)n, middle) > CHANCE)
            low = middle;
        else
            high = middle;
    }
    high *= 1 + SLACK;
    return high < 1 ? high : 1;
}
