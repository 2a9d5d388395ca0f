/* skim_real: numbers as doubles, for skim_impl.h, which includes this behind
 * skim_values.h; as there, NULL says that it will not. */

#include "decode/json.h"

/* A number longer than this is left to decode/scan. */
#define REAL_BYTES_MAX 63

static bool rounded(const uint8_t *from, const uint8_t *to, double *value)
{
    char text[REAL_BYTES_MAX + 1];
    size_t n = (size_t)(to - from);
    if (n > REAL_BYTES_MAX)
        return false;
    memcpy(text, from, n);
    text[n] = '\0';
    *value = json_double(text);
    return true;
}

/* Any number, as the nearest double. Up to 15 digits and such a power of ten
 * are exact as doubles, so their quotient is correctly rounded (Clinger, How to
 * read floating point numbers accurately, 1990); others are left to
 * json_double(). */
static const uint8_t *real(const uint8_t *p, const uint8_t *end, double *value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3, 1e4,  1e5,
                                    1e6,  1e7,  1e8,  1e9, 1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15};
    const uint8_t *from = p, *behind = number(p, end);
    if (behind == NULL || behind > end)
        return NULL;
    bool minus = *p == '-';
    uint64_t digits = 0;
    unsigned count = 0, decimals = 0;
    for (p += minus; p < behind && count <= 15; p++) {
        if (*p == '.') {
            decimals = 1;
        } else if (!is_digit(*p)) {
            count = 16; /* an exponent */
        } else {
            digits = digits * 10 + (*p - '0');
            count++;
            decimals += decimals != 0;
        }
    }
    if (count > 15)
        return rounded(from, behind, value) ? behind : NULL;
    double whole = (double)digits / powers[decimals == 0 ? 0 : decimals - 1];
    *value = minus ? -whole : whole;
    return behind;
}
