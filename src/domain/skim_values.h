/* skim_values: the strings, numbers and words of skim_impl.h, which includes
 * this once per instruction set. Rules and macros are told there. */

#include <endian.h>
#include <string.h>

static inline bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static inline const uint8_t *blank(const uint8_t *p, const uint8_t *end)
{
    if (*p > ' ')
        return p;
    while (p < end && is_blank(*p))
        p++;
    return p;
}

static inline bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') < 10;
}

/* --- Strings. --- */

static inline bool is_hex(uint8_t c)
{
    uint8_t lower = c | 0x20;
    return is_digit(c) || (lower >= 'a' && lower <= 'f');
}

/* After a backslash. */
static const uint8_t *escape(const uint8_t *p)
{
    switch (*p) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 1;
    case 'u':
        return is_hex(p[1]) && is_hex(p[2]) && is_hex(p[3]) && is_hex(p[4])
                   ? p + 5
                   : NULL;
    default:
        return NULL;
    }
}

static inline bool is_tail(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* A character of several bytes; the table of RFC 3629, 4. */
static const uint8_t *character(const uint8_t *p)
{
    uint8_t c = *p, next = p[1];
    if (c < 0xc2 || !is_tail(next))
        return NULL;
    if (c < 0xe0)
        return p + 2;
    if (!is_tail(p[2]))
        return NULL;
    if (c < 0xf0)
        return (c == 0xe0 && next < 0xa0) || (c == 0xed && next > 0x9f) ? NULL
                                                                        : p + 3;
    if (!is_tail(p[3]) || c > 0xf4 || (c == 0xf0 && next < 0x90) ||
        (c == 0xf4 && next > 0x8f))
        return NULL;
    return p + 4;
}

/* After the opening quote. */
static inline const uint8_t *string(const uint8_t *p, const uint8_t *end)
{
    while (p < end) {
        uint64_t special = not_plain(p);
        if (special == 0) {
            p += SKIM_WIDTH;
            continue;
        }
        p += (unsigned)__builtin_ctzll(special) / SKIM_BITS;
        if (*p == '"')
            return p + 1;
        if (*p == '\\')
            p = escape(p + 1);
        else if (*p >= 0x80)
            p = character(p);
        else
            return NULL;
        if (p == NULL)
            return NULL;
    }
    return NULL;
}

/* --- Numbers. --- */

/* How many of the eight bytes at p are digits before the first that is not. A
 * byte is a digit when its high half is 3 and adding 6 does not change that
 * (Lemire and others call it SWAR, "SIMD within a register"). */
static inline unsigned digits_at(const uint8_t *p, uint64_t *word)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    w = le64toh(w); /* the first byte lowest, on every machine */
    *word = w;
    uint64_t high =
        (w & UINT64_C(0xf0f0f0f0f0f0f0f0)) ^ UINT64_C(0x3030303030303030);
    uint64_t more =
        ((w + UINT64_C(0x0606060606060606)) & UINT64_C(0xf0f0f0f0f0f0f0f0)) ^
        UINT64_C(0x3030303030303030);
    uint64_t other = high | more;
    return other == 0 ? 8 : (unsigned)__builtin_ctzll(other) / 8;
}

/* The value of the first `n` (1 to 8) digits of `word`: shifted so that the
 * last is on top, zeros below, then pairs, fours and eight are joined. */
static inline uint64_t digits_value(uint64_t word, unsigned n)
{
    uint64_t w = (word & UINT64_C(0x0f0f0f0f0f0f0f0f)) << (64 - 8 * n);
    w = w * 10 + (w >> 8);
    return (((w & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064) +
             ((w >> 16) & UINT64_C(0x000000ff000000ff)) *
                 UINT64_C(0x0000271000000001)) >>
            32);
}

/* A plain integer of up to 18 digits and nothing more. */
static inline const uint8_t *integer(const uint8_t *p, int64_t *value)
{
    uint64_t word, sum;
    bool minus = *p == '-';
    p += minus;
    unsigned n = digits_at(p, &word);
    if (n == 0 || (*p == '0' && n > 1))
        return NULL;
    sum = digits_value(word, n);
    p += n;
    if (n == 8) {
        unsigned count = 8;
        for (; is_digit(*p) && count < 19; count++)
            sum = sum * 10 + (*p++ - '0');
        if (count > 18)
            return NULL;
    }
    if (*p == '.' || (*p | 0x20) == 'e')
        return NULL;
    *value = minus ? -(int64_t)sum : (int64_t)sum;
    return p;
}

/* A run of digits of any length. */
static const uint8_t *digits(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *from = p;
    while (p < end && is_digit(*p))
        p++;
    return p > from ? p : NULL;
}

/* After the last digit of a mantissa. */
static const uint8_t *exponent(const uint8_t *p, const uint8_t *end)
{
    p++;
    p += *p == '+' || *p == '-';
    return digits(p, end);
}

/* Longer than a register. */
static const uint8_t *long_number(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *from = p;
    if ((p = digits(p, end)) == NULL || (*from == '0' && p > from + 1))
        return NULL;
    if (*p == '.' && (p = digits(p + 1, end)) == NULL)
        return NULL;
    return (*p | 0x20) == 'e' ? exponent(p, end) : p;
}

/* One look at the bytes finds the ends of the digits before and after the
 * point. */
static inline const uint8_t *number(const uint8_t *p, const uint8_t *end)
{
    p += *p == '-';
    uint64_t other = not_digit(p);
    if (other == 0)
        return long_number(p, end);
    unsigned n = (unsigned)__builtin_ctzll(other) / SKIM_BITS;
    if (n == 0 || (*p == '0' && n > 1))
        return NULL;
    if (p[n] == '.') {
        other = other >> (n * SKIM_BITS) >> SKIM_BITS;
        if (other == 0)
            return long_number(p, end);
        unsigned more = (unsigned)__builtin_ctzll(other) / SKIM_BITS;
        if (more == 0)
            return NULL;
        n += 1 + more;
    }
    p += n;
    return (*p | 0x20) == 'e' ? exponent(p, end) : p;
}

/* --- Values without others inside. --- */

static inline const uint8_t *word(const uint8_t *p)
{
    if (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0)
        return p + 4;
    return memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
}

static inline const uint8_t *scalar(const uint8_t *p, const uint8_t *end)
{
    if (*p == '"')
        return string(p + 1, end);
    if (*p == '-' || is_digit(*p))
        return number(p, end);
    return word(p);
}
