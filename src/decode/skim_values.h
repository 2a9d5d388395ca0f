/* skim_values: strings, numbers and words in one piece of memory, for
 * skim_impl.h and skim_memory.c.
 *
 * Before: SKIM_WIDTH with three operations on so many bytes:
 *
 *   uint64_t not_plain(p)  SKIM_BITS bits, not all 0, for each byte at p that
 *                          ends a run of plain text in a string: a quote, a
 *                          backslash, a control character, not ASCII
 *   uint64_t not_digit(p)  the same for each byte that is no digit
 *   uint64_t among(p, least, most)
 *                          SKIM_BITS bits, all 1, for each byte at p from
 *                          `least` to `most`, which are both ASCII or both not
 *
 * Every function takes a place and gives the place behind what it stepped
 * over, NULL when it will not. `end` is looked at before each token; within a
 * token reading may go up to SKIM_SLACK bytes past it, and what was found
 * there is thrown away, since an item must end before `end`. */

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

/* After the opening quote, character by character. */
static const uint8_t *long_string(const uint8_t *p, const uint8_t *end)
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

/* The bytes that may follow a backslash, other than `u`. */
static inline uint64_t escape_letters(const uint8_t *p)
{
    return among(p, '/', '/') | among(p, 'b', 'b') | among(p, 'f', 'f') |
           among(p, 'n', 'n') | among(p, 'r', 'r') | among(p, 't', 't');
}

/* The bytes that are not in their place in UTF-8; characters of four bytes, and
 * of three that begin with E0 or ED, are left to character(). */
static inline uint64_t out_of_place(const uint8_t *p)
{
    uint64_t two = among(p, 0xc2, 0xdf);
    uint64_t three = among(p, 0xe1, 0xec) | among(p, 0xee, 0xef);
    uint64_t tails = (two | three | three << SKIM_BITS) << SKIM_BITS;
    return (tails ^ among(p, 0x80, 0xbf)) | among(p, 0xc0, 0xc1) |
           among(p, 0xe0, 0xe0) | among(p, 0xed, 0xed) | among(p, 0xf0, 0xff);
}

/* After the opening quote of a string with escapes or other than ASCII. If it
 * ends within a register, all of it is checked at once: names in most
 * languages, and no branch depends on what they are. */
static const uint8_t *short_string(const uint8_t *p, const uint8_t *end)
{
    uint64_t backslash = among(p, '\\', '\\'), quote = among(p, '"', '"');
    uint64_t escaped = backslash << SKIM_BITS;
    uint64_t ends = quote & ~escaped;
    uint64_t before = ends ^ (ends - 1); /* the bits up to the first end */
    uint64_t wrong = (backslash & escaped) | among(p, 0, 0x1f) |
                     (escaped & ~(quote | escape_letters(p))) | out_of_place(p);
    if (ends == 0 || (wrong & before) != 0)
        return long_string(p, end);
    return p + (unsigned)__builtin_ctzll(ends) / SKIM_BITS + 1;
}

/* After the opening quote. */
static inline const uint8_t *string(const uint8_t *p, const uint8_t *end)
{
    for (; p < end; p += SKIM_WIDTH) {
        uint64_t special = not_plain(p);
        if (special == 0)
            continue;
        p += (unsigned)__builtin_ctzll(special) / SKIM_BITS;
        return *p == '"' ? p + 1 : short_string(p, end);
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
    unsigned yes = memcmp(p, "true", 4) == 0, null = memcmp(p, "null", 4) == 0;
    unsigned no = memcmp(p, "fals", 4) == 0 && p[4] == 'e';
    return (yes | null | no) != 0 ? p + 4 + no : NULL;
}

static inline bool begins_scalar(uint8_t c)
{
    return c == '"' || c == '-' || is_digit(c) || c == 't' || c == 'f' ||
           c == 'n';
}

static inline const uint8_t *scalar(const uint8_t *p, const uint8_t *end)
{
    if (*p == '"')
        return string(p + 1, end);
    if (*p == '-' || is_digit(*p))
        return number(p, end);
    return word(p);
}
